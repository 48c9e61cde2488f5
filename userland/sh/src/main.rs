//! The POSIX shell of the embedded userland: job control, line editing, and
//! nothing that needs more than a small kernel.
//!
//! `parse.rs` and `word.rs` turn text into the shapes of `ast.rs`; `expand.rs`,
//! `glob.rs`, `pattern.rs` and `arith.rs` expand words; `exec.rs`, `redirect.rs`
//! and `jobs.rs` run commands; `builtins` has the commands of the shell's own.
//! `sys.rs` has all unsafe code.
#![deny(unsafe_code)]

mod arith;
mod ast;
mod builtins;
mod edit;
mod escape;
mod exec;
mod expand;
mod glob;
mod jobs;
mod parse;
mod pattern;
mod redirect;
mod shell;
#[expect(unsafe_code, reason = "system calls")]
mod sys;
mod text;
mod word;

use crate::edit::Input;
use crate::parse::{ParseError, Parser};
use crate::shell::{Flow, Shell};
use crate::text::{decode, encode};
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// What the command line asks for.
#[derive(Default)]
struct Invocation {
    command: Option<String>,
    from_stdin: bool,
    interactive: bool,
    login: bool,
    operands: Vec<String>,
}

/// Reads options; those of `set` take effect on `shell`.
fn parse_arguments(shell: &mut Shell, args: &[String]) -> Result<Invocation, String> {
    let mut invocation = Invocation {
        login: args.first().is_some_and(|name| name.starts_with('-')),
        ..Invocation::default()
    };
    let mut rest = args.get(1..).unwrap_or_default();
    let mut wants_command = false;
    while let Some((arg, others)) = rest.split_first() {
        let on = match arg.chars().next() {
            Some('-') if arg.len() > 1 => true,
            Some('+') if arg.len() > 1 => false,
            _ => break,
        };
        rest = others;
        match arg.as_str() {
            "--" => break,
            "--login" => {
                invocation.login = true;
                continue;
            }
            _ => {}
        }
        for letter in arg.chars().skip(1) {
            match letter {
                'c' => wants_command = true,
                's' => invocation.from_stdin = true,
                'i' => invocation.interactive = true,
                'l' => invocation.login = true,
                'o' => {
                    let (name, others) = rest.split_first().ok_or("option -o needs a name")?;
                    builtins::set_named(shell, name, on)?;
                    rest = others;
                }
                letter => match shell
                    .options
                    .all()
                    .into_iter()
                    .find(|(own, _, _)| *own == letter)
                {
                    Some((_, _, place)) => *place = on,
                    None => return Err(format!("unknown option {letter}")),
                },
            }
        }
    }
    if wants_command {
        let (command, others) = rest.split_first().ok_or("option -c needs a command")?;
        invocation.command = Some(command.clone());
        rest = others;
    }
    invocation.operands = rest.to_vec();
    Ok(invocation)
}

/// The status that commands end with; what ends a script ends the shell.
fn status_of(shell: &Shell, result: Result<i32, Flow>) -> i32 {
    match result {
        Ok(status) | Err(Flow::Exit(status) | Flow::Return(status) | Flow::Abort(status)) => status,
        Err(Flow::Interrupt) => 130,
        Err(Flow::Break(_) | Flow::Continue(_)) => shell.status,
    }
}

/// Runs a file of the profile's kind, if it is there. `Some` if it ended the shell.
fn run_profile(shell: &mut Shell, path: &str) -> Option<i32> {
    let bytes = std::fs::read(OsStr::from_bytes(&encode(path))).ok()?;
    match shell.run_text(&decode(&bytes)) {
        Err(Flow::Exit(status)) => Some(status),
        _ => None,
    }
}

fn start(shell: &mut Shell, args: &[String]) -> i32 {
    let mut invocation = match parse_arguments(shell, args) {
        Ok(invocation) => invocation,
        Err(message) => {
            shell.error(&message);
            return 2;
        }
    };
    let reads_stdin =
        invocation.command.is_none() && (invocation.from_stdin || invocation.operands.is_empty());
    shell.interactive =
        invocation.interactive || (reads_stdin && sys::is_terminal(0) && sys::is_terminal(2));
    if shell.interactive {
        shell.start_job_control();
        shell.apply_interactive_signals();
    }
    let mut profiles = Vec::new();
    if invocation.login {
        profiles.push("/etc/profile".to_owned());
        profiles.extend(shell.var("HOME").map(|home| format!("{home}/.profile")));
    }
    if shell.interactive {
        profiles.extend(shell.var("ENV").map(str::to_owned));
    }
    for profile in profiles {
        if let Some(status) = run_profile(shell, &profile) {
            return shell.finish(status);
        }
    }
    if let Some(command) = invocation.command.take() {
        if !invocation.operands.is_empty() {
            shell.name = invocation.operands.remove(0);
        }
        shell.params = invocation.operands;
        let result = shell.run_last_text(&command);
        let status = status_of(shell, result);
        return shell.finish(status);
    }
    if reads_stdin {
        shell.params = invocation.operands;
        let status = read_commands(shell);
        return shell.finish(status);
    }
    let path = invocation.operands.remove(0);
    shell.params = invocation.operands;
    run_script(shell, &path)
}

fn run_script(shell: &mut Shell, path: &str) -> i32 {
    let text = match std::fs::read(OsStr::from_bytes(&encode(path))) {
        Ok(bytes) => decode(&bytes),
        Err(error) => {
            shell.error(&format!("{path}: {}", redirect::reason(&error)));
            return if error.kind() == io::ErrorKind::NotFound {
                127
            } else {
                126
            };
        }
    };
    shell.name = path.to_owned();
    let result = shell.run_text(&text);
    let status = status_of(shell, result);
    shell.finish(status)
}

/// A line from standard input, read byte by byte so that commands find the rest.
fn read_plain_line() -> io::Result<Input> {
    let mut bytes = Vec::new();
    let mut byte = [0];
    loop {
        match sys::read(0, &mut byte) {
            Ok(0) if bytes.is_empty() => return Ok(Input::End),
            Ok(0) => break,
            Ok(_) if byte[0] == b'\n' => break,
            Ok(_) => bytes.push(byte[0]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Input::Line(decode(&bytes)))
}

/// The prompt's escapes: user, host, directory, `$` or `#`.
fn prompt(shell: &mut Shell, variable: &str, default: &str) -> String {
    let text = shell.var(variable).unwrap_or(default).to_owned();
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('u') => out.push_str(shell.var("USER").unwrap_or("?")),
            Some('h') => {
                let name = std::fs::read_to_string("/proc/sys/kernel/hostname")
                    .or_else(|_| std::fs::read_to_string("/etc/hostname"));
                out.push_str(
                    name.unwrap_or_default()
                        .trim()
                        .split('.')
                        .next()
                        .unwrap_or_default(),
                );
            }
            Some('w' | 'W') => {
                let directory = shell.var("PWD").unwrap_or("?");
                let home = shell.var("HOME").filter(|home| *home != "/");
                match home
                    .and_then(|home| directory.strip_prefix(home))
                    .filter(|rest| rest.is_empty() || rest.starts_with('/'))
                {
                    Some(rest) => out.push_str(&format!("~{rest}")),
                    None => out.push_str(directory),
                }
            }
            Some('$') => out.push(if sys::geteuid() == 0 { '#' } else { '$' }),
            Some('n') => out.push('\n'),
            Some('e') => out.push('\x1b'),
            Some('[' | ']') => {}
            Some(other) => out.push(other),
            None => {}
        }
    }
    out
}

/// Reads and runs commands line by line until the end of input.
fn read_commands(shell: &mut Shell) -> i32 {
    let edits = shell.interactive && sys::is_terminal(0) && shell.var("TERM") != Some("dumb");
    let mut text = String::new();
    loop {
        if shell.interactive && text.is_empty() {
            shell.notify();
            sys::take_pending();
        }
        let shown = match (shell.interactive, text.is_empty()) {
            (false, _) => String::new(),
            (true, true) => prompt(shell, "PS1", r"\w\$ "),
            (true, false) => prompt(shell, "PS2", "> "),
        };
        let input = if edits {
            edit::read_line(shell, &shown)
        } else {
            let _ = sys::write_all(2, &encode(&shown));
            read_plain_line()
        };
        let is_final = match input {
            Ok(Input::Line(line)) => {
                text.push_str(&line);
                text.push('\n');
                false
            }
            Ok(Input::Interrupted) => {
                text.clear();
                shell.status = 130;
                continue;
            }
            Ok(Input::End) if text.is_empty() => {
                if shell.interactive {
                    let _ = sys::write_all(2, b"exit\n");
                }
                return shell.status;
            }
            Ok(Input::End) => true,
            Err(error) => {
                shell.error(&format!(
                    "cannot read commands: {}",
                    redirect::reason(&error)
                ));
                return 2;
            }
        };
        match run_lines(shell, &text, is_final) {
            Ok(true) => {
                if shell.interactive && !text.trim().is_empty() {
                    shell.history.push(text.trim_end().replace('\n', "; "));
                }
                text.clear();
            }
            Ok(false) => {}
            Err(status) => return status,
        }
    }
}

/// Runs `text` if it is complete; `Err` holds the status if it ended the shell.
fn run_lines(shell: &mut Shell, text: &str, is_final: bool) -> Result<bool, i32> {
    let aliases = shell.aliases.clone();
    let mut parser = Parser::new(text, is_final, &aliases);
    let mut lists = Vec::new();
    let parsed = loop {
        match parser.complete_command() {
            Ok(Some(list)) => lists.push(list),
            Ok(None) => break Ok(()),
            Err(ParseError::Incomplete) if !is_final => return Ok(false),
            Err(error) => break Err(error),
        }
    };
    let mut result = Ok(0);
    for list in &lists {
        result = shell.run_list(list);
        if result.is_err() {
            break;
        }
    }
    if let (Ok(_), Err(error)) = (&result, parsed) {
        result = Err(shell.syntax_error(&error));
    }
    match result {
        Ok(_) => Ok(true),
        Err(Flow::Exit(status)) => Err(status),
        Err(flow) => {
            let status = status_of(shell, Err(flow));
            shell.status = status;
            (shell.conditions, shell.loops, shell.returnable, shell.depth) = (0, 0, 0, 0);
            while !shell.scopes.is_empty() {
                shell.pop_scope();
            }
            if shell.interactive {
                Ok(true)
            } else {
                Err(status)
            }
        }
    }
}

fn main() {
    // Rust's runtime ignores it, and a shell must die of it.
    sys::set_signal(libc::SIGPIPE, sys::Disposition::Default);
    let args: Vec<String> = std::env::args_os()
        .map(|arg| decode(&arg.into_vec()))
        .collect();
    let mut shell = Shell::new(args.first().cloned().unwrap_or_else(|| "sh".to_owned()));
    let status = start(&mut shell, &args);
    sys::exit_now(status);
}
