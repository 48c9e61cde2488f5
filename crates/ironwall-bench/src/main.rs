//! Measures the Ironwall runtime beside the Boehm collector and malloc: `ironwall-bench [PAIRS [FILTER]]`.
//!
//! Every run is a process of its own, `ironwall-bench run MEMORY PROGRAM`, that prints its figures. The runs of a
//! comparison alternate, and what is told is the median of the ratios of neighbours. Boehm is loaded at run time
//! (`libgc.so.1`, one marker) and gets the same nodes: the same 32 bytes of prefix, written too. `boehm-plain` is
//! Boehm as one would use it, without a prefix.

#![expect(clippy::print_stdout, reason = "a command that prints a table")]

mod memory;
mod programs;

use anyhow::{Context, Result, bail};
use memory::{Boehm, Ironwall, Malloc};
use programs::{Figures, PROGRAMS};
use std::process::Command;

/// What is compared with Boehm on the same nodes.
const MEMORIES: [&str; 4] = ["ironwall", "ironwall-unwiped", "boehm-plain", "malloc"];

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["run", memory, program] => {
            println!("{}", run(memory, program)?);
            Ok(())
        }
        [] => compare(7, ""),
        [pairs] => compare(pairs.parse().context("the number of pairs")?, ""),
        [pairs, filter] => compare(pairs.parse().context("the number of pairs")?, filter),
        _ => bail!("usage: ironwall-bench [PAIRS [FILTER]]"),
    }
}

/// One run, in this process.
fn run(memory: &str, program: &str) -> Result<Figures> {
    let program = PROGRAMS.iter().find(|(name, _)| *name == program).context("no such program")?.1;
    Ok(match memory {
        "ironwall" => program.run(&mut Ironwall::new(true)?),
        "ironwall-unwiped" => program.run(&mut Ironwall::new(false)?),
        "boehm" => program.run(&mut Boehm::<4>::new()?),
        "boehm-plain" => program.run(&mut Boehm::<0>::new()?),
        "malloc" => program.run(&mut Malloc),
        _ => bail!("no such memory"),
    })
}

/// One run, in a process of its own.
fn spawn(memory: &str, program: &str) -> Result<Figures> {
    let child =
        Command::new(std::env::current_exe()?).args(["run", memory, program]).env("GC_MARKERS", "1").output()?;
    let text = String::from_utf8_lossy(&child.stdout);
    text.trim().parse().ok().with_context(|| {
        format!("{memory} {program}: {} {text}{}", child.status, String::from_utf8_lossy(&child.stderr))
    })
}

fn compare(pairs: usize, filter: &str) -> Result<()> {
    println!("| Program | Run | CPU s | ÷ Boehm | (range) | Peak MiB | ÷ Boehm | Longest pause ms | ÷ Boehm |");
    println!("|---|---|---|---|---|---|---|---|---|");
    for (program, kind) in PROGRAMS.iter().filter(|(name, _)| name.contains(filter)) {
        spawn("boehm", program)?;
        let mut boehm_cpu = Vec::new();
        for memory in MEMORIES.into_iter().filter(|memory| kind.suits(memory)) {
            let mut rows: Vec<(Figures, Figures)> = Vec::new();
            for i in 0..pairs {
                let one = if i % 2 == 0 { Some(spawn(memory, program)?) } else { None };
                let boehm = spawn("boehm", program)?;
                let one = one.map_or_else(|| spawn(memory, program), Ok)?;
                rows.push((one, boehm));
                boehm_cpu.push(boehm.cpu_s);
            }
            let of = |f: fn(&Figures) -> f64| sorted(rows.iter().map(|(one, _)| f(one)));
            let ratio = |f: fn(&Figures) -> f64| sorted(rows.iter().map(|(one, boehm)| f(one) / f(boehm)));
            let cpu = ratio(|figures| figures.cpu_s);
            println!(
                "| {program} | {memory} | {:.3} | **{:.2}** | {:.2}–{:.2} | {:.0} | {:.2} | {:.1} | {:.2} |",
                middle(&of(|figures| figures.cpu_s)),
                middle(&cpu),
                cpu[0],
                cpu[cpu.len() - 1],
                middle(&of(|figures| figures.peak_mib)),
                middle(&ratio(|figures| figures.peak_mib)),
                middle(&of(|figures| figures.pause_ms)),
                middle(&ratio(|figures| figures.pause_ms)),
            );
        }
        println!("| {program} | boehm | {:.3} | 1 | | | | | |", middle(&sorted(boehm_cpu.into_iter())));
    }
    Ok(())
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}

fn middle(sorted: &[f64]) -> f64 {
    sorted[sorted.len() / 2]
}
