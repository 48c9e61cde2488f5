//! Random words through decoder and disassembler.

/// Decodes and disassembles each word of the input.
///
/// # Panics
/// If a word decodes to a row whose pattern it does not match, or has no text.
pub fn decoder(input: &[u8]) {
    for chunk in input.chunks_exact(4) {
        let word = u32::from_le_bytes([chunk[0], chunk[1], chunk[2], chunk[3]]);
        let text = a64::disassemble(word, 0x40_0000).to_string();
        assert!(!text.is_empty(), "{word:#010x} has no text");
        if let Some(encoding) = a64::decode(word) {
            let row = encoding.row();
            assert_eq!(word & row.mask, row.value, "{word:#010x} is no {}", encoding.name());
        }
    }
}
