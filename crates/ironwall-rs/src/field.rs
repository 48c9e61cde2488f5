//! What fields hold: numbers, references to objects of one structure, and values that are either.

use crate::heap::{Any, Gc};
use std::fmt;
use std::marker::PhantomData;

mod sealed {
    /// Only this crate makes references out of words.
    #[derive(Clone, Copy, Debug)]
    pub struct Seal(());

    impl Seal {
        pub(crate) const SEAL: Self = Self(());
    }
}

pub(crate) use sealed::Seal;

/// The type of a field.
pub trait FieldType: 'static {
    /// Its bytes.
    const SIZE: u32;
    /// Whether collections follow it.
    const IS_SLOT: bool = false;
    /// Whether it may hold numbers where collections expect references.
    const HAS_ODD_WORDS: bool = false;
    /// What it holds.
    type Held<'g, 'id: 'g>: Copy;

    #[doc(hidden)]
    fn encode(held: Self::Held<'_, '_>, seal: Seal) -> u64;
    #[doc(hidden)]
    fn decode<'g, 'id: 'g>(word: u64, seal: Seal) -> Self::Held<'g, 'id>;
}

macro_rules! numbers {
    ($($number:ident $bits:ident: $encode:expr, $decode:expr;)*) => {$(
        impl FieldType for $number {
            const SIZE: u32 = size_of::<$number>() as u32;
            type Held<'g, 'id: 'g> = $number;

            fn encode(held: $number, _: Seal) -> u64 {
                let encode: fn($number) -> $bits = $encode;
                u64::from(encode(held))
            }

            fn decode<'g, 'id: 'g>(word: u64, _: Seal) -> Self::Held<'g, 'id> {
                let decode: fn($bits) -> $number = $decode;
                // The bits above those of the number belong to other fields.
                decode(word as $bits)
            }
        }
    )*};
}

numbers! {
    u8 u8: |held| held, |bits| bits;
    u16 u16: |held| held, |bits| bits;
    u32 u32: |held| held, |bits| bits;
    u64 u64: |held| held, |bits| bits;
    i8 u8: |held| held.cast_unsigned(), u8::cast_signed;
    i16 u16: |held| held.cast_unsigned(), u16::cast_signed;
    i32 u32: |held| held.cast_unsigned(), u32::cast_signed;
    i64 u64: |held| held.cast_unsigned(), u64::cast_signed;
    f32 u32: f32::to_bits, f32::from_bits;
    f64 u64: f64::to_bits, f64::from_bits;
}

/// A field that refers to an object of the structure `T`, or to none.
pub struct Ref<T>(PhantomData<fn() -> T>);

impl<T> fmt::Debug for Ref<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ref")
    }
}

impl<T: 'static> FieldType for Ref<T> {
    const SIZE: u32 = 8;
    const IS_SLOT: bool = true;
    type Held<'g, 'id: 'g> = Option<Gc<'g, 'id, T>>;

    fn encode(held: Self::Held<'_, '_>, _: Seal) -> u64 {
        held.map_or(0, |object| object.block.address())
    }

    fn decode<'g, 'id: 'g>(word: u64, seal: Seal) -> Self::Held<'g, 'id> {
        Gc::from_word(word, seal)
    }
}

/// A field that holds a [`Value`].
#[derive(Clone, Copy, Debug)]
pub enum Dynamic {}

/// Nothing, a number, or an object of any structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'g, 'id> {
    /// Nothing.
    Nil,
    /// A number.
    Small(Small),
    /// An object.
    Object(Gc<'g, 'id, Any>),
}

impl FieldType for Dynamic {
    const SIZE: u32 = 8;
    const IS_SLOT: bool = true;
    const HAS_ODD_WORDS: bool = true;
    type Held<'g, 'id: 'g> = Value<'g, 'id>;

    fn encode(held: Value<'_, '_>, _: Seal) -> u64 {
        match held {
            Value::Nil => 0,
            Value::Small(small) => (small.0 << 1 | 1).cast_unsigned(),
            Value::Object(object) => object.block.address(),
        }
    }

    fn decode<'g, 'id: 'g>(word: u64, seal: Seal) -> Self::Held<'g, 'id> {
        if word & 1 == 1 {
            return Value::Small(Small(word.cast_signed() >> 1));
        }
        Gc::from_word(word, seal).map_or(Value::Nil, Value::Object)
    }
}

impl<'g, 'id, T> From<Gc<'g, 'id, T>> for Value<'g, 'id> {
    fn from(object: Gc<'g, 'id, T>) -> Self {
        Self::Object(object.erase())
    }
}

impl From<Small> for Value<'_, '_> {
    fn from(small: Small) -> Self {
        Self::Small(small)
    }
}

/// A number of 63 bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Small(i64);

impl Small {
    /// The smallest one.
    pub const MIN: Self = Self(i64::MIN >> 1);
    /// The largest one.
    pub const MAX: Self = Self(i64::MAX >> 1);

    /// The number, if it has no more than 63 bits.
    #[must_use]
    pub const fn new(number: i64) -> Option<Self> {
        if number >= Self::MIN.0 && number <= Self::MAX.0 { Some(Self(number)) } else { None }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl From<i32> for Small {
    fn from(number: i32) -> Self {
        Self(number.into())
    }
}

impl From<u32> for Small {
    fn from(number: u32) -> Self {
        Self(number.into())
    }
}

/// A field of type `V` in structures `T`.
pub struct Field<T, V> {
    pub(crate) offset: u32,
    types: PhantomData<fn() -> (T, V)>,
}

impl<T, V> Field<T, V> {
    /// What [`crate::unit!`] makes; the offset is that of the layout.
    #[doc(hidden)]
    #[must_use]
    pub const fn at(offset: u32) -> Self {
        Self { offset, types: PhantomData }
    }
}

impl<T, V> Clone for Field<T, V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T, V> Copy for Field<T, V> {}

impl<T, V> fmt::Debug for Field<T, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Field({})", self.offset)
    }
}
