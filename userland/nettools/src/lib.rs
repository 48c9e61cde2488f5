//! Network commands: `ping`, `nc`, `wget`, `ifconfig`, `route`, `netstat`.
//!
//! Each command is a function that takes the arguments, with the command's name
//! first, and returns the exit status. `sys.rs` has all unsafe code.
#![deny(unsafe_code)]

mod ifconfig;
mod nc;
mod netstat;
mod options;
mod ping;
mod resolve;
mod route;
#[expect(unsafe_code, reason = "system calls")]
mod sys;
mod wget;

use std::ffi::OsString;
use std::io::{self, Write};

/// What runs a command.
pub type Main = fn(Vec<OsString>) -> i32;

/// The commands by name.
pub const COMMANDS: &[(&str, Main)] = &[
    ("ifconfig", ifconfig),
    ("nc", nc),
    ("netstat", netstat),
    ("ping", ping),
    ("route", route),
    ("wget", wget),
];

/// Runs `command`, whose errors become a message and status 1, or what they say.
fn run(name: &str, args: Vec<OsString>, command: fn(&[String]) -> Result<i32, Failure>) -> i32 {
    let mut texts = Vec::with_capacity(args.len());
    for arg in args.into_iter().skip(1) {
        match arg.into_string() {
            Ok(text) => texts.push(text),
            Err(arg) => {
                complain(name, &format!("{}: argument is not UTF-8", arg.display()));
                return 2;
            }
        }
    }
    match command(&texts) {
        Ok(status) => status,
        Err(Failure { message, status }) => {
            complain(name, &message);
            status
        }
    }
}

fn complain(name: &str, message: &str) {
    let _ = writeln!(io::stderr(), "{name}: {message}");
}

/// What ends a command before its work is done.
struct Failure {
    message: String,
    status: i32,
}

impl From<String> for Failure {
    fn from(message: String) -> Self {
        Self { message, status: 1 }
    }
}

/// The system's name for an error, without the number that Rust adds.
fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error") {
        Some((name, _)) => name.to_owned(),
        None => text,
    }
}

/// Switches an interface on, as `ifconfig NAME up` does.
///
/// # Errors
/// There is no such interface, or no network at all.
pub fn switch_on(name: &str) -> io::Result<()> {
    let control = sys::Control::new()?;
    let flags = control.flags(name)?;
    control.set_flags(name, flags | ifconfig::UP)
}

macro_rules! commands {
    ($($(#[$doc:meta])* $name:ident: $text:literal;)*) => {$(
        $(#[$doc])*
        pub fn $name(args: Vec<OsString>) -> i32 {
            run($text, args, $name::run)
        }
    )*};
}

commands! {
    /// Shows and sets up network interfaces.
    ifconfig: "ifconfig";
    /// Copies between a connection and the standard streams.
    nc: "nc";
    /// Lists sockets.
    netstat: "netstat";
    /// Tests whether a host answers.
    ping: "ping";
    /// Shows and changes the routing table.
    route: "route";
    /// Fetches a file over HTTP.
    wget: "wget";
}
