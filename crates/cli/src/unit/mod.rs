//! `vambrace unit`: compiled units for the Ironwall runtime, as table images and as archives.
//!
//! One file for each subcommand: its arguments and its `run`, which gives a [`Status`] or a [`Failure`]. A further
//! one is a variant of [`UnitCommand`] and an arm of [`dispatch`]. [`exit`] has the statuses, [`files`] how files
//! are read and written, [`text`] how names of unknown origin are printed.

mod archive_view;
mod archives;
mod directory;
mod exit;
mod explain;
mod files;
mod inspect;
mod keygen;
mod link;
mod lock;
mod pack;
mod sizes;
mod table;
mod table_view;
mod text;
mod verify;

use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};

use clap::{Args, Subcommand};

use exit::{Failure, Status};

/// `vambrace unit`.
#[derive(Args, Clone, Debug)]
pub(crate) struct Unit {
    #[command(subcommand)]
    command: UnitCommand,
}

/// What `vambrace unit` does.
#[derive(Clone, Debug, Subcommand)]
enum UnitCommand {
    /// Tell why an object of a snapshot is alive, what is retained, and draw the heap.
    ///
    /// Ends with 1 if an object that is asked for is not there or dead, or if a path that is given is not true.
    Explain(explain::Explain),
    /// Show what is in a table image or an archive: identities, tags, structures, uses, effects.
    Inspect(inspect::Inspect),
    /// Make a key that archives are signed with.
    Keygen(keygen::Keygen),
    /// Make the objects and the C source of a program of archived units.
    Link(link::Link),
    /// Pin archives by their digests, and by the keys that signed them.
    Lock(lock::LockArchives),
    /// Make an archive of units from a description, or from a manifest.
    Pack(pack::Pack),
    /// Make the table image, C header and C source of a unit from its description.
    Table(table::Table),
    /// Find everything that is wrong with archives of units.
    Verify(verify::Verify),
}

/// `vambrace unit`: the exit status, with whatever is wrong on standard error.
pub(crate) fn unit(args: &Unit) -> u8 {
    let result = catch_unwind(AssertUnwindSafe(|| dispatch(&args.command))).unwrap_or_else(|_| Err(Failure::bug()));
    match result {
        Ok(status) => status as u8,
        Err(failure) => {
            // Nothing can be done if standard error is closed as well.
            let _ = writeln!(std::io::stderr(), "vambrace: {failure}");
            failure.status as u8
        }
    }
}

fn dispatch(command: &UnitCommand) -> Result<Status, Failure> {
    match command {
        UnitCommand::Explain(args) => explain::run(args),
        UnitCommand::Inspect(args) => inspect::run(args),
        UnitCommand::Keygen(args) => keygen::run(args),
        UnitCommand::Link(args) => link::run(args),
        UnitCommand::Lock(args) => lock::run(args),
        UnitCommand::Pack(args) => pack::run(args),
        UnitCommand::Table(args) => table::run(args),
        UnitCommand::Verify(args) => verify::run(args),
    }
}
