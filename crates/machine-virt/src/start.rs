//! From the first instruction in Rust to the kernel's loop.

use alloc::sync::Arc;

use machine_virt::cmdline::CommandLine;
use machine_virt::phase::Phase;
use machine_virt::platform::{Device, Platform};
use spin::Once;

use machine::{Clock, FramePool};

use crate::arch::{layout, percpu, psci};
use crate::devices::uart::{self, Uart};
use crate::machine::VirtMachine;
use crate::mem::early::Early;
use crate::mem::{kernel_map, pool};
use crate::{boot, clock, entropy, gic, irq, log, panic, smp, virtio};

/// What is known before the kernel's own map is in use, for after it.
struct Found {
    tree: &'static [u8],
    image: u64,
}

static FOUND: Once<Found> = Once::new();
/// What `TTBR0_EL1` holds while there is no address space.
static EMPTY: Once<u64> = Once::new();

/// The largest device tree that the boot protocol allows.
const MAX_TREE: usize = 2 << 20;

/// Called by `boot.s` on the boot stack, with the boot page tables: the
/// physical addresses of the device tree and of the image.
pub(crate) extern "C" fn entry(tree: u64, image: u64) -> ! {
    percpu::attach(0);
    log::enter(Phase::Entry);
    let tree = read_tree(tree);
    let mut platform = Platform::read(tree).expect("the device tree can be read");
    if let Some(device) = &platform.uart {
        uart::init(device);
    }
    let [text, _, data] = layout::image_parts();
    platform.reserve(Some(image..image + (data.end - text.start)));
    let tree_start = layout::physical(tree.as_ptr());
    platform.reserve(Some(tree_start..tree_start + tree.len() as u64));
    platform.reserve(platform.initrd.clone());
    let mut early = Early::new(&platform, image);
    let empty = early.take(machine::PAGE_SIZE);
    kernel_map::install(&platform, image, &mut early);
    EMPTY.call_once(|| empty);
    leave_boot_tables();
    pool::init(&platform, early);
    FOUND.call_once(|| Found { tree, image });
    log::enter(Phase::Memory);
    // SAFETY: the first CPU's own stack, which nobody has used yet.
    unsafe { crate::arch::call_on_stack(layout::stack_top(0), on_own_stack, 0) }
}

/// Makes the calling CPU's lower half empty: the boot page tables have the
/// image at its physical address there.
pub(crate) fn leave_boot_tables() {
    // SAFETY: nothing uses the lower half any more.
    unsafe {
        crate::arch::regs::write_sysreg!("ttbr0_el1", empty_ttbr0());
        core::arch::asm!("isb", "tlbi vmalle1", "dsb nsh", "isb", options(nostack));
    }
}

/// What `TTBR0_EL1` holds while there is no address space.
pub(crate) fn empty_ttbr0() -> u64 {
    EMPTY.get().copied().unwrap_or_default()
}

fn read_tree(tree: u64) -> &'static [u8] {
    assert!(tree != 0 && tree.is_multiple_of(8), "the machine was started without a device tree");
    let start = layout::direct(tree).cast_const();
    // SAFETY: the boot protocol puts a device tree there, in memory that the
    // boot page tables map; its length is in its second word.
    unsafe {
        let len = u32::from_be(start.cast::<u32>().add(1).read()) as usize;
        core::slice::from_raw_parts(start, len.min(MAX_TREE))
    }
}

extern "C" fn on_own_stack(_: u64) -> ! {
    let (tree, image) = FOUND.get().map_or((&[][..], 0), |found| (found.tree, found.image));
    // It was read before.
    let Ok(platform) = Platform::read(tree) else { psci::stop() };
    let line = CommandLine::parse(platform.bootargs);
    if line.semihosting {
        panic::use_semihosting();
    }
    if let Some(conduit) = platform.psci {
        psci::init(conduit);
    }
    gic::init(platform.gic.as_ref().expect("the device tree names an interrupt controller"));
    gic::init_cpu();
    entropy::init(platform.rng_seed);
    clock::init(&platform);
    clock::disarm();
    irq::register(platform.timer_interrupt, "arch_timer", Arc::new(clock::disarm));
    let console = platform.uart.as_ref().map(console);
    log::enter(Phase::Devices);
    let cpus = smp::start_all(&platform, image);
    let mebibytes = pool::pool().total() / 256;
    log::line(format_args!(
        "{mebibytes} MiB of memory, {cpus} of {} CPUs, timer {} Hz",
        platform.cpus.len(),
        clock::clock().counter_frequency()
    ));
    log::enter(Phase::Drivers);
    let devices = virtio::probe(&platform.virtio, &mut |message| log::line(message));
    let machine = Arc::new(VirtMachine { cpus, block_devices: devices.disks, net_devices: devices.networks });
    let kernel = match boot::boot(machine, &platform, line, console) {
        Ok(kernel) => kernel,
        Err(why) => panic!("cannot boot: {why}"),
    };
    smp::run_all(&kernel);
    boot::finish(&kernel)
}

fn console(device: &Device) -> Arc<Uart> {
    let uart = Arc::new(Uart::new(device));
    if let Some(number) = device.interrupt {
        let handler = uart.clone();
        irq::register(number, "uart-pl011", Arc::new(move || handler.interrupt()));
    }
    uart
}
