//! The `vambrace` command: a thin user of the `vambrace` crate.
//!
//! [`args`] defines flags, help, man page and completions in one place;
//! [`run`] turns them into a guest, [`boot`] into a machine, [`image`] into a
//! disk; [`unit`] works on compiled units of the Ironwall runtime, [`gc`] asks its running
//! programs. Only this crate reads the environment and prints.
#![forbid(unsafe_code)]

mod args;
mod boot;
mod gc;
mod image;
mod run;
mod unit;

use std::io::Write;
use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use args::{Cli, Command};

/// The status for a command line or a set-up that is wrong, as `env` and
/// `nice` use it: nothing has run in the guest.
const SETUP_FAILED: u8 = 125;

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        None => run::shell(&args::Shell::default()),
        Some(Command::Shell(shell)) => run::shell(&shell),
        Some(Command::Run(run)) => run::run(&run),
        Some(Command::Boot(boot)) => Ok(boot::boot(&boot)),
        Some(Command::Image(image)) => image::image(&image),
        Some(Command::Gc(args)) => Ok(gc::gc(&args)),
        Some(Command::Unit(args)) => Ok(unit::unit(&args)),
        Some(Command::Completions { shell }) => completions(shell),
        Some(Command::Man) => man(),
    };
    match result {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            // Nothing can be done if standard error is closed as well.
            let _ = writeln!(std::io::stderr(), "vambrace: {error:#}");
            let failure = error.downcast_ref::<vambrace::Error>();
            ExitCode::from(failure.map_or(SETUP_FAILED, vambrace::Error::exit_code))
        }
    }
}

fn completions(shell: clap_complete::Shell) -> anyhow::Result<u8> {
    let mut out = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "vambrace", &mut out);
    std::io::stdout().write_all(&out)?;
    Ok(0)
}

fn man() -> anyhow::Result<u8> {
    let mut out = Vec::new();
    let command = Cli::command();
    clap_mangen::Man::new(command.clone()).render(&mut out)?;
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
        let name: &str = sub.get_name();
        clap_mangen::Man::new(sub.clone()).title(format!("vambrace-{name}")).render(&mut out)?;
    }
    std::io::stdout().write_all(&out)?;
    Ok(0)
}
