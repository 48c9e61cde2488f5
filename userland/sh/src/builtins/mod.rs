//! Commands that the shell runs itself, as a table. `control.rs` has the ones
//! that steer the shell, `vars.rs` those about variables, `jobs.rs` those about
//! processes, `io.rs` input and output, `test.rs` and `printf.rs` one each.

mod control;
mod io;
mod jobs;
mod printf;
mod test;
mod vars;

pub(crate) use vars::set_named;

use crate::shell::{Run, Shell};
use crate::sys;
use crate::text::encode;

/// A built-in command. Special ones keep their assignments and end a script on errors.
pub(crate) struct Builtin {
    pub(crate) name: &'static str,
    pub(crate) is_special: bool,
    /// Gets the arguments with the name first.
    pub(crate) run: fn(&mut Shell, &[String]) -> Run,
}

const fn special(name: &'static str, run: fn(&mut Shell, &[String]) -> Run) -> Builtin {
    Builtin {
        name,
        is_special: true,
        run,
    }
}

const fn regular(name: &'static str, run: fn(&mut Shell, &[String]) -> Run) -> Builtin {
    Builtin {
        name,
        is_special: false,
        run,
    }
}

/// In ascending order, for the binary search.
const BUILTINS: &[Builtin] = &[
    special(".", control::source),
    special(":", |_, _| Ok(0)),
    regular("[", test::run),
    regular("alias", vars::alias),
    regular("bg", jobs::bg),
    special("break", control::break_loop),
    regular("cd", vars::cd),
    regular("command", control::command),
    special("continue", control::break_loop),
    regular("echo", io::echo),
    special("eval", control::eval),
    special("exec", control::exec),
    special("exit", control::exit),
    special("export", vars::export),
    regular("false", |_, _| Ok(1)),
    regular("fg", jobs::fg),
    regular("getopts", vars::getopts),
    regular("hash", |_, _| Ok(0)),
    regular("history", io::history),
    regular("jobs", jobs::jobs),
    regular("kill", jobs::kill),
    regular("let", control::arithmetic),
    regular("local", vars::local),
    regular("printf", printf::run),
    regular("pwd", vars::pwd),
    regular("read", io::read),
    special("readonly", vars::export),
    special("return", control::return_from),
    special("set", vars::set),
    special("shift", vars::shift),
    regular("source", control::source),
    regular("test", test::run),
    special("times", jobs::times),
    special("trap", jobs::trap),
    regular("true", |_, _| Ok(0)),
    regular("type", control::type_of),
    regular("ulimit", jobs::ulimit),
    regular("umask", vars::umask),
    regular("unalias", vars::unalias),
    special("unset", vars::unset),
    regular("wait", jobs::wait),
];

/// The built-in command called `name`.
pub(crate) fn find(name: &str) -> Option<&'static Builtin> {
    BUILTINS
        .binary_search_by_key(&name, |builtin| builtin.name)
        .ok()
        .and_then(|index| BUILTINS.get(index))
}

/// Every built-in command's name.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    BUILTINS.iter().map(|builtin| builtin.name)
}

/// Whether `text` may name a variable.
pub(crate) fn is_name(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// `text` as the shell would read it back.
pub(crate) fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// `text`, quoted only if it would not read back as it is.
pub(crate) fn quote_if_needed(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "%+,-./:=@_".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        quote(text)
    }
}

/// Writes to standard output. A failure is reported and makes the status 1.
fn put(shell: &Shell, text: &str) -> Run {
    match sys::write_all(1, &encode(text)) {
        Ok(()) => Ok(0),
        Err(error) => {
            shell.error(&format!("write error: {}", crate::redirect::reason(&error)));
            Ok(1)
        }
    }
}

/// Reports a wrong use: the status is 2.
fn misuse(shell: &Shell, args: &[String], message: &str) -> Run {
    shell.error(&format!(
        "{}: {message}",
        args.first().map_or("", String::as_str)
    ));
    Ok(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_ascend() {
        assert!(BUILTINS.is_sorted_by(|a, b| a.name < b.name));
    }

    #[test]
    fn quotes_read_back() {
        assert_eq!(quote_if_needed("a-b"), "a-b");
        assert_eq!(quote_if_needed("it's"), r"'it'\''s'");
        assert_eq!(quote_if_needed(""), "''");
    }
}
