//! What the processor is, as EL0 and `/proc/cpuinfo` see it.

use machine::features::{CpuFeatures, IdRegisters};
use spin::Once;

use crate::arch::regs::read_sysreg;

static FEATURES: Once<CpuFeatures> = Once::new();

/// The processor's features: those that the table knows. All CPUs are alike.
pub(crate) fn features() -> &'static CpuFeatures {
    FEATURES.call_once(|| {
        CpuFeatures::from_registers(&IdRegisters {
            // In the order of `IdRegister`. A processor older than one of them
            // reads it as zero.
            id: [
                read_sysreg!("id_aa64pfr0_el1"),
                read_sysreg!("id_aa64pfr1_el1"),
                read_sysreg!("id_aa64isar0_el1"),
                read_sysreg!("id_aa64isar1_el1"),
                read_sysreg!("id_aa64isar2_el1"),
                read_sysreg!("id_aa64mmfr0_el1"),
                read_sysreg!("id_aa64mmfr1_el1"),
                read_sysreg!("id_aa64mmfr2_el1"),
            ],
            midr: read_sysreg!("midr_el1"),
            ctr: read_sysreg!("ctr_el0"),
            dczid: read_sysreg!("dczid_el0"),
        })
    })
}

/// What `MRS` of an ID register gives EL0; `None` if it may not be read.
/// `register` is `op0, op1, CRn, CRm, op2`.
pub(crate) fn read(register: [u8; 5]) -> Option<u64> {
    let [op0, op1, crn, crm, op2] = register.map(u32::from);
    (op0 == 3).then(|| features().id_register(op1, crn, crm, op2)).flatten()
}
