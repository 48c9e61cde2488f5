//! The internet family (`AF_INET`): TCP, UDP, ICMP and raw sockets over the
//! machine's network interfaces and `lo`.
//!
//! [`stack::Stack`] holds everything behind one lock. A system call, an
//! interrupt of a device and a timer all do the same: take the lock, do their
//! own thing, let the stack run until nothing moves ([`Inet::with`]), and wake
//! whoever has something to look at once the lock is released. Nothing polls:
//! a timer is armed only while something has a deadline.
//!
//! Packets of all protocols come in through [`ip`] and leave through [`route`]
//! and [`arp`]. TCP is smoltcp's, one engine for each [`link`], so that each
//! knows its link's MTU ([`tcp`]). DHCP is smoltcp's too ([`dhcp`]).
//!
//! Lock order: the stack's lock, then an address space's, as bytes are copied
//! between user memory and a connection's buffers without a detour; nothing
//! that holds an address space calls in here. The timer's lock is a leaf.

mod address;
mod arp;
mod boot;
mod datagram;
mod dhcp;
mod icmp;
mod ioctl;
mod ip;
mod link;
mod options;
mod packet;
mod ports;
pub(crate) mod proc;
mod route;
mod sock;
mod socket;
mod sockopt;
mod stack;
mod tcp;
#[cfg(test)]
mod tests;

use alloc::boxed::Box;
use alloc::sync::{Arc, Weak};
use alloc::task::Wake;
use core::fmt;
use core::task::Waker;

use machine::Machine;
use machine::sync::Mutex;

use crate::Kernel;
use crate::sched::{Event, TimerId};
use stack::{Rest, Stack};

pub(super) use address::{parse as parse_address, to_bytes as address_bytes};
pub(super) const PORT_RANGE: (u16, u16) = (ports::FIRST_EPHEMERAL, ports::LAST_EPHEMERAL);

pub(super) use ioctl::interface as interface_ioctl;
pub(super) use socket::{InetFile, InetSocket, open};
pub(super) use sockopt::{get as getsockopt, set as setsockopt};

/// The internet of one kernel.
pub(crate) struct Inet {
    machine: Arc<dyn Machine>,
    kernel: Weak<Kernel>,
    stack: Mutex<Stack>,
    /// The timer that is armed, and for when.
    timer: Mutex<Option<(u64, TimerId)>>,
    /// Raised when there is more to do than one go allows.
    again: Mutex<Option<Event>>,
}

impl fmt::Debug for Inet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Inet")
    }
}

/// Lets a kernel's stack run: for a device that has news.
struct DeviceWaker(Weak<Kernel>);

impl Wake for DeviceWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if let Some(kernel) = self.0.upgrade() {
            kernel.net().inet().with(|_| ());
        }
    }
}

/// The same for a timer, which is armed no more then.
struct TimerWaker(Weak<Kernel>);

impl Wake for TimerWaker {
    fn wake(self: Arc<Self>) {
        if let Some(kernel) = self.0.upgrade() {
            let inet = kernel.net().inet();
            inet.timer.lock().take();
            inet.with(|_| ());
        }
    }
}

impl Inet {
    pub(super) fn new(kernel: Weak<Kernel>, machine: &Arc<dyn Machine>) -> Arc<Self> {
        Arc::new(Self {
            machine: machine.clone(),
            kernel,
            stack: Mutex::new(Stack::new(&**machine)),
            timer: Mutex::new(None),
            again: Mutex::new(None),
        })
    }

    /// Listens to the devices, and configures them as the boot parameters say.
    pub(super) fn start(&self, kernel: &Arc<Kernel>) {
        let waker = Waker::from(Arc::new(DeviceWaker(self.kernel.clone())));
        *self.again.lock() = Some(kernel.new_event(waker.clone()));
        for device in self.machine.net_devices() {
            let event = kernel.new_event(waker.clone());
            device.set_notify(Box::new(move || event.raise()));
        }
        let parameters = boot::parse(&kernel.config().cmdline);
        if let Some(hostname) = parameters.as_ref().and_then(|parameters| parameters.hostname.clone()) {
            *kernel.hostname().lock() = hostname;
        }
        self.with(|stack| {
            if let Some(parameters) = parameters {
                stack.configure(&parameters);
            }
        });
    }

    /// Does something with the stack, and lets it run.
    fn with<R>(&self, act: impl FnOnce(&mut Stack) -> R) -> R {
        let mut stack = self.stack.lock();
        stack.now_ns = self.machine.clock().monotonic_ns();
        let result = act(&mut stack);
        let rest = stack.run();
        drop(stack);
        self.finish(rest);
        result
    }

    /// Looks at the stack.
    fn look<R>(&self, act: impl FnOnce(&mut Stack) -> R) -> R {
        let mut stack = self.stack.lock();
        stack.now_ns = self.machine.clock().monotonic_ns();
        act(&mut stack)
    }

    fn finish(&self, rest: Rest) {
        for queue in rest.wakes {
            queue.wake_all();
        }
        if rest.goes_on
            && let Some(event) = &*self.again.lock()
        {
            event.raise();
        }
        if let Some(next_ns) = rest.next_ns {
            self.arm(next_ns);
        }
    }

    /// Comes back at `next_ns`. A timer that is armed for an earlier time
    /// stays; it arms the next one.
    fn arm(&self, next_ns: u64) {
        let mut timer = self.timer.lock();
        if timer.is_some_and(|(armed_ns, _)| armed_ns <= next_ns) {
            return;
        }
        let Some(kernel) = self.kernel.upgrade() else { return };
        let waker = Waker::from(Arc::new(TimerWaker(self.kernel.clone())));
        let id = kernel.arm_timer(next_ns, waker);
        let old = timer.replace((next_ns, id));
        drop(timer);
        if let Some((_, old)) = old {
            kernel.timers().disarm(old);
        }
    }
}

/// The internet checksum of parts that follow one another, all but the last of
/// even length: what goes into a checksum field, or zero if one is in there
/// already and is right.
fn checksum(parts: &[&[u8]]) -> u16 {
    let mut sum = 0_u64;
    for part in parts {
        let mut words = part.chunks_exact(4);
        for word in &mut words {
            if let [a, b, c, d] = *word {
                sum += u64::from(u32::from_be_bytes([a, b, c, d]));
            }
        }
        let rest = words.remainder();
        let mut last = [0; 4];
        if let Some(to) = last.get_mut(..rest.len()) {
            to.copy_from_slice(rest);
        }
        sum += u64::from(u32::from_be_bytes(last));
    }
    while sum > 0xffff {
        sum = (sum >> 16) + (sum & 0xffff);
    }
    !u16::try_from(sum).unwrap_or(0)
}

#[cfg(test)]
mod checksum_tests {
    use super::checksum;

    #[test]
    fn the_checksum_is_that_of_rfc_1071() {
        let bytes = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7];
        assert_eq!(checksum(&[&bytes]), !0xddf2);
        assert_eq!(checksum(&[&bytes[..4], &bytes[4..]]), !0xddf2);
        assert_eq!(checksum(&[b"a"]), !0x6100);
        let mut message = [8, 0, 0, 0, 1, 2, 3, 4, 9];
        let sum = checksum(&[&message]);
        message[2..4].copy_from_slice(&sum.to_be_bytes());
        assert_eq!(checksum(&[&message]), 0);
    }
}
