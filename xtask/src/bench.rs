//! `cargo xtask bench`: times the programs of `tests/bench` under `vambrace`
//! and under `qemu-aarch64`, in turns, so that both meet the same machine.
//!
//! The figure is processor time, user and system, of the program and all that
//! it starts. A ratio compares two neighbouring samples; a row shows the median
//! of its ratios, a group the geometric mean of its rows.

use crate::guest::vambrace;
use crate::shell::{files_in, root, run as run_command, say, target_dir};
use crate::toolchain::{cross_gcc, qemu};
use anyhow::{Context, Result, bail, ensure};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Rounds unless told otherwise.
const ROUNDS: usize = 5;

/// Prints the speed of `vambrace` as a multiple of QEMU's, by row and by group.
///
/// # Errors
/// Missing tools, and outputs that differ.
pub(crate) fn run(args: &[String]) -> Result<()> {
    let (mut rounds, mut names) = (ROUNDS, Vec::new());
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        match arg.as_str() {
            "--rounds" => rounds = rest.next().context("--rounds needs a number")?.parse()?,
            name if !name.starts_with('-') => names.push(name.to_owned()),
            _ => bail!("{arg}: unknown; bench [--rounds N] [NAME…]"),
        }
    }
    ensure!(rounds > 0, "at least one round is needed");
    let programs = build(&names)?;
    let (ours, theirs) = (vec![vambrace()?, "run".into(), "--".into()], vec![qemu()?]);
    say(&format!("{:<16} {:>12} {:>12} {:>8}", "row", "vambrace", "qemu", "speed"));
    let mut groups: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for program in &programs {
        let name = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut samples = Vec::new();
        for _ in 0..rounds {
            let (own, reference) = (sample(&ours, program)?, sample(&theirs, program)?);
            // QEMU cannot start an ARM64 program from within a guest by itself.
            if reference.1.is_some() && !name.starts_with("process_spawn") {
                ensure!(own.1 == reference.1, "{name}: the outputs differ");
            }
            samples.push((own.0, reference.0));
        }
        let ratio = median(samples.iter().map(|(own, reference)| reference / own).collect());
        let own = median(samples.iter().map(|sample| sample.0).collect());
        let reference = median(samples.iter().map(|sample| sample.1).collect());
        say(&format!("{name:<16} {:>9.1} ms {:>9.1} ms {ratio:>8.2}", own * 1e3, reference * 1e3));
        groups.entry(name.split('_').next().unwrap_or_default().to_owned()).or_default().push(ratio);
    }
    say("\ngeometric means of the speed, qemu-aarch64 = 1");
    for (group, ratios) in &groups {
        say(&format!("{group:<16} {:>8.2}", geometric_mean(ratios)));
    }
    let is_compute = |group: &&String| !matches!(group.as_str(), "startup" | "process");
    let compute: Vec<f64> =
        groups.iter().filter(|(group, _)| is_compute(group)).flat_map(|(_, ratios)| ratios.clone()).collect();
    if !compute.is_empty() {
        say(&format!("{:<16} {:>8.2}", "all compute", geometric_mean(&compute)));
    }
    Ok(())
}

fn build(names: &[String]) -> Result<Vec<PathBuf>> {
    let (compiler, source, out) = (cross_gcc()?, root().join("tests/bench"), target_dir().join("bench"));
    std::fs::create_dir_all(&out).with_context(|| format!("cannot make {}", out.display()))?;
    let mut programs = Vec::new();
    for file in files_in(&source, "c")? {
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if names.is_empty() || names.iter().any(|wanted| name.contains(wanted.as_str())) {
            let program = out.join(&name);
            let mut command = Command::new(&compiler);
            command.args(["-O2", "-std=gnu11", "-Wall", "-Wextra", "-static", "-o"]);
            run_command(command.arg(&program).arg(&file).arg("-lm"))?;
            programs.push(program);
        }
    }
    ensure!(!programs.is_empty(), "no benchmark has such a name");
    Ok(programs)
}

/// Seconds of processor time of the children that have ended, from `/proc/self/stat`.
fn children_seconds() -> Result<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |index: usize| fields.get(index).and_then(|text| text.parse::<f64>().ok());
    let (user, system) = ticks(13).zip(ticks(14)).context("/proc/self/stat has too few fields")?;
    Ok((user + system) / 100.0)
}

/// The processor time of one run, and its output if it succeeded.
///
/// The kernel counts in hundredths of a second, so short programs run until
/// they have taken a tenth.
fn sample(prefix: &[PathBuf], program: &Path) -> Result<(f64, Option<Vec<u8>>)> {
    let words: Vec<&Path> = prefix.iter().map(PathBuf::as_path).chain([program]).collect();
    let (first, others) = words.split_first().context("a program to run")?;
    let before = children_seconds()?;
    let (mut runs, mut text) = (0_u32, None);
    loop {
        let output = Command::new(first).args(others).stdin(Stdio::null()).stderr(Stdio::inherit()).output()?;
        runs += 1;
        ensure!(output.status.success(), "{} failed: {}", first.display(), output.status);
        text.get_or_insert(output.stdout);
        let taken = children_seconds()? - before;
        if taken >= 0.2 || runs >= 200 {
            return Ok((taken.max(0.005) / f64::from(runs), text));
        }
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn geometric_mean(values: &[f64]) -> f64 {
    let logs: f64 = values.iter().map(|value| value.ln()).sum();
    (logs / values.len() as f64).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_are_those_of_ratios() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert!((geometric_mean(&[0.5, 2.0, 8.0]) - 2.0).abs() < 1e-12);
    }
}
