//! The engine's side: the same cases, run directly on a CPU of the engine.

use std::alloc::{Layout, alloc_zeroed};
use std::ptr::NonNull;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, Result};
use engine::{AddressSpace, Arena, Cpu, CpuFeatures};
use machine::{Clock, Exit, Frame, FramePool, PAGE_SIZE, PageTable, Prot, UserContext, pauth_key};

use super::case::{BATCH, Batch, Case, DATA_BASE, DATA_SIZE, Outcome, SLOT_BASE, SLOT_SIZE, data_pages, slot_address};

const ARENA_BYTES: usize = 4 << 20;
const PAGE_BYTES: usize = PAGE_SIZE as usize;
const CODE_PAGES: u64 = (BATCH as u64 * SLOT_SIZE).div_ceil(PAGE_SIZE);
const SIGSEGV: u32 = 11;
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

/// An engine with the code slots and the data pages mapped.
#[derive(Debug)]
pub struct Ours {
    arena: Arc<Arena>,
    space: Arc<AddressSpace>,
    cpu: Cpu,
    code: Vec<Frame>,
    data: Vec<Frame>,
    /// The data pages' contents when a case starts, and the seed of that.
    pristine: Vec<u8>,
    seed: Option<u64>,
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
        let data = (0..DATA_SIZE / PAGE_SIZE)
            .map(|page| map(DATA_BASE + page * PAGE_SIZE, Prot::READ | Prot::WRITE))
            .collect::<Result<_>>()?;
        let cpu = Cpu::new(&arena, Arc::new(HostClock(Instant::now())), CpuFeatures::all());
        Ok(Self { arena, space, cpu, code, data, pristine: Vec::new(), seed: None })
    }

    /// What becomes of the cases of `batch`, in order.
    pub fn run(&mut self, batch: &Batch) -> Vec<Outcome> {
        if self.seed != Some(batch.seed) {
            self.pristine = data_pages(batch.seed);
            self.seed = Some(batch.seed);
            for (frame, page) in self.data.iter().zip(self.pristine.chunks(PAGE_BYTES)) {
                self.arena.write(*frame, 0, page);
            }
        }
        self.write_slots(&batch.cases);
        batch.cases.iter().enumerate().map(|(index, case)| self.run_case(index, case)).collect()
    }

    /// A slot is: `ldr x30, =…`, the instructions, the end. The load is left
    /// out here, but its place is kept, so that the PC is the same.
    fn write_slots(&mut self, cases: &[Case]) {
        const WORDS: usize = (SLOT_SIZE / 4) as usize;
        let mut bytes = Vec::with_capacity(BATCH * SLOT_SIZE as usize);
        for case in cases {
            let mut words = [BRK; WORDS];
            words[1..=case.words.len()].copy_from_slice(&case.words);
            words[case.words.len() + 1] = SVC;
            bytes.extend(words.iter().flat_map(|w| w.to_le_bytes()));
        }
        for (frame, page) in self.code.iter().zip(bytes.chunks(PAGE_BYTES)) {
            self.arena.write(*frame, 0, page);
        }
    }

    fn run_case(&mut self, index: usize, case: &Case) -> Outcome {
        let mut context = start(index, case);
        self.go(&mut context, index, case)
    }

    /// Runs each case of one instruction twice in a way: with only `prot`
    /// allowed for one of the data pages, and, after the fault that comes of
    /// that, on from there with everything allowed. Gives both outcomes; `None`
    /// for a case that does not fault.
    pub fn run_interrupted(&mut self, batch: &Batch, page: u64, prot: Prot) -> Vec<Option<(Outcome, Outcome)>> {
        // The data pages and the slots become the batch's.
        self.run(batch);
        let mut outcomes = Vec::with_capacity(batch.cases.len());
        for (index, case) in batch.cases.iter().enumerate() {
            self.protect(page, prot);
            let mut context = start(index, case);
            let (signal, fault) = self.enter(&mut context, index, case);
            self.protect(page, Prot::READ | Prot::WRITE);
            let faulted = outcome(&context, signal, fault, Vec::new());
            let ended = self.go(&mut context, index, case);
            outcomes.push((signal == SIGSEGV).then_some((faulted, ended)));
        }
        outcomes
    }

    fn protect(&self, page: u64, prot: Prot) {
        let from = DATA_BASE + page * PAGE_SIZE;
        let token = self.space.protect(from..from + PAGE_SIZE, &mut |_, _| prot);
        self.space.flush(token);
    }

    /// Runs on from `context` until the case ends.
    fn go(&mut self, context: &mut UserContext, index: usize, case: &Case) -> Outcome {
        let (signal, fault) = self.enter(context, index, case);
        let memory = if case.uses_memory { self.take_changes() } else { Vec::new() };
        outcome(context, signal, fault, memory)
    }

    /// The signal that ends the case, if any, and the address of the fault.
    fn enter(&mut self, context: &mut UserContext, index: usize, case: &Case) -> (u32, u64) {
        // Behind the `svc` that ends the case.
        let end = slot_address(index) + 4 * (case.words.len() as u64 + 2);
        loop {
            match self.cpu.run(context, &self.space) {
                Exit::Event => self.cpu.take_kick(),
                Exit::Syscall if context.pc == end => break (0, 0),
                // There are no system calls here.
                Exit::Syscall => context.x[0] = (-38i64).cast_unsigned(),
                Exit::Fault { addr, .. } => break (SIGSEGV, addr),
                Exit::Misaligned { addr } => break (7, addr),
                Exit::Undefined { .. } | Exit::BranchTarget | Exit::PointerAuth => break (4, 0),
                Exit::Breakpoint { .. } => break (5, 0),
            }
        }
    }

    /// What differs from the data pages as they were; restores them.
    fn take_changes(&self) -> Vec<(u32, u128)> {
        let mut changes = Vec::new();
        let mut after = [0; PAGE_BYTES];
        for (page, (frame, before)) in self.data.iter().zip(self.pristine.chunks(PAGE_BYTES)).enumerate() {
            self.arena.read(*frame, 0, &mut after);
            if after[..] == *before {
                continue;
            }
            let chunks = before.as_chunks::<16>().0.iter().zip(after.as_chunks::<16>().0);
            let changed = chunks.enumerate().filter(|(_, (before, after))| before != after);
            let offset = |n: usize| (page * PAGE_BYTES + n * 16) as u32;
            changes.extend(changed.map(|(n, (_, after))| (offset(n), u128::from_le_bytes(*after))));
            self.arena.write(*frame, 0, before);
        }
        changes
    }
}

/// The state that a case begins in.
fn start(index: usize, case: &Case) -> UserContext {
    let mut context = UserContext::new(slot_address(index) + 4, case.sp);
    context.x[..31].copy_from_slice(&case.x);
    context.nzcv = case.nzcv.into();
    context.fpcr = case.fpcr;
    context.fpsr = case.fpsr;
    context.v = case.v;
    context.pauth.enabled = pauth_key::ALL_ENABLED;
    for (n, key) in (1u64..).zip(&mut context.pauth.keys) {
        *key = [n.wrapping_mul(0x9e37_79b9_7f4a_7c15), n];
    }
    context
}

fn outcome(context: &UserContext, signal: u32, fault: u64, memory: Vec<(u32, u128)>) -> Outcome {
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
        memory,
    }
}
