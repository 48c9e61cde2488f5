//! Elements of vectors.

/// An element: an integer of 8 to 64 bits, signed or not.
pub trait Lane: Copy + Eq + Ord + core::fmt::Debug + 'static {
    /// All the lanes of a vector.
    type Array: Copy + AsRef<[Self]> + AsMut<[Self]>;
    /// The signed integer of this size.
    type Signed: Lane;
    /// The unsigned integer of this size.
    type Unsigned: Lane;
    /// The integer of half the size, of the same signedness; for bytes, itself.
    type Narrow: Lane;
    /// The integer of twice the size, of the same signedness; for 64 bits, itself.
    type Wide: Lane;
    /// How many there are in 128 bits.
    const COUNT: usize = 128 / Self::BITS as usize;
    /// Bits in one.
    const BITS: u32;
    /// Whether it is signed.
    const SIGNED: bool;
    /// The smallest value.
    const MIN: Self;
    /// The largest value.
    const MAX: Self;
    /// Zero.
    const ZERO: Self;

    /// An array of `f(0)`, `f(1)`, and so on.
    fn array(f: impl FnMut(usize) -> Self) -> Self::Array;
    /// Sum, wrapping.
    fn add(self, other: Self) -> Self;
    /// Difference, wrapping.
    fn sub(self, other: Self) -> Self;
    /// Product, wrapping.
    fn mul(self, other: Self) -> Self;
    /// Sum, saturating.
    fn saturating_add(self, other: Self) -> Self;
    /// Difference, saturating.
    fn saturating_sub(self, other: Self) -> Self;
    /// And.
    fn and(self, other: Self) -> Self;
    /// Or.
    fn or(self, other: Self) -> Self;
    /// Exclusive or.
    fn xor(self, other: Self) -> Self;
    /// Complement.
    fn not(self) -> Self;
    /// All ones for true.
    fn mask(holds: bool) -> Self;
    /// Shift left; 0 if `n` is the width or more.
    fn shl(self, n: u32) -> Self;
    /// Shift right, arithmetic if signed; the sign or 0 if `n` is the width or
    /// more.
    fn shr(self, n: u32) -> Self;
    /// Leading zeros.
    fn clz(self) -> u32;
    /// Ones.
    fn popcnt(self) -> u32;
    /// The bits in the other order.
    fn reverse(self) -> Self;
    /// The low bits of `value`.
    fn truncate(value: u64) -> Self;
    /// Sign or zero extended.
    fn extend(self) -> i128;
    /// The low bits of `value`.
    fn wrap(value: i128) -> Self;
    /// Zero extended.
    fn bits(self) -> u64;
}

macro_rules! lane {
    ($($t:ident $signed:ident $unsigned:ident $narrow:ident $wide:ident $is_signed:literal;)*) => {$(
        impl Lane for $t {
            type Array = [$t; 128 / <$t>::BITS as usize];
            type Signed = $signed;
            type Unsigned = $unsigned;
            type Narrow = $narrow;
            type Wide = $wide;
            const BITS: u32 = <$t>::BITS;
            const SIGNED: bool = $is_signed;
            const MIN: Self = <$t>::MIN;
            const MAX: Self = <$t>::MAX;
            const ZERO: Self = 0;
            #[inline(always)]
            fn array(mut f: impl FnMut(usize) -> Self) -> Self::Array {
                let mut all = [0; 128 / <$t>::BITS as usize];
                for (i, lane) in all.iter_mut().enumerate() {
                    *lane = f(i);
                }
                all
            }
            #[inline(always)]
            fn add(self, other: Self) -> Self {
                self.wrapping_add(other)
            }
            #[inline(always)]
            fn sub(self, other: Self) -> Self {
                self.wrapping_sub(other)
            }
            #[inline(always)]
            fn mul(self, other: Self) -> Self {
                self.wrapping_mul(other)
            }
            #[inline(always)]
            fn saturating_add(self, other: Self) -> Self {
                self.saturating_add(other)
            }
            #[inline(always)]
            fn saturating_sub(self, other: Self) -> Self {
                self.saturating_sub(other)
            }
            #[inline(always)]
            fn and(self, other: Self) -> Self {
                self & other
            }
            #[inline(always)]
            fn or(self, other: Self) -> Self {
                self | other
            }
            #[inline(always)]
            fn xor(self, other: Self) -> Self {
                self ^ other
            }
            #[inline(always)]
            fn not(self) -> Self {
                !self
            }
            #[inline(always)]
            fn mask(holds: bool) -> Self {
                if holds { !0 } else { 0 }
            }
            #[inline(always)]
            fn shl(self, n: u32) -> Self {
                if n >= <$t>::BITS { 0 } else { self << n }
            }
            #[inline(always)]
            fn shr(self, n: u32) -> Self {
                if $is_signed {
                    self >> n.min(<$t>::BITS - 1)
                } else if n >= <$t>::BITS {
                    0
                } else {
                    self >> n
                }
            }
            #[inline(always)]
            fn clz(self) -> u32 {
                self.leading_zeros()
            }
            #[inline(always)]
            fn popcnt(self) -> u32 {
                self.count_ones()
            }
            #[inline(always)]
            fn reverse(self) -> Self {
                self.reverse_bits()
            }
            #[inline(always)]
            fn truncate(value: u64) -> Self {
                value as Self
            }
            #[inline(always)]
            fn extend(self) -> i128 {
                i128::from(self)
            }
            #[inline(always)]
            fn wrap(value: i128) -> Self {
                value as Self
            }
            #[inline(always)]
            fn bits(self) -> u64 {
                u64::from(self as $unsigned)
            }
        }
    )*};
}

lane! {
    u8 i8 u8 u8 u16 false;
    u16 i16 u16 u8 u32 false;
    u32 i32 u32 u16 u64 false;
    u64 i64 u64 u32 u64 false;
    i8 i8 u8 i8 i16 true;
    i16 i16 u16 i8 i32 true;
    i32 i32 u32 i16 i64 true;
    i64 i64 u64 i32 i64 true;
}
