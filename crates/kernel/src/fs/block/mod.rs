//! Block devices: the machine's disks as `/dev/vda`, `/dev/vdb`, …
//!
//! [`BlockDevices`] knows them by number and name. A [`Disk`] counts what is
//! done with it and knows who has it: while a file system is mounted on it for
//! writing, nobody else writes it, and the other way round.
//!
//! Reading and writing the special file goes through a page cache of its own,
//! which exists while the file is open. A mounted file system does not use that
//! cache; what it has changed is seen by whoever opens the device after that.

mod file;
mod root;

use alloc::format;
use alloc::string::String;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::fmt;
use core::sync::atomic::{AtomicU64, Ordering};

use linux_abi::Errno;
use linux_abi::stat::makedev;
use machine::sync::Mutex;
use machine::{BlockDev, Machine, SECTOR_SIZE};

use crate::Kernel;
use crate::error::{Because, Result};
use crate::fs::{FileOps, Opening};
use crate::mm::Object;

pub use root::RootDevice;

/// The major number of virtual disks, as Linux gives it to virtio-blk.
pub(crate) const VIRTBLK_MAJOR: u32 = 254;
/// Minor numbers for each disk: itself and its partitions.
const MINORS: u32 = 16;

/// What has been done with a disk, as `/proc/diskstats` shows it.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) reads: AtomicU64,
    pub(crate) sectors_read: AtomicU64,
    pub(crate) writes: AtomicU64,
    pub(crate) sectors_written: AtomicU64,
    pub(crate) flushes: AtomicU64,
}

/// Who has a disk.
#[derive(Debug, Default)]
struct Users {
    /// Open descriptions of the special file that may write.
    writers: usize,
    /// File systems on it, and whether they write.
    mounts: usize,
    is_mounted_for_writing: bool,
}

/// A disk.
pub struct Disk {
    name: String,
    number: u64,
    dev: Arc<dyn BlockDev>,
    counters: Counters,
    users: Mutex<Users>,
    /// The pages of the special file, while somebody has it open.
    pages: Mutex<Weak<Object>>,
}

impl fmt::Debug for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Disk({}, {} bytes)", self.name, self.size())
    }
}

impl Disk {
    /// Its name in `/dev`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its device number.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Bytes in all.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.dev.sector_count().saturating_mul(SECTOR_SIZE as u64)
    }

    /// True if writing is refused.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.dev.is_read_only()
    }

    /// What tells this disk from others; may be empty.
    #[must_use]
    pub fn serial(&self) -> String {
        self.dev.serial()
    }

    pub(crate) fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Reads whole sectors from byte `offset` on, past every cache.
    ///
    /// # Errors
    /// `EINVAL` if that is no whole sectors, `EIO`.
    pub fn read(&self, offset: u64, buf: &mut [u8]) -> Result<()> {
        let sector = self.sector_at(offset, buf.len())?;
        self.counters.reads.fetch_add(1, Ordering::Relaxed);
        self.counters.sectors_read.fetch_add((buf.len() / SECTOR_SIZE) as u64, Ordering::Relaxed);
        Ok(self.dev.read(sector, buf)?)
    }

    /// Writes whole sectors from byte `offset` on, past every cache of this
    /// kernel. They are permanent after the next [`Disk::flush`].
    ///
    /// # Errors
    /// `EINVAL` if that is no whole sectors, `EROFS`, `EIO`.
    pub fn write(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        let sector = self.sector_at(offset, bytes.len())?;
        self.counters.writes.fetch_add(1, Ordering::Relaxed);
        self.counters.sectors_written.fetch_add((bytes.len() / SECTOR_SIZE) as u64, Ordering::Relaxed);
        Ok(self.dev.write(sector, bytes)?)
    }

    /// Returns once everything written before survives a loss of power.
    ///
    /// # Errors
    /// `EIO`.
    pub fn flush(&self) -> Result<()> {
        self.counters.flushes.fetch_add(1, Ordering::Relaxed);
        Ok(self.dev.flush()?)
    }

    fn sector_at(&self, offset: u64, len: usize) -> Result<u64> {
        let size = SECTOR_SIZE as u64;
        if !offset.is_multiple_of(size) || !len.is_multiple_of(SECTOR_SIZE) {
            return Err(Errno::EINVAL.because("no whole sectors"));
        }
        if offset.checked_add(len as u64).is_none_or(|end| end > self.size()) {
            return Err(Errno::EIO.because("past the end of the disk"));
        }
        Ok(offset / size)
    }

    /// Takes the disk for a file system.
    ///
    /// # Errors
    /// `EBUSY` if somebody writes the disk, or if the file system would while
    /// another is on it; `EACCES` for writing a disk that is read-only; `EIO`.
    pub(crate) fn claim(self: &Arc<Self>, for_writing: bool) -> Result<Claim> {
        if for_writing && self.is_read_only() {
            return Err(Errno::EACCES.because("the disk is read-only"));
        }
        {
            let mut users = self.users.lock();
            if users.writers > 0 {
                return Err(Errno::EBUSY.because("somebody has the disk open for writing"));
            }
            if users.mounts > 0 && (for_writing || users.is_mounted_for_writing) {
                return Err(Errno::EBUSY.because("a file system on the disk is in use"));
            }
            users.mounts += 1;
            users.is_mounted_for_writing = for_writing;
        }
        Ok(Claim { disk: self.clone() })
    }

    /// Writes what was written to the special file, if somebody has it open.
    fn sync_pages(&self) -> Result<()> {
        let pages = self.pages.lock().upgrade();
        match pages {
            Some(pages) if pages.dirty_pages() > 0 => pages.sync(0..u64::MAX),
            _ => Ok(()),
        }
    }

    /// The special file's pages, as the disk is now unless others have it open.
    fn open_pages(self: &Arc<Self>, kernel: &Kernel) -> Arc<Object> {
        let mut pages = self.pages.lock();
        if let Some(object) = pages.upgrade() {
            drop(pages);
            if self.users.lock().mounts > 0 {
                object.revalidate(self.size());
            }
            return object;
        }
        let object = Object::file(kernel, file::backing(self.clone()), self.size());
        *pages = Arc::downgrade(&object);
        object
    }
}

/// A file system's hold on a disk.
#[derive(Debug)]
pub(crate) struct Claim {
    disk: Arc<Disk>,
}

impl Claim {
    /// The file system writes from now on, or no longer does.
    ///
    /// # Errors
    /// As [`Disk::claim`].
    pub(crate) fn set_writing(&self, for_writing: bool) -> Result<()> {
        if for_writing && self.disk.is_read_only() {
            return Err(Errno::EACCES.because("the disk is read-only"));
        }
        let mut users = self.disk.users.lock();
        if for_writing && (users.writers > 0 || users.mounts > 1) {
            return Err(Errno::EBUSY.because("somebody else has the disk"));
        }
        users.is_mounted_for_writing = for_writing;
        Ok(())
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut users = self.disk.users.lock();
        users.mounts = users.mounts.saturating_sub(1);
        users.is_mounted_for_writing &= users.mounts > 0;
    }
}

/// The block devices of a kernel.
#[derive(Debug)]
pub struct BlockDevices {
    disks: Vec<Arc<Disk>>,
}

impl BlockDevices {
    /// The machine's disks.
    pub(super) fn new(machine: &dyn Machine) -> Self {
        let disk = |(index, dev): (u32, &Arc<dyn BlockDev>)| {
            Arc::new(Disk {
                name: format!("vd{}", suffix(index)),
                number: makedev(VIRTBLK_MAJOR, index.saturating_mul(MINORS)),
                dev: dev.clone(),
                counters: Counters::default(),
                users: Mutex::default(),
                pages: Mutex::new(Weak::new()),
            })
        };
        Self { disks: (0..).zip(machine.block_devices()).map(disk).collect() }
    }

    /// All of them, in their order.
    #[must_use]
    pub fn list(&self) -> &[Arc<Disk>] {
        &self.disks
    }

    /// Writes what was written to special files that are open.
    ///
    /// # Errors
    /// `EIO`; the other disks are tried all the same.
    pub(super) fn sync_all(&self) -> Result<()> {
        let mut result = Ok(());
        for disk in &self.disks {
            result = result.and(disk.sync_pages());
        }
        result
    }

    /// The disk of this number.
    ///
    /// # Errors
    /// `ENXIO` if there is none.
    pub fn find(&self, number: u64) -> Result<&Arc<Disk>> {
        let found = self.disks.iter().find(|disk| disk.number == number);
        found.ok_or(Errno::ENXIO.because("no such disk"))
    }

    /// Opens the special file with this number.
    ///
    /// # Errors
    /// `ENXIO` if there is no such disk, and those of [`file::open`].
    pub(super) fn open(&self, number: u64, opening: &Opening<'_>) -> Result<Arc<dyn FileOps>> {
        file::open(self.find(number)?, opening)
    }
}

/// `a` to `z`, then `aa` and so on.
fn suffix(index: u32) -> String {
    let mut letters = Vec::new();
    let mut rest = index;
    loop {
        letters.push(b'a' + (rest % 26) as u8);
        if rest < 26 {
            break;
        }
        rest = rest / 26 - 1;
    }
    letters.iter().rev().map(|letter| char::from(*letter)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_on_with_two_letters_after_z() {
        assert_eq!([0, 25, 26, 51, 52, 701, 702].map(suffix), ["a", "z", "aa", "az", "ba", "zz", "aaa"]);
    }
}
