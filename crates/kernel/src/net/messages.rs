//! `sendto`, `recvfrom`, `sendmsg`, `recvmsg`, `sendmmsg` and `recvmmsg`.

mod many;
mod receiving;
mod sending;

use alloc::sync::Arc;
use alloc::vec::Vec;

use linux_abi::Errno;
use linux_abi::socket::{MsgFlags, Msghdr};
use linux_abi::uio::{MAX_RW_COUNT, UIO_MAXIOV};
use machine::GuestAddr;

use super::any::AnySocket;
use super::socket_of;
use super::wait::{Patience, run};
use crate::error::{Because, Result};
use crate::fs::File;
use crate::mm::IoVec;
use crate::syscall::{Cx, Outcome};
use crate::task::Task;
use crate::time::read_timeout;

use many::Many;
use receiving::{Receiving, Report};
use sending::Sending;

/// One range of user memory, cut to what one call may move.
fn one_range(base: GuestAddr, len: u64) -> Result<Vec<IoVec>> {
    if i64::try_from(len).is_err() {
        return Err(Errno::EINVAL.because("the length is negative"));
    }
    Ok(alloc::vec![IoVec { base, len: len.min(MAX_RW_COUNT as u64) }])
}

/// A message header and the ranges it names.
fn read_header(task: &Task, addr: GuestAddr) -> Result<(Msghdr, Vec<IoVec>)> {
    let header: Msghdr = task.mm().read_abi(addr)?;
    let count = usize::try_from(header.msg_iovlen).ok().filter(|count| *count <= UIO_MAXIOV);
    let count = count.ok_or(Errno::EMSGSIZE.because("more than 1024 buffers"))?;
    let ranges = task.mm().read_iovecs(GuestAddr(header.msg_iov), count)?;
    Ok((header, ranges))
}

fn check_flags(flags: MsgFlags) -> Result<()> {
    if flags.contains(MsgFlags::MSG_OOB) {
        return Err(Errno::EOPNOTSUPP.because("there are no urgent data"));
    }
    Ok(())
}

/// A socket that is being used, kept open by its file.
#[derive(Clone, Debug)]
struct Open {
    file: Arc<File>,
    socket: AnySocket,
    flags: MsgFlags,
}

impl Open {
    fn new(cx: &Cx<'_>, fd: i32, flags: MsgFlags) -> Result<Self> {
        let (file, socket) = socket_of(cx, fd)?;
        check_flags(flags)?;
        Ok(Self { file, socket, flags })
    }

    fn patience(&self, timeout_ns: Option<u64>) -> Patience {
        // The queue of errors is not waited for.
        let never = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_ERRQUEUE;
        let may_wait = !self.file.is_nonblocking() && !self.flags.intersects(never);
        Patience { may_wait, timeout_ns }
    }

    fn send(self, cx: &Cx<'_>, call: impl super::wait::Attempt) -> Outcome {
        let timeout_ns = self.socket.send_timeout_ns();
        run(cx, self.patience(timeout_ns), self.socket.queue(), call)
    }

    fn receive(self, cx: &Cx<'_>, call: impl super::wait::Attempt) -> Outcome {
        let timeout_ns = self.socket.receive_timeout_ns();
        run(cx, self.patience(timeout_ns), self.socket.queue(), call)
    }
}

pub(super) fn sendto(
    cx: &mut Cx<'_>,
    fd: i32,
    buf: GuestAddr,
    len: u64,
    flags: MsgFlags,
    addr: GuestAddr,
    addrlen: u32,
) -> Result<Outcome> {
    let open = Open::new(cx, fd, flags)?;
    let ranges = one_range(buf, len)?;
    let addrlen = if addr.is_null() { 0 } else { addrlen };
    let sending = Sending::new(cx.task, open.clone(), ranges, (addr, addrlen), None)?;
    Ok(open.send(cx, sending))
}

pub(super) fn sendmsg(cx: &mut Cx<'_>, fd: i32, message: GuestAddr, flags: MsgFlags) -> Result<Outcome> {
    let open = Open::new(cx, fd, flags)?;
    let sending = Sending::read(cx.task, open.clone(), message)?;
    Ok(open.send(cx, sending))
}

pub(super) fn sendmmsg(cx: &mut Cx<'_>, fd: i32, messages: GuestAddr, count: u32, flags: MsgFlags) -> Result<Outcome> {
    let open = Open::new(cx, fd, flags)?;
    let all: Many<Sending> = Many::new(open.clone(), messages, count);
    Ok(open.send(cx, all))
}

pub(super) fn recvfrom(
    cx: &mut Cx<'_>,
    fd: i32,
    buf: GuestAddr,
    len: u64,
    flags: MsgFlags,
    addr: GuestAddr,
    addrlen: GuestAddr,
) -> Result<Outcome> {
    let open = Open::new(cx, fd, flags)?;
    let receiving = Receiving::new(open.clone(), one_range(buf, len)?, Report::From(addr, addrlen));
    Ok(open.receive(cx, receiving))
}

pub(super) fn recvmsg(cx: &mut Cx<'_>, fd: i32, message: GuestAddr, flags: MsgFlags) -> Result<Outcome> {
    let open = Open::new(cx, fd, flags)?;
    let receiving = Receiving::read(cx.task, open.clone(), message)?;
    Ok(open.receive(cx, receiving))
}

pub(super) fn recvmmsg(
    cx: &mut Cx<'_>,
    fd: i32,
    messages: GuestAddr,
    count: u32,
    flags: MsgFlags,
    timeout: GuestAddr,
) -> Result<Outcome> {
    let deadline = read_timeout(cx, timeout)?;
    let open = Open::new(cx, fd, flags)?;
    let own = open.socket.receive_timeout_ns();
    let given = deadline.map(|deadline| deadline.saturating_sub(cx.kernel.now_ns()));
    let timeout_ns = match (own, given) {
        (Some(own), Some(given)) => Some(own.min(given)),
        (own, given) => own.or(given),
    };
    let all: Many<Receiving> = Many::new(open.clone(), messages, count);
    Ok(run(cx, open.patience(timeout_ns), open.socket.queue(), all))
}
