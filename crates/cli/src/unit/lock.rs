//! `vambrace unit lock`: pins archives by their SHA-256, and by the keys that signed them.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use ironwall_archive::Lock;
use ironwall_archive::problem::hex;

use super::exit::{Failure, Status};
use super::{archives, files};

/// `vambrace unit lock`.
#[derive(Args, Clone, Debug)]
pub(crate) struct LockArchives {
    /// The archives, in any order.
    #[arg(value_name = "ARCHIVE", required = true)]
    archives: Vec<PathBuf>,
    /// The lock file. If it is there, archives have to be signed by the keys in it.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Accept archives that are not signed by the keys in the lock file that is there.
    #[arg(long)]
    new_keys: bool,
}

/// Writes the lock file, and tells what is in it.
pub(crate) fn run(args: &LockArchives) -> Result<Status, Failure> {
    let inputs = archives::load(&args.archives, None)?;
    let lock = Lock::of(&inputs).map_err(|problem| Failure::new(Status::Usage, problem.what))?;
    if !args.new_keys && args.output.exists() {
        let old = archives::lock(&args.output)?;
        archives::refuse(&args.output, &old.check_keys(&inputs))?;
    }
    files::write(&args.output, lock.to_text().as_bytes())?;
    let mut out = std::io::stdout().lock();
    for locked in &lock.archives {
        write!(out, "{} {}", hex(&locked.sha256), locked.name)?;
        match locked.key {
            Some(key) => writeln!(out, " signed by {key}")?,
            None => writeln!(out)?,
        }
    }
    out.flush()?;
    Ok(Status::Done)
}
