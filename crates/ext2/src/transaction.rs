//! Changes in steps, and when they become permanent.
//!
//! Every change is one or several *steps*, after each of which the file system
//! is consistent: [`Ext2::step`]. The running transaction is what has changed
//! since the last commit; a step may commit it before it begins, if it might
//! become too long for the journal. An operation whose second half must follow
//! if its first is permanent (freeing a large file) puts its inode on the
//! orphan list meanwhile.
//!
//! With a journal a commit is atomic. Without one it writes the blocks to
//! their places, and a loss of power in between leaves work for `e2fsck`.

use alloc::boxed::Box;
use alloc::vec;

use crate::bytes::{le16, le32, put_le16, put_le32};
use crate::error::corrupt;
use crate::fs::Ext2;
use crate::superblock::{INCOMPAT_RECOVER, STATE_ERROR, STATE_VALID, SUPER_OFFSET, SUPER_SIZE};
use crate::{Device, Error, Result};

/// More metadata blocks than any one step changes.
const STEP_BLOCKS: usize = 48;
/// Blocks that an operation's open-ended step may change before it pauses.
const PAUSE_BLOCKS: usize = 16;

impl Ext2 {
    /// Does one step of a change. `blocks` is how many blocks it may allocate.
    ///
    /// A step that fails with anything but a device error or a contradiction
    /// has changed nothing. After those, all changes are refused, so that half
    /// a step is never committed.
    pub(crate) fn step<T>(&mut self, blocks: u64, change: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.begin(blocks)?;
        let before = self.cache.changes();
        let result = change(self);
        if let Err(error) = &result
            && error.is_fatal()
            && self.cache.changes() != before
        {
            self.abort();
        }
        result
    }

    fn begin(&mut self, blocks: u64) -> Result<()> {
        if self.read_only {
            return Err(Error::ReadOnly);
        }
        if self.is_aborted {
            return Err(Error::Aborted);
        }
        // Blocks that were freed can only be used again once that is committed.
        let is_short = !self.freed.is_empty() && self.available_blocks() < blocks;
        if is_short || !self.has_room(STEP_BLOCKS) {
            self.commit()?;
        }
        if self.cache.is_crowded() {
            self.commit()?;
            self.checkpoint()?;
        }
        Ok(())
    }

    /// True if an open-ended step should end here.
    pub(crate) fn should_pause(&self) -> bool {
        !self.has_room(PAUSE_BLOCKS)
    }

    fn has_room(&self, more: usize) -> bool {
        match &self.journal {
            Some(journal) => {
                journal.transaction_blocks(&self.cache, more) <= journal.transaction_limit(self.cache.block_size())
            }
            None => !self.cache.is_crowded(),
        }
    }

    /// Refuses all further changes; what is committed stays.
    pub(crate) fn abort(&mut self) {
        if self.is_aborted {
            return;
        }
        self.is_aborted = true;
        // Tell e2fsck. If that fails as well, there is nobody to tell.
        let _ = self.patch_super(|raw| put_le16(raw, 0x3a, le16(raw, 0x3a) | STATE_ERROR));
    }

    /// Changes the superblock on the device, at once and without what is
    /// pending in memory.
    pub(crate) fn patch_super(&mut self, change: impl FnOnce(&mut [u8])) -> Result<()> {
        let mut raw = [0; SUPER_SIZE];
        let device = self.cache.device();
        device.read(SUPER_OFFSET, &mut raw)?;
        change(&mut raw);
        device.write(SUPER_OFFSET, &raw)?;
        device.flush()?;
        Ok(())
    }

    /// Makes everything that was changed or written permanent: what `fsync`
    /// needs. With a journal, a loss of power at any time leaves the state of
    /// the last commit or of one that was under way.
    ///
    /// # Errors
    /// The device failed, now or earlier.
    pub fn commit(&mut self) -> Result<()> {
        if self.is_aborted {
            return Err(Error::Aborted);
        }
        if self.read_only {
            return Ok(());
        }
        let result = self.try_commit();
        if result.is_err() {
            self.abort();
        }
        result
    }

    fn try_commit(&mut self) -> Result<()> {
        self.zero_fresh()?;
        let has_revokes = self.journal.as_ref().is_some_and(crate::journal::Journal::has_revokes);
        if self.cache.running().is_empty() && !self.sb_changed && !has_revokes {
            self.cache.device().flush()?;
            return Ok(());
        }
        self.open()?;
        self.store_super()?;
        match &mut self.journal {
            Some(journal) => {
                journal.commit(&mut self.cache)?;
                self.freed.clear();
                let has_room = self.journal.as_ref().is_some_and(|journal| journal.has_room(self.cache.block_size()));
                if !has_room {
                    self.checkpoint()?;
                }
            }
            None => {
                self.cache.write_running()?;
                self.cache.device().flush()?;
                self.freed.clear();
            }
        }
        Ok(())
    }

    /// Says on the device that the file system is in use.
    fn open(&mut self) -> Result<()> {
        if self.is_marked_in_use {
            return Ok(());
        }
        if self.journal.is_some() {
            // First the flag that tells of the journal, so that the journal
            // never has contents that the flag does not tell of.
            self.patch_super(|raw| put_le32(raw, 0x60, le32(raw, 0x60) | INCOMPAT_RECOVER))?;
            self.sb.feature_incompat |= INCOMPAT_RECOVER;
        } else {
            self.patch_super(|raw| put_le16(raw, 0x3a, le16(raw, 0x3a) & !STATE_VALID))?;
            self.sb.state &= !STATE_VALID;
        }
        if let Some(journal) = &mut self.journal {
            // Permanent before the commit block is written, as the commit
            // waits for the device twice.
            journal.restart(&self.cache)?;
        }
        self.sb_changed = true;
        self.is_marked_in_use = true;
        Ok(())
    }

    /// Puts the superblock's fields into its block.
    fn store_super(&mut self) -> Result<()> {
        if !self.sb_changed {
            return Ok(());
        }
        let block_size = self.cache.block_size();
        let (block, at) = if block_size == SUPER_SIZE { (1, 0) } else { (0, SUPER_OFFSET as usize) };
        match self.cache.get_mut(block)?.get_mut(at..at + SUPER_SIZE) {
            Some(raw) => self.sb.store(raw),
            None => return Err(corrupt!("no superblock in block {block}")),
        }
        self.sb_changed = false;
        Ok(())
    }

    /// Writes zeros to blocks that have been allocated and never written.
    fn zero_fresh(&mut self) -> Result<()> {
        if self.fresh.is_empty() {
            return Ok(());
        }
        let block_size = self.cache.block_size();
        let zeros = vec![0; 64 << 10];
        for (start, len) in self.fresh.iter() {
            let mut at = self.cache.offset(start);
            let mut left = len as usize * block_size;
            while left > 0 {
                let now = left.min(zeros.len());
                self.cache.device().write(at, zeros.get(..now).unwrap_or_default())?;
                at += now as u64;
                left -= now;
            }
        }
        self.fresh.clear();
        Ok(())
    }

    /// Writes the committed blocks to their places and empties the log. There
    /// is no running transaction.
    fn checkpoint(&mut self) -> Result<()> {
        if let Some(journal) = &mut self.journal
            && self.cache.has_committed()
        {
            self.cache.write_committed()?;
            self.cache.device().flush()?;
            journal.empty(&self.cache, false)?;
        }
        Ok(())
    }

    /// Commits, and leaves a file system on the device that needs no recovery:
    /// its state is clean until the next change is committed.
    ///
    /// # Errors
    /// As [`Ext2::commit`].
    pub fn sync(&mut self) -> Result<()> {
        self.commit()?;
        if self.read_only || !self.is_marked_in_use {
            return Ok(());
        }
        let result = self.close();
        if result.is_err() {
            self.abort();
        }
        result
    }

    fn close(&mut self) -> Result<()> {
        if let Some(journal) = &mut self.journal {
            self.cache.write_committed()?;
            self.cache.device().flush()?;
            journal.empty(&self.cache, true)?;
            self.sb.feature_incompat &= !INCOMPAT_RECOVER;
        } else {
            self.sb.state |= self.mounted_state & STATE_VALID;
        }
        let (incompat, state) = (self.sb.feature_incompat, self.sb.state);
        self.patch_super(|raw| {
            put_le32(raw, 0x60, incompat);
            put_le16(raw, 0x3a, state);
        })?;
        // The copy in memory is that of the device; the next commit starts
        // from `sb` anyway.
        self.is_marked_in_use = false;
        Ok(())
    }

    /// [`Ext2::sync`], and gives the device back.
    ///
    /// # Errors
    /// As [`Ext2::commit`].
    pub fn unmount(mut self) -> Result<Box<dyn Device>> {
        self.sync()?;
        Ok(self.cache.into_device())
    }

    /// True if something was changed since the last commit.
    #[must_use]
    pub fn has_changes(&self) -> bool {
        !self.cache.running().is_empty() || self.sb_changed || !self.fresh.is_empty()
    }
}
