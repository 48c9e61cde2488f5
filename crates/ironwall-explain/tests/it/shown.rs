//! What people see.

use crate::support::{World, globals, leak};
use ironwall::{Kind, Region};
use ironwall_explain::{Names, ObjectId, Snapshot, TakeError, picture};
use ironwall_format::{Structure, Table};

#[test]
fn a_path_names_unit_structure_and_field() {
    let mut world = World::new(256 << 10, &["one", "two"]);
    let (outer, inner) = (world.frame(0), world.frame(1));
    let (first, second) = (world.pair(0), world.pair(1));
    world.set(outer, 8, first);
    world.set(first, 8, second);
    world.set(inner, 16, first);
    let snapshot = world.snapshot().without_addresses();
    let path = snapshot.why(ObjectId(1)).expect("a path");
    let expected =
        "frame 0 main of app/two, slot +16\n  → #0 Pair of app/one, 16 bytes\n  .cdr → #1 Pair of app/two, 16 bytes";
    assert_eq!(path.to_string(), expected);
    assert_eq!(snapshot.line(ObjectId(1)).as_deref(), Some("#1 Pair of app/two, 16 bytes"));
    assert_eq!(snapshot.why(ObjectId(2)), None);
}

#[test]
fn r7_3_c_the_order_of_attaching_is_not_seen() {
    let mut seen = Vec::new();
    for order in [["one", "two", "three"], ["three", "one", "two"], ["two", "three", "one"], ["three", "two", "one"]] {
        let mut world = World::new(256 << 10, &order);
        let at = |name: &str| order.iter().position(|unit| *unit == name).expect("a unit");
        let frame = world.frame(at("two"));
        let pairs: Vec<_> = ["one", "two", "three", "one"].map(|unit| world.pair(at(unit))).into();
        world.set(frame, 0, pairs[3]);
        world.set(pairs[3], 0, pairs[1]);
        for (unit, pair) in ["one", "two", "three"].into_iter().zip(&pairs) {
            world.set(world.global(at(unit)), 8, *pair);
        }
        world.set(pairs[0], 8, world.global(at("three")));
        world.pair(at("three"));
        let snapshot = world.snapshot().without_addresses();
        let path = snapshot.why(ObjectId(2)).expect("a path").to_json();
        seen.push((snapshot.to_json(), path, format!("{:?}", snapshot.retained())));
    }
    assert!(seen.iter().all(|one| *one == seen[0]), "{seen:#?}");
}

#[test]
fn a_picture_is_the_same_each_time_and_its_names_are_escaped() {
    let mut runtime = crate::support::empty_runtime(1 << 20);
    let table = Table::new("a<b>", "\"x\"&'y'")
        .with(Structure::of_slots(Kind::Heap, "<script>", 2))
        .with(Structure::new(Kind::Heap, "Bytes", 0, &[]).with_bytes(1))
        .with(globals());
    let block = leak(6);
    block[..4].copy_from_slice(&table.prefix(&globals()));
    runtime.attach(table.image().expect("an image").leak(), [Region::from_words(block)]).expect("attached");
    runtime.link().expect("linked");
    let unit = runtime.next_unit().expect("a unit");
    runtime.start_unit(unit).expect("started");
    let entry = |name: &str| runtime.entry(table.id(), table.structure_id(Kind::Heap, name)).expect("an entry");
    let (node, bytes) = (entry("<script>"), entry("Bytes"));
    let (kept, large) = (runtime.allocate(node), runtime.allocate_extent(bytes, 200_000));
    let (global, kept, large) =
        (runtime.globals().next().expect("a global"), kept.expect("an object"), large.expect("an object"));
    runtime.store(global, 0, kept.address()).expect("a slot");
    runtime.store(kept, 8, large.address()).expect("a slot");
    runtime.allocate(node).expect("an object");
    let take = || picture::svg(&Snapshot::take(&runtime, &Names::default()).expect("a sound heap")).expect("a picture");
    let svg = take();
    assert_eq!(svg, take());
    assert!(svg.contains("3 objects, 200080 bytes live, 48 bytes dead"), "{svg}");
    assert!(svg.contains("a&lt;b&gt;/&quot;x&quot;&amp;&#39;y&#39;") && svg.contains("&lt;script&gt;"), "{svg}");
    assert!(!svg.contains("<script") && svg.matches("<g>").count() == 5, "{svg}");
    let snapshot = Snapshot::take(&runtime, &Names::default()).expect("a sound heap");
    assert_eq!(picture::svg(&snapshot.without_addresses()), None);
}

#[test]
fn damage_is_told_where_it_is() {
    let mut world = World::new(256 << 10, &["one"]);
    let (frame, pair) = (world.frame(0), world.pair(0));
    world.set(frame, 0, pair);
    world.runtime.store(pair, 8, 0x1234_5670).expect("a slot");
    let holder = pair.address();
    let error = Snapshot::take(&world.runtime, &Names::default()).expect_err("damage");
    assert_eq!(error, TakeError::Reference { holder, offset: 8, word: 0x1234_5670 });
    assert!(error.to_string().contains("holds 0x12345670"));
    world.runtime.store(pair, 8, 7).expect("a slot");
    assert!(Snapshot::take(&world.runtime, &Names::default()).is_err(), "this structure may not hold odd words");
    world.runtime.store(pair, 8, 0).expect("a slot");
    let unit = world.runtime.units().next().expect("a unit").0;
    world.runtime.detach_for_test(unit);
    assert!(Snapshot::take(&world.runtime, &Names::default()).is_err(), "nothing says what the objects are");
}

#[test]
fn names_are_kept_beside_the_image() {
    let world = World::new(256 << 10, &["one"]);
    let names = world.names();
    let again = Names::from_json(names.to_json().as_bytes()).expect("what was written");
    assert_eq!(again, names);
    let pair = world.tables[0].structure_id(Kind::Heap, "Pair");
    let fields = names.fields(world.tables[0].id(), pair).expect("names");
    assert_eq!(
        fields.iter().map(|(&offset, name)| (offset, name.as_str())).collect::<Vec<_>>(),
        [(0, "car"), (8, "cdr")]
    );
    let plain = Table::new("app", "one").with(Structure::of_slots(Kind::Heap, "Pair", 2));
    let named = Table::new("app", "one").with(Structure::of_slots(Kind::Heap, "Pair", 2).with_field(8, "next"));
    assert_eq!(plain.image(), named.image(), "names are no part of an image");
}
