//! `test` and `[`.

use super::misuse;
use crate::shell::{Run, Shell};
use crate::sys;
use crate::text::encode;
use std::ffi::OsStr;
use std::fs::Metadata;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};

/// Status 0 if the expression is true, 1 if not, 2 if it is none.
pub(super) fn run(shell: &mut Shell, args: &[String]) -> Run {
    let mut words: Vec<&str> = args[1..].iter().map(String::as_str).collect();
    if args[0] == "[" && words.pop() != Some("]") {
        return misuse(shell, args, "] expected");
    }
    match evaluate(&words) {
        Ok(value) => Ok(i32::from(!value)),
        Err(message) => misuse(shell, args, &message),
    }
}

/// POSIX fixes the meaning of up to four words; more are parsed with `-a` and `-o`.
fn evaluate(words: &[&str]) -> Result<bool, String> {
    match words {
        [] => Ok(false),
        [word] => Ok(!word.is_empty()),
        ["!", word] => Ok(word.is_empty()),
        [operator, word] if is_unary(operator) => unary(operator, word),
        [left, operator, right] if is_binary(operator) => binary(left, operator, right),
        ["!", rest @ ..] if rest.len() <= 3 => evaluate(rest).map(|value| !value),
        ["(", middle @ .., ")"] if middle.len() <= 2 => evaluate(middle),
        _ => {
            let mut parser = Expression {
                words,
                at: 0,
                depth: 0,
            };
            let value = parser.or()?;
            if parser.at < words.len() {
                Err(format!("unexpected {}", words[parser.at]))
            } else {
                Ok(value)
            }
        }
    }
}

struct Expression<'a> {
    words: &'a [&'a str],
    at: usize,
    depth: usize,
}

impl Expression<'_> {
    fn peek(&self, offset: usize) -> Option<&str> {
        self.words.get(self.at + offset).copied()
    }

    fn or(&mut self) -> Result<bool, String> {
        let mut value = self.and()?;
        while self.peek(0) == Some("-o") {
            self.at += 1;
            value |= self.and()?;
        }
        Ok(value)
    }

    fn and(&mut self) -> Result<bool, String> {
        let mut value = self.primary()?;
        while self.peek(0) == Some("-a") {
            self.at += 1;
            value &= self.primary()?;
        }
        Ok(value)
    }

    fn primary(&mut self) -> Result<bool, String> {
        self.depth += 1;
        if self.depth > 500 {
            return Err("nested too deeply".into());
        }
        let words = self.words;
        let value = match words.get(self.at..).unwrap_or_default() {
            [] => Err("argument expected".into()),
            [left, operator, right, ..] if is_binary(operator) => {
                self.at += 3;
                binary(left, operator, right)
            }
            ["!", ..] => {
                self.at += 1;
                self.primary().map(|value| !value)
            }
            ["(", ..] => {
                self.at += 1;
                let value = self.or()?;
                if self.peek(0) != Some(")") {
                    return Err(") expected".into());
                }
                self.at += 1;
                Ok(value)
            }
            [operator, word, ..] if is_unary(operator) => {
                self.at += 2;
                unary(operator, word)
            }
            [word, ..] => {
                self.at += 1;
                Ok(!word.is_empty())
            }
        };
        self.depth -= 1;
        value
    }
}

fn is_unary(operator: &str) -> bool {
    matches!(operator.as_bytes(), [b'-', letter] if b"bcdefghkLnprSstuwxzOGN".contains(letter))
}

fn is_binary(operator: &str) -> bool {
    matches!(
        operator,
        "=" | "=="
            | "!="
            | "<"
            | ">"
            | "-eq"
            | "-ne"
            | "-gt"
            | "-ge"
            | "-lt"
            | "-le"
            | "-nt"
            | "-ot"
            | "-ef"
    )
}

fn meta(path: &str) -> Option<Metadata> {
    std::fs::metadata(OsStr::from_bytes(&encode(path))).ok()
}

fn unary(operator: &str, word: &str) -> Result<bool, String> {
    let file = |check: fn(&Metadata) -> bool| Ok(meta(word).is_some_and(|meta| check(&meta)));
    match operator {
        "-n" => Ok(!word.is_empty()),
        "-z" => Ok(word.is_empty()),
        "-t" => number(word).map(|fd| i32::try_from(fd).is_ok_and(sys::is_terminal)),
        "-e" => file(|_| true),
        "-f" => file(Metadata::is_file),
        "-d" => file(Metadata::is_dir),
        "-s" => file(|meta| meta.len() > 0),
        "-b" => file(|meta| meta.file_type().is_block_device()),
        "-c" => file(|meta| meta.file_type().is_char_device()),
        "-p" => file(|meta| meta.file_type().is_fifo()),
        "-S" => file(|meta| meta.file_type().is_socket()),
        "-u" => file(|meta| meta.mode() & 0o4000 != 0),
        "-g" => file(|meta| meta.mode() & 0o2000 != 0),
        "-k" => file(|meta| meta.mode() & 0o1000 != 0),
        "-O" => file(|meta| meta.uid() == sys::geteuid()),
        "-G" => file(|meta| meta.gid() == sys::geteuid()),
        "-N" => file(|meta| meta.mtime() > meta.atime()),
        "-h" | "-L" => Ok(std::fs::symlink_metadata(OsStr::from_bytes(&encode(word)))
            .is_ok_and(|meta| meta.is_symlink())),
        "-r" => Ok(sys::access(word, 4)),
        "-w" => Ok(sys::access(word, 2)),
        _ => Ok(sys::access(word, 1)),
    }
}

fn number(text: &str) -> Result<i64, String> {
    text.trim()
        .parse()
        .map_err(|_| format!("{text}: not a number"))
}

fn binary(left: &str, operator: &str, right: &str) -> Result<bool, String> {
    let modified = |path: &str| meta(path).map(|meta| (meta.mtime(), meta.mtime_nsec()));
    let compare = |check: fn(i64, i64) -> bool| Ok(check(number(left)?, number(right)?));
    match operator {
        "=" | "==" => Ok(left == right),
        "!=" => Ok(left != right),
        "<" => Ok(left < right),
        ">" => Ok(left > right),
        "-eq" => compare(|a, b| a == b),
        "-ne" => compare(|a, b| a != b),
        "-gt" => compare(|a, b| a > b),
        "-ge" => compare(|a, b| a >= b),
        "-lt" => compare(|a, b| a < b),
        "-le" => compare(|a, b| a <= b),
        "-nt" => Ok(modified(left) > modified(right)),
        "-ot" => Ok(modified(left) < modified(right)),
        _ => Ok(meta(left)
            .zip(meta(right))
            .is_some_and(|(a, b)| (a.dev(), a.ino()) == (b.dev(), b.ino()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_follow_posix() {
        for (words, want) in [
            (&["a", "=", "a"][..], true),
            (&["!", "x"], false),
            (&["-n"], true),
            (&["!", "1", "-lt", "2"], false),
            (&["(", "a", ")"], true),
            (&["a", "-a", "", "-o", "b"], true),
            (&["-d", "/"], true),
            (&["=", "=", "="], true),
            (&[], false),
        ] {
            assert_eq!(evaluate(words), Ok(want), "{words:?}");
        }
        assert!(evaluate(&["a", "-eq", "1"]).is_err());
    }
}
