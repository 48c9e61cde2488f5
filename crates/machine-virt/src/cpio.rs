//! Reading an initial RAM file system: cpio in the format `newc`.

/// One file of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The path, without a leading `./` or `/`; empty for the root directory.
    pub path: &'a [u8],
    /// Type and permissions, as `st_mode`.
    pub mode: u32,
    /// The owner.
    pub uid: u32,
    /// The owner's group.
    pub gid: u32,
    /// Seconds since 1970.
    pub mtime: u32,
    /// Files with the same number and [`Entry::links`] above 1 are one file.
    pub inode: u32,
    /// How many names the file has.
    pub links: u32,
    /// For a device: its major and minor number.
    pub device: (u32, u32),
    /// The contents, or a symbolic link's target.
    pub data: &'a [u8],
    /// Where in the archive the contents start.
    pub data_start: usize,
}

/// The archive is cut off or is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damaged {
    /// Where.
    pub offset: usize,
}

const HEADER_LEN: usize = 110;
const FIELDS: usize = 13;

/// The files of one or more archives that follow each other, as Linux reads
/// them: after a trailer and zero bytes another archive may start.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    is_done: bool,
}

impl<'a> Reader<'a> {
    /// Reads `bytes`.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, is_done: false }
    }

    fn entry(&mut self) -> Result<Option<Entry<'a>>, Damaged> {
        loop {
            // Padding after a trailer.
            while self.bytes.get(self.at) == Some(&0) {
                self.at += 1;
            }
            if self.at >= self.bytes.len() {
                return Ok(None);
            }
            let entry = self.record()?;
            if entry.path != b"TRAILER!!!" {
                return Ok(Some(entry));
            }
        }
    }

    fn record(&mut self) -> Result<Entry<'a>, Damaged> {
        let damaged = Damaged { offset: self.at };
        let header = self.slice(self.at, HEADER_LEN).ok_or(damaged)?;
        // 070702 is the same with a sum of the contents, which nobody checks.
        if !matches!(header.get(..6), Some(b"070701" | b"070702")) {
            return Err(damaged);
        }
        let mut fields = [0_u32; FIELDS];
        for (field, digits) in fields.iter_mut().zip(header.get(6..).unwrap_or_default().chunks_exact(8)) {
            let text = core::str::from_utf8(digits).map_err(|_| damaged)?;
            *field = u32::from_str_radix(text, 16).map_err(|_| damaged)?;
        }
        let [inode, mode, uid, gid, links, mtime, size, _, _, major, minor, name_len, _] = fields;
        let name_start = self.at + HEADER_LEN;
        let name = self.slice(name_start, name_len as usize).ok_or(damaged)?;
        let (last, name) = name.split_last().ok_or(damaged)?;
        if *last != 0 {
            return Err(damaged);
        }
        let data_start = (name_start + name_len as usize).next_multiple_of(4);
        let data = self.slice(data_start, size as usize).ok_or(damaged)?;
        // The padding of the last file may be missing.
        self.at = (data_start + size as usize).next_multiple_of(4);
        let path = relative(name);
        Ok(Entry { path, mode, uid, gid, mtime, inode, links, device: (major, minor), data, data_start })
    }

    fn slice(&self, start: usize, len: usize) -> Option<&'a [u8]> {
        self.bytes.get(start..start.checked_add(len)?)
    }
}

impl<'a> Iterator for Reader<'a> {
    type Item = Result<Entry<'a>, Damaged>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_done {
            return None;
        }
        let entry = self.entry();
        self.is_done = !matches!(entry, Ok(Some(_)));
        entry.transpose()
    }
}

fn relative(mut path: &[u8]) -> &[u8] {
    loop {
        path = match path {
            [b'/', rest @ ..] | [b'.', b'/', rest @ ..] => rest,
            [b'.'] => b"",
            _ => return path,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::format;
    use std::vec::Vec;

    use super::*;

    fn file(name: &str, mode: u32, data: &[u8]) -> Vec<u8> {
        let len = |bytes: usize| u32::try_from(bytes).expect("short");
        let fields = [7, mode, 1, 2, 1, 99, len(data.len()), 0, 0, 5, 6, len(name.len()) + 1, 0];
        let digits: Vec<_> = fields.iter().map(|field| format!("{field:08X}")).collect();
        let mut out = format!("070701{}{name}\0", digits.concat()).into_bytes();
        out.resize(out.len().next_multiple_of(4), 0);
        out.extend(data);
        out.resize(out.len().next_multiple_of(4), 0);
        out
    }

    fn names(bytes: &[u8]) -> Result<Vec<Vec<u8>>, Damaged> {
        Reader::new(bytes).map(|entry| entry.map(|entry| entry.path.to_vec())).collect()
    }

    #[test]
    fn a_file_has_its_attributes_and_contents() {
        let bytes = file("./bin/sh", 0o100_755, b"text");
        let entry = Reader::new(&bytes).next().expect("a file").expect("whole");
        assert_eq!((entry.path, entry.data, entry.mode), (&b"bin/sh"[..], &b"text"[..], 0o100_755));
        assert_eq!((entry.uid, entry.gid, entry.mtime, entry.device), (1, 2, 99, (5, 6)));
        assert_eq!(bytes.get(entry.data_start..entry.data_start + 4), Some(&b"text"[..]));
    }

    #[test]
    fn archives_may_follow_each_other_after_padding() {
        let trailer = file("TRAILER!!!", 0, b"");
        let parts = [file(".", 0o40_755, b""), file("a", 0o100_644, b"1"), trailer.clone(), [0; 512].to_vec()];
        let mut bytes = parts.concat();
        bytes.extend(file("/b", 0o100_644, b"22"));
        bytes.extend(trailer);
        assert_eq!(names(&bytes), Ok([&b""[..], b"a", b"b"].map(<[u8]>::to_vec).to_vec()));
    }

    #[test]
    fn cut_archives_are_damaged_and_never_read_past_their_end() {
        let bytes = file("name", 0o100_644, b"contents");
        for len in 1..bytes.len() {
            assert!(names(&bytes[..len]).is_err(), "{len} bytes");
        }
        assert_eq!(names(b"not an archive at all"), Err(Damaged { offset: 0 }));
    }

    #[test]
    fn absurd_lengths_are_damage() {
        let mut bytes = file("name", 0o100_644, b"contents");
        bytes[54..62].copy_from_slice(b"FFFFFFFF");
        assert!(names(&bytes).is_err());
    }
}
