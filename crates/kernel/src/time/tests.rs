//! Clocks, sleeps and timers, on a clock that a test moves.

use linux_abi::Errno;
use linux_abi::time::{Itimerspec, Itimerval, Sigevent, Timespec, Timeval, Timex};

use super::SECOND_NS;
use crate::signal::{Info, InfoFields, Number};
use crate::testing_task::Guest;

const MS: u64 = 1_000_000;

fn spec(ns: u64) -> Timespec {
    Timespec::from_ns_u64(ns)
}

fn clock(guest: &Guest, id: i64) -> Result<u64, Errno> {
    guest.call(113, &[id.cast_unsigned(), guest.memory])?;
    Ok(guest.get::<Timespec>(0).to_ns().unwrap())
}

#[test]
fn clocks_show_the_machines_time() {
    let guest = Guest::new();
    let now = guest.kernel.now_ns();
    assert_eq!(clock(&guest, 1), Ok(now));
    assert_eq!(clock(&guest, 7), Ok(now));
    assert_eq!(clock(&guest, 0), Ok(now + 1_600_000_000 * SECOND_NS));
    assert_eq!(clock(&guest, 11), clock(&guest, 0));
    guest.advance(5 * MS);
    assert_eq!(clock(&guest, 1), Ok(now + 5 * MS));
    assert_eq!(clock(&guest, 6).unwrap() % (4 * MS), 0);
}

#[test]
fn a_clock_that_does_not_exist_is_einval() {
    let guest = Guest::new();
    for id in [10_i64, 12, 99, !0 << 3 | 3, !(4242 << 3)] {
        assert_eq!(clock(&guest, id), Err(Errno::EINVAL), "{id}");
        assert_eq!(guest.call(114, &[id.cast_unsigned(), 0]), Err(Errno::EINVAL), "{id}");
    }
}

#[test]
fn a_process_has_a_clock_by_number() {
    let guest = Guest::new();
    guest.task.user_ns.store(7 * MS, core::sync::atomic::Ordering::Relaxed);
    guest.task.start_charging(&guest.kernel);
    let by_pid = i64::from(!1_i32 << 3 | 2);
    assert_eq!(clock(&guest, by_pid), Ok(7 * MS));
    assert_eq!(clock(&guest, 2), Ok(7 * MS));
    assert_eq!(clock(&guest, 3), Ok(7 * MS));
}

#[test]
fn a_clock_into_unmapped_memory_is_efault() {
    let guest = Guest::new();
    assert_eq!(guest.call(113, &[1, 16]), Err(Errno::EFAULT));
}

#[test]
fn nobody_sets_the_clocks() {
    let guest = Guest::new();
    let at = guest.put(0, &spec(SECOND_NS));
    assert_eq!(guest.call(112, &[0, at]), Err(Errno::EPERM));
    assert_eq!(guest.call(112, &[1, at]), Err(Errno::EINVAL));
    assert_eq!(guest.call(170, &[at, 0]), Err(Errno::EPERM));
    let at = guest.put(0, &Timex::default());
    assert_eq!(guest.call(171, &[at]), Ok(5));
    let at = guest.put(0, &Timex { modes: 1, ..Timex::default() });
    assert_eq!(guest.call(171, &[at]), Err(Errno::EPERM));
}

#[test]
fn nanosleep_ends_at_its_deadline() {
    let guest = Guest::new();
    let request = guest.put(0, &spec(50 * MS));
    let mut sleep = guest.wait(101, &[request, 0]);
    assert_eq!(sleep.poll(), None);
    guest.advance(49 * MS);
    assert_eq!(sleep.poll(), None);
    guest.advance(MS);
    assert_eq!(sleep.poll(), Some(Ok(0)));
}

#[test]
fn an_invalid_time_is_einval() {
    let guest = Guest::new();
    for time in [Timespec { tv_sec: 0, tv_nsec: 1_000_000_000 }, Timespec { tv_sec: -1, tv_nsec: 0 }] {
        let request = guest.put(0, &time);
        assert_eq!(guest.call(101, &[request, 0]), Err(Errno::EINVAL));
        assert_eq!(guest.call(115, &[1, 0, request, 0]), Err(Errno::EINVAL));
    }
    assert_eq!(guest.call(115, &[5, 0, guest.memory, 0]), Err(Errno::EOPNOTSUPP));
    assert_eq!(guest.call(115, &[3, 0, guest.memory, 0]), Err(Errno::EINVAL));
}

#[test]
fn an_interrupted_sleep_tells_what_is_left_and_keeps_its_deadline() {
    let guest = Guest::new();
    let request = guest.put(0, &spec(50 * MS));
    let mut sleep = guest.wait(101, &[request, guest.memory + 64]);
    assert_eq!(sleep.poll(), None);
    guest.advance(20 * MS);
    crate::signal::send_to_process(&guest.kernel, &guest.task.process, Info::kernel(Number::SIGTERM));
    assert_eq!(sleep.poll(), Some(Err(Errno::EINTR)));
    assert_eq!(guest.get::<Timespec>(64), spec(30 * MS));
    // The signal came to nothing, so the call runs again.
    guest.take_signal(Number::SIGTERM);
    let mut sleep = guest.wait(101, &[request, guest.memory + 64]);
    guest.advance(30 * MS);
    assert_eq!(sleep.poll(), Some(Ok(0)));
}

#[test]
fn an_absolute_sleep_in_the_past_returns_at_once() {
    let guest = Guest::new();
    let past = guest.put(0, &spec(1));
    assert_eq!(guest.call(115, &[1, 1, past, 0]), Ok(0));
    assert_eq!(guest.call(115, &[0, 1, past, 0]), Ok(0));
    let future = guest.put(0, &spec(clock(&guest, 0).unwrap() + MS));
    let mut sleep = guest.wait(115, &[0, 1, guest.put(0, &future_time(&guest)), 0]);
    let _ = future;
    assert_eq!(sleep.poll(), None);
    guest.advance(MS);
    assert_eq!(sleep.poll(), Some(Ok(0)));
}

fn future_time(guest: &Guest) -> Timespec {
    spec(clock(guest, 0).unwrap() + MS)
}

#[test]
fn an_interval_timer_sends_sigalrm_again_and_again() {
    let guest = Guest::new();
    let ms = |ms: i64| Timeval { tv_sec: 0, tv_usec: ms * 1000 };
    let new = guest.put(0, &Itimerval { it_interval: ms(20), it_value: ms(10) });
    assert_eq!(guest.call(103, &[0, new, 0]), Ok(0));
    guest.advance(9 * MS);
    assert!(guest.pending().is_empty());
    guest.advance(MS);
    assert!(guest.take_signal(Number::SIGALRM).is_some());
    assert_eq!(guest.call(102, &[0, guest.memory]), Ok(0));
    assert_eq!(guest.get::<Itimerval>(0), Itimerval { it_interval: ms(20), it_value: ms(20) });
    guest.advance(20 * MS);
    assert!(guest.take_signal(Number::SIGALRM).is_some());
    let off = guest.put(0, &Itimerval::default());
    assert_eq!(guest.call(103, &[0, off, guest.memory + 64]), Ok(0));
    assert_eq!(guest.get::<Itimerval>(64).it_interval, ms(20));
    guest.advance(SECOND_NS);
    assert!(guest.pending().is_empty());
}

#[test]
fn a_profiling_timer_counts_processor_time() {
    let guest = Guest::new();
    let value = Timeval { tv_sec: 0, tv_usec: 10_000 };
    let new = guest.put(0, &Itimerval { it_interval: Timeval::default(), it_value: value });
    guest.task.start_charging(&guest.kernel);
    assert_eq!(guest.call(103, &[2, new, 0]), Ok(0));
    guest.advance(9 * MS);
    guest.task.charge(&guest.kernel);
    guest.task.process.timers.charged(&guest.kernel, &guest.task);
    assert!(guest.pending().is_empty());
    guest.advance(MS);
    guest.task.charge(&guest.kernel);
    guest.task.process.timers.charged(&guest.kernel, &guest.task);
    assert!(guest.take_signal(Number::SIGPROF).is_some());
}

fn create_timer(guest: &Guest, event: &Sigevent) -> u64 {
    let event = guest.put(0, event);
    assert_eq!(guest.call(107, &[1, event, guest.memory + 128]), Ok(0));
    u64::from(guest.get::<u32>(128))
}

fn set_timer(guest: &Guest, id: u64, value: u64, interval: u64) {
    let new = guest.put(0, &Itimerspec { it_interval: spec(interval), it_value: spec(value) });
    assert_eq!(guest.call(110, &[id, 0, new, 0]), Ok(0));
}

#[test]
fn a_posix_timer_counts_what_it_missed() {
    let guest = Guest::new();
    let event = Sigevent { sigev_value: 77, sigev_signo: 40, sigev_notify: 0, sigev_notify_thread_id: 0 };
    let id = create_timer(&guest, &event);
    set_timer(&guest, id, 10 * MS, 10 * MS);
    guest.advance(10 * MS);
    guest.advance(10 * MS);
    guest.advance(30 * MS);
    let info = guest.take_signal(Number::new(40).unwrap()).unwrap();
    assert_eq!(info.fields, InfoFields::Timer { id: 0, overrun: 4, value: 77 });
    assert_eq!(guest.call(109, &[id]), Ok(4));
    guest.advance(10 * MS);
    let info = guest.take_signal(Number::new(40).unwrap()).unwrap();
    assert_eq!(info.fields, InfoFields::Timer { id: 0, overrun: 0, value: 77 });
    assert_eq!(guest.call(111, &[id]), Ok(0));
    assert_eq!(guest.call(109, &[id]), Err(Errno::EINVAL));
    guest.advance(SECOND_NS);
    assert!(guest.pending().is_empty());
}

#[test]
fn a_timer_that_tells_nobody_can_be_read() {
    let guest = Guest::new();
    let event = Sigevent { sigev_notify: 1, ..Sigevent::default() };
    let id = create_timer(&guest, &event);
    set_timer(&guest, id, 10 * MS, 4 * MS);
    guest.advance(11 * MS);
    assert_eq!(guest.call(108, &[id, guest.memory]), Ok(0));
    assert_eq!(guest.get::<Itimerspec>(0), Itimerspec { it_interval: spec(4 * MS), it_value: spec(3 * MS) });
    assert!(guest.pending().is_empty());
}

#[test]
fn a_timer_for_a_thread_that_is_not_ours_is_einval() {
    let guest = Guest::new();
    guest.sibling(2, 1, 1, 1);
    let event = Sigevent { sigev_signo: 10, sigev_notify: 4, sigev_notify_thread_id: 2, ..Sigevent::default() };
    let at = guest.put(0, &event);
    assert_eq!(guest.call(107, &[1, at, guest.memory + 128]), Err(Errno::EINVAL));
}

#[test]
fn the_end_of_the_process_stops_its_timers() {
    let guest = Guest::new();
    let id = create_timer(&guest, &Sigevent { sigev_signo: 10, ..Sigevent::default() });
    set_timer(&guest, id, MS, MS);
    guest.task.process.timers.end(&guest.kernel);
    guest.advance(SECOND_NS);
    assert!(guest.pending().is_empty());
    assert_eq!(guest.kernel.timers().next_deadline(), None);
}
