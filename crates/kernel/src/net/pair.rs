//! Two sockets that are connected to each other.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::Any;
use core::sync::atomic::{AtomicUsize, Ordering};

use linux_abi::Errno;
use linux_abi::ioctl::FIONREAD;
use linux_abi::poll::PollEvents;
use machine::GuestAddr;
use machine::sync::Mutex;

use crate::error::{Because, Result};
use crate::fs::{File, FileOps, IoBuf};
use crate::sched::WaitQueue;
use crate::syscall::{Cx, Outcome};
use crate::task::Task;

/// Bytes that one direction holds, as `net.core.wmem_default`.
pub(super) const CAPACITY: usize = 212_992;
/// Descriptors that may be under way in all sockets of a kernel together, so
/// that sockets that are sent through each other cannot use up the memory.
const MAX_FILES_UNDER_WAY: usize = 16_384;

/// How a socket keeps messages apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A stream of bytes.
    Stream,
    /// Messages; the end is told.
    SeqPacket,
    /// Messages.
    Datagram,
}

/// Who sent a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sender {
    pub(super) pid: u32,
    pub(super) uid: u32,
    pub(super) gid: u32,
}

/// What one call has sent.
pub(super) struct Message {
    pub(super) bytes: VecDeque<u8>,
    pub(super) files: Vec<Arc<File>>,
    pub(super) sender: Sender,
}

#[derive(Default)]
struct Queue {
    messages: VecDeque<Message>,
    held: usize,
    /// Nobody will put anything in any more.
    is_ended: bool,
    /// Nobody will take anything out any more.
    is_deaf: bool,
}

/// One direction of a pair.
#[derive(Default)]
struct Channel {
    queue: Mutex<Queue>,
}

/// One socket of a pair.
pub(super) struct Socket {
    pub(super) kind: Kind,
    incoming: Arc<Channel>,
    outgoing: Arc<Channel>,
    /// Woken when either socket's readiness changes.
    changed: WaitQueue,
    under_way: Arc<AtomicUsize>,
    /// Who made the pair (`SO_PEERCRED`).
    pub(super) peer: Sender,
    pub(super) passes_credentials: core::sync::atomic::AtomicBool,
}

/// What a receiving call got.
pub(super) struct Received {
    pub(super) count: usize,
    pub(super) is_cut: bool,
    pub(super) files: Vec<Arc<File>>,
    pub(super) sender: Sender,
}

/// Makes a connected pair.
pub(super) fn pair(kind: Kind, maker: Sender, under_way: &Arc<AtomicUsize>) -> [Arc<Socket>; 2] {
    let (a, b) = (Arc::new(Channel::default()), Arc::new(Channel::default()));
    let changed = WaitQueue::new();
    [(a.clone(), b.clone()), (b, a)].map(|(incoming, outgoing)| {
        Arc::new(Socket {
            kind,
            incoming,
            outgoing,
            changed: changed.clone(),
            under_way: under_way.clone(),
            peer: maker,
            passes_credentials: core::sync::atomic::AtomicBool::new(false),
        })
    })
}

impl Socket {
    /// Sends what is in `buf`: all of it as one message, or for a stream as
    /// much as there is room for.
    ///
    /// # Errors
    /// `EPIPE` if nobody can receive, `EAGAIN` if there is no room, `EMSGSIZE`
    /// if there never will be, `ETOOMANYREFS` for too many descriptors.
    pub(super) fn send(&self, buf: &mut IoBuf<'_>, files: &[Arc<File>], sender: Sender) -> Result<usize> {
        let wanted = buf.left();
        if self.kind != Kind::Stream && wanted > CAPACITY {
            return Err(Errno::EMSGSIZE.because("the message is larger than the socket holds"));
        }
        let mut queue = self.outgoing.queue.lock();
        if queue.is_deaf || queue.is_ended {
            return Err(Errno::EPIPE.because("nobody receives"));
        }
        let room = CAPACITY.saturating_sub(queue.held);
        let enough = if self.kind == Kind::Stream { room > 0 || wanted == 0 } else { room >= wanted };
        // Empty messages take a place too.
        if !enough || queue.messages.len() > CAPACITY / 64 {
            return Err(Errno::EAGAIN.because("the socket is full"));
        }
        let mut bytes = alloc::vec![0; wanted.min(room)];
        let count = buf.take(&mut bytes)?;
        bytes.truncate(count);
        if count == 0 && self.kind == Kind::Stream {
            return Ok(0);
        }
        let before = self.under_way.fetch_add(files.len(), Ordering::SeqCst);
        if before + files.len() > MAX_FILES_UNDER_WAY {
            self.under_way.fetch_sub(files.len(), Ordering::SeqCst);
            return Err(Errno::ETOOMANYREFS.because("too many descriptors are under way"));
        }
        queue.held += count;
        queue.messages.push_back(Message { bytes: bytes.into(), files: files.to_vec(), sender });
        drop(queue);
        self.changed.wake_all();
        Ok(count)
    }

    /// Receives into `buf`; with `peek` nothing is taken out.
    ///
    /// # Errors
    /// `EAGAIN` if there is nothing and may still be something.
    pub(super) fn receive(&self, buf: &mut IoBuf<'_>, peek: bool) -> Result<Received> {
        let mut queue = self.incoming.queue.lock();
        let mut received = Received { count: 0, is_cut: false, files: Vec::new(), sender: Sender::default() };
        let Some(first) = queue.messages.front() else {
            if queue.is_ended || queue.is_deaf {
                return Ok(received);
            }
            return Err(Errno::EAGAIN.because("nothing has been sent"));
        };
        received.sender = first.sender;
        let mut taken = 0;
        while let Some(message) = queue.messages.front_mut() {
            // Descriptors and another sender end what a stream reads at once.
            if taken > 0 && (!message.files.is_empty() || message.sender != received.sender) {
                break;
            }
            let (front, back) = message.bytes.as_slices();
            let mut count = put(buf, front, received.count > 0)?;
            if count == front.len() {
                count += put(buf, back, true)?;
            }
            received.count += count;
            let is_whole = count == message.bytes.len();
            received.files.extend(message.files.iter().cloned());
            if peek {
                received.is_cut = !is_whole;
                return Ok(received);
            }
            let files = core::mem::take(&mut message.files).len();
            self.under_way.fetch_sub(files, Ordering::SeqCst);
            if self.kind == Kind::Stream {
                message.bytes.drain(..count);
                queue.held -= count;
                if !is_whole {
                    break;
                }
                queue.messages.pop_front();
                taken += 1;
                if buf.is_at_end() || files > 0 {
                    break;
                }
            } else {
                received.is_cut = !is_whole;
                let gone = message.bytes.len();
                queue.held -= gone;
                queue.messages.pop_front();
                break;
            }
        }
        drop(queue);
        self.changed.wake_all();
        Ok(received)
    }

    /// Ends one or both directions.
    pub(super) fn shut_down(&self, receiving: bool, sending: bool) {
        if receiving {
            self.incoming.queue.lock().is_deaf = true;
        }
        if sending {
            self.outgoing.queue.lock().is_ended = true;
        }
        self.changed.wake_all();
    }

    /// Bytes that can be received now.
    fn pending(&self) -> usize {
        let queue = self.incoming.queue.lock();
        if self.kind == Kind::Stream { queue.held } else { queue.messages.front().map_or(0, |m| m.bytes.len()) }
    }
}

/// Puts bytes; a fault after the first ones only makes the count smaller.
fn put(buf: &mut IoBuf<'_>, bytes: &[u8], has_some: bool) -> Result<usize> {
    match buf.put(bytes) {
        Err(_) if has_some => Ok(0),
        result => result,
    }
}

fn sender_of(task: &Task) -> Sender {
    let creds = task.creds();
    Sender { pid: task.process.pid, uid: creds.uid, gid: creds.gid }
}

impl Sender {
    pub(super) fn of(task: &Task) -> Self {
        sender_of(task)
    }
}

impl FileOps for Socket {
    fn read(&self, _: &File, _: &Arc<Task>, buf: &mut IoBuf<'_>) -> Result<usize> {
        Ok(self.receive(buf, false)?.count)
    }

    fn write(&self, _: &File, task: &Arc<Task>, buf: &mut IoBuf<'_>) -> Result<usize> {
        self.send(buf, &[], sender_of(task))
    }

    fn ioctl(&self, _: &Arc<File>, cx: &mut Cx<'_>, command: u32, arg: GuestAddr) -> Outcome {
        if command != FIONREAD {
            return Outcome::Done(Err(Errno::ENOTTY.because("no such command of a socket")));
        }
        let pending = u32::try_from(self.pending()).unwrap_or(u32::MAX);
        Outcome::Done(cx.task.mm().write_u32(arg, pending).map(|()| 0))
    }

    fn poll(&self, _: &File) -> PollEvents {
        let mut events = PollEvents::empty();
        let (incoming_over, outgoing_over);
        {
            let queue = self.incoming.queue.lock();
            incoming_over = queue.is_ended || queue.is_deaf;
            let readable = !queue.messages.is_empty() || incoming_over;
            events.set(PollEvents::POLLIN | PollEvents::POLLRDNORM, readable);
            events.set(PollEvents::POLLRDHUP, incoming_over);
        }
        {
            let queue = self.outgoing.queue.lock();
            outgoing_over = queue.is_ended || queue.is_deaf;
            let writable = outgoing_over || queue.held < CAPACITY / 2;
            events.set(PollEvents::POLLOUT | PollEvents::POLLWRNORM, writable);
        }
        events.set(PollEvents::POLLHUP, incoming_over && outgoing_over);
        events
    }

    fn wait_queue(&self) -> Option<WaitQueue> {
        Some(self.changed.clone())
    }

    fn release(&self, _: &File) {
        let gone = {
            let mut incoming = self.incoming.queue.lock();
            incoming.is_deaf = true;
            incoming.held = 0;
            core::mem::take(&mut incoming.messages)
        };
        let files: usize = gone.iter().map(|message| message.files.len()).sum();
        self.under_way.fetch_sub(files, Ordering::SeqCst);
        self.outgoing.queue.lock().is_ended = true;
        self.changed.wake_all();
        drop(gone);
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
