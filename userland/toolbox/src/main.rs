//! The Unix commands of the embedded userland in one program, which acts as the
//! command it is called by.
//!
//! `commands.rs` lists them: most come from the uutils projects, the modules
//! under `applets/` are this project's own.
#![forbid(unsafe_code)]

mod adapters;
mod applets;
mod commands;

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;
use std::process::exit;

fn main() {
    let mut args: Vec<OsString> = std::env::args_os().collect();
    let called_as = name_of(args.first());
    if let Some(command) = commands::find(&called_as) {
        exit(commands::run(command, args));
    }
    // Called as `toolbox NAME ARG…`.
    if !args.is_empty() {
        args.remove(0);
    }
    let name = name_of(args.first());
    if let Some(command) = commands::find(&name) {
        uucore::set_utility_is_second_arg();
        exit(commands::run(command, args));
    }
    let mut out = io::stdout().lock();
    let status = match name.as_str() {
        "--list" => commands::names()
            .try_for_each(|name| writeln!(out, "{name}"))
            .map_or(1, |()| 0),
        "" => {
            let _ = writeln!(io::stderr(), "usage: toolbox COMMAND [ARG…] | --list");
            2
        }
        _ => {
            let _ = writeln!(io::stderr(), "toolbox: {name}: no such command");
            127
        }
    };
    exit(status);
}

fn name_of(arg: Option<&OsString>) -> String {
    arg.and_then(|arg| Path::new(arg).file_name())
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}
