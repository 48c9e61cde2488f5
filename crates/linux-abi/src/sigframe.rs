//! The arm64 signal frame: `struct rt_sigframe` (`siginfo`, then `ucontext`),
//! with records in the machine context's reserved area.
//!
//! The reserved area holds a chain of records, each with a [`ContextHead`],
//! ended by one of magic 0 and size 0. Linux puts the frame record (saved FP
//! and LR, 16 bytes) directly above the frame and lets X29 point at it.

use crate::signal::{SigSet, StackT};

/// Bytes in a `struct rt_sigframe`.
pub const RT_SIGFRAME_SIZE: usize = 4688;
/// Offset of the `siginfo_t` in the frame.
pub const RT_SIGFRAME_INFO: usize = 0;
/// Offset of the `ucontext` in the frame.
pub const RT_SIGFRAME_UC: usize = 128;
/// Offset of the machine context in the `ucontext`.
pub const UC_MCONTEXT: usize = 176;
/// Bytes in a `struct ucontext`.
pub const UCONTEXT_SIZE: usize = 4560;
/// Offset of the record area in the machine context.
pub const SIGCONTEXT_RESERVED: usize = 288;
/// Bytes in the record area.
pub const SIGCONTEXT_RESERVED_SIZE: usize = 4096;
/// Bytes in a `struct sigcontext`.
pub const SIGCONTEXT_SIZE: usize = SIGCONTEXT_RESERVED + SIGCONTEXT_RESERVED_SIZE;

consts! {
    /// What a record holds.
    CONTEXT_MAGIC: u32 {
        FPSIMD_MAGIC = 0x4650_8001;
        ESR_MAGIC = 0x4553_5201;
        EXTRA_MAGIC = 0x4558_5401;
        SVE_MAGIC = 0x5356_4501;
        ZA_MAGIC = 0x5436_6345;
    }
}

consts! {
    /// Bits of `sigcontext.pstate`.
    PSTATE_BITS: u64 {
        PSR_MODE_MASK = 0x0000_000f;
        PSR_MODE32_BIT = 0x0000_0010;
        PSR_F_BIT = 0x0000_0040;
        PSR_I_BIT = 0x0000_0080;
        PSR_A_BIT = 0x0000_0100;
        PSR_D_BIT = 0x0000_0200;
        PSR_BTYPE_MASK = 0x0000_0c00;
        PSR_SSBS_BIT = 0x0000_1000;
        PSR_PAN_BIT = 0x0040_0000;
        PSR_UAO_BIT = 0x0080_0000;
        PSR_DIT_BIT = 0x0100_0000;
        PSR_TCO_BIT = 0x0200_0000;
        PSR_V_BIT = 0x1000_0000;
        PSR_C_BIT = 0x2000_0000;
        PSR_Z_BIT = 0x4000_0000;
        PSR_N_BIT = 0x8000_0000;
    }
}

wire_structs! {
    /// What a `struct ucontext` holds before its machine context.
    UcontextHead = "struct ucontext", 176 {
        uc_flags: u64 = 0,
        uc_link: u64 = 8,
        uc_stack: StackT = 16,
        uc_sigmask: SigSet = 40,
    }
    /// The machine context without its record area.
    SigcontextHead = "struct sigcontext", 288 {
        fault_address: u64 = 0,
        regs: [u64; 31] = 8,
        sp: u64 = 256,
        pc: u64 = 264,
        pstate: u64 = 272,
    }
    /// What every record begins with.
    ContextHead = "struct _aarch64_ctx", 8 {
        magic: u32 = 0,
        size: u32 = 4,
    }
    /// The floating-point and vector registers.
    FpsimdContext = "struct fpsimd_context", 528 {
        head: ContextHead = 0,
        fpsr: u32 = 8,
        fpcr: u32 = 12,
        vregs: [u128; 32] = 16,
    }
    /// The exception syndrome of a fault.
    EsrContext = "struct esr_context", 16 {
        head: ContextHead = 0,
        esr: u64 = 8,
    }
    /// Where further records are, if the area was too small.
    ExtraContext = "struct extra_context", 32 {
        head: ContextHead = 0,
        datap: u64 = 8,
        size: u32 = 16,
    }
}
