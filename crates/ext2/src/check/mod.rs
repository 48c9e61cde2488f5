//! Looking for contradictions: [`check`].
//!
//! First the inodes and their blocks ([`inodes`]), then the directories and
//! how often they name each inode ([`directories`]), then the bitmaps and
//! counts that must follow from them ([`bitmaps`]). A file system whose journal
//! has not been replayed is looked at as if it had; inodes on the orphan list
//! are in use until a mount frees them.

mod bitmaps;
mod directories;
mod inodes;

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use crate::bytes::le16;
use crate::fs::Ext2;
use crate::superblock::STATE_ERROR;
use crate::{Device, Error, Kind, MountOptions, Result};

/// After this many contradictions the rest is not looked for.
const PROBLEMS_MAX: usize = 200;

/// A set of numbers below a limit.
struct Bits(Vec<u8>);

impl Bits {
    fn new(len: u32) -> Self {
        Self(vec![0; (len as usize).div_ceil(8)])
    }

    fn has(&self, number: u32) -> bool {
        self.0.get(number as usize / 8).is_some_and(|byte| byte & 1 << (number % 8) != 0)
    }

    /// Adds a number; false if it was in the set.
    fn add(&mut self, number: u32) -> bool {
        let is_new = !self.has(number);
        if let Some(byte) = self.0.get_mut(number as usize / 8) {
            *byte |= 1 << (number % 8);
        }
        is_new
    }
}

/// What the first pass finds out about an inode in use.
struct Known {
    kind: Kind,
    links: u16,
    /// How many entries name it.
    named: u32,
    /// The directory that has the entry of this directory.
    parent: u32,
    /// What its `..` says.
    dot_dot: u32,
}

struct Checker {
    fs: Ext2,
    problems: Vec<String>,
    /// Blocks in use.
    blocks: Bits,
    /// Inodes in use.
    inodes: BTreeMap<u32, Known>,
    /// Blocks of extended attributes, and how many inodes have each.
    attributes: BTreeMap<u32, u32>,
    /// Inodes on the orphan list.
    orphans: Vec<u32>,
}

/// Looks for contradictions on a device and returns a line for each; none if
/// the file system is sound. Writes nothing.
///
/// # Errors
/// [`Error::Unsupported`] if there is no file system that this crate knows,
/// [`Error::Device`] if the device fails.
pub fn check(device: Box<dyn Device>) -> Result<Vec<String>> {
    let read_only = Box::new(ReadOnly(device));
    let options = MountOptions { read_only: true, ..MountOptions::default() };
    let fs = match Ext2::mount(read_only, options) {
        Ok(fs) => fs,
        Err(Error::Corrupt(problem)) => return Ok(vec![problem]),
        Err(error) => return Err(error),
    };
    let mut checker = Checker {
        blocks: Bits::new(fs.sb.blocks_count),
        fs,
        problems: Vec::new(),
        inodes: BTreeMap::new(),
        attributes: BTreeMap::new(),
        orphans: Vec::new(),
    };
    match checker.run() {
        Ok(()) => {}
        Err(Error::Corrupt(problem)) => checker.problem(problem),
        Err(error) => return Err(error),
    }
    if checker.is_full() {
        checker.problems.push("the rest was not looked at".to_string());
    }
    Ok(checker.problems)
}

impl Checker {
    fn run(&mut self) -> Result<()> {
        self.check_state()?;
        self.collect_orphans()?;
        self.check_inodes()?;
        self.check_directories()?;
        self.check_links();
        self.check_bitmaps()
    }

    fn problem(&mut self, problem: String) {
        if !self.is_full() {
            self.problems.push(problem);
        }
    }

    fn is_full(&self) -> bool {
        self.problems.len() >= PROBLEMS_MAX
    }

    fn check_state(&mut self) -> Result<()> {
        // The state on the device counts, not that of a replayed journal.
        let mut raw = [0; crate::superblock::SUPER_SIZE];
        self.fs.cache.device().read(crate::superblock::SUPER_OFFSET, &mut raw)?;
        if (le16(&raw, 0x3a) | self.fs.sb.state) & STATE_ERROR != 0 {
            self.problem("an error was found while it was mounted".to_string());
        }
        Ok(())
    }

    fn collect_orphans(&mut self) -> Result<()> {
        let mut ino = self.fs.sb.last_orphan;
        while ino != 0 {
            if ino < self.fs.sb.first_ino || ino > self.fs.sb.inodes_count || self.orphans.contains(&ino) {
                self.problem(format!("the orphan list has inode {ino}"));
                break;
            }
            self.orphans.push(ino);
            if self.orphans.len() > PROBLEMS_MAX * 64 {
                self.problem("the orphan list does not end".to_string());
                break;
            }
            ino = self.fs.raw_inode(ino)?.dtime;
        }
        Ok(())
    }
}

/// A device that refuses writing, so that looking changes nothing.
struct ReadOnly(Box<dyn Device>);

impl Device for ReadOnly {
    fn size_bytes(&self) -> u64 {
        self.0.size_bytes()
    }

    fn read(&self, offset: u64, buf: &mut [u8]) -> core::result::Result<(), crate::DeviceError> {
        self.0.read(offset, buf)
    }

    fn write(&self, _offset: u64, _bytes: &[u8]) -> core::result::Result<(), crate::DeviceError> {
        Err(crate::DeviceError::ReadOnly)
    }

    fn flush(&self) -> core::result::Result<(), crate::DeviceError> {
        Ok(())
    }

    fn is_read_only(&self) -> bool {
        true
    }
}
