//! The order in which bodies run: imports first, then by UUID. It is the order that the runtime makes too.

use super::Finding;
use super::units::{LinkedUnit, find};
use std::collections::BTreeSet;

/// The places of units, which ascend by UUID, in the order of their bodies. Cycles are reported, each by name.
pub(super) fn order(units: &[LinkedUnit<'_>], findings: &mut Vec<Finding>) -> Vec<usize> {
    let mut waits_for: Vec<BTreeSet<usize>> = (0..units.len()).map(|i| direct(units, i)).collect();
    let mut importers: Vec<Vec<usize>> = vec![Vec::new(); units.len()];
    for (i, imports) in waits_for.iter().enumerate() {
        imports.iter().for_each(|&import| importers[import].push(i));
    }
    let mut ready: BTreeSet<usize> = (0..units.len()).filter(|&i| waits_for[i].is_empty()).collect();
    let mut waiting: BTreeSet<usize> = (0..units.len()).filter(|i| !ready.contains(i)).collect();
    let mut order = Vec::with_capacity(units.len());
    while order.len() < units.len() {
        let next = ready.pop_first().map_or_else(|| cycle(&waits_for, &waiting), |next| vec![next]);
        if let [_, _, ..] = next[..] {
            findings.push(describe(units, &next));
        }
        for i in next {
            waiting.remove(&i);
            order.push(i);
            for &importer in &importers[i] {
                waits_for[importer].remove(&i);
                if waits_for[importer].is_empty() && waiting.remove(&importer) {
                    ready.insert(importer);
                }
            }
        }
    }
    order
}

/// The units that a unit imports, itself not among them. Those that are not there are reported elsewhere.
fn direct(units: &[LinkedUnit<'_>], i: usize) -> BTreeSet<usize> {
    let imports = units[i].manifest.imports.iter();
    imports.filter_map(|&import| find(units, import)).filter(|&import| import != i).collect()
}

/// The units that a unit imports, and those that they import, and so on.
pub(super) fn imported(units: &[LinkedUnit<'_>], i: usize) -> BTreeSet<usize> {
    let mut all = BTreeSet::new();
    let mut next = vec![i];
    while let Some(unit) = next.pop() {
        next.extend(direct(units, unit).into_iter().filter(|&import| all.insert(import)));
    }
    all
}

/// A cycle among units each of which waits for another of them, from the one with the least UUID on.
fn cycle(waits_for: &[BTreeSet<usize>], waiting: &BTreeSet<usize>) -> Vec<usize> {
    let mut path: Vec<usize> = waiting.first().copied().into_iter().collect();
    while let Some(next) = path.last().and_then(|&last| waits_for[last].first().copied()) {
        if let Some(start) = path.iter().position(|&i| i == next) {
            path.drain(..start);
            break;
        }
        path.push(next);
    }
    let least = (0..path.len()).min_by_key(|&at| path[at]).unwrap_or(0);
    path.rotate_left(least);
    path
}

fn describe(units: &[LinkedUnit<'_>], cycle: &[usize]) -> Finding {
    let first = &units[cycle[0]];
    let titles: Vec<String> = cycle.iter().chain([&cycle[0]]).map(|&i| units[i].manifest.title()).collect();
    let what = format!("units import each other in a circle: {}", titles.join(" imports "));
    first.finding(first.manifest.at, "link.import-cycle", what)
}
