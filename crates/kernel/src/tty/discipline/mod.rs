//! The line discipline `N_TTY` as a state machine without any locking or
//! waiting: bytes go in, what a reader may have, what is to be echoed and
//! which signals are due come out.
//!
//! [`Discipline`] holds the settings and the input queue; [`super::Tty`] owns
//! one and does the rest. Echo and erasing are in `echo.rs`, output processing
//! in `output.rs`.

mod echo;
mod output;
#[cfg(test)]
mod tests;

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use super::termios::{Control, Input, Local, Termios};
use crate::signal::Number;

/// How many bytes the input queue holds, as Linux's `N_TTY_BUF_SIZE`.
pub const INPUT_LIMIT: usize = 4096;

/// One place in the input queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cell {
    /// A byte.
    Byte(u8),
    /// The byte that ends a line, and belongs to it.
    LineEnd(u8),
    /// The end of a line, or of the input, that is not itself read.
    Eof,
}

/// What has to happen after input was taken.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Effects {
    /// Signals for the foreground group, in order.
    pub signals: Vec<Number>,
    /// Output that has not gone out yet is dropped (a signal without `NOFLSH`).
    pub flush_output: bool,
    /// The input queue was emptied.
    pub flush_input: bool,
    /// Output was stopped or started.
    pub flow_changed: bool,
}

/// The state of one terminal's line discipline.
#[derive(Debug, Default)]
pub struct Discipline {
    termios: Termios,
    queue: VecDeque<Cell>,
    /// Cells at the front that belong to finished lines; only these are read
    /// in canonical mode.
    finished: usize,
    /// The next byte is taken literally.
    literal_next: bool,
    /// Characters are being shown as erased between `\` and `/` (`ECHOPRT`).
    erasing: bool,
    /// VSTOP stopped the output.
    stopped: bool,
    /// `TCOOFF` stopped the output; no character starts it again.
    held: bool,
    /// The cursor's column, as far as the output tells.
    column: usize,
    /// The column where the line that is being typed began.
    line_column: usize,
    /// Echo that waits to go out, already processed as output.
    echo: VecDeque<u8>,
}

impl Discipline {
    /// The settings.
    #[must_use]
    pub fn termios(&self) -> &Termios {
        &self.termios
    }

    /// Changes the settings. On a change between lines and bytes, what is in
    /// the queue can be read at once.
    pub fn set_termios(&mut self, termios: Termios) -> Effects {
        let mut effects = Effects::default();
        let by_line = Local::ICANON | Local::EXTPROC;
        if (self.termios.local ^ termios.local).intersects(by_line) {
            for cell in &mut self.queue {
                *cell = Cell::Byte(cell.byte());
            }
            self.finished = 0;
            if termios.local.contains(Local::ICANON) && !self.queue.is_empty() {
                self.finished = self.queue.len();
                if let Some(last) = self.queue.back_mut() {
                    *last = Cell::LineEnd(last.byte());
                }
            }
            self.erasing = false;
            self.literal_next = false;
        }
        if !termios.input.contains(Input::IXON) && self.termios.input.contains(Input::IXON) && self.stopped {
            self.stopped = false;
            effects.flow_changed = true;
        }
        self.termios = termios;
        effects
    }

    /// How many more bytes can be taken now. In canonical mode a line that
    /// grows too long loses its last bytes, but can still be ended.
    #[must_use]
    pub fn room(&self) -> usize {
        let mut room = INPUT_LIMIT.saturating_sub(self.queue.len());
        if self.termios.input.contains(Input::PARMRK) {
            room = room.div_ceil(2);
        }
        room = room.saturating_sub(1);
        if room == 0 && self.edits_lines() && self.finished == 0 { 1 } else { room }
    }

    /// Takes bytes that were typed and returns how many; the others have to
    /// wait until something has been read.
    pub fn receive(&mut self, bytes: &[u8], effects: &mut Effects) -> usize {
        for (taken, &byte) in bytes.iter().enumerate() {
            if self.room() == 0 {
                return taken;
            }
            self.receive_byte(byte, effects);
        }
        bytes.len()
    }

    fn receive_byte(&mut self, byte: u8, effects: &mut Effects) {
        let mut byte = byte;
        if self.termios.local.contains(Local::EXTPROC) {
            self.push(Cell::Byte(byte));
            return;
        }
        if self.has(Input::ISTRIP) {
            byte &= 0x7f;
        }
        if self.has(Input::IUCLC) && self.does(Local::IEXTEN) {
            byte.make_ascii_lowercase();
        }
        if core::mem::take(&mut self.literal_next) {
            self.resume_by_any(effects);
            self.store(byte);
            return;
        }
        if self.receive_flow_control(byte, effects) || self.receive_signal(byte, effects) {
            return;
        }
        self.resume_by_any(effects);
        byte = match byte {
            b'\r' if self.has(Input::IGNCR) => return,
            b'\r' if self.has(Input::ICRNL) => b'\n',
            b'\n' if self.has(Input::INLCR) => b'\r',
            other => other,
        };
        if self.does(Local::ICANON) && self.receive_editing(byte) {
            return;
        }
        self.store(byte);
    }

    fn receive_flow_control(&mut self, byte: u8, effects: &mut Effects) -> bool {
        if !self.has(Input::IXON) {
            return false;
        }
        // VSTART first: with both on the same character it toggles nothing in
        // Linux either.
        if self.termios.is(Control::VSTART, byte) {
            effects.flow_changed |= core::mem::take(&mut self.stopped);
        } else if self.termios.is(Control::VSTOP, byte) {
            effects.flow_changed |= !core::mem::replace(&mut self.stopped, true);
        } else {
            return false;
        }
        true
    }

    fn resume_by_any(&mut self, effects: &mut Effects) {
        if self.stopped && self.has(Input::IXON) && self.has(Input::IXANY) {
            self.stopped = false;
            effects.flow_changed = true;
        }
    }

    fn receive_signal(&mut self, byte: u8, effects: &mut Effects) -> bool {
        if !self.does(Local::ISIG) {
            return false;
        }
        let signal = if self.termios.is(Control::VINTR, byte) {
            Number::SIGINT
        } else if self.termios.is(Control::VQUIT, byte) {
            Number::SIGQUIT
        } else if self.termios.is(Control::VSUSP, byte) {
            Number::SIGTSTP
        } else {
            return false;
        };
        self.raise(signal, effects);
        if self.has(Input::IXON) {
            effects.flow_changed |= core::mem::take(&mut self.stopped);
        }
        if self.does(Local::ECHO) {
            self.echo_char(byte);
        }
        true
    }

    /// A signal that the terminal sends; without `NOFLSH` both queues empty.
    pub fn raise(&mut self, signal: Number, effects: &mut Effects) {
        effects.signals.push(signal);
        if !self.does(Local::NOFLSH) {
            self.echo.clear();
            self.flush_input();
            effects.flush_output = true;
            effects.flush_input = true;
        }
    }

    /// Handles a byte that edits or ends a line; false if it is an ordinary one.
    fn receive_editing(&mut self, byte: u8) -> bool {
        let extended = self.does(Local::IEXTEN);
        let is = |index| self.termios.is(index, byte);
        if is(Control::VERASE) || is(Control::VKILL) || (extended && is(Control::VWERASE)) {
            self.erase(byte);
        } else if extended && is(Control::VLNEXT) {
            self.literal_next = true;
            if self.does(Local::ECHO) {
                self.finish_erasing();
                if self.does(Local::ECHOCTL) {
                    self.echo_raw(b'^');
                    self.echo_raw(b'\x08');
                }
            }
        } else if extended && self.does(Local::ECHO) && is(Control::VREPRINT) {
            self.reprint(byte);
        } else if byte == b'\n' {
            if self.termios.local.intersects(Local::ECHO | Local::ECHONL) {
                self.echo_raw(b'\n');
            }
            self.end_line(Cell::LineEnd(byte));
        } else if is(Control::VEOF) {
            self.end_line(Cell::Eof);
        } else if is(Control::VEOL) || (extended && is(Control::VEOL2)) {
            if self.does(Local::ECHO) {
                self.mark_line_start();
                self.echo_char(byte);
            }
            self.double_if_marked(byte);
            self.end_line(Cell::LineEnd(byte));
        } else {
            return false;
        }
        true
    }

    fn end_line(&mut self, end: Cell) {
        self.push(end);
        self.finished = self.queue.len();
    }

    /// An ordinary byte: echo it and queue it.
    fn store(&mut self, byte: u8) {
        if self.does(Local::ECHO) {
            self.finish_erasing();
            if byte == b'\n' {
                self.echo_raw(b'\n');
            } else {
                self.mark_line_start();
                self.echo_char(byte);
            }
        }
        self.double_if_marked(byte);
        self.push(Cell::Byte(byte));
    }

    fn double_if_marked(&mut self, byte: u8) {
        if byte == 0xff && self.has(Input::PARMRK) {
            self.push(Cell::Byte(byte));
        }
    }

    fn push(&mut self, cell: Cell) {
        // A line that is too long keeps its first bytes and takes its end in
        // the place of its last byte.
        if self.queue.len() >= INPUT_LIMIT - 1 && self.edits_lines() && self.finished == 0 {
            self.queue.truncate(INPUT_LIMIT - 1);
            if matches!(cell, Cell::Byte(_)) {
                self.queue.pop_back();
            }
        }
        if self.queue.len() < INPUT_LIMIT {
            self.queue.push_back(cell);
        }
    }

    /// True if a read gives something now; for poll, `VMIN` counts if there is
    /// no `VTIME`.
    #[must_use]
    pub fn is_readable(&self, for_poll: bool) -> bool {
        if self.edits_lines() {
            return self.finished > 0;
        }
        let min = usize::from(self.termios.character(Control::VMIN));
        let needed = if for_poll && self.termios.character(Control::VTIME) == 0 { min.max(1) } else { 1 };
        self.queue.len() >= needed
    }

    /// Bytes that could be read now (`TIOCINQ`).
    #[must_use]
    pub fn available(&self) -> usize {
        if self.edits_lines() {
            self.queue.iter().take(self.finished).filter(|cell| **cell != Cell::Eof).count()
        } else {
            self.queue.len()
        }
    }

    /// True if reads give lines.
    #[must_use]
    pub fn edits_lines(&self) -> bool {
        self.does(Local::ICANON) && !self.does(Local::EXTPROC)
    }

    /// Takes at most `limit` bytes: in canonical mode a line or its beginning,
    /// else whatever is there. Empty at an end-of-file mark, and if nothing is
    /// readable (ask [`Discipline::is_readable`] first).
    pub fn read(&mut self, limit: usize) -> Vec<u8> {
        let mut out = Vec::new();
        if !self.edits_lines() {
            let count = limit.min(self.queue.len());
            out.extend(self.queue.drain(..count).map(Cell::byte));
            return out;
        }
        while self.finished > 0 {
            // An end-of-file mark right behind the last byte that fits is left
            // for the next read, which then gives no byte; so does Linux.
            if out.len() == limit {
                break;
            }
            self.finished -= 1;
            match self.queue.pop_front() {
                Some(Cell::Byte(byte)) => out.push(byte),
                Some(Cell::LineEnd(byte)) => {
                    out.push(byte);
                    break;
                }
                Some(Cell::Eof) | None => break,
            }
        }
        out
    }

    /// Drops everything that has been typed and not read.
    pub fn flush_input(&mut self) {
        self.queue.clear();
        self.finished = 0;
        self.erasing = false;
        self.literal_next = false;
    }

    /// True while output must wait.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.stopped || self.held
    }

    /// `TCOOFF` and `TCOON`; true if that changed whether output flows.
    pub fn hold(&mut self, held: bool) -> bool {
        let before = self.is_stopped();
        self.held = held;
        if !held {
            self.stopped = false;
        }
        before != self.is_stopped()
    }

    fn has(&self, mode: Input) -> bool {
        self.termios.input.contains(mode)
    }

    fn does(&self, mode: Local) -> bool {
        self.termios.local.contains(mode)
    }
}

impl Cell {
    /// The byte that a reader without lines sees.
    fn byte(self) -> u8 {
        match self {
            Self::Byte(byte) | Self::LineEnd(byte) => byte,
            Self::Eof => 0,
        }
    }
}
