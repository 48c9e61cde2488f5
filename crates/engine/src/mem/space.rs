//! Address spaces: page tables that CPUs walk without a lock.
//!
//! Four levels of 512 entries, as the hardware has for 48-bit addresses and
//! 4 KiB pages. Nodes are made on demand and live as long as the space, so a
//! walk needs no protection; the kernel's lock keeps writers apart. A change
//! is finished by [`PageTable::flush`], which waits for the CPUs that run in
//! this space (see `cpu::shootdown`).

use core::fmt;
use core::ops::Range;
use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicU64, AtomicUsize, Ordering};
use std::sync::Arc;

use machine::{ADDRESS_LIMIT, FlushToken, Frame, Mapping, NoMemory, PAGE_SHIFT, PAGE_SIZE, PageTable, Prot};

use crate::cpu::shootdown;
use crate::mem::arena::Arena;

const FANOUT: usize = 512;
const LEVEL_BITS: u32 = 9;
/// Bytes that one leaf covers.
const LEAF_SPAN: u64 = PAGE_SIZE << LEVEL_BITS;

/// An entry's bits: present, read, write, execute, guarded, dirty; the frame
/// from 12.
const PRESENT: u64 = 1;
const PROT_SHIFT: u32 = 1;
const PROT_MASK: u64 = 15 << PROT_SHIFT;
const DIRTY: u64 = 1 << 5;

struct Leaf([AtomicU64; FANOUT]);
struct Node<T>([AtomicPtr<T>; FANOUT]);
type Root = Node<Node<Node<Leaf>>>;

trait Zeroed: Sized {
    /// A table of empty entries.
    fn empty() -> Box<Self>;
}

impl Zeroed for Leaf {
    fn empty() -> Box<Self> {
        Box::new(Self([const { AtomicU64::new(0) }; FANOUT]))
    }
}

impl<T> Zeroed for Node<T> {
    fn empty() -> Box<Self> {
        Box::new(Self([const { AtomicPtr::new(ptr::null_mut()) }; FANOUT]))
    }
}

impl<T> Drop for Node<T> {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let child = *child.get_mut();
            if !child.is_null() {
                // SAFETY: a child comes from `Box::into_raw` in `child_or_make`
                // and is owned by this node alone.
                drop(unsafe { Box::from_raw(child) });
            }
        }
    }
}

impl<T> Node<T> {
    fn child(&self, index: usize) -> Option<&T> {
        let child = self.0[index].load(Ordering::Acquire);
        // SAFETY: a child lives as long as its node.
        unsafe { child.as_ref() }
    }
}

fn index(addr: u64, level: u32) -> usize {
    (addr >> (PAGE_SHIFT + LEVEL_BITS * level)) as usize & (FANOUT - 1)
}

fn entry(frame: Frame, prot: Prot) -> u64 {
    u64::from(frame.0) << PAGE_SHIFT | u64::from(prot.bits()) << PROT_SHIFT | PRESENT
}

fn mapping(entry: u64) -> Option<Mapping> {
    (entry & PRESENT != 0).then(|| Mapping {
        frame: Frame(u32::try_from(entry >> PAGE_SHIFT).unwrap_or(u32::MAX)),
        prot: Prot::from_bits_truncate((entry >> PROT_SHIFT) as u8 & 15),
        dirty: entry & DIRTY != 0,
    })
}

/// The page table of one guest address space.
pub struct AddressSpace {
    arena: Arc<Arena>,
    id: u64,
    root: Box<Root>,
    tables: AtomicUsize,
    /// Counts changes after which TLB entries may be stale.
    pub(crate) tlb_generation: AtomicU64,
    /// Counts changes after which virtual addresses may lead to other code.
    pub(crate) code_generation: AtomicU64,
}

impl AddressSpace {
    /// An empty address space over `arena`'s frames.
    ///
    /// # Errors
    /// When the budget for page tables is used up.
    pub fn new(arena: &Arc<Arena>) -> Result<Arc<Self>, NoMemory> {
        arena.take_tables(1)?;
        Ok(Arc::new(Self {
            arena: Arc::clone(arena),
            id: arena.new_space_id(),
            root: Zeroed::empty(),
            tables: AtomicUsize::new(1),
            tlb_generation: AtomicU64::new(1),
            code_generation: AtomicU64::new(1),
        }))
    }

    /// The arena whose frames this maps.
    pub(crate) fn arena(&self) -> &Arc<Arena> {
        &self.arena
    }

    /// This space's number; never used for another one.
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    fn leaf(&self, addr: u64) -> Option<&Leaf> {
        self.root.child(index(addr, 3))?.child(index(addr, 2))?.child(index(addr, 1))
    }

    fn child_or_make<'a, T: Zeroed>(&self, node: &'a Node<T>, index: usize) -> Result<&'a T, NoMemory> {
        if let Some(child) = node.child(index) {
            return Ok(child);
        }
        self.arena.take_tables(1)?;
        self.tables.fetch_add(1, Ordering::Relaxed);
        let child = Box::into_raw(T::empty());
        match node.0[index].compare_exchange(ptr::null_mut(), child, Ordering::AcqRel, Ordering::Acquire) {
            // SAFETY: now owned by the node, and lives as long.
            Ok(_) => Ok(unsafe { &*child }),
            Err(other) => {
                // SAFETY: `child` was not published; `other` is a child.
                unsafe {
                    drop(Box::from_raw(child));
                    Ok(&*other)
                }
            }
        }
    }

    fn leaf_or_make(&self, addr: u64) -> Result<&Leaf, NoMemory> {
        let node = self.child_or_make(&self.root, index(addr, 3))?;
        let node = self.child_or_make(node, index(addr, 2))?;
        self.child_or_make(node, index(addr, 1))
    }

    /// Calls `visit` with each entry slot of existing leaves in a range.
    fn slots(&self, range: Range<u64>, visit: &mut dyn FnMut(u64, &AtomicU64)) {
        let end = range.end.min(ADDRESS_LIMIT);
        let mut addr = range.start & !(PAGE_SIZE - 1);
        while addr < end {
            // How far to skip when a level has nothing here.
            let Some(upper) = self.root.child(index(addr, 3)) else {
                addr = next_multiple(addr, LEAF_SPAN << (2 * LEVEL_BITS));
                continue;
            };
            let Some(middle) = upper.child(index(addr, 2)) else {
                addr = next_multiple(addr, LEAF_SPAN << LEVEL_BITS);
                continue;
            };
            let leaf_end = next_multiple(addr, LEAF_SPAN);
            if let Some(leaf) = middle.child(index(addr, 1)) {
                while addr < end.min(leaf_end) {
                    visit(addr, &leaf.0[index(addr, 0)]);
                    addr += PAGE_SIZE;
                }
            }
            addr = leaf_end;
        }
    }

    /// A walk for a CPU. `addr` is untagged.
    pub(crate) fn walk(&self, addr: u64) -> Option<Mapping> {
        if addr >= ADDRESS_LIMIT {
            return None;
        }
        mapping(self.leaf(addr)?.0[index(addr, 0)].load(Ordering::Acquire))
    }

    /// A walk for a store: sets the dirty bit if the page is writable.
    pub(crate) fn walk_for_write(&self, addr: u64) -> Option<Mapping> {
        if addr >= ADDRESS_LIMIT {
            return None;
        }
        let slot = &self.leaf(addr)?.0[index(addr, 0)];
        let writable = u64::from(Prot::WRITE.bits()) << PROT_SHIFT | PRESENT;
        let mut old = slot.load(Ordering::Acquire);
        while old & writable == writable && old & DIRTY == 0 {
            match slot.compare_exchange_weak(old, old | DIRTY, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => old |= DIRTY,
                Err(now) => old = now,
            }
        }
        mapping(old)
    }

    fn note_change(&self, touches_code: bool) {
        if touches_code {
            self.code_generation.fetch_add(1, Ordering::SeqCst);
        }
    }
}

fn next_multiple(addr: u64, span: u64) -> u64 {
    (addr & !(span - 1)).saturating_add(span)
}

fn is_code(mapping: &Mapping) -> bool {
    mapping.prot.contains(Prot::EXEC)
}

impl PageTable for AddressSpace {
    fn map(&self, addr: u64, frame: Frame, prot: Prot) -> Result<FlushToken, NoMemory> {
        if addr >= ADDRESS_LIMIT || (frame.0 as usize) >= machine::FramePool::total(&*self.arena) {
            return Err(NoMemory);
        }
        let slot = &self.leaf_or_make(addr)?.0[index(addr, 0)];
        let old = slot.swap(entry(frame, prot), Ordering::SeqCst);
        let Some(old) = mapping(old) else { return Ok(FlushToken::none()) };
        self.note_change(is_code(&old));
        let page = addr & !(PAGE_SIZE - 1);
        Ok(FlushToken::pages(page, page + PAGE_SIZE))
    }

    fn unmap(&self, range: Range<u64>, removed: &mut dyn FnMut(u64, Mapping)) -> FlushToken {
        let mut stale: Option<(u64, u64)> = None;
        let mut touches_code = false;
        self.slots(range, &mut |addr, slot| {
            if slot.load(Ordering::Relaxed) == 0 {
                return;
            }
            if let Some(old) = mapping(slot.swap(0, Ordering::SeqCst)) {
                let first = stale.map_or(addr, |(first, _)| first);
                stale = Some((first, addr + PAGE_SIZE));
                touches_code |= is_code(&old);
                removed(addr, old);
            }
        });
        self.note_change(touches_code);
        stale.map_or(FlushToken::none(), |(start, end)| FlushToken::pages(start, end))
    }

    fn protect(&self, range: Range<u64>, change: &mut dyn FnMut(u64, Mapping) -> Prot) -> FlushToken {
        let mut stale: Option<(u64, u64)> = None;
        let mut touches_code = false;
        self.slots(range, &mut |addr, slot| {
            let mut old = slot.load(Ordering::Acquire);
            let Some(now) = mapping(old) else { return };
            let prot = change(addr, now);
            if prot == now.prot {
                return;
            }
            // A CPU may set the dirty bit meanwhile; it must not get lost.
            while let Err(other) = slot.compare_exchange(
                old,
                old & !PROT_MASK | u64::from(prot.bits()) << PROT_SHIFT,
                Ordering::SeqCst,
                Ordering::Acquire,
            ) {
                old = other;
            }
            if prot.restricts(now.prot) {
                let first = stale.map_or(addr, |(first, _)| first);
                stale = Some((first, addr + PAGE_SIZE));
                let is_guarded = prot.contains(Prot::GUARDED) && !now.prot.contains(Prot::GUARDED);
                touches_code |= is_code(&now) && (!prot.contains(Prot::EXEC) || is_guarded);
            }
        });
        self.note_change(touches_code);
        stale.map_or(FlushToken::none(), |(start, end)| FlushToken::pages(start, end))
    }

    fn for_each(&self, range: Range<u64>, visit: &mut dyn FnMut(u64, Mapping)) {
        self.slots(range, &mut |addr, slot| {
            if let Some(mapping) = mapping(slot.load(Ordering::Acquire)) {
                visit(addr, mapping);
            }
        });
    }

    fn translate(&self, addr: u64) -> Option<Mapping> {
        self.walk(addr)
    }

    fn flush(&self, token: FlushToken) {
        if token.range().is_some() {
            shootdown::flush_space(self);
        }
    }

    fn as_any(&self) -> &dyn core::any::Any {
        self
    }
}

impl Drop for AddressSpace {
    fn drop(&mut self) {
        self.arena.give_tables(*self.tables.get_mut());
    }
}

impl fmt::Debug for AddressSpace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AddressSpace").field("id", &self.id).finish_non_exhaustive()
    }
}
