//! The line editor: keys of Emacs' kind, history, completion.

use crate::shell::Shell;
use crate::sys::{self, Termios};
use crate::text::{decode, encode};
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;

/// What reading a line came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Input {
    Line(String),
    /// The interrupt key was pressed.
    Interrupted,
    End,
}

/// A key, decoded from what the terminal sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    Char(char),
    Control(char),
    Left,
    Right,
    Up,
    Down,
    Home,
    End,
    Delete,
    WordLeft,
    WordRight,
    Other,
    Eof,
}

struct Editor<'a> {
    shell: &'a Shell,
    prompt: String,
    line: Vec<char>,
    cursor: usize,
    /// The entry shown; the length of the history is the line being typed.
    entry: usize,
    typed: Vec<char>,
    killed: Vec<char>,
    /// The first character shown of a line that is wider than the terminal.
    scroll: usize,
}

fn read_byte() -> io::Result<Option<u8>> {
    let mut byte = [0];
    loop {
        match sys::read(0, &mut byte) {
            Ok(0) => return Ok(None),
            Ok(_) => return Ok(Some(byte[0])),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn read_key() -> io::Result<Key> {
    let Some(byte) = read_byte()? else {
        return Ok(Key::Eof);
    };
    Ok(match byte {
        0x1b => escape_sequence()?,
        b'\r' => Key::Control('M'),
        0x7f => Key::Control('H'),
        0..0x20 => Key::Control(char::from(byte + 0x40)),
        0x20..0x80 => Key::Char(char::from(byte)),
        _ => {
            let length = if byte >= 0xf0 {
                4
            } else if byte >= 0xe0 {
                3
            } else {
                2
            };
            let mut bytes = vec![byte];
            while bytes.len() < length
                && let Some(next) = read_byte()?
            {
                bytes.push(next);
            }
            decode(&bytes).chars().next().map_or(Key::Other, Key::Char)
        }
    })
}

fn escape_sequence() -> io::Result<Key> {
    Ok(match read_byte()? {
        Some(b'[' | b'O') => {
            let mut params = String::new();
            loop {
                match read_byte()? {
                    Some(byte @ (b'0'..=b'9' | b';')) if params.len() < 16 => {
                        params.push(char::from(byte))
                    }
                    Some(last) => break csi(last, &params),
                    None => break Key::Eof,
                }
            }
        }
        Some(b'b') => Key::WordLeft,
        Some(b'f') => Key::WordRight,
        Some(_) => Key::Other,
        None => Key::Eof,
    })
}

fn csi(last: u8, params: &str) -> Key {
    match (last, params) {
        (b'A', _) => Key::Up,
        (b'B', _) => Key::Down,
        (b'C', "1;5" | "1;3") => Key::WordRight,
        (b'D', "1;5" | "1;3") => Key::WordLeft,
        (b'C', _) => Key::Right,
        (b'D', _) => Key::Left,
        (b'H', _) | (b'~', "1" | "7") => Key::Home,
        (b'F', _) | (b'~', "4" | "8") => Key::End,
        (b'~', "3") => Key::Delete,
        _ => Key::Other,
    }
}

/// Puts the terminal back when dropped.
struct Raw(Termios);

impl Drop for Raw {
    fn drop(&mut self) {
        sys::set_termios(0, &self.0);
    }
}

/// Reads a line from the terminal with editing.
pub(crate) fn read_line(shell: &Shell, prompt: &str) -> io::Result<Input> {
    let saved = sys::get_termios(0)?;
    sys::set_termios(0, &saved.raw());
    let _raw = Raw(saved);
    // Lines of the prompt before its last are printed once.
    let (above, last) = prompt
        .rsplit_once('\n')
        .map_or(("", prompt), |(above, last)| (above, last));
    if !above.is_empty() {
        sys::write_all(2, &encode(&format!("{above}\n")))?;
    }
    let entry = shell.history.len();
    let mut editor = Editor {
        shell,
        prompt: last.to_owned(),
        line: Vec::new(),
        cursor: 0,
        entry,
        typed: Vec::new(),
        killed: Vec::new(),
        scroll: 0,
    };
    editor.run()
}

/// The columns that text takes, without its escape sequences.
fn width(text: &str) -> usize {
    let (mut count, mut in_escape) = (0, false);
    for c in text.chars() {
        match c {
            '\x1b' => in_escape = true,
            _ if in_escape => in_escape = !c.is_ascii_alphabetic(),
            c if c.is_control() => {}
            _ => count += 1,
        }
    }
    count
}

impl Editor<'_> {
    fn run(&mut self) -> io::Result<Input> {
        let mut redraw = true;
        loop {
            if redraw {
                self.draw()?;
            }
            redraw = true;
            let at_end = self.cursor == self.line.len();
            match read_key()? {
                // The common key needs no more than itself.
                key @ Key::Char(c) if at_end && self.scroll == 0 && self.cursor < self.room() => {
                    self.edit(key);
                    sys::write_all(2, &encode(c.encode_utf8(&mut [0; 4])))?;
                    redraw = false;
                }
                Key::Control('M' | 'J') => {
                    if !at_end {
                        self.cursor = self.line.len();
                        self.draw()?;
                    }
                    sys::write_all(2, b"\n")?;
                    return Ok(Input::Line(self.line.iter().collect()));
                }
                Key::Control('C') => {
                    sys::write_all(2, b"^C\n")?;
                    return Ok(Input::Interrupted);
                }
                Key::Control('D') if self.line.is_empty() => return Ok(Input::End),
                Key::Eof => return Ok(Input::End),
                Key::Control('I') => self.complete()?,
                Key::Control('L') => sys::write_all(2, b"\x1b[H\x1b[2J")?,
                key => self.edit(key),
            }
        }
    }

    fn edit(&mut self, key: Key) {
        let length = self.line.len();
        match key {
            Key::Char(c) => {
                self.line.insert(self.cursor, c);
                self.cursor += 1;
            }
            Key::Control('H') if self.cursor > 0 => {
                self.cursor -= 1;
                self.line.remove(self.cursor);
            }
            Key::Control('D') | Key::Delete if self.cursor < length => {
                self.line.remove(self.cursor);
            }
            Key::Left | Key::Control('B') => self.cursor = self.cursor.saturating_sub(1),
            Key::Right | Key::Control('F') => self.cursor = (self.cursor + 1).min(length),
            Key::Home | Key::Control('A') => self.cursor = 0,
            Key::End | Key::Control('E') => self.cursor = length,
            Key::WordLeft => self.cursor = self.word_start(),
            Key::WordRight => self.cursor = self.word_end(),
            Key::Control('K') => self.killed = self.line.split_off(self.cursor),
            Key::Control('U') => {
                self.killed = self.line.drain(..self.cursor).collect();
                self.cursor = 0;
            }
            Key::Control('W') => {
                let start = self.word_start();
                self.killed = self.line.drain(start..self.cursor).collect();
                self.cursor = start;
            }
            Key::Control('Y') => {
                let killed = self.killed.clone();
                self.line
                    .splice(self.cursor..self.cursor, killed.iter().copied());
                self.cursor += killed.len();
            }
            Key::Control('T') if self.cursor > 0 && length > 1 => {
                let at = self.cursor.min(length - 1);
                self.line.swap(at - 1, at);
                self.cursor = at + 1;
            }
            Key::Up | Key::Control('P') if self.entry > 0 => self.show_entry(self.entry - 1),
            Key::Down | Key::Control('N') if self.entry < self.shell.history.len() => {
                self.show_entry(self.entry + 1)
            }
            _ => {}
        }
    }

    fn word_start(&self) -> usize {
        let before = &self.line[..self.cursor];
        let end = before
            .iter()
            .rposition(|c| !c.is_whitespace())
            .map_or(0, |at| at + 1);
        before[..end]
            .iter()
            .rposition(|c| c.is_whitespace())
            .map_or(0, |at| at + 1)
    }

    fn word_end(&self) -> usize {
        let start = (self.cursor..self.line.len())
            .find(|at| !self.line[*at].is_whitespace())
            .unwrap_or(self.line.len());
        (start..self.line.len())
            .find(|at| self.line[*at].is_whitespace())
            .unwrap_or(self.line.len())
    }

    fn show_entry(&mut self, entry: usize) {
        if self.entry == self.shell.history.len() {
            self.typed = std::mem::take(&mut self.line);
        }
        self.entry = entry;
        self.line = match self.shell.history.get(entry) {
            Some(text) => text.chars().collect(),
            None => self.typed.clone(),
        };
        self.cursor = self.line.len();
    }

    /// How many characters fit behind the prompt.
    fn room(&self) -> usize {
        sys::columns(2)
            .saturating_sub(width(&self.prompt) + 1)
            .max(8)
    }

    /// Shows the part of the line around the cursor that fits.
    fn draw(&mut self) -> io::Result<()> {
        let room = self.room();
        if self.cursor < self.scroll {
            self.scroll = self.cursor;
        } else if self.cursor > self.scroll + room {
            self.scroll = self.cursor - room;
        }
        let shown: String = self
            .line
            .iter()
            .skip(self.scroll)
            .take(room)
            .map(|c| if c.is_control() { '?' } else { *c })
            .collect();
        let column = width(&self.prompt) + self.cursor - self.scroll;
        let forward = if column > 0 {
            format!("\x1b[{column}C")
        } else {
            String::new()
        };
        sys::write_all(
            2,
            &encode(&format!("\r{}{shown}\x1b[K\r{forward}", self.prompt)),
        )
    }

    /// Completes the word before the cursor, as far as there is one way to.
    fn complete(&mut self) -> io::Result<()> {
        let start = self.line[..self.cursor]
            .iter()
            .rposition(|c| c.is_whitespace() || ";|&<>()`=".contains(*c))
            .map_or(0, |at| at + 1);
        let word: String = self.line[start..self.cursor].iter().collect();
        let before: String = self.line[..start].iter().collect();
        let is_command =
            before.trim_end().is_empty() || before.trim_end().ends_with([';', '|', '&', '(']);
        let mut candidates = if is_command && !word.contains('/') {
            self.commands(&word)
        } else {
            files(&word, self.shell.var("HOME"))
        };
        candidates.sort();
        candidates.dedup();
        let Some(first) = candidates.first() else {
            return sys::write_all(2, b"\x07");
        };
        let common = candidates.iter().fold(first.clone(), |common, other| {
            common
                .chars()
                .zip(other.chars())
                .take_while(|(a, b)| a == b)
                .map(|(a, _)| a)
                .collect()
        });
        let typed = word.rsplit('/').next().unwrap_or_default().chars().count();
        let mut added: Vec<char> = common
            .chars()
            .skip(typed)
            .flat_map(|c| {
                if " \t\\'\"$`&|;<>()*?[#~!{}".contains(c) {
                    vec!['\\', c]
                } else {
                    vec![c]
                }
            })
            .collect();
        if candidates.len() == 1 && !common.ends_with('/') {
            added.push(' ');
        }
        if added.is_empty() && candidates.len() > 1 {
            return sys::write_all(
                2,
                &encode(&format!("\n{}\n", in_columns(&candidates, sys::columns(2)))),
            );
        }
        let count = added.len();
        self.line.splice(self.cursor..self.cursor, added);
        self.cursor += count;
        Ok(())
    }

    /// Commands that start with `word`.
    fn commands(&self, word: &str) -> Vec<String> {
        let mut names: Vec<String> = crate::builtins::names().map(str::to_owned).collect();
        names.extend(
            self.shell
                .functions
                .keys()
                .chain(self.shell.aliases.keys())
                .cloned(),
        );
        for directory in self.shell.var("PATH").unwrap_or_default().split(':') {
            let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
            names.extend(
                entries
                    .map(|entry| decode(entry.file_name().as_bytes()))
                    .filter(|name| name.starts_with(word)),
            );
        }
        names.retain(|name| name.starts_with(word));
        names
    }
}

/// Files whose path starts with `word`, by their last component; directories end in a slash.
fn files(word: &str, home: Option<&str>) -> Vec<String> {
    let (directory, prefix) = word
        .rsplit_once('/')
        .map_or((".", word), |(directory, prefix)| {
            (if directory.is_empty() { "/" } else { directory }, prefix)
        });
    let directory = match (directory.strip_prefix('~'), home) {
        (Some(rest), Some(home)) => format!("{home}{rest}"),
        _ => directory.replace('\\', ""),
    };
    let entries = std::fs::read_dir(OsStr::from_bytes(&encode(&directory)))
        .into_iter()
        .flatten()
        .flatten();
    let named = entries.filter_map(|entry| {
        let name = decode(entry.file_name().as_bytes());
        let hidden = name.starts_with('.') && !prefix.starts_with('.');
        (name.starts_with(prefix) && !hidden).then(|| {
            if entry.path().is_dir() {
                name + "/"
            } else {
                name
            }
        })
    });
    named.collect()
}

fn in_columns(names: &[String], columns: usize) -> String {
    let cell = names.iter().map(|name| width(name)).max().unwrap_or(0) + 2;
    let per_line = (columns / cell).max(1);
    let lines = names.chunks(per_line).map(|line| {
        line.iter()
            .map(|name| format!("{name:<cell$}"))
            .collect::<String>()
            .trim_end()
            .to_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompts_are_as_wide_as_they_look() {
        assert_eq!(width("\x1b[1;32muser\x1b[m$ "), 6);
    }

    #[test]
    fn keys_of_terminals_are_known() {
        assert_eq!(
            (csi(b'A', ""), csi(b'~', "3"), csi(b'C', "1;5")),
            (Key::Up, Key::Delete, Key::WordRight)
        );
    }
}
