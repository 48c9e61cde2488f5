//! The register context of one guest thread.

/// The local exclusive monitor (`LDXR`, `STXR`).
///
/// An exclusive store succeeds if memory still holds what the exclusive load
/// read, at the same address and size; that is the same rule as
/// compare-and-swap, and is what lock-free code relies on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Monitor {
    /// What the load returned, low half first.
    pub value: [u64; 2],
    /// The untagged address of the load.
    pub addr: u64,
    /// Bytes marked; 0 while the monitor is open.
    pub size: u64,
}

/// All of the EL0-visible state of one AArch64 thread.
///
/// `repr(C)`: the threaded-code engine addresses fields by a fixed offset, and
/// the bare machine's exception entry stores them from assembly.
#[derive(Clone, Debug, PartialEq, Eq)]
#[repr(C, align(16))]
pub struct UserContext {
    /// X0 to X30, and SP at index 31.
    pub x: [u64; 32],
    /// The program counter.
    pub pc: u64,
    /// N, Z, C and V in bits 31 to 28, as in the NZCV register and in PSTATE.
    pub nzcv: u64,
    /// TPIDR_EL0, the thread pointer.
    pub tpidr: u64,
    /// FPCR.
    pub fpcr: u32,
    /// FPSR.
    pub fpsr: u32,
    /// V0 to V31; byte 0 is the least significant.
    pub v: [u128; 32],
    /// The exclusive monitor.
    pub monitor: Monitor,
}

impl UserContext {
    /// The index of SP in [`UserContext::x`].
    pub const SP: usize = 31;

    /// A context with every register zero, about to run at `pc` on stack `sp`.
    #[must_use]
    pub fn new(pc: u64, sp: u64) -> Self {
        let mut x = [0; 32];
        x[Self::SP] = sp;
        Self { x, pc, nzcv: 0, tpidr: 0, fpcr: 0, fpsr: 0, v: [0; 32], monitor: Monitor::default() }
    }

    /// The stack pointer.
    #[must_use]
    pub fn sp(&self) -> u64 {
        self.x[Self::SP]
    }

    /// Sets the stack pointer.
    pub fn set_sp(&mut self, sp: u64) {
        self.x[Self::SP] = sp;
    }
}
