//! `ps`: the processes, from `/proc`.

use crate::adapters::complain;
use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};

/// A row of the table, as `/proc/PID/stat` and `status` give it.
struct Process {
    pid: u32,
    parent: u32,
    state: char,
    terminal: String,
    seconds: u64,
    rss_kib: u64,
    uid: u32,
    command: String,
}

/// `TTY` as `ps` shows it, from the device number in `stat`.
fn terminal_name(device: u64) -> String {
    let (major, minor) = (
        (device >> 8) & 0xfff,
        (device & 0xff) | ((device >> 12) & 0xfff00),
    );
    match major {
        0 => "?".to_owned(),
        4 => format!("tty{minor}"),
        5 => "console".to_owned(),
        136..=143 => format!("pts/{minor}"),
        _ => format!("{major}:{minor}"),
    }
}

fn read_process(pid: u32) -> Option<Process> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name is in parentheses and may itself contain any character.
    let (open, close) = (stat.find('(')?, stat.rfind(')')?);
    let name = stat.get(open + 1..close)?;
    let fields: Vec<&str> = stat.get(close + 1..)?.split_whitespace().collect();
    let number = |index: usize| {
        fields
            .get(index)
            .and_then(|text| text.parse::<u64>().ok())
            .unwrap_or(0)
    };
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let uid = status.lines().find_map(|line| {
        line.strip_prefix("Uid:")?
            .split_whitespace()
            .next()?
            .parse()
            .ok()
    });
    let cmdline = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let words: Vec<_> = cmdline
        .split(|&b| b == 0)
        .filter(|word| !word.is_empty())
        .map(String::from_utf8_lossy)
        .collect();
    Some(Process {
        pid,
        parent: u32::try_from(number(1)).unwrap_or(0),
        state: fields.first()?.chars().next()?,
        terminal: terminal_name(number(4)),
        seconds: (number(11) + number(12)) / 100,
        rss_kib: number(21) * 4,
        uid: uid.unwrap_or(0),
        command: if words.is_empty() {
            format!("[{name}]")
        } else {
            words.join(" ")
        },
    })
}

/// Every process is shown; `-f`, `f`, `u` or `l` add the parent, the user and the memory.
pub(crate) fn main(args: Vec<OsString>) -> i32 {
    let flags: String = args
        .iter()
        .skip(1)
        .map(|arg| arg.to_string_lossy())
        .collect();
    if let Some(unknown) = flags.chars().find(|c| !"-aAeuxflw".contains(*c)) {
        complain(
            "ps",
            &format!("unknown option {unknown}; use -e, -f, -l or aux"),
        );
        return 1;
    }
    let long = flags.contains(['f', 'u', 'l']);
    let entries = match fs::read_dir("/proc") {
        Ok(entries) => entries,
        Err(error) => {
            complain("ps", &format!("/proc: {error}"));
            return 1;
        }
    };
    let mut pids: Vec<u32> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect();
    pids.sort_unstable();
    let mut text = if long {
        format!(
            "{:>5} {:>7} {:>7} S {:>8} {:<8} {:>8} CMD\n",
            "UID", "PID", "PPID", "RSS", "TTY", "TIME"
        )
    } else {
        format!("{:>7} {:<8} {:>8} CMD\n", "PID", "TTY", "TIME")
    };
    for p in pids.into_iter().filter_map(read_process) {
        let time = format!(
            "{:02}:{:02}:{:02}",
            p.seconds / 3600,
            p.seconds / 60 % 60,
            p.seconds % 60
        );
        text += &if long {
            format!(
                "{:>5} {:>7} {:>7} {} {:>8} {:<8} {time} {}\n",
                p.uid, p.pid, p.parent, p.state, p.rss_kib, p.terminal, p.command
            )
        } else {
            format!("{:>7} {:<8} {time} {}\n", p.pid, p.terminal, p.command)
        };
    }
    i32::from(io::stdout().write_all(text.as_bytes()).is_err())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn device_numbers_have_names() {
        assert_eq!(terminal_name(0), "?");
        assert_eq!(terminal_name(136 << 8 | 3), "pts/3");
    }
}
