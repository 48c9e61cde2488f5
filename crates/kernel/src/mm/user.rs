//! Copies between the kernel and user memory.
//!
//! Bytes are copied by value, page by page, through the page table; pages that
//! are missing are brought in as a fault would. The lock of the address space
//! is held for reading meanwhile, so that no frame is freed or changes hands
//! during the copy.

use alloc::vec::Vec;

use linux_abi::{Errno, Wire};
use machine::{Access, Frame, GuestAddr, PAGE_SIZE, Prot, page_floor};

use crate::error::{Because, Result};
use crate::mm::fault::Refusal;
use crate::mm::{Mm, PAGE_BYTES};

/// The most `iovec`s that one call takes (`UIO_MAXIOV`).
const UIO_MAXIOV: usize = 1024;
/// The most bytes that one call transfers (`MAX_RW_COUNT`).
const MAX_RW_COUNT: u64 = 0x7fff_f000;

/// One piece of a scattered buffer (`struct iovec`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IoVec {
    /// Where it starts.
    pub base: GuestAddr,
    /// Bytes.
    pub len: u64,
}

impl Mm {
    /// Reads `buf.len()` bytes at `addr`.
    ///
    /// # Errors
    /// `EFAULT` at the first unreadable page; the bytes before it are copied.
    /// `ENOMEM` if memory has run out.
    pub fn read(&self, addr: GuestAddr, buf: &mut [u8]) -> Result<()> {
        self.read_some(addr, buf).1
    }

    /// As [`Mm::read`], and tells how many bytes were copied.
    ///
    /// # Errors
    /// In the second part, as [`Mm::read`].
    pub fn read_some(&self, addr: GuestAddr, buf: &mut [u8]) -> (usize, Result<()>) {
        let pool = self.frames.pool();
        let len = buf.len();
        self.each_page(addr, len, Access::Read, |frame, offset, done, n| {
            pool.read(frame, offset, &mut buf[done..done + n]);
        })
    }

    /// Writes `bytes` at `addr`.
    ///
    /// # Errors
    /// `EFAULT` at the first unwritable page; the bytes before it are copied.
    /// `ENOMEM` if memory has run out.
    pub fn write(&self, addr: GuestAddr, bytes: &[u8]) -> Result<()> {
        self.write_some(addr, bytes).1
    }

    /// As [`Mm::write`], and tells how many bytes were copied.
    ///
    /// # Errors
    /// In the second part, as [`Mm::write`].
    pub fn write_some(&self, addr: GuestAddr, bytes: &[u8]) -> (usize, Result<()>) {
        let pool = self.frames.pool();
        self.each_page(addr, bytes.len(), Access::Write, |frame, offset, done, n| {
            pool.write(frame, offset, &bytes[done..done + n]);
        })
    }

    /// Writes `len` zero bytes at `addr`.
    ///
    /// # Errors
    /// As [`Mm::write`].
    pub fn zero(&self, addr: GuestAddr, len: usize) -> Result<()> {
        const ZEROS: [u8; PAGE_BYTES] = [0; PAGE_BYTES];
        let pool = self.frames.pool();
        self.each_page(addr, len, Access::Write, |frame, offset, _, n| pool.write(frame, offset, &ZEROS[..n])).1
    }

    /// Calls `copy(frame, offset in it, bytes done, bytes here)` for each page
    /// that the range touches.
    fn each_page(
        &self,
        addr: GuestAddr,
        len: usize,
        access: Access,
        mut copy: impl FnMut(Frame, usize, usize, usize),
    ) -> (usize, Result<()>) {
        let start = self.buffer_address(addr);
        let needed = if access == Access::Write { Prot::WRITE } else { Prot::READ };
        let mut done = 0;
        while done < len {
            let guard = self.space.read();
            // All that is present is copied under one hold of the lock.
            while done < len {
                let at = start.wrapping_add(done as u64);
                let page = page_floor(at);
                if page >= machine::ADDRESS_LIMIT {
                    return (done, Err(Refusal::Unmapped.error()));
                }
                let Some(mapping) = self.table.translate(page).filter(|m| m.prot.contains(needed)) else { break };
                let offset = (at - page) as usize;
                let n = (PAGE_BYTES - offset).min(len - done);
                copy(mapping.frame, offset, done, n);
                done += n;
            }
            drop(guard);
            if done < len
                && let Err(refusal) = self.make_present(start.wrapping_add(done as u64), access)
            {
                return (done, Err(refusal.error()));
            }
        }
        (done, Ok(()))
    }

    /// The 32-bit word at `addr`.
    ///
    /// # Errors
    /// As [`Mm::read`].
    pub fn read_u32(&self, addr: GuestAddr) -> Result<u32> {
        self.read_abi(addr)
    }

    /// The 64-bit word at `addr`.
    ///
    /// # Errors
    /// As [`Mm::read`].
    pub fn read_u64(&self, addr: GuestAddr) -> Result<u64> {
        self.read_abi(addr)
    }

    /// Stores a 32-bit word.
    ///
    /// # Errors
    /// As [`Mm::write`].
    pub fn write_u32(&self, addr: GuestAddr, value: u32) -> Result<()> {
        self.write(addr, &value.to_le_bytes())
    }

    /// Stores a 64-bit word.
    ///
    /// # Errors
    /// As [`Mm::write`].
    pub fn write_u64(&self, addr: GuestAddr, value: u64) -> Result<()> {
        self.write(addr, &value.to_le_bytes())
    }

    /// Reads a value of the user ABI.
    ///
    /// # Errors
    /// As [`Mm::read`].
    pub fn read_abi<T: Wire>(&self, addr: GuestAddr) -> Result<T> {
        with_buffer(T::SIZE, |bytes| {
            self.read(addr, bytes)?;
            Ok(T::load(bytes))
        })
    }

    /// Stores a value of the user ABI.
    ///
    /// # Errors
    /// As [`Mm::write`].
    pub fn write_abi<T: Wire>(&self, addr: GuestAddr, value: &T) -> Result<()> {
        with_buffer(T::SIZE, |bytes| {
            value.store(bytes);
            self.write(addr, bytes)
        })
    }

    /// Reads `len` bytes. The buffer grows with what can be read, so that a
    /// wild length costs no memory.
    ///
    /// # Errors
    /// As [`Mm::read`].
    pub fn read_vec(&self, addr: GuestAddr, len: usize) -> Result<Vec<u8>> {
        const STEP: usize = 64 * 1024;
        let mut bytes = Vec::new();
        while bytes.len() < len {
            let done = bytes.len();
            bytes.resize(done + STEP.min(len - done), 0);
            self.read(addr.add(done as u64), &mut bytes[done..])?;
        }
        Ok(bytes)
    }

    /// Reads the bytes up to a NUL, which must be among the first `limit`.
    ///
    /// # Errors
    /// `EFAULT`, or `ENAMETOOLONG` if there is no NUL within the limit.
    pub fn read_cstr(&self, addr: GuestAddr, limit: usize) -> Result<Vec<u8>> {
        let mut text = Vec::new();
        let mut chunk = [0; 256];
        while text.len() < limit {
            let at = addr.add(text.len() as u64);
            // Up to the end of the page: what follows the NUL may be unmapped.
            let to_page_end = (PAGE_SIZE - at.0 % PAGE_SIZE) as usize;
            let n = chunk.len().min(to_page_end).min(limit - text.len());
            self.read(at, &mut chunk[..n])?;
            if let Some(end) = chunk[..n].iter().position(|byte| *byte == 0) {
                text.extend_from_slice(&chunk[..end]);
                return Ok(text);
            }
            text.extend_from_slice(&chunk[..n]);
        }
        Err(Errno::ENAMETOOLONG.because("the string is too long"))
    }

    /// Reads an array of `count` `struct iovec`. Their total is cut to what one
    /// call may transfer.
    ///
    /// # Errors
    /// `EINVAL` for more than 1024 or a negative length, `EFAULT`.
    pub fn read_iovecs(&self, addr: GuestAddr, count: usize) -> Result<Vec<IoVec>> {
        if count > UIO_MAXIOV {
            return Err(Errno::EINVAL.because("more than 1024 buffers"));
        }
        let bytes = self.read_vec(addr, count * 16)?;
        let mut room = MAX_RW_COUNT;
        let mut iovecs = Vec::with_capacity(count);
        for pair in bytes.chunks_exact(16) {
            let (base, len) = (u64::load(&pair[..8]), u64::load(&pair[8..]));
            if i64::try_from(len).is_err() {
                return Err(Errno::EINVAL.because("a buffer's length is negative"));
            }
            let len = len.min(room);
            room -= len;
            iovecs.push(IoVec { base: GuestAddr(base), len });
        }
        Ok(iovecs)
    }

    /// Atomically reads the 32-bit word at `addr`.
    ///
    /// # Errors
    /// `EINVAL` if it is not aligned, else as [`Mm::read`].
    pub fn load_u32(&self, addr: GuestAddr) -> Result<u32> {
        self.with_word(addr, Access::Read, |frame, offset| self.frames.pool().load_u32(frame, offset))
    }

    /// Atomically replaces the 32-bit word at `addr` by `new` if it is `old`.
    /// Gives what was there: the exchange took place if that is `old`.
    ///
    /// # Errors
    /// `EINVAL` if it is not aligned, else as [`Mm::write`].
    pub fn compare_exchange_u32(&self, addr: GuestAddr, old: u32, new: u32) -> Result<u32> {
        self.with_word(addr, Access::Write, |frame, offset| {
            match self.frames.pool().compare_exchange_u32(frame, offset, old, new) {
                Ok(before) | Err(before) => before,
            }
        })
    }

    fn with_word(&self, addr: GuestAddr, access: Access, act: impl Fn(Frame, usize) -> u32) -> Result<u32> {
        if !addr.0.is_multiple_of(4) {
            return Err(Errno::EINVAL.because("the word is not aligned"));
        }
        let mut value = 0;
        self.each_page(addr, 4, access, |frame, offset, _, _| value = act(frame, offset)).1?;
        Ok(value)
    }
}

/// Calls `act` with a zeroed buffer of `size` bytes, on the stack if small.
fn with_buffer<T>(size: usize, act: impl FnOnce(&mut [u8]) -> Result<T>) -> Result<T> {
    let mut small = [0; 256];
    match small.get_mut(..size) {
        Some(bytes) => act(bytes),
        None => act(&mut alloc::vec![0; size]),
    }
}
