//! Lists the third parties whose code is in the image, with their licence texts.

use crate::shell::{cargo, output};
use crate::toolchain::MUSL;
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::Path;

/// Licences under which code may go into the image.
const ACCEPTED: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "Unicode-3.0",
    "Unlicense",
    "WTFPL",
    "Zlib",
];

/// Whether an SPDX expression can be met with accepted licences alone. Only the
/// forms that crates use occur: alternatives of conjunctions, perhaps in parentheses.
fn is_accepted(expression: &str) -> bool {
    let plain = expression.replace(['(', ')'], "").replace('/', " OR ");
    // In `(A OR B) AND C` every part of a conjunction must have an accepted alternative.
    plain.split(" AND ").all(|part| part.split(" OR ").any(|licence| ACCEPTED.contains(&licence.trim())))
}

/// The licence file of a crate: the MIT one where there is a choice.
fn licence_text(dir: &Path) -> Option<String> {
    let mut names: Vec<String> =
        fs::read_dir(dir).ok()?.flatten().map(|e| e.file_name().to_string_lossy().into_owned()).collect();
    names.retain(|name| {
        let upper = name.to_uppercase();
        upper.starts_with("LICENSE")
            || upper.starts_with("LICENCE")
            || upper.starts_with("COPYING")
            || upper.starts_with("UNLICENSE")
    });
    names.sort_by_key(|name| (!name.to_uppercase().contains("MIT"), name.clone()));
    names.iter().find_map(|name| fs::read_to_string(dir.join(name)).ok())
}

/// The list, each text once. Fails if a licence is not among the accepted ones.
pub(crate) fn gather(source: &Path, vendor: &Path) -> Result<String> {
    let mut command = cargo();
    command.current_dir(source);
    command.args(["metadata", "--format-version=1", "--locked", "--filter-platform", MUSL]);
    let metadata: Value = serde_json::from_str(&output(&mut command)?).context("cargo metadata is not JSON")?;
    let used = used_packages(&metadata);
    let mut by_text: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut refused = Vec::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let field = |name: &str| package[name].as_str().unwrap_or_default().to_owned();
        if package["source"].is_null() || !used.contains(&field("id")) {
            continue;
        }
        let (name, version, licence) = (field("name"), field("version"), field("license"));
        if !is_accepted(&licence) {
            refused.push(format!("{name} {version}: {licence}"));
        }
        let text = licence_text(&vendor.join(format!("{name}-{version}"))).unwrap_or_default();
        by_text.entry(text).or_default().insert(format!("{name} {version}: {licence}"));
    }
    if !refused.is_empty() {
        bail!("licences that the image may not carry: {}", refused.join("; "));
    }
    let mut list = String::from("This image contains code of these projects under these terms.\n");
    let mut groups: Vec<_> = by_text.into_iter().map(|(text, crates)| (crates, text)).collect();
    groups.sort();
    for (crates, text) in groups {
        list.push_str("\n================\n");
        for line in crates {
            let _ = writeln!(list, "{line}");
        }
        let _ = writeln!(list, "\n{}", text.trim());
    }
    Ok(list)
}

/// The packages that end up in the programs: reached by normal dependencies.
fn used_packages(metadata: &Value) -> BTreeSet<String> {
    let nodes: BTreeMap<&str, &Value> = metadata["resolve"]["nodes"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|n| Some((n["id"].as_str()?, n)))
        .collect();
    let members = metadata["workspace_members"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let mut stack: Vec<&str> = members.collect();
    let mut used = BTreeSet::new();
    while let Some(id) = stack.pop() {
        if !used.insert(id.to_owned()) {
            continue;
        }
        for dep in nodes.get(id).and_then(|node| node["deps"].as_array()).into_iter().flatten() {
            let normal = dep["dep_kinds"].as_array().into_iter().flatten().any(|kind| kind["kind"].is_null());
            if let (true, Some(id)) = (normal, dep["pkg"].as_str()) {
                stack.push(id);
            }
        }
    }
    used
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alternatives_and_conjunctions_are_understood() {
        assert!(is_accepted("MIT OR GPL-3.0"));
        assert!(is_accepted("(MIT OR Apache-2.0) AND Unicode-3.0"));
        assert!(!is_accepted("MIT AND GPL-3.0-only"));
        assert!(!is_accepted(""));
    }
}
