//! `fcntl` and `flock`.

use alloc::sync::Arc;

use linux_abi::Errno;
use linux_abi::fcntl::{
    F_ADD_SEALS, F_DUPFD, F_DUPFD_CLOEXEC, F_GET_SEALS, F_GETFD, F_GETFL, F_GETLK, F_GETOWN, F_GETOWN_EX, F_GETPIPE_SZ,
    F_GETSIG, F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW, F_OWNER_PGRP, F_OWNER_PID, F_RDLCK, F_SETFD, F_SETFL, F_SETLK,
    F_SETLKW, F_SETOWN, F_SETOWN_EX, F_SETPIPE_SZ, F_SETSIG, F_UNLCK, F_WRLCK, FD_CLOEXEC, FOwnerEx, Flock, LOCK_EX,
    LOCK_NB, LOCK_SH, LOCK_UN, OpenFlags, SEEK_CUR, SEEK_END, SEEK_SET, Seals,
};
use machine::GuestAddr;

use crate::error::{Because, Error, Result};
use crate::fs::locks::{LockOwner, RangeLock};
use crate::fs::pipe::PipeEnd;
use crate::fs::tmpfs::Node;
use crate::fs::{File, Owner, SETTABLE_FLAGS};
use crate::syscall::{Cx, Outcome, Row, retry};
use crate::syscalls;

/// The system calls of this file.
pub(super) const ROWS: &[Row] = syscalls! {
    25 fcntl(fd: i32, cmd: u32, arg: u64)
        Partial("no leases, no directory notification, no SIGIO, no write hints"), fcntl;
    32 flock(fd: i32, operation: u32) Full, flock;
};

pub(crate) fn fcntl(cx: &mut Cx<'_>, fd: i32, command: u32, arg: u64) -> Result<Outcome> {
    let files = cx.task.files();
    let file = files.get(fd)?;
    let allowed_on_path = matches!(command, F_DUPFD | F_DUPFD_CLOEXEC | F_GETFD | F_SETFD | F_GETFL);
    if file.is_path_only() && !allowed_on_path {
        return Err(Errno::EBADF.because("the descriptor only names a place"));
    }
    #[expect(clippy::cast_possible_truncation, reason = "an int argument is the register's low half")]
    let int = arg as u32;
    let value: u64 = match command {
        F_DUPFD | F_DUPFD_CLOEXEC => {
            let new = files.insert_from(cx.task, int.cast_signed(), file, command == F_DUPFD_CLOEXEC)?;
            u64::from(new.unsigned_abs())
        }
        F_GETFD => u64::from(files.cloexec(fd)?) * u64::from(FD_CLOEXEC),
        F_SETFD => {
            files.set_cloexec(fd, int & FD_CLOEXEC != 0)?;
            0
        }
        F_GETFL => u64::from(file.flags().bits()),
        F_SETFL => {
            set_status_flags(cx, &file, OpenFlags::from_bits_truncate(int))?;
            0
        }
        F_GETLK | F_OFD_GETLK => {
            get_lock(cx, &file, GuestAddr(arg), command == F_OFD_GETLK)?;
            0
        }
        F_SETLK | F_SETLKW | F_OFD_SETLK | F_OFD_SETLKW => return set_lock(cx, file, GuestAddr(arg), command),
        F_GETPIPE_SZ => pipe_of(&file)?.pipe().capacity() as u64,
        F_SETPIPE_SZ => {
            let is_privileged = cx.task.creds().is_privileged();
            pipe_of(&file)?.pipe().set_capacity(int, is_privileged)? as u64
        }
        F_GET_SEALS => u64::from(sealable(&file)?.seals().bits()),
        F_ADD_SEALS => {
            add_seals(&file, int)?;
            0
        }
        _ => return owner_command(cx, &file, command, arg).map(|value| Outcome::Done(Ok(value))),
    };
    Ok(Outcome::Done(Ok(value)))
}

fn set_status_flags(cx: &Cx<'_>, file: &Arc<File>, flags: OpenFlags) -> Result<()> {
    let gains = flags - file.flags();
    if gains.contains(OpenFlags::O_NOATIME) && !file.attr()?.is_owner(&cx.task.creds()) {
        return Err(Errno::EPERM.because("O_NOATIME on somebody else's file"));
    }
    // No file here can send SIGIO: FASYNC stays off, as in Linux for a file
    // without that ability.
    file.set_flags((flags & SETTABLE_FLAGS) - OpenFlags::FASYNC);
    Ok(())
}

fn owner_command(cx: &Cx<'_>, file: &File, command: u32, arg: u64) -> Result<u64> {
    let mm = cx.task.mm();
    let owner = file.owner();
    match command {
        F_GETOWN => {
            let id = i64::from(owner.id);
            Ok(if owner.kind == F_OWNER_PGRP { -id } else { id }.cast_unsigned())
        }
        F_SETOWN => {
            #[expect(clippy::cast_possible_truncation, reason = "an int argument is the register's low half")]
            let id = (arg as u32).cast_signed();
            let kind = if id < 0 { F_OWNER_PGRP } else { F_OWNER_PID };
            file.set_owner(Owner { kind, id: id.unsigned_abs(), ..owner });
            Ok(0)
        }
        F_GETOWN_EX => {
            let value = FOwnerEx { owner_type: owner.kind.cast_signed(), pid: owner.id.cast_signed() };
            mm.write_abi(GuestAddr(arg), &value).map(|()| 0)
        }
        F_SETOWN_EX => {
            let value: FOwnerEx = mm.read_abi(GuestAddr(arg))?;
            let kind = u32::try_from(value.owner_type).ok().filter(|kind| *kind <= F_OWNER_PGRP);
            let kind = kind.ok_or(Errno::EINVAL.because("no such kind of owner"))?;
            file.set_owner(Owner { kind, id: value.pid.unsigned_abs(), ..owner });
            Ok(0)
        }
        F_GETSIG => Ok(u64::from(owner.signal)),
        F_SETSIG => {
            let signal = u32::try_from(arg).ok().filter(|signal| *signal <= 64);
            let signal = signal.ok_or(Errno::EINVAL.because("no such signal"))?;
            file.set_owner(Owner { signal, ..owner });
            Ok(0)
        }
        _ => Err(Errno::EINVAL.because("no such fcntl command")),
    }
}

fn pipe_of(file: &File) -> Result<&PipeEnd> {
    file.ops().as_any().downcast_ref().ok_or(Errno::EBADF.because("the descriptor is no pipe"))
}

fn sealable(file: &File) -> Result<&crate::fs::tmpfs::Contents> {
    let node: Option<&Node> = file.inode().as_any().downcast_ref();
    node.and_then(Node::contents).ok_or(Errno::EINVAL.because("the file cannot be sealed"))
}

fn add_seals(file: &File, bits: u32) -> Result<()> {
    let contents = sealable(file)?;
    if !file.access().writes() {
        return Err(Errno::EPERM.because("not open for writing"));
    }
    let seals = Seals::from_bits(bits).ok_or(Errno::EINVAL.because("unknown seals"))?;
    contents.add_seals(seals)
}

/// The range of a lock, from what `struct flock` says: first and last byte.
fn range(file: &File, flock: &Flock) -> Result<(u64, u64)> {
    let origin = match u32::try_from(flock.l_whence) {
        Ok(SEEK_SET) => 0,
        Ok(SEEK_CUR) => *file.position(),
        Ok(SEEK_END) => file.attr()?.size,
        _ => return Err(Errno::EINVAL.because("no such origin")),
    };
    let too_large = || Errno::EOVERFLOW.because("the range ends beyond 2^63");
    let origin = i64::try_from(origin).map_err(|_| too_large())?;
    let start = origin.checked_add(flock.l_start).ok_or_else(too_large)?;
    let (start, last) = match flock.l_len {
        0 => (start, i64::MAX),
        len if len > 0 => (start, start.checked_add(len - 1).ok_or_else(too_large)?),
        len => (start.checked_add(len).ok_or(Errno::EINVAL)?, start.checked_sub(1).ok_or(Errno::EINVAL)?),
    };
    let negative = |_| Errno::EINVAL.because("the range starts before the file");
    Ok((u64::try_from(start).map_err(negative)?, u64::try_from(last).map_err(negative)?))
}

fn owner(cx: &Cx<'_>, file: &File, flock: &Flock, is_ofd: bool) -> Result<(LockOwner, u32)> {
    if !is_ofd {
        return Ok((LockOwner::Process(cx.task.files().lock_owner()), cx.task.process.pid));
    }
    if flock.l_pid != 0 {
        return Err(Errno::EINVAL.because("l_pid must be 0"));
    }
    Ok((LockOwner::of_file(file), 0))
}

fn get_lock(cx: &Cx<'_>, file: &File, addr: GuestAddr, is_ofd: bool) -> Result<()> {
    let mut flock: Flock = cx.task.mm().read_abi(addr)?;
    let kind = u32::try_from(flock.l_type).unwrap_or(u32::MAX);
    if kind != F_RDLCK && kind != F_WRLCK && !(is_ofd && kind == F_UNLCK) {
        return Err(Errno::EINVAL.because("no such kind of lock"));
    }
    let (start, last) = range(file, &flock)?;
    let (owner, pid) = owner(cx, file, &flock, is_ofd)?;
    let lock = RangeLock { owner, pid, start, last, is_exclusive: kind == F_WRLCK };
    match cx.kernel.vfs().locks().test(file, &lock)? {
        None => flock.l_type = 2,
        Some(conflict) => {
            flock.l_type = i16::from(conflict.is_exclusive);
            flock.l_whence = 0;
            flock.l_start = i64::try_from(conflict.start).unwrap_or(i64::MAX);
            flock.l_len = match i64::try_from(conflict.last) {
                Ok(i64::MAX) | Err(_) => 0,
                Ok(last) => last - flock.l_start + 1,
            };
            flock.l_pid = match conflict.owner {
                LockOwner::Process(_) => conflict.pid.cast_signed(),
                LockOwner::File(_) => -1,
            };
        }
    }
    cx.task.mm().write_abi(addr, &flock)
}

fn set_lock(cx: &mut Cx<'_>, file: Arc<File>, addr: GuestAddr, command: u32) -> Result<Outcome> {
    let flock: Flock = cx.task.mm().read_abi(addr)?;
    let is_ofd = matches!(command, F_OFD_SETLK | F_OFD_SETLKW);
    let waits = matches!(command, F_SETLKW | F_OFD_SETLKW);
    let (start, last) = range(&file, &flock)?;
    let (owner, pid) = owner(cx, &file, &flock, is_ofd)?;
    let is_exclusive = match u32::try_from(flock.l_type) {
        Ok(F_UNLCK) => {
            cx.kernel.vfs().locks().clear(&file, owner, start, last)?;
            return Ok(Outcome::Done(Ok(0)));
        }
        Ok(F_RDLCK) if file.access().reads() => false,
        Ok(F_WRLCK) if file.access().writes() => true,
        Ok(F_RDLCK | F_WRLCK) => return Err(Errno::EBADF.because("the file is not open for that")),
        _ => return Err(Errno::EINVAL.because("no such kind of lock")),
    };
    let lock = RangeLock { owner, pid, start, last, is_exclusive };
    let kernel = cx.kernel.clone();
    if !is_ofd {
        cx.task.files().note_lock();
    }
    match kernel.vfs().locks().set(&file, lock, waits) {
        Err(error) if waits && error.errno == Errno::EAGAIN => {}
        result => return Ok(Outcome::Done(result.map(|()| 0))),
    }
    let (task, queue) = (cx.task.clone(), kernel.vfs().locks().queue().clone());
    Ok(Outcome::wait(async move {
        let locks = kernel.vfs().locks();
        let again = queue.wait_until(|| match locks.set(&file, lock, true) {
            Err(error) if error.errno == Errno::EAGAIN => None,
            result => Some(result.map(|()| 0)),
        });
        let result = task.interruptible(again).await;
        locks.stop_waiting(lock.owner);
        result.unwrap_or(Err(Error::INTERRUPTED))
    }))
}

pub(crate) fn flock(cx: &mut Cx<'_>, fd: i32, operation: u32) -> Result<Outcome> {
    let exclusive = match operation & !LOCK_NB {
        LOCK_SH => Some(false),
        LOCK_EX => Some(true),
        LOCK_UN => None,
        _ => return Err(Errno::EINVAL.because("no such operation")),
    };
    let file = cx.task.files().get_io(fd)?;
    let kernel = cx.kernel.clone();
    let queue = kernel.vfs().locks().queue().clone();
    let may_wait = operation & LOCK_NB == 0;
    Ok(retry(cx, may_wait, &queue, move |_| kernel.vfs().locks().flock(&file, exclusive).map(|()| 0)))
}
