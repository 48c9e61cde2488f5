//! `cargo xtask ironwall door`: the example `serve` of `ironwall-host`, asked by `vambrace gc` from outside.
//!
//! It runs natively, where the host asks it over its own socket, and for ARM64 in a guest, where the host asks it over
//! the guest's door. The reports have to be equal, so the live sets are.

use crate::guest;
use crate::shell::{cargo, output, root, say, target_dir};
use crate::toolchain::{MUSL, need_target};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

/// After this a program that should have ended has hung.
const LIMIT: Duration = Duration::from_secs(60);

/// Runs both and compares.
///
/// # Errors
/// Missing tools, a request that fails, and reports that differ.
pub(super) fn run(args: &[String]) -> Result<()> {
    ensure!(args.is_empty(), "usage: cargo xtask ironwall door");
    let native = build(None)?;
    need_target(&root(), MUSL)?;
    let arm64 = build(Some(MUSL))?;
    let vambrace = guest::vambrace()?;
    let dir = target_dir().join("ironwall-door");
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;

    let socket = dir.join("native.sock");
    let mut program = Program::start(Command::new(native).env("IRONWALL_SOCKET", &socket))?;
    let here = ask_all(&vambrace, &socket, &[], &program.root)?;
    program.end(&socket)?;

    let socket = dir.join("guest.sock");
    fs::copy(&arm64, dir.join("serve")).context("cannot copy the program for the guest")?;
    let mut command = Command::new(&vambrace);
    command.arg("shell").arg("--gc-socket").arg(&socket).arg("--bind");
    command.arg(format!("{}:/mnt:ro", dir.display())).args(["--", "-c", "/mnt/serve"]);
    let mut program = Program::start(&mut command)?;
    let list = gc(&vambrace, &socket, &["--list"])?;
    let found = list["sockets"].as_array().and_then(|all| all.iter().find(|one| one["path"] == program.path.as_str()));
    let found = found.with_context(|| format!("{} is not among {list}", program.path))?;
    ensure!(found["conventional"] == true && found["program"] == "serve", "not listed as what it is: {found}");
    let pid = found["pid"].to_string();
    let there = ask_all(&vambrace, &socket, &["--pid", &pid], &program.root)?;
    ensure!(gc(&vambrace, &socket, &["--path", &program.path, "report"])?["collections"] == 1, "not the same program");
    ensure!(gc(&vambrace, &socket, &["--pid", "999999", "report"]).is_err(), "a process that is not there answers");
    program.end(&socket)?;

    ensure!(here == there, "the reports differ: {here} here, {there} in the guest");
    say(&format!("a program asked from outside, here and in a guest: equal reports, digest {}", here["digest"]));
    Ok(())
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

/// The running example, and what it told.
struct Program {
    child: Child,
    /// Held, so that the program can always write.
    _output: BufReader<ChildStdout>,
    path: String,
    root: String,
}

impl Program {
    fn start(command: &mut Command) -> Result<Self> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().context("cannot start")?;
        let mut output = BufReader::new(child.stdout.take().context("no output")?);
        let mut line = || -> Result<String> {
            let mut line = String::new();
            ensure!(output.read_line(&mut line)? > 0, "the program ended before it served");
            Ok(line.trim_end().to_owned())
        };
        let (path, root) = (line()?, line()?);
        Ok(Self { child, _output: output, path, root })
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

fn gc(vambrace: &Path, socket: &Path, args: &[&str]) -> Result<Value> {
    let text = output(Command::new(vambrace).arg("gc").arg(socket).arg("--json").args(args))?;
    serde_json::from_str(&text).with_context(|| format!("no JSON: {text}"))
}

/// Has the program collect and explain its root, and gives the report.
fn ask_all(vambrace: &Path, socket: &Path, to: &[&str], root: &str) -> Result<Value> {
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
