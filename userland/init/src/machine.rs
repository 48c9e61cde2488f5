//! The machine's life from mounting to power-off.

use crate::inittab::{self, Action, Entry, words};
use crate::signals::{Shutdown, Signal, Signals};
use crate::{mounts, say, session, shutdown};
use account::Account;
use rustix::process::{Pid, WaitOptions, wait};
use std::ffi::{OsStr, OsString};
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

/// A command that ended sooner than this is started again only after it.
const RESPAWN_PAUSE: Duration = Duration::from_secs(1);
/// What a terminal on a serial line is taken for if the kernel does not say.
const SERIAL_TERMINAL: &str = "vt220";

/// An entry whose command runs again whenever it has ended.
struct Respawned {
    entry: Entry,
    running: Option<Pid>,
    /// It is not started again before this time.
    not_before: Instant,
}

/// Brings the machine up, keeps it up and takes it down. `command` takes the
/// place of the entries that last. Returns only if the machine does not stop.
pub(crate) fn run(command: &[OsString]) -> ExitCode {
    let signals = Signals::hold();
    mounts::mount_all();
    mounts::open_console();
    if let Ok(hostname) = std::fs::read_to_string("/etc/hostname") {
        let _ = rustix::system::sethostname(hostname.trim().as_bytes());
    }
    // A kernel without a network has no loopback interface.
    let _ = nettools::switch_on("lo");
    let entries = inittab::read();
    let how = bring_up(&signals, &entries, command).unwrap_or_else(|| {
        if command.is_empty() {
            keep_up(&signals, &entries)
        } else {
            run_command(&signals, command)
        }
    });
    for entry in entries.iter().filter(|e| e.action == Action::Shutdown) {
        run_and_wait(&signals, start(entry));
    }
    shutdown::stop(&signals, how);
    ExitCode::FAILURE
}

/// Runs what comes before everything else; how to go down if that was asked for.
fn bring_up(signals: &Signals, entries: &[Entry], command: &[OsString]) -> Option<Shutdown> {
    let of = |action| entries.iter().filter(move |entry| entry.action == action);
    for entry in of(Action::Sysinit).chain(of(Action::Wait)) {
        if let Ended::Asked(how) = run_and_wait(signals, start(entry)) {
            return Some(how);
        }
    }
    if command.is_empty() {
        for entry in of(Action::Once) {
            start(entry);
        }
    }
    None
}

/// Starts entries again until the machine is to go down.
fn keep_up(signals: &Signals, entries: &[Entry]) -> Shutdown {
    let start_of = |entry: &Entry| Respawned {
        entry: entry.clone(),
        running: None,
        not_before: Instant::now(),
    };
    let lasting = entries.iter().filter(|e| e.action == Action::Respawn);
    let mut lasting: Vec<_> = lasting.map(start_of).collect();
    loop {
        while let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG) {
            if session::code(status).is_none() {
                continue;
            }
            for entry in lasting.iter_mut().filter(|e| e.running == Some(pid)) {
                entry.running = None;
            }
        }
        let now = Instant::now();
        for entry in lasting.iter_mut().filter(|e| e.running.is_none()) {
            if entry.not_before <= now {
                entry.not_before = now + RESPAWN_PAUSE;
                entry.running = start(&entry.entry);
            }
        }
        let idle = lasting.iter().filter(|entry| entry.running.is_none());
        let next = idle.map(|entry| entry.not_before).min();
        let timeout = next.map(|next| next.saturating_duration_since(Instant::now()));
        if let Some(Signal::Shutdown(how)) = signals.wait(timeout) {
            return how;
        }
    }
}

/// Runs the command that was asked for in place of everything that lasts.
fn run_command(signals: &Signals, command: &[OsString]) -> Shutdown {
    let Some((program, args)) = command.split_first() else {
        return Shutdown::PowerOff;
    };
    let mut child = Command::new(program);
    child.args(args);
    Account::current().equip(&mut child);
    let child = spawn(child, "", &program.to_string_lossy());
    match run_and_wait(signals, child) {
        Ended::Asked(how) => how,
        Ended::Code(code) => {
            say(&format!("{} ended with status {code}", program.display()));
            Shutdown::PowerOff
        }
        Ended::NotStarted => Shutdown::PowerOff,
    }
}

/// How a wait for a command ended.
enum Ended {
    Code(u8),
    NotStarted,
    /// The machine is to go down before the command has ended.
    Asked(Shutdown),
}

fn run_and_wait(signals: &Signals, child: Option<Pid>) -> Ended {
    let Some(child) = child else {
        return Ended::NotStarted;
    };
    loop {
        while let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG) {
            if pid == child
                && let Some(code) = session::code(status)
            {
                return Ended::Code(code);
            }
        }
        if let Some(Signal::Shutdown(how)) = signals.wait(None) {
            return Ended::Asked(how);
        }
    }
}

/// Starts an entry's command; says so if that fails.
fn start(entry: &Entry) -> Option<Pid> {
    let (is_login, words) = words(&entry.command);
    let (program, args) = words.split_first()?;
    let account = Account::current();
    let mut command = if is_login {
        account.login(Path::new(program))
    } else {
        let mut command = Command::new(program);
        account.equip(&mut command);
        command
    };
    command.args(args);
    spawn(command, &entry.terminal, program)
}

/// Starts `command` as the leader of a session on `terminal`.
fn spawn(mut command: Command, terminal: &str, name: &str) -> Option<Pid> {
    if std::env::var_os("TERM").is_none_or(|term| term == OsStr::new("linux")) {
        command.env("TERM", SERIAL_TERMINAL);
    }
    let started = streams(&mut command, terminal).and_then(|()| {
        account::lead_session(&mut command);
        command.spawn()
    });
    match started {
        Ok(child) => i32::try_from(child.id()).ok().and_then(Pid::from_raw),
        Err(error) => {
            say(&format!("{name}: {error}"));
            None
        }
    }
}

/// Makes a terminal of `/dev` the command's standard streams.
fn streams(command: &mut Command, terminal: &str) -> std::io::Result<()> {
    if terminal.is_empty() {
        return Ok(());
    }
    let mut options = OpenOptions::new();
    options.read(true).write(true).custom_flags(libc::O_NOCTTY);
    let file = options.open(Path::new("/dev").join(terminal))?;
    command.stdin(Stdio::from(file.try_clone()?));
    command.stdout(Stdio::from(file.try_clone()?));
    command.stderr(Stdio::from(file));
    Ok(())
}
