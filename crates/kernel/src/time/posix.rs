//! POSIX timers: `timer_create` and its fellows.

use alloc::sync::{Arc, Weak};

use linux_abi::Errno;
use linux_abi::resource::RLIMIT_SIGPENDING;
use linux_abi::time::{
    Itimerspec, SIGEV_NONE, SIGEV_SIGNAL, SIGEV_THREAD, SIGEV_THREAD_ID, Sigevent, TIMER_ABSTIME, Timespec,
};
use machine::GuestAddr;

use super::process_timers::{Fire, Which};
use super::{Clock, Countdown};
use crate::Kernel;
use crate::error::{Because, Error, Result};
use crate::signal::{Info, InfoFields, Number, send_to_process, send_to_task};
use crate::syscall::Cx;
use crate::task::{Process, Task};

/// What a timer does when it goes off.
#[derive(Clone, Debug)]
enum Notify {
    Nothing,
    Process(Number),
    Thread(Number, Weak<Task>),
}

/// One POSIX timer.
#[derive(Debug)]
pub(super) struct PosixTimer {
    clock: Clock,
    notify: Notify,
    value: u64,
    pub(super) countdown: Countdown,
    /// Expirations beyond the first since the last signal was sent.
    overrun: i32,
}

fn no_timer() -> Error {
    Errno::EINVAL.because("no such timer")
}

pub(super) fn timer_create(cx: &mut Cx<'_>, clock: i32, event: GuestAddr, id: GuestAddr) -> Result<()> {
    let mm = cx.task.mm();
    let clock = Clock::of(clock, cx.task, cx.kernel)?;
    if !clock.has_timers() {
        return Err(Errno::EOPNOTSUPP.because("no timers on this clock"));
    }
    let event: Option<Sigevent> = if event.is_null() { None } else { Some(mm.read_abi(event)?) };
    let notify = match event {
        None => Notify::Process(Number::SIGALRM),
        Some(event) => notify_of(cx, &event)?,
    };
    let process = &cx.task.process;
    let limit = process.limit(RLIMIT_SIGPENDING as usize).soft;
    let new_id = {
        let mut timers = process.timers.posix.lock();
        if timers.len() as u64 >= limit.min(1 << 20) {
            return Err(Errno::EAGAIN.because("too many timers"));
        }
        let new_id = timers.last_key_value().map_or(Some(0), |(last, _)| last.checked_add(1));
        let new_id = new_id.ok_or(Errno::EAGAIN.because("out of timer numbers"))?;
        let value = event.map_or(u64::from(new_id.cast_unsigned()), |event| event.sigev_value);
        let timer = PosixTimer { clock, notify, value, countdown: Countdown::default(), overrun: 0 };
        timers.insert(new_id, timer);
        new_id
    };
    mm.write_abi(id, &new_id).inspect_err(|_| {
        process.timers.posix.lock().remove(&new_id);
    })
}

fn notify_of(cx: &Cx<'_>, event: &Sigevent) -> Result<Notify> {
    let invalid = Errno::EINVAL.because("not a way to tell");
    let signal = || u64::try_from(event.sigev_signo).ok().and_then(Number::new).ok_or(invalid);
    match event.sigev_notify {
        SIGEV_NONE => Ok(Notify::Nothing),
        SIGEV_SIGNAL | SIGEV_THREAD => Ok(Notify::Process(signal()?)),
        SIGEV_THREAD_ID => {
            let tid = u32::try_from(event.sigev_notify_thread_id).map_err(|_| invalid)?;
            let task = cx.kernel.tree().task(tid).filter(|task| task.process.pid == cx.task.process.pid);
            Ok(Notify::Thread(signal()?, Arc::downgrade(&task.ok_or(invalid)?)))
        }
        _ => Err(invalid),
    }
}

impl PosixTimer {
    fn current(&mut self, kernel: &Kernel) -> Itimerspec {
        if matches!(self.notify, Notify::Nothing) {
            // Nothing is armed for it: catch up.
            self.countdown.expire(kernel);
        }
        let (left, interval) = self.countdown.remaining(kernel);
        Itimerspec { it_interval: Timespec::from_ns_u64(interval), it_value: Timespec::from_ns_u64(left) }
    }
}

pub(super) fn timer_gettime(cx: &mut Cx<'_>, id: i32, value: GuestAddr) -> Result<()> {
    let current = {
        let mut timers = cx.task.process.timers.posix.lock();
        timers.get_mut(&id).ok_or_else(no_timer)?.current(cx.kernel)
    };
    cx.task.mm().write_abi(value, &current)
}

pub(super) fn timer_getoverrun(cx: &mut Cx<'_>, id: i32) -> Result<i32> {
    let timers = cx.task.process.timers.posix.lock();
    timers.get(&id).map(|timer| timer.overrun).ok_or_else(no_timer)
}

pub(super) fn timer_settime(cx: &mut Cx<'_>, id: i32, flags: u32, value: GuestAddr, old: GuestAddr) -> Result<()> {
    let mm = cx.task.mm();
    if value.is_null() {
        return Err(Errno::EINVAL.because("no new value"));
    }
    let new: Itimerspec = mm.read_abi(value)?;
    let invalid = Errno::EINVAL.because("not a valid time");
    let (first, interval) = (new.it_value.to_ns().ok_or(invalid)?, new.it_interval.to_ns().ok_or(invalid)?);
    let is_absolute = flags & TIMER_ABSTIME.cast_unsigned() != 0;
    let before = {
        let mut timers = cx.task.process.timers.posix.lock();
        let timer = timers.get_mut(&id).ok_or_else(no_timer)?;
        let before = timer.current(cx.kernel);
        let clock = relative_clock(timer.clock, is_absolute);
        let next = if first == 0 {
            None
        } else if is_absolute {
            Some(first)
        } else {
            Some(clock.now_ns(cx.kernel).saturating_add(first))
        };
        timer.overrun = 0;
        timer.countdown.set(cx.kernel, clock, next, interval);
        if !matches!(timer.notify, Notify::Nothing) {
            timer.countdown.arm(cx.kernel, 0, Fire::waker(cx.kernel, &cx.task.process, Which::Posix(id)));
        }
        before
    };
    if old.is_null() { Ok(()) } else { mm.write_abi(old, &before) }
}

/// A relative timer does not follow changes of the real-time clock.
const fn relative_clock(clock: Clock, is_absolute: bool) -> Clock {
    match clock {
        Clock::Real if !is_absolute => Clock::Monotonic,
        clock => clock,
    }
}

pub(super) fn timer_delete(cx: &mut Cx<'_>, id: i32) -> Result<()> {
    let timer = cx.task.process.timers.posix.lock().remove(&id);
    timer.ok_or_else(no_timer)?.countdown.stop(cx.kernel);
    Ok(())
}

/// The timer's deadline has come. While its last signal is still pending, the
/// expirations are added to that one's overrun; else a new one is sent.
pub(super) fn fired(kernel: &Arc<Kernel>, process: &Arc<Process>, id: i32, generation: u64) {
    let (count, notify, value) = {
        let mut timers = process.timers.posix.lock();
        let Some(timer) = timers.get_mut(&id) else { return };
        let count = timer.countdown.fired(kernel, generation, Fire::waker(kernel, process, Which::Posix(id)));
        (count, timer.notify.clone(), timer.value)
    };
    let Some(further) = count.checked_sub(1) else { return };
    let further = i32::try_from(further).unwrap_or(i32::MAX);
    let info = |signal, overrun| Info {
        signal,
        errno: 0,
        code: Info::SI_TIMER,
        fields: InfoFields::Timer { id, overrun, value },
    };
    let overrun = match notify {
        Notify::Nothing => further,
        Notify::Process(signal) => {
            let pending = process.signals.lock().pending.add_overrun(signal, id, further.saturating_add(1));
            pending.unwrap_or_else(|| {
                send_to_process(kernel, process, info(signal, further));
                further
            })
        }
        Notify::Thread(signal, task) => {
            let Some(task) = task.upgrade() else { return };
            let pending = task.signals.lock().pending.add_overrun(signal, id, further.saturating_add(1));
            pending.unwrap_or_else(|| {
                send_to_task(kernel, &task, info(signal, further));
                further
            })
        }
    };
    if let Some(timer) = process.timers.posix.lock().get_mut(&id) {
        timer.overrun = overrun;
    }
}
