//! `timerfd_create` and its fellows: a timer as a file.

use alloc::sync::{Arc, Weak};
use alloc::task::Wake;
use core::task::Waker;

use linux_abi::Errno;
use linux_abi::fcntl::OpenFlags;
use linux_abi::poll::{PollEvents, TimerfdFlags, TimerfdSetFlags};
use linux_abi::time::{
    CLOCK_BOOTTIME, CLOCK_BOOTTIME_ALARM, CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_REALTIME_ALARM, Itimerspec, Timespec,
};
use machine::GuestAddr;
use machine::sync::Mutex;

use crate::Kernel;
use crate::error::{Because, Result};
use crate::fs::{File, FileOps, IoBuf};
use crate::sched::WaitQueue;
use crate::syscall::Cx;
use crate::task::Task;
use crate::time::{Clock, Countdown};

#[derive(Debug, Default)]
struct State {
    countdown: Countdown,
    /// Expirations since the last read.
    ticks: u64,
}

/// The timer.
struct TimerFd {
    this: Weak<Self>,
    kernel: Weak<Kernel>,
    clock: Clock,
    clock_id: i32,
    state: Mutex<State>,
    expired: WaitQueue,
}

/// Wakes a timer for one setting of it.
struct Expiry {
    timer: Weak<TimerFd>,
    generation: u64,
}

fn waker(timer: &Arc<TimerFd>) -> impl FnOnce(u64) -> Waker {
    let timer = Arc::downgrade(timer);
    move |generation| Waker::from(Arc::new(Expiry { timer, generation }))
}

impl Wake for Expiry {
    fn wake(self: Arc<Self>) {
        let Some(timer) = self.timer.upgrade() else { return };
        let Some(kernel) = timer.kernel.upgrade() else { return };
        {
            let mut state = timer.state.lock();
            let count = state.countdown.fired(&kernel, self.generation, waker(&timer));
            state.ticks = state.ticks.saturating_add(count);
        }
        timer.expired.wake_all();
    }
}

impl State {
    /// Adds what has expired and whose wake-up is still to come.
    fn catch_up(&mut self, kernel: &Kernel) {
        let count = self.countdown.expire(kernel);
        self.ticks = self.ticks.saturating_add(count);
    }

    fn current(&self, kernel: &Kernel) -> Itimerspec {
        let (left, interval) = self.countdown.remaining(kernel);
        Itimerspec { it_interval: Timespec::from_ns_u64(interval), it_value: Timespec::from_ns_u64(left) }
    }
}

impl FileOps for TimerFd {
    fn read(&self, _file: &File, _task: &Arc<Task>, buf: &mut IoBuf<'_>) -> Result<usize> {
        if buf.left() < 8 {
            return Err(Errno::EINVAL.because("less than eight bytes"));
        }
        let ticks = {
            let mut state = self.state.lock();
            if let Some(kernel) = self.kernel.upgrade() {
                state.catch_up(&kernel);
            }
            core::mem::take(&mut state.ticks)
        };
        if ticks == 0 {
            return Err(Errno::EAGAIN.because("the timer has not expired"));
        }
        buf.put(&ticks.to_le_bytes())
    }

    fn poll(&self, _file: &File) -> PollEvents {
        if self.state.lock().ticks > 0 { PollEvents::POLLIN } else { PollEvents::empty() }
    }

    fn wait_queue(&self) -> Option<WaitQueue> {
        Some(self.expired.clone())
    }

    fn describe(&self, _file: &File, out: &mut alloc::string::String) {
        use core::fmt::Write;
        let (ticks, clock) = (self.state.lock().ticks, self.clock_id);
        // Writing to a string cannot fail.
        let _ = writeln!(out, "clockid: {clock}\nticks: {ticks}");
    }

    fn release(&self, _file: &File) {
        if let Some(kernel) = self.kernel.upgrade() {
            self.state.lock().countdown.stop(&kernel);
        }
    }

    fn as_any(&self) -> &dyn core::any::Any {
        self
    }
}

pub(super) fn timerfd_create(cx: &mut Cx<'_>, clock_id: i32, flags: TimerfdFlags) -> Result<i32> {
    match clock_id {
        CLOCK_REALTIME | CLOCK_MONOTONIC | CLOCK_BOOTTIME => {}
        CLOCK_REALTIME_ALARM | CLOCK_BOOTTIME_ALARM if cx.task.creds().is_privileged() => {}
        CLOCK_REALTIME_ALARM | CLOCK_BOOTTIME_ALARM => {
            return Err(Errno::EPERM.because("only the superuser may wake a suspended system"));
        }
        _ => return Err(Errno::EINVAL.because("no timerfd on this clock")),
    }
    let clock = Clock::of(clock_id, cx.task, cx.kernel)?;
    let ops = Arc::new_cyclic(|this| TimerFd {
        this: this.clone(),
        kernel: Arc::downgrade(cx.kernel),
        clock,
        clock_id,
        state: Mutex::default(),
        expired: WaitQueue::new(),
    });
    let nonblock = if flags.contains(TimerfdFlags::TFD_NONBLOCK) { OpenFlags::O_NONBLOCK } else { OpenFlags::empty() };
    let file = File::anonymous(cx.kernel, "[timerfd]", ops, OpenFlags::O_RDWR | nonblock);
    cx.task.files().insert(cx.task, file, flags.contains(TimerfdFlags::TFD_CLOEXEC))
}

/// Calls `act` with the timer behind a descriptor.
fn with_timer<T>(cx: &Cx<'_>, fd: i32, act: impl FnOnce(&Arc<TimerFd>) -> T) -> Result<T> {
    let file = cx.task.files().get(fd)?;
    let timer = file.ops().as_any().downcast_ref::<TimerFd>();
    match timer.and_then(|timer| timer.this.upgrade()) {
        Some(timer) => Ok(act(&timer)),
        None => Err(Errno::EINVAL.because("not a timerfd")),
    }
}

pub(super) fn timerfd_settime(
    cx: &mut Cx<'_>,
    fd: i32,
    flags: TimerfdSetFlags,
    new: GuestAddr,
    old: GuestAddr,
) -> Result<()> {
    let mm = cx.task.mm();
    let new: Itimerspec = mm.read_abi(new)?;
    let invalid = Errno::EINVAL.because("not a valid time");
    let (first, interval) = (new.it_value.to_ns().ok_or(invalid)?, new.it_interval.to_ns().ok_or(invalid)?);
    let is_absolute = flags.contains(TimerfdSetFlags::TFD_TIMER_ABSTIME);
    let before = with_timer(cx, fd, |timer| {
        let clock = match timer.clock {
            // A relative timer does not follow changes of the real-time clock.
            Clock::Real if !is_absolute => Clock::Monotonic,
            clock => clock,
        };
        let next = if is_absolute { first } else { clock.now_ns(cx.kernel).saturating_add(first) };
        let mut state = timer.state.lock();
        state.catch_up(cx.kernel);
        let before = state.current(cx.kernel);
        state.ticks = 0;
        state.countdown.set(cx.kernel, clock, (first != 0).then_some(next), interval);
        state.countdown.arm(cx.kernel, 0, waker(timer));
        before
    })?;
    if old.is_null() { Ok(()) } else { mm.write_abi(old, &before) }
}

pub(super) fn timerfd_gettime(cx: &mut Cx<'_>, fd: i32, current: GuestAddr) -> Result<()> {
    let now = with_timer(cx, fd, |timer| {
        let mut state = timer.state.lock();
        state.catch_up(cx.kernel);
        state.current(cx.kernel)
    })?;
    cx.task.mm().write_abi(current, &now)
}
