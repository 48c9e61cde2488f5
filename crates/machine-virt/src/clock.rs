//! Time: the generic timer's virtual counter, and each CPU's one-shot timer.

use core::sync::atomic::{AtomicU64, Ordering};

use machine::Clock;
use machine_virt::platform::{MAX_CPUS, Platform};
use machine_virt::scale::Scale;
use spin::Once;

use crate::arch::percpu;
use crate::arch::regs::{counter, isb, read_sysreg, write_sysreg};
use crate::devices::rtc;

/// The machine's clock.
#[derive(Debug)]
pub(crate) struct VirtClock {
    scale: Scale,
    wall_offset_ns: i64,
}

static CLOCK: Once<VirtClock> = Once::new();

/// What each CPU's timer is set for; [`OFF`] if it is off.
static ARMED: [AtomicU64; MAX_CPUS] = [const { AtomicU64::new(OFF) }; MAX_CPUS];
const OFF: u64 = u64::MAX;

const NS_PER_S: i64 = 1_000_000_000;
/// `CNTV_CTL_EL0`: the timer is on.
const ENABLE: u64 = 1;

/// Sets the clock by the calendar clock, if there is one.
pub(crate) fn init(platform: &Platform<'_>) {
    CLOCK.call_once(|| {
        let scale = Scale::new(read_sysreg!("cntfrq_el0"));
        let now = i64::try_from(scale.to_ns(counter())).unwrap_or(i64::MAX);
        let wall = platform.rtc.as_ref().map_or(0, |device| i64::from(rtc::seconds(device)) * NS_PER_S);
        VirtClock { scale, wall_offset_ns: wall.saturating_sub(now) }
    });
}

/// The clock.
pub(crate) fn clock() -> &'static VirtClock {
    CLOCK.get().expect("the clock is set up first")
}

/// The monotonic time.
pub(crate) fn now_ns() -> u64 {
    clock().monotonic_ns()
}

/// Makes the calling CPU's timer interrupt once the clock reaches
/// `deadline_ns`, or earlier: whoever waits for a time looks at the clock when
/// the interrupt comes, and sets the timer again.
pub(crate) fn arm_by(deadline_ns: u64) {
    let armed = &ARMED[percpu::id()];
    if armed.load(Ordering::Relaxed) <= deadline_ns {
        return;
    }
    armed.store(deadline_ns, Ordering::Relaxed);
    // SAFETY: the virtual timer is the kernel's.
    unsafe {
        write_sysreg!("cntv_cval_el0", clock().scale.to_ticks(deadline_ns));
        write_sysreg!("cntv_ctl_el0", ENABLE);
    }
    isb();
}

/// Turns the calling CPU's timer off. It is also what its interrupt does: the
/// line stays asserted until the timer is off or set for later.
pub(crate) fn disarm() {
    ARMED[percpu::id()].store(OFF, Ordering::Relaxed);
    // SAFETY: the virtual timer is the kernel's.
    unsafe { write_sysreg!("cntv_ctl_el0", 0) };
    isb();
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
