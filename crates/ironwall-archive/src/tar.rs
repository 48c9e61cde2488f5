//! The middle layer: ustar, in exactly one form.
//!
//! Regular files only, sorted by name, with a header that follows from name and length alone ([`header`]), zeros as
//! padding, two blocks of zeros, and the end. The reader looks for what breaks this one by one, so that each has its
//! rule and its byte, and at last compares the whole header with the one form, so that nothing is overlooked.

use crate::limits::{Limits, MAX_MEMBER_NAME};
use crate::name::check_member;
use crate::problem::{Place, Problem, escaped};
use std::collections::BTreeMap;
use std::ops::Range;

/// The length of blocks and of headers.
pub const BLOCK: usize = 512;
const SIZE: Range<usize> = 124..136;
const CHECKSUM: Range<usize> = 148..156;
const TYPE: usize = 156;
const LINK: Range<usize> = 157..257;
const MAGIC: Range<usize> = 257..265;
const PREFIX: Range<usize> = 345..500;

/// A member: its name, where its header is, and where its bytes are in the expanded archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The name.
    pub name: String,
    /// The offset of the header.
    pub header: usize,
    /// The offsets of the bytes.
    pub data: Range<usize>,
}

/// The header of a member. The name has at most 100 bytes, and the length is below 8 GiB.
#[must_use]
pub fn header(name: &str, len: usize) -> [u8; BLOCK] {
    let mut header = [0; BLOCK];
    let mut put = |at: usize, bytes: &[u8]| header[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, &name.as_bytes()[..name.len().min(MAX_MEMBER_NAME)]);
    put(100, b"0000644\x000000000\x000000000\0");
    put(SIZE.start, format!("{len:011o}").as_bytes());
    put(136, b"00000000000\0");
    put(CHECKSUM.start, b"        0");
    put(MAGIC.start, b"ustar\x0000");
    put(329, b"0000000\x000000000\0");
    let sum = checksum(&header);
    header[CHECKSUM].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    header
}

/// An archive of members, which are put in order of their names.
#[must_use]
pub fn write(members: &BTreeMap<String, Vec<u8>>) -> Vec<u8> {
    join(members.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())))
}

/// An archive of members in this order.
fn join<'a>(members: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, bytes) in members {
        out.extend_from_slice(&header(name, bytes.len()));
        out.extend_from_slice(bytes);
        out.resize(out.len().next_multiple_of(BLOCK), 0);
    }
    out.resize(out.len() + 2 * BLOCK, 0);
    out
}

/// The members, in the order of their names, and everything that is wrong. After a problem that leaves open where
/// the next member begins, there are no more members.
#[must_use]
pub fn read(bytes: &[u8], limits: &Limits) -> (Vec<Member>, Vec<Problem>) {
    let mut reader = Reader { bytes, limits, members: Vec::new(), lower: BTreeMap::new(), problems: Vec::new() };
    let mut at = 0;
    while let Some(next) = reader.member(at) {
        at = next;
        if reader.members.len() > limits.members || reader.problems.len() > limits.problems {
            reader.report(at, "tar.limit", format!("more than {} members", limits.members));
            break;
        }
    }
    (reader.members, reader.problems)
}

struct Reader<'a> {
    bytes: &'a [u8],
    limits: &'a Limits,
    members: Vec<Member>,
    /// Names in lower case, with where they were.
    lower: BTreeMap<String, usize>,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn report(&mut self, at: usize, rule: &'static str, what: impl Into<String>) {
        self.problems.push(Problem::new(Place::Tar, at, rule, what));
    }

    /// Reads the member at an offset, and gives the offset of the next if there is one.
    fn member(&mut self, at: usize) -> Option<usize> {
        let Some(block) = self.bytes.get(at..at + BLOCK) else {
            self.report(self.bytes.len(), "tar.truncated", "the expanded archive is cut off");
            return None;
        };
        if block.iter().all(|&byte| byte == 0) {
            self.end(at);
            return None;
        }
        let len = self.size(at, block)?;
        let name = self.name(at, block);
        self.kind(at, block, name.as_deref().unwrap_or_default(), len);

        let data = at + BLOCK..at + BLOCK + len;
        if data.end > self.bytes.len() {
            self.report(at + SIZE.start, "tar.size", format!("{len} bytes are more than are left"));
            return None;
        }
        let next = data.end.next_multiple_of(BLOCK);
        let padding = self.bytes.get(data.end..next);
        let Some(padding) = padding else {
            self.report(self.bytes.len(), "tar.truncated", "the expanded archive is cut off");
            return None;
        };
        if let Some(first) = padding.iter().position(|&byte| byte != 0) {
            self.report(data.end + first, "tar.padding", "what fills the last block of a member is not zero");
        }
        if let Some(name) = name {
            self.members.push(Member { name, header: at, data });
        }
        Some(next)
    }

    /// The end: two blocks of zeros and no more.
    fn end(&mut self, at: usize) {
        let rest = &self.bytes[at..];
        if rest.len() < 2 * BLOCK {
            self.report(self.bytes.len(), "tar.end", "the second block of zeros at the end is missing");
        } else if let Some(first) = rest[..2 * BLOCK].iter().position(|&byte| byte != 0) {
            self.report(at + first, "tar.end", "a block of zeros is followed by something else");
        } else if rest.len() > 2 * BLOCK {
            self.report(at + 2 * BLOCK, "tar.trailing", "data follows the end of the expanded archive");
        }
    }

    /// The length of a member: eleven octal digits and a zero. Base-256 numbers are refused, as all other forms.
    fn size(&mut self, at: usize, block: &[u8]) -> Option<usize> {
        let (digits, end) = block[SIZE].split_at(11);
        let digit = |len: Option<usize>, &byte: &u8| match byte {
            b'0'..=b'7' => len.map(|len| len << 3 | usize::from(byte - b'0')),
            _ => None,
        };
        let len = digits.iter().fold(Some(0), digit).filter(|_| end == [0]);
        match len {
            None => self.report(at + SIZE.start, "tar.size", "a length is not eleven octal digits"),
            Some(len) if len > self.limits.member => {
                let what = format!("a member of {len} bytes is longer than {}", self.limits.member);
                self.report(at + SIZE.start, "tar.limit", what);
                return None;
            }
            Some(_) => {}
        }
        len
    }

    /// The name, if it is one, and it comes after those before it.
    fn name(&mut self, at: usize, block: &[u8]) -> Option<String> {
        if block[PREFIX].iter().any(|&byte| byte != 0) {
            self.report(at + PREFIX.start, "tar.name.long", "a name has a prefix");
            return None;
        }
        let field = &block[..MAX_MEMBER_NAME];
        let len = field.iter().position(|&byte| byte == 0).unwrap_or(field.len());
        if let Some(hidden) = field[len..].iter().position(|&byte| byte != 0) {
            self.report(at + len + hidden, "tar.name.nul", "a name goes on after a zero");
            return None;
        }
        let shown = escaped(&field[..len]);
        if let Err((rule, what)) = check_member(&field[..len]) {
            self.report(at, rule, format!("{what}: \"{shown}\""));
            return None;
        }
        // It is ASCII, as was just checked, so it is its own escape.
        let name = shown;
        match self.lower.insert(name.to_ascii_lowercase(), at) {
            Some(_) if self.members.iter().any(|member| member.name == name) => {
                self.report(at, "tar.name.duplicate", format!("{name} is there twice"));
                return None;
            }
            Some(other) => {
                let what = format!("{name} differs from the name at byte {other} in the case of letters alone");
                self.report(at, "tar.name.case", what);
            }
            None => {}
        }
        if self.members.last().is_some_and(|last| last.name > name) {
            self.report(at, "tar.order", format!("{name} is not in the order of names"));
        }
        Some(name)
    }

    /// That it is a regular file, and that the header is the one that such a file has.
    fn kind(&mut self, at: usize, block: &[u8], name: &str, len: usize) {
        if checksum(block) != stored_checksum(block).unwrap_or(u32::MAX) {
            return self.report(at + CHECKSUM.start, "tar.checksum", "the checksum is not that of the header");
        }
        if block[MAGIC] != *b"ustar\x0000" {
            return self.report(at + MAGIC.start, "tar.magic", "the format is not ustar");
        }
        let what = match block[TYPE] {
            b'0' => None,
            b'1' => Some("a hard link"),
            b'2' => Some("a symbolic link"),
            b'3' | b'4' => Some("a device"),
            b'5' => Some("a directory"),
            b'6' => Some("a pipe"),
            b'S' => Some("a sparse file"),
            b'x' | b'g' => Some("a PAX header"),
            b'L' | b'K' => Some("a GNU long name"),
            _ => Some("a member of another type"),
        };
        if let Some(what) = what {
            return self.report(at + TYPE, "tar.type", format!("{what} instead of a regular file"));
        }
        if block[LINK].iter().any(|&byte| byte != 0) {
            return self.report(at + LINK.start, "tar.type", "a regular file with the name of a link");
        }
        let expected = header(name, len);
        // A name that is none is reported already.
        if let Some(first) = (MAX_MEMBER_NAME..BLOCK)
            .find(|&i| block[i] != expected[i] && !CHECKSUM.contains(&i) && !PREFIX.contains(&i))
        {
            self.report(at + first, "tar.metadata", "an owner, a mode, a time or another field is not the usual one");
        } else if block[CHECKSUM.end - 2..CHECKSUM.end] != *b"\0 " {
            self.report(at + CHECKSUM.start, "tar.checksum", "the checksum is not six octal digits");
        }
    }
}

/// The sum of the header's bytes, with blanks for the checksum itself.
fn checksum(block: &[u8]) -> u32 {
    let byte = |(i, &byte): (usize, &u8)| u32::from(if CHECKSUM.contains(&i) { b' ' } else { byte });
    block.iter().enumerate().map(byte).sum()
}

fn stored_checksum(block: &[u8]) -> Option<u32> {
    let digits = std::str::from_utf8(&block[CHECKSUM.start..CHECKSUM.start + 6]).ok()?;
    let is_octal = digits.bytes().all(|byte| byte.is_ascii_digit());
    u32::from_str_radix(digits, 8).ok().filter(|_| is_octal)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each with its name and its bytes, in this order.
    fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
        join(members.iter().copied())
    }

    fn rules(bytes: &[u8]) -> Vec<(&'static str, u64)> {
        let (_, problems) = read(bytes, &Limits::default());
        problems.iter().map(|problem| (problem.rule, problem.offset)).collect()
    }

    /// An archive of one file whose header has a field changed, with its checksum right.
    fn with_field(at: usize, field: &[u8]) -> Vec<(&'static str, u64)> {
        let mut bytes = archive(&[("a", b"text")]);
        bytes[at..at + field.len()].copy_from_slice(field);
        fix_checksum(&mut bytes[..BLOCK]);
        rules(&bytes)
    }

    fn fix_checksum(header: &mut [u8]) {
        let sum = checksum(header);
        header[CHECKSUM].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    }

    #[test]
    fn what_is_written_is_read() {
        let members =
            BTreeMap::from([("a/b.o".to_owned(), vec![1; 512]), ("c".to_owned(), vec![]), ("d".to_owned(), vec![2])]);
        let bytes = write(&members);
        let (read, problems) = read(&bytes, &Limits::default());
        assert_eq!(problems, []);
        let again: BTreeMap<String, Vec<u8>> =
            read.iter().map(|member| (member.name.clone(), bytes[member.data.clone()].to_vec())).collect();
        assert_eq!(again, members);
        assert_eq!(rules(&write(&BTreeMap::new())), []);
    }

    #[test]
    fn every_truncation_is_one() {
        let bytes = archive(&[("a", b"text"), ("b", &[7; 600])]);
        for len in 0..bytes.len() {
            let rules = rules(&bytes[..len]);
            assert!(matches!(rules[..], [("tar.truncated" | "tar.size" | "tar.end", _)]), "{len}: {rules:?}");
        }
    }

    #[test]
    fn only_regular_files_with_the_usual_fields_are_members() {
        for kind in *b"1234567SLKxgDVMN\0" {
            assert_eq!(with_field(TYPE, &[kind]), [("tar.type", 156)], "{kind}");
        }
        assert_eq!(with_field(LINK.start, b"/etc/passwd"), [("tar.type", 157)]);
        assert_eq!(with_field(100, b"0000755"), [("tar.metadata", 104)]);
        assert_eq!(with_field(108, b"0001750"), [("tar.metadata", 111)]);
        assert_eq!(with_field(136, b"00000000001"), [("tar.metadata", 146)]);
        assert_eq!(with_field(265, b"root"), [("tar.metadata", 265)]);
        assert_eq!(with_field(257, b"ustar  \0"), [("tar.magic", 257)]);
        assert_eq!(with_field(345, b"/etc"), [("tar.name.long", 345)]);
        assert_eq!(with_field(500, b"x"), [("tar.metadata", 500)]);
        let mut bytes = archive(&[("a", b"text")]);
        bytes[150] ^= 1;
        assert_eq!(rules(&bytes), [("tar.checksum", 148)]);
        let mut bytes = archive(&[("a", b"text")]);
        bytes[154..156].copy_from_slice(b" \0");
        assert_eq!(rules(&bytes), [("tar.checksum", 148)]);
    }

    #[test]
    fn names_are_plain_sorted_and_distinct() {
        let named = |name: &[u8]| with_field(0, name);
        assert_eq!(named(b"../x"), [("tar.name.parent", 0)]);
        assert_eq!(named(b"/x"), [("tar.name.absolute", 0)]);
        assert_eq!(named(b"\0"), [("tar.name.empty", 0)]);
        assert_eq!(named(b"a\\b"), [("tar.name.backslash", 0)]);
        assert_eq!(named(b"a\0b"), [("tar.name.nul", 2)]);
        assert_eq!(rules(&archive(&[("a", b""), ("a", b"x")])), [("tar.name.duplicate", 512)]);
        assert_eq!(rules(&archive(&[("A", b""), ("a", b"x")])), [("tar.name.case", 512)]);
        assert_eq!(rules(&archive(&[("b", b""), ("a", b"x")])), [("tar.order", 512)]);
        // All of them are told.
        let many = archive(&[("b", b""), ("x/..", b""), ("a", b"x")]);
        assert_eq!(rules(&many), [("tar.name.parent", 512), ("tar.order", 1024)]);
    }

    #[test]
    fn lengths_padding_and_end_are_exact() {
        assert_eq!(with_field(124, b"00000077777"), [("tar.size", 124)]);
        assert_eq!(with_field(124, b"77777777777"), [("tar.limit", 124)]);
        assert_eq!(with_field(124, b"         4 "), [("tar.size", 124)]);
        assert_eq!(with_field(124, &[0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4]), [("tar.size", 124)]);
        assert_eq!(with_field(124, b"0000000000-"), [("tar.size", 124)]);
        let mut bytes = archive(&[("a", b"text")]);
        bytes[600] = 1;
        assert_eq!(rules(&bytes), [("tar.padding", 600)]);
        let mut bytes = archive(&[("a", b"text")]);
        let end = bytes.len();
        bytes[end - 3] = 1;
        assert_eq!(rules(&bytes), [("tar.end", end as u64 - 3)]);
        bytes[end - 3] = 0;
        bytes.extend_from_slice(&[0; BLOCK]);
        assert_eq!(rules(&bytes), [("tar.trailing", end as u64)]);
    }

    #[test]
    fn members_are_counted() {
        let limits = Limits { members: 2, ..Limits::default() };
        let (_, problems) = read(&archive(&[("a", b""), ("b", b""), ("c", b"")]), &limits);
        assert_eq!(problems.iter().map(|problem| problem.rule).collect::<Vec<_>>(), ["tar.limit"]);
    }
}
