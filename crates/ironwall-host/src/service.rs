//! Lines in, lines out, without I/O: JSON-RPC 2.0 on a runtime that the caller holds still.

use ironwall::Runtime;
use ironwall_explain::Names;
use serde_json::{Value, json};

use crate::call::{Answer, Call, Journal, Stopped};
use crate::error::Error;
use crate::request::{BadRequest, Request};

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
