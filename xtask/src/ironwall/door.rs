//! `cargo xtask ironwall door`: programs asked by `vambrace gc` from outside.
//!
//! Two programs: the example `serve` of `ironwall-host`, and `examples/ironwall/served` in C. Each runs natively, where
//! the host asks it over its own socket, and for ARM64 in a guest, where the host asks it over the guest's door. The
//! reports have to be equal, so the live sets are. Then [`failures`] does to a guest's program what hosts should not.

mod failures;

use super::examples::{SERVED, Target};
use crate::guest;
use crate::shell::{cargo, output, root, say, target_dir};
use crate::toolchain::{MUSL, need_target};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// After this a program that should have ended has hung.
const LIMIT: Duration = Duration::from_secs(60);
/// Where the guest's program in C opens its socket: a guest that has the host's directories as its root can have
/// sockets only in file systems of its own.
const IN_GUEST: &str = "/dev/shm/served.sock";

/// Runs both and compares.
///
/// # Errors
/// Missing tools, a request that fails, and reports that differ.
pub(super) fn run(args: &[String]) -> Result<()> {
    ensure!(args.is_empty(), "usage: cargo xtask ironwall door");
    let vambrace = guest::vambrace()?;
    let dir = target_dir().join("ironwall-door");
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
    in_rust(&vambrace, &dir)?;
    in_c(&vambrace, &dir)
}

/// The example of `ironwall-host`, whose guest is a whole system and whose socket is at the conventional place.
fn in_rust(vambrace: &Path, dir: &Path) -> Result<()> {
    let native = build(None)?;
    need_target(&root(), MUSL)?;
    let arm64 = build(Some(MUSL))?;

    let socket = dir.join("native.sock");
    let mut program = Program::start(Command::new(native).env("IRONWALL_SOCKET", &socket), 2)?;
    let here = ask_tree(vambrace, &socket, &[], &program.lines[1])?;
    program.end(&socket)?;

    let socket = dir.join("guest.sock");
    fs::copy(&arm64, dir.join("serve")).context("cannot copy the program for the guest")?;
    let mut command = Command::new(vambrace);
    command.arg("shell").arg("--gc-socket").arg(&socket).arg("--bind");
    command.arg(format!("{}:/mnt:ro", dir.display())).args(["--", "-c", "/mnt/serve"]);
    let mut program = Program::start(&mut command, 2)?;
    let path = program.lines[0].clone();
    let found = listed(vambrace, &socket, &path)?.with_context(|| format!("{path} is not listed"))?;
    ensure!(found["conventional"] == true && found["program"] == "serve", "not listed as what it is: {found}");
    let pid = found["pid"].to_string();
    let there = ask_tree(vambrace, &socket, &["--pid", &pid], &program.lines[1])?;
    ensure!(gc(vambrace, &socket, &["--path", &path, "report"])?["collections"] == 1, "not the same program");
    program.end(&socket)?;

    ensure!(here == there, "the reports differ: {here} here, {there} in the guest");
    say(&format!("a program asked from outside, here and in a guest: equal reports, digest {}", here["digest"]));
    Ok(())
}

/// The program in C, which the guest runs alone.
fn in_c(vambrace: &Path, dir: &Path) -> Result<()> {
    let native = SERVED.build(vambrace, &Target::native()?)?;
    let arm64 = SERVED.build(vambrace, &Target::arm64()?)?;

    let socket = dir.join("native.sock");
    let mut program = Program::start(Command::new(native).arg(&socket), 3)?;
    let here = ask_list(vambrace, &socket, &[], &program.lines)?;
    program.end(&socket)?;

    let socket = dir.join("guest.sock");
    let mut program = Program::start(&mut guest(vambrace, &socket, &arm64), 3)?;
    let there = ask_list(vambrace, &socket, &["--path", IN_GUEST], &program.lines)?;
    ensure!(here == there, "the reports of the program in C differ: {here} here, {there} in the guest");
    failures::run(vambrace, &socket, &mut program)?;
    program.end(&socket)?;
    let mut program = Program::start(&mut guest(vambrace, &socket, &arm64), 3)?;
    failures::the_guest_is_killed(vambrace, &socket, &mut program)?;
    say(&format!("a program in C likewise, and it outlives its hosts' failures: digest {}", here["digest"]));
    Ok(())
}

/// `vambrace run` of the program in C.
fn guest(vambrace: &Path, socket: &Path, program: &Path) -> Command {
    let mut command = Command::new(vambrace);
    command.arg("run").arg("--gc-socket").arg(socket).args(["--env", &format!("IRONWALL_SOCKET={IN_GUEST}")]);
    command.arg("--").arg(program);
    command
}

fn build(target: Option<&str>) -> Result<PathBuf> {
    let mut command = cargo();
    command.args(["build", "--locked", "--quiet", "--message-format", "json"]);
    command.args(["--package", "ironwall-host", "--example", "serve"]);
    if let Some(target) = target {
        command.args(["--target", target]).env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_MUSL_LINKER", "rust-lld");
    }
    for line in output(&mut command)?.lines() {
        let message: Value = serde_json::from_str(line).context("a message of cargo")?;
        if let Some(program) = message["executable"].as_str() {
            return Ok(program.into());
        }
    }
    bail!("cargo built no example")
}

/// A running program, and the first lines that it printed.
struct Program {
    child: Child,
    /// Held, so that the program can always write.
    output: BufReader<ChildStdout>,
    lines: Vec<String>,
}

impl Program {
    fn start(command: &mut Command, lines: usize) -> Result<Self> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().context("cannot start")?;
        let output = BufReader::new(child.stdout.take().context("no output")?);
        let mut program = Self { child, output, lines: Vec::new() };
        for _ in 0..lines {
            let line = program.line()?;
            program.lines.push(line);
        }
        Ok(program)
    }

    /// The next line that it prints.
    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        ensure!(self.output.read_line(&mut line)? > 0, "the program ended before it served");
        Ok(line.trim_end().to_owned())
    }

    /// Has it do something.
    fn tell(&mut self, what: &str) -> Result<()> {
        let input = self.child.stdin.as_mut().context("no input")?;
        writeln!(input, "{what}").context("the program does not read")
    }

    /// Ends it, which has to take its socket away.
    fn end(&mut self, socket: &Path) -> Result<()> {
        drop(self.child.stdin.take());
        let start = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait()? {
                break status;
            }
            ensure!(start.elapsed() < LIMIT, "the program does not end");
            std::thread::sleep(Duration::from_millis(20));
        };
        ensure!(status.success(), "the program ended with {status}");
        ensure!(!socket.exists(), "{} is still there", socket.display());
        Ok(())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It has ended already unless something failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `vambrace gc`, which has not been started.
fn gc_command(vambrace: &Path, socket: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(vambrace);
    command.arg("gc").arg(socket).arg("--json").args(args);
    command
}

/// The answer to a request that has to succeed.
fn gc(vambrace: &Path, socket: &Path, args: &[&str]) -> Result<Value> {
    let text = output(&mut gc_command(vambrace, socket, args))?;
    serde_json::from_str(&text).with_context(|| format!("no JSON: {text}"))
}

/// A request that has to fail with a status.
fn gc_fails(vambrace: &Path, socket: &Path, args: &[&str], status: i32) -> Result<Output> {
    let output = gc_command(vambrace, socket, args).output().context("cannot start vambrace gc")?;
    ensure!(output.status.code() == Some(status), "gc {} did not end with {status}: {output:?}", args.join(" "));
    Ok(output)
}

/// What the guest's list says of the socket at a path.
fn listed(vambrace: &Path, socket: &Path, path: &str) -> Result<Option<Value>> {
    let list = gc(vambrace, socket, &["--list"])?;
    let all = list["sockets"].as_array().with_context(|| format!("no list: {list}"))?;
    Ok(all.iter().find(|one| one["path"] == path).cloned())
}

/// Has the program in Rust collect and explain its root, and gives the report.
fn ask_tree(vambrace: &Path, socket: &Path, to: &[&str], root: &str) -> Result<Value> {
    let ask = |what: &[&str]| gc(vambrace, socket, &[to, what].concat());
    let report = ask(&["collect", "--reason", "7"])?;
    ensure!(report["live"] == 2047 && report["dead"] == 2047 && report["origin"] == "host", "not the graph: {report}");
    let explained = ask(&["explain", root])?;
    ensure!(explained["name"] == "Node" && explained["unit"] == "serve", "not the root: {explained}");
    let path = format!("frame 0 main of examples/serve, slot tree\n  → #0 Node of examples/serve, 24 bytes at {root}");
    ensure!(explained["state"] == "reachable" && explained["text"] == path.as_str(), "not its path: {explained}");
    let tables = ask(&["tables"])?;
    ensure!(tables["tables"][0]["entries"] == 2, "not the tables: {tables}");
    Ok(report)
}

/// Asks the program in C by every method, and gives the report of its collection.
fn ask_list(vambrace: &Path, socket: &Path, to: &[&str], lines: &[String]) -> Result<Value> {
    let ask = |what: &[&str]| gc(vambrace, socket, &[to, what].concat());
    let report = ask(&["collect", "--reason", "7"])?;
    ensure!(report["live"] == 100 && report["dead"] == 100 && report["origin"] == "host", "not the list: {report}");
    ensure!(ask(&["report", "--log"])?["log"][0] == report, "not the same report");
    let names = root().join("examples/ironwall/served/served.json");
    let names = names.to_str().context("a path that is no text")?;
    let explained = ask(&["explain", &lines[2], "--names", names])?;
    ensure!(explained["state"] == "reachable" && explained["length"] == 100, "not the last pair: {explained}");
    let text = explained["text"].as_str().unwrap_or_default();
    let is_named =
        text.starts_with("frame 0 locals of ironwall.example/served, slot list\n") && text.contains(".rest → ");
    ensure!(is_named, "not a path with names: {text}");
    let tables = ask(&["tables"])?;
    ensure!(tables["tables"][0]["unit"] == "served", "not the tables: {tables}");
    Ok(report)
}
