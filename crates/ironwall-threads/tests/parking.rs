//! The list of calls that may park, beside the sources.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The methods of a file: their names, whether they are public, and their bodies. `drop` of a type is `drop Type`.
fn methods(text: &str) -> Vec<(String, bool, String)> {
    let (mut methods, mut of) = (Vec::new(), String::new());
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(rest) = line.strip_prefix("impl") {
            let name = rest.rsplit(" for ").next().unwrap_or(rest);
            of = name.trim_start().split(['<', ' ']).next().unwrap_or_default().to_owned();
        }
        let Some((before, rest)) = line.split_once("fn ").filter(|_| line.starts_with("    ") && !line.contains("//"))
        else {
            continue;
        };
        let mut body = rest.to_owned();
        // Bodies end where their indentation does.
        if !line.ends_with('}') {
            body.extend(lines.by_ref().take_while(|line| *line != "    }").flat_map(|line| [line, "\n"]));
        }
        let name = rest.split(['<', '(']).next().unwrap_or_default();
        let name = if name == "drop" { format!("drop {of}") } else { name.to_owned() };
        methods.push((name, before.contains("pub "), body));
    }
    methods
}

#[test]
fn r6_b_only_the_calls_that_are_listed_can_park() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| fs::read_to_string(here.join(path)).expect(path);
    let (lib, gate) = (methods(&read("src/lib.rs")), methods(&read("src/gate.rs")));
    // A thread parks where it waits for a change, or for the runtime, which another may use.
    let parks = |body: &str| body.contains(".changed.wait") || body.contains(".core()");
    let mut parking: BTreeMap<String, bool> = BTreeMap::new();
    for (name, _, body) in lib.iter().chain(&gate) {
        *parking.entry(name.clone()).or_default() |= parks(body);
    }
    // What calls something that parks does.
    loop {
        let known: Vec<String> = parking.iter().filter(|(_, parks)| **parks).map(|(name, _)| name.clone()).collect();
        for (name, _, body) in lib.iter().chain(&gate) {
            let calls = known.iter().any(|callee| body.contains(&format!(".{callee}(")));
            parking.entry(name.clone()).and_modify(|parks| *parks |= calls);
        }
        if parking.values().filter(|parks| **parks).count() == known.len() {
            break;
        }
    }
    let is_offered = |name: &str, is_public: bool| is_public || name.starts_with("drop ");
    let offered = lib.iter().filter(|(name, is_public, _)| is_offered(name, *is_public));
    let found: BTreeSet<&str> = offered.map(|(name, ..)| name.as_str()).filter(|name| parking[*name]).collect();
    let page = read("../../docs/ironwall/threads.md");
    let rows = page.lines().skip_while(|line| !line.starts_with("| call |")).skip(2);
    let cells =
        rows.take_while(|line| line.starts_with('|')).filter_map(|row| row.split('|').nth(1)).collect::<String>();
    let mut listed: BTreeSet<&str> = cells.split('`').skip(1).step_by(2).collect();
    assert!(cells.contains("dropping a mutator"));
    listed.insert("drop Mutator");
    // `Inside` is dropped where it leaves, and `Calls` at the end of `with`: neither waits.
    assert_eq!(found, listed);
    assert!(lib.iter().filter(|(_, is_public, _)| *is_public).count() > listed.len(), "not all calls park");
}
