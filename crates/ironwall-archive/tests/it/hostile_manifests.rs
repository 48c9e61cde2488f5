//! Manifests that lie or are not in the one form: each is refused at a byte of the manifest.

use crate::support::{Files, archive, edit, members, packed, problems, replace, rules};
use ironwall_archive::Place;

/// The rule that a changed manifest breaks first, and how far from the change that is.
fn changed(from: &str, to: &str) -> (&'static str, i64) {
    let mut members = members(&packed());
    let at = position(&members, from);
    edit(&mut members, from, to);
    // A member that the manifest names no more is told of as well, at its own place.
    let found = problems(&archive(&members));
    let problem = found.iter().find(|problem| problem.place == Place::Manifest).expect(to);
    (problem.rule, problem.offset as i64 - at)
}

fn position(members: &Files, text: &str) -> i64 {
    let manifest = String::from_utf8_lossy(&members["manifest.json"]).into_owned();
    manifest.find(text).expect(text) as i64
}

#[test]
fn format_and_version_are_exact() {
    assert_eq!(changed("\"ironwall-archive\"", "\"ironwall-library\""), ("manifest.format", 0));
    assert_eq!(changed("\"version\":1", "\"version\":2"), ("manifest.format", 10));
    assert_eq!(changed("\"version\":1", "\"version\":\"1\""), ("document.type", 10));
}

#[test]
fn the_form_is_canonical() {
    assert_eq!(changed("\"format\":", "\"format\": "), ("json.blank", 9));
    assert_eq!(changed("{\"format\"", "\n{\"format\""), ("json.blank", 0));
    assert_eq!(changed("\"licence\":\"MIT\"", "\"licence\":\"M\\u0049T\""), ("json.string", 12));
    assert_eq!(changed("\"version\":1", "\"version\":01"), ("json.number", 10));
    assert_eq!(changed("\"licence\":\"MIT\",", "\"licence\":\"MIT\",\"licence\":\"MIT\","), ("json.duplicate-key", 16));
    assert_eq!(changed("\"format\":", "\"zormat\":"), ("json.key-order", 28));
    assert_eq!(changed("\"licence\":\"MIT\",", "\"licence\":\"MIT\",\"note\":\"\","), ("document.unknown-key", 16));
    assert_eq!(changed("\"licence\":\"MIT\",", ""), ("document.missing-key", -29));
    assert_eq!(changed("\"imports\":[]", &format!("\"imports\":{}", "[".repeat(5000))), ("json.depth", 24));
    let mut cut = members(&packed());
    cut.get_mut("manifest.json").expect("a manifest").pop();
    assert_eq!(rules(&cut), [("json.truncated", Place::Manifest)]);
    let mut more = members(&packed());
    more.get_mut("manifest.json").expect("a manifest").push(b'\n');
    assert_eq!(rules(&more), [("json.trailing", Place::Manifest)]);
}

#[test]
fn lists_ascend_and_have_nothing_twice() {
    let aarch64 = "\"targets\":[\"aarch64-linux\",\"x86_64-linux\"]";
    assert_eq!(changed(aarch64, "\"targets\":[\"x86_64-linux\",\"aarch64-linux\"]"), ("manifest.order", 26));
    assert_eq!(changed(aarch64, "\"targets\":[\"aarch64-linux\",\"aarch64-linux\"]"), ("manifest.order", 27));
    let exports = "{\"may_collect\":false,\"symbol\":\"list_len\"},{\"may_collect\":true,\"symbol\":\"list_push\"}";
    let swapped = "{\"may_collect\":true,\"symbol\":\"list_push\"},{\"may_collect\":false,\"symbol\":\"list_len\"}";
    assert_eq!(changed(exports, swapped).0, "manifest.order");
}

#[test]
fn targets_are_known_and_have_their_objects() {
    assert_eq!(changed("\"x86_64-linux\"]", "\"vax-linux\"]"), ("manifest.target", 0));
    assert_eq!(changed(",\"x86_64-linux\"]", "]").0, "manifest.target");
    let targets = "\"targets\":[\"aarch64-linux\",\"x86_64-linux\"]";
    assert_eq!(changed(targets, "\"targets\":[]").0, "manifest.target");
    // An object that is said to be for the other machine.
    let object = "\"target\":\"x86_64-linux\"}],\"package\"";
    assert_eq!(changed(object, "\"target\":\"aarch64-linux\"}],\"package\"").0, "manifest.target");
}

#[test]
fn r8_1_c_symbols_are_identifiers_and_no_code() {
    for bad in ["", "9lives", "a-b", "a b", "x;system(0)", "x(){}int y", "f@GLIBC", "iw_collect", "main", "__init"] {
        let to = format!("\"init\":\"{bad}\"");
        assert_eq!(changed("\"init\":\"listRuntimeInit\"", &to), ("manifest.symbol", 7), "{bad}");
    }
    let long = format!("\"init\":\"{}\"", "s".repeat(201));
    assert_eq!(changed("\"init\":\"listRuntimeInit\"", &long), ("manifest.symbol", 7));
    assert_eq!(changed("\"symbol\":\"memcpy\"", "\"symbol\":\"memcpy \"").0, "manifest.symbol");
    assert_eq!(changed("\"symbol\":\"memcpy\"", "\"symbol\":\"iw_new\"").0, "manifest.symbol");
}

#[test]
fn r8_1_c_no_symbol_is_declared_twice_and_none_is_missing() {
    assert_eq!(changed("\"init\":\"treeRuntimeInit\"", "\"init\":\"listRuntimeInit\""), ("manifest.symbol-twice", 7));
    assert_eq!(changed("\"globals\":\"treeGlobalTable\"", "\"globals\":\"tree_make\"").0, "manifest.symbol-twice");
    assert_eq!(changed("\"symbol\":\"memcpy\"", "\"symbol\":\"tree_make\"").0, "manifest.symbol-twice");
    assert_eq!(changed("\"init\":\"treeRuntimeInit\",", "").0, "document.missing-key");
}

#[test]
fn paths_stay_in_the_archive() {
    let path = "\"path\":\"list.table\"";
    for bad in ["/etc/passwd", "../list.table", "x/../../y", "", "a//b", "./a", "manifest.json", "manifest.sig"] {
        assert_eq!(changed(path, &format!("\"path\":\"{bad}\"")), ("manifest.path", 7), "{bad}");
    }
    assert_eq!(changed(path, "\"path\":\"tree.table\"").0, "manifest.path-twice");
    assert_eq!(changed(path, "\"path\":\"lost.table\"").0, "archive.missing");
}

#[test]
fn lengths_and_digests_have_their_form() {
    let members = members(&packed());
    let text = String::from_utf8_lossy(&members["manifest.json"]).into_owned();
    let at = text.find("\"sha256\":\"").expect("a digest") + 10;
    let digest = &text[at..at + 64];
    let mut other = digest.to_owned();
    other.replace_range(..1, if digest.starts_with('0') { "1" } else { "0" });
    assert_eq!(changed(digest, &other).0, "archive.digest");
    assert_eq!(changed(digest, &digest[..63]).0, "document.digits");
    assert_eq!(changed(digest, &digest.to_uppercase()).0, "document.digits");
}

#[test]
fn identities_follow_from_names() {
    assert_eq!(changed("\"name\":\"list\"", "\"name\":\"lost\"").0, "manifest.identity");
    assert_eq!(changed("\"name\":\"Cell\"", "\"name\":\"Sell\"").0, "manifest.identity");
    assert_eq!(changed("\"kind\":\"heap\"", "\"kind\":\"bean\"").0, "manifest.kind");
    assert_eq!(changed("\"kind\":\"heap\"", "\"kind\":\"frame\"").0, "manifest.identity");
    assert_eq!(changed("03b4a6b9-6254", "13b4a6b9-6254").0, "manifest.identity");
    assert_eq!(changed("03b4a6b9-6254", "03B4A6B9-6254").0, "document.uuid");
}

#[test]
fn what_the_manifest_says_of_a_table_is_what_the_table_says() {
    let members = members(&packed());
    let text = String::from_utf8_lossy(&members["manifest.json"]).into_owned();
    let at = text.find("\"layout\":\"").expect("a layout") + 10;
    let digest = &text[at..at + 64];
    let mut other = digest.to_owned();
    other.replace_range(..1, if digest.starts_with('0') { "1" } else { "0" });
    assert_eq!(changed(digest, &other).0, "manifest.table");
    let imports = "\"imports\":[\"03b4a6b9-6254-84f9-b46e-9c8166c6717c\"]";
    assert_eq!(changed(imports, "\"imports\":[]").0, "manifest.table");
}

#[test]
fn a_table_that_lies_about_itself_is_refused_at_its_byte() {
    let table = members(&packed())["list.table"].clone();
    for at in 0..table.len() {
        let mut changed = table.clone();
        changed[at] ^= 0x10;
        let mut members = members(&packed());
        replace(&mut members, "list.table", changed);
        let found = problems(&archive(&members));
        assert!(found.iter().any(|problem| problem.rule.starts_with("table.") && problem.place == Place::Tar), "{at}");
    }
}
