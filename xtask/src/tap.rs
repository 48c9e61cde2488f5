//! Judges what a test program prints in the Test Anything Protocol.

use std::collections::BTreeSet;

/// How a program ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Exit(i32),
    Signal(i32),
    TimedOut,
    /// It never ran, or its end was never seen.
    Lost(String),
}

impl std::fmt::Display for End {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exit(status) => write!(f, "exit status {status}"),
            Self::Signal(number) => write!(f, "signal {number}"),
            Self::TimedOut => f.write_str("time-out"),
            Self::Lost(why) => f.write_str(why),
        }
    }
}

/// What a test came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) failed: BTreeSet<String>,
    pub(crate) passed: BTreeSet<String>,
    /// Reasons of checks that were skipped.
    pub(crate) skipped: Vec<String>,
    /// What is wrong beside failed checks: then the test has failed whatever they say.
    pub(crate) trouble: Option<String>,
}

/// Judges a program's lines and its end. Every number of the plan must come
/// once, in order, and nothing else.
pub(crate) fn judge<'a>(lines: impl Iterator<Item = &'a str>, end: &End) -> Outcome {
    let mut outcome = Outcome::default();
    let (mut planned, mut ran, mut last) = (None, 0_usize, "");
    let mut trouble = None;
    for line in lines {
        last = line;
        if let Some(count) = line.strip_prefix("1..") {
            let count = count.trim().parse::<usize>().ok();
            if planned.is_some() || count.is_none() {
                trouble.get_or_insert(format!("a second or damaged plan: {line}"));
            }
            planned = planned.or(count);
            continue;
        }
        let (checks, rest) = match (line.strip_prefix("ok "), line.strip_prefix("not ok ")) {
            (Some(rest), _) => (&mut outcome.passed, rest),
            (_, Some(rest)) => (&mut outcome.failed, rest),
            _ => continue,
        };
        ran += 1;
        let (number, name) = rest.split_once(" - ").unwrap_or((rest, rest));
        if number.trim().parse() != Ok(ran) {
            trouble.get_or_insert(format!("line {ran} has another number: {line}"));
        }
        match name.strip_prefix("# SKIP ") {
            Some(reason) => outcome.skipped.push(reason.to_owned()),
            None => {
                if !checks.insert(name.to_owned()) {
                    checks.insert(format!("{name} (check {ran})"));
                }
            }
        }
    }
    outcome.trouble = match (planned, end) {
        (_, End::TimedOut) => Some(format!("hung after {ran} checks")),
        (None, end) => Some(format!("declared no plan ({end}): {last}")),
        (Some(planned), end) if planned != ran => Some(format!("ran {ran} of {planned} checks ({end}): {last}")),
        (Some(_), end) if trouble.is_none() && *end != End::Exit(0) && outcome.failed.is_empty() => {
            Some(format!("{end}: {last}"))
        }
        (Some(_), End::Exit(0)) if !outcome.failed.is_empty() => Some("exit status 0 although checks failed".into()),
        _ => trouble,
    };
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(text: &str, end: End) -> Outcome {
        judge(text.lines(), &end)
    }

    fn trouble(text: &str, end: End) -> Option<String> {
        outcome(text, end).trouble
    }

    #[test]
    fn a_plan_that_is_not_met_is_a_failure() {
        assert_eq!(trouble("1..2\nok 1 - a\nok 2 - b\n", End::Exit(0)), None);
        assert!(trouble("1..2\nok 1 - a\n", End::Exit(0)).is_some());
        assert!(trouble("ok 1 - a\n", End::Exit(0)).is_some());
        assert!(trouble("1..1\nok 1 - a\n", End::Exit(1)).is_some());
        assert!(trouble("1..1\nok 1 - a\n", End::Signal(11)).is_some());
        assert!(trouble("1..1\nok 1 - a\n", End::TimedOut).is_some());
    }

    #[test]
    fn duplicate_and_foreign_lines_are_failures() {
        assert!(trouble("1..2\nok 1 - a\nok 1 - a\n", End::Exit(0)).is_some());
        assert!(trouble("1..1\nok 2 - a\n", End::Exit(0)).is_some());
        assert!(trouble("1..1\nok 1 - a\nok 2 - b\n", End::Exit(0)).is_some());
        assert!(trouble("1..1\n1..1\nok 1 - a\n", End::Exit(0)).is_some());
    }

    #[test]
    fn failed_checks_are_known_by_name() {
        let outcome = outcome("1..2\nok 1 - a\nnot ok 2 - b c\n", End::Exit(1));
        assert!(outcome.failed.contains("b c") && outcome.passed.contains("a"));
        assert_eq!(outcome.trouble, None);
    }

    #[test]
    fn a_failure_that_the_status_denies_is_trouble() {
        assert!(trouble("1..1\nnot ok 1 - a\n", End::Exit(0)).is_some());
    }
}
