//! Retained sizes of a snapshot as text and as JSON.

use std::cmp::Reverse;
use std::fmt::Write;

use ironwall_explain::Snapshot;
use ironwall_explain::retained::{Retained, Share};
use ironwall_explain::snapshot::RootId;
use serde_json::{Value, json};

/// The sizes as JSON; with the `top` objects and roots that retain most.
pub(crate) fn json(snapshot: &Snapshot, retained: &Retained, top: usize) -> Value {
    let named = |name: String, share: &Share| {
        let mut value = json!(share);
        value["name"] = name.into();
        value
    };
    let units = retained.units.iter().enumerate().map(|(i, share)| named(unit(snapshot, i), share));
    let structures = retained.structures.iter().enumerate().filter(|(_, share)| share.objects != 0);
    let structures = structures.map(|(i, share)| named(structure(snapshot, i), share));
    let objects = retained.top(top).into_iter().map(|(id, bytes)| {
        let object = snapshot.object(id);
        let address = object.and_then(|object| object.address).map(|address| format!("{address:#x}"));
        let name = object.map(|object| structure(snapshot, object.structure as usize));
        json!({ "object": id.0, "structure": name, "address": address, "retained": bytes })
    });
    let roots = top_roots(retained, top).into_iter();
    let roots = roots.map(|(id, bytes)| json!({ "root": root(snapshot, id), "retained": bytes }));
    json!({
        "live": retained.live,
        "dead": { "objects": retained.dead.objects, "bytes": retained.dead.bytes },
        "units": units.collect::<Vec<_>>(),
        "structures": structures.collect::<Vec<_>>(),
        "objects": objects.collect::<Vec<_>>(),
        "roots": roots.collect::<Vec<_>>(),
    })
}

/// The sizes as a table.
pub(crate) fn text(snapshot: &Snapshot, retained: &Retained, top: usize) -> String {
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = write_text(snapshot, retained, top, &mut out);
    out
}

fn write_text(snapshot: &Snapshot, retained: &Retained, top: usize, out: &mut String) -> std::fmt::Result {
    let (live, dead) = (&retained.live, &retained.dead);
    writeln!(out, "{} objects live, {} bytes; {} dead, {} bytes", live.objects, live.bytes, dead.objects, dead.bytes)?;
    writeln!(out, "{:>12} {:>14} {:>14}", "objects", "bytes", "retained")?;
    for (i, share) in retained.units.iter().enumerate() {
        writeln!(out, "{} {}", columns(share), unit(snapshot, i))?;
        let members = retained.structures.iter().enumerate();
        let members = members.filter(|(at, share)| snapshot.structures()[*at].unit as usize == i && share.objects != 0);
        for (at, share) in members {
            writeln!(out, "{}   {}", columns(share), snapshot.structures()[at].name)?;
        }
    }
    for (id, bytes) in retained.top(top) {
        writeln!(out, "{bytes:>42} {}", snapshot.line(id).unwrap_or_default())?;
    }
    for (id, bytes) in top_roots(retained, top) {
        writeln!(out, "{bytes:>42} {}", root(snapshot, id))?;
    }
    Ok(())
}

/// What is retained is a lower bound if the size says so.
fn columns(share: &Share) -> String {
    let retained = if share.is_exact { share.retained.to_string() } else { format!("≥{}", share.retained) };
    format!("{:>12} {:>14} {retained:>14}", share.objects, share.bytes)
}

fn top_roots(retained: &Retained, top: usize) -> Vec<(RootId, u64)> {
    let mut roots: Vec<_> = retained.roots.iter().copied().filter(|(_, bytes)| *bytes != 0).collect();
    roots.sort_by_key(|&(id, bytes)| (Reverse(bytes), id));
    roots.truncate(top);
    roots
}

fn unit(snapshot: &Snapshot, place: usize) -> String {
    snapshot.units().get(place).map_or_else(String::new, |unit| format!("{}/{}", unit.package, unit.name))
}

fn structure(snapshot: &Snapshot, place: usize) -> String {
    let found = snapshot.structures().get(place);
    found.map_or_else(String::new, |found| format!("{} of {}", found.name, unit(snapshot, found.unit as usize)))
}

fn root(snapshot: &Snapshot, id: RootId) -> String {
    match id {
        RootId::Frame(i) => {
            let frames = snapshot.frames();
            let Some(frame) = frames.get(i as usize) else { return String::new() };
            let depth = frames[..i as usize].iter().rev().take_while(|other| other.stack == frame.stack).count();
            let name = structure(snapshot, frame.structure as usize);
            if frame.stack == 0 {
                format!("frame {depth} {name}")
            } else {
                format!("frame {depth} of stack {} {name}", frame.stack)
            }
        }
        RootId::Global(i) => {
            let block = snapshot.globals().get(i as usize);
            let name = block.map(|block| structure(snapshot, block.structure as usize));
            format!("global {}", name.unwrap_or_default())
        }
        RootId::Handle(i) => {
            format!("handle {}", snapshot.handles().get(i as usize).map_or(0, |handle| handle.number))
        }
    }
}
