//! Reading `ESR_EL1`: why user code was interrupted.

use machine::Access;

/// What an exception from EL0 was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// `SVC` from 64-bit code.
    Syscall,
    /// A translation or access-flag fault, with what was tried.
    Translation(Access),
    /// A permission fault, with what was tried.
    Permission(Access),
    /// An alignment fault of a data access, of the PC or of SP.
    Alignment(Misalignment),
    /// A branch to what is no landing pad in a guarded page.
    BranchTarget,
    /// The authentication of a pointer failed.
    PointerAuth,
    /// `BRK` with its immediate.
    Breakpoint(u16),
    /// `MRS`, `MSR` or a cache instruction that EL0 may not use by itself.
    SystemRegister(SystemAccess),
    /// `WFI` or `WFE`.
    Wait,
    /// An FP or SIMD instruction while they are trapped.
    FpAccess,
    /// Any instruction that is none, or that EL0 may not use.
    Undefined,
    /// The memory answered with an error, or the exception makes no sense:
    /// nothing that user code could have done brings it about.
    Machine,
}

/// What was not aligned; tells which register holds the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misalignment {
    /// A data access: `FAR_EL1`.
    Data,
    /// The program counter: `ELR_EL1`.
    Pc,
    /// The stack pointer: `SP_EL0`.
    Sp,
}

/// A trapped access to a system register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SystemAccess {
    /// `op0, op1, CRn, CRm, op2`.
    pub register: [u8; 5],
    /// The general register; 31 is `XZR`.
    pub rt: u8,
    /// True for `MRS`.
    pub is_read: bool,
}

/// The system register access in an instruction word, if it is `MRS`. Without
/// `FEAT_IDST` an `MRS` of an ID register is an unknown instruction at EL0,
/// with nothing in the syndrome.
#[must_use]
pub fn decode_mrs(word: u32) -> Option<SystemAccess> {
    (word >> 20 == 0xd53).then(|| SystemAccess {
        register: [2 | word >> 19 & 1, word >> 16 & 7, word >> 12 & 15, word >> 8 & 15, word >> 5 & 7]
            .map(|field| (field & 0xff) as u8),
        rt: (word & 31) as u8,
        is_read: true,
    })
}

/// Reads a syndrome of an exception from EL0 in AArch64 state.
#[must_use]
pub fn decode(esr: u64) -> Cause {
    let class = (esr >> 26 & 0x3f) as u32;
    let iss = (esr & 0x1ff_ffff) as u32;
    match class {
        0x00 | 0x0e => Cause::Undefined,
        0x01 => Cause::Wait,
        0x07 => Cause::FpAccess,
        0x0d => Cause::BranchTarget,
        0x15 => Cause::Syscall,
        0x18 => Cause::SystemRegister(SystemAccess {
            register: [iss >> 20 & 3, iss >> 14 & 7, iss >> 10 & 15, iss >> 1 & 15, iss >> 17 & 7]
                .map(|field| (field & 0xff) as u8),
            rt: (iss >> 5 & 31) as u8,
            is_read: iss & 1 != 0,
        }),
        0x1c => Cause::PointerAuth,
        0x20 => abort(iss, Access::Execute),
        // Cache maintenance (bit 8) needs only to read, but reports a write.
        0x24 if iss & (1 << 6) != 0 && iss & (1 << 8) == 0 => abort(iss, Access::Write),
        0x24 => abort(iss, Access::Read),
        0x22 => Cause::Alignment(Misalignment::Pc),
        0x26 => Cause::Alignment(Misalignment::Sp),
        0x3c => Cause::Breakpoint((iss & 0xffff) as u16),
        // Debug exceptions are not enabled; SError, EL1's own classes and
        // AArch32's cannot come from 64-bit user code.
        0x2f | 0x21 | 0x25 | 0x30..=0x35 => Cause::Machine,
        // Features that are not advertised trap here: SVE, SME, MOPS.
        _ => Cause::Undefined,
    }
}

fn abort(iss: u32, access: Access) -> Cause {
    match iss & 0x3f {
        // Address size, translation and access-flag faults, at any level.
        0b00_0000..=0b00_1011 => Cause::Translation(access),
        0b00_1100..=0b00_1111 => Cause::Permission(access),
        0b10_0001 => Cause::Alignment(Misalignment::Data),
        // An exclusive or atomic access to memory that does not allow it.
        0b11_0100 | 0b11_0101 => Cause::Alignment(Misalignment::Data),
        _ => Cause::Machine,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aborts_tell_what_was_tried() {
        assert_eq!(decode(0x9200_0007), Cause::Translation(Access::Read));
        assert_eq!(decode(0x9200_0047), Cause::Translation(Access::Write));
        assert_eq!(decode(0x9200_004f), Cause::Permission(Access::Write));
        assert_eq!(decode(0x8200_000f), Cause::Permission(Access::Execute));
        assert_eq!(decode(0x9200_0021), Cause::Alignment(Misalignment::Data));
    }

    #[test]
    fn cache_maintenance_is_a_read() {
        assert_eq!(decode(0x9200_0147), Cause::Translation(Access::Read));
    }

    #[test]
    fn calls_and_breakpoints() {
        assert_eq!(decode(0x5600_0000), Cause::Syscall);
        assert_eq!(decode(0xf200_03e8), Cause::Breakpoint(1000));
        assert_eq!(decode(0x0200_0000), Cause::Undefined);
    }

    #[test]
    fn landing_pads_and_codes_have_exceptions_of_their_own() {
        assert_eq!(decode(0x3600_0002), Cause::BranchTarget);
        assert_eq!(decode(0x7200_0003), Cause::PointerAuth);
    }

    #[test]
    fn a_trapped_mrs_names_its_register() {
        // MRS X3, ID_AA64ISAR0_EL1: op0 3, op1 0, CRn 0, CRm 6, op2 0.
        let iss = 3 << 20 | 6 << 1 | 3 << 5 | 1;
        let access = SystemAccess { register: [3, 0, 0, 6, 0], rt: 3, is_read: true };
        assert_eq!(decode(0x18 << 26 | 1 << 25 | iss), Cause::SystemRegister(access));
    }

    #[test]
    fn an_mrs_tells_its_register_without_a_syndrome() {
        // mrs x3, id_aa64isar0_el1
        let access = SystemAccess { register: [3, 0, 0, 6, 0], rt: 3, is_read: true };
        assert_eq!(decode_mrs(0xd538_0603), Some(access));
        // msr, and udf.
        assert_eq!(decode_mrs(0xd518_0603), None);
        assert_eq!(decode_mrs(0), None);
    }
}
