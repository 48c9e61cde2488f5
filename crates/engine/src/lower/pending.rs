//! Rows of the table that have no form yet: the guest gets an undefined
//! instruction. A row that is in neither this list nor another file of
//! `lower` stops the build. Only SIMD&FP rows are left, in `pending_fp`.

macro_rules! pending {
    ($($name:ident)*) => {
        $(
            pub(in crate::lower) fn $name(i: Insn, c: &mut Lower<'_>) -> Draft {
                c.undefined(i)
            }
        )*

        /// The rows of this list, by name.
        pub(crate) const PENDING: &[&str] = &[$(stringify!($name)),*];
    };
}
pub(super) use pending;
