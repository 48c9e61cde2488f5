//! The orphan list: inodes that need work if the power fails now.
//!
//! On the disk it starts in the superblock and goes on in the deletion times
//! of its inodes. An inode without names is to be freed, one with names to be
//! cut off at its size. In memory it is a vector whose last element is the
//! list's first.

use alloc::collections::BTreeSet;

use crate::Result;
use crate::error::corrupt;
use crate::fs::Ext2;
use crate::inode::Inode;

impl Ext2 {
    /// True if `ino` is on the list.
    pub(crate) fn is_orphan(&self, ino: u32) -> bool {
        self.orphans.contains(&ino)
    }

    /// Puts an inode on the list. The caller stores it.
    pub(crate) fn add_orphan(&mut self, ino: u32, inode: &mut Inode) {
        if self.is_orphan(ino) {
            return;
        }
        inode.dtime = self.sb.last_orphan;
        self.sb.last_orphan = ino;
        self.sb_changed = true;
        self.orphans.push(ino);
    }

    /// Takes an inode off the list. The caller stores it, and has no other
    /// inode of the list at hand.
    pub(crate) fn remove_orphan(&mut self, ino: u32, inode: &mut Inode) -> Result<()> {
        let Some(at) = self.orphans.iter().position(|&orphan| orphan == ino) else { return Ok(()) };
        match self.orphans.get(at + 1).copied() {
            None => {
                self.sb.last_orphan = inode.dtime;
                self.sb_changed = true;
            }
            Some(newer) => {
                let mut before = self.raw_inode(newer)?;
                before.dtime = inode.dtime;
                self.store_inode(newer, &before)?;
            }
        }
        self.orphans.remove(at);
        inode.dtime = 0;
        Ok(())
    }

    /// Frees an inode without names that nobody uses any more; does nothing if
    /// it has names.
    ///
    /// # Errors
    /// [`crate::Error::ReadOnly`] and device failures.
    pub fn release(&mut self, ino: u32, now: i64) -> Result<()> {
        if !self.is_orphan(ino) || self.inode(ino)?.links != 0 {
            return Ok(());
        }
        loop {
            let is_done = self.step(0, |fs| {
                let mut inode = fs.inode(ino)?;
                let has_blocks = inode.has_blocks(fs.sb.sectors_per_block());
                if has_blocks && !fs.free_range(&mut inode, ino, 0, u64::MAX)? {
                    fs.store_inode(ino, &inode)?;
                    return Ok(false);
                }
                fs.release_attributes(ino, &mut inode)?;
                fs.remove_orphan(ino, &mut inode)?;
                fs.free_inode(ino, &inode, now)?;
                Ok(true)
            })?;
            if is_done {
                return Ok(());
            }
        }
    }

    /// Does the work that a loss of power has left over.
    pub(crate) fn process_orphans(&mut self) -> Result<()> {
        let mut seen = BTreeSet::new();
        let mut ino = self.sb.last_orphan;
        while ino != 0 {
            if ino < self.sb.first_ino || !seen.insert(ino) {
                return Err(corrupt!("the orphan list has inode {ino}"));
            }
            let inode = self.raw_inode(ino)?;
            if inode.mode == 0 {
                return Err(corrupt!("the orphan list has inode {ino}, which is not in use"));
            }
            self.orphans.insert(0, ino);
            ino = inode.dtime;
        }
        let now = i64::from(self.sb.wtime).saturating_mul(1_000_000_000);
        // From the list's first on, which is the cheapest to take off.
        while let Some(&ino) = self.orphans.last() {
            if self.inode(ino)?.links == 0 {
                self.release(ino, now)?;
            } else {
                self.finish_cut(ino)?;
            }
        }
        Ok(())
    }
}
