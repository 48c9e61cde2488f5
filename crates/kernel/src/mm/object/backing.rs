//! [`Backing`]: where an object's pages come from and go to.

use core::ops::Range;

use super::PAGE_BYTES;
use crate::error::Result;

/// Where an object's pages come from and go to. An implementation may lock its
/// own file system, but neither an address space nor the object.
///
/// Reading and [`Backing::prepare_write`] happen with the object's pages
/// locked, writing without; one object never has two writes under way.
pub trait Backing: Send + Sync {
    /// Reads page `index`; what lies past the end of the file is zero bytes.
    ///
    /// # Errors
    /// What the host says; the guest gets `EIO` or `SIGBUS`.
    fn read_page(&self, index: u64, page: &mut [u8; PAGE_BYTES]) -> Result<()>;

    /// Reads `buf.len() / 4096` pages from page `index` on. The default reads
    /// one after the other.
    ///
    /// # Errors
    /// As [`Backing::read_page`].
    fn read_pages(&self, index: u64, buf: &mut [u8]) -> Result<()> {
        let (pages, _) = buf.as_chunks_mut::<PAGE_BYTES>();
        (index..).zip(pages).try_for_each(|(index, page)| self.read_page(index, page))
    }

    /// Writes the start of page `index`: all of it, or as much as the file has.
    ///
    /// # Errors
    /// What the host says.
    fn write_page(&self, index: u64, bytes: &[u8]) -> Result<()>;

    /// Writes pages from page `index` on; the last one may be short. The
    /// default writes one after the other.
    ///
    /// # Errors
    /// As [`Backing::write_page`].
    fn write_pages(&self, index: u64, bytes: &[u8]) -> Result<()> {
        (index..).zip(bytes.chunks(PAGE_BYTES)).try_for_each(|(index, page)| self.write_page(index, page))
    }

    /// Makes sure that a range of bytes, which is about to change, can be
    /// written later: a file system finds room on its disk.
    ///
    /// # Errors
    /// `ENOSPC`, `EIO`; then nothing changes.
    fn prepare_write(&self, _bytes: Range<u64>) -> Result<()> {
        Ok(())
    }

    /// A page has changed that was as the backing had it. Called with the
    /// pages locked.
    fn note_dirty(&self) {}

    /// True if whoever owns the backing sees to it that changed pages are
    /// written in time. Otherwise they are when a mapping goes.
    fn is_written_by_owner(&self) -> bool {
        false
    }

    /// Makes what was written survive a loss of power, for `msync`.
    ///
    /// # Errors
    /// `EIO`.
    fn sync(&self) -> Result<()> {
        Ok(())
    }
}
