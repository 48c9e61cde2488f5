//! How the rows of Advanced SIMD pick types by their fields.

use a64::Insn;

use crate::lower::vreg;

/// D, N and M.
pub(super) fn dnm(i: Insn) -> [u8; 4] {
    [vreg(i.rd()), vreg(i.rn()), vreg(i.rm()), 0]
}

/// D and N.
pub(super) fn dn(i: Insn) -> [u8; 4] {
    [vreg(i.rd()), vreg(i.rn()), 0, 0]
}

/// The lane type for a size of 0 to 3, as `$t`.
macro_rules! by_lane {
    (unsigned $size:expr, $t:ident => $body:expr) => {
        by_lane!(@ $size, $t, u8 u16 u32 u64 => $body)
    };
    (signed $size:expr, $t:ident => $body:expr) => {
        by_lane!(@ $size, $t, i8 i16 i32 i64 => $body)
    };
    (@ $size:expr, $t:ident, $a:ident $b:ident $c:ident $d:ident => $body:expr) => {
        match $size {
            0 => { type $t = $a; $body }
            1 => { type $t = $b; $body }
            2 => { type $t = $c; $body }
            _ => { type $t = $d; $body }
        }
    };
}

/// The lane type for a size of 0 to 2, as `$t`.
macro_rules! by_small_lane {
    (unsigned $size:expr, $t:ident => $body:expr) => {
        by_small_lane!(@ $size, $t, u8 u16 u32 => $body)
    };
    (signed $size:expr, $t:ident => $body:expr) => {
        by_small_lane!(@ $size, $t, i8 i16 i32 => $body)
    };
    (@ $size:expr, $t:ident, $a:ident $b:ident $c:ident => $body:expr) => {
        match $size {
            0 => { type $t = $a; $body }
            1 => { type $t = $b; $body }
            _ => { type $t = $c; $body }
        }
    };
}

/// The lane type for a size of 1 or 2, as `$t`.
macro_rules! by_middle_lane {
    (unsigned $size:expr, $t:ident => $body:expr) => {
        if $size == 1 {
            type $t = u16;
            $body
        } else {
            type $t = u32;
            $body
        }
    };
    (signed $size:expr, $t:ident => $body:expr) => {
        if $size == 1 {
            type $t = i16;
            $body
        } else {
            type $t = i32;
            $body
        }
    };
}

/// `$q` for the field Q.
macro_rules! by_q {
    ($i:expr, $q:ident => $body:expr) => {
        if $i.q() == 1 {
            const $q: bool = true;
            $body
        } else {
            const $q: bool = false;
            $body
        }
    };
}

/// The bytes of a vector, by Q.
pub(super) const fn bytes(q: bool) -> u32 {
    if q { 16 } else { 8 }
}

/// The format and the number of lanes for `sz` and Q.
macro_rules! by_fp_vector {
    ($i:expr, $f:ident, $count:ident => $body:expr) => {
        match ($i.sz_22(), $i.q()) {
            (0, 0) => {
                type $f = Single;
                const $count: usize = 2;
                $body
            }
            (0, _) => {
                type $f = Single;
                const $count: usize = 4;
                $body
            }
            _ => {
                type $f = Double;
                const $count: usize = 2;
                $body
            }
        }
    };
}

/// The format for a field that is 0 for single and 1 for double precision.
macro_rules! by_precision {
    ($field:expr, $f:ident => $body:expr) => {
        if $field == 0 {
            type $f = Single;
            $body
        } else {
            type $f = Double;
            $body
        }
    };
}

/// The format for `ftype`.
macro_rules! by_format {
    ($field:expr, $f:ident => $body:expr) => {
        match $field {
            0 => {
                type $f = Single;
                $body
            }
            1 => {
                type $f = Double;
                $body
            }
            _ => {
                type $f = Half;
                $body
            }
        }
    };
}

pub(super) use {by_format, by_fp_vector, by_lane, by_middle_lane, by_precision, by_q, by_small_lane};
