//! Errors as JSON-RPC tells them: a number, a sentence, and what the sentence is about.

use serde_json::{Value, json};

/// The numbers of errors. Those from -32768 to -32600 are JSON-RPC's, the others are ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Code {
    /// The line is no JSON.
    Parse = -32700,
    /// The JSON is no request, or is a batch, or is too long.
    InvalidRequest = -32600,
    /// There is no such method.
    NoSuchMethod = -32601,
    /// The method does not take these parameters.
    BadParams = -32602,
    /// The program did not come to a host point in time. Nothing was done, and nothing will be.
    Deadline = -32001,
    /// An earlier fault sealed the heap.
    Sealed = -32002,
    /// This collection found damage and sealed the heap.
    Fault = -32003,
    /// The runtime refused the call.
    Refused = -32004,
    /// Too many connections, or too many requests wait.
    Busy = -32005,
    /// The program has closed its mailbox.
    Ended = -32006,
    /// The heap is damaged where a collection would find it too. Only looking at it found that, so it is not sealed.
    Damaged = -32007,
}

impl Code {
    /// The number in the protocol.
    #[must_use]
    pub fn number(self) -> i32 {
        self as i32
    }
}

/// An error.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// What kind.
    pub code: Code,
    /// What and where, for people.
    pub message: String,
    /// The same for programs, if there is more to say.
    pub data: Option<Value>,
}

impl Error {
    /// An error without data.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), data: None }
    }

    /// The same error with data.
    #[must_use]
    pub fn with(self, data: Value) -> Self {
        Self { data: Some(data), ..self }
    }

    /// The `error` member of a response.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let mut value = json!({ "code": self.code.number(), "message": self.message });
        if let Some(data) = &self.data {
            value["data"] = data.clone();
        }
        value
    }
}
