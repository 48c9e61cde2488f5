//! `tar`: makes, lists and unpacks archives, plain or gzipped.

use crate::adapters::complain;
use flate2::Compression;
use flate2::bufread::MultiGzDecoder;
use flate2::write::GzEncoder;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The action asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Action {
    Create,
    List,
    Extract,
}

/// The options of a call.
#[derive(Default)]
struct Options {
    action: Option<Action>,
    archive: Option<OsString>,
    gzip: bool,
    verbose: bool,
    follow: bool,
    to_stdout: bool,
    directory: Option<PathBuf>,
    strip: usize,
    operands: Vec<OsString>,
}

fn parse(args: &[OsString]) -> Result<Options, String> {
    let mut options = Options::default();
    let mut rest = args.iter().skip(1).peekable();
    // The first word may go without its dash, as in `tar xzf FILE`.
    let mut first = true;
    while let Some(arg) = rest.next() {
        let bytes = arg.as_bytes();
        if let Some(count) = bytes.strip_prefix(b"--strip-components=") {
            let count = String::from_utf8_lossy(count);
            options.strip = count
                .parse()
                .map_err(|_| format!("{count}: not a number"))?;
        } else if bytes == b"--" {
            options.operands.extend(rest.by_ref().cloned());
        } else if bytes.starts_with(b"--") {
            return Err(format!("unknown option {}", arg.display()));
        } else if (bytes.starts_with(b"-") && bytes.len() > 1) || first {
            let letters = bytes.strip_prefix(b"-").unwrap_or(bytes);
            letters_of(&mut options, letters, &mut rest)?;
        } else {
            options.operands.push(arg.clone());
        }
        first = false;
    }
    Ok(options)
}

fn letters_of<'a>(
    options: &mut Options,
    letters: &[u8],
    rest: &mut impl Iterator<Item = &'a OsString>,
) -> Result<(), String> {
    for (index, letter) in letters.iter().enumerate() {
        match letter {
            b'c' => options.action = Some(Action::Create),
            b't' => options.action = Some(Action::List),
            b'x' => options.action = Some(Action::Extract),
            b'z' => options.gzip = true,
            b'v' => options.verbose = true,
            b'h' => options.follow = true,
            b'O' => options.to_stdout = true,
            // Permissions are always kept.
            b'p' => {}
            b'f' | b'C' => {
                let attached = &letters[index + 1..];
                // In a bundle such as `xzfC` each letter takes the next word.
                let bundle = attached.iter().all(|letter| b"ctxzvhOpfC".contains(letter));
                let value = if bundle {
                    rest.next().cloned()
                } else {
                    Some(OsString::from_vec(attached.to_vec()))
                };
                let value = value
                    .ok_or_else(|| format!("option {} needs an argument", char::from(*letter)))?;
                if *letter == b'f' {
                    options.archive = Some(value);
                } else {
                    options.directory = Some(PathBuf::from(value));
                }
                if !bundle {
                    return Ok(());
                }
            }
            other => {
                return Err(format!(
                    "unknown option {}; use -c, -t or -x with -zvhOpfC",
                    char::from(*other)
                ));
            }
        }
    }
    Ok(())
}

fn create(options: &Options) -> io::Result<()> {
    let output: Box<dyn Write> = match options.archive.as_ref().filter(|name| *name != "-") {
        Some(name) => Box::new(BufWriter::new(File::create(name)?)),
        None => Box::new(BufWriter::new(io::stdout())),
    };
    if let Some(directory) = &options.directory {
        std::env::set_current_dir(directory)?;
    }
    if options.gzip {
        let encoder = GzEncoder::new(output, Compression::default());
        return append_all(options, encoder)?.finish()?.flush();
    }
    append_all(options, output)?.flush()
}

fn append_all<W: Write>(options: &Options, output: W) -> io::Result<W> {
    let mut builder = tar::Builder::new(output);
    builder.follow_symlinks(options.follow);
    let mut links = Links::new();
    for operand in &options.operands {
        append(options, &mut builder, &mut links, Path::new(operand))?;
    }
    builder.into_inner()
}

/// The names that files with several of them got in the archive first, by device and number.
type Links = HashMap<(u64, u64), PathBuf>;

/// The name in the archive of the file at `path`, if it is there under another one.
fn linked(links: &mut Links, path: &Path, name: &Path) -> Option<PathBuf> {
    let meta = std::fs::symlink_metadata(path).ok()?;
    if !meta.is_file() || meta.nlink() < 2 {
        return None;
    }
    match links.entry((meta.dev(), meta.ino())) {
        Entry::Occupied(first) => Some(first.get().clone()),
        Entry::Vacant(place) => {
            place.insert(name.to_owned());
            None
        }
    }
}

fn append<W: Write>(
    options: &Options,
    builder: &mut tar::Builder<W>,
    links: &mut Links,
    path: &Path,
) -> io::Result<()> {
    let named =
        |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
    if options.verbose {
        let _ = writeln!(io::stderr(), "{}", path.display());
    }
    // Names in an archive are relative.
    let name: PathBuf = path
        .components()
        .filter(|part| !matches!(part, std::path::Component::RootDir))
        .collect();
    let name = if name.as_os_str().is_empty() {
        PathBuf::from(".")
    } else {
        name
    };
    let is_directory = if options.follow {
        path.is_dir()
    } else {
        path.is_dir() && !path.is_symlink()
    };
    if !is_directory {
        if let Some(first) = linked(links, path, &name) {
            let mut header = tar::Header::new_gnu();
            header.set_metadata(&std::fs::symlink_metadata(path)?);
            header.set_entry_type(tar::EntryType::Link);
            header.set_size(0);
            return builder.append_link(&mut header, name, first).map_err(named);
        }
        return builder.append_path_with_name(path, name).map_err(named);
    }
    // With the slash at the end that listings show for directories.
    let mut directory_name = name.into_os_string();
    directory_name.push("/");
    builder.append_dir(directory_name, path).map_err(named)?;
    let mut entries = std::fs::read_dir(path)
        .map_err(named)?
        .collect::<io::Result<Vec<_>>>()
        .map_err(named)?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    entries
        .iter()
        .try_for_each(|entry| append(options, builder, links, &entry.path()))
}

/// The archive, unpacked if its first bytes say that it is gzipped.
fn open(options: &Options) -> io::Result<Box<dyn Read>> {
    let raw: Box<dyn Read> = match options.archive.as_ref().filter(|name| *name != "-") {
        Some(name) => Box::new(File::open(name)?),
        None => Box::new(io::stdin()),
    };
    let mut input = BufReader::with_capacity(1 << 16, raw);
    let gzipped = io::BufRead::fill_buf(&mut input)?.starts_with(&[0x1f, 0x8b]);
    Ok(if gzipped {
        Box::new(MultiGzDecoder::new(input))
    } else {
        Box::new(input)
    })
}

fn is_wanted(options: &Options, path: &Path) -> bool {
    options.operands.is_empty()
        || options
            .operands
            .iter()
            .any(|operand| path.starts_with(operand))
}

fn read(options: &Options, action: Action) -> io::Result<()> {
    let mut archive = tar::Archive::new(open(options)?);
    let mut out = BufWriter::new(io::stdout().lock());
    let directory = options
        .directory
        .clone()
        .unwrap_or_else(|| PathBuf::from("."));
    for entry in archive.entries()? {
        let mut entry = entry?;
        let path = entry.path()?.into_owned();
        if !is_wanted(options, &path) {
            continue;
        }
        if action == Action::List {
            if options.verbose {
                let header = entry.header();
                write!(
                    out,
                    "{:04o} {}/{} {:>9} ",
                    header.mode()? & 0o7777,
                    header.uid()?,
                    header.gid()?,
                    entry.size()
                )?;
            }
            writeln!(out, "{}", path.display())?;
            continue;
        }
        if options.verbose {
            writeln!(out, "{}", path.display())?;
        }
        if options.to_stdout {
            io::copy(&mut entry, &mut out)?;
            continue;
        }
        entry.set_preserve_permissions(true);
        if options.strip == 0 {
            if !entry.unpack_in(&directory)? {
                complain(
                    "tar",
                    &format!("{}: leads out of the directory, skipped", path.display()),
                );
            }
            continue;
        }
        let stripped: PathBuf = path.components().skip(options.strip).collect();
        let escapes = stripped
            .components()
            .any(|part| matches!(part, std::path::Component::ParentDir));
        if !stripped.as_os_str().is_empty() && !escapes {
            let target = directory.join(stripped);
            if let Some(parent) = target.parent() {
                std::fs::create_dir_all(parent)?;
            }
            entry.unpack(target)?;
        }
    }
    out.flush()
}

/// Exit status 0, or 2 on trouble.
pub(crate) fn main(args: Vec<OsString>) -> i32 {
    let result = parse(&args).and_then(|options| match options.action {
        Some(Action::Create) if options.operands.is_empty() => {
            Err("refusing to make an empty archive".to_owned())
        }
        Some(Action::Create) => create(&options).map_err(|error| error.to_string()),
        Some(action) => read(&options, action).map_err(|error| error.to_string()),
        None => Err("say one of -c, -t and -x".to_owned()),
    });
    match result {
        Ok(()) => 0,
        Err(message) => {
            complain("tar", &message);
            2
        }
    }
}
