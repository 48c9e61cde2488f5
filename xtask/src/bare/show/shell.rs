//! A shell on the other side of a console: commands go in, and their outputs
//! and exit statuses come out as values.

use crate::bare::console::Console;
use anyhow::{Context, Result, ensure};
use std::time::Duration;

/// How long a command may take unless told otherwise.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// What every prompt ends with.
const PROMPT: &str = "# ";

/// What a command printed and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) output: String,
    pub(super) status: i32,
}

/// A shell that waits at its prompt.
#[derive(Debug)]
pub(super) struct Shell<'a> {
    pub(super) console: &'a mut Console,
    commands: u32,
}

impl<'a> Shell<'a> {
    /// Waits for the first prompt, which may take as long as a boot.
    pub(super) fn wait_for(console: &'a mut Console, limit: Duration) -> Result<Self> {
        console.expect(":~# ", limit).context("no prompt")?;
        Ok(Self { console, commands: 0 })
    }

    /// Waits for the next prompt.
    pub(super) fn prompt(&mut self, limit: Duration) -> Result<()> {
        self.console.expect(PROMPT, limit).context("no prompt").map(drop)
    }

    /// Runs a command on one line and waits for its end.
    ///
    /// What it prints stands between two marks that are put together by the
    /// shell, so that the echo of the line is not taken for them.
    pub(super) fn run_within(&mut self, command: &str, limit: Duration) -> Result<Answer> {
        self.commands += 1;
        let number = self.commands;
        let say = || format!("command `{command}`");
        self.console.send(&format!("echo \"@\"\"<{number}\"; {command}; echo \"@\"\">{number} $?\"\n"))?;
        self.console.expect(&format!("@<{number}\r\n"), limit).with_context(say)?;
        let output = self.console.expect(&format!("@>{number} "), limit).with_context(say)?.replace('\r', "");
        let status = self.console.expect("\r\n", limit).with_context(say)?;
        let status = status.parse().with_context(|| format!("{}: status {status:?}", say()))?;
        self.prompt(limit).with_context(say)?;
        Ok(Answer { output, status })
    }

    /// Runs a command.
    pub(super) fn run(&mut self, command: &str) -> Result<Answer> {
        self.run_within(command, PATIENCE)
    }

    /// The output of a command that must succeed, without its last line end.
    pub(super) fn value(&mut self, command: &str) -> Result<String> {
        self.value_within(command, PATIENCE)
    }

    /// The same with another limit.
    pub(super) fn value_within(&mut self, command: &str, limit: Duration) -> Result<String> {
        let Answer { output, status } = self.run_within(command, limit)?;
        ensure!(status == 0, "`{command}` ended with status {status}: {output}");
        Ok(output.trim_end_matches('\n').to_owned())
    }

    /// Demands that a command prints exactly this.
    pub(super) fn demand(&mut self, command: &str, wanted: &str) -> Result<()> {
        let value = self.value(command)?;
        ensure!(value == wanted, "`{command}` printed {value:?}, not {wanted:?}");
        Ok(())
    }

    /// Demands that a command ends with this status.
    pub(super) fn demand_status(&mut self, command: &str, wanted: i32) -> Result<()> {
        let Answer { output, status } = self.run(command)?;
        ensure!(status == wanted, "`{command}` ended with status {status}, not {wanted}: {output}");
        Ok(())
    }

    /// Types a line as a person does and does not wait.
    pub(super) fn type_line(&mut self, line: &str) -> Result<()> {
        self.console.send(&format!("{line}\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    #[test]
    fn the_echo_of_a_command_is_not_taken_for_its_output() {
        let text = "boot\r\nroot@x:~# echo \"@\"\"<1\"; cat f; echo \"@\"\">1 $?\"\r\n@<1\r\none\r\ntwo\r\n@>1 3\r\nroot@x:~# ";
        let mut console = Console::new(Cursor::new(text), Vec::new());
        let mut shell = Shell::wait_for(&mut console, PATIENCE).unwrap();
        assert_eq!(shell.run("cat f").unwrap(), Answer { output: "one\ntwo\n".into(), status: 3 });
    }

    #[test]
    fn a_shell_that_ends_early_is_an_error() {
        let mut console = Console::new(Cursor::new("root@x:~# @<1\r\none\r\n"), Vec::new());
        let mut shell = Shell::wait_for(&mut console, PATIENCE).unwrap();
        assert!(shell.run("cat f").is_err());
    }
}
