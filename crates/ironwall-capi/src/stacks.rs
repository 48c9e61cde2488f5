//! Several shadow stacks in one heap: for coroutines, and for threads that use the heap in turn.
//!
//! Frames are pushed on the stack in use, and those of all stacks are roots. A stack that is made is one until it is
//! destroyed, so no collection can forget it.

use crate::create::given_region;
use crate::heap::{Runtime, enter};
use crate::memory;
use crate::status::{IW_BAD_ARGUMENT, IW_NO_MEMORY, IW_NO_SUCH_STACK, IW_STACK_IN_USE, Status};
use crate::types::StackNumber;
use ironwall::{Region, Stack};
use std::ffi::c_void;

/// The stacks that are not in use. The place of the one that is, and those of destroyed ones, hold an empty stack.
#[derive(Debug)]
pub(crate) struct Stacks {
    /// What a collection walks beside the stack in use.
    pub(crate) others: Vec<Stack<'static>>,
    /// Whether a place belongs to a stack.
    is_there: Vec<bool>,
    in_use: usize,
}

impl Stacks {
    /// The stack that a heap begins with, which is in use.
    pub(crate) fn new() -> Self {
        Self { others: vec![nothing()], is_there: vec![true], in_use: 0 }
    }

    fn find(&self, number: StackNumber) -> Result<usize, Status> {
        let place = number as usize;
        self.is_there.get(place).is_some_and(|is_there| *is_there).then_some(place).ok_or(IW_NO_SUCH_STACK)
    }
}

/// A stack that has no frames and no room for any.
fn nothing() -> Stack<'static> {
    Stack::new(Region::from_words(&mut []))
}

/// Makes another shadow stack, and puts its number into `*stack`; the heap's own is number zero. `frames` is where its
/// frames are, aligned to 8: the native stack of a coroutine, or whatever frames are pushed in. Null stands for the
/// stack of the calling thread.
///
/// # Safety
/// `heap` is as for every call; `stack` is null, which is refused, or can be written. The region can be read and
/// written until the stack is destroyed, and so can those of frames that are pushed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iw_stack_create(
    heap: *mut Runtime,
    frames: *mut c_void,
    frames_len: u64,
    stack: *mut StackNumber,
) -> Status {
    let create = |heap: &mut Runtime| {
        if stack.is_null() {
            return Err(IW_BAD_ARGUMENT.into());
        }
        let (base, len) = match frames.cast::<u8>() {
            base if base.is_null() => {
                let (base, len) = memory::stack().ok_or(IW_NO_MEMORY)?;
                let skip = base.addr().wrapping_neg() % 8;
                (base.wrapping_add(skip), len.saturating_sub(skip))
            }
            base => given_region((base, frames_len), 8)?,
        };
        // SAFETY: the region is aligned, and as the caller promises.
        let made = Stack::new(unsafe { Region::from_raw(base, len) });
        let stacks = &mut heap.stacks;
        let place = match stacks.is_there.iter().position(|is_there| !is_there) {
            Some(place) => place,
            None => {
                stacks.others.push(nothing());
                stacks.is_there.push(false);
                stacks.others.len() - 1
            }
        };
        let number = StackNumber::try_from(place).map_err(|_| IW_NO_MEMORY)?;
        (stacks.others[place], stacks.is_there[place]) = (made, true);
        // SAFETY: it is not null, so it can be written.
        unsafe { stack.write(number) };
        Ok(())
    };
    // SAFETY: as the caller promises.
    unsafe { enter(heap, create) }
}

/// Uses another shadow stack from now on: frames are pushed on it and popped from it. The frames of the one before
/// stay where they are, and stay roots. To be called when the program goes to another native stack.
///
/// # Safety
/// `heap` is as for every call. Frames that are pushed afterwards are in the region of this stack.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iw_stack_use(heap: *mut Runtime, stack: StackNumber) -> Status {
    let change = |heap: &mut Runtime| {
        let (to, from) = (heap.stacks.find(stack)?, heap.stacks.in_use);
        if to != from {
            heap.core.swap_stack(&mut heap.stacks.others[to]);
            heap.stacks.others.swap(to, from);
            heap.stacks.in_use = to;
        }
        Ok(())
    };
    // SAFETY: as the caller promises.
    unsafe { enter(heap, change) }
}

/// The number of the shadow stack in use; zero if the heap is null.
///
/// # Safety
/// `heap` is as for every call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iw_stack_in_use(heap: *const Runtime) -> StackNumber {
    // SAFETY: as the caller promises.
    unsafe { heap.as_ref() }.map_or(0, |heap| heap.stacks.in_use as StackNumber)
}

/// Destroys a shadow stack with whatever frames are on it. The heap's own and the one in use are refused with
/// `IW_STACK_IN_USE`.
///
/// # Safety
/// `heap` is as for every call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iw_stack_destroy(heap: *mut Runtime, stack: StackNumber) -> Status {
    let destroy = |heap: &mut Runtime| {
        let place = heap.stacks.find(stack)?;
        if place == 0 || place == heap.stacks.in_use {
            return Err(IW_STACK_IN_USE.into());
        }
        (heap.stacks.others[place], heap.stacks.is_there[place]) = (nothing(), false);
        Ok(())
    };
    // SAFETY: as the caller promises.
    unsafe { enter(heap, destroy) }
}
