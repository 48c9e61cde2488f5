//! An archive in which nothing is wrong, as text and as JSON.

use std::collections::BTreeMap;
use std::fmt::Write;

use ironwall::image::Image;
use ironwall_archive::manifest::{Artifact, Symbol, Unit};
use ironwall_archive::problem::hex;
use ironwall_archive::{Archive, Target};
use serde_json::{Value, json};

use super::table_view;
use super::text::escaped;

/// The archive as JSON.
pub(crate) fn json(archive: &Archive) -> Value {
    let manifest = archive.manifest();
    let units: Vec<Value> = manifest.units.iter().map(|unit| unit_json(archive, unit)).collect();
    let targets: Vec<&str> = manifest.targets.iter().map(|target| target.name()).collect();
    let collisions: BTreeMap<String, Vec<String>> = collisions(archive);
    json!({
        "sha256": hex(&archive.digest()),
        "signer": archive.signer().map(|key| key.to_string()),
        "producer": escaped(manifest.producer.as_bytes()),
        "licence": escaped(manifest.licence.as_bytes()),
        "targets": targets,
        "units": units,
        "collisions": collisions,
    })
}

fn unit_json(archive: &Archive, unit: &Unit) -> Value {
    let effect =
        |symbol: &Symbol| json!({ "symbol": escaped(symbol.name.as_bytes()), "may_collect": symbol.may_collect });
    let effects = |symbols: &[Symbol]| symbols.iter().map(effect).collect::<Vec<Value>>();
    let file = |artifact: &Artifact| json!({ "path": escaped(artifact.path.as_bytes()), "size": artifact.size, "sha256": hex(&artifact.sha256) });
    let object = |(target, artifact): &(Target, Artifact)| {
        let mut object = file(artifact);
        object["target"] = target.name().into();
        object
    };
    let symbols = &unit.symbols;
    json!({
        "table": image(archive, unit).map(|image| table_view::json(&image)),
        "file": file(&unit.table),
        "symbols": {
            "metadata": escaped(symbols.metadata.name.as_bytes()),
            "globals": escaped(symbols.globals.name.as_bytes()),
            "init": escaped(symbols.init.name.as_bytes()),
            "init_may_collect": symbols.init.may_collect,
        },
        "exports": effects(&unit.exports),
        "requires": effects(&unit.requires),
        "objects": unit.objects.iter().map(object).collect::<Vec<Value>>(),
    })
}

/// The archive as lines.
pub(crate) fn text(archive: &Archive) -> String {
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = write_text(archive, &mut out);
    out
}

fn write_text(archive: &Archive, out: &mut String) -> std::fmt::Result {
    let manifest = archive.manifest();
    writeln!(out, "archive sha256 {}", hex(&archive.digest()))?;
    match archive.signer() {
        Some(key) => writeln!(out, "signed by {key}")?,
        None => writeln!(out, "not signed")?,
    }
    writeln!(out, "producer {}", escaped(manifest.producer.as_bytes()))?;
    writeln!(out, "licence {}", escaped(manifest.licence.as_bytes()))?;
    let targets: Vec<&str> = manifest.targets.iter().map(|target| target.name()).collect();
    writeln!(out, "targets {}", targets.join(" "))?;
    for unit in &manifest.units {
        writeln!(out)?;
        write_unit(archive, unit, out)?;
    }
    for (tag1, names) in collisions(archive) {
        writeln!(out, "\nthe tag1 {tag1} is that of {}", names.join(", "))?;
    }
    Ok(())
}

fn write_unit(archive: &Archive, unit: &Unit, out: &mut String) -> std::fmt::Result {
    if let Some(image) = image(archive, unit) {
        out.push_str(&table_view::text(&image));
    }
    let effect = |symbol: &Symbol| if symbol.may_collect { "may collect" } else { "does not collect" };
    let symbols = &unit.symbols;
    writeln!(out, "metadata {}", escaped(symbols.metadata.name.as_bytes()))?;
    writeln!(out, "globals {}", escaped(symbols.globals.name.as_bytes()))?;
    writeln!(out, "init {}, {}", escaped(symbols.init.name.as_bytes()), effect(&symbols.init))?;
    for symbol in &unit.exports {
        writeln!(out, "exports {}, {}", escaped(symbol.name.as_bytes()), effect(symbol))?;
    }
    for symbol in &unit.requires {
        let allowed = if symbol.may_collect { "may collect" } else { "must not collect" };
        writeln!(out, "requires {}, {allowed}", escaped(symbol.name.as_bytes()))?;
    }
    let file = |artifact: &Artifact| {
        let (path, sha256) = (escaped(artifact.path.as_bytes()), hex(&artifact.sha256));
        format!("{path}, {} bytes, sha256 {sha256}", artifact.size)
    };
    writeln!(out, "table in {}", file(&unit.table))?;
    for (target, artifact) in &unit.objects {
        writeln!(out, "object for {} in {}", target.name(), file(artifact))?;
    }
    Ok(())
}

/// The table of a unit. It was verified when the archive was read.
fn image<'a>(archive: &'a Archive, unit: &Unit) -> Option<Image<'a>> {
    Image::verify(archive.member(&unit.table.path)?).ok()
}

/// Every `tag1` that several structures have, of any units, with their names.
fn collisions(archive: &Archive) -> BTreeMap<String, Vec<String>> {
    let mut tags: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for unit in &archive.manifest().units {
        for (tag1, name) in image(archive, unit).iter().flat_map(table_view::tag1s) {
            tags.entry(tag1).or_default().push(format!("{} {name}", escaped(unit.title().as_bytes())));
        }
    }
    tags.retain(|_, names| names.len() > 1);
    tags
}
