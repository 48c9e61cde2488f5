//! `cargo xtask bare --disk`: what is on a disk after a machine has written to
//! it. After it turned itself off, and after its power was cut, `e2fsck` must
//! find nothing; and what `fsync` promised before the cut must be there.

use super::qemu::{Disk, Fate, Setup, place};
use super::suite::{self, Kernel};
use crate::shell::{root, run as run_command, say};
use crate::toolchain::cross_gcc;
use anyhow::{Context, Result, bail, ensure};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// A machine that has not answered for this long hangs.
const PATIENCE: Duration = Duration::from_secs(120);

/// After how many promises the power is cut, each once.
const CUTS: &[u32] = &[3, 17, 40, 75];

/// How many files are replaced in turn; `writer.c` has the same number.
const SLOTS: u32 = 16;

/// Runs the load to its end once, and cuts its power several times.
pub(super) fn run(kernel: &Kernel) -> Result<()> {
    let image = disk()?;
    let mut machine = setup(kernel, &image, 60).start()?;
    match machine.finish(PATIENCE, kernel.image())? {
        Fate::PoweredOff | Fate::Exited(0) => {}
        fate => bail!("{fate}: {}", machine.console.text()),
    }
    ensure!(machine.console.text().contains("finished"), "the load failed: {}", machine.console.text());
    check(&image)?;
    promises(&image, 60)?;
    say("a disk that was written to and left in order is clean");
    for cut in CUTS {
        let image = disk()?;
        let mut machine = setup(kernel, &image, 0).start()?;
        machine.console.expect(&format!("synced {cut}\r\n"), PATIENCE)?;
        // Killing QEMU loses what the machine has not given to its disk.
        drop(machine);
        replay(&image)?;
        check(&image).with_context(|| format!("the power was cut after promise {cut}"))?;
        promises(&image, *cut).with_context(|| format!("the power was cut after promise {cut}"))?;
        say(&format!("a disk whose power was cut after promise {cut} is clean and keeps it"));
    }
    Ok(())
}

/// A fresh disk with the load as its only program.
fn disk() -> Result<PathBuf> {
    let place = place()?.join("disk");
    let tree = place.join("tree");
    for name in ["sbin", "proc", "dev", "tmp"] {
        fs::create_dir_all(tree.join(name))?;
    }
    let mut command = Command::new(cross_gcc()?);
    command.args(["-O2", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-static", "-o"]);
    run_command(command.arg(tree.join("sbin/writer")).arg(root().join("tests/bare/writer.c")))?;
    // Only a journal keeps a file system whole without a repair.
    let image = place.join("disk.img");
    let mut command = Command::new(suite::tool("mke2fs")?);
    command.args(["-q", "-F", "-t", "ext3", "-b", "4096", "-E", "root_owner=0:0", "-d"]);
    run_command(command.arg(&tree).arg(&image).arg("128M"))?;
    Ok(image)
}

fn setup(kernel: &Kernel, image: &Path, rounds: u32) -> Setup {
    let mut setup = kernel.setup();
    setup.disks.push(Disk { image: image.to_path_buf(), keep: true });
    setup.append = format!("root=/dev/vda rw init=/sbin/writer -- {rounds}");
    setup
}

/// Does what a mount does first: takes what the journal has to its places.
/// Repairs nothing.
fn replay(image: &Path) -> Result<()> {
    let output = Command::new(suite::tool("e2fsck")?).args(["-y", "-E", "journal_only"]).arg(image).output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(matches!(output.status.code(), Some(0 | 1)), "the journal cannot be replayed: {}:\n{text}", output.status);
    Ok(())
}

/// `e2fsck` finds nothing to repair.
fn check(image: &Path) -> Result<()> {
    let output = Command::new(suite::tool("e2fsck")?).arg("-fn").arg(image).output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(output.status.success(), "e2fsck -fn: {}:\n{text}", output.status);
    Ok(())
}

/// Every file holds the number that was promised last, or a later one, whole.
fn promises(image: &Path, last: u32) -> Result<()> {
    let mut promised = BTreeMap::new();
    for number in 1..=last {
        promised.insert(number % SLOTS, number);
    }
    for (slot, number) in promised {
        let mut command = Command::new(suite::tool("debugfs")?);
        let output = command.args(["-R", &format!("cat /load/keep{slot}")]).arg(image).output()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let found: u32 = text.lines().next().unwrap_or_default().parse().unwrap_or(0);
        ensure!(found >= number && found % SLOTS == slot, "keep{slot} holds {found}, but {number} was promised");
        let is_whole = text.lines().count() == 2000 && text.lines().all(|line| line.parse() == Ok(found));
        ensure!(is_whole, "keep{slot} is damaged");
    }
    Ok(())
}
