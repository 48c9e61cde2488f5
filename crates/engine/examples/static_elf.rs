//! Runs a static ARM64 program on the engine alone, for profiling.
//!
//! `static_elf [--stats] PROGRAM [ARG…]` answers only the handful of system calls that
//! a computation needs (`write`, `exit_group`, `brk`, `mmap`, clocks); the
//! kernel is the place for anything more. `--stats` prints the CPU's counters.
#![expect(clippy::print_stderr, reason = "a developer's tool that talks to a terminal")]

use std::alloc::{Layout, alloc_zeroed};
use std::io::Write;
use std::ptr::NonNull;
use std::sync::Arc;
use std::time::Instant;

use engine::{AddressSpace, Arena, Cpu, CpuFeatures};
use machine::{Access, Clock, Exit, FramePool, PAGE_SIZE, PageTable, Prot, UserContext, page_floor};

const STACK_TOP: u64 = 0x7fff_ffff_f000;
const STACK_BYTES: u64 = 64 << 20;
const MMAP_BASE: u64 = 0x7000_0000_0000;

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

/// The program's memory: what is mapped, and what may be on a fault.
struct Process {
    arena: Arc<Arena>,
    space: Arc<AddressSpace>,
    brk_start: u64,
    brk: u64,
    mmap_next: u64,
    /// Writable segments, which have zeros behind what the file gives.
    data: Vec<std::ops::Range<u64>>,
    start: Instant,
}

impl Process {
    fn page(&self, addr: u64, prot: Prot) -> (machine::Frame, usize) {
        let offset = (addr % PAGE_SIZE) as usize;
        if let Some(found) = self.space.translate(addr) {
            return (found.frame, offset);
        }
        let frame = self.arena.alloc().expect("out of memory");
        let token = self.space.map(page_floor(addr), frame, prot).expect("out of page tables");
        self.space.flush(token);
        (frame, offset)
    }

    fn write(&self, mut addr: u64, mut bytes: &[u8], prot: Prot) {
        while !bytes.is_empty() {
            let (frame, offset) = self.page(addr, prot);
            let n = bytes.len().min(PAGE_SIZE as usize - offset);
            self.arena.write(frame, offset, &bytes[..n]);
            addr += n as u64;
            bytes = &bytes[n..];
        }
    }

    fn read(&self, addr: u64, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        for (i, byte) in bytes.iter_mut().enumerate() {
            let (frame, offset) = self.page(addr + i as u64, Prot::READ | Prot::WRITE);
            self.arena.read(frame, offset, std::slice::from_mut(byte));
        }
        bytes
    }

    fn may_grow(&self, addr: u64) -> bool {
        (self.brk_start..self.brk).contains(&addr)
            || (MMAP_BASE..self.mmap_next).contains(&addr)
            || self.data.iter().any(|range| range.contains(&addr))
            || (STACK_TOP - STACK_BYTES..STACK_TOP).contains(&addr)
    }

    fn call(&mut self, x: &mut [u64; 32]) -> Option<i32> {
        const ENOSYS: u64 = 38_u64.wrapping_neg();
        x[0] = match x[8] {
            64 => {
                let bytes = self.read(x[1], x[2] as usize);
                let mut out: Box<dyn Write> =
                    if x[0] == 2 { Box::new(std::io::stderr()) } else { Box::new(std::io::stdout()) };
                out.write_all(&bytes).map_or(5_u64.wrapping_neg(), |()| bytes.len() as u64)
            }
            93 | 94 => return Some(x[0] as i32),
            113 => {
                let ns = self.start.elapsed().as_nanos() as u64;
                let parts = [ns / 1_000_000_000, ns % 1_000_000_000];
                let bytes: Vec<u8> = parts.iter().flat_map(|part| part.to_le_bytes()).collect();
                self.write(x[1], &bytes, Prot::READ | Prot::WRITE);
                0
            }
            214 => {
                if x[0] >= self.brk_start && x[0] < MMAP_BASE {
                    self.brk = x[0];
                }
                self.brk
            }
            222 => {
                let at = self.mmap_next;
                self.mmap_next += x[1].next_multiple_of(PAGE_SIZE);
                at
            }
            215 => {
                let mut frames = Vec::new();
                let end = x[0] + x[1].next_multiple_of(PAGE_SIZE);
                let token = self.space.unmap(x[0]..end, &mut |_, mapping| frames.push(mapping.frame));
                self.space.flush(token);
                frames.into_iter().for_each(|frame| self.arena.free(frame));
                0
            }
            96 | 178 => 1,
            226 | 233 => 0,
            _ => ENOSYS,
        };
        None
    }
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}

fn u16_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u16::from_le_bytes(bytes[at..at + 2].try_into().expect("two bytes")))
}

/// Loads the file's segments; gives the entry point and the auxiliary vector.
fn load(process: &mut Process, elf: &[u8]) -> (u64, Vec<u64>) {
    let (entry, phoff, phnum) = (u64_at(elf, 24), u64_at(elf, 32) as usize, u16_at(elf, 56));
    let mut phdr = 0;
    for i in 0..phnum as usize {
        let header = &elf[phoff + i * 56..];
        if u16_at(header, 0) != 1 {
            continue;
        }
        let (offset, addr) = (u64_at(header, 8) as usize, u64_at(header, 16));
        let (filesz, memsz) = (u64_at(header, 32) as usize, u64_at(header, 40));
        let flags = header[4];
        let mut prot = Prot::READ;
        if flags & 1 != 0 {
            prot = prot | Prot::EXEC;
        }
        if flags & 2 != 0 {
            prot = prot | Prot::WRITE;
        }
        if filesz > 0 {
            process.write(addr, &elf[offset..offset + filesz], prot);
        }
        if flags & 2 != 0 {
            process.data.push(addr..addr + memsz);
        }
        if offset == 0 {
            phdr = addr + phoff as u64;
        }
        process.brk_start = process.brk_start.max((addr + memsz).next_multiple_of(PAGE_SIZE));
    }
    process.brk = process.brk_start;
    let features = CpuFeatures::all();
    (entry, vec![3, phdr, 4, 56, 5, phnum, 6, PAGE_SIZE, 9, entry, 16, features.hwcap])
}

/// Puts arguments and the auxiliary vector on the stack; gives its pointer.
fn stack(process: &Process, args: &[String], mut aux: Vec<u64>) -> u64 {
    let prot = Prot::READ | Prot::WRITE;
    let mut at = STACK_TOP - 64;
    let random = at;
    process.write(random, b"0123456789abcdef", prot);
    let mut words = vec![args.len() as u64];
    for arg in args {
        at -= arg.len() as u64 + 1;
        process.write(at, arg.as_bytes(), prot);
        words.push(at);
    }
    words.extend([0, 0]);
    aux.extend([25, random, 0, 0]);
    words.extend(aux);
    let sp = (at - words.len() as u64 * 8) & !15;
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    process.write(sp, &bytes, prot);
    sp
}

fn main() {
    let mut args: Vec<String> = std::env::args().skip(1).collect();
    let wants_stats = args.first().is_some_and(|arg| arg == "--stats");
    if wants_stats {
        args.remove(0);
    }
    let elf = std::fs::read(&args[0]).expect("the program cannot be read");
    let bytes = 2_usize << 30;
    // Without an alignment the allocator maps fresh zeros and touches nothing.
    let layout = Layout::from_size_align(bytes + 4096, 1).expect("a valid layout");
    // SAFETY: fresh zero-filled memory that is never freed, cut to pages.
    let arena = unsafe {
        let memory = alloc_zeroed(layout);
        let base = NonNull::new(memory.add(memory.align_offset(4096))).expect("no memory");
        Arena::new(base, bytes)
    };
    let space = AddressSpace::new(&arena).expect("no memory");
    let start = Instant::now();
    let mut process = Process {
        arena: Arc::clone(&arena),
        space: Arc::clone(&space),
        brk_start: 0,
        brk: 0,
        mmap_next: MMAP_BASE,
        data: Vec::new(),
        start,
    };
    let (entry, aux) = load(&mut process, &elf);
    let sp = stack(&process, &args, aux);
    let mut cpu = Cpu::new(&arena, Arc::new(HostClock(start)), CpuFeatures::all());
    let mut context = UserContext::new(entry, sp);
    let status = loop {
        match cpu.run(&mut context, &space) {
            Exit::Syscall => {
                if let Some(status) = process.call(&mut context.x) {
                    break status;
                }
            }
            Exit::Fault { addr, access } if access != Access::Execute && process.may_grow(addr) => {
                process.page(addr, Prot::READ | Prot::WRITE);
            }
            other => {
                eprintln!("{other:x?} at {:#x}\n{context:x?}", context.pc);
                break 139;
            }
        }
    };
    if wants_stats {
        eprintln!("{:?} {:?}", start.elapsed(), cpu.stats());
    }
    std::process::exit(status);
}
