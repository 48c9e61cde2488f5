//! Atomic accesses of 128 bits.
//!
//! On x86-64 every processor that runs a current system has `CMPXCHG16B`. On
//! other hosts, and where it is missing, a lock stands in: then the access is
//! atomic towards other 128-bit accesses only.

use machine::sync::Mutex;

static LOCK: Mutex<()> = Mutex::new(());

/// Replaces the value if it is `expected`; gives what was there.
///
/// # Safety
/// `at` is aligned to 16 bytes and may be written.
#[inline(never)]
pub(crate) unsafe fn compare_exchange(at: *mut u128, expected: u128, new: u128) -> u128 {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("cmpxchg16b") {
        // SAFETY: the feature is there, and the caller vouches for `at`.
        return unsafe { exchange_x86(at, expected, new) };
    }
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

/// # Safety
/// As [`compare_exchange`], and the processor has `CMPXCHG16B`.
#[cfg(target_arch = "x86_64")]
unsafe fn exchange_x86(at: *mut u128, expected: u128, new: u128) -> u128 {
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

/// Reads a value whole, or as two halves that an exclusive store will check.
///
/// # Safety
/// `at` is aligned to 16 bytes and may be read.
#[inline(always)]
pub(crate) unsafe fn load(at: *mut u128) -> u128 {
    use core::sync::atomic::{AtomicU64, Ordering};
    let halves = at.cast::<u64>();
    // The page may be read-only, so `CMPXCHG16B` is no way to read it. A value
    // torn by another CPU's store is noticed by the store that follows.
    // SAFETY: the caller vouches for `at`.
    unsafe {
        let low = AtomicU64::from_ptr(halves).load(Ordering::SeqCst);
        let high = AtomicU64::from_ptr(halves.add(1)).load(Ordering::SeqCst);
        u128::from(high) << 64 | u128::from(low)
    }
}
