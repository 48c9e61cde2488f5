//! Answers as people read them. What they say comes from a program that may be anybody's, so nothing of it reaches the
//! terminal unescaped.

use std::fmt::Write;

use serde_json::Value;

/// The answer to a method.
pub(crate) fn answer(method: &str, answer: &Value) -> String {
    match method {
        "gc.collect" => collection(answer).unwrap_or_else(|| value(answer)),
        "gc.explain" => explanation(answer).unwrap_or_else(|| value(answer)),
        "guest.list" => sockets(answer).unwrap_or_else(|| value(answer)),
        _ => value(answer),
    }
}

/// Any value: each member on a line of its own, indented by how deep it lies.
pub(crate) fn value(value: &Value) -> String {
    let mut text = String::new();
    write_value(&mut text, value, 0);
    text
}

/// A text without control characters.
pub(crate) fn escaped(text: &str) -> String {
    text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect()
}

fn write_value(text: &mut String, value: &Value, depth: usize) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                write_member(text, &format!("{}:", escaped(name)), member, depth);
            }
        }
        Value::Array(members) => {
            for member in members {
                write_member(text, "-", member, depth);
            }
        }
        scalar => write_member(text, "", scalar, depth),
    }
}

fn write_member(text: &mut String, label: &str, member: &Value, depth: usize) {
    let indent = "  ".repeat(depth);
    // Writing to a string does not fail.
    let _ = match member {
        Value::Object(members) if members.is_empty() => writeln!(text, "{indent}{label} none"),
        Value::Array(members) if members.is_empty() => writeln!(text, "{indent}{label} none"),
        Value::Object(_) | Value::Array(_) => {
            let result = writeln!(text, "{indent}{label}");
            write_value(text, member, depth + 1);
            result
        }
        Value::Null => writeln!(text, "{indent}{label} none"),
        Value::String(string) => writeln!(text, "{indent}{label} {}", escaped(string)),
        scalar => writeln!(text, "{indent}{label} {scalar}"),
    };
}

fn collection(report: &Value) -> Option<String> {
    let number = |name: &str| report.get(name).and_then(Value::as_u64);
    let (live, live_bytes) = (number("live")?, number("live_bytes")?);
    let (dead, dead_bytes) = (number("dead")?, number("dead_bytes")?);
    let (sequence, frames, globals, handles) =
        (number("sequence")?, number("frames")?, number("globals")?, number("handles")?);
    let digest = escaped(report.get("digest")?.as_str()?);
    Some(format!(
        "collection {sequence}: {live} objects of {live_bytes} bytes live, {dead} in {dead_bytes} bytes reclaimed\n\
         roots: {frames} frames, {globals} globals, {handles} handles\n\
         digest: {digest}\n"
    ))
}

/// Of a block: what it is, and why it lives. Of the heap: what each unit keeps alive.
fn explanation(answer: &Value) -> Option<String> {
    if let Some(units) = answer.get("units") {
        return heap(answer, units);
    }
    let text = |name: &str| answer.get(name).and_then(Value::as_str).map(escaped);
    let (block, state, extent) = (text("block")?, text("state")?, answer.get("extent")?.as_u64()?);
    let what = match (text("name"), text("package"), text("unit"), text("kind")) {
        (Some(name), Some(package), Some(unit), Some(kind)) => format!("{name} of {package}/{unit}, {kind}"),
        _ => format!("structure {}", text("structure")?),
    };
    let mut shown = format!("{block}: {what}, {extent} bytes\n");
    let why = match state.as_str() {
        "reachable" => lines(answer.get("text")?.as_str()?),
        "root" => "it is a root itself\n".to_owned(),
        "unreachable" => "no root leads to it; the next collection reclaims it\n".to_owned(),
        "unknown" => format!("the heap is damaged, so nobody can tell why it lives: {}\n", text("damage")?),
        _ => return None,
    };
    shown.push_str(&why);
    if let Some(words) = answer.get("words").and_then(Value::as_array) {
        let from = answer.get("from")?.as_u64()?;
        for (word, at) in words.iter().zip(from..) {
            let _ = writeln!(shown, "word {at}: {}", escaped(word.as_str()?));
        }
        if let Some(next) = answer.get("next").and_then(Value::as_u64) {
            let _ = writeln!(shown, "there are more words: --from {next}");
        }
    }
    Some(shown)
}

fn heap(answer: &Value, units: &Value) -> Option<String> {
    let number = |part: &str, name: &str| answer.get(part)?.get(name)?.as_u64();
    let mut text = format!(
        "{} objects of {} bytes live, {} of {} bytes are led to by no root\n\
         roots: {} frames, {} globals, {} handles\n\
         {:>10} {:>12} {:>14} UNIT\n",
        number("live", "objects")?,
        number("live", "bytes")?,
        number("dead", "objects")?,
        number("dead", "bytes")?,
        number("roots", "frames")?,
        number("roots", "globals")?,
        number("roots", "handles")?,
        "OBJECTS",
        "BYTES",
        "KEEPS ALIVE",
    );
    for unit in units.as_array()? {
        let number = |name: &str| unit.get(name)?.as_u64();
        let (objects, bytes, retained) = (number("objects")?, number("bytes")?, number("retained")?);
        let least = if unit.get("is_exact")?.as_bool()? { "" } else { "≥" };
        let (package, name) = (escaped(unit.get("package")?.as_str()?), escaped(unit.get("unit")?.as_str()?));
        let retained = format!("{least}{retained}");
        let _ = writeln!(text, "{objects:>10} {bytes:>12} {retained:>14} {package}/{name}");
    }
    Some(text)
}

/// Each line of a text, escaped.
fn lines(text: &str) -> String {
    text.lines().map(|line| escaped(line) + "\n").collect()
}

fn sockets(list: &Value) -> Option<String> {
    let mut text = format!("{:>7} {:>7} {:<16} {}\n", "PID", "UID", "PROGRAM", "SOCKET");
    for socket in list.get("sockets")?.as_array()? {
        let (pid, uid) = (socket.get("pid")?.as_u64()?, socket.get("uid")?.as_u64()?);
        let program = escaped(socket.get("program")?.as_str()?);
        let path = escaped(socket.get("path")?.as_str()?);
        let _ = writeln!(text, "{pid:>7} {uid:>7} {program:<16} {path}");
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn members_are_lines_and_nothing_reaches_the_terminal_unescaped() {
        let text = value(&json!({ "a\u{1b}": "x\u{7}\ny", "b": [{ "c": 1 }, { "c": null }], "d": [] }));
        assert_eq!(text, "a\\u{1b}: x\\u{7}\\ny\nb:\n  -\n    c: 1\n  -\n    c: none\nd: none\n");
    }

    #[test]
    fn an_explanation_is_what_it_is_and_why_it_lives() {
        let block = json!({
            "block": "0x10", "extent": 16, "state": "reachable", "name": "Pair", "package": "p", "unit": "u",
            "kind": "heap", "text": "handle 1\n  \u{1b}[2J", "from": 0, "words": ["0x1"], "next": 1,
        });
        let expected = "0x10: Pair of p/u, heap, 16 bytes\nhandle 1\n  \\u{1b}[2J\nword 0: 0x1\n\
                        there are more words: --from 1\n";
        assert_eq!(answer("gc.explain", &block), expected);
        let heap = json!({
            "live": { "objects": 3, "bytes": 144 }, "dead": { "objects": 2, "bytes": 96 },
            "roots": { "frames": 1, "globals": 0, "handles": 0 },
            "units": [{ "objects": 3, "bytes": 144, "retained": 144, "is_exact": false, "package": "p", "unit": "u" }],
        });
        assert!(answer("gc.explain", &heap).ends_with("         3          144           ≥144 p/u\n"));
    }

    #[test]
    fn answers_of_the_wrong_shape_are_shown_as_they_are() {
        assert_eq!(answer("gc.collect", &json!({ "live": "many" })), "live: many\n");
        assert_eq!(answer("guest.list", &json!([])), "");
        assert_eq!(answer("gc.explain", &json!({ "state": "reachable", "text": 7 })), "state: reachable\ntext: 7\n");
    }
}
