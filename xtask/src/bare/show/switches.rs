//! Sharing the processor: how much each gets, and that nothing is lost.

use super::stage::Stage;
use crate::tap::{self, End};
use anyhow::{Context, Result, ensure};
use std::time::Duration;

/// How long a program may take on an emulated machine.
const PATIENCE: Duration = Duration::from_secs(180);

/// By how much the larger share may exceed the smaller.
const TOLERANCE: f64 = 0.1;

pub(super) fn share(stage: &Stage<'_>) -> Result<String> {
    stage.with(
        "share",
        |_| {},
        |shell| {
            let text = shell.value_within("/show/share 3000", PATIENCE)?;
            let counts = text.split_whitespace().map(str::parse).collect::<Result<Vec<f64>, _>>();
            let counts = counts.with_context(|| format!("share printed {text:?}"))?;
            let [first, second] = counts[..] else { anyhow::bail!("share printed {text:?}") };
            let (less, more) = (first.min(second), first.max(second));
            ensure!(less > 0.0 && more / less <= 1.0 + TOLERANCE, "one got {first} turns, the other {second}");
            Ok(format!("the shares differ by {:.1} %", (more / less - 1.0) * 100.0))
        },
    )
}

pub(super) fn registers(stage: &Stage<'_>) -> Result<String> {
    stage.with(
        "registers",
        |_| {},
        |shell| {
            let answer = shell.run_within("/show/regs_switch", PATIENCE)?;
            let outcome = tap::judge(answer.output.lines(), &End::Exit(answer.status));
            ensure!(outcome.trouble.is_none() && outcome.failed.is_empty(), "{}", answer.output);
            Ok(format!("{} checks passed", outcome.passed.len()))
        },
    )
}
