//! Edits of a sound file.

/// Applies a list of edits: each is four bytes, of which two are a place, one is what to do there, one is with what.
/// A place is a part of the length, so every byte can be met whatever the length is below 64 KiB.
pub(crate) fn edit(sound: &[u8], mut edits: &[u8]) -> Vec<u8> {
    let mut bytes = sound.to_vec();
    while let [low, high, what, with, rest @ ..] = edits {
        edits = rest;
        let at = usize::from(u16::from_le_bytes([*low, *high])) % (bytes.len() + 1);
        let end = bytes.len().min(at + usize::from(*with));
        match what % 8 {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(at..end)),
            2 => bytes.insert(at, *with),
            // A part again.
            3 => bytes = [&bytes[..end], &bytes[at..]].concat(),
            4 => bytes[at..end].fill(0),
            5 | 6 => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte = *with),
            _ => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << (with % 8)),
        }
        // Doubling may not go on for ever.
        bytes.truncate(1 << 20);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_change_what_they_say() {
        assert_eq!(edit(b"abcd", &[]), b"abcd");
        assert_eq!(edit(b"abcd", &[2, 0, 0, 0]), b"ab");
        assert_eq!(edit(b"abcd", &[1, 0, 1, 2]), b"ad");
        assert_eq!(edit(b"abcd", &[4, 0, 2, b'x']), b"abcdx");
        assert_eq!(edit(b"abcd", &[1, 0, 3, 2]), b"abcbcd");
        assert_eq!(edit(b"abcd", &[1, 0, 5, b'x', 0, 0, 7, 1]), b"cxcd");
        assert_eq!(edit(b"", &[9, 9, 7, 1, 9, 9, 4, 200, 1]), b"");
    }
}
