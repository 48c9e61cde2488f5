//! Host points, deadlines, and the ends of both sides.

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use ironwall_host::{Answer, Call, Code, Door, Mailbox};

use crate::support::Program;

const LONG: Duration = Duration::from_secs(60);

/// Runs a program on a thread of its own, which ends when `body` does.
fn program<T: Send + 'static>(
    body: impl FnOnce(Mailbox, Program) -> T + Send + 'static,
) -> (Door, thread::JoinHandle<T>) {
    let mailbox = Mailbox::new();
    let door = mailbox.door();
    (door, thread::spawn(move || body(mailbox, Program::new())))
}

#[test]
fn r3_3_b_c_r5_c_each_entry_gives_the_same_report_but_for_its_origin() {
    let own = Program::new().runtime.collect(ironwall::Origin::Program, 7).expect("a collection");
    let (door, thread) = program(
        |mut mailbox, mut program| {
            while mailbox.serve_for(&mut program.runtime, Duration::from_millis(1)) == 0 {}
        },
    );
    let host = door.collect(7, LONG).expect("a collection");
    thread.join().expect("the program");
    assert_ne!(host.origin, own.origin);
    assert_eq!(ironwall::Report { origin: own.origin, ..host }, own);
}

#[test]
fn r6_b_nothing_happens_outside_host_points() {
    let (go, gone) = mpsc::channel();
    let (told, tell) = mpsc::channel();
    let (door, thread) = program(move |mut mailbox, mut program| {
        gone.recv().expect("the request was sent");
        let pair = program.table.structure_id(ironwall::Kind::Heap, "Pair");
        let entry = program.runtime.entry(program.table.id(), pair).expect("an entry");
        for _ in 0..100 {
            program.runtime.allocate(entry).expect("room");
        }
        let before = program.runtime.collections();
        let served = mailbox.host_point(&mut program.runtime);
        told.send((before, served, program.runtime.collections())).expect("the test listens");
    });
    let ticket = door.post(Call::Collect { reason: 0 }, LONG, None).expect("room");
    go.send(()).expect("the program listens");
    assert_eq!(tell.recv().expect("the program tells"), (0, 1, 1));
    assert!(matches!(ticket.wait(), Ok(Answer::Collected(report)) if report.dead == 102));
    thread.join().expect("the program");
}

#[test]
fn a_passed_deadline_is_told_and_there_is_no_late_collection() {
    let (go, gone) = mpsc::channel::<()>();
    let (told, tell) = mpsc::channel();
    let (door, thread) = program(move |mut mailbox, mut program| {
        // The program computes until the deadline has been told.
        gone.recv().expect("the test goes on");
        let served = mailbox.host_point(&mut program.runtime);
        told.send((served, program.runtime.collections())).expect("the test listens");
    });
    let start = Instant::now();
    let error = door.collect(0, Duration::from_millis(50)).expect_err("no host point");
    assert_eq!(error.code, Code::Deadline);
    assert!(start.elapsed() >= Duration::from_millis(50));
    assert!(error.message.contains("50 ms"), "{error}");
    go.send(()).expect("the program listens");
    assert_eq!(tell.recv().expect("the program tells"), (0, 0));
    thread.join().expect("the program");
}

#[test]
fn a_host_point_after_the_deadline_refuses_even_if_nobody_has_given_up_yet() {
    let mut mailbox = Mailbox::new();
    let mut program = Program::new();
    let ticket = mailbox.door().post(Call::Collect { reason: 0 }, Duration::from_millis(1), None).expect("room");
    thread::sleep(Duration::from_millis(5));
    assert_eq!(mailbox.host_point(&mut program.runtime), 0);
    assert_eq!(program.runtime.collections(), 0);
    assert!(!ticket.withdraw(), "it was taken");
    assert_eq!(ticket.wait().expect_err("too late").code, Code::Deadline);
}

#[test]
fn deadlines_and_host_points_race_without_a_collection_that_nobody_is_told_of() {
    for round in 0..200 {
        let (done, is_done) = mpsc::channel::<()>();
        let (door, thread) = program(move |mut mailbox, mut program| {
            thread::sleep(Duration::from_micros(900 + round));
            while is_done.try_recv() == Err(mpsc::TryRecvError::Empty) {
                mailbox.serve_for(&mut program.runtime, Duration::from_micros(100));
            }
            program.runtime.collections()
        });
        let collected = door.collect(0, Duration::from_millis(1));
        done.send(()).expect("the program listens");
        let collections = thread.join().expect("the program");
        match collected {
            Ok(report) => assert_eq!((report.sequence, collections), (1, 1)),
            Err(error) => assert_eq!((error.code, collections), (Code::Deadline, 0)),
        }
    }
}

#[test]
fn the_end_of_the_program_answers_whoever_waits_and_whoever_comes() {
    let (go, gone) = mpsc::channel::<()>();
    let (door, thread) = program(move |mailbox, _| {
        gone.recv().expect("the test goes on");
        drop(mailbox);
    });
    let ticket = door.post(Call::Tables { from: 0 }, LONG, None).expect("room");
    go.send(()).expect("the program listens");
    assert_eq!(ticket.wait().expect_err("the program has ended").code, Code::Ended);
    thread.join().expect("the program");
    assert_eq!(door.collect(0, LONG).expect_err("nobody is there").code, Code::Ended);
}

#[test]
fn the_mailbox_is_bounded() {
    let mailbox = Mailbox::new();
    let post = || mailbox.door().post(Call::Tables { from: 0 }, LONG, None);
    let tickets: Vec<_> = (0..ironwall_host::mailbox::MAX_WAITING).map(|_| post().expect("room")).collect();
    assert_eq!(post().expect_err("no room").code, Code::Busy);
    assert!(tickets[3].withdraw());
    assert!(!tickets[3].withdraw(), "only once");
    assert!(post().is_ok());
}
