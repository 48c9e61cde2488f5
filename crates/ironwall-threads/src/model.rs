//! Every order in which threads can meet at the gate, tried by loom: `cargo xtask ironwall loom`.
//!
//! The heap is stood for by a cell that loom watches: those inside read it, a collection writes it, and two of these
//! at the same time, or without the gate's order between them, end the model. So does a thread that waits for ever.
//! The last model has a real runtime.

use crate::gate::Gate;
use crate::sync::Deadline;
use crate::{Heap, MutatorId, NotCollected};
use ironwall::{Block, Config, EntryId, Kind, Origin, Region, Runtime, TableLimits};
use ironwall_format::{Structure, Table};
use loom::cell::UnsafeCell;
use loom::model::Builder;
use loom::sync::Arc;
use loom::thread;
use std::time::Duration;

/// More looks at a deadline than a model makes.
const NEVER: Duration = Duration::from_secs(1);

/// Tries all orders; with at most so many places where a thread is stopped though it could go on, if there is a number.
fn model(preemptions: Option<usize>, threads: impl Fn() + Sync + Send + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = preemptions;
    builder.check(threads);
}

/// A gate, and a heap.
struct World {
    gate: Gate,
    heap: UnsafeCell<()>,
}

impl World {
    fn new() -> Arc<Self> {
        Arc::new(Self { gate: Gate::new(), heap: UnsafeCell::new(()) })
    }

    /// What a mutator does between its calls.
    fn work(&self) {
        let heap = self.heap.get();
        thread::yield_now();
        drop(heap);
    }

    fn collect(&self, caller: Option<MutatorId>, limit: Duration) -> Result<(), Vec<MutatorId>> {
        let stopped = self.gate.stop(caller, &Deadline::after(limit))?;
        let heap = self.heap.get_mut();
        thread::yield_now();
        drop(heap);
        drop(stopped);
        Ok(())
    }

    /// A mutator that works, comes to a rendezvous, works, and leaves.
    fn mutate(&self, id: MutatorId) {
        self.gate.enter(id);
        self.work();
        self.gate.rendezvous(id);
        self.work();
        self.gate.leave(id);
    }
}

#[test]
fn r3_2_a_the_world_is_stopped_while_a_host_collects() {
    model(None, || {
        let world = World::new();
        let id = world.gate.add();
        let mutator = thread::spawn({
            let world = world.clone();
            move || world.mutate(id)
        });
        assert_eq!(world.collect(None, NEVER), Ok(()));
        mutator.join().expect("it ends");
        assert_eq!(world.collect(None, NEVER), Ok(()));
    });
}

#[test]
fn r3_2_a_r6_a_the_world_is_stopped_for_one_of_two_mutators_and_a_host() {
    model(Some(4), || {
        let world = World::new();
        let ids = [world.gate.add(), world.gate.add()];
        let mutators = ids.map(|id| {
            let world = world.clone();
            thread::spawn(move || {
                world.mutate(id);
                world.gate.remove(id);
            })
        });
        assert_eq!(world.collect(None, NEVER), Ok(()));
        mutators.into_iter().for_each(|mutator| mutator.join().expect("it ends"));
    });
}

#[test]
fn r6_b_two_that_collect_from_inside_let_each_other_go_first() {
    model(None, || {
        let world = World::new();
        let ids = [world.gate.add(), world.gate.add()];
        let [one, two] = ids.map(|id| {
            let world = world.clone();
            move || {
                world.gate.enter(id);
                world.work();
                assert_eq!(world.collect(Some(id), NEVER), Ok(()));
                world.work();
                world.gate.leave(id);
            }
        });
        let other = thread::spawn(one);
        two();
        other.join().expect("it ends");
    });
}

#[test]
fn r3_2_a_a_refused_collection_names_who_runs_and_keeps_nobody_out() {
    for looks in 0..3 {
        model(None, move || {
            let world = World::new();
            let id = world.gate.add();
            let mutator = thread::spawn({
                let world = world.clone();
                move || {
                    world.mutate(id);
                    // Nothing is stopped for good.
                    world.mutate(id);
                }
            });
            let made = world.collect(None, Duration::from_nanos(looks));
            assert!(made == Ok(()) || made == Err(vec![id]), "{made:?}");
            mutator.join().expect("it ends");
        });
    }
}

#[test]
fn r6_b_who_waits_to_go_inside_goes_when_a_collection_is_refused() {
    model(Some(3), || {
        let world = World::new();
        let ids = [world.gate.add(), world.gate.add()];
        let mutators = ids.map(|id| {
            let world = world.clone();
            thread::spawn(move || {
                world.gate.enter(id);
                world.work();
                world.gate.leave(id);
            })
        });
        // Whether it is made depends on the order; those that it kept out go inside either way.
        let _ = world.collect(None, Duration::from_nanos(1));
        mutators.into_iter().for_each(|mutator| mutator.join().expect("it ends"));
    });
}

#[test]
fn r3_2_a_a_refused_caller_waits_for_the_collection_that_is_made() {
    for looks in 0..3 {
        model(Some(4), move || {
            let world = World::new();
            let id = world.gate.add();
            let host = thread::spawn({
                let world = world.clone();
                move || assert_eq!(world.collect(None, NEVER), Ok(()))
            });
            world.gate.enter(id);
            // The host may be first; then this one runs on only when that is over.
            let _ = world.collect(Some(id), Duration::from_nanos(looks));
            world.work();
            world.gate.leave(id);
            host.join().expect("it ends");
        });
    }
}

fn memory(words: usize) -> Region<'static> {
    let words = vec![0u64; words + 2].leak();
    let skip = usize::from(!words.as_ptr().addr().is_multiple_of(16));
    Region::from_words(&mut words[skip..])
}

/// A heap of one block with its pair and its frame.
fn heap() -> (Heap<'static>, EntryId, EntryId) {
    let table = Table::new("test", "loom").with(Structure::of_slots(Kind::Heap, "Pair", 2)).with(Structure::of_slots(
        Kind::Frame,
        "frame",
        1,
    ));
    let config = Config {
        tables: TableLimits { tables: 1, entries: 2, offsets: 4, globals: 0 },
        handles: 0,
        frames: memory(8),
        wipes: true,
        heap_is_zeroed: true,
        pages: None,
        on_fault: None,
    };
    let len = 64 << 10;
    let bookkeeping = vec![0; Runtime::bookkeeping_words(len, &config).expect("a length")].leak();
    let mut runtime = Runtime::new(memory(len / 8), bookkeeping, config).expect("a runtime");
    let unit = runtime.attach(table.image().expect("short names").leak(), []).expect("attached");
    runtime.link().expect("linked");
    runtime.start_unit(unit).expect("started");
    let entry = |kind, name| runtime.entry(table.id(), table.structure_id(kind, name)).expect("an entry");
    let (pair, frame) = (entry(Kind::Heap, "Pair"), entry(Kind::Frame, "frame"));
    (Heap::new(runtime), pair, frame)
}

#[test]
fn r3_2_a_r6_a_what_a_thread_holds_without_a_frame_outlives_a_collection() {
    model(Some(4), || {
        let (heap, pair, frame) = heap();
        let heap = Arc::new(heap);
        let mutator = thread::spawn({
            let heap = heap.clone();
            move || {
                let mut mutator = heap.mutator(memory(8));
                let mut inside = mutator.enter();
                let new = inside.with(|calls| calls.allocate(pair)).expect("a pair");
                // Here it is in no frame.
                inside.with(|calls| {
                    let frame = calls.push_frame(frame).expect("a frame");
                    calls.store(frame, 0, new.address()).expect("a slot");
                });
                inside.rendezvous();
                let held: Block = new;
                assert_eq!(inside.with(|calls| calls.load(held, 0)), Ok(0));
            }
        });
        match heap.collect(Origin::Host, 0, NEVER) {
            // When the mutator is gone, its frame is.
            Ok(report) => assert!(report.dead == 0 || report.frames == 0, "{report:?}"),
            Err(NotCollected::MutatorsRunning(_)) => panic!("the deadline does not pass here"),
            Err(NotCollected::Failure(failure)) => panic!("{failure:?}"),
        }
        mutator.join().expect("it ends");
    });
}
