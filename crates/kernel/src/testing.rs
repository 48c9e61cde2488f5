//! A small machine for unit tests: frames in vectors, page tables in maps, a
//! clock that stands still until it is told to move. It runs no guest code.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;
use core::sync::atomic::{AtomicU64, Ordering};

use machine::sync::Mutex;
use machine::{
    BlockDev, Clock, FlushToken, Frame, FramePool, Machine, Mapping, NetDev, NoMemory, PAGE_SIZE, PageTable, Prot,
    UserContext,
};

use crate::{Config, Kernel};

const PAGE: usize = 4096;

/// A machine whose frames, clock and randomness a test controls.
pub(crate) struct FakeMachine {
    pool: FakePool,
    clock: FakeClock,
    random: AtomicU64,
    net: Vec<Arc<dyn NetDev>>,
    disks: Vec<Arc<dyn BlockDev>>,
}

struct FakePool {
    /// `None` is a free frame.
    frames: Mutex<Vec<Option<Box<[u8; PAGE]>>>>,
}

/// A clock that stands still between calls of [`FakeMachine::advance`].
struct FakeClock {
    now_ns: AtomicU64,
}

impl FakeMachine {
    pub(crate) fn new(frames: usize) -> Arc<Self> {
        Self::with(frames, Vec::new(), Vec::new())
    }

    /// One with network interfaces.
    pub(crate) fn with_net(frames: usize, net: Vec<Arc<dyn NetDev>>) -> Arc<Self> {
        Self::with(frames, net, Vec::new())
    }

    /// One with disks.
    pub(crate) fn with_disks(frames: usize, disks: Vec<Arc<dyn BlockDev>>) -> Arc<Self> {
        Self::with(frames, Vec::new(), disks)
    }

    fn with(frames: usize, net: Vec<Arc<dyn NetDev>>, disks: Vec<Arc<dyn BlockDev>>) -> Arc<Self> {
        Arc::new(Self {
            disks,
            pool: FakePool { frames: Mutex::new((0..frames).map(|_| None).collect()) },
            clock: FakeClock { now_ns: AtomicU64::new(1_000_000_000) },
            random: AtomicU64::new(1),
            net,
        })
    }

    /// Lets time pass.
    pub(crate) fn advance(&self, ns: u64) {
        self.clock.now_ns.fetch_add(ns, Ordering::SeqCst);
    }
}

/// A kernel on a fake machine with 4096 frames.
pub(crate) fn kernel() -> Arc<Kernel> {
    kernel_on(&FakeMachine::new(4096))
}

/// A kernel on this machine.
pub(crate) fn kernel_on(machine: &Arc<FakeMachine>) -> Arc<Kernel> {
    kernel_with(machine, "")
}

/// A kernel with boot parameters.
pub(crate) fn kernel_with(machine: &Arc<FakeMachine>, cmdline: &str) -> Arc<Kernel> {
    let config = Config {
        hostname: String::from("test"),
        cmdline: String::from(cmdline),
        trace: None,
        hwcap: [0; 2],
        cpuinfo: String::new(),
    };
    Kernel::new(machine.clone(), config).unwrap()
}

impl FramePool for FakePool {
    fn total(&self) -> usize {
        self.frames.lock().len()
    }

    fn free_count(&self) -> usize {
        self.frames.lock().iter().filter(|frame| frame.is_none()).count()
    }

    fn alloc(&self) -> Result<Frame, NoMemory> {
        let mut frames = self.frames.lock();
        let index = frames.iter().position(Option::is_none).ok_or(NoMemory)?;
        frames[index] = Some(Box::new([0; PAGE]));
        Ok(Frame(u32::try_from(index).expect("few frames")))
    }

    fn free(&self, frame: Frame) {
        let old = self.frames.lock()[frame.0 as usize].take();
        assert!(old.is_some(), "{frame:?} is freed twice");
    }

    fn read(&self, frame: Frame, offset: usize, buf: &mut [u8]) {
        self.with(frame, |bytes| buf.copy_from_slice(&bytes[offset..offset + buf.len()]));
    }

    fn write(&self, frame: Frame, offset: usize, bytes: &[u8]) {
        self.with(frame, |to| to[offset..offset + bytes.len()].copy_from_slice(bytes));
    }

    fn copy(&self, from: Frame, to: Frame) {
        let bytes = self.with(from, |bytes| *bytes);
        self.with(to, |to| *to = bytes);
    }

    fn load_u32(&self, frame: Frame, offset: usize) -> u32 {
        assert_eq!(offset % 4, 0, "an atomic access that is not aligned");
        let mut word = [0; 4];
        self.read(frame, offset, &mut word);
        u32::from_le_bytes(word)
    }

    fn compare_exchange_u32(&self, frame: Frame, offset: usize, expected: u32, new: u32) -> Result<u32, u32> {
        assert_eq!(offset % 4, 0, "an atomic access that is not aligned");
        self.with(frame, |bytes| {
            let word = &mut bytes[offset..offset + 4];
            let old = u32::from_le_bytes([word[0], word[1], word[2], word[3]]);
            if old != expected {
                return Err(old);
            }
            word.copy_from_slice(&new.to_le_bytes());
            Ok(old)
        })
    }
}

impl FakePool {
    fn with<T>(&self, frame: Frame, act: impl FnOnce(&mut [u8; PAGE]) -> T) -> T {
        let mut frames = self.frames.lock();
        let bytes = frames[frame.0 as usize].as_mut();
        act(bytes.unwrap_or_else(|| panic!("{frame:?} is used while it is free")))
    }
}

impl Clock for FakeClock {
    fn monotonic_ns(&self) -> u64 {
        self.now_ns.load(Ordering::SeqCst)
    }

    fn wall_offset_ns(&self) -> i64 {
        1_600_000_000_000_000_000
    }

    fn counter_frequency(&self) -> u64 {
        62_500_000
    }

    fn counter(&self) -> u64 {
        self.monotonic_ns() / 16
    }
}

impl Machine for FakeMachine {
    fn cpu_count(&self) -> usize {
        1
    }

    fn frames(&self) -> &dyn FramePool {
        &self.pool
    }

    fn new_page_table(&self) -> Result<Arc<dyn PageTable>, NoMemory> {
        Ok(Arc::new(FakeTable::default()))
    }

    fn clock(&self) -> &dyn Clock {
        &self.clock
    }

    fn fill_random(&self, buf: &mut [u8]) {
        for byte in buf {
            let next = self.random.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            *byte = next.to_be_bytes()[0];
        }
    }

    fn block_devices(&self) -> &[Arc<dyn BlockDev>] {
        &self.disks
    }

    fn net_devices(&self) -> &[Arc<dyn NetDev>] {
        &self.net
    }

    fn complete(&self, _context: &mut UserContext) {}

    fn interrupts(&self, _visit: &mut dyn FnMut(u32, &str, &[u64])) {}

    fn kick(&self, _cpu: usize) {}

    fn log(&self, message: fmt::Arguments<'_>) {
        drop(std::format!("{message}"));
    }
}

/// A page table as an ordered map.
#[derive(Default)]
struct FakeTable {
    entries: Mutex<BTreeMap<u64, Mapping>>,
}

fn check(range: &Range<u64>) {
    assert!(
        range.start.is_multiple_of(PAGE_SIZE) && range.end.is_multiple_of(PAGE_SIZE),
        "{range:x?} is not whole pages"
    );
    assert!(range.start <= range.end && range.end <= machine::ADDRESS_LIMIT, "{range:x?} is no user range");
}

impl PageTable for FakeTable {
    fn map(&self, addr: u64, frame: Frame, prot: Prot) -> Result<FlushToken, NoMemory> {
        check(&(addr..addr + PAGE_SIZE));
        let old = self.entries.lock().insert(addr, Mapping { frame, prot, dirty: false });
        Ok(if old.is_some() { FlushToken::pages(addr, addr + PAGE_SIZE) } else { FlushToken::none() })
    }

    fn unmap(&self, range: Range<u64>, removed: &mut dyn FnMut(u64, Mapping)) -> FlushToken {
        check(&range);
        let mut entries = self.entries.lock();
        let mut cut = entries.split_off(&range.start);
        entries.append(&mut cut.split_off(&range.end));
        for (addr, mapping) in cut {
            removed(addr, mapping);
        }
        FlushToken::pages(range.start, range.end)
    }

    fn protect(&self, range: Range<u64>, change: &mut dyn FnMut(u64, Mapping) -> Prot) -> FlushToken {
        check(&range);
        for (addr, mapping) in self.entries.lock().range_mut(range.clone()) {
            mapping.prot = change(*addr, *mapping);
        }
        FlushToken::pages(range.start, range.end)
    }

    fn for_each(&self, range: Range<u64>, visit: &mut dyn FnMut(u64, Mapping)) {
        check(&range);
        for (addr, mapping) in self.entries.lock().range(range) {
            visit(*addr, *mapping);
        }
    }

    fn translate(&self, addr: u64) -> Option<Mapping> {
        self.entries.lock().get(&machine::page_floor(addr)).copied()
    }

    fn flush(&self, _token: FlushToken) {}

    fn as_any(&self) -> &dyn core::any::Any {
        self
    }
}
