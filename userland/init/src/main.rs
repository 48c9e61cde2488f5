//! Process 1.
//!
//! Called plainly it brings a machine up: mounts the kernel's file systems,
//! runs what `/etc/inittab` says, reaps every orphan, and takes the machine down
//! when a signal asks for it (`SIGUSR2` powers off, `SIGUSR1` halts, `SIGTERM`
//! and `SIGINT` restart, as `poweroff`, `halt` and `reboot` send them).
//! With a command, which follows `--` or starts with a slash, it runs that on
//! the console in place of a shell, and powers off when it ends.
//!
//! With `--session` it is the first process of a login on a machine that is up
//! already: it starts the login shell and ends with that shell's exit status.
//!
//! `inittab.rs` reads the table, `machine.rs` is its loop and `session.rs` the
//! other one; `mounts.rs` and `shutdown.rs` are the beginning and the end;
//! `signals.rs` waits for signals.
#![deny(unsafe_code)]

mod inittab;
mod machine;
mod mounts;
mod session;
mod shutdown;
#[expect(unsafe_code, reason = "system calls")]
mod signals;

use std::ffi::OsString;
use std::process::ExitCode;

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
enum Task {
    Session,
    Machine(Vec<OsString>),
}

/// A kernel passes on the words of its command line that it does not know, so
/// unknown words are no errors.
fn task(mut args: Vec<OsString>) -> Task {
    if args.first().is_some_and(|arg| arg == "--session") {
        return Task::Session;
    }
    let starts = |arg: &OsString| arg == "--" || arg.as_encoded_bytes().starts_with(b"/");
    let command = match args.iter().position(starts) {
        Some(at) if args.get(at).is_some_and(|arg| arg == "--") => args.split_off(at + 1),
        Some(at) => args.split_off(at),
        None => Vec::new(),
    };
    Task::Machine(command)
}

/// Prints a message on the console.
fn say(message: &str) {
    use std::io::Write;
    // A console that cannot be written to must not stop process 1.
    let _ = writeln!(std::io::stderr(), "init: {message}");
}

fn main() -> ExitCode {
    match task(std::env::args_os().skip(1).collect()) {
        Task::Session => match session::run() {
            Ok(status) => ExitCode::from(status),
            Err(message) => {
                say(&message);
                ExitCode::from(127)
            }
        },
        Task::Machine(_) if std::process::id() != 1 => {
            say("only process 1 can bring a machine up");
            ExitCode::FAILURE
        }
        Task::Machine(command) => machine::run(&command),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(args: &[&str]) -> Task {
        task(args.iter().map(OsString::from).collect())
    }

    fn machine(command: &[&str]) -> Task {
        Task::Machine(command.iter().map(OsString::from).collect())
    }

    #[test]
    fn words_that_a_kernel_passes_on_are_no_command() {
        assert_eq!(asked(&[]), machine(&[]));
        assert_eq!(asked(&["splash", "auto"]), machine(&[]));
    }

    #[test]
    fn a_command_starts_with_a_slash_or_after_two_hyphens() {
        let command = machine(&["/bin/sh", "-c", "x"]);
        assert_eq!(asked(&["splash", "/bin/sh", "-c", "x"]), command);
        assert_eq!(asked(&["--", "ls", "/"]), machine(&["ls", "/"]));
        assert_eq!(asked(&["--session"]), Task::Session);
    }
}
