//! GICv3: distributor and redistributors in memory, the CPU interface in
//! system registers.

use core::sync::atomic::{AtomicU64, Ordering};

use arrayvec::ArrayVec;
use machine_virt::platform::{MAX_CPUS, Region};

use crate::arch::percpu;
use crate::arch::regs::{dsb_sy, isb, read_sysreg, write_sysreg};
use crate::devices::Registers;
use crate::gic::PRIORITY;

const GICD_CTLR: u64 = 0x0000;
const GICD_TYPER: u64 = 0x0004;
const GICD_IGROUPR: u64 = 0x0080;
const GICD_ISENABLER: u64 = 0x0100;
const GICD_ICENABLER: u64 = 0x0180;
const GICD_IPRIORITYR: u64 = 0x0400;
const GICD_IROUTER: u64 = 0x6000;
/// `GICD_CTLR`: a write is under way; affinity routing; group 1.
const RWP: u32 = 1 << 31;
const ARE: u32 = 1 << 4;
const ENABLE_GROUP_1: u32 = 1 << 1;

const GICR_TYPER: u64 = 0x0008;
const GICR_WAKER: u64 = 0x0014;
/// Where a redistributor's frame for SGIs and PPIs starts.
const SGI_FRAME: u64 = 0x1_0000;
/// `GICR_TYPER`: the last one in its region; it has two more frames.
const LAST: u64 = 1 << 4;
const VIRTUAL_LPIS: u64 = 1 << 1;

/// `MPIDR_EL1` of each CPU, to send interrupts to.
static AFFINITY: [AtomicU64; MAX_CPUS] = [const { AtomicU64::new(0) }; MAX_CPUS];

/// The controller.
#[derive(Debug)]
pub(super) struct GicV3 {
    distributor: Registers,
    redistributors: ArrayVec<Region, 4>,
}

impl GicV3 {
    pub(super) fn new(distributor: &Region, redistributors: &ArrayVec<Region, 4>) -> Self {
        let gic = Self { distributor: Registers::new(distributor), redistributors: redistributors.clone() };
        let d = gic.distributor;
        d.write(GICD_CTLR, 0);
        gic.wait();
        d.write(GICD_CTLR, ARE);
        gic.wait();
        let lines = (32 * (u64::from(d.read(GICD_TYPER) & 31) + 1)).min(1020);
        for number in (32..lines).step_by(32) {
            d.write(GICD_ICENABLER + number / 8, u32::MAX);
            d.write(GICD_IGROUPR + number / 8, u32::MAX);
        }
        for number in (32..lines).step_by(4) {
            d.write(GICD_IPRIORITYR + number, u32::from_ne_bytes([PRIORITY; 4]));
        }
        for number in 32..lines {
            d.write64(GICD_IROUTER + 8 * number, affinity());
        }
        d.write(GICD_CTLR, ARE | ENABLE_GROUP_1);
        gic.wait();
        gic
    }

    fn wait(&self) {
        while self.distributor.read(GICD_CTLR) & RWP != 0 {
            core::hint::spin_loop();
        }
    }

    /// The calling CPU's redistributor.
    fn redistributor(&self) -> Registers {
        let own = affinity();
        // As GICR_TYPER has it: the four levels next to each other.
        let own = own & 0xff_ffff | own >> 32 << 24;
        for region in &self.redistributors {
            let mut at = region.start;
            while at + 2 * SGI_FRAME <= region.end {
                let registers = Registers::new(&(at..at + 2 * SGI_FRAME));
                let kind = registers.read64(GICR_TYPER);
                if kind >> 32 == own {
                    return registers;
                }
                if kind & LAST != 0 {
                    break;
                }
                at += if kind & VIRTUAL_LPIS != 0 { 4 * SGI_FRAME } else { 2 * SGI_FRAME };
            }
        }
        panic!("no redistributor for CPU {own:#x}")
    }

    pub(super) fn init_cpu(&self) {
        AFFINITY[percpu::id()].store(affinity(), Ordering::Relaxed);
        let r = self.redistributor();
        // Wake it, and wait until its children are awake.
        r.write(GICR_WAKER, r.read(GICR_WAKER) & !2);
        while r.read(GICR_WAKER) & 4 != 0 {
            core::hint::spin_loop();
        }
        r.write(SGI_FRAME + GICD_IGROUPR, u32::MAX);
        r.write(SGI_FRAME + GICD_ICENABLER, 0xffff_0000);
        r.write(SGI_FRAME + GICD_ISENABLER, 0x0000_ffff);
        for number in (0..32).step_by(4) {
            r.write(SGI_FRAME + GICD_IPRIORITYR + number, u32::from_ne_bytes([PRIORITY; 4]));
        }
        let sre = read_sysreg!("S3_0_C12_C12_5");
        // SAFETY: the CPU interface: registers instead of memory, every
        // priority let through, group 1 on, no split between drop and end.
        unsafe {
            write_sysreg!("S3_0_C12_C12_5", sre | 1); // ICC_SRE_EL1
            isb();
            write_sysreg!("S3_0_C4_C6_0", 0xff); // ICC_PMR_EL1
            write_sysreg!("S3_0_C12_C12_3", 0); // ICC_BPR1_EL1
            write_sysreg!("S3_0_C12_C12_4", 0); // ICC_CTLR_EL1
            write_sysreg!("S3_0_C12_C12_7", 1); // ICC_IGRPEN1_EL1
        }
        isb();
    }

    pub(super) fn enable(&self, number: u32) {
        let (registers, base) = if number < 32 { (self.redistributor(), SGI_FRAME) } else { (self.distributor, 0) };
        registers.write(base + GICD_ISENABLER + u64::from(number / 32) * 4, 1 << (number % 32));
    }
}

fn affinity() -> u64 {
    read_sysreg!("mpidr_el1") & 0xff_00ff_ffff
}

pub(super) fn acknowledge() -> u32 {
    let token: u64;
    // SAFETY: takes the pending interrupt; the caller ends it.
    unsafe { core::arch::asm!("mrs {}, S3_0_C12_C12_0", "dsb sy", out(reg) token, options(nostack)) };
    (token & 0xff_ffff) as u32
}

pub(super) fn end(token: u32) {
    dsb_sy();
    // SAFETY: ends the interrupt that `acknowledge` took (ICC_EOIR1_EL1).
    unsafe { write_sysreg!("S3_0_C12_C12_1", u64::from(token)) };
    isb();
}

pub(super) fn send(cpu: usize, number: u32) {
    let target = AFFINITY.get(cpu).map_or(0, |affinity| affinity.load(Ordering::Relaxed));
    let level = |at: u32| target >> at & 0xff;
    // Sixteen CPUs at a time share a range; the list has one bit for each.
    let list = 1_u64 << (level(0) & 15);
    let range = level(0) >> 4;
    let value = level(32) << 48 | range << 44 | level(16) << 32 | u64::from(number) << 24 | level(8) << 16 | list;
    crate::arch::regs::dsb_ishst();
    // SAFETY: sends a software interrupt (ICC_SGI1R_EL1).
    unsafe { write_sysreg!("S3_0_C12_C11_5", value) };
    isb();
}
