//! `poweroff`, `halt` and `reboot`: ask process 1, or with `-f` the kernel itself.

use crate::adapters::{complain, text_args};
use rustix::process::{Pid, Signal, kill_process};
use rustix::system::{RebootCommand, reboot};
use std::ffi::OsString;
use std::path::Path;

/// `-f` stops at once, `-n` without writing what is only in memory. `-p` makes `halt` a `poweroff`.
pub(crate) fn main(args: Vec<OsString>) -> i32 {
    let Some(args) = text_args(args) else {
        return 1;
    };
    let path = args.first().map_or("poweroff", String::as_str);
    let name = Path::new(path).file_name().and_then(|name| name.to_str());
    let name = name.unwrap_or("poweroff").to_owned();
    let (mut forced, mut syncs, mut powers_off) = (false, true, name == "poweroff");
    for arg in args.iter().skip(1) {
        match arg.as_str() {
            "-f" => forced = true,
            "-n" => syncs = false,
            "-p" => powers_off |= name == "halt",
            _ => {
                complain(&name, &format!("usage: {name} [-f] [-n]"));
                return 1;
            }
        }
    }
    // What init understands by these signals is as with busybox.
    let (signal, command) = match name.as_str() {
        "reboot" => (Signal::TERM, RebootCommand::Restart),
        _ if powers_off => (Signal::USR2, RebootCommand::PowerOff),
        _ => (Signal::USR1, RebootCommand::Halt),
    };
    if syncs {
        rustix::fs::sync();
    }
    let result = if forced {
        reboot(command)
    } else {
        kill_process(Pid::INIT, signal)
    };
    match result {
        Ok(()) => 0,
        Err(error) => {
            complain(&name, &error.to_string());
            1
        }
    }
}
