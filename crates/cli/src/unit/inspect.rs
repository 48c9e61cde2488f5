//! `vambrace unit inspect`: what is in a table image or in an archive.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use ironwall::image::{Image, MAGIC};
use ironwall_archive::table::{rule_id, rule_text};
use ironwall_archive::{Limits, examine, gzip};

use super::exit::{Failure, Status};
use super::{archive_view, files, table_view};

/// `vambrace unit inspect`.
#[derive(Args, Clone, Debug)]
pub(crate) struct Inspect {
    /// The table image or archive.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Prints the file, if nothing is wrong with it.
pub(crate) fn run(args: &Inspect) -> Result<Status, Failure> {
    let bytes = files::read(&args.file)?;
    let shown = if bytes.starts_with(&MAGIC) {
        let image = Image::verify(&bytes).map_err(|(rule, at)| {
            let problem = format_args!("{}: {} (byte {at} of the file)", rule_id(rule), rule_text(rule));
            Failure::bad_data(&args.file, problem)
        })?;
        if args.json { format!("{:#}\n", table_view::json(&image)) } else { table_view::text(&image) }
    } else if bytes.starts_with(&gzip::HEADER[..2]) {
        let examined = examine(&bytes, Limits::default());
        let archive = examined.archive.ok_or_else(|| Failure::problems(&args.file, &examined.problems))?;
        if args.json { format!("{:#}\n", archive_view::json(&archive)) } else { archive_view::text(&archive) }
    } else {
        return Err(Failure::bad_data(&args.file, "neither a table image nor an archive (byte 0 of the file)"));
    };
    let mut out = std::io::stdout().lock();
    out.write_all(shown.as_bytes())?;
    out.flush()?;
    Ok(Status::Done)
}
