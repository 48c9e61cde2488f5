//! OpenSSL's algorithms and speeds: Debian's own ARM64 packages in guests.

use super::report::{Tally, compare};
use super::runner::{AMD64, ARM64, Runner, Tree, finish, printed};
use crate::shell::{root, run as run_command, say};
use crate::toolchain::cross_gcc;
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const PACKAGES: &[&str] = &["openssl", "libssl-dev"];
/// The longest message in bytes, and the longest where time is short.
const LARGEST: &str = "1048576";
const QUICK_LARGEST: &str = "4096";
/// What OpenSSL is told about the processor: nothing, so that it probes, and
/// that there is none of what it has code for.
const PROBED: &[(&str, &str)] = &[];
const NOTHING: &[(&str, &str)] = &[("OPENSSL_armcap", "0")];

/// Builds the program that prints answers, against an unpacked library.
fn build(tree: &Tree) -> Result<PathBuf> {
    let compiler = if tree.triple == ARM64 { cross_gcc()? } else { PathBuf::from("cc") };
    let work = super::place("openssl");
    fs::create_dir_all(&work)?;
    let program = work.join(format!("answers-{}", tree.triple));
    let mut command = Command::new(compiler);
    command.args(["-O1", "-Wall", "-Wextra", "-Werror", "-Wno-deprecated-declarations"]);
    for include in ["usr/include".to_owned(), format!("usr/include/{}", tree.triple)] {
        command.arg("-I").arg(tree.file(&include));
    }
    command.arg(root().join("tests/programs/openssl_answers.c")).arg("-o").arg(&program);
    run_command(command.arg(tree.file(&format!("usr/lib/{}/libcrypto.so", tree.triple))))?;
    Ok(work)
}

/// The lines that the program prints.
fn lines(runner: &Runner, tree: &Tree, work: &Path, largest: &str, variables: &[(&str, &str)]) -> Result<String> {
    let modules = format!("usr/lib/{}/ossl-modules", tree.triple);
    let modules = if tree.triple == AMD64 { tree.file(&modules).display().to_string() } else { format!("/{modules}") };
    let mut all = vec![("OPENSSL_MODULES", modules.as_str()), ("OPENSSL_CONF", "/dev/null")];
    all.extend(variables);
    let program = format!("/mnt/answers-{}", tree.triple);
    printed(runner.command(tree, Some(work), &all, &program).arg(largest))
}

fn answers_up_to(vambrace: &Runner, largest: &str) -> Result<Tally> {
    let arm64 = Tree::fetch("openssl", "arm64", PACKAGES)?;
    let amd64 = Tree::fetch("openssl", "amd64", PACKAGES)?;
    let work = build(&arm64)?;
    build(&amd64)?;
    let right = lines(&Runner::Native, &amd64, &work, largest, PROBED).context("natively")?;
    let version = right.lines().next().unwrap_or_default().trim_start_matches("version ").to_owned();
    ensure!(right.ends_with("\nend\n"), "the native program stopped early");
    let mut tally = Tally { versions: vec![version], ..Tally::default() };
    for (variables, how) in
        [(PROBED, "with the processor as probed"), (NOTHING, "with `OPENSSL_armcap=0`, without any extension")]
    {
        let ours = lines(vambrace, &arm64, &work, largest, variables).context("in the guest")?;
        let comparison = compare(&ours, &right);
        let what = format!("lines equal to native ones, messages up to {largest} bytes, {how}");
        tally.passed.push((comparison.same, what));
        tally.failed.extend(comparison.different);
    }
    Ok(tally)
}

/// Every algorithm with messages up to 1 MiB.
pub(super) fn answers(vambrace: &Runner) -> Result<Tally> {
    answers_up_to(vambrace, LARGEST)
}

/// Every algorithm with short messages.
pub(super) fn quick_answers(vambrace: &Runner) -> Result<Tally> {
    answers_up_to(vambrace, QUICK_LARGEST)
}

/// What `openssl speed` is told: for everything, a second each. Its buffers are
/// as long as the messages, and a signature of RSA-15360 must fit into one.
const SPEEDS: &[&[&str]] = &[&["-mr", "-seconds", "1", "-bytes", "2048"]];

/// `openssl speed` for everything: it must run to its end, without an error line.
pub(super) fn speed(vambrace: &Runner) -> Result<Tally> {
    let arm64 = Tree::fetch("openssl", "arm64", PACKAGES)?;
    let version = printed(vambrace.command(&arm64, None, PROBED, "/usr/bin/openssl").arg("version"))?;
    let mut tally = Tally { versions: vec![version.trim().to_owned()], ..Tally::default() };
    for (variables, how) in [(PROBED, "as probed"), (NOTHING, "with `OPENSSL_armcap=0`")] {
        for words in SPEEDS {
            let mut command = vambrace.command(&arm64, None, variables, "/usr/bin/openssl");
            let output = finish(command.arg("speed").args(*words))?;
            let (out, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            let results = out.lines().filter(|line| line.starts_with("+F")).count();
            say(&format!("{how}: {results} results"));
            tally.passed.push((results, format!("results of `openssl speed {}`, {how}", words.join(" "))));
            tally.failed.extend(speed_failures(&out, &errors, output.status.success()));
        }
    }
    Ok(tally)
}

/// Lines that tell of a failure: `openssl speed` goes on after one and may end with zero.
fn speed_failures(out: &str, errors: &str, is_success: bool) -> Vec<(String, String)> {
    let is_bad = |line: &&str| {
        let lower = line.to_lowercase();
        lower.contains("error") || lower.contains("fail") || lower.contains("unable")
    };
    let mut failures: Vec<(String, String)> = out
        .lines()
        .chain(errors.lines())
        .filter(is_bad)
        .map(|line| ("openssl speed".into(), line.to_owned()))
        .collect();
    if !is_success || !out.lines().any(|line| line.starts_with("+F")) {
        failures.push(("openssl speed".into(), "it did not run to its end".into()));
    }
    failures
}

#[cfg(test)]
mod tests {
    use super::speed_failures;

    #[test]
    fn a_line_about_an_error_is_a_failure_whatever_the_status() {
        assert_eq!(speed_failures("+F:22:md5:1.0\n", "+DT:md5:1:1024\n", true), []);
        assert_eq!(speed_failures("+F:22:md5:1.0\n", "EVP_DigestUpdate error!\n", true).len(), 1);
        assert_eq!(speed_failures("+F:22:md5:1.0\n", "", false).len(), 1);
        assert_eq!(speed_failures("", "", true).len(), 1);
    }
}
