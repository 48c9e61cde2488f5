//! Address-space numbers: the tags of TLB entries.
//!
//! A table gets a number when a CPU first runs it. When they are used up, a new
//! generation starts: every number is free again except those in use on some
//! CPU right now, and each CPU empties its TLB before it uses a new one.

use alloc::vec;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU64, Ordering};

use machine::sync::Mutex;
use machine_virt::platform::MAX_CPUS;

use crate::arch::regs::read_sysreg;

/// The generation is above these bits of a table's tag.
const BITS: u32 = 16;
const MASK: u64 = (1 << BITS) - 1;

struct Numbers {
    /// Bit n of word n/64 is set while number n is given out.
    taken: Vec<u64>,
    /// Where to look for a free one.
    hint: usize,
    /// What each CPU ran when the generation began.
    reserved: [u64; MAX_CPUS],
    /// CPUs that must empty their TLB.
    must_flush: u64,
}

static NUMBERS: Mutex<Numbers> =
    Mutex::new(Numbers { taken: Vec::new(), hint: 0, reserved: [0; MAX_CPUS], must_flush: 0 });
static GENERATION: AtomicU64 = AtomicU64::new(1 << BITS);
/// The tag that each CPU runs; 0 from the start of a generation until the CPU
/// has taken note of it.
static ACTIVE: [AtomicU64; MAX_CPUS] = [const { AtomicU64::new(0) }; MAX_CPUS];

/// The number for the table with `tag` on CPU `cpu`, which is about to run it.
pub(crate) fn activate(tag: &AtomicU64, cpu: usize) -> u64 {
    let current = tag.load(Ordering::Relaxed);
    let active = ACTIVE[cpu].load(Ordering::Relaxed);
    let is_current = current >> BITS == GENERATION.load(Ordering::Acquire) >> BITS;
    // A new generation that begins now has put 0 into `ACTIVE`, and the
    // exchange fails.
    if active != 0
        && is_current
        && ACTIVE[cpu].compare_exchange(active, current, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    {
        return current & MASK;
    }
    let mut numbers = NUMBERS.lock();
    let mut current = tag.load(Ordering::Relaxed);
    if current >> BITS != GENERATION.load(Ordering::Relaxed) >> BITS {
        current = numbers.renew(current);
        tag.store(current, Ordering::Relaxed);
    }
    if numbers.must_flush & 1 << cpu != 0 {
        numbers.must_flush &= !(1 << cpu);
        // SAFETY: empties this CPU's TLB.
        unsafe { core::arch::asm!("tlbi vmalle1", "dsb nsh", "isb", options(nostack)) };
    }
    ACTIVE[cpu].store(current, Ordering::Release);
    current & MASK
}

/// The number that the table with `tag` had last; 0 if it never ran.
pub(crate) fn last(tag: &AtomicU64) -> u64 {
    tag.load(Ordering::Relaxed) & MASK
}

/// How many numbers the processor has.
fn capacity() -> usize {
    if read_sysreg!("id_aa64mmfr0_el1") >> 4 & 15 == 2 { 1 << 16 } else { 1 << 8 }
}

impl Numbers {
    /// A tag of this generation for a table whose tag is `old`.
    fn renew(&mut self, old: u64) -> u64 {
        if self.taken.is_empty() {
            self.taken = vec![0; capacity() / 64];
            // Number 0 is the empty table's.
            self.taken[0] = 1;
        }
        let generation = GENERATION.load(Ordering::Relaxed);
        if old != 0 {
            // A CPU has been running it since the last generation.
            let renewed = generation | old & MASK;
            let mut is_reserved = false;
            for reserved in self.reserved.iter_mut().filter(|reserved| **reserved == old) {
                (*reserved, is_reserved) = (renewed, true);
            }
            if is_reserved || self.claim((old & MASK) as usize) {
                return renewed;
            }
        }
        if let Some(number) = self.find() {
            return generation | number as u64;
        }
        let generation = self.start_generation();
        // There are more numbers than CPUs.
        let number = self.find().unwrap_or_default();
        generation | number as u64
    }

    fn claim(&mut self, number: usize) -> bool {
        let word = &mut self.taken[number / 64];
        let is_free = *word & 1 << (number % 64) == 0;
        *word |= 1 << (number % 64);
        is_free
    }

    fn find(&mut self) -> Option<usize> {
        let words = self.taken.len();
        for word in (self.hint..words).chain(0..self.hint.min(words)) {
            let free = self.taken[word].trailing_ones() as usize;
            if free < 64 {
                self.hint = word;
                self.taken[word] |= 1 << free;
                return Some(word * 64 + free);
            }
        }
        None
    }

    fn start_generation(&mut self) -> u64 {
        let generation = GENERATION.fetch_add(1 << BITS, Ordering::AcqRel) + (1 << BITS);
        self.taken.fill(0);
        self.taken[0] = 1;
        self.hint = 0;
        for (reserved, active) in self.reserved.iter_mut().zip(&ACTIVE) {
            let running = active.swap(0, Ordering::AcqRel);
            // A CPU that has not run since the generation before last still
            // has what it had then.
            if running != 0 {
                *reserved = running;
            }
            let number = (*reserved & MASK) as usize;
            self.taken[number / 64] |= 1 << (number % 64);
        }
        self.must_flush = u64::MAX;
        generation
    }
}
