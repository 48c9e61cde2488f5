//! `gzip`, `gunzip` and `zcat`.

use crate::adapters::complain;
use flate2::Compression;
use flate2::bufread::MultiGzDecoder;
use flate2::write::GzEncoder;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufReader, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The options of a call.
struct Options {
    decompress: bool,
    to_stdout: bool,
    keep: bool,
    force: bool,
    test: bool,
    level: u32,
    files: Vec<OsString>,
}

fn parse(args: &[OsString]) -> Result<Options, String> {
    let name = args
        .first()
        .map(|arg| arg.to_string_lossy().into_owned())
        .unwrap_or_default();
    let mut options = Options {
        decompress: name.ends_with("gunzip") || name.ends_with("zcat"),
        to_stdout: name.ends_with("zcat"),
        keep: false,
        force: false,
        test: false,
        level: 6,
        files: Vec::new(),
    };
    let mut only_operands = false;
    for arg in args.iter().skip(1) {
        let bytes = arg.as_bytes();
        if only_operands || bytes == b"-" || !bytes.starts_with(b"-") {
            options.files.push(arg.clone());
            continue;
        }
        if bytes == b"--" {
            only_operands = true;
            continue;
        }
        for letter in &bytes[1..] {
            match letter {
                b'd' => options.decompress = true,
                b'c' => options.to_stdout = true,
                b'k' => options.keep = true,
                b'f' => options.force = true,
                b't' => (options.decompress, options.test) = (true, true),
                // The time and name in the header are never stored.
                b'n' | b'q' => {}
                b'1'..=b'9' => options.level = u32::from(letter - b'0'),
                other => {
                    return Err(format!(
                        "unknown option -{}; use -cdfknqt1…9",
                        char::from(*other)
                    ));
                }
            }
        }
    }
    Ok(options)
}

fn transform(options: &Options, input: impl Read, output: impl Write) -> io::Result<()> {
    let mut input = BufReader::with_capacity(1 << 16, input);
    if options.decompress {
        let mut output = output;
        io::copy(&mut MultiGzDecoder::new(input), &mut output)?;
        return output.flush();
    }
    let mut encoder = GzEncoder::new(output, Compression::new(options.level));
    io::copy(&mut input, &mut encoder)?;
    encoder.finish()?.flush()
}

/// Where the result of `path` goes.
fn target(options: &Options, path: &Path) -> Result<PathBuf, String> {
    let name = path.as_os_str().as_bytes();
    if !options.decompress {
        let mut name = path.as_os_str().to_owned();
        name.push(".gz");
        return Ok(PathBuf::from(name));
    }
    if let Some(stem) = name.strip_suffix(b".tgz") {
        let mut stem = std::ffi::OsStr::from_bytes(stem).to_owned();
        stem.push(".tar");
        return Ok(PathBuf::from(stem));
    }
    let stem = name.strip_suffix(b".gz").ok_or("unknown suffix, ignored")?;
    Ok(PathBuf::from(std::ffi::OsStr::from_bytes(stem)))
}

fn one(options: &Options, file: &OsString) -> Result<(), String> {
    let text = |error: io::Error| error.to_string();
    if file == "-" {
        return transform(options, io::stdin().lock(), io::stdout().lock()).map_err(text);
    }
    let path = Path::new(file);
    let input = File::open(path).map_err(text)?;
    if options.test {
        return transform(options, input, io::sink()).map_err(text);
    }
    if options.to_stdout {
        return transform(options, input, io::stdout().lock()).map_err(text);
    }
    let target = target(options, path)?;
    let mut creation = File::options();
    creation
        .write(true)
        .truncate(true)
        .create(options.force)
        .create_new(!options.force);
    let output = creation
        .open(&target)
        .map_err(|error| format!("{}: {error}", target.display()))?;
    let permissions = input.metadata().map_err(text)?.permissions();
    let result = transform(options, input, io::BufWriter::new(output)).map_err(text);
    if result.is_err() {
        let _ = fs::remove_file(&target);
        return result;
    }
    fs::set_permissions(&target, permissions).map_err(text)?;
    if options.keep {
        Ok(())
    } else {
        fs::remove_file(path).map_err(text)
    }
}

/// Exit status 0, or 1 if a file could not be handled.
pub(crate) fn main(args: Vec<OsString>) -> i32 {
    let mut options = match parse(&args) {
        Ok(options) => options,
        Err(message) => {
            complain("gzip", &message);
            return 1;
        }
    };
    if options.files.is_empty() {
        options.files.push(OsString::from("-"));
    }
    let mut status = 0;
    for file in &options.files {
        if let Err(message) = one(&options, file) {
            complain("gzip", &format!("{}: {message}", file.display()));
            status = 1;
        }
    }
    status
}
