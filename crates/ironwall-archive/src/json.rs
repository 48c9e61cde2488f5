//! JSON with byte offsets, in two styles: the one canonical form of manifests, and what people write.
//!
//! Both are a part of JSON: objects, lists, booleans, whole numbers below 2⁵³, and strings of printable ASCII without
//! quotes and backslashes, so that a string is its own bytes. There is no null. The canonical form has no blanks, and
//! keys in ascending order; with that, a document has one form only.

use crate::problem::{Place, Problem, escaped};

/// How deep lists and objects may be nested.
pub const MAX_DEPTH: usize = 16;
/// The largest number.
pub const MAX_NUMBER: u64 = (1 << 53) - 1;

/// Which form a document has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// The one canonical form.
    Canonical,
    /// Blanks, and keys in any order.
    Free,
}

/// A value and where it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// The offset of its first byte.
    pub at: usize,
    /// The value.
    pub value: Value,
}

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A string.
    Text(String),
    /// A whole number.
    Number(u64),
    /// A boolean.
    Bool(bool),
    /// A list.
    List(Vec<Node>),
    /// Keys, where they are, and their values.
    Object(Vec<(String, usize, Node)>),
}

/// Reads a document.
///
/// # Errors
/// The first broken rule.
pub fn parse(bytes: &[u8], place: Place, style: Style) -> Result<Node, Problem> {
    let mut parser = Parser { bytes, place, style, at: 0 };
    parser.blanks();
    let node = parser.value(0)?;
    parser.blanks();
    if parser.at < bytes.len() { Err(parser.problem("json.trailing", "data follows the value")) } else { Ok(node) }
}

struct Parser<'a> {
    bytes: &'a [u8],
    place: Place,
    style: Style,
    at: usize,
}

impl Parser<'_> {
    fn problem(&self, rule: &'static str, what: impl Into<String>) -> Problem {
        self.problem_at(self.at, rule, what)
    }

    fn problem_at(&self, at: usize, rule: &'static str, what: impl Into<String>) -> Problem {
        Problem::new(self.place, at, rule, what)
    }

    /// A problem with the byte that is next, or its absence.
    fn unexpected(&self, wanted: &str) -> Problem {
        match self.peek() {
            None => self.problem("json.truncated", format!("the end, instead of {wanted}")),
            Some(b' ' | b'\t' | b'\r' | b'\n') => {
                self.problem("json.blank", format!("a blank, instead of {wanted}; the canonical form has none"))
            }
            Some(byte) => self.problem("json.syntax", format!("\"{}\" instead of {wanted}", escaped(&[byte]))),
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    fn blanks(&mut self) {
        while self.style == Style::Free && matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn value(&mut self, depth: usize) -> Result<Node, Problem> {
        let at = self.at;
        if depth > MAX_DEPTH {
            return Err(self.problem("json.depth", format!("nested more than {MAX_DEPTH} deep")));
        }
        let value = match self.peek() {
            Some(b'"') => Value::Text(self.text()?),
            Some(b'0'..=b'9') => Value::Number(self.number()?),
            Some(b'[') => Value::List(self.list(depth)?),
            Some(b'{') => Value::Object(self.object(depth)?),
            Some(b't') => Value::Bool(self.word(b"true", true)?),
            Some(b'f') => Value::Bool(self.word(b"false", false)?),
            _ => return Err(self.unexpected("a value")),
        };
        Ok(Node { at, value })
    }

    fn word(&mut self, word: &[u8], value: bool) -> Result<bool, Problem> {
        for &byte in word {
            if !self.eat(byte) {
                return Err(self.unexpected("true or false"));
            }
        }
        Ok(value)
    }

    fn text(&mut self) -> Result<String, Problem> {
        let mut text = String::new();
        self.at += 1;
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(text);
                }
                Some(byte) if byte == b' ' || byte.is_ascii_graphic() && byte != b'\\' => text.push(char::from(byte)),
                Some(b'\\') => return Err(self.problem("json.string", "a backslash in a string")),
                Some(_) => return Err(self.problem("json.string", "a character that is not printable ASCII")),
                None => return Err(self.unexpected("the end of a string")),
            }
            self.at += 1;
        }
    }

    fn number(&mut self) -> Result<u64, Problem> {
        let start = self.at;
        let mut number = 0u64;
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            let next = number.checked_mul(10).and_then(|number| number.checked_add(u64::from(digit - b'0')));
            number = next
                .filter(|&next| next <= MAX_NUMBER)
                .ok_or_else(|| self.problem_at(start, "json.number", "a number of 2^53 or more"))?;
            self.at += 1;
        }
        if self.bytes[start] == b'0' && self.at > start + 1 {
            return Err(self.problem_at(start, "json.number", "a number begins with 0"));
        }
        if matches!(self.peek(), Some(b'.' | b'e' | b'E')) {
            return Err(self.problem_at(start, "json.number", "a number is not whole"));
        }
        Ok(number)
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Node>, Problem> {
        let mut list = Vec::new();
        self.at += 1;
        self.blanks();
        if self.eat(b']') {
            return Ok(list);
        }
        loop {
            self.blanks();
            list.push(self.value(depth + 1)?);
            self.blanks();
            if self.eat(b']') {
                return Ok(list);
            }
            if !self.eat(b',') {
                return Err(self.unexpected("\",\" or \"]\""));
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Vec<(String, usize, Node)>, Problem> {
        let mut object: Vec<(String, usize, Node)> = Vec::new();
        self.at += 1;
        self.blanks();
        if self.eat(b'}') {
            return Ok(object);
        }
        loop {
            self.blanks();
            let at = self.at;
            if self.peek() != Some(b'"') {
                return Err(self.unexpected("a key"));
            }
            let key = self.text()?;
            if object.iter().any(|(other, ..)| *other == key) {
                return Err(self.problem_at(at, "json.duplicate-key", format!("the key \"{key}\" is there twice")));
            }
            if self.style == Style::Canonical && object.last().is_some_and(|(last, ..)| *last > key) {
                return Err(self.problem_at(at, "json.key-order", format!("the key \"{key}\" is not in order")));
            }
            // Unknown keys are refused later; before that, so many of them would take time in the search above.
            if object.len() == 64 {
                return Err(self.problem_at(at, "json.limit", "an object has more than 64 keys"));
            }
            self.blanks();
            if !self.eat(b':') {
                return Err(self.unexpected("\":\""));
            }
            self.blanks();
            object.push((key, at, self.value(depth + 1)?));
            self.blanks();
            if self.eat(b'}') {
                return Ok(object);
            }
            if !self.eat(b',') {
                return Err(self.unexpected("\",\" or \"}\""));
            }
        }
    }
}

impl Value {
    /// An object of these keys.
    pub(crate) fn object<const N: usize>(keys: [(&str, Value); N]) -> Self {
        Self::Object(keys.map(|(key, value)| (key.to_owned(), 0, Node { at: 0, value })).into())
    }

    /// A list of these values.
    pub(crate) fn list(values: impl IntoIterator<Item = Value>) -> Self {
        Self::List(values.into_iter().map(|value| Node { at: 0, value }).collect())
    }

    /// The canonical form, if keys are distinct and strings hold only what they may.
    pub(crate) fn canonical(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    /// A form with a line for each value and the end of a line at the end, for people; keys as in the canonical form.
    pub(crate) fn pretty(&self) -> String {
        let mut out = String::new();
        self.write_pretty(&mut out, 0);
        out.push('\n');
        out
    }

    fn write_pretty(&self, out: &mut String, depth: usize) {
        let line = |out: &mut String, depth: usize| {
            out.push('\n');
            (0..depth).for_each(|_| out.push_str("  "));
        };
        match self {
            Self::List(list) if !list.is_empty() => {
                for (i, node) in list.iter().enumerate() {
                    out.push(if i == 0 { '[' } else { ',' });
                    line(out, depth + 1);
                    node.value.write_pretty(out, depth + 1);
                }
                line(out, depth);
                out.push(']');
            }
            Self::Object(object) if !object.is_empty() => {
                let mut keys: Vec<_> = object.iter().collect();
                keys.sort_by_key(|(key, ..)| key);
                for (i, (key, _, node)) in keys.into_iter().enumerate() {
                    out.push(if i == 0 { '{' } else { ',' });
                    line(out, depth + 1);
                    out.push('"');
                    out.push_str(key);
                    out.push_str("\": ");
                    node.value.write_pretty(out, depth + 1);
                }
                line(out, depth);
                out.push('}');
            }
            Self::Text(_) | Self::Number(_) | Self::Bool(_) | Self::List(_) | Self::Object(_) => self.write(out),
        }
    }

    fn write(&self, out: &mut String) {
        match self {
            Self::Text(text) => {
                out.push('"');
                out.push_str(text);
                out.push('"');
            }
            Self::Number(number) => out.push_str(&number.to_string()),
            Self::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Self::List(list) => {
                for (i, node) in list.iter().enumerate() {
                    out.push(if i == 0 { '[' } else { ',' });
                    node.value.write(out);
                }
                out.push_str(if list.is_empty() { "[]" } else { "]" });
            }
            Self::Object(object) => {
                let mut keys: Vec<_> = object.iter().collect();
                keys.sort_by_key(|(key, ..)| key);
                for (i, (key, _, node)) in keys.into_iter().enumerate() {
                    out.push_str(if i == 0 { "{\"" } else { ",\"" });
                    out.push_str(key);
                    out.push_str("\":");
                    node.value.write(out);
                }
                out.push_str(if object.is_empty() { "{}" } else { "}" });
            }
        }
    }
}

/// Whether a text can be a string of a document.
pub(crate) fn is_text(text: &str) -> bool {
    text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic() && byte != b'"' && byte != b'\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(text: &str, style: Style) -> (&'static str, u64) {
        let problem = parse(text.as_bytes(), Place::Manifest, style).expect_err(text);
        (problem.rule, problem.offset)
    }

    #[test]
    fn the_canonical_form_is_read_and_written_the_same() {
        for text in [r#"{"a":[1,{"b":true}],"c":"x y","d":{},"e":[],"f":9007199254740991}"#, "0", "[[[]]]"] {
            let node = parse(text.as_bytes(), Place::Manifest, Style::Canonical).expect(text);
            assert_eq!(node.value.canonical(), text);
        }
        let free = parse(b" {\n\"b\" : 1 ,\t\"a\":[ ]\r\n} ", Place::File, Style::Free).expect("free");
        assert_eq!(free.value.canonical(), r#"{"a":[],"b":1}"#);
    }

    #[test]
    fn there_is_one_canonical_form() {
        for (text, expected) in [
            ("", ("json.truncated", 0)),
            ("{\"a\":1", ("json.truncated", 6)),
            ("{\"a\": 1}", ("json.blank", 5)),
            ("1\n", ("json.trailing", 1)),
            ("{\"b\":1,\"a\":1}", ("json.key-order", 7)),
            ("{\"a\":1,\"a\":1}", ("json.duplicate-key", 7)),
            ("[01]", ("json.number", 1)),
            ("[1.0]", ("json.number", 1)),
            ("[1e3]", ("json.number", 1)),
            ("[-1]", ("json.syntax", 1)),
            ("[9007199254740992]", ("json.number", 1)),
            ("[99999999999999999999999]", ("json.number", 1)),
            ("[null]", ("json.syntax", 1)),
            ("[tru]", ("json.syntax", 4)),
            ("[1,]", ("json.syntax", 3)),
            ("\"\\u0041\"", ("json.string", 1)),
            ("\"\u{e9}\"", ("json.string", 1)),
            ("\"\u{1b}\"", ("json.string", 1)),
            ("\u{feff}{}", ("json.syntax", 0)),
        ] {
            assert_eq!(rule(text, Style::Canonical), expected, "{text:?}");
        }
    }

    #[test]
    fn nesting_and_keys_are_bounded() {
        let deep = "[".repeat(100_000);
        assert_eq!(rule(&deep, Style::Free), ("json.depth", 17));
        let deep = "{\"a\":".repeat(100_000);
        assert_eq!(rule(&deep, Style::Canonical), ("json.depth", 85));
        let keys: Vec<String> = (0..100_000).map(|i| format!("\"{i:06}\":0")).collect();
        assert_eq!(rule(&format!("{{{}}}", keys.join(",")), Style::Canonical).0, "json.limit");
    }
}
