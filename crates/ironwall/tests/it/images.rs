//! Table images: the same everywhere, and refused when anything in them is wrong.

use crate::support::{KIB, common, config, empty_runtime};
use ironwall::image::{ENTRY_LEN, HEADER_LEN, Image};
use ironwall::sha256::Sha256;
use ironwall::{ImageRule, Kind, Refusal, Uuid};
use ironwall_format::{Structure, Table, uuid_text};

/// Computes the digest again, as whoever forges an image would.
fn with_digest(mut image: Vec<u8>) -> Vec<u8> {
    let body = image.len() - 32;
    let digest = Sha256::digest(&image[..body]);
    image[body..].copy_from_slice(&digest);
    image
}

/// The image of the common table after a change of some bytes, with the right digest.
fn forged(at: usize, change: &[u8]) -> Vec<u8> {
    let mut image = common().image().expect("an image");
    image[at..at + change.len()].copy_from_slice(change);
    with_digest(image)
}

fn rule(image: &[u8]) -> Option<ImageRule> {
    Image::verify(image).err().map(|(rule, _)| rule)
}

#[test]
fn r7_1_c_r7_1_d_identities_are_those_of_the_names_and_no_others() {
    let table = Uuid::of_table(b"ironwall.example", b"list");
    let of = |kind| Uuid::of_struct(table, kind, b"Cell");
    let ids = [table, of(Kind::Heap), of(Kind::Frame), of(Kind::Global)];
    assert_eq!(ids.map(uuid_text), VECTORS);
    assert_ne!(Uuid::of_table(b"a", b"bc"), Uuid::of_table(b"ab", b"c"), "fields do not run together");
}

/// Published in `docs/ironwall/table-image.md`.
const VECTORS: [&str; 4] = [
    "03b4a6b9-6254-84f9-b46e-9c8166c6717c",
    "3a4b0bbb-3e96-8db3-952f-034b44668a4a",
    "789be8d5-5d59-8f07-9b63-336e5b7b93cd",
    "863114b3-789d-83e0-9144-deb7d714f701",
];

#[test]
fn r7_1_c_r8_1_e_an_image_does_not_depend_on_the_order_of_its_making() {
    let (a, b) = (Structure::of_slots(Kind::Heap, "A", 1), Structure::of_slots(Kind::Heap, "B", 2));
    let (x, y) = (Table::new("p", "x"), Table::new("p", "y"));
    let one = Table::new("p", "u").with(a.clone()).with(b.clone()).importing(&x).importing(&y);
    let two = Table::new("p", "u").importing(&y).importing(&x).with(b).with(a);
    assert_eq!(one.image().map(|image| image.len() > HEADER_LEN), Ok(true));
    let entries = |table: &Table| {
        let image = table.image().expect("an image");
        let image = Image::verify(&image).expect("sound");
        (0..2).map(|i| (image.entry(i).id, image.using(i).table)).collect::<Vec<_>>()
    };
    assert_eq!(entries(&one), entries(&two));
    assert_eq!(one.image(), two.image());
}

#[test]
fn r7_1_e_a_changed_field_changes_the_layout_and_not_the_identity() {
    let entry = |fixed, slots: &[u32]| {
        let image = Table::new("p", "u").with(Structure::new(Kind::Heap, "S", fixed, slots)).image().expect("an image");
        let entry = Image::verify(&image).expect("sound").entry(0);
        (entry.id, entry.tags, entry.layout)
    };
    let (one, two, three) = (entry(16, &[0]), entry(16, &[8]), entry(24, &[0]));
    assert_eq!((one.0, one.1), (two.0, two.1));
    assert_eq!((one.0, one.1), (three.0, three.1));
    assert!(one.2 != two.2 && one.2 != three.2 && two.2 != three.2);
}

#[test]
fn an_image_gives_back_what_was_put_in() {
    let other = Table::new("q", "v").with(Structure::of_slots(Kind::Heap, "T", 1));
    let bytes = common().using(&other, Kind::Heap, "T").image().expect("an image");
    let image = Image::verify(&bytes).expect("sound");
    assert_eq!((image.package(), image.unit()), (&b"test"[..], &b"common"[..]));
    assert_eq!((image.entry_count(), image.offset_count(), image.use_count()), (5, 8, 1));
    assert_eq!(image.using(0).table, other.id());
    let pair = (0..5).map(|i| image.entry(i)).find(|entry| entry.name == b"Pair").expect("an entry");
    assert_eq!((pair.kind, pair.fixed, pair.offsets), (Kind::Heap, 16, &[0, 0, 0, 0, 8, 0, 0, 0][..]));
}

#[test]
fn r7_2_c_a_table_that_lies_about_its_hashes_is_refused() {
    assert_eq!(rule(&forged(36, &[1; 16])), Some(ImageRule::Identity), "the table's UUID");
    let entry = HEADER_LEN + ENTRY_LEN;
    assert_eq!(rule(&forged(entry, &[7; 16])), Some(ImageRule::Identity), "a structure's UUID");
    assert_eq!(rule(&forged(entry + 16, &[7; 8])), Some(ImageRule::Tag), "tag1");
    assert_eq!(rule(&forged(entry + 24, &[7; 8])), Some(ImageRule::Tag), "tag2");
    assert_eq!(rule(&forged(entry + 32, &[7; 32])), Some(ImageRule::LayoutDigest), "the layout");
}

#[test]
fn r7_1_d_nil_and_repeated_identities_are_refused() {
    assert_eq!(rule(&forged(36, &[0; 16])), Some(ImageRule::Identity));
    assert_eq!(rule(&forged(HEADER_LEN, &[0; 16])), Some(ImageRule::Identity));
    let twice = Table::new("p", "u").with(Structure::of_slots(Kind::Heap, "S", 1)).with(Structure::of_slots(
        Kind::Heap,
        "S",
        1,
    ));
    assert_eq!(rule(&twice.image().expect("bytes")), Some(ImageRule::Order));
    // A structure of another table has an identity that is not that of its name in this one.
    let other = Table::new("p", "v").with(Structure::of_slots(Kind::Heap, "S", 1)).image().expect("bytes");
    let mut image = Table::new("p", "u").with(Structure::of_slots(Kind::Heap, "S", 1)).image().expect("bytes");
    let entry = HEADER_LEN..HEADER_LEN + ENTRY_LEN;
    image[entry.clone()].copy_from_slice(&other[entry]);
    assert_eq!(rule(&with_digest(image)), Some(ImageRule::Identity));
}

#[test]
fn each_rule_of_the_format_is_checked() {
    let good = common().image().expect("an image");
    assert_eq!(rule(&good), None);
    assert_eq!(rule(&[]), Some(ImageRule::Length));
    assert_eq!(rule(&forged(0, b"X")), Some(ImageRule::Magic));
    assert_eq!(rule(&forged(8, &[2])), Some(ImageRule::Version));
    assert_eq!(rule(&forged(10, &[0x12, 0x34])), Some(ImageRule::Version), "the other order of bytes");
    assert_eq!(rule(&forged(12, &[0])), Some(ImageRule::Size));
    for count in [16, 20, 24, 28] {
        assert_eq!(rule(&forged(count, &[0xff; 4])), Some(ImageRule::Size), "{count}");
    }
    assert_eq!(rule(&forged(32, &[0])), Some(ImageRule::Name), "no package");
    assert_eq!(rule(&forged(52, &[1])), Some(ImageRule::Reserved));
    let mut image = good.clone();
    let last = image.len() - 1;
    image[last] ^= 1;
    assert_eq!(rule(&image), Some(ImageRule::Digest));
    assert_eq!(rule(&forged(HEADER_LEN + 64, &[9])), Some(ImageRule::Kind));
    assert_eq!(rule(&forged(HEADER_LEN + 65, &[2])), Some(ImageRule::Kind));
    assert_eq!(rule(&forged(HEADER_LEN + 66, &[3])), Some(ImageRule::Kind));
    assert_eq!(rule(&forged(HEADER_LEN + 67, &[1])), Some(ImageRule::Reserved));
    assert_eq!(rule(&forged(HEADER_LEN + 76, &[0xff; 4])), Some(ImageRule::Layout));
    assert_eq!(rule(&forged(HEADER_LEN + 84, &[0xff; 4])), Some(ImageRule::Name));
    assert_eq!(rule(&forged(HEADER_LEN + 88, &[0xff; 4])), Some(ImageRule::Name));
    assert_eq!(rule(&forged(HEADER_LEN + 92, &[1])), Some(ImageRule::Reserved));
}

#[test]
fn layouts_that_cannot_be_are_refused() {
    let wrong = [
        Structure::new(Kind::Heap, "S", 12, &[]),
        Structure::new(Kind::Heap, "S", 16, &[16]),
        Structure::new(Kind::Heap, "S", 16, &[4]),
        Structure::new(Kind::Heap, "S", 16, &[8, 0]),
        Structure::new(Kind::Heap, "S", 16, &[0, 0]),
        Structure::new(Kind::Heap, "S", 16, &[]).with_bytes(0),
        Structure::new(Kind::Heap, "S", 16, &[]).with_bytes(5000),
        Structure::new(Kind::Frame, "S", 16, &[]).with_references(),
        Structure::new(Kind::Global, "S", 16, &[]).with_bytes(1),
        Structure::new(Kind::Heap, "S", 0x8000_0008, &[]),
    ];
    for structure in wrong {
        let image = Table::new("p", "u").with(structure.clone()).image().expect("bytes");
        assert_eq!(rule(&image), Some(ImageRule::Layout), "{structure:?}");
    }
    for name in ["", "with space", "tab\t", "ü", "nul\0"] {
        let image = Table::new("p", "u").with(Structure::of_slots(Kind::Heap, name, 1)).image().expect("bytes");
        assert_eq!(rule(&image), Some(ImageRule::Name), "{name:?}");
    }
    let long = "x".repeat(201);
    assert!(Table::new("p", "u").with(Structure::of_slots(Kind::Heap, &long, 1)).image().is_err());
}

#[test]
fn no_truncated_image_is_accepted() {
    let good = common().image().expect("an image");
    let step = if cfg!(miri) { 397 } else { 1 };
    for len in (0..good.len()).step_by(step) {
        assert!(rule(&good[..len]).is_some(), "{len}");
        let mut shorter = good[..len].to_vec();
        if len >= HEADER_LEN + 32 {
            // One who forges corrects length and digest.
            shorter[12..16].copy_from_slice(&(len as u32).to_le_bytes());
            assert!(rule(&with_digest(shorter)).is_some(), "{len}");
        }
    }
}

#[test]
fn no_changed_byte_is_accepted_even_with_its_digest() {
    let good = common().image().expect("an image");
    let body = good.len() - 32;
    let step = if cfg!(miri) { 397 } else { 1 };
    for at in (0..body).step_by(step) {
        for bit in [0x01, 0x10, 0x80] {
            let mut image = good.clone();
            image[at] ^= bit;
            assert!(rule(&image).is_some(), "{at}");
            assert!(rule(&with_digest(image)).is_some(), "{at}");
        }
    }
}

#[test]
fn a_refused_image_leaves_nothing_behind() {
    let mut runtime = empty_runtime(64 * KIB, config());
    let image = forged(HEADER_LEN + 16, &[7; 8]).leak();
    let refusal = runtime.attach(image, []);
    assert_eq!(refusal, Err(Refusal::Image(ImageRule::Tag, HEADER_LEN as u32 + 16)));
    assert_eq!((runtime.units().count(), runtime.census().count()), (0, 0));
}
