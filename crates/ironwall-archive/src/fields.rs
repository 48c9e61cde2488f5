//! Taking values out of a document: every key is there, none is unknown, and each has its type.

use crate::json::{Node, Value};
use crate::problem::{Place, Problem, unhex};
use ironwall::Uuid;

/// Collects what is wrong with a document.
pub(crate) struct Taker {
    pub(crate) place: Place,
    pub(crate) problems: Vec<Problem>,
}

/// The keys of an object.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'n> {
    pub(crate) at: usize,
    object: &'n [(String, usize, Node)],
}

impl<'n> Fields<'n> {
    /// The value of a key, if it is there.
    pub(crate) fn get(&self, key: &str) -> Option<&'n Node> {
        self.object.iter().find(|(other, ..)| other == key).map(|(.., node)| node)
    }
}

impl Taker {
    pub(crate) fn new(place: Place) -> Self {
        Self { place, problems: Vec::new() }
    }

    pub(crate) fn report(&mut self, at: usize, rule: &'static str, what: impl Into<String>) {
        self.problems.push(Problem::new(self.place, at, rule, what));
    }

    /// What was taken, if nothing was wrong.
    pub(crate) fn finish<T>(mut self, taken: Option<T>) -> Result<T, Vec<Problem>> {
        match taken {
            Some(taken) if self.problems.is_empty() => Ok(taken),
            _ => {
                self.problems.sort();
                Err(self.problems)
            }
        }
    }

    /// An object with all of the first keys, perhaps some of the second, and no others.
    pub(crate) fn object<'n>(&mut self, node: &'n Node, all: &[&str], some: &[&str]) -> Option<Fields<'n>> {
        let Value::Object(object) = &node.value else {
            self.report(node.at, "document.type", "this has to be an object");
            return None;
        };
        for (key, at, _) in object {
            if !all.contains(&key.as_str()) && !some.contains(&key.as_str()) {
                self.report(*at, "document.unknown-key", format!("there is no key \"{key}\" here"));
            }
        }
        let fields = Fields { at: node.at, object };
        let mut is_whole = true;
        for key in all {
            if fields.get(key).is_none() {
                self.report(node.at, "document.missing-key", format!("the key \"{key}\" is missing"));
                is_whole = false;
            }
        }
        is_whole.then_some(fields)
    }

    pub(crate) fn text<'n>(&mut self, node: Option<&'n Node>) -> Option<(usize, &'n str)> {
        let node = node?;
        match &node.value {
            Value::Text(text) => Some((node.at, text)),
            _ => self.wrong(node, "a string"),
        }
    }

    pub(crate) fn number(&mut self, node: Option<&Node>) -> Option<(usize, u64)> {
        let node = node?;
        match node.value {
            Value::Number(number) => Some((node.at, number)),
            _ => self.wrong(node, "a whole number"),
        }
    }

    pub(crate) fn boolean(&mut self, node: Option<&Node>) -> Option<bool> {
        let node = node?;
        match node.value {
            Value::Bool(value) => Some(value),
            _ => self.wrong(node, "true or false"),
        }
    }

    pub(crate) fn list<'n>(&mut self, node: Option<&'n Node>) -> Option<&'n [Node]> {
        let node = node?;
        match &node.value {
            Value::List(list) => Some(list),
            _ => self.wrong(node, "a list"),
        }
    }

    /// So many bytes as hexadecimal digits.
    pub(crate) fn digits<const N: usize>(&mut self, node: Option<&Node>) -> Option<[u8; N]> {
        let (at, text) = self.text(node)?;
        let bytes = unhex(text);
        if bytes.is_none() {
            self.report(at, "document.digits", format!("this has to be {} lower-case hexadecimal digits", 2 * N));
        }
        bytes
    }

    pub(crate) fn uuid(&mut self, node: Option<&Node>) -> Option<(usize, Uuid)> {
        let (at, text) = self.text(node)?;
        let bytes = text.as_bytes();
        let is_uuid = bytes.len() == 36 && [8, 13, 18, 23].iter().all(|&i| bytes[i] == b'-');
        let uuid = unhex(&text.replace('-', "")).filter(|_| is_uuid);
        if uuid.is_none() {
            self.report(at, "document.uuid", "this has to be a UUID in lower case");
        }
        Some((at, Uuid(uuid?)))
    }

    /// A text of 1 to 200 characters.
    pub(crate) fn short_text(&mut self, node: Option<&Node>) -> Option<String> {
        let (at, text) = self.text(node)?;
        if !(1..=200).contains(&text.len()) {
            self.report(at, "document.text", "this has to have 1 to 200 characters");
            return None;
        }
        Some(text.to_owned())
    }

    fn wrong<T>(&mut self, node: &Node, wanted: &str) -> Option<T> {
        self.report(node.at, "document.type", format!("this has to be {wanted}"));
        None
    }
}
