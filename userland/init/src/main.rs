//! Process 1 of a login session: starts the login shell on the console, reaps
//! every orphan, and ends with the shell's exit status.

use rustix::process::{Pid, WaitOptions, ioctl_tiocsctty, setsid, wait};
use rustix::stdio::stdin;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

/// Where commands are looked for.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What `/etc/passwd` says about the user who logs in.
#[derive(Debug, PartialEq, Eq)]
struct Account {
    name: String,
    home: PathBuf,
    shell: PathBuf,
}

impl Account {
    /// The entry of `uid` in the text of a `passwd` file.
    fn parse(passwd: &str, uid: u32) -> Option<Self> {
        passwd.lines().find_map(|line| {
            let fields: Vec<&str> = line.split(':').collect();
            let [name, _, entry_uid, _, _, home, shell] = fields[..] else {
                return None;
            };
            (entry_uid.parse() == Ok(uid)).then(|| Self {
                name: name.to_owned(),
                home: home.into(),
                shell: shell.into(),
            })
        })
    }

    fn current() -> Self {
        let uid = rustix::process::getuid().as_raw();
        let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
        Self::parse(&passwd, uid).unwrap_or_else(|| Self {
            name: uid.to_string(),
            home: "/".into(),
            shell: "/bin/sh".into(),
        })
    }
}

/// The login shell as a command: its own session, with the console as its terminal.
fn login(account: &Account) -> Command {
    let shell_name = account
        .shell
        .file_name()
        .unwrap_or(account.shell.as_os_str());
    let mut argv0 = std::ffi::OsString::from("-");
    argv0.push(shell_name);
    let mut command = Command::new(&account.shell);
    command.arg0(argv0);
    command
        .env("PATH", PATH)
        .env("HOME", &account.home)
        .env("SHELL", &account.shell);
    command
        .env("USER", &account.name)
        .env("LOGNAME", &account.name);
    if account.home.is_dir() {
        command.current_dir(&account.home);
    }
    let become_session_leader = || {
        setsid()?;
        // It fails when a script is piped in or another session has the terminal;
        // the shell then works without job control.
        let _ = ioctl_tiocsctty(stdin());
        Ok(())
    };
    // SAFETY: between fork and exec the closure makes system calls alone and does not allocate.
    unsafe { command.pre_exec(become_session_leader) };
    command
}

/// Reaps children until `shell` ends; its status as a shell reports it.
fn reap_until(shell: Pid) -> io::Result<u8> {
    loop {
        let (pid, status) = match wait(WaitOptions::empty()) {
            Ok(Some(ended)) => ended,
            Ok(None) | Err(rustix::io::Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
        };
        if pid == shell {
            let code = status
                .exit_status()
                .or_else(|| status.terminating_signal().map(|signal| 128 + signal));
            if let Some(code) = code {
                return Ok(u8::try_from(code).unwrap_or(u8::MAX));
            }
        }
    }
}

fn run() -> Result<u8, String> {
    if let Ok(hostname) = std::fs::read_to_string("/etc/hostname") {
        // Without the privilege the name stays as it was, which harms nothing.
        let _ = rustix::system::sethostname(hostname.trim().as_bytes());
    }
    let account = Account::current();
    let child = login(&account)
        .spawn()
        .map_err(|error| format!("{}: {error}", account.shell.display()))?;
    let pid = i32::try_from(child.id())
        .ok()
        .and_then(Pid::from_raw)
        .ok_or("the shell has no process id")?;
    reap_until(pid).map_err(|error| format!("wait: {error}"))
}

fn main() -> ExitCode {
    match run() {
        Ok(status) => ExitCode::from(status),
        Err(message) => {
            eprintln!("init: {message}");
            ExitCode::from(127)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_found_by_uid() {
        let passwd =
            "bad line\nroot:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/home/user:/bin/ash\n";
        let user = Account {
            name: "user".into(),
            home: "/home/user".into(),
            shell: "/bin/ash".into(),
        };
        assert_eq!(Account::parse(passwd, 1000), Some(user));
        assert_eq!(Account::parse(passwd, 7), None);
    }
}
