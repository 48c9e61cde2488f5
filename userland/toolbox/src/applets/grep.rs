//! `grep`, `egrep` and `fgrep` over the `regex` crate; expressions that refer
//! back to a group go to `fancy-regex`.

use crate::adapters::complain;
use posix_regex::{Dialect, translate};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

/// What to search for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Basic,
    Extended,
    Fixed,
}

/// A compiled set of patterns.
enum Matcher {
    Bytes(regex::bytes::Regex),
    Backtracking(fancy_regex::Regex),
}

impl Matcher {
    /// The first match at or after `from`, as a range of bytes.
    fn find(&self, line: &[u8], from: usize) -> Option<(usize, usize)> {
        match self {
            Self::Bytes(regex) => regex.find_at(line, from).map(|m| (m.start(), m.end())),
            Self::Backtracking(regex) => {
                let text = std::str::from_utf8(line).ok()?;
                regex
                    .find_from_pos(text, from)
                    .ok()?
                    .map(|m| (m.start(), m.end()))
            }
        }
    }
}

/// The options of a call.
#[derive(Default)]
struct Options {
    patterns: Vec<Vec<u8>>,
    files: Vec<OsString>,
    extended: bool,
    fixed: bool,
    ignore_case: bool,
    invert: bool,
    count: bool,
    list: bool,
    list_without: bool,
    number: bool,
    quiet: bool,
    silent: bool,
    only_matching: bool,
    whole_line: bool,
    word: bool,
    recursive: bool,
    with_name: Option<bool>,
    maximum: Option<u64>,
    before: usize,
    after: usize,
}

fn parse(args: &[OsString]) -> Result<Options, String> {
    let mut options = Options::default();
    let name = args
        .first()
        .map(|arg| arg.to_string_lossy().into_owned())
        .unwrap_or_default();
    options.extended = name.ends_with("egrep");
    options.fixed = name.ends_with("fgrep");
    let mut rest = args.iter().skip(1);
    let mut operands = Vec::new();
    while let Some(arg) = rest.next() {
        let bytes = arg.as_bytes();
        if bytes == b"--" {
            operands.extend(rest.by_ref().cloned());
        } else if let Some(long) = bytes.strip_prefix(b"--") {
            long_option(&mut options, long)?;
        } else if bytes.len() > 1 && bytes[0] == b'-' {
            short_options(&mut options, &bytes[1..], &mut rest)?;
        } else {
            operands.push(arg.clone());
        }
    }
    if options.patterns.is_empty() {
        if operands.is_empty() {
            return Err(
                "usage: grep [-EFivclLnqsoxwrhHmABC] PATTERN|-e PATTERN|-f FILE [FILE…]".to_owned(),
            );
        }
        add_patterns(&mut options, &operands.remove(0).into_vec());
    }
    options.files = operands;
    Ok(options)
}

fn add_patterns(options: &mut Options, lines: &[u8]) {
    options
        .patterns
        .extend(lines.split(|&b| b == b'\n').map(<[u8]>::to_vec));
}

fn long_option(options: &mut Options, option: &[u8]) -> Result<(), String> {
    match option {
        b"extended-regexp" => options.extended = true,
        b"fixed-strings" => options.fixed = true,
        b"ignore-case" => options.ignore_case = true,
        b"invert-match" => options.invert = true,
        b"count" => options.count = true,
        b"line-number" => options.number = true,
        b"only-matching" => options.only_matching = true,
        b"quiet" | b"silent" => options.quiet = true,
        b"recursive" => options.recursive = true,
        b"word-regexp" => options.word = true,
        b"line-regexp" => options.whole_line = true,
        b"files-with-matches" => options.list = true,
        // Colours are not made, so any setting of them is met.
        _ if option.starts_with(b"color") || option.starts_with(b"colour") => {}
        _ => {
            return Err(format!(
                "unknown option --{}",
                String::from_utf8_lossy(option)
            ));
        }
    }
    Ok(())
}

fn short_options<'a>(
    options: &mut Options,
    letters: &[u8],
    rest: &mut impl Iterator<Item = &'a OsString>,
) -> Result<(), String> {
    for (index, letter) in letters.iter().enumerate() {
        match letter {
            b'E' => options.extended = true,
            b'G' => options.extended = false,
            b'F' => options.fixed = true,
            b'i' | b'y' => options.ignore_case = true,
            b'v' => options.invert = true,
            b'c' => options.count = true,
            b'l' => options.list = true,
            b'L' => options.list_without = true,
            b'n' => options.number = true,
            b'q' => options.quiet = true,
            b's' => options.silent = true,
            b'o' => options.only_matching = true,
            b'x' => options.whole_line = true,
            b'w' => options.word = true,
            b'r' | b'R' => options.recursive = true,
            b'h' => options.with_name = Some(false),
            b'H' => options.with_name = Some(true),
            // Input is always treated as text.
            b'a' => {}
            b'e' | b'f' | b'm' | b'A' | b'B' | b'C' => {
                let attached = &letters[index + 1..];
                let value = match attached {
                    [] => rest.next().map(|arg| arg.as_bytes().to_vec()),
                    attached => Some(attached.to_vec()),
                };
                let value = value
                    .ok_or_else(|| format!("option -{} needs an argument", char::from(*letter)))?;
                return valued_option(options, *letter, &value);
            }
            other => return Err(format!("unknown option -{}", char::from(*other))),
        }
    }
    Ok(())
}

fn valued_option(options: &mut Options, letter: u8, value: &[u8]) -> Result<(), String> {
    let text = String::from_utf8_lossy(value);
    let number = || {
        text.parse::<usize>()
            .map_err(|_| format!("{text}: not a number"))
    };
    match letter {
        b'e' => add_patterns(options, value),
        b'f' => {
            let lines = fs::read(text.as_ref()).map_err(|error| format!("{text}: {error}"))?;
            add_patterns(options, lines.strip_suffix(b"\n").unwrap_or(&lines));
        }
        b'm' => options.maximum = Some(number()? as u64),
        b'A' => options.after = number()?,
        b'B' => options.before = number()?,
        _ => (options.before, options.after) = (number()?, number()?),
    }
    Ok(())
}

fn compile(options: &Options) -> Result<Matcher, String> {
    let kind = match (options.fixed, options.extended) {
        (true, _) => Kind::Fixed,
        (_, true) => Kind::Extended,
        _ => Kind::Basic,
    };
    let mut backreference = false;
    let mut alternatives = Vec::new();
    for pattern in &options.patterns {
        let text = String::from_utf8_lossy(pattern);
        alternatives.push(if kind == Kind::Fixed {
            regex::escape(&text)
        } else {
            let translated = translate(
                &text,
                if kind == Kind::Extended {
                    Dialect::Extended
                } else {
                    Dialect::Basic
                },
            );
            backreference |= translated.has_backreference;
            format!("(?:{})", translated.pattern)
        });
    }
    let mut pattern = alternatives.join("|");
    if options.whole_line {
        pattern = format!("^(?:{pattern})$");
    } else if options.word {
        pattern = format!(r"(?:\b|^)(?:{pattern})(?:\b|$)");
    }
    if backreference {
        let pattern = if options.ignore_case {
            format!("(?i){pattern}")
        } else {
            pattern
        };
        return fancy_regex::Regex::new(&pattern)
            .map(Matcher::Backtracking)
            .map_err(|error| error.to_string());
    }
    regex::bytes::RegexBuilder::new(&pattern)
        .case_insensitive(options.ignore_case)
        .build()
        .map(Matcher::Bytes)
        .map_err(|error| error.to_string())
}

/// The search of one call: where output goes and what has happened.
struct Search<'a> {
    options: &'a Options,
    matcher: Matcher,
    out: BufWriter<io::StdoutLock<'a>>,
    show_name: bool,
    any: bool,
    failed: bool,
}

impl Search<'_> {
    fn path(&mut self, path: &Path) -> io::Result<()> {
        if path.is_dir() {
            if !self.options.recursive {
                self.error(path, "is a directory");
                return Ok(());
            }
            let mut entries: Vec<_> = fs::read_dir(path)?
                .flatten()
                .map(|entry| entry.path())
                .collect();
            entries.sort();
            for entry in entries {
                if !entry.is_symlink() {
                    self.path(&entry)?;
                }
            }
            return Ok(());
        }
        match File::open(path) {
            Ok(file) => self.input(
                BufReader::with_capacity(1 << 16, file),
                path.as_os_str().as_bytes(),
            ),
            Err(error) => {
                self.error(path, &error.to_string());
                Ok(())
            }
        }
    }

    fn error(&mut self, path: &Path, message: &str) {
        self.failed = true;
        if !self.options.silent {
            complain("grep", &format!("{}: {message}", path.display()));
        }
    }

    fn prefix(&mut self, name: &[u8], number: u64, separator: u8) -> io::Result<()> {
        if self.show_name {
            self.out.write_all(name)?;
            self.out.write_all(&[separator])?;
        }
        if self.options.number {
            write!(self.out, "{number}")?;
            self.out.write_all(&[separator])?;
        }
        Ok(())
    }

    fn line(&mut self, name: &[u8], number: u64, separator: u8, line: &[u8]) -> io::Result<()> {
        self.prefix(name, number, separator)?;
        self.out.write_all(line)?;
        self.out.write_all(b"\n")
    }

    fn matches_in(&mut self, name: &[u8], number: u64, line: &[u8]) -> io::Result<()> {
        let mut from = 0;
        while let Some((start, end)) = self.matcher.find(line, from) {
            if end > start {
                self.line(name, number, b':', &line[start..end])?;
            }
            from = if end > start { end } else { end + 1 };
            if from > line.len() {
                break;
            }
        }
        Ok(())
    }

    fn input(&mut self, mut input: impl BufRead, name: &[u8]) -> io::Result<()> {
        let options = self.options;
        let (mut count, mut number, mut after_left, mut last_shown) =
            (0_u64, 0_u64, 0_usize, 0_u64);
        let mut before: Vec<Vec<u8>> = Vec::new();
        let context = options.before > 0 || options.after > 0;
        let mut line = Vec::new();
        while options.maximum.is_none_or(|maximum| count < maximum) || after_left > 0 {
            line.clear();
            if input.read_until(b'\n', &mut line)? == 0 {
                break;
            }
            if line.last() == Some(&b'\n') {
                line.pop();
            }
            number += 1;
            let exhausted = options.maximum.is_some_and(|maximum| count >= maximum);
            let selected = !exhausted && self.matcher.find(&line, 0).is_some() != options.invert;
            if selected {
                count += 1;
                self.any = true;
                if options.quiet || options.list || options.list_without {
                    break;
                }
                if options.count {
                    continue;
                }
                let first = number - before.len() as u64;
                if context && last_shown > 0 && first > last_shown + 1 {
                    self.out.write_all(b"--\n")?;
                }
                for (earlier, text) in (first..).zip(std::mem::take(&mut before)) {
                    self.line(name, earlier, b'-', &text)?;
                }
                if options.only_matching && !options.invert {
                    self.matches_in(name, number, &line)?;
                } else {
                    self.line(name, number, b':', &line)?;
                }
                (after_left, last_shown) = (options.after, number);
            } else if after_left > 0 && !options.count {
                self.line(name, number, b'-', &line)?;
                (after_left, last_shown) = (after_left - 1, number);
            } else if options.before > 0 {
                if before.len() == options.before {
                    before.remove(0);
                }
                before.push(line.clone());
            }
        }
        if options.count && !options.quiet {
            if self.show_name {
                self.out.write_all(name)?;
                self.out.write_all(b":")?;
            }
            writeln!(self.out, "{count}")?;
        }
        if (options.list && count > 0) || (options.list_without && count == 0) {
            self.out.write_all(name)?;
            self.out.write_all(b"\n")?;
        }
        Ok(())
    }
}

/// Exit status 0 if a line was selected, 1 if none was, 2 on trouble.
pub(crate) fn main(args: Vec<OsString>) -> i32 {
    let prepared =
        parse(&args).and_then(|options| compile(&options).map(|matcher| (options, matcher)));
    let (options, matcher) = match prepared {
        Ok(prepared) => prepared,
        Err(message) => {
            complain("grep", &message);
            return 2;
        }
    };
    let many = options.files.len() > 1 || options.recursive;
    let mut search = Search {
        show_name: options.with_name.unwrap_or(many),
        options: &options,
        matcher,
        out: BufWriter::new(io::stdout().lock()),
        any: false,
        failed: false,
    };
    let mut result = Ok(());
    if options.files.is_empty() && !options.recursive {
        result = search.input(io::stdin().lock(), b"(standard input)");
    } else if options.files.is_empty() {
        result = search.path(Path::new("."));
    }
    for file in &options.files {
        if result.is_err() || (options.quiet && search.any) {
            break;
        }
        result = if file == "-" {
            search.input(io::stdin().lock(), b"(standard input)")
        } else {
            search.path(Path::new(file))
        };
    }
    match result.and_then(|()| search.out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => 2,
        Err(error) => {
            complain("grep", &error.to_string());
            2
        }
        Ok(()) if search.any && (options.quiet || !search.failed) => 0,
        Ok(()) if search.failed => 2,
        Ok(()) => 1,
    }
}
