//! Reading and writing files.

use crate::error::corrupt;
use crate::fs::Ext2;
use crate::grow::STEP_RUN;
use crate::inode::Inode;
use crate::{Error, Result, Run};

impl Ext2 {
    /// Reads from `offset` on into `buf`; returns how many bytes there were.
    ///
    /// # Errors
    /// [`Error::IsDirectory`], [`Error::Invalid`] if it is no
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

/// Where a step of a write goes.
struct Place {
    first: u32,
    len: u32,
    /// Bytes into the first block.
    skip: usize,
    /// True if what the blocks hold now does not count.
    is_blank: bool,
}

impl Ext2 {
    /// Writes at `offset`, directly to the device, allocates what is missing
    /// and lengthens the file; returns how many bytes fitted. Sets no times.
    ///
    /// # Errors
    /// [`Error::NoSpace`] if not even one byte fitted, [`Error::FileTooBig`].
    pub fn write(&mut self, ino: u32, offset: u64, bytes: &[u8]) -> Result<usize> {
        let limit = self.max_file_size();
        if offset >= limit && !bytes.is_empty() {
            return Err(Error::FileTooBig);
        }
        let room = usize::try_from(limit - offset.min(limit)).unwrap_or(usize::MAX);
        let bytes = bytes.get(..bytes.len().min(room)).unwrap_or_default();
        let block_size = self.cache.block_size();
        let mut done = 0;
        while done < bytes.len() {
            let at = offset + done as u64;
            let rest = bytes.get(done..).unwrap_or_default();
            let skip = (at % block_size as u64) as usize;
            let blocks = rest.len().saturating_add(skip).div_ceil(block_size).min(STEP_RUN as usize) as u32;
            match self.step(u64::from(blocks) + 4, |fs| fs.write_step(ino, at, rest, blocks)) {
                Ok(len) => done += len,
                Err(Error::NoSpace) if done > 0 => break,
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }

    fn write_step(&mut self, ino: u32, offset: u64, bytes: &[u8], blocks: u32) -> Result<usize> {
        let block_size = self.cache.block_size();
        let mut inode = self.regular(ino)?;
        let given = self.give(&mut inode, ino, offset / block_size as u64, blocks)?;
        let (is_fresh, len) = self.fresh.stretch(given.first, given.len.min(blocks));
        // New blocks beyond what is written now stay fresh.
        let skip = (offset % block_size as u64) as usize;
        let place = Place { first: given.first, len, skip, is_blank: given.is_new || is_fresh };
        let written = self.write_blocks(&place, bytes)?;
        self.fresh.remove(given.first, len);
        let end = offset + written as u64;
        let grows = end > inode.size;
        if grows {
            self.set_size(&mut inode, end);
        }
        if grows || given.is_new {
            self.store_inode(ino, &inode)?;
        }
        Ok(written)
    }

    /// Writes as many bytes as lie in the blocks; whole blocks in one request.
    fn write_blocks(&self, place: &Place, bytes: &[u8]) -> Result<usize> {
        let block_size = self.cache.block_size();
        let device = self.cache.device();
        let room = place.len as usize * block_size - place.skip;
        let bytes = bytes.get(..bytes.len().min(room)).unwrap_or_default();
        let mut at = self.cache.offset(place.first);
        let mut rest = bytes;
        let mut skip = place.skip;
        while !rest.is_empty() {
            if skip == 0 && rest.len() >= block_size {
                let (whole, tail) = rest.split_at(rest.len() - rest.len() % block_size);
                device.write(at, whole)?;
                at += whole.len() as u64;
                rest = tail;
                continue;
            }
            let mut block = [0; 4096];
            let block = block.get_mut(..block_size).unwrap_or_default();
            if !place.is_blank {
                device.read(at, block)?;
            }
            let (now, later) = rest.split_at(rest.len().min(block_size - skip));
            crate::bytes::put(block, skip, now);
            device.write(at, block)?;
            at += block_size as u64;
            rest = later;
            skip = 0;
        }
        Ok(bytes.len())
    }
}
