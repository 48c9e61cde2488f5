//! Units: their structures, as [`crate::unit!`] declares them.
//!
//! The macro writes one type for each structure and one constant for each field. What they come to is an ordinary
//! table image, with the identities and the offsets that a description in JSON with the same names and types has.

use crate::field::FieldType;
use ironwall::{Kind, Uuid};
use ironwall_format::{Structure as Shape, Table};

/// A unit: the type that [`crate::unit!`] makes for it.
pub trait Unit: 'static {
    /// The package's name.
    const PACKAGE: &'static str;
    /// The unit's name.
    const NAME: &'static str;

    /// Its structures.
    fn structures() -> Vec<Described>;

    /// Its table.
    fn table() -> Table {
        let table = Table::new(Self::PACKAGE, Self::NAME);
        Self::structures().into_iter().fold(table, |table, described| table.with(described.shape))
    }

    /// The identity of its table.
    fn id() -> Uuid {
        Uuid::of_table(Self::PACKAGE.as_bytes(), Self::NAME.as_bytes())
    }
}

/// A structure of a unit.
pub trait Structure: 'static {
    /// The unit.
    type Unit: Unit;
    /// What it describes.
    const KIND: Kind;
    /// Its name.
    const NAME: &'static str;
    /// Its fields, in their order.
    const FIELDS: &'static [FieldInfo];
    /// An element of its tail.
    const TAIL: Option<FieldInfo>;
    /// The bytes of the payload without the tail.
    const FIXED: u32 = offset_behind(Self::FIELDS, Self::FIELDS.len()).next_multiple_of(8);

    /// Its identity.
    fn id() -> Uuid {
        Uuid::of_struct(Self::Unit::id(), Self::KIND, Self::NAME.as_bytes())
    }

    /// What its entry in the table says.
    fn describe() -> Described {
        let slots: Vec<u32> =
            Self::FIELDS.iter().filter(|field| field.is_slot).map(|field| offset(Self::FIELDS, field.name)).collect();
        let mut shape = Shape::new(Self::KIND, Self::NAME, Self::FIXED, &slots);
        for field in Self::FIELDS {
            shape = shape.with_field(offset(Self::FIELDS, field.name), field.name);
        }
        if let Some(tail) = Self::TAIL {
            shape = if tail.is_slot { shape.with_references() } else { shape.with_bytes(tail.size) };
        }
        if Self::FIELDS.iter().chain(&Self::TAIL).any(|field| field.has_odd_words) {
            shape = shape.with_odd_words();
        }
        Described { kind: Self::KIND, fixed: Self::FIXED, shape }
    }
}

/// A structure of objects.
pub trait Object: Structure {}
/// A structure of shadow frames.
pub trait Locals: Structure {}
/// The structure of a global block.
pub trait Global: Structure {}
/// A structure whose objects end with elements, as many as each was made with.
pub trait Tailed: Object {
    /// An element.
    type Element: FieldType;
}

/// What a table has to know of a structure.
#[derive(Clone, Debug)]
pub struct Described {
    /// What it describes.
    pub(crate) kind: Kind,
    /// The bytes of the payload without the tail.
    pub(crate) fixed: u32,
    pub(crate) shape: Shape,
}

/// What a layout has to know of a field.
#[derive(Clone, Copy, Debug)]
pub struct FieldInfo {
    name: &'static str,
    size: u32,
    is_slot: bool,
    has_odd_words: bool,
}

impl FieldInfo {
    /// A field of a type.
    #[must_use]
    pub const fn of<V: FieldType>(name: &'static str) -> Self {
        Self { name, size: V::SIZE, is_slot: V::IS_SLOT, has_odd_words: V::HAS_ODD_WORDS }
    }
}

/// Where a field is: C's rule, each at a multiple of its size.
#[doc(hidden)]
#[must_use]
pub const fn offset(fields: &[FieldInfo], name: &str) -> u32 {
    let mut i = 0;
    while i < fields.len() {
        if is_equal(fields[i].name, name) {
            return offset_behind(fields, i).next_multiple_of(fields[i].size);
        }
        i += 1;
    }
    panic!("no such field")
}

/// The end of the first `count` fields.
const fn offset_behind(fields: &[FieldInfo], count: usize) -> u32 {
    let (mut end, mut i) = (0u32, 0);
    while i < count {
        end = end.next_multiple_of(fields[i].size) + fields[i].size;
        i += 1;
    }
    end
}

const fn is_equal(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let (mut i, mut same) = (0, a.len() == b.len());
    while same && i < a.len() {
        same = a[i] == b[i];
        i += 1;
    }
    same
}

/// Declares a unit.
///
/// ```
/// ironwall_rs::unit! {
///     /// A unit with objects, frames and a global block.
///     pub unit Names("example", "names") {
///         /// A name in a list.
///         heap Entry { text: Ref<Text>, next: Ref<Entry>, count: u32 }
///         /// Bytes.
///         heap Text {} [u8]
///         /// What a function keeps.
///         frame Main { list: Ref<Entry>, any: Dynamic }
///         /// What the unit keeps.
///         global Kept { first: Ref<Entry> }
///     }
/// }
/// ```
///
/// Fields are numbers (`u8` to `u64`, `i8` to `i64`, `f32`, `f64`), [`Ref<T>`](crate::Ref), or
/// [`Dynamic`](crate::Dynamic), which holds numbers too. What stands in brackets are the elements of a tail.
#[macro_export]
macro_rules! unit {
    (
        $(#[$about:meta])*
        $vis:vis unit $unit:ident($package:literal, $name:literal) {
            $($(#[$of:meta])* $kind:ident $structure:ident {
                $($(#[$on:meta])* $field:ident : $type:ty),* $(,)?
            } $([$tail:ty])?)*
        }
    ) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug)]
        $vis enum $unit {}

        impl $crate::Unit for $unit {
            const PACKAGE: &'static str = $package;
            const NAME: &'static str = $name;

            fn structures() -> ::std::vec::Vec<$crate::Described> {
                ::std::vec![$(<$structure as $crate::Structure>::describe()),*]
            }
        }

        $(
            $(#[$of])*
            #[derive(Clone, Copy, Debug)]
            $vis enum $structure {}

            const _: () = {
                #[allow(unused_imports, reason = "not every structure has such fields")]
                use $crate::{Dynamic, Ref};

                #[allow(non_upper_case_globals, reason = "constants that are fields have the names of fields")]
                #[allow(dead_code, reason = "a field that is only traced is a field")]
                impl $structure {
                    $(
                        $(#[$on])*
                        #[doc = concat!("The field `", stringify!($field), "`.")]
                        pub const $field: $crate::Field<Self, $type> = $crate::Field::at($crate::offset(
                            <Self as $crate::Structure>::FIELDS,
                            stringify!($field),
                        ));
                    )*
                }

                impl $crate::Structure for $structure {
                    type Unit = $unit;
                    const KIND: $crate::Kind = $crate::unit!(@kind $kind);
                    const NAME: &'static str = stringify!($structure);
                    const FIELDS: &'static [$crate::FieldInfo] =
                        &[$($crate::FieldInfo::of::<$type>(stringify!($field))),*];
                    const TAIL: ::std::option::Option<$crate::FieldInfo> = $crate::unit!(@tail $($tail)?);
                }

                $crate::unit!(@marker $kind $structure);
                $(impl $crate::Tailed for $structure {
                    type Element = $tail;
                })?
            };
        )*
    };
    (@kind heap) => { $crate::Kind::Heap };
    (@kind frame) => { $crate::Kind::Frame };
    (@kind global) => { $crate::Kind::Global };
    (@marker heap $structure:ident) => { impl $crate::Object for $structure {} };
    (@marker frame $structure:ident) => { impl $crate::Locals for $structure {} };
    (@marker global $structure:ident) => { impl $crate::Global for $structure {} };
    (@tail) => { ::std::option::Option::None };
    (@tail $tail:ty) => { ::std::option::Option::Some($crate::FieldInfo::of::<$tail>("")) };
}
