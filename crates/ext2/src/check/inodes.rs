//! The first pass: inodes, their blocks and sizes.

use alloc::format;
use alloc::vec::Vec;

use super::{Checker, Known};
use crate::bytes::le32;
use crate::inode::{FLAGS_FOREIGN, Inode};
use crate::map::{DIRECT, span};
use crate::{Kind, Result};

const RESIZE_INO: u32 = 7;
const JOURNAL_INO: u32 = 8;
const COMPAT_RESIZE_INODE: u32 = 0x10;
const ATTRIBUTES_MAGIC: u32 = 0xea02_0000;

/// What walking an inode's blocks finds.
#[derive(Default)]
struct Walked {
    /// Blocks, with indirect ones.
    count: u64,
    /// Blocks without indirect ones.
    data: u64,
    /// The last block of the file that is there.
    last: Option<u64>,
}

impl Checker {
    pub(super) fn check_inodes(&mut self) -> Result<()> {
        self.mark_tables()?;
        for ino in 1..=self.fs.sb.inodes_count {
            if self.is_full() {
                return Ok(());
            }
            let inode = self.fs.raw_inode(ino)?;
            let is_orphan = self.orphans.contains(&ino);
            if inode.links == 0 && !is_orphan {
                if ino >= self.fs.sb.first_ino && inode.mode != 0 && inode.dtime == 0 {
                    self.problem(format!("inode {ino} is deleted and has no deletion time"));
                }
                continue;
            }
            if inode.dtime != 0 && !is_orphan {
                self.problem(format!("inode {ino} is in use and has a deletion time"));
            }
            self.check_inode(ino, &inode)?;
        }
        self.check_attribute_users()
    }

    /// Marks the blocks of superblocks, descriptors, bitmaps and inode tables.
    fn mark_tables(&mut self) -> Result<()> {
        // With the feature, the blocks kept for more descriptors are inode 7's.
        let has_resize_inode = self.fs.sb.feature_compat & COMPAT_RESIZE_INODE != 0;
        let kept = if has_resize_inode { u32::from(self.fs.sb.reserved_gdt_blocks) } else { 0 };
        for number in 0..self.fs.sb.group_count() {
            let start = self.fs.sb.group_start(number) as u32;
            for block in start..start + self.fs.sb.fixed_blocks(number).saturating_sub(kept) {
                self.blocks.add(block);
            }
            let group = self.fs.group(number)?;
            self.blocks.add(group.block_bitmap);
            self.blocks.add(group.inode_bitmap);
            for block in group.inode_table..group.inode_table + self.fs.sb.inode_table_blocks() {
                self.blocks.add(block);
            }
        }
        Ok(())
    }

    fn check_inode(&mut self, ino: u32, inode: &Inode) -> Result<()> {
        let Some(kind) = inode.kind() else {
            self.problem(format!("inode {ino} has mode {:#o}", inode.mode));
            return Ok(());
        };
        if inode.flags & FLAGS_FOREIGN != 0 {
            self.problem(format!("inode {ino} has flags {:#x}", inode.flags));
            return Ok(());
        }
        let is_special = matches!(ino, RESIZE_INO | JOURNAL_INO) && kind == Kind::File;
        if ino >= self.fs.sb.first_ino || ino == crate::fs::ROOT_INO {
            self.inodes.insert(ino, Known { kind, links: inode.links, named: 0, parent: 0, dot_dot: 0 });
        } else if !is_special {
            self.problem(format!("inode {ino} is reserved and in use"));
            return Ok(());
        }
        let mut walked = Walked::default();
        let sectors_per_block = self.fs.sb.sectors_per_block();
        if inode.has_blocks(sectors_per_block) {
            walked = self.walk_blocks(ino, inode)?;
        } else if kind != Kind::Symlink && inode.block.iter().skip(4).any(|&word| word != 0) {
            self.problem(format!("inode {ino} is a special file and has blocks"));
        }
        if inode.file_acl != 0 {
            walked.count += 1;
            self.check_attributes(ino, inode.file_acl);
        }
        let sectors = walked.count * u64::from(sectors_per_block);
        if sectors != u64::from(inode.sectors) {
            self.problem(format!("inode {ino} counts {} sectors and has {sectors}", inode.sectors));
        }
        if ino != RESIZE_INO {
            self.check_size(ino, inode, kind, &walked)?;
        }
        Ok(())
    }

    fn check_size(&mut self, ino: u32, inode: &Inode, kind: Kind, walked: &Walked) -> Result<()> {
        let block_size = self.fs.cache.block_size() as u64;
        let is_bad = match kind {
            // On the orphan list a file may still be cut off.
            Kind::File if self.orphans.contains(&ino) => false,
            Kind::File => walked.last.is_some_and(|last| inode.size < last * block_size),
            Kind::Directory => {
                let blocks = walked.last.map_or(0, |last| last + 1);
                blocks == 0 || blocks != walked.data || inode.size != blocks * block_size
            }
            Kind::Symlink if inode.is_fast_symlink(self.fs.sb.sectors_per_block()) => {
                let text = inode.fast_target();
                let len = text.iter().position(|&byte| byte == 0).unwrap_or(text.len());
                inode.size == 0 || inode.size != len as u64 || len == text.len()
            }
            Kind::Symlink => {
                let text = match self.fs.stretch(inode, ino, 0, 1)?.0 {
                    0 => Vec::new(),
                    block => self.fs.cache.get(block)?.to_vec(),
                };
                let len = text.iter().position(|&byte| byte == 0).unwrap_or(text.len());
                walked.data != 1 || inode.size == 0 || inode.size != len as u64
            }
            _ => false,
        };
        if is_bad {
            self.problem(format!("inode {ino} is {} bytes long, which its blocks do not agree with", inode.size));
        }
        Ok(())
    }

    /// Marks an inode's blocks as used.
    fn walk_blocks(&mut self, ino: u32, inode: &Inode) -> Result<Walked> {
        let mut walked = Walked::default();
        for (block, index) in inode.block.iter().zip(0..).take(DIRECT as usize) {
            self.walk(ino, *block, 0, index, &mut walked)?;
        }
        let mut base = u64::from(DIRECT);
        for (depth, block) in (1..).zip(inode.block.iter().skip(DIRECT as usize)) {
            self.walk(ino, *block, depth, base, &mut walked)?;
            base += span(depth, self.fs.sb.pointers());
        }
        Ok(walked)
    }

    /// Marks a block and what lies below it; `index` is the file's first block
    /// there. A block that is in use already is not gone into, so that every
    /// block is seen once.
    fn walk(&mut self, ino: u32, block: u32, depth: usize, index: u64, walked: &mut Walked) -> Result<()> {
        if block == 0 || self.is_full() {
            return Ok(());
        }
        if !self.fs.sb.is_block(block) {
            self.problem(format!("inode {ino} has block {block}, which does not exist"));
            return Ok(());
        }
        walked.count += 1;
        if !self.blocks.add(block) {
            self.problem(format!("inode {ino} has block {block}, which is in use elsewhere"));
            return Ok(());
        }
        if depth == 0 {
            walked.data += 1;
            walked.last = walked.last.max(Some(index));
            return Ok(());
        }
        let numbers: Vec<u32> = self.fs.cache.get(block)?.chunks_exact(4).map(|number| le32(number, 0)).collect();
        let step = span(depth - 1, self.fs.sb.pointers());
        for (number, i) in numbers.into_iter().zip(0..) {
            self.walk(ino, number, depth - 1, index + i * step, walked)?;
        }
        Ok(())
    }

    fn check_attributes(&mut self, ino: u32, block: u32) {
        if !self.fs.sb.is_block(block) {
            self.problem(format!("inode {ino} has attributes in block {block}, which does not exist"));
            return;
        }
        let users = self.attributes.entry(block).or_insert(0);
        *users += 1;
        if *users == 1 && !self.blocks.add(block) {
            self.problem(format!("inode {ino} has attributes in block {block}, which is in use elsewhere"));
        }
    }

    fn check_attribute_users(&mut self) -> Result<()> {
        for (block, users) in core::mem::take(&mut self.attributes) {
            let data = self.fs.cache.get(block)?;
            let (magic, counted) = (le32(data, 0), le32(data, 4));
            if magic != ATTRIBUTES_MAGIC || counted != users {
                self.problem(format!("{users} inodes have the attributes in block {block}, which counts {counted}"));
            }
        }
        Ok(())
    }
}
