//! Time: the generic timer's virtual counter, and each CPU's one-shot timer.

use machine::Clock;
use machine_virt::platform::Platform;
use machine_virt::scale::Scale;

use crate::arch::regs::{counter, read_sysreg, write_sysreg};
use crate::devices::rtc;

/// The machine's clock.
#[derive(Debug)]
pub(crate) struct VirtClock {
    scale: Scale,
    wall_offset_ns: i64,
}

const NS_PER_S: i64 = 1_000_000_000;
/// `CNTV_CTL_EL0`: the timer is on.
const ENABLE: u64 = 1;

impl VirtClock {
    /// The clock, set by the calendar clock if there is one.
    pub(crate) fn new(platform: &Platform<'_>) -> Self {
        let scale = Scale::new(read_sysreg!("cntfrq_el0"));
        let now = i64::try_from(scale.to_ns(counter())).unwrap_or(i64::MAX);
        let wall = platform.rtc.as_ref().map_or(0, |device| i64::from(rtc::seconds(device)) * NS_PER_S);
        Self { scale, wall_offset_ns: wall.saturating_sub(now) }
    }

    /// Makes the calling CPU's timer interrupt once the clock reaches `deadline_ns`.
    pub(crate) fn arm(&self, deadline_ns: u64) {
        // SAFETY: the virtual timer is the kernel's.
        unsafe {
            write_sysreg!("cntv_cval_el0", self.scale.to_ticks(deadline_ns));
            write_sysreg!("cntv_ctl_el0", ENABLE);
        }
    }
}

/// Turns the calling CPU's timer off.
pub(crate) fn disarm() {
    // SAFETY: the virtual timer is the kernel's.
    unsafe { write_sysreg!("cntv_ctl_el0", 0) };
    crate::arch::regs::isb();
}

impl Clock for VirtClock {
    fn monotonic_ns(&self) -> u64 {
        self.scale.to_ns(counter())
    }

    fn wall_offset_ns(&self) -> i64 {
        self.wall_offset_ns
    }

    fn counter_frequency(&self) -> u64 {
        self.scale.frequency()
    }

    fn counter(&self) -> u64 {
        counter()
    }
}

/// True while the calling CPU's timer is on.
pub(crate) fn is_armed() -> bool {
    read_sysreg!("cntv_ctl_el0") & ENABLE != 0
}
