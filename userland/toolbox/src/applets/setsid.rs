//! `setsid`: runs a command in a session of its own.

use crate::adapters::complain;
use rustix::process::{getpgrp, getpid, ioctl_tiocsctty, setsid};
use rustix::stdio::stdin;
use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// `-c` makes standard input the session's terminal; `-w` waits for the command.
pub(crate) fn main(args: Vec<OsString>) -> i32 {
    let (mut takes_terminal, mut waits) = (false, false);
    let mut rest = args.into_iter().skip(1).peekable();
    while let Some(flags) = rest.next_if(|arg| arg.as_encoded_bytes().starts_with(b"-")) {
        match flags.to_str() {
            Some("-c") => takes_terminal = true,
            Some("-w") => waits = true,
            Some("-cw" | "-wc") => (takes_terminal, waits) = (true, true),
            Some("--") => break,
            _ => return usage(),
        }
    }
    let Some(program) = rest.next() else {
        return usage();
    };
    // The leader of a group cannot leave it: another process then makes the session.
    if getpgrp() == getpid() {
        let mut command = Command::new(std::env::current_exe().unwrap_or("/bin/toolbox".into()));
        command.arg("setsid").args(takes_terminal.then_some("-c"));
        // A new group for it would again make it a leader, so it stays in this one.
        let child = command.arg("--").arg(&program).args(rest).spawn();
        return match child.and_then(|mut child| {
            if waits {
                child.wait().map(Some)
            } else {
                Ok(None)
            }
        }) {
            Ok(status) => status.map_or(0, |status| status.code().unwrap_or(128)),
            Err(error) => failed(&program, &error),
        };
    }
    if let Err(error) = setsid() {
        return failed(&program, &error.into());
    }
    if takes_terminal && let Err(error) = ioctl_tiocsctty(stdin()) {
        complain("setsid", &format!("cannot take the terminal: {error}"));
    }
    let error = Command::new(&program).args(rest).exec();
    failed(&program, &error)
}

fn usage() -> i32 {
    complain("setsid", "usage: setsid [-c] [-w] COMMAND [ARG…]");
    1
}

fn failed(program: &OsString, error: &io::Error) -> i32 {
    complain("setsid", &format!("{}: {error}", program.display()));
    if error.kind() == io::ErrorKind::NotFound {
        127
    } else {
        126
    }
}
