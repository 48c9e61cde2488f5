//! What hosts should not do to a guest's program, and what may happen to it while it is asked.
//!
//! After each, the program has to be as before: it goes on, and answers the next request.

use super::{IN_GUEST, LIMIT, Program, gc, gc_command, gc_fails, listed};

use anyhow::{Context, Result, ensure};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

const TO: [&str; 2] = ["--path", IN_GUEST];

/// Everything that the program outlives.
pub(super) fn run(vambrace: &Path, door: &Path, program: &mut Program) -> Result<()> {
    ensure!(std::fs::metadata(door)?.permissions().mode() & 0o7777 == 0o600, "the door is open to others");
    let count = || -> Result<u64> {
        let report = gc(vambrace, door, &[&TO[..], &["report"]].concat())?;
        report["collections"].as_u64().with_context(|| format!("not a report: {report}"))
    };
    let before = count()?;
    hostile_lines(door)?;
    a_client_that_hangs(door)?;
    nobody_there(vambrace, door)?;

    // The program computes: a deadline passes, and a client is killed while it waits.
    program.tell("work")?;
    ensure!(program.line()? == "working", "the program does not work");
    let late = gc_fails(vambrace, door, &[&TO[..], &["--deadline", "50", "collect"]].concat(), 1)?;
    let error = String::from_utf8_lossy(&late.stderr).into_owned();
    ensure!(error.contains("no host point in 50 ms"), "the deadline is not told: {error}");
    // What it asks changes nothing: the program may come to a host point before it knows that its host has gone.
    let mut asking = gc_command(vambrace, door, &[&TO[..], &["tables"]].concat()).stdout(Stdio::null()).spawn()?;
    std::thread::sleep(Duration::from_millis(100));
    asking.kill()?;
    asking.wait()?;
    program.tell("")?;
    ensure!(program.line()? == "worked", "the program did not go on");
    ensure!(count()? == before, "what was withdrawn has been done");

    // It closes its socket and opens it again.
    program.tell("close")?;
    ensure!(program.line()? == "done", "the program did not close its socket");
    ensure!(listed(vambrace, door, IN_GUEST)?.is_none(), "a closed socket is listed");
    gc_fails(vambrace, door, &[&TO[..], &["report"]].concat(), 1)?;
    program.tell("listen")?;
    ensure!(program.line()? == IN_GUEST, "the program did not open its socket again");
    ensure!(count()? == before, "not the same program");
    Ok(())
}

/// The guest goes while a host waits for it: the host is told at once.
pub(super) fn the_guest_is_killed(vambrace: &Path, door: &Path, program: &mut Program) -> Result<()> {
    program.tell("work")?;
    ensure!(program.line()? == "working", "the program does not work");
    let mut asking = connected(door)?;
    asking.write_all(b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"gc.collect\"}\n")?;
    program.child.kill()?;
    program.child.wait()?;
    let mut answer = Vec::new();
    // A reset is an end as well; what may not be is that the time limit passes.
    let end = asking.read_to_end(&mut answer);
    let is_over = end.as_ref().map_or_else(|error| error.kind() == ErrorKind::ConnectionReset, |_| true);
    ensure!(is_over && answer.is_empty(), "a host whose guest was killed got {end:?}, {answer:?}");
    // The door's file is still there, and nobody is behind it.
    gc_fails(vambrace, door, &["--list"], 69)?;
    std::fs::remove_file(door).context("the killed guest took its door away")
}

/// Each line gets its error, by the door before a socket is chosen and by the program after that.
fn hostile_lines(door: &Path) -> Result<()> {
    let lines: [(&[u8], &str); 5] = [
        (b"{", "-32700"),
        (b"\xff\0", "-32700"),
        (b"[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"gc.report\"}]", "-32600"),
        (b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"gc.free\"}", "-32601"),
        (b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":7}", "-32600"),
    ];
    for is_inside in [false, true] {
        let mut stream = if is_inside { connected(door)? } else { open(door)? };
        for (line, code) in lines {
            let answer = exchange(&mut stream, line)?;
            ensure!(answer.contains(code), "{} was answered with {answer}", String::from_utf8_lossy(line));
        }
        // A line without an end: the connection ends, with an error if it gets through.
        let _ = stream.write_all(&vec![b' '; 300 << 10]);
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
        let rest = String::from_utf8_lossy(&rest);
        ensure!(rest.is_empty() || rest.contains("-32600"), "a line without end was answered with {rest}");
    }
    Ok(())
}

/// Half a line, and then nothing: the next client is served all the same.
fn a_client_that_hangs(door: &Path) -> Result<()> {
    let mut hanging = open(door)?;
    hanging.write_all(b"{\"jsonrpc\":\"2.0\",")?;
    let answer = exchange(&mut open(door)?, b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"guest.list\"}")?;
    ensure!(answer.contains(IN_GUEST), "not a list: {answer}");
    Ok(())
}

/// A process, a path and a socket that are not there.
fn nobody_there(vambrace: &Path, door: &Path) -> Result<()> {
    gc_fails(vambrace, door, &["--pid", "999999", "report"], 1)?;
    gc_fails(vambrace, door, &["--path", "/nowhere", "report"], 1)?;
    // The door itself keeps no heap.
    gc_fails(vambrace, door, &["report"], 1)?;
    gc_fails(vambrace, &door.with_extension("none"), &["report"], 69).map(drop)
}

fn open(door: &Path) -> Result<UnixStream> {
    let stream = UnixStream::connect(door).context("cannot reach the door")?;
    stream.set_read_timeout(Some(LIMIT))?;
    stream.set_write_timeout(Some(LIMIT))?;
    Ok(stream)
}

/// A connection to the program.
fn connected(door: &Path) -> Result<UnixStream> {
    let mut stream = open(door)?;
    let params = format!("{{\"path\":\"{IN_GUEST}\"}}");
    let connect = format!("{{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"guest.connect\",\"params\":{params}}}");
    let answer = exchange(&mut stream, connect.as_bytes())?;
    ensure!(answer.contains("\"result\""), "not connected: {answer}");
    Ok(stream)
}

/// Sends a line, and reads one byte by byte, so that nothing of the next is lost.
fn exchange(stream: &mut UnixStream, line: &[u8]) -> Result<String> {
    stream.write_all(line)?;
    stream.write_all(b"\n")?;
    let mut answer = Vec::new();
    let mut byte = [0];
    while byte != *b"\n" {
        ensure!(stream.read(&mut byte)? == 1, "the connection ended after {}", String::from_utf8_lossy(line));
        answer.extend(byte);
    }
    Ok(String::from_utf8(answer)?)
}
