//! The text side of a running machine: what it prints is collected, and a
//! script can wait for a text and type an answer.

use anyhow::{Result, bail};
use std::io::{Read, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What has arrived so far.
#[derive(Debug, Default)]
struct Arrived {
    bytes: Vec<u8>,
    ended: bool,
}

/// Collects a stream in the background and types into another.
pub(crate) struct Console {
    shared: Arc<(Mutex<Arrived>, Condvar)>,
    input: Box<dyn Write + Send>,
    /// Where the next search starts: after the last text that was found.
    position: usize,
}

impl std::fmt::Debug for Console {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Console").field("position", &self.position).finish_non_exhaustive()
    }
}

impl Console {
    pub(crate) fn new(mut output: impl Read + Send + 'static, input: impl Write + Send + 'static) -> Self {
        let shared = Arc::new((Mutex::new(Arrived::default()), Condvar::new()));
        let writer = Arc::clone(&shared);
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            loop {
                // A terminal whose other side is gone reports an error.
                let count = output.read(&mut buffer).unwrap_or(0);
                let mut arrived = writer.0.lock().unwrap_or_else(PoisonError::into_inner);
                arrived.bytes.extend_from_slice(&buffer[..count]);
                arrived.ended = count == 0;
                writer.1.notify_all();
                if arrived.ended {
                    return;
                }
            }
        });
        Self { shared, input: Box::new(input), position: 0 }
    }

    fn arrived(&self) -> MutexGuard<'_, Arrived> {
        self.shared.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything so far, without carriage returns.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.arrived().bytes).replace('\r', "")
    }

    /// Waits for the end of the output.
    pub(crate) fn wait_for_end(&self, limit: Duration) -> bool {
        let (lock, condition) = &*self.shared;
        let guard = lock.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = condition.wait_timeout_while(guard, limit, |arrived| !arrived.ended);
        waited.is_ok_and(|(arrived, _)| arrived.ended)
    }

    /// Types, as from a keyboard.
    pub(crate) fn send(&mut self, text: &str) -> Result<()> {
        self.input.write_all(text.as_bytes())?;
        Ok(self.input.flush()?)
    }

    /// Waits for `text` after everything that was found before, and returns
    /// what came between.
    ///
    /// # Errors
    /// The text does not come within `limit`, or the output ends.
    pub(crate) fn expect(&mut self, text: &str, limit: Duration) -> Result<String> {
        let deadline = Instant::now() + limit;
        let (lock, condition) = &*self.shared;
        let mut arrived = lock.lock().unwrap_or_else(PoisonError::into_inner);
        let mut searched = self.position;
        loop {
            let start = searched.min(arrived.bytes.len());
            let found = arrived.bytes[start..].windows(text.len()).position(|window| window == text.as_bytes());
            if let Some(offset) = found {
                let before = String::from_utf8_lossy(&arrived.bytes[self.position..start + offset]).into_owned();
                self.position = start + offset + text.len();
                return Ok(before);
            }
            searched = start.max((arrived.bytes.len() + 1).saturating_sub(text.len()));
            let left = deadline.saturating_duration_since(Instant::now());
            if arrived.ended || left.is_zero() {
                let why = if arrived.ended { "the output ended" } else { "it did not come in time" };
                let since =
                    String::from_utf8_lossy(&arrived.bytes[self.position.min(arrived.bytes.len())..]).into_owned();
                bail!("waiting for {text:?}: {why}; since the last match: {since:?}");
            }
            arrived = match condition.wait_timeout(arrived, left) {
                Ok((guard, _)) => guard,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    const SOON: Duration = Duration::from_secs(5);

    #[test]
    fn matches_are_found_in_order_and_only_once() {
        let mut console = Console::new(Cursor::new("one two one"), Vec::new());
        assert_eq!(console.expect("one", SOON).unwrap(), "");
        assert_eq!(console.expect("one", SOON).unwrap(), " two ");
        assert!(console.expect("one", SOON).is_err());
    }
}
