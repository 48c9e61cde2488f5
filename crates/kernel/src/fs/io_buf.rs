//! [`IoBuf`]: where the bytes of a read go, or those of a write come from.

use alloc::vec::Vec;
use core::fmt;

use linux_abi::Errno;
use machine::GuestAddr;

use crate::error::{Because, Result};
use crate::mm::{IoVec, Mm};

enum Place<'a> {
    One(&'a Mm, IoVec),
    Many(&'a Mm, &'a [IoVec]),
    Into(&'a mut [u8]),
    From(&'a [u8]),
}

/// The memory of a read or write: one or more ranges of user memory, or a
/// slice of the kernel's. It remembers how much has been used.
///
/// A read puts bytes with [`IoBuf::put`], a write takes them with
/// [`IoBuf::take`]. Both may be called any number of times.
pub struct IoBuf<'a> {
    place: Place<'a>,
    /// In which of many ranges the next byte lies.
    index: usize,
    /// Where in that range, or in the slice.
    at: usize,
    left: usize,
    done: usize,
}

impl fmt::Debug for IoBuf<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IoBuf({} done, {} left)", self.done, self.left)
    }
}

impl<'a> IoBuf<'a> {
    fn of(place: Place<'a>, left: usize) -> Self {
        Self { place, index: 0, at: 0, left, done: 0 }
    }

    /// One range of user memory.
    #[must_use]
    pub fn user(mm: &'a Mm, addr: GuestAddr, len: usize) -> Self {
        Self::of(Place::One(mm, IoVec { base: addr, len: len as u64 }), len)
    }

    /// Several ranges of user memory, one after another.
    #[must_use]
    pub fn user_ranges(mm: &'a Mm, ranges: &'a [IoVec]) -> Self {
        let len = ranges.iter().fold(0_usize, |sum, range| sum.saturating_add(length(*range)));
        Self::of(Place::Many(mm, ranges), len)
    }

    /// A slice that a read fills.
    #[must_use]
    pub fn into_slice(slice: &'a mut [u8]) -> Self {
        let len = slice.len();
        Self::of(Place::Into(slice), len)
    }

    /// A slice whose bytes are written.
    #[must_use]
    pub fn from_slice(slice: &'a [u8]) -> Self {
        Self::of(Place::From(slice), slice.len())
    }

    /// Bytes that still fit, or are still to come.
    #[must_use]
    pub fn left(&self) -> usize {
        self.left
    }

    /// Bytes that have been put or taken.
    #[must_use]
    pub fn done(&self) -> usize {
        self.done
    }

    /// True if nothing more fits, or comes.
    #[must_use]
    pub fn is_at_end(&self) -> bool {
        self.left == 0
    }

    /// Puts as many of `bytes` as fit and returns how many those were.
    ///
    /// # Errors
    /// `EFAULT` if the memory cannot be written at the first byte; a fault
    /// further on makes the count smaller.
    pub fn put(&mut self, bytes: &[u8]) -> Result<usize> {
        let count = bytes.len().min(self.left);
        self.transfer(count, |place, at, range| match place {
            Target::User(mm, addr) => mm.write_some(addr, bytes.get(range).unwrap_or_default()),
            Target::Into(slice) => copy_between(slice, at, bytes.get(range).unwrap_or_default()),
            Target::From(_) => (0, Err(Errno::EFAULT.because("a buffer to write from was given to a read"))),
        })
    }

    /// Takes up to `out.len()` bytes and returns how many there were.
    ///
    /// # Errors
    /// `EFAULT` if the memory cannot be read at the first byte; a fault
    /// further on makes the count smaller.
    pub fn take(&mut self, out: &mut [u8]) -> Result<usize> {
        let count = out.len().min(self.left);
        self.transfer(count, |place, at, range| {
            let out = out.get_mut(range).unwrap_or_default();
            match place {
                Target::User(mm, addr) => mm.read_some(addr, out),
                Target::From(slice) => match slice.get(at..at.saturating_add(out.len())) {
                    Some(from) => copy_between(out, 0, from),
                    None => (0, Err(Errno::EFAULT.into())),
                },
                Target::Into(_) => (0, Err(Errno::EFAULT.because("a buffer to read into was given to a write"))),
            }
        })
    }

    /// Puts `count` zero bytes, or as many as fit.
    ///
    /// # Errors
    /// As [`IoBuf::put`].
    pub fn put_zeros(&mut self, count: usize) -> Result<usize> {
        const ZEROS: [u8; 4096] = [0; 4096];
        let (mut left, mut total) = (count.min(self.left), 0);
        while left > 0 {
            let step = left.min(ZEROS.len());
            match self.put(&ZEROS[..step]) {
                Ok(0) => break,
                Ok(n) => (left, total) = (left - n, total + n),
                Err(error) if total == 0 => return Err(error),
                Err(_) => break,
            }
        }
        Ok(total)
    }

    /// Takes everything that is left.
    ///
    /// # Errors
    /// `EFAULT` if any of it cannot be read, `ENOMEM` if it is too much.
    pub fn take_all(&mut self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(self.left).map_err(|_| Errno::ENOMEM.because("the write is too large"))?;
        bytes.resize(self.left, 0);
        let wanted = bytes.len();
        if self.take(&mut bytes)? < wanted {
            return Err(Errno::EFAULT.because("part of the buffer is not readable"));
        }
        Ok(bytes)
    }

    /// Passes over the next `count` bytes.
    pub fn skip(&mut self, count: usize) {
        let mut left = count.min(self.left);
        self.left -= left;
        self.done += left;
        if let Place::Many(_, ranges) = &self.place {
            while let Some(range) = ranges.get(self.index) {
                let here = length(*range).saturating_sub(self.at);
                if left < here {
                    break;
                }
                left -= here;
                (self.index, self.at) = (self.index + 1, 0);
            }
        }
        self.at += left;
    }

    /// Lets no more than `limit` further bytes through.
    pub fn limit(&mut self, limit: usize) {
        self.left = self.left.min(limit);
    }

    /// Runs `step` over `count` bytes in pieces that lie in one range. It
    /// tells how much of the piece it has moved.
    fn transfer(
        &mut self,
        count: usize,
        mut step: impl FnMut(Target<'_>, usize, core::ops::Range<usize>) -> (usize, Result<()>),
    ) -> Result<usize> {
        let mut moved = 0;
        while moved < count {
            let (target, room) = match &mut self.place {
                Place::Into(slice) => (Target::Into(slice), count),
                Place::From(slice) => (Target::From(slice), count),
                Place::One(mm, range) => user_target(mm, *range, self.at),
                Place::Many(mm, ranges) => match ranges.get(self.index) {
                    Some(range) if self.at < length(*range) => user_target(mm, *range, self.at),
                    Some(_) => {
                        (self.index, self.at) = (self.index + 1, 0);
                        continue;
                    }
                    None => break,
                },
            };
            let piece = room.min(count - moved);
            let (done, result) = step(target, self.at, moved..moved + piece);
            self.at += done;
            moved += done;
            match result {
                Ok(()) => {}
                Err(error) if moved == 0 => return Err(error),
                Err(_) => break,
            }
        }
        self.left -= moved;
        self.done += moved;
        Ok(moved)
    }
}

fn length(range: IoVec) -> usize {
    usize::try_from(range.len).unwrap_or(usize::MAX)
}

enum Target<'a> {
    User(&'a Mm, GuestAddr),
    Into(&'a mut [u8]),
    From(&'a [u8]),
}

/// The address `at` bytes into a range, and how many bytes of the range there
/// are from there on.
fn user_target(mm: &Mm, range: IoVec, at: usize) -> (Target<'_>, usize) {
    (Target::User(mm, range.base.add(at as u64)), length(range).saturating_sub(at))
}

fn copy_between(to: &mut [u8], at: usize, from: &[u8]) -> (usize, Result<()>) {
    match to.get_mut(at..at.saturating_add(from.len())) {
        Some(to) => {
            to.copy_from_slice(from);
            (from.len(), Ok(()))
        }
        None => (0, Err(Errno::EFAULT.because("past the buffer's end"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn put_stops_at_the_end_of_the_slice() {
        let mut memory = [0; 5];
        let mut buf = IoBuf::into_slice(&mut memory);
        assert_eq!(buf.put(b"abc"), Ok(3));
        assert_eq!(buf.put(b"def"), Ok(2));
        assert_eq!((buf.put(b"g"), buf.done()), (Ok(0), 5));
        assert_eq!(&memory, b"abcde");
    }

    #[test]
    fn take_gives_what_is_left() {
        let mut buf = IoBuf::from_slice(b"hello");
        let mut out = [0; 3];
        assert_eq!(buf.take(&mut out), Ok(3));
        assert_eq!((&out, buf.left()), (b"hel", 2));
        assert_eq!(buf.take_all().as_deref(), Ok(&b"lo"[..]));
    }

    #[test]
    fn a_buffer_works_one_way_only() {
        assert!(IoBuf::from_slice(b"x").put(b"y").is_err());
        assert!(IoBuf::into_slice(&mut [0]).take(&mut [0]).is_err());
    }
}
