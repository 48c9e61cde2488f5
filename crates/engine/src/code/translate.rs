//! From instruction words to ops.

use core::ptr::NonNull;

use machine::{PAGE_SIZE, UserContext};

use crate::bti::branch;
use crate::code::page::{self, CodePage, OPS};
use crate::cpu::CpuState;
use crate::cpu::enter::pc_of;
use crate::cpu::jump::{cold_jump, jump, set_target};
use crate::features::CpuFeatures;
use crate::lower::{self, Draft};
use crate::mem::arena::Arena;
use crate::op::{OPERAND_LIMIT, Op, SCRATCH, Scratch, go};

/// Instructions that are translated at once, at most.
const RUN_LIMIT: usize = 64;

/// The handler of an op that has not been translated.
///
/// # Safety
/// As [`crate::op::Handler`].
#[cold]
#[inline(never)]
pub(crate) unsafe extern "C" fn untranslated(
    op: *const Op,
    ctx: *mut UserContext,
    cpu: *const CpuState,
    _: Scratch,
    fa: u64,
    fb: u64,
) {
    // SAFETY: the caller vouches for the pointers.
    unsafe {
        if page::translate_from(&*cpu, op) {
            go(op, ctx, cpu, fa, fb);
        } else {
            set_target(cpu, pc_of(op, cpu), branch::DIRECT);
            cold_jump(op, ctx, cpu, SCRATCH, fa, fb);
        }
    }
}

/// The handler of the sentinel behind a page's last op.
///
/// # Safety
/// As [`crate::op::Handler`].
pub(crate) unsafe extern "C" fn next_page(
    op: *const Op,
    ctx: *mut UserContext,
    cpu: *const CpuState,
    _: Scratch,
    fa: u64,
    fb: u64,
) {
    // SAFETY: the caller vouches for the pointers.
    unsafe {
        let next = (*(*cpu).local()).page.wrapping_add(PAGE_SIZE);
        jump::<{ branch::DIRECT }>(next, op, ctx, cpu, fa, fb);
    }
}

/// Translates from instruction `first` of a page until control cannot come
/// further, code that is translated, or the end of the page. Gives the number
/// of instructions. The caller holds the cache's lock.
pub(crate) fn run(arena: &Arena, features: &CpuFeatures, page: NonNull<CodePage>, first: usize) -> usize {
    // SAFETY: a live page is initialised.
    let frame = unsafe { (*page.as_ptr()).frame };
    let mut words = [0_u32; RUN_LIMIT];
    let mut drafts = [const { None::<Draft> }; RUN_LIMIT];
    let mut len = 0;
    while len < RUN_LIMIT && first + len < OPS && !page::is_translated(page, first + len) {
        let word = arena.fetch(frame, (first + len) * 4);
        let draft = lower::lower(word, &mut lower::Lower::new(features, page, first + len));
        let ends = draft.ends;
        words[len] = word;
        drafts[len] = Some(draft);
        len += 1;
        if ends {
            break;
        }
    }
    #[cfg(tail_calls)]
    crate::code::fuse::fuse(&mut drafts[..len]);
    // Whatever control may come to must be ready, also what follows.
    page::make_ready(page, first, first + len);
    let ops = page.as_ptr().cast::<Op>();
    // From the back, as handlers look at the ops that follow them.
    for at in (0..len).rev() {
        if let Some(draft) = &drafts[at] {
            assert!(draft.r.iter().all(|r| *r < OPERAND_LIMIT), "operand out of range for {:#010x}", words[at]);
            // SAFETY: in the page; an untranslated op has no operands to read.
            unsafe { Op::publish(ops.add(first + at), draft.handler, draft.r, draft.imm) };
            page::set_translated(page, first + at);
        }
    }
    len
}
