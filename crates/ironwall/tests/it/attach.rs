//! Units: attaching, linking, order of initialisation, identity in the collections.

use crate::support::{KIB, World, common, config, empty_runtime, globals, image, leak, start, start_all};
use ironwall::{Block, EntryId, Failure, FaultCode, Kind, Origin, Refusal, Region, Runtime, UnitId};
use ironwall_format::{Structure, Table};

fn runtime() -> Runtime<'static> {
    empty_runtime(256 * KIB, config())
}

/// A global block of a table, as a compiler emits it.
fn global_block(table: &Table, structure: &Structure, slots: usize) -> Region<'static> {
    let words = leak(4 + slots);
    words[..4].copy_from_slice(&table.prefix(structure));
    Region::from_words(words)
}

#[test]
fn r7_1_a_r7_1_b_each_unit_keeps_its_table_and_objects_name_it() {
    let (a, b) = (Table::new("app", "a"), Table::new("app", "b"));
    let (a, b) = (a.with(Structure::of_slots(Kind::Heap, "X", 1)), b.with(Structure::of_slots(Kind::Heap, "X", 1)));
    let mut runtime = runtime();
    let units = start(&mut runtime, &[&a, &b]);
    let entries = units.iter().map(|&unit| runtime.entry_at(unit, 0).expect("an entry")).collect::<Vec<_>>();
    let mut names: Vec<_> = runtime.units().map(|(_, image)| (image.package(), image.unit())).collect();
    names.sort_unstable();
    assert_eq!(names, [(&b"app"[..], &b"a"[..]), (b"app", b"b")]);
    for (entry, table) in entries.into_iter().zip([&a, &b]) {
        let block = runtime.allocate(entry).expect("an object");
        assert_eq!(runtime.identity(block), Ok((table.id(), table.structure_id(Kind::Heap, "X"))));
    }
}

#[test]
fn r7_3_a_both_collections_can_be_enumerated() {
    let mut runtime = runtime();
    let table = common();
    let global = global_block(&table, &globals(), 2);
    let address = global.address(0);
    runtime.attach(image(&table), [global]).expect("attached");
    assert_eq!(runtime.units().map(|(_, image)| image.table()).collect::<Vec<_>>(), [table.id()]);
    assert_eq!(runtime.globals().map(Block::address).collect::<Vec<_>>(), [address]);
    assert_eq!(runtime.census().count(), 5);
}

#[test]
fn r7_1_d_the_same_table_twice_is_refused() {
    let mut runtime = runtime();
    runtime.attach(image(&common()), []).expect("attached");
    assert_eq!(runtime.attach(image(&common()), []), Err(Refusal::DuplicateTable));
    assert_eq!(runtime.units().count(), 1);
}

#[test]
fn r7_1_e_a_layout_that_the_consumer_does_not_expect_is_not_linked() {
    let library = |size| Table::new("lib", "x").with(Structure::new(Kind::Heap, "S", size, &[0]));
    let app = Table::new("app", "main").using(&library(16), Kind::Heap, "S");
    for (size, outcome) in [(16, Ok(())), (24, Err(Refusal::LayoutMismatch))] {
        let mut runtime = runtime();
        runtime.attach(image(&app), []).expect("attached");
        assert_eq!(runtime.link(), Err(Refusal::MissingImport));
        runtime.attach(image(&library(size)), []).expect("attached");
        assert_eq!(runtime.link(), outcome);
        assert_eq!(runtime.next_unit().is_some(), outcome.is_ok());
    }
}

#[test]
fn r8_1_d_bodies_run_after_those_they_import() {
    let a = Table::new("p", "a");
    let b = Table::new("p", "b").importing(&a);
    let c = Table::new("p", "c").importing(&b).importing(&a);
    for order in [[&a, &b, &c], [&c, &b, &a], [&b, &c, &a]] {
        let mut runtime = runtime();
        let units: Vec<UnitId> =
            order.iter().map(|table| runtime.attach(image(table), []).expect("attached")).collect();
        assert_eq!(runtime.start_unit(units[0]), Err(Refusal::UnitNotAttached), "attached and not linked");
        runtime.link().expect("linked");
        let mut names = Vec::new();
        while let Some(unit) = runtime.next_unit() {
            let later = units.iter().find(|&&other| other != unit && runtime.start_unit(other).is_ok());
            assert_eq!(later, None, "another may not start before");
            runtime.start_unit(unit).expect("started");
            names.push(runtime.units().find(|(id, _)| *id == unit).expect("attached").1.unit());
            assert_eq!(runtime.start_unit(unit), Err(Refusal::InitTwice));
        }
        assert_eq!(names, [b"a", b"b", b"c"]);
    }
}

#[test]
fn r8_1_d_a_circle_of_imports_is_refused() {
    let (a, b) = (Table::new("p", "a"), Table::new("p", "b"));
    let (a, b) = (a.clone().importing(&b), b.importing(&a));
    let mut runtime = runtime();
    runtime.attach(image(&a), []).expect("attached");
    runtime.attach(image(&b), []).expect("attached");
    assert_eq!(runtime.link(), Err(Refusal::ImportCycle));
    assert_eq!(runtime.next_unit(), None);
}

#[test]
fn r8_1_d_a_unit_whose_initialisation_was_skipped_cannot_allocate() {
    let mut runtime = runtime();
    assert_eq!(runtime.allocate(EntryId::from_number(0)), Err(Refusal::UnitNotAttached));
    let table = Table::new("p", "u").with(Structure::of_slots(Kind::Heap, "X", 1));
    let unit = runtime.attach(image(&table), []).expect("attached");
    let entry = runtime.entry_at(unit, 0).expect("an entry");
    assert_eq!(runtime.allocate(entry), Err(Refusal::UnitNotAttached));
    runtime.link().expect("linked");
    assert_eq!(runtime.allocate(entry), Err(Refusal::UnitNotAttached), "its body has not begun");
    runtime.start_unit(unit).expect("started");
    runtime.allocate(entry).expect("an object");
}

#[test]
fn r8_1_d_a_body_may_collect() {
    let (a, b) = (Table::new("p", "a"), Table::new("p", "b"));
    let mut runtime = runtime();
    for table in [&a, &b] {
        runtime.attach(image(table), []).expect("attached");
    }
    runtime.link().expect("linked");
    let first = runtime.next_unit().expect("a unit");
    runtime.start_unit(first).expect("started");
    runtime.collect(Origin::Program, 0).expect("a collection");
    assert!(runtime.next_unit().is_some());
}

#[test]
fn units_attached_later_are_initialised_later() {
    let mut runtime = runtime();
    let a = Table::new("p", "a");
    start(&mut runtime, &[&a]);
    let b = Table::new("p", "b").importing(&a);
    runtime.attach(image(&b), []).expect("attached");
    assert_eq!(runtime.next_unit(), None);
    start_all(&mut runtime);
}

#[test]
fn r8_c_r8_a_empty_and_partial_tables_keep_their_identity() {
    let empty = Table::new("p", "empty");
    let layouts = Table::new("p", "layouts").with(Structure::of_slots(Kind::Heap, "X", 1));
    let only_globals = Table::new("p", "globals").with(globals());
    let mut runtime = runtime();
    runtime.attach(image(&empty), []).expect("attached");
    runtime.attach(image(&layouts), []).expect("attached");
    let block = global_block(&only_globals, &globals(), 2);
    runtime.attach(image(&only_globals), [block]).expect("attached");
    start_all(&mut runtime);
    let mut ids: Vec<_> = runtime.units().map(|(_, image)| image.table()).collect();
    let mut expected = [empty.id(), layouts.id(), only_globals.id()];
    expected.sort_unstable();
    assert!(ids.is_sorted());
    ids.sort_unstable();
    assert_eq!(ids, expected);
    assert_eq!(runtime.collect(Origin::Program, 0).expect("a collection").globals, 1);
}

#[test]
fn r7_3_b_globals_are_roots_as_long_as_their_table_is_attached() {
    let table = common();
    let library = Table::new("lib", "x").with(Structure::of_slots(Kind::Heap, "X", 1)).with(globals());
    let mut runtime = runtime();
    let block = global_block(&library, &globals(), 2);
    let library_unit = runtime.attach(image(&library), [block]).expect("attached");
    let unit = start(&mut runtime, &[&table])[0];
    assert_ne!(unit, library_unit);
    let pair = runtime.entry(table.id(), table.structure_id(Kind::Heap, "Pair")).expect("an entry");
    let of_library = runtime.entry(library.id(), library.structure_id(Kind::Heap, "X")).expect("an entry");
    let global = runtime.globals().next().expect("a global");
    let (kept, held) = (runtime.allocate(pair).expect("a pair"), runtime.allocate(of_library).expect("an object"));
    runtime.store(global, 8, kept.address()).expect("a slot");
    runtime.store(kept, 0, global.address()).expect("a reference to a global block is one");
    let handle = runtime.handle(held).expect("a handle");
    assert_eq!(runtime.collect(Origin::Program, 0).expect("a collection").live, 2);
    runtime.detach_for_test(library_unit);
    runtime.release(handle).expect("held");
    let report = runtime.collect(Origin::Program, 0).expect("a collection");
    assert_eq!((report.live, report.globals), (0, 0), "its globals are no roots");
}

#[test]
fn r7_3_b_objects_of_a_table_that_is_not_attached_are_damage() {
    let mut world = World::new(128 * KIB);
    let library = Table::new("lib", "x").with(Structure::of_slots(Kind::Heap, "X", 1));
    let unit = start(&mut world.runtime, &[&library])[0];
    let entry = world.runtime.entry_at(unit, 0).expect("an entry");
    let object = world.runtime.allocate(entry).expect("an object");
    let frame = world.frame();
    world.set(frame, 0, object);
    world.runtime.detach_for_test(unit);
    let outcome = world.runtime.collect(Origin::Program, 0);
    let Err(Failure::Fault(record)) = outcome else { panic!("no fault: {outcome:?}") };
    assert_eq!((record.code, record.address), (FaultCode::Tag2Wrong, object.address()));
}

#[test]
fn global_blocks_that_are_not_of_the_unit_are_refused() {
    let (table, other) = (common(), Table::new("p", "other").with(globals()));
    let right = || global_block(&table, &globals(), 2);
    let mut wrong_tag = table.prefix(&globals());
    wrong_tag[1] ^= 1;
    let wrong_block = leak(6);
    wrong_block[..4].copy_from_slice(&wrong_tag);
    let blocks = [
        global_block(&other, &globals(), 2),
        global_block(&table, &globals(), 1),
        global_block(&table, &Structure::of_slots(Kind::Heap, "Pair", 2), 2),
        Region::from_words(wrong_block),
        Region::from_words(leak(0)),
    ];
    let blocks = blocks.into_iter().take(if cfg!(miri) { 2 } else { 5 });
    for block in blocks {
        let mut runtime = runtime();
        assert_eq!(runtime.attach(image(&table), [right(), block]), Err(Refusal::BadGlobal));
        assert_eq!((runtime.units().count(), runtime.globals().count()), (0, 0), "all or nothing");
        runtime.attach(image(&table), [right()]).expect("attached");
    }
}

#[test]
#[cfg_attr(miri, ignore = "hashes many names")]
fn r6_c_room_for_tables_is_fixed() {
    let mut runtime = runtime();
    for i in 0..16 {
        runtime.attach(image(&Table::new("p", &i.to_string())), []).expect("attached");
    }
    assert_eq!(runtime.attach(image(&common()), []), Err(Refusal::TooManyTables));
    let mut runtime = empty_runtime(64 * KIB, config());
    let many =
        (0..65).fold(Table::new("p", "u"), |table, i| table.with(Structure::of_slots(Kind::Heap, &format!("S{i}"), 1)));
    assert_eq!(runtime.attach(image(&many), []), Err(Refusal::TooManyTables));
}

/// All orders of `0..count`.
fn permutations(count: usize) -> Vec<Vec<usize>> {
    (0..count).fold(vec![Vec::new()], |shorter, new| {
        let longer = shorter.iter().flat_map(|order| (0..=order.len()).map(move |at| (order.clone(), at)));
        longer
            .map(|(mut order, at)| {
                order.insert(at, new);
                order
            })
            .collect()
    })
}

#[test]
fn r7_3_c_r8_b_six_units_in_any_order_give_the_same_report() {
    let tables: Vec<Table> = (0..6u32)
        .map(|i| {
            Table::new("p", &format!("unit{i}"))
                .with(Structure::of_slots(Kind::Heap, "X", i + 1))
                .with(Structure::of_slots(Kind::Global, "globals", 2))
        })
        .collect();
    let images: Vec<&'static [u8]> = tables.iter().map(image).collect();
    let mut first = None;
    for order in permutations(if cfg!(miri) { 2 } else { 6 }) {
        let mut runtime = runtime();
        for &i in &order {
            let block = global_block(&tables[i], &globals(), 2);
            runtime.attach(images[i], [block]).expect("attached");
        }
        start_all(&mut runtime);
        let globals: Vec<Block> = runtime.globals().collect();
        for (place, &i) in order.iter().enumerate() {
            let entry = runtime.entry(tables[i].id(), tables[i].structure_id(Kind::Heap, "X")).expect("an entry");
            for _ in 0..=i {
                runtime.allocate(entry).expect("garbage");
            }
            let object = runtime.allocate(entry).expect("an object");
            runtime.store(globals[place], 0, object.address()).expect("a slot");
        }
        let report = runtime.collect(Origin::Program, 0).expect("a collection");
        let census: Vec<_> = runtime.census().map(|live| (live.table, live.structure, live.live)).collect();
        let seen = (report, census);
        assert_eq!(*first.get_or_insert_with(|| seen.clone()), seen, "{order:?}");
    }
}
