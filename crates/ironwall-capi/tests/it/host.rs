//! The host's way in, from C: the example that is asked, as a host meets it.

use crate::examples::{compile, describe, library};
use crate::tools::{here, run, scratch};
use ironwall_host::Client;
use ironwall_host::client::ClientError;
use serde_json::{Map, Value, json};
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

const LONG: Duration = Duration::from_secs(60);

/// The program, which is built once.
fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let example = here().join("../../examples/ironwall/served");
        let dir = scratch("served");
        describe(&example.join("served.json"), &dir);
        let objects = [example.join("main.c"), dir.join("served.c")].map(|source| compile(&source, &example, &dir));
        let program = dir.join("served");
        let system = ["-lpthread", "-ldl", "-lm"];
        run(Command::new("gcc").args(objects).arg(library()).args(system).arg("-o").arg(&program));
        program
    })
}

/// The running program. It dies with the test.
struct Served {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    socket: PathBuf,
    first: String,
    last: String,
}

impl Served {
    fn start() -> Self {
        Self::start_with(Command::new(program()))
    }

    fn start_with(mut command: Command) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        // Names of sockets are short, and those of target directories need not be.
        let name = format!("iw{}-{}.sock", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let socket = std::env::temp_dir().join(name);
        command.arg(&socket).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program");
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().expect("an output"));
        let mut served = Self { child, input, output, socket, first: String::new(), last: String::new() };
        assert_eq!(served.line(), served.socket.to_str().expect("text"));
        served.first = served.line();
        served.last = served.line();
        served
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("a line");
        line.trim_end().to_owned()
    }

    /// Has the program do something, and returns the first line that it prints.
    fn tell(&mut self, what: &str) -> String {
        writeln!(self.input.as_ref().expect("it runs"), "{what}").expect("it reads");
        self.line()
    }

    fn client(&self) -> Client {
        Client::connect(&self.socket).expect("connected")
    }

    fn ask(&self, method: &str, params: Value) -> Value {
        self.client().request(method, object(params), LONG).expect("an answer")
    }

    /// Ends it, which has to go well.
    fn end(mut self) {
        drop(self.input.take());
        let status = self.child.wait().expect("it ends");
        let mut errors = String::new();
        self.child.stderr.take().expect("errors").read_to_string(&mut errors).expect("text");
        assert!(status.success() && errors.is_empty(), "{status}: {errors}");
        assert!(!self.socket.exists(), "the socket is still there");
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It has ended already unless a test failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_file(&self.socket);
    }
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().cloned().expect("an object")
}

#[test]
fn r3_3_b_c_r5_c_a_program_in_c_and_its_host_collect_the_same() {
    let mut own = Served::start();
    let digest = own.tell("collect");
    own.end();
    let asked = Served::start();
    let report = asked.ask("gc.collect", json!({ "reason": 7 }));
    let shown = format!(
        "live {}, dead {}, digest {}",
        report["live"],
        report["dead"],
        report["digest"].as_str().unwrap_or_default()
    );
    assert_eq!(shown, digest);
    assert_eq!((&report["live"], &report["dead"], &report["origin"]), (&json!(100), &json!(100), &json!("host")));
    asked.end();
}

#[test]
fn a_program_in_c_answers_every_method() {
    let mut served = Served::start();
    assert_eq!(std::fs::metadata(&served.socket).expect("a socket").permissions().mode() & 0o7777, 0o600);
    served.ask("gc.collect", json!({}));
    served.tell("collect");
    let report = served.ask("gc.report", json!({ "log": true }));
    let origins: Vec<&Value> = report["log"].as_array().expect("a log").iter().map(|one| &one["origin"]).collect();
    assert_eq!(origins, ["host", "program"], "the program's own collection is recorded too");
    let explained = served.ask("gc.explain", json!({ "block": served.first }));
    assert_eq!((&explained["state"], &explained["length"]), (&json!("reachable"), &json!(1)));
    assert_eq!(explained["path"]["root"]["kind"], json!("frame"));
    let tables = served.ask("gc.tables", json!({}));
    assert_eq!((&tables["tables"][0]["unit"], &tables["tables"][0]["entries"]), (&json!("served"), &json!(2)));
    served.end();
}

#[test]
fn r6_e_a_program_in_c_explains_to_itself_what_its_host_is_told() {
    let mut served = Served::start();
    let mut own = served.tell("why");
    for _ in 0..50 {
        own = format!("{own}\n{}", served.line());
    }
    let told = served.ask("gc.explain", json!({ "block": served.last }));
    assert_eq!((&told["state"], &told["length"]), (&json!("reachable"), &json!(100)));
    let text = told["text"].as_str().expect("text");
    let what = format!("{}: Pair of ironwall.example/served, heap, 16 bytes", served.last);
    assert_eq!(own, format!("{what}\n{text}"));
    served.end();
}

#[test]
fn clients_that_are_killed_or_hang_do_not_harm_a_program_in_c() {
    let mut served = Served::start();
    let mut hanging = UnixStream::connect(&served.socket).expect("connected");
    hanging.write_all(b"{\"jsonrpc\":").expect("sent");
    // A program in C dies of SIGPIPE, unless the library keeps it from being sent. There are fewer clients than places.
    for _ in 0..6 {
        let mut stream = UnixStream::connect(&served.socket).expect("connected");
        let requests = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"gc.tables\"}\n".repeat(50);
        stream.write_all(requests.as_bytes()).expect("sent");
    }
    // It works on, and clients that behave are served.
    assert_eq!(served.tell("work"), "working");
    assert_eq!(served.tell(""), "worked");
    assert_eq!(served.ask("gc.collect", json!({}))["live"], json!(100));
    served.end();
    hanging.set_read_timeout(Some(LONG)).expect("a time limit");
    let mut rest = String::new();
    let end = hanging.read_to_string(&mut rest);
    // It is told that half a line is no JSON, or what it sent was not read and the connection is reset.
    let is_over = end.as_ref().map_or_else(|error| error.kind() == ErrorKind::ConnectionReset, |_| true);
    assert!(is_over && (rest.is_empty() || rest.contains("-32700")), "{end:?}, {rest}");
}

#[test]
fn a_deadline_that_passes_is_told_and_the_program_goes_on() {
    let mut served = Served::start();
    assert_eq!(served.tell("work"), "working");
    let error =
        served.client().request("gc.collect", object(json!({ "deadline_ms": 30 })), LONG).expect_err("no host point");
    assert!(matches!(&error, ClientError::Told { code: -32001, message, .. } if message.contains("30 ms")), "{error}");
    assert_eq!(served.tell(""), "worked");
    assert_eq!(served.ask("gc.report", json!({}))["collections"], json!(0), "it is not done late");
    served.end();
}

#[test]
fn the_socket_can_be_closed_and_opened_again() {
    let mut served = Served::start();
    let mut early = served.client();
    assert_eq!(served.tell("close"), "done");
    assert!(!served.socket.exists());
    assert!(matches!(Client::connect(&served.socket), Err(ClientError::Unreachable { .. })));
    assert!(early.request("gc.report", Map::new(), LONG).is_err(), "its connections end with it");
    assert_eq!(served.tell("close"), "the heap has no socket");
    let path = served.socket.to_str().expect("text").to_owned();
    assert_eq!(served.tell("listen"), path);
    assert_eq!(served.ask("gc.collect", json!({}))["live"], json!(100));
    served.end();
}

#[test]
fn a_child_gives_up_its_copy_of_the_socket_and_the_parent_keeps_it() {
    let mut served = Served::start();
    let mut client = served.client();
    client.request("gc.report", Map::new(), LONG).expect("a report");
    assert_eq!(served.tell("fork"), "forked");
    let report = client.request("gc.report", Map::new(), LONG).expect("the connection is as before");
    assert_eq!(report["collections"], json!(0), "the child's collection is its own");
    assert_eq!(served.ask("gc.collect", json!({}))["live"], json!(100));
    served.end();
}

#[test]
fn the_socket_has_mode_0600_whatever_the_umask_is() {
    for umask in ["000", "777"] {
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("umask {umask}; exec \"$0\" \"$@\"")]).arg(program());
        let served = Served::start_with(shell);
        let found = std::fs::metadata(&served.socket).expect("a socket");
        assert_eq!(found.permissions().mode() & 0o7777, 0o600, "umask {umask}");
        served.ask("gc.collect", json!({}));
        served.end();
    }
}

#[test]
fn r6_e_damage_that_a_host_finds_is_told_to_it_before_the_program_dies_of_it() {
    let mut served = Served::start();
    assert_eq!(served.tell("damage"), "damaged");
    let error = served.client().request("gc.collect", Map::new(), LONG).expect_err("a fault");
    assert!(
        matches!(&error, ClientError::Told { code: -32003, data: Some(data), .. } if data["address"] == "0x10"),
        "{error}"
    );
    let status = served.child.wait().expect("it ends");
    assert_eq!(status.signal(), Some(6), "it aborts");
    let mut errors = String::new();
    served.child.stderr.take().expect("errors").read_to_string(&mut errors).expect("text");
    assert!(errors.contains("fault OutsideHeap"), "{errors}");
    assert!(!served.socket.exists(), "the socket goes with it");
}

#[test]
fn a_socket_that_a_killed_program_left_is_replaced_and_one_in_use_is_not() {
    let mut first = Served::start();
    first.child.kill().expect("killed");
    first.child.wait().expect("it ends");
    assert!(first.socket.exists(), "a program that is killed leaves its socket");
    assert!(matches!(Client::connect(&first.socket), Err(ClientError::Unreachable { .. })));
    let listen = || {
        let mut command = Command::new(program());
        command.arg(&first.socket).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().expect("the program")
    };
    let mut second = listen();
    let mut line = String::new();
    BufReader::new(second.stdout.as_mut().expect("an output")).read_line(&mut line).expect("a line");
    let third = listen().wait_with_output().expect("it ends");
    assert_eq!(third.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&third.stderr).contains("another program listens on"), "{third:?}");
    drop(second.stdin.take());
    assert!(second.wait().expect("it ends").success());
    assert!(!first.socket.exists());
}

#[test]
fn a_program_that_exits_while_it_is_asked_says_so() {
    let mut served = Served::start();
    assert_eq!(served.tell("work"), "working");
    let mut client = served.client();
    let path = served.socket.clone();
    let asking = std::thread::spawn(move || client.request("gc.collect", Map::new(), LONG));
    std::thread::sleep(Duration::from_millis(50));
    served.child.kill().expect("killed");
    served.child.wait().expect("it ends");
    let error = asking.join().expect("the client").expect_err("nobody is there");
    assert!(matches!(error, ClientError::Closed | ClientError::Broken(_)), "{error}");
    assert!(matches!(Client::connect(&path), Err(ClientError::Unreachable { .. })));
}
