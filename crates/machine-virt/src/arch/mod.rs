//! The processor: all of the kernel's assembly.
//!
//! `boot.s` brings the CPU from the image's first instruction to Rust,
//! `vectors.s` to user code and back, `fp.s` keeps the user's FP registers,
//! `memory.s` copies bytes. [`layout`] says what lies where in the kernel's
//! half of the address space, [`regs`] wraps registers and barriers,
//! [`fault`] gives up on exceptions of the kernel's own, [`pauth`] loads the
//! user's keys.

pub(crate) mod fault;
pub(crate) mod layout;
pub(crate) mod pauth;
pub(crate) mod percpu;
pub(crate) mod psci;
pub(crate) mod regs;
pub(crate) mod semihosting;

use core::arch::global_asm;
use core::mem::offset_of;

use machine::UserContext;
use machine_virt::pte;

/// Write-back memory walked by the MMU, 48-bit halves, 4 KiB pages, the top
/// byte of user addresses ignored, the ASID in `TTBR0_EL1`.
const TCR: u64 = {
    let lower = 16 | 1 << 8 | 1 << 10 | 3 << 12;
    let upper = 16 << 16 | 1 << 24 | 1 << 26 | 3 << 28 | 2 << 30;
    lower | upper | 1 << 37
};
/// The bits that are always one, without the MMU.
const SCTLR_OFF: u64 = 1 << 29 | 1 << 28 | 1 << 23 | 1 << 22 | 1 << 20 | 1 << 11;
/// With MMU and caches, stack alignment checks, and for EL0: `DC ZVA`, cache
/// maintenance, `CTR_EL0`, `WFI` and `WFE`; no AArch32 leftovers.
const SCTLR: u64 = SCTLR_OFF
    | 1 << 8
    | 1 << 7
    | 1
    | 1 << 2
    | 1 << 3
    | 1 << 4
    | 1 << 12
    | 1 << 14
    | 1 << 15
    | 1 << 16
    | 1 << 18
    | 1 << 26;
/// A block that may be executed, at address 0.
const BLOCK_EXECUTE: u64 = 0x705;

global_asm!(
    include_str!("boot.s"),
    block_execute = const BLOCK_EXECUTE,
    block_write = const pte::kernel_leaf(0, pte::KernelProt::Write, 1),
    block_device = const pte::kernel_leaf(0, pte::KernelProt::Device, 1),
    mair = const pte::MAIR,
    tcr = const TCR,
    sctlr = const SCTLR,
    sctlr_off = const SCTLR_OFF,
    entry = sym crate::start::entry,
    first_stack_top = const layout::STACKS + layout::STACK_SLOT,
    stack_stride = const (2 * layout::STACK_SLOT).trailing_zeros(),
    secondary_entry = sym crate::smp::secondary_entry,
);
global_asm!(
    include_str!("vectors.s"),
    emergency = const offset_of!(percpu::PerCpu, emergency_stack),
    frame_size = const size_of::<fault::Frame>(),
    kernel_exception = sym fault::kernel_exception,
    pc = const offset_of!(UserContext, pc),
    tpidr = const offset_of!(UserContext, tpidr),
    pstate = const offset_of!(UserContext, pstate),
);
global_asm!(
    include_str!("fp.s"),
    v = const offset_of!(UserContext, v),
);
global_asm!(include_str!("memory.s"));

/// `vectors.s` and `fp.s` know these by their places.
const _: () = {
    assert!(offset_of!(UserContext, x) == 0);
    assert!(offset_of!(UserContext, nzcv) == offset_of!(UserContext, pc) + 8);
    assert!(offset_of!(UserContext, fpcr) + 8 == offset_of!(UserContext, v));
    assert!(offset_of!(UserContext, fpsr) == offset_of!(UserContext, fpcr) + 4);
};

/// Which vector an exception from user code came through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Vector {
    /// The instruction caused it: `ESR_EL1` says how.
    Synchronous,
    /// An interrupt.
    Irq,
    /// What this machine never raises.
    Other,
}

unsafe extern "C" {
    #[link_name = "enter_user"]
    fn enter_user_asm(context: *mut UserContext) -> u64;
    #[link_name = "fp_save"]
    fn fp_save_asm(context: *mut UserContext);
    #[link_name = "fp_restore"]
    fn fp_restore_asm(context: *const UserContext);
    #[link_name = "call_on_stack"]
    fn call_on_stack_asm(top: u64, function: extern "C" fn(u64) -> !, argument: u64) -> !;
}

/// Runs user code with the general registers of `context` in the current
/// address space until an exception, which leaves them there again.
pub(crate) fn enter_user(context: &mut UserContext) -> Vector {
    // SAFETY: it reads and writes the context only, and keeps every register
    // that a function must. User code reaches nothing but user pages.
    match unsafe { enter_user_asm(context) } {
        0 => Vector::Synchronous,
        1 => Vector::Irq,
        _ => Vector::Other,
    }
}

/// Stores the FP and SIMD registers.
pub(crate) fn fp_save(context: &mut UserContext) {
    // SAFETY: it writes to the context only.
    unsafe { fp_save_asm(context) }
}

/// Loads the FP and SIMD registers, which the kernel itself never uses.
pub(crate) fn fp_restore(context: &UserContext) {
    // SAFETY: it reads the context only; no compiled code of the kernel has
    // anything in these registers.
    unsafe { fp_restore_asm(context) }
}

/// Goes on in `function` on another stack; this one is used no more.
///
/// # Safety
/// `top` is the end of memory that is nobody else's.
pub(crate) unsafe fn call_on_stack(top: u64, function: extern "C" fn(u64) -> !, argument: u64) -> ! {
    // SAFETY: as the caller promises.
    unsafe { call_on_stack_asm(top, function, argument) }
}
