//! Accounts of `/etc/passwd`, and login programs in sessions of their own.
//!
//! `init` starts the console's shell with it, `telnetd` the shell of each client.

use rustix::process::{ioctl_tiocsctty, setsid};
use rustix::stdio::stdin;
use std::ffi::{OsStr, OsString};
use std::mem::MaybeUninit;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where commands are looked for.
pub const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What `/etc/passwd` says about a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The login name.
    pub name: String,
    /// The home directory.
    pub home: PathBuf,
    /// The login shell.
    pub shell: PathBuf,
}

impl Account {
    /// The entry of `uid` in the text of a `passwd` file.
    pub fn parse(passwd: &str, uid: u32) -> Option<Self> {
        passwd.lines().find_map(|line| {
            let fields: Vec<&str> = line.split(':').collect();
            let [name, _, entry_uid, _, _, home, shell] = fields[..] else {
                return None;
            };
            // An empty field means the usual shell.
            let shell = if shell.is_empty() { "/bin/sh" } else { shell };
            (entry_uid.parse() == Ok(uid)).then(|| Self {
                name: name.to_owned(),
                home: home.into(),
                shell: shell.into(),
            })
        })
    }

    /// The user that this process runs as.
    pub fn current() -> Self {
        let uid = rustix::process::getuid().as_raw();
        let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
        Self::parse(&passwd, uid).unwrap_or_else(|| Self {
            name: uid.to_string(),
            home: "/".into(),
            shell: "/bin/sh".into(),
        })
    }

    /// Gives `command` the variables and the directory of a login of this user.
    pub fn equip(&self, command: &mut Command) {
        command
            .env("PATH", PATH)
            .env("HOME", &self.home)
            .env("SHELL", &self.shell)
            .env("USER", &self.name)
            .env("LOGNAME", &self.name);
        if self.home.is_dir() {
            command.current_dir(&self.home);
        }
    }

    /// `program` as a command of this user, called as a login shell is: with a hyphen before its name.
    pub fn login(&self, program: &Path) -> Command {
        let mut argv0 = OsString::from("-");
        argv0.push(program.file_name().unwrap_or(OsStr::new("sh")));
        let mut command = Command::new(program);
        command.arg0(argv0);
        self.equip(&mut command);
        command
    }
}

/// Makes `command` lead a session of its own, whose terminal is its standard
/// input if that is a terminal that no other session has. No signal is held back from it.
pub fn lead_session(command: &mut Command) {
    let become_leader = || {
        setsid()?;
        let mut none = MaybeUninit::<libc::sigset_t>::uninit();
        // SAFETY: the first call makes the set valid, and the second one reads it.
        unsafe {
            libc::sigemptyset(none.as_mut_ptr());
            libc::sigprocmask(libc::SIG_SETMASK, none.as_ptr(), std::ptr::null_mut());
        }
        // It fails when a script is piped in or another session has the terminal;
        // a shell then works without job control.
        let _ = ioctl_tiocsctty(stdin());
        Ok(())
    };
    // SAFETY: between fork and exec the closure makes system calls alone and does not allocate.
    unsafe { command.pre_exec(become_leader) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_found_by_uid() {
        let passwd = "bad line\nroot:x:0:0:root:/root:\nuser:x:1000:1000::/home/user:/bin/ash\n";
        let user = Account {
            name: "user".into(),
            home: "/home/user".into(),
            shell: "/bin/ash".into(),
        };
        assert_eq!(Account::parse(passwd, 1000), Some(user));
        assert_eq!(Account::parse(passwd, 7), None);
    }

    #[test]
    fn an_empty_shell_is_the_usual_one() {
        let root = Account::parse("root:x:0:0:root:/root:\n", 0);
        assert_eq!(root.map(|root| root.shell), Some("/bin/sh".into()));
    }

    #[test]
    fn a_leader_of_a_session_has_every_signal() {
        // SAFETY: the set is valid once it is empty, and the mask is this thread's own.
        unsafe {
            let mut set = MaybeUninit::<libc::sigset_t>::uninit();
            libc::sigemptyset(set.as_mut_ptr());
            let mut set = set.assume_init();
            libc::sigaddset(&raw mut set, libc::SIGINT);
            libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut());
        }
        let mut command = Command::new("cat");
        command.arg("/proc/self/status").arg("/proc/self/stat");
        lead_session(&mut command);
        let output = command.stdin(std::process::Stdio::null()).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(text.contains("\nSigBlk:\t0000000000000000\n"), "{text}");
        // Its number is that of its group and of its session.
        let stat: Vec<_> = text.lines().last().unwrap_or_default().split(' ').collect();
        assert_eq!((stat[0], stat[0]), (stat[4], stat[5]));
    }
}
