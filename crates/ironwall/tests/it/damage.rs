//! Damage: every fault has a trigger, is found before anything is reclaimed, and seals the heap.

use crate::support::{KIB, World, config, twin};
use ironwall::tag::Tags;
use ironwall::{Block, Failure, FaultCode, FaultRecord, Kind, Origin, Phase, Refusal, Uuid};
use std::sync::Mutex;

/// Collects, expects a fault, and checks that the heap is sealed as it was.
fn fault(world: &mut World) -> FaultRecord {
    let dead = world.pair();
    let dead_prefix = world.runtime.prefix(dead).expect("a block");
    let outcome = world.runtime.collect(Origin::Program, 0);
    let Err(Failure::Fault(record)) = outcome else { panic!("no fault: {outcome:?}") };
    assert_eq!(world.runtime.fault(), Some(&record));
    assert_eq!(world.runtime.collect(Origin::Program, 0), Err(Failure::Refused(Refusal::Sealed)));
    assert_eq!(world.runtime.collections(), 0);
    assert_eq!(world.runtime.prefix(dead), Ok(dead_prefix), "nothing is reclaimed");
    let bytes = world.entry(Kind::Heap, "Bytes");
    assert_eq!(world.runtime.allocate(bytes), Err(Refusal::Sealed));
    assert_eq!(world.runtime.push_frame(world.entry(Kind::Frame, "main")), Err(Refusal::Sealed));
    record
}

/// A world with a rooted object whose first slot holds a second.
fn chain() -> (World, Block, Block) {
    let mut world = World::new(256 * KIB);
    let frame = world.frame();
    let (one, two) = (world.pair(), world.pair());
    world.set(frame, 0, one);
    world.set(one, 0, two);
    (world, one, two)
}

#[test]
fn r6_e_a_reference_outside_the_heap() {
    for word in [16, 0x7fff_0000, 0xffff_ffff_ffff_fff0] {
        let (mut world, one, _) = chain();
        world.runtime.store(one, 8, word).expect("a slot");
        let record = fault(&mut world);
        assert_eq!((record.code, record.phase), (FaultCode::OutsideHeap, Phase::Mark));
        assert_eq!((record.address, record.referrer, record.offset), (word, one.address(), 8));
        assert_eq!((record.table, record.structure), (world.table.id(), world.table.structure_id(Kind::Heap, "Pair")));
    }
}

#[test]
fn r6_e_a_reference_into_unused_blocks() {
    let (mut world, one, _) = chain();
    world.runtime.store(one, 8, one.address() + 128 * KIB as u64).expect("a slot");
    assert_eq!(fault(&mut world).code, FaultCode::OutsideHeap);
}

#[test]
fn r6_e_a_reference_that_is_not_exactly_a_start() {
    for (delta, code) in [
        (1, FaultCode::Misaligned),
        (8, FaultCode::Misaligned),
        (16, FaultCode::NotAllocated),
        (32, FaultCode::NotAllocated),
        (48 * 3, FaultCode::NotAllocated),
    ] {
        let (mut world, one, two) = chain();
        world.runtime.store(one, 8, two.address() + delta).expect("a slot");
        assert_eq!(fault(&mut world).code, code, "{delta}");
    }
}

#[test]
fn r6_e_a_reference_to_a_reclaimed_object() {
    let (mut world, one, two) = chain();
    world.runtime.store(one, 0, 0).expect("a slot");
    world.collect();
    world.set(one, 0, two);
    let outcome = world.runtime.collect(Origin::Program, 0);
    assert!(matches!(outcome, Err(Failure::Fault(FaultRecord { code: FaultCode::NotAllocated, .. }))));
}

#[test]
fn r6_e_r7_2_d_damaged_prefixes() {
    let table = crate::support::common();
    let frame = Tags::new(table.id(), table.structure_id(Kind::Frame, "main"));
    let bytes = Tags::new(table.id(), table.structure_id(Kind::Heap, "Bytes"));
    let stranger = Tags::new(Uuid([1; 16]), Uuid([2; 16]));
    let cases: [(&[(usize, u64)], FaultCode); 8] = [
        (&[(0, 0)], FaultCode::Tag1Confirm),
        (&[(0, u64::MAX)], FaultCode::Tag1Confirm),
        (&[(0, stranger.tag1)], FaultCode::Tag1Unknown),
        (&[(2, stranger.tag3)], FaultCode::Tag3Wrong),
        (&[(1, stranger.tag2)], FaultCode::Tag2Wrong),
        (&[(0, bytes.tag1)], FaultCode::Tag2Wrong),
        (&[(0, frame.tag1), (1, frame.tag2)], FaultCode::KindWrong),
        (&[(3, 24)], FaultCode::ExtentWrong),
    ];
    for (changes, code) in cases {
        let (mut world, one, two) = chain();
        for &(word, value) in changes {
            world.smash(two, word, |_| value);
        }
        let record = fault(&mut world);
        assert_eq!((record.code, record.phase, record.address), (code, Phase::Mark, two.address()));
        assert_eq!((record.referrer, record.offset), (one.address(), 0), "who refers to it is found");
    }
}

#[test]
fn r6_e_an_extent_beyond_the_slot() {
    let mut world = World::new(256 * KIB);
    let (frame, bytes) = (world.frame(), world.entry(Kind::Heap, "Bytes"));
    let block = world.runtime.allocate_extent(bytes, 16).expect("bytes");
    world.set(frame, 0, block);
    world.smash(block, 3, |_| 17);
    let record = fault(&mut world);
    assert_eq!((record.code, record.referrer), (FaultCode::ExtentWrong, 0));
}

#[test]
fn r7_2_b_flipped_tags_are_never_looked_up() {
    let (mut world, _, two) = chain();
    world.smash(two, 0, |tag1| tag1 ^ 0x0400_0000_0000);
    let before = world.runtime.lookups();
    let outcome = world.runtime.collect(Origin::Program, 0);
    assert!(matches!(outcome, Err(Failure::Fault(FaultRecord { code: FaultCode::Tag1Confirm, .. }))));
    // The frame, the first object, and the first object again when the referrer is sought.
    assert_eq!(world.runtime.lookups() - before, 3);
}

#[test]
fn r6_e_frames_out_of_bounds_and_out_of_order() {
    type Previous = fn(Block, Block) -> u64;
    let cases: [(Previous, FaultCode); 5] = [
        (|_, frame| frame.address(), FaultCode::FrameOrder),
        (|_, _| 4096, FaultCode::FrameBounds),
        (|outer, _| outer.address() + 4, FaultCode::FrameBounds),
        (|outer, _| outer.address() + 32, FaultCode::Tag1Confirm),
        (|_, _| u64::MAX, FaultCode::FrameBounds),
    ];
    for (previous, code) in cases {
        let config = config();
        let frames = twin(&config.frames);
        let mut world = World::with(256 * KIB, config);
        let outer = world.frame();
        let frame = world.frame();
        let offset = frames.offset(frame.address()).expect("in the shadow stack");
        // SAFETY: the word is in the shadow stack, which nothing else uses at the moment.
        unsafe { frames.pointer(offset + 24).cast::<u64>().write(previous(outer, frame)) };
        let outcome = world.runtime.collect(Origin::Program, 0);
        let Err(Failure::Fault(record)) = outcome else { panic!("no fault: {outcome:?}") };
        assert_eq!((record.code, record.phase, record.root), (code, Phase::Frames, 1));
    }
}

#[test]
fn r6_e_a_frame_slot_that_holds_damage_names_the_frame() {
    let (mut world, ..) = chain();
    let frame = world.frame();
    world.runtime.store(frame, 16, 48).expect("a slot");
    let record = fault(&mut world);
    assert_eq!((record.code, record.phase, record.root, record.offset), (FaultCode::OutsideHeap, Phase::Frames, 0, 16));
    assert_eq!(record.structure, world.table.structure_id(Kind::Frame, "main"));
}

#[test]
fn r6_e_a_handle_whose_object_was_overwritten() {
    let mut world = World::new(256 * KIB);
    let pair = world.pair();
    world.runtime.handle(pair).expect("a handle");
    world.smash(pair, 0, |_| 0);
    let record = fault(&mut world);
    assert_eq!((record.code, record.phase, record.address), (FaultCode::Tag1Confirm, Phase::Mark, pair.address()));
}

#[test]
fn r6_e_the_first_fault_is_told_once() {
    static TOLD: Mutex<Vec<FaultRecord>> = Mutex::new(Vec::new());
    let config = ironwall::Config { on_fault: Some(|record| TOLD.lock().expect("no panic").push(*record)), ..config() };
    let mut world = World::with(128 * KIB, config);
    let frame = world.frame();
    world.runtime.store(frame, 0, 1).expect("a slot");
    let record = fault(&mut world);
    assert_eq!(*TOLD.lock().expect("no panic"), [record]);
    assert_eq!(record.code, FaultCode::Misaligned);
}

#[test]
fn odd_words_are_no_references_where_the_entry_says_so() {
    use crate::support::{empty_runtime, start};
    use ironwall_format::{Structure, Table};
    let table = Table::new("test", "odd")
        .with(Structure::of_slots(Kind::Heap, "Value", 1).with_odd_words())
        .with(Structure::of_slots(Kind::Frame, "frame", 1));
    let mut runtime = empty_runtime(128 * KIB, config());
    start(&mut runtime, &[&table]);
    let entry = |kind, name| runtime.entry(table.id(), table.structure_id(kind, name)).expect("an entry");
    let (value, frame) = (entry(Kind::Heap, "Value"), entry(Kind::Frame, "frame"));
    let frame = runtime.push_frame(frame).expect("a frame");
    let value = runtime.allocate(value).expect("a value");
    runtime.store(frame, 0, value.address()).expect("a slot");
    runtime.store(value, 0, 85).expect("a slot");
    assert_eq!(runtime.collect(Origin::Program, 0).expect("a collection").live, 1);
    runtime.store(value, 0, 84).expect("a slot");
    assert!(matches!(runtime.collect(Origin::Program, 0), Err(Failure::Fault(_))));
}
