//! Reading and writing files.

use crate::error::corrupt;
use crate::fs::Ext2;
use crate::inode::Inode;
use crate::{Result, Run};

impl Ext2 {
    /// Reads from `offset` on into `buf`; returns how many bytes there were.
    ///
    /// # Errors
    /// [`crate::Error::IsDirectory`], [`crate::Error::Invalid`] if it is no
    /// regular file.
    pub fn read(&mut self, ino: u32, offset: u64, buf: &mut [u8]) -> Result<usize> {
        let inode = self.regular(ino)?;
        let rest = usize::try_from(inode.size.saturating_sub(offset)).unwrap_or(usize::MAX);
        let len = rest.min(buf.len());
        let buf = buf.get_mut(..len).unwrap_or_default();
        self.read_inode(&inode, ino, offset, buf)?;
        Ok(len)
    }

    /// Fills `buf` from an inode's blocks, whatever its size.
    pub(crate) fn read_inode(&mut self, inode: &Inode, ino: u32, offset: u64, buf: &mut [u8]) -> Result<()> {
        let block_size = self.cache.block_size();
        let mut offset = offset;
        let mut buf = buf;
        while !buf.is_empty() {
            let file_block = offset / block_size as u64;
            let skip = (offset % block_size as u64) as usize;
            let wanted = buf.len().saturating_add(skip).div_ceil(block_size);
            let run = self.readable(inode, ino, file_block, u32::try_from(wanted).unwrap_or(u32::MAX))?;
            let len = (run.blocks as usize * block_size - skip).min(buf.len());
            let (now, rest) = core::mem::take(&mut buf).split_at_mut(len);
            self.read_run(run, skip, now)?;
            buf = rest;
            offset = offset.checked_add(len as u64).ok_or_else(|| corrupt!("a read of {ino} passes 2^64"))?;
        }
        Ok(())
    }

    /// Reads from `skip` bytes into `run`; whole blocks in one request.
    fn read_run(&self, run: Run, skip: usize, buf: &mut [u8]) -> Result<()> {
        let Some(start) = run.device_offset else {
            buf.fill(0);
            return Ok(());
        };
        let block_size = self.cache.block_size();
        let device = self.cache.device();
        let mut block = [0; 4096];
        let block = block.get_mut(..block_size).unwrap_or_default();
        let mut at = start + (skip - skip % block_size) as u64;
        let skip = skip % block_size;
        let mut buf = buf;
        if skip != 0 {
            device.read(at, block)?;
            let len = (block_size - skip).min(buf.len());
            let (now, rest) = core::mem::take(&mut buf).split_at_mut(len);
            now.copy_from_slice(block.get(skip..skip + len).unwrap_or_default());
            buf = rest;
            at += block_size as u64;
        }
        let (whole, tail) = buf.split_at_mut(buf.len() - buf.len() % block_size);
        if !whole.is_empty() {
            device.read(at, whole)?;
            at += whole.len() as u64;
        }
        if !tail.is_empty() {
            device.read(at, block)?;
            tail.copy_from_slice(block.get(..tail.len()).unwrap_or_default());
        }
        Ok(())
    }
}
