//! Archives: whatever the bytes are, what is wrong is told with a byte, or nothing is.

use crate::edits::edit;
use crate::sample::{OBJECT, Sample, TABLE, sample};
use ironwall::sha256::Sha256;
use ironwall_archive::manifest::MANIFEST;
use ironwall_archive::tar::{self, BLOCK};
use ironwall_archive::{Limits, Manifest, Place, examine, gzip, read, sha256};

/// Small enough that reading what is allowed takes no time.
const LIMITS: Limits =
    Limits { compressed: 1 << 20, expanded: 4 << 20, ratio: 50, member: 1 << 20, members: 64, problems: 50 };

/// The first byte of the input chooses a layer. The others are that layer, or edits of the sample there; what stands
/// around it is made right, so that the reader gets as far as to what was edited.
///
/// # Panics
/// An examination contradicts itself, or a sound archive is not canonical.
pub fn archive(input: &[u8]) {
    let Some((&layer, rest)) = input.split_first() else { return };
    let Sample { file, tar, members } = sample();
    match layer % 8 {
        0 => check(rest),
        1 => check(&gzip::compress(rest)),
        2 => check(&edit(file, rest)),
        3 => check(&gzip::compress(&edit(tar, rest))),
        4 => check(&gzip::compress(&with_checksums(edit(tar, rest)))),
        5 => check(&with(OBJECT, edit(&members[OBJECT], rest))),
        6 => {
            let mut table = edit(&members[TABLE], rest);
            // The digest at its end is made right, as nothing else would be looked at.
            if let Some((body, end)) = table.split_last_chunk_mut::<32>() {
                *end = Sha256::digest(body);
            }
            check(&with(TABLE, table));
        }
        _ => {
            let mut members = members.clone();
            members.insert(MANIFEST.to_owned(), edit(&members[MANIFEST], rest));
            check(&gzip::compress(&tar::write(&members)));
        }
    }
}

/// The sample with another member, whose length and digest the manifest tells.
fn with(name: &str, bytes: Vec<u8>) -> Vec<u8> {
    let mut members = sample().members.clone();
    if let Ok(mut manifest) = Manifest::parse(&members[MANIFEST]) {
        for unit in &mut manifest.units {
            for artifact in [&mut unit.table].into_iter().chain(unit.objects.iter_mut().map(|(_, object)| object)) {
                if artifact.path == name {
                    (artifact.size, artifact.sha256) = (bytes.len() as u64, sha256(&bytes));
                }
            }
        }
        members.insert(MANIFEST.to_owned(), manifest.to_text().into_bytes());
    }
    members.insert(name.to_owned(), bytes);
    gzip::compress(&tar::write(&members))
}

/// Makes the checksum of each block right where it says that it is a header.
fn with_checksums(mut tar: Vec<u8>) -> Vec<u8> {
    for block in tar.chunks_exact_mut(BLOCK).filter(|block| block[257..262] == *b"ustar") {
        block[148..156].fill(b' ');
        let sum: u32 = block.iter().map(|&byte| u32::from(byte)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    }
    tar
}

fn check(bytes: &[u8]) {
    let examined = examine(bytes, LIMITS);
    let tar = gzip::expand(bytes, &LIMITS);
    for problem in &examined.problems {
        let len = match problem.place {
            Place::File => bytes.len(),
            Place::Tar | Place::Manifest | Place::Description => tar.as_ref().map_or(0, Vec::len),
        };
        assert!(problem.offset <= len as u64, "{problem} of {len}");
        let is_shown = problem.what.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
        assert!(is_shown && problem.rule.contains('.'), "{problem:?}");
    }
    let first = read(bytes, LIMITS);
    assert_eq!(examined.archive.is_none(), !examined.problems.is_empty());
    assert_eq!(first.is_err(), examined.archive.is_none(), "reading and examining differ");
    let Ok(archive) = first else { return };
    let members = archive.members().iter();
    let members =
        members.map(|member| (member.name.clone(), archive.member(&member.name).unwrap_or_default().to_vec()));
    assert_eq!(tar.as_ref(), Ok(&tar::write(&members.collect())), "there are two archives of the same members");
    assert_eq!(archive.manifest().to_text().as_bytes(), archive.member(MANIFEST).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_edits_the_sample_is_sound_at_each_layer() {
        let Sample { file, tar, members } = sample();
        for bytes in [file, &gzip::compress(tar), &with(OBJECT, members[OBJECT].clone())] {
            assert_eq!(examine(bytes, LIMITS).problems, []);
        }
        assert_eq!(&with_checksums(tar.clone()), tar);
    }
}
