//! What threads may rely on. Names that begin like `r3_2_a` give the statement of `docs/ironwall/requirements.md`.

use ironwall::{Config, EntryId, Kind, Origin, Region, Runtime, TableLimits};
use ironwall_explain::{Names, Snapshot, check_with};
use ironwall_format::{Structure, Table};
use ironwall_host::{Answer, Call, Mailbox};
use ironwall_threads::{Heap, Mutator, NotCollected};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(20);

fn memory(words: usize) -> Region<'static> {
    let words = vec![0u64; words + 2].leak();
    let skip = usize::from(!words.as_ptr().addr().is_multiple_of(16));
    Region::from_words(&mut words[skip..])
}

/// A heap with its pair and its frame of two slots.
fn heap() -> (Heap<'static>, EntryId, EntryId) {
    let table = Table::new("test", "threads")
        .with(Structure::of_slots(Kind::Heap, "Pair", 2))
        .with(Structure::of_slots(Kind::Frame, "frame", 2));
    let config = Config {
        tables: TableLimits { tables: 1, entries: 4, offsets: 16, globals: 0 },
        handles: 4,
        frames: memory(64),
        wipes: true,
        heap_is_zeroed: true,
        pages: None,
        on_fault: None,
    };
    let len = 1 << 20;
    let bookkeeping = vec![0; Runtime::bookkeeping_words(len, &config).expect("a length")].leak();
    let mut runtime = Runtime::new(memory(len / 8), bookkeeping, config).expect("a runtime");
    let unit = runtime.attach(table.image().expect("short names").leak(), []).expect("attached");
    runtime.link().expect("linked");
    runtime.start_unit(unit).expect("started");
    let entry = |kind, name| runtime.entry(table.id(), table.structure_id(kind, name)).expect("an entry");
    let (pair, frame) = (entry(Kind::Heap, "Pair"), entry(Kind::Frame, "frame"));
    (Heap::new(runtime), pair, frame)
}

/// Two mutators that are outside, each with a frame that holds a pair.
fn two_with_a_pair<'heap>(heap: &'heap Heap<'static>, pair: EntryId, frame: EntryId) -> [Mutator<'heap, 'static>; 2] {
    let mut mutators = [heap.mutator(memory(64)), heap.mutator(memory(64))];
    for mutator in &mut mutators {
        mutator.enter().with(|calls| {
            let (frame, pair) = (calls.push_frame(frame).expect("a frame"), calls.allocate(pair).expect("a pair"));
            calls.store(frame, 0, pair.address()).expect("a slot");
        });
    }
    mutators
}

#[test]
fn r3_2_a_a_thread_that_runs_is_named_and_nothing_is_collected() {
    let (heap, pair, _) = heap();
    let (mut one, mut two) = (heap.mutator(memory(64)), heap.mutator(memory(64)));
    let id = one.id();
    let mut inside = one.enter();
    let block = inside.with(|calls| calls.allocate(pair)).expect("a pair");
    let refused = Err(NotCollected::MutatorsRunning(vec![id]));
    assert_eq!(heap.collect(Origin::Host, 0, SHORT), refused);
    assert_eq!(two.enter().collect(Origin::Program, 0, SHORT), refused);
    assert_eq!(inside.with(|calls| calls.load(block, 0)), Ok(0), "it is in no frame, and still there");
    inside.leave();
    assert_eq!(heap.collect(Origin::Host, 0, SHORT).expect("none runs").dead, 1);
}

#[test]
fn r3_2_a_frames_of_threads_outside_are_roots_until_their_mutator_goes() {
    let (heap, pair, frame) = heap();
    let mutators = two_with_a_pair(&heap, pair, frame);
    let report = heap.collect(Origin::Host, 0, SHORT).expect("none runs");
    assert_eq!((report.frames, report.live), (2, 2));
    drop(mutators);
    let report = heap.collect(Origin::Host, 0, SHORT).expect("none runs");
    assert_eq!((report.frames, report.dead), (0, 2));
}

#[test]
fn r6_e_frames_of_threads_are_explained_while_none_runs() {
    let (heap, pair, frame) = heap();
    let mut mutators = [heap.mutator(memory(64)), heap.mutator(memory(64))];
    let pairs = [0, 1].map(|i| {
        mutators[i].enter().with(|calls| {
            let (frame, pair) = (calls.push_frame(frame).expect("a frame"), calls.allocate(pair).expect("a pair"));
            calls.store(frame, 8, pair.address()).expect("a slot");
            pair
        })
    });
    let shown = heap.examine(SHORT, |runtime, stacks| {
        let snapshot = Snapshot::take_with(runtime, stacks, &Names::default()).expect("a sound heap");
        pairs.map(|pair| {
            let path = snapshot.at(pair.address()).and_then(|id| snapshot.why(id)).expect("a path");
            assert_eq!(check_with(runtime, stacks, &path), Ok(()));
            path.to_string().lines().next().unwrap_or_default().to_owned()
        })
    });
    let expected = [1, 2].map(|stack| format!("frame 0 of stack {stack} frame of test/threads, slot +8"));
    assert_eq!(shown, Ok(expected));
    let id = mutators[0].id();
    let _inside = mutators[0].enter();
    assert_eq!(heap.examine(SHORT, |_, _| ()), Err(NotCollected::MutatorsRunning(vec![id])));
}

/// A host asks, and the threads serve it once they are all outside: their frames are roots of what it asks for.
#[test]
fn r5_c_a_host_is_served_while_no_thread_runs() {
    let (heap, pair, frame) = heap();
    let mut mutators = two_with_a_pair(&heap, pair, frame);
    let mut mailbox = Mailbox::new();
    let ticket = mailbox.door().post(Call::Collect { reason: 7 }, LONG, None).expect("room");
    let inside = mutators[0].enter();
    let mut serve = || heap.examine(SHORT, |runtime, stacks| mailbox.host_point_with(runtime, stacks));
    assert!(matches!(serve(), Err(NotCollected::MutatorsRunning(_))), "one is inside");
    inside.leave();
    assert_eq!(serve(), Ok(1));
    let answer = ticket.wait().expect("a report");
    let Answer::Collected(report) = answer else { panic!("{answer:?}") };
    assert_eq!((report.origin, report.frames, report.live, report.dead), (Origin::Host, 2, 2, 0));
}

#[test]
fn r6_b_a_rendezvous_lets_a_waiting_collection_be_made() {
    let (heap, ..) = heap();
    let (send, receive) = channel();
    thread::scope(|scope| {
        let heap = &heap;
        scope.spawn(move || {
            let mut mutator = heap.mutator(memory(64));
            let mut inside = mutator.enter();
            inside.rendezvous();
            send.send(()).expect("a receiver");
            for _ in 0..2000 {
                inside.rendezvous();
                thread::sleep(Duration::from_millis(1));
            }
        });
        receive.recv().expect("it is inside");
        assert!(heap.collect(Origin::Host, 0, LONG).is_ok());
    });
}

#[test]
fn a_thread_that_panics_inside_has_left() {
    let (heap, ..) = heap();
    let heap = &heap;
    thread::scope(|scope| {
        let run = move || {
            let mut mutator = heap.mutator(memory(64));
            mutator.enter().with(|_| panic!("on purpose"));
        };
        assert!(scope.spawn(run).join().is_err());
    });
    assert!(heap.collect(Origin::Host, 0, SHORT).is_ok());
}

#[test]
fn r3_2_a_r6_a_threads_that_allocate_and_collect_lose_nothing() {
    storm(4, 100);
}

#[test]
#[ignore = "takes long; `cargo xtask ironwall tsan` runs it"]
fn r3_2_a_r6_a_a_long_storm_of_threads_loses_nothing() {
    storm(8, 2000);
}

/// Threads that each make a list of so many pairs, and collect at every tenth.
fn storm(threads: u64, rounds: u64) {
    let (heap, pair, frame) = heap();
    let heap = &heap;
    thread::scope(|scope| {
        for number in 0..threads {
            scope.spawn(move || {
                let mut mutator = heap.mutator(memory(64));
                let mut inside = mutator.enter();
                let frame = inside.with(|calls| calls.push_frame(frame)).expect("a frame");
                for round in 0..rounds {
                    let new = inside.with(|calls| calls.allocate(pair)).expect("a pair");
                    // Between these two, the new pair is in no frame.
                    inside.with(|calls| {
                        let head = calls.load(frame, 0).expect("a slot");
                        calls.store(new, 0, head).expect("the new pair is there");
                        calls.store(frame, 0, new.address()).expect("a slot");
                    });
                    inside.rendezvous();
                    if round % 10 == number % 10 {
                        inside.collect(Origin::Program, round, LONG).expect("the others come to a rendezvous");
                    }
                }
                let mut count = 0;
                let mut at = inside.with(|calls| calls.load(frame, 0)).expect("a slot");
                while let Some(block) = ironwall::Block::from_word(at) {
                    count += 1;
                    at = inside.with(|calls| calls.load(block, 0)).expect("what is in a frame lives");
                }
                assert_eq!(count, rounds);
            });
        }
    });
    assert_eq!(heap.collect(Origin::Host, 0, SHORT).expect("none runs").live, 0);
}
