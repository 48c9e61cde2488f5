//! The keys of pointer authentication: fresh ones for a new program, and what
//! `prctl` does with them (`arch/arm64/kernel/pointer_auth.c`).
//!
//! The keys are part of a thread's context, so that `fork` and `clone` hand
//! them on.

use linux_abi::Errno;
use linux_abi::prctl::PR_PAC_APGAKEY;
use machine::{PointerAuth, pauth_key};

use crate::Kernel;
use crate::error::{Because, Result};
use crate::syscall::Cx;

/// The bits of the keys that can be disabled (`PR_PAC_ENABLED_KEYS_MASK`),
/// which are also those of [`PointerAuth::enabled`].
const ADDRESS_KEYS: u64 = pauth_key::ALL_ENABLED;

/// What a new program starts with: random keys, all of them enabled. Nothing
/// if the processor has no use for them.
pub(super) fn fresh(kernel: &Kernel) -> PointerAuth {
    let mut pauth = PointerAuth::default();
    if kernel.has_pauth() {
        pauth.keys.iter_mut().for_each(|key| *key = random_key(kernel));
        pauth.enabled = pauth_key::ALL_ENABLED;
    }
    pauth
}

fn random_key(kernel: &Kernel) -> [u64; 2] {
    let mut halves = [[0; 8]; 2];
    halves.iter_mut().for_each(|half| kernel.machine().fill_random(half));
    halves.map(u64::from_le_bytes)
}

fn check(kernel: &Kernel) -> Result<()> {
    if kernel.has_pauth() { Ok(()) } else { Err(Errno::EINVAL.because("the processor cannot sign pointers")) }
}

/// `PR_PAC_RESET_KEYS`: new random keys, all of them for 0.
///
/// # Errors
/// `EINVAL` for keys that there are not.
pub(super) fn reset(cx: &mut Cx<'_>, which: u64) -> Result<u64> {
    check(cx.kernel)?;
    let all = ADDRESS_KEYS | PR_PAC_APGAKEY;
    if which & !all != 0 {
        return Err(Errno::EINVAL.because("no such key"));
    }
    let which = if which == 0 { all } else { which };
    for (number, key) in cx.regs.pauth.keys.iter_mut().enumerate() {
        if which >> number & 1 != 0 {
            *key = random_key(cx.kernel);
        }
    }
    Ok(0)
}

/// `PR_PAC_SET_ENABLED_KEYS`: of `which` keys, those in `enabled` work.
///
/// # Errors
/// `EINVAL` for keys that cannot be disabled, or enabled ones that are not
/// among `which`.
pub(super) fn set_enabled(cx: &mut Cx<'_>, which: u64, enabled: u64) -> Result<u64> {
    check(cx.kernel)?;
    if which & !ADDRESS_KEYS != 0 || enabled & !which != 0 {
        return Err(Errno::EINVAL.because("not keys that can be enabled"));
    }
    let pauth = &mut cx.regs.pauth;
    pauth.enabled = pauth.enabled & !which | enabled;
    Ok(0)
}

/// `PR_PAC_GET_ENABLED_KEYS`.
///
/// # Errors
/// `EINVAL` if there are no keys.
pub(super) fn enabled(cx: &Cx<'_>) -> Result<u64> {
    check(cx.kernel)?;
    Ok(cx.regs.pauth.enabled)
}
