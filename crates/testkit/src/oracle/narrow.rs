//! Finds the instruction of a run from which on the two sides differ.

use std::fmt::Write as _;

use a64::decode;
use anyhow::Result;

use super::case::{Batch, Case, Kind, Outcome};
use super::compare::describe;
use super::known::{self, Difference};
use super::ours::Ours;
use super::reference::Reference;

/// What is left of a run that differs.
#[derive(Clone, Debug)]
pub struct Narrowed {
    /// The instruction with its operands, and how its outcomes differ.
    pub text: String,
    /// The rule that explains it, if one does.
    pub rule: Option<&'static str>,
}

/// Runs the case's first instruction, its first two, and so on, on both sides.
///
/// # Errors
/// If the reference fails.
pub fn narrow(reference: &Reference, batch: &Batch, index: usize) -> Result<Narrowed> {
    let case = &batch.cases[index];
    let prefix = |len: usize| Case { words: case.words[..len].to_vec(), ..case.clone() };
    let prefixes = Batch { seed: batch.seed, cases: (1..=case.words.len()).map(prefix).collect() };
    let expected = reference.run(&prefixes)?;
    let found = Ours::new()?.run(&prefixes);
    let Some(at) = (0..case.words.len()).find(|&at| expected[at] != found[at]) else {
        let text = format!("only the whole run differs, not the parts: {}\n    {}\n", case.text(), case.inputs());
        return Ok(Narrowed { text, rule: None });
    };
    let Some(encoding) = decode(case.words[at]) else {
        return Ok(Narrowed { text: describe(case, &expected[at], &found[at]), rule: None });
    };
    let start = Case { encoding, words: vec![case.words[at]], kind: Kind::Row, ..case.clone() };
    let single = if at == 0 { start } else { continued(start, &found[at - 1]) };
    let difference = Difference { seed: batch.seed, case: &single, expected: &expected[at], found: &found[at] };
    let rule = known::explain(&difference);
    let mut text = String::new();
    let _ = writeln!(text, "instruction {} of {}: {}", at + 1, case.words.len(), case.text());
    let alone = Batch { seed: batch.seed, cases: vec![single.clone()] };
    if reference.run(&alone)? == Ours::new()?.run(&alone) {
        let _ = writeln!(text, "    agrees when it runs alone, so what is before it matters");
    }
    text += &describe(&single, &expected[at], &found[at]);
    Ok(Narrowed { text, rule })
}

/// `case`, starting where the instructions before it ended.
fn continued(case: Case, before: &Outcome) -> Case {
    Case { x: before.x, sp: before.sp, nzcv: before.nzcv, fpcr: before.fpcr, fpsr: before.fpsr, v: before.v, ..case }
}
