//! Fork: what is copied, what is shared, what stays behind.

use super::*;
use crate::mm::FutexKey;

#[test]
fn a_write_after_fork_is_seen_by_one_side_only() {
    let bench = Bench::new();
    let parent = bench.mm();
    parent.map(&fixed(AT, 2, RW)).expect("room");
    put(&parent, AT, 1).expect("mapped");
    put(&parent, AT + PAGE_SIZE, 2).expect("mapped");
    let child = parent.fork().expect("memory");
    assert_eq!(bench.used(), 2, "fork copies no page");
    put(&parent, AT, 3).expect("mapped");
    put(&child, AT + PAGE_SIZE, 4).expect("mapped");
    let both = |mm: &Mm| (byte(mm, AT).expect("mapped"), byte(mm, AT + PAGE_SIZE).expect("mapped"));
    assert_eq!((both(&parent), both(&child)), ((3, 2), (1, 4)));
    assert_eq!(bench.used(), 4);
    drop(parent);
    assert_eq!((both(&child), bench.used()), ((1, 4), 2));
    put(&child, AT, 5).expect("the last user writes in place");
    assert_eq!(bench.used(), 2);
}

#[test]
fn shared_memory_is_one_for_parent_and_child() {
    let bench = Bench::new();
    let parent = bench.mm();
    let object = Object::anonymous(&bench.kernel, 2 * PAGE_SIZE);
    parent.map(&shared(AT, 2, RW, &object)).expect("room");
    put(&parent, AT, 1).expect("mapped");
    let child = parent.fork().expect("memory");
    put(&child, AT, 2).expect("mapped");
    put(&parent, AT + PAGE_SIZE, 3).expect("mapped");
    assert_eq!(byte(&parent, AT).expect("mapped"), 2);
    assert_eq!(byte(&child, AT + PAGE_SIZE).expect("mapped"), 3);
    let key = |mm: &Mm, shared| mm.futex_key(GuestAddr(AT + 4), shared).expect("mapped");
    assert_eq!(key(&parent, true), key(&child, true));
    assert_ne!(key(&parent, false), key(&child, false));
}

#[test]
fn private_memory_has_a_futex_of_its_own_even_if_asked_for_a_shared_one() {
    let bench = Bench::new();
    let mm = bench.mm();
    mm.map(&fixed(AT, 1, RW)).expect("room");
    assert_eq!(mm.futex_key(GuestAddr(AT), true).expect("mapped"), FutexKey::Private { mm: mm.id(), addr: AT });
    assert_eq!(errno(mm.futex_key(GuestAddr(AT + 2), false)), Errno::EINVAL);
    assert_eq!(errno(mm.futex_key(GuestAddr(AT + PAGE_SIZE), true)), Errno::EFAULT);
    assert_eq!(errno(mm.futex_key(GuestAddr(1 << 50), false)), Errno::EFAULT);
}

#[test]
fn advice_keeps_memory_from_children() {
    let bench = Bench::new();
    let parent = bench.mm();
    parent.map(&fixed(AT, 3, RW)).expect("room");
    for page in 0..3 {
        put(&parent, AT + page * PAGE_SIZE, 9).expect("mapped");
    }
    let none = VmaFlags::empty();
    let page = |n: u64| AT + n * PAGE_SIZE..AT + (n + 1) * PAGE_SIZE;
    parent.set_flags(page(0), VmaFlags::DONTFORK, none, false).expect("mapped");
    parent.set_flags(page(1), VmaFlags::WIPEONFORK, none, true).expect("mapped");
    let child = parent.fork().expect("memory");
    assert_eq!(errno(byte(&child, AT)), Errno::EFAULT);
    assert_eq!(byte(&child, AT + PAGE_SIZE).expect("mapped"), 0);
    assert_eq!(byte(&child, AT + 2 * PAGE_SIZE).expect("mapped"), 9);
    assert_eq!(byte(&parent, AT + PAGE_SIZE).expect("mapped"), 9);
}

#[test]
fn generations_of_forks_return_all_frames() {
    let bench = Bench::new();
    let mut mm = bench.mm();
    mm.map(&fixed(AT, 8, RW)).expect("room");
    for generation in 0..50_u64 {
        put(&mm, AT + generation % 8 * PAGE_SIZE, 1).expect("mapped");
        let child = mm.fork().expect("memory");
        put(&child, AT + (generation + 3) % 8 * PAGE_SIZE, 2).expect("mapped");
        if generation % 2 == 0 {
            mm = child;
        }
    }
    assert!(bench.used() <= 8);
}

#[test]
fn a_fork_that_runs_out_of_memory_leaves_the_parent_whole() {
    // Only frames are scarce on the fake machine, so it is the copy on write
    // that fails, not the fork.
    let machine = testing::FakeMachine::new(16);
    let kernel = testing::kernel_on(&machine);
    let parent = Mm::new(&kernel).expect("memory");
    let free = kernel.frame_pool().free_count() as u64;
    parent.map(&fixed(AT, free, RW)).expect("room");
    for page in 0..free {
        put(&parent, AT + page * PAGE_SIZE, 5).expect("a frame");
    }
    let child = parent.fork().expect("no frame is needed");
    assert_eq!(errno(put(&child, AT, 6)), Errno::ENOMEM);
    drop(child);
    put(&parent, AT, 7).expect("it has the frame to itself again");
}
