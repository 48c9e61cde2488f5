//! Why something is alive, as the protocol tells it.

use ironwall::{Block, Kind, Origin, Stack};
use ironwall_explain::{RootPath, check};
use ironwall_host::{Call, Door, Mailbox, Names, Service};
use serde_json::{Value, json};
use std::time::Duration;

use crate::support::{Program, stack_region};

fn ask(service: &mut Service, program: &mut Program, params: Value) -> Value {
    let line = json!({ "jsonrpc": "2.0", "id": 1, "method": "gc.explain", "params": params }).to_string();
    let answer = service.answer(line.as_bytes(), &mut program.runtime).expect("an answer");
    serde_json::from_str(&answer).expect("JSON")
}

fn explain(program: &mut Program, which: impl FnOnce(&Program) -> Block) -> Value {
    let block = which(program);
    let mut service = Service::new();
    service.names().extend(Names::of([&program.table]));
    ask(&mut service, program, json!({ "block": format!("{:#x}", block.address()) }))["result"].clone()
}

fn path_of(explained: &Value) -> RootPath {
    RootPath::from_json(explained["path"].to_string().as_bytes()).expect("a path")
}

#[test]
fn r6_e_a_living_object_is_explained_by_a_root_path_that_replays() {
    let mut program = Program::new();
    let right = Block::from_word(program.runtime.load(program.root, 8).expect("a word")).expect("a block");
    let explained = explain(&mut program, |_| right);
    assert_eq!((&explained["state"], &explained["length"]), (&json!("reachable"), &json!(2)));
    let path = path_of(&explained);
    check(&program.runtime, &path).expect("it replays");
    let expected = format!(
        "frame 0 main of test/host, slot list\n  → #0 Pair of test/host, 16 bytes at {:#x}\n  .cdr → #2 Pair of \
         test/host, 16 bytes at {:#x}",
        program.root.address(),
        right.address()
    );
    assert_eq!((explained["text"].as_str(), path.to_string()), (Some(expected.as_str()), expected.clone()));
    // The checker notices when the path is no longer true.
    program.runtime.store(program.root, 8, 0).expect("a slot");
    assert!(check(&program.runtime, &path).is_err());
}

#[test]
fn a_handle_is_the_root_of_a_path_too() {
    let mut program = Program::new();
    let handle = program.runtime.handle(program.dead).expect("a handle");
    let explained = explain(&mut program, |program| program.dead);
    assert_eq!(explained["path"]["root"]["kind"], json!("handle"));
    program.runtime.release(handle).expect("it is held");
    assert_eq!(explain(&mut program, |program| program.dead)["state"], json!("unreachable"));
}

#[test]
fn what_is_dead_is_said_to_be_and_a_root_is_one() {
    let mut program = Program::new();
    let dead = explain(&mut program, |program| program.dead);
    assert_eq!((&dead["state"], dead.get("path"), &dead["name"]), (&json!("unreachable"), None, &json!("Pair")));
    let root = explain(&mut program, |program| program.frame);
    assert_eq!((&root["state"], root.get("path"), &root["kind"]), (&json!("root"), None, &json!("frame")));
}

#[test]
fn a_damaged_heap_gives_no_path_and_says_where() {
    let mut program = Program::new();
    program.damage();
    let explained = explain(&mut program, |program| program.root);
    assert_eq!((&explained["state"], explained.get("path")), (&json!("unknown"), None));
    assert!(explained["damage"].as_str().is_some_and(|text| text.contains("0x10")), "{explained}");
    let mut service = Service::new();
    assert_eq!(ask(&mut service, &mut program, json!({}))["error"]["code"], json!(-32007));
    assert!(program.runtime.fault().is_none(), "to look is not to seal");
}

#[test]
fn the_heap_is_explained_by_unit_and_a_structure_by_what_it_retains() {
    let mut program = Program::new();
    let mut service = Service::new();
    let heap = &ask(&mut service, &mut program, json!({}))["result"];
    assert_eq!(heap["live"], json!({ "objects": 3, "bytes": 3 * 48 }));
    assert_eq!(heap["dead"], json!({ "objects": 2, "bytes": 2 * 48 }));
    let unit = &heap["units"][0];
    assert_eq!((&unit["unit"], &unit["objects"], &unit["retained"]), (&json!("host"), &json!(3), &json!(144)));
    let pair = program.table.structure_id(Kind::Heap, "Pair");
    let [table, structure] = [program.table.id(), pair].map(ironwall_format::uuid_text);
    let pairs = &ask(&mut service, &mut program, json!({ "table": table, "structure": structure }))["result"];
    assert_eq!((&pairs["objects"], &pairs["now"]["objects"]), (&json!(0), &json!(3)), "nothing was collected yet");
    assert_eq!(pairs["now"]["is_exact"], json!(true));
}

#[test]
fn a_path_that_is_too_long_is_told_as_text() {
    let mut program = Program::new();
    let pair = program.table.structure_id(Kind::Heap, "Pair");
    let entry = program.runtime.entry(program.table.id(), pair).expect("an entry");
    let mut last = Block::from_word(program.runtime.load(program.root, 0).expect("a word")).expect("a block");
    for _ in 0..ironwall_host::explain::MAX_STEPS {
        let next = program.runtime.allocate(entry).expect("room");
        program.runtime.store(last, 8, next.address()).expect("a slot");
        last = next;
    }
    let explained = explain(&mut program, |_| last);
    assert_eq!((&explained["length"], &explained["path"]), (&json!(1026), &Value::Null));
    assert!(explained["text"].as_str().is_some_and(|text| text.contains("978 objects")), "{explained}");
    assert!(explained.to_string().len() < 16 << 10);
}

/// A host asks for a collection while the program uses another of its stacks.
#[test]
fn r3_1_frames_of_other_stacks_are_roots_at_a_host_point_too() {
    let mut program = Program::new();
    let mut stacks = [Stack::new(stack_region())];
    program.runtime.swap_stack(&mut stacks[0]);
    let mut mailbox = Mailbox::new();
    let post = |door: Door, call| door.post(call, Duration::from_secs(60), None).expect("room");
    let explained = post(
        mailbox.door(),
        Call::Explain(ironwall_host::call::Target::Block { block: program.root, contents: false, from: 0 }),
    );
    let collected = post(mailbox.door(), Call::Collect { reason: 1 });
    assert_eq!(mailbox.host_point_with(&mut program.runtime, &mut stacks), 2);
    let explained = explained.wait().expect("an answer").into_value();
    assert_eq!(explained["path"]["root"]["stack"], json!(1), "{explained}");
    let collected = collected.wait().expect("a report").into_value();
    assert_eq!((&collected["live"], &collected["frames"]), (&json!(3), &json!(1)));
    let own = Program::new().runtime.collect(Origin::Program, 1).expect("a report");
    assert_eq!(collected["digest"], json!(ironwall_host::render::hex(&own.digest)));
}
