//! The terminal in raw mode, and restored however the process ends.
//!
//! Each test runs `child` below in a process of its own, on a pseudo-terminal
//! that is its controlling one.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use machine::CharDev;
use machine_hosted::Console;
use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, OutputModes, Termios, Winsize, tcgetattr, tcsetattr, tcsetwinsize};

/// What a child process does on its terminal; not a test by itself.
#[test]
#[ignore = "run by the other tests, on a terminal"]
#[expect(clippy::disallowed_methods, reason = "the parent tells its child so what to do")]
fn child() {
    let fd = |fd: std::os::fd::BorrowedFd<'_>| fd.try_clone_to_owned().unwrap();
    let console = Console::terminal(fd(std::io::stdin().as_fd()), fd(std::io::stdout().as_fd())).unwrap();
    let (sender, told) = mpsc::channel();
    console.set_notify(Box::new(move || {
        let _ = sender.send(());
    }));
    console.write(format!("ready {}\n", std::process::id()).as_bytes());
    match std::env::var("VAMBRACE_TEST_CHILD").unwrap().as_str() {
        "exit" => std::process::exit(7),
        "return" => {}
        "panic" => panic!("on purpose"),
        "abort" => std::process::abort(),
        "overflow" => assert!(overflow(0) > 0),
        "echo" => loop {
            told.recv().unwrap();
            let mut buf = [0; 100];
            let count = console.read(&mut buf).unwrap_or(0);
            console.write(format!("{:?} {:?}\n", &buf[..count], console.window_size()).as_bytes());
        },
        _ => std::thread::sleep(Duration::from_secs(60)),
    }
}

#[expect(unconditional_recursion, reason = "the stack is to overflow")]
fn overflow(depth: u64) -> u64 {
    let room = [depth; 512];
    std::hint::black_box(&room);
    overflow(depth + 1) + room[0]
}

struct Terminal {
    master: File,
    slave: OwnedFd,
    /// The session's leader: the child, or a shell that runs it as a job.
    leader: Child,
    /// The child.
    pid: Pid,
    before: String,
}

fn modes(fd: &OwnedFd) -> Termios {
    tcgetattr(fd).unwrap()
}

impl Terminal {
    fn start(what: &str) -> Self {
        let this = std::env::current_exe().unwrap();
        Self::start_with(Command::new(this), what)
    }

    /// The child as a job of a shell, which gives it the terminal back each
    /// time a line is typed.
    fn start_as_job(what: &str) -> Self {
        let mut shell = Command::new("sh");
        shell.args(["-c", r#"set -m; "$0" "$@"; read x; fg; read x; fg"#]).arg(std::env::current_exe().unwrap());
        Self::start_with(shell, what)
    }

    fn start_with(mut command: Command, what: &str) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let flags = rustix::fs::OFlags::RDWR | rustix::fs::OFlags::NOCTTY | rustix::fs::OFlags::CLOEXEC;
        let slave = rustix::fs::open(name, flags, rustix::fs::Mode::empty()).unwrap();
        // Something that is not the default, so that defaults do not pass for it.
        let mut unusual = modes(&slave);
        unusual.local_modes.remove(LocalModes::ECHOK);
        unusual.output_modes.insert(OutputModes::ONLCR | OutputModes::OPOST);
        tcsetattr(&slave, rustix::termios::OptionalActions::Now, &unusual).unwrap();
        let before = format!("{:?}", modes(&slave));

        command
            .args(["--exact", "child", "--ignored", "--nocapture", "--test-threads=1"])
            .env("VAMBRACE_TEST_CHILD", what);
        let end = || Stdio::from(slave.try_clone().unwrap());
        command.stdin(end()).stdout(end()).stderr(Stdio::null());
        // SAFETY: the calls may be made between fork and exec.
        unsafe {
            command.pre_exec(|| {
                // Some of the signals would dump core, which takes a busy disk long.
                let none = Rlimit { current: Some(0), maximum: Some(0) };
                rustix::process::setrlimit(Resource::Core, none)?;
                // `nohup` would leave it ignored, and an ignored signal ends nothing.
                libc::signal(libc::SIGHUP, libc::SIG_DFL);
                rustix::process::setsid()?;
                rustix::process::ioctl_tiocsctty(rustix::stdio::stdin())?;
                Ok(())
            });
        }
        let leader = command.spawn().unwrap();
        let pid = Pid::from_child(&leader);
        let mut terminal = Self { master: File::from(master), slave, leader, pid, before };
        terminal.wait_for("ready ");
        let digits = terminal.wait_for("\n");
        terminal.pid = digits.trim().parse().ok().and_then(Pid::from_raw).unwrap();
        terminal
    }

    /// Reads the output until `text` has come, and gives all of it.
    fn wait_for(&mut self, text: &str) -> String {
        let (deadline, mut all) = (Instant::now() + Duration::from_secs(10), String::new());
        while !all.contains(text) {
            assert!(Instant::now() < deadline, "no {text:?} in {all:?}");
            let mut fds = [rustix::event::PollFd::new(&self.master, rustix::event::PollFlags::IN)];
            let second = rustix::event::Timespec { tv_sec: 1, tv_nsec: 0 };
            if rustix::event::poll(&mut fds, Some(&second)).unwrap() > 0 {
                // One at a time: what follows the text is for the next call.
                let mut byte = [0];
                self.master.read_exact(&mut byte).unwrap();
                all.push(char::from(byte[0]));
            }
        }
        all
    }

    fn is_raw(&self) -> bool {
        let modes = modes(&self.slave);
        !modes.local_modes.intersects(LocalModes::ICANON | LocalModes::ISIG | LocalModes::ECHO)
            && !modes.output_modes.contains(OutputModes::OPOST)
    }

    fn is_restored(&self) -> bool {
        format!("{:?}", modes(&self.slave)) == self.before
    }

    fn kill(&self, signal: Signal) {
        kill_process(self.pid, signal).unwrap();
    }

    fn wait(&mut self) -> ExitStatus {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            if let Some(status) = self.leader.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "the child does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn wait_until(&self, what: &str, mut condition: impl FnMut(&Self) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while !condition(self) {
            assert!(Instant::now() < deadline, "never: {what}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        drop(self.leader.kill());
        drop(self.leader.wait());
    }
}

#[test]
fn modes_come_back_when_the_process_ends_by_itself() {
    for what in ["exit", "return", "panic", "abort", "overflow"] {
        let mut terminal = Terminal::start(what);
        let status = terminal.wait();
        assert!(terminal.is_restored(), "{what}: {:?}", modes(&terminal.slave));
        match what {
            "exit" => assert_eq!(status.code(), Some(7)),
            "abort" | "overflow" => assert_eq!(status.signal(), Some(Signal::ABORT.as_raw()), "{what}"),
            _ => {}
        }
    }
}

#[test]
fn modes_come_back_when_a_signal_ends_the_process_and_the_status_says_so() {
    for signal in [Signal::TERM, Signal::HUP, Signal::INT, Signal::QUIT, Signal::USR1, Signal::SEGV, Signal::BUS] {
        let mut terminal = Terminal::start("sleep");
        assert!(terminal.is_raw());
        terminal.kill(signal);
        let status = terminal.wait();
        assert_eq!(status.signal(), Some(signal.as_raw()), "{signal:?}");
        assert!(terminal.is_restored(), "{signal:?}: {:?}", modes(&terminal.slave));
    }
}

#[test]
fn control_characters_reach_the_guest_and_nothing_is_translated() {
    let mut terminal = Terminal::start("echo");
    assert!(terminal.is_raw());
    terminal.master.write_all(&[3, 26, 28, 13, 4, 255, 0]).unwrap();
    let text = terminal.wait_for("]");
    assert!(text.contains("[3, 26, 28, 13, 4, 255, 0]"), "{text:?}");
    assert!(!text.contains('\r'), "output is not translated: {text:?}");
}

#[test]
fn the_guest_is_told_of_a_new_window_size() {
    let mut terminal = Terminal::start("echo");
    let size = |ws_row, ws_col| Winsize { ws_row, ws_col, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(&terminal.slave, size(33, 99)).unwrap();
    terminal.wait_for("Some((33, 99))");
    tcsetwinsize(&terminal.slave, size(24, 80)).unwrap();
    terminal.wait_for("Some((24, 80))");
}

#[test]
fn a_stopped_job_gives_the_terminal_back_until_it_is_in_the_foreground_again() {
    let mut terminal = Terminal::start_as_job("echo");
    // Twice, so that the handler is known to be in place again.
    for _ in 0..2 {
        assert!(terminal.is_raw());
        terminal.kill(Signal::TSTP);
        terminal.wait_until("stopped with its modes restored", |terminal| {
            let stat = std::fs::read_to_string(format!("/proc/{}/stat", terminal.pid.as_raw_nonzero())).unwrap();
            let stopped = stat.rsplit(") ").next().unwrap().starts_with('T');
            // And the shell has noticed.
            let shell = rustix::termios::tcgetpgrp(&terminal.master).ok() == Some(Pid::from_child(&terminal.leader));
            stopped && shell && terminal.is_restored()
        });
        // Continued in the background, it leaves the terminal alone.
        terminal.kill(Signal::CONT);
        std::thread::sleep(Duration::from_millis(100));
        assert!(terminal.is_restored());
        terminal.master.write_all(b"\n").unwrap();
        terminal.wait_until("raw again", Terminal::is_raw);
        terminal.master.write_all(b"x").unwrap();
        terminal.wait_for("[120]");
    }
    terminal.kill(Signal::TERM);
    terminal.wait_until("ended", |terminal| terminal.is_restored());
}

#[test]
fn a_waiting_console_does_not_wake_up() {
    let terminal = Terminal::start("sleep");
    std::thread::sleep(Duration::from_millis(200));
    let count = || -> Vec<String> {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", terminal.pid.as_raw_nonzero())).unwrap();
        let status = |task: std::io::Result<std::fs::DirEntry>| {
            std::fs::read_to_string(task.unwrap().path().join("status")).unwrap()
        };
        tasks
            .flat_map(|task| {
                status(task)
                    .lines()
                    .filter(|line| line.contains("ctxt_switches"))
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
            })
            .collect()
    };
    let before = count();
    std::thread::sleep(Duration::from_millis(400));
    assert_eq!(count(), before);
}
