//! Bytes of the system as text: UTF-8 is decoded, and every other byte becomes
//! one character of a private range, so that nothing is lost on the way back.

/// The first of the 256 characters that stand for undecodable bytes.
const RAW: u32 = 0x10_FE00;

/// Text for `bytes`.
pub(crate) fn decode(bytes: &[u8]) -> String {
    let raw = |byte: &u8| char::from_u32(RAW + u32::from(*byte)).unwrap_or('?');
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if (RAW..RAW + 256).contains(&u32::from(c)) {
                out.extend(c.encode_utf8(&mut [0; 4]).as_bytes().iter().map(raw));
            } else {
                out.push(c);
            }
        }
        out.extend(chunk.invalid().iter().map(raw));
    }
    out
}

/// The bytes that [`decode`] made `text` from.
pub(crate) fn encode(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for c in text.chars() {
        match u32::from(c).checked_sub(RAW).map(u8::try_from) {
            Some(Ok(byte)) => out.push(byte),
            _ => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_bytes_survive() {
        for bytes in [
            &b"plain"[..],
            "h\u{e9}\u{10fe41}".as_bytes(),
            &[b'a', 0xff, 0xc3, b'b', 0x80],
        ] {
            assert_eq!(encode(&decode(bytes)), bytes);
        }
    }
}
