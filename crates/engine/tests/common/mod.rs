//! A guest without a kernel: a page of code, a page of data.
#![allow(dead_code, clippy::unwrap_used, reason = "each test binary uses its part, and fails where it must")]

use std::alloc::{Layout, alloc_zeroed};
use std::ptr::NonNull;
use std::sync::Arc;

use engine::{AddressSpace, Arena, Cpu, CpuFeatures};
use machine::{Clock, Exit, Frame, FramePool, PageTable, Prot, UserContext};

/// Where the code is.
pub(crate) const CODE: u64 = 0x40_0000;
/// Where the data is.
pub(crate) const DATA: u64 = 0x80_0000;

/// A clock that stands still.
#[derive(Debug)]
pub(crate) struct Still;

impl Clock for Still {
    fn monotonic_ns(&self) -> u64 {
        0
    }
    fn wall_offset_ns(&self) -> i64 {
        0
    }
    fn counter_frequency(&self) -> u64 {
        1_000_000_000
    }
    fn counter(&self) -> u64 {
        1234
    }
}

/// An arena of `frames` frames; its memory lives as long as the process.
pub(crate) fn arena(frames: usize) -> Arc<Arena> {
    let layout = Layout::from_size_align(frames * 4096, 4096).unwrap();
    // SAFETY: the layout is not empty; the memory is zero-filled, aligned, and
    // never freed.
    unsafe {
        let base = NonNull::new(alloc_zeroed(layout)).unwrap();
        Arena::new(base, frames * 4096)
    }
}

/// One address space and one CPU.
pub(crate) struct Guest {
    pub(crate) arena: Arc<Arena>,
    pub(crate) space: Arc<AddressSpace>,
    pub(crate) cpu: Cpu,
    pub(crate) context: UserContext,
}

impl Guest {
    /// With an empty page of code and one of data.
    pub(crate) fn new() -> Self {
        let arena = arena(256);
        let space = AddressSpace::new(&arena).unwrap();
        let cpu = Cpu::new(&arena, Arc::new(Still), CpuFeatures::all());
        let guest = Self { arena, space, cpu, context: UserContext::new(CODE, 0) };
        guest.map(CODE, Prot::READ | Prot::EXEC);
        guest.map(DATA, Prot::READ | Prot::WRITE);
        guest
    }

    /// Maps a new page.
    pub(crate) fn map(&self, addr: u64, prot: Prot) -> Frame {
        let frame = self.arena.alloc().unwrap();
        let token = self.space.map(addr, frame, prot).unwrap();
        self.space.flush(token);
        frame
    }

    fn frame(&self, addr: u64) -> Frame {
        self.space.translate(addr).unwrap().frame
    }

    /// Puts instructions into a page.
    pub(crate) fn code(&self, addr: u64, words: &[u32]) {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        self.arena.write(self.frame(addr), addr as usize % 4096, &bytes);
    }

    /// Puts doublewords into a page.
    pub(crate) fn words(&self, addr: u64, words: &[u64]) {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        self.arena.write(self.frame(addr), addr as usize % 4096, &bytes);
    }

    /// Reads a doubleword.
    pub(crate) fn word(&self, addr: u64) -> u64 {
        let mut bytes = [0; 8];
        self.arena.read(self.frame(addr), addr as usize % 4096, &mut bytes);
        u64::from_le_bytes(bytes)
    }

    /// Runs until something happens.
    pub(crate) fn run(&mut self) -> Exit {
        self.cpu.run(&mut self.context, &self.space)
    }
}
