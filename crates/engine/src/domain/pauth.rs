//! What instructions do with the keys of pointer authentication.

use machine::{Exit, pauth_key};

use crate::domain::direct::Direct;
use crate::domain::memory::Mode;
use crate::domain::{Stop, Values};
use crate::pauth::{Codes, PAC_FIELD, generic_code, strip};

/// Signing and authenticating. `KEY` is a number of [`machine::pauth_key`].
pub trait PointerDomain: Values {
    /// The pointer with its code (`AddPAC`); as it is, if the key is disabled.
    ///
    /// # Errors
    /// When the instruction must be tried another way.
    fn sign<const KEY: u8>(&mut self, pointer: Self::X, modifier: Self::X) -> Result<Self::X, Stop>;
    /// The pointer without its code, if the code is right (`Auth`); as it is,
    /// if the key is disabled.
    ///
    /// # Errors
    /// When the code is wrong, or the instruction must be tried another way.
    fn authenticate<const KEY: u8>(&mut self, pointer: Self::X, modifier: Self::X) -> Result<Self::X, Stop>;
    /// The pointer without its code, right or wrong (`Strip`).
    fn strip(&self, pointer: Self::X) -> Self::X;
    /// The code of two values, in the upper half (`PACGA`).
    fn generic_code(&self, value: Self::X, modifier: Self::X) -> Self::X;
}

impl<M: Mode> Direct<M> {
    #[inline(always)]
    fn is_enabled<const KEY: u8>(&self) -> bool {
        // SAFETY: `new` vouches for `ctx`.
        unsafe { (*self.ctx).pauth.enabled & 1 << KEY != 0 }
    }

    /// The code of a pointer, in place.
    #[inline(always)]
    fn code<const KEY: u8>(&mut self, pointer: u64, modifier: u64) -> Result<u64, Stop> {
        // SAFETY: `new` vouches for the pointers, and this is the CPU's thread.
        unsafe {
            let codes = &raw mut (*(*self.cpu).local()).codes;
            if M::IS_FAST {
                return Codes::find::<KEY>(codes, self.ctx, pointer, modifier).ok_or(Stop);
            }
            Ok((*codes).compute((*self.ctx).pauth.keys[KEY as usize], pointer, modifier))
        }
    }
}

impl<M: Mode> PointerDomain for Direct<M> {
    #[inline(always)]
    fn sign<const KEY: u8>(&mut self, pointer: u64, modifier: u64) -> Result<u64, Stop> {
        if !self.is_enabled::<KEY>() {
            return Ok(pointer);
        }
        Ok(pointer ^ self.code::<KEY>(pointer, modifier)?)
    }

    #[inline(always)]
    fn authenticate<const KEY: u8>(&mut self, pointer: u64, modifier: u64) -> Result<u64, Stop> {
        if !self.is_enabled::<KEY>() {
            return Ok(pointer);
        }
        let plain = pointer ^ self.code::<KEY>(pointer, modifier)?;
        if M::IS_FAST {
            // Only codes of pointers to the lower half are found.
            return if plain & PAC_FIELD == 0 { Ok(plain) } else { Err(Stop) };
        }
        if plain != strip(plain) {
            // SAFETY: this is the CPU's thread, and no reference is in use.
            unsafe { (*(*self.cpu).local()).exit = Exit::PointerAuth };
            return Err(Stop);
        }
        Ok(plain)
    }

    #[inline(always)]
    fn strip(&self, pointer: u64) -> u64 {
        strip(pointer)
    }

    #[inline(always)]
    fn generic_code(&self, value: u64, modifier: u64) -> u64 {
        // SAFETY: `new` vouches for `ctx`.
        generic_code(value, modifier, unsafe { (*self.ctx).pauth.keys[pauth_key::GA as usize] })
    }
}
