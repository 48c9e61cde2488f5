//! A virtual machine with closures, arrays and strings over `ironwall-rs`.
//!
//! [`mod@assemble`] makes programs of text, [`code`] checks them, [`machine`] runs them. The exit status is 0, 1 for a
//! program that trapped, 2 for a wrong command line, 65 for what is no program, 66 for a file that cannot be read, 74
//! for one that cannot be written.

#![forbid(unsafe_code)]

mod assemble;
mod code;
mod machine;
#[cfg(test)]
mod tests;

use code::{MAGIC, Program};
use machine::Settings;
use std::fs;
use std::io::{self, Write};
use std::process::ExitCode;

const USAGE: &str =
    "usage: ironwall-vm run PROGRAM [--zeal] [--steps N] [--heap BYTES]\n       ironwall-vm assemble TEXT PROGRAM";

/// Why the command failed: its status and what it says.
type Failure = (u8, String);

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["run", path, options @ ..] => run(path, options),
        ["assemble", text, path] => assemble(text, path),
        _ => Err((2, USAGE.into())),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err((status, message)) => {
            // Nothing can be done if standard error is closed as well.
            let _ = writeln!(io::stderr(), "{message}");
            ExitCode::from(status)
        }
    }
}

fn run(path: &str, options: &[&str]) -> Result<(), Failure> {
    let mut settings = Settings { heap_len: 4 << 20, zeal: false, steps: u64::MAX };
    let mut options = options.iter();
    while let Some(option) = options.next() {
        let number = |word: Option<&&str>| word.and_then(|word| word.parse().ok()).ok_or((2, USAGE.to_owned()));
        match *option {
            "--zeal" => settings.zeal = true,
            "--steps" => settings.steps = number(options.next())?,
            "--heap" => settings.heap_len = usize::try_from(number(options.next())?).map_err(|_| (2, USAGE.into()))?,
            _ => return Err((2, USAGE.into())),
        }
    }
    let program = load(path)?;
    let mut out = io::BufWriter::new(io::stdout().lock());
    let ended = machine::run(&program, settings, &mut out);
    out.flush().map_err(|error| (74, format!("cannot print: {error}")))?;
    ended.map_err(|error| (1, error.to_string()))
}

/// A program, from its bytes or from its text.
fn load(path: &str) -> Result<Program, Failure> {
    let bytes = fs::read(path).map_err(|error| (66, format!("{path}: {error}")))?;
    if bytes.starts_with(&MAGIC) {
        return Program::decode(&bytes).map_err(|error| (65, error.to_string()));
    }
    let text = std::str::from_utf8(&bytes);
    let text = text.map_err(|error| (65, format!("byte {}: this is no text", error.valid_up_to())))?;
    assemble::assemble(text).map_err(|error| (65, error.to_string()))
}

fn assemble(text: &str, path: &str) -> Result<(), Failure> {
    let program = load(text)?;
    fs::write(path, program.encode()).map_err(|error| (74, format!("{path}: {error}")))
}
