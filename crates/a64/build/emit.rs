//! Writes the generated source.

use std::fmt::Write;

use crate::parse::Row;
use crate::trie::Trie;

/// The contents of `encodings.rs`.
pub(crate) fn source(rows: &[Row]) -> String {
    let mut s = String::new();
    write(&mut s, rows).expect("writing to a string");
    s
}

fn write(s: &mut String, rows: &[Row]) -> std::fmt::Result {
    writeln!(s, "/// An encoding of the table, by Arm's identifier: operation, underscore, class.")?;
    writeln!(s, "#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]\n#[repr(u16)]")?;
    writeln!(s, "#[expect(non_camel_case_types, reason = \"Arm's identifiers\")]\npub enum Encoding {{")?;
    for r in rows {
        writeln!(s, "    /// `{}`: `{}`\n    {},", r.pattern, r.syntax, r.name)?;
    }
    writeln!(s, "}}\n\nimpl Encoding {{\n    /// Every encoding, in table order.")?;
    writeln!(s, "    pub const ALL: &'static [Encoding] = &[")?;
    for r in rows {
        writeln!(s, "        Encoding::{},", r.name)?;
    }
    writeln!(s, "    ];\n}}\n\nstatic ROWS: [Row; {}] = [", rows.len())?;
    for r in rows {
        write!(
            s,
            "    Row {{ name: {:?}, class: {:?}, group: {:?}, pattern: {:?}, syntax: {:?}, constraint: {:?}, mask: {:#x}, value: {:#x}, fields: &[",
            r.name, r.class, r.group, r.pattern, r.syntax, r.constraint, r.mask, r.value
        )?;
        for f in &r.fields {
            write!(s, "Field {{ name: {:?}, lsb: {}, width: {} }}, ", f.name, f.lsb, f.width)?;
        }
        write!(s, "], needs: &[")?;
        for n in &r.features {
            write!(s, "Need {{ feature: {:?}, condition: {:?} }}, ", n.feature, n.condition)?;
        }
        writeln!(s, "] }},")?;
    }
    writeln!(s, "];\n")?;
    decoder(s, rows)?;
    needs(s, rows)?;
    writeln!(s, "/// Calls `$m!` with every encoding and its class: `$m! {{ ADD_addsub_imm addsub_imm; … }}`.")?;
    writeln!(s, "#[macro_export]\nmacro_rules! for_each_encoding {{\n    ($m:ident) => {{\n        $m! {{")?;
    for r in rows {
        writeln!(s, "            {} {};", r.name, r.class)?;
    }
    writeln!(s, "        }}\n    }};\n}}")
}

fn decoder(s: &mut String, rows: &[Row]) -> std::fmt::Result {
    let trie = Trie::new(rows);
    writeln!(s, "const ROOT: u32 = {:#x};", trie.root)?;
    writeln!(s, "static NODES: [u32; {}] = {:?};", trie.nodes.len(), trie.nodes)?;
    writeln!(s, "static LISTS: [u16; {}] = {:?};", trie.lists.len(), trie.lists)?;
    writeln!(s, "static MATCH: [Match; {}] = [", rows.len())?;
    for r in rows {
        writeln!(
            s,
            "    Match {{ mask: {:#x}, value: {:#x}, encoding: Encoding::{}, constrained: {} }},",
            r.mask,
            r.value,
            r.name,
            r.allowed.is_some()
        )?;
    }
    writeln!(
        s,
        "];\n\n/// Whether `w`, which matches the pattern of `e`, meets its constraint.\n#[allow(unused_parens, clippy::all, reason = \"generated\")]"
    )?;
    writeln!(s, "fn meets_constraint(e: Encoding, w: u32) -> bool {{\n    match e {{")?;
    for r in rows {
        if let Some(allowed) = &r.allowed {
            writeln!(s, "        Encoding::{} => {allowed},", r.name)?;
        }
    }
    writeln!(s, "        _ => true,\n    }}\n}}\n")
}

fn needs(s: &mut String, rows: &[Row]) -> std::fmt::Result {
    writeln!(
        s,
        "/// Whether `w`, a word of `e`, needs feature `n` of its row.\n#[allow(unused_parens, clippy::all, reason = \"generated\")]"
    )?;
    writeln!(s, "fn meets_need(e: Encoding, n: usize, w: u32) -> bool {{\n    match (e, n) {{")?;
    for r in rows {
        for (n, need) in r.features.iter().enumerate() {
            if let Some(when) = &need.when {
                writeln!(s, "        (Encoding::{}, {n}) => {when},", r.name)?;
            }
        }
    }
    writeln!(s, "        _ => true,\n    }}\n}}\n")
}
