//! A message on the way in.

use alloc::sync::Arc;
use alloc::vec::Vec;

use linux_abi::Errno;
use linux_abi::socket::{MsgFlags, Msghdr};
use machine::GuestAddr;

use super::{Open, read_header};
use crate::error::{Because, Result};
use crate::fs::IoBuf;
use crate::mm::IoVec;
use crate::net::address;
use crate::net::control::Sink;
use crate::net::inet;
use crate::net::naming;
use crate::net::receive::Received;
use crate::net::wait::Attempt;
use crate::task::Task;

/// What is told of a message beside its bytes, and where.
pub(super) enum Report {
    /// The sender's address, and its length (`recvfrom`).
    From(GuestAddr, GuestAddr),
    /// Everything, into the header at this address.
    Header(GuestAddr, Msghdr),
}

/// One message.
pub(super) struct Receiving {
    open: Open,
    ranges: Vec<IoVec>,
    report: Report,
    got: Received,
    done: usize,
}

impl Receiving {
    pub(super) fn new(open: Open, ranges: Vec<IoVec>, report: Report) -> Self {
        let keeps_senders_apart = open.socket.passes_cred();
        let got = Received { keeps_senders_apart, ..Received::default() };
        Self { open, ranges, report, got, done: 0 }
    }

    /// Into what a header describes.
    ///
    /// # Errors
    /// `EFAULT`, `EINVAL`, `EMSGSIZE`.
    pub(super) fn read(task: &Task, open: Open, addr: GuestAddr) -> Result<Self> {
        let (header, ranges) = read_header(task, addr)?;
        if header.msg_name != 0 && header.msg_namelen < 0 {
            return Err(Errno::EINVAL.because("the length is negative"));
        }
        Ok(Self::new(open, ranges, Report::Header(addr, header)))
    }

    /// Tells what has come, and gives the result of the call.
    fn finish(&mut self, task: &Arc<Task>) -> Result<u64> {
        let whole = self.got.record_len.unwrap_or(self.done);
        let mut flags = self.open.flags & MsgFlags::MSG_CMSG_CLOEXEC;
        flags.set(MsgFlags::MSG_TRUNC, whole > self.done);
        let local = self.got.from.take().map(|name| address::to_bytes(Some(&name)));
        let name = local.or_else(|| Some(inet::address_bytes(self.got.sender?).to_vec())).unwrap_or_default();
        match &self.report {
            Report::From(addr, _) if addr.is_null() => {}
            Report::From(addr, len) => naming::store(task, *addr, *len, &name)?,
            Report::Header(at, header) => {
                let mut sink = Sink::new(task, GuestAddr(header.msg_control), header.msg_controllen);
                if let Some(cred) = self.got.cred.filter(|_| self.got.keeps_senders_apart) {
                    sink.put_cred(cred)?;
                }
                for (level, kind, bytes) in core::mem::take(&mut self.got.control) {
                    sink.put_other(level, kind, &bytes)?;
                }
                let cloexec = self.open.flags.contains(MsgFlags::MSG_CMSG_CLOEXEC);
                sink.put_files(core::mem::take(&mut self.got.files), cloexec)?;
                let mut header = *header;
                if header.msg_name != 0 {
                    let room = usize::try_from(header.msg_namelen).unwrap_or(0).min(name.len());
                    task.mm().write(GuestAddr(header.msg_name), name.get(..room).unwrap_or_default())?;
                    header.msg_namelen = i32::try_from(name.len()).unwrap_or(0);
                }
                header.msg_controllen = sink.used as u64;
                header.msg_flags = (flags | sink.flags).bits();
                task.mm().write_abi(*at, &header)?;
            }
        }
        let told = if self.open.flags.contains(MsgFlags::MSG_TRUNC) { whole.max(self.done) } else { self.done };
        Ok(told as u64)
    }
}

impl Attempt for Receiving {
    fn attempt(&mut self, task: &Arc<Task>) -> Result<u64> {
        let is_peek = self.open.flags.contains(MsgFlags::MSG_PEEK);
        let waits_for_all = self.open.flags.contains(MsgFlags::MSG_WAITALL) && !is_peek;
        let mm = task.mm();
        loop {
            let mut buf = IoBuf::user_ranges(&mm, &self.ranges);
            buf.skip(self.done);
            match self.open.socket.receive(&mut buf, self.open.flags, &mut self.got) {
                Ok(count) => {
                    self.done += count;
                    let may_go_on = waits_for_all && self.open.socket.is_stream();
                    if !may_go_on || count == 0 || buf.is_at_end() || !self.got.files.is_empty() {
                        return self.finish(task);
                    }
                }
                Err(error) if error.errno == Errno::EAGAIN => return Err(error),
                Err(_) if self.done > 0 => return self.finish(task),
                Err(error) => return Err(error),
            }
        }
    }

    fn so_far(&mut self, task: &Arc<Task>) -> Option<Result<u64>> {
        (self.done > 0).then(|| self.finish(task))
    }
}
