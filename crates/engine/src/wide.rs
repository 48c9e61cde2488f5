//! Atomic accesses of 128 bits.
//!
//! On x86-64 every processor that runs a current system has `CMPXCHG16B`;
//! AArch64 has `LDAXP` and `STLXP`. On other hosts, and where `CMPXCHG16B` is
//! missing, a lock stands in: then the access is atomic towards other 128-bit
//! accesses only, and FEAT_LSE2 is not offered.

use core::sync::atomic::{Ordering, fence};

#[cfg(any(miri, not(target_arch = "aarch64")))]
use machine::sync::Mutex;

use crate::domain::plain::{Place, Plain};
use crate::simd::V128;

#[cfg(any(miri, not(target_arch = "aarch64")))]
static LOCK: Mutex<()> = Mutex::new(());

/// Whether the host's loads and stores of up to 16 bytes within 16 that are
/// aligned are single-copy atomic, and [`compare_exchange`] is towards them:
/// what FEAT_LSE2 takes.
#[must_use]
pub(crate) fn is_atomic() -> bool {
    #[cfg(target_arch = "x86_64")]
    return std::arch::is_x86_feature_detected!("avx") && std::arch::is_x86_feature_detected!("cmpxchg16b");
    #[cfg(target_arch = "aarch64")]
    return std::arch::is_aarch64_feature_detected!("lse2");
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    return false;
}

/// Replaces the value if it is `expected`; gives what was there. In order with
/// all other accesses.
///
/// # Safety
/// `at` is aligned to 16 bytes and may be written.
#[inline(never)]
pub(crate) unsafe fn compare_exchange(at: *mut u128, expected: u128, new: u128) -> u128 {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    if std::arch::is_x86_feature_detected!("cmpxchg16b") {
        // SAFETY: the feature is there, and the caller vouches for `at`.
        return unsafe { exchange(at, expected, new) };
    }
    #[cfg(all(target_arch = "aarch64", not(miri)))]
    // SAFETY: the caller vouches for `at`.
    return unsafe { exchange(at, expected, new) };
    #[cfg(any(miri, not(target_arch = "aarch64")))]
    {
        let _guard = LOCK.lock();
        // SAFETY: the caller vouches for `at`.
        unsafe {
            let old = at.read_volatile();
            if old == expected {
                at.write_volatile(new);
            }
            old
        }
    }
}

/// # Safety
/// As [`compare_exchange`], and the processor has `CMPXCHG16B`.
#[cfg(all(target_arch = "x86_64", not(miri)))]
unsafe fn exchange(at: *mut u128, expected: u128, new: u128) -> u128 {
    let (mut low, mut high) = (expected as u64, (expected >> 64) as u64);
    // SAFETY: the caller vouches for `at` and the processor; RBX, which the
    // compiler keeps for itself, is put back.
    unsafe {
        core::arch::asm!(
            "xchg rsi, rbx",
            "lock cmpxchg16b [rdi]",
            "mov rbx, rsi",
            in("rdi") at,
            inout("rsi") new as u64 => _,
            in("rcx") (new >> 64) as u64,
            inout("rax") low,
            inout("rdx") high,
            options(nostack),
        );
    }
    u128::from(high) << 64 | u128::from(low)
}

/// # Safety
/// As [`compare_exchange`].
#[cfg(all(target_arch = "aarch64", not(miri)))]
unsafe fn exchange(at: *mut u128, expected: u128, new: u128) -> u128 {
    let (low, high): (u64, u64);
    // What was there is stored again where it was not expected: only a store
    // that succeeds tells that both halves were read at once.
    // SAFETY: the caller vouches for `at`; every processor has these.
    unsafe {
        core::arch::asm!(
            "2:",
            "ldaxp {low}, {high}, [{at}]",
            "cmp {low}, {expected_low}",
            "ccmp {high}, {expected_high}, #0, eq",
            "csel {store_low}, {new_low}, {low}, eq",
            "csel {store_high}, {new_high}, {high}, eq",
            "stlxp {failed:w}, {store_low}, {store_high}, [{at}]",
            "cbnz {failed:w}, 2b",
            at = in(reg) at,
            low = out(reg) low,
            high = out(reg) high,
            expected_low = in(reg) expected as u64,
            expected_high = in(reg) (expected >> 64) as u64,
            new_low = in(reg) new as u64,
            new_high = in(reg) (new >> 64) as u64,
            store_low = out(reg) _,
            store_high = out(reg) _,
            failed = out(reg) _,
            options(nostack),
        );
    }
    fence(Ordering::SeqCst);
    u128::from(high) << 64 | u128::from(low)
}

/// Reads a value: whole where [`is_atomic`], else as halves, which a following
/// [`compare_exchange`] will notice to have been torn.
///
/// # Safety
/// `at` is aligned to 16 bytes and may be read.
#[inline(always)]
pub(crate) unsafe fn load(at: *mut u128) -> u128 {
    // The page may be read-only, so `CMPXCHG16B` is no way to read it.
    // SAFETY: the caller vouches for `at`.
    let value = unsafe { V128::read(Place::at(at.cast())) };
    // Nothing on x86-64.
    fence(Ordering::Acquire);
    value.to_u128()
}
