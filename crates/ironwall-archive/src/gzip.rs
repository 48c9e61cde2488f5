//! The outermost layer: exactly one gzip member with the header that [`compress`] writes, and nothing after it.
//!
//! The compressor is pinned in the workspace's `Cargo.toml`, so that the same archive has the same bytes wherever it
//! is packed; reading takes what any compressor made (RFC 1951, RFC 1952).

use crate::limits::Limits;
use crate::problem::{Place, Problem};
use miniz_oxide::deflate::compress_to_vec;
use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress, inflate_flags};

/// Deflate, no flags, no time, no hint, system unknown.
pub const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
/// CRC-32 and length, four bytes each.
const TRAILER: usize = 8;
/// The level of compression.
const LEVEL: u8 = 9;
/// What an archive may always expand to, whatever the ratio.
const FREE: usize = 1 << 20;

/// One gzip member.
#[must_use]
pub fn compress(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::from(HEADER);
    out.extend_from_slice(&compress_to_vec(bytes, LEVEL));
    out.extend_from_slice(&crc32fast::hash(bytes).to_le_bytes());
    // The length is modulo 2³², as the format has it; limits are far below.
    out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
    out
}

/// What one gzip member holds.
///
/// # Errors
/// The first broken rule. Memory in proportion to what the data expands to is used, at most what the limits allow.
pub fn expand(bytes: &[u8], limits: &Limits) -> Result<Vec<u8>, Problem> {
    let problem = |at, rule, what: &str| Problem::new(Place::File, at, rule, what);
    if bytes.len() > limits.compressed {
        return Err(problem(limits.compressed, "gzip.limit", "the archive is too long"));
    }
    if let Some(at) = (0..HEADER.len()).find(|&at| bytes.get(at) != Some(&HEADER[at])) {
        if at == bytes.len() {
            return Err(problem(at, "gzip.truncated", "the header is cut off"));
        }
        return Err(match at {
            0..=2 => problem(at, "gzip.magic", "not compressed by gzip"),
            _ => problem(at, "gzip.header", "a name, a time or another field that archives do not have"),
        });
    }
    let (out, end) = inflate(bytes, limits)?;
    let Some(trailer) = bytes.get(end..end + TRAILER) else {
        return Err(problem(bytes.len(), "gzip.truncated", "the checksum at the end is cut off"));
    };
    if trailer[..4] != crc32fast::hash(&out).to_le_bytes() {
        return Err(problem(end, "gzip.crc", "the CRC-32 is not that of the data"));
    }
    if trailer[4..] != (out.len() as u32).to_le_bytes() {
        return Err(problem(end + 4, "gzip.length", "the length is not that of the data"));
    }
    let rest = &bytes[end + TRAILER..];
    if rest.starts_with(&HEADER[..2]) {
        return Err(problem(end + TRAILER, "gzip.second-member", "a second gzip member follows"));
    }
    if !rest.is_empty() {
        return Err(problem(end + TRAILER, "gzip.trailing", "data follows the end of the archive"));
    }
    Ok(out)
}

/// The expanded data, and where the compressed data ends.
fn inflate(bytes: &[u8], limits: &Limits) -> Result<(Vec<u8>, usize), Problem> {
    let most = limits.expanded.min(bytes.len().saturating_mul(limits.ratio).saturating_add(FREE));
    let mut state = DecompressorOxide::new();
    let (mut at, mut len) = (HEADER.len(), 0);
    let mut out = vec![0; most.min(bytes.len().saturating_mul(4).max(4096))];
    loop {
        let flags = inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
        let (status, read, written) = decompress(&mut state, &bytes[at..], &mut out, len, flags);
        at += read;
        len += written;
        match status {
            TINFLStatus::Done => {
                out.truncate(len);
                return Ok((out, at));
            }
            TINFLStatus::HasMoreOutput if out.len() < most => out.resize(most.min(out.len() * 2), 0),
            TINFLStatus::HasMoreOutput if most == limits.expanded => {
                return Err(Problem::new(Place::File, at, "gzip.limit", format!("expands to more than {most} bytes")));
            }
            TINFLStatus::HasMoreOutput => {
                let what = format!("expands to more than {} times its length", limits.ratio);
                return Err(Problem::new(Place::File, at, "gzip.ratio", what));
            }
            TINFLStatus::FailedCannotMakeProgress | TINFLStatus::NeedsMoreInput => {
                return Err(Problem::new(Place::File, bytes.len(), "gzip.truncated", "the data is cut off"));
            }
            _ => return Err(Problem::new(Place::File, at, "gzip.data", "the compressed data is damaged")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(bytes: &[u8], limits: &Limits) -> (&'static str, u64) {
        let problem = expand(bytes, limits).expect_err("expanded");
        assert_eq!(problem.place, Place::File);
        (problem.rule, problem.offset)
    }

    #[test]
    fn what_was_compressed_expands_to_itself() {
        for len in [0, 1, 511, 70_000] {
            let bytes: Vec<u8> = (0..len).map(|i: u32| (i.wrapping_mul(i) >> 7) as u8).collect();
            assert_eq!(expand(&compress(&bytes), &Limits::default()), Ok(bytes));
        }
    }

    #[test]
    fn every_truncation_is_one() {
        let bytes = compress(b"some text, some more text");
        for len in 0..bytes.len() {
            assert_eq!(rule(&bytes[..len], &Limits::default()), ("gzip.truncated", len as u64), "{len}");
        }
    }

    #[test]
    fn header_checksum_length_and_end_are_checked() {
        let good = compress(b"some text");
        let limits = Limits::default();
        let end = good.len() as u64;
        let changed = |at: usize, with: u8| {
            let mut bytes = good.clone();
            bytes[at] ^= with;
            rule(&bytes, &limits)
        };
        assert_eq!(changed(0, 1), ("gzip.magic", 0));
        assert_eq!(changed(2, 1), ("gzip.magic", 2));
        assert_eq!(changed(3, 8), ("gzip.header", 3));
        assert_eq!(changed(4, 1), ("gzip.header", 4));
        assert_eq!(changed(good.len() - 8, 1), ("gzip.crc", end - 8));
        assert_eq!(changed(good.len() - 1, 1), ("gzip.length", end - 4));
        assert_eq!(rule(&[&good[..], b"x"].concat(), &limits), ("gzip.trailing", end));
        assert_eq!(rule(&[&good[..], &good].concat(), &limits), ("gzip.second-member", end));
        // A block of the reserved type.
        assert_eq!(rule(&[&HEADER[..], &[7, 0, 0]].concat(), &limits).0, "gzip.data");
    }

    #[test]
    fn a_bomb_is_stopped_before_it_fills_memory() {
        let bomb = compress(&vec![0; 64 << 20]);
        assert_eq!(rule(&bomb, &Limits::default()).0, "gzip.ratio");
        assert_eq!(rule(&bomb, &Limits { expanded: 1 << 20, ..Limits::default() }).0, "gzip.limit");
        assert_eq!(rule(&bomb, &Limits { compressed: 100, ..Limits::default() }), ("gzip.limit", 100));
    }

    /// The same bytes from every build: a change here is a change of every archive's digest.
    #[test]
    fn r8_1_a_compression_is_pinned() {
        let bytes: Vec<u8> = (0..4096u32).flat_map(|i| (i.wrapping_mul(i) >> 5).to_le_bytes()).collect();
        assert_eq!(crc32fast::hash(&compress(&bytes)), 2_526_514_888);
    }
}
