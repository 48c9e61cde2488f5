//! The file system `devpts`: a device file for each pseudo-terminal, and
//! `ptmx`. All mounts show the same terminals.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::sync::{Arc, Weak};
use core::any::Any;
use core::fmt;

use linux_abi::Errno;
use linux_abi::stat::{DEVPTS_SUPER_MAGIC, makedev};
use machine::sync::Mutex;

use super::pty::SLAVE_MAJOR;
use super::terminal::Tty;
use crate::Kernel;
use crate::error::{Because, Result};
use crate::fs::{
    Attr, Caller, DirEntry, DirSink, FileSystem, FileSystemType, FileType, Inode, NameCaching, SetAttr, StatFs,
};

/// The most pseudo-terminals at once (`/proc/sys/kernel/pty/max`).
const MOST: u32 = 4096;

/// Inode numbers of the directory and of `ptmx`; slaves follow.
const ROOT_INO: u64 = 1;
const PTMX_INO: u64 = 2;
const FIRST_SLAVE_INO: u64 = 3;

/// What the options of the last mount say of new slaves.
#[derive(Clone, Copy, Debug)]
struct Options {
    uid: Option<u32>,
    gid: Option<u32>,
    mode: u32,
}

/// A slave, and its device file.
type Slave = (Arc<Tty>, Arc<Device>);

/// The pseudo-terminals of a kernel, and their attributes.
pub(super) struct Slaves {
    by_number: Mutex<BTreeMap<u32, Slave>>,
    options: Mutex<Options>,
}

impl fmt::Debug for Slaves {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Slaves({})", self.by_number.lock().len())
    }
}

impl Default for Slaves {
    fn default() -> Self {
        let options = Options { uid: None, gid: None, mode: 0o600 };
        Self { by_number: Mutex::default(), options: Mutex::new(options) }
    }
}

impl Slaves {
    /// Makes a slave with the lowest free number.
    ///
    /// # Errors
    /// `ENOSPC` if there are too many.
    pub(super) fn add(
        &self,
        uid: u32,
        gid: u32,
        now_ns: i64,
        make: impl FnOnce(u32) -> Arc<Tty>,
    ) -> Result<(u32, Arc<Tty>)> {
        let options = *self.options.lock();
        let mut slaves = self.by_number.lock();
        let number = (0..MOST).find(|number| !slaves.contains_key(number));
        let number = number.ok_or(Errno::ENOSPC.because("too many pseudo-terminals"))?;
        let tty = make(number);
        let attr = Attr {
            uid: options.uid.unwrap_or(uid),
            gid: options.gid.unwrap_or(gid),
            ino: FIRST_SLAVE_INO + u64::from(number),
            rdev: makedev(SLAVE_MAJOR, number),
            block_size: 1024,
            atime_ns: now_ns,
            mtime_ns: now_ns,
            ctime_ns: now_ns,
            ..Attr::new(FileType::CharDevice, options.mode)
        };
        slaves.insert(number, (tty.clone(), Arc::new(Device { attr: Mutex::new(attr) })));
        Ok((number, tty))
    }

    /// Takes one out; its number is free again.
    pub(super) fn remove(&self, number: u32) {
        let removed = self.by_number.lock().remove(&number);
        drop(removed);
    }

    /// The terminal with this number.
    pub(super) fn get(&self, number: u32) -> Option<Arc<Tty>> {
        self.by_number.lock().get(&number).map(|(tty, _)| tty.clone())
    }

    fn device(&self, number: u32) -> Option<Arc<Device>> {
        self.by_number.lock().get(&number).map(|(_, device)| device.clone())
    }
}

/// The inode of a device.
pub(super) struct Device {
    attr: Mutex<Attr>,
}

impl Inode for Device {
    fn kind(&self) -> FileType {
        FileType::CharDevice
    }

    fn attr(&self) -> Result<Attr> {
        Ok(*self.attr.lock())
    }

    fn set_attr(&self, change: &SetAttr) -> Result<()> {
        let mut attr = self.attr.lock();
        attr.mode = change.mode.map_or(attr.mode, |mode| mode & 0o7777);
        attr.uid = change.uid.unwrap_or(attr.uid);
        attr.gid = change.gid.unwrap_or(attr.gid);
        attr.atime_ns = change.atime_ns.unwrap_or(attr.atime_ns);
        attr.mtime_ns = change.mtime_ns.unwrap_or(attr.mtime_ns);
        Ok(())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }
}

/// The directory.
struct Root {
    kernel: Weak<Kernel>,
    attr: Attr,
    ptmx: Arc<Device>,
}

impl Inode for Root {
    fn kind(&self) -> FileType {
        FileType::Directory
    }

    fn attr(&self) -> Result<Attr> {
        Ok(self.attr)
    }

    fn lookup(&self, name: &[u8], _caller: &Caller) -> Result<Arc<dyn Inode>> {
        if name == b"ptmx" {
            return Ok(self.ptmx.clone());
        }
        let number = core::str::from_utf8(name).ok().and_then(|text| {
            let number: u32 = text.parse().ok()?;
            (format!("{number}") == text).then_some(number)
        });
        let kernel = self.kernel.upgrade();
        let device = number.zip(kernel).and_then(|(number, kernel)| kernel.terminals().slaves.device(number));
        match device {
            Some(device) => Ok(device),
            None => Err(Errno::ENOENT.because("no such pseudo-terminal")),
        }
    }

    fn name_caching(&self) -> NameCaching {
        NameCaching::Never
    }

    fn read_dir(&self, from: u64, _caller: &Caller, sink: &mut DirSink<'_>) -> Result<()> {
        // Positions: 0 is `ptmx`, number plus one a slave.
        let kind = FileType::CharDevice;
        if from == 0 && !sink(DirEntry { name: b"ptmx", ino: PTMX_INO, kind, next: 1 }) {
            return Ok(());
        }
        let Some(kernel) = self.kernel.upgrade() else { return Ok(()) };
        let numbers: alloc::vec::Vec<u32> = kernel.terminals().slaves.by_number.lock().keys().copied().collect();
        for number in numbers.into_iter().filter(|number| u64::from(*number) + 1 >= from) {
            let name = format!("{number}");
            let ino = FIRST_SLAVE_INO + u64::from(number);
            if !sink(DirEntry { name: name.as_bytes(), ino, kind, next: u64::from(number) + 2 }) {
                break;
            }
        }
        Ok(())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }
}

/// A mounted devpts.
struct DevPts {
    dev: u64,
    root: Arc<Root>,
    options: String,
}

impl FileSystem for DevPts {
    fn name(&self) -> &'static str {
        "devpts"
    }

    fn root(&self) -> Arc<dyn Inode> {
        self.root.clone()
    }

    fn dev(&self) -> u64 {
        self.dev
    }

    fn stat_fs(&self) -> Result<StatFs> {
        Ok(StatFs { magic: DEVPTS_SUPER_MAGIC, block_size: 4096, name_max: 255, ..StatFs::default() })
    }

    fn options(&self) -> String {
        self.options.clone()
    }
}

/// The file system's type.
pub(super) struct DevPtsType;

impl FileSystemType for DevPtsType {
    fn name(&self) -> &'static str {
        "devpts"
    }

    fn mount(&self, kernel: &Arc<Kernel>, _source: &[u8], options: &[u8]) -> Result<Arc<dyn FileSystem>> {
        let mut parsed = Options { uid: None, gid: None, mode: 0o600 };
        let mut ptmx_mode = 0o666;
        let invalid = Errno::EINVAL.because("not an option of devpts");
        let text = core::str::from_utf8(options).map_err(|_| invalid)?;
        for option in text.split(',').filter(|option| !option.is_empty()) {
            let number = |value: &str, radix| u32::from_str_radix(value, radix).map_err(|_| invalid);
            match option.split_once('=') {
                Some(("uid", value)) => parsed.uid = Some(number(value, 10)?),
                Some(("gid", value)) => parsed.gid = Some(number(value, 10)?),
                Some(("mode", value)) => parsed.mode = number(value, 8)? & 0o777,
                Some(("ptmxmode", value)) => ptmx_mode = number(value, 8)? & 0o777,
                Some(("max", value)) => drop(number(value, 10)?),
                None if option == "newinstance" => {}
                _ => return Err(invalid),
            }
        }
        *kernel.terminals().slaves.options.lock() = parsed;
        let dev = kernel.vfs().next_dev();
        let now_ns = kernel.vfs().now_ns();
        let base = |kind, mode, ino| Attr {
            ino,
            dev,
            atime_ns: now_ns,
            mtime_ns: now_ns,
            ctime_ns: now_ns,
            ..Attr::new(kind, mode)
        };
        let ptmx = Attr { rdev: makedev(5, 2), ..base(FileType::CharDevice, ptmx_mode, PTMX_INO) };
        let root = Root {
            kernel: Arc::downgrade(kernel),
            attr: Attr { nlink: 2, ..base(FileType::Directory, 0o755, ROOT_INO) },
            ptmx: Arc::new(Device { attr: Mutex::new(ptmx) }),
        };
        let mut shown = String::new();
        if let Some(gid) = parsed.gid {
            shown.push_str(&format!(",gid={gid}"));
        }
        shown.push_str(&format!(",mode={:o},ptmxmode={ptmx_mode:03o}", parsed.mode));
        Ok(Arc::new(DevPts { dev, root: Arc::new(root), options: shown }))
    }
}
