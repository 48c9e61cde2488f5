//! Linking: one plan whatever the order, and everything refused that would not be one program.

use crate::support::{Maker, files, list, only, packed, tree};
use ironwall::{Config, Kind, Region, Runtime, TableLimits};
use ironwall_archive::link::{Finding, Input, Plan, link};
use ironwall_archive::pack::pack;
use ironwall_archive::{Archive, Description, Limits, Target, gzip, read};
use ironwall_format::{Structure, Table, uuid_text};
use std::collections::BTreeMap;

const TARGET: Target = Target::X86_64Linux;

/// A unit to be packed: its table, how its symbols begin, whether its body may collect, what it exports and what it
/// requires. A symbol that begins with `-` may not collect, or must not; one with `+` is of the runtime.
struct Made<'a> {
    table: Table,
    prefix: &'a str,
    body_collects: bool,
    exports: &'a [&'static str],
    requires: &'a [&'static str],
}

fn made(table: Table, prefix: &str) -> Made<'_> {
    Made { table, prefix, body_collects: true, exports: &[], requires: &[] }
}

fn archive(units: &[Made<'_>], targets: &[Target]) -> Archive {
    let mut files = BTreeMap::new();
    let mut described = Vec::new();
    let bare = |symbols: &[&'static str]| -> Vec<&'static str> {
        symbols.iter().map(|name| name.trim_start_matches(['-', '+'])).collect()
    };
    let listed = |symbols: &[&str]| {
        let one = |name: &&str| {
            let (collects, name) = name.strip_prefix('-').map_or((true, *name), |name| (false, name));
            format!(r#"{{"symbol": "{name}", "may_collect": {collects}}}"#)
        };
        symbols.iter().filter(|name| !name.starts_with('+')).map(one).collect::<Vec<_>>().join(",")
    };
    for unit in units {
        let (prefix, table) = (unit.prefix, unit.table.image().expect("an image"));
        let mut objects = Vec::new();
        for target in targets {
            let path = format!("{prefix}.{}.o", target.name());
            let object = Maker::unit(*target, prefix, &table, &bare(unit.exports), &bare(unit.requires));
            files.insert(path.clone(), object.bytes());
            objects.push(format!(r#""{}": ["{path}"]"#, target.name()));
        }
        files.insert(format!("{prefix}.table"), table);
        described.push(format!(
            r#"{{"table": "{prefix}.table", "symbols": {{"metadata": "{prefix}MetadataTable",
                "globals": "{prefix}GlobalTable", "init": "{prefix}RuntimeInit"}},
                "init_may_collect": {}, "exports": [{}], "requires": [{}], "objects": {{{}}}}}"#,
            unit.body_collects,
            listed(unit.exports),
            listed(unit.requires),
            objects.join(",")
        ));
    }
    let text = format!(r#"{{"producer": "tests 1", "licence": "MIT", "units": [{}]}}"#, described.join(","));
    let description = Description::parse(text.as_bytes()).expect("a description");
    let packed = pack(&description, &files, None, Limits::default());
    packed.unwrap_or_else(|problems| panic!("{problems:#?}")).archive
}

fn input(name: &str, archive: &Archive) -> Input {
    Input::new(name, archive.clone()).expect("a name")
}

fn unit(made: Made<'_>) -> Archive {
    archive(&[made], &Target::ALL)
}

/// The archive of one unit of the common description.
fn part(name: &str) -> Archive {
    pack(&only(name), &files(), None, Limits::default()).expect("packed").archive
}

fn plan(inputs: &[Input]) -> Plan<'_> {
    link(inputs, TARGET).unwrap_or_else(|findings| panic!("{findings:#?}"))
}

fn refused(inputs: &[Input]) -> Vec<(String, &'static str, String)> {
    let mut reversed = inputs.to_vec();
    reversed.reverse();
    let findings = link(inputs, TARGET).expect_err("not to be linked");
    assert_eq!(Err(findings.clone()), link(&reversed, TARGET).map(|_| ()), "the order matters");
    let part = |finding: Finding| (finding.archive, finding.problem.rule, finding.problem.what);
    findings.into_iter().map(part).collect()
}

fn titles(plan: &Plan<'_>) -> Vec<String> {
    plan.order.iter().map(|&i| plan.units[i].manifest.name.clone()).collect()
}

fn notes(plan: &Plan<'_>, rule: &str) -> Vec<String> {
    plan.notes.iter().filter(|note| note.rule == rule).map(|note| note.what.clone()).collect()
}

#[test]
fn r8_1_e_the_order_of_archives_changes_no_byte() {
    let (list, tree) = (input("list.tgz", &part("list")), input("tree.tgz", &part("tree")));
    let (one, two) = ([list.clone(), tree.clone()], [tree, list]);
    assert_eq!(plan(&one).files(), plan(&two).files());
}

#[test]
fn r8_1_b_r8_1_e_which_archive_a_unit_comes_in_changes_no_byte_but_the_plan() {
    let apart = [input("list.tgz", &part("list")), input("tree.tgz", &part("tree"))];
    let together = [input("both.tgz", &packed().archive)];
    let (apart, together) = (plan(&apart), plan(&together));
    let (mut one, mut two) = (apart.files(), together.files());
    assert_ne!(one.remove("plan.json"), two.remove("plan.json"), "it tells of the archives");
    assert_eq!(one, two);
    assert_eq!(one.len(), 4, "a header, a source and two objects: {:?}", one.keys());
}

#[test]
fn r8_1_e_how_an_archive_was_compressed_changes_no_byte_and_another_order_of_members_is_refused() {
    let packed = packed();
    let expanded = gzip::expand(&packed.bytes, &Limits::default()).expect("expanded");
    // Stored in blocks, between the header and the checksum that are there already.
    let mut stored = packed.bytes[..10].to_vec();
    let blocks: Vec<&[u8]> = expanded.chunks(0xffff).collect();
    for (i, block) in blocks.iter().enumerate() {
        let len = u16::try_from(block.len()).expect("a length");
        stored.push(u8::from(i + 1 == blocks.len()));
        stored.extend(len.to_le_bytes().into_iter().chain((!len).to_le_bytes()).chain(block.iter().copied()));
    }
    stored.extend(&packed.bytes[packed.bytes.len() - 8..]);
    let again = read(&stored, Limits::default()).expect("another compressor's archive");
    assert_ne!(again.digest(), packed.archive.digest());
    let (one, two) = ([input("a.tgz", &packed.archive)], [input("a.tgz", &again)]);
    let (one, two) = (plan(&one), plan(&two));
    let (mut one, mut two) = (one.files(), two.files());
    assert_ne!(one.remove("plan.json"), two.remove("plan.json"), "it has the digests of archives");
    assert_eq!(one, two);

    // The first member is behind the second.
    let members = packed.archive.members();
    let (first, second) = (members[0].header, members[1].header);
    let end = members[2].header;
    let moved = [&expanded[..first], &expanded[second..end], &expanded[first..second], &expanded[end..]].concat();
    let refused = read(&gzip::compress(&moved), Limits::default()).expect_err("out of order");
    assert_eq!(refused.rule, "tar.order");
}

#[test]
fn r8_1_b_the_same_unit_in_two_archives_is_one_unit() {
    let inputs = [input("both.tgz", &packed().archive), input("again.tgz", &part("list"))];
    let plan = plan(&inputs);
    assert_eq!(titles(&plan), ["list", "tree"]);
    assert_eq!(notes(&plan, "note.same-unit"), ["ironwall.example/list is the same in again.tgz and in both.tgz"]);
    let one_path = archive(&[made(Table::new("p", "u"), "u")], &[TARGET]);
    let moved = Description::parse(
        br#"{"producer": "x", "licence": "x", "units": [{"table": "t", "symbols": {"metadata": "uMetadataTable",
            "globals": "uGlobalTable", "init": "uRuntimeInit"}, "exports": [], "requires": [],
            "objects": {"x86_64-linux": ["elsewhere/o"]}}]}"#,
    )
    .expect("a description");
    let object = one_path.member("u.x86_64-linux.o").expect("an object").to_vec();
    let table = one_path.member("u.table").expect("a table").to_vec();
    let files = [("t".to_owned(), table), ("elsewhere/o".to_owned(), object)].into();
    let moved_archive = pack(&moved, &files, None, Limits::default()).expect("packed").archive;
    let inputs = [input("a.tgz", &one_path), input("b.tgz", &moved_archive)];
    assert_eq!(link(&inputs, TARGET).expect("a plan").units.len(), 1, "paths in an archive are no part of a unit");
}

#[test]
fn r8_1_b_two_units_of_one_identity_are_refused() {
    let cell = Structure::of_slots(Kind::Heap, "Cell", 2);
    let other = |table: Table| Made { exports: &["list_push"], ..made(table, "list") };
    let plain = unit(other(list()));
    let table = unit(other(Table::new("ironwall.example", "list").with(cell)));
    let refusals = refused(&[input("a.tgz", &plain), input("b.tgz", &table)]);
    assert_eq!(refusals.len(), 1, "{refusals:?}");
    assert_eq!((&*refusals[0].0, refusals[0].1), ("b.tgz", "link.unit-twice"));
    assert_eq!(refusals[0].2, "ironwall.example/list is in a.tgz too, with another table");
    let exports = unit(Made { exports: &["-list_push"], ..other(list()) });
    assert!(refused(&[input("a.tgz", &plain), input("b.tgz", &exports)])[0].2.ends_with("other exports"));
    let objects = unit(Made { requires: &["memcpy"], ..other(list()) });
    assert!(refused(&[input("a.tgz", &plain), input("b.tgz", &objects)])[0].2.ends_with("other requirements"));
}

#[test]
fn r8_b_a_plan_names_the_tables_that_the_archives_have() {
    let archive = packed().archive;
    let inputs = [input("both.tgz", &archive)];
    let plan = plan(&inputs);
    let document: String = plan.to_text();
    for unit in &archive.manifest().units {
        let linked = plan.units.iter().find(|linked| linked.uuid() == unit.uuid).expect("a unit of the archive");
        assert_eq!(linked.image.table(), unit.uuid);
        assert_eq!(linked.objects[0].bytes, archive.member(&unit.objects[1].1.path).expect("an object"));
        assert!(document.contains(&uuid_text(unit.uuid)) && document.contains("both.tgz"));
    }
}

#[test]
fn r7_1_e_a_consumer_of_another_layout_is_not_linked() {
    let wide = Table::new("ironwall.example", "list").with(Structure::of_slots(Kind::Heap, "Cell", 3));
    let user = Table::new("ironwall.example", "tree").using(&wide, Kind::Heap, "Cell");
    let inputs = [input("list.tgz", &part("list")), input("tree.tgz", &unit(made(user, "tree")))];
    let what = "ironwall.example/tree was compiled for another layout of Cell of ironwall.example/list";
    assert_eq!(refused(&inputs), [("tree.tgz".to_owned(), "link.layout", what.to_owned())]);

    let more = Table::new("ironwall.example", "list").with(Structure::of_slots(Kind::Heap, "Gone", 1));
    let user = Table::new("ironwall.example", "tree").using(&more, Kind::Heap, "Gone");
    let refusals = refused(&[input("list.tgz", &part("list")), input("tree.tgz", &unit(made(user, "tree")))]);
    assert_eq!(refusals.iter().map(|(_, rule, _)| *rule).collect::<Vec<_>>(), ["link.structure-missing"]);
}

#[test]
fn a_missing_import_is_refused_and_named() {
    let refusals = refused(&[input("tree.tgz", &part("tree"))]);
    let what = format!("ironwall.example/tree imports {}, which is in no archive", uuid_text(list().id()));
    assert_eq!(refusals, [("tree.tgz".to_owned(), "link.import-missing", what)]);
}

#[test]
fn r8_1_d_a_circle_of_imports_is_refused_and_named() {
    let table = |name: &str| Table::new("p", name);
    let [a, b, c, d] = ["a", "b", "c", "d"].map(table);
    // a, b and c are a circle; d imports it, and e and f are another.
    let (e, f) = (table("e"), table("f"));
    let units = [
        made(a.clone().importing(&b), "a"),
        made(b.clone().importing(&c), "b"),
        made(c.importing(&a), "c"),
        made(d.importing(&a), "d"),
        made(e.clone().importing(&f), "e"),
        made(f.importing(&e), "f"),
    ];
    let refusals = refused(&[input("all.tgz", &archive(&units, &[TARGET]))]);
    assert_eq!(refusals.len(), 2, "{refusals:?}");
    for (_, rule, what) in &refusals {
        assert_eq!(*rule, "link.import-cycle");
        let names: Vec<&str> = what.rsplit(": ").next().expect("names").split(" imports ").collect();
        assert_eq!(names.first(), names.last());
        for pair in names.windows(2) {
            let follows = [("p/a", "p/b"), ("p/b", "p/c"), ("p/c", "p/a"), ("p/e", "p/f"), ("p/f", "p/e")];
            assert!(follows.contains(&(pair[0], pair[1])), "{what}");
        }
    }
}

#[test]
fn other_targets_and_names_twice_are_refused() {
    let arm = archive(&[made(list(), "list")], &[Target::Aarch64Linux]);
    let refusals = refused(&[input("list.tgz", &arm)]);
    let expected = ("list.tgz".to_owned(), "link.target", "the archive has no objects for x86_64-linux".to_owned());
    assert_eq!(refusals, [expected]);
    let twice = refused(&[input("list.tgz", &part("list")), input("list.tgz", &part("list"))]);
    assert_eq!(twice.iter().map(|(_, rule, _)| *rule).collect::<Vec<_>>(), ["link.archive-twice"]);
    for bad in ["", "a b.tgz", "../a.tgz", "a/b.tgz", "\u{1b}[2J", "é", &"n".repeat(101)] {
        assert!(Input::new(bad, part("list")).is_err(), "{bad}");
    }
}

#[test]
fn a_symbol_of_two_units_is_refused() {
    let table = |name: &str| Table::new("p", name);
    let one = unit(Made { exports: &["shared", "one"], ..made(table("a"), "a") });
    let two = unit(Made { exports: &["shared", "aRuntimeInit"], ..made(table("b"), "b") });
    let refusals = refused(&[input("a.tgz", &one), input("b.tgz", &two)]);
    let whats: Vec<_> =
        refusals.iter().map(|(_, rule, what)| (*rule, what.split(' ').next().expect("a word"))).collect();
    assert_eq!(whats, [("link.symbol-twice", "aRuntimeInit"), ("link.symbol-twice", "shared")]);
}

#[test]
fn who_is_not_prepared_for_a_collection_does_not_call_what_may_collect() {
    let table = |name: &str| Table::new("p", name);
    let check = |export: &'static str, require: &'static str| {
        let (exports, requires) = ([export], [require]);
        let one = unit(Made { exports: &exports, ..made(table("a"), "a") });
        let two = unit(Made { requires: &requires, ..made(table("b").importing(&table("a")), "b") });
        link(&[input("a.tgz", &one), input("b.tgz", &two)], TARGET).map(|_| ()).map_err(|findings| {
            assert_eq!(findings[0].problem.rule, "link.effect");
            findings[0].problem.what.clone()
        })
    };
    assert_eq!(check("-f", "-f"), Ok(()));
    assert_eq!(check("-f", "f"), Ok(()));
    assert_eq!(check("f", "f"), Ok(()));
    assert_eq!(check("f", "-f"), Err("p/b is not prepared for a collection, which f of p/a may make".to_owned()));
}

#[test]
fn a_unit_that_says_it_never_collects_needs_nothing_that_does() {
    let base = Table::new("p", "a");
    let check = |export: &'static str, require: &'static str| {
        let (exports, requires) = ([export], [require]);
        let table = Table::new("p", "b").importing(&base);
        let quiet = Made { body_collects: false, exports: &exports, requires: &requires, ..made(table, "b") };
        let one = unit(Made { exports: &["f", "-g"], ..made(base.clone(), "a") });
        let inputs = [input("a.tgz", &one), input("b.tgz", &unit(quiet))];
        link(&inputs, TARGET).map(|_| ()).map_err(|findings| findings[0].to_string())
    };
    assert_eq!(check("-h", "g"), Ok(()));
    assert_eq!(check("h", "f"), Ok(()), "it says that it may");
    for (require, name) in [("f", "f"), ("+iw_collect", "iw_collect"), ("+iw_host_point", "iw_host_point")] {
        let said = check("-h", require).expect_err(name);
        let expected =
            format!("b.tgz: link.effect: p/b says that nothing of it may collect, and needs {name}, which may");
        assert!(said.starts_with(&expected), "{said}");
        assert_eq!(check("h", require), Ok(()));
    }
    assert_eq!(check("-h", "+iw_new_slow"), Ok(()));
}

#[test]
fn everything_that_is_wrong_is_reported_at_once() {
    let lost = Table::new("p", "lost");
    let units = [
        Made { exports: &["f"], ..made(Table::new("p", "a").importing(&lost), "a") },
        Made { exports: &["g"], ..made(Table::new("p", "b").using(&list(), Kind::Heap, "Cell"), "b") },
    ];
    let wide = Table::new("ironwall.example", "list").with(Structure::of_slots(Kind::Heap, "Cell", 3));
    let others =
        [Made { exports: &["f"], ..made(wide, "list") }, Made { requires: &["-g"], ..made(Table::new("p", "c"), "c") }];
    let inputs = [input("a.tgz", &archive(&units, &Target::ALL)), input("b.tgz", &archive(&others, &[TARGET]))];
    let mut rules: Vec<_> = refused(&inputs).into_iter().map(|(_, rule, _)| rule).collect();
    rules.sort_unstable();
    assert_eq!(rules, ["link.effect", "link.import-missing", "link.layout", "link.symbol-twice"]);
}

#[test]
fn r7_2_e_a_shared_tag1_is_noted_and_linked() {
    let heap = |unit: &str, name: &str| Table::new("collision", unit).with(Structure::of_slots(Kind::Heap, name, 1));
    let (one, two) = (unit(made(heap("one", "S1be1b58"), "one")), unit(made(heap("two", "Sc010f9"), "two")));
    let inputs = [input("one.tgz", &one), input("two.tgz", &two)];
    let plan = plan(&inputs);
    let notes = notes(&plan, "note.tag1");
    assert_eq!(notes.len(), 1);
    for name in ["S1be1b58 of collision/one", "Sc010f9 of collision/two"] {
        assert!(notes[0].contains(name), "{notes:?}");
    }
}

#[test]
fn calls_without_an_import_are_noted_and_foreign_symbols_listed() {
    let table = |name: &str| Table::new("p", name);
    let one = Made { exports: &["f"], requires: &["-memcpy", "puts"], ..made(table("a"), "a") };
    let two = Made { requires: &["f", "memcpy"], ..made(table("b"), "b") };
    let three = Made { requires: &["f"], ..made(table("c").importing(&table("d")), "c") };
    let four = made(table("d").importing(&table("a")), "d");
    let inputs = [input("all.tgz", &archive(&[one, two, three, four], &[TARGET]))];
    let plan = plan(&inputs);
    assert_eq!(notes(&plan, "note.not-imported"), ["p/b needs f of p/a without importing it"]);
    let externals: Vec<_> = plan.externals.iter().map(|one| (&*one.symbol, one.may_collect, one.units.len())).collect();
    assert_eq!(externals, [("memcpy", false, 2), ("puts", true, 1)]);
}

/// Numbers that are always the same.
fn numbers(mut seed: u64) -> impl FnMut(u64) -> u64 {
    move |below| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    }
}

#[test]
fn r8_1_d_bodies_are_planned_in_the_order_in_which_the_runtime_lets_them_run() {
    for seed in 0..24 {
        let mut number = numbers(seed);
        let names: Vec<String> = (0..9).map(|i| format!("u{i}")).collect();
        let mut tables: Vec<Table> = Vec::new();
        for name in &names {
            let mut table = Table::new("p", name);
            for other in &tables {
                if number(4) == 0 {
                    table = table.importing(other);
                }
            }
            tables.push(table);
        }
        let units: Vec<Made<'_>> = tables.iter().zip(&names).map(|(table, name)| made(table.clone(), name)).collect();
        let inputs = [input("all.tgz", &archive(&units, &[TARGET]))];
        let plan = plan(&inputs);

        let mut runtime = runtime();
        for unit in &plan.units {
            let member = inputs[0].archive().member(&unit.manifest.table.path).expect("a table");
            runtime.attach(member.to_vec().leak(), []).expect("attached");
        }
        runtime.link().expect("linked");
        for &i in &plan.order {
            let next = runtime.next_unit().expect("another unit");
            let (_, image) = runtime.units().find(|(unit, _)| *unit == next).expect("an attached unit");
            assert_eq!(image.table(), plan.units[i].uuid(), "seed {seed}");
            runtime.start_unit(next).expect("started");
        }
        assert_eq!(runtime.next_unit(), None);
    }
}

fn runtime() -> Runtime<'static> {
    let leak = |words: usize| {
        let words = Box::leak(vec![0u64; words + 2].into_boxed_slice());
        let skip = usize::from(!words.as_ptr().addr().is_multiple_of(16));
        let len = words.len() - 2;
        &mut words[skip..skip + len]
    };
    let config = Config {
        tables: TableLimits { tables: 16, entries: 64, offsets: 64, globals: 4 },
        handles: 1,
        frames: Region::from_words(leak(64)),
        wipes: true,
        heap_is_zeroed: true,
        pages: None,
        on_fault: None,
    };
    let len = 1 << 16;
    let bookkeeping = leak(Runtime::bookkeeping_words(len, &config).expect("a length"));
    Runtime::new(Region::from_words(leak(len / 8)), bookkeeping, config).expect("a runtime")
}

#[test]
fn nothing_of_an_archive_gets_into_c_but_symbols_and_identities() {
    let evil = Table::new("*/system(0);/*", "%s??/");
    let units = [made(evil.with(Structure::of_slots(Kind::Heap, "*/x", 1)), "NULL"), made(list(), "while")];
    let inputs = [input("evil.tgz", &archive(&units, &[TARGET]))];
    let files = plan(&inputs).files().into_iter().map(|(name, bytes)| (name, bytes.into_owned())).collect::<Vec<_>>();
    for (name, bytes) in &files {
        assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._+-".contains(&byte)), "{name}");
        if !name.starts_with("ironwall_units.") {
            continue;
        }
        let text = String::from_utf8_lossy(bytes);
        assert!(!text.contains("system") && !text.contains("??"), "{text}");
        for line in text.lines().filter(|line| line.contains("NULLMeta") || line.contains("whileMeta")) {
            assert!(line.contains("__asm__(\""), "{line}");
        }
    }
    assert_eq!(files.len(), 5);
}

#[test]
fn a_program_of_both_units_is_planned_as_written_down() {
    let inputs = [input("both.tgz", &packed().archive)];
    let plan = plan(&inputs);
    assert_eq!(titles(&plan), ["list", "tree"], "imports first");
    let room = plan.room();
    assert_eq!((room.entries, room.offsets, room.globals), (3, 6, 1));
    let document: BTreeMap<String, String> =
        plan.files().into_iter().map(|(name, bytes)| (name, String::from_utf8_lossy(&bytes).into_owned())).collect();
    let text = &document["plan.json"];
    assert!(text.starts_with("{\n  \"archives\": [\n    {\n      \"name\": \"both.tgz\",\n"), "{text}");
    assert!(document["ironwall_units.h"].contains("#define IRONWALL_UNITS 2u\n"));
    let position = |table: &Table| plan.units.iter().position(|unit| unit.uuid() == table.id()).expect("a unit");
    let order = format!("{}u, {}u,\n", position(&list()), position(&tree()));
    assert!(document["ironwall_units.c"].contains(&order), "{}", document["ironwall_units.c"]);
}
