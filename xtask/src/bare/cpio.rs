//! A writer of cpio archives in the `newc` format, which kernels unpack as
//! their first root file system.

use anyhow::{Context, Result};
use std::collections::BTreeSet;
use std::path::Path;

const S_IFREG: u32 = 0o100_000;
const S_IFDIR: u32 = 0o040_000;
const S_IFCHR: u32 = 0o020_000;

/// An archive that grows in memory. Parent directories are added as needed.
#[derive(Debug, Default)]
pub(crate) struct Archive {
    bytes: Vec<u8>,
    inode: u32,
    directories: BTreeSet<String>,
}

impl Archive {
    /// Adds a directory and those above it, once each.
    pub(crate) fn directory(&mut self, path: &str) -> Result<()> {
        if path.is_empty() || self.directories.contains(path) {
            return Ok(());
        }
        if let Some((parent, _)) = path.rsplit_once('/') {
            self.directory(parent)?;
        }
        self.directories.insert(path.to_owned());
        self.entry(path, S_IFDIR | 0o755, (0, 0), b"")
    }

    /// Adds a file with these contents and permission bits.
    pub(crate) fn file(&mut self, path: &str, mode: u32, contents: &[u8]) -> Result<()> {
        self.parent(path)?;
        self.entry(path, S_IFREG | mode, (0, 0), contents)
    }

    /// Adds a file of the host.
    pub(crate) fn copy(&mut self, path: &str, mode: u32, from: &Path) -> Result<()> {
        let contents = std::fs::read(from).with_context(|| format!("cannot read {}", from.display()))?;
        self.file(path, mode, &contents)
    }

    /// Adds a character device.
    pub(crate) fn device(&mut self, path: &str, mode: u32, number: (u32, u32)) -> Result<()> {
        self.parent(path)?;
        self.entry(path, S_IFCHR | mode, number, b"")
    }

    /// The whole archive, with its end mark.
    pub(crate) fn finish(mut self) -> Result<Vec<u8>> {
        self.inode = 0;
        self.entry("TRAILER!!!", 0, (0, 0), b"")?;
        self.bytes.resize(self.bytes.len().next_multiple_of(512), 0);
        Ok(self.bytes)
    }

    fn parent(&mut self, path: &str) -> Result<()> {
        path.rsplit_once('/').map_or(Ok(()), |(parent, _)| self.directory(parent))
    }

    fn entry(&mut self, path: &str, mode: u32, device: (u32, u32), contents: &[u8]) -> Result<()> {
        let size = u32::try_from(contents.len()).with_context(|| format!("{path} is too large for cpio"))?;
        let name = u32::try_from(path.len() + 1)?;
        self.inode += 1;
        let links = if mode & S_IFDIR == S_IFDIR { 2 } else { 1 };
        // Owner, group and time are zero: the archive depends on its contents alone.
        let fields = [self.inode, mode, 0, 0, links, 0, size, 0, 0, device.0, device.1, name, 0]
            .map(|field| format!("{field:08X}"));
        self.bytes.extend_from_slice(format!("070701{}", fields.concat()).as_bytes());
        self.bytes.extend_from_slice(path.as_bytes());
        self.bytes.push(0);
        self.align();
        self.bytes.extend_from_slice(contents);
        self.align();
        Ok(())
    }

    fn align(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_have_110_characters_and_contents_are_aligned() {
        let mut archive = Archive::default();
        archive.file("ab", 0o644, b"hello").unwrap();
        let bytes = archive.finish().unwrap();
        assert_eq!(&bytes[..6], b"070701");
        assert_eq!(&bytes[110..113], b"ab\0");
        assert_eq!(&bytes[116..121], b"hello");
        assert_eq!(&bytes[124..130], b"070701");
        assert_eq!(bytes.len() % 512, 0);
    }

    #[test]
    fn directories_come_once_and_before_what_they_hold() {
        let mut archive = Archive::default();
        archive.file("a/b/c", 0o644, b"").unwrap();
        archive.file("a/b/d", 0o644, b"").unwrap();
        let text = String::from_utf8(archive.finish().unwrap()).unwrap();
        let names: Vec<&str> = text.split('\0').filter(|name| name.contains("070701")).collect();
        let names: Vec<&str> = names.iter().map(|name| &name[name.find("070701").unwrap() + 110..]).collect();
        assert_eq!(names, ["a", "a/b", "a/b/c", "a/b/d", "TRAILER!!!"]);
    }
}
