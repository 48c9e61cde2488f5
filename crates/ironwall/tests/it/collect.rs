//! Allocation and collection.

use crate::support::{KIB, World, config, empty_runtime};
use ironwall::{Block, EntryId, Kind, Origin, PageCall, Refusal, Region, Stack};

#[test]
fn r3_1_reachable_objects_stay_and_the_rest_goes() {
    let mut world = World::new(128 * KIB);
    let frame = world.frame();
    let (root, child, dead) = (world.pair(), world.pair(), world.pair());
    world.set(frame, 0, root);
    world.set(root, 1, child);
    world.set(dead, 0, root);
    let report = world.collect();
    assert_eq!((report.live, report.dead, report.frames), (2, 1, 1));
    assert_eq!(report.live_bytes, 32);
    assert_eq!(world.runtime.load(root, 8), Ok(child.address()));
    assert_eq!(world.runtime.load(dead, 0), Err(Refusal::NotABlock));
}

#[test]
fn r3_1_cycles_are_no_roots() {
    let mut world = World::new(128 * KIB);
    let (a, b) = (world.pair(), world.pair());
    world.set(a, 0, b);
    world.set(b, 0, a);
    assert_eq!(world.collect().dead, 2);
}

#[test]
fn r2_c_r3_3_a_exhaustion_is_an_error_and_no_collection() {
    let mut world = World::new(128 * KIB);
    let pair = world.entry(Kind::Heap, "Pair");
    let mut made = 0;
    let refusal = loop {
        match world.runtime.allocate(pair) {
            Ok(_) => made += 1,
            Err(refusal) => break refusal,
        }
    };
    assert_eq!(refusal, Refusal::OutOfMemory);
    assert_eq!(made, 2 * (65536 / 48));
    assert_eq!(world.runtime.collections(), 0);
    assert_eq!(world.runtime.allocate(pair), Err(Refusal::OutOfMemory));
    assert_eq!(world.collect().dead, made, "all of it is there after a collection that was asked for");
    for _ in 0..made {
        world.pair();
    }
}

#[test]
fn r3_3_a_ten_million_objects_without_a_collection() {
    let count: usize = if cfg!(miri) { 100 } else { 10_000_000 };
    let mut world = World::new((count * 49).next_multiple_of(64 * KIB) + 64 * KIB);
    for _ in 0..count {
        world.pair();
    }
    assert_eq!(world.runtime.collections(), 0);
    assert_eq!(world.collect().dead, count as u64);
}

#[test]
fn r2_a_a_list_of_ten_million_is_marked_on_a_small_stack() {
    let count: usize = if cfg!(miri) { 100 } else { 10_000_000 };
    let work = move || {
        let mut world = World::new((count * 49).next_multiple_of(64 * KIB) + 64 * KIB);
        let frame = world.frame();
        for _ in 0..count {
            let cell = world.pair();
            let head = world.runtime.load(frame, 0).expect("a slot");
            world.runtime.store(cell, 8, head).expect("a slot");
            world.set(frame, 0, cell);
        }
        let report = world.collect();
        assert_eq!((report.live, report.dead), (count as u64, 0));
    };
    let stack = if cfg!(miri) { 1 << 20 } else { 64 * KIB };
    std::thread::Builder::new().stack_size(stack).spawn(work).expect("a thread").join().expect("no overflow");
}

#[test]
fn r3_2_b_a_call_is_one_complete_cycle() {
    let mut world = World::new(128 * KIB);
    let frame = world.frame();
    let root = world.pair();
    world.set(frame, 0, root);
    let first = world.collect();
    let second = world.collect();
    assert_eq!((first.sequence, second.sequence), (1, 2));
    assert_eq!((first.digest, first.live), (second.digest, second.live));
}

#[test]
fn r3_3_b_c_r5_c_program_and_host_get_the_same() {
    let report = |origin| {
        let mut world = World::new(128 * KIB);
        let frame = world.frame();
        let root = world.pair();
        world.set(frame, 2, root);
        world.pair();
        world.runtime.collect(origin, 7).expect("a collection")
    };
    let (program, host) = (report(Origin::Program), report(Origin::Host));
    assert_ne!(program.origin, host.origin);
    assert_eq!(ironwall::Report { origin: Origin::Program, ..host }, program);
}

#[test]
fn r5_a_r5_b_the_entry_is_a_function_and_the_dead_are_gone_on_return() {
    let collect: for<'a> fn(&'a mut _, _, _) -> _ = ironwall::Runtime::collect;
    let mut world = World::new(128 * KIB);
    let dead = world.pair();
    collect(&mut world.runtime, Origin::Program, 0).expect("a collection");
    assert_eq!(world.runtime.prefix(dead), Err(Refusal::NotABlock));
}

#[test]
fn a_dead_object_is_wiped_and_a_new_one_is_zero() {
    for wipes in [true, false] {
        let mut world = World::with(128 * KIB, ironwall::Config { wipes, ..config() });
        let dead = world.pair();
        let kept = world.pair();
        let frame = world.frame();
        world.set(frame, 0, kept);
        world.set(dead, 0, kept);
        world.collect();
        let offset = world.heap.offset(dead.address()).expect("in the heap");
        let mut word = 0;
        world.smash(dead, 4, |was| {
            word = was;
            was
        });
        assert_eq!(word == 0, wipes, "{offset}");
        let new = world.pair();
        assert_eq!(new, dead, "the hole is used again");
        assert_eq!(world.runtime.load(new, 0), Ok(0));
    }
}

#[test]
fn memory_that_is_not_zero_is_zeroed() {
    let config = ironwall::Config { heap_is_zeroed: false, wipes: false, ..config() };
    let mut world = World::with(256 * KIB, config);
    for offset in (0..world.heap.byte_len()).step_by(8) {
        // SAFETY: the heap's region is not in use.
        unsafe { world.heap.pointer(offset).cast::<u64>().write(u64::MAX) };
    }
    let pair = world.pair();
    assert_eq!(world.runtime.load(pair, 8), Ok(0));
    let bytes = world.entry(Kind::Heap, "Bytes");
    let large = world.runtime.allocate_extent(bytes, 100_000).expect("a large object");
    assert_eq!(world.runtime.load(large, 99_992), Ok(0));
}

#[test]
fn every_size_is_allocated_found_and_reclaimed() {
    let mut world = World::new(8192 * KIB);
    let bytes = world.entry(Kind::Heap, "Bytes");
    let frame = world.frame();
    let sizes = (8..700).step_by(if cfg!(miri) { 97 } else { 1 }).chain((700..40_000).step_by(3333));
    for (i, extent) in sizes.enumerate() {
        let extent = extent as u64;
        let block = world.runtime.allocate_extent(bytes, extent).expect("bytes");
        let last = (extent - 1) & !7;
        world.runtime.store(block, last, u64::MAX).expect("the last word");
        world.set(frame, 0, block);
        if i % 16 == 0 {
            let report = world.collect();
            assert_eq!((report.live, report.live_bytes), (1, extent));
            assert_eq!(world.runtime.load(block, last), Ok(u64::MAX));
            assert_eq!(world.runtime.load(block, extent.next_multiple_of(8)), Err(Refusal::BadOffset));
        }
    }
}

#[test]
fn an_extent_that_the_entry_does_not_allow_is_refused() {
    let mut world = World::new(128 * KIB);
    let (pair, bytes) = (world.entry(Kind::Heap, "Pair"), world.entry(Kind::Heap, "Bytes"));
    let array = world.entry(Kind::Heap, "Array");
    assert_eq!(world.runtime.allocate_extent(pair, 24), Err(Refusal::BadExtent));
    assert_eq!(world.runtime.allocate_extent(bytes, 7), Err(Refusal::BadExtent));
    assert_eq!(world.runtime.allocate_extent(bytes, u64::MAX), Err(Refusal::BadExtent));
    assert_eq!(world.runtime.allocate_extent(array, 12), Err(Refusal::BadExtent));
    assert_eq!(world.runtime.allocate_extent(bytes, 1 << 31), Err(Refusal::OutOfMemory));
    let frame = world.entry(Kind::Frame, "main");
    assert_eq!(world.runtime.allocate(frame), Err(Refusal::NoSuchEntry));
    assert_eq!(world.runtime.allocate(EntryId::from_number(9999)), Err(Refusal::NoSuchEntry));
}

#[test]
fn large_objects_end_at_a_guard_page() {
    static CALLS: std::sync::Mutex<Vec<(PageCall, usize, usize)>> = std::sync::Mutex::new(Vec::new());
    let note = |call, page: *mut u8, len| CALLS.lock().expect("no panic").push((call, page.addr(), len));
    let heap_len = 512 * KIB;
    let words = crate::support::leak(heap_len / 8 + 512);
    let skip = words.as_ptr().addr().wrapping_neg() % 4096 / 8;
    let heap = ironwall::Region::from_words(&mut words[skip..skip + heap_len / 8]);
    let config = ironwall::Config { pages: Some(note), ..config() };
    let bookkeeping = crate::support::leak(ironwall::Runtime::bookkeeping_words(heap_len, &config).expect("a length"));
    let mut runtime = ironwall::Runtime::new(heap, bookkeeping, config).expect("a runtime");
    let table = crate::support::common();
    crate::support::start(&mut runtime, &[&table]);
    let array = runtime.entry(table.id(), table.structure_id(Kind::Heap, "Array")).expect("an entry");
    let block = runtime.allocate_extent(array, 80_000).expect("a large object");
    let end = block.address() as usize + 32 + 80_000;
    assert_eq!(*CALLS.lock().expect("no panic"), [(PageCall::Protect, end, 4096)]);
    assert_eq!(runtime.prefix(block).expect("a block")[3], 80_000);
    let handle = runtime.handle(block).expect("a handle");
    assert_eq!(runtime.collect(Origin::Program, 0).expect("a collection").live, 1);
    runtime.release(handle).expect("held");
    assert_eq!(runtime.collect(Origin::Program, 0).expect("a collection").dead, 1);
    assert_eq!(CALLS.lock().expect("no panic")[1], (PageCall::Unprotect, end, 4096));
}

#[test]
fn arrays_and_globals_are_followed() {
    let mut world = World::new(1024 * KIB);
    let array = world.entry(Kind::Heap, "Array");
    let count = if cfg!(miri) { 200 } else { 5000 };
    let block = world.runtime.allocate_extent(array, 8 + 8 * count).expect("an array");
    let frame = world.frame();
    world.set(frame, 3, block);
    for i in 0..count {
        if i % 7 == 0 {
            let pair = world.pair();
            world.set(block, 1 + i, pair);
        }
        world.pair();
    }
    let report = world.collect();
    assert_eq!((report.live, report.dead), (1 + count.div_ceil(7), count));
}

#[test]
fn frames_pop_in_order_and_their_slots_begin_empty() {
    let mut world = World::new(128 * KIB);
    let entry = world.entry(Kind::Frame, "main");
    let pair = world.pair();
    let outer = world.frame();
    world.set(outer, 0, pair);
    assert_eq!(world.runtime.store(outer, 32, pair.address()), Err(Refusal::BadOffset));
    let inner = world.frame();
    assert!(inner < outer, "frames grow down");
    assert_eq!(world.runtime.load(inner, 0), Ok(0));
    world.runtime.pop_frame(inner).expect("the newest");
    assert_eq!(world.collect().live, 1);
    world.runtime.pop_frame(outer).expect("the newest");
    assert_eq!(world.runtime.load(outer, 0), Err(Refusal::NotABlock));
    assert_eq!(world.collect().live, 0);
    let first = world.frame();
    let second = world.frame();
    assert_eq!(world.runtime.pop_frame(first), Err(Refusal::NotNewestFrame));
    world.runtime.pop_frame(second).expect("the newest");
    world.runtime.pop_frame(first).expect("the newest");
    let mut frames = 0;
    while world.runtime.push_frame(entry).is_ok() {
        frames += 1;
    }
    assert_eq!(frames, 512 * 8 / 64);
    assert_eq!(world.runtime.push_frame(entry), Err(Refusal::FramesFull));
}

#[test]
fn r3_1_frames_of_other_stacks_are_roots_and_pop_in_their_own_order() {
    let mut world = World::new(128 * KIB);
    let mut other = Stack::new(Region::from_words(crate::support::leak(64)));
    let mine = world.frame();
    world.runtime.swap_stack(&mut other);
    let (theirs, kept) = (world.frame(), world.pair());
    world.set(theirs, 0, kept);
    assert_eq!(world.runtime.pop_frame(mine), Err(Refusal::NotNewestFrame));
    world.runtime.swap_stack(&mut other);
    assert_eq!(world.runtime.load(theirs, 0), Err(Refusal::NotABlock), "calls see one stack");
    let mut stacks = [other];
    let report = world.runtime.collect_with(&stacks, Origin::Program, 0).expect("a collection");
    assert_eq!((report.frames, report.live), (2, 1));
    world.runtime.pop_frame(mine).expect("the newest of this stack");
    world.runtime.swap_stack(&mut stacks[0]);
    world.runtime.pop_frame(theirs).expect("the newest of that stack");
    assert_eq!(world.collect().dead, 1);
}

#[test]
fn handles_are_counted_roots() {
    let mut world = World::new(128 * KIB);
    let pair = world.pair();
    let handle = world.runtime.handle(pair).expect("a handle");
    world.runtime.retain(handle).expect("held");
    world.runtime.release(handle).expect("held");
    assert_eq!((world.collect().live, world.runtime.get(handle)), (1, Ok(pair)));
    world.runtime.release(handle).expect("held");
    assert_eq!(world.runtime.release(handle), Err(Refusal::StaleHandle));
    assert_eq!(world.runtime.get(handle), Err(Refusal::StaleHandle));
    assert_eq!(world.collect().live, 0);
    assert_eq!(world.runtime.handle(pair), Err(Refusal::NotABlock));
    let pair = world.pair();
    for _ in 0..8 {
        world.runtime.handle(pair).expect("a handle");
    }
    assert_eq!(world.runtime.handle(pair), Err(Refusal::HandlesFull));
    assert_eq!(world.runtime.get(handle), Err(Refusal::StaleHandle), "its place is used again, not its number");
}

#[test]
fn a_handle_on_a_frame_is_refused_and_not_a_fault_later() {
    let mut world = World::new(128 * KIB);
    let frame = world.frame();
    assert_eq!(world.runtime.handle(frame), Err(Refusal::NotABlock));
    assert_eq!(world.collect().handles, 0);
}

#[test]
fn words_that_name_no_block_are_refused() {
    let mut world = World::new(128 * KIB);
    let pair = world.pair();
    for address in [pair.address() + 16, pair.address() + 48, pair.address() + 1, 8, u64::MAX] {
        let block = Block::from_word(address).expect("not zero");
        assert_eq!(world.runtime.load(block, 0), Err(Refusal::NotABlock), "{address:#x}");
    }
    assert_eq!(world.runtime.load(pair, 4), Err(Refusal::BadOffset));
    assert_eq!(world.runtime.load(pair, u64::MAX - 7), Err(Refusal::BadOffset));
}

#[test]
fn unusable_memory_is_refused() {
    let config = config();
    assert_eq!(ironwall::Runtime::bookkeeping_words(1000, &config), None);
    let heap = ironwall::Region::from_words(crate::support::leak(64 * KIB / 8));
    let refusal = ironwall::Runtime::new(heap, crate::support::leak(100), config).err();
    assert_eq!(refusal, Some(Refusal::BadRegion));
    let mut runtime = empty_runtime(64 * KIB, crate::support::config());
    assert_eq!(runtime.collect(Origin::Program, 0).expect("a collection").live, 0, "an empty runtime can collect");
}
