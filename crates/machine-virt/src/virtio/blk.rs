//! [`Blk`]: a virtio disk as a [`machine::BlockDev`].
//!
//! A caller puts its request into the ring and sleeps until an interrupt; any
//! CPU that looks may find it done (`docs/decisions/0006-disk-requests-wait.md`).
//!
//! Lock order: the state's lock is a leaf, and nobody sleeps under it.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec;
use core::ptr::NonNull;

use linux_abi::Errno;
use machine::sync::Mutex;
use machine::{BlockDev, SECTOR_SIZE};
use virtio_drivers::queue::VirtQueue;
use virtio_drivers::transport::Transport;

use super::{MmioDevice, hal, hal::VirtHal};
use crate::irq;

/// Entries of the ring: ten requests of three parts at once, at least.
const RING: usize = 32;
/// The most bytes in one request; longer runs are several.
const MAX_TRANSFER: usize = 1 << 20;
/// The only queue of a disk.
const QUEUE: u16 = 0;

bitflags::bitflags! {
    /// Feature bits of the virtio specification, "Block Device", that are used.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    struct Features: u64 {
        /// Writing is refused.
        const RO = 1 << 5;
        /// There is a write cache, which a request flushes.
        const FLUSH = 1 << 9;
        /// A request takes one entry of the ring.
        const RING_INDIRECT_DESC = 1 << 28;
        /// The device is a modern one.
        const VERSION_1 = 1 << 32;
    }
}

/// `virtio_blk_req.type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// `VIRTIO_BLK_T_IN`.
    In = 0,
    /// `VIRTIO_BLK_T_OUT`.
    Out = 1,
    /// `VIRTIO_BLK_T_FLUSH`.
    Flush = 4,
    /// `VIRTIO_BLK_T_GET_ID`.
    GetId = 8,
}

/// The data of a request; the caller who waits for it owns the bytes.
#[derive(Clone, Copy, Debug)]
enum Data {
    None,
    ToDevice(NonNull<[u8]>),
    FromDevice(NonNull<[u8]>),
}

/// What surrounds the data of a request. It stays at its place on the heap
/// while the device may write to it.
struct Envelope {
    /// `type`, `reserved` and `sector`, little-endian.
    header: [u8; 16],
    /// `VIRTIO_BLK_S_*`.
    status: [u8; 1],
}

/// A request in the ring, or one that is done and not yet collected.
struct Request {
    envelope: Box<Envelope>,
    data: Data,
    /// The CPU that waits for it.
    cpu: usize,
    is_done: bool,
}

struct State {
    transport: MmioDevice,
    queue: VirtQueue<VirtHal, RING>,
    /// By the token that the ring gave.
    requests: [Option<Request>; RING],
}

// SAFETY: the pointers in a request are to bytes of a caller that waits in
// `Blk::transfer` until the request is done; they are used by the device and,
// under the state's lock, handed back to the ring, never read here.
unsafe impl Send for State {}

/// A disk.
pub(crate) struct Blk {
    state: Mutex<State>,
    sectors: u64,
    features: Features,
    serial: Mutex<String>,
}

impl Blk {
    pub(super) fn new(mut transport: MmioDevice) -> virtio_drivers::Result<Self> {
        let features = transport.begin_init(Features::all());
        let sectors = transport.read_consistent(|| {
            let low = transport.read_config_space::<u32>(0)?;
            let high = transport.read_config_space::<u32>(4)?;
            Ok(u64::from(high) << 32 | u64::from(low))
        })?;
        let indirect = features.contains(Features::RING_INDIRECT_DESC);
        let queue = VirtQueue::new(&mut transport, QUEUE, indirect, false)?;
        transport.finish_init();
        let state = State { transport, queue, requests: [const { None }; RING] };
        Ok(Self { state: Mutex::new(state), sectors, features, serial: Mutex::default() })
    }

    /// Asks the device what it is called.
    pub(super) fn read_serial(&self) {
        let mut id = vec![0; 20];
        if self.transfer(Kind::GetId, 0, Data::FromDevice(NonNull::from(id.as_mut_slice()))).is_ok() {
            id.truncate(id.iter().position(|&byte| byte == 0).unwrap_or(id.len()));
            *self.serial.lock() = String::from_utf8_lossy(&id).into_owned();
        }
    }

    /// The device has news.
    pub(super) fn interrupt(&self) {
        let mut state = self.state.lock();
        state.transport.ack_interrupt();
        state.collect();
    }

    /// Checks that `len` bytes from `sector` are whole sectors of the disk.
    fn check(&self, sector: u64, len: usize) -> Result<(), Errno> {
        if !len.is_multiple_of(SECTOR_SIZE) {
            return Err(Errno::EINVAL);
        }
        let end = sector.checked_add((len / SECTOR_SIZE) as u64);
        end.filter(|&end| end <= self.sectors).map(drop).ok_or(Errno::EIO)
    }

    /// Makes one request and waits until it is done.
    fn transfer(&self, kind: Kind, sector: u64, data: Data) -> Result<(), Errno> {
        let mut envelope = Box::new(Envelope { header: [0; 16], status: [0xff] });
        envelope.header[..4].copy_from_slice(&(kind as u32).to_le_bytes());
        envelope.header[8..].copy_from_slice(&sector.to_le_bytes());
        let mut request = Request { envelope, data, cpu: irq::current_cpu(), is_done: false };
        let token = loop {
            let mut state = self.state.lock();
            match state.submit(request) {
                Ok(token) => break token,
                Err(Refused { error: virtio_drivers::Error::QueueFull, request: back }) => request = back,
                Err(_) => return Err(Errno::EIO),
            }
            drop(state);
            irq::wait();
        };
        loop {
            let mut state = self.state.lock();
            state.collect();
            let slot = &mut state.requests[usize::from(token)];
            if slot.as_ref().is_none_or(|request| request.is_done) {
                let status = slot.take().map_or(0xff, |request| request.envelope.status[0]);
                return if status == 0 { Ok(()) } else { Err(Errno::EIO) };
            }
            drop(state);
            irq::wait();
        }
    }
}

/// A request that the ring did not take.
struct Refused {
    error: virtio_drivers::Error,
    request: Request,
}

impl State {
    /// Puts a request into the ring.
    fn submit(&mut self, mut request: Request) -> Result<u16, Refused> {
        let Envelope { header, status } = &mut *request.envelope;
        // SAFETY: header and status lie in a box that `requests` keeps until
        // the device is done; the data belongs to a caller that waits as long.
        let added = unsafe {
            match request.data {
                Data::None => self.queue.add(&[header], &mut [status]),
                Data::ToDevice(bytes) => self.queue.add(&[header, bytes.as_ref()], &mut [status]),
                Data::FromDevice(mut buf) => self.queue.add(&[header], &mut [buf.as_mut(), status]),
            }
        };
        let token = match added {
            Ok(token) => token,
            Err(error) => return Err(Refused { error, request }),
        };
        self.requests[usize::from(token)] = Some(request);
        self.transport.notify(QUEUE);
        Ok(token)
    }

    /// Takes everything that is done out of the ring.
    fn collect(&mut self) {
        while let Some(token) = self.queue.peek_used() {
            let Some(request) = self.requests.get_mut(usize::from(token)).and_then(Option::as_mut) else {
                // The device made a request up; there is nothing to hand back.
                return;
            };
            let Envelope { header, status } = &mut *request.envelope;
            // SAFETY: these are the buffers that `submit` gave for this token.
            let popped = unsafe {
                match request.data {
                    Data::None => self.queue.pop_used(token, &[header], &mut [status]),
                    Data::ToDevice(bytes) => self.queue.pop_used(token, &[header, bytes.as_ref()], &mut [status]),
                    Data::FromDevice(mut buf) => self.queue.pop_used(token, &[header], &mut [buf.as_mut(), status]),
                }
            };
            if popped.is_err() {
                return;
            }
            request.is_done = true;
            irq::wake(request.cpu);
        }
    }
}

/// True if a device can reach `bytes` where they are.
fn is_reachable(bytes: NonNull<[u8]>) -> bool {
    hal::physical(bytes).is_some()
}

impl BlockDev for Blk {
    fn sector_count(&self) -> u64 {
        self.sectors
    }

    fn is_read_only(&self) -> bool {
        self.features.contains(Features::RO)
    }

    fn serial(&self) -> String {
        self.serial.lock().clone()
    }

    fn read(&self, sector: u64, buf: &mut [u8]) -> Result<(), Errno> {
        self.check(sector, buf.len())?;
        for (at, part) in (sector..).step_by(MAX_TRANSFER / SECTOR_SIZE).zip(buf.chunks_mut(MAX_TRANSFER)) {
            if is_reachable(NonNull::from(&mut *part)) {
                self.transfer(Kind::In, at, Data::FromDevice(NonNull::from(part)))?;
            } else {
                let mut copy = vec![0; part.len()];
                self.transfer(Kind::In, at, Data::FromDevice(NonNull::from(copy.as_mut_slice())))?;
                part.copy_from_slice(&copy);
            }
        }
        Ok(())
    }

    fn write(&self, sector: u64, bytes: &[u8]) -> Result<(), Errno> {
        self.check(sector, bytes.len())?;
        if self.is_read_only() {
            return Err(Errno::EROFS);
        }
        for (at, part) in (sector..).step_by(MAX_TRANSFER / SECTOR_SIZE).zip(bytes.chunks(MAX_TRANSFER)) {
            if is_reachable(NonNull::from(part)) {
                self.transfer(Kind::Out, at, Data::ToDevice(NonNull::from(part)))?;
            } else {
                let copy = part.to_vec();
                self.transfer(Kind::Out, at, Data::ToDevice(NonNull::from(copy.as_slice())))?;
            }
        }
        Ok(())
    }

    fn flush(&self) -> Result<(), Errno> {
        // Without the feature the device has no cache that could lose a write.
        if self.features.contains(Features::FLUSH) { self.transfer(Kind::Flush, 0, Data::None) } else { Ok(()) }
    }
}
