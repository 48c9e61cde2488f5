//! Sessions from the host through telnetd.

use super::shell::Shell;
use super::stage::{BOOT, Stage, until};
use crate::bare::console::Console;
use anyhow::{Context, Result, ensure};
use std::collections::BTreeSet;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::time::{Duration, Instant};

/// How often a client comes and goes.
const RECONNECTS: usize = 20;

/// How many are there at once.
const AT_ONCE: usize = 4;

/// How long a client may take to its prompt.
const LOGIN: Duration = Duration::from_secs(30);

/// The window that the clients say they have.
const WINDOW: (u8, u8) = (100, 40);

const IAC: u8 = 255;
const DONT: u8 = 254;
const DO: u8 = 253;
const WONT: u8 = 252;
const WILL: u8 = 251;
const SB: u8 = 250;
const SE: u8 = 240;
const ECHO: u8 = 1;
const SUPPRESS_GO_AHEAD: u8 = 3;
const NAWS: u8 = 31;

/// A port of the host that was free a moment ago; QEMU says so if it is not any more.
pub(super) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

pub(super) fn run(stage: &Stage<'_>) -> Result<String> {
    let port = free_port()?;
    stage.with("telnet", |setup| setup.network = Some(vec![(port, 23)]), |shell| act(shell, port))
}

fn act(console: &mut Shell<'_>, port: u16) -> Result<String> {
    // The first client comes before the server has started, perhaps.
    let first = first(port)?;
    drop(first);
    let before = settled(console, None)?;
    let start = Instant::now();
    for number in 0..RECONNECTS {
        one(port, number).with_context(|| format!("client {}", number + 1))?;
    }
    let each = start.elapsed().as_secs_f64() / RECONNECTS as f64;
    at_once(port).context("several at once")?;
    settled(console, Some(&before)).context("after the clients have gone")?;
    Ok(format!("{RECONNECTS} clients of {each:.2} s, {AT_ONCE} at once, and nothing is left of them"))
}

/// Connects as soon as there is a server.
fn first(port: u16) -> Result<Console> {
    let deadline = Instant::now() + BOOT;
    loop {
        let mut console = connect(port)?;
        // QEMU accepts in any case, and hangs up if the guest refuses.
        let text = console.expect(":~# ", LOGIN);
        match text {
            Ok(_) => return Ok(console),
            Err(error) if Instant::now() > deadline => return Err(error),
            Err(_) => std::thread::sleep(Duration::from_millis(200)),
        }
    }
}

/// One client. Every other one hangs up without saying good-bye.
fn one(port: u16, number: usize) -> Result<()> {
    let mut console = connect(port)?;
    let mut shell = Shell::wait_for(&mut console, LOGIN)?;
    shell.demand("echo $((6*7))", "42")?;
    shell.demand("stty size", &format!("{} {}", WINDOW.1, WINDOW.0))?;
    if number.is_multiple_of(2) {
        shell.type_line("exit")?;
        ensure!(console.wait_for_end(LOGIN), "the server did not hang up after `exit`");
    }
    Ok(())
}

/// Several clients, each with a terminal of its own, one of which is interrupted.
fn at_once(port: u16) -> Result<()> {
    let mut consoles = (0..AT_ONCE).map(|_| connect(port)).collect::<Result<Vec<_>>>()?;
    let mut shells = consoles.iter_mut().map(|console| Shell::wait_for(console, LOGIN)).collect::<Result<Vec<_>>>()?;
    let mut terminals = BTreeSet::new();
    for (number, shell) in shells.iter_mut().enumerate() {
        shell.value(&format!("mine={number}"))?;
        terminals.insert(shell.value("tty")?);
    }
    ensure!(terminals.len() == AT_ONCE, "{AT_ONCE} clients have the terminals {terminals:?}");
    let (last, others) = shells.split_last_mut().context("no clients")?;
    last.type_line("echo wai''ting; sleep 1000")?;
    last.console.expect("waiting\r\n", LOGIN)?;
    for (number, shell) in others.iter_mut().enumerate() {
        shell.demand("echo $mine", &number.to_string())?;
    }
    std::thread::sleep(Duration::from_millis(300));
    last.console.send("\x03")?;
    last.prompt(LOGIN)?;
    last.demand("echo $mine", &(AT_ONCE - 1).to_string())
}

/// Waits until no process is a zombie and there are as many as `wanted`; their names.
fn settled(console: &mut Shell<'_>, wanted: Option<&Vec<String>>) -> Result<Vec<String>> {
    let mut names = Vec::new();
    until(Duration::from_secs(20), || {
        let text = console.value("cat /proc/[0-9]*/stat 2>/dev/null || true")?;
        let (zombies, alive) = processes(&text)?;
        names = alive;
        Ok(match wanted {
            _ if !zombies.is_empty() => Some(format!("zombies: {zombies:?}")),
            Some(wanted) if *wanted != names => Some(format!("before: {wanted:?}; now: {names:?}")),
            _ => None,
        })
    })?;
    Ok(names)
}

/// The names of the zombies and of the other processes, but for `cat` itself.
fn processes(text: &str) -> Result<(Vec<String>, Vec<String>)> {
    let (mut zombies, mut alive) = (Vec::new(), Vec::new());
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let (before, after) = line.rsplit_once(')').with_context(|| format!("a stat file says {line:?}"))?;
        let name = before.split_once('(').map_or("", |(_, name)| name).to_owned();
        let state = after.trim_start().chars().next().unwrap_or('?');
        let kernel_thread = after.split_whitespace().nth(1) == Some("2") || line.starts_with("2 ");
        match state {
            'Z' => zombies.push(name),
            _ if name == "cat" || kernel_thread => {}
            _ => alive.push(name),
        }
    }
    alive.sort();
    Ok((zombies, alive))
}

fn connect(port: u16) -> Result<Console> {
    let stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_nodelay(true)?;
    let output = Telnet { stream: stream.try_clone()?, state: State::Data };
    Ok(Console::new(output, Hangup(stream)))
}

/// Ends the connection when it is dropped, although the reader has a copy.
struct Hangup(TcpStream);

impl Write for Hangup {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Drop for Hangup {
    fn drop(&mut self) {
        // The server may have hung up first.
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

/// Where in the protocol the next byte stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Data,
    Command,
    Option(u8),
    Sub,
    SubCommand,
}

/// What a server sends, without the protocol, which is answered.
#[derive(Debug)]
struct Telnet<S> {
    stream: S,
    state: State,
}

impl<S: Read + Write> Read for Telnet<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.stream.read(buffer)?;
            if count == 0 {
                return Ok(0);
            }
            let mut kept = 0;
            for at in 0..count {
                let byte = buffer[at];
                if self.take(byte)? {
                    buffer[kept] = byte;
                    kept += 1;
                }
            }
            if kept > 0 {
                return Ok(kept);
            }
        }
    }
}

impl<S: Write> Telnet<S> {
    /// True if the byte is data.
    fn take(&mut self, byte: u8) -> io::Result<bool> {
        let (state, is_data) = match (self.state, byte) {
            (State::Data, IAC) => (State::Command, false),
            (State::Data, _) => (State::Data, true),
            (State::Command, IAC) => (State::Data, true),
            (State::Command, DO | DONT | WILL | WONT) => (State::Option(byte), false),
            (State::Command, SB) | (State::SubCommand, IAC) => (State::Sub, false),
            (State::Command, _) | (State::SubCommand, SE) => (State::Data, false),
            (State::Sub, IAC) => (State::SubCommand, false),
            (State::Sub | State::SubCommand, _) => (State::Sub, false),
            (State::Option(verb), option) => {
                self.answer(verb, option)?;
                (State::Data, false)
            }
        };
        self.state = state;
        Ok(is_data)
    }

    fn answer(&mut self, verb: u8, option: u8) -> io::Result<()> {
        let answer: &[u8] = match (verb, option) {
            (WILL, ECHO | SUPPRESS_GO_AHEAD) => &[IAC, DO, option],
            (DO, SUPPRESS_GO_AHEAD) => &[IAC, WILL, option],
            (DO, NAWS) => &[IAC, WILL, NAWS, IAC, SB, NAWS, 0, WINDOW.0, 0, WINDOW.1, IAC, SE],
            (WILL, _) => &[IAC, DONT, option],
            (DO, _) => &[IAC, WONT, option],
            // Agreement with a refusal needs no words.
            _ => &[],
        };
        self.stream.write_all(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Wire(io::Cursor<Vec<u8>>, Vec<u8>);

    impl Read for Wire {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0.read(buffer)
        }
    }

    impl Write for Wire {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.1.write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn negotiation_is_answered_and_kept_from_the_text() {
        let sent = [b"a", &[IAC, DO, NAWS, IAC, WILL, ECHO, IAC, DO, 99, IAC, SB, 24, 1, IAC, SE, IAC, IAC][..], b"b"];
        let mut telnet = Telnet { stream: Wire(io::Cursor::new(sent.concat()), Vec::new()), state: State::Data };
        let mut text = Vec::new();
        telnet.read_to_end(&mut text).unwrap();
        assert_eq!(text, [b'a', IAC, b'b']);
        let naws = [IAC, WILL, NAWS, IAC, SB, NAWS, 0, 100, 0, 40, IAC, SE];
        assert_eq!(telnet.stream.1, [&naws[..], &[IAC, DO, ECHO], &[IAC, WONT, 99]].concat());
    }

    #[test]
    fn zombies_are_told_from_the_living() {
        let text = "1 (init) S 0 1\n7 (a b) x) Z 1 7\n8 (cat) R 1 8\n2 (kthreadd) S 0 0\n9 (kworker) I 2 0\n";
        assert_eq!(processes(text).unwrap(), (vec!["a b) x".to_owned()], vec!["init".to_owned()]));
    }
}
