//! What a futex is: a place in memory, whatever address shows it.

use linux_abi::Errno;
use machine::{Access, GuestAddr, page_floor};

use crate::error::{Because, Result};
use crate::mm::Mm;
use crate::mm::fault::Refusal;

/// The identity of a futex.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FutexKey {
    /// A word of one address space.
    Private {
        /// [`Mm::id`].
        mm: u64,
        /// The untagged address.
        addr: u64,
    },
    /// A word of a memory object, wherever it is mapped.
    Shared {
        /// [`crate::mm::Object::id`].
        object: u64,
        /// The offset in bytes.
        offset: u64,
    },
}

impl Mm {
    /// The futex at `addr`. With `shared` unset (`FUTEX_PRIVATE_FLAG`) it is
    /// this address space's alone.
    ///
    /// # Errors
    /// `EINVAL` if the address is not a multiple of 4, `EFAULT` if it can hold
    /// no futex.
    pub fn futex_key(&self, addr: GuestAddr, shared: bool) -> Result<FutexKey> {
        let at = self.buffer_address(addr);
        if !at.is_multiple_of(4) {
            return Err(Errno::EINVAL.because("a futex is a word, which this address does not hold"));
        }
        if at >= machine::ADDRESS_LIMIT {
            return Err(Refusal::Unmapped.error());
        }
        let private = FutexKey::Private { mm: self.id(), addr: at };
        if !shared {
            return Ok(private);
        }
        self.make_present(at, Access::Read).map_err(Refusal::error)?;
        let space = self.space.read();
        let vma = space.vmas.find(page_floor(at)).ok_or(Refusal::Unmapped.error())?;
        Ok(match &vma.object {
            Some(object) if vma.is_shared() => {
                FutexKey::Shared { object: object.id(), offset: vma.offset + (at - vma.range.start) }
            }
            _ => private,
        })
    }
}
