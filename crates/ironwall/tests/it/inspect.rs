//! What a stopped heap tells about itself.

use crate::support::{KIB, World, config};
use ironwall::{Block, Kind, Refusal, Runtime};
use std::collections::BTreeSet;

#[test]
fn objects_are_enumerated_before_and_after_a_collection() {
    let mut world = World::new(1024 * KIB);
    let (bytes, frame) = (world.entry(Kind::Heap, "Bytes"), world.frame());
    let mut made = BTreeSet::new();
    for i in 0..if cfg!(miri) { 120 } else { 2000 } {
        let block = match i % 400 {
            0 => world.runtime.allocate_extent(bytes, 30_000 + i),
            _ if i % 3 == 0 => world.runtime.allocate_extent(bytes, 8 + i % 100),
            _ => Ok(world.pair()),
        };
        made.insert(block.expect("an object"));
    }
    let enumerated = |world: &World| world.runtime.objects().collect::<Vec<Block>>();
    assert_eq!(enumerated(&world), made.iter().copied().collect::<Vec<_>>(), "in ascending order");
    assert!(made.iter().all(|block| world.runtime.heap_range().contains(&block.address())));
    let kept = *made.iter().nth(77).expect("an object");
    world.set(frame, 0, kept);
    world.collect();
    assert_eq!(enumerated(&world), [kept]);
    let new = world.pair();
    assert_eq!(enumerated(&world).into_iter().collect::<BTreeSet<_>>(), BTreeSet::from([kept, new]));
}

#[test]
fn a_block_tells_its_entry_its_extent_and_its_references() {
    let mut world = World::new(256 * KIB);
    let (array, pair) = (world.entry(Kind::Heap, "Array"), world.pair());
    let block = world.runtime.allocate_extent(array, 24).expect("an array");
    world.runtime.store(block, 16, pair.address()).expect("a slot");
    assert_eq!(world.runtime.describe(block), Ok((array, 24)));
    let words: Vec<_> = world.runtime.references(block).expect("a block").collect();
    assert_eq!(words, [(8, 0), (16, pair.address())], "the first word is no reference");
    let frame = world.frame();
    world.set(frame, 2, block);
    assert_eq!(world.runtime.describe(frame), Ok((world.entry(Kind::Frame, "main"), 32)));
    let words: Vec<_> = world.runtime.references(frame).expect("a frame").collect();
    assert_eq!(words, [(0, 0), (8, 0), (16, block.address()), (24, 0)]);
    let nothing = Block::from_word(pair.address() + 16).expect("a word");
    assert_eq!(world.runtime.describe(nothing), Err(Refusal::NotABlock));
    assert_eq!(world.runtime.references(nothing).err(), Some(Refusal::NotABlock));
}

#[test]
fn an_extent_beyond_its_slot_is_no_block() {
    let mut world = World::new(256 * KIB);
    let bytes = world.entry(Kind::Heap, "Bytes");
    let block = world.runtime.allocate_extent(bytes, 16).expect("bytes");
    world.smash(block, 3, |_| 4096);
    assert_eq!(world.runtime.load(block, 2048), Err(Refusal::NotABlock));
    assert_eq!(world.runtime.describe(block), Err(Refusal::NotABlock));
}

#[test]
fn roots_are_enumerated_in_a_fixed_order() {
    let mut world = World::new(256 * KIB);
    let (outer, inner) = (world.frame(), world.frame());
    let blocks: Vec<Block> = (0..3).map(|_| world.pair()).collect();
    let handles: Vec<_> = blocks.iter().map(|&block| world.runtime.handle(block).expect("a handle")).collect();
    world.runtime.release(handles[1]).expect("a handle");
    assert_eq!(world.runtime.frames().collect::<Vec<_>>(), [inner, outer]);
    assert_eq!(world.runtime.handles().collect::<Vec<_>>(), [(0, blocks[0]), (2, blocks[2])]);
    assert_eq!(world.runtime.globals().count(), 0);
}

#[test]
fn frames_in_a_circle_are_enumerated_finitely() {
    let config = config();
    let frames = crate::support::twin(&config.frames);
    let mut world = World::with(256 * KIB, config);
    let (outer, inner) = (world.frame(), world.frame());
    let offset = frames.offset(outer.address()).expect("in the shadow stack");
    // SAFETY: the word is in the shadow stack, which nothing else uses at the moment.
    unsafe { frames.pointer(offset + 24).cast::<u64>().write(inner.address()) };
    assert!(world.runtime.frames().count() <= frames.byte_len() / 32);
}

#[test]
fn a_runtime_goes_to_another_thread() {
    let mut world = World::new(128 * KIB);
    let frame = world.frame();
    let root = world.pair();
    world.set(frame, 0, root);
    let (mut runtime, live): (Runtime<'static>, u64) = std::thread::spawn(move || {
        let report = world.runtime.collect(ironwall::Origin::Host, 0).expect("a collection");
        (world.runtime, report.live)
    })
    .join()
    .expect("no panic");
    assert_eq!((live, runtime.load(root, 0)), (1, Ok(0)));
    runtime.pop_frame(frame).expect("the newest");
}
