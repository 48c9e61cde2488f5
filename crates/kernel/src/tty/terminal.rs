//! [`Tty`]: a terminal. It joins a line discipline with what lies behind it
//! (the machine's console, or the master of a pseudo-terminal), and with the
//! session that it controls.
//!
//! Bytes come in through [`Tty::type_in`] or from the console device, and go
//! through the discipline; programs read and write through
//! [`super::file::TtyFile`]. Job control is in `job.rs`, `ioctl` in `ioctl.rs`.
//!
//! Lock order: a terminal's lock is a leaf but for the console device's own.
//! Signals are sent and queues are woken after it has been released.

use alloc::collections::VecDeque;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::fmt;

use linux_abi::Errno;
use linux_abi::termios::{
    TIOCPKT_DOSTOP, TIOCPKT_FLUSHREAD, TIOCPKT_FLUSHWRITE, TIOCPKT_IOCTL, TIOCPKT_NOSTOP, TIOCPKT_START, TIOCPKT_STOP,
};
use machine::CharDev;
use machine::sync::Mutex;

use super::discipline::{Discipline, Effects};
use super::termios::{Control, Input, Local, Termios, WindowSize};
use crate::Kernel;
use crate::error::{Because, Error, Result};
use crate::fs::PollEvents;
use crate::sched::WaitQueue;
use crate::signal::{Info, Number};

/// Bytes that may wait on either side of a pseudo-terminal.
const FLOW_LIMIT: usize = 65_536;

/// What lies behind a terminal.
pub(super) enum Line {
    /// The machine's console.
    Console(Arc<dyn CharDev>),
    /// A master.
    Pty,
}

/// What only a pseudo-terminal has.
#[derive(Debug, Default)]
pub(super) struct Pty {
    /// The slave may not be opened yet (`TIOCSPTLCK`).
    pub(super) is_locked: bool,
    /// The master has been closed.
    pub(super) is_closed: bool,
    /// The slave was open and no longer is.
    pub(super) is_left: bool,
    /// `TIOCPKT`: reads of the master begin with a status byte.
    pub(super) has_packets: bool,
    /// Status bits that the master has not read.
    pub(super) status: u32,
}

pub(super) struct State {
    pub(super) discipline: Discipline,
    /// What was typed and the discipline had no room for.
    incoming: VecDeque<u8>,
    /// What was written and the master has not read.
    pub(super) outgoing: VecDeque<u8>,
    /// Nothing will ever be typed again.
    has_ended: bool,
    /// When a byte came last, for `VTIME`.
    last_input_ns: u64,
    pub(super) window: WindowSize,
    /// The session it controls, 0 for none.
    pub(super) session: u32,
    /// The foreground process group, 0 for none.
    pub(super) foreground: u32,
    /// Files opened in an earlier generation have been hung up.
    pub(super) generation: u64,
    /// Open files, of any generation.
    pub(super) opens: usize,
    /// `TIOCEXCL`.
    pub(super) is_exclusive: bool,
    pub(super) pty: Pty,
}

/// A terminal.
pub struct Tty {
    pub(super) this: Weak<Self>,
    pub(super) kernel: Weak<Kernel>,
    /// The device number.
    pub(super) device: u64,
    pub(super) line: Line,
    pub(super) state: Mutex<State>,
    /// Woken when reading, writing or the state of the terminal changes.
    pub(super) changed: WaitQueue,
    /// The same for the master.
    pub(super) master_changed: WaitQueue,
}

impl fmt::Debug for Tty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tty({:#x})", self.device)
    }
}

/// What is to be done once the terminal's lock has been released.
#[derive(Debug, Default)]
#[must_use]
pub(super) struct After {
    effects: Effects,
    foreground: u32,
    is_hung_up: bool,
}

pub(super) fn hung_up() -> Error {
    Errno::EIO.because("the terminal was hung up")
}

impl Tty {
    pub(super) fn new(kernel: &Weak<Kernel>, device: u64, line: Line, window: WindowSize) -> Arc<Self> {
        let is_locked = matches!(line, Line::Pty);
        Arc::new_cyclic(|this| Self {
            this: this.clone(),
            kernel: kernel.clone(),
            device,
            line,
            state: Mutex::new(State {
                discipline: Discipline::default(),
                incoming: VecDeque::new(),
                outgoing: VecDeque::new(),
                has_ended: false,
                last_input_ns: 0,
                window,
                session: 0,
                foreground: 0,
                generation: 0,
                opens: 0,
                is_exclusive: false,
                pty: Pty { is_locked, ..Pty::default() },
            }),
            changed: WaitQueue::new(),
            master_changed: WaitQueue::new(),
        })
    }

    /// Acts on the effects of input, and wakes whoever waits on either side.
    pub(super) fn finish(&self, after: After) {
        if let (Some(kernel), 1..) = (self.kernel.upgrade(), after.foreground) {
            for signal in after.effects.signals {
                kernel.signal_group(after.foreground, Info::kernel(signal));
            }
        }
        self.changed.wake_all();
        self.master_changed.wake_all();
        if after.is_hung_up {
            self.hang_up_now();
        }
    }

    /// Takes bytes that were typed at a pseudo-terminal. The caller has seen
    /// that there is room.
    pub(super) fn type_in(&self, bytes: &[u8]) {
        let after = {
            let mut state = self.state.lock();
            state.incoming.extend(bytes);
            self.pump(&mut state)
        };
        self.finish(after);
    }

    /// True if there is room for what is typed.
    pub(super) fn can_type(state: &State) -> bool {
        state.incoming.len() < FLOW_LIMIT
    }

    /// The console device has news: input, its end, or another window size.
    pub(super) fn device_event(&self) {
        let after = {
            let mut state = self.state.lock();
            let mut after = self.pump(&mut state);
            if let Line::Console(device) = &self.line
                && let Some((rows, columns)) = device.window_size()
                && (rows, columns) != (state.window.rows, state.window.columns)
            {
                state.window = WindowSize { rows, columns, width: 0, height: 0 };
                after.effects.signals.push(Number::SIGWINCH);
            }
            after
        };
        self.finish(after);
    }

    /// Moves input into the discipline as far as there is room, and echo out.
    pub(super) fn pump(&self, state: &mut State) -> After {
        let mut effects = Effects::default();
        let mut is_hung_up = false;
        loop {
            if state.incoming.is_empty() && !self.fetch(state, &mut is_hung_up) {
                break;
            }
            let room = state.discipline.room();
            let chunk: Vec<u8> = state.incoming.iter().take(room).copied().collect();
            if let Some(kernel) = self.kernel.upgrade() {
                state.last_input_ns = kernel.now_ns();
            }
            let taken = state.discipline.receive(&chunk, &mut effects);
            state.incoming.drain(..taken.min(chunk.len()));
            if effects.flush_output {
                state.outgoing.clear();
            }
            self.put_echo(state);
            if taken == 0 || is_hung_up {
                break;
            }
        }
        self.put_echo(state);
        self.note_effects(state, &effects);
        After { effects, foreground: state.foreground, is_hung_up }
    }

    /// Asks the console for input; false if there is none, or no room for it.
    fn fetch(&self, state: &mut State, is_hung_up: &mut bool) -> bool {
        let Line::Console(device) = &self.line else { return false };
        if *is_hung_up || state.discipline.room() == 0 {
            return false;
        }
        let mut buf = [0; 256];
        match device.read(&mut buf) {
            Ok(0) => false,
            Ok(count) => {
                state.incoming.extend(buf.iter().take(count));
                true
            }
            Err(()) => {
                *is_hung_up = !core::mem::replace(&mut state.has_ended, true);
                false
            }
        }
    }

    /// What a master in packet mode is told of the effects of input.
    fn note_effects(&self, state: &mut State, effects: &Effects) {
        if effects.flush_input {
            self.note_packet(state, TIOCPKT_FLUSHREAD, 0);
        }
        if effects.flush_output {
            self.note_packet(state, TIOCPKT_FLUSHWRITE, 0);
        }
        if effects.flow_changed {
            self.note_flow(state);
        }
    }

    pub(super) fn note_flow(&self, state: &mut State) {
        if state.discipline.is_stopped() {
            self.note_packet(state, TIOCPKT_STOP, TIOCPKT_START);
        } else {
            self.note_packet(state, TIOCPKT_START, TIOCPKT_STOP);
        }
    }

    pub(super) fn note_packet(&self, state: &mut State, set: u32, clear: u32) {
        if state.pty.has_packets {
            state.pty.status = state.pty.status & !clear | set;
        }
    }

    /// Sends echo out, as far as there is room.
    fn put_echo(&self, state: &mut State) {
        while state.discipline.has_echo() {
            let echo = state.discipline.take_echo(self.room(state));
            if echo.is_empty() {
                return;
            }
            self.put_out(state, &echo);
        }
    }

    /// How many bytes of output there is room for.
    pub(super) fn room(&self, state: &State) -> usize {
        match self.line {
            Line::Console(_) => FLOW_LIMIT,
            Line::Pty => FLOW_LIMIT.saturating_sub(state.outgoing.len()),
        }
    }

    fn put_out(&self, state: &mut State, bytes: &[u8]) {
        match &self.line {
            Line::Console(device) => {
                let mut rest = bytes;
                while !rest.is_empty() {
                    match device.write(rest) {
                        // The host takes no more: the output is lost, as on a
                        // line that nobody listens to.
                        0 => return,
                        count => rest = rest.get(count..).unwrap_or_default(),
                    }
                }
            }
            Line::Pty => state.outgoing.extend(bytes),
        }
    }

    /// Output of a program. The caller has seen that there is room.
    pub(super) fn put_written(&self, bytes: &[u8]) {
        {
            let mut state = self.state.lock();
            self.put_echo(&mut state);
            let out = state.discipline.process_all(bytes);
            self.put_out(&mut state, &out);
        }
        self.master_changed.wake_all();
    }

    /// A byte on the line, past output processing and flow control.
    pub(super) fn put_raw(&self, byte: u8) {
        self.put_out(&mut self.state.lock(), &[byte]);
        self.master_changed.wake_all();
    }

    /// True if a write would be taken, at least in part.
    pub(super) fn can_write(&self, state: &State) -> bool {
        !state.discipline.is_stopped() && self.room(state) > 0
    }

    /// Takes what a read of at most `limit` bytes gives. `patient` is false if
    /// the read will not wait for `VMIN` bytes.
    ///
    /// # Errors
    /// `EAGAIN` if it has to wait.
    pub(super) fn take_input(&self, limit: usize, patient: bool) -> Result<Vec<u8>> {
        let (bytes, after) = {
            let mut state = self.state.lock();
            let wait = Errno::EAGAIN.because("nothing was typed");
            if state.has_ended && !state.discipline.is_readable(false) {
                return Ok(Vec::new());
            }
            let discipline = &mut state.discipline;
            let bytes = if discipline.edits_lines() {
                if !discipline.is_readable(false) {
                    return Err(wait);
                }
                discipline.read(limit)
            } else {
                let (available, min) =
                    (discipline.available(), usize::from(discipline.termios().character(Control::VMIN)));
                let has_timer = discipline.termios().character(Control::VTIME) != 0;
                let needed = if patient {
                    min.min(limit).max(usize::from(has_timer))
                } else {
                    usize::from(min > 0 || has_timer)
                };
                if available < needed {
                    return Err(wait);
                }
                discipline.read(limit)
            };
            (bytes, self.pump(&mut state))
        };
        self.finish(after);
        Ok(bytes)
    }

    /// When a read that began at `since_ns` gives up waiting (`VTIME`).
    pub(super) fn read_deadline(&self, since_ns: u64) -> Option<u64> {
        let state = self.state.lock();
        let discipline = &state.discipline;
        let tenths = u64::from(discipline.termios().character(Control::VTIME));
        if discipline.edits_lines() || tenths == 0 {
            return None;
        }
        let time = tenths * 100_000_000;
        if discipline.termios().character(Control::VMIN) == 0 {
            return Some(since_ns.saturating_add(time));
        }
        // Between bytes: the timer starts with the first one.
        (discipline.available() > 0).then(|| state.last_input_ns.max(since_ns).saturating_add(time))
    }

    /// What a read gives whose time is over.
    pub(super) fn take_late(&self, limit: usize) -> Vec<u8> {
        let (bytes, after) = {
            let mut state = self.state.lock();
            if state.discipline.edits_lines() {
                return Vec::new();
            }
            let bytes = state.discipline.read(limit);
            (bytes, self.pump(&mut state))
        };
        self.finish(after);
        bytes
    }

    /// Changes the settings; with `flush`, drops what was typed.
    pub(super) fn set_termios(&self, termios: Termios, flush: bool) {
        let after = {
            let mut state = self.state.lock();
            if flush {
                self.flush_input(&mut state);
            }
            let old = state.discipline.termios().clone();
            let effects = state.discipline.set_termios(termios);
            self.note_settings(&mut state, &old);
            self.note_effects(&mut state, &effects);
            self.pump(&mut state)
        };
        self.finish(after);
    }

    /// Tells a master in packet mode whether `^S` and `^Q` are at work.
    fn note_settings(&self, state: &mut State, old: &Termios) {
        let flows = |termios: &Termios| {
            termios.input.contains(Input::IXON)
                && termios.character(Control::VSTOP) == 0x13
                && termios.character(Control::VSTART) == 0x11
        };
        let (before, now) = (flows(old), flows(state.discipline.termios()));
        let both = TIOCPKT_DOSTOP | TIOCPKT_NOSTOP;
        if before != now {
            self.note_packet(state, if now { TIOCPKT_DOSTOP } else { TIOCPKT_NOSTOP }, both);
        }
        if (old.local | state.discipline.termios().local).contains(Local::EXTPROC) {
            self.note_packet(state, TIOCPKT_IOCTL, 0);
        }
    }

    pub(super) fn flush_input(&self, state: &mut State) {
        state.discipline.flush_input();
        state.incoming.clear();
        self.note_packet(state, TIOCPKT_FLUSHREAD, 0);
    }

    pub(super) fn flush_output(&self, state: &mut State) {
        state.discipline.flush_echo();
        state.outgoing.clear();
        self.note_packet(state, TIOCPKT_FLUSHWRITE, 0);
    }

    /// What the terminal's side is ready for.
    pub(super) fn ready(&self, generation: u64) -> PollEvents {
        let state = self.state.lock();
        let mut events = PollEvents::empty();
        if state.generation != generation {
            return PollEvents::POLLIN
                | PollEvents::POLLOUT
                | PollEvents::POLLERR
                | PollEvents::POLLHUP
                | PollEvents::POLLRDNORM
                | PollEvents::POLLWRNORM;
        }
        if state.has_ended {
            events |= PollEvents::POLLIN | PollEvents::POLLRDNORM | PollEvents::POLLHUP;
        }
        if state.discipline.is_readable(true) {
            events |= PollEvents::POLLIN | PollEvents::POLLRDNORM;
        }
        if self.can_write(&state) {
            events |= PollEvents::POLLOUT | PollEvents::POLLWRNORM;
        }
        events
    }

    /// True if a file of this generation has been hung up.
    pub(super) fn is_hung_up(&self, generation: u64) -> bool {
        self.state.lock().generation != generation
    }
}
