//! What is on its way between sockets: [`Message`]s in an [`Inbox`].
//!
//! The bytes are paid for by the sender: its [`Account`] has a limit
//! (`SO_SNDBUF`), and a [`Charge`] travels with each message and gives back
//! what the receiver takes. All accounts of a kernel share one total.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::sync::atomic::{AtomicUsize, Ordering};

use linux_abi::Errno;
use linux_abi::socket::Ucred;
use machine::sync::{Mutex, MutexGuard};

use super::address::Address;
use super::rights::Rights;
use crate::error::{Because, Result};
use crate::sched::WaitQueue;

/// What `SO_SNDBUF` and `SO_RCVBUF` are at first.
pub(super) const DEFAULT_LIMIT: usize = 212_992;
/// The most that all messages of a kernel may hold together.
const TOTAL_LIMIT: usize = 256 << 20;
/// What a record costs beyond its bytes, so that empty ones are limited too.
const RECORD_OVERHEAD: usize = 768;
/// Writes to a stream that are smaller than this share a message.
const SHARED: usize = 4096;
/// Datagrams from strangers that wait at one socket
/// (`/proc/sys/net/unix/max_dgram_qlen`); one more is let through, as in Linux.
const MAX_DATAGRAMS: usize = 10;

/// What a socket has sent and nobody has received yet.
pub(super) struct Account {
    used: AtomicUsize,
    limit: AtomicUsize,
    total: Arc<AtomicUsize>,
    queue: WaitQueue,
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Account({} of {})", self.used(), self.limit())
    }
}

impl Account {
    /// An account whose socket waits on `queue`.
    pub(super) fn new(total: &Arc<AtomicUsize>, queue: &WaitQueue) -> Arc<Self> {
        let limit = AtomicUsize::new(DEFAULT_LIMIT);
        Arc::new(Self { used: AtomicUsize::new(0), limit, total: total.clone(), queue: queue.clone() })
    }

    /// Bytes on their way.
    pub(super) fn used(&self) -> usize {
        self.used.load(Ordering::SeqCst)
    }

    /// The most there may be.
    pub(super) fn limit(&self) -> usize {
        self.limit.load(Ordering::Relaxed)
    }

    pub(super) fn set_limit(&self, limit: usize) {
        self.limit.store(limit, Ordering::Relaxed);
        self.queue.wake_all();
    }

    /// True if `poll` is to call the socket writable: at least three quarters
    /// are free.
    pub(super) fn is_writable(&self) -> bool {
        self.used() <= self.limit() / 4
    }

    /// Pays for up to `wanted` bytes of a stream.
    ///
    /// # Errors
    /// `EAGAIN` if there is no room; `ENOBUFS` if the kernel has none.
    pub(super) fn reserve_part(self: &Arc<Self>, wanted: usize) -> Result<Charge> {
        let mut amount = 0;
        let limit = self.limit();
        self.reserve(|used| {
            amount = wanted.min(limit.saturating_sub(used));
            (amount > 0).then_some(amount)
        })?;
        Ok(Charge { account: self.clone(), amount })
    }

    /// Pays for a record of `len` bytes.
    ///
    /// # Errors
    /// As above, and `EMSGSIZE` if it can never fit.
    pub(super) fn reserve_record(self: &Arc<Self>, len: usize) -> Result<Charge> {
        let limit = self.limit();
        if len > limit.saturating_sub(32) {
            return Err(Errno::EMSGSIZE.because("the message is larger than the send buffer"));
        }
        let amount = len.saturating_add(RECORD_OVERHEAD);
        self.reserve(|used| (used < limit).then_some(amount))?;
        Ok(Charge { account: self.clone(), amount })
    }

    fn reserve(&self, mut amount: impl FnMut(usize) -> Option<usize>) -> Result<()> {
        let mut paid = 0;
        let update = self.used.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |used| {
            paid = amount(used)?;
            used.checked_add(paid)
        });
        if update.is_err() {
            return Err(Errno::EAGAIN.because("the send buffer is full"));
        }
        if self.total.fetch_add(paid, Ordering::Relaxed) > TOTAL_LIMIT {
            self.give_back(paid);
            return Err(Errno::ENOBUFS.because("messages fill the memory that they may"));
        }
        Ok(())
    }

    fn give_back(&self, amount: usize) {
        if amount == 0 {
            return;
        }
        self.total.fetch_sub(amount, Ordering::Relaxed);
        let before = self.used.fetch_sub(amount, Ordering::SeqCst);
        // Nobody waits for room while the socket counts as writable.
        if before > self.limit() / 4 {
            self.queue.wake_all();
        }
    }
}

/// What a sender has paid for; dropping it gives it back.
#[derive(Debug)]
pub(super) struct Charge {
    account: Arc<Account>,
    amount: usize,
}

impl Charge {
    /// How much it is.
    pub(super) fn amount(&self) -> usize {
        self.amount
    }

    /// Keeps no more than `amount`.
    pub(super) fn shrink_to(&mut self, amount: usize) {
        let surplus = self.amount.saturating_sub(amount);
        self.amount -= surplus;
        self.account.give_back(surplus);
    }

    /// Takes `amount` of it out.
    fn split(&mut self, amount: usize) -> Self {
        let amount = amount.min(self.amount);
        self.amount -= amount;
        Self { account: self.account.clone(), amount }
    }

    /// Adds another charge on the same account.
    fn join(&mut self, mut other: Self) {
        if Arc::ptr_eq(&self.account, &other.account) {
            self.amount = self.amount.saturating_add(core::mem::take(&mut other.amount));
        }
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.account.give_back(self.amount);
    }
}

/// Bytes with what came along.
#[derive(Debug)]
pub(super) struct Message {
    bytes: Vec<u8>,
    /// How much of `bytes` has been read.
    at: usize,
    charge: Charge,
    /// Who sent it.
    pub(super) cred: Ucred,
    /// Descriptors that came along.
    pub(super) rights: Option<Rights>,
    /// The name of the socket that sent it.
    pub(super) from: Option<Address>,
}

impl Message {
    pub(super) fn new(
        bytes: Vec<u8>,
        charge: Charge,
        cred: Ucred,
        rights: Option<Rights>,
        from: Option<Address>,
    ) -> Self {
        Self { bytes, at: 0, charge, cred, rights, from }
    }

    /// What has not been read yet.
    pub(super) fn rest(&self) -> &[u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// Marks `count` bytes as read and gives what they cost, to be dropped
    /// once no lock is held.
    pub(super) fn consume(&mut self, count: usize) -> Charge {
        self.at = self.at.saturating_add(count).min(self.bytes.len());
        self.charge.split(count)
    }
}

/// The contents of an [`Inbox`].
#[derive(Debug, Default)]
pub(super) struct Messages {
    /// The messages, the oldest first.
    pub(super) queue: VecDeque<Message>,
    /// Unread bytes of all of them.
    pub(super) bytes: usize,
    /// Who found no room here.
    blocked: Vec<Arc<Account>>,
    is_closed: bool,
}

impl Messages {
    /// Takes the accounts of those who wait for room, to be woken with
    /// [`wake`] once no lock is held.
    pub(super) fn take_blocked(&mut self) -> Vec<Arc<Account>> {
        core::mem::take(&mut self.blocked)
    }

    /// Takes the oldest message.
    pub(super) fn pop(&mut self) -> Option<Message> {
        let message = self.queue.pop_front()?;
        self.bytes = self.bytes.saturating_sub(message.rest().len());
        Some(message)
    }
}

/// Wakes senders that waited for room.
pub(super) fn wake(blocked: &[Arc<Account>]) {
    for account in blocked {
        account.queue.wake_all();
    }
}

/// What has arrived at a socket. Never drop a message while it is locked:
/// closing what came along may need the lock of another inbox.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    messages: Mutex<Messages>,
}

impl Inbox {
    /// The messages, locked.
    pub(super) fn lock(&self) -> MutexGuard<'_, Messages> {
        self.messages.lock()
    }

    /// Adds bytes to a stream. Gives the message back, to be dropped without a
    /// lock, if nobody reads here any more.
    pub(super) fn push_stream(&self, message: Message) -> Option<Message> {
        let mut messages = self.lock();
        if messages.is_closed {
            return Some(message);
        }
        messages.bytes = messages.bytes.saturating_add(message.rest().len());
        if let Some(last) = messages.queue.back_mut() {
            let is_alike = last.rights.is_none() && message.rights.is_none() && last.cred == message.cred;
            if is_alike && last.bytes.len().saturating_add(message.bytes.len()) <= SHARED {
                last.bytes.extend_from_slice(&message.bytes);
                last.charge.join(message.charge);
                return None;
            }
        }
        messages.queue.push_back(message);
        None
    }

    /// Adds a record, or gives it back as above.
    pub(super) fn push_record(&self, message: Message) -> Option<Message> {
        let mut messages = self.lock();
        if messages.is_closed {
            return Some(message);
        }
        messages.bytes = messages.bytes.saturating_add(message.rest().len());
        messages.queue.push_back(message);
        None
    }

    /// True if too many datagrams wait here for a stranger to send more. Then
    /// `sender` is woken once there is room.
    pub(super) fn is_full_for(&self, sender: &Arc<Account>) -> bool {
        let mut messages = self.lock();
        if messages.is_closed || messages.queue.len() <= MAX_DATAGRAMS {
            return false;
        }
        if !messages.blocked.iter().any(|known| Arc::ptr_eq(known, sender)) {
            messages.blocked.push(sender.clone());
        }
        true
    }

    /// True if there is something to read.
    pub(super) fn has_messages(&self) -> bool {
        !self.lock().queue.is_empty()
    }

    /// Takes nothing more; gives what has not been read.
    pub(super) fn close(&self) -> VecDeque<Message> {
        let mut messages = self.lock();
        messages.is_closed = true;
        let blocked = messages.take_blocked();
        let unread = self::drain(&mut messages);
        drop(messages);
        wake(&blocked);
        unread
    }

    /// Takes everything out.
    pub(super) fn drain(&self) -> VecDeque<Message> {
        drain(&mut self.lock())
    }
}

fn drain(messages: &mut Messages) -> VecDeque<Message> {
    messages.bytes = 0;
    core::mem::take(&mut messages.queue)
}

/// Adds up what reading has freed.
pub(super) fn add_freed(freed: &mut Option<Charge>, charge: Charge) {
    match freed {
        Some(sum) => sum.join(charge),
        None => *freed = Some(charge),
    }
}
