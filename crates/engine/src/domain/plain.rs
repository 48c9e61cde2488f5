//! How numbers are read from and written to guest memory: each by one
//! instruction of the host.
//!
//! Other CPUs may write there at the same time. An ordinary access would let
//! the compiler read a number twice or in pieces, or change the order of two
//! accesses to one place, which no Arm processor does. Loads are volatile,
//! which the compiler neither repeats nor reorders, and as their numbers fit
//! into a register, nor splits; volatile stores of unaligned numbers would go
//! through the stack, so stores are assembly. What the host's instructions
//! then promise is in `docs/decisions/0012-memory-model.md`.

use crate::simd::V128;

/// A host address, as the sum of two numbers: a TLB hit gives two, and an
/// instruction of the host adds them for nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) base: u64,
    pub(crate) offset: u64,
}

impl Place {
    /// The place of a pointer.
    pub(crate) fn at(pointer: *mut u8) -> Self {
        Self { base: pointer.expose_provenance() as u64, offset: 0 }
    }

    /// The pointer.
    #[inline(always)]
    pub(crate) fn pointer<T>(self) -> *mut T {
        core::ptr::with_exposed_provenance_mut(self.base.wrapping_add(self.offset) as usize)
    }

    #[inline(always)]
    fn after(self, bytes: usize) -> Self {
        Self { base: self.base, offset: self.offset.wrapping_add(bytes as u64) }
    }
}

/// Types that are nothing but bytes, and how they are accessed.
///
/// # Safety
/// Every bit pattern is a value, and there is no padding.
pub(crate) unsafe trait Plain: Copy {
    /// Reads a value, which need not be aligned.
    ///
    /// # Safety
    /// All of it may be read.
    unsafe fn read(at: Place) -> Self;
    /// Writes a value, which need not be aligned.
    ///
    /// # Safety
    /// All of it may be written.
    unsafe fn write(at: Place, value: Self);
}

/// A number at any address.
#[derive(Clone, Copy)]
#[repr(C, packed)]
struct Anywhere<T>(T);

/// Numbers that a register of the host holds: type, register class, the
/// assembly of a store on x86-64 and on AArch64, and what the assembly takes.
macro_rules! plain {
    ($($t:ty, $class:ident, $x86:literal, $arm_class:ident, $arm:literal, |$value:ident| $raw:expr;)*) => {$(
        // SAFETY: a number.
        unsafe impl Plain for $t {
            #[inline(always)]
            unsafe fn read(at: Place) -> Self {
                // SAFETY: the caller vouches for the place.
                unsafe { at.pointer::<Anywhere<Self>>().read_volatile().0 }
            }

            #[inline(always)]
            unsafe fn write(at: Place, $value: Self) {
                #[cfg(all(target_arch = "x86_64", not(miri)))]
                // SAFETY: the caller vouches for the place.
                unsafe {
                    core::arch::asm!(
                        $x86,
                        base = in(reg) at.base,
                        offset = in(reg) at.offset,
                        value = in($class) $raw,
                        options(nostack, preserves_flags),
                    );
                }
                #[cfg(all(target_arch = "aarch64", not(miri)))]
                // SAFETY: the caller vouches for the place.
                unsafe {
                    core::arch::asm!(
                        $arm,
                        base = in(reg) at.base,
                        offset = in(reg) at.offset,
                        value = in($arm_class) $raw,
                        options(nostack, preserves_flags),
                    );
                }
                #[cfg(any(miri, not(any(target_arch = "x86_64", target_arch = "aarch64"))))]
                // SAFETY: the caller vouches for the place.
                unsafe {
                    at.pointer::<Anywhere<Self>>().write_volatile(Anywhere($value));
                }
            }
        }
    )*};
}
plain! {
    u8, reg_byte, "mov byte ptr [{base} + {offset}], {value}",
        reg, "strb {value:w}, [{base}, {offset}]", |value| value;
    u16, reg, "mov word ptr [{base} + {offset}], {value:x}",
        reg, "strh {value:w}, [{base}, {offset}]", |value| value;
    u32, reg, "mov dword ptr [{base} + {offset}], {value:e}",
        reg, "str {value:w}, [{base}, {offset}]", |value| value;
    u64, reg, "mov qword ptr [{base} + {offset}], {value}",
        reg, "str {value}, [{base}, {offset}]", |value| value;
    V128, xmm_reg, "movups xmmword ptr [{base} + {offset}], {value}",
        vreg, "str {value:q}, [{base}, {offset}]", |value| value.raw();
}

// SAFETY: two values without anything between.
unsafe impl<T: Plain> Plain for [T; 2] {
    #[inline(always)]
    unsafe fn read(at: Place) -> Self {
        // SAFETY: the caller vouches for both.
        unsafe {
            let first = T::read(at);
            [first, T::read(at.after(size_of::<T>()))]
        }
    }

    #[inline(always)]
    unsafe fn write(at: Place, [first, second]: Self) {
        // SAFETY: the caller vouches for both.
        unsafe {
            T::write(at, first);
            T::write(at.after(size_of::<T>()), second);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn there_and_back<T: Plain + PartialEq + core::fmt::Debug>(value: T) {
        for offset in 0..40 {
            let mut bytes = [0xee_u8; 128];
            let at = Place { base: (&raw mut bytes).expose_provenance() as u64, offset };
            // SAFETY: 72 bytes and fewer, in an array of 128.
            let read = unsafe {
                T::write(at, value);
                T::read(at)
            };
            assert_eq!(read, value);
            let (from, to) = (offset as usize, offset as usize + size_of::<T>());
            assert!(bytes[..from].iter().chain(&bytes[to..]).all(|byte| *byte == 0xee), "{value:?} at {offset}");
        }
    }

    #[test]
    fn numbers_are_written_whole_at_any_address_and_nothing_beside_them() {
        there_and_back(0x12_u8);
        there_and_back(0x1234_u16);
        there_and_back(0x1234_5678_u32);
        there_and_back(0x0123_4567_89ab_cdef_u64);
        there_and_back(V128::from_halves(0x0123_4567_89ab_cdef, 0x1122_3344_5566_7788));
        there_and_back([0x1234_5678_u32, 0x9abc_def0]);
        there_and_back([[V128::from_halves(1, 2), V128::from_halves(3, 4)]; 2]);
    }
}
