//! JSON-RPC: whatever a line is, it has at most one answer, which is one line of JSON, and the heap stays sound.

use crate::edits::edit;
use ironwall::{Block, Config, EntryId, Kind, Origin, Region, Runtime, TableLimits};
use ironwall_format::{Structure, Table};
use ironwall_host::lines::{Line, Lines};
use ironwall_host::{MAX_REQUEST, Service};
use serde_json::Value;

/// What is edited; `BLOCK` becomes the address of an object.
const REQUESTS: &[&str] = &[
    r#"{"jsonrpc":"2.0","id":1,"method":"gc.collect","params":{"reason":7,"deadline_ms":5}}"#,
    r#"{"jsonrpc":"2.0","id":"a","method":"gc.report","params":{"log":true}}"#,
    r#"{"jsonrpc":"2.0","id":null,"method":"gc.tables","params":{"from":1}}"#,
    r#"{"jsonrpc":"2.0","id":2,"method":"gc.explain","params":{"block":"BLOCK","contents":true,"from":0}}"#,
    r#"{"jsonrpc":"2.0","id":3,"method":"gc.explain","params":{"table":"03b4a6b9-6254-84f9-b46e-9c8166c6717c","structure":"3a4b0bbb-3e96-8db3-952f-034b44668a4a"}}"#,
    r#"{"jsonrpc":"2.0","id":4,"method":"gc.explain"}"#,
    r#"{"jsonrpc":"2.0","method":"gc.collect"}"#,
];

/// The first byte chooses a request to edit, or that the others are the lines themselves. Lines come in pieces.
///
/// # Panics
/// An answer is not what it has to be.
pub fn rpc(input: &[u8]) {
    let Some((&first, rest)) = input.split_first() else { return };
    with_heap(|runtime, held| {
        let text = match REQUESTS.get(usize::from(first) % (REQUESTS.len() + 1)) {
            Some(request) => edit(request.replace("BLOCK", &format!("{:#x}", held.address())).as_bytes(), rest),
            None => rest.to_vec(),
        };
        let mut service = Service::new();
        let mut lines = Lines::new(Pieces { rest: &text, len: usize::from(first % 7) + 1 }, MAX_REQUEST);
        // Reading from memory does not fail, and ends.
        while let Ok(Line::Whole(line)) = lines.next_line() {
            let before = runtime.collections();
            if let Some(answer) = service.answer(&line, runtime) {
                check(&answer);
            }
            assert!(runtime.collections() <= before + 1, "a line collects once at most");
            assert!(runtime.load(held, 0).is_ok(), "what a handle holds was lost");
        }
        let report = runtime.collect(Origin::Program, 0).expect("no request damages the heap");
        assert_eq!(report.live, 2);
    });
}

fn check(answer: &str) {
    assert!(!answer.contains('\n'), "{answer}");
    let value: Value = serde_json::from_str(answer).expect("an answer is JSON");
    let members = value.as_object().expect("an answer is an object");
    let has = |name| members.contains_key(name);
    assert!(members.get("jsonrpc") == Some(&Value::from("2.0")) && has("id") && members.len() == 3, "{answer}");
    assert!(has("result") != has("error"), "{answer}");
    if let Some(error) = members.get("error") {
        let is_whole = error["code"].as_i64().is_some_and(|code| code < 0) && error["message"].is_string();
        assert!(is_whole, "{answer}");
    }
}

/// A stream that gives a few bytes at a time.
struct Pieces<'a> {
    rest: &'a [u8],
    len: usize,
}

impl std::io::Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let len = self.len.min(self.rest.len()).min(buffer.len());
        let (piece, rest) = self.rest.split_at(len);
        buffer[..len].copy_from_slice(piece);
        self.rest = rest;
        Ok(len)
    }
}

/// Runs with a heap of three cells: one has a handle and refers to the second, the third is dead.
fn with_heap(run: impl FnOnce(&mut Runtime<'_>, Block)) {
    let cell = Structure::of_slots(Kind::Heap, "Cell", 2);
    let table = Table::new("ironwall.example", "list").with(cell);
    let image = table.image().expect("short names");
    let (mut heap, mut frames) = (vec![0; (64 << 10) / 8 + 2], vec![0; 16]);
    let skip = usize::from(!heap.as_ptr().addr().is_multiple_of(16));
    let config = Config {
        tables: TableLimits { tables: 1, entries: 1, offsets: 4, globals: 0 },
        handles: 1,
        frames: Region::from_words(&mut frames),
        wipes: true,
        heap_is_zeroed: true,
        pages: None,
        on_fault: None,
    };
    let heap = Region::from_words(&mut heap[skip..skip + (64 << 10) / 8]);
    let mut bookkeeping = vec![0; Runtime::bookkeeping_words(heap.byte_len(), &config).expect("a length")];
    let mut runtime = Runtime::new(heap, &mut bookkeeping, config).expect("a runtime");
    let unit = runtime.attach(&image, []).expect("attached");
    runtime.link().expect("linked");
    runtime.start_unit(unit).expect("started");
    let entry: EntryId = runtime.entry(table.id(), table.structure_id(Kind::Heap, "Cell")).expect("an entry");
    let [held, second, _dead] = [0; 3].map(|_| runtime.allocate(entry).expect("a cell"));
    runtime.store(held, 8, second.address()).expect("a slot");
    runtime.handle(held).expect("a handle");
    run(&mut runtime, held);
}
