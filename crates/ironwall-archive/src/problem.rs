//! What is wrong with an archive: a rule with a stable name, and a byte.

use std::fmt;

/// Whose bytes an offset counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// The bytes of the file that was given: the compressed archive, a lock file, a key.
    File,
    /// The expanded archive.
    Tar,
    /// The manifest.
    Manifest,
    /// The description that an archive is packed from.
    Description,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::File => "the file",
            Self::Tar => "the expanded archive",
            Self::Manifest => "the manifest",
            Self::Description => "the description",
        })
    }
}

/// A broken rule, and where. Orders by place.
///
/// The text holds nothing of the archive but what is printable ASCII.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Whose byte.
    pub place: Place,
    /// Which byte.
    pub offset: u64,
    /// The rule, as `docs/ironwall/archives.md` lists it.
    pub rule: &'static str,
    /// What is wrong.
    pub what: String,
}

impl Problem {
    /// A broken rule.
    #[must_use]
    pub fn new(place: Place, offset: usize, rule: &'static str, what: impl Into<String>) -> Self {
        Self { place, offset: offset as u64, rule, what: what.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} (byte {} of {})", self.rule, self.what, self.offset, self.place)
    }
}

impl std::error::Error for Problem {}

/// Bytes of unknown origin as printable ASCII: others, and the backslash, as `\xNN`.
#[must_use]
pub fn escaped(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for &byte in bytes {
        if byte == b' ' || byte.is_ascii_graphic() && byte != b'\\' {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("\\x{byte:02x}"));
        }
    }
    text
}

/// Bytes as hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes that exactly so many lower-case hexadecimal digits stand for.
#[must_use]
pub fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digit = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; N];
    if text.len() != 2 * N {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_printable_is_escaped() {
        assert_eq!(escaped("a\u{1b}[2J b\\é".as_bytes()), "a\\x1b[2J b\\x5c\\xc3\\xa9");
    }

    #[test]
    fn digits_are_exact() {
        assert_eq!(unhex::<2>("00ff"), Some([0, 255]));
        assert_eq!([unhex::<2>("00f"), unhex::<2>("00FF"), unhex::<2>("00fg"), unhex::<2>("00ff0")], [None; 4]);
    }
}
