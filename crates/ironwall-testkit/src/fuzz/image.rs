//! Table images: whatever the bytes are, they are refused with a place, or can be used.

use crate::source::Source;
use ironwall::image::Image;
use ironwall::sha256::Sha256;
use ironwall::{Config, Kind, Origin, Refusal, Region, Runtime, TableLimits};
use ironwall_format::{Structure, Table};

/// Verifies the input as an image, once as it is and once with the digest at its end made right, as everything behind
/// that check would be out of reach otherwise. What is verified is attached, and its objects are made and collected.
///
/// # Panics
/// A verified image cannot be used.
pub fn image(input: &[u8]) {
    check(input);
    if let Some((body, _)) = input.split_last_chunk::<32>() {
        let mut bytes = body.to_vec();
        bytes.extend_from_slice(&Sha256::digest(body));
        check(&bytes);
    }
}

fn check(bytes: &[u8]) {
    let image = match Image::verify(bytes) {
        Ok(image) => image,
        Err((rule, offset)) => {
            assert!(offset as usize <= bytes.len(), "{rule:?} at {offset} of {} bytes", bytes.len());
            return;
        }
    };
    assert!(!image.package().is_empty() && !image.unit().is_empty());
    let uses_others = (0..image.use_count()).any(|i| image.using(i).table != image.table());
    let (mut heap, mut frames) = (vec![0; 32 << 10], vec![0; 1 << 10]);
    let (heap_skip, frames_skip) = (skip(&heap), skip(&frames));
    let limits = TableLimits { tables: 1, entries: image.entry_count(), offsets: image.offset_count(), globals: 0 };
    let config = Config {
        tables: limits,
        handles: 1,
        frames: Region::from_words(&mut frames[frames_skip..]),
        wipes: true,
        heap_is_zeroed: true,
        pages: None,
        on_fault: None,
    };
    let heap = Region::from_words(&mut heap[heap_skip..]);
    let mut bookkeeping = vec![0; Runtime::bookkeeping_words(heap.byte_len(), &config).expect("a length")];
    let mut runtime = Runtime::new(heap, &mut bookkeeping, config).expect("a runtime");
    let unit = match runtime.attach(bytes, []) {
        Ok(unit) => unit,
        // Two structures whose three tags are equal.
        Err(Refusal::TagsTaken) => return,
        Err(refusal) => panic!("a verified image is refused: {refusal:?}"),
    };
    if let Err(refusal) = runtime.link() {
        assert!(uses_others || refusal != Refusal::ImportCycle, "{refusal:?}");
        return;
    }
    runtime.start_unit(unit).expect("the only one");
    let mut made = 0;
    for i in 0..image.entry_count() {
        let entry = runtime.entry_at(unit, i).expect("an entry");
        let kind = image.entry(i).kind;
        match runtime.allocate(entry) {
            Ok(_) => made += 1,
            Err(Refusal::OutOfMemory) => assert!(kind == Kind::Heap),
            Err(refusal) => assert!(refusal == Refusal::NoSuchEntry && kind != Kind::Heap, "{refusal:?}"),
        }
        match runtime.push_frame(entry) {
            Ok(_) | Err(Refusal::FramesFull) => assert!(kind == Kind::Frame),
            Err(refusal) => assert!(refusal == Refusal::NoSuchEntry && kind != Kind::Frame, "{refusal:?}"),
        }
    }
    let report = runtime.collect(Origin::Program, 0).expect("nothing is damaged");
    assert_eq!((report.live, report.dead), (0, made));
}

fn skip(words: &[u64]) -> usize {
    usize::from(!words.as_ptr().addr().is_multiple_of(16))
}

/// A sound image of a table that the seed chooses.
#[must_use]
pub fn sample_image(seed: u64) -> Vec<u8> {
    let bytes = seed.wrapping_mul(0x5851_f42d_4c95_7f2d).to_le_bytes();
    let mut source = Source::new(&bytes);
    let other = Table::new("other", "unit").with(Structure::of_slots(Kind::Heap, "O", 1));
    let mut table = Table::new("fuzz", "sample");
    for i in 0..source.below(4) {
        let kind = [Kind::Heap, Kind::Frame, Kind::Global][source.below(3)];
        let structure = Structure::of_slots(kind, &format!("S{i}"), source.below(5) as u32);
        let structure = match source.below(4) {
            0 if kind == Kind::Heap => structure.with_bytes(3),
            1 if kind == Kind::Heap => structure.with_references(),
            2 => structure.with_odd_words(),
            _ => structure,
        };
        table = table.with(structure);
    }
    if seed.is_multiple_of(5) {
        table = table.using(&other, Kind::Heap, "O");
    }
    table.image().expect("short names")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_sound() {
        for seed in 0..if cfg!(miri) { 2 } else { 100 } {
            assert!(Image::verify(&sample_image(seed)).is_ok(), "{seed}");
        }
    }
}
