//! GICv2: distributor and CPU interface in memory.

use machine_virt::platform::{MAX_CPUS, Region};

use core::sync::atomic::{AtomicU8, Ordering};

use crate::arch::percpu;
use crate::devices::Registers;
use crate::gic::PRIORITY;

const GICD_CTLR: u64 = 0x000;
const GICD_TYPER: u64 = 0x004;
const GICD_ISENABLER: u64 = 0x100;
const GICD_ICENABLER: u64 = 0x180;
const GICD_IPRIORITYR: u64 = 0x400;
const GICD_ITARGETSR: u64 = 0x800;
const GICD_SGIR: u64 = 0xf00;

const GICC_CTLR: u64 = 0x00;
const GICC_PMR: u64 = 0x04;
const GICC_IAR: u64 = 0x0c;
const GICC_EOIR: u64 = 0x10;

/// The controller.
#[derive(Debug)]
pub(super) struct GicV2 {
    distributor: Registers,
    cpu: Registers,
    /// The bit that stands for each CPU, as the distributor numbers them.
    targets: [AtomicU8; MAX_CPUS],
}

impl GicV2 {
    pub(super) fn new(distributor: &Region, cpu: &Region) -> Self {
        let gic = Self {
            distributor: Registers::new(distributor),
            cpu: Registers::new(cpu),
            targets: [const { AtomicU8::new(0) }; MAX_CPUS],
        };
        let d = gic.distributor;
        d.write(GICD_CTLR, 0);
        let lines = 32 * (u64::from(d.read(GICD_TYPER) & 31) + 1);
        // The first registers of targets show the reading CPU's own bit.
        let own = d.read(GICD_ITARGETSR) & 0xff;
        let own = if own == 0 { 1 } else { own };
        for number in (32..lines).step_by(32) {
            d.write(GICD_ICENABLER + number / 8, u32::MAX);
        }
        for number in (32..lines).step_by(4) {
            d.write(GICD_IPRIORITYR + number, u32::from_ne_bytes([PRIORITY; 4]));
            d.write(GICD_ITARGETSR + number, own * 0x0101_0101);
        }
        d.write(GICD_CTLR, 1);
        gic
    }

    pub(super) fn init_cpu(&self) {
        let own = (self.distributor.read(GICD_ITARGETSR) & 0xff) as u8;
        self.targets[percpu::id()].store(own, Ordering::Relaxed);
        self.distributor.write(GICD_ICENABLER, 0xffff_0000);
        self.distributor.write(GICD_ISENABLER, 0x0000_ffff);
        for number in (0..32).step_by(4) {
            self.distributor.write(GICD_IPRIORITYR + number, u32::from_ne_bytes([PRIORITY; 4]));
        }
        self.cpu.write(GICC_PMR, 0xff);
        self.cpu.write(GICC_CTLR, 1);
    }

    pub(super) fn enable(&self, number: u32) {
        self.distributor.write(GICD_ISENABLER + u64::from(number / 32) * 4, 1 << (number % 32));
    }

    pub(super) fn acknowledge(&self) -> u32 {
        self.cpu.read(GICC_IAR)
    }

    pub(super) fn end(&self, token: u32) {
        self.cpu.write(GICC_EOIR, token);
    }

    pub(super) fn send(&self, cpu: usize, number: u32) {
        let target = self.targets.get(cpu).map_or(0, |target| target.load(Ordering::Relaxed));
        crate::arch::regs::dsb_ishst();
        self.distributor.write(GICD_SGIR, u32::from(target) << 16 | number);
    }
}
