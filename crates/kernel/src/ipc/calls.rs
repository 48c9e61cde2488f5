//! The system calls of shared memory.

use alloc::sync::Arc;

use linux_abi::Errno;
use linux_abi::ipc::{
    IPC_CREAT, IPC_EXCL, IPC_INFO, IPC_RMID, IPC_SET, IPC_STAT, SHM_HUGETLB, SHM_INFO, SHM_LOCK, SHM_LOCKED,
    SHM_NORESERVE, SHM_STAT, SHM_STAT_ANY, SHM_UNLOCK, ShmatFlags, ShmidDs, Shminfo,
};
use machine::{GuestAddr, PAGE_SIZE, Prot, page_floor};

use super::perm;
use super::shm::{SHMALL, SHMMAX, SHMMNI, Segment, Uses};
use crate::error::{Because, Result};
use crate::mm::{Label, Limits, MapRequest, Object, Placement, VmaFlags};
use crate::syscall::{Cx, Row};
use crate::time::Clock;

crate::flag_args! {
    ShmatFlags: u32, truncate;
}

/// The system calls of shared memory.
pub(crate) const ROWS: &[Row] = crate::syscalls! {
    194 shmget(key: i32, size: u64, flags: u32) Partial("no huge pages"), shmget;
    195 shmctl(shmid: i32, cmd: u32, buf: GuestAddr) Full, shmctl;
    196 shmat(shmid: i32, addr: GuestAddr, flags: ShmatFlags) Full, shmat;
    197 shmdt(addr: GuestAddr) Partial("munmap and exit leave shm_dtime and shm_lpid as they are"), shmdt;
};

/// Seconds since 1970.
fn now(cx: &Cx<'_>) -> i64 {
    (Clock::Real.now_ns(cx.kernel) / 1_000_000_000).cast_signed()
}

fn shmget(cx: &mut Cx<'_>, key: i32, size: u64, flags: u32) -> Result<i32> {
    let creds = cx.task.creds();
    let perm = perm::of_new(key, flags, &creds);
    let uses = Uses { changed: now(cx), creator: cx.task.process.pid, ..Uses::default() };
    let make = || {
        if size == 0 || size > SHMMAX {
            return Err(Errno::EINVAL.because("no possible size"));
        }
        if flags & SHM_HUGETLB != 0 {
            return Err(Errno::ENOMEM.because("there are no huge pages"));
        }
        let total = (cx.kernel.frame_pool().total() as u64).saturating_mul(PAGE_SIZE);
        if size > total && flags & SHM_NORESERVE == 0 {
            return Err(Errno::ENOMEM.because("more than the machine's memory"));
        }
        Ok(Object::anonymous(cx.kernel, size.next_multiple_of(PAGE_SIZE)))
    };
    let segment = match cx.kernel.segments().find_or_add(perm, flags & IPC_CREAT != 0, size, uses, make)? {
        Err(new) => return Ok(new),
        Ok(segment) => segment,
    };
    if flags & (IPC_CREAT | IPC_EXCL) == IPC_CREAT | IPC_EXCL {
        return Err(Errno::EEXIST.because("a segment has this key"));
    }
    if size > segment.size {
        return Err(Errno::EINVAL.because("the segment is smaller"));
    }
    perm::check_access(&segment.perm, &creds, flags)?;
    Ok(segment.id)
}

fn shmat(cx: &mut Cx<'_>, shmid: i32, addr: GuestAddr, flags: ShmatFlags) -> Result<GuestAddr> {
    let may_replace = flags.contains(ShmatFlags::SHM_REMAP);
    let addr = addr.untagged();
    let placement = match page_floor(addr) {
        _ if addr == 0 && may_replace => return Err(Errno::EINVAL.because("replaced is what is at an address")),
        _ if addr == 0 => Placement::Hint(0),
        start if start != addr && !flags.contains(ShmatFlags::SHM_RND) => {
            return Err(Errno::EINVAL.because("the address is not at the start of a page"));
        }
        0 if may_replace => return Err(Errno::EINVAL.because("rounded down, the address is 0")),
        start if may_replace => Placement::Fixed(start),
        start => Placement::FixedNoReplace(start),
    };
    let segment = cx.kernel.segments().get(shmid)?;
    let (mut prot, mut wanted) = (Prot::READ, 0o444);
    if !flags.contains(ShmatFlags::SHM_RDONLY) {
        (prot, wanted) = (prot | Prot::WRITE, wanted | 0o222);
    }
    if flags.contains(ShmatFlags::SHM_EXEC) {
        (prot, wanted) = (prot | Prot::EXEC, wanted | 0o111);
    }
    perm::check_access(&segment.perm, &cx.task.creds(), wanted)?;
    let len = segment.object.size();
    let mut request = MapRequest { placement, ..MapRequest::anonymous(len, prot) };
    request.flags |= VmaFlags::SHARED;
    request.flags.set(VmaFlags::MAY_WRITE, prot.contains(Prot::WRITE));
    request.object = Some(segment.object.clone());
    request.label = Some(Arc::new(Label::Segment { key: segment.perm.key, id: segment.id }));
    let mm = cx.task.mm();
    mm.limits().set(&Limits::of(&cx.task.process, &cx.task.creds()));
    let start = mm.map(&request).map_err(|error| {
        if error.errno == Errno::EEXIST { Errno::EINVAL.because("something is mapped there") } else { error }
    })?;
    let (time, pid) = (now(cx), cx.task.process.pid);
    cx.kernel.segments().change(segment.id, |_, uses| (uses.attached, uses.last) = (time, pid));
    Ok(start)
}

fn shmdt(cx: &mut Cx<'_>, addr: GuestAddr) -> Result<()> {
    let addr = addr.untagged();
    if !addr.is_multiple_of(PAGE_SIZE) {
        return Err(Errno::EINVAL.because("the address is not at the start of a page"));
    }
    let id = cx.task.mm().detach_segment(addr).ok_or(Errno::EINVAL.because("no segment is mapped there"))?;
    let (time, pid) = (now(cx), cx.task.process.pid);
    cx.kernel.segments().change(id, |_, uses| (uses.detached, uses.last) = (time, pid));
    Ok(())
}

fn shmctl(cx: &mut Cx<'_>, shmid: i32, cmd: u32, buf: GuestAddr) -> Result<i32> {
    if shmid < 0 {
        return Err(Errno::EINVAL.because("identifiers are not negative"));
    }
    let segments = cx.kernel.segments();
    match cmd {
        IPC_INFO => {
            let highest = segments.totals().1;
            let shmmni = SHMMNI as u64;
            let info = Shminfo { shmmax: SHMMAX, shmmin: 1, shmmni, shmseg: shmmni, shmall: SHMALL };
            cx.task.mm().write_abi(buf, &info)?;
            Ok(i32::try_from(highest).unwrap_or(i32::MAX))
        }
        SHM_INFO => {
            let (info, highest) = segments.totals();
            cx.task.mm().write_abi(buf, &info)?;
            Ok(i32::try_from(highest).unwrap_or(i32::MAX))
        }
        IPC_STAT | SHM_STAT | SHM_STAT_ANY => {
            let segment = if cmd == IPC_STAT { segments.get(shmid)? } else { segments.at(shmid)? };
            if cmd != SHM_STAT_ANY {
                perm::check_access(&segment.perm, &cx.task.creds(), 0o444)?;
            }
            cx.task.mm().write_abi(buf, &segment.status())?;
            Ok(if cmd == IPC_STAT { 0 } else { segment.id })
        }
        IPC_SET => set_owner(cx, shmid, buf).map(|()| 0),
        IPC_RMID => {
            owned(cx, shmid)?;
            segments.remove(shmid);
            Ok(0)
        }
        SHM_LOCK | SHM_UNLOCK => {
            // Nothing is ever swapped out, so a lock is only remembered.
            owned(cx, shmid)?;
            segments.change(shmid, |perm, _| {
                perm.mode = if cmd == SHM_LOCK { perm.mode | SHM_LOCKED } else { perm.mode & !SHM_LOCKED };
            });
            Ok(0)
        }
        _ => Err(Errno::EINVAL.because("no such command")),
    }
}

/// The segment, if the caller may change it.
fn owned(cx: &Cx<'_>, shmid: i32) -> Result<Segment> {
    let segment = cx.kernel.segments().get(shmid)?;
    perm::check_owner(&segment.perm, &cx.task.creds())?;
    Ok(segment)
}

fn set_owner(cx: &Cx<'_>, shmid: i32, buf: GuestAddr) -> Result<()> {
    let wanted: ShmidDs = cx.task.mm().read_abi(buf)?;
    owned(cx, shmid)?;
    let wanted = wanted.shm_perm;
    if wanted.uid == u32::MAX || wanted.gid == u32::MAX {
        return Err(Errno::EINVAL.because("no such user or group"));
    }
    let time = now(cx);
    cx.kernel.segments().change(shmid, |perm, uses| {
        (perm.uid, perm.gid) = (wanted.uid, wanted.gid);
        perm.mode = perm.mode & !perm::MODE_BITS | wanted.mode & perm::MODE_BITS;
        uses.changed = time;
    });
    Ok(())
}
