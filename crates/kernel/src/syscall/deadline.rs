//! Time limits of calls that wait.

use linux_abi::Errno;
use linux_abi::time::Timespec;
use machine::GuestAddr;

use crate::error::{Because, Result};
use crate::syscall::Cx;

/// The monotonic deadline that a pointer to a relative `timespec` stands for;
/// `None` for a null pointer: no limit.
///
/// # Errors
/// `EFAULT`, or `EINVAL` for a time that is negative or has a second's worth
/// of nanoseconds.
pub(crate) fn timeout_deadline(cx: &Cx<'_>, timeout: GuestAddr) -> Result<Option<u64>> {
    if timeout.is_null() {
        return Ok(None);
    }
    let ns = timespec_ns(cx.task.mm().read_abi(timeout)?)?;
    Ok(Some(cx.kernel.now_ns().saturating_add(ns)))
}

/// A `timespec` in nanoseconds, as far as they can be counted.
///
/// # Errors
/// `EINVAL` as above.
pub(crate) fn timespec_ns(time: Timespec) -> Result<u64> {
    let bad = || Errno::EINVAL.because("no such time");
    let seconds = u64::try_from(time.tv_sec).map_err(|_| bad())?;
    let nanoseconds = u64::try_from(time.tv_nsec).ok().filter(|ns| *ns < 1_000_000_000).ok_or_else(bad)?;
    Ok(seconds.saturating_mul(1_000_000_000).saturating_add(nanoseconds))
}
