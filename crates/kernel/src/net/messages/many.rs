//! Several messages by one call: [`Many`] of [`Sending`] or [`Receiving`].

use alloc::sync::Arc;

use linux_abi::Errno;
use linux_abi::socket::{Mmsghdr, MsgFlags};
use machine::GuestAddr;

use super::Open;
use super::receiving::Receiving;
use super::sending::Sending;
use crate::error::Result;
use crate::net::wait::Attempt;
use crate::task::Task;

/// Where the length of a message is told in `struct mmsghdr`.
const MSG_LEN: u64 = 56;

/// As many as Linux moves by one call.
const LIMIT: u32 = 1024;

/// One message that a header describes.
pub(super) trait Message: Attempt + Sized {
    /// `MSG_WAITFORONE` means something.
    const KNOWS_WAITFORONE: bool;

    /// The message of the header at `addr`.
    ///
    /// # Errors
    /// As `sendmsg` and `recvmsg`, for what is known from the header.
    fn read(task: &Arc<Task>, open: Open, addr: GuestAddr) -> Result<Self>;
}

impl Message for Sending {
    const KNOWS_WAITFORONE: bool = false;

    fn read(task: &Arc<Task>, open: Open, addr: GuestAddr) -> Result<Self> {
        Self::read(task, open, addr)
    }
}

impl Message for Receiving {
    const KNOWS_WAITFORONE: bool = true;

    fn read(task: &Arc<Task>, open: Open, addr: GuestAddr) -> Result<Self> {
        Self::read(task, open, addr)
    }
}

/// Several messages. An error is told only if it comes with the first of them.
pub(super) struct Many<M> {
    open: Open,
    messages: GuestAddr,
    count: u32,
    index: u32,
    current: Option<M>,
}

impl<M: Message> Many<M> {
    pub(super) fn new(open: Open, messages: GuestAddr, count: u32) -> Self {
        Self { open, messages, count: count.min(LIMIT), index: 0, current: None }
    }

    /// The header of the message whose turn it is.
    fn header(&self) -> GuestAddr {
        self.messages.add(u64::from(self.index) * Mmsghdr::SIZE as u64)
    }

    fn next(&mut self, task: &Arc<Task>) -> Result<()> {
        let mut current = match self.current.take() {
            Some(current) => current,
            None => M::read(task, self.open.clone(), self.header())?,
        };
        let result = current.attempt(task);
        if matches!(&result, Err(error) if error.errno == Errno::EAGAIN) {
            self.current = Some(current);
        }
        self.tell(task, result?)
    }

    fn tell(&mut self, task: &Task, len: u64) -> Result<()> {
        let addr = self.header().add(MSG_LEN);
        task.mm().write_u32(addr, u32::try_from(len).unwrap_or(u32::MAX))?;
        self.index += 1;
        Ok(())
    }
}

impl<M: Message> Attempt for Many<M> {
    fn attempt(&mut self, task: &Arc<Task>) -> Result<u64> {
        let stops_after_one = M::KNOWS_WAITFORONE && self.open.flags.contains(MsgFlags::MSG_WAITFORONE);
        while self.index < self.count {
            match self.next(task) {
                Err(error) if self.index > 0 && (stops_after_one || error.errno != Errno::EAGAIN) => break,
                result => result?,
            }
        }
        Ok(u64::from(self.index))
    }

    fn so_far(&mut self, task: &Arc<Task>) -> Option<Result<u64>> {
        if let Some(Ok(len)) = self.current.as_mut().and_then(|current| current.so_far(task))
            && let Err(error) = self.tell(task, len)
        {
            return Some(Err(error));
        }
        (self.index > 0).then_some(Ok(u64::from(self.index)))
    }
}
