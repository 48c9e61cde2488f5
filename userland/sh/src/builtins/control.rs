//! Built-in commands that steer the shell.

use super::{misuse, put, quote};
use crate::shell::{Flow, Run, Shell};
use crate::text::{decode, encode};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// `break [N]` and `continue [N]`.
pub(super) fn break_loop(shell: &mut Shell, args: &[String]) -> Run {
    let levels = match args.get(1).map(|text| text.parse::<usize>()) {
        None => 1,
        Some(Ok(levels)) if levels > 0 => levels,
        Some(_) => return misuse(shell, args, "not a positive number"),
    };
    if shell.loops == 0 {
        return Ok(0);
    }
    let levels = levels.min(shell.loops);
    Err(if args[0] == "break" {
        Flow::Break(levels)
    } else {
        Flow::Continue(levels)
    })
}

fn status_argument(shell: &Shell, args: &[String]) -> Result<i32, String> {
    match args.get(1) {
        None => Ok(shell.status),
        Some(text) => text
            .parse::<i64>()
            .map(|status| (status & 0xff) as i32)
            .map_err(|_| format!("{text}: not a number")),
    }
}

pub(super) fn exit(shell: &mut Shell, args: &[String]) -> Run {
    match status_argument(shell, args) {
        Ok(status) => Err(Flow::Exit(status)),
        Err(message) => {
            let _ = misuse(shell, args, &message);
            Err(Flow::Exit(2))
        }
    }
}

pub(super) fn return_from(shell: &mut Shell, args: &[String]) -> Run {
    match status_argument(shell, args) {
        Ok(status) if shell.returnable > 0 => Err(Flow::Return(status)),
        Ok(status) => Err(Flow::Exit(status)),
        Err(message) => misuse(shell, args, &message),
    }
}

pub(super) fn eval(shell: &mut Shell, args: &[String]) -> Run {
    let text = args[1..].join(" ");
    shell.run_text(&text)
}

/// `. FILE [ARG…]`.
pub(super) fn source(shell: &mut Shell, args: &[String]) -> Run {
    let Some(name) = args.get(1) else {
        return misuse(shell, args, "file name expected");
    };
    let path = if name.contains('/') {
        name.clone()
    } else {
        find_readable(shell, name).unwrap_or_else(|| name.clone())
    };
    let text = match std::fs::read(OsStr::from_bytes(&encode(&path))) {
        Ok(bytes) => decode(&bytes),
        Err(error) => {
            return Err(shell.abort(&format!("{name}: {}", crate::redirect::reason(&error))));
        }
    };
    let params = args
        .get(2..)
        .filter(|params| !params.is_empty())
        .map(|params| std::mem::replace(&mut shell.params, params.to_vec()));
    shell.returnable += 1;
    let result = shell.run_text(&text);
    shell.returnable -= 1;
    if let Some(params) = params {
        shell.params = params;
    }
    match result {
        Err(Flow::Return(status)) => Ok(status),
        other => other,
    }
}

/// A file in `PATH`, executable or not.
fn find_readable(shell: &Shell, name: &str) -> Option<String> {
    let directories = shell.var("PATH")?.split(':');
    directories
        .map(|directory| format!("{directory}/{name}"))
        .find(|path| std::fs::metadata(path).is_ok_and(|meta| meta.is_file()))
}

/// `exec [COMMAND]`; without a command its redirections stay.
pub(super) fn exec(shell: &mut Shell, args: &[String]) -> Run {
    if args.len() == 1 {
        return Ok(0);
    }
    // The program gets the signals as they were before the shell took them.
    let interactive = std::mem::take(&mut shell.interactive);
    shell.apply_interactive_signals();
    let status = shell.exec(&args[1..]);
    shell.interactive = interactive;
    shell.apply_interactive_signals();
    if interactive {
        Ok(status)
    } else {
        Err(Flow::Exit(status))
    }
}

/// `command [-v|-V|-p] NAME [ARG…]`.
pub(super) fn command(shell: &mut Shell, args: &[String]) -> Run {
    let mut rest = &args[1..];
    let mut describe = None;
    while let Some(option) = rest
        .first()
        .filter(|option| option.starts_with('-') && option.len() > 1)
    {
        match option.as_str() {
            "-v" | "-V" => describe = Some(option == "-V"),
            "-p" => {}
            "--" => {}
            _ => return misuse(shell, args, &format!("unknown option {option}")),
        }
        rest = &rest[1..];
    }
    if let Some(long) = describe {
        return describe_all(shell, rest, long);
    }
    let Some(name) = rest.first() else {
        return Ok(0);
    };
    match super::find(name) {
        Some(builtin) => (builtin.run)(shell, rest),
        None => {
            // A function of that name is passed over: run it as text with the function hidden.
            let hidden = shell.functions.remove(name);
            let text = rest
                .iter()
                .map(|word| quote(word))
                .collect::<Vec<_>>()
                .join(" ");
            let result = shell.run_text(&text);
            if let Some(function) = hidden {
                shell.functions.insert(name.clone(), function);
            }
            result
        }
    }
}

pub(super) fn type_of(shell: &mut Shell, args: &[String]) -> Run {
    describe_all(shell, &args[1..], true)
}

fn describe_all(shell: &mut Shell, names: &[String], long: bool) -> Run {
    const RESERVED: &[&str] = &[
        "!", "{", "}", "case", "do", "done", "elif", "else", "esac", "fi", "for", "if", "in",
        "then", "until", "while",
    ];
    let mut status = 0;
    for name in names {
        let text = if let Some(value) = shell.aliases.get(name) {
            if long {
                format!("{name} is aliased to {value}")
            } else {
                format!("alias {name}={}", quote(value))
            }
        } else if RESERVED.contains(&name.as_str()) {
            if long {
                format!("{name} is a shell keyword")
            } else {
                name.clone()
            }
        } else if shell.functions.contains_key(name) {
            if long {
                format!("{name} is a function")
            } else {
                name.clone()
            }
        } else if super::find(name).is_some() {
            if long {
                format!("{name} is a shell builtin")
            } else {
                name.clone()
            }
        } else if let Ok(path) = shell.find_command(name).and_then(|path| {
            if crate::sys::access(&path, 1) {
                Ok(path)
            } else {
                Err(std::io::ErrorKind::NotFound.into())
            }
        }) {
            if long {
                format!("{name} is {path}")
            } else {
                path
            }
        } else {
            if long {
                shell.error(&format!("{name}: not found"));
            }
            status = 127;
            continue;
        };
        put(shell, &format!("{text}\n"))?;
    }
    Ok(status)
}

/// `let EXPRESSION…`: succeeds if the last is not 0.
pub(super) fn arithmetic(shell: &mut Shell, args: &[String]) -> Run {
    let mut value = 0;
    for text in &args[1..] {
        value = shell.arithmetic(text)?;
    }
    Ok(i32::from(value == 0))
}
