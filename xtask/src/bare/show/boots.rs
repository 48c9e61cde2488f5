//! Booting again and again: one failure in a hundred is a failure.

use super::stage::Stage;
use anyhow::{Context, Result, bail};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// How many boots the case has; `--boots N` does more.
const BOOTS: usize = 10;

/// How many machines run at the same time.
const WORKERS: usize = 2;

pub(super) fn run(stage: &Stage<'_>) -> Result<String> {
    repeat(stage, BOOTS)
}

/// Boots to the prompt, runs a command, and turns the machine off, `count` times.
pub(super) fn repeat(stage: &Stage<'_>, count: usize) -> Result<String> {
    let (next, results) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for worker in 0..WORKERS {
            let (next, results) = (&next, &results);
            scope.spawn(move || {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        return;
                    }
                    let result = boot(stage, worker).with_context(|| format!("boot {}", number + 1));
                    results.lock().unwrap_or_else(PoisonError::into_inner).push(result);
                }
            });
        }
    });
    let (mut times, mut failed) = (Vec::new(), Vec::new());
    for result in results.into_inner().unwrap_or_else(PoisonError::into_inner) {
        match result {
            Ok(time) => times.push(time),
            Err(error) => failed.push(format!("{error:#}")),
        }
    }
    if !failed.is_empty() {
        bail!("{} of {count} boots: {}", failed.len(), failed.join("; "));
    }
    times.sort();
    let [first, .., last] = times[..] else { bail!("at least two boots are needed") };
    let middle = times[times.len() / 2];
    let seconds = |time: Duration| format!("{:.2}", time.as_secs_f64());
    Ok(format!(
        "{count} boots, {WORKERS} at a time, to the prompt in {} to {} s, median {} s",
        seconds(first),
        seconds(last),
        seconds(middle)
    ))
}

/// The time from the first instruction to the prompt.
fn boot(stage: &Stage<'_>, worker: usize) -> Result<Duration> {
    let setup = stage.setup(&format!("boots-{worker}"))?;
    let mut machine = stage.start(&setup)?;
    let started = machine.running.started;
    let result = machine.login().and_then(|mut shell| {
        let took = started.elapsed();
        shell.demand("echo $((6*7))", "42")?;
        Ok(took)
    });
    match result {
        Ok(took) => machine.power_off().map(|()| took),
        Err(error) => Err(machine.explain(error)),
    }
}
