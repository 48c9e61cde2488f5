//! A list of a million cells, on the small stack of a thread.

use crate::support::World;
use ironwall::Kind;
use ironwall_explain::{ObjectId, Snapshot, check, check_snapshot, picture};

#[test]
fn a_list_of_a_million_cells_is_explained_without_recursion() {
    let work = || {
        let count = 1_000_000u32;
        let mut world = World::new(64 << 20, &["one"]);
        let frame = world.frame(0);
        let pair = world.entry(0, Kind::Heap, "Pair");
        for _ in 0..count {
            let cell = world.runtime.allocate(pair).expect("a cell");
            let head = world.runtime.load(frame, 8).expect("a slot");
            world.runtime.store(cell, 8, head).expect("a slot");
            // Each cell but the last also refers back to itself, which dominates nothing.
            world.set(cell, 0, cell);
            world.set(frame, 8, cell);
        }
        let snapshot = world.snapshot();
        let last = ObjectId(count - 1);
        let path = snapshot.why(last).expect("a path");
        assert_eq!(path.steps.len(), count as usize);
        assert_eq!(check(&world.runtime, &path), Ok(()));
        assert_eq!(check_snapshot(&snapshot, &path), Ok(()));
        let shown = path.to_string();
        assert!(shown.contains("… 999952 objects …") && shown.lines().count() == 50, "{shown}");
        let retained = snapshot.retained();
        assert_eq!(retained.objects[0], 48 * u64::from(count));
        assert_eq!(retained.objects[last.0 as usize], 48);
        assert_eq!(retained.units[0].retained, 48 * u64::from(count));
        let again = Snapshot::from_json(snapshot.to_json().as_bytes()).expect("what was written");
        assert_eq!(again, snapshot);
        assert!(picture::svg(&snapshot).expect("a picture").contains("1000000 objects, 48000000 bytes live"));
    };
    std::thread::Builder::new().stack_size(256 << 10).spawn(work).expect("a thread").join().expect("no overflow");
}
