//! Waiting for readiness.

use alloc::vec::Vec;

use linux_abi::poll::{EpollEvent, PollFd, SignalfdSiginfo};
use linux_abi::time::{Itimerspec, Timespec};
use linux_abi::{Errno, Wire};

use crate::signal::{Info, Number, send_to_process};
use crate::testing_task::Guest;

const MS: u64 = 1_000_000;
const IN: u32 = 1;
const OUT: u32 = 4;
const ONESHOT: u32 = 1 << 30;
const EDGE: u32 = 1 << 31;
const EXCLUSIVE: u32 = 1 << 28;

fn eventfd(guest: &Guest, value: u64) -> u64 {
    guest.call(19, &[value, 0]).unwrap()
}

fn add(guest: &Guest, n: u64) -> impl Fn(u64) {
    let fd = n;
    let task = guest.task.clone();
    move |value: u64| {
        let file = task.files().get(i32::try_from(fd).unwrap()).unwrap();
        let bytes = value.to_le_bytes();
        file.ops().write(&file, &task, &mut crate::fs::IoBuf::from_slice(&bytes)).unwrap();
    }
}

#[test]
fn an_eventfd_counts() {
    let guest = Guest::new();
    let fd = eventfd(&guest, 3);
    assert_eq!(guest.write(fd, &4_u64.to_le_bytes()), Ok(8));
    assert_eq!(guest.read(fd, 8), Ok(7_u64.to_le_bytes().to_vec()));
    assert_eq!(guest.read(fd, 8), Err(Errno::EAGAIN));
    assert_eq!(guest.read(fd, 7), Err(Errno::EINVAL));
    assert_eq!(guest.write(fd, &u64::MAX.to_le_bytes()), Err(Errno::EINVAL));
    assert_eq!(guest.write(fd, &(u64::MAX - 1).to_le_bytes()), Ok(8));
    assert_eq!(guest.write(fd, &1_u64.to_le_bytes()), Err(Errno::EAGAIN));
}

#[test]
fn a_semaphore_eventfd_gives_one_at_a_time() {
    let guest = Guest::new();
    let fd = guest.call(19, &[2, 1]).unwrap();
    for _ in 0..2 {
        assert_eq!(guest.read(fd, 8), Ok(1_u64.to_le_bytes().to_vec()));
    }
    assert_eq!(guest.read(fd, 8), Err(Errno::EAGAIN));
    assert_eq!(guest.call(19, &[0, 2]), Err(Errno::EINVAL));
}

fn pollfd(guest: &Guest, index: u64, fd: i32, events: u16) -> u64 {
    guest.put(index * 8, &PollFd { fd, events, revents: 0x7777 });
    guest.memory
}

fn revents(guest: &Guest, index: u64) -> u16 {
    guest.get::<PollFd>(index * 8).revents
}

#[test]
fn ppoll_tells_what_is_ready_and_what_is_not_open() {
    let guest = Guest::new();
    let fd = i32::try_from(eventfd(&guest, 1)).unwrap();
    pollfd(&guest, 0, fd, 1);
    pollfd(&guest, 1, -1, 1);
    pollfd(&guest, 2, 77, 1);
    let fds = pollfd(&guest, 3, fd, 5);
    assert_eq!(guest.call(73, &[fds, 4, 0, 0, 0]), Ok(3));
    assert_eq!([0, 1, 2, 3].map(|i| revents(&guest, i)), [1, 0, 0x20, 5]);
}

#[test]
fn ppoll_waits_until_something_is_ready() {
    let guest = Guest::new();
    let fd = eventfd(&guest, 0);
    let fds = pollfd(&guest, 0, i32::try_from(fd).unwrap(), 1);
    let mut wait = guest.wait(73, &[fds, 1, 0, 0, 0]);
    assert_eq!(wait.poll(), None);
    add(&guest, fd)(1);
    assert_eq!(wait.poll(), Some(Ok(1)));
    assert_eq!(revents(&guest, 0), 1);
}

#[test]
fn ppoll_ends_at_its_deadline_and_stores_what_was_left() {
    let guest = Guest::new();
    let fd = eventfd(&guest, 0);
    let fds = pollfd(&guest, 0, i32::try_from(fd).unwrap(), 1);
    let timeout = guest.put(64, &Timespec::from_ns_u64(10 * MS));
    let mut wait = guest.wait(73, &[fds, 1, timeout, 0, 0]);
    guest.advance(4 * MS);
    assert_eq!(wait.poll(), None);
    guest.advance(6 * MS);
    assert_eq!(wait.poll(), Some(Ok(0)));
    assert_eq!(revents(&guest, 0), 0);
    assert_eq!(guest.get::<Timespec>(64), Timespec::default());
    assert_eq!(guest.call(73, &[fds, 1, timeout, 0, 0]), Ok(0));
}

#[test]
fn ppoll_with_too_many_descriptors_is_einval() {
    let guest = Guest::new();
    assert_eq!(guest.call(73, &[guest.memory, 1025, 0, 0, 0]), Err(Errno::EINVAL));
    assert_eq!(guest.call(73, &[16, 1, 0, 0, 0]), Err(Errno::EFAULT));
    assert_eq!(guest.call(73, &[guest.memory, 0, 0, guest.memory, 4]), Err(Errno::EINVAL));
}

#[test]
fn ppoll_lets_a_blocked_signal_through_and_keeps_the_mask_for_the_handler() {
    let guest = Guest::new();
    let blocked = crate::signal::Set::of(Number::SIGTERM);
    guest.task.set_blocked(blocked);
    send_to_process(&guest.kernel, &guest.task.process, Info::kernel(Number::SIGTERM));
    let mask = guest.put(64, &0_u64);
    assert_eq!(guest.call(73, &[0, 0, 0, mask, 8]), Err(Errno::EINTR));
    assert_eq!(guest.task.signals.lock().restore, Some(blocked));
}

#[test]
fn ppoll_puts_the_mask_back() {
    let guest = Guest::new();
    let fd = eventfd(&guest, 1);
    let fds = pollfd(&guest, 0, i32::try_from(fd).unwrap(), 1);
    let mask = guest.put(64, &u64::MAX);
    assert_eq!(guest.call(73, &[fds, 1, 0, mask, 8]), Ok(1));
    let signals = guest.task.signals.lock();
    assert!(signals.blocked.is_empty() && signals.restore.is_none());
}

#[test]
fn pselect_clears_what_is_not_ready() {
    let guest = Guest::new();
    let (zero, one) = (eventfd(&guest, 0), eventfd(&guest, 1));
    let both = 1_u64 << zero | 1 << one;
    let read = guest.put(0, &both);
    let write = guest.put(8, &both);
    assert_eq!(guest.call(72, &[8, read, write, 0, 0, 0]), Ok(3));
    assert_eq!(guest.get::<u64>(0), 1 << one);
    assert_eq!(guest.get::<u64>(8), both);
}

#[test]
fn pselect_of_a_closed_descriptor_is_ebadf() {
    let guest = Guest::new();
    let fd = eventfd(&guest, 0);
    let last = eventfd(&guest, 0);
    guest.close(fd);
    let read = guest.put(0, &(1_u64 << fd));
    assert_eq!(guest.call(72, &[last + 1, read, 0, 0, 0, 0]), Err(Errno::EBADF));
    assert_eq!(guest.call(72, &[u64::MAX, read, 0, 0, 0, 0]), Err(Errno::EINVAL));
    guest.put(0, &0_u64);
    guest.put(8, &(1_u64 << 35));
    assert_eq!(guest.call(72, &[100, read, 0, 0, 0, 0]), Err(Errno::EBADF));
}

fn epoll(guest: &Guest) -> u64 {
    guest.call(20, &[0]).unwrap()
}

fn control(guest: &Guest, epfd: u64, op: u64, fd: u64, events: u32) -> Result<u64, Errno> {
    let event = guest.put(1024, &EpollEvent { events, data: fd + 1000 });
    guest.call(21, &[epfd, op, fd, event])
}

fn events(guest: &Guest, epfd: u64, limit: u64) -> Vec<(u32, u64)> {
    let count = guest.call(22, &[epfd, guest.memory, limit, 0, 0, 0]).unwrap();
    let event = |i| guest.get::<EpollEvent>(i * EpollEvent::SIZE as u64);
    (0..count).map(|i| (event(i).events, event(i).data - 1000)).collect()
}

#[test]
fn a_level_triggered_file_is_told_of_until_it_is_read() {
    let guest = Guest::new();
    let (epfd, fd) = (epoll(&guest), eventfd(&guest, 0));
    assert_eq!(control(&guest, epfd, 1, fd, IN), Ok(0));
    assert_eq!(events(&guest, epfd, 8), []);
    add(&guest, fd)(1);
    assert_eq!(events(&guest, epfd, 8), [(IN, fd)]);
    assert_eq!(events(&guest, epfd, 8), [(IN, fd)]);
    guest.read(fd, 8).unwrap();
    assert_eq!(events(&guest, epfd, 8), []);
}

#[test]
fn an_edge_is_told_of_once() {
    let guest = Guest::new();
    let (epfd, fd) = (epoll(&guest), eventfd(&guest, 1));
    control(&guest, epfd, 1, fd, IN | EDGE).unwrap();
    assert_eq!(events(&guest, epfd, 8), [(IN, fd)]);
    assert_eq!(events(&guest, epfd, 8), []);
    add(&guest, fd)(1);
    assert_eq!(events(&guest, epfd, 8), [(IN, fd)]);
}

#[test]
fn a_one_shot_sleeps_until_it_is_modified() {
    let guest = Guest::new();
    let (epfd, fd) = (epoll(&guest), eventfd(&guest, 1));
    control(&guest, epfd, 1, fd, IN | ONESHOT).unwrap();
    assert_eq!(events(&guest, epfd, 8), [(IN, fd)]);
    add(&guest, fd)(1);
    assert_eq!(events(&guest, epfd, 8), []);
    control(&guest, epfd, 3, fd, IN | ONESHOT).unwrap();
    assert_eq!(events(&guest, epfd, 8), [(IN, fd)]);
}

#[test]
fn every_ready_file_gets_its_turn() {
    let guest = Guest::new();
    let epfd = epoll(&guest);
    let fds: Vec<u64> = (0..3).map(|_| eventfd(&guest, 1)).collect();
    for fd in &fds {
        control(&guest, epfd, 1, *fd, IN).unwrap();
    }
    let mut seen: Vec<u64> = (0..3).map(|_| events(&guest, epfd, 1)[0].1).collect();
    seen.sort_unstable();
    assert_eq!(seen, fds);
}

#[test]
fn epoll_wait_wakes_for_a_file_that_becomes_ready() {
    let guest = Guest::new();
    let (epfd, fd) = (epoll(&guest), eventfd(&guest, 0));
    control(&guest, epfd, 1, fd, IN).unwrap();
    let mut wait = guest.wait(22, &[epfd, guest.memory, 8, u64::MAX, 0, 0]);
    assert_eq!(wait.poll(), None);
    add(&guest, fd)(1);
    assert_eq!(wait.poll(), Some(Ok(1)));
    guest.read(fd, 8).unwrap();
    let mut wait = guest.wait(22, &[epfd, guest.memory, 8, 5, 0, 0]);
    assert_eq!(wait.poll(), None);
    guest.advance(5 * MS);
    assert_eq!(wait.poll(), Some(Ok(0)));
}

#[test]
fn a_closed_file_leaves_the_set() {
    let guest = Guest::new();
    let (epfd, fd) = (epoll(&guest), eventfd(&guest, 1));
    control(&guest, epfd, 1, fd, IN).unwrap();
    guest.close(fd);
    assert_eq!(events(&guest, epfd, 8), []);
    assert_eq!(control(&guest, epfd, 2, fd, 0), Err(Errno::EBADF));
    let again = eventfd(&guest, 1);
    assert_eq!(again, fd);
    assert_eq!(control(&guest, epfd, 1, fd, IN), Ok(0));
    assert_eq!(events(&guest, epfd, 8), [(IN, fd)]);
}

#[test]
fn epoll_control_checks_its_arguments() {
    let guest = Guest::new();
    let (epfd, fd) = (epoll(&guest), eventfd(&guest, 0));
    assert_eq!(control(&guest, epfd, 3, fd, IN), Err(Errno::ENOENT));
    assert_eq!(control(&guest, epfd, 2, fd, IN), Err(Errno::ENOENT));
    assert_eq!(control(&guest, epfd, 1, fd, IN), Ok(0));
    assert_eq!(control(&guest, epfd, 1, fd, IN), Err(Errno::EEXIST));
    assert_eq!(control(&guest, epfd, 1, epfd, IN), Err(Errno::EINVAL));
    assert_eq!(control(&guest, fd, 1, epfd, IN), Err(Errno::EINVAL));
    assert_eq!(control(&guest, epfd, 9, fd, IN), Err(Errno::EINVAL));
    assert_eq!(control(&guest, epfd, 3, fd, IN | EXCLUSIVE), Err(Errno::EINVAL));
    assert_eq!(guest.call(22, &[epfd, guest.memory, 0, 0, 0, 0]), Err(Errno::EINVAL));
    assert_eq!(guest.call(22, &[fd, guest.memory, 1, 0, 0, 0]), Err(Errno::EINVAL));
}

#[test]
fn epoll_sets_nest_but_not_in_circles() {
    let guest = Guest::new();
    let (outer, inner, fd) = (epoll(&guest), epoll(&guest), eventfd(&guest, 0));
    control(&guest, outer, 1, inner, IN).unwrap();
    assert_eq!(control(&guest, inner, 1, outer, IN), Err(Errno::ELOOP));
    control(&guest, inner, 1, fd, IN).unwrap();
    assert_eq!(events(&guest, outer, 8), []);
    add(&guest, fd)(1);
    assert_eq!(events(&guest, outer, 8), [(IN, inner)]);
    assert_eq!(events(&guest, inner, 8), [(IN, fd)]);
    guest.read(fd, 8).unwrap();
    assert_eq!(events(&guest, outer, 8), []);
}

#[test]
fn what_was_not_asked_for_is_not_told() {
    let guest = Guest::new();
    let (epfd, fd) = (epoll(&guest), eventfd(&guest, 1));
    control(&guest, epfd, 1, fd, OUT).unwrap();
    assert_eq!(events(&guest, epfd, 8), [(OUT, fd)]);
    control(&guest, epfd, 3, fd, 0).unwrap();
    assert_eq!(events(&guest, epfd, 8), []);
}

#[test]
fn a_timerfd_counts_expirations() {
    let guest = Guest::new();
    let fd = guest.call(85, &[1, 0]).unwrap();
    let spec = |value: u64, interval: u64| Itimerspec {
        it_interval: Timespec::from_ns_u64(interval),
        it_value: Timespec::from_ns_u64(value),
    };
    let new = guest.put(0, &spec(10 * MS, 5 * MS));
    assert_eq!(guest.call(86, &[fd, 0, new, 0]), Ok(0));
    assert_eq!(guest.read(fd, 8), Err(Errno::EAGAIN));
    guest.advance(21 * MS);
    assert_eq!(guest.read(fd, 8), Ok(3_u64.to_le_bytes().to_vec()));
    assert_eq!(guest.call(87, &[fd, guest.memory]), Ok(0));
    assert_eq!(guest.get::<Itimerspec>(0), spec(4 * MS, 5 * MS));
    let fds = pollfd(&guest, 0, i32::try_from(fd).unwrap(), 1);
    let mut wait = guest.wait(73, &[fds, 1, 0, 0, 0]);
    assert_eq!(wait.poll(), None);
    guest.advance(4 * MS);
    assert_eq!(wait.poll(), Some(Ok(1)));
    drop(wait);
    guest.close(fd);
    assert_eq!(guest.kernel.timers().next_deadline(), None);
}

#[test]
fn timerfd_refuses_clocks_without_timers() {
    let guest = Guest::new();
    assert_eq!(guest.call(85, &[2, 0]), Err(Errno::EINVAL));
    assert_eq!(guest.call(85, &[1, 1]), Err(Errno::EINVAL));
    let fd = eventfd(&guest, 0);
    assert_eq!(guest.call(87, &[fd, guest.memory]), Err(Errno::EINVAL));
}

#[test]
fn a_signalfd_gives_pending_signals() {
    let guest = Guest::new();
    guest.task.set_blocked(crate::signal::Set(u64::MAX));
    let mask = guest.put(0, &crate::signal::Set::of(Number::SIGTERM).0);
    let fd = guest.call(74, &[u64::MAX, mask, 8, 0]).unwrap();
    assert_eq!(guest.read(fd, 128), Err(Errno::EAGAIN));
    let fds = pollfd(&guest, 1, i32::try_from(fd).unwrap(), 1) + 8;
    let mut wait = guest.wait(73, &[fds, 1, 0, 0, 0]);
    assert_eq!(wait.poll(), None);
    send_to_process(&guest.kernel, &guest.task.process, Info::kernel(Number::SIGUSR1));
    assert_eq!(wait.poll(), None);
    send_to_process(&guest.kernel, &guest.task.process, Info::kernel(Number::SIGTERM));
    assert_eq!(wait.poll(), Some(Ok(1)));
    assert_eq!(guest.read(fd, 127), Err(Errno::EINVAL));
    let bytes = guest.read(fd, 300).unwrap();
    let info = <SignalfdSiginfo as Wire>::load(&bytes);
    assert_eq!((info.ssi_signo, info.ssi_code), (15, 0x80));
    assert!(!guest.pending().contains(Number::SIGTERM));
}
