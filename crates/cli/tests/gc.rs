//! `vambrace gc`, asked of a program in this process and of nobody.

use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use ironwall::{Config, Kind, Region, Runtime, TableLimits};
use ironwall_format::{Structure, Table};
use ironwall_host::{Mailbox, Server};
use serde_json::{Value, json};

/// A program with two pairs that live and one that does not, and what it told of its collections when it ended.
struct Program {
    dir: tempfile::TempDir,
    end: Arc<AtomicBool>,
    /// While this is set, it comes to no host point.
    is_busy: Arc<AtomicBool>,
    /// Whether it has noticed that.
    is_resting: Arc<AtomicBool>,
    thread: JoinHandle<u64>,
    root: String,
}

const HEAP: usize = 128 << 10;

impl Program {
    fn start(damage: bool) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let [end, is_busy, is_resting] = [(); 3].map(|()| Arc::new(AtomicBool::new(false)));
        let flags = [&end, &is_busy, &is_resting].map(Arc::clone);
        let path = dir.path().join("gc.sock");
        let (told, tell) = std::sync::mpsc::channel();
        let thread = thread::spawn(move || {
            let table = Table::new("test", "gc")
                .with(Structure::of_slots(Kind::Heap, "Pair", 2))
                .with(Structure::of_slots(Kind::Frame, "locals", 1));
            let image = table.image().expect("an image");
            let mut frames = vec![0; 64];
            let config = Config {
                tables: TableLimits { tables: 1, entries: 2, offsets: 8, globals: 0 },
                handles: 1,
                frames: Region::from_words(&mut frames),
                wipes: true,
                heap_is_zeroed: true,
                pages: None,
                on_fault: None,
            };
            let mut bookkeeping = vec![0; Runtime::bookkeeping_words(HEAP, &config).expect("a length")];
            let mut heap = vec![0; HEAP / 8 + 1];
            let skip = usize::from(!heap.as_ptr().addr().is_multiple_of(16));
            let region = Region::from_words(&mut heap[skip..][..HEAP / 8]);
            let mut runtime = Runtime::new(region, &mut bookkeeping, config).expect("a runtime");
            let unit = runtime.attach(&image, []).expect("attached");
            runtime.link().expect("linked");
            runtime.start_unit(unit).expect("started");
            let entry = |kind, name| runtime.entry(table.id(), table.structure_id(kind, name)).expect("an entry");
            let (pair, locals) = (entry(Kind::Heap, "Pair"), entry(Kind::Frame, "locals"));
            let frame = runtime.push_frame(locals).expect("a frame");
            let [root, rest, _] = [(); 3].map(|()| runtime.allocate(pair).expect("a pair"));
            runtime.store(frame, 0, root.address()).expect("a slot");
            runtime.store(root, 8, if damage { 0x10 } else { rest.address() }).expect("a slot");

            let [ended, busy, is_resting] = flags;
            let mut mailbox = Mailbox::new();
            let server = Server::listen(path, mailbox.door()).expect("a socket");
            told.send(format!("{:#x}", rest.address())).expect("the test listens");
            while !ended.load(Ordering::SeqCst) {
                is_resting.store(busy.load(Ordering::SeqCst), Ordering::SeqCst);
                if is_resting.load(Ordering::SeqCst) {
                    thread::sleep(Duration::from_millis(2));
                } else {
                    mailbox.serve_for(&mut runtime, Duration::from_millis(2));
                }
            }
            drop((mailbox, server));
            runtime.collections()
        });
        let root = tell.recv().expect("it starts");
        Self { dir, end, is_busy, is_resting, thread, root }
    }

    fn command(&self, args: &[&str]) -> Command {
        command(&self.dir.path().join("gc.sock"), args)
    }

    /// Has it come to no host point from now on.
    fn rest(&self) {
        self.is_busy.store(true, Ordering::SeqCst);
        while !self.is_resting.load(Ordering::SeqCst) {
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// How many collections there were.
    fn end(self) -> u64 {
        self.end.store(true, Ordering::SeqCst);
        self.thread.join().expect("the program")
    }
}

fn command(socket: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vambrace"));
    command.arg("gc").arg(socket).args(args);
    command
}

/// Status, standard output and standard error.
fn run(mut command: Command) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = command.output().expect("the command");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (status.code(), text(stdout), text(stderr))
}

fn json_of(command: Command) -> Value {
    let (status, text, errors) = run(command);
    assert_eq!((status, errors.as_str()), (Some(0), ""), "{text}");
    serde_json::from_str(&text).expect("JSON")
}

#[test]
fn r5_c_each_method_is_asked_and_its_answer_shown() {
    let program = Program::start(false);
    let (status, text, _) = run(program.command(&["collect", "--reason", "7"]));
    assert_eq!(status, Some(0));
    assert!(text.starts_with("collection 1: 2 objects of 32 bytes live, 1 in 48 bytes reclaimed\n"), "{text}");
    let report = json_of(program.command(&["report", "--json"]));
    assert_eq!((&report["report"]["reason"], &report["report"]["origin"]), (&json!(7), &json!("host")));
    let (_, text, _) = run(program.command(&["explain"]));
    assert!(text.contains("2 objects of 96 bytes live") && text.ends_with(" test/gc\n"), "{text}");
    assert_eq!(json_of(program.command(&["tables", "--json"]))["tables"][0]["entries"], json!(2));
    assert_eq!(program.end(), 1);
}

#[test]
fn r6_e_a_path_is_shown_with_the_names_of_a_file() {
    let program = Program::start(false);
    let names = program.dir.path().join("names.json");
    std::fs::write(
        &names,
        r#"{"package":"test","unit":"gc","structures":[
        {"kind":"heap","name":"Pair","fields":[{"name":"car","type":"ref"},{"name":"cdr","type":"ref"}]},
        {"kind":"frame","name":"locals","fields":[{"name":"list","type":"ref"}]}]}"#,
    )
    .expect("a file");
    let root = program.root.clone();
    let (status, text, errors) = run(program.command(&["explain", &root]));
    assert_eq!((status, errors.as_str()), (Some(0), ""));
    assert!(text.contains("frame 0 locals of test/gc, slot +0\n") && text.contains("  .+8 → "), "{text}");
    let named = ["explain", &root, "--names", names.to_str().expect("UTF-8")];
    let (_, text, _) = run(program.command(&named));
    assert!(text.contains("frame 0 locals of test/gc, slot list\n") && text.contains("  .cdr → "), "{text}");
    let none = ["explain", &root, "--names", "/nowhere"];
    assert_eq!(run(program.command(&none)).0, Some(66));
    std::fs::write(&names, "{}").expect("a file");
    assert_eq!(run(program.command(&named)).0, Some(65));
    program.end();
}

#[test]
fn a_deadline_that_passes_is_one_and_the_program_is_not_collected() {
    let program = Program::start(false);
    program.rest();
    let (status, text, errors) = run(program.command(&["--deadline", "30", "collect"]));
    assert_eq!((status, text.as_str()), (Some(1), "deadline_ms: 30\n"));
    assert!(errors.contains("no host point in 30 ms; the request is withdrawn"), "{errors}");
    assert_eq!(program.end(), 0);
}

#[test]
fn a_command_that_is_killed_leaves_the_program_as_it_was() {
    let program = Program::start(false);
    program.rest();
    let mut asking = program.command(&["tables"]).stdout(Stdio::null()).spawn().expect("the command");
    thread::sleep(Duration::from_millis(50));
    asking.kill().expect("killed");
    asking.wait().expect("it ends");
    program.is_busy.store(false, Ordering::SeqCst);
    assert_eq!(json_of(program.command(&["report", "--json"]))["collections"], json!(0));
    assert_eq!(program.end(), 0);
}

#[test]
fn r6_e_damage_is_a_finding() {
    let program = Program::start(true);
    let (status, text, errors) = run(program.command(&["collect"]));
    assert_eq!(status, Some(1));
    assert!(text.contains("address: 0x10") && errors.contains("sealed the heap"), "{text}{errors}");
    assert_eq!(run(program.command(&["report"])).0, Some(1), "a sealed heap is one, too");
    program.end();
}

#[test]
fn what_is_refused_is_one_and_what_is_wrong_is_two() {
    let program = Program::start(false);
    let (status, _, errors) = run(program.command(&["explain", "0x8"]));
    assert_eq!(status, Some(1));
    assert!(errors.contains("0x8 is no block"), "{errors}");
    assert_eq!(run(program.command(&["explain", "here"])).0, Some(2));
    assert_eq!(run(program.command(&["explain", "--table", "x", "--structure", "y"])).0, Some(2));
    assert_eq!(run(program.command(&["--pid", "1", "report"])).0, Some(1), "a program is no guest");
    program.end();
}

/// Whoever is at the socket, the command ends.
#[test]
fn nobody_and_nonsense_have_statuses_of_their_own() {
    let dir = tempfile::tempdir().expect("a directory");
    let socket = dir.path().join("gc.sock");
    assert_eq!(run(command(&socket, &["report"])).0, Some(69), "nothing is there");
    std::fs::write(&socket, "a file").expect("a file");
    assert_eq!(run(command(&socket, &["report"])).0, Some(69), "a file is no socket");
    std::fs::remove_file(&socket).expect("removed");

    let listener = UnixListener::bind(&socket).expect("a socket");
    let peer = |answer: &'static [u8]| {
        let listener = listener.try_clone().expect("a listener");
        thread::spawn(move || {
            use std::io::{Read, Write};
            let (mut stream, _) = listener.accept().expect("a client");
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(answer);
        })
    };
    for (answer, status) in [
        (&b""[..], 74),
        (b"what?\n", 65),
        (b"{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{}}\n", 65),
        (b"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{},\"error\":{}}\n", 65),
        (b"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n", 0),
    ] {
        let thread = peer(answer);
        assert_eq!(run(command(&socket, &["report"])).0, Some(status), "{}", String::from_utf8_lossy(answer));
        thread.join().expect("the peer");
    }
    drop(listener);
    let start = Instant::now();
    assert_eq!(run(command(&socket, &["collect"])).0, Some(69), "a stale socket");
    assert!(start.elapsed() < Duration::from_secs(5));
}
