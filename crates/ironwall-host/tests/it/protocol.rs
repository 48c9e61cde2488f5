//! Requests and answers, without mailbox or socket.

use ironwall::{Origin, Report};
use ironwall_host::Service;
use serde_json::{Value, json};

use crate::support::Program;

fn ask(service: &mut Service, program: &mut Program, method: &str, params: Value) -> Value {
    let line = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
    let answer = service.answer(line.as_bytes(), &mut program.runtime).expect("an answer");
    assert!(!answer.contains('\n'));
    let answer: Value = serde_json::from_str(&answer).expect("JSON");
    assert_eq!((&answer["jsonrpc"], &answer["id"]), (&json!("2.0"), &json!(1)));
    answer
}

#[test]
fn r5_c_a_collection_by_json_tells_what_the_programs_own_tells() {
    let own: Report = Program::new().runtime.collect(Origin::Program, 7).expect("a collection");
    let (mut service, mut program) = (Service::new(), Program::new());
    let answer = ask(&mut service, &mut program, "gc.collect", json!({ "reason": 7 }));
    let digest: String = own.digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let expected = json!({
        "sequence": 1, "origin": "host", "reason": 7, "frames": 1, "globals": 0, "handles": 0,
        "live": 3, "live_bytes": 48, "dead": 2, "dead_bytes": 96, "digest": digest,
    });
    assert_eq!(answer["result"], expected);
    assert!(program.runtime.prefix(program.dead).is_err(), "what was dead is gone on return");
}

#[test]
fn the_report_tells_the_last_collection_and_the_log_all() {
    let (mut service, mut program) = (Service::new(), Program::new());
    let none = ask(&mut service, &mut program, "gc.report", json!({}));
    assert_eq!(none["result"], json!({ "collections": 0, "report": null, "fault": null, "census": [] }));
    ask(&mut service, &mut program, "gc.collect", json!({ "reason": 1 }));
    ask(&mut service, &mut program, "gc.collect", json!({ "reason": 2 }));
    let report = &ask(&mut service, &mut program, "gc.report", json!({ "log": true }))["result"];
    assert_eq!((&report["report"]["reason"], &report["report"]["dead"]), (&json!(2), &json!(0)));
    assert_eq!(report["log"].as_array().map(Vec::len), Some(2));
    let census = &report["census"][0];
    assert_eq!((&census["name"], &census["unit"], &census["objects"]), (&json!("Pair"), &json!("host"), &json!(3)));
}

#[test]
fn r6_e_after_a_fault_the_report_is_its_record() {
    let (mut service, mut program) = (Service::new(), Program::new());
    program.damage();
    let found = ask(&mut service, &mut program, "gc.collect", json!({}));
    assert_eq!(found["error"]["code"], json!(-32003));
    let again = ask(&mut service, &mut program, "gc.collect", json!({}));
    assert_eq!(again["error"]["code"], json!(-32002));
    assert_eq!(again["error"]["data"], found["error"]["data"]);
    let report = &ask(&mut service, &mut program, "gc.report", json!({}))["result"];
    assert_eq!(report["fault"], found["error"]["data"]);
    assert_eq!((&report["fault"]["code"], &report["fault"]["address"]), (&json!("OutsideHeap"), &json!("0x10")));
    assert_eq!(report["collections"], json!(0));
}

#[test]
fn contents_are_told_only_if_asked_for_by_block() {
    let (mut service, mut program) = (Service::new(), Program::new());
    let (root, left) = (program.root.address(), program.runtime.load(program.root, 0).expect("a word"));
    let block = format!("{root:#x}");
    let plain = ask(&mut service, &mut program, "gc.explain", json!({ "block": block }));
    assert_eq!((&plain["result"]["name"], &plain["result"]["kind"]), (&json!("Pair"), &json!("heap")));
    for (method, params) in [
        ("gc.explain", json!({ "block": block })),
        ("gc.explain", json!({})),
        ("gc.report", json!({ "log": true })),
        ("gc.tables", json!({})),
    ] {
        let text = ask(&mut service, &mut program, method, params).to_string();
        assert!(!text.contains("\"words\""), "{text}");
    }
    let whole = ask(&mut service, &mut program, "gc.explain", json!({ "block": block, "contents": true }));
    assert_eq!(whole["result"]["words"][0], json!(format!("{left:#x}")));
    let last = ask(&mut service, &mut program, "gc.explain", json!({ "block": root, "contents": true, "from": 1 }));
    assert_eq!(last["result"]["words"].as_array().map(Vec::len), Some(1));
    let frame = format!("{:#x}", program.frame.address());
    let frame = ask(&mut service, &mut program, "gc.explain", json!({ "block": frame, "contents": true }));
    assert_eq!((&frame["result"]["kind"], &frame["result"]["words"]), (&json!("frame"), &json!([block])));
}

#[test]
fn what_is_no_block_or_structure_is_refused() {
    let (mut service, mut program) = (Service::new(), Program::new());
    let none = ask(&mut service, &mut program, "gc.explain", json!({ "block": "0x8" }));
    assert_eq!((&none["error"]["code"], &none["error"]["data"]["refusal"]), (&json!(-32004), &json!("NotABlock")));
    let uuid = "00000000-0000-0000-0000-000000000000";
    let none = ask(&mut service, &mut program, "gc.explain", json!({ "table": uuid, "structure": uuid }));
    assert_eq!((&none["error"]["code"], &none["error"]["data"]["refusal"]), (&json!(-32004), &json!("NoSuchEntry")));
}

#[test]
fn tables_are_told_whole_or_in_parts() {
    let (mut service, mut program) = (Service::new(), Program::new());
    let tables = ask(&mut service, &mut program, "gc.tables", json!({}));
    let table = &tables["result"]["tables"][0];
    assert_eq!((&table["package"], &table["unit"], &table["entries"]), (&json!("test"), &json!("host"), &json!(2)));
    assert_eq!(table["structures"].as_array().map(Vec::len), Some(2));
    assert_eq!(table["table"], json!(ironwall_format::uuid_text(program.table.id())));
    assert_eq!(tables["result"].get("next"), None);
    let part = ask(&mut service, &mut program, "gc.tables", json!({ "from": 1 }));
    assert_eq!(part["result"]["tables"][0]["structures"][0], table["structures"][1]);
    let beyond = ask(&mut service, &mut program, "gc.tables", json!({ "from": u64::MAX }));
    assert_eq!(beyond["result"]["tables"][0]["structures"], json!([]));
}

#[test]
fn a_notification_is_done_and_not_answered() {
    let (mut service, mut program) = (Service::new(), Program::new());
    let line = br#"{"jsonrpc":"2.0","method":"gc.collect"}"#;
    assert_eq!(service.answer(line, &mut program.runtime), None);
    assert_eq!(program.runtime.collections(), 1);
    assert_eq!(service.answer(br#"{"jsonrpc":"2.0","method":"gc.nothing"}"#, &mut program.runtime), None);
}

#[test]
fn a_stream_of_bytes_is_answered_as_over_a_pair_of_streams() {
    let request = r#"{"jsonrpc":"2.0","id":1,"method":"gc.collect"}"#;
    let notification = r#"{"jsonrpc":"2.0","method":"gc.collect"}"#;
    let batch = format!("[{request},{request}]");
    let endless = " ".repeat(ironwall_host::MAX_REQUEST + 1);
    for tail in ["", "{", "\n\n", endless.as_str()] {
        let bytes = format!("{request}\n\n?\n{notification}\n{batch}\n{request}\n{tail}");
        let mut program = Program::new();
        let answers = Service::new().answer_all(bytes.as_bytes(), &mut program.runtime);
        assert_eq!(program.runtime.collections(), 3);

        let (mut mailbox, mut output) = (ironwall_host::Mailbox::new(), Vec::new());
        let door = mailbox.door();
        std::thread::scope(|scope| {
            let served = scope.spawn(|| ironwall_host::serve(bytes.as_bytes(), &mut output, &door));
            let mut program = Program::new();
            while !served.is_finished() {
                mailbox.serve_for(&mut program.runtime, std::time::Duration::from_millis(1));
            }
        });
        assert_eq!(String::from_utf8(answers), String::from_utf8(output), "{tail:?}");
    }
}
