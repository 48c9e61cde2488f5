//! How values cross the user boundary: little-endian bytes at fixed offsets.

/// A value with a fixed layout in guest memory.
///
/// Implemented by the integers, arrays of such values, and every structure of
/// this crate, so that one generic copy routine serves them all.
pub trait Wire: Sized {
    /// Bytes in guest memory.
    const SIZE: usize;

    /// Writes the value, padding as zero bytes.
    ///
    /// # Panics
    /// If `out` is not [`Wire::SIZE`] bytes long.
    fn store(&self, out: &mut [u8]);

    /// Reads the value.
    ///
    /// # Panics
    /// If `bytes` is not [`Wire::SIZE`] bytes long.
    fn load(bytes: &[u8]) -> Self;
}

/// Where a structure's fields lie, for the tests against the C headers.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// The structure's name in C, such as `struct stat`.
    pub c_name: &'static str,
    /// Its size in bytes.
    pub size: usize,
    /// `(name in C, offset, size)` of each field, ascending.
    pub fields: &'static [(&'static str, usize, usize)],
}

impl Layout {
    /// True if the fields ascend, do not overlap and fit.
    #[must_use]
    pub const fn is_sound(&self) -> bool {
        let (mut i, mut end) = (0, 0);
        while i < self.fields.len() {
            let (_, offset, size) = self.fields[i];
            if offset < end {
                return false;
            }
            end = offset + size;
            i += 1;
        }
        end <= self.size
    }
}

macro_rules! integer_wire {
    ($($ty:ty)*) => {
        $(impl Wire for $ty {
            const SIZE: usize = size_of::<$ty>();

            fn store(&self, out: &mut [u8]) {
                out.copy_from_slice(&self.to_le_bytes());
            }

            fn load(bytes: &[u8]) -> Self {
                let mut raw = [0; size_of::<$ty>()];
                raw.copy_from_slice(bytes);
                Self::from_le_bytes(raw)
            }
        })*
    };
}
integer_wire! { u8 u16 u32 u64 u128 i8 i16 i32 i64 }

impl<T: Wire, const N: usize> Wire for [T; N] {
    const SIZE: usize = T::SIZE * N;

    fn store(&self, out: &mut [u8]) {
        assert_eq!(out.len(), Self::SIZE, "a buffer of another size");
        for (value, chunk) in self.iter().zip(out.chunks_exact_mut(T::SIZE)) {
            value.store(chunk);
        }
    }

    fn load(bytes: &[u8]) -> Self {
        assert_eq!(bytes.len(), Self::SIZE, "a buffer of another size");
        core::array::from_fn(|i| T::load(&bytes[i * T::SIZE..(i + 1) * T::SIZE]))
    }
}
