//! The further CPUs: started one after the other, then all alike.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicUsize, Ordering};

use kernel::Kernel;
use machine_virt::platform::{MAX_CPUS, Platform};
use spin::Once;

use crate::arch::regs::{read_sysreg, wait_for_interrupt, write_through};
use crate::arch::{layout, percpu, psci};
use crate::cpu::VirtCpu;
use crate::mem::kernel_map;
use crate::{clock, gic, irq, log, start};

/// CPUs that run, the first one included.
static ONLINE: AtomicUsize = AtomicUsize::new(1);
/// CPUs that are in the kernel's loop.
static RUNNING: AtomicUsize = AtomicUsize::new(0);
/// The kernel, once it is there.
static KERNEL: Once<Arc<Kernel>> = Once::new();
/// The timer's interrupt, which each CPU lets through by itself.
static TIMER: Once<u32> = Once::new();

/// How long a CPU may take to start.
const PATIENCE_NS: u64 = 1_000_000_000;

unsafe extern "C" {
    static image_start: u8;
    static secondary_start: u8;
    static mut secondary_root: u64;
}

/// Starts the CPUs that the device tree lists, and tells how many there are
/// now. One that does not start is left out, with those after it.
pub(crate) fn start_all(platform: &Platform<'_>, image: u64) -> usize {
    TIMER.call_once(|| platform.timer_interrupt);
    write_through(&raw mut secondary_root, kernel_map::root());
    let own = read_sysreg!("mpidr_el1") & 0xff_00ff_ffff;
    let entry = layout::image_physical(&raw const secondary_start as u64, image);
    debug_assert!(&raw const image_start as u64 == layout::IMAGE);
    let others = platform.cpus.iter().filter(|affinity| **affinity != own);
    for (number, affinity) in (1..MAX_CPUS).zip(others) {
        let deadline = clock::now_ns().saturating_add(PATIENCE_NS);
        let mut is_on = psci::cpu_on(*affinity, entry, number as u64);
        while is_on && ONLINE.load(Ordering::Acquire) <= number {
            is_on = clock::now_ns() < deadline;
            core::hint::spin_loop();
        }
        if !is_on {
            log::line(format_args!("CPU {number} does not start"));
            break;
        }
    }
    ONLINE.load(Ordering::Acquire)
}

/// Called by `boot.s` on a further CPU, on its own stack.
pub(crate) extern "C" fn secondary_entry(number: u64) -> ! {
    let number = usize::try_from(number).unwrap_or(usize::MAX);
    percpu::attach(number);
    start::leave_boot_tables();
    gic::init_cpu();
    clock::disarm();
    if let Some(timer) = TIMER.get() {
        gic::enable(*timer);
    }
    ONLINE.store(number + 1, Ordering::Release);
    let kernel = loop {
        // The first CPU sends an interrupt when the kernel is there.
        if let Some(kernel) = KERNEL.get() {
            break kernel.clone();
        }
        wait_for_interrupt();
        irq::dispatch();
    };
    run(&kernel);
    drop(kernel);
    psci::stop()
}

/// Runs the kernel's loop on the calling CPU, the first one, and on all others,
/// until it has ended on all.
pub(crate) fn run_all(kernel: &Arc<Kernel>) {
    KERNEL.call_once(|| kernel.clone());
    let online = ONLINE.load(Ordering::Acquire);
    // Counted before they are woken, so that none is overlooked at the end.
    RUNNING.store(online, Ordering::Release);
    (1..online).for_each(irq::wake);
    run(kernel);
    while RUNNING.load(Ordering::Acquire) > 0 {
        core::hint::spin_loop();
    }
}

fn run(kernel: &Arc<Kernel>) {
    kernel.cpu_main(&mut VirtCpu::new());
    RUNNING.fetch_sub(1, Ordering::AcqRel);
}
