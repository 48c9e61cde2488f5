//! Paths that are not true.

use crate::support::World;
use ironwall::{Block, Kind, Uuid};
use ironwall_explain::check::{At, Wrong};
use ironwall_explain::path::{Root, Slot, Step};
use ironwall_explain::{ObjectId, RootPath, Snapshot, check, check_snapshot};

/// Two frames, a list of three pairs of both units under the outer one, a handle and a global.
fn world() -> (World, [Block; 3]) {
    let mut world = World::new(256 << 10, &["one", "two"]);
    let (outer, _inner) = (world.frame(0), world.frame(1));
    let cells = [world.pair(0), world.pair(1), world.pair(0)];
    world.set(outer, 8, cells[0]);
    world.set(cells[0], 8, cells[1]);
    world.set(cells[1], 0, cells[2]);
    (world, cells)
}

fn why(world: &World, block: Block) -> (Snapshot, RootPath) {
    let snapshot = world.snapshot();
    let path = snapshot.at(block.address()).and_then(|id| snapshot.why(id)).expect("a path");
    (snapshot, path)
}

fn wrong(result: Result<(), ironwall_explain::Mismatch>) -> Option<(At, Wrong)> {
    result.err().map(|mismatch| (mismatch.at, mismatch.why))
}

#[test]
fn r6_e_forged_paths_are_told() {
    let (world, cells) = world();
    let (snapshot, path) = why(&world, cells[2]);
    assert_eq!(check(&world.runtime, &path), Ok(()));
    type Forge = fn(&mut RootPath);
    let cases: [(Forge, At, Wrong); 17] = [
        (|path| path.steps.clear(), At::Root, Wrong::Empty),
        (|path| path.root = Root::Handle { number: 0 }, At::Root, Wrong::NoBlock),
        (|path| set_root(path, 0, 8), At::Root, Wrong::Tags),
        (|path| set_root(path, 7, 8), At::Root, Wrong::NoBlock),
        (|path| set_root(path, u32::MAX, 8), At::Root, Wrong::NoBlock),
        (|path| set_root(path, 1, 16), At::Root, Wrong::Edge),
        (|path| set_root(path, 1, 9), At::Root, Wrong::Slot),
        (|path| path.places[0].name = "other".to_owned(), At::Root, Wrong::Identity),
        (|path| path.places[0].table = Uuid::NIL, At::Root, Wrong::Identity),
        (|path| path.places[1].kind = Kind::Frame, At::Step(0), Wrong::Identity),
        (|path| path.places.truncate(2), At::Step(1), Wrong::NoPlace),
        (|path| path.steps[1].place = path.steps[0].place, At::Step(1), Wrong::Tags),
        (|path| path.steps[1].bytes = 24, At::Step(1), Wrong::Bytes),
        (|path| path.steps[1].via = None, At::Step(1), Wrong::Via),
        (|path| path.steps[2].via = Some(Slot { offset: 8, name: None }), At::Step(2), Wrong::Edge),
        (|path| path.steps[2].via = Some(Slot { offset: 16, name: None }), At::Step(2), Wrong::Slot),
        (|path| drop(path.steps.remove(1)), At::Step(1), Wrong::Edge),
    ];
    for (i, (forge, at, why)) in cases.into_iter().enumerate() {
        let mut forged = path.clone();
        forge(&mut forged);
        assert_eq!(wrong(check(&world.runtime, &forged)), Some((at, why)), "case {i}");
        assert!(check_snapshot(&snapshot, &forged).is_err(), "case {i}");
    }
    // An address in the middle of an object, outside the heap, or none.
    for (address, why) in [(cells[0].address() + 16, Wrong::Edge), (4096, Wrong::Edge)] {
        let mut forged = path.clone();
        forged.steps[0].address = Some(address);
        assert_eq!(wrong(check(&world.runtime, &forged)), Some((At::Root, why)));
        assert_eq!(wrong(check_snapshot(&snapshot, &forged)), Some((At::Step(0), Wrong::Address)));
    }
    let mut forged = path.clone();
    forged.steps[0].address = None;
    assert_eq!(wrong(check(&world.runtime, &forged)), Some((At::Step(0), Wrong::Address)));
    // What the runtime does not know is for the snapshot to tell.
    let mut forged = path.clone();
    forged.steps[2].object = ObjectId(0);
    assert!(check_snapshot(&snapshot, &forged).is_err());
    let mut forged = path;
    forged.steps[1].via = Some(Slot { offset: 8, name: Some("car".to_owned()) });
    assert_eq!(wrong(check_snapshot(&snapshot, &forged)), Some((At::Step(1), Wrong::Field)));
}

fn set_root(path: &mut RootPath, to: u32, at: u32) {
    if let Root::Frame { depth, slot, .. } = &mut path.root {
        *depth = to;
        *slot = Slot { offset: at, name: None };
    }
}

#[test]
fn r6_e_a_path_is_no_more_true_when_the_heap_has_changed() {
    let (mut world, cells) = world();
    let (_, path) = why(&world, cells[2]);
    world.runtime.store(cells[1], 0, 0).expect("a slot");
    assert_eq!(wrong(check(&world.runtime, &path)), Some((At::Step(2), Wrong::Edge)));
    world.set(cells[1], 0, cells[2]);
    assert_eq!(check(&world.runtime, &path), Ok(()));
    let inner = world.runtime.frames().next().expect("a frame");
    world.runtime.pop_frame(inner).expect("the newest");
    assert_eq!(wrong(check(&world.runtime, &path)), Some((At::Root, Wrong::NoBlock)), "the depths are others");
}

#[test]
fn r6_e_handles_and_globals_are_roots_of_paths() {
    let (mut world, _) = world();
    let alone = world.pair(1);
    let handle = world.runtime.handle(alone).expect("a handle");
    let (_, mut path) = why(&world, alone);
    assert_eq!(path.root, Root::Handle { number: 0 });
    assert_eq!(check(&world.runtime, &path), Ok(()));
    path.root = Root::Handle { number: 1 };
    assert_eq!(wrong(check(&world.runtime, &path)), Some((At::Root, Wrong::NoBlock)));
    world.runtime.release(handle).expect("a handle");
    world.set(world.global(1), 0, alone);
    let (snapshot, path) = why(&world, alone);
    let Root::Global { number: 0, ref slot, .. } = path.root else { panic!("{path}") };
    assert_eq!(slot.name.as_deref(), Some("cache"));
    assert_eq!((check(&world.runtime, &path), check_snapshot(&snapshot, &path)), (Ok(()), Ok(())));
    let mut forged = path.clone();
    forged.steps.push(Step { via: Some(Slot { offset: 0, name: None }), ..path.steps[0].clone() });
    assert!(check(&world.runtime, &forged).is_err() && check_snapshot(&snapshot, &forged).is_err());
    let mut forged = path.clone();
    forged.root = Root::Global { number: 1, place: 0, slot: slot.clone() };
    assert_eq!(wrong(check(&world.runtime, &forged)), Some((At::Root, Wrong::NoBlock)));
}
