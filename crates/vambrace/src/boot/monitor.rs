//! QEMU's machine protocol, as far as it tells why a machine stopped.
//!
//! QEMU's exit status is zero for a machine that turned itself off and for one
//! that reset itself or was stopped; the reason comes as an event.

use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::{BootEnd, BootError};

/// How often it is looked whether QEMU has connected or ended.
const LOOK: Duration = Duration::from_millis(2);

/// Waits for QEMU to connect.
pub(super) struct Monitor {
    listener: UnixListener,
    /// Signals that are caught from now on.
    signals: Signals,
}

impl Monitor {
    /// Makes a socket in `place` for QEMU to connect to.
    pub(super) fn listen(place: &Path) -> io::Result<(Self, PathBuf)> {
        let socket = place.join("qmp");
        let listener = UnixListener::bind(&socket)?;
        listener.set_nonblocking(true)?;
        let signals = Signals::new([SIGHUP, SIGINT, SIGTERM])?;
        Ok((Self { listener, signals }, socket))
    }

    /// Waits for the end of a QEMU that was just started.
    pub(super) fn watch(mut self, mut child: Child) -> Result<BootEnd, BootError> {
        let stream = match self.accept(&mut child) {
            Ok(stream) => stream,
            Err(error) => {
                // It may have ended by itself; it must not stay.
                let _ = child.kill();
                let _ = child.wait();
                return Err(error);
            }
        };
        let mut quit = stream.try_clone()?;
        let handle = self.signals.handle();
        let is_signalled = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                if self.signals.forever().next().is_some() {
                    is_signalled.store(true, Ordering::Relaxed);
                    // If QEMU is gone it needs no telling.
                    let _ = quit.write_all(b"{\"execute\":\"quit\"}\n");
                }
            });
            // The stream ends when QEMU ends.
            let reason = read_reason(stream);
            let status = child.wait();
            handle.close();
            Ok(match end(status?, reason.as_deref()) {
                BootEnd::Left if is_signalled.load(Ordering::Relaxed) => BootEnd::Signalled,
                end => end,
            })
        })
    }

    fn accept(&self, child: &mut Child) -> Result<UnixStream, BootError> {
        loop {
            match self.listener.accept() {
                Ok((stream, _)) => {
                    stream.set_nonblocking(false)?;
                    (&stream).write_all(b"{\"execute\":\"qmp_capabilities\"}\n")?;
                    return Ok(stream);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error.into()),
            }
            if let Some(status) = child.try_wait()? {
                return Err(BootError::NotStarted(status));
            }
            thread::sleep(LOOK);
        }
    }
}

/// Reads events until the stream ends; the reason of the last that says one.
fn read_reason(stream: impl io::Read) -> Option<String> {
    let lines = BufReader::new(stream).lines().map_while(Result::ok);
    lines.filter_map(|line| shutdown_reason(&line)).last()
}

/// The reason in a `SHUTDOWN` event.
fn shutdown_reason(line: &str) -> Option<String> {
    let event: serde_json::Value = serde_json::from_str(line).ok()?;
    let is_shutdown = event.get("event")?.as_str()? == "SHUTDOWN";
    let reason = event.pointer("/data/reason")?.as_str()?;
    is_shutdown.then(|| reason.to_owned())
}

fn end(status: ExitStatus, reason: Option<&str>) -> BootEnd {
    match reason {
        _ if !status.success() => BootEnd::Failed(status.to_string()),
        Some("guest-shutdown") => BootEnd::PoweredOff,
        Some("guest-reset" | "guest-panic") => BootEnd::Reset,
        // ^A x and the monitor's `quit`.
        Some("host-qmp-quit" | "host-ui") => BootEnd::Left,
        Some("host-signal") => BootEnd::Signalled,
        Some(other) => BootEnd::Failed(format!("the machine stopped for the reason {other}")),
        None => BootEnd::Failed("the machine stopped for no reason".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;

    fn end_of(code: i32, text: &str) -> BootEnd {
        end(ExitStatus::from_raw(code << 8), read_reason(text.as_bytes()).as_deref())
    }

    fn shutdown(reason: &str) -> String {
        format!(
            "{{\"QMP\": {{}}}}\n{{\"return\": {{}}}}\nnonsense\n\
             {{\"event\": \"SHUTDOWN\", \"data\": {{\"guest\": true, \"reason\": \"{reason}\"}}}}\n"
        )
    }

    #[test]
    fn only_a_guest_that_asks_for_it_has_powered_off() {
        assert_eq!(end_of(0, &shutdown("guest-shutdown")), BootEnd::PoweredOff);
        assert_eq!(end_of(0, &shutdown("guest-reset")), BootEnd::Reset);
        assert_eq!(end_of(0, &shutdown("host-qmp-quit")), BootEnd::Left);
        assert_eq!(end_of(0, &shutdown("host-signal")), BootEnd::Signalled);
        assert!(matches!(end_of(0, &shutdown("subsystem-reset")), BootEnd::Failed(_)));
    }

    #[test]
    fn a_qemu_that_fails_or_says_nothing_has_not_powered_off() {
        assert!(matches!(end_of(1, &shutdown("guest-shutdown")), BootEnd::Failed(_)));
        assert!(matches!(end_of(0, "{\"event\": \"STOP\"}\n"), BootEnd::Failed(_)));
    }
}
