//! What a part came to, on the screen and in `docs/conformance.md`.

use crate::shell::{root, say};
use anyhow::{Context, Result};
use std::fmt::Write as _;
use std::fs;
use std::time::Duration;

/// The heading of the section; what is above it belongs to `cargo xtask bare`.
const HEADING: &str = "## Programs that probe the processor";

const INTRODUCTION: &str = "
<!-- `cargo xtask programs --write` writes this section. -->

These programs ask what the processor has, and use it.
`cargo xtask programs PART` fetches them from Debian, builds what is source, and runs them hosted.
";

/// The results of one part.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// What was run, with versions.
    pub(super) versions: Vec<String>,
    /// How many of what passed, and in what way.
    pub(super) passed: Vec<(usize, String)>,
    /// What was not run, or may fail, and why.
    pub(super) left_out: Vec<(String, String)>,
    /// What failed, and how.
    pub(super) failed: Vec<(String, String)>,
}

impl Tally {
    /// Shows it on standard output.
    pub(super) fn tell(&self, name: &str, took: Duration) {
        for (case, why) in &self.left_out {
            say(&format!("left out: {case}: {why}"));
        }
        for (case, how) in &self.failed {
            say(&format!("FAILED: {case}: {how}"));
        }
        for (count, what) in &self.passed {
            say(&format!("{name}: {count} {what}"));
        }
        let (left_out, failed) = (self.left_out.len(), self.failed.len());
        say(&format!("{name}: {left_out} left out, {failed} failed, {} s", took.as_secs()));
    }

    /// The subsection of the page.
    fn page(&self, name: &str, about: &str) -> String {
        let mut text = format!("### {name}: {about}\n\n");
        let _ = writeln!(text, "Versions: {}.\n", self.versions.join(", "));
        for (count, what) in &self.passed {
            let _ = writeln!(text, "- {count} {what}");
        }
        let _ = writeln!(text, "- {} failed", self.failed.len());
        for (case, how) in &self.failed {
            let _ = writeln!(text, "  - `{case}`: {how}");
        }
        if !self.left_out.is_empty() {
            let _ = writeln!(text, "- {} left out:", self.left_out.len());
        }
        for (case, why) in grouped(&self.left_out) {
            let _ = writeln!(text, "  - {case}: {why}");
        }
        text
    }
}

/// Cases with the same reason on one line, in the order of the first.
fn grouped(cases: &[(String, String)]) -> Vec<(String, &str)> {
    let mut groups: Vec<(String, &str)> = Vec::new();
    for (case, why) in cases {
        match groups.iter_mut().find(|(_, reason)| reason == why) {
            Some((names, _)) => {
                let _ = write!(names, ", `{case}`");
            }
            None => groups.push((format!("`{case}`"), why)),
        }
    }
    groups
}

/// The section of a page, from its heading on; empty if it has none.
pub(crate) fn section(page: &str) -> &str {
    page.find(HEADING).map_or("", |at| page.get(at..).unwrap_or_default())
}

/// The page with one part's subsection replaced or added.
fn replaced(page: &str, name: &str, subsection: &str) -> String {
    let old = section(page);
    let above = page.strip_suffix(old).unwrap_or(page).trim_end();
    let mut parts: Vec<&str> = old.split("\n### ").skip(1).collect();
    let body = subsection.strip_prefix("### ").unwrap_or(subsection);
    let start = format!("{name}:");
    match parts.iter_mut().find(|part| part.starts_with(&start)) {
        Some(part) => *part = body,
        None => parts.push(body),
    }
    let mut text = format!("{above}\n\n{HEADING}\n{INTRODUCTION}");
    for part in parts {
        let _ = write!(text, "\n### {}\n", part.trim_end());
    }
    text
}

/// Writes a part's results into the page.
///
/// # Errors
/// The page cannot be read or written.
pub(super) fn write(name: &str, about: &str, tally: &Tally) -> Result<()> {
    let path = root().join("docs/conformance.md");
    let page = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    fs::write(&path, replaced(&page, name, &tally.page(name, about)))
        .with_context(|| format!("cannot write {}", path.display()))?;
    say(&format!("wrote {}", path.display()));
    Ok(())
}

/// Lines that two runs printed, and where they are not the same.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Comparison {
    pub(super) same: usize,
    /// The case, what was printed, and what should have been.
    pub(super) different: Vec<(String, String)>,
}

/// Compares lines `CASE: RESULT` with the right ones, by position.
pub(super) fn compare(ours: &str, right: &str) -> Comparison {
    let mut comparison = Comparison::default();
    let (mut our_lines, mut right_lines) = (ours.lines(), right.lines());
    loop {
        let (our, their) = match (our_lines.next(), right_lines.next()) {
            (None, None) => return comparison,
            (our, their) => (our.unwrap_or("(nothing)"), their.unwrap_or("(nothing)")),
        };
        if our == their {
            comparison.same += 1;
            continue;
        }
        let case = their.split(": ").next().unwrap_or(their);
        comparison.different.push((case.to_owned(), format!("printed {our:?}, should be {their:?}")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RIGHT: &str = "digest SHA256 3: ba7816bf\ndigest SHA1 3: a9993e36\nend\n";

    #[test]
    fn equal_lines_are_counted() {
        assert_eq!(compare(RIGHT, RIGHT), Comparison { same: 3, different: Vec::new() });
    }

    #[test]
    fn one_changed_digit_is_a_difference() {
        let comparison = compare(&RIGHT.replace("9993", "9992"), RIGHT);
        assert_eq!(comparison.same, 2);
        assert_eq!(comparison.different.len(), 1);
        assert_eq!(comparison.different[0].0, "digest SHA1 3");
    }

    #[test]
    fn missing_and_further_lines_are_differences() {
        assert_eq!(compare("digest SHA256 3: ba7816bf\n", RIGHT).different.len(), 2);
        assert_eq!(compare(&format!("{RIGHT}more\n"), RIGHT).different.len(), 1);
        assert_eq!(compare("", RIGHT).different.len(), 3);
    }

    fn tally(count: usize) -> Tally {
        let left_out = [("a", "needs X"), ("b", "needs Y"), ("c", "needs X")];
        let left_out = left_out.map(|(case, why)| (case.to_owned(), why.to_owned())).to_vec();
        Tally { versions: vec!["x 1".into()], passed: vec![(count, "passed".into())], left_out, failed: Vec::new() }
    }

    #[test]
    fn cases_left_out_for_one_reason_share_a_line() {
        let page = tally(1).page("one", "a part");
        assert!(page.contains("- 3 left out:\n  - `a`, `c`: needs X\n  - `b`: needs Y\n"), "{page}");
    }

    #[test]
    fn a_part_replaces_its_own_subsection_alone() {
        let page = "# Conformance\n\nabove\n";
        let both = replaced(page, "one", &tally(1).page("one", "a part"));
        let both = replaced(&both, "two", &tally(2).page("two", "a part"));
        let again = replaced(&both, "one", &tally(3).page("one", "a part"));
        assert!(again.starts_with("# Conformance\n\nabove\n\n## Programs"), "{again}");
        assert!(!again.contains("- 1 passed") && again.contains("- 2 passed") && again.contains("- 3 passed"));
        assert_eq!(again.matches(HEADING).count(), 1);
        assert_eq!(again.matches("### one").count(), 1);
        assert_eq!(replaced(&again, "one", &tally(3).page("one", "a part")), again);
    }
}
