//! One address space.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use linux_abi::Errno;
use machine::{GuestAddr, PageTable};

use crate::error::Result;

/// An address space, shared by the tasks that were made with `CLONE_VM`.
pub struct Mm {
    table: Arc<dyn PageTable>,
}

impl fmt::Debug for Mm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mm")
    }
}

impl Mm {
    /// The machine's page table.
    #[must_use]
    pub fn table(&self) -> &Arc<dyn PageTable> {
        &self.table
    }

    /// Reads the bytes up to a NUL, at most `limit` of them.
    ///
    /// # Errors
    /// `EFAULT`, or `ENAMETOOLONG` if there is no NUL within the limit.
    pub fn read_cstr(&self, _addr: GuestAddr, _limit: usize) -> Result<Vec<u8>> {
        Err(Errno::EFAULT.into())
    }

    /// Copies user memory into `buf`.
    ///
    /// # Errors
    /// `EFAULT`.
    pub fn read(&self, _addr: GuestAddr, _buf: &mut [u8]) -> Result<()> {
        Err(Errno::EFAULT.into())
    }

    /// Copies `bytes` into user memory.
    ///
    /// # Errors
    /// `EFAULT`.
    pub fn write(&self, _addr: GuestAddr, _bytes: &[u8]) -> Result<()> {
        Err(Errno::EFAULT.into())
    }
}
