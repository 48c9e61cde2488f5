//! `cargo xtask busybox`: Debian's static ARM64 busybox runs a script in a
//! guest, and the host's own tools run the same; the outputs must be equal.

use crate::guest::vambrace;
use crate::shell::{root, say, target_dir};
use crate::{setup, shell};
use anyhow::{Context, Result, bail, ensure};
use std::fs;
use std::process::{Command, Stdio};

/// What makes busybox's commands the guest's, and runs the script with them.
const START: &str = "/debian/busybox mkdir /tmp/bin /tmp/empty && /debian/busybox --install -s /tmp/bin \
                     && cd /tmp/empty && PATH=/tmp/bin && export PATH && exec /debian/busybox sh /tests/script.sh";

/// Compares the two.
///
/// # Errors
/// Different outputs, or missing tools.
pub(crate) fn run(args: &[String]) -> Result<()> {
    ensure!(args.is_empty(), "usage: cargo xtask busybox");
    let busybox = setup::busybox()?;
    let bin = busybox.parent().context("busybox lies in a directory")?;
    let tests = root().join("tests/busybox");
    let mut guest = Command::new(vambrace()?);
    guest.arg("shell").args(["--bind", &format!("{}:/debian:ro", bin.display())]);
    guest.args(["--bind", &format!("{}:/tests:ro", tests.display())]).args(["--", "-c", START]);
    let ours = shell::output(guest.stdin(Stdio::null()))?;

    let empty = target_dir().join("busybox-native");
    if empty.exists() {
        fs::remove_dir_all(&empty)?;
    }
    fs::create_dir_all(&empty)?;
    let mut native = Command::new("sh");
    native.arg(tests.join("script.sh")).current_dir(&empty).stdin(Stdio::null());
    let theirs = shell::output(&mut native)?;

    for (number, (our, their)) in ours.lines().zip(theirs.lines()).enumerate() {
        if our != their {
            bail!("line {} is {our:?} in the guest and {their:?} on the host", number + 1);
        }
    }
    ensure!(ours == theirs, "the guest printed {} bytes, the host {}", ours.len(), theirs.len());
    say(&format!("{} lines are the same in the guest and on the host", ours.lines().count()));
    Ok(())
}
