//! The ID registers as EL0 sees them.

use crate::arch::regs::read_sysreg;

/// What `MRS` of an ID register gives EL0; `None` if it may not be read.
/// `register` is `op0, op1, CRn, CRm, op2`.
pub(crate) fn read(register: [u8; 5]) -> Option<u64> {
    let [3, 0, 0, crm, op2] = register else { return None };
    Some(match (crm, op2) {
        (0, 0) => read_sysreg!("midr_el1"),
        (0, 5) => 1 << 31,
        (0, 6) => 0,
        (4, 0) => read_sysreg!("id_aa64pfr0_el1") & 0xff_0000 | 0x11,
        (6, 0) => read_sysreg!("id_aa64isar0_el1") & 0x0000_0000_00ff_fff0,
        (1..=7, _) => 0,
        _ => return None,
    })
}

/// `AT_HWCAP` and `AT_HWCAP2`.
pub(crate) fn hwcap() -> [u64; 2] {
    let isar0 = read_sysreg!("id_aa64isar0_el1");
    let field = |shift: u32| isar0 >> shift & 15;
    let mut bits = 1 | 1 << 1 | 1 << 11;
    for (is_there, bit) in [
        (field(4) >= 1, 3),
        (field(4) >= 2, 4),
        (field(8) >= 1, 5),
        (field(12) >= 1, 6),
        (field(16) >= 1, 7),
        (field(20) >= 2, 8),
    ] {
        bits |= u64::from(is_there) << bit;
    }
    [bits, 0]
}
