//! File names that match a pattern.

use crate::pattern::Pattern;
use crate::text::{decode, encode};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// Appends the names that match `field`, sorted; the field itself if none does.
pub(crate) fn expand(field: &[(char, bool)], out: &mut Vec<String>) {
    let plain = || field.iter().map(|(c, _)| *c).collect::<String>();
    if !field
        .iter()
        .any(|(c, quoted)| !quoted && matches!(c, '*' | '?' | '['))
    {
        out.push(plain());
        return;
    }
    let mut found = vec![if field.first().is_some_and(|(c, _)| *c == '/') {
        "/".to_owned()
    } else {
        String::new()
    }];
    let components: Vec<&[(char, bool)]> = field.split(|(c, _)| *c == '/').collect();
    let last = components.len() - 1;
    for (index, component) in components.into_iter().enumerate() {
        if component.is_empty() {
            // A slash at the end keeps directories only.
            if index == last && index > 0 {
                found.retain(|path| {
                    std::fs::metadata(OsStr::from_bytes(&encode(path)))
                        .is_ok_and(|meta| meta.is_dir())
                });
            }
            continue;
        }
        let pattern = Pattern::new(component);
        found = found
            .iter()
            .flat_map(|base| matches_in(base, &pattern, index < last))
            .collect();
    }
    found.sort();
    if found.is_empty() || found == [""] {
        out.push(plain());
    } else {
        out.append(&mut found);
    }
}

/// The entries of `base` that match; with `is_directory`, only what can be gone into, with a slash.
fn matches_in(base: &str, pattern: &Pattern, is_directory: bool) -> Vec<String> {
    let slash = if is_directory { "/" } else { "" };
    if !pattern.is_active() {
        let path = format!("{base}{}", pattern.literal());
        let exists = std::fs::symlink_metadata(OsStr::from_bytes(&encode(&path))).is_ok();
        return if exists {
            vec![path + slash]
        } else {
            Vec::new()
        };
    }
    let directory = if base.is_empty() { "." } else { base };
    let Ok(entries) = std::fs::read_dir(OsStr::from_bytes(&encode(directory))) else {
        return Vec::new();
    };
    let mut names: Vec<String> = entries
        .flatten()
        .map(|entry| decode(entry.file_name().as_bytes()))
        .collect();
    if pattern.starts_with_dot() {
        names.extend([".".to_owned(), "..".to_owned()]);
    }
    names.retain(|name| {
        (!name.starts_with('.') || pattern.starts_with_dot())
            && pattern.matches(&name.chars().collect::<Vec<_>>())
    });
    let mut paths: Vec<String> = names
        .into_iter()
        .map(|name| format!("{base}{name}"))
        .collect();
    if is_directory {
        paths.retain(|path| {
            std::fs::metadata(OsStr::from_bytes(&encode(path))).is_ok_and(|meta| meta.is_dir())
        });
    }
    paths.into_iter().map(|path| path + slash).collect()
}
