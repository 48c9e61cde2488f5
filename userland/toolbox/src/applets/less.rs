//! `less`: shows text a screen at a time.

use crate::adapters::complain;
use rustix::termios::{self, OptionalActions, Termios};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, IsTerminal, Read, Write};

/// Puts the terminal back as it was when dropped.
struct RawTerminal {
    tty: File,
    saved: Termios,
}

impl RawTerminal {
    fn open() -> io::Result<Self> {
        let tty = File::options().read(true).write(true).open("/dev/tty")?;
        let saved = termios::tcgetattr(&tty)?;
        let mut raw = saved.clone();
        raw.local_modes -= termios::LocalModes::ICANON | termios::LocalModes::ECHO;
        termios::tcsetattr(&tty, OptionalActions::Now, &raw)?;
        Ok(Self { tty, saved })
    }

    /// Rows and columns; 24 and 80 if the terminal does not tell.
    fn size(&self) -> (usize, usize) {
        match termios::tcgetwinsize(&self.tty) {
            Ok(size) if size.ws_row > 1 && size.ws_col > 0 => {
                (size.ws_row.into(), size.ws_col.into())
            }
            _ => (24, 80),
        }
    }

    fn key(&mut self) -> io::Result<Key> {
        let mut bytes = [0; 8];
        let count = self.tty.read(&mut bytes)?;
        Ok(match &bytes[..count] {
            [] | b"q" | b"Q" | b"\x03" => Key::Quit,
            b" " | b"f" | b"\x06" | b"\x1b[6~" => Key::PageDown,
            b"b" | b"\x02" | b"\x1b[5~" => Key::PageUp,
            b"j" | b"\n" | b"\r" | b"\x1b[B" | b"\x1bOB" => Key::Down,
            b"k" | b"y" | b"\x1b[A" | b"\x1bOA" => Key::Up,
            b"g" | b"<" | b"\x1b[H" => Key::Start,
            b"G" | b">" | b"\x1b[F" => Key::End,
            b"/" => Key::Search,
            b"n" => Key::Next,
            _ => Key::Other,
        })
    }

    /// Reads a line on the bottom row, echoing it; `None` when given up.
    fn prompt(&mut self, prompt: &str) -> io::Result<Option<String>> {
        let mut text = String::new();
        loop {
            write!(self.tty, "\r\x1b[K{prompt}{text}")?;
            let mut byte = [0];
            if self.tty.read(&mut byte)? == 0 {
                return Ok(None);
            }
            match byte[0] {
                b'\n' | b'\r' => return Ok(Some(text)),
                0x1b | 0x03 => return Ok(None),
                0x7f | 0x08 => {
                    text.pop();
                }
                byte => text.push(char::from(byte)),
            }
        }
    }
}

impl Drop for RawTerminal {
    fn drop(&mut self) {
        let _ = self.tty.write_all(b"\r\x1b[K");
        let _ = termios::tcsetattr(&self.tty, OptionalActions::Now, &self.saved);
    }
}

/// What a key asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Key {
    Quit,
    PageDown,
    PageUp,
    Down,
    Up,
    Start,
    End,
    Search,
    Next,
    Other,
}

/// Cuts the text into rows of at most `columns` characters, with tabs expanded
/// and control characters made visible.
fn rows(text: &str, columns: usize) -> Vec<String> {
    let mut rows = Vec::new();
    for line in text.lines() {
        let (mut row, mut width) = (String::new(), 0);
        for c in line.chars() {
            let shown = match c {
                '\t' => " ".repeat(8 - width % 8),
                c if c.is_control() => {
                    format!("^{}", char::from_u32(u32::from(c) ^ 0x40).unwrap_or('?'))
                }
                c => c.to_string(),
            };
            let needed = shown.chars().count();
            if width + needed > columns && width > 0 {
                rows.push(std::mem::take(&mut row));
                width = 0;
            }
            row.push_str(&shown);
            width += needed;
        }
        rows.push(row);
    }
    rows
}

fn show(terminal: &mut RawTerminal, rows: &[String], top: usize, height: usize) -> io::Result<()> {
    let mut screen = String::from("\x1b[H");
    for index in top..top + height {
        screen.push_str("\x1b[K");
        screen.push_str(rows.get(index).map_or("~", String::as_str));
        screen.push_str("\r\n");
    }
    screen.push_str(if top + height >= rows.len() {
        "\x1b[7m(END)\x1b[m\x1b[K"
    } else {
        ":\x1b[K"
    });
    terminal.tty.write_all(screen.as_bytes())
}

fn page(text: &str) -> io::Result<()> {
    let mut terminal = RawTerminal::open()?;
    let (mut top, mut pattern) = (0, String::new());
    loop {
        let (height, columns) = terminal.size();
        let height = height - 1;
        let rows = rows(text, columns);
        let last = rows.len().saturating_sub(height);
        top = top.min(last);
        show(&mut terminal, &rows, top, height)?;
        let key = terminal.key()?;
        match key {
            Key::Quit => return Ok(()),
            Key::PageDown => top += height,
            Key::PageUp => top = top.saturating_sub(height),
            Key::Down => top += 1,
            Key::Up => top = top.saturating_sub(1),
            Key::Start => top = 0,
            Key::End => top = last,
            Key::Search | Key::Next => {
                if key == Key::Search
                    && let Some(wanted) = terminal.prompt("/")?
                    && !wanted.is_empty()
                {
                    pattern = wanted;
                }
                let found = rows
                    .iter()
                    .enumerate()
                    .skip(top + 1)
                    .find(|(_, row)| !pattern.is_empty() && row.contains(&pattern));
                top = found.map_or(top, |(index, _)| index);
            }
            Key::Other => {}
        }
    }
}

/// Copies to a pipe unchanged; options are accepted as `less` has them and have no effect here.
pub(crate) fn main(args: Vec<OsString>) -> i32 {
    let mut bytes = Vec::new();
    let mut status = 0;
    let files: Vec<_> = args
        .iter()
        .skip(1)
        .filter(|arg| *arg == "-" || !arg.to_string_lossy().starts_with(['-', '+']))
        .collect();
    if files.is_empty() {
        if io::stdin().is_terminal() {
            complain("less", "missing file name");
            return 1;
        }
        status |= i32::from(io::stdin().read_to_end(&mut bytes).is_err());
    }
    for file in files {
        let read = if file == "-" {
            io::stdin().read_to_end(&mut bytes).map(|_| ())
        } else {
            fs::read(file).map(|read| bytes.extend(read))
        };
        if let Err(error) = read {
            complain("less", &format!("{}: {error}", file.display()));
            status = 1;
        }
    }
    let shown = if io::stdout().is_terminal() {
        page(&String::from_utf8_lossy(&bytes))
    } else {
        io::stdout().write_all(&bytes)
    };
    status | i32::from(shown.is_err())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_wrap_and_tabs_expand() {
        assert_eq!(
            rows("abcdef\na\tb\n\x01", 4),
            ["abcd", "ef", "a", "       ", "b", "^A"]
        );
    }
}
