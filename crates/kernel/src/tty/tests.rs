//! Terminals as programs see them: pairs, job control, hang-ups, the console.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;

use linux_abi::Errno;
use linux_abi::fcntl::OpenFlags;
use linux_abi::ioctl as cmd;
use machine::sync::Mutex;
use machine::{CharDev, GuestAddr, UserContext};

use super::file::{Device, TtyDriver, TtyFile};
use super::pty::PtmxDriver;
use super::termios::{Control, Local, Termios};
use crate::fs::{Caller, CharDriver, File, FileOps, Opening, PollEvents};
use crate::signal::{Action, Number};
use crate::syscall::{Cx, Outcome};
use crate::testing_task::Guest;

fn opening<T>(guest: &Guest, flags: OpenFlags, act: impl FnOnce(&Opening<'_>) -> T) -> T {
    let caller = Caller::of(&guest.kernel, &guest.task);
    let path = guest.kernel.vfs().root();
    act(&Opening { caller: &caller, flags, path: &path })
}

fn insert(guest: &Guest, ops: Arc<dyn FileOps>, flags: OpenFlags) -> u64 {
    let file = File::new(&guest.kernel, guest.kernel.vfs().root(), ops, flags);
    let fd = guest.task.files().insert(&guest.task, file, false).unwrap();
    u64::try_from(fd).unwrap()
}

fn open_master(guest: &Guest) -> u64 {
    let flags = OpenFlags::O_RDWR;
    let ops = opening(guest, flags, |opening| PtmxDriver.open(opening, 2)).unwrap();
    insert(guest, ops, flags)
}

fn open_slave(guest: &Guest, number: u32, flags: OpenFlags) -> Result<u64, Errno> {
    let driver = TtyDriver(Device::Slave);
    let ops = opening(guest, flags, |opening| driver.open(opening, number)).map_err(|error| error.errno)?;
    Ok(insert(guest, ops, flags))
}

fn ioctl(guest: &Guest, fd: u64, command: u32, arg: u64) -> Result<u64, Errno> {
    let file = guest.task.files().get(i32::try_from(fd).unwrap()).unwrap();
    let mut context = UserContext::new(0, 0);
    let mut cx = Cx { kernel: &guest.kernel, task: &guest.task, regs: &mut context };
    match file.ops().ioctl(&file, &mut cx, command, GuestAddr(arg)) {
        Outcome::Done(result) => result.map_err(|error| error.errno),
        other => panic!("{command:#x} gave {other:?}"),
    }
}

fn poll(guest: &Guest, fd: u64) -> PollEvents {
    guest.task.files().get(i32::try_from(fd).unwrap()).unwrap().poll()
}

/// A pair, unlocked; the caller leads session 1 and gets the slave as its
/// terminal.
fn pair(guest: &Guest) -> (u64, u64) {
    let master = open_master(guest);
    let zero = guest.put(0, &0_u32);
    assert_eq!(ioctl(guest, master, cmd::TIOCSPTLCK, zero), Ok(0));
    assert_eq!(ioctl(guest, master, cmd::TIOCGPTN, guest.memory), Ok(0));
    let slave = open_slave(guest, guest.get(0), OpenFlags::O_RDWR).unwrap();
    (master, slave)
}

fn settings(guest: &Guest, fd: u64) -> Termios {
    assert_eq!(ioctl(guest, fd, cmd::TCGETS2, guest.memory), Ok(0));
    Termios::from_bytes2(&guest.get::<[u8; Termios::SIZE2]>(0), &Termios::default())
}

fn set(guest: &Guest, fd: u64, change: impl FnOnce(&mut Termios)) {
    let mut termios = settings(guest, fd);
    change(&mut termios);
    let at = guest.put(0, &termios.to_bytes2());
    assert_eq!(ioctl(guest, fd, cmd::TCSETS2, at), Ok(0));
}

fn raw(min: u8, time: u8) -> impl FnOnce(&mut Termios) {
    move |termios| {
        termios.local = Local::empty();
        termios.characters[Control::VMIN as usize] = min;
        termios.characters[Control::VTIME as usize] = time;
    }
}

#[test]
fn a_line_typed_at_the_master_is_echoed_and_read() {
    let guest = Guest::new();
    let (master, slave) = pair(&guest);
    assert_eq!(guest.read(slave, 100), Err(Errno::EAGAIN));
    assert_eq!(guest.write(master, b"hi\r"), Ok(3));
    assert_eq!(guest.read(master, 100).unwrap(), b"hi\r\n");
    assert_eq!(guest.read(slave, 100).unwrap(), b"hi\n");
    assert_eq!(guest.write(slave, b"ok\n"), Ok(3));
    assert_eq!(guest.read(master, 100).unwrap(), b"ok\r\n");
    assert_eq!(guest.read(master, 100), Err(Errno::EAGAIN));
}

#[test]
fn a_locked_slave_cannot_be_opened() {
    let guest = Guest::new();
    let master = open_master(&guest);
    assert_eq!(open_slave(&guest, 0, OpenFlags::O_RDWR), Err(Errno::EIO));
    guest.close(master);
    assert_eq!(open_slave(&guest, 0, OpenFlags::O_RDWR), Err(Errno::ENXIO));
}

#[test]
fn numbers_are_used_again() {
    let guest = Guest::new();
    let number = |fd| {
        ioctl(&guest, fd, cmd::TIOCGPTN, guest.memory).unwrap();
        guest.get::<u32>(0)
    };
    let (first, second) = (open_master(&guest), open_master(&guest));
    assert_eq!((number(first), number(second)), (0, 1));
    guest.close(first);
    assert_eq!(number(open_master(&guest)), 0);
}

#[test]
fn the_interrupt_character_signals_the_foreground_group() {
    let guest = Guest::new();
    let (master, slave) = pair(&guest);
    let job = guest.sibling(2, 1, 2, 1);
    let group = guest.put(0, &2_u32);
    assert_eq!(ioctl(&guest, slave, cmd::TIOCSPGRP, group), Ok(0));
    guest.write(master, b"\x03").unwrap();
    assert!(job.pending().contains(Number::SIGINT));
    assert!(guest.pending().is_empty());
    assert_eq!(guest.read(master, 100).unwrap(), b"^C");
}

#[test]
fn a_background_read_stops_its_group() {
    let guest = Guest::new();
    let (master, _) = pair(&guest);
    let job = guest.sibling(2, 1, 2, 1);
    let slave = open_slave(&job, 0, OpenFlags::O_RDWR).unwrap();
    guest.write(master, b"x\n").unwrap();
    assert_eq!(job.read(slave, 100), Err(Errno::EINTR));
    assert!(job.pending().contains(Number::SIGTTIN));
    job.take_signal(Number::SIGTTIN);
    job.task.set_blocked(crate::signal::Set::of(Number::SIGTTIN));
    assert_eq!(job.read(slave, 100), Err(Errno::EIO));
}

#[test]
fn a_background_read_of_an_orphaned_group_is_eio() {
    let guest = Guest::new();
    pair(&guest);
    let job = guest.sibling(2, 77, 2, 1);
    let slave = open_slave(&job, 0, OpenFlags::O_RDWR).unwrap();
    assert_eq!(job.read(slave, 100), Err(Errno::EIO));
    assert!(job.pending().is_empty());
}

#[test]
fn a_background_write_stops_its_group_only_with_tostop() {
    let guest = Guest::new();
    let (_, slave) = pair(&guest);
    let job = guest.sibling(2, 1, 2, 1);
    let fd = open_slave(&job, 0, OpenFlags::O_RDWR).unwrap();
    assert_eq!(job.write(fd, b"x"), Ok(1));
    set(&guest, slave, |termios| termios.local |= Local::TOSTOP);
    assert_eq!(job.write(fd, b"x"), Err(Errno::EINTR));
    assert!(job.pending().contains(Number::SIGTTOU));
    job.take_signal(Number::SIGTTOU);
    job.task.process.actions.lock().lock()[21].handler = Action::IGNORE;
    assert_eq!(job.write(fd, b"x"), Ok(1));
}

#[test]
fn background_settings_are_refused_like_writes() {
    let guest = Guest::new();
    pair(&guest);
    let job = guest.sibling(2, 1, 2, 1);
    let fd = open_slave(&job, 0, OpenFlags::O_RDWR).unwrap();
    let at = job.put(0, &Termios::default().to_bytes2());
    assert_eq!(ioctl(&job, fd, cmd::TCSETS2, at), Err(Errno::EINTR));
    assert!(job.pending().contains(Number::SIGTTOU));
}

#[test]
fn the_foreground_group_must_be_of_the_session() {
    let guest = Guest::new();
    let (_, slave) = pair(&guest);
    let other = guest.sibling(3, 1, 3, 3);
    let try_group = |group: i32| {
        let at = guest.put(0, &group);
        ioctl(&guest, slave, cmd::TIOCSPGRP, at)
    };
    assert_eq!(try_group(3), Err(Errno::EPERM));
    assert_eq!(try_group(99), Err(Errno::ESRCH));
    assert_eq!(try_group(-4), Err(Errno::EINVAL));
    let theirs = open_slave(&other, 0, OpenFlags::O_RDWR | OpenFlags::O_NOCTTY).unwrap();
    assert_eq!(ioctl(&other, theirs, cmd::TIOCGPGRP, other.memory), Err(Errno::ENOTTY));
    assert_eq!(ioctl(&guest, slave, cmd::TIOCGPGRP, guest.memory), Ok(0));
    assert_eq!(guest.get::<u32>(0), 1);
    assert_eq!(ioctl(&guest, slave, cmd::TIOCGSID, guest.memory), Ok(0));
    assert_eq!(guest.get::<u32>(0), 1);
}

#[test]
fn a_terminal_has_one_session_and_a_session_one_terminal() {
    let guest = Guest::new();
    let (_, slave) = pair(&guest);
    let leader = guest.sibling(5, 1, 5, 5);
    let fd = open_slave(&leader, 0, OpenFlags::O_RDWR).unwrap();
    leader.task.set_creds(crate::task::Creds::new(1000, 1000));
    assert_eq!(ioctl(&leader, fd, cmd::TIOCSCTTY, 1), Err(Errno::EPERM));
    assert_eq!(ioctl(&guest, slave, cmd::TIOCSCTTY, 0), Ok(0));
    assert_eq!(ioctl(&guest, slave, cmd::TIOCNOTTY, 0), Ok(0));
    assert!(guest.pending().contains(Number::SIGHUP));
    assert_eq!(ioctl(&guest, slave, cmd::TIOCNOTTY, 0), Err(Errno::ENOTTY));
    assert_eq!(ioctl(&leader, fd, cmd::TIOCSCTTY, 0), Ok(0));
    let member = leader.sibling(6, 5, 6, 5);
    let fd = open_slave(&member, 0, OpenFlags::O_RDWR).unwrap();
    assert_eq!(ioctl(&member, fd, cmd::TIOCSCTTY, 0), Err(Errno::EPERM));
}

#[test]
fn dev_tty_is_the_terminal_of_the_session() {
    let guest = Guest::new();
    let driver = TtyDriver(Device::Own);
    let open = || opening(&guest, OpenFlags::O_RDWR, |opening| driver.open(opening, 0)).map_err(|error| error.errno);
    assert_eq!(open().err(), Some(Errno::ENXIO));
    let (master, _) = pair(&guest);
    let own = insert(&guest, open().unwrap(), OpenFlags::O_RDWR);
    guest.write(own, b"to me").unwrap();
    assert_eq!(guest.read(master, 100).unwrap(), b"to me");
}

#[test]
fn a_changed_window_size_is_told_once() {
    let guest = Guest::new();
    let (master, slave) = pair(&guest);
    let size = guest.put(64, &[24_u16, 80, 0, 0]);
    assert_eq!(ioctl(&guest, master, cmd::TIOCSWINSZ, size), Ok(0));
    assert!(guest.take_signal(Number::SIGWINCH).is_none(), "SIGWINCH is ignored by default");
    guest.task.process.actions.lock().lock()[27].handler = 0x1000;
    assert_eq!(ioctl(&guest, slave, cmd::TIOCSWINSZ, size), Ok(0));
    assert!(guest.take_signal(Number::SIGWINCH).is_none());
    let size = guest.put(64, &[25_u16, 80, 0, 0]);
    assert_eq!(ioctl(&guest, master, cmd::TIOCSWINSZ, size), Ok(0));
    assert!(guest.take_signal(Number::SIGWINCH).is_some());
    assert_eq!(ioctl(&guest, slave, cmd::TIOCGWINSZ, guest.memory), Ok(0));
    assert_eq!(guest.get::<[u16; 4]>(0), [25, 80, 0, 0]);
}

#[test]
fn closing_the_master_hangs_up() {
    let guest = Guest::new();
    let (master, slave) = pair(&guest);
    guest.write(master, b"lost\n").unwrap();
    guest.close(master);
    assert!(guest.pending().contains(Number::SIGHUP));
    assert_eq!(guest.read(slave, 10), Ok(Vec::new()));
    assert_eq!(guest.write(slave, b"x"), Err(Errno::EIO));
    assert_eq!(ioctl(&guest, slave, cmd::TCGETS, guest.memory), Err(Errno::EIO));
    assert!(poll(&guest, slave).contains(PollEvents::POLLHUP | PollEvents::POLLIN));
    assert_eq!(
        opening(&guest, OpenFlags::O_RDWR, |o| TtyDriver(Device::Own).open(o, 0)).err().unwrap().errno,
        Errno::ENXIO
    );
}

#[test]
fn a_master_sees_the_slave_go_and_come() {
    let guest = Guest::new();
    let (master, slave) = pair(&guest);
    guest.write(slave, b"bye").unwrap();
    assert!(!poll(&guest, master).contains(PollEvents::POLLHUP));
    guest.close(slave);
    assert!(poll(&guest, master).contains(PollEvents::POLLHUP | PollEvents::POLLIN));
    assert_eq!(guest.read(master, 100).unwrap(), b"bye");
    assert_eq!(guest.read(master, 100), Err(Errno::EIO));
    open_slave(&guest, 0, OpenFlags::O_RDWR).unwrap();
    assert_eq!(guest.read(master, 100), Err(Errno::EAGAIN));
}

#[test]
fn a_master_sees_the_last_file_go_that_was_hung_up() {
    let guest = Guest::new();
    let (master, slave) = pair(&guest);
    assert_eq!(guest.call(58, &[]), Ok(0));
    assert_eq!(guest.read(master, 100), Err(Errno::EAGAIN));
    guest.close(slave);
    assert_eq!(guest.read(master, 100), Err(Errno::EIO));
}

#[test]
fn a_slave_waits_for_its_master_to_read() {
    let guest = Guest::new();
    let (master, slave) = pair(&guest);
    let mut written = 0;
    while let Ok(count) = guest.write(slave, &[b'x'; 5000]) {
        written += count;
        assert!(written < 1 << 20, "the output is not bounded");
    }
    assert_eq!(guest.write(slave, b"x"), Err(Errno::EAGAIN));
    assert!(!poll(&guest, slave).contains(PollEvents::POLLOUT));
    let mut read = 0;
    while let Ok(bytes) = guest.read(master, 4096) {
        read += bytes.len();
    }
    assert_eq!(read, written);
    assert!(poll(&guest, slave).contains(PollEvents::POLLOUT));
}

#[test]
fn a_master_waits_for_the_slave_to_read() {
    let guest = Guest::new();
    let (master, slave) = pair(&guest);
    set(&guest, slave, raw(1, 0));
    let mut written = 0;
    while let Ok(count) = guest.write(master, &[b'x'; 5000]) {
        written += count;
        assert!(written < 1 << 20, "the input is not bounded");
    }
    assert!(!poll(&guest, master).contains(PollEvents::POLLOUT));
    let mut read = 0;
    while let Ok(bytes) = guest.read(slave, 100_000) {
        read += bytes.len();
    }
    assert_eq!(read, written);
}

#[test]
fn stopped_output_waits_and_its_echo_with_it() {
    let guest = Guest::new();
    let (master, slave) = pair(&guest);
    guest.write(master, b"\x13a").unwrap();
    assert_eq!(guest.write(slave, b"x"), Err(Errno::EAGAIN));
    assert_eq!(guest.read(master, 10), Err(Errno::EAGAIN));
    guest.write(master, b"\x11").unwrap();
    assert_eq!(guest.read(master, 10).unwrap(), b"a");
    assert_eq!(ioctl(&guest, slave, cmd::TCXONC, 0), Ok(0));
    assert_eq!(guest.write(slave, b"x"), Err(Errno::EAGAIN));
    assert_eq!(ioctl(&guest, slave, cmd::TCXONC, 1), Ok(0));
    assert_eq!(guest.write(slave, b"x"), Ok(1));
    assert_eq!(ioctl(&guest, slave, cmd::TCXONC, 9), Err(Errno::EINVAL));
}

#[test]
fn packet_mode_tells_of_flushes_and_flow() {
    let guest = Guest::new();
    let (master, slave) = pair(&guest);
    let on = guest.put(0, &1_u32);
    assert_eq!(ioctl(&guest, master, cmd::TIOCPKT, on), Ok(0));
    guest.write(slave, b"hi").unwrap();
    assert_eq!(guest.read(master, 100).unwrap(), b"\0hi");
    assert_eq!(ioctl(&guest, slave, cmd::TCFLSH, 2), Ok(0));
    assert!(poll(&guest, master).contains(PollEvents::POLLPRI));
    assert_eq!(guest.read(master, 100).unwrap(), [3]);
    set(&guest, slave, |termios| termios.input = super::termios::Input::empty());
    assert_eq!(guest.read(master, 100).unwrap(), [16]);
    assert_eq!(guest.read(master, 100), Err(Errno::EAGAIN));
}

#[test]
fn a_raw_read_waits_for_vmin_bytes() {
    let guest = Guest::new();
    let (master, slave) = pair(&guest);
    set(&guest, slave, raw(3, 0));
    guest.write(master, b"ab").unwrap();
    assert_eq!(guest.read(slave, 10), Err(Errno::EAGAIN));
    assert_eq!(guest.read(slave, 2).unwrap(), b"ab");
    guest.write(master, b"cdef").unwrap();
    assert_eq!(guest.read(slave, 10).unwrap(), b"cdef");
    set(&guest, slave, raw(0, 0));
    assert_eq!(guest.read(slave, 10), Ok(Vec::new()));
}

#[test]
fn vtime_limits_the_wait() {
    const TENTH: u64 = 100_000_000;
    let guest = Guest::new();
    let (master, slave) = pair(&guest);
    let file = guest.task.files().get(i32::try_from(slave).unwrap()).unwrap();
    let deadline = |since| file.ops().read_deadline(&file, since);
    let now = guest.kernel.now_ns();
    assert_eq!(deadline(now), None, "lines have no timer");
    set(&guest, slave, raw(0, 5));
    assert_eq!(guest.read(slave, 10), Err(Errno::EAGAIN));
    assert_eq!(deadline(now), Some(now + 5 * TENTH));
    set(&guest, slave, raw(4, 2));
    assert_eq!(deadline(now), None, "the timer starts with the first byte");
    guest.advance(TENTH);
    guest.write(master, b"a").unwrap();
    assert_eq!(deadline(now), Some(now + 3 * TENTH));
    assert_eq!(guest.read(slave, 10), Err(Errno::EAGAIN));
}

#[test]
fn a_timed_read_gives_up_or_gives_what_there_is() {
    const TENTH: u64 = 100_000_000;
    let guest = Guest::new();
    let (master, slave) = pair(&guest);
    set(&guest, slave, raw(0, 5));
    let mut read = guest.wait(63, &[slave, guest.memory, 10]);
    guest.advance(4 * TENTH);
    assert_eq!(read.poll(), None);
    guest.advance(TENTH);
    assert_eq!(read.poll(), Some(Ok(0)));
    set(&guest, slave, raw(4, 2));
    let mut read = guest.wait(63, &[slave, guest.memory, 10]);
    guest.advance(9 * TENTH);
    assert_eq!(read.poll(), None);
    guest.write(master, b"a").unwrap();
    assert_eq!(read.poll(), None);
    guest.advance(TENTH);
    guest.write(master, b"b").unwrap();
    assert_eq!(read.poll(), None);
    guest.advance(2 * TENTH);
    assert_eq!(read.poll(), Some(Ok(2)));
    assert_eq!(guest.get::<[u8; 2]>(0), *b"ab");
}

#[test]
fn a_flush_drops_what_was_typed() {
    let guest = Guest::new();
    let (master, slave) = pair(&guest);
    guest.write(master, b"one\ntwo\n").unwrap();
    assert_eq!(ioctl(&guest, slave, cmd::FIONREAD, guest.memory), Ok(0));
    assert_eq!(guest.get::<u32>(0), 8);
    assert_eq!(ioctl(&guest, slave, cmd::TCFLSH, 0), Ok(0));
    assert_eq!(guest.read(slave, 10), Err(Errno::EAGAIN));
    guest.write(master, b"three\n").unwrap();
    let at = guest.put(0, &settings(&guest, slave).to_bytes2());
    assert_eq!(ioctl(&guest, slave, cmd::TCSETSF2, at), Ok(0));
    assert_eq!(guest.read(slave, 10), Err(Errno::EAGAIN));
}

#[test]
fn input_cannot_be_faked() {
    let guest = Guest::new();
    let (_, slave) = pair(&guest);
    assert_eq!(ioctl(&guest, slave, cmd::TIOCSTI, guest.memory), Err(Errno::EIO));
    assert_eq!(ioctl(&guest, slave, 0x1234, guest.memory), Err(Errno::ENOTTY));
}

#[test]
fn an_exclusive_terminal_is_busy_for_others() {
    let guest = Guest::new();
    let (_, slave) = pair(&guest);
    assert_eq!(ioctl(&guest, slave, cmd::TIOCEXCL, 0), Ok(0));
    assert!(open_slave(&guest, 0, OpenFlags::O_RDWR).is_ok());
    guest.task.set_creds(crate::task::Creds::new(1000, 1000));
    assert_eq!(open_slave(&guest, 0, OpenFlags::O_RDWR), Err(Errno::EBUSY));
}

/// A console that a test types at.
#[derive(Default)]
struct FakeConsole {
    input: Mutex<VecDeque<u8>>,
    output: Mutex<Vec<u8>>,
    size: Mutex<(u16, u16)>,
    has_ended: Mutex<bool>,
    notify: Mutex<Option<Box<dyn Fn() + Send + Sync>>>,
}

impl FakeConsole {
    fn news(&self, guest: &Guest) {
        (self.notify.lock().as_ref().unwrap())();
        guest.kernel.drain_events();
    }

    fn type_in(&self, guest: &Guest, bytes: &[u8]) {
        self.input.lock().extend(bytes);
        self.news(guest);
    }
}

impl CharDev for FakeConsole {
    fn read(&self, buf: &mut [u8]) -> Result<usize, ()> {
        let mut input = self.input.lock();
        let count = buf.len().min(input.len());
        for (slot, byte) in buf.iter_mut().zip(input.drain(..count)) {
            *slot = byte;
        }
        if count == 0 && *self.has_ended.lock() { Err(()) } else { Ok(count) }
    }

    fn write(&self, buf: &[u8]) -> usize {
        self.output.lock().extend(buf);
        buf.len()
    }

    fn window_size(&self) -> Option<(u16, u16)> {
        Some(*self.size.lock())
    }

    fn set_notify(&self, notify: Box<dyn Fn() + Send + Sync>) {
        *self.notify.lock() = Some(notify);
    }
}

fn with_console(guest: &Guest) -> (Arc<FakeConsole>, u64) {
    let device = Arc::new(FakeConsole::default());
    guest.kernel.attach_console(device.clone());
    guest.kernel.give_console(1);
    let file = guest.kernel.open_console().unwrap();
    let fd = guest.task.files().insert(&guest.task, file, false).unwrap();
    (device, u64::try_from(fd).unwrap())
}

#[test]
fn the_console_reads_and_writes_its_device() {
    let guest = Guest::new();
    let (device, fd) = with_console(&guest);
    device.type_in(&guest, b"ls\r");
    assert_eq!(guest.read(fd, 100).unwrap(), b"ls\n");
    assert_eq!(guest.write(fd, b"done\n"), Ok(5));
    assert_eq!(*device.output.lock(), b"ls\r\ndone\r\n");
    device.type_in(&guest, b"\x03");
    assert!(guest.pending().contains(Number::SIGINT));
}

#[test]
fn the_console_takes_more_once_there_is_room() {
    let guest = Guest::new();
    let (device, fd) = with_console(&guest);
    set(&guest, fd, raw(1, 0));
    device.type_in(&guest, &[b'x'; 10_000]);
    assert!(!device.input.lock().is_empty());
    let mut total = 0;
    while let Ok(bytes) = guest.read(fd, 1000) {
        total += bytes.len();
    }
    assert_eq!(total, 10_000);
}

#[test]
fn the_window_of_the_console_is_the_devices() {
    let guest = Guest::new();
    let (device, fd) = with_console(&guest);
    guest.task.process.actions.lock().lock()[27].handler = 0x1000;
    *device.size.lock() = (50, 132);
    device.news(&guest);
    assert!(guest.take_signal(Number::SIGWINCH).is_some());
    device.news(&guest);
    assert!(guest.take_signal(Number::SIGWINCH).is_none());
    assert_eq!(ioctl(&guest, fd, cmd::TIOCGWINSZ, guest.memory), Ok(0));
    assert_eq!(guest.get::<[u16; 4]>(0), [50, 132, 0, 0]);
}

#[test]
fn the_end_of_the_consoles_input_hangs_up_once() {
    let guest = Guest::new();
    let (device, fd) = with_console(&guest);
    *device.has_ended.lock() = true;
    device.news(&guest);
    assert!(guest.take_signal(Number::SIGHUP).is_some());
    assert_eq!(guest.read(fd, 10), Ok(Vec::new()));
    assert!(poll(&guest, fd).contains(PollEvents::POLLIN | PollEvents::POLLHUP));
    device.news(&guest);
    assert!(guest.take_signal(Number::SIGHUP).is_none());
}

#[test]
fn a_hang_up_spares_dev_console_and_later_opens() {
    let guest = Guest::new();
    let (device, console) = with_console(&guest);
    let tty = guest.kernel.terminals().console().unwrap();
    let first = insert(&guest, TtyFile::open(tty.clone(), false, true).unwrap(), OpenFlags::O_RDWR);
    assert_eq!(guest.call(58, &[]), Ok(0));
    let later = insert(&guest, TtyFile::open(tty, false, true).unwrap(), OpenFlags::O_RDWR);
    assert_eq!(guest.write(first, b"1"), Err(Errno::EIO));
    assert_eq!(guest.write(console, b"2"), Ok(1));
    assert_eq!(guest.write(later, b"3"), Ok(1));
    assert_eq!(*device.output.lock(), b"23");
}

#[test]
fn devpts_shows_the_terminals_that_exist() {
    let guest = Guest::new();
    let kind = super::devpts::DevPtsType;
    let fs = crate::fs::FileSystemType::mount(&kind, &guest.kernel, b"", b"gid=5,mode=620,ptmxmode=666").unwrap();
    let caller = Caller::of(&guest.kernel, &guest.task);
    let names = || {
        let mut names = Vec::new();
        fs.root()
            .read_dir(0, &caller, &mut |entry| {
                names.push(entry.name.to_vec());
                true
            })
            .unwrap();
        names
    };
    assert_eq!(names(), [b"ptmx".to_vec()]);
    let master = open_master(&guest);
    assert_eq!(names(), [b"ptmx".to_vec(), b"0".to_vec()]);
    let attr = fs.root().lookup(b"0", &caller).unwrap().attr().unwrap();
    assert_eq!((attr.mode, attr.gid, attr.rdev), (0o620, 5, 136 << 8));
    for name in [&b"1"[..], b"00", b"+0", b"x"] {
        assert!(fs.root().lookup(name, &caller).is_err());
    }
    guest.close(master);
    assert!(fs.root().lookup(b"0", &caller).is_err());
    assert!(crate::fs::FileSystemType::mount(&kind, &guest.kernel, b"", b"size=1").is_err());
}
