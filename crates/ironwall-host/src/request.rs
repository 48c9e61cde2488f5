//! From a line to a request, or to the error that says what is wrong with it.

use std::time::Duration;

use ironwall::{Block, Uuid};
use serde_json::{Map, Value};

use crate::call::{Call, Target};
use crate::error::{Code, Error};
use crate::{DEFAULT_DEADLINE, MAX_DEADLINE, MAX_REQUEST};

/// A request.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// What its answer is to carry: a string, a number or null. Without it the request is a notification, which is
    /// done like any other and not answered.
    pub id: Option<Value>,
    /// What is asked.
    pub call: Call,
    /// How long it waits for a host point.
    pub deadline: Duration,
}

/// A request that cannot be done, and whom to tell.
#[derive(Clone, Debug, PartialEq)]
pub struct BadRequest {
    /// The request's id, or null if it has none that can be told; `None` for a notification, which is not answered.
    pub id: Option<Value>,
    /// What is wrong.
    pub error: Error,
}

impl Request {
    /// Reads a line without its newline.
    ///
    /// Nesting is limited to 128 levels, and the line to [`MAX_REQUEST`] bytes.
    ///
    /// # Errors
    /// Says what is wrong, with the offset in the line if it is no JSON.
    pub fn parse(line: &[u8]) -> Result<Self, BadRequest> {
        let unknown = |error| BadRequest { id: Some(Value::Null), error };
        if line.len() > MAX_REQUEST {
            return Err(unknown(too_long()));
        }
        let value: Value = serde_json::from_slice(line).map_err(|error| {
            unknown(Error::new(Code::Parse, format!("no JSON at byte {}: {error}", offset(line, &error))))
        })?;
        let invalid = |message: &str| unknown(Error::new(Code::InvalidRequest, message));
        let mut members = match value {
            Value::Object(members) => members,
            Value::Array(_) => return Err(invalid("batches are not served; send one request to a line")),
            _ => return Err(invalid("a request is an object")),
        };
        let id = members.remove("id");
        if !matches!(id, None | Some(Value::Null | Value::String(_) | Value::Number(_))) {
            return Err(invalid("`id` is a string, a number or null"));
        }
        // From here on the id is known, so whoever sent a malformed request learns which it was.
        let answered = Some(id.clone().unwrap_or(Value::Null));
        let invalid =
            |message: &str| BadRequest { id: answered.clone(), error: Error::new(Code::InvalidRequest, message) };
        if members.remove("jsonrpc") != Some(Value::from("2.0")) {
            return Err(invalid("`jsonrpc` has to be \"2.0\""));
        }
        let Some(Value::String(method)) = members.remove("method") else {
            return Err(invalid("`method` has to be a string"));
        };
        let params = members.remove("params");
        if let Some(name) = members.keys().next() {
            return Err(invalid(&format!("a request has no member {name:?}")));
        }
        let params = match params {
            None => Map::new(),
            Some(Value::Object(params)) => params,
            Some(Value::Array(_)) => {
                return Err(BadRequest { id, error: bad("parameters are given by name, in an object") });
            }
            Some(_) => return Err(invalid("`params` has to be an object")),
        };
        match read_call(&method, params) {
            Ok((call, deadline)) => Ok(Self { id, call, deadline }),
            Err(error) => Err(BadRequest { id, error }),
        }
    }
}

/// The error for a line of more than [`MAX_REQUEST`] bytes.
#[must_use]
pub(crate) fn too_long() -> Error {
    Error::new(Code::InvalidRequest, format!("the request is longer than {MAX_REQUEST} bytes"))
}

fn bad(message: impl Into<String>) -> Error {
    Error::new(Code::BadParams, message)
}

/// Where in the line an error is. The line may contain no newline but at its end, so the column is nearly it.
fn offset(line: &[u8], error: &serde_json::Error) -> usize {
    let before = line.split_inclusive(|&byte| byte == b'\n').take(error.line().saturating_sub(1)).map(<[u8]>::len);
    before.sum::<usize>() + error.column().saturating_sub(1)
}

/// The method and its parameters; each is taken out, and one that is left over is unknown.
fn read_call(method: &str, mut params: Map<String, Value>) -> Result<(Call, Duration), Error> {
    let deadline = match take_number(&mut params, "deadline_ms")? {
        None => DEFAULT_DEADLINE,
        Some(ms) if ms == 0 || ms > MAX_DEADLINE.as_millis() as u64 => {
            return Err(bad(format!("`deadline_ms` is from 1 to {}", MAX_DEADLINE.as_millis())));
        }
        Some(ms) => Duration::from_millis(ms),
    };
    let call = match method {
        "gc.collect" => Call::Collect { reason: take_number(&mut params, "reason")?.unwrap_or(0) },
        "gc.report" => Call::Report { with_log: take_flag(&mut params, "log")? },
        "gc.tables" => {
            let from = take_number(&mut params, "from")?.unwrap_or(0);
            Call::Tables { from: usize::try_from(from).unwrap_or(usize::MAX) }
        }
        "gc.explain" => Call::Explain(read_target(&mut params)?),
        _ => {
            let shown: String = method.chars().take(64).collect();
            return Err(Error::new(Code::NoSuchMethod, format!("there is no method {shown:?}")));
        }
    };
    match params.keys().next() {
        None => Ok((call, deadline)),
        Some(name) => Err(bad(format!("`{method}` takes no {:?}", name.chars().take(64).collect::<String>()))),
    }
}

fn read_target(params: &mut Map<String, Value>) -> Result<Target, Error> {
    let block = params.remove("block");
    let (table, structure) = (take_uuid(params, "table")?, take_uuid(params, "structure")?);
    match (block, table, structure) {
        (Some(block), None, None) => {
            let contents = take_flag(params, "contents")?;
            let from = take_number(params, "from")?.unwrap_or(0);
            Ok(Target::Block { block: read_block(&block)?, contents, from })
        }
        (None, Some(table), Some(structure)) => Ok(Target::Structure { table, structure }),
        (None, None, None) => Ok(Target::Heap),
        _ => Err(bad("name a `block`, or a `table` with a `structure` of it, or neither")),
    }
}

/// A block's id: its address, as a hexadecimal string that begins with `0x`, or as a number.
fn read_block(value: &Value) -> Result<Block, Error> {
    let word = match value {
        Value::String(text) => {
            let digits = text.strip_prefix("0x").filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
            digits.and_then(|digits| u64::from_str_radix(digits, 16).ok())
        }
        value => value.as_u64(),
    };
    word.and_then(Block::from_word).ok_or_else(|| bad("`block` is an address that is not zero, such as \"0x1000\""))
}

fn take_number(params: &mut Map<String, Value>, name: &str) -> Result<Option<u64>, Error> {
    match params.remove(name) {
        None => Ok(None),
        Some(value) => {
            value.as_u64().map(Some).ok_or_else(|| bad(format!("`{name}` is a whole number from 0 to 2^64-1")))
        }
    }
}

fn take_flag(params: &mut Map<String, Value>, name: &str) -> Result<bool, Error> {
    match params.remove(name) {
        None => Ok(false),
        Some(Value::Bool(flag)) => Ok(flag),
        Some(_) => Err(bad(format!("`{name}` is true or false"))),
    }
}

fn take_uuid(params: &mut Map<String, Value>, name: &str) -> Result<Option<Uuid>, Error> {
    let Some(value) = params.remove(name) else { return Ok(None) };
    let uuid = value.as_str().and_then(read_uuid);
    uuid.map(Some).ok_or_else(|| bad(format!("`{name}` is a UUID with hyphens")))
}

/// A UUID as it is written: 32 hexadecimal digits in groups of 8, 4, 4, 4 and 12.
fn read_uuid(text: &str) -> Option<Uuid> {
    let lens = [8, 4, 4, 4, 12];
    let groups = text.split('-');
    let is_formed =
        groups.clone().map(str::len).eq(lens) && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit());
    let digits: String = groups.collect();
    let number = u128::from_str_radix(&digits, 16).ok().filter(|_| is_formed)?;
    Some(Uuid(number.to_be_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(line: &[u8]) -> (Code, Option<Value>) {
        let bad = Request::parse(line).expect_err("a bad request");
        (bad.error.code, bad.id)
    }

    #[test]
    fn each_kind_of_bad_line_has_its_code_and_its_id() {
        let null = Some(Value::Null);
        let cases: [(&[u8], Code, Option<Value>); 17] = [
            (b"", Code::Parse, null.clone()),
            (b"{", Code::Parse, null.clone()),
            (b"\xff\xfe", Code::Parse, null.clone()),
            (br#"{"jsonrpc":"2.0","id":1e999,"method":"gc.tables"}"#, Code::Parse, null.clone()),
            (b"[]", Code::InvalidRequest, null.clone()),
            (br#"[{"jsonrpc":"2.0","id":1,"method":"gc.tables"}]"#, Code::InvalidRequest, null.clone()),
            (b"7", Code::InvalidRequest, null.clone()),
            (br#"{"jsonrpc":"2.0","id":[],"method":"gc.tables"}"#, Code::InvalidRequest, null.clone()),
            (br#"{"jsonrpc":"1.0","id":1,"method":"gc.tables"}"#, Code::InvalidRequest, Some(1.into())),
            (br#"{"jsonrpc":"2.0","id":1,"method":7}"#, Code::InvalidRequest, Some(1.into())),
            (br#"{"jsonrpc":"2.0","method":7}"#, Code::InvalidRequest, null.clone()),
            (br#"{"jsonrpc":"2.0","id":1,"method":"gc.tables","x":0}"#, Code::InvalidRequest, Some(1.into())),
            (br#"{"jsonrpc":"2.0","id":"a","method":"gc.free"}"#, Code::NoSuchMethod, Some("a".into())),
            (br#"{"jsonrpc":"2.0","method":"gc.free"}"#, Code::NoSuchMethod, None),
            (br#"{"jsonrpc":"2.0","id":1,"method":"gc.collect","params":[7]}"#, Code::BadParams, Some(1.into())),
            (
                br#"{"jsonrpc":"2.0","id":1,"method":"gc.collect","params":{"reason":-1}}"#,
                Code::BadParams,
                Some(1.into()),
            ),
            (br#"{"jsonrpc":"2.0","id":1,"method":"gc.collect","params":{"why":1}}"#, Code::BadParams, Some(1.into())),
        ];
        for (line, expected, id) in cases {
            assert_eq!(code(line), (expected, id), "{}", String::from_utf8_lossy(line));
        }
    }

    #[test]
    fn deep_nesting_is_an_error_and_no_overflow() {
        let line = ["[".repeat(30_000), "]".repeat(30_000)].concat();
        assert_eq!(code(line.as_bytes()).0, Code::Parse);
        assert_eq!(code(&vec![b' '; MAX_REQUEST + 1]).0, Code::InvalidRequest);
    }

    #[test]
    fn deadlines_are_bounded() {
        let parse = |ms: &str| {
            let line = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"gc.collect","params":{{"deadline_ms":{ms}}}}}"#);
            Request::parse(line.as_bytes()).map(|request| request.deadline.as_millis()).map_err(|bad| bad.error.code)
        };
        assert_eq!(parse("1"), Ok(1));
        assert_eq!(parse("3600000"), Ok(3_600_000));
        for ms in ["0", "3600001", "1.5", "-1", "\"1\"", "null", "18446744073709551616"] {
            assert_eq!(parse(ms), Err(Code::BadParams), "{ms}");
        }
    }

    #[test]
    fn a_block_is_named_by_its_address() {
        let parse = |block: &str| {
            let line = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"gc.explain","params":{{"block":{block}}}}}"#);
            match Request::parse(line.as_bytes()) {
                Ok(Request { call: Call::Explain(Target::Block { block, .. }), .. }) => Some(block.address()),
                _ => None,
            }
        };
        assert_eq!(parse("\"0xfFfffFfffFfffff0\""), Some(0xffff_ffff_ffff_fff0));
        assert_eq!(parse("4096"), Some(4096));
        for block in ["\"\"", "\"0x\"", "\"0x0\"", "0", "\"0x+1\"", "\"4096\"", "\"0x10000000000000000\"", "{}", "-1"] {
            assert_eq!(parse(block), None, "{block}");
        }
    }

    #[test]
    fn uuids_are_read_as_they_are_written() {
        let uuid = Uuid::of_table(b"test", b"unit");
        assert_eq!(read_uuid(&ironwall_format::uuid_text(uuid)), Some(uuid));
        assert_eq!(read_uuid("00000000-0000-0000-0000-00000000000"), None);
        assert_eq!(read_uuid("000000000000-0000-0000-00000000000000"), None);
        assert_eq!(read_uuid("+0000000-0000-0000-0000-000000000000"), None);
    }
}
