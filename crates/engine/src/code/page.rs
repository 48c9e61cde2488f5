//! The ops of one frame of guest code.
//!
//! A frame holds 1024 instructions; a [`CodePage`] has an op for each, and a
//! sentinel behind the last that goes on to the next guest page. It is aligned
//! so that an op's address tells its instruction and its page. Ops are
//! translated when they are first met; the memory of the others is not even
//! touched until something near them is.

use core::alloc::Layout;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicU32, Ordering};

use machine::{Frame, PAGE_SIZE};

use crate::code::translate;
use crate::cpu::CpuState;
use crate::mem::arena::Arena;
use crate::op::{Handler, Op};

/// Instructions in a frame.
pub(crate) const OPS: usize = (PAGE_SIZE / 4) as usize;
/// Bytes of the ops of a frame; also their alignment.
const SPAN: usize = OPS * size_of::<Op>();
/// Ops that are made ready at once.
const CHUNK: usize = 256;

/// The ops of one frame. Lives in the code cache until it is retired, and
/// until every CPU has then caught up.
#[repr(C, align(16384))]
pub(crate) struct CodePage {
    ops: [Op; OPS],
    /// Goes on to the next guest page. The second one is only there so that a
    /// handler for two instructions may look at it.
    sentinel: [Op; 2],
    /// Which frame's code this is.
    pub(crate) frame: Frame,
    /// Which chunks hold ops, one bit each.
    ready: AtomicU32,
    literals_used: AtomicU32,
    /// Which ops are translated, one bit each; protected by the cache's lock.
    translated: [u64; OPS / 64],
    literals: [u64; OPS],
}

const _: () = assert!(size_of::<Op>() == 16 && SPAN == 16384);

impl CodePage {
    /// How much of the type is in use: its size without the alignment's padding.
    fn layout() -> Layout {
        let used = core::mem::offset_of!(Self, literals) + OPS * 8;
        // SAFETY: the alignment is a power of two and the size is small.
        unsafe { Layout::from_size_align_unchecked(used, align_of::<Self>()) }
    }

    /// A page without translations.
    pub(crate) fn make(frame: Frame) -> NonNull<Self> {
        let layout = Self::layout();
        // SAFETY: the layout is not empty.
        let Some(page) = NonNull::new(unsafe { std::alloc::alloc(layout) }.cast::<Self>()) else {
            std::alloc::handle_alloc_error(layout)
        };
        Self::reset(page, frame);
        page
    }

    /// Makes `page` a page without translations of `frame`.
    pub(crate) fn reset(page: NonNull<Self>, frame: Frame) {
        let page = page.as_ptr();
        // SAFETY: nobody else knows the page yet.
        unsafe {
            let sentinel = (&raw mut (*page).sentinel).cast::<Op>();
            Op::publish(sentinel, translate::next_page, [0; 4], 0);
            Op::publish(sentinel.add(1), translate::next_page, [0; 4], 0);
            (&raw mut (*page).frame).write(frame);
            (&raw mut (*page).ready).write(AtomicU32::new(0));
            (&raw mut (*page).literals_used).write(AtomicU32::new(0));
            (&raw mut (*page).translated).write([0; OPS / 64]);
        }
    }

    /// Frees a page.
    ///
    /// # Safety
    /// No CPU uses it.
    pub(crate) unsafe fn destroy(page: NonNull<Self>) {
        // SAFETY: it came from `make`, with this layout.
        unsafe { std::alloc::dealloc(page.as_ptr().cast(), Self::layout()) }
    }

    /// The op of the instruction at `va`, by its offset in the page.
    pub(crate) fn op(page: NonNull<Self>, va: u64) -> *const Op {
        let index = (va & (PAGE_SIZE - 1)) as usize / 4;
        // SAFETY: the index is below 1024.
        unsafe { page.as_ptr().cast::<Op>().add(index) }
    }
}

/// The byte offset in its frame of the instruction that `op` stands for.
#[inline(always)]
pub(crate) fn offset_of(op: *const Op) -> u64 {
    (op.addr() as u64 & (SPAN as u64 - 1)) >> 2
}

/// The page that holds `op`.
#[inline(always)]
pub(crate) fn page_of(op: *const Op) -> NonNull<CodePage> {
    let base = op.map_addr(|addr| addr & !(SPAN - 1)).cast_mut().cast::<CodePage>();
    // SAFETY: a code page is never at address zero.
    unsafe { NonNull::new_unchecked(base) }
}

/// The 64-bit literal number `index` of the page that holds `op`.
///
/// # Safety
/// `op` is in a live page, and its form made the literal.
#[inline(always)]
pub(crate) unsafe fn literal(op: *const Op, index: i32) -> u64 {
    // SAFETY: as the caller says; the mask keeps any index in bounds.
    unsafe {
        let literals = (&raw const (*page_of(op).as_ptr()).literals).cast::<u64>();
        literals.add(index as usize & (OPS - 1)).read()
    }
}

/// Adds a literal. There is room for one per instruction, and an instruction
/// is translated once in the life of a page.
pub(crate) fn add_literal(page: NonNull<CodePage>, value: u64) -> i32 {
    // SAFETY: the caller holds the cache's lock, so this is the only writer;
    // an op that reads the literal is published later.
    unsafe {
        let page = page.as_ptr();
        let index = (*page).literals_used.fetch_add(1, Ordering::Relaxed) as usize & (OPS - 1);
        (&raw mut (*page).literals).cast::<u64>().add(index).write(value);
        index as i32
    }
}

/// True if an instruction has been translated. The caller holds the lock.
pub(crate) fn is_translated(page: NonNull<CodePage>, index: usize) -> bool {
    // SAFETY: in bounds by the mask; only used under the cache's lock.
    unsafe {
        let words = (&raw const (*page.as_ptr()).translated).cast::<u64>();
        words.add(index / 64 % (OPS / 64)).read() >> (index % 64) & 1 != 0
    }
}

/// Notes that an instruction has been translated. The caller holds the lock.
pub(crate) fn set_translated(page: NonNull<CodePage>, index: usize) {
    // SAFETY: in bounds by the mask; only used under the cache's lock.
    unsafe {
        let words = (&raw mut (*page.as_ptr()).translated).cast::<u64>();
        *words.add(index / 64 % (OPS / 64)) |= 1 << (index % 64);
    }
}

/// Makes the ops from `first` to `last` ready to be jumped to. The caller
/// holds the cache's lock.
pub(crate) fn make_ready(page: NonNull<CodePage>, first: usize, last: usize) {
    for chunk in first / CHUNK..=last.min(OPS - 1) / CHUNK {
        let bit = 1_u32 << chunk;
        // SAFETY: the caller holds the cache's lock; nobody reads ops of a
        // chunk that is not ready.
        unsafe {
            let ready = &(*page.as_ptr()).ready;
            if ready.load(Ordering::Relaxed) & bit != 0 {
                continue;
            }
            let ops = page.as_ptr().cast::<Op>();
            let untranslated: Handler = translate::untranslated;
            for op in chunk * CHUNK..(chunk + 1) * CHUNK {
                Op::publish(ops.add(op), untranslated, [0; 4], 0);
            }
            ready.fetch_or(bit, Ordering::Release);
        }
    }
}

/// Makes `op` ready to be jumped to.
pub(crate) fn prepare(arena: &Arena, page: NonNull<CodePage>, op: *const Op) {
    let index = (offset_of(op) / 4) as usize;
    // SAFETY: a page that the cache gave out is live until this CPU's next poll.
    let ready = unsafe { (*page.as_ptr()).ready.load(Ordering::Acquire) };
    if ready & 1 << (index / CHUNK) == 0 {
        let _guard = arena.code.lock();
        make_ready(page, index, index);
    }
}

/// Translates from `op` on, for a CPU that met it. False if the page has been
/// retired meanwhile.
///
/// Never inlined: a handler whose frame others may look into cannot end in a
/// jump.
#[inline(never)]
pub(crate) fn translate_from(state: &CpuState, op: *const Op) -> bool {
    // SAFETY: this thread runs the CPU, and no other reference is in use.
    let local = unsafe { &mut *state.local() };
    let page = page_of(op);
    let arena = &*local.arena;
    let guard = arena.code.lock();
    if !guard.is_live(page) {
        return false;
    }
    local.stats.translated += translate::run(arena, &local.features, page, (offset_of(op) / 4) as usize) as u64;
    drop(guard);
    true
}
