//! Who owns an object of System V IPC, and who may use it.

use linux_abi::Errno;
use linux_abi::ipc::IpcPerm;

use crate::error::{Because, Result};
use crate::task::Creds;

/// Bits of `mode` that say who may do what.
pub(super) const MODE_BITS: u32 = 0o777;

/// The owner of a new object with `mode`.
pub(super) fn of_new(key: i32, mode: u32, creds: &Creds) -> IpcPerm {
    let (uid, gid) = (creds.euid, creds.egid);
    IpcPerm { key, uid, gid, cuid: uid, cgid: gid, mode: mode & MODE_BITS, seq: 0 }
}

/// Checks that `creds` may do all that the bits of `wanted` ask for, in
/// whichever of the three groups of bits they stand.
///
/// # Errors
/// `EACCES`.
pub(super) fn check_access(perm: &IpcPerm, creds: &Creds, wanted: u32) -> Result<()> {
    let wanted = (wanted >> 6 | wanted >> 3 | wanted) & 7;
    let in_group = |gid: u32| creds.egid == gid || creds.groups.contains(&gid);
    let granted = if creds.euid == perm.uid || creds.euid == perm.cuid {
        perm.mode >> 6
    } else if in_group(perm.gid) || in_group(perm.cgid) {
        perm.mode >> 3
    } else {
        perm.mode
    };
    let is_granted = wanted & !granted & 7 == 0;
    if is_granted || creds.is_privileged() { Ok(()) } else { Err(Errno::EACCES.because("its mode forbids that")) }
}

/// Checks that `creds` may change or remove the object.
///
/// # Errors
/// `EPERM`.
pub(super) fn check_owner(perm: &IpcPerm, creds: &Creds) -> Result<()> {
    let is_owner = creds.euid == perm.uid || creds.euid == perm.cuid || creds.is_privileged();
    if is_owner { Ok(()) } else { Err(Errno::EPERM.because("neither its owner nor its maker")) }
}
