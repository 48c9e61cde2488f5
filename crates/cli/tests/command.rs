//! The command as its users see it, on the built-in userland: exit statuses,
//! pipes, and what a guest costs the host.
#![expect(clippy::unwrap_used, reason = "a helper of a test that fails is a test that fails")]

use std::fs;
use std::io::{Read, Write};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

fn vambrace(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vambrace"));
    command.args(args).stdin(Stdio::null());
    command
}

fn shell(script: &str) -> Output {
    vambrace(&["shell", "--", "-c", script]).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn the_exit_status_is_the_programs_or_128_and_the_signal() {
    assert_eq!(shell("exit 42").status.code(), Some(42));
    assert_eq!(shell("kill -TERM $$").status.code(), Some(128 + 15));
    assert_eq!(shell("kill -KILL $$").status.code(), Some(128 + 9));
}

#[test]
fn what_cannot_be_run_gives_127_or_126_and_names_the_file() {
    let missing = vambrace(&["run", "/no/such/program"]).output().unwrap();
    assert_eq!(missing.status.code(), Some(127));
    assert!(text(&missing.stderr).contains("/no/such/program"), "{}", text(&missing.stderr));
    let file = std::env::temp_dir().join(format!("vambrace-text-{}", std::process::id()));
    fs::write(&file, "not a program\n").unwrap();
    let other = vambrace(&["run", file.to_str().unwrap()]).output().unwrap();
    fs::remove_file(&file).unwrap();
    assert_eq!(other.status.code(), Some(126), "{}", text(&other.stderr));
    let bad = vambrace(&["run", "--memory", "lots", "x"]).output().unwrap();
    assert!(!bad.status.success() && text(&bad.stderr).contains("lots"));
}

#[test]
fn pipes_are_binary_clean_in_both_directions() {
    let bytes: Vec<u8> = (0..1_000_003_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13).to_le_bytes()[0]).collect();
    let mut child =
        vambrace(&["shell", "--", "-c", "cat | cat"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let sent = bytes.clone();
    let writer = thread::spawn(move || input.write_all(&sent).unwrap());
    let mut output = Vec::new();
    child.stdout.take().unwrap().read_to_end(&mut output).unwrap();
    writer.join().unwrap();
    assert!(child.wait().unwrap().success());
    assert!(output == bytes, "{} bytes came back of {}", output.len(), bytes.len());
}

#[test]
fn output_to_a_closed_pipe_ends_the_guest() {
    let mut child = vambrace(&["shell", "--", "-c", "yes"]).stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let deadline = Instant::now() + Duration::from_secs(20);
    while child.try_wait().unwrap().is_none() {
        assert!(Instant::now() < deadline, "the guest writes on where nobody reads");
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_bind_shows_a_host_directory_and_ro_protects_it() {
    let dir = std::env::temp_dir().join(format!("vambrace-bind-{}", std::process::id()));
    fs::create_dir_all(&dir).unwrap();
    fs::write(dir.join("in"), "from the host\n").unwrap();
    let bind = |mode: &str| format!("{}:/data{mode}", dir.display());
    let script = "cat /data/in; echo from the guest > /data/out";
    let writable = vambrace(&["shell", "--bind", &bind(""), "--", "-c", script]).output().unwrap();
    assert_eq!((text(&writable.stdout).as_str(), writable.status.code()), ("from the host\n", Some(0)));
    assert_eq!(fs::read_to_string(dir.join("out")).unwrap(), "from the guest\n");
    fs::remove_file(dir.join("out")).unwrap();
    let read_only = vambrace(&["shell", "--bind", &bind(":ro"), "--", "-c", script]).output().unwrap();
    assert_ne!(read_only.status.code(), Some(0));
    assert!(!dir.join("out").exists(), "a read-only bind was written through");
    fs::remove_dir_all(&dir).unwrap();
}

/// A guest that runs `script` until it is dropped, once it has said `ready`.
struct Running(Child);

impl Running {
    fn start(script: &str) -> Self {
        let mut child = vambrace(&["shell", "--cpus", "2", "--", "-c", script]).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = Vec::new();
        let out = child.stdout.as_mut().unwrap();
        let mut byte = [0];
        while out.read(&mut byte).unwrap() == 1 && byte[0] != b'\n' {
            line.push(byte[0]);
        }
        assert_eq!(text(&line), "ready");
        Self(child)
    }

    fn proc(&self, file: &str) -> String {
        fs::read_to_string(format!("/proc/{}/{file}", self.0.id())).unwrap()
    }

    /// Voluntary context switches of all host threads.
    fn wake_ups(&self) -> u64 {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.0.id())).unwrap();
        let count = |task: fs::DirEntry| -> u64 {
            let status = fs::read_to_string(task.path().join("status")).unwrap_or_default();
            let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
            line.and_then(|count| count.trim().parse().ok()).unwrap_or(0)
        };
        tasks.map(|task| count(task.unwrap())).sum()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn no_memory_of_the_process_is_executable_but_its_program_and_libraries() {
    let guest = Running::start("echo ready; i=0; while :; do i=$((i+1)); done");
    for line in guest.proc("maps").lines() {
        let mut fields = line.split_whitespace();
        let (_, rights) = (fields.next().unwrap(), fields.next().unwrap());
        let name = fields.nth(3).unwrap_or("");
        if rights.contains('x') {
            assert!(!rights.contains('w'), "writable and executable: {line}");
            assert!(name.starts_with('/') || name.starts_with("[v"), "executable and of no file: {line}");
        }
    }
}

#[test]
fn an_idle_guest_causes_no_wake_ups() {
    let guest = Running::start("echo ready; sleep 1000");
    thread::sleep(Duration::from_millis(500));
    let before = guest.wake_ups();
    thread::sleep(Duration::from_secs(1));
    assert_eq!(guest.wake_ups() - before, 0);
}

#[test]
fn a_thousand_sleepers_need_no_host_threads() {
    let script = "i=0; while [ $i -lt 1000 ]; do sleep 1000 & i=$((i+1)); done; echo ready; wait";
    let guest = Running::start(script);
    let status = guest.proc("status");
    let threads = status.lines().find_map(|line| line.strip_prefix("Threads:")).unwrap();
    let threads: u32 = threads.trim().parse().unwrap();
    assert!(threads <= 8, "{threads} host threads for 1000 guest processes");
}

#[test]
fn ten_thousand_programs_leave_no_frames_behind() {
    // The shell itself may keep some memory; a frame lost with each program
    // would be 40 MB.
    let script =
        "free() { while read -r name kb unit; do case $name in MemFree:) echo $kb;; esac; done < /proc/meminfo; }
        run() { i=0; while [ $i -lt $1 ]; do /usr/bin/true; i=$((i+1)); done; }
        run 500; before=$(free); run 10000; after=$(free); echo $((before - after))";
    let output = shell(script);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let lost: i64 = text(&output.stdout).trim().parse().unwrap();
    assert!(lost < 1024, "{lost} KiB are gone after 10,000 programs");
}
