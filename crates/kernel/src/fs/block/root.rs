//! Finding the disk that a boot argument means, and mounting the root from it.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec;

use linux_abi::Errno;
use linux_abi::stat::makedev;
use machine::SECTOR_SIZE;

use super::{BlockDevices, Disk};
use crate::Kernel;
use crate::error::{Because, Result};
use crate::fs::{Mount, MountFlags, Vfs};

/// What `root=`, `rootfstype=`, `rootflags=`, `ro` and `rw` say.
#[derive(Clone, Debug, Default)]
pub struct RootDevice {
    /// The disk: `/dev/vda` or `vda`, `UUID=` and the file system's number,
    /// `SERIAL=` and the disk's, or `MAJOR:MINOR`.
    pub device: String,
    /// The type of file system; empty to try all that lie on disks.
    pub kind: String,
    /// Options for it.
    pub options: String,
    /// Nothing is to be changed.
    pub read_only: bool,
}

impl BlockDevices {
    /// The disk that a boot argument names; see [`RootDevice::device`].
    ///
    /// # Errors
    /// `ENODEV` if there is none, `EINVAL` for text that names nothing.
    pub fn by_spec(&self, spec: &str) -> Result<Arc<Disk>> {
        let number =
            spec.split_once(':').and_then(|(major, minor)| Some(makedev(major.parse().ok()?, minor.parse().ok()?)));
        let name = spec.strip_prefix("/dev/").unwrap_or(spec);
        let mut disks = self.list().iter();
        let found = match spec.split_once('=') {
            Some(("UUID", uuid)) => {
                disks.find(|disk| disk_uuid(disk).is_some_and(|found| found.eq_ignore_ascii_case(uuid)))
            }
            Some(("SERIAL", serial)) => disks.find(|disk| !serial.is_empty() && disk.serial() == serial),
            Some(_) => return Err(Errno::EINVAL.because("a disk is named by UUID= or SERIAL=")),
            None => disks.find(|disk| disk.name() == name || number == Some(disk.number())),
        };
        found.cloned().ok_or(Errno::ENODEV.because("there is no such disk"))
    }
}

/// The number that an ext2, ext3 or ext4 file system on the disk has.
fn disk_uuid(disk: &Disk) -> Option<String> {
    const SUPERBLOCK: u64 = 1024;
    const MAGIC: usize = 0x38;
    const UUID: usize = 0x68;
    let mut bytes = vec![0; SECTOR_SIZE];
    disk.read(SUPERBLOCK, &mut bytes).ok()?;
    if bytes.get(MAGIC..MAGIC + 2)? != [0x53, 0xef] {
        return None;
    }
    let mut text = String::new();
    for (index, byte) in bytes.get(UUID..UUID + 16)?.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push_str(&format!("{byte:02x}"));
    }
    Some(text)
}

impl Vfs {
    /// Mounts a disk as the root of the tree; call it before there is any
    /// process.
    ///
    /// # Errors
    /// As [`BlockDevices::by_spec`]; `ENODEV` if there is no such type of file
    /// system; `EINVAL` if the disk holds none that is known; `EIO`.
    pub fn mount_root_device(&self, kernel: &Arc<Kernel>, root: &RootDevice) -> Result<Arc<Mount>> {
        let disk = self.blocks().by_spec(&root.device)?;
        let kinds = if root.kind.is_empty() {
            self.type_names().into_iter().filter_map(|name| self.file_system_type(name)).collect()
        } else {
            vec![self.file_system_type(&root.kind).ok_or(Errno::ENODEV.because("no such file system type"))?]
        };
        let flags = if root.read_only { MountFlags::READ_ONLY } else { MountFlags::empty() } | MountFlags::RELATIME;
        let mut failure = Errno::EINVAL.because("no file system that lies on disks is known");
        for kind in kinds.into_iter().filter(|kind| kind.needs_disk()) {
            match kind.mount_disk(kernel, &disk, flags, root.options.as_bytes()) {
                Ok(fs) => {
                    let source = format!("/dev/{}", disk.name());
                    return Ok(self.mount_root(fs, flags, source.as_bytes()));
                }
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }
}
