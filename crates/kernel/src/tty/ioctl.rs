//! `ioctl` on terminals, from either side.

use alloc::sync::Arc;

use linux_abi::Errno;
use linux_abi::fcntl::OpenFlags;
use linux_abi::ioctl as cmd;
use linux_abi::termios::{TCIFLUSH, TCIOFF, TCIOFLUSH, TCION, TCOFLUSH, TCOOFF, TCOON};
use machine::GuestAddr;

use super::file::TtyFile;
use super::pty::MasterFile;
use super::terminal::{Tty, hung_up};
use super::termios::{Control, Termios, WindowSize};
use crate::error::{Because, Error, Result};
use crate::fs::File;
use crate::signal::Number;
use crate::syscall::Cx;

fn not_a_command() -> Error {
    Errno::ENOTTY.because("the terminal takes no such command")
}

fn invalid() -> Error {
    Errno::EINVAL.because("no such argument")
}

/// A command to a terminal that a program has opened.
pub(super) fn slave(open: &TtyFile, file: &Arc<File>, cx: &mut Cx<'_>, command: u32, arg: GuestAddr) -> Result<u64> {
    let tty = &open.tty;
    if open.is_hung_up() {
        return Err(if command == cmd::TIOCSPGRP { not_a_command() } else { hung_up() });
    }
    let mm = cx.task.mm();
    let controlled = tty.controlled(cx.kernel, cx.task);
    let ours = || controlled.ok_or(Errno::ENOTTY.because("not the controlling terminal"));
    match command {
        cmd::TIOCSCTTY => {
            if !file.access().reads() && !cx.task.creds().is_privileged() {
                return Err(Errno::EPERM.because("the terminal is not open for reading"));
            }
            tty.become_controlling(cx.kernel, cx.task, arg.0 == 1)?;
        }
        cmd::TIOCNOTTY => tty.give_up(cx.kernel, cx.task)?,
        cmd::TIOCGPGRP => {
            ours()?;
            let foreground = tty.state.lock().foreground;
            mm.write_u32(arg, foreground)?;
        }
        cmd::TIOCGSID => mm.write_u32(arg, ours()?.sid)?,
        cmd::FIONREAD => {
            let available = tty.state.lock().discipline.available();
            mm.write_u32(arg, u32::try_from(available).unwrap_or(u32::MAX))?;
        }
        _ => return common(tty, cx, command, arg),
    }
    Ok(0)
}

/// A command to the master of a pseudo-terminal.
pub(super) fn master(open: &MasterFile, cx: &mut Cx<'_>, command: u32, arg: GuestAddr) -> Result<u64> {
    let tty = &open.tty;
    let mm = cx.task.mm();
    match command {
        cmd::TIOCGPTN => mm.write_u32(arg, open.number)?,
        cmd::TIOCSPTLCK => tty.state.lock().pty.is_locked = mm.read_u32(arg)? != 0,
        cmd::TIOCGPTLCK => {
            let is_locked = tty.state.lock().pty.is_locked;
            mm.write_u32(arg, u32::from(is_locked))?;
        }
        cmd::TIOCPKT => {
            let on = mm.read_u32(arg)? != 0;
            let mut state = tty.state.lock();
            if on != state.pty.has_packets {
                state.pty.status = 0;
            }
            state.pty.has_packets = on;
        }
        cmd::TIOCGPKT => {
            let on = tty.state.lock().pty.has_packets;
            mm.write_u32(arg, u32::from(on))?;
        }
        cmd::TIOCSIG => {
            let signal = Number::new(arg.0).ok_or_else(invalid)?;
            if ![Number::SIGINT, Number::SIGQUIT, Number::SIGTSTP].contains(&signal) {
                return Err(invalid());
            }
            tty.raise(signal);
        }
        cmd::TIOCGPTPEER => {
            let bits = u32::try_from(arg.0 & 0xffff_ffff).unwrap_or(0);
            return open.open_peer(cx, OpenFlags::from_bits_retain(bits));
        }
        cmd::TIOCGPGRP => {
            let foreground = tty.state.lock().foreground;
            mm.write_u32(arg, foreground)?;
        }
        cmd::TIOCGSID => {
            let session = tty.state.lock().session;
            if session == 0 {
                return Err(Errno::ENOTTY.because("the terminal controls no session"));
            }
            mm.write_u32(arg, session)?;
        }
        cmd::FIONREAD => {
            let waiting = tty.state.lock().outgoing.len();
            mm.write_u32(arg, u32::try_from(waiting).unwrap_or(u32::MAX))?;
        }
        cmd::TIOCSCTTY | cmd::TIOCNOTTY => return Err(Errno::ENOTTY.because("a master controls no session")),
        _ => return common(tty, cx, command, arg),
    }
    Ok(0)
}

/// What is the same on both sides.
fn common(tty: &Arc<Tty>, cx: &mut Cx<'_>, command: u32, arg: GuestAddr) -> Result<u64> {
    let mm = cx.task.mm();
    let foreground_only = |cx: &Cx<'_>| tty.check_foreground(cx.kernel, cx.task, Number::SIGTTOU);
    match command {
        cmd::TCGETS | cmd::TCGETS2 => {
            let bytes = tty.state.lock().discipline.termios().to_bytes2();
            let len = if command == cmd::TCGETS2 { Termios::SIZE2 } else { Termios::SIZE };
            mm.write(arg, bytes.get(..len).unwrap_or_default())?;
        }
        cmd::TCGETA => {
            let bytes = tty.state.lock().discipline.termios().to_termio();
            mm.write(arg, &bytes)?;
        }
        cmd::TCSETS
        | cmd::TCSETSW
        | cmd::TCSETSF
        | cmd::TCSETS2
        | cmd::TCSETSW2
        | cmd::TCSETSF2
        | cmd::TCSETA
        | cmd::TCSETAW
        | cmd::TCSETAF => {
            foreground_only(cx)?;
            // Output needs no time to drain: what a program wrote has left
            // the terminal, or waits for a master that may never read it.
            let flush = matches!(command, cmd::TCSETSF | cmd::TCSETSF2 | cmd::TCSETAF);
            let termios = read_settings(tty, cx, command, arg)?;
            tty.set_termios(termios, flush);
        }
        cmd::TIOCSPGRP => {
            let pgid = mm.read_u32(arg)?.cast_signed();
            tty.set_foreground(cx.kernel, cx.task, pgid)?;
        }
        cmd::TIOCGWINSZ => {
            let window = tty.state.lock().window;
            mm.write(arg, &window.to_bytes())?;
        }
        cmd::TIOCSWINSZ => {
            let mut bytes = [0; WindowSize::SIZE];
            mm.read(arg, &mut bytes)?;
            let new = WindowSize::from_bytes(bytes);
            let old = core::mem::replace(&mut tty.state.lock().window, new);
            if old != new {
                tty.signal_foreground(Number::SIGWINCH);
            }
        }
        cmd::TIOCOUTQ => mm.write_u32(arg, 0)?,
        cmd::TCFLSH => {
            foreground_only(cx)?;
            flush(tty, arg)?;
        }
        cmd::TCXONC => {
            foreground_only(cx)?;
            flow(tty, arg)?;
        }
        cmd::TCSBRK | cmd::TCSBRKP | cmd::TIOCSBRK | cmd::TIOCCBRK => foreground_only(cx)?,
        cmd::TIOCEXCL => tty.state.lock().is_exclusive = true,
        cmd::TIOCNXCL => tty.state.lock().is_exclusive = false,
        cmd::TIOCGEXCL => {
            let is_exclusive = tty.state.lock().is_exclusive;
            mm.write_u32(arg, u32::from(is_exclusive))?;
        }
        cmd::TIOCGETD => mm.write_u32(arg, 0)?,
        cmd::TIOCSETD => {
            foreground_only(cx)?;
            if mm.read_u32(arg)? != 0 {
                return Err(Errno::EINVAL.because("no such line discipline"));
            }
        }
        cmd::TIOCGDEV => mm.write_u32(arg, u32::try_from(tty.device).unwrap_or(0))?,
        // Typing into somebody's terminal has been a way to take it over.
        cmd::TIOCSTI => return Err(Errno::EIO.because("input cannot be faked")),
        cmd::TIOCVHANGUP => {
            if !cx.task.creds().is_privileged() {
                return Err(Errno::EPERM.because("only the superuser may hang up a terminal"));
            }
            tty.hang_up_now();
        }
        cmd::TIOCGSOFTCAR => {
            let local = tty.state.lock().discipline.termios().control & CLOCAL != 0;
            mm.write_u32(arg, u32::from(local))?;
        }
        _ => return Err(not_a_command()),
    }
    Ok(0)
}

/// `CLOCAL` of `c_cflag`.
const CLOCAL: u32 = 0o4000;

fn read_settings(tty: &Tty, cx: &Cx<'_>, command: u32, arg: GuestAddr) -> Result<Termios> {
    let old = tty.state.lock().discipline.termios().clone();
    let mm = cx.task.mm();
    match command {
        cmd::TCSETS2 | cmd::TCSETSW2 | cmd::TCSETSF2 => {
            let mut bytes = [0; Termios::SIZE2];
            mm.read(arg, &mut bytes)?;
            Ok(Termios::from_bytes2(&bytes, &old))
        }
        cmd::TCSETA | cmd::TCSETAW | cmd::TCSETAF => {
            let mut bytes = [0; Termios::SIZE_OLD];
            mm.read(arg, &mut bytes)?;
            Ok(Termios::from_termio(&bytes, &old))
        }
        _ => {
            let mut bytes = [0; Termios::SIZE];
            mm.read(arg, &mut bytes)?;
            Ok(Termios::from_bytes(&bytes, &old))
        }
    }
}

fn flush(tty: &Tty, arg: GuestAddr) -> Result<()> {
    let which = u32::try_from(arg.0).map_err(|_| invalid())?;
    if ![TCIFLUSH, TCOFLUSH, TCIOFLUSH].contains(&which) {
        return Err(invalid());
    }
    let after = {
        let mut state = tty.state.lock();
        if which != TCOFLUSH {
            tty.flush_input(&mut state);
        }
        if which != TCIFLUSH {
            tty.flush_output(&mut state);
        }
        tty.pump(&mut state)
    };
    tty.finish(after);
    Ok(())
}

fn flow(tty: &Tty, arg: GuestAddr) -> Result<()> {
    let which = u32::try_from(arg.0).map_err(|_| invalid())?;
    let character = match which {
        TCOOFF | TCOON => {
            let after = {
                let mut state = tty.state.lock();
                if state.discipline.hold(which == TCOOFF) {
                    tty.note_flow(&mut state);
                }
                tty.pump(&mut state)
            };
            tty.finish(after);
            return Ok(());
        }
        TCIOFF => Control::VSTOP,
        TCION => Control::VSTART,
        _ => return Err(invalid()),
    };
    let byte = tty.state.lock().discipline.termios().character(character);
    if byte != 0 {
        tty.put_raw(byte);
    }
    Ok(())
}
