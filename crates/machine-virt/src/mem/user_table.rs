//! The page table of one user address space, as the processor walks it.
//!
//! Entries change by compare-and-swap, for CPUs set dirty bits while the
//! kernel, under its own lock, changes the table. Tables of lower levels are
//! made on demand and live as long as the space.

use alloc::sync::Arc;
use core::arch::asm;
use core::fmt;
use core::ops::Range;
use core::sync::atomic::{AtomicU64, Ordering};

use machine::{ADDRESS_LIMIT, FlushToken, Frame, FramePool, Mapping, NoMemory, PAGE_SIZE, PageTable, Prot, page_floor};
use machine_virt::pte::{self, Entry};

use crate::arch::layout;
use crate::arch::regs::{dsb_ish, dsb_ishst, isb};
use crate::mem::asid;
use crate::mem::pool::pool;

/// Bytes that one table of the last level covers.
const LEAF_SPAN: u64 = PAGE_SIZE << 9;
/// More pages than this are flushed by dropping the whole space from the TLB.
const FLUSH_LIMIT: u64 = 32;

type Table = [AtomicU64; 512];

/// The page table of one user address space.
pub(crate) struct UserTable {
    /// The physical address of the level 0 table.
    root: u64,
    /// Its number in TLBs, with the generation that it is from.
    tag: AtomicU64,
}

/// The table at a physical address.
fn table(address: u64) -> &'static Table {
    // SAFETY: tables are whole frames in the direct map, and stay as long as
    // their address space, which every caller holds. Entries are atomics.
    unsafe { &*layout::direct(address).cast::<Table>() }
}

fn take_table() -> Result<u64, NoMemory> {
    Ok(pool().address(pool().alloc()?))
}

impl UserTable {
    /// An empty address space.
    pub(crate) fn new() -> Result<Arc<Self>, NoMemory> {
        Ok(Arc::new(Self { root: take_table()?, tag: AtomicU64::new(0) }))
    }

    /// What `TTBR0_EL1` holds while CPU `cpu` runs in this space.
    pub(crate) fn activate(&self, cpu: usize) -> u64 {
        self.root | asid::activate(&self.tag, cpu) << 48
    }

    fn leaf(&self, addr: u64) -> Option<&Table> {
        let mut at = self.root;
        for level in 0..3 {
            at = pte::table_address(table(at)[pte::index(addr, level)].load(Ordering::Acquire))?;
        }
        Some(table(at))
    }

    fn leaf_or_make(&self, addr: u64) -> Result<&Table, NoMemory> {
        let mut at = self.root;
        for level in 0..3 {
            let slot = &table(at)[pte::index(addr, level)];
            at = match pte::table_address(slot.load(Ordering::Acquire)) {
                Some(next) => next,
                None => {
                    let next = take_table()?;
                    // The zeroes of the new table come before the way to it.
                    dsb_ishst();
                    slot.store(pte::table(next), Ordering::Release);
                    next
                }
            };
        }
        Ok(table(at))
    }

    /// Calls `visit` with each slot of existing leaf tables in a range.
    fn slots(&self, range: Range<u64>, visit: &mut dyn FnMut(u64, &AtomicU64)) {
        let end = range.end.min(ADDRESS_LIMIT);
        let mut addr = page_floor(range.start);
        'next: while addr < end {
            let mut at = self.root;
            for level in 0..3 {
                let entry = table(at)[pte::index(addr, level)].load(Ordering::Acquire);
                let Some(next) = pte::table_address(entry) else {
                    addr = next_multiple(addr, PAGE_SIZE << (9 * (3 - level)));
                    continue 'next;
                };
                at = next;
            }
            let leaf = table(at);
            let stop = end.min(next_multiple(addr, LEAF_SPAN));
            while addr < stop {
                visit(addr, &leaf[pte::index(addr, 3)]);
                addr += PAGE_SIZE;
            }
        }
    }

    fn entry(&self, addr: u64) -> Option<(&AtomicU64, Entry)> {
        if addr >= ADDRESS_LIMIT {
            return None;
        }
        let slot = &self.leaf(addr)?[pte::index(addr, 3)];
        Some((slot, Entry(slot.load(Ordering::Acquire))))
    }

    /// Notes a store to the page of `addr`, which is now writable for the
    /// processor. False if stores are not allowed there.
    pub(crate) fn note_write(&self, addr: u64) -> bool {
        let Some((slot, mut old)) = self.entry(addr) else { return false };
        loop {
            let Some(new) = old.with_dirty() else { return false };
            if new == old {
                break;
            }
            match slot.compare_exchange_weak(old.0, new.0, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => break,
                Err(now) => old = Entry(now),
            }
        }
        true
    }

    /// Drops the calling CPU's translation of one page. Enough where rights
    /// were only added: other CPUs fault at worst, and come here too.
    pub(crate) fn forget_locally(&self, addr: u64) {
        let what = asid::last(&self.tag) << 48 | (addr >> 12 & 0xfff_ffff_ffff);
        // SAFETY: removes TLB entries.
        unsafe { asm!("dsb nshst", "tlbi vale1, {}", "dsb nsh", "isb", in(reg) what, options(nostack)) };
    }

    fn mapping(&self, entry: Entry) -> Option<Mapping> {
        entry.is_present().then(|| entry.mapping(pool().frame(entry.address())))
    }

    /// Drops all CPUs' translations of a range.
    fn forget(&self, range: Range<u64>) {
        let asid = asid::last(&self.tag);
        dsb_ishst();
        if asid != 0 {
            let pages = range.end.saturating_sub(range.start) / PAGE_SIZE;
            if pages > FLUSH_LIMIT {
                // SAFETY: removes TLB entries.
                unsafe { asm!("tlbi aside1is, {}", in(reg) asid << 48, options(nostack)) };
            } else {
                for page in 0..pages {
                    let what = asid << 48 | (range.start / PAGE_SIZE + page) & 0xfff_ffff_ffff;
                    // SAFETY: removes TLB entries.
                    unsafe { asm!("tlbi vale1is, {}", in(reg) what, options(nostack)) };
                }
            }
        }
        dsb_ish();
        isb();
    }

    fn free_tables(at: u64, level: u32) {
        if level < 3 {
            for slot in table(at) {
                if let Some(next) = pte::table_address(slot.load(Ordering::Acquire)) {
                    Self::free_tables(next, level + 1);
                }
            }
        }
        pool().free(pool().frame(at));
    }
}

fn next_multiple(addr: u64, span: u64) -> u64 {
    (addr & !(span - 1)).saturating_add(span)
}

/// Pages that a change has made stale.
#[derive(Default)]
struct Stale(Option<(u64, u64)>);

impl Stale {
    fn add(&mut self, addr: u64) {
        let (first, last) = self.0.unwrap_or((addr, addr));
        self.0 = Some((first.min(addr), last.max(addr + PAGE_SIZE)));
    }

    fn token(self) -> FlushToken {
        self.0.map_or(FlushToken::none(), |(start, end)| FlushToken::pages(start, end))
    }
}

impl PageTable for UserTable {
    fn map(&self, addr: u64, frame: Frame, prot: Prot) -> Result<FlushToken, NoMemory> {
        if addr >= ADDRESS_LIMIT || frame.0 as usize >= pool().total() {
            return Err(NoMemory);
        }
        let slot = &self.leaf_or_make(addr)?[pte::index(addr, 3)];
        if prot.contains(Prot::EXEC) {
            pool().sync_code(frame);
        }
        let page = page_floor(addr);
        let new = Entry::new(pool().address(frame), prot);
        let old = Entry(slot.load(Ordering::Acquire));
        if old.is_valid() && old.address() != new.address() {
            // Break before make: no CPU may see both.
            slot.store(0, Ordering::Release);
            self.forget(page..page + PAGE_SIZE);
        }
        let old = Entry(slot.swap(new.0, Ordering::AcqRel));
        dsb_ishst();
        isb();
        Ok(if old.is_valid() { FlushToken::pages(page, page + PAGE_SIZE) } else { FlushToken::none() })
    }

    fn unmap(&self, range: Range<u64>, removed: &mut dyn FnMut(u64, Mapping)) -> FlushToken {
        let mut stale = Stale::default();
        self.slots(range, &mut |addr, slot| {
            if slot.load(Ordering::Relaxed) == 0 {
                return;
            }
            let old = Entry(slot.swap(0, Ordering::AcqRel));
            if old.is_valid() {
                stale.add(addr);
            }
            if let Some(mapping) = self.mapping(old) {
                removed(addr, mapping);
            }
        });
        stale.token()
    }

    fn protect(&self, range: Range<u64>, change: &mut dyn FnMut(u64, Mapping) -> Prot) -> FlushToken {
        let mut stale = Stale::default();
        self.slots(range, &mut |addr, slot| {
            let mut old = Entry(slot.load(Ordering::Acquire));
            let Some(now) = self.mapping(old) else { return };
            let prot = change(addr, now);
            if prot == now.prot {
                return;
            }
            if prot.contains(Prot::EXEC) && !now.prot.contains(Prot::EXEC) {
                pool().sync_code(now.frame);
            }
            // A CPU may set the dirty bit meanwhile; it must not get lost.
            while let Err(other) =
                slot.compare_exchange(old.0, old.with_prot(prot).0, Ordering::AcqRel, Ordering::Acquire)
            {
                old = Entry(other);
            }
            if old.is_valid() {
                stale.add(addr);
            }
        });
        dsb_ishst();
        isb();
        stale.token()
    }

    fn for_each(&self, range: Range<u64>, visit: &mut dyn FnMut(u64, Mapping)) {
        self.slots(range, &mut |addr, slot| {
            if let Some(mapping) = self.mapping(Entry(slot.load(Ordering::Acquire))) {
                visit(addr, mapping);
            }
        });
    }

    fn translate(&self, addr: u64) -> Option<Mapping> {
        self.mapping(self.entry(addr)?.1)
    }

    fn flush(&self, token: FlushToken) {
        if let Some(range) = token.range() {
            self.forget(range);
        }
    }

    fn as_any(&self) -> &dyn core::any::Any {
        self
    }
}

impl Drop for UserTable {
    fn drop(&mut self) {
        // No CPU has it in TTBR0_EL1, for that would hold it too; but walks
        // may be cached under its number.
        let asid = asid::last(&self.tag);
        if asid != 0 {
            dsb_ishst();
            // SAFETY: removes TLB entries.
            unsafe { asm!("tlbi aside1is, {}", "dsb ish", "isb", in(reg) asid << 48, options(nostack)) };
        }
        Self::free_tables(self.root, 0);
    }
}

impl fmt::Debug for UserTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserTable").field("root", &self.root).finish_non_exhaustive()
    }
}
