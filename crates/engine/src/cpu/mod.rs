//! CPUs: what handlers work on, and the way into and out of guest code.
//!
//! [`Cpu`] is owned by one host thread; its [`CpuState`] is shared with
//! whoever must reach it: [`KickHandle`]s and shoot-downs.

pub(crate) mod enter;
mod entropy;
pub(crate) mod jump;
pub(crate) mod shootdown;

use core::cell::UnsafeCell;
use core::fmt;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::Arc;

use machine::{Clock, Exit, Frame};

use crate::features::CpuFeatures;
use crate::mem::arena::Arena;
use crate::mem::space::AddressSpace;
use crate::mem::tlb::Tlb;
use crate::op::Op;
use crate::pauth::Codes;

pub use entropy::FillRandom;

use entropy::Entropy;
use jump::JumpCache;

/// [`CpuState::poll`]: the kernel wants the CPU.
pub(crate) const POLL_KICK: u32 = 1;
/// [`CpuState::poll`]: translations changed.
pub(crate) const POLL_MAINTENANCE: u32 = 2;

/// How the flags that handlers pass along are to be read.
pub(crate) mod flag_kind {
    /// As those of `SUBS fa, fb`.
    pub(crate) const SUB: u8 = 0;
    /// As those of `SUBS fa, fb`, but with C clear.
    pub(crate) const LOGIC: u8 = 1;
    /// `fa` holds NZCV in bits 31 to 28.
    pub(crate) const NZCV: u8 = 2;
    /// As those of `ADDS fa, fb`.
    pub(crate) const ADD: u8 = 3;
}

/// The part of a CPU that only its own thread uses.
#[repr(C)]
pub(crate) struct Local {
    /// The guest address of the page of code that runs.
    pub(crate) page: u64,
    /// A `flag_kind`.
    pub(crate) flag_kind: u8,
    pub(crate) read_tlb: Tlb,
    pub(crate) write_tlb: Tlb,
    pub(crate) jumps: JumpCache,
    /// Where a jump that takes the cold path leads.
    pub(crate) target: u64,
    /// What kind of branch that jump is (`bti::branch`).
    pub(crate) branch: u8,
    /// Pointer authentication codes.
    pub(crate) codes: Codes,
    /// Why guest code stopped.
    pub(crate) exit: Exit,
    /// The trampoline's next op and its flags; null: leave.
    pub(crate) next: *const Op,
    pub(crate) fa: u64,
    pub(crate) fb: u64,
    /// Frames with translations that the running op has stored into.
    pub(crate) written_code: [Option<Frame>; 2],
    pub(crate) space: *const AddressSpace,
    pub(crate) arena: Arc<Arena>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) features: CpuFeatures,
    pub(crate) entropy: Entropy,
    /// Ordered and atomic accesses need not be aligned within 16 bytes.
    pub(crate) has_lse2: bool,
    /// What the TLB and the jump cache were last brought up to date with.
    pub(crate) seen_space: u64,
    pub(crate) seen_code: u64,
    pub(crate) stats: Stats,
}

/// What a CPU did since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Times that guest code was entered.
    pub runs: u64,
    /// Guest instructions translated.
    pub translated: u64,
    /// Jumps that the jump cache did not know.
    pub jump_misses: u64,
    /// Operations that took the slow path, most of them for a TLB miss.
    pub slow_ops: u64,
}

/// A CPU's state; handlers get a pointer to it.
#[repr(C, align(64))]
pub(crate) struct CpuState {
    /// Nonzero: leave threaded code at the next branch.
    pub(crate) poll: AtomicU32,
    /// The address space whose code runs now, by number; 0 outside of code.
    pub(crate) inside: AtomicU64,
    /// The `tlb_generation` of that space that the TLB is up to date with.
    pub(crate) seen_tlb: AtomicU64,
    /// The arena's epoch that this CPU is up to date with.
    pub(crate) seen_epoch: AtomicU64,
    local: UnsafeCell<Local>,
}

// SAFETY: `local` is only used by the thread that runs the owning `Cpu`, which
// is not `Sync`; the raw pointers in it are only used while `run` borrows what
// they point to. The rest is atomic.
unsafe impl Send for CpuState {}
// SAFETY: as above.
unsafe impl Sync for CpuState {}

impl CpuState {
    /// Where [`Local`] lies in the state.
    pub(crate) const LOCAL: usize = core::mem::offset_of!(Self, local);

    /// The part that only the CPU's own thread may use.
    #[inline(always)]
    pub(crate) fn local(&self) -> *mut Local {
        self.local.get()
    }

    /// Asks the CPU to drop stale translations at its next branch.
    pub(crate) fn request_maintenance(&self) {
        self.poll.fetch_or(POLL_MAINTENANCE, Ordering::SeqCst);
    }
}

impl fmt::Debug for CpuState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CpuState").field("poll", &self.poll).field("inside", &self.inside).finish_non_exhaustive()
    }
}

/// Interrupts a CPU from any thread. Takes no lock.
#[derive(Clone, Debug)]
pub struct KickHandle(Arc<CpuState>);

impl KickHandle {
    /// Makes the CPU's [`Cpu::run`] return [`Exit::Event`] soon, now or the
    /// next time it is called, until [`Cpu::take_kick`].
    pub fn kick(&self) {
        self.0.poll.fetch_or(POLL_KICK, Ordering::SeqCst);
    }

    /// True if a kick is pending.
    #[must_use]
    pub fn is_kicked(&self) -> bool {
        self.0.poll.load(Ordering::SeqCst) & POLL_KICK != 0
    }

    /// Forgets pending kicks.
    pub fn take(&self) {
        self.0.poll.fetch_and(!POLL_KICK, Ordering::SeqCst);
    }
}

/// One CPU: runs guest code on the calling thread.
pub struct Cpu {
    state: Arc<CpuState>,
    /// `run` may move between threads, but two must not run it at once.
    _not_sync: core::marker::PhantomData<core::cell::Cell<()>>,
}

impl Cpu {
    /// A CPU over `arena`. `clock` is what `CNTVCT_EL0` reads, `features` what
    /// the ID registers tell.
    #[must_use]
    pub fn new(arena: &Arc<Arena>, clock: Arc<dyn Clock>, features: CpuFeatures) -> Self {
        crate::fp::host::init();
        crate::simd::crypto_host::init();
        let local = Local {
            page: 0,
            flag_kind: flag_kind::NZCV,
            read_tlb: Tlb::new(),
            write_tlb: Tlb::new(),
            jumps: JumpCache::new(),
            target: 0,
            branch: 0,
            codes: Codes::new(),
            exit: Exit::Event,
            next: core::ptr::null(),
            fa: 0,
            fb: 0,
            written_code: [None; 2],
            space: core::ptr::null(),
            arena: Arc::clone(arena),
            clock,
            has_lse2: features.has("FEAT_LSE2") && crate::wide::is_atomic(),
            features,
            entropy: Entropy::new(),
            seen_space: 0,
            seen_code: 0,
            stats: Stats::default(),
        };
        let state = Arc::new(CpuState {
            poll: AtomicU32::new(0),
            inside: AtomicU64::new(0),
            seen_tlb: AtomicU64::new(0),
            seen_epoch: AtomicU64::new(0),
            local: UnsafeCell::new(local),
        });
        arena.register(&state);
        Self { state, _not_sync: core::marker::PhantomData }
    }

    /// Lets `RNDR` take its numbers from `source`; until then it finds none.
    pub fn set_entropy(&mut self, source: FillRandom) {
        // SAFETY: `&mut self` on the owning thread; `run` is not active.
        unsafe { (*self.state.local()).entropy.set_source(source) };
    }

    /// A handle to interrupt this CPU with.
    #[must_use]
    pub fn kick_handle(&self) -> KickHandle {
        KickHandle(Arc::clone(&self.state))
    }

    /// Forgets kicks that came so far.
    pub fn take_kick(&mut self) {
        self.state.poll.fetch_and(!POLL_KICK, Ordering::SeqCst);
    }

    /// What this CPU did so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        // SAFETY: `&self` on the owning thread; `run` is not active.
        unsafe { (*self.state.local()).stats }
    }
}

impl fmt::Debug for Cpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cpu").field("state", &self.state).finish()
    }
}
