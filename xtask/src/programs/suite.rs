//! OpenSSL's own test suite: built from Debian's source, run by its own perl
//! scripts in one guest, so that its servers and clients meet there.

use super::report::Tally;
use super::runner::{Runner, Tree, finish};
use crate::shell::{run as run_command, say};
use anyhow::Result;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Perl, and what the scripts call.
const PACKAGES: &[&str] = &["perl", "dash", "coreutils", "diffutils"];

/// Scripts that fail wherever they run, what their output has then, and why.
const KNOWN: &[(&str, &str, &str)] = &[
    ("80-test_cms", "Can't open \"../../test/cms-msg/missing-kdf.der\"", MISSING),
    ("80-test_cmsapi", "calling fopen(../../test/recipes/80-test_cm", MISSING),
    ("79-test_http", "calling socket(::, 0)", IPV6),
    ("80-test_cmp_http", "CMP error: Address family not supported by protocol:calling socket()", IPV6),
];
const IPV6: &str = "its server takes the first address that the C library offers, which is one of IPv6: not provided";
const MISSING: &str = "needs a binary file that Debian's patch of the source could not bring";

/// Builds the suite and runs it.
pub(super) fn run(vambrace: &Runner) -> Result<Tally> {
    let tree = Tree::fetch("perl", "arm64", PACKAGES)?;
    let shell = tree.file("bin/sh");
    if !shell.is_symlink() {
        std::os::unix::fs::symlink("dash", &shell)?;
    }
    let source = super::place("openssl-suite");
    if !source.join("apps/openssl").is_file() {
        build(&source)?;
    }
    let variables = [
        ("PERL", "/usr/bin/perl"),
        ("SRCTOP", "."),
        ("BLDTOP", "."),
        ("EXE_EXT", ""),
        ("RESULT_D", "test-runs"),
        ("HARNESS_JOBS", "2"),
        ("HARNESS_VERBOSE_FAILURE", "yes"),
    ];
    let mut command = vambrace.command(&tree, Some(&source), &variables, "/usr/bin/perl");
    say("running OpenSSL's test suite, which takes long");
    let output = finish(command.arg("test/run_tests.pl"))?;
    let log = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    let path = super::place("openssl-suite.log");
    fs::write(&path, &log)?;
    say(&format!("its output is in {}", path.display()));
    let version = fs::read_to_string(source.join("VERSION.dat"))?;
    let number = |key: &str| version.lines().find_map(|line| line.strip_prefix(key)).unwrap_or("?").to_owned();
    let version = format!("OpenSSL {}.{}.{}", number("MAJOR="), number("MINOR="), number("PATCH="));
    Ok(judge(&log, version, output.status.success()))
}

/// Debian's source, built for ARM64 into programs that need no library.
fn build(source: &Path) -> Result<()> {
    let archive = super::archive(super::SUITE, "arm64")?;
    archive.source("openssl", source)?;
    archive.close()?;
    let mut configure = Command::new("./Configure");
    configure.args(["linux-aarch64", "--cross-compile-prefix=aarch64-linux-gnu-"]);
    // The scripts must find their modules where the guest has them.
    configure.args(["no-shared", "no-module", "enable-md2", "enable-rc5"]);
    run_command(configure.current_dir(source).env("HASHBANGPERL", "/usr/bin/perl"))?;
    // As an option of `Configure`, `-static` would leave threads out.
    run_command(Command::new("make").args(["-s", "-j2", "LDFLAGS=-static", "build_sw"]).current_dir(source))?;
    // Generated scripts have the directory in them that the guest calls /mnt.
    for script in ["util/wrap.pl", "configdata.pm"] {
        let script = source.join(script);
        let text = fs::read_to_string(&script)?;
        fs::write(&script, text.replace(&source.display().to_string(), "/mnt"))?;
    }
    Ok(())
}

/// Reads the lines in which the harness sums up each script.
fn judge(log: &str, version: String, is_success: bool) -> Tally {
    let mut tally = Tally { versions: vec![version], ..Tally::default() };
    let mut passed = 0;
    for line in log.lines() {
        // The summary at the end has a line for each script that failed: before
        // it the verdict stands apart from the name.
        if let Some((name, verdict)) =
            line.split_once(".t ").filter(|(_, rest)| rest.trim_start().starts_with("(Wstat:"))
        {
            let known = KNOWN.iter().find(|(script, sign, _)| *script == name && log.contains(sign));
            match known {
                Some((_, _, why)) => tally.left_out.push((name.to_owned(), (*why).to_owned())),
                None => tally.failed.push((name.to_owned(), verdict.trim().to_owned())),
            }
            continue;
        }
        let Some((name, verdict)) = line.split_once(".t ") else { continue };
        if name.contains(' ') || !verdict.starts_with('.') {
            continue;
        }
        let verdict = verdict.trim_start_matches(['.', ' ']);
        if let Some(why) = verdict.strip_prefix("skipped: ") {
            tally.left_out.push((name.to_owned(), why.to_owned()));
        } else if verdict == "ok" {
            passed += 1;
        }
    }
    let totals = log.lines().rfind(|line| line.starts_with("Files="));
    let counted = totals.and_then(|line| line.split("Tests=").nth(1)?.split(',').next()?.parse::<usize>().ok());
    tally.passed.push((passed, "scripts passed".to_owned()));
    tally.passed.push((counted.unwrap_or_default(), "checks in all scripts".to_owned()));
    let is_finished = counted.is_some_and(|count| count > 0) && passed > 0;
    let is_known =
        log.lines().any(|line| line == "Result: FAIL") && KNOWN.iter().any(|(_, sign, _)| log.contains(sign));
    if tally.failed.is_empty() && !((is_success || is_known) && is_finished) {
        tally.failed.push(("run_tests.pl".to_owned(), "it did not run to its end".to_owned()));
    }
    tally
}

#[cfg(test)]
mod tests {
    use super::judge;

    const LOG: &str = "01-test_abort.t .................... ok\n\
                       01-test_fipsmodule_cnf.t ........... skipped: only in a fips build\n\
                       Files=2, Tests=1, 3 wallclock secs\nResult: PASS\n";

    #[test]
    fn scripts_are_counted_by_their_verdicts() {
        let tally = judge(LOG, "x".into(), true);
        assert_eq!((tally.passed[0].0, tally.passed[1].0), (1, 1));
        assert_eq!((tally.left_out.len(), tally.failed.len()), (1, 0));
    }

    /// What the harness writes of a script that fails when it shows its output.
    fn failing(name: &str, output: &str) -> String {
        format!(
            "{output}# Looks like you failed 1 test of 1.{name}.t ................... \n\
             Dubious, test returned 1 (wstat 256, 0x100)\nFailed 1/1 subtests \n01-test_abort.t .... ok\n\
             Test Summary Report\n{name}.t   (Wstat: 256 (exited 1) Tests: 1 Failed: 1)\n\
             Files=2, Tests=2, 3 wallclock secs\nResult: FAIL\n"
        )
    }

    #[test]
    fn a_failed_script_and_an_early_end_are_failures() {
        let tally = judge(&failing("10-test_bn", ""), "x".into(), false);
        assert_eq!((tally.failed.len(), tally.failed[0].0.as_str(), tally.passed[0].0), (1, "10-test_bn", 1));
        assert_eq!(judge(LOG, "x".into(), false).failed.len(), 1);
        assert_eq!(judge("01-test_abort.t ... ok\n", "x".into(), true).failed.len(), 1);
    }

    #[test]
    fn a_known_failure_is_left_out_only_with_its_sign() {
        let (name, sign, _) = super::KNOWN[0];
        let tally = judge(&failing(name, &format!("{sign} for reading\n")), "x".into(), false);
        assert_eq!((tally.failed.len(), tally.left_out.len()), (0, 1));
        assert_eq!(judge(&failing(name, ""), "x".into(), false).failed.len(), 1);
    }
}
