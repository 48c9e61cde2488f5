//! Pointer authentication and branch targets of user code. The kernel itself is
//! built without either, so the user's keys stay where they are while it runs.

use machine::{PointerAuth, pauth_key};

use crate::arch::regs::{isb, read_sysreg, write_sysreg};
use crate::idreg;

/// `SCTLR_EL1`'s bits of the keys, by their numbers: `EnIA`, `EnIB`, `EnDA`,
/// `EnDB`.
const ENABLES: [u64; 4] = [1 << 31, 1 << 30, 1 << 27, 1 << 13];
/// `SCTLR_EL1.BT0`: as on Linux, `PACIASP` is no landing pad for a `BR` by
/// another register than X16 and X17.
const BT0: u64 = 1 << 35;

/// What the calling CPU has in its registers.
#[derive(Debug, Default)]
pub(crate) struct Loaded {
    pauth: PointerAuth,
    is_set_up: bool,
}

impl Loaded {
    /// Loads the keys of a thread that is about to run, if they are others
    /// than those of the last.
    pub(crate) fn load(&mut self, pauth: &PointerAuth) {
        let features = idreg::features();
        if !self.is_set_up {
            self.is_set_up = true;
            if features.has_bti() {
                change_sctlr(0, BT0);
            }
            if features.has_pauth() {
                self.pauth = PointerAuth { keys: [[!0; 2]; 5], enabled: 0 };
            }
        }
        if !features.has_pauth() || self.pauth == *pauth {
            return;
        }
        load_keys(&pauth.keys);
        if self.pauth.enabled != pauth.enabled {
            let bit = |(number, bit): (usize, &u64)| if pauth.enabled >> number & 1 == 0 { 0 } else { *bit };
            let enabled = ENABLES.iter().enumerate().map(bit).fold(0, |all, bit| all | bit);
            change_sctlr(ENABLES.iter().fold(0, |all, bit| all | bit), enabled);
        }
        self.pauth.clone_from(pauth);
    }
}

fn change_sctlr(clear: u64, set: u64) {
    let sctlr = read_sysreg!("sctlr_el1");
    // SAFETY: only bits that concern user code, or instructions that the
    // kernel has not.
    unsafe { write_sysreg!("sctlr_el1", sctlr & !clear | set) };
    isb();
}

/// Writes the key registers: the processor has FEAT_PAuth. They take effect
/// with the exception return.
fn load_keys(keys: &[[u64; 2]; 5]) {
    let [ia, ib, da, db] =
        [pauth_key::IA, pauth_key::IB, pauth_key::DA, pauth_key::DB].map(|key| keys[usize::from(key)]);
    let ga = keys[usize::from(pauth_key::GA)];
    // SAFETY: registers that are there, of keys that no kernel code uses. The
    // assembler knows their names only with the extension.
    unsafe {
        write_sysreg!("S3_0_C2_C1_0", ia[0]);
        write_sysreg!("S3_0_C2_C1_1", ia[1]);
        write_sysreg!("S3_0_C2_C1_2", ib[0]);
        write_sysreg!("S3_0_C2_C1_3", ib[1]);
        write_sysreg!("S3_0_C2_C2_0", da[0]);
        write_sysreg!("S3_0_C2_C2_1", da[1]);
        write_sysreg!("S3_0_C2_C2_2", db[0]);
        write_sysreg!("S3_0_C2_C2_3", db[1]);
        write_sysreg!("S3_0_C2_C3_0", ga[0]);
        write_sysreg!("S3_0_C2_C3_1", ga[1]);
    }
}
