//! The second pass: directories, and how inodes are named.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::vec::Vec;

use super::Checker;
use crate::dir::slot;
use crate::error::corrupt;
use crate::fs::ROOT_INO;
use crate::{Error, Kind, Result};

/// An entry, as it was read.
struct Read {
    name: Vec<u8>,
    ino: u32,
    entry_type: u8,
}

impl Checker {
    pub(super) fn check_directories(&mut self) -> Result<()> {
        let all: Vec<u32> = self.directories().collect();
        for ino in all {
            if self.is_full() {
                return Ok(());
            }
            match self.read_entries(ino) {
                Ok(entries) => self.check_entries(ino, entries),
                Err(Error::Corrupt(problem)) => self.problem(format!("directory {ino}: {problem}")),
                Err(error) => return Err(error),
            }
        }
        self.check_parents();
        Ok(())
    }

    fn directories(&self) -> impl Iterator<Item = u32> + '_ {
        self.inodes.iter().filter(|(_, known)| known.kind == Kind::Directory).map(|(&ino, _)| ino)
    }

    fn read_entries(&mut self, ino: u32) -> Result<Vec<Read>> {
        let inode = self.fs.raw_inode(ino)?;
        let has_file_types = self.fs.sb.has_file_types();
        let mut entries = Vec::new();
        for index in 0..self.fs.dir_blocks(&inode, ino)? {
            let block = self.fs.dir_block(&inode, ino, index)?;
            let data = self.fs.cache.get(block)?;
            let mut at = 0;
            let mut count = 0;
            while at < data.len() {
                let slot = slot(data, at, has_file_types)?;
                // `.` and `..` have the first two places, in use or not.
                let expected: Option<&[u8]> = match (index, count) {
                    (0, 0) => Some(b"."),
                    (0, 1) => Some(b".."),
                    _ => None,
                };
                if let Some(expected) = expected
                    && (slot.ino == 0 || slot.name(data) != expected)
                {
                    return Err(corrupt!("entry {count} is not `{}`", expected.escape_ascii()));
                }
                if slot.ino != 0 {
                    entries.push(Read { name: slot.name(data).to_vec(), ino: slot.ino, entry_type: slot.entry_type });
                }
                at += slot.len;
                count += 1;
            }
            if index == 0 && count < 2 {
                return Err(corrupt!("there is no `..`"));
            }
        }
        Ok(entries)
    }

    fn check_entries(&mut self, dir: u32, entries: Vec<Read>) {
        let mut names = BTreeSet::new();
        for entry in entries {
            let text = entry.name.escape_ascii();
            let place = format!("directory {dir}, entry `{text}`");
            if entry.name.iter().any(|&byte| byte == 0 || byte == b'/') {
                self.problem(format!("{place}: no name may be so"));
            }
            let Some(known) = self.inodes.get_mut(&entry.ino) else {
                self.problem(format!("{place}: inode {} is not in use", entry.ino));
                continue;
            };
            known.named = known.named.saturating_add(1);
            let is_typed = self.fs.sb.has_file_types() && entry.entry_type != known.kind.entry_type();
            let (is_directory, has_parent) = (known.kind == Kind::Directory, known.parent != 0);
            match entry.name.as_slice() {
                b"." if entry.ino != dir => self.problem(format!("{place}: it is inode {}", entry.ino)),
                b"." => {}
                b".." => {
                    if let Some(known) = self.inodes.get_mut(&dir) {
                        known.dot_dot = entry.ino;
                    }
                }
                _ if is_directory && (has_parent || entry.ino == ROOT_INO) => {
                    self.problem(format!("{place}: directory {} has another name", entry.ino));
                }
                _ => known.parent = dir,
            }
            if is_typed {
                self.problem(format!("{place}: its type is {}, unlike that of inode {}", entry.entry_type, entry.ino));
            }
            if !names.insert(entry.name) {
                self.problem(format!("{place}: there are two"));
            }
        }
    }

    /// Whether every directory's `..` is the one that names it, and all are
    /// below the root.
    fn check_parents(&mut self) {
        let mut reachable = BTreeSet::from([ROOT_INO]);
        let all: Vec<u32> = self.directories().collect();
        for ino in all {
            let Some(known) = self.inodes.get(&ino) else { continue };
            if known.links == 0 {
                continue;
            }
            let parent = if ino == ROOT_INO { ROOT_INO } else { known.parent };
            if known.dot_dot != parent && known.dot_dot != 0 && parent != 0 {
                self.problem(format!("directory {ino} is in {parent}, and its `..` is {}", known.dot_dot));
            }
            // Up to a directory that is known to be below the root.
            let mut path = BTreeSet::new();
            let mut at = ino;
            while !reachable.contains(&at) && path.insert(at) {
                at = self.inodes.get(&at).map_or(0, |known| known.parent);
                if at == 0 {
                    break;
                }
            }
            if reachable.contains(&at) {
                reachable.extend(path);
            } else {
                self.problem(format!("directory {ino} is not below the root"));
            }
        }
    }

    /// Compares link counts with what names the inodes.
    pub(super) fn check_links(&mut self) {
        let mut problems = Vec::new();
        for (ino, known) in &self.inodes {
            if self.orphans.contains(ino) && known.links == 0 {
                continue;
            }
            if known.named != u32::from(known.links) {
                problems.push(format!("inode {ino} counts {} links and has {}", known.links, known.named));
            }
        }
        for problem in problems {
            self.problem(problem);
        }
    }
}
