//! Heaps with several shadow stacks.

use crate::support::{World, leak};
use ironwall::{Block, Region, Stack};
use ironwall_explain::check::{At, Wrong};
use ironwall_explain::path::Root;
use ironwall_explain::{Names, ObjectId, RootPath, Snapshot, check, check_snapshot, check_with};

/// A runtime with a frame on its own stack and one on each of two others; each holds a pair in its slot 8.
fn world() -> (World, Vec<Stack<'static>>, [Block; 3]) {
    let mut world = World::new(256 << 10, &["one", "two"]);
    let mut stacks = vec![Stack::new(Region::from_words(leak(64))), Stack::new(Region::from_words(leak(64)))];
    let held = |world: &mut World, unit| {
        let (frame, pair) = (world.frame(unit), world.pair(unit));
        world.set(frame, 8, pair);
        pair
    };
    let own = held(&mut world, 0);
    let others = [0, 1].map(|i| {
        world.runtime.swap_stack(&mut stacks[i]);
        if i == 1 {
            world.frame(0);
        }
        let pair = held(&mut world, 1);
        if i == 1 {
            world.frame(0);
        }
        world.runtime.swap_stack(&mut stacks[i]);
        pair
    });
    (world, stacks, [own, others[0], others[1]])
}

#[test]
fn r6_e_frames_of_every_stack_are_roots_of_paths_that_the_checker_replays() {
    let (mut world, mut stacks, pairs) = world();
    let names = world.names();
    let snapshot = Snapshot::take_with(&mut world.runtime, &mut stacks, &names).expect("a sound heap");
    let numbers: Vec<u32> = snapshot.frames().iter().map(|frame| frame.stack).collect();
    assert_eq!(numbers, [0, 1, 2, 2, 2]);
    assert_eq!(snapshot.retained().dead.objects, 0);
    let shown = [
        "frame 0 main of app/one, slot list",
        "frame 0 of stack 1 main of app/two, slot list",
        "frame 1 of stack 2 main of app/two, slot list",
    ];
    for (pair, shown) in pairs.into_iter().zip(shown) {
        let path = snapshot.at(pair.address()).and_then(|id| snapshot.why(id)).expect("a path");
        assert!(path.to_string().starts_with(shown), "{path}");
        assert_eq!(check_snapshot(&snapshot, &path), Ok(()));
        assert_eq!(check_with(&mut world.runtime, &mut stacks, &path), Ok(()));
        assert_eq!(RootPath::from_json(path.to_json().as_bytes()), Ok(path));
    }
    assert_eq!(Snapshot::from_json(snapshot.to_json().as_bytes()), Ok(snapshot));
    assert_eq!(world.runtime.frames().count(), 1, "the runtime uses its own stack again");
    let report = world.runtime.collect_with(&stacks, ironwall::Origin::Program, 0).expect("a sound heap");
    assert_eq!((report.frames, report.live), (5, 3));
}

#[test]
fn r6_e_a_path_that_names_another_stack_is_told() {
    let (mut world, mut stacks, pairs) = world();
    let snapshot = Snapshot::take_with(&mut world.runtime, &mut stacks, &Names::default()).expect("a sound heap");
    let path = snapshot.at(pairs[1].address()).and_then(|id| snapshot.why(id)).expect("a path");
    assert!(check(&world.runtime, &path).is_err(), "the frame is not on the runtime's own stack");
    let wrong = [(0, Wrong::Tags), (2, Wrong::Tags), (3, Wrong::NoBlock), (u32::MAX, Wrong::NoBlock)];
    for (number, why) in wrong {
        let mut forged = path.clone();
        if let Root::Frame { stack, .. } = &mut forged.root {
            *stack = number;
        }
        let found = check_with(&mut world.runtime, &mut stacks, &forged).map_err(|wrong| (wrong.at, wrong.why));
        assert_eq!(found, Err((At::Root, why)), "{number}");
        assert!(check_snapshot(&snapshot, &forged).is_err(), "{number}");
    }
}

#[test]
fn damage_on_another_stack_is_told_and_the_own_stack_is_used_again() {
    let (mut world, mut stacks, _) = world();
    world.runtime.swap_stack(&mut stacks[1]);
    let frame = world.runtime.frames().next().expect("a frame");
    world.runtime.store(frame, 0, 8).expect("a slot");
    world.runtime.swap_stack(&mut stacks[1]);
    let own = world.runtime.frames().next();
    assert!(Snapshot::take_with(&mut world.runtime, &mut stacks, &Names::default()).is_err());
    assert_eq!(world.runtime.frames().next(), own);
}

#[test]
fn stacks_of_a_text_are_in_order_and_have_frames_only() {
    let (mut world, mut stacks, _) = world();
    let snapshot = Snapshot::take_with(&mut world.runtime, &mut stacks, &Names::default()).expect("a sound heap");
    let text = snapshot.without_addresses().to_json();
    let error = |from: &str, to: &str| {
        assert!(text.contains(from), "{text}");
        Snapshot::from_json(text.replacen(from, to, 1).as_bytes()).expect_err(to).to_string()
    };
    assert_eq!(error("\"stack\":1", "\"stack\":3"), "frames[2]: the frames are not in the order of their stacks");
    let globals = text.find("\"globals\":[{").expect("globals") + "\"globals\":[{".len();
    let mut global = text.clone();
    global.insert_str(globals, "\"stack\":1,");
    let error = Snapshot::from_json(global.as_bytes()).expect_err("a stack").to_string();
    assert_eq!(error, "globals[0]: a global block is in no stack");
    assert_eq!(Snapshot::from_json(text.as_bytes()).expect("a snapshot").why(ObjectId(99)), None);
}
