//! [`Net`]: a virtio network interface as a [`machine::NetDev`].
//!
//! Each frame travels behind a header of `virtio_net_hdr`: 12 bytes, or 10 on
//! a legacy device without `VIRTIO_NET_F_MRG_RXBUF`, which is not negotiated.
//! Receive buffers go back into the ring as soon as their frame was taken.
//! Sent buffers are collected when the next frame is sent, so that sending
//! needs no interrupt unless the ring is full.
//!
//! Lock order: each queue's lock is a leaf; the callback runs without one.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use machine::NetDev;
use machine::sync::Mutex;
use virtio_drivers::queue::VirtQueue;
use virtio_drivers::transport::{InterruptStatus, Transport};

use super::MmioDevice;
use super::hal::VirtHal;

/// Entries of each ring; every buffer is one.
const RING: usize = 128;
/// The queue that frames come from.
const RECEIVE: u16 = 0;
/// The queue that frames go to.
const TRANSMIT: u16 = 1;
/// Bytes of an Ethernet header.
const ETHERNET_HEADER: usize = 14;
/// The longest IP packet.
const MTU: usize = 1500;
/// A buffer holds the longest header and frame, with a VLAN tag.
const BUFFER: usize = 12 + ETHERNET_HEADER + 4 + MTU;

bitflags::bitflags! {
    /// Feature bits of the virtio specification, "Network Device", that are used.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    struct Features: u64 {
        /// The device has an address.
        const MAC = 1 << 5;
        /// The device is a modern one.
        const VERSION_1 = 1 << 32;
    }
}

/// Bytes of `virtio_net_hdr` before each frame.
fn header_len(features: Features) -> usize {
    // "num_buffers" is there on modern devices and with MRG_RXBUF only.
    if features.contains(Features::VERSION_1) { 12 } else { 10 }
}

struct Receiver {
    queue: VirtQueue<VirtHal, RING>,
    /// By token; each is in the ring unless its frame is being taken.
    buffers: Vec<Option<Box<[u8]>>>,
}

struct Transmitter {
    queue: VirtQueue<VirtHal, RING>,
    /// Frames under way, by token.
    under_way: Vec<Option<Box<[u8]>>>,
    free: Vec<Box<[u8]>>,
    /// The length that each frame under way was sent with, by token.
    lengths: [usize; RING],
    /// The last frame found no room, so interrupts are on.
    was_full: bool,
}

/// The callback of [`NetDev::set_notify`].
type Notify = Arc<dyn Fn() + Send + Sync>;

/// A network interface.
pub(crate) struct Net {
    transport: Mutex<MmioDevice>,
    receiver: Mutex<Receiver>,
    transmitter: Mutex<Transmitter>,
    notify: Mutex<Option<Notify>>,
    mac: [u8; 6],
    header: usize,
}

impl Net {
    /// Sets the device up; `fallback_mac` is its address if it has none.
    pub(super) fn new(mut transport: MmioDevice, fallback_mac: [u8; 6]) -> virtio_drivers::Result<Self> {
        let features = transport.begin_init(Features::all());
        let mac = if features.contains(Features::MAC) {
            transport.read_consistent(|| transport.read_config_space::<[u8; 6]>(0))?
        } else {
            fallback_mac
        };
        let receive = VirtQueue::new(&mut transport, RECEIVE, false, false)?;
        let mut transmit = VirtQueue::new(&mut transport, TRANSMIT, false, false)?;
        transmit.set_dev_notify(false);
        transport.finish_init();
        let mut receiver = Receiver { queue: receive, buffers: (0..RING).map(|_| None).collect() };
        for _ in 0..RING {
            receiver.post(vec![0; BUFFER].into_boxed_slice())?;
        }
        transport.notify(RECEIVE);
        let transmitter = Transmitter {
            queue: transmit,
            under_way: (0..RING).map(|_| None).collect(),
            free: (0..RING).map(|_| vec![0; BUFFER].into_boxed_slice()).collect(),
            lengths: [0; RING],
            was_full: false,
        };
        Ok(Self {
            transport: Mutex::new(transport),
            receiver: Mutex::new(receiver),
            transmitter: Mutex::new(transmitter),
            notify: Mutex::new(None),
            mac,
            header: header_len(features),
        })
    }

    /// The device has news.
    pub(super) fn interrupt(&self) {
        let status = self.transport.lock().ack_interrupt();
        if status.contains(InterruptStatus::QUEUE_INTERRUPT) {
            let notify = self.notify.lock().clone();
            if let Some(notify) = notify {
                notify();
            }
        }
    }
}

impl Receiver {
    /// Gives a buffer to the device.
    fn post(&mut self, mut buffer: Box<[u8]>) -> virtio_drivers::Result<()> {
        // SAFETY: the buffer is kept in `buffers`, untouched, until the device
        // is done with it.
        let token = unsafe { self.queue.add(&[], &mut [&mut *buffer])? };
        self.buffers[usize::from(token)] = Some(buffer);
        Ok(())
    }

    /// Takes the next frame's buffer, and how many bytes the device wrote.
    fn pop(&mut self) -> Option<(Box<[u8]>, usize)> {
        let token = self.queue.peek_used()?;
        let mut buffer = self.buffers.get_mut(usize::from(token))?.take()?;
        // SAFETY: this is the buffer that `post` gave for the token.
        let len = unsafe { self.queue.pop_used(token, &[], &mut [&mut *buffer]) };
        Some((buffer, len.map_or(0, |len| usize::try_from(len).unwrap_or(0))))
    }
}

impl Transmitter {
    /// Collects the buffers of frames that have been sent.
    fn collect(&mut self) {
        while let Some(token) = self.queue.peek_used() {
            let slot = usize::from(token);
            let Some(buffer) = self.under_way.get_mut(slot).and_then(Option::take) else { return };
            // SAFETY: this is the buffer, of this length, that was sent.
            let popped = unsafe { self.queue.pop_used(token, &[&buffer[..self.lengths[slot]]], &mut []) };
            self.free.push(buffer);
            if popped.is_err() {
                return;
            }
        }
    }
}

impl NetDev for Net {
    fn mac_address(&self) -> [u8; 6] {
        self.mac
    }

    fn mtu(&self) -> usize {
        MTU
    }

    fn receive(&self, take: &mut dyn FnMut(&[u8])) -> bool {
        let popped = self.receiver.lock().pop();
        let Some((buffer, len)) = popped else { return false };
        if let Some(frame) = buffer.get(self.header..len.min(buffer.len())) {
            take(frame);
        }
        let mut receiver = self.receiver.lock();
        // There is room: one buffer has just been taken out.
        let is_posted = receiver.post(buffer).is_ok();
        let needs_notice = is_posted && receiver.queue.should_notify();
        drop(receiver);
        if needs_notice {
            self.transport.lock().notify(RECEIVE);
        }
        true
    }

    fn transmit(&self, len: usize, fill: &mut dyn FnMut(&mut [u8])) -> bool {
        let mut transmitter = self.transmitter.lock();
        transmitter.collect();
        let end = self.header + len;
        if end > BUFFER {
            // Longer than the interface's frames: nobody could receive it.
            return true;
        }
        if transmitter.free.is_empty() {
            // From now on an interrupt tells when a frame is gone; one may
            // have gone meanwhile.
            transmitter.queue.set_dev_notify(true);
            transmitter.was_full = true;
            transmitter.collect();
        } else if transmitter.was_full {
            transmitter.queue.set_dev_notify(false);
            transmitter.was_full = false;
        }
        let Some(mut buffer) = transmitter.free.pop() else { return false };
        buffer[..self.header].fill(0);
        fill(&mut buffer[self.header..end]);
        // SAFETY: the buffer is kept in `under_way`, untouched, until the
        // device is done with it.
        let added = unsafe { transmitter.queue.add(&[&buffer[..end]], &mut []) };
        let Ok(token) = added else {
            transmitter.free.push(buffer);
            return false;
        };
        let slot = usize::from(token);
        transmitter.lengths[slot] = end;
        transmitter.under_way[slot] = Some(buffer);
        let needs_notice = transmitter.queue.should_notify();
        drop(transmitter);
        if needs_notice {
            self.transport.lock().notify(TRANSMIT);
        }
        true
    }

    fn set_notify(&self, notify: Box<dyn Fn() + Send + Sync>) {
        *self.notify.lock() = Some(Arc::from(notify));
    }
}
