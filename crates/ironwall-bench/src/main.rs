//! Measures the Ironwall runtime beside the Boehm collector and malloc: `ironwall-bench [ROUNDS [FILTER]]`.
//!
//! Every run is a process of its own, `ironwall-bench run MEMORY PROGRAM`, that prints its figures. In a round, all
//! memories run a program one after the other, in the opposite order each second time, and what is told is the median
//! of the ratios in rounds. Boehm is loaded at run time
//! (`libgc.so.1`, one marker) and gets the same nodes: the same 32 bytes of prefix, written too. `boehm-plain` is
//! Boehm as one would use it, without a prefix.

#![expect(clippy::print_stdout, reason = "a command that prints a table")]

mod memory;
mod programs;

use anyhow::{Context, Result, bail};
use memory::{Boehm, Ironwall, Malloc};
use programs::{Figures, PROGRAMS, Program};
use std::collections::BTreeMap;
use std::process::Command;

/// What is compared.
const MEMORIES: [&str; 5] = ["ironwall", "ironwall-unwiped", "boehm", "boehm-plain", "malloc"];

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["run", memory, program] => {
            println!("{}", run(memory, program)?);
            Ok(())
        }
        [] => compare(7, ""),
        [rounds] => compare(rounds.parse().context("the number of rounds")?, ""),
        [rounds, filter] => compare(rounds.parse().context("the number of rounds")?, filter),
        _ => bail!("usage: ironwall-bench [ROUNDS [FILTER]]"),
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

fn compare(rounds: usize, filter: &str) -> Result<()> {
    println!(
        "| Program | Run | CPU s | Mobj/s | ÷ Boehm | (range) | ÷ malloc | Peak MiB | ÷ Boehm | ÷ malloc | Longest pause ms | ÷ Boehm |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|");
    for (program, kind) in PROGRAMS.iter().filter(|(name, _)| name.contains(filter)) {
        let mut memories: Vec<&str> = MEMORIES.into_iter().filter(|memory| kind.suits(memory)).collect();
        // So that files are in memory and the processor is awake.
        spawn("boehm", program)?;
        let mut all: Vec<BTreeMap<&str, Figures>> = Vec::new();
        for _ in 0..rounds {
            let runs = memories.iter().map(|&memory| Ok((memory, spawn(memory, program)?)));
            all.push(runs.collect::<Result<_>>()?);
            // What grows or shrinks with time is then in neither's favour.
            memories.reverse();
        }
        for memory in MEMORIES.into_iter().filter(|memory| kind.suits(memory)) {
            println!("{}", row(program, *kind, memory, &all));
        }
    }
    Ok(())
}

/// A line of the table: medians of figures, and of their ratios to those of the same round.
fn row(program: &str, kind: Program, memory: &str, all: &[BTreeMap<&str, Figures>]) -> String {
    let of = |f: fn(&Figures) -> f64| sorted(all.iter().map(|round| f(&round[memory])));
    let ratios = |to: &str, f: fn(&Figures) -> f64| {
        sorted(all.iter().filter_map(|round| Some(f(&round[memory]) / f(round.get(to)?))))
    };
    let ratio = |to: &str, f: fn(&Figures) -> f64| {
        let ratios = ratios(to, f);
        if to == memory || ratios.is_empty() { "–".to_owned() } else { format!("{:.2}", middle(&ratios)) }
    };
    let [cpu, peak, pause] = [|f: &Figures| f.cpu_s, |f: &Figures| f.peak_mib, |f: &Figures| f.pause_ms];
    let (seconds, cpu_ratios) = (middle(&of(cpu)), ratios("boehm", cpu));
    let speed = kind.objects().map_or_else(|| "–".to_owned(), |objects| format!("{:.0}", objects / seconds / 1e6));
    let range = match cpu_ratios[..] {
        [first, .., last] if memory != "boehm" => format!("{first:.2}–{last:.2}"),
        _ => "–".to_owned(),
    };
    let (pause_ms, pause_ratio) = match middle(&of(pause)) {
        // What does not collect.
        ms if ms < 0.1 => ("–".to_owned(), "–".to_owned()),
        ms => (format!("{ms:.1}"), ratio("boehm", pause)),
    };
    format!(
        "| {program} | {memory} | {seconds:.3} | {speed} | {} | {range} | {} | {:.0} | {} | {} | {pause_ms} | {pause_ratio} |",
        ratio("boehm", cpu),
        ratio("malloc", cpu),
        middle(&of(peak)),
        ratio("boehm", peak),
        ratio("malloc", peak),
    )
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}

fn middle(sorted: &[f64]) -> f64 {
    sorted[sorted.len() / 2]
}
