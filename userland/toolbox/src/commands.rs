//! The table of commands: a name and what runs it.

use crate::{adapters, applets};
use Command::{Own, Uutils};
use std::ffi::OsString;
use std::io::{self, Write};

/// Arguments as the uutils entry points take them.
type Args = std::vec::IntoIter<OsString>;

/// What runs a command.
#[derive(Clone, Copy)]
pub(crate) enum Command {
    /// An entry point of uutils coreutils and the name of its message catalogue.
    Uutils(fn(Args) -> i32, &'static str),
    /// A function of this program, which gets the arguments with the name first.
    Own(fn(Vec<OsString>) -> i32),
}

/// In ascending order, for the binary search.
const COMMANDS: &[(&str, Command)] = &[
    ("[", Uutils(uu_test::uumain, "test")),
    ("arch", Uutils(uu_arch::uumain, "arch")),
    ("awk", Own(adapters::awk)),
    ("base64", Uutils(uu_base64::uumain, "base64")),
    ("basename", Uutils(uu_basename::uumain, "basename")),
    ("cat", Uutils(uu_cat::uumain, "cat")),
    ("chgrp", Uutils(uu_chgrp::uumain, "chgrp")),
    ("chmod", Uutils(uu_chmod::uumain, "chmod")),
    ("chown", Uutils(uu_chown::uumain, "chown")),
    ("chroot", Uutils(uu_chroot::uumain, "chroot")),
    ("cksum", Uutils(uu_cksum::uumain, "cksum")),
    ("clear", Own(applets::clear::main)),
    ("cmp", Own(adapters::cmp)),
    ("comm", Uutils(uu_comm::uumain, "comm")),
    ("cp", Uutils(uu_cp::uumain, "cp")),
    ("csplit", Uutils(uu_csplit::uumain, "csplit")),
    ("cut", Uutils(uu_cut::uumain, "cut")),
    ("date", Uutils(uu_date::uumain, "date")),
    ("dd", Uutils(uu_dd::uumain, "dd")),
    ("df", Uutils(uu_df::uumain, "df")),
    ("diff", Own(adapters::diff)),
    ("dirname", Uutils(uu_dirname::uumain, "dirname")),
    ("du", Uutils(uu_du::uumain, "du")),
    ("echo", Uutils(uu_echo::uumain, "echo")),
    ("egrep", Own(applets::grep::main)),
    ("env", Uutils(uu_env::uumain, "env")),
    ("expand", Uutils(uu_expand::uumain, "expand")),
    ("expr", Uutils(uu_expr::uumain, "expr")),
    ("factor", Uutils(uu_factor::uumain, "factor")),
    ("false", Uutils(uu_false::uumain, "false")),
    ("fgrep", Own(applets::grep::main)),
    ("find", Own(adapters::find)),
    ("fmt", Uutils(uu_fmt::uumain, "fmt")),
    ("fold", Uutils(uu_fold::uumain, "fold")),
    ("free", Own(applets::free::main)),
    ("grep", Own(applets::grep::main)),
    ("groups", Uutils(uu_groups::uumain, "groups")),
    ("gunzip", Own(applets::gzip::main)),
    ("gzip", Own(applets::gzip::main)),
    ("halt", Own(applets::poweroff::main)),
    ("hd", Own(applets::hexdump::main)),
    ("head", Uutils(uu_head::uumain, "head")),
    ("hexdump", Own(applets::hexdump::main)),
    ("hostid", Uutils(uu_hostid::uumain, "hostid")),
    ("hostname", Uutils(uu_hostname::uumain, "hostname")),
    ("id", Uutils(uu_id::uumain, "id")),
    ("ifconfig", Own(nettools::ifconfig)),
    ("install", Uutils(uu_install::uumain, "install")),
    ("join", Uutils(uu_join::uumain, "join")),
    ("kill", Uutils(uu_kill::uumain, "kill")),
    ("killall", Own(applets::pidof::killall)),
    ("less", Own(applets::less::main)),
    ("link", Uutils(uu_link::uumain, "link")),
    ("ln", Uutils(uu_ln::uumain, "ln")),
    ("logname", Uutils(uu_logname::uumain, "logname")),
    ("ls", Uutils(uu_ls::uumain, "ls")),
    ("md5sum", Uutils(uu_md5sum::uumain, "md5sum")),
    ("mkdir", Uutils(uu_mkdir::uumain, "mkdir")),
    ("mkfifo", Uutils(uu_mkfifo::uumain, "mkfifo")),
    ("mknod", Uutils(uu_mknod::uumain, "mknod")),
    ("mktemp", Uutils(uu_mktemp::uumain, "mktemp")),
    ("more", Uutils(uu_more::uumain, "more")),
    ("mount", Own(applets::mount::main)),
    ("mv", Uutils(uu_mv::uumain, "mv")),
    ("nc", Own(nettools::nc)),
    ("netstat", Own(nettools::netstat)),
    ("nice", Uutils(uu_nice::uumain, "nice")),
    ("nl", Uutils(uu_nl::uumain, "nl")),
    ("nohup", Uutils(uu_nohup::uumain, "nohup")),
    ("nproc", Uutils(uu_nproc::uumain, "nproc")),
    ("numfmt", Uutils(uu_numfmt::uumain, "numfmt")),
    ("od", Uutils(uu_od::uumain, "od")),
    ("paste", Uutils(uu_paste::uumain, "paste")),
    ("pathchk", Uutils(uu_pathchk::uumain, "pathchk")),
    ("pidof", Own(applets::pidof::pidof)),
    ("ping", Own(nettools::ping)),
    ("poweroff", Own(applets::poweroff::main)),
    ("pr", Uutils(uu_pr::uumain, "pr")),
    ("printenv", Uutils(uu_printenv::uumain, "printenv")),
    ("printf", Uutils(uu_printf::uumain, "printf")),
    ("ps", Own(applets::ps::main)),
    ("pwd", Uutils(uu_pwd::uumain, "pwd")),
    ("readlink", Uutils(uu_readlink::uumain, "readlink")),
    ("realpath", Uutils(uu_realpath::uumain, "realpath")),
    ("reboot", Own(applets::poweroff::main)),
    ("rm", Uutils(uu_rm::uumain, "rm")),
    ("rmdir", Uutils(uu_rmdir::uumain, "rmdir")),
    ("route", Own(nettools::route)),
    ("sed", Own(adapters::sed)),
    ("seq", Uutils(uu_seq::uumain, "seq")),
    ("setsid", Own(applets::setsid::main)),
    ("sha1sum", Uutils(uu_sha1sum::uumain, "sha1sum")),
    ("sha224sum", Uutils(uu_sha224sum::uumain, "sha224sum")),
    ("sha256sum", Uutils(uu_sha256sum::uumain, "sha256sum")),
    ("sha384sum", Uutils(uu_sha384sum::uumain, "sha384sum")),
    ("sha512sum", Uutils(uu_sha512sum::uumain, "sha512sum")),
    ("shred", Uutils(uu_shred::uumain, "shred")),
    ("shuf", Uutils(uu_shuf::uumain, "shuf")),
    ("sleep", Uutils(uu_sleep::uumain, "sleep")),
    ("sort", Uutils(uu_sort::uumain, "sort")),
    ("split", Uutils(uu_split::uumain, "split")),
    ("stat", Uutils(uu_stat::uumain, "stat")),
    ("stty", Uutils(uu_stty::uumain, "stty")),
    ("sum", Uutils(uu_sum::uumain, "sum")),
    ("sync", Uutils(uu_sync::uumain, "sync")),
    ("tac", Uutils(uu_tac::uumain, "tac")),
    ("tail", Uutils(uu_tail::uumain, "tail")),
    ("tar", Own(applets::tar::main)),
    ("tee", Uutils(uu_tee::uumain, "tee")),
    ("test", Uutils(uu_test::uumain, "test")),
    ("timeout", Uutils(uu_timeout::uumain, "timeout")),
    ("touch", Uutils(uu_touch::uumain, "touch")),
    ("tr", Uutils(uu_tr::uumain, "tr")),
    ("true", Uutils(uu_true::uumain, "true")),
    ("truncate", Uutils(uu_truncate::uumain, "truncate")),
    ("tsort", Uutils(uu_tsort::uumain, "tsort")),
    ("tty", Uutils(uu_tty::uumain, "tty")),
    ("umount", Own(applets::mount::umount)),
    ("uname", Uutils(uu_uname::uumain, "uname")),
    ("unexpand", Uutils(uu_unexpand::uumain, "unexpand")),
    ("uniq", Uutils(uu_uniq::uumain, "uniq")),
    ("unlink", Uutils(uu_unlink::uumain, "unlink")),
    ("uptime", Uutils(uu_uptime::uumain, "uptime")),
    ("users", Uutils(uu_users::uumain, "users")),
    ("wc", Uutils(uu_wc::uumain, "wc")),
    ("wget", Own(nettools::wget)),
    ("which", Own(applets::which::main)),
    ("who", Uutils(uu_who::uumain, "who")),
    ("whoami", Uutils(uu_whoami::uumain, "whoami")),
    ("xargs", Own(adapters::xargs)),
    ("yes", Uutils(uu_yes::uumain, "yes")),
    ("zcat", Own(applets::gzip::main)),
];

/// The command called `name`.
pub(crate) fn find(name: &str) -> Option<Command> {
    let index = COMMANDS
        .binary_search_by_key(&name, |(name, _)| name)
        .ok()?;
    COMMANDS.get(index).map(|(_, command)| *command)
}

/// Every command's name.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    COMMANDS.iter().map(|(name, _)| *name)
}

/// Runs `command`; `args` starts with its name. Returns the exit status.
pub(crate) fn run(command: Command, args: Vec<OsString>) -> i32 {
    match command {
        Own(main) => main(args),
        Uutils(main, catalogue) => match uucore::locale::setup_localization(catalogue) {
            Ok(()) => main(args.into_iter()),
            Err(error) => {
                let _ = writeln!(io::stderr(), "{catalogue}: cannot load messages: {error}");
                99
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_ascend() {
        assert!(COMMANDS.is_sorted_by(|a, b| a.0 < b.0));
    }
}
