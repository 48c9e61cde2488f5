//! Output processing (`OPOST`) and the column it leaves the cursor in.

use alloc::vec::Vec;

use super::Discipline;
use crate::tty::termios::{Input, Output};

/// What one byte of output becomes: at most eight bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Processed {
    bytes: [u8; 8],
    length: usize,
}

impl Processed {
    fn one(byte: u8) -> Self {
        Self { bytes: [byte, 0, 0, 0, 0, 0, 0, 0], length: 1 }
    }
}

impl core::ops::Deref for Processed {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

impl Discipline {
    /// Processes all of what a program writes.
    pub fn process_all(&mut self, bytes: &[u8]) -> Vec<u8> {
        if !self.termios.output.contains(Output::OPOST) {
            return bytes.to_vec();
        }
        let mut out = Vec::with_capacity(bytes.len() + bytes.len() / 8);
        for &byte in bytes {
            out.extend_from_slice(&self.process(byte));
        }
        out
    }

    /// One byte through output processing.
    pub(super) fn process(&mut self, byte: u8) -> Processed {
        let modes = self.termios.output;
        if !modes.contains(Output::OPOST) {
            return Processed::one(byte);
        }
        match byte {
            b'\n' => {
                if modes.contains(Output::ONLRET) {
                    self.column = 0;
                }
                if modes.contains(Output::ONLCR) {
                    self.column = 0;
                    self.line_column = 0;
                    return Processed { bytes: *b"\r\n\0\0\0\0\0\0", length: 2 };
                }
                self.line_column = self.column;
            }
            b'\r' => {
                if modes.contains(Output::ONOCR) && self.column == 0 {
                    return Processed::default();
                }
                if !modes.contains(Output::OCRNL) || modes.contains(Output::ONLRET) {
                    self.column = 0;
                    self.line_column = 0;
                }
                if modes.contains(Output::OCRNL) {
                    return Processed::one(b'\n');
                }
            }
            b'\t' => {
                let spaces = 8 - self.column % 8;
                self.column += spaces;
                if modes.contains(Output::TAB3) {
                    return Processed { bytes: [b' '; 8], length: spaces };
                }
            }
            b'\x08' => self.column = self.column.saturating_sub(1),
            _ if byte.is_ascii_control() => {}
            _ => {
                if !(self.has(Input::IUTF8) && byte & 0xc0 == 0x80) {
                    self.column = self.column.wrapping_add(1);
                }
                if modes.contains(Output::OLCUC) {
                    return Processed::one(byte.to_ascii_uppercase());
                }
            }
        }
        Processed::one(byte)
    }
}
