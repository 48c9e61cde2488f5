//! `cargo xtask busybox`: Debian's static ARM64 busybox and the embedded
//! userland run scripts in guests, and the host's own tools run the same; the
//! outputs must be equal.

use crate::guest::vambrace;
use crate::shell::{root, say, target_dir};
use crate::{setup, shell};
use anyhow::{Context, Result, bail, ensure};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// What makes busybox's commands the guest's, and runs a script with them.
const BUSYBOX: &str = "/debian/busybox mkdir /tmp/bin /tmp/empty && /debian/busybox --install -s /tmp/bin \
                       && cd /tmp/empty && PATH=/tmp/bin && export PATH && exec /debian/busybox sh /tests/";
/// The same for the embedded userland.
const USERLAND: &str = "mkdir /tmp/empty && cd /tmp/empty && exec sh /tests/";
const SCRIPTS: &[&str] = &["script.sh", "files.sh"];

/// Compares the three.
///
/// # Errors
/// Different outputs, or missing tools.
pub(crate) fn run(args: &[String]) -> Result<()> {
    ensure!(args.is_empty(), "usage: cargo xtask busybox");
    let busybox = setup::busybox()?;
    let bin = busybox.parent().context("busybox lies in a directory")?;
    let tests = root().join("tests/busybox");
    for script in SCRIPTS {
        let theirs = native(&tests.join(script))?;
        for (name, start) in [("busybox", BUSYBOX), ("the embedded userland", USERLAND)] {
            let mut guest = Command::new(vambrace()?);
            guest.arg("shell").args(["--bind", &format!("{}:/debian:ro", bin.display())]);
            guest.args(["--bind", &format!("{}:/tests:ro", tests.display())]);
            guest.args(["--", "-c", &format!("{start}{script}")]);
            let ours = shell::output(guest.stdin(Stdio::null()))?;
            compare(&format!("{script} with {name}"), &ours, &theirs)?;
        }
    }
    Ok(())
}

/// What the host's tools print.
fn native(script: &Path) -> Result<String> {
    let empty = target_dir().join("busybox-native");
    if empty.exists() {
        fs::remove_dir_all(&empty)?;
    }
    fs::create_dir_all(&empty)?;
    shell::output(Command::new("sh").arg(script).current_dir(&empty).stdin(Stdio::null()))
}

fn compare(what: &str, ours: &str, theirs: &str) -> Result<()> {
    for (number, (our, their)) in ours.lines().zip(theirs.lines()).enumerate() {
        if our != their {
            bail!("{what}: line {} is {our:?} in the guest and {their:?} on the host", number + 1);
        }
    }
    ensure!(ours == theirs, "{what}: the guest printed {} bytes, the host {}", ours.len(), theirs.len());
    say(&format!("{what}: {} lines are the same in the guest and on the host", ours.lines().count()));
    Ok(())
}
