//! The interrupt controller: GICv2 or GICv3, as the device tree says.
//!
//! Numbers are the GIC's: 0 to 15 are sent by CPUs, 16 to 31 are each CPU's
//! own, the others are devices'. All have one priority, and devices interrupt
//! CPU 0.

mod v2;
mod v3;

use machine_virt::platform::Gic as Found;
use spin::Once;

/// A driver.
#[derive(Debug)]
enum Driver {
    V2(v2::GicV2),
    V3(v3::GicV3),
}

static DRIVER: Once<Driver> = Once::new();

/// The priority of all interrupts: any, below the mask.
const PRIORITY: u8 = 0xa0;
/// Numbers from here on are special: none pending.
const SPECIAL: u32 = 1020;

fn driver() -> &'static Driver {
    DRIVER.get().expect("the interrupt controller is set up first")
}

/// Sets the controller up. Every CPU calls [`init_cpu`] after it.
pub(crate) fn init(found: &Found) {
    DRIVER.call_once(|| match found {
        Found::V2 { distributor, cpu_interface } => Driver::V2(v2::GicV2::new(distributor, cpu_interface)),
        Found::V3 { distributor, redistributors } => Driver::V3(v3::GicV3::new(distributor, redistributors)),
    });
}

/// Sets up the calling CPU's part.
pub(crate) fn init_cpu() {
    match driver() {
        Driver::V2(gic) => gic.init_cpu(),
        Driver::V3(gic) => gic.init_cpu(),
    }
}

/// Lets an interrupt through: on this CPU if it is each CPU's own.
pub(crate) fn enable(number: u32) {
    match driver() {
        Driver::V2(gic) => gic.enable(number),
        Driver::V3(gic) => gic.enable(number),
    }
}

/// Takes the pending interrupt, if there is one. It must be given to [`end`].
pub(crate) fn acknowledge() -> Option<Taken> {
    let token = match driver() {
        Driver::V2(gic) => gic.acknowledge(),
        Driver::V3(_) => v3::acknowledge(),
    };
    let number = token & 0x3ff;
    (number < SPECIAL).then_some(Taken { token, number })
}

/// An interrupt that is being handled.
#[derive(Debug)]
#[must_use = "the interrupt stays active until it is ended"]
pub(crate) struct Taken {
    token: u32,
    /// Its number.
    pub(crate) number: u32,
}

/// Ends an interrupt: the next one may come.
pub(crate) fn end(taken: &Taken) {
    match driver() {
        Driver::V2(gic) => gic.end(taken.token),
        Driver::V3(_) => v3::end(taken.token),
    }
}

/// Interrupts CPU `cpu` with the software interrupt `number`.
pub(crate) fn send(cpu: usize, number: u32) {
    match driver() {
        Driver::V2(gic) => gic.send(cpu, number),
        Driver::V3(_) => v3::send(cpu, number),
    }
}
