//! Four processors at once.

use super::stage::Stage;
use anyhow::{Result, ensure};
use std::time::{Duration, Instant};

const CPUS: u8 = 4;

/// How long the load may take.
const PATIENCE: Duration = Duration::from_secs(240);

/// Pipelines, forks and files beside each other; each prints what it must. For a
/// shell of its own, which says nothing about its jobs.
const LOAD: &str = "for i in 1 2 3 4 5 6 7 8; do \
    (seq 1 20000 | sort -n | sha256sum; \
     j=0; while [ $j -lt 50 ]; do (exit 3); [ $? = 3 ] || echo lost; j=$((j+1)); done; \
     seq 1 5000 > /tmp/f$i; sort -rn /tmp/f$i | tail -n 1) & \
    done; wait";

pub(super) fn run(stage: &Stage<'_>) -> Result<String> {
    stage.with(
        "smp",
        |setup| setup.cpus = CPUS,
        |shell| {
            shell.demand("nproc", &CPUS.to_string())?;
            let digest = shell.value("seq 1 20000 | sort -n | sha256sum")?;
            let start = Instant::now();
            let text = shell.value_within(&format!("sh -c '{LOAD}'"), PATIENCE)?;
            let took = start.elapsed();
            let count = |wanted: &str| text.lines().filter(|line| *line == wanted).count();
            ensure!(count(&digest) == 8 && count("1") == 8, "the load printed {text:?}");
            ensure!(text.lines().count() == 16, "the load printed {text:?}");
            shell.value_within("/show/regs_switch > /dev/null", PATIENCE)?;
            Ok(format!("{CPUS} processors, the load in {:.1} s", took.as_secs_f64()))
        },
    )
}
