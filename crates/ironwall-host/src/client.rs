//! The other end: asks a program, or whoever leads to one, over its socket.

use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::lines::{Line, Lines};

/// The longest answer in bytes.
const MAX_ANSWER: usize = 64 << 20;

/// A connection to a program.
#[derive(Debug)]
pub struct Client {
    lines: Lines<UnixStream>,
    sequence: u64,
}

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody is there.
    #[error("cannot reach {}: {source}", path.display())]
    Unreachable {
        /// The socket.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Broken(io::Error),
    /// The program went before it answered.
    #[error("the program closed the connection without an answer")]
    Closed,
    /// There was no answer in time, not even that the deadline has passed.
    #[error("no answer came in {} s", .0.as_secs())]
    Silent(Duration),
    /// What came is no answer to the request.
    #[error("the answer makes no sense: {0}")]
    Bad(String),
    /// The program answered with an error.
    #[error("{message}")]
    Told {
        /// Its number, as in [`crate::Code`].
        code: i64,
        /// What it says.
        message: String,
        /// What else it says.
        data: Option<Value>,
    },
}

impl Client {
    /// Connects to a socket.
    ///
    /// # Errors
    /// [`ClientError::Unreachable`].
    pub fn connect(path: &Path) -> Result<Self, ClientError> {
        let stream =
            UnixStream::connect(path).map_err(|source| ClientError::Unreachable { path: path.to_owned(), source })?;
        Ok(Self::over(stream))
    }

    /// A client over a stream that is connected already.
    #[must_use]
    pub fn over(stream: UnixStream) -> Self {
        Self { lines: Lines::new(stream, MAX_ANSWER), sequence: 0 }
    }

    /// Asks and waits for the result, for at most `patience`.
    ///
    /// # Errors
    /// [`ClientError`]; after any but [`ClientError::Told`] the connection is of no use.
    pub fn request(
        &mut self,
        method: &str,
        params: Map<String, Value>,
        patience: Duration,
    ) -> Result<Value, ClientError> {
        self.sequence += 1;
        let request = json!({ "jsonrpc": "2.0", "id": self.sequence, "method": method, "params": params });
        let mut stream = self.lines.get_ref();
        stream.set_read_timeout(Some(patience)).map_err(ClientError::Broken)?;
        // Whoever closed the connection may have said why before.
        let written = stream.write_all(format!("{request}\n").as_bytes());
        let line = match self.lines.next_line() {
            Ok(Line::Whole(line)) => line,
            Ok(Line::TooLong) => return Err(ClientError::Bad(format!("it is longer than {MAX_ANSWER} bytes"))),
            Ok(Line::End) => return Err(written.map_or_else(ClientError::Broken, |()| ClientError::Closed)),
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                return Err(ClientError::Silent(patience));
            }
            Err(error) => return Err(ClientError::Broken(error)),
        };
        self.read_answer(&line)
    }

    fn read_answer(&self, line: &[u8]) -> Result<Value, ClientError> {
        let bad = |what: &str| ClientError::Bad(what.to_owned());
        let mut answer: Map<String, Value> =
            serde_json::from_slice(line).map_err(|error| ClientError::Bad(error.to_string()))?;
        if answer.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
            return Err(bad("it is not JSON-RPC 2.0"));
        }
        let id = answer.remove("id").unwrap_or(Value::Null);
        // An error without an id is about the connection.
        let is_ours = id.as_u64() == Some(self.sequence) || id.is_null() && answer.contains_key("error");
        if !is_ours {
            return Err(bad("it answers another request"));
        }
        match (answer.remove("result"), answer.remove("error")) {
            (Some(result), None) => Ok(result),
            (None, Some(Value::Object(mut error))) => {
                let code = error.get("code").and_then(Value::as_i64).ok_or_else(|| bad("its error has no code"))?;
                let message =
                    error.get("message").and_then(Value::as_str).ok_or_else(|| bad("its error has no message"))?;
                let message = message.to_owned();
                Err(ClientError::Told { code, message, data: error.remove("data") })
            }
            _ => Err(bad("it has neither a result nor an error, or both")),
        }
    }
}
