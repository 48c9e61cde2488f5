//! Printing what came from files: nothing in a name may reach the terminal but printable ASCII.

use std::fmt::Write;

/// Bytes as printable ASCII: others, and the backslash, as `\xNN`.
pub(crate) fn escaped(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for &byte in bytes {
        if byte == b' ' || byte.is_ascii_graphic() && byte != b'\\' {
            text.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_and_other_alphabets_are_escaped() {
        assert_eq!(escaped("a\u{1b}[2J b\\é".as_bytes()), "a\\x1b[2J b\\x5c\\xc3\\xa9");
        assert_eq!(hex(&[0, 0x9f]), "009f");
    }
}
