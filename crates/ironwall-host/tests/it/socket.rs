//! Clients of all kinds on a socket, and one on a pair of streams.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use ironwall_host::client::ClientError;
use ironwall_host::{Client, ListenError, MAX_REQUEST, Mailbox, Server, serve};
use serde_json::{Map, Value, json};

use crate::support::{Place, Program};

const LONG: Duration = Duration::from_secs(60);

/// A program that serves its socket until told to end, and then tells how many collections there were.
struct Running {
    place: Place,
    end: Arc<AtomicBool>,
    thread: Option<JoinHandle<u64>>,
}

impl Running {
    fn start() -> Self {
        Self::computing_for(Duration::ZERO)
    }

    /// It reaches its first host point only after a time.
    fn computing_for(time: Duration) -> Self {
        let (place, end) = (Place::new(), Arc::new(AtomicBool::new(false)));
        let mut mailbox = Mailbox::new();
        let server = Server::listen(place.socket(), mailbox.door()).expect("a socket");
        let to_end = end.clone();
        let thread = thread::spawn(move || {
            let mut program = Program::new();
            thread::sleep(time);
            while !to_end.load(Ordering::SeqCst) {
                mailbox.serve_for(&mut program.runtime, Duration::from_millis(2));
            }
            drop((mailbox, server));
            program.runtime.collections()
        });
        Self { place, end, thread: Some(thread) }
    }

    fn client(&self) -> Client {
        Client::connect(&self.place.socket()).expect("connected")
    }

    fn stream(&self) -> UnixStream {
        let stream = UnixStream::connect(self.place.socket()).expect("connected");
        stream.set_read_timeout(Some(LONG)).expect("a time limit");
        stream
    }

    /// How many collections there were, once it has ended.
    fn end(mut self) -> u64 {
        self.end.store(true, Ordering::SeqCst);
        self.thread.take().expect("it runs").join().expect("the program")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn params(value: Value) -> Map<String, Value> {
    value.as_object().cloned().expect("an object")
}

fn error_code(text: &str) -> i64 {
    let answer: Value = serde_json::from_str(text).expect("JSON");
    answer["error"]["code"].as_i64().expect("an error")
}

/// What comes back for some bytes after which the client sends nothing more.
fn exchange(mut stream: UnixStream, bytes: &[u8]) -> String {
    // The server may close while we write.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(Shutdown::Write);
    let mut text = String::new();
    let _ = stream.read_to_string(&mut text);
    text
}

#[test]
fn r5_c_a_collection_over_the_socket_has_the_live_set_of_the_programs_own() {
    let own = Program::new().runtime.collect(ironwall::Origin::Program, 7).expect("a collection");
    let running = Running::start();
    let report = running.client().request("gc.collect", params(json!({ "reason": 7 })), LONG).expect("a report");
    let expected = ironwall_host::render::report(&ironwall::Report { origin: ironwall::Origin::Host, ..own });
    assert_eq!(report, expected);
}

#[test]
fn the_socket_is_its_owners_alone_and_goes_with_the_server() {
    let running = Running::start();
    let found = std::fs::symlink_metadata(running.place.socket()).expect("a file");
    assert!(found.file_type().is_socket());
    assert_eq!(found.permissions().mode() & 0o7777, 0o600);
    assert_eq!(running.place.names(), ["gc.sock"], "nothing else is left beside it");
    let place = Place::new();
    let server = Server::listen(place.socket(), Mailbox::new().door()).expect("a socket");
    drop(server);
    assert_eq!(place.names(), [""; 0]);
}

#[test]
fn the_socket_is_never_more_open_while_it_is_made() {
    let place = Place::new();
    let (dir, stop) = (place.0.clone(), Arc::new(AtomicBool::new(false)));
    let stopped = stop.clone();
    let watcher = thread::spawn(move || {
        let mut seen = 0;
        while !stopped.load(Ordering::SeqCst) {
            let Ok(found) = std::fs::symlink_metadata(dir.join("gc.sock")) else { continue };
            assert_eq!(found.permissions().mode() & 0o777, 0o600);
            seen += 1;
        }
        seen
    });
    for _ in 0..200 {
        drop(Server::listen(place.socket(), Mailbox::new().door()).expect("a socket"));
    }
    stop.store(true, Ordering::SeqCst);
    assert!(watcher.join().expect("the watcher") > 0);
}

#[test]
fn only_a_stale_socket_is_replaced() {
    let place = Place::new();
    let listen = || Server::listen(place.socket(), Mailbox::new().door());
    std::fs::write(place.socket(), "precious").expect("a file");
    assert!(matches!(listen(), Err(ListenError::NoSocket(_))));
    assert_eq!(std::fs::read(place.socket()).expect("a file"), b"precious");
    std::fs::remove_file(place.socket()).expect("removed");

    std::os::unix::fs::symlink("/nowhere", place.socket()).expect("a link");
    assert!(matches!(listen(), Err(ListenError::NoSocket(_))));
    std::fs::remove_file(place.socket()).expect("removed");

    let other = UnixListener::bind(place.socket()).expect("a socket");
    assert!(matches!(listen(), Err(ListenError::InUse(_))));
    drop(other);
    let server = listen().expect("nobody listens on it any more");
    assert!(matches!(listen(), Err(ListenError::InUse(_))));
    // What somebody else puts there meanwhile is not removed.
    std::fs::remove_file(place.socket()).expect("removed");
    std::fs::write(place.socket(), "precious").expect("a file");
    drop(server);
    assert_eq!(place.names(), ["gc.sock"]);
    assert!(matches!(Server::listen("/", Mailbox::new().door()), Err(ListenError::NoName(_))));
    let far = place.0.join("x".repeat(120)).join("gc.sock");
    assert!(matches!(Server::listen(far, Mailbox::new().door()), Err(ListenError::Io { .. })));
}

#[test]
fn a_passed_deadline_is_told_and_there_is_no_late_collection() {
    let running = Running::computing_for(Duration::from_millis(300));
    let mut client = running.client();
    let error = client.request("gc.collect", params(json!({ "deadline_ms": 50 })), LONG).expect_err("no host point");
    assert!(matches!(error, ClientError::Told { code: -32001, .. }), "{error}");
    let report = client.request("gc.report", Map::new(), LONG).expect("a host point at last");
    assert_eq!(report["collections"], json!(0));
    assert_eq!(running.end(), 0);
}

#[test]
fn several_clients_are_served_and_more_than_that_are_sent_away() {
    let running = Running::start();
    let mut clients: Vec<Client> = (0..ironwall_host::accept::MAX_CONNECTIONS).map(|_| running.client()).collect();
    thread::scope(|scope| {
        for client in &mut clients {
            scope.spawn(move || {
                for _ in 0..20 {
                    client.request("gc.collect", Map::new(), LONG).expect("a report");
                }
            });
        }
    });
    let error = running.client().request("gc.collect", Map::new(), LONG).expect_err("one too many");
    assert!(matches!(error, ClientError::Told { code: -32005, .. }), "{error}");
    drop(clients);
    // Their places are free again as soon as their threads have seen that they are gone.
    let start = Instant::now();
    while let Err(error) = running.client().request("gc.collect", Map::new(), LONG) {
        assert!(start.elapsed() < LONG, "{error}");
    }
    assert_eq!(running.end(), 161);
}

#[test]
fn hostile_lines_are_answered_and_the_connection_goes_on() {
    let running = Running::start();
    let mut bytes = Vec::new();
    for line in
        [&b"\0"[..], b"{}", b"[[[[[[", b"\xff", b"", b"  \r", b"[]", br#"{"jsonrpc":"2.0","id":1,"method":"x"}"#]
    {
        bytes.extend_from_slice(line);
        bytes.push(b'\n');
    }
    bytes.extend_from_slice(br#"{"jsonrpc":"2.0","id":"last","method":"gc.tables"}"#);
    let text = exchange(running.stream(), &bytes);
    let lines: Vec<&str> = text.lines().collect();
    let codes: Vec<i64> = lines[..6].iter().map(|line| error_code(line)).collect();
    assert_eq!(codes, [-32700, -32600, -32700, -32700, -32600, -32601]);
    let last: Value = serde_json::from_str(lines[6]).expect("JSON");
    assert_eq!((&last["id"], last["result"].is_object(), lines.len()), (&json!("last"), true, 7));
}

#[test]
fn a_line_that_is_too_long_ends_the_connection() {
    let running = Running::start();
    let request = r#"{"jsonrpc":"2.0","id":1,"method":"gc.tables"}"#;
    let longest = format!("{request}{}\n", " ".repeat(MAX_REQUEST - request.len()));
    let text = exchange(running.stream(), longest.as_bytes());
    assert!(text.contains("result"), "{text}");
    let text = exchange(running.stream(), format!(" {longest}").as_bytes());
    assert_eq!(error_code(&text), -32600);
    let text = exchange(running.stream(), &vec![b'x'; 16 * MAX_REQUEST]);
    // The rest may have been on its way when the connection ended; then the answer is lost with it.
    assert!(text.is_empty() || error_code(&text) == -32600, "{text}");
}

#[test]
fn a_client_that_reads_nothing_does_not_hold_up_the_program() {
    let running = Running::start();
    let mut silent = running.stream();
    silent.set_write_timeout(Some(Duration::from_millis(200))).expect("a time limit");
    // Until both directions are full.
    while silent.write_all(b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"gc.tables\"}\n").is_ok() {}
    let start = Instant::now();
    running.client().request("gc.collect", Map::new(), LONG).expect("a report");
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_request_whose_client_is_gone_is_withdrawn() {
    let running = Running::computing_for(Duration::from_millis(800));
    let mut stream = running.stream();
    stream.write_all(b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"gc.collect\"}\n").expect("sent");
    thread::sleep(Duration::from_millis(50));
    drop(stream);
    let report = running.client().request("gc.report", Map::new(), LONG).expect("a report");
    assert_eq!(report["collections"], json!(0));
    // A notification, and a client that closed only its half, are still served.
    exchange(running.stream(), br#"{"jsonrpc":"2.0","method":"gc.collect"}"#);
    assert_eq!(running.end(), 1);
}

#[test]
fn the_end_of_the_program_is_told_to_whoever_waits() {
    let running = Running::computing_for(Duration::from_millis(200));
    let mut client = running.client();
    // It ends right after its computation, without a host point.
    running.end.store(true, Ordering::SeqCst);
    let error = client.request("gc.collect", Map::new(), LONG).expect_err("it ended");
    assert!(matches!(error, ClientError::Told { code: -32006, .. }), "{error}");
    let error = client.request("gc.collect", Map::new(), LONG).expect_err("it has ended");
    // The connection may be answered once more before it is closed.
    let is_refused = matches!(error, ClientError::Told { code: -32006, .. });
    assert!(is_refused || matches!(error, ClientError::Closed | ClientError::Broken(_)), "{error}");
    let place = running.place.socket();
    assert_eq!(running.end(), 0);
    assert!(matches!(Client::connect(&place), Err(ClientError::Unreachable { .. })));
}

#[test]
fn a_pair_of_streams_serves_one_client() {
    let mut mailbox = Mailbox::new();
    let door = mailbox.door();
    let thread = thread::spawn(move || {
        let input = b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"gc.collect\"}\n?\n{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"gc.report\"}";
        let mut output = Vec::new();
        serve(&input[..], &mut output, &door).expect("served");
        String::from_utf8(output).expect("UTF-8")
    });
    let mut program = Program::new();
    while !thread.is_finished() {
        mailbox.serve_for(&mut program.runtime, Duration::from_millis(2));
    }
    let text = thread.join().expect("served");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert!(lines[0].contains("\"live\":3") && lines[2].contains("\"collections\":1"), "{text}");
    assert_eq!(error_code(lines[1]), -32700);
}
