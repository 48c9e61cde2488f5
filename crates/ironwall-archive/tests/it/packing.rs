//! Packing: identity is kept, and the same input gives the same bytes.

use crate::support::{BOTH, archive, both, edit, files, members, only, packed, problems};
use ironwall_archive::pack::{pack, pack_manifest};
use ironwall_archive::signature::PrivateKey;
use ironwall_archive::{Description, Limits, Manifest, read};

#[test]
fn r8_1_a_packing_and_unpacking_gives_the_same_tables_byte_for_byte() {
    let archive = read(&packed().bytes, Limits::default()).expect("an archive");
    for (path, bytes) in files() {
        assert_eq!(archive.member(&path), Some(&bytes[..]), "{path}");
    }
    let names: Vec<String> = archive.manifest().units.iter().map(|unit| unit.title()).collect();
    assert_eq!(names, ["ironwall.example/list", "ironwall.example/tree"]);
}

#[test]
fn r8_1_a_what_was_unpacked_packs_to_the_same_archive() {
    let packed = packed();
    let mut members = members(&packed);
    let manifest = members.remove("manifest.json").expect("a manifest");
    let again = pack_manifest(manifest, &members, None, Limits::default()).expect("packed again");
    assert_eq!(again.bytes, packed.bytes);
}

#[test]
fn r8_1_e_the_order_in_a_description_changes_no_byte() {
    let mut description = both();
    description.units.reverse();
    for unit in &mut description.units {
        unit.objects.reverse();
        unit.exports.iter_mut().for_each(|exports| exports.reverse());
        unit.requires.iter_mut().for_each(|requires| requires.reverse());
    }
    assert_ne!(description, both());
    let again = pack(&description, &files(), None, Limits::default()).expect("packed");
    assert_eq!(again.bytes, packed().bytes);
}

#[test]
fn what_is_not_declared_is_taken_from_the_objects() {
    let mut description = both();
    for unit in &mut description.units {
        (unit.exports, unit.requires) = (None, None);
    }
    let packed = pack(&description, &files(), None, Limits::default()).expect("packed");
    let tree = &packed.archive.manifest().units[1];
    let names = |symbols: &[ironwall_archive::manifest::Symbol]| {
        symbols.iter().map(|symbol| (symbol.name.clone(), symbol.may_collect)).collect::<Vec<_>>()
    };
    assert_eq!(names(&tree.exports), [("tree_make".to_owned(), true)]);
    assert_eq!(names(&tree.requires), [("list_push".to_owned(), true), ("memcpy".to_owned(), true)]);
}

#[test]
fn a_manifest_is_written_as_it_is_read() {
    let members = members(&packed());
    let text = &members["manifest.json"];
    let manifest = Manifest::parse(text).expect("a manifest");
    assert_eq!(manifest.to_text().as_bytes(), text);
}

#[test]
fn a_signature_is_checked_and_names_its_key() {
    let key = PrivateKey::from_seed(&[3; 32]);
    let signed = pack(&both(), &files(), Some(&key), Limits::default()).expect("signed");
    assert_eq!(signed.archive.signer(), Some(&key.public()));
    assert_eq!(packed().archive.signer(), None);
    let mut members = members(&signed);
    edit(&mut members, "tests 1", "tests 2");
    let rules: Vec<_> = problems(&archive(&members)).iter().map(|problem| problem.rule).collect();
    assert_eq!(rules, ["signature.wrong"]);
}

#[test]
fn a_description_tells_where_it_is_wrong() {
    let rule = |from: &str, to: &str| {
        assert!(BOTH.contains(from), "{from}");
        let text = BOTH.replacen(from, to, 1);
        let problems = Description::parse(text.as_bytes()).expect_err(to);
        (problems[0].rule, problems[0].offset as i64 - BOTH.find(from).expect(from) as i64)
    };
    assert_eq!(rule("\"list.table\"", "\"../list.table\""), ("manifest.path", 0));
    assert_eq!(rule("\"list.table\"", "[1]"), ("document.type", 0));
    assert_eq!(rule("\"licence\"", "\"license\"").0, "document.missing-key");
    assert_eq!(rule("\"x86_64-linux\"", "\"vax-linux\""), ("document.unknown-key", 0));
    assert_eq!(rule("\"requires\"", "\"exports\""), ("json.duplicate-key", 0));
    assert_eq!(rule("tests 1", "tests\\u0020"), ("json.string", 5));
    let missing = pack(&only("list"), &Default::default(), None, Limits::default()).expect_err("no files");
    assert_eq!(missing[0].rule, "archive.missing");
}

#[test]
fn nothing_is_packed_that_could_not_be_read() {
    let mut description = both();
    description.units[0].symbols[0] = "system(0)".to_owned();
    let problems = pack(&description, &files(), None, Limits::default()).expect_err("code as a name");
    assert!(problems.iter().any(|problem| problem.rule == "manifest.symbol"), "{problems:?}");
}
