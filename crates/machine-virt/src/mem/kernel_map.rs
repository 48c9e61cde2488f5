//! The kernel's half of the address space: built once at boot, then fixed.
//!
//! No page is both writable and executable, not even through two addresses:
//! the direct map shows the image's code and constants read-only.

use machine::PAGE_SIZE;
use machine_virt::platform::{MAX_CPUS, Platform, Region};
use machine_virt::pte::{self, KernelProt};
use spin::Once;

use crate::arch::layout;
use crate::arch::regs::{dsb_ish, isb, write_sysreg};
use crate::mem::early::Early;

/// The physical address of the root table.
static ROOT: Once<u64> = Once::new();

/// Builds page tables.
struct Map<'e> {
    root: u64,
    early: &'e mut Early,
}

impl Map<'_> {
    /// Maps the pages of `physical` from the virtual address `at` on.
    fn map(&mut self, at: u64, physical: Region, prot: KernelProt) {
        let end = physical.end.next_multiple_of(PAGE_SIZE);
        let mut from = physical.start & !(PAGE_SIZE - 1);
        let mut at = at & !(PAGE_SIZE - 1);
        while from < end {
            // The largest block that fits.
            let fits = |level: u32| {
                let size = 1_u64 << (12 + 9 * (3 - level));
                from.is_multiple_of(size) && at.is_multiple_of(size) && end - from >= size
            };
            let level = if fits(1) {
                1
            } else if fits(2) {
                2
            } else {
                3
            };
            self.set(at, level, pte::kernel_leaf(from, prot, level));
            let size = 1_u64 << (12 + 9 * (3 - level));
            (from, at) = (from + size, at + size);
        }
    }

    fn set(&mut self, at: u64, level: u32, entry: u64) {
        let mut table = self.root;
        for upper in 0..level {
            let slot = slot(table, pte::index(at, upper));
            // SAFETY: an entry of a table of this map, reached by the direct
            // map of the boot page tables; no CPU uses the map yet.
            let found = unsafe { slot.read() };
            table = pte::table_address(found).unwrap_or_else(|| {
                let fresh = self.early.take(PAGE_SIZE);
                // SAFETY: as above.
                unsafe { slot.write(pte::table(fresh)) };
                fresh
            });
        }
        // SAFETY: as above.
        unsafe { slot(table, pte::index(at, level)).write(entry) };
    }
}

fn slot(table: u64, index: usize) -> *mut u64 {
    layout::direct(table).cast::<u64>().wrapping_add(index)
}

/// Builds the kernel's map and makes the calling CPU use it. `image` is the
/// image's physical address.
pub(crate) fn install(platform: &Platform<'_>, image: u64, early: &mut Early) {
    let root = early.take(PAGE_SIZE);
    let mut map = Map { root, early };
    let physical = |address: u64| address - layout::IMAGE + image;
    let parts = layout::image_parts();
    let [text, rodata, data] = parts.clone().map(|part| physical(part.start)..physical(part.end));
    let rights = [KernelProt::Execute, KernelProt::Read, KernelProt::Write];
    for ((link, physical), prot) in parts.into_iter().zip([&text, &rodata, &data]).zip(rights) {
        map.map(link.start, physical.clone(), prot);
    }
    let read_only = text.start..rodata.end;
    for memory in &platform.memory {
        let memory = memory.start..memory.end.min(layout::PHYSICAL_LIMIT);
        for (part, prot) in [
            (memory.start..memory.end.min(read_only.start), KernelProt::Write),
            (memory.start.max(read_only.start)..memory.end.min(read_only.end), KernelProt::Read),
            (memory.start.max(read_only.end)..memory.end, KernelProt::Write),
        ] {
            if part.start < part.end {
                map.map(layout::DIRECT + part.start, part, prot);
            }
        }
    }
    for device in platform.device_regions() {
        map.map(layout::DEVICES + device.start, device, KernelProt::Device);
    }
    for cpu in 0..platform.cpus.len().clamp(1, MAX_CPUS) {
        for (slot, size) in [(2 * cpu, layout::STACK_SIZE), (2 * cpu + 1, layout::EMERGENCY_SIZE)] {
            let stack = map.early.take(size);
            map.map(layout::stack_top(slot) - size, stack..stack + size, KernelProt::Write);
        }
    }
    ROOT.call_once(|| root);
    switch_to(root);
}

/// The root table, for CPUs that start later.
pub(crate) fn root() -> u64 {
    ROOT.get().copied().unwrap_or_default()
}

fn switch_to(root: u64) {
    dsb_ish();
    // SAFETY: the new map has everything that the boot map has and that is in
    // use: the image, its stack in .data, and the direct map of RAM.
    unsafe {
        write_sysreg!("ttbr1_el1", root);
        isb();
        core::arch::asm!("tlbi vmalle1", "dsb nsh", "isb", options(nostack));
    }
}
