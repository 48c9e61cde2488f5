//! Lines in, lines out, without I/O: JSON-RPC 2.0 on a runtime that the caller holds still.

use ironwall::Runtime;
use ironwall_explain::Names;
use serde_json::{Value, json};

use crate::MAX_REQUEST;
use crate::call::{Answer, Call, Journal, Stopped};
use crate::error::Error;
use crate::lines::{Line, Lines};
use crate::request::{BadRequest, Request, too_long};

/// Answers requests for one runtime.
#[derive(Clone, Debug, Default)]
pub struct Service {
    journal: Journal,
    names: Names,
}

impl Service {
    /// A service that has seen no collection.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The collections that were recorded.
    pub fn journal(&mut self) -> &mut Journal {
        &mut self.journal
    }

    /// The names of fields, for `gc.explain`.
    pub fn names(&mut self) -> &mut Names {
        &mut self.names
    }

    /// Does what a call asks.
    ///
    /// # Errors
    /// As [`Call::perform`].
    pub fn perform(&mut self, call: Call, stopped: &mut Stopped<'_, '_>) -> Result<Answer, Error> {
        call.perform(stopped, &mut self.journal, &self.names)
    }

    /// Does what a line asks and gives the line of the answer, without newlines; `None` for a notification. Deadlines
    /// mean nothing here: the program is at a host point already.
    pub fn answer(&mut self, line: &[u8], runtime: &mut Runtime<'_>) -> Option<String> {
        match Request::parse(line) {
            Ok(request) => respond(request.id, self.perform(request.call, &mut Stopped::new(runtime))),
            Err(BadRequest { id, error }) => respond(id, Err(error)),
        }
    }

    /// Does what a whole stream of lines asks and gives the stream of answers, as [`crate::serve`] would write it to
    /// whoever sent these bytes and nothing more.
    pub fn answer_all(&mut self, bytes: &[u8], runtime: &mut Runtime<'_>) -> Vec<u8> {
        let mut lines = Lines::new(bytes, MAX_REQUEST);
        let mut answers = Vec::new();
        let mut write = |answer: Option<String>| {
            if let Some(line) = answer {
                answers.extend_from_slice(line.as_bytes());
                answers.push(b'\n');
            }
        };
        // Bytes in memory have no errors to read.
        while let Ok(line) = lines.next_line() {
            match line {
                Line::Whole(line) if line.trim_ascii().is_empty() => {}
                Line::Whole(line) => write(self.answer(&line, runtime)),
                Line::TooLong => {
                    write(respond(Some(Value::Null), Err(too_long())));
                    break;
                }
                Line::End => break,
            }
        }
        answers
    }
}

/// The line that tells a result; `None` if nobody asked.
#[must_use]
pub fn respond(id: Option<Value>, result: Result<Answer, Error>) -> Option<String> {
    let id = id?;
    let response = match result {
        Ok(answer) => json!({ "jsonrpc": "2.0", "id": id, "result": answer.into_value() }),
        Err(error) => json!({ "jsonrpc": "2.0", "id": id, "error": error.to_value() }),
    };
    Some(response.to_string())
}
