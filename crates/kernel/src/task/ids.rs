//! User and group identities.

use alloc::sync::Arc;
use alloc::vec::Vec;

use linux_abi::Errno;
use linux_abi::capability::{CapUserData, CapUserHeader};
use machine::GuestAddr;

use crate::error::{Because, Result};
use crate::syscall::Cx;
use crate::task::Creds;

/// "Leave it as it is" in the `setres` calls.
const KEEP: u32 = u32::MAX;

fn denied() -> crate::error::Error {
    Errno::EPERM.because("only the superuser may take that identity")
}

pub(super) fn getuid(cx: &mut Cx<'_>) -> Result<u32> {
    Ok(cx.task.creds().uid)
}

pub(super) fn geteuid(cx: &mut Cx<'_>) -> Result<u32> {
    Ok(cx.task.creds().euid)
}

pub(super) fn getgid(cx: &mut Cx<'_>) -> Result<u32> {
    Ok(cx.task.creds().gid)
}

pub(super) fn getegid(cx: &mut Cx<'_>) -> Result<u32> {
    Ok(cx.task.creds().egid)
}

/// Three identities of one kind: real, effective, saved.
#[derive(Clone, Copy)]
struct Three {
    real: u32,
    effective: u32,
    saved: u32,
}

impl Three {
    fn has(self, id: u32) -> bool {
        id == KEEP || id == self.real || id == self.effective || id == self.saved
    }

    /// `setresuid` and its twin.
    fn set_all(self, real: u32, effective: u32, saved: u32, privileged: bool) -> Result<Self> {
        if !privileged && ![real, effective, saved].iter().all(|&id| self.has(id)) {
            return Err(denied());
        }
        let pick = |new: u32, old: u32| if new == KEEP { old } else { new };
        Ok(Self {
            real: pick(real, self.real),
            effective: pick(effective, self.effective),
            saved: pick(saved, self.saved),
        })
    }

    /// `setreuid` and its twin.
    fn set_two(self, real: u32, effective: u32, privileged: bool) -> Result<Self> {
        let real_ok = real == KEEP || real == self.real || real == self.effective;
        if !privileged && (!real_ok || !self.has(effective)) {
            return Err(denied());
        }
        let mut new = self;
        if real != KEEP {
            new.real = real;
        }
        if effective != KEEP {
            new.effective = effective;
        }
        if real != KEEP || (effective != KEEP && effective != self.real) {
            new.saved = new.effective;
        }
        Ok(new)
    }

    /// `setuid` and its twin.
    fn set_one(self, id: u32, privileged: bool) -> Result<Self> {
        if id == KEEP {
            return Err(Errno::EINVAL.because("not an identity"));
        }
        if privileged {
            return Ok(Self { real: id, effective: id, saved: id });
        }
        if id != self.real && id != self.saved {
            return Err(denied());
        }
        Ok(Self { effective: id, ..self })
    }
}

fn users(creds: &Creds) -> Three {
    Three { real: creds.uid, effective: creds.euid, saved: creds.suid }
}

fn groups_of(creds: &Creds) -> Three {
    Three { real: creds.gid, effective: creds.egid, saved: creds.sgid }
}

fn change_user(cx: &Cx<'_>, change: impl FnOnce(Three, bool) -> Result<Three>) -> Result<()> {
    let mut creds = (*cx.task.creds()).clone();
    let new = change(users(&creds), creds.is_privileged())?;
    (creds.uid, creds.euid, creds.suid, creds.fsuid) = (new.real, new.effective, new.saved, new.effective);
    cx.task.set_creds(creds);
    Ok(())
}

fn change_group(cx: &Cx<'_>, change: impl FnOnce(Three, bool) -> Result<Three>) -> Result<()> {
    let mut creds = (*cx.task.creds()).clone();
    let new = change(groups_of(&creds), creds.is_privileged())?;
    (creds.gid, creds.egid, creds.sgid, creds.fsgid) = (new.real, new.effective, new.saved, new.effective);
    cx.task.set_creds(creds);
    Ok(())
}

pub(super) fn setuid(cx: &mut Cx<'_>, uid: u32) -> Result<()> {
    change_user(cx, |ids, privileged| ids.set_one(uid, privileged))
}

pub(super) fn setgid(cx: &mut Cx<'_>, gid: u32) -> Result<()> {
    change_group(cx, |ids, privileged| ids.set_one(gid, privileged))
}

pub(super) fn setreuid(cx: &mut Cx<'_>, real: u32, effective: u32) -> Result<()> {
    change_user(cx, |ids, privileged| ids.set_two(real, effective, privileged))
}

pub(super) fn setregid(cx: &mut Cx<'_>, real: u32, effective: u32) -> Result<()> {
    change_group(cx, |ids, privileged| ids.set_two(real, effective, privileged))
}

pub(super) fn setresuid(cx: &mut Cx<'_>, real: u32, effective: u32, saved: u32) -> Result<()> {
    change_user(cx, |ids, privileged| ids.set_all(real, effective, saved, privileged))
}

pub(super) fn setresgid(cx: &mut Cx<'_>, real: u32, effective: u32, saved: u32) -> Result<()> {
    change_group(cx, |ids, privileged| ids.set_all(real, effective, saved, privileged))
}

fn store(cx: &Cx<'_>, ids: Three, to: [GuestAddr; 3]) -> Result<()> {
    let mm = cx.task.mm();
    mm.write_u32(to[0], ids.real)?;
    mm.write_u32(to[1], ids.effective)?;
    mm.write_u32(to[2], ids.saved)
}

pub(super) fn getresuid(cx: &mut Cx<'_>, real: GuestAddr, effective: GuestAddr, saved: GuestAddr) -> Result<()> {
    store(cx, users(&cx.task.creds()), [real, effective, saved])
}

pub(super) fn getresgid(cx: &mut Cx<'_>, real: GuestAddr, effective: GuestAddr, saved: GuestAddr) -> Result<()> {
    store(cx, groups_of(&cx.task.creds()), [real, effective, saved])
}

pub(super) fn setfsuid(cx: &mut Cx<'_>, uid: u32) -> Result<u32> {
    let mut creds = (*cx.task.creds()).clone();
    let old = creds.fsuid;
    if (creds.is_privileged() || users(&creds).has(uid) || uid == old) && uid != KEEP {
        creds.fsuid = uid;
        cx.task.set_creds(creds);
    }
    Ok(old)
}

pub(super) fn setfsgid(cx: &mut Cx<'_>, gid: u32) -> Result<u32> {
    let mut creds = (*cx.task.creds()).clone();
    let old = creds.fsgid;
    if (creds.is_privileged() || groups_of(&creds).has(gid) || gid == old) && gid != KEEP {
        creds.fsgid = gid;
        cx.task.set_creds(creds);
    }
    Ok(old)
}

/// The most supplementary groups, as `NGROUPS_MAX`.
const NGROUPS_MAX: usize = 65_536;

pub(super) fn getgroups(cx: &mut Cx<'_>, size: i32, list: GuestAddr) -> Result<usize> {
    let groups = cx.task.creds().groups.clone();
    let size = usize::try_from(size).map_err(|_| Errno::EINVAL.because("a negative size"))?;
    if size == 0 {
        return Ok(groups.len());
    }
    if size < groups.len() {
        return Err(Errno::EINVAL.because("the list is too short"));
    }
    let bytes: Vec<u8> = groups.iter().flat_map(|group| group.to_le_bytes()).collect();
    cx.task.mm().write(list, &bytes)?;
    Ok(groups.len())
}

pub(super) fn setgroups(cx: &mut Cx<'_>, size: i32, list: GuestAddr) -> Result<()> {
    let mut creds = (*cx.task.creds()).clone();
    if !creds.is_privileged() {
        return Err(denied());
    }
    let size = usize::try_from(size).ok().filter(|size| *size <= NGROUPS_MAX);
    let size = size.ok_or_else(|| Errno::EINVAL.because("too many groups"))?;
    let mut bytes = alloc::vec![0; size * 4];
    cx.task.mm().read(list, &mut bytes)?;
    let groups = bytes.chunks_exact(4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]));
    creds.groups = Arc::new(groups.collect());
    cx.task.set_creds(creds);
    Ok(())
}

/// All capabilities that Linux 6.6 knows.
const ALL_CAPS: u64 = (1 << 41) - 1;

fn caps_of(creds: &Creds) -> u64 {
    if creds.is_privileged() { ALL_CAPS } else { 0 }
}

const VERSION_1: u32 = 0x1998_0330;
const VERSION_2: u32 = 0x2007_1026;
const VERSION_3: u32 = 0x2008_0522;

/// Reads the header; gives the process and how many data words there are.
fn cap_header(cx: &Cx<'_>, header: GuestAddr) -> Result<(i32, usize)> {
    let mm = cx.task.mm();
    let mut head: CapUserHeader = mm.read_abi(header)?;
    let words = match head.version {
        VERSION_1 => 1,
        VERSION_2 | VERSION_3 => 2,
        _ => {
            head.version = VERSION_3;
            mm.write_abi(header, &head)?;
            return Err(Errno::EINVAL.because("no such version of capabilities"));
        }
    };
    Ok((head.pid, words))
}

pub(super) fn capget(cx: &mut Cx<'_>, header: GuestAddr, data: GuestAddr) -> Result<()> {
    let (pid, words) = match cap_header(cx, header) {
        Err(error) if error.errno == Errno::EINVAL && data.is_null() => return Ok(()),
        other => other?,
    };
    let task = match pid {
        0 => cx.task.clone(),
        pid => {
            let task = u32::try_from(pid).ok().and_then(|pid| cx.kernel.tree().task(pid));
            task.ok_or_else(|| Errno::ESRCH.because("no such thread"))?
        }
    };
    let caps = caps_of(&task.creds());
    for word in 0..words {
        let bits = u32::try_from(caps >> (32 * word) & 0xffff_ffff).unwrap_or(0);
        let at = data.add(word as u64 * 12);
        cx.task.mm().write_abi(at, &CapUserData { effective: bits, permitted: bits, inheritable: 0 })?;
    }
    Ok(())
}

/// Identities alone decide here, so capabilities can be set only to what the
/// identities give already.
pub(super) fn capset(cx: &mut Cx<'_>, header: GuestAddr, data: GuestAddr) -> Result<()> {
    let (pid, words) = cap_header(cx, header)?;
    if pid != 0 && pid.unsigned_abs() != cx.task.tid() {
        return Err(Errno::EPERM.because("capabilities of another thread"));
    }
    let caps = caps_of(&cx.task.creds());
    for word in 0..words {
        let bits = u32::try_from(caps >> (32 * word) & 0xffff_ffff).unwrap_or(0);
        let new: CapUserData = cx.task.mm().read_abi(data.add(word as u64 * 12))?;
        if new.permitted & !bits != 0 || new.effective & !new.permitted != 0 {
            return Err(Errno::EPERM.because("capabilities cannot be gained"));
        }
        if new.permitted != bits {
            return Err(Errno::EPERM.because("capabilities cannot be dropped one by one"));
        }
    }
    Ok(())
}
