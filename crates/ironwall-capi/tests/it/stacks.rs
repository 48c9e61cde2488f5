//! Several shadow stacks in one heap.

use crate::calls::World;
use ironwall_capi::host::iw_explain;
use ironwall_capi::objects::iw_message;
use ironwall_capi::stacks::{iw_stack_create, iw_stack_destroy, iw_stack_in_use, iw_stack_use};
use ironwall_capi::status::{
    IW_BAD_ARGUMENT, IW_BAD_REGION, IW_NO_SUCH_STACK, IW_NOT_A_BLOCK, IW_OK, IW_STACK_IN_USE, Status,
};
use ironwall_capi::types::{Fast, IW_EXPLAIN_TEXT, Prefix, Ref, StackNumber};
use std::ffi::CStr;
use std::ptr::null_mut;

/// The words of a region for frames.
const WORDS: usize = 64;

/// A frame, as compiled code has it.
#[repr(C)]
struct Frame {
    prefix: Prefix,
    slots: [Ref; 2],
}

fn region() -> *mut u64 {
    vec![0u64; WORDS].leak().as_mut_ptr()
}

fn create(world: &World, region: *mut u64) -> (Status, StackNumber) {
    let mut stack = 99;
    // SAFETY: the heap is there, and so is the region, for good.
    (unsafe { iw_stack_create(world.heap, region.cast(), WORDS as u64 * 8, &raw mut stack) }, stack)
}

fn change(world: &World, stack: StackNumber) -> Status {
    // SAFETY: the heap is there.
    unsafe { iw_stack_use(world.heap, stack) }
}

fn destroy(world: &World, stack: StackNumber) -> Status {
    // SAFETY: the heap is there.
    unsafe { iw_stack_destroy(world.heap, stack) }
}

/// Pushes a frame that holds one object, `at` words into a region.
fn push(world: &World, region: *mut u64, at: usize, held: Ref) {
    let fast = world.heap.cast::<Fast>();
    // SAFETY: what the inline functions do; the region has room, and the heap begins with what they use.
    unsafe {
        let frame = region.add(at).cast::<Frame>();
        frame.write(Frame { prefix: Prefix { word: (*fast).newest_frame, ..world.main }, slots: [held, 0] });
        (*fast).newest_frame = frame.addr() as u64;
    }
}

#[test]
fn frames_of_all_stacks_are_roots_until_a_stack_is_destroyed() {
    let world = World::new(0);
    let (first, second) = (region(), region());
    let (one, two, three) = (world.pair(), world.pair(), world.pair());
    assert_eq!((create(&world, first), create(&world, second)), ((IW_OK, 1), (IW_OK, 2)));
    assert_eq!(change(&world, 1), IW_OK);
    push(&world, first, 40, one);
    push(&world, first, 20, two);
    assert_eq!(change(&world, 2), IW_OK);
    push(&world, second, 40, three);
    // SAFETY: the heap is there.
    assert_eq!(unsafe { iw_stack_in_use(world.heap) }, 2);
    for stack in [2, 0, 1, 1, 2, 0] {
        assert_eq!(change(&world, stack), IW_OK);
        let report = world.collect();
        assert_eq!((report.frames, report.live), (3, 3), "with stack {stack} in use");
    }
    assert_eq!(destroy(&world, 1), IW_OK);
    let report = world.collect();
    assert_eq!((report.frames, report.live, report.dead), (1, 1, 2));
    assert_eq!((world.load(one, 0).0, world.load(three, 0).0), (IW_NOT_A_BLOCK, IW_OK));
    assert_eq!((change(&world, 1), destroy(&world, 1)), (IW_NO_SUCH_STACK, IW_NO_SUCH_STACK));
    assert_eq!(create(&world, first), (IW_OK, 1), "the number is given again");
    assert_eq!((change(&world, 1), world.collect().live), (IW_OK, 1));
    assert_eq!((change(&world, 2), world.collect().frames), (IW_OK, 1));
}

#[test]
fn a_stack_that_is_in_use_is_not_destroyed() {
    let world = World::new(0);
    assert_eq!(create(&world, region()), (IW_OK, 1));
    assert_eq!((destroy(&world, 0), destroy(&world, 7)), (IW_STACK_IN_USE, IW_NO_SUCH_STACK));
    assert_eq!((change(&world, 1), destroy(&world, 1)), (IW_OK, IW_STACK_IN_USE));
    // SAFETY: the message ends with a zero.
    let message = unsafe { CStr::from_ptr(iw_message(world.heap)) }.to_string_lossy();
    assert!(message.contains("stack is in use"), "{message}");
    assert_eq!((change(&world, 0), destroy(&world, 1), change(&world, u32::MAX)), (IW_OK, IW_OK, IW_NO_SUCH_STACK));
    assert_eq!(create(&world, region().wrapping_byte_add(4)).0, IW_BAD_REGION);
    // SAFETY: null pointers are refused, or stand for the stack of this thread.
    unsafe {
        assert_eq!(iw_stack_create(world.heap, null_mut(), 0, null_mut()), IW_BAD_ARGUMENT);
        assert_eq!(iw_stack_create(null_mut(), null_mut(), 0, null_mut()), IW_BAD_ARGUMENT);
        assert_eq!(iw_stack_in_use(null_mut()), 0);
        let mut stack = 0;
        assert_eq!((iw_stack_create(world.heap, null_mut(), 0, &raw mut stack), stack), (IW_OK, 1));
    }
}

#[test]
fn r6_e_what_a_frame_of_another_stack_holds_is_explained() {
    let world = World::new(0);
    let frames = region();
    let (held, dead) = (world.pair(), world.pair());
    assert_eq!((create(&world, frames), change(&world, 1)), ((IW_OK, 1), IW_OK));
    push(&world, frames, 40, held);
    assert_eq!(change(&world, 0), IW_OK);
    let explained = |block: Ref| {
        let (mut text, mut length) = (vec![0u8; 4096], 0);
        // SAFETY: the heap is there, and the buffer is as long as is said.
        let status =
            unsafe { iw_explain(world.heap, block, IW_EXPLAIN_TEXT, text.as_mut_ptr().cast(), 4096, &raw mut length) };
        assert_eq!(status, IW_OK);
        String::from_utf8_lossy(&text[..length as usize]).into_owned()
    };
    let (alive, garbage) = (explained(held), explained(dead));
    assert!(alive.contains("main") && !alive.contains("no root"), "{alive}");
    assert!(garbage.contains("no root leads to it"), "{garbage}");
}
