//! `pidof` and `killall`: processes by their names.

use crate::adapters::{complain, text_args};
use rustix::process::{Pid, Signal, kill_process};
use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

/// A process as these commands see it.
struct Process {
    pid: i32,
    /// The kernel's name for it, of at most 15 bytes.
    name: String,
    /// The words of its command line.
    words: Vec<String>,
}

impl Process {
    fn read(pid: i32) -> Option<Self> {
        let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let words = line
            .split(|&byte| byte == 0)
            .filter(|word| !word.is_empty());
        Some(Self {
            pid,
            name: name.trim_end_matches('\n').to_owned(),
            words: words
                .map(|word| String::from_utf8_lossy(word).into_owned())
                .collect(),
        })
    }

    /// Whether `name` is its name or that of the program it was called by.
    fn is_called(&self, name: &str) -> bool {
        let file = |word: &String| {
            Path::new(word)
                .file_name()
                .map(|f| f.to_string_lossy().into_owned())
        };
        let called = self.words.first().and_then(file);
        self.name == name || called.is_some_and(|called| called.trim_start_matches('-') == name)
    }
}

/// Every process but this one.
fn processes() -> Vec<Process> {
    let own = i32::try_from(std::process::id()).unwrap_or(0);
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let mut pids: Vec<i32> = entries
        .filter_map(|e| e.file_name().to_str()?.parse().ok())
        .collect();
    pids.sort_unstable();
    pids.into_iter()
        .filter(|pid| *pid != own)
        .filter_map(Process::read)
        .collect()
}

/// A signal by number or by name, with or without `SIG`.
fn signal(text: &str) -> Option<Signal> {
    if let Ok(number) = text.parse() {
        return Signal::from_named_raw(number);
    }
    let upper = text.to_ascii_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    let number = uucore::signals::signal_by_name_or_value(name)?;
    Signal::from_named_raw(i32::try_from(number).ok()?)
}

pub(crate) fn pidof(args: Vec<OsString>) -> i32 {
    let Some(args) = text_args(args) else {
        return 1;
    };
    let single = args.iter().any(|arg| arg == "-s");
    let names: Vec<_> = args
        .iter()
        .skip(1)
        .filter(|arg| !arg.starts_with('-'))
        .collect();
    let mut found: Vec<String> = Vec::new();
    // The latest first, as elsewhere.
    for process in processes().iter().rev() {
        if names.iter().any(|name| process.is_called(name)) {
            found.push(process.pid.to_string());
        }
    }
    if single {
        found.truncate(1);
    }
    if found.is_empty() {
        return 1;
    }
    i32::from(writeln!(io::stdout(), "{}", found.join(" ")).is_err())
}

/// `killall [-SIGNAL] [-q] NAME…`: by whole names.
pub(crate) fn killall(args: Vec<OsString>) -> i32 {
    let Some(args) = text_args(args) else {
        return 1;
    };
    let (mut sent, mut quiet, mut names) = (Signal::TERM, false, Vec::new());
    for arg in args.iter().skip(1) {
        match arg.strip_prefix('-') {
            Some("q") => quiet = true,
            Some(name) => match signal(name) {
                Some(signal) => sent = signal,
                None => {
                    complain("killall", "usage: killall [-SIGNAL] [-q] NAME…");
                    return 1;
                }
            },
            None => names.push(arg),
        }
    }
    let all = processes();
    let mut status = i32::from(names.is_empty());
    for name in names {
        let mut found = false;
        for process in all.iter().filter(|process| process.is_called(name)) {
            found = true;
            let result = Pid::from_raw(process.pid).map(|pid| kill_process(pid, sent));
            if let Some(Err(error)) = result {
                complain("killall", &format!("{}: {error}", process.pid));
                status = 1;
            }
        }
        if !found {
            status = 1;
            if !quiet {
                complain("killall", &format!("{name}: no process found"));
            }
        }
    }
    status
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_have_numbers_and_names() {
        assert_eq!(signal("9"), Some(Signal::KILL));
        assert_eq!(signal("SIGTERM"), Some(Signal::TERM));
        assert_eq!(signal("hup"), Some(Signal::HUP));
        assert_eq!(signal("x"), None);
    }

    #[test]
    fn a_login_shell_is_called_without_its_hyphen() {
        let process = Process {
            pid: 2,
            name: "toolbox".to_owned(),
            words: vec!["-sh".to_owned()],
        };
        assert!(process.is_called("sh") && process.is_called("toolbox"));
        assert!(!process.is_called("bash"));
    }
}
