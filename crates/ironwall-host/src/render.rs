//! The JSON of reports, faults and identities. Addresses and tags are hexadecimal strings, because not every reader of
//! JSON keeps 64 bits of a number; counts are numbers.

use ironwall::image::{Entry, Tail};
use ironwall::{FaultRecord, Kind, LiveEntry, Origin, Report, Runtime, Uuid};
use serde_json::{Value, json};

/// What a structure is called.
#[derive(Clone, Debug)]
pub struct Names {
    /// Its unit's package.
    pub package: String,
    /// Its unit.
    pub unit: String,
    /// Itself.
    pub name: String,
    /// What it describes.
    pub kind: Kind,
}

impl Names {
    /// The names of an attached structure.
    #[must_use]
    pub fn of(runtime: &Runtime<'_>, table: Uuid, structure: Uuid) -> Option<Self> {
        let (_, image) = runtime.units().find(|(_, image)| image.table() == table)?;
        let entry = (0..image.entry_count()).map(|i| image.entry(i)).find(|entry| entry.id == structure)?;
        let (package, unit, name) = (text(image.package()), text(image.unit()), text(entry.name));
        Some(Self { package, unit, name, kind: entry.kind })
    }
}

/// An address, or any other word.
#[must_use]
pub fn address(word: u64) -> String {
    format!("{word:#x}")
}

/// An identity.
#[must_use]
pub fn uuid(uuid: Uuid) -> String {
    ironwall_format::uuid_text(uuid)
}

/// A digest.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A name, which is printable ASCII in every verified image.
#[must_use]
pub fn text(name: &[u8]) -> String {
    String::from_utf8_lossy(name).into_owned()
}

/// A kind of block.
#[must_use]
pub fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Heap => "heap",
        Kind::Frame => "frame",
        Kind::Global => "global",
    }
}

/// A collection.
#[must_use]
pub fn report(report: &Report) -> Value {
    let origin = match report.origin {
        Origin::Program => "program",
        Origin::Host => "host",
    };
    json!({
        "sequence": report.sequence,
        "origin": origin,
        "reason": report.reason,
        "frames": report.frames,
        "globals": report.globals,
        "handles": report.handles,
        "live": report.live,
        "live_bytes": report.live_bytes,
        "dead": report.dead,
        "dead_bytes": report.dead_bytes,
        "digest": hex(&report.digest),
    })
}

/// A fault.
#[must_use]
pub fn fault(record: &FaultRecord) -> Value {
    json!({
        "code": format!("{:?}", record.code),
        "number": record.code as u32,
        "phase": format!("{:?}", record.phase),
        "address": address(record.address),
        "referrer": address(record.referrer),
        "offset": record.offset,
        "root": record.root,
        "table": uuid(record.table),
        "structure": uuid(record.structure),
    })
}

/// What lived of one structure.
#[must_use]
pub fn census(entry: &LiveEntry, names: Option<&Names>) -> Value {
    let mut value = json!({ "objects": entry.live.objects, "bytes": entry.live.bytes });
    identify(&mut value, entry.table, entry.structure, names);
    value
}

/// Says of which structure something is.
pub fn identify(value: &mut Value, table: Uuid, structure: Uuid, names: Option<&Names>) {
    value["table"] = uuid(table).into();
    value["structure"] = uuid(structure).into();
    if let Some(names) = names {
        value["package"] = names.package.as_str().into();
        value["unit"] = names.unit.as_str().into();
        value["name"] = names.name.as_str().into();
        value["kind"] = kind(names.kind).into();
    }
}

/// A structure of a table.
#[must_use]
pub fn structure(entry: &Entry<'_>) -> Value {
    let tail = match entry.tail {
        Tail::None => "none",
        Tail::Plain => "plain",
        Tail::References => "references",
    };
    json!({
        "structure": uuid(entry.id),
        "name": text(entry.name),
        "kind": kind(entry.kind),
        "fixed": entry.fixed,
        "slots": entry.offsets.len() / 4,
        "tail": tail,
        "element": entry.element,
        "odd_words": entry.has_odd_words,
        "layout": hex(&entry.layout),
    })
}
