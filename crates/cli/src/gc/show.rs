//! Answers as people read them. What they say comes from a program that may be anybody's, so nothing of it reaches the
//! terminal unescaped.

use std::fmt::Write;

use serde_json::Value;

/// The answer to a method.
pub(crate) fn answer(method: &str, answer: &Value) -> String {
    match method {
        "gc.collect" => collection(answer).unwrap_or_else(|| value(answer)),
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
    fn answers_of_the_wrong_shape_are_shown_as_they_are() {
        assert_eq!(answer("gc.collect", &json!({ "live": "many" })), "live: many\n");
        assert_eq!(answer("guest.list", &json!([])), "");
    }
}
