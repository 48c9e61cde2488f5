//! The engine's side: the same cases, run directly on a CPU of the engine.

use std::alloc::{Layout, alloc_zeroed};
use std::ptr::NonNull;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, Result};
use engine::{AddressSpace, Arena, Cpu, CpuFeatures};
use machine::{Clock, Exit, Frame, FramePool, PAGE_SIZE, PageTable, Prot, UserContext};

use super::case::{BATCH, Case, DATA_BASE, Outcome, SLOT_BASE, SLOT_SIZE, data_page, slot_address};

const ARENA_BYTES: usize = 4 << 20;
const CODE_PAGES: u64 = BATCH as u64 * SLOT_SIZE / PAGE_SIZE;
/// `svc #0`, which ends a case.
const SVC: u32 = 0xd400_0001;
/// `brk #0`, the rest of a slot.
const BRK: u32 = 0xd420_0000;

/// A clock for a CPU that does not need one.
#[derive(Debug)]
struct HostClock(Instant);

impl Clock for HostClock {
    fn monotonic_ns(&self) -> u64 {
        self.0.elapsed().as_nanos() as u64
    }

    fn wall_offset_ns(&self) -> i64 {
        0
    }

    fn counter_frequency(&self) -> u64 {
        1_000_000_000
    }

    fn counter(&self) -> u64 {
        self.monotonic_ns()
    }
}

/// An engine with the code slots and the data page mapped.
#[derive(Debug)]
pub struct Ours {
    arena: Arc<Arena>,
    space: Arc<AddressSpace>,
    cpu: Cpu,
    code: Vec<Frame>,
    data: Frame,
}

impl Ours {
    /// Makes a CPU and maps its memory.
    ///
    /// # Errors
    /// If there is no memory.
    pub fn new() -> Result<Self> {
        let layout = Layout::from_size_align(ARENA_BYTES, PAGE_SIZE as usize)?;
        // SAFETY: the layout is not empty.
        let base = NonNull::new(unsafe { alloc_zeroed(layout) }).context("no memory")?;
        // SAFETY: the memory is fresh, zeroed and aligned, and is never freed.
        let arena = unsafe { Arena::new(base, ARENA_BYTES) };
        let no_memory = |machine::NoMemory| anyhow::anyhow!("the arena is full");
        let space = AddressSpace::new(&arena).map_err(no_memory)?;
        let map = |addr: u64, prot: Prot| -> Result<Frame> {
            let frame = arena.alloc().map_err(no_memory)?;
            let token = space.map(addr, frame, prot).map_err(no_memory)?;
            space.flush(token);
            Ok(frame)
        };
        let code = (0..CODE_PAGES)
            .map(|page| map(SLOT_BASE + page * PAGE_SIZE, Prot::READ | Prot::EXEC))
            .collect::<Result<_>>()?;
        let data = map(DATA_BASE, Prot::READ | Prot::WRITE)?;
        let cpu = Cpu::new(&arena, Arc::new(HostClock(Instant::now())), CpuFeatures::all());
        Ok(Self { arena, space, cpu, code, data })
    }

    /// What becomes of the cases, in order.
    pub fn run(&mut self, cases: &[Case]) -> Vec<Outcome> {
        let mut outcomes = Vec::with_capacity(cases.len());
        for batch in cases.chunks(BATCH) {
            for (index, case) in batch.iter().enumerate() {
                self.write_slot(index, case);
            }
            for (index, case) in batch.iter().enumerate() {
                outcomes.push(self.run_case(index, case));
            }
        }
        outcomes
    }

    /// A slot is: `ldr x30, =…`, the instructions, the end. The load is left
    /// out here, but its place is kept, so that the PC is the same.
    fn write_slot(&self, index: usize, case: &Case) {
        let mut words = [BRK; (SLOT_SIZE / 4) as usize];
        words[1..=case.words.len()].copy_from_slice(&case.words);
        words[case.words.len() + 1] = SVC;
        let bytes: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
        let offset = index as u64 * SLOT_SIZE;
        self.arena.write(self.code[(offset / PAGE_SIZE) as usize], (offset % PAGE_SIZE) as usize, &bytes);
    }

    fn run_case(&mut self, index: usize, case: &Case) -> Outcome {
        let page = if case.uses_memory { data_page(case.seed) } else { Vec::new() };
        if case.uses_memory {
            self.arena.write(self.data, 0, &page);
        }
        let start = slot_address(index) + 4;
        let mut context = UserContext::new(start, case.sp);
        context.x[..31].copy_from_slice(&case.x);
        context.nzcv = case.nzcv.into();
        context.fpcr = case.fpcr;
        context.fpsr = case.fpsr;
        context.v = case.v;
        let (signal, fault) = loop {
            match self.cpu.run(&mut context, &self.space) {
                Exit::Event => self.cpu.take_kick(),
                Exit::Syscall => break (0, 0),
                Exit::Fault { addr, .. } => break (11, addr),
                Exit::Misaligned { addr } => break (7, addr),
                Exit::Undefined { .. } => break (4, 0),
                Exit::Breakpoint { .. } => break (5, 0),
            }
        };
        let mut x = [0; 31];
        x.copy_from_slice(&context.x[..31]);
        Outcome {
            signal,
            fault_page: fault & !(PAGE_SIZE - 1),
            pc: if signal == 0 { 0 } else { context.pc },
            x,
            sp: context.sp(),
            nzcv: context.nzcv as u32,
            fpcr: context.fpcr,
            fpsr: context.fpsr,
            v: context.v,
            memory: if case.uses_memory { self.changes(&page) } else { Vec::new() },
        }
    }

    /// What differs from the data page as it was.
    fn changes(&self, before: &[u8]) -> Vec<(u32, u128)> {
        let mut after = vec![0; before.len()];
        self.arena.read(self.data, 0, &mut after);
        let chunks = before.as_chunks::<16>().0.iter().zip(after.as_chunks::<16>().0);
        chunks
            .enumerate()
            .filter(|(_, (before, after))| before != after)
            .map(|(n, (_, after))| (n as u32 * 16, u128::from_le_bytes(*after)))
            .collect()
    }
}
