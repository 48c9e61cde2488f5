//! The GNU property note of ELF files: whether a program's code is made for
//! guarded pages (`parse_elf_properties` in Linux).

use linux_abi::elf::{
    Elf64Nhdr, Elf64Phdr, GNU_PROPERTY_AARCH64_FEATURE_1_AND, GNU_PROPERTY_AARCH64_FEATURE_1_BTI,
    NT_GNU_PROPERTY_TYPE_0,
};
use linux_abi::{Errno, Wire};

use crate::error::{Because, Error, Result};
use crate::mm::exec::Program;

/// The name of the note, with its end.
const NAME: &[u8] = b"GNU\0";
/// A longer note is not read.
const MAX_SIZE: u64 = 1024;
/// What properties and the note's description are padded to.
const ALIGN: usize = 8;
/// Bytes of a property's type and length.
const PROPERTY_HEAD: usize = 8;

/// Whether the note in `segment` says that all code has landing pads.
///
/// # Errors
/// `ENOEXEC` if the note is damaged or longer than Linux reads, `EIO` if it is
/// past the end of the file or too short.
pub(super) fn has_landing_pads(program: &Program, segment: &Elf64Phdr) -> Result<bool> {
    if segment.p_filesz > MAX_SIZE {
        return Err(bad());
    }
    let mut note = alloc::vec![0; usize::try_from(segment.p_filesz).unwrap_or(0)];
    let len = program.object.read_at(segment.p_offset, &mut note)?;
    parse(note.get(..len).unwrap_or_default())
}

fn bad() -> Error {
    Errno::ENOEXEC.because("the GNU property note is damaged")
}

fn parse(note: &[u8]) -> Result<bool> {
    let (head, rest) = note
        .split_at_checked(Elf64Nhdr::SIZE)
        .filter(|(_, rest)| rest.len() >= NAME.len())
        .ok_or(Errno::EIO.because("the GNU property note is cut short"))?;
    let head = Elf64Nhdr::load(head);
    let is_property = head.n_type == NT_GNU_PROPERTY_TYPE_0 && head.n_namesz as usize == NAME.len();
    if !is_property || !rest.starts_with(NAME) {
        return Err(bad());
    }
    let start = (Elf64Nhdr::SIZE + NAME.len()).next_multiple_of(ALIGN);
    let len = usize::try_from(head.n_descsz).map_err(|_| bad())?;
    let mut properties = note.get(start..).and_then(|rest| rest.get(..len)).ok_or_else(bad)?;
    let mut before: Option<u32> = None;
    let mut has_pads = false;
    while !properties.is_empty() {
        let (head, rest) = properties.split_at_checked(PROPERTY_HEAD).ok_or_else(bad)?;
        let word = |at: usize| head[at..].first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes));
        let (kind, len) = (word(0), word(4) as usize);
        // They are sorted, and none is there twice.
        if before.is_some_and(|before| kind <= before) {
            return Err(bad());
        }
        before = Some(kind);
        let data = rest.get(..len).ok_or_else(bad)?;
        properties = len.checked_next_multiple_of(ALIGN).and_then(|step| rest.get(step..)).ok_or_else(bad)?;
        if kind == GNU_PROPERTY_AARCH64_FEATURE_1_AND {
            let features = u32::from_le_bytes(data.try_into().map_err(|_| bad())?);
            has_pads = features & GNU_PROPERTY_AARCH64_FEATURE_1_BTI != 0;
        }
    }
    Ok(has_pads)
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    /// A note of these properties: type, and data without padding.
    fn note(properties: &[(u32, &[u8])]) -> Vec<u8> {
        let mut desc = Vec::new();
        for (kind, data) in properties {
            desc.extend(kind.to_le_bytes());
            desc.extend((data.len() as u32).to_le_bytes());
            desc.extend(*data);
            desc.resize(desc.len().next_multiple_of(ALIGN), 0);
        }
        let mut note = Vec::new();
        for word in [4, desc.len() as u32, NT_GNU_PROPERTY_TYPE_0] {
            note.extend(word.to_le_bytes());
        }
        note.extend(NAME);
        note.extend(desc);
        note
    }

    const FEATURES: u32 = GNU_PROPERTY_AARCH64_FEATURE_1_AND;

    fn errno(note: &[u8]) -> Option<Errno> {
        parse(note).err().map(|error| error.errno)
    }

    #[test]
    fn the_bti_bit_is_found_among_other_properties() {
        let other: (u32, &[u8]) = (1, &[0; 9]);
        assert_eq!(parse(&note(&[other, (FEATURES, &[3, 0, 0, 0])])).ok(), Some(true));
        assert_eq!(parse(&note(&[other, (FEATURES, &[2, 0, 0, 0]), (FEATURES + 1, &[])])).ok(), Some(false));
        assert_eq!(parse(&note(&[])).ok(), Some(false));
    }

    #[test]
    fn features_of_another_length_are_no_program() {
        assert_eq!(errno(&note(&[(FEATURES, &[1, 0, 0, 0, 0, 0, 0, 0])])), Some(Errno::ENOEXEC));
        assert_eq!(errno(&note(&[(FEATURES, &[])])), Some(Errno::ENOEXEC));
    }

    #[test]
    fn properties_must_ascend() {
        assert_eq!(errno(&note(&[(FEATURES, &[1, 0, 0, 0]), (FEATURES, &[1, 0, 0, 0])])), Some(Errno::ENOEXEC));
        assert_eq!(errno(&note(&[(FEATURES, &[1, 0, 0, 0]), (1, &[])])), Some(Errno::ENOEXEC));
    }

    #[test]
    fn a_note_that_is_cut_short_is_an_error_and_never_more() {
        let whole = note(&[(FEATURES, &[1, 0, 0, 0])]);
        for len in 0..whole.len() {
            let expected = if len < Elf64Nhdr::SIZE + NAME.len() { Errno::EIO } else { Errno::ENOEXEC };
            assert_eq!(errno(&whole[..len]), Some(expected), "{len} bytes");
        }
        let mut huge = whole.clone();
        huge[20..24].fill(0xff);
        assert_eq!(errno(&huge), Some(Errno::ENOEXEC), "a property longer than the note");
        let mut other = whole;
        other[8] = 1;
        assert_eq!(errno(&other), Some(Errno::ENOEXEC), "another kind of note");
    }
}
