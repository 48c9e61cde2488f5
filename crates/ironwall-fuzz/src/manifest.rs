//! Manifests and descriptions: whatever the text is, what is wrong is told with a byte, or it is the canonical text.

use crate::edits::edit;
use crate::sample::sample;
use ironwall_archive::manifest::MANIFEST;
use ironwall_archive::{Description, Manifest, Problem};

/// The first byte chooses whether the others are the text or edits of the sample's.
///
/// # Panics
/// A problem is not told properly, or a manifest has two texts.
pub fn manifest(input: &[u8]) {
    let Some((&first, rest)) = input.split_first() else { return };
    let text = if first % 4 == 0 { rest.to_vec() } else { edit(&sample().members[MANIFEST], rest) };
    match Manifest::parse(&text) {
        Ok(manifest) => assert_eq!(manifest.to_text().as_bytes(), text),
        Err(problems) => {
            assert!(!problems.is_empty());
            problems.iter().for_each(|problem| check(problem, text.len()));
        }
    }
    if let Err(problems) = Description::parse(&text) {
        problems.iter().for_each(|problem| check(problem, text.len()));
    }
}

fn check(problem: &Problem, len: usize) {
    assert!(problem.offset <= len as u64, "{problem} of {len}");
    assert!(problem.what.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()), "{problem:?}");
}
