//! A disk in memory for unit tests, which loses what was not flushed when its
//! power is cut.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU64, Ordering};

use linux_abi::Errno;
use machine::sync::Mutex;
use machine::{BlockDev, SECTOR_SIZE};

struct State {
    /// What a reader sees.
    now: Vec<u8>,
    /// What survives for certain.
    safe: Vec<u8>,
    /// Sectors written since the last flush, in order.
    unsafe_writes: Vec<(usize, Vec<u8>)>,
}

/// A disk.
pub(crate) struct RamDisk {
    state: Mutex<State>,
    reads: AtomicU64,
    is_read_only: bool,
}

impl RamDisk {
    /// A disk of zero bytes.
    pub(crate) fn new(len: usize) -> Arc<Self> {
        Self::with(vec![0; len])
    }

    /// A disk with these contents.
    pub(crate) fn with(bytes: Vec<u8>) -> Arc<Self> {
        let state = State { safe: bytes.clone(), now: bytes, unsafe_writes: Vec::new() };
        Arc::new(Self { state: Mutex::new(state), reads: AtomicU64::new(0), is_read_only: false })
    }

    /// An empty ext2 file system, with a journal if `journal_blocks` is not 0.
    pub(crate) fn ext2(len: usize, block_size: u32, journal_blocks: u32) -> Arc<Self> {
        let disk = Self::new(len);
        let options = ::ext2::FormatOptions { block_size, journal_blocks, ..::ext2::FormatOptions::default() };
        ::ext2::format(alloc::boxed::Box::new(Raw(disk.clone())), &options).expect("there is room");
        disk.flush().expect("memory does not fail");
        disk
    }

    /// What a reader sees.
    pub(crate) fn contents(&self) -> Vec<u8> {
        self.state.lock().now.clone()
    }

    /// True if everything written has been flushed.
    pub(crate) fn is_flushed(&self) -> bool {
        self.state.lock().unsafe_writes.is_empty()
    }

    /// Requests to read so far.
    pub(crate) fn reads(&self) -> u64 {
        self.reads.load(Ordering::Relaxed)
    }

    /// What is left if the power goes now: what was flushed, and some of what
    /// was not, as `seed` says.
    pub(crate) fn after_power_cut(&self, seed: u64) -> Arc<Self> {
        let state = self.state.lock();
        let mut bytes = state.safe.clone();
        let mut random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        for (at, sector) in &state.unsafe_writes {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            if random & 1 == 0 {
                bytes[*at..*at + SECTOR_SIZE].copy_from_slice(sector);
            }
        }
        Self::with(bytes)
    }
}

impl BlockDev for RamDisk {
    fn sector_count(&self) -> u64 {
        (self.state.lock().now.len() / SECTOR_SIZE) as u64
    }

    fn is_read_only(&self) -> bool {
        self.is_read_only
    }

    fn serial(&self) -> String {
        String::from("ram")
    }

    fn read(&self, sector: u64, buf: &mut [u8]) -> Result<(), Errno> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        let at = sector as usize * SECTOR_SIZE;
        buf.copy_from_slice(self.state.lock().now.get(at..at + buf.len()).ok_or(Errno::EIO)?);
        Ok(())
    }

    fn write(&self, sector: u64, bytes: &[u8]) -> Result<(), Errno> {
        let at = sector as usize * SECTOR_SIZE;
        let mut state = self.state.lock();
        state.now.get_mut(at..at + bytes.len()).ok_or(Errno::EIO)?.copy_from_slice(bytes);
        let sectors = bytes.chunks(SECTOR_SIZE).enumerate();
        state.unsafe_writes.extend(sectors.map(|(index, bytes)| (at + index * SECTOR_SIZE, bytes.to_vec())));
        Ok(())
    }

    fn flush(&self) -> Result<(), Errno> {
        let mut state = self.state.lock();
        let state = &mut *state;
        for (at, sector) in state.unsafe_writes.drain(..) {
            state.safe[at..at + SECTOR_SIZE].copy_from_slice(&sector);
        }
        Ok(())
    }
}

/// The disk as the crate `ext2` wants it, for formatting.
struct Raw(Arc<RamDisk>);

impl ::ext2::Device for Raw {
    fn size_bytes(&self) -> u64 {
        self.0.sector_count() * SECTOR_SIZE as u64
    }

    fn read(&self, offset: u64, buf: &mut [u8]) -> Result<(), ::ext2::DeviceError> {
        self.0.read(offset / SECTOR_SIZE as u64, buf).map_err(|_| ::ext2::DeviceError::Io)
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> Result<(), ::ext2::DeviceError> {
        self.0.write(offset / SECTOR_SIZE as u64, bytes).map_err(|_| ::ext2::DeviceError::Io)
    }

    fn flush(&self) -> Result<(), ::ext2::DeviceError> {
        self.0.flush().map_err(|_| ::ext2::DeviceError::Io)
    }

    fn is_read_only(&self) -> bool {
        false
    }
}
