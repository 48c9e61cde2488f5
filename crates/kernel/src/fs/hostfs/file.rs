//! Open regular files of the host, and the pages of those that are mapped.

use alloc::sync::Arc;

use linux_abi::Errno;
use linux_abi::fcntl::FallocFlags;
use machine::sync::Mutex;
use machine::{HostFile, PAGE_SIZE};

use super::inode::HostInode;
use crate::error::{Because, Result};
use crate::fs::{File, FileOps, Inode, IoBuf, with_chunk};
use crate::mm::{Backing, Object, PAGE_BYTES};

/// Where an object's pages are read from and written to.
pub(super) struct Pages {
    reader: Arc<dyn HostFile>,
    /// Set once somebody has the file open for writing.
    writer: Mutex<Option<Arc<dyn HostFile>>>,
}

impl Pages {
    pub(super) fn new(reader: Arc<dyn HostFile>) -> Self {
        Self { reader, writer: Mutex::new(None) }
    }

    pub(super) fn set_writer(&self, file: &Arc<dyn HostFile>) {
        self.writer.lock().get_or_insert_with(|| file.clone());
    }
}

impl Backing for Arc<Pages> {
    fn read_page(&self, index: u64, page: &mut [u8; PAGE_BYTES]) -> Result<()> {
        self.read_pages(index, page)
    }

    fn read_pages(&self, index: u64, buf: &mut [u8]) -> Result<()> {
        let start = index.saturating_mul(PAGE_SIZE);
        let mut done = 0;
        while done < buf.len() {
            match self.reader.read_at(start.saturating_add(done as u64), &mut buf[done..])? {
                0 => break,
                count => done += count,
            }
        }
        buf[done..].fill(0);
        Ok(())
    }

    fn write_page(&self, index: u64, bytes: &[u8]) -> Result<()> {
        let writer = self.writer.lock().clone().ok_or(Errno::EIO.because("the file is not open for writing"))?;
        write_all(&*writer, index.saturating_mul(PAGE_SIZE), bytes)
    }
}

fn write_all(file: &dyn HostFile, offset: u64, bytes: &[u8]) -> Result<()> {
    let mut done = 0;
    while done < bytes.len() {
        match file.write_at(offset.saturating_add(done as u64), &bytes[done..])? {
            0 => return Err(Errno::EIO.because("the host took nothing")),
            count => done += count,
        }
    }
    Ok(())
}

/// An open regular file.
pub(super) struct HostRegular {
    inode: Arc<HostInode>,
    file: Arc<dyn HostFile>,
    writes: bool,
}

impl HostRegular {
    pub(super) fn new(inode: Arc<HostInode>, file: Arc<dyn HostFile>, writes: bool) -> Self {
        Self { inode, file, writes }
    }

    /// Reads past the cache.
    fn read_direct(&self, buf: &mut IoBuf<'_>, offset: u64, chunk: &mut [u8]) -> Result<usize> {
        let mut total = 0;
        while !buf.is_at_end() {
            let room = chunk.len().min(buf.left());
            let at = offset.saturating_add(total as u64);
            let moved = self.file.read_at(at, &mut chunk[..room]).map_err(Into::into);
            match moved.and_then(|count| buf.put(&chunk[..count])) {
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

    fn write_chunks(&self, buf: &mut IoBuf<'_>, offset: u64, chunk: &mut [u8]) -> Result<usize> {
        let mut total = 0;
        while !buf.is_at_end() {
            let room = chunk.len().min(buf.left());
            let at = offset.saturating_add(total as u64);
            let moved = buf.take(&mut chunk[..room]).and_then(|count| {
                let written = self.file.write_at(at, &chunk[..count])?;
                if let Some(object) = self.inode.object() {
                    object.refresh_at(at, &chunk[..written]);
                }
                Ok(written)
            });
            match moved {
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
        self.inode.note_written();
        Ok(total)
    }
}

impl FileOps for HostRegular {
    fn is_seekable(&self) -> bool {
        true
    }

    fn read_at(&self, _file: &File, buf: &mut IoBuf<'_>, offset: u64) -> Result<usize> {
        let Some(object) = self.inode.object() else {
            return with_chunk(buf.left(), |chunk| self.read_direct(buf, offset, chunk));
        };
        let end = offset.saturating_add(buf.left() as u64);
        if end > object.size() {
            // The host may have made the file longer.
            self.inode.validate()?;
        }
        super::super::read_object(&object, buf, offset)
    }

    fn write_at(&self, _file: &File, buf: &mut IoBuf<'_>, offset: u64) -> Result<usize> {
        let end = offset.checked_add(buf.left() as u64).filter(|end| i64::try_from(*end).is_ok());
        end.ok_or(Errno::EFBIG.because("the write would end past 2^63"))?;
        with_chunk(buf.left(), |chunk| self.write_chunks(buf, offset, chunk))
    }

    fn append(&self, file: &File, buf: &mut IoBuf<'_>) -> Result<(u64, usize)> {
        let _append = self.inode.append.lock();
        let end = self.inode.attr()?.size;
        self.write_at(file, buf, end).map(|count| (end, count))
    }

    fn mmap_object(&self, _file: &File) -> Result<Arc<Object>> {
        self.inode.make_object(&self.file, self.writes)
    }

    fn sync(&self, _file: &File, data_only: bool) -> Result<()> {
        self.inode.write_back()?;
        Ok(self.file.sync(data_only)?)
    }

    fn allocate(&self, _file: &File, mode: FallocFlags, offset: u64, len: u64) -> Result<()> {
        if !mode.is_empty() {
            return Err(Errno::EOPNOTSUPP.because("a host file takes no such mode"));
        }
        let _append = self.inode.append.lock();
        let end = offset.checked_add(len).filter(|end| i64::try_from(*end).is_ok());
        let end = end.ok_or(Errno::EFBIG.because("the range ends beyond 2^63"))?;
        if end > self.inode.attr()?.size {
            self.file.set_len(end)?;
            self.inode.note_written();
            if let Some(object) = self.inode.object() {
                object.set_size(end);
            }
        }
        Ok(())
    }

    fn release(&self, _file: &File) {
        if self.writes {
            // Nobody is left to hear of an error; `fsync` reports it.
            let _ = self.inode.write_back();
        }
    }

    fn as_any(&self) -> &dyn core::any::Any {
        self
    }
}
