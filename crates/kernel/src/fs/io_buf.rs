//! [`IoBuf`]: where the bytes of a read go, or those of a write come from.

use alloc::vec::Vec;
use core::fmt;

use linux_abi::Errno;
use machine::{GuestAddr, PAGE_SIZE};

use crate::error::{Because, Result};
use crate::mm::Mm;

/// One range of user memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserRange {
    /// Where it starts.
    pub addr: GuestAddr,
    /// Its length in bytes.
    pub len: usize,
}

enum Place<'a> {
    One(&'a Mm, UserRange),
    Many(&'a Mm, &'a [UserRange]),
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
        Self::of(Place::One(mm, UserRange { addr, len }), len)
    }

    /// Several ranges of user memory, one after another.
    #[must_use]
    pub fn user_ranges(mm: &'a Mm, ranges: &'a [UserRange]) -> Self {
        let len = ranges.iter().fold(0_usize, |sum, range| sum.saturating_add(range.len));
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
            Target::User(mm, addr) => mm.write(addr, bytes.get(range).unwrap_or_default()),
            Target::Into(slice) => copy_between(slice, at, bytes.get(range).unwrap_or_default()),
            Target::From(_) => Err(Errno::EFAULT.because("a buffer to write from was given to a read")),
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
                Target::User(mm, addr) => mm.read(addr, out),
                Target::From(slice) => match slice.get(at..at.saturating_add(out.len())) {
                    Some(from) => copy_between(out, 0, from),
                    None => Err(Errno::EFAULT.into()),
                },
                Target::Into(_) => Err(Errno::EFAULT.because("a buffer to read into was given to a write")),
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

    /// Lets no more than `limit` further bytes through.
    pub fn limit(&mut self, limit: usize) {
        self.left = self.left.min(limit);
    }

    /// Runs `step` over `count` bytes in pieces that lie in one range and one
    /// page, so that a fault stops the count at a page.
    fn transfer(
        &mut self,
        count: usize,
        mut step: impl FnMut(Target<'_>, usize, core::ops::Range<usize>) -> Result<()>,
    ) -> Result<usize> {
        let mut moved = 0;
        while moved < count {
            let (target, room) = match &mut self.place {
                Place::Into(slice) => (Target::Into(slice), count - moved),
                Place::From(slice) => (Target::From(slice), count - moved),
                Place::One(mm, range) => user_target(mm, *range, self.at),
                Place::Many(mm, ranges) => match ranges.get(self.index) {
                    Some(range) if self.at < range.len => user_target(mm, *range, self.at),
                    Some(_) => {
                        (self.index, self.at) = (self.index + 1, 0);
                        continue;
                    }
                    None => break,
                },
            };
            let piece = room.min(count - moved);
            if let Err(error) = step(target, self.at, moved..moved + piece) {
                if moved == 0 {
                    return Err(error);
                }
                break;
            }
            self.at += piece;
            moved += piece;
        }
        self.left -= moved;
        self.done += moved;
        Ok(moved)
    }
}

enum Target<'a> {
    User(&'a Mm, GuestAddr),
    Into(&'a mut [u8]),
    From(&'a [u8]),
}

/// The address `at` bytes into a range, and how many bytes of the range there
/// are up to the end of that page.
fn user_target(mm: &Mm, range: UserRange, at: usize) -> (Target<'_>, usize) {
    let addr = range.addr.add(at as u64);
    let in_page = PAGE_SIZE - addr.0 % PAGE_SIZE;
    let room = usize::try_from(in_page).unwrap_or(usize::MAX).min(range.len.saturating_sub(at));
    (Target::User(mm, addr), room)
}

fn copy_between(to: &mut [u8], at: usize, from: &[u8]) -> Result<()> {
    let to = to.get_mut(at..at.saturating_add(from.len())).ok_or(Errno::EFAULT.because("past the buffer's end"))?;
    to.copy_from_slice(from);
    Ok(())
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
