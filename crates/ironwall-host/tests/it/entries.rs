//! Whoever asks, and however, a collection is the same.

use std::thread;
use std::time::Duration;

use ironwall::{Origin, Report};
use ironwall_host::{Client, Door, Mailbox, Server, Service, render};
use serde_json::{Map, Value, json};

use crate::support::{Place, Program};

const LONG: Duration = Duration::from_secs(60);
const REASON: u64 = 7;

/// Has a host ask on a thread of its own while the program serves one request.
fn served<T: Send>(seed: u64, mut mailbox: Mailbox, ask: impl FnOnce(Door) -> T + Send) -> T {
    let door = mailbox.door();
    thread::scope(|scope| {
        let host = scope.spawn(|| ask(door));
        let mut program = Program::with_graph(seed);
        while mailbox.serve_for(&mut program.runtime, Duration::from_millis(1)) == 0 {}
        host.join().expect("the host")
    })
}

fn by_program(seed: u64) -> Report {
    Program::with_graph(seed).runtime.collect(Origin::Program, REASON).expect("a report")
}

fn by_programs_mailbox(seed: u64) -> Report {
    Mailbox::new().collect(&mut Program::with_graph(seed).runtime, REASON).expect("a report")
}

fn by_host_in_process(seed: u64) -> Report {
    served(seed, Mailbox::new(), |door| door.collect(REASON, LONG).expect("a report"))
}

fn by_json_rpc(seed: u64) -> Value {
    let line = json!({ "jsonrpc": "2.0", "id": 1, "method": "gc.collect", "params": { "reason": REASON } });
    let answer = Service::new().answer(line.to_string().as_bytes(), &mut Program::with_graph(seed).runtime);
    serde_json::from_str::<Value>(&answer.expect("an answer")).expect("JSON")["result"].take()
}

fn by_socket(seed: u64) -> Value {
    let (place, mailbox) = (Place::new(), Mailbox::new());
    let server = Server::listen(place.socket(), mailbox.door()).expect("a socket");
    let params: Map<String, Value> = [("reason".to_owned(), REASON.into())].into_iter().collect();
    let report = served(seed, mailbox, |_| {
        Client::connect(&place.socket()).expect("connected").request("gc.collect", params, LONG).expect("a report")
    });
    drop(server);
    report
}

#[test]
fn r3_3_b_c_r5_c_program_host_and_json_rpc_give_equal_reports_but_for_the_origin() {
    for seed in 0..20 {
        let own = by_program(seed);
        assert!(own.live > 3 && own.dead > 2 && own.handles == 1 && own.origin == Origin::Program);
        assert_eq!(by_programs_mailbox(seed), own);
        let host = by_host_in_process(seed);
        assert_eq!(host, Report { origin: Origin::Host, ..own }, "seed {seed}");
        let told = render::report(&host);
        assert_eq!(told["digest"], json!(render::hex(&own.digest)));
        assert_eq!(by_json_rpc(seed), told, "seed {seed}");
        assert_eq!(by_socket(seed), told, "seed {seed}");
    }
}

#[test]
fn other_graphs_have_other_digests() {
    let digests: std::collections::BTreeSet<[u8; 32]> = (0..20).map(|seed| by_program(seed).digest).collect();
    assert!(digests.len() > 15, "{}", digests.len());
}

#[test]
fn r5_b_what_nobody_leads_to_is_gone_when_the_host_is_answered() {
    let mut program = Program::with_graph(1);
    let mut mailbox = Mailbox::new();
    let asked = mailbox.door();
    let ticket = asked.post(ironwall_host::Call::Collect { reason: REASON }, LONG, None).expect("room");
    assert_eq!(mailbox.host_point(&mut program.runtime), 1);
    ticket.wait().expect("a report");
    assert!(program.runtime.prefix(program.dead).is_err());
}
