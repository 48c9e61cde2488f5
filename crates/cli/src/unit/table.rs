//! `vambrace unit table`: the table image, C header and C source of a described unit.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use ironwall_format::describe::Description;

use super::exit::{Failure, Status};
use super::files;
use super::text::escaped;

/// `vambrace unit table`.
#[derive(Args, Clone, Debug)]
pub(crate) struct Table {
    /// The description, in JSON.
    #[arg(value_name = "DESCRIPTION")]
    description: PathBuf,
    /// The directory for PREFIX.h, PREFIX.c and PREFIX.tbl.
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
}

/// Writes the three files, and tells their names.
pub(crate) fn run(args: &Table) -> Result<Status, Failure> {
    let text = files::read(&args.description)?;
    let problem = |wrong| Failure::bad_data(&args.description, escaped(format!("{wrong}").as_bytes()));
    let made = Description::parse(&text).and_then(|description| description.c_files()).map_err(problem)?;
    let written = [
        (&made.header.0, made.header.1.as_bytes()),
        (&made.source.0, made.source.1.as_bytes()),
        (&made.image.0, &made.image.1),
    ];
    // All are there in full before the first gets its name.
    let mut renames = Vec::new();
    for (name, bytes) in written {
        let (path, new) = (args.output.join(name), args.output.join(format!("{name}.new")));
        if let Err(error) = fs::write(&new, bytes) {
            discard(&renames, &new);
            return Err(Failure::io(&new, &error));
        }
        renames.push((new, path));
    }
    let mut out = std::io::stdout().lock();
    for (new, path) in &renames {
        if let Err(error) = fs::rename(new, path) {
            discard(&renames, new);
            return Err(Failure::io(path, &error));
        }
        writeln!(out, "{}", escaped(path.as_os_str().as_encoded_bytes()))?;
    }
    out.flush()?;
    Ok(Status::Done)
}

/// Takes away what was not renamed.
fn discard(renames: &[(PathBuf, PathBuf)], last: &Path) {
    for new in renames.iter().map(|(new, _)| new.as_path()).chain([last]) {
        // Those that have their names already are not there any more.
        let _ = fs::remove_file(new);
    }
}
