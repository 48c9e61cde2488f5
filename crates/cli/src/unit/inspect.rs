//! `vambrace unit inspect`: what is in a table image.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use ironwall::image::{Image, MAGIC};

use super::exit::{Failure, Status};
use super::{files, table_view};

/// `vambrace unit inspect`.
#[derive(Args, Clone, Debug)]
pub(crate) struct Inspect {
    /// The table image.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Prints the file.
pub(crate) fn run(args: &Inspect) -> Result<Status, Failure> {
    let bytes = files::read(&args.file)?;
    if !bytes.starts_with(&MAGIC) {
        return Err(Failure::bad_data(&args.file, "no table image (byte 0)"));
    }
    let image = Image::verify(&bytes).map_err(|(rule, at)| {
        Failure::bad_data(&args.file, format_args!("the table image breaks the rule {rule:?} at byte {at}"))
    })?;
    let mut out = std::io::stdout().lock();
    if args.json {
        writeln!(out, "{:#}", table_view::json(&image))?;
    } else {
        write!(out, "{}", table_view::text(&image))?;
    }
    out.flush()?;
    Ok(Status::Done)
}
