//! [`FileDisk`]: a file of the host as a disk.
//!
//! The file is locked as long as the disk exists, exclusively unless it is only
//! read, so that no two guests write one image.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsFd;
use std::path::Path;

use linux_abi::Errno;
use machine::{BlockDev, SECTOR_SIZE};
use rustix::fs::{FlockOperation, flock};

/// A disk whose sectors lie in a file of the host, or in one of its own block
/// devices.
pub struct FileDisk {
    file: File,
    sectors: u64,
    is_read_only: bool,
}

impl fmt::Debug for FileDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FileDisk({} sectors)", self.sectors)
    }
}

impl FileDisk {
    /// The file as a disk; one that may not be written becomes a disk that is
    /// read-only. What follows the last whole sector is not part of it.
    ///
    /// # Errors
    /// What the host says; [`io::ErrorKind::WouldBlock`] if another guest has
    /// the file.
    pub fn open(path: &Path) -> io::Result<Self> {
        let (file, is_read_only) = match OpenOptions::new().read(true).write(true).open(path) {
            Ok(file) => (file, false),
            Err(error) if is_write_refused(&error) => (File::open(path)?, true),
            Err(error) => return Err(error),
        };
        let lock =
            if is_read_only { FlockOperation::NonBlockingLockShared } else { FlockOperation::NonBlockingLockExclusive };
        flock(&file, lock)?;
        // Seeking tells the size of block devices too.
        let len = io::Seek::seek(&mut &file, io::SeekFrom::End(0))?;
        Ok(Self { file, sectors: len / SECTOR_SIZE as u64, is_read_only })
    }

    /// The byte that a range of sectors starts at.
    fn offset(&self, sector: u64, len: usize) -> Result<u64, Errno> {
        if !len.is_multiple_of(SECTOR_SIZE) {
            return Err(Errno::EINVAL);
        }
        let end = sector.checked_add((len / SECTOR_SIZE) as u64).filter(|end| *end <= self.sectors);
        // Below the size of a file, which is below 2^63.
        end.map(|_| sector * SECTOR_SIZE as u64).ok_or(Errno::EIO)
    }
}

fn is_write_refused(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
}

fn sync(file: &File) -> rustix::io::Result<()> {
    #[cfg(target_vendor = "apple")]
    return rustix::fs::fcntl_fullfsync(file.as_fd());
    #[cfg(not(target_vendor = "apple"))]
    rustix::fs::fdatasync(file.as_fd())
}

impl BlockDev for FileDisk {
    fn sector_count(&self) -> u64 {
        self.sectors
    }

    fn is_read_only(&self) -> bool {
        self.is_read_only
    }

    fn serial(&self) -> String {
        String::new()
    }

    fn read(&self, sector: u64, buf: &mut [u8]) -> Result<(), Errno> {
        let mut at = self.offset(sector, buf.len())?;
        let mut rest = buf;
        while !rest.is_empty() {
            match rustix::io::pread(&self.file, &mut *rest, at) {
                // The file has become shorter beneath.
                Ok(0) => return Err(Errno::EIO),
                Ok(count) => {
                    at += count as u64;
                    rest = rest.get_mut(count..).unwrap_or_default();
                }
                Err(rustix::io::Errno::INTR) => {}
                Err(_) => return Err(Errno::EIO),
            }
        }
        Ok(())
    }

    fn write(&self, sector: u64, bytes: &[u8]) -> Result<(), Errno> {
        if self.is_read_only {
            return Err(Errno::EROFS);
        }
        let mut at = self.offset(sector, bytes.len())?;
        let mut rest = bytes;
        while !rest.is_empty() {
            match rustix::io::pwrite(&self.file, rest, at) {
                Ok(0) => return Err(Errno::EIO),
                Ok(count) => {
                    at += count as u64;
                    rest = rest.get(count..).unwrap_or_default();
                }
                Err(rustix::io::Errno::INTR) => {}
                Err(_) => return Err(Errno::EIO),
            }
        }
        Ok(())
    }

    fn flush(&self) -> Result<(), Errno> {
        sync(&self.file).map_err(|_| Errno::EIO)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(name: &str, len: u64) -> std::path::PathBuf {
        let path = std::env::temp_dir().join(format!("vambrace-disk-{}-{name}", std::process::id()));
        File::create(&path).and_then(|file| file.set_len(len)).expect("a temporary file");
        path
    }

    #[test]
    fn sectors_keep_what_was_written() {
        let path = image("keep", 4 * 512 + 100);
        let disk = FileDisk::open(&path).expect("a disk");
        assert_eq!((disk.sector_count(), disk.is_read_only()), (4, false));
        disk.write(2, &[7; 1024]).expect("written");
        disk.flush().expect("flushed");
        let mut buf = [0; 1536];
        disk.read(1, &mut buf).expect("read");
        assert_eq!((buf[511], buf[512], buf[1535]), (0, 7, 7));
        std::fs::remove_file(path).expect("removed");
    }

    #[test]
    fn a_range_that_leaves_the_disk_is_an_error() {
        let path = image("range", 1024);
        let disk = FileDisk::open(&path).expect("a disk");
        assert_eq!(disk.read(1, &mut [0; 1024]), Err(Errno::EIO));
        assert_eq!(disk.write(u64::MAX, &[0; 512]), Err(Errno::EIO));
        assert_eq!(disk.read(0, &mut [0; 100]), Err(Errno::EINVAL));
        std::fs::remove_file(path).expect("removed");
    }

    #[test]
    fn two_guests_cannot_have_one_image() {
        let path = image("lock", 1024);
        let disk = FileDisk::open(&path).expect("a disk");
        let second = FileDisk::open(&path).map(drop).map_err(|error| error.kind());
        assert_eq!(second, Err(io::ErrorKind::WouldBlock));
        drop(disk);
        FileDisk::open(&path).expect("free again");
        std::fs::remove_file(path).expect("removed");
    }
}
