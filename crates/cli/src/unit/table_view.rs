//! A verified table image as text and as JSON.

use std::fmt::Write;

use ironwall::image::{Entry, Image, Tail};
use ironwall::{Kind, Uuid, tag};
use ironwall_format::uuid_text;
use serde_json::{Value, json};

use super::text::{escaped, hex};

/// The table as JSON; tags are hexadecimal digits, as JSON's numbers are too short for them.
pub(crate) fn json(image: &Image<'_>) -> Value {
    let structures: Vec<Value> = entries(image)
        .map(|entry| {
            json!({
                "name": escaped(entry.name),
                "uuid": uuid_text(entry.id),
                "kind": kind(entry.kind),
                "tag1": word(entry.tags.tag1),
                "tag2": word(entry.tags.tag2),
                "layout": hex(&entry.layout),
                "fixed": entry.fixed,
                "slots": slots(&entry),
                "tail": tail(entry.tail),
                "element": entry.element,
                "odd_words": entry.has_odd_words,
            })
        })
        .collect();
    let uses: Vec<Value> = (0..image.use_count())
        .map(|i| image.using(i))
        .map(|using| match using.structure {
            Uuid::NIL => json!({ "table": uuid_text(using.table) }),
            structure => json!({
                "table": uuid_text(using.table),
                "structure": uuid_text(structure),
                "layout": hex(&using.layout),
            }),
        })
        .collect();
    json!({
        "package": escaped(image.package()),
        "unit": escaped(image.unit()),
        "uuid": uuid_text(image.table()),
        "tag3": word(tag::tag3(image.table())),
        "structures": structures,
        "uses": uses,
        "collisions": collisions(image),
    })
}

/// The table as lines.
pub(crate) fn text(image: &Image<'_>) -> String {
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = write_text(image, &mut out);
    out
}

fn write_text(image: &Image<'_>, out: &mut String) -> std::fmt::Result {
    writeln!(out, "unit {} of package {}", escaped(image.unit()), escaped(image.package()))?;
    writeln!(out, "table {} tag3 {}", uuid_text(image.table()), word(tag::tag3(image.table())))?;
    for entry in entries(image) {
        let (id, tags) = (uuid_text(entry.id), entry.tags);
        writeln!(out, "{} {}", kind(entry.kind), escaped(entry.name))?;
        writeln!(out, "    uuid {id} tag1 {} tag2 {}", word(tags.tag1), word(tags.tag2))?;
        writeln!(out, "    layout {}", hex(&entry.layout))?;
        write!(out, "    {} bytes, references at {:?}", entry.fixed, slots(&entry))?;
        match entry.tail {
            Tail::None => {}
            Tail::Plain => write!(out, ", then elements of {} bytes", entry.element)?,
            Tail::References => write!(out, ", then references")?,
        }
        writeln!(out, "{}", if entry.has_odd_words { ", odd words allowed" } else { "" })?;
    }
    for using in (0..image.use_count()).map(|i| image.using(i)) {
        write!(out, "uses table {}", uuid_text(using.table))?;
        if using.structure != Uuid::NIL {
            write!(out, " structure {} layout {}", uuid_text(using.structure), hex(&using.layout))?;
        }
        writeln!(out)?;
    }
    for tag1 in collisions(image) {
        writeln!(out, "several structures have the tag1 {tag1}")?;
    }
    Ok(())
}

/// The `tag1` of each structure, with its kind and name.
pub(crate) fn tag1s(image: &Image<'_>) -> Vec<(String, String)> {
    let tag1 = |entry: Entry<'_>| (word(entry.tags.tag1), format!("{} {}", kind(entry.kind), escaped(entry.name)));
    entries(image).map(tag1).collect()
}

/// Every `tag1` that several structures of the table have.
fn collisions(image: &Image<'_>) -> Vec<String> {
    let mut tags: Vec<u64> = entries(image).map(|entry| entry.tags.tag1).collect();
    tags.sort_unstable();
    let mut twice: Vec<u64> = tags.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect();
    twice.dedup();
    twice.into_iter().map(word).collect()
}

fn entries<'a>(image: &'a Image<'_>) -> impl Iterator<Item = Entry<'a>> {
    (0..image.entry_count()).map(|i| image.entry(i))
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Heap => "heap",
        Kind::Frame => "frame",
        Kind::Global => "global",
    }
}

fn tail(tail: Tail) -> &'static str {
    match tail {
        Tail::None => "none",
        Tail::Plain => "elements",
        Tail::References => "references",
    }
}

fn slots(entry: &Entry<'_>) -> Vec<u32> {
    let number = |bytes: &[u8]| bytes.iter().rev().fold(0, |number, &byte| number << 8 | u32::from(byte));
    entry.offsets.chunks_exact(4).map(number).collect()
}

fn word(word: u64) -> String {
    format!("{word:016x}")
}
