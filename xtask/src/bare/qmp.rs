//! The part of QEMU's machine protocol that the harness uses: commands with
//! their answers, and the events that say why a machine stopped.

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// QEMU answers within this, or it hangs.
const PATIENCE: Duration = Duration::from_secs(20);

/// A connection to one QEMU.
#[derive(Debug)]
pub(crate) struct Qmp {
    stream: UnixStream,
    answers: Receiver<Value>,
    /// The reasons of the `SHUTDOWN` events so far.
    shutdowns: Arc<Mutex<Vec<String>>>,
    reader: Option<std::thread::JoinHandle<()>>,
}

impl Qmp {
    /// Takes over a stream that QEMU has just connected and agrees on capabilities.
    pub(crate) fn new(stream: UnixStream) -> Result<Self> {
        stream.set_read_timeout(None)?;
        let (sender, answers) = channel();
        let shutdowns = Arc::new(Mutex::new(Vec::new()));
        let (input, reasons) = (BufReader::new(stream.try_clone()?), Arc::clone(&shutdowns));
        let reader = Some(std::thread::spawn(move || read(input, &sender, &reasons)));
        let mut qmp = Self { stream, answers, shutdowns, reader };
        qmp.command("qmp_capabilities", &json!({}))?;
        Ok(qmp)
    }

    /// Runs a command and returns its answer.
    pub(crate) fn command(&mut self, name: &str, arguments: &Value) -> Result<Value> {
        let line = json!({ "execute": name, "arguments": arguments });
        self.stream.write_all(format!("{line}\n").as_bytes()).with_context(|| format!("QMP {name}"))?;
        let answer = self.answers.recv_timeout(PATIENCE).with_context(|| format!("QMP {name}: no answer"))?;
        match (answer.get("return"), answer.get("error")) {
            (Some(value), _) => Ok(value.clone()),
            (None, error) => bail!("QMP {name}: {}", error.unwrap_or(&Value::Null)),
        }
    }

    /// The reasons of all `SHUTDOWN` events, once QEMU has closed the connection.
    pub(crate) fn shutdown_reasons(&mut self) -> Vec<String> {
        if let Some(reader) = self.reader.take() {
            // The thread ends with the connection, which ended with QEMU.
            let _ = reader.join();
        }
        self.shutdowns.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Sorts what arrives into answers and events until the connection ends.
fn read(input: BufReader<UnixStream>, answers: &Sender<Value>, shutdowns: &Mutex<Vec<String>>) {
    for line in input.lines() {
        let Ok(line) = line else { return };
        let Ok(value) = serde_json::from_str::<Value>(&line) else { continue };
        if value.get("return").is_some() || value.get("error").is_some() {
            // Nobody waits any more if this fails.
            let _ = answers.send(value);
        } else if value.get("event").and_then(Value::as_str) == Some("SHUTDOWN") {
            let reason = value.pointer("/data/reason").and_then(Value::as_str).unwrap_or("unknown");
            shutdowns.lock().unwrap_or_else(PoisonError::into_inner).push(reason.to_owned());
        }
    }
}
