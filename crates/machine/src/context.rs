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

/// The keys of pointer authentication (FEAT_PAuth) of one thread.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct PointerAuth {
    /// `APIAKey`, `APIBKey`, `APDAKey`, `APDBKey` and `APGAKey`, by the
    /// numbers in [`pauth_key`], low half first.
    pub keys: [[u64; 2]; 5],
    /// One bit for each of the four keys of addresses, by its number: with a
    /// bit clear, instructions that use the key pass pointers through
    /// (`SCTLR_EL1.EnIA` and its fellows).
    pub enabled: u64,
}

/// Numbers of the keys of pointer authentication.
pub mod pauth_key {
    /// Instruction addresses, A.
    pub const IA: u8 = 0;
    /// Instruction addresses, B.
    pub const IB: u8 = 1;
    /// Data addresses, A.
    pub const DA: u8 = 2;
    /// Data addresses, B.
    pub const DB: u8 = 3;
    /// Anything (`PACGA`); always enabled.
    pub const GA: u8 = 4;
    /// The bits of [`super::PointerAuth::enabled`] for all keys of addresses.
    pub const ALL_ENABLED: u64 = 0b1111;
}

/// Bits of [`UserContext::pstate`], where SPSR has them.
pub mod pstate {
    /// FEAT_DIT: how long instructions take does not depend on their data.
    pub const DIT: u64 = 1 << 24;
    /// FEAT_SSBS: loads may overtake stores whose addresses are not known.
    pub const SSBS: u64 = 1 << 12;
    /// Where BTYPE starts.
    pub const BTYPE_SHIFT: u32 = 10;
    /// BTYPE: how the last instruction branched (FEAT_BTI).
    pub const BTYPE: u64 = 3 << BTYPE_SHIFT;
    /// BTYPE after `BLR`, and when a signal handler is entered.
    pub const BTYPE_CALL: u64 = 2 << BTYPE_SHIFT;
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
    /// What PSTATE holds beside the flags, as in SPSR; see [`pstate`].
    pub pstate: u64,
    /// The keys of pointer authentication.
    pub pauth: PointerAuth,
}

impl UserContext {
    /// The index of SP in [`UserContext::x`].
    pub const SP: usize = 31;

    /// A context with every register zero, about to run at `pc` on stack `sp`.
    #[must_use]
    pub fn new(pc: u64, sp: u64) -> Self {
        let mut x = [0; 32];
        x[Self::SP] = sp;
        Self {
            x,
            pc,
            nzcv: 0,
            tpidr: 0,
            fpcr: 0,
            fpsr: 0,
            v: [0; 32],
            monitor: Monitor::default(),
            pstate: 0,
            pauth: PointerAuth::default(),
        }
    }

    /// The stack pointer.
    #[must_use]
    pub fn sp(&self) -> u64 {
        self.x[Self::SP]
    }

    /// BTYPE, from 0 to 3.
    #[must_use]
    pub fn btype(&self) -> u8 {
        (self.pstate >> pstate::BTYPE_SHIFT & 3) as u8
    }

    /// Sets BTYPE.
    pub fn set_btype(&mut self, btype: u8) {
        self.pstate = self.pstate & !pstate::BTYPE | u64::from(btype) << pstate::BTYPE_SHIFT & pstate::BTYPE;
    }

    /// Sets the stack pointer.
    pub fn set_sp(&mut self, sp: u64) {
        self.x[Self::SP] = sp;
    }
}
