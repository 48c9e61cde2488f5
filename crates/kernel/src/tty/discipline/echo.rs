//! Echo, and the erasing of characters, words and lines.

use super::{Cell, Discipline};
use crate::tty::termios::{Control, Input, Local};

/// Echo that has not gone out is dropped from the front beyond this.
const ECHO_LIMIT: usize = 4096;

/// How much an erasing character takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extent {
    Character,
    Word,
    Line,
}

impl Discipline {
    /// Takes at most `limit` bytes of echo; none while output is stopped.
    pub fn take_echo(&mut self, limit: usize) -> alloc::vec::Vec<u8> {
        if self.is_stopped() {
            return alloc::vec::Vec::new();
        }
        let count = limit.min(self.echo.len());
        self.echo.drain(..count).collect()
    }

    /// True if echo waits to go out.
    #[must_use]
    pub fn has_echo(&self) -> bool {
        !self.echo.is_empty()
    }

    /// Drops echo that has not gone out.
    pub fn flush_echo(&mut self) {
        self.echo.clear();
    }

    /// Echoes one byte after output processing, without making it visible.
    pub(super) fn echo_raw(&mut self, byte: u8) {
        let bytes = self.process(byte);
        self.push_echo(&bytes);
    }

    fn push_echo(&mut self, bytes: &[u8]) {
        self.echo.extend(bytes);
        if self.echo.len() > ECHO_LIMIT {
            let excess = self.echo.len() - ECHO_LIMIT;
            self.echo.drain(..excess);
        }
    }

    /// Echoes a typed byte, control characters as `^X` if so set.
    pub(super) fn echo_char(&mut self, byte: u8) {
        if self.does(Local::ECHOCTL) && byte.is_ascii_control() && byte != b'\t' {
            self.push_echo(&[b'^', byte ^ 0x40]);
            self.column += 2;
        } else {
            self.echo_raw(byte);
        }
    }

    /// Notes where the line begins on the screen, for erasing tabs.
    pub(super) fn mark_line_start(&mut self) {
        if self.queue.len() == self.finished {
            self.line_column = self.column;
        }
    }

    pub(super) fn finish_erasing(&mut self) {
        if core::mem::take(&mut self.erasing) {
            self.echo_raw(b'/');
        }
    }

    /// VREPRINT: the line again, below.
    pub(super) fn reprint(&mut self, byte: u8) {
        self.finish_erasing();
        self.echo_char(byte);
        self.echo_raw(b'\n');
        for index in self.finished..self.queue.len() {
            if let Some(cell) = self.queue.get(index) {
                self.echo_char(cell.byte());
            }
        }
    }

    fn is_continuation(&self, byte: u8) -> bool {
        self.has(Input::IUTF8) && byte & 0xc0 == 0x80
    }

    /// VERASE, VWERASE and VKILL.
    pub(super) fn erase(&mut self, byte: u8) {
        if self.queue.len() == self.finished {
            return;
        }
        let extent = if self.termios.is(Control::VERASE, byte) {
            Extent::Character
        } else if self.termios.is(Control::VWERASE, byte) {
            Extent::Word
        } else if self.kill_without_wiping() {
            return;
        } else {
            Extent::Line
        };
        let mut in_word = false;
        while let Some(length) = self.last_character() {
            let start = self.queue.len() - length;
            let Some(first) = self.queue.get(start).map(|cell| cell.byte()) else { break };
            if extent == Extent::Word {
                if first.is_ascii_alphanumeric() || first == b'_' || first >= 0x80 {
                    in_word = true;
                } else if in_word {
                    break;
                }
            }
            let erased: alloc::vec::Vec<u8> = self.queue.drain(start..).map(Cell::byte).collect();
            if self.does(Local::ECHO) {
                self.echo_erasure(first, &erased, extent);
            }
            if extent == Extent::Character {
                break;
            }
        }
        if self.queue.len() == self.finished && self.does(Local::ECHO) {
            self.finish_erasing();
        }
    }

    /// VKILL where the screen is not wiped; false if it is to be.
    fn kill_without_wiping(&mut self) -> bool {
        let wipes = self.does(Local::ECHOK) && self.does(Local::ECHOKE) && self.does(Local::ECHOE);
        if self.does(Local::ECHO) && wipes {
            return false;
        }
        self.queue.truncate(self.finished);
        if self.does(Local::ECHO) {
            self.finish_erasing();
            self.echo_char(self.termios.character(Control::VKILL));
            if self.does(Local::ECHOK) {
                self.echo_raw(b'\n');
            }
        }
        true
    }

    /// Bytes of the last character of the line that is being typed; `None` if
    /// there is no whole one.
    fn last_character(&self) -> Option<usize> {
        let mut length = 0;
        while self.queue.len() - length > self.finished {
            length += 1;
            let byte = self.queue.get(self.queue.len() - length)?.byte();
            if !self.is_continuation(byte) {
                return Some(length);
            }
        }
        None
    }

    fn echo_erasure(&mut self, first: u8, erased: &[u8], extent: Extent) {
        if self.does(Local::ECHOPRT) {
            if !core::mem::replace(&mut self.erasing, true) {
                self.echo_raw(b'\\');
            }
            self.echo_char(first);
            for &byte in erased.iter().skip(1) {
                self.echo_raw(byte);
            }
        } else if extent == Extent::Character && !self.does(Local::ECHOE) {
            self.echo_char(self.termios.character(Control::VERASE));
        } else if first == b'\t' {
            for _ in 0..self.width_of_last_tab() {
                self.echo_raw(b'\x08');
            }
        } else {
            let width = match (first.is_ascii_control(), self.does(Local::ECHOCTL)) {
                (true, true) => 2,
                (true, false) => 0,
                (false, _) => 1,
            };
            for _ in 0..width {
                for byte in *b"\x08 \x08" {
                    self.echo_raw(byte);
                }
            }
        }
    }

    /// Columns that a tab behind the rest of the line takes: counted from the
    /// tab before it, or from where the line began.
    fn width_of_last_tab(&self) -> usize {
        let mut columns = 0;
        for cell in self.queue.iter().skip(self.finished).rev() {
            match cell.byte() {
                b'\t' => return 8 - columns % 8,
                byte if byte.is_ascii_control() => columns += if self.does(Local::ECHOCTL) { 2 } else { 0 },
                byte if self.is_continuation(byte) => {}
                _ => columns += 1,
            }
        }
        8 - (columns + self.line_column) % 8
    }
}
