//! `hexdump` and `hd`: bytes in hexadecimal.

use crate::adapters::{complain, text_args};
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::Path;

const ROW: usize = 16;

struct Options {
    /// With the bytes as characters beside them.
    canonical: bool,
    /// Equal rows are shown too.
    verbose: bool,
    skip: u64,
    length: Option<u64>,
}

/// A number that may have a factor and may be in hexadecimal.
fn number(text: &str) -> Option<u64> {
    let (digits, factor) = match text.char_indices().last()? {
        (at, 'k') => (text.get(..at)?, 1024),
        (at, 'm') => (text.get(..at)?, 1024 * 1024),
        _ => (text, 1),
    };
    let value = match digits.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok()?,
        None => digits.parse().ok()?,
    };
    value.checked_mul(factor)
}

fn row(options: &Options, offset: u64, bytes: &[u8]) -> String {
    if !options.canonical {
        let mut text = format!("{offset:07x}");
        for pair in bytes.chunks(2) {
            let value = u16::from_le_bytes([pair[0], pair.get(1).copied().unwrap_or(0)]);
            text += &format!(" {value:04x}");
        }
        // Every row is as long as a full one.
        return format!("{text:<width$}\n", width = 7 + ROW / 2 * 5);
    }
    let mut text = format!("{offset:08x} ");
    for at in 0..ROW {
        if at == ROW / 2 {
            text.push(' ');
        }
        match bytes.get(at) {
            Some(byte) => text += &format!(" {byte:02x}"),
            None => text += "   ",
        }
    }
    let shown = bytes.iter().map(|&byte| match byte {
        0x20..0x7f => char::from(byte),
        _ => '.',
    });
    format!("{text}  |{}|\n", shown.collect::<String>())
}

fn dump(options: &Options, input: impl Read, out: &mut impl Write) -> io::Result<()> {
    let mut input = input.take(options.skip);
    io::copy(&mut input, &mut io::sink())?;
    let mut input = input.into_inner().take(options.length.unwrap_or(u64::MAX));
    let (mut offset, mut last, mut starred) = (options.skip, Vec::new(), false);
    loop {
        let mut bytes = Vec::with_capacity(ROW);
        input.by_ref().take(ROW as u64).read_to_end(&mut bytes)?;
        if bytes.is_empty() {
            break;
        }
        if bytes == last && bytes.len() == ROW && !options.verbose {
            if !starred {
                out.write_all(b"*\n")?;
            }
            starred = true;
        } else {
            out.write_all(row(options, offset, &bytes).as_bytes())?;
            starred = false;
        }
        offset += bytes.len() as u64;
        last = bytes;
    }
    if offset > options.skip {
        let width = if options.canonical { 8 } else { 7 };
        writeln!(out, "{offset:0width$x}")?;
    }
    out.flush()
}

pub(crate) fn main(args: Vec<OsString>) -> i32 {
    let Some(args) = text_args(args) else {
        return 1;
    };
    let path = args.first().map_or("hexdump", String::as_str);
    let is_hd = Path::new(path).file_name().is_some_and(|name| name == "hd");
    match run(&args, is_hd) {
        Ok(()) => 0,
        Err(message) => {
            complain(if is_hd { "hd" } else { "hexdump" }, &message);
            1
        }
    }
}

fn run(args: &[String], is_hd: bool) -> Result<(), String> {
    let mut options = Options {
        canonical: is_hd,
        verbose: false,
        skip: 0,
        length: None,
    };
    let mut files = Vec::new();
    let mut rest = args.iter().skip(1).map(String::as_str);
    while let Some(arg) = rest.next() {
        let Some(letters) = arg.strip_prefix('-').filter(|letters| !letters.is_empty()) else {
            files.push(arg);
            continue;
        };
        let mut chars = letters.chars();
        while let Some(letter) = chars.next() {
            match letter {
                'C' => options.canonical = true,
                'v' => options.verbose = true,
                'n' | 's' => {
                    let value = match chars.as_str() {
                        "" => rest.next().unwrap_or_default(),
                        attached => attached,
                    };
                    let count = number(value).ok_or_else(|| format!("{value}: not a number"))?;
                    if letter == 'n' {
                        options.length = Some(count);
                    } else {
                        options.skip = count;
                    }
                    break;
                }
                _ => {
                    return Err("usage: hexdump [-C] [-v] [-n LENGTH] [-s SKIP] [FILE…]".to_owned());
                }
            }
        }
    }
    let mut input: Box<dyn Read> = Box::new(io::empty());
    for name in &files {
        let file = File::open(name).map_err(|error| format!("{name}: {error}"))?;
        input = Box::new(input.chain(file));
    }
    if files.is_empty() {
        input = Box::new(io::stdin());
    }
    let mut out = BufWriter::new(io::stdout().lock());
    dump(&options, io::BufReader::new(input), &mut out).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dumped(canonical: bool, input: &[u8]) -> String {
        let options = Options {
            canonical,
            verbose: false,
            skip: 0,
            length: None,
        };
        let mut out = Vec::new();
        dump(&options, input, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn canonical_rows_have_characters() {
        let want = "00000000  61 62 0a                                          |ab.|\n00000003\n";
        assert_eq!(dumped(true, b"ab\n"), want);
    }

    #[test]
    fn equal_rows_are_shown_once() {
        let want = "0000000 0000 0000 0000 0000 0000 0000 0000 0000\n*\n0000030\n";
        assert_eq!(dumped(false, &[0; 48]), want);
        assert_eq!(dumped(false, b""), "");
    }

    #[test]
    fn numbers_have_factors() {
        assert_eq!(
            (number("0x10"), number("2k"), number("x")),
            (Some(16), Some(2048), None)
        );
        assert_eq!(number("99999999999999999999m"), None);
    }
}
