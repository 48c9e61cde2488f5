//! Process 1 of the test machines, the same on every kernel: mounts what
//! programs expect, runs those that `/runner/plan` lists, and frames what they
//! print, so that whoever reads the console knows which line is whose.
//!
//! `/runner/modules`, if it is there, lists kernel modules to load first.
//! `/runner/root` names a device, a file system and a program: then nothing is
//! run here, and that program becomes process 1 with the device as its root.
//!
//! A frame line starts with `@@`:
//!
//! ```text
//! @@plan 2            how many programs will be run
//! @@begin pipes       a program starts
//! @@|ok 1 - a         a line of its output
//! @@end pipes exit 0 after 12 ms          or: signal 11, or: timeout
//! @@done              all were run; the machine turns itself off
//! ```

mod sys;

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use sys::{Ended, Reaped};

/// Mounts that programs expect: source, target, kind.
const MOUNTS: &[(&str, &str, &str)] = &[
    ("proc", "/proc", "proc"),
    ("dev", "/dev", "devtmpfs"),
    ("devpts", "/dev/pts", "devpts"),
    ("tmp", "/tmp", "tmpfs"),
    ("shm", "/dev/shm", "tmpfs"),
];

/// One line of the plan: seconds, a name, a program and its arguments.
struct Step {
    limit: Duration,
    name: String,
    words: Vec<String>,
}

impl Step {
    fn parse(line: &str) -> io::Result<Self> {
        let mut fields = line.split_whitespace().map(str::to_owned);
        let limit = fields.next().and_then(|seconds| seconds.parse().ok()).map(Duration::from_secs);
        let (name, words): (_, Vec<String>) = (fields.next(), fields.collect());
        match (limit, name, words.is_empty()) {
            (Some(limit), Some(name), false) => Ok(Self { limit, name, words }),
            _ => Err(io::Error::other(format!("/runner/plan: bad line: {line}"))),
        }
    }
}

/// How a program ended, as the frame says it.
enum End {
    Ended(Ended),
    TimedOut,
    NotStarted(io::Error),
}

impl std::fmt::Display for End {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Ended(Ended::Exit(status)) => write!(f, "exit {status}"),
            Self::Ended(Ended::Signal(number)) => write!(f, "signal {number}"),
            Self::TimedOut => f.write_str("timeout"),
            Self::NotStarted(error) => write!(f, "not-started {error}"),
        }
    }
}

fn prepare() -> io::Result<()> {
    for (source, target, kind) in MOUNTS {
        let target = Path::new(target);
        fs::create_dir_all(target)?;
        match sys::mount(source, target, kind, 0) {
            Ok(()) => {}
            // The kernel has mounted it already.
            Err(error) if error.raw_os_error() == Some(libc::EBUSY) => {}
            Err(error) => say(&format!("# mount of {}: {error}", target.display())),
        }
    }
    for name in lines("/runner/modules")? {
        let file = File::open(&name)?;
        sys::load_module(&file).map_err(|error| io::Error::other(format!("{name}: {error}")))?;
    }
    if let Err(error) = sys::loopback_up() {
        say(&format!("# loopback: {error}"));
    }
    Ok(())
}

/// The lines of a file; none if there is no such file.
fn lines(path: &str) -> io::Result<Vec<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(text.lines().map(str::to_owned).collect()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Writes a line to the console. There is nowhere to tell if that fails.
fn say(line: &str) {
    let _ = io::stdout().lock().write_all(format!("{line}\n").as_bytes());
}

/// Makes the device of `/runner/root` the root and runs its program as process 1.
fn become_root(line: &str) -> io::Result<()> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [device, kind, program, ref arguments @ ..] = words[..] else {
        return Err(io::Error::other("/runner/root wants a device, a file system and a program"));
    };
    let root = Path::new("/new-root");
    fs::create_dir_all(root)?;
    wait_for(Path::new(device))?;
    sys::mount(device, root, kind, 0)?;
    for (_, target, _) in MOUNTS.iter().filter(|mount| matches!(mount.1, "/proc" | "/dev" | "/tmp")) {
        let place = root.join(target.trim_start_matches('/'));
        fs::create_dir_all(&place)?;
        sys::mount(target, &place, "", libc::MS_MOVE)?;
    }
    sys::switch_root(root)?;
    Err(Command::new(program).args(arguments).exec())
}

/// Drivers find their devices in their own time.
fn wait_for(device: &Path) -> io::Result<()> {
    let start = Instant::now();
    while !device.exists() {
        if start.elapsed() > Duration::from_secs(20) {
            return Err(io::Error::other(format!("{} did not appear", device.display())));
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}

/// Runs one program, reaping every orphan that comes by, and kills what it leaves behind.
fn run(step: &Step, log: &Path) -> io::Result<End> {
    let out = File::create(log)?;
    let mut command = Command::new(&step.words[0]);
    command.args(&step.words[1..]).stdin(Stdio::null()).stderr(out.try_clone()?).stdout(out);
    command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", "/tmp").env("TEST_MACHINE", "1");
    command.current_dir("/tmp");
    command.process_group(0);
    let started = match command.spawn() {
        Ok(child) => child.id(),
        Err(error) => return Ok(End::NotStarted(error)),
    };
    let (start, mut end) = (Instant::now(), None);
    loop {
        match sys::reap()? {
            Reaped::Child(pid, ended) if u32::try_from(pid) == Ok(started) => {
                end = Some(End::Ended(ended));
                sys::kill_all();
            }
            Reaped::Child(..) => {}
            Reaped::None => return Ok(end.unwrap_or(End::TimedOut)),
            Reaped::Running => {
                if end.is_none() && start.elapsed() > step.limit {
                    end = Some(End::TimedOut);
                    sys::kill_all();
                } else if start.elapsed() > step.limit + Duration::from_secs(20) {
                    return Err(io::Error::other("a killed process does not end"));
                }
                std::thread::sleep(Duration::from_millis(2));
            }
        }
    }
}

fn run_all() -> io::Result<()> {
    prepare()?;
    if let Some(root) = lines("/runner/root")?.first() {
        return become_root(root);
    }
    let steps = lines("/runner/plan")?.iter().map(|line| Step::parse(line)).collect::<io::Result<Vec<_>>>()?;
    say(&format!("@@plan {}", steps.len()));
    for step in &steps {
        say(&format!("@@begin {}", step.name));
        let (start, log) = (Instant::now(), Path::new("/runner/log"));
        let end = run(step, log)?;
        for line in BufReader::new(File::open(log)?).split(b'\n') {
            let mut framed = b"@@|".to_vec();
            framed.append(&mut line?);
            framed.push(b'\n');
            io::stdout().lock().write_all(&framed)?;
        }
        say(&format!("@@end {} {end} after {} ms", step.name, start.elapsed().as_millis()));
    }
    say("@@done");
    Ok(())
}

fn main() {
    if let Err(error) = run_all() {
        say(&format!("@@fail {error}"));
    }
    if let Err(error) = sys::power_off() {
        say(&format!("@@fail reboot: {error}"));
    }
}
