//! What the device tree says of the machine.
//!
//! Read before there is a heap, so everything has a fixed capacity.

use core::ops::Range;

use arrayvec::ArrayVec;
use dtoolkit::fdt::{Fdt, FdtNode};
use dtoolkit::standard::NodeStandard;
use dtoolkit::{Node, Property};
use machine::{page_ceil, page_floor};

/// Physical addresses.
pub type Region = Range<u64>;

/// The most CPUs that are used.
pub const MAX_CPUS: usize = 8;
/// The most parts that memory is in, and the most reserved ones.
const MAX_REGIONS: usize = 16;
/// The most virtio transports; QEMU's `virt` has 32.
const MAX_VIRTIO: usize = 32;

/// Registers and an interrupt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Where the registers are.
    pub registers: Region,
    /// The interrupt's number at the GIC, if there is one.
    pub interrupt: Option<u32>,
}

/// The interrupt controller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gic {
    /// GICv2: distributor and CPU interface.
    V2 {
        /// `GICD`.
        distributor: Region,
        /// `GICC`.
        cpu_interface: Region,
    },
    /// GICv3: distributor and redistributors; the CPU interface is registers.
    V3 {
        /// `GICD`.
        distributor: Region,
        /// `GICR`, one part for each run of CPUs.
        redistributors: ArrayVec<Region, 4>,
    },
}

/// How the firmware is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conduit {
    /// `HVC`.
    Hvc,
    /// `SMC`.
    Smc,
}

/// The machine, as its device tree tells.
#[derive(Clone, Debug)]
pub struct Platform<'a> {
    /// RAM.
    pub memory: ArrayVec<Region, MAX_REGIONS>,
    /// What of it is not ours.
    pub reserved: ArrayVec<Region, MAX_REGIONS>,
    /// The kernel's arguments.
    pub bootargs: &'a str,
    /// The initial RAM file system.
    pub initrd: Option<Region>,
    /// Unpredictable bytes from whoever started the machine.
    pub rng_seed: &'a [u8],
    /// The console, a PL011.
    pub uart: Option<Device>,
    /// The calendar clock, a PL031.
    pub rtc: Option<Device>,
    /// The interrupt controller.
    pub gic: Option<Gic>,
    /// The virtual timer's interrupt.
    pub timer_interrupt: u32,
    /// How PSCI is called, if it is there.
    pub psci: Option<Conduit>,
    /// virtio's transports, by address.
    pub virtio: ArrayVec<Device, MAX_VIRTIO>,
    /// `MPIDR_EL1`'s affinity of each CPU.
    pub cpus: ArrayVec<u64, MAX_CPUS>,
}

/// The device tree cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadDeviceTree;

/// The virtual timer's PPI where the tree does not say, as Arm recommends.
const DEFAULT_TIMER: u32 = 27;

impl<'a> Platform<'a> {
    /// A machine that has nothing.
    fn empty() -> Self {
        Self {
            memory: ArrayVec::new(),
            reserved: ArrayVec::new(),
            bootargs: "",
            initrd: None,
            rng_seed: &[],
            uart: None,
            rtc: None,
            gic: None,
            timer_interrupt: DEFAULT_TIMER,
            psci: None,
            virtio: ArrayVec::new(),
            cpus: ArrayVec::new(),
        }
    }

    /// Reads a flattened device tree.
    ///
    /// # Errors
    /// If it is none, or has no memory.
    pub fn read(tree: &'a [u8]) -> Result<Self, BadDeviceTree> {
        let fdt = Fdt::new(tree).map_err(|_| BadDeviceTree)?;
        let mut platform = Self::empty();
        for reservation in fdt.memory_reservations() {
            platform.reserve(region(reservation.address(), reservation.size()));
        }
        for node in fdt.root().children() {
            platform.read_node(node);
        }
        // Empty parts are of no use, and the order is nobody's promise.
        platform.memory.retain(|region| !region.is_empty());
        platform.memory.sort_unstable_by_key(|region| region.start);
        platform.virtio.sort_unstable_by_key(|device| device.registers.start);
        if platform.memory.is_empty() { Err(BadDeviceTree) } else { Ok(platform) }
    }

    /// Marks a region as not ours.
    pub fn reserve(&mut self, region: Option<Region>) {
        if let Some(region) = region.filter(|region| !region.is_empty()) {
            // Losing one would hand out memory that is in use.
            assert!(self.reserved.try_push(region).is_ok(), "more reserved regions than {MAX_REGIONS}");
        }
    }

    /// The registers of all devices that are used.
    pub fn device_regions(&self) -> impl Iterator<Item = Region> {
        let gic: ArrayVec<Region, 5> = match &self.gic {
            Some(Gic::V2 { distributor, cpu_interface }) => {
                [distributor.clone(), cpu_interface.clone()].into_iter().collect()
            }
            Some(Gic::V3 { distributor, redistributors }) => {
                core::iter::once(distributor.clone()).chain(redistributors.iter().cloned()).collect()
            }
            None => ArrayVec::new(),
        };
        let single = self.uart.iter().chain(&self.rtc).chain(&self.virtio);
        gic.into_iter().chain(single.map(|device| device.registers.clone()))
    }

    /// The whole pages of RAM that nobody has reserved, by address.
    #[must_use]
    pub fn free_memory(&self) -> ArrayVec<Region, 40> {
        let mut free: ArrayVec<Region, 40> = ArrayVec::new();
        for memory in &self.memory {
            let end = page_floor(memory.end);
            let mut start = page_ceil(memory.start).unwrap_or(end);
            while start < end {
                // The next reserved region that starts here or later, and
                // whatever covers this address.
                let covering = self.reserved.iter().filter(|region| region.start <= start && region.end > start);
                if let Some(covered) = covering.map(|region| region.end).max() {
                    start = page_ceil(covered).unwrap_or(end);
                    continue;
                }
                let next = self.reserved.iter().map(|region| page_floor(region.start)).filter(|next| *next > start);
                let stop = next.min().unwrap_or(end).min(end);
                // A map with more holes than this loses its last parts.
                let _ = free.try_push(start..stop);
                start = stop;
                // The page that holds the reserved region's start is gone too.
                let begins = self.reserved.iter().filter(|region| page_floor(region.start) == start);
                if let Some(last) = begins.map(|region| region.end).max() {
                    start = page_ceil(last).unwrap_or(end).max(start);
                }
            }
        }
        free
    }

    fn read_node(&mut self, node: FdtNode<'a>) {
        match node.name_without_address() {
            "chosen" => self.read_chosen(node),
            "cpus" => self.read_cpus(node),
            "reserved-memory" => {
                for child in node.children() {
                    for region in regions(child) {
                        self.reserve(Some(region));
                    }
                }
            }
            "memory" => {
                for region in regions(node) {
                    // A machine with more parts than this runs on the first ones.
                    let _ = self.memory.try_push(region);
                }
            }
            _ => self.read_device(node),
        }
    }

    fn read_chosen(&mut self, node: FdtNode<'a>) {
        let property = |name| bytes(node, name);
        if let Some(text) = property("bootargs") {
            let text = text.split(|byte| *byte == 0).next().unwrap_or_default();
            self.bootargs = core::str::from_utf8(text).unwrap_or_default();
        }
        let number = |name| property(name).and_then(number);
        if let (Some(start), Some(end)) = (number("linux,initrd-start"), number("linux,initrd-end")) {
            self.initrd = (start < end).then_some(start..end);
        }
        self.rng_seed = property("rng-seed").unwrap_or_default();
    }

    fn read_cpus(&mut self, node: FdtNode<'a>) {
        for cpu in node.children() {
            let is_cpu = bytes(cpu, "device_type") == Some(b"cpu\0");
            let affinity = bytes(cpu, "reg").and_then(number);
            if let Some(affinity) = affinity.filter(|_| is_cpu) {
                let _ = self.cpus.try_push(affinity);
            }
        }
    }

    fn read_device(&mut self, node: FdtNode<'a>) {
        let is = |name: &str| node.is_compatible(name);
        let device = || {
            let registers = regions(node).next()?;
            Some(Device { registers, interrupt: interrupt(node, 0) })
        };
        if is("virtio,mmio") {
            if let Some(device) = device() {
                let _ = self.virtio.try_push(device);
            }
        } else if is("arm,pl011") && self.uart.is_none() {
            self.uart = device();
        } else if is("arm,pl031") {
            self.rtc = device();
        } else if is("arm,armv8-timer") {
            // Secure, non-secure, virtual, hypervisor.
            self.timer_interrupt = interrupt(node, 2).unwrap_or(DEFAULT_TIMER);
        } else if is("arm,psci-1.0") || is("arm,psci-0.2") {
            self.psci = match bytes(node, "method") {
                Some(b"hvc\0") => Some(Conduit::Hvc),
                Some(b"smc\0") => Some(Conduit::Smc),
                _ => None,
            };
        } else if is("arm,gic-v3") {
            let mut regions = regions(node);
            let count = bytes(node, "#redistributor-regions").and_then(number).unwrap_or(1);
            let distributor = regions.next();
            let redistributors = regions.take(usize::try_from(count).unwrap_or(1).min(4)).collect();
            self.gic = distributor.map(|distributor| Gic::V3 { distributor, redistributors });
        } else if is("arm,cortex-a15-gic") || is("arm,gic-400") {
            let mut regions = regions(node);
            if let (Some(distributor), Some(cpu_interface)) = (regions.next(), regions.next()) {
                self.gic = Some(Gic::V2 { distributor, cpu_interface });
            }
        }
    }
}

fn region(start: u64, size: u64) -> Option<Region> {
    Some(start..start.checked_add(size)?)
}

/// The value of a property.
fn bytes<'a>(node: FdtNode<'a>, name: &str) -> Option<&'a [u8]> {
    node.property(name).and_then(|property| property.value_as::<&'a [u8]>().ok())
}

/// The regions of `reg`.
fn regions(node: FdtNode<'_>) -> impl Iterator<Item = Region> {
    let reg = node.reg().ok().flatten();
    reg.into_iter().flatten().filter_map(|reg| region(reg.address().ok()?, reg.size().ok()?))
}

/// A property of one or two cells.
fn number(value: &[u8]) -> Option<u64> {
    match value.len() {
        4 => value.try_into().ok().map(u32::from_be_bytes).map(u64::from),
        8 => value.try_into().ok().map(u64::from_be_bytes),
        _ => None,
    }
}

/// The number at the GIC of a node's interrupt.
fn interrupt(node: FdtNode<'_>, index: usize) -> Option<u32> {
    // Three cells each: kind, number, trigger.
    let cells = bytes(node, "interrupts")?.chunks_exact(12).nth(index)?;
    let cell = |at: usize| cells.get(at..at + 4).and_then(|cell| cell.try_into().ok()).map(u32::from_be_bytes);
    let first = match cell(0)? {
        0 => 32,
        1 => 16,
        _ => return None,
    };
    cell(4)?.checked_add(first).filter(|number| *number < 1020)
}

#[cfg(test)]
#[expect(clippy::single_range_in_vec_init, reason = "a list of one region is meant")]
mod tests {
    use super::*;

    fn platform(memory: &[Region], reserved: &[Region]) -> Platform<'static> {
        Platform {
            memory: memory.iter().cloned().collect(),
            reserved: reserved.iter().cloned().collect(),
            ..Platform::empty()
        }
    }

    fn check(memory: &[Region], reserved: &[Region], expected: &[Region]) {
        assert_eq!(platform(memory, reserved).free_memory().as_slice(), expected);
    }

    #[test]
    fn reserved_regions_cut_holes_of_whole_pages() {
        check(&[0x1000..0x9000], &[], &[0x1000..0x9000]);
        check(&[0x1000..0x9000], &[0x3100..0x3200], &[0x1000..0x3000, 0x4000..0x9000]);
        check(&[0x1000..0x9000], &[0x0..0x2000, 0x8fff..0xffff], &[0x2000..0x8000]);
        check(&[0x1000..0x9000], &[0x0..0x1_0000], &[]);
    }

    #[test]
    fn overlapping_and_touching_reservations_are_one_hole() {
        check(&[0x1000..0x9000], &[0x3000..0x5000, 0x4000..0x6000, 0x6000..0x6001], &[0x1000..0x3000, 0x7000..0x9000]);
        check(&[0x1000..0x9000], &[0x3800..0x5000, 0x3100..0x3200], &[0x1000..0x3000, 0x5000..0x9000]);
    }

    #[test]
    fn parts_of_pages_at_the_ends_are_left_out() {
        check(&[0x1001..0x2fff, 0x5000..0x7fff], &[], &[0x5000..0x7000]);
    }

    #[test]
    fn what_is_no_device_tree_is_refused() {
        assert!(Platform::read(&[]).is_err());
        assert!(Platform::read(&[0; 64]).is_err());
    }
}
