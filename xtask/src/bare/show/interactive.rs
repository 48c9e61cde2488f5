//! A person at the console: editing, interrupts and job control.

use super::shell::Shell;
use super::stage::Stage;
use crate::bare::suite::Kernel;
use anyhow::{Context, Result, ensure};
use std::time::Duration;

const CTRL_C: &str = "\x03";
const CTRL_D: &str = "\x04";
const CTRL_Z: &str = "\x1a";
const CTRL_BACKSLASH: &str = "\x1c";

/// What a key may take until the prompt is back.
const SOON: Duration = Duration::from_secs(10);

/// A program in the foreground that has certainly begun once `ready` is printed.
const SLEEPER: &str = "sh -c 'echo rea''dy; exec sleep 1000'";

pub(super) fn run(stage: &Stage<'_>) -> Result<String> {
    // The machine goes off as a real one does, not through a door for tests.
    stage.with("interactive", |setup| setup.semihosting = false, |shell| act(stage, shell))
}

fn act(stage: &Stage<'_>, shell: &mut Shell<'_>) -> Result<String> {
    shell.demand("echo $((6*7))", "42")?;
    shell.demand("uname -m", "aarch64")?;
    if let Kernel::Bare(_) = stage.kernel {
        shell.demand("cat /proc/1/comm", "init")?;
    }
    shell.demand_status("(exit 7)", 7)?;
    shell.demand_status("/nonexistent 2>/dev/null", 127)?;
    shell.demand("yes | head -n 100000 | wc -l | tr -d ' '", "100000")?;
    edit(shell).context("editing a line")?;
    interrupt(shell, CTRL_C, 130).context("^C")?;
    interrupt(shell, CTRL_BACKSLASH, 131).context("^\\")?;
    end_of_file(shell).context("^D")?;
    job_control(shell).context("job control")?;
    shell.demand("stty rows 40 cols 100; stty size", "40 100")?;
    Ok("editing, ^C, ^\\, ^D, ^Z, bg, fg and the window size do what they do".into())
}

/// Rubs out what was typed wrongly.
fn edit(shell: &mut Shell<'_>) -> Result<()> {
    shell.type_line("edited=axy\x7f\x7fb\x7fc")?;
    shell.prompt(SOON)?;
    shell.demand("echo $edited", "ac")
}

/// A key ends a program in the foreground, not the shell.
fn interrupt(shell: &mut Shell<'_>, key: &str, status: i32) -> Result<()> {
    start_sleeper(shell)?;
    shell.console.send(key)?;
    shell.prompt(SOON)?;
    remember_status(shell)?;
    shell.demand("echo $status_was", &status.to_string())
}

fn end_of_file(shell: &mut Shell<'_>) -> Result<()> {
    shell.type_line("cat > /tmp/typed")?;
    shell.console.expect("\r\n", SOON)?;
    std::thread::sleep(Duration::from_millis(200));
    shell.type_line("one")?;
    shell.console.send(&format!("two\n{CTRL_D}"))?;
    shell.prompt(SOON)?;
    shell.demand("cat /tmp/typed | tr '\\n' ,", "one,two,")
}

fn job_control(shell: &mut Shell<'_>) -> Result<()> {
    start_sleeper(shell)?;
    shell.console.send(CTRL_Z)?;
    shell.prompt(SOON)?;
    shell.value("jobs -p > /tmp/job")?;
    shell.demand("wc -l < /tmp/job | tr -d ' '", "1")?;
    let state = "cut -d ' ' -f 3 /proc/$(cat /tmp/job)/stat";
    shell.demand(state, "T")?;
    listed(shell, "Stopped")?;
    shell.value("bg")?;
    shell.demand(state, "S")?;
    listed(shell, "Running")?;
    shell.type_line("fg")?;
    // It is in the foreground once the terminal is its own.
    std::thread::sleep(Duration::from_millis(500));
    shell.console.send(CTRL_C)?;
    shell.prompt(SOON)?;
    remember_status(shell)?;
    shell.demand("echo $status_was", "130")?;
    let left = shell.value("jobs")?;
    ensure!(left.is_empty(), "jobs are left: {left}");
    // A job in the background runs beside the shell, and its status can be waited for.
    shell.value("sh -c 'sleep 1; exit 9' & echo $! > /tmp/job")?;
    shell.demand_status("wait $(cat /tmp/job)", 9)
}

/// The shell lists one job, in this state.
fn listed(shell: &mut Shell<'_>, state: &str) -> Result<()> {
    let jobs = shell.value("jobs")?;
    ensure!(jobs.lines().count() == 1 && jobs.contains(state), "`jobs` printed {jobs:?}");
    Ok(())
}

fn start_sleeper(shell: &mut Shell<'_>) -> Result<()> {
    shell.type_line(SLEEPER)?;
    shell.console.expect("ready\r\n", SOON)?;
    // The shell that printed it becomes the sleeper.
    std::thread::sleep(Duration::from_millis(300));
    Ok(())
}

/// Keeps the status of the last command, which the marks of the next would overwrite.
fn remember_status(shell: &mut Shell<'_>) -> Result<()> {
    shell.type_line("status_was=$?")?;
    shell.prompt(SOON)
}
