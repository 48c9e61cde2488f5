//! The calls about files, as a program makes them, on the fake machine.

mod disk;
mod ext2;
mod host;
mod host_fake;
mod io;
mod mounts;
mod names;

use alloc::string::String;
use alloc::vec::Vec;
use core::result::Result;

use alloc::sync::Arc;
use linux_abi::Errno;
use linux_abi::dirent::Dirent64;
use linux_abi::nr;
use linux_abi::stat::Stat;
use machine::{BlockDev, GuestAddr};

use crate::fs::MountFlags;
use crate::task::Creds;
use crate::testing::FakeMachine;
use crate::testing_disk::RamDisk;
use crate::testing_task::Guest;

const AT_FDCWD: u64 = (-100_i64).cast_unsigned();
const O_RDONLY: u64 = 0;
const O_WRONLY: u64 = 1;
const O_RDWR: u64 = 2;
const O_CREAT: u64 = 0o100;
const O_EXCL: u64 = 0o200;
const O_TRUNC: u64 = 0o1000;
const O_APPEND: u64 = 0o2000;
const O_NONBLOCK: u64 = 0o4000;
const O_DIRECTORY: u64 = 0o40000;
const O_NOFOLLOW: u64 = 0o100_000;
const O_PATH: u64 = 0o10_000_000;
const O_TMPFILE: u64 = 0o20_040_000;

/// A process that works with files.
struct Files {
    guest: Guest,
}

/// Where in the process's memory things are put.
const FIRST_PATH: u64 = 0;
const SECOND_PATH: u64 = 8192;
const BUFFER: u64 = 16384;
const BUFFER_LEN: usize = 32768;

impl Files {
    fn new() -> Self {
        Self { guest: Guest::new() }
    }

    /// A process on a machine with these disks, and with this much memory.
    fn with_disks(frames: usize, disks: &[Arc<RamDisk>]) -> Self {
        let disks = disks.iter().map(|disk| disk.clone() as Arc<dyn BlockDev>).collect();
        let files = Self { guest: Guest::on(FakeMachine::with_disks(frames, disks)) };
        for (kind, path) in [("devtmpfs", "/dev"), ("proc", "/proc")] {
            files
                .guest
                .kernel
                .vfs()
                .mount_type(&files.guest.kernel, kind, path.as_bytes(), MountFlags::empty(), "")
                .expect("it can be mounted");
        }
        files
    }

    /// Another process of the same kernel, of another user.
    fn as_user(&self, pid: u32, uid: u32) -> Self {
        let guest = self.guest.sibling(pid, 1, pid, pid);
        guest.task.set_creds(Creds::new(uid, uid));
        guest.task.set_fs(self.guest.task.fs().fork());
        Self { guest }
    }

    fn call(&self, number: u32, args: &[u64]) -> Result<u64, Errno> {
        self.guest.call(u64::from(number), args)
    }

    fn text(&self, offset: u64, text: &str) -> u64 {
        let addr = self.guest.memory + offset;
        let bytes = [text.as_bytes(), b"\0"].concat();
        self.guest.task.mm().write(GuestAddr(addr), &bytes).expect("the memory is there");
        addr
    }

    fn path(&self, text: &str) -> u64 {
        self.text(FIRST_PATH, text)
    }

    fn open(&self, path: &str, flags: u64) -> Result<u64, Errno> {
        self.call(nr::OPENAT, &[AT_FDCWD, self.path(path), flags, 0o644])
    }

    fn close(&self, fd: u64) {
        self.call(nr::CLOSE, &[fd]).expect("it is open");
    }

    fn mkdir(&self, path: &str) -> Result<u64, Errno> {
        self.call(nr::MKDIRAT, &[AT_FDCWD, self.path(path), 0o755])
    }

    fn symlink(&self, target: &str, path: &str) -> Result<u64, Errno> {
        let target = self.text(SECOND_PATH, target);
        self.call(nr::SYMLINKAT, &[target, AT_FDCWD, self.path(path)])
    }

    fn link(&self, old: &str, new: &str) -> Result<u64, Errno> {
        let new = self.text(SECOND_PATH, new);
        self.call(nr::LINKAT, &[AT_FDCWD, self.path(old), AT_FDCWD, new, 0])
    }

    fn unlink(&self, path: &str) -> Result<u64, Errno> {
        self.call(nr::UNLINKAT, &[AT_FDCWD, self.path(path), 0])
    }

    fn rmdir(&self, path: &str) -> Result<u64, Errno> {
        self.call(nr::UNLINKAT, &[AT_FDCWD, self.path(path), 0x200])
    }

    fn rename(&self, old: &str, new: &str, flags: u64) -> Result<u64, Errno> {
        let new = self.text(SECOND_PATH, new);
        self.call(nr::RENAMEAT2, &[AT_FDCWD, self.path(old), AT_FDCWD, new, flags])
    }

    fn chmod(&self, path: &str, mode: u64) -> Result<u64, Errno> {
        self.call(nr::FCHMODAT, &[AT_FDCWD, self.path(path), mode])
    }

    fn stat(&self, path: &str) -> Result<Stat, Errno> {
        self.call(nr::NEWFSTATAT, &[AT_FDCWD, self.path(path), self.guest.memory + BUFFER, 0])?;
        Ok(self.guest.get(BUFFER))
    }

    fn fstat(&self, fd: u64) -> Stat {
        self.call(nr::FSTAT, &[fd, self.guest.memory + BUFFER]).expect("it is open");
        self.guest.get(BUFFER)
    }

    fn write(&self, fd: u64, bytes: &[u8]) -> Result<u64, Errno> {
        let addr = self.guest.memory + BUFFER;
        self.guest.task.mm().write(GuestAddr(addr), bytes).expect("the memory is there");
        self.call(nr::WRITE, &[fd, addr, bytes.len() as u64])
    }

    fn read(&self, fd: u64, len: usize) -> Result<Vec<u8>, Errno> {
        let addr = self.guest.memory + BUFFER;
        let count = self.call(nr::READ, &[fd, addr, len.min(BUFFER_LEN) as u64])?;
        Ok(self.guest.task.mm().read_vec(GuestAddr(addr), count as usize).expect("the memory is there"))
    }

    fn seek(&self, fd: u64, offset: i64, whence: u64) -> Result<u64, Errno> {
        self.call(nr::LSEEK, &[fd, offset.cast_unsigned(), whence])
    }

    /// Makes a file with contents.
    fn make(&self, path: &str, contents: &[u8]) {
        let fd = self.open(path, O_CREAT | O_WRONLY | O_TRUNC).expect("it can be made");
        assert_eq!(self.write(fd, contents), Ok(contents.len() as u64));
        self.close(fd);
    }

    /// What a file holds.
    fn contents(&self, path: &str) -> Result<Vec<u8>, Errno> {
        let fd = self.open(path, O_RDONLY)?;
        let mut all = Vec::new();
        loop {
            let part = self.read(fd, BUFFER_LEN)?;
            if part.is_empty() {
                break;
            }
            all.extend(part);
        }
        self.close(fd);
        Ok(all)
    }

    fn read_link(&self, path: &str) -> Result<String, Errno> {
        let addr = self.guest.memory + BUFFER;
        let count = self.call(nr::READLINKAT, &[AT_FDCWD, self.path(path), addr, 4096])?;
        let bytes = self.guest.task.mm().read_vec(GuestAddr(addr), count as usize).expect("the memory is there");
        Ok(String::from_utf8(bytes).expect("text"))
    }

    fn cwd(&self) -> Result<String, Errno> {
        let addr = self.guest.memory + BUFFER;
        let count = self.call(nr::GETCWD, &[addr, 4096])?;
        let bytes = self.guest.task.mm().read_vec(GuestAddr(addr), count as usize - 1).expect("the memory is there");
        Ok(String::from_utf8(bytes).expect("text"))
    }

    /// The names in an open directory, from where it stands, `room` bytes at a
    /// time; `each` is called after each piece.
    fn list_fd(&self, fd: u64, room: u64, mut each: impl FnMut(&[String])) -> Vec<String> {
        let addr = self.guest.memory + BUFFER;
        let mut names = Vec::new();
        loop {
            let count = self.call(nr::GETDENTS64, &[fd, addr, room]).expect("a directory") as usize;
            if count == 0 {
                return names;
            }
            let bytes = self.guest.task.mm().read_vec(GuestAddr(addr), count).expect("the memory is there");
            let (mut at, start) = (0, names.len());
            while at < count {
                let length = usize::from(u16::from_le_bytes([bytes[at + 16], bytes[at + 17]]));
                let name = &bytes[at + Dirent64::SIZE..at + length];
                let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
                names.push(String::from_utf8(name.to_vec()).expect("text"));
                at += length;
            }
            each(&names[start..]);
        }
    }

    fn list(&self, path: &str) -> Vec<String> {
        let fd = self.open(path, O_RDONLY | O_DIRECTORY).expect("a directory");
        let mut names = self.list_fd(fd, 4096, |_| {});
        self.close(fd);
        names.retain(|name| name != "." && name != "..");
        names.sort();
        names
    }
}
