//! Lines of bounded length out of a stream, whoever fills it and however slowly.

use std::io::{self, Read};

/// What the stream gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// A line without its newline; also what follows the last newline.
    Whole(Vec<u8>),
    /// More bytes than a line may have, without a newline. Nothing after them can be read.
    TooLong,
    /// The end of the stream.
    End,
}

/// Reads lines of at most `max` bytes; it never holds more than that and one piece.
#[derive(Debug)]
pub struct Lines<R> {
    input: R,
    max: usize,
    buffer: Vec<u8>,
    /// How much of the buffer has been searched.
    searched: usize,
    is_over: bool,
}

impl<R: Read> Lines<R> {
    /// Lines of `input`.
    #[must_use]
    pub fn new(input: R, max: usize) -> Self {
        Self { input, max, buffer: Vec::new(), searched: 0, is_over: false }
    }

    /// The stream, for writing to the other side.
    pub fn get_ref(&self) -> &R {
        &self.input
    }

    /// The next line; waits for it.
    ///
    /// # Errors
    /// Those of the stream.
    pub fn next_line(&mut self) -> io::Result<Line> {
        loop {
            if let Some(at) = self.buffer[self.searched..].iter().position(|&byte| byte == b'\n') {
                let rest = self.buffer.split_off(self.searched + at + 1);
                let mut line = std::mem::replace(&mut self.buffer, rest);
                self.searched = 0;
                line.pop();
                return Ok(if line.len() > self.max { self.give_up() } else { Line::Whole(line) });
            }
            self.searched = self.buffer.len();
            if self.searched > self.max {
                return Ok(self.give_up());
            }
            if self.is_over {
                self.searched = 0;
                let last = std::mem::take(&mut self.buffer);
                return Ok(if last.is_empty() { Line::End } else { Line::Whole(last) });
            }
            let mut piece = [0; 4096];
            match self.input.read(&mut piece) {
                Ok(0) => self.is_over = true,
                Ok(count) => self.buffer.extend_from_slice(&piece[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Whatever has been read beyond the last line.
    #[must_use]
    pub fn into_parts(self) -> (R, Vec<u8>) {
        (self.input, self.buffer)
    }

    fn give_up(&mut self) -> Line {
        self.buffer = Vec::new();
        self.searched = 0;
        self.is_over = true;
        Line::TooLong
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives one byte at a time.
    struct Slow<'a>(&'a [u8]);

    impl Read for Slow<'_> {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            let Some((first, rest)) = self.0.split_first() else { return Ok(0) };
            buf[0] = *first;
            self.0 = rest;
            Ok(1)
        }
    }

    fn all(mut lines: Lines<impl Read>) -> Vec<Line> {
        let mut all = Vec::new();
        loop {
            let line = lines.next_line().expect("a line");
            all.push(line.clone());
            if line == Line::End {
                return all;
            }
        }
    }

    #[test]
    fn lines_end_at_newlines_and_at_the_end() {
        let whole = |text: &str| Line::Whole(text.into());
        let expected = [whole("ab"), whole(""), whole("c"), Line::End];
        assert_eq!(all(Lines::new(&b"ab\n\nc"[..], 2)), expected);
        assert_eq!(all(Lines::new(Slow(b"ab\n\nc"), 2)), expected);
    }

    #[test]
    fn a_line_without_end_is_given_up() {
        let expected = [Line::TooLong, Line::End];
        assert_eq!(all(Lines::new(&b"abc\nd"[..], 2))[..2], expected);
        assert_eq!(all(Lines::new(Slow(b"abc"), 2)), expected);
        let mut endless = Lines::new(io::repeat(b'x'), 1 << 16);
        assert_eq!(endless.next_line().expect("a line"), Line::TooLong);
    }
}
