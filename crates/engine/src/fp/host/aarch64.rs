//! The host is an Arm itself: its instructions are the guest's.

use core::arch::asm;

use crate::fp::FPSR_MASK;
use crate::simd::V128;

/// Nothing to look up: all of it is baseline.
pub fn init() {}

/// Fused multiply-add is baseline.
#[inline(always)]
#[must_use]
pub fn has_fma() -> bool {
    true
}

/// Rounding to integral values is baseline.
#[inline(always)]
#[must_use]
pub fn has_round() -> bool {
    true
}

/// Prepares the FPU for guest code; what it gives is to be handed to [`leave`].
/// An embedding program may have set modes of its own.
#[inline]
#[must_use]
pub fn enter() -> u32 {
    let fpcr: u64;
    // SAFETY: reads a register that EL0 may read.
    unsafe { asm!("mrs {}, fpcr", out(reg) fpcr, options(nomem, nostack, preserves_flags)) };
    if fpcr != 0 {
        set_fpcr(0);
    }
    clear_flags();
    fpcr as u32
}

/// Ends what [`enter`] began; gives the FPSR bits raised since.
#[inline]
#[must_use]
pub fn leave(before: u32) -> u32 {
    if before != 0 {
        set_fpcr(before);
    }
    take_flags()
}

#[inline]
fn set_fpcr(fpcr: u32) {
    // SAFETY: sets the modes that Rust expects, or puts back those found.
    unsafe { asm!("msr fpcr, {}", in(reg) u64::from(fpcr), options(nomem, nostack, preserves_flags)) };
}

/// Clears the sticky flags.
#[inline]
pub fn clear_flags() {
    // SAFETY: FPSR holds sticky flags only, which Rust leaves unspecified.
    unsafe { asm!("msr fpsr, xzr", options(nomem, nostack, preserves_flags)) };
}

/// The sticky flags as FPSR bits; they are clear afterwards.
#[inline]
#[must_use]
pub fn take_flags() -> u32 {
    let fpsr: u64;
    // SAFETY: reads a register that EL0 may read.
    unsafe { asm!("mrs {}, fpsr", out(reg) fpsr, options(nomem, nostack, preserves_flags)) };
    clear_flags();
    // QC is kept in the guest's FPSR; the host's is left over from elsewhere.
    fpsr as u32 & FPSR_MASK & !crate::fp::FPSR_QC
}

macro_rules! op2 {
    ($name:expr, $m:literal, $a:expr, $b:expr) => {{
        let r;
        // SAFETY: baseline AdvSIMD, registers only.
        unsafe {
            asm!(concat!($name, " {0:", $m, "}, {1:", $m, "}, {2:", $m, "}"), out(vreg) r, in(vreg) $a, in(vreg) $b,
                 options(nomem, nostack, preserves_flags));
        }
        r
    }};
}

macro_rules! op1 {
    ($name:expr, $m:literal, $a:expr) => {{
        let r;
        // SAFETY: baseline AdvSIMD, registers only.
        unsafe {
            asm!(concat!($name, " {0:", $m, "}, {1:", $m, "}"), out(vreg) r, in(vreg) $a,
                 options(nomem, nostack, preserves_flags));
        }
        r
    }};
}

macro_rules! vector2 {
    ($name:expr, $t:literal, $a:expr, $b:expr) => {{
        let r;
        // SAFETY: baseline AdvSIMD, registers only.
        unsafe {
            asm!(concat!($name, " {0:v}.", $t, ", {1:v}.", $t, ", {2:v}.", $t), out(vreg) r, in(vreg) $a, in(vreg) $b,
                 options(nomem, nostack, preserves_flags));
        }
        r
    }};
}

macro_rules! to_int {
    ($name:expr, $w:literal, $m:literal, $a:expr) => {{
        let r: u64;
        // SAFETY: baseline floating point, registers only.
        unsafe {
            asm!(concat!($name, " {0:", $w, "}, {1:", $m, "}"), out(reg) r, in(vreg) $a,
                 options(nomem, nostack, preserves_flags));
        }
        r
    }};
}

macro_rules! to_int_rounded {
    ($s:literal, $w:literal, $m:literal, $a:expr, $rounding:expr) => {
        match $rounding {
            Rounding::TieEven => Some(to_int!(concat!("fcvtn", $s), $w, $m, $a)),
            Rounding::PosInf => Some(to_int!(concat!("fcvtp", $s), $w, $m, $a)),
            Rounding::NegInf => Some(to_int!(concat!("fcvtm", $s), $w, $m, $a)),
            Rounding::Zero => Some(to_int!(concat!("fcvtz", $s), $w, $m, $a)),
            Rounding::TieAway => Some(to_int!(concat!("fcvta", $s), $w, $m, $a)),
            Rounding::Odd => None,
        }
    };
}

macro_rules! precision {
    ($m:ident, $f:ty, $u:ty, $pack:ident, $s:literal, $t:literal) => {
        pub(super) mod $m {
            use super::super::{Compare, Op2};
            use crate::fp::Rounding;
            use crate::simd::V128;
            use core::arch::aarch64::$pack;
            use core::arch::asm;

            #[inline(always)]
            fn of(bits: u64) -> $f {
                <$f>::from_bits(bits as $u)
            }

            #[inline(always)]
            fn bits(value: $f) -> u64 {
                value.to_bits() as u64
            }

            #[inline(always)]
            fn pack(v: V128) -> $pack {
                // SAFETY: plain data of the same size.
                unsafe { core::mem::transmute(v) }
            }

            #[inline(always)]
            fn unpack(v: $pack) -> V128 {
                // SAFETY: plain data of the same size.
                unsafe { core::mem::transmute(v) }
            }

            #[inline(always)]
            pub(in super::super) fn op2(op: Op2, a: u64, b: u64) -> Option<u64> {
                let (x, y) = (of(a), of(b));
                let r: $f = match op {
                    Op2::Add => op2!("fadd", $s, x, y),
                    Op2::Sub => op2!("fsub", $s, x, y),
                    Op2::Mul => op2!("fmul", $s, x, y),
                    Op2::Div => op2!("fdiv", $s, x, y),
                    Op2::Max => op2!("fmax", $s, x, y),
                    Op2::Min => op2!("fmin", $s, x, y),
                };
                Some(bits(r))
            }

            #[inline(always)]
            pub(in super::super) fn sqrt(a: u64) -> Option<u64> {
                let r: $f = op1!("fsqrt", $s, of(a));
                Some(bits(r))
            }

            #[inline(always)]
            pub(in super::super) fn mul_add(c: u64, a: u64, b: u64) -> Option<u64> {
                let r: $f;
                // SAFETY: baseline floating point, registers only.
                unsafe {
                    asm!(concat!("fmadd {0:", $s, "}, {1:", $s, "}, {2:", $s, "}, {3:", $s, "}"),
                         out(vreg) r, in(vreg) of(a), in(vreg) of(b), in(vreg) of(c),
                         options(nomem, nostack, preserves_flags));
                }
                Some(bits(r))
            }

            #[inline(always)]
            pub(in super::super) fn compare(op: Compare, a: u64, b: u64) -> Option<bool> {
                let (x, y) = (of(a), of(b));
                let mask: $f = match op {
                    Compare::Eq => op2!("fcmeq", $s, x, y),
                    Compare::Ge => op2!("fcmge", $s, x, y),
                    Compare::Gt => op2!("fcmgt", $s, x, y),
                };
                Some(bits(mask) & 1 != 0)
            }

            #[inline(always)]
            pub(in super::super) fn order(a: u64, b: u64) -> Option<(bool, bool)> {
                let (x, y) = (of(a), of(b));
                if x.is_nan() || y.is_nan() { None } else { Some((x > y, x < y)) }
            }

            #[inline(always)]
            pub(in super::super) fn to_signed(a: u64, width: u32, rounding: Rounding) -> Option<u64> {
                if width == 32 {
                    to_int_rounded!("s", "w", $s, of(a), rounding)
                } else {
                    to_int_rounded!("s", "x", $s, of(a), rounding)
                }
            }

            #[inline(always)]
            pub(in super::super) fn to_unsigned(a: u64, width: u32, rounding: Rounding) -> Option<u64> {
                if width == 32 {
                    to_int_rounded!("u", "w", $s, of(a), rounding)
                } else {
                    to_int_rounded!("u", "x", $s, of(a), rounding)
                }
            }

            #[inline(always)]
            pub(in super::super) fn from_signed(a: i64) -> Option<u64> {
                let r: $f;
                // SAFETY: baseline floating point, registers only.
                unsafe {
                    asm!(concat!("scvtf {0:", $s, "}, {1:x}"), out(vreg) r, in(reg) a,
                         options(nomem, nostack, preserves_flags));
                }
                Some(bits(r))
            }

            #[inline(always)]
            pub(in super::super) fn from_unsigned(a: u64) -> Option<u64> {
                let r: $f;
                // SAFETY: baseline floating point, registers only.
                unsafe {
                    asm!(concat!("ucvtf {0:", $s, "}, {1:x}"), out(vreg) r, in(reg) a,
                         options(nomem, nostack, preserves_flags));
                }
                Some(bits(r))
            }

            #[inline(always)]
            pub(in super::super) fn round_int(a: u64, rounding: Rounding, exact: bool) -> Option<u64> {
                let x = of(a);
                let r: $f = match (rounding, exact) {
                    (Rounding::TieEven, true) => op1!("frintx", $s, x),
                    (_, true) | (Rounding::Odd, _) => return None,
                    (Rounding::TieEven, false) => op1!("frintn", $s, x),
                    (Rounding::PosInf, false) => op1!("frintp", $s, x),
                    (Rounding::NegInf, false) => op1!("frintm", $s, x),
                    (Rounding::Zero, false) => op1!("frintz", $s, x),
                    (Rounding::TieAway, false) => op1!("frinta", $s, x),
                };
                Some(bits(r))
            }

            #[inline(always)]
            pub(in super::super) fn scale(a: u64, power: u64) -> Option<u64> {
                op2(Op2::Mul, a, power)
            }

            #[inline(always)]
            pub(in super::super) fn v_scale(a: V128, power: V128) -> Option<V128> {
                v_op2(Op2::Mul, a, power)
            }

            #[inline(always)]
            pub(in super::super) fn v_round_int(_: V128, _: Rounding, _: bool) -> Option<V128> {
                None
            }

            #[inline(always)]
            pub(in super::super) fn v_op2(op: Op2, a: V128, b: V128) -> Option<V128> {
                let (x, y) = (pack(a), pack(b));
                let r: $pack = match op {
                    Op2::Add => vector2!("fadd", $t, x, y),
                    Op2::Sub => vector2!("fsub", $t, x, y),
                    Op2::Mul => vector2!("fmul", $t, x, y),
                    Op2::Div => vector2!("fdiv", $t, x, y),
                    Op2::Max => vector2!("fmax", $t, x, y),
                    Op2::Min => vector2!("fmin", $t, x, y),
                };
                Some(unpack(r))
            }

            #[inline(always)]
            pub(in super::super) fn v_sqrt(a: V128) -> Option<V128> {
                let r: $pack;
                // SAFETY: baseline AdvSIMD, registers only.
                unsafe {
                    asm!(concat!("fsqrt {0:v}.", $t, ", {1:v}.", $t), out(vreg) r, in(vreg) pack(a),
                         options(nomem, nostack, preserves_flags));
                }
                Some(unpack(r))
            }

            #[inline(always)]
            pub(in super::super) fn v_mul_add(c: V128, a: V128, b: V128) -> Option<V128> {
                let mut r = pack(c);
                // SAFETY: baseline AdvSIMD, registers only.
                unsafe {
                    asm!(concat!("fmla {0:v}.", $t, ", {1:v}.", $t, ", {2:v}.", $t),
                         inout(vreg) r, in(vreg) pack(a), in(vreg) pack(b),
                         options(nomem, nostack, preserves_flags));
                }
                Some(unpack(r))
            }

            #[inline(always)]
            pub(in super::super) fn v_compare(op: Compare, a: V128, b: V128) -> Option<V128> {
                let (x, y) = (pack(a), pack(b));
                let r: $pack = match op {
                    Compare::Eq => vector2!("fcmeq", $t, x, y),
                    Compare::Ge => vector2!("fcmge", $t, x, y),
                    Compare::Gt => vector2!("fcmgt", $t, x, y),
                };
                Some(unpack(r))
            }
        }
    };
}

precision!(single, f32, u32, float32x4_t, "s", "4s");
precision!(double, f64, u64, float64x2_t, "d", "2d");

#[inline(always)]
pub(super) fn narrow(a: u64) -> Option<u64> {
    let r: f32;
    // SAFETY: baseline floating point, registers only.
    unsafe {
        asm!("fcvt {0:s}, {1:d}", out(vreg) r, in(vreg) f64::from_bits(a), options(nomem, nostack, preserves_flags));
    }
    Some(u64::from(r.to_bits()))
}

#[inline(always)]
pub(super) fn widen(a: u64) -> Option<u64> {
    let r: f64;
    // SAFETY: baseline floating point, registers only.
    unsafe {
        asm!("fcvt {0:d}, {1:s}", out(vreg) r, in(vreg) f32::from_bits(a as u32),
             options(nomem, nostack, preserves_flags));
    }
    Some(r.to_bits())
}

#[inline(always)]
pub(super) fn v_to_signed_32(_: V128, _: crate::fp::Rounding) -> Option<V128> {
    None
}

#[inline(always)]
pub(super) fn v_from_signed_32(_: V128) -> Option<V128> {
    None
}
