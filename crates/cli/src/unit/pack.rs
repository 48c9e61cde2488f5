//! `vambrace unit pack`: an archive of the units that a description or a manifest names.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use ironwall_archive::pack::{is_manifest, pack, pack_manifest};
use ironwall_archive::problem::hex;
use ironwall_archive::signature::PrivateKey;
use ironwall_archive::{Description, Limits, Manifest};

use super::exit::{Failure, Status};
use super::files;
use super::text::escaped;

/// `vambrace unit pack`.
#[derive(Args, Clone, Debug)]
pub(crate) struct Pack {
    /// The description, or a manifest in its canonical form; it names files relative to its directory.
    #[arg(value_name = "DESCRIPTION")]
    source: PathBuf,
    /// The archive.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Sign it with this private key.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
}

/// Writes the archive, and prints its SHA-256 as `sha256sum` does.
pub(crate) fn run(args: &Pack) -> Result<Status, Failure> {
    let problems = |problems: Vec<_>| Failure::problems(&args.source, &problems);
    let key = args.key.as_deref().map(private_key).transpose()?;
    let source = files::read(&args.source)?;
    let limits = Limits::default();
    for path in [Some(&args.source), args.key.as_ref()].into_iter().flatten() {
        if files::is_same(path, &args.output) {
            return Err(replaced(path));
        }
    }
    let (files, limit) = (BTreeMap::new(), limits.expanded);
    let mut sources = Sources { source: &args.source, output: &args.output, limit, files };
    let packed = if is_manifest(&source) {
        let manifest = Manifest::parse(&source).map_err(problems)?;
        for artifact in manifest.artifacts() {
            sources.read(&artifact.path, artifact.at)?;
        }
        pack_manifest(source, &sources.files, key.as_ref(), limits)
    } else {
        let description = Description::parse(&source).map_err(problems)?;
        for file in description.files() {
            sources.read(&file.path, file.at)?;
        }
        pack(&description, &sources.files, key.as_ref(), limits)
    };
    let packed = packed.map_err(problems)?;
    files::write(&args.output, &packed.bytes)?;
    let mut out = std::io::stdout().lock();
    let (digest, name) = (hex(&packed.archive.digest()), escaped(args.output.as_os_str().as_encoded_bytes()));
    writeln!(out, "{digest}  {name}")?;
    out.flush()?;
    Ok(Status::Done)
}

/// An output that would take the place of what it is made from.
fn replaced(path: &Path) -> Failure {
    let name = escaped(path.as_os_str().as_encoded_bytes());
    Failure::new(Status::Usage, format!("{name}: the archive would replace this file, which it is made from"))
}

/// The private key in a file.
fn private_key(path: &Path) -> Result<PrivateKey, Failure> {
    PrivateKey::from_file(&files::read(path)?).map_err(|problem| Failure::problems(path, &[problem]))
}

/// The files that are named, each read once, all of them together within a limit.
struct Sources<'a> {
    source: &'a Path,
    output: &'a Path,
    limit: usize,
    files: BTreeMap<String, Vec<u8>>,
}

impl Sources<'_> {
    /// Reads a file that the source names at an offset.
    fn read(&mut self, name: &str, at: usize) -> Result<(), Failure> {
        if self.files.contains_key(name) {
            return Ok(());
        }
        let named = |failure: Failure| {
            let source = escaped(self.source.as_os_str().as_encoded_bytes());
            Failure::new(failure.status, format!("{failure} (named at byte {at} of {source})"))
        };
        let path = self.source.with_file_name(name);
        if files::is_same(&path, self.output) {
            return Err(replaced(&path));
        }
        let bytes = files::read_regular(&path).map_err(named)?;
        let Some(left) = self.limit.checked_sub(bytes.len()) else {
            let what = format_args!("the files are too long together (byte {at})");
            return Err(Failure::bad_data(self.source, what));
        };
        self.limit = left;
        self.files.insert(name.to_owned(), bytes);
        Ok(())
    }
}
