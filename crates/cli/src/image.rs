//! `vambrace image`.

use std::io::{BufWriter, Write};
use std::os::unix::ffi::OsStrExt;

use anyhow::{Context, Result};
use vambrace::image::{self, ImageOptions, Owner};

use crate::args::{Create, Image, ImageCommand, OwnerArg};

/// `vambrace image`.
pub(crate) fn image(args: &Image) -> Result<u8> {
    match &args.command {
        ImageCommand::Create(args) => create(args),
        ImageCommand::Check { image } => {
            let problems = image::check(image)?;
            let mut out = std::io::stdout().lock();
            for problem in &problems {
                writeln!(out, "{}: {problem}", image.display())?;
            }
            Ok(u8::from(!problems.is_empty()))
        }
        ImageCommand::Ls { image, path } => {
            let mut out = BufWriter::new(std::io::stdout().lock());
            image::list(image, path.as_bytes(), &mut out)?;
            out.flush()?;
            Ok(0)
        }
    }
}

fn create(args: &Create) -> Result<u8> {
    let options = ImageOptions {
        size: args.size.map(|size| size.0),
        block_size: args.block_size,
        label: args.label.clone(),
        uuid: args.uuid,
        owner: match args.owner {
            OwnerArg::Root => Owner::Root,
            OwnerArg::Host => Owner::Host,
        },
        latest: source_date_epoch()?,
        journal: !args.no_journal,
    };
    match &args.root {
        Some(root) => image::create_from_dir(root, &args.image, &options)?,
        None => image::create_builtin(&args.image, &options)?,
    }
    Ok(0)
}

/// The time that reproducible builds set, in seconds since 1970.
#[expect(clippy::disallowed_methods, reason = "the command alone reads the environment")]
fn source_date_epoch() -> Result<Option<i64>> {
    match std::env::var("SOURCE_DATE_EPOCH") {
        Ok(text) => Ok(Some(text.parse().context("SOURCE_DATE_EPOCH is no number of seconds")?)),
        Err(_) => Ok(None),
    }
}
