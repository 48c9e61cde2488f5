//! The heap as a picture: one cell for each block of 64 KiB, filled from below by what lives, then by what is dead
//! but not reclaimed yet. A cell has the colour of the unit with the largest part of it.
//!
//! The same snapshot gives the same text. Where there are more blocks than cells, each cell stands for a run of them.

use crate::snapshot::{ObjectId, Snapshot};
use std::collections::BTreeMap;
use std::fmt::Write;

const BLOCK: u64 = 64 << 10;
/// The most cells.
const MAX_CELLS: u64 = 4096;
const COLUMNS: u64 = 64;
/// The side of a cell, and the distance from one to the next.
const SIDE: u64 = 14;
const STEP: u64 = 16;
const COLOURS: [&str; 10] =
    ["#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#ee8866", "#44bb99", "#99ddff", "#bbcc33"];

/// What lies in a cell, in bytes.
#[derive(Clone, Debug, Default)]
struct Cell {
    live: u64,
    dead: u64,
    /// By structure, whether live or dead.
    structures: BTreeMap<u32, u64>,
}

/// The picture of a heap as SVG; `None` if the snapshot has no addresses.
#[must_use]
pub fn svg(snapshot: &Snapshot) -> Option<String> {
    let heap = snapshot.heap()?;
    let end = snapshot.objects.iter().filter_map(|object| Some(object.address? + 32 + object.bytes)).max();
    let used = (end.unwrap_or(heap.start) - heap.start).div_ceil(BLOCK).max(1);
    let span = used.div_ceil(MAX_CELLS) * BLOCK;
    let mut cells = vec![Cell::default(); (used * BLOCK).div_ceil(span) as usize];
    let mut is_live = vec![false; snapshot.objects.len()];
    snapshot.reachable().iter().for_each(|object| is_live[object.0 as usize] = true);
    for (i, object) in snapshot.objects.iter().enumerate() {
        let start = object.address? - heap.start;
        let end = start + 32 + object.bytes;
        // A large object lies in several blocks.
        for number in start / span..end.div_ceil(span) {
            let cell = cells.get_mut(number as usize)?;
            let part = end.min((number + 1) * span) - start.max(number * span);
            *if is_live[i] { &mut cell.live } else { &mut cell.dead } += part;
            *cell.structures.entry(object.structure).or_default() += part;
        }
    }
    Some(draw(snapshot, &cells, span))
}

fn draw(snapshot: &Snapshot, cells: &[Cell], span: u64) -> String {
    let rows = (cells.len() as u64).div_ceil(COLUMNS);
    let legend = 24 + rows * STEP + 16;
    let (width, height) = (16 + COLUMNS * STEP, legend + 18 * (snapshot.units().len() as u64 + 2));
    let mut text = String::new();
    let live: u64 = cells.iter().map(|cell| cell.live).sum();
    let dead: u64 = cells.iter().map(|cell| cell.dead).sum();
    let mut line = |args: std::fmt::Arguments<'_>| {
        // Writing to a string does not fail.
        let _ = text.write_fmt(args);
        text.push('\n');
    };
    line(format_args!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif" font-size="12">"#
    ));
    line(format_args!(r##"<rect width="100%" height="100%" fill="#ffffff"/>"##));
    let objects = snapshot.objects().len();
    line(format_args!(
        r#"<text x="8" y="16">{objects} objects, {live} bytes live, {dead} bytes dead, a cell is {} KiB</text>"#,
        span / 1024
    ));
    for (cell, i) in cells.iter().zip(0u64..) {
        let (x, y) = (8 + i % COLUMNS * STEP, 24 + i / COLUMNS * STEP);
        line(format_args!("<g><title>{}</title>", title(snapshot, cell, i, span)));
        line(format_args!(r##"<rect x="{x}" y="{y}" width="{SIDE}" height="{SIDE}" fill="#eeeeee"/>"##));
        let colour = colour(snapshot, cell);
        // At least a line for what is there at all.
        let tall = |bytes: u64| (bytes * SIDE).div_ceil(span).min(SIDE);
        let (live, all) = (tall(cell.live), tall(cell.live + cell.dead));
        for (from, to, opacity) in [(0, live, "1"), (live, all, "0.35")] {
            if to > from {
                let (y, height) = (y + SIDE - to, to - from);
                line(format_args!(
                    r#"<rect x="{x}" y="{y}" width="{SIDE}" height="{height}" fill="{colour}" opacity="{opacity}"/>"#
                ));
            }
        }
        line(format_args!("</g>"));
    }
    for (unit, i) in snapshot.units().iter().zip(0u64..) {
        let (y, colour) = (legend + 18 * i, COLOURS[i as usize % COLOURS.len()]);
        line(format_args!(r#"<rect x="8" y="{y}" width="12" height="12" fill="{colour}"/>"#));
        let name = escaped(&format!("{}/{}", unit.package, unit.name));
        line(format_args!(r#"<text x="26" y="{}">{name}</text>"#, y + 11));
    }
    let y = legend + 18 * snapshot.units().len() as u64 + 11;
    line(format_args!(r#"<text x="8" y="{y}">full colour: live; pale: dead and not reclaimed; grey: free</text>"#));
    line(format_args!("</svg>"));
    text
}

/// What a cell holds, for whoever points at it.
fn title(snapshot: &Snapshot, cell: &Cell, number: u64, span: u64) -> String {
    let mut text = format!("{:#x}: {} live, {} dead", number * span, cell.live, cell.dead);
    let mut structures: Vec<_> = cell.structures.iter().collect();
    structures.sort_by_key(|&(&structure, &bytes)| (std::cmp::Reverse(bytes), structure));
    for (&structure, bytes) in structures.into_iter().take(8) {
        let (unit, structure) = snapshot.place(structure);
        let _ = write!(text, "; {} of {}/{} {bytes}", structure.name, unit.package, unit.name);
    }
    escaped(&text)
}

/// The colour of the unit with the largest part; of equals the first.
fn colour(snapshot: &Snapshot, cell: &Cell) -> &'static str {
    let mut units: BTreeMap<u32, u64> = BTreeMap::new();
    for (&structure, bytes) in &cell.structures {
        *units.entry(snapshot.structures()[structure as usize].unit).or_default() += bytes;
    }
    let largest = units.into_iter().max_by_key(|&(unit, bytes)| (bytes, std::cmp::Reverse(unit)));
    largest.map_or("#eeeeee", |(unit, _)| COLOURS[unit as usize % COLOURS.len()])
}

/// A text as it stands in XML.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(letter),
        }
    }
    out
}

/// Kept beside the picture because both speak of one object by its number.
impl Snapshot {
    /// An object in a line: its number, structure, size and place.
    #[must_use]
    pub fn line(&self, id: ObjectId) -> Option<String> {
        let object = self.object(id)?;
        let (unit, structure) = self.place(object.structure);
        let mut text = format!("{id} {} of {}/{}, {} bytes", structure.name, unit.package, unit.name, object.bytes);
        if let Some(address) = object.address {
            let _ = write!(text, " at {address:#x}");
        }
        Some(text)
    }
}
