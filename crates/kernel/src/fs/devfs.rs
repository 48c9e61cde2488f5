//! Devices that the kernel itself serves: `null`, `zero`, `full`, `random` and
//! `urandom`; and the file system that names all devices.
//!
//! devtmpfs is a tmpfs, of which a kernel has one: whoever registers a driver
//! with a name gets a node in it. Device numbers work anywhere else too.

use alloc::sync::Arc;
use core::any::Any;

use linux_abi::Errno;
use linux_abi::stat::makedev;

use crate::Kernel;
use crate::error::{Because, Result};
use crate::fs::tmpfs::{Builder, TmpFs};
use crate::fs::{CharDriver, File, FileOps, FileSystem, FileSystemType, FileType, IoBuf, Opening, Vfs};
use crate::mm::Object;
use crate::task::Task;

/// `MEM_MAJOR` of Linux.
const MEM_MAJOR: u32 = 1;

/// A device without hardware behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Memory {
    /// Nothing to read; takes anything.
    Null,
    /// Zero bytes; takes anything.
    Zero,
    /// Zero bytes; takes nothing.
    Full,
    /// Unpredictable bytes; takes anything.
    Random,
}

impl CharDriver for Memory {
    fn open(&self, _opening: &Opening<'_>, _minor: u32) -> Result<Arc<dyn FileOps>> {
        Ok(Arc::new(*self))
    }
}

impl Memory {
    fn fill(self, file: &File, buf: &mut IoBuf<'_>) -> Result<usize> {
        match self {
            Self::Null => Ok(0),
            Self::Zero | Self::Full => buf.put_zeros(buf.left()),
            Self::Random => fill_random(file, buf),
        }
    }

    fn swallow(self, buf: &mut IoBuf<'_>) -> Result<usize> {
        if self == Self::Full {
            return Err(Errno::ENOSPC.because("the device is always full"));
        }
        let count = buf.left();
        buf.skip(count);
        Ok(count)
    }
}

fn fill_random(file: &File, buf: &mut IoBuf<'_>) -> Result<usize> {
    let kernel = file.kernel().ok_or(Errno::EIO.because("the kernel is shutting down"))?;
    let mut chunk = [0; 256];
    let mut total = 0;
    while !buf.is_at_end() {
        let room = chunk.len().min(buf.left());
        kernel.machine().fill_random(&mut chunk[..room]);
        match buf.put(&chunk[..room]) {
            Ok(count) => {
                total += count;
                if count < room {
                    break;
                }
            }
            Err(error) if total == 0 => return Err(error),
            Err(_) => break,
        }
    }
    Ok(total)
}

impl FileOps for Memory {
    fn read(&self, file: &File, _task: &Arc<Task>, buf: &mut IoBuf<'_>) -> Result<usize> {
        self.fill(file, buf)
    }

    fn write(&self, _file: &File, _task: &Arc<Task>, buf: &mut IoBuf<'_>) -> Result<usize> {
        self.swallow(buf)
    }

    fn read_at(&self, file: &File, buf: &mut IoBuf<'_>, _offset: u64) -> Result<usize> {
        self.fill(file, buf)
    }

    fn write_at(&self, _file: &File, buf: &mut IoBuf<'_>, _offset: u64) -> Result<usize> {
        self.swallow(buf)
    }

    /// Every position is as good as 0.
    fn seek(&self, _file: &File, _position: u64, _offset: i64, _whence: u32) -> Result<u64> {
        Ok(0)
    }

    fn mmap_object(&self, file: &File) -> Result<Arc<Object>> {
        let kernel = file.kernel().ok_or(Errno::EIO.because("the kernel is shutting down"))?;
        match self {
            Self::Zero => Ok(Object::anonymous(&kernel, i64::MAX.unsigned_abs())),
            _ => Err(Errno::ENODEV.because("the device cannot be mapped")),
        }
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// Registers the devices of this file and makes the links that programs
/// expect beside them.
pub(super) fn install(vfs: &Vfs) -> Result<()> {
    for (minor, name, device) in [
        (3, "null", Memory::Null),
        (5, "zero", Memory::Zero),
        (7, "full", Memory::Full),
        (8, "random", Memory::Random),
        (9, "urandom", Memory::Random),
    ] {
        vfs.register_char(MEM_MAJOR, minor, name, 0o666, Arc::new(device));
    }
    let mut builder = Builder::new(vfs.devtmpfs().clone());
    builder.attributes(0o755, 0, 0, vfs.now_ns());
    for dir in [&b"pts"[..], b"shm"] {
        builder.directory(dir)?;
    }
    for disk in vfs.blocks().list() {
        builder.attributes(0o660, 0, 0, vfs.now_ns());
        builder.special(disk.name().as_bytes(), FileType::BlockDevice, disk.number())?;
    }
    builder.attributes(0o755, 0, 0, vfs.now_ns());
    for (name, target) in [("fd", "/proc/self/fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")] {
        builder.symlink(name.as_bytes(), target.as_bytes())?;
    }
    Ok(())
}

/// Names a device in devtmpfs.
pub(super) fn add_node(devtmpfs: &Arc<TmpFs>, name: &str, mode: u32, number: (u32, u32), now_ns: i64) -> Result<()> {
    let mut builder = Builder::new(devtmpfs.clone());
    builder.attributes(mode, 0, 0, now_ns);
    builder.special(name.as_bytes(), FileType::CharDevice, makedev(number.0, number.1))
}

/// The type `devtmpfs`: every mount shows the same file system.
#[derive(Debug)]
pub(super) struct DevTmpFsType;

impl FileSystemType for DevTmpFsType {
    fn name(&self) -> &'static str {
        "devtmpfs"
    }

    fn mount(&self, kernel: &Arc<Kernel>, _source: &[u8], _options: &[u8]) -> Result<Arc<dyn FileSystem>> {
        Ok(kernel.vfs().devtmpfs().clone())
    }
}
