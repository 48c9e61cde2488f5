//! `process_vm_readv` and `process_vm_writev`: copies between processes.

use alloc::sync::Arc;
use alloc::vec::Vec;

use linux_abi::Errno;
use machine::GuestAddr;

use crate::error::{Because, Result};
use crate::mm::{IoVec, Mm};
use crate::syscall::Cx;
use crate::task::Creds;

/// Bytes that are copied at a time.
const STEP: usize = 16 * 4096;

/// Which way the bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    FromRemote,
    ToRemote,
}

pub(super) fn process_vm_readv(
    cx: &mut Cx<'_>,
    pid: i32,
    local: GuestAddr,
    local_count: usize,
    remote: GuestAddr,
    remote_count: usize,
    flags: u64,
) -> Result<usize> {
    let ranges = (local, local_count, remote, remote_count);
    transfer(cx, pid, ranges, flags, Direction::FromRemote)
}

pub(super) fn process_vm_writev(
    cx: &mut Cx<'_>,
    pid: i32,
    local: GuestAddr,
    local_count: usize,
    remote: GuestAddr,
    remote_count: usize,
    flags: u64,
) -> Result<usize> {
    let ranges = (local, local_count, remote, remote_count);
    transfer(cx, pid, ranges, flags, Direction::ToRemote)
}

fn transfer(
    cx: &Cx<'_>,
    pid: i32,
    (local, local_count, remote, remote_count): (GuestAddr, usize, GuestAddr, usize),
    flags: u64,
    direction: Direction,
) -> Result<usize> {
    if flags != 0 {
        return Err(Errno::EINVAL.because("unknown flags"));
    }
    let here = cx.task.mm();
    let local = here.read_iovecs(local, local_count)?;
    let remote = here.read_iovecs(remote, remote_count)?;
    let there = remote_mm(cx, pid)?;
    let (done, result) = match direction {
        Direction::FromRemote => copy(&there, &remote, &here, &local),
        Direction::ToRemote => copy(&here, &local, &there, &remote),
    };
    if done == 0 { result.map(|()| 0) } else { Ok(done) }
}

/// The address space of another process that the caller may look into.
fn remote_mm(cx: &Cx<'_>, pid: i32) -> Result<Arc<Mm>> {
    let task = u32::try_from(pid).ok().and_then(|pid| cx.kernel.tree().task(pid));
    let task = task.ok_or(Errno::ESRCH.because("no such process"))?;
    if !Arc::ptr_eq(&task.process, &cx.task.process) && !may_access(&cx.task.creds(), &task.creds()) {
        return Err(Errno::EPERM.because("the process belongs to another user"));
    }
    Ok(task.mm())
}

/// As `ptrace_may_access` without capabilities: all identities must agree.
fn may_access(caller: &Creds, target: &Creds) -> bool {
    let same_user = [target.uid, target.euid, target.suid].iter().all(|uid| *uid == caller.uid);
    let same_group = [target.gid, target.egid, target.sgid].iter().all(|gid| *gid == caller.gid);
    caller.is_privileged() || same_user && same_group
}

/// Copies from one list of ranges to another, as far as both go; gives the
/// bytes copied and what ended it early.
fn copy(from: &Mm, sources: &[IoVec], to: &Mm, targets: &[IoVec]) -> (usize, Result<()>) {
    let mut sources = sources.iter().copied();
    let mut targets = targets.iter().copied();
    let empty = IoVec { base: GuestAddr(0), len: 0 };
    let (mut source, mut target) = (empty, empty);
    let mut buf: Vec<u8> = Vec::new();
    let mut done = 0;
    loop {
        while source.len == 0 {
            let Some(next) = sources.next() else { return (done, Ok(())) };
            source = next;
        }
        while target.len == 0 {
            let Some(next) = targets.next() else { return (done, Ok(())) };
            target = next;
        }
        let len = source.len.min(target.len).min(STEP as u64);
        buf.resize(usize::try_from(len).unwrap_or(STEP), 0);
        let (read, read_result) = from.read_some(source.base, &mut buf);
        let (written, write_result) = to.write_some(target.base, &buf[..read]);
        done += written;
        if let Err(error) = read_result.and(write_result) {
            return (done, Err(error));
        }
        source = IoVec { base: source.base.add(len), len: source.len - len };
        target = IoVec { base: target.base.add(len), len: target.len - len };
    }
}
