//! Built-in commands about variables, options and the working directory.

use super::{is_name, misuse, put, quote};
use crate::shell::{Run, Shell};
use crate::sys;
use crate::text::{decode, encode};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// `export` and `readonly`.
pub(super) fn export(shell: &mut Shell, args: &[String]) -> Run {
    let is_export = args[0] == "export";
    let names: Vec<&String> = args[1..]
        .iter()
        .filter(|arg| *arg != "-p" && *arg != "--")
        .collect();
    if names.is_empty() {
        let mut lines: Vec<String> = Vec::new();
        for (name, variable) in &shell.variables {
            if if is_export {
                variable.exported
            } else {
                variable.readonly
            } {
                let value = variable
                    .value
                    .as_ref()
                    .map_or(String::new(), |value| format!("={}", quote(value)));
                lines.push(format!("{} {name}{value}\n", args[0]));
            }
        }
        lines.sort();
        return put(shell, &lines.concat());
    }
    for arg in names {
        let (name, value) = arg
            .split_once('=')
            .map_or((arg.as_str(), None), |(name, value)| (name, Some(value)));
        if !is_name(name) {
            return misuse(shell, args, &format!("{name}: not a name"));
        }
        if let Some(value) = value {
            shell.set_var(name, value)?;
        }
        let variable = shell.variables.entry(name.to_owned()).or_default();
        if is_export {
            variable.exported = true;
        } else {
            variable.readonly = true;
        }
    }
    Ok(0)
}

pub(super) fn local(shell: &mut Shell, args: &[String]) -> Run {
    if shell.scopes.is_empty() {
        return misuse(shell, args, "not in a function");
    }
    for arg in &args[1..] {
        let (name, value) = arg
            .split_once('=')
            .map_or((arg.as_str(), None), |(name, value)| (name, Some(value)));
        if !is_name(name) {
            return misuse(shell, args, &format!("{name}: not a name"));
        }
        let before = shell.variables.get(name).cloned();
        if let Some(scope) = shell
            .scopes
            .last_mut()
            .filter(|scope| !scope.iter().any(|(hidden, _)| hidden == name))
        {
            scope.push((name.to_owned(), before));
            shell.variables.entry(name.to_owned()).or_default().value = None;
        }
        if let Some(value) = value {
            shell.set_var(name, value)?;
        }
    }
    Ok(0)
}

pub(super) fn unset(shell: &mut Shell, args: &[String]) -> Run {
    let mut functions = false;
    for arg in &args[1..] {
        match arg.as_str() {
            "-f" => functions = true,
            "-v" => functions = false,
            name if functions => {
                shell.functions.remove(name);
            }
            name if shell
                .variables
                .get(name)
                .is_some_and(|variable| variable.readonly) =>
            {
                return Err(shell.abort(&format!("unset: {name}: is read only")));
            }
            name => {
                shell.variables.remove(name);
            }
        }
    }
    Ok(0)
}

pub(super) fn set(shell: &mut Shell, args: &[String]) -> Run {
    if args.len() == 1 {
        let mut lines: Vec<String> = shell
            .variables
            .iter()
            .filter_map(|(name, variable)| {
                Some(format!("{name}={}\n", quote(variable.value.as_ref()?)))
            })
            .collect();
        lines.sort();
        return put(shell, &lines.concat());
    }
    match set_options(shell, &args[1..]) {
        Ok(Some(params)) => {
            shell.params = params;
            Ok(0)
        }
        Ok(None) => Ok(0),
        Err(message) => misuse(shell, args, &message),
    }
}

/// Options such as `-eu`, `+x` and `-o NAME`. Returns the operands if there are any or `--` was given.
pub(crate) fn set_options(
    shell: &mut Shell,
    args: &[String],
) -> Result<Option<Vec<String>>, String> {
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        let on = match arg.chars().next() {
            _ if arg == "--" => return Ok(Some(rest.cloned().collect())),
            _ if arg == "-" => return Ok(None),
            Some('-') if arg.len() > 1 => true,
            Some('+') if arg.len() > 1 => false,
            _ => return Ok(Some(std::iter::once(arg).chain(rest).cloned().collect())),
        };
        for letter in arg.chars().skip(1) {
            if letter == 'o' {
                match rest.next() {
                    Some(name) => set_named(shell, name, on)?,
                    None => list_options(shell),
                }
                continue;
            }
            match shell
                .options
                .all()
                .into_iter()
                .find(|(own, _, _)| *own == letter)
            {
                Some((_, _, place)) => *place = on,
                None => return Err(format!("unknown option {letter}")),
            }
        }
    }
    Ok(None)
}

pub(crate) fn set_named(shell: &mut Shell, name: &str, on: bool) -> Result<(), String> {
    match shell
        .options
        .all()
        .into_iter()
        .find(|(_, own, _)| *own == name)
    {
        Some((_, _, place)) => *place = on,
        // Editing modes that are accepted for the sake of profiles: there is one editor.
        None if matches!(name, "emacs" | "vi" | "posix") => {}
        None => return Err(format!("unknown option {name}")),
    }
    Ok(())
}

fn list_options(shell: &mut Shell) {
    let text: String = shell
        .options
        .all()
        .iter()
        .map(|(_, name, on)| format!("{name:<12} {}\n", if **on { "on" } else { "off" }))
        .collect();
    let _ = put(shell, &text);
}

pub(super) fn shift(shell: &mut Shell, args: &[String]) -> Run {
    match args.get(1).map_or(Ok(1), |text| text.parse::<usize>()) {
        Ok(count) if count <= shell.params.len() => {
            shell.params.drain(..count);
            Ok(0)
        }
        Ok(_) => Ok(1),
        Err(_) => misuse(shell, args, "not a number"),
    }
}

pub(super) fn alias(shell: &mut Shell, args: &[String]) -> Run {
    if args.len() == 1 {
        let mut lines: Vec<String> = shell
            .aliases
            .iter()
            .map(|(name, value)| format!("{name}={}\n", quote(value)))
            .collect();
        lines.sort();
        return put(shell, &lines.concat());
    }
    let mut status = 0;
    for arg in &args[1..] {
        match (arg.split_once('='), shell.aliases.get(arg)) {
            (Some((name, value)), _) => {
                shell.aliases.insert(name.to_owned(), value.to_owned());
            }
            (None, Some(value)) => {
                put(shell, &format!("{arg}={}\n", quote(value)))?;
            }
            (None, None) => {
                shell.error(&format!("alias: {arg}: not found"));
                status = 1;
            }
        }
    }
    Ok(status)
}

pub(super) fn unalias(shell: &mut Shell, args: &[String]) -> Run {
    let mut status = 0;
    for arg in &args[1..] {
        if arg == "-a" {
            shell.aliases.clear();
        } else if shell.aliases.remove(arg).is_none() {
            status = 1;
        }
    }
    Ok(status)
}

pub(super) fn cd(shell: &mut Shell, args: &[String]) -> Run {
    let mut physical = false;
    let mut operand = None;
    for arg in &args[1..] {
        match arg.as_str() {
            "-P" => physical = true,
            "-L" | "--" => {}
            other => operand = Some(other.to_owned()),
        }
    }
    let (target, announce) = match operand.as_deref() {
        None => (shell.var("HOME").map(str::to_owned), false),
        Some("-") => (shell.var("OLDPWD").map(str::to_owned), true),
        Some(path) => (Some(path.to_owned()), false),
    };
    let Some(target) = target else {
        return misuse(shell, args, "HOME or OLDPWD is not set");
    };
    let searchable = !target.starts_with('/')
        && !target.starts_with("./")
        && !target.starts_with("../")
        && target != "."
        && target != "..";
    let candidates = match shell
        .var("CDPATH")
        .filter(|path| searchable && !path.is_empty())
    {
        Some(path) => path
            .split(':')
            .map(|base| {
                if base.is_empty() {
                    target.clone()
                } else {
                    format!("{base}/{target}")
                }
            })
            .chain([target.clone()])
            .collect(),
        None => vec![target.clone()],
    };
    let mut failure = None;
    for candidate in candidates {
        let path = if physical {
            candidate.clone()
        } else {
            logical(shell.var("PWD").unwrap_or("/"), &candidate)
        };
        match std::env::set_current_dir(OsStr::from_bytes(&encode(&path))) {
            Ok(()) => {
                let now = match (physical, std::env::current_dir()) {
                    (true, Ok(now)) => decode(now.as_os_str().as_bytes()),
                    _ => path,
                };
                let old = shell.var("PWD").unwrap_or_default().to_owned();
                shell.set_var("OLDPWD", &old)?;
                shell.set_var("PWD", &now)?;
                if announce || candidate != target {
                    return put(shell, &format!("{now}\n"));
                }
                return Ok(0);
            }
            Err(error) => failure = Some(error),
        }
    }
    let reason = failure
        .as_ref()
        .map_or(String::new(), crate::redirect::reason);
    shell.error(&format!("cd: {target}: {reason}"));
    Ok(1)
}

/// `path` from `base`, with its dots resolved as text.
fn logical(base: &str, path: &str) -> String {
    let full = if path.starts_with('/') {
        path.to_owned()
    } else {
        format!("{base}/{path}")
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in full.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

pub(super) fn pwd(shell: &mut Shell, args: &[String]) -> Run {
    let text = match (args.get(1).map(String::as_str), shell.var("PWD")) {
        (Some("-P"), _) | (_, None) => match std::env::current_dir() {
            Ok(path) => decode(path.as_os_str().as_bytes()),
            Err(error) => {
                shell.error(&format!("pwd: {}", crate::redirect::reason(&error)));
                return Ok(1);
            }
        },
        (_, Some(pwd)) => pwd.to_owned(),
    };
    put(shell, &format!("{text}\n"))
}

pub(super) fn umask(shell: &mut Shell, args: &[String]) -> Run {
    match args.get(1).map(String::as_str) {
        None => put(shell, &format!("{:04o}\n", sys::umask(None))),
        Some("-S") => {
            let allowed = !sys::umask(None) & 0o777;
            let triple = |shift: u32| {
                let bits = allowed >> shift;
                [(4, 'r'), (2, 'w'), (1, 'x')]
                    .iter()
                    .filter(|(bit, _)| bits & bit != 0)
                    .map(|(_, c)| *c)
                    .collect::<String>()
            };
            put(
                shell,
                &format!("u={},g={},o={}\n", triple(6), triple(3), triple(0)),
            )
        }
        Some(text) => match u32::from_str_radix(text, 8) {
            Ok(mask) if mask <= 0o777 => {
                sys::umask(Some(mask));
                Ok(0)
            }
            _ => misuse(shell, args, &format!("{text}: not an octal mask")),
        },
    }
}

/// `getopts LETTERS NAME [ARG…]`.
pub(super) fn getopts(shell: &mut Shell, args: &[String]) -> Run {
    let [_, letters, name, given @ ..] = args else {
        return misuse(shell, args, "letters and a name expected");
    };
    let words = if given.is_empty() {
        shell.params.clone()
    } else {
        given.to_vec()
    };
    let mut index = shell
        .var("OPTIND")
        .and_then(|text| text.parse::<usize>().ok())
        .unwrap_or(1)
        .max(1);
    let offset = shell.getopts_offset.max(1);
    let word: Vec<char> = words
        .get(index - 1)
        .map(|word| word.chars().collect())
        .unwrap_or_default();
    let ends = word.len() < 2 || word[0] != '-' || offset >= word.len();
    if ends || word == ['-', '-'] {
        let next = if word == ['-', '-'] { index + 1 } else { index };
        shell.set_var("OPTIND", &next.to_string())?;
        shell.set_var(name, "?")?;
        return Ok(1);
    }
    let letter = word[offset];
    let silent = letters.starts_with(':');
    let takes_value = letters
        .split_once(letter)
        .filter(|_| letter != ':')
        .map(|(_, after)| after.starts_with(':'));
    let mut next_offset = offset + 1;
    let mut value = None;
    let mut result = letter.to_string();
    match takes_value {
        None => {
            if silent {
                value = Some(letter.to_string());
            } else {
                shell.error(&format!("unknown option -{letter}"));
            }
            result = "?".into();
        }
        Some(true) => {
            if next_offset < word.len() {
                value = Some(word[next_offset..].iter().collect());
            } else if let Some(next) = words.get(index) {
                value = Some(next.clone());
                index += 1;
            } else if silent {
                (result, value) = (":".into(), Some(letter.to_string()));
            } else {
                shell.error(&format!("option -{letter} needs an argument"));
                result = "?".into();
            }
            next_offset = word.len();
        }
        Some(false) => {}
    }
    if next_offset >= word.len() {
        (index, next_offset) = (index + 1, 0);
    }
    shell.set_var("OPTIND", &index.to_string())?;
    shell.getopts_offset = next_offset;
    match value {
        Some(value) => shell.set_var("OPTARG", &value)?,
        None => {
            shell.variables.remove("OPTARG");
        }
    }
    shell.set_var(name, &result)?;
    Ok(0)
}
