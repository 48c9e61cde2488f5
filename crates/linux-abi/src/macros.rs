//! The three macros that the tables of this crate are written with:
//! `consts!` (plain numbers), `flags!` (typed bits) and `wire_structs!`
//! (structures with explicit offsets). Each leaves a table behind that the
//! tests compare with what the C headers say.

/// Plain constants of one type, with a table of their names.
macro_rules! consts {
    ($(#[$meta:meta])* $table:ident: $ty:ty { $($name:ident = $value:expr;)* }) => {
        $(#[doc = concat!("`", stringify!($name), "` of the Linux headers.")] pub const $name: $ty = $value;)*
        $(#[$meta])*
        pub const $table: &[(&str, $ty)] = &[$((stringify!($name), $name),)*];
    };
}

/// A `bitflags` type whose members carry their Linux names.
macro_rules! flags {
    ($(#[$meta:meta])* $ty:ident: $repr:ty { $($name:ident = $value:expr;)* }) => {
        bitflags::bitflags! {
            $(#[$meta])*
            #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
            pub struct $ty: $repr {
                $(#[doc = concat!("`", stringify!($name), "` of the Linux headers.")] const $name = $value;)*
            }
        }
    };
}

/// Structures of the user ABI: `Name = "C name", size { field: type @ offset, … }`.
///
/// A field's C name is its own, or follows `as`. Bytes between fields are
/// padding: written as zero, ignored when read. `Default` is all zero bytes.
macro_rules! wire_structs {
    ($(
        $(#[$meta:meta])*
        $name:ident = $c:literal, $size:literal {
            $($field:ident: $ty:ty = $offset:literal $(as $cfield:literal)?,)*
        }
    )*) => {
        $(
            $(#[$meta])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq)]
            pub struct $name {
                $(#[doc = concat!("`", stringify!($field), "`, at offset ", stringify!($offset), ".")] pub $field: $ty,)*
            }

            impl $name {
                #[doc = concat!("Bytes in a `", $c, "`.")]
                pub const SIZE: usize = $size;

                /// The structure as the guest sees it, padding zero.
                #[must_use]
                pub fn to_bytes(&self) -> [u8; $size] {
                    let mut out = [0; $size];
                    $crate::Wire::store(self, &mut out);
                    out
                }

                /// The structure from the guest's bytes.
                #[must_use]
                pub fn from_bytes(bytes: &[u8; $size]) -> Self {
                    $crate::Wire::load(bytes)
                }

                /// Where each field lies.
                pub const LAYOUT: $crate::Layout = $crate::Layout {
                    c_name: $c,
                    size: $size,
                    fields: &[$((wire_structs!(@c $field $($cfield)?), $offset, <$ty as $crate::Wire>::SIZE),)*],
                };
            }

            const _: () = assert!($name::LAYOUT.is_sound());

            impl $crate::Wire for $name {
                const SIZE: usize = $size;

                fn store(&self, out: &mut [u8]) {
                    $($crate::Wire::store(&self.$field, &mut out[$offset..$offset + <$ty as $crate::Wire>::SIZE]);)*
                }

                fn load(bytes: &[u8]) -> Self {
                    Self { $($field: <$ty as $crate::Wire>::load(&bytes[$offset..$offset + <$ty as $crate::Wire>::SIZE]),)* }
                }
            }

            impl Default for $name {
                fn default() -> Self {
                    $crate::Wire::load(&[0; $size])
                }
            }
        )*

        /// The layouts of this module's structures.
        pub const LAYOUTS: &[$crate::Layout] = &[$($name::LAYOUT,)*];
    };
    (@c $field:ident) => { stringify!($field) };
    (@c $field:ident $cfield:literal) => { $cfield };
}
