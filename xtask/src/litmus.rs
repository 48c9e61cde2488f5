//! `cargo xtask litmus`: runs the tests of the memory model for long, hosted,
//! and shows how often each outcome was seen.
//!
//! The programs are the guest tests `memory_order` and `memory_atomics`, which
//! run for a moment with all the others. Given an argument they take that many
//! milliseconds for each race, and demand that store buffering is seen.

use crate::guest::{build, file_name, vambrace};
use crate::shell::{root, say};
use crate::tap::{self, End};
use anyhow::{Context, Result, bail, ensure};
use std::fmt::Write as _;
use std::num::NonZero;
use std::process::{Command, Stdio};

/// For each race, unless told otherwise.
const MILLISECONDS: u32 = 2000;
const PROGRAMS: [&str; 2] = ["memory_order", "memory_atomics"];
const PAGE: &str = "docs/memory-model.md";
const BEGIN: &str = "<!-- `cargo xtask litmus --write` writes what follows. -->\n";
const END: &str = "<!-- End of what is written. -->\n";

/// Runs them and prints the table; writes it into the page with `--write`.
///
/// # Errors
/// Missing tools, a failed check, or a host with one processor.
pub(crate) fn run(args: &[String]) -> Result<()> {
    let (mut milliseconds, mut is_written) = (MILLISECONDS, false);
    for arg in args {
        match (arg.as_str(), arg.parse()) {
            ("--write", _) => is_written = true,
            (_, Ok(number)) => milliseconds = number,
            _ => bail!("{arg}: unknown; litmus [--write] [MILLISECONDS]"),
        }
    }
    let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
    ensure!(processors >= 2, "nothing can be seen on one processor");
    let command = vambrace()?;
    let mut table = String::from("| test | outcome | seen | of |\n|---|---|---|---|\n");
    for program in build(&PROGRAMS.map(String::from))? {
        let output = Command::new(&command)
            .args(["run", "--"])
            .arg(&program)
            .arg(milliseconds.to_string())
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()
            .with_context(|| format!("cannot start {}", command.display()))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let end = output.status.code().map_or(End::Lost(output.status.to_string()), End::Exit);
        let outcome = tap::judge(text.lines(), &end);
        for row in text.lines().filter_map(row) {
            table.push_str(&row);
        }
        let name = file_name(&program);
        ensure!(outcome.failed.is_empty(), "{name} failed: {:?}\n{table}", outcome.failed);
        ensure!(outcome.trouble.is_none(), "{name}: {:?}", outcome.trouble);
    }
    say(&table);
    if is_written {
        let page = root().join(PAGE);
        let text = std::fs::read_to_string(&page).with_context(|| format!("cannot read {PAGE}"))?;
        std::fs::write(&page, replaced(&text, &table)?).with_context(|| format!("cannot write {PAGE}"))?;
    }
    Ok(())
}

/// The row for a line such as `# litmus SB+dmbs forbidden 0 of 1000`.
fn row(line: &str) -> Option<String> {
    let (rest, total) = line.strip_prefix("# litmus ")?.rsplit_once(" of ")?;
    let (rest, seen) = rest.rsplit_once(' ')?;
    let (name, outcome) = rest.rsplit_once(' ')?;
    let mut row = String::new();
    writeln!(row, "| {name} | {outcome} | {seen} | {total} |").ok()?;
    Some(row)
}

/// The page with another table.
fn replaced(page: &str, table: &str) -> Result<String> {
    let (before, rest) = page.split_once(BEGIN).with_context(|| format!("{PAGE} has no place for the table"))?;
    let (_, after) = rest.split_once(END).with_context(|| format!("{PAGE} has no end of the table"))?;
    Ok(format!("{before}{BEGIN}\n{table}\n{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_rows() {
        let line = "# litmus STP, LDP of X, torn forbidden 0 of 1000";
        assert_eq!(row(line).as_deref(), Some("| STP, LDP of X, torn | forbidden | 0 | 1000 |\n"));
        assert_eq!(row("# something else of 3"), None);
        assert_eq!(row("ok 1 - MP"), None);
    }

    #[test]
    fn only_the_table_is_replaced() {
        let page = format!("a\n{BEGIN}\nold\n\n{END}b\n");
        assert_eq!(replaced(&page, "new\n").unwrap_or_default(), format!("a\n{BEGIN}\nnew\n\n{END}b\n"));
        assert!(replaced("a\n", "new\n").is_err());
    }
}
