//! The tags of blocks.

use crate::support::{KIB, config, empty_runtime, start, twin};
use ironwall::tag::{self, Tags, is_confirmed};
use ironwall::{Failure, FaultCode, Kind, Origin, Uuid};
use ironwall_format::{Structure, Table};

#[test]
fn r7_2_b_every_flip_of_up_to_three_bits_is_found() {
    // Miri computes a confirmation in milliseconds, and there is nothing in it that it could find.
    let (seeds, bits) = if cfg!(miri) { (1, 12) } else { (3, 64) };
    for seed in 0..seeds {
        let tag1 = tag::tag1(Uuid([seed; 16]));
        assert!(is_confirmed(tag1));
        let mut tried = 0;
        for a in 0..bits {
            assert!(!is_confirmed(tag1 ^ 1 << a));
            for b in 0..a {
                assert!(!is_confirmed(tag1 ^ 1 << a ^ 1 << b));
                for c in 0..b {
                    assert!(!is_confirmed(tag1 ^ 1 << a ^ 1 << b ^ 1 << c));
                    tried += 1;
                }
                tried += 1;
            }
            tried += 1;
        }
        assert_eq!(tried, if cfg!(miri) { 12 + 66 + 220 } else { 64 + 2016 + 41_664 });
    }
}

#[test]
fn r7_2_b_every_burst_of_up_to_sixteen_bits_is_found() {
    let tag1 = tag::tag1(Uuid([9; 16]));
    let step = if cfg!(miri) { 6007 } else { 1 };
    for burst in (1..=0xffffu64).step_by(step) {
        for at in 0..=(burst.leading_zeros()) {
            assert!(!is_confirmed(tag1 ^ burst << at), "{burst:x} at {at}");
        }
    }
}

#[test]
fn r7_2_c_known_answers() {
    let table = Uuid::of_table(b"ironwall.example", b"list");
    let cell = Uuid::of_struct(table, Kind::Heap, b"Cell");
    let Tags { tag1, tag2, tag3 } = Tags::new(table, cell);
    assert_eq!([tag1, tag2, tag3].map(|tag| format!("{tag:016x}")), VECTORS);
}

/// Published in `docs/ironwall/table-image.md`.
const VECTORS: [&str; 3] = ["f91573ae88bc84ee", "e1a42e499afcc556", "cfc25fdbbb436dfe"];

#[test]
fn r7_2_a_objects_frames_and_globals_have_the_same_prefix() {
    let global = Structure::of_slots(Kind::Global, "G", 1);
    let table = Table::new("p", "u")
        .with(Structure::of_slots(Kind::Heap, "H", 1))
        .with(Structure::of_slots(Kind::Frame, "F", 1))
        .with(global.clone());
    let mut runtime = empty_runtime(64 * KIB, config());
    let words = crate::support::leak(5);
    words[..4].copy_from_slice(&table.prefix(&global));
    let image = crate::support::image(&table);
    runtime.attach(image, [ironwall::Region::from_words(words)]).expect("attached");
    crate::support::start_all(&mut runtime);
    let entry = |kind, name| runtime.entry(table.id(), table.structure_id(kind, name)).expect("an entry");
    let (object, frame) = (entry(Kind::Heap, "H"), entry(Kind::Frame, "F"));
    let object = runtime.allocate(object).expect("an object");
    let frame = runtime.push_frame(frame).expect("a frame");
    let global = runtime.globals().next().expect("a global");
    for (block, kind, name, last) in
        [(object, Kind::Heap, "H", 8), (frame, Kind::Frame, "F", 0), (global, Kind::Global, "G", 8)]
    {
        let Tags { tag1, tag2, tag3 } = Tags::new(table.id(), table.structure_id(kind, name));
        assert_eq!(runtime.prefix(block), Ok([tag1, tag2, tag3, last]), "{name}");
        assert!(block.address().is_multiple_of(8));
    }
}

#[test]
fn r7_2_e_objects_with_the_same_tag1_keep_their_own_layouts() {
    for [(unit_a, name_a), (unit_b, name_b)] in COLLISIONS {
        let structure = |slots| move |name| Structure::new(Kind::Heap, name, 32, slots);
        let (wide, narrow) = (structure(&[0, 8]), structure(&[]));
        let tables = if unit_a == unit_b {
            vec![Table::new("collision", unit_a).with(wide(name_a)).with(narrow(name_b))]
        } else {
            vec![
                Table::new("collision", unit_a).with(wide(name_a)),
                Table::new("collision", unit_b).with(narrow(name_b)),
            ]
        };
        let (of_a, of_b) = (&tables[0], &tables[tables.len() - 1]);
        let (a, b) = (of_a.structure_id(Kind::Heap, name_a), of_b.structure_id(Kind::Heap, name_b));
        assert_eq!(tag::tag1(a), tag::tag1(b), "{name_a} and {name_b}");

        let frame = Table::new("p", "frame").with(Structure::of_slots(Kind::Frame, "F", 2));
        let mut runtime = empty_runtime(64 * KIB, config());
        start(&mut runtime, &tables.iter().chain([&frame]).collect::<Vec<_>>());
        let entry_a = runtime.entry(of_a.id(), a).expect("an entry");
        let entry_b = runtime.entry(of_b.id(), b).expect("an entry");
        assert_ne!(entry_a, entry_b);
        let entry_f = runtime.entry(frame.id(), frame.structure_id(Kind::Frame, "F")).expect("an entry");
        let frame = runtime.push_frame(entry_f).expect("a frame");
        // What the first refers to lives, and the same words in the second are no references.
        let child = runtime.allocate(entry_b).expect("an object");
        let (one, two) = (runtime.allocate(entry_a).expect("one"), runtime.allocate(entry_b).expect("two"));
        runtime.store(one, 8, child.address()).expect("a slot");
        runtime.store(two, 0, 12345).expect("a word");
        runtime.store(frame, 0, one.address()).expect("a slot");
        runtime.store(frame, 8, two.address()).expect("a slot");
        let report = runtime.collect(Origin::Program, 0).expect("a collection");
        assert_eq!((report.live, report.dead), (3, 0));
        assert_eq!(runtime.identity(one), Ok((of_a.id(), a)));
        assert_eq!(runtime.identity(two), Ok((of_b.id(), b)));
    }
}

#[test]
fn r7_2_d_r7_2_e_a_shared_tag1_without_its_other_tags_is_damage() {
    for [(unit_a, name_a), (unit_b, name_b)] in COLLISIONS.into_iter().filter(|[a, b]| a.0 != b.0) {
        // Only one of the two tables is attached; a block with the other's tags names nothing.
        let one = Table::new("collision", unit_a).with(Structure::of_slots(Kind::Heap, name_a, 1));
        let other = Table::new("collision", unit_b);
        let foreign = Tags::new(other.id(), other.structure_id(Kind::Heap, name_b));
        for (tag3_is_foreign, code) in [(true, FaultCode::Tag3Wrong), (false, FaultCode::Tag2Wrong)] {
            let heap = ironwall::Region::from_words(crate::support::leak(64 * KIB / 8));
            let config = config();
            let words = ironwall::Runtime::bookkeeping_words(heap.byte_len(), &config).expect("a length");
            let region = twin(&heap);
            let mut runtime = ironwall::Runtime::new(region, crate::support::leak(words), config).expect("a runtime");
            let unit = start(&mut runtime, &[&one])[0];
            let entry = runtime.entry_at(unit, 0).expect("an entry");
            let object = runtime.allocate(entry).expect("an object");
            runtime.handle(object).expect("a handle");
            let own = runtime.prefix(object).expect("a block");
            assert_eq!(own[0], foreign.tag1);
            let forged = [foreign.tag1, foreign.tag2, if tag3_is_foreign { foreign.tag3 } else { own[2] }];
            let offset = heap.offset(object.address()).expect("in the heap");
            for (i, tag) in forged.into_iter().enumerate() {
                // SAFETY: the words are in the heap's region, which nothing else uses at the moment.
                unsafe { heap.pointer(offset + i * 8).cast::<u64>().write(tag) };
            }
            let outcome = runtime.collect(Origin::Program, 0);
            let Err(Failure::Fault(record)) = outcome else { panic!("no fault: {outcome:?}") };
            assert_eq!(record.code, code);
        }
    }
}

/// Pairs of structures of the package `collision`, by unit and name, whose `tag1` is the same; found with
/// `cargo run --release -p ironwall-format --example collisions 25`.
const COLLISIONS: [[(&str, &str); 2]; 8] = [
    [("one", "S1be1b58"), ("two", "Sc010f9")],
    [("one", "S1cbb8b6"), ("two", "S404c79")],
    [("one", "S2b5862"), ("two", "S14ac9b")],
    [("one", "Sa9e125"), ("one", "S13c656d")],
    [("one", "S40ce3c"), ("one", "Seddcdd")],
    [("one", "S7cde1"), ("one", "S37ecc6")],
    [("two", "Sb74c52"), ("two", "Sec2476")],
    [("two", "Sd4113b"), ("two", "S164e885")],
];
