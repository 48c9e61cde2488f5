//! One script under two userlands, hosted and bare: the same bytes.

use super::stage::{Stage, check_disk, read_from};
use crate::guest::vambrace;
use crate::setup;
use crate::shell::{output, root};
use anyhow::{Context, Result, bail, ensure};
use std::process::{Command, Stdio};
use std::time::Duration;

/// How long the script may take on an emulated machine.
const PATIENCE: Duration = Duration::from_secs(300);

/// A userland: its name, and the command that runs the script with it.
const USERLANDS: &[(&str, &str)] = &[
    (
        "busybox",
        "mkdir /tmp/bin /tmp/busybox && /show/busybox --install -s /tmp/bin && cd /tmp/busybox \
         && PATH=/tmp/bin /show/busybox sh /show/script.sh",
    ),
    ("embedded", "mkdir /tmp/embedded && cd /tmp/embedded && sh /show/script.sh"),
];

pub(super) fn run(stage: &Stage<'_>) -> Result<String> {
    let hosted = USERLANDS.iter().map(|(_, command)| hosted(command)).collect::<Result<Vec<_>>>()?;
    let mut setup = stage.setup("script")?;
    setup.memory_mib = 1024;
    let image = setup.disks.first().context("a machine without a disk")?.image.clone();
    let mut machine = stage.start(&setup)?;
    let ran = machine.login().and_then(|mut shell| {
        USERLANDS.iter().try_for_each(|(name, command)| {
            let command = format!("({command}) < /dev/null > /root/{name}");
            let answer = shell.run_within(&command, PATIENCE)?;
            ensure!(answer.status == 0, "{name}: status {}: {}", answer.status, answer.output);
            Ok(())
        })
    });
    if let Err(error) = ran {
        return Err(machine.explain(error));
    }
    machine.power_off()?;
    check_disk(&image)?;
    let mut outputs = Vec::new();
    for ((name, _), hosted) in USERLANDS.iter().zip(hosted) {
        let bare = String::from_utf8(read_from(&image, &format!("/root/{name}"))?)?;
        outputs.push((format!("{name}, hosted"), hosted));
        outputs.push((format!("{name}, bare"), bare));
    }
    let ((first, wanted), others) = outputs.split_first().context("no userlands")?;
    for (name, text) in others {
        compare((first, wanted), (name, text))?;
    }
    Ok(format!("{} lines are the same in {} runs", wanted.lines().count(), outputs.len()))
}

/// What the script prints in a guest inside a process.
fn hosted(command: &str) -> Result<String> {
    let busybox = setup::busybox()?;
    let script = root().join("tests/busybox/script.sh");
    let mut guest = Command::new(vambrace()?);
    guest.arg("shell").args(["--bind", &format!("{}:/show/busybox:ro", busybox.display())]);
    guest.args(["--bind", &format!("{}:/show/script.sh:ro", script.display())]).args(["--", "-c", command]);
    output(guest.stdin(Stdio::null()))
}

/// Names the first line that differs.
fn compare((first, wanted): (&str, &str), (name, text): (&str, &str)) -> Result<()> {
    for (number, (line, want)) in text.lines().zip(wanted.lines()).enumerate() {
        if line != want {
            bail!("line {} is {want:?} with {first} and {line:?} with {name}", number + 1);
        }
    }
    ensure!(text == wanted, "{first} printed {} bytes, {name} {}", wanted.len(), text.len());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_that_differ_in_a_line_or_at_the_end_are_not_the_same() {
        assert!(compare(("a", "1\n2\n"), ("b", "1\n2\n")).is_ok());
        let error = compare(("a", "1\n2\n"), ("b", "1\n3\n")).unwrap_err().to_string();
        assert!(error.contains("line 2"), "{error}");
        assert!(compare(("a", "1\n2\n"), ("b", "1\n")).is_err());
        assert!(compare(("a", "1\n2\n"), ("b", "1\n2")).is_err());
    }
}
