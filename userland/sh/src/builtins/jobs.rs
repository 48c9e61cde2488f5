//! Built-in commands about processes, signals and limits.

use super::{misuse, put, quote};
use crate::jobs::State;
use crate::shell::{Run, Shell};
use crate::sys;

/// Signal names by number, without `SIG`.
const SIGNAL_NAMES: &[&str] = &[
    "EXIT", "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV",
    "USR2", "PIPE", "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU",
    "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
];

fn signal_number(text: &str) -> Option<i32> {
    if let Ok(number) = text.parse::<i32>() {
        return (0..65).contains(&number).then_some(number);
    }
    let upper = text.to_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    SIGNAL_NAMES
        .iter()
        .position(|own| *own == name)
        .and_then(|number| i32::try_from(number).ok())
}

fn signal_name(number: i32) -> String {
    usize::try_from(number)
        .ok()
        .and_then(|index| SIGNAL_NAMES.get(index))
        .map_or_else(|| number.to_string(), |name| (*name).to_owned())
}

pub(super) fn jobs(shell: &mut Shell, args: &[String]) -> Run {
    shell.jobs.poll();
    let option = args.get(1).map(String::as_str).unwrap_or_default();
    let current = shell.jobs.current();
    let mut text = String::new();
    for (index, job) in shell.jobs.list.iter_mut().enumerate() {
        job.changed = false;
        let leader = job.processes.first().map_or(0, |process| process.pid);
        let mark = if Some(index) == current { '+' } else { ' ' };
        text += &match option {
            "-p" => format!("{leader}\n"),
            "-l" => format!(
                "[{}]{mark} {leader} {:<12} {}\n",
                job.id,
                job.describe(),
                job.text
            ),
            _ => format!("[{}]{mark} {:<12} {}\n", job.id, job.describe(), job.text),
        };
    }
    while let Some(index) = shell
        .jobs
        .list
        .iter()
        .position(|job| job.state() == State::Done)
    {
        shell.jobs.remove(index);
    }
    put(shell, &text)
}

/// The job that the first argument names, or the current one.
fn named_job(shell: &Shell, args: &[String]) -> Option<usize> {
    let found = shell.jobs.find(args.get(1).map_or("%+", String::as_str));
    if found.is_none() {
        shell.error(&format!(
            "{}: {}: no such job",
            args[0],
            args.get(1).map_or("current", String::as_str)
        ));
    }
    found
}

pub(super) fn fg(shell: &mut Shell, args: &[String]) -> Run {
    shell.jobs.poll();
    let Some(index) = named_job(shell, args) else {
        return Ok(1);
    };
    let text = format!("{}\n", shell.jobs.list[index].text);
    put(shell, &text)?;
    Ok(shell.continue_foreground(index))
}

pub(super) fn bg(shell: &mut Shell, args: &[String]) -> Run {
    shell.jobs.poll();
    let Some(index) = named_job(shell, args) else {
        return Ok(1);
    };
    let job = &shell.jobs.list[index];
    let text = format!("[{}] {} &\n", job.id, job.text);
    shell.continue_background(index);
    put(shell, &text)
}

/// `wait [PID|%JOB…]`.
pub(super) fn wait(shell: &mut Shell, args: &[String]) -> Run {
    let interrupted = |shell: &mut Shell| -> Run {
        let signal = (1..65).find(|signal| sys::is_pending(*signal)).unwrap_or(0);
        shell.run_pending_traps()?;
        Ok(128 + signal)
    };
    if args.len() == 1 {
        while let Some(index) = shell
            .jobs
            .list
            .iter()
            .position(|job| job.state() == State::Running)
        {
            if shell.wait_job(index, true).is_none() {
                return interrupted(shell);
            }
        }
        shell.notify();
        return Ok(0);
    }
    let mut status = 0;
    for name in &args[1..] {
        let Some(index) = shell.jobs.find(name) else {
            status = name
                .parse()
                .ok()
                .and_then(|pid| shell.jobs.take_finished(pid))
                .unwrap_or(127);
            continue;
        };
        if shell.wait_job(index, true).is_none() {
            return interrupted(shell);
        }
        status = shell
            .jobs
            .list
            .get(index)
            .map_or(127, |job| job.code(false));
        if shell
            .jobs
            .list
            .get(index)
            .is_some_and(|job| job.state() == State::Done)
        {
            shell.jobs.remove(index);
        }
    }
    Ok(status)
}

/// `kill [-SIGNAL|-s SIGNAL] PID|%JOB…` and `kill -l [NUMBER…]`.
pub(super) fn kill(shell: &mut Shell, args: &[String]) -> Run {
    let mut rest = &args[1..];
    let mut signal = libc::SIGTERM;
    if let Some(option) = rest
        .first()
        .and_then(|arg| arg.strip_prefix('-'))
        .filter(|option| !option.is_empty())
    {
        let name = match option {
            "l" => {
                let names = match rest.get(1..) {
                    Some([]) | None => SIGNAL_NAMES[1..].join(" "),
                    Some(numbers) => numbers
                        .iter()
                        .filter_map(|text| Some(signal_name(text.parse::<i32>().ok()? & 127)))
                        .collect::<Vec<_>>()
                        .join(" "),
                };
                return put(shell, &format!("{names}\n"));
            }
            "s" | "n" => {
                rest = &rest[1..];
                rest.first().map_or("", String::as_str)
            }
            "-" => "TERM",
            option => option,
        };
        match signal_number(name) {
            Some(number) => signal = number,
            None => return misuse(shell, args, &format!("{name}: no such signal")),
        }
        rest = rest.get(1..).unwrap_or_default();
    }
    if rest.is_empty() {
        return misuse(shell, args, "process or job expected");
    }
    let mut status = 0;
    for target in rest {
        let pids: Vec<i32> = if target.starts_with('%') {
            match shell
                .jobs
                .find(target)
                .and_then(|index| shell.jobs.list.get(index))
            {
                Some(job) if job.group > 0 => vec![-job.group],
                Some(job) => job.processes.iter().map(|process| process.pid).collect(),
                None => Vec::new(),
            }
        } else {
            target.parse().into_iter().collect()
        };
        if pids.is_empty() {
            shell.error(&format!("kill: {target}: no such process or job"));
            status = 1;
        }
        for pid in pids {
            if let Err(error) = sys::kill(pid, signal) {
                shell.error(&format!(
                    "kill: {target}: {}",
                    crate::redirect::reason(&error)
                ));
                status = 1;
            }
            // A stopped job sees the signal only when it goes on.
            if target.starts_with('%') && matches!(signal, libc::SIGTERM | libc::SIGHUP) {
                let _ = sys::kill(pid, libc::SIGCONT);
            }
        }
    }
    Ok(status)
}

/// `trap [COMMAND] SIGNAL…`.
pub(super) fn trap(shell: &mut Shell, args: &[String]) -> Run {
    let rest: Vec<&String> = args[1..].iter().filter(|arg| *arg != "--").collect();
    if rest.is_empty() {
        let text: String = shell
            .traps
            .iter()
            .map(|(number, command)| {
                format!("trap -- {} {}\n", quote(command), signal_name(*number))
            })
            .collect();
        return put(shell, &text);
    }
    // Without a command, or with `-`, signals go back to their defaults.
    let resets = rest.len() == 1 || rest[0] == "-" || rest[0].parse::<u32>().is_ok();
    let names = if rest.len() > 1 && (rest[0] == "-" || !resets) {
        &rest[1..]
    } else {
        &rest[..]
    };
    for name in names {
        let Some(number) = signal_number(name) else {
            shell.error(&format!("trap: {name}: no such signal"));
            return Ok(1);
        };
        if shell.ignored_at_start.contains(&number) && !shell.interactive {
            continue;
        }
        if resets {
            shell.traps.remove(&number);
        } else {
            shell.traps.insert(number, rest[0].clone());
        }
        shell.apply_signal(number);
    }
    Ok(0)
}

pub(super) fn times(shell: &mut Shell, _args: &[String]) -> Run {
    let minutes = |seconds: f64| format!("{}m{:.3}s", (seconds / 60.0) as u64, seconds % 60.0);
    let [user, system, child_user, child_system] = sys::times().map(minutes);
    put(
        shell,
        &format!("{user} {system}\n{child_user} {child_system}\n"),
    )
}

/// Limits: letter, resource, unit in bytes or one, description.
const LIMITS: &[(char, u32, u64, &str)] = &[
    (
        'c',
        libc::RLIMIT_CORE as u32,
        512,
        "core file size (blocks)",
    ),
    ('d', libc::RLIMIT_DATA as u32, 1024, "data segment (KiB)"),
    ('f', libc::RLIMIT_FSIZE as u32, 512, "file size (blocks)"),
    (
        'l',
        libc::RLIMIT_MEMLOCK as u32,
        1024,
        "locked memory (KiB)",
    ),
    ('n', libc::RLIMIT_NOFILE as u32, 1, "open files"),
    ('s', libc::RLIMIT_STACK as u32, 1024, "stack size (KiB)"),
    ('t', libc::RLIMIT_CPU as u32, 1, "processor time (s)"),
    ('u', libc::RLIMIT_NPROC as u32, 1, "processes"),
    ('v', libc::RLIMIT_AS as u32, 1024, "address space (KiB)"),
];

pub(super) fn ulimit(shell: &mut Shell, args: &[String]) -> Run {
    let (mut letter, mut hard, mut soft, mut value) = ('f', false, false, None);
    for arg in &args[1..] {
        match arg.strip_prefix('-') {
            Some(letters) => {
                for option in letters.chars() {
                    match option {
                        'H' => hard = true,
                        'S' => soft = true,
                        option => letter = option,
                    }
                }
            }
            None => value = Some(arg.as_str()),
        }
    }
    let shown = |limit: Option<u64>, unit: u64| {
        limit.map_or("unlimited".to_owned(), |limit| (limit / unit).to_string())
    };
    if letter == 'a' {
        let line = |(letter, resource, unit, text): &(char, u32, u64, &str)| {
            format!(
                "{text:<28}(-{letter}) {}\n",
                shown(sys::get_limit(*resource as i32, hard), *unit)
            )
        };
        return put(shell, &LIMITS.iter().map(line).collect::<String>());
    }
    let Some((_, resource, unit, _)) = LIMITS.iter().find(|limit| limit.0 == letter) else {
        return misuse(shell, args, &format!("unknown option {letter}"));
    };
    let Some(value) = value else {
        return put(
            shell,
            &format!("{}\n", shown(sys::get_limit(*resource as i32, hard), *unit)),
        );
    };
    let limit = match value {
        "unlimited" => None,
        "hard" => sys::get_limit(*resource as i32, true),
        text => match text.parse::<u64>() {
            Ok(number) => Some(number.saturating_mul(*unit)),
            Err(_) => return misuse(shell, args, &format!("{text}: not a number")),
        },
    };
    match sys::set_limit(*resource as i32, limit, hard || !soft) {
        Ok(_) => Ok(0),
        Err(error) => {
            shell.error(&format!("ulimit: {}", crate::redirect::reason(&error)));
            Ok(1)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_have_names_and_numbers() {
        assert_eq!(
            (
                signal_number("SIGkill"),
                signal_number("15"),
                signal_number("nope")
            ),
            (Some(9), Some(15), None)
        );
        assert_eq!(
            (signal_name(2), signal_name(40)),
            ("INT".to_owned(), "40".to_owned())
        );
    }
}
