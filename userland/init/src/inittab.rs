//! `/etc/inittab`: `id::action:command`, in the form that busybox reads.

use std::fmt::Write;

/// When a command is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// First, one after the other.
    Sysinit,
    /// Then, one after the other.
    Wait,
    /// Then, without waiting.
    Once,
    /// Then, and again whenever it has ended.
    Respawn,
    /// Before the machine goes down, one after the other.
    Shutdown,
}

/// A line of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The terminal, by its name in `/dev`; empty is the console.
    pub(crate) terminal: String,
    pub(crate) action: Action,
    /// A command for [`words`].
    pub(crate) command: String,
}

/// What is run without a table.
const DEFAULT: &str = "::once:/etc/rc\n::respawn:-/bin/sh\n";

/// The entries of a table and messages about the lines that are none.
pub(crate) fn parse(text: &str) -> (Vec<Entry>, String) {
    let (mut entries, mut messages) = (Vec::new(), String::new());
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match entry(line) {
            Some(entry) => entries.push(entry),
            None => drop(writeln!(messages, "/etc/inittab line {number} is no entry")),
        }
    }
    (entries, messages)
}

/// The entries of the machine's table.
pub(crate) fn read() -> Vec<Entry> {
    let text = std::fs::read_to_string("/etc/inittab");
    let (entries, messages) = parse(text.as_deref().unwrap_or(DEFAULT));
    messages.lines().for_each(crate::say);
    entries
}

fn entry(line: &str) -> Option<Entry> {
    // The second field, which once had run levels, has no meaning.
    let mut fields = line.splitn(4, ':');
    let terminal = fields.next()?.trim_start_matches("/dev/");
    fields.next()?;
    let action = match fields.next()? {
        "sysinit" => Action::Sysinit,
        "wait" => Action::Wait,
        "once" => Action::Once,
        // The same without a question first.
        "respawn" | "askfirst" => Action::Respawn,
        "shutdown" => Action::Shutdown,
        _ => return None,
    };
    let command = fields.next()?.trim();
    (!command.is_empty() && !terminal.contains('/')).then(|| Entry {
        terminal: terminal.to_owned(),
        action,
        command: command.to_owned(),
    })
}

/// A command's words, and whether it is called as a login shell is, which a
/// hyphen asks for. What a shell has to understand is given to one.
pub(crate) fn words(command: &str) -> (bool, Vec<String>) {
    let (is_login, command) = match command.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, command),
    };
    if command.contains(|c| "~`!$^&*()=|\\{}[];\"'<>?".contains(c)) {
        let words = ["/bin/sh", "-c", &format!("exec {command}")];
        return (is_login, words.map(str::to_owned).to_vec());
    }
    let words = command.split_whitespace().map(str::to_owned);
    (is_login, words.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_have_a_terminal_an_action_and_a_command() {
        let text =
            "# comment\n\n::sysinit:/etc/rc\nttyAMA0:23:respawn:-/bin/sh -i\n::shutdown:a:b\n";
        let (entries, messages) = parse(text);
        let entry = |terminal: &str, action, command: &str| Entry {
            terminal: terminal.to_owned(),
            action,
            command: command.to_owned(),
        };
        let want = [
            entry("", Action::Sysinit, "/etc/rc"),
            entry("ttyAMA0", Action::Respawn, "-/bin/sh -i"),
            entry("", Action::Shutdown, "a:b"),
        ];
        assert_eq!(entries, want);
        assert_eq!(messages, "");
    }

    #[test]
    fn lines_that_are_no_entries_are_reported_by_number() {
        let (entries, messages) = parse("x\n::nothing:/bin/x\n::once:\n../x::once:/bin/x\n");
        assert_eq!(entries, []);
        let want: Vec<_> = (1..=4)
            .map(|n| format!("/etc/inittab line {n} is no entry"))
            .collect();
        assert_eq!(messages.lines().collect::<Vec<_>>(), want);
    }

    #[test]
    fn the_default_is_a_table() {
        let (entries, messages) = parse(DEFAULT);
        assert_eq!((entries.len(), messages.as_str()), (2, ""));
    }

    #[test]
    fn what_needs_a_shell_gets_one() {
        assert_eq!(words("-/bin/sh"), (true, vec!["/bin/sh".to_owned()]));
        let plain = vec!["/bin/a".to_owned(), "b".to_owned()];
        assert_eq!(words("/bin/a  b"), (false, plain));
        let (_, shell) = words("/bin/a >/dev/null");
        assert_eq!(shell, ["/bin/sh", "-c", "exec /bin/a >/dev/null"]);
    }
}
