//! Reads the frames that the test runner prints (`tests/runner` describes them).

use crate::tap::End;
use anyhow::{Result, bail, ensure};
use std::time::Duration;

/// One program's run.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) name: String,
    pub(crate) lines: Vec<String>,
    pub(crate) end: End,
    pub(crate) took: Duration,
}

/// Everything a console says about the runs.
///
/// # Errors
/// Frames that contradict the plan: missing, duplicate or foreign ones. What
/// is not a frame is the kernel's own talk and is left out.
pub(crate) fn read(text: &str, wanted: &[String]) -> Result<Vec<Run>> {
    let (mut planned, mut done) = (None, false);
    let mut runs: Vec<Run> = Vec::new();
    let mut open: Option<(String, Vec<String>)> = None;
    for line in text.lines() {
        let Some(frame) = line.strip_prefix("@@") else { continue };
        ensure!(!done, "a frame after the end: {line}");
        if let Some(output) = frame.strip_prefix('|') {
            match &mut open {
                Some((_, lines)) => lines.push(output.to_owned()),
                None => bail!("output of no program: {line}"),
            }
        } else if let Some(count) = frame.strip_prefix("plan ") {
            ensure!(planned.is_none() && runs.is_empty(), "a second plan: {line}");
            planned = Some(count.parse::<usize>()?);
        } else if let Some(name) = frame.strip_prefix("begin ") {
            ensure!(open.is_none(), "a program began before the last ended: {line}");
            ensure!(wanted.iter().any(|wanted| wanted == name), "a program out of plan: {line}");
            ensure!(runs.iter().all(|run| run.name != name), "a program ran twice: {line}");
            open = Some((name.to_owned(), Vec::new()));
        } else if let Some(rest) = frame.strip_prefix("end ") {
            let Some((name, lines)) = open.take() else { bail!("the end of no program: {line}") };
            let Some((end, took)) = rest.strip_prefix(name.as_str()).and_then(parse_end) else {
                bail!("a damaged frame: {line}")
            };
            runs.push(Run { name, lines, end, took });
        } else if frame == "done" {
            done = true;
        } else {
            bail!("{line}");
        }
    }
    if let Some((name, lines)) = open {
        let why = format!("the machine stopped while it ran; it had printed {} lines", lines.len());
        runs.push(Run { name, lines, end: End::Lost(why), took: Duration::ZERO });
    } else {
        ensure!(planned == Some(wanted.len()), "the runner planned {planned:?} programs, not {}", wanted.len());
        ensure!(done || runs.len() < wanted.len(), "the runner did not say that it is done");
    }
    Ok(runs)
}

/// ` exit 0 after 12 ms`.
fn parse_end(text: &str) -> Option<(End, Duration)> {
    let (end, took) = text.trim().rsplit_once(" after ")?;
    let took = Duration::from_millis(took.strip_suffix(" ms")?.parse().ok()?);
    let end = match end.split_once(' ') {
        None if end == "timeout" => End::TimedOut,
        Some(("exit", status)) => End::Exit(status.parse().ok()?),
        Some(("signal", number)) => End::Signal(number.parse().ok()?),
        Some(("not-started", why)) => End::Lost(format!("not started: {why}")),
        _ => return None,
    };
    Some((end, took))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted() -> Vec<String> {
        vec!["a".into(), "b".into()]
    }

    #[test]
    fn talk_between_frames_is_left_out() {
        let text = "boot\n@@plan 2\n@@begin a\n@@|ok\nnoise\n@@end a exit 0 after 5 ms\n@@begin b\n\
                    @@end b signal 11 after 1 ms\n@@done\n";
        let runs = read(text, &wanted()).unwrap();
        assert_eq!(runs[0].lines, ["ok"]);
        assert_eq!((&runs[0].end, runs[0].took), (&End::Exit(0), Duration::from_millis(5)));
        assert_eq!(runs[1].end, End::Signal(11));
    }

    #[test]
    fn a_machine_that_stops_leaves_its_last_program_lost() {
        let runs = read("@@plan 2\n@@begin a\n@@|x\n", &wanted()).unwrap();
        assert!(matches!(runs[0].end, End::Lost(_)));
    }

    #[test]
    fn frames_out_of_plan_are_errors() {
        assert!(read("@@plan 1\n@@done\n", &wanted()).is_err());
        assert!(read("@@plan 2\n@@begin c\n", &wanted()).is_err());
        assert!(read("@@plan 2\n@@|x\n", &wanted()).is_err());
        assert!(read("@@fail no such file\n", &wanted()).is_err());
        let twice = "@@plan 2\n@@begin a\n@@end a exit 0 after 1 ms\n@@begin a\n";
        assert!(read(twice, &wanted()).is_err());
    }
}
