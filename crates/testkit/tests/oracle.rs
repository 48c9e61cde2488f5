//! A short run of what `cargo xtask oracle` does at length.
//!
//! Needs QEMU 10 and `aarch64-linux-gnu-gcc`, which `cargo xtask setup` gets;
//! without them there is nothing to compare with, and the test says so.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use testkit::oracle::compare::{Options, run};
use testkit::oracle::plan::Plan;
use testkit::oracle::reference::find_qemu;

fn is_there(program: &str) -> bool {
    let mut command = Command::new(program);
    command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok()
}

#[test]
fn instructions_do_what_they_do_under_qemu() {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let Some(qemu) = directory.parent().and_then(find_qemu) else {
        eprintln!("skipped: there is no qemu-aarch64 of version 10 or later");
        return;
    };
    if !is_there("aarch64-linux-gnu-gcc") {
        eprintln!("skipped: there is no aarch64-linux-gnu-gcc");
        return;
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let seed = u64::from(now.subsec_nanos());
    let options = Options { plan: Plan::of_rows("", 8, 2000), seed, qemu, ..Options::default() };
    let report = run(&options, &directory).expect("both sides run");
    assert!(report.rows.len() > 600, "only {} rows have cases", report.rows.len());
    assert!(report.differences.is_empty(), "seed {seed}\n{}", report.differences);
}
