//! SSE2, with FMA3 and SSE4.1's rounding where the host has them.

use core::arch::asm;
use core::arch::x86_64::{__m128, __m128d};
use core::sync::atomic::{AtomicU8, Ordering::Relaxed};

use crate::simd::V128;
use crate::fp::{FPSR_DZC, FPSR_IOC, FPSR_IXC, FPSR_OFC, FPSR_UFC};

const FMA: u8 = 1;
const SSE41: u8 = 2;

/// What [`init`] found. Zero until then, which only costs speed.
static FEATURES: AtomicU8 = AtomicU8::new(0);

/// Looks up which instructions the host has.
pub fn init() {
    let mut features = 0;
    if std::is_x86_feature_detected!("fma") {
        features |= FMA;
    }
    if std::is_x86_feature_detected!("sse4.1") {
        features |= SSE41;
    }
    FEATURES.store(features, Relaxed);
}

/// Whether the host has fused multiply-add.
#[inline(always)]
#[must_use]
pub fn has_fma() -> bool {
    FEATURES.load(Relaxed) & FMA != 0
}

/// Whether the host rounds to integral values.
#[inline(always)]
#[must_use]
pub fn has_round() -> bool {
    FEATURES.load(Relaxed) & SSE41 != 0
}

/// The sticky exception flags of MXCSR.
const MXCSR_FLAGS: u32 = 0x3f;

#[inline(always)]
fn read_mxcsr() -> u32 {
    let mut mxcsr = 0u32;
    // SAFETY: stores four bytes to a local variable.
    unsafe { asm!("stmxcsr [{}]", in(reg) &raw mut mxcsr, options(nostack, preserves_flags)) };
    mxcsr
}

#[inline(always)]
fn write_mxcsr(mxcsr: u32) {
    // SAFETY: callers change sticky flags only, which Rust leaves unspecified;
    // masks and modes stay as they were.
    unsafe {
        asm!("ldmxcsr [{}]", in(reg) &raw const mxcsr, options(nostack, preserves_flags, readonly))
    };
}

/// Clears the sticky flags.
#[inline]
pub fn clear_flags() {
    let mxcsr = read_mxcsr();
    if mxcsr & MXCSR_FLAGS != 0 {
        write_mxcsr(mxcsr & !MXCSR_FLAGS);
    }
}

/// The sticky flags as FPSR bits; they are clear afterwards.
#[inline]
#[must_use]
pub fn take_flags() -> u32 {
    let mxcsr = read_mxcsr();
    if mxcsr & MXCSR_FLAGS == 0 {
        return 0;
    }
    write_mxcsr(mxcsr & !MXCSR_FLAGS);
    let mut fpsr = 0;
    // Bit 1, a denormal operand, has no counterpart while FPCR.FZ is 0.
    for (bit, flag) in [
        (0, FPSR_IOC),
        (2, FPSR_DZC),
        (3, FPSR_OFC),
        (4, FPSR_UFC),
        (5, FPSR_IXC),
    ] {
        if mxcsr >> bit & 1 != 0 {
            fpsr |= flag;
        }
    }
    fpsr
}

/// An instruction with two operands, the first of which is the destination.
macro_rules! sse2op {
    ($name:expr, $a:expr, $b:expr) => {{
        let mut r = $a;
        // SAFETY: baseline SSE2, registers only.
        unsafe { asm!(concat!($name, " {}, {}"), inout(xmm_reg) r, in(xmm_reg) $b, options(nomem, nostack, preserves_flags)) };
        r
    }};
}

/// An instruction with one operand; the destination is written only.
macro_rules! sse1op {
    ($name:expr, $a:expr => $t:ty) => {{
        let mut r: $t = $a;
        // SAFETY: baseline SSE2, registers only.
        unsafe { asm!(concat!($name, " {0}, {0}"), inout(xmm_reg) r, options(nomem, nostack, preserves_flags)) };
        r
    }};
}

#[inline(always)]
fn int_of_pd(v: __m128d) -> V128 {
    // SAFETY: plain data of the same size.
    unsafe { core::mem::transmute(v) }
}

#[inline(always)]
fn int_of_ps(v: __m128) -> V128 {
    // SAFETY: plain data of the same size.
    unsafe { core::mem::transmute(v) }
}

#[inline(always)]
fn pd_of_int(v: V128) -> __m128d {
    // SAFETY: plain data of the same size.
    unsafe { core::mem::transmute(v) }
}

#[inline(always)]
fn ps_of_int(v: V128) -> __m128 {
    // SAFETY: plain data of the same size.
    unsafe { core::mem::transmute(v) }
}

macro_rules! precision {
    (
        $m:ident, $f:ty, $u:ty, $pack:ident, $s:literal, $p:literal, $of_int:ident, $to_int:ident,
        $movmask:ident, $set1:ident, $unord:ident, $eq:ident, $or:ident, $and:ident
    ) => {
        pub(super) mod $m {
            use super::super::{Compare, Op2};
            use super::{$of_int, $to_int, has_fma, has_round};
            use crate::fp::Rounding;
            use crate::simd::V128;
            use core::arch::asm;
            use core::arch::x86_64::{$and, $eq, $movmask, $or, $pack, $set1, $unord};

            #[inline(always)]
            fn of(bits: u64) -> $f {
                <$f>::from_bits(bits as $u)
            }

            #[inline(always)]
            fn bits(value: $f) -> u64 {
                value.to_bits() as u64
            }

            /// The result, unless it is a NaN.
            #[inline(always)]
            fn unless_nan(r: $f) -> Option<u64> {
                if r.is_nan() { None } else { Some(bits(r)) }
            }

            /// The result, unless it is a NaN or the smallest normal number.
            #[inline(always)]
            #[expect(clippy::neg_cmp_op_on_partial_ord, reason = "one comparison also finds NaNs")]
            fn unless_nan_or_least(r: $f) -> Option<u64> {
                let m = r.abs();
                if !(m < <$f>::MIN_POSITIVE || m > <$f>::MIN_POSITIVE) { None } else { Some(bits(r)) }
            }

            #[inline(always)]
            pub(in super::super) fn op2(op: Op2, a: u64, b: u64) -> Option<u64> {
                let (x, y) = (of(a), of(b));
                match op {
                    Op2::Add => unless_nan(sse2op!(concat!("add", $s), x, y)),
                    Op2::Sub => unless_nan(sse2op!(concat!("sub", $s), x, y)),
                    Op2::Mul => unless_nan_or_least(sse2op!(concat!("mul", $s), x, y)),
                    Op2::Div => unless_nan_or_least(sse2op!(concat!("div", $s), x, y)),
                    // Equal operands are the same but for zeros of both signs.
                    Op2::Max if x > y => Some(a),
                    Op2::Max if x < y => Some(b),
                    Op2::Max if x == y => Some(a & b),
                    Op2::Min if x < y => Some(a),
                    Op2::Min if x > y => Some(b),
                    Op2::Min if x == y => Some(a | b),
                    Op2::Max | Op2::Min => None,
                }
            }

            #[inline(always)]
            pub(in super::super) fn sqrt(a: u64) -> Option<u64> {
                unless_nan(sse1op!(concat!("sqrt", $s), of(a) => $f))
            }

            #[inline(always)]
            pub(in super::super) fn mul_add(c: u64, a: u64, b: u64) -> Option<u64> {
                if !has_fma() {
                    return None;
                }
                let mut r = of(c);
                // SAFETY: the host has FMA; registers only.
                unsafe {
                    asm!(concat!("vfmadd231", $s, " {}, {}, {}"), inout(xmm_reg) r, in(xmm_reg) of(a), in(xmm_reg) of(b),
                         options(nomem, nostack, preserves_flags));
                }
                unless_nan_or_least(r)
            }

            #[inline(always)]
            pub(in super::super) fn compare(op: Compare, a: u64, b: u64) -> Option<bool> {
                let (x, y) = (of(a), of(b));
                let mask = match op {
                    Compare::Eq => sse2op!(concat!("cmpeq", $s), x, y),
                    Compare::Ge => sse2op!(concat!("cmple", $s), y, x),
                    Compare::Gt => sse2op!(concat!("cmplt", $s), y, x),
                };
                Some(bits(mask) & 1 != 0)
            }

            #[inline(always)]
            pub(in super::super) fn order(a: u64, b: u64) -> Option<(bool, bool)> {
                let (x, y) = (of(a), of(b));
                if x.is_nan() || y.is_nan() { None } else { Some((x > y, x < y)) }
            }

            /// `a` truncated, as a 64-bit integer; raises Inexact if it was not
            /// integral. `a` is within the range of `i64`.
            #[inline(always)]
            fn truncate(x: $f) -> i64 {
                let r: i64;
                // SAFETY: registers only.
                unsafe {
                    asm!(concat!("cvtt", $s, "2si {}, {}"), out(reg) r, in(xmm_reg) x,
                         options(nomem, nostack, preserves_flags));
                }
                r
            }

            /// To nearest, ties to even, in the host's default rounding mode.
            #[inline(always)]
            fn nearest(x: $f) -> i64 {
                let r: i64;
                // SAFETY: registers only.
                unsafe {
                    asm!(concat!("cvt", $s, "2si {}, {}"), out(reg) r, in(xmm_reg) x,
                         options(nomem, nostack, preserves_flags));
                }
                r
            }

            /// An integral value of `i64` as a floating-point number.
            #[inline(always)]
            fn from_int(value: i64) -> $f {
                let mut r: $f = 0.0;
                // SAFETY: registers only.
                unsafe {
                    asm!(concat!("cvtsi2", $s, " {}, {}"), inout(xmm_reg) r, in(reg) value,
                         options(nomem, nostack, preserves_flags));
                }
                r
            }

            #[inline(always)]
            fn rounded(x: $f, rounding: Rounding) -> i64 {
                if rounding == Rounding::TieEven {
                    return nearest(x);
                }
                let t = truncate(x);
                // Exact: the value fits if it was not integral, else it is `x`.
                let back = from_int(t);
                match rounding {
                    Rounding::NegInf if back > x => t - 1,
                    Rounding::PosInf if back < x => t + 1,
                    Rounding::TieAway if x - back >= 0.5 => t + 1,
                    Rounding::TieAway if x - back <= -0.5 => t - 1,
                    _ => t,
                }
            }

            #[inline(always)]
            pub(in super::super) fn to_signed(a: u64, width: u32, rounding: Rounding) -> Option<u64> {
                let x = of(a);
                // Well inside the range, so that no rounding leaves it.
                const LIMIT: [$f; 2] = [2_147_483_647.0 - 1.0, 9_223_372_036_854_775_808.0];
                let limit = if width == 32 { LIMIT[0] } else { LIMIT[1] };
                let limit = if width == 32 { <$f>::from_bits(limit.to_bits() - 1) } else { limit };
                if x > -limit && x < limit {
                    let r = rounded(x, rounding) as u64;
                    Some(if width == 32 { r & 0xffff_ffff } else { r })
                } else {
                    None
                }
            }

            #[inline(always)]
            pub(in super::super) fn to_unsigned(a: u64, width: u32, rounding: Rounding) -> Option<u64> {
                let x = of(a);
                let limit: $f = if width == 32 { 4_294_967_040.0 } else { 9_223_372_036_854_775_808.0 };
                if x >= 0.0 && x < limit { Some(rounded(x, rounding) as u64) } else { None }
            }

            #[inline(always)]
            pub(in super::super) fn from_signed(a: i64) -> Option<u64> {
                Some(bits(from_int(a)))
            }

            #[inline(always)]
            pub(in super::super) fn from_unsigned(a: u64) -> Option<u64> {
                if a >> 63 == 0 {
                    return Some(bits(from_int(a as i64)));
                }
                // Half of it, with a sticky bit, rounds as the whole does;
                // doubling is exact.
                let half = from_int((a >> 1 | a & 1) as i64);
                Some(bits(half + half))
            }

            #[inline(always)]
            pub(in super::super) fn round_int(a: u64, rounding: Rounding, exact: bool) -> Option<u64> {
                if !has_round() || rounding == Rounding::TieAway || rounding == Rounding::Odd {
                    return None;
                }
                let mut r = of(a);
                macro_rules! round {
                    ($imm:literal) => {
                        // SAFETY: the host has SSE4.1; registers only.
                        unsafe { asm!(concat!("round", $s, " {0}, {0}, ", $imm), inout(xmm_reg) r, options(nomem, nostack, preserves_flags)) }
                    };
                }
                match (rounding, exact) {
                    (Rounding::TieEven, false) => round!("8"),
                    (Rounding::NegInf, false) => round!("9"),
                    (Rounding::PosInf, false) => round!("10"),
                    (_, false) => round!("11"),
                    (Rounding::TieEven, true) => round!("0"),
                    (Rounding::NegInf, true) => round!("1"),
                    (Rounding::PosInf, true) => round!("2"),
                    (_, true) => round!("3"),
                }
                unless_nan(r)
            }

            /// True if no lane is a NaN.
            #[inline(always)]
            fn no_nan(r: $pack) -> bool {
                // SAFETY: SSE2 is baseline.
                unsafe { $movmask($unord(r, r)) == 0 }
            }

            /// True if no lane is a NaN or the smallest normal number.
            #[inline(always)]
            fn no_nan_or_least(r: $pack) -> bool {
                // SAFETY: SSE2 is baseline.
                unsafe {
                    let magnitude = $and(r, $set1(<$f>::from_bits(<$u>::MAX >> 1)));
                    $movmask($or($unord(r, r), $eq(magnitude, $set1(<$f>::MIN_POSITIVE)))) == 0
                }
            }



            #[inline(always)]
            pub(in super::super) fn v_op2(op: Op2, a: V128, b: V128) -> Option<V128> {
                let (x, y) = ($of_int(a), $of_int(b));
                let (r, good) = match op {
                    Op2::Add => {
                        let r = sse2op!(concat!("add", $p), x, y);
                        (r, no_nan(r))
                    }
                    Op2::Sub => {
                        let r = sse2op!(concat!("sub", $p), x, y);
                        (r, no_nan(r))
                    }
                    Op2::Mul => {
                        let r = sse2op!(concat!("mul", $p), x, y);
                        (r, no_nan_or_least(r))
                    }
                    Op2::Div => {
                        let r = sse2op!(concat!("div", $p), x, y);
                        (r, no_nan_or_least(r))
                    }
                    Op2::Max | Op2::Min => {
                        // SAFETY: SSE2 is baseline.
                        if unsafe { $movmask($unord(x, y)) } != 0 {
                            return None;
                        }
                        // Of equal operands (zeros) the second is returned, so
                        // both orders together have both signs.
                        if op == Op2::Max {
                            let (l, r) = (sse2op!(concat!("max", $p), x, y), sse2op!(concat!("max", $p), y, x));
                            // SAFETY: as above.
                            (unsafe { $and(l, r) }, true)
                        } else {
                            let (l, r) = (sse2op!(concat!("min", $p), x, y), sse2op!(concat!("min", $p), y, x));
                            // SAFETY: as above.
                            (unsafe { $or(l, r) }, true)
                        }
                    }
                };
                if good { Some($to_int(r)) } else { None }
            }

            #[inline(always)]
            pub(in super::super) fn v_sqrt(a: V128) -> Option<V128> {
                let r = sse1op!(concat!("sqrt", $p), $of_int(a) => $pack);
                if no_nan(r) { Some($to_int(r)) } else { None }
            }

            #[inline(always)]
            pub(in super::super) fn v_mul_add(c: V128, a: V128, b: V128) -> Option<V128> {
                if !has_fma() {
                    return None;
                }
                let mut r = $of_int(c);
                // SAFETY: the host has FMA; registers only.
                unsafe {
                    asm!(concat!("vfmadd231", $p, " {}, {}, {}"), inout(xmm_reg) r, in(xmm_reg) $of_int(a), in(xmm_reg) $of_int(b),
                         options(nomem, nostack, preserves_flags));
                }
                if no_nan_or_least(r) { Some($to_int(r)) } else { None }
            }

            #[inline(always)]
            pub(in super::super) fn v_compare(op: Compare, a: V128, b: V128) -> Option<V128> {
                let (x, y) = ($of_int(a), $of_int(b));
                Some($to_int(match op {
                    Compare::Eq => sse2op!(concat!("cmpeq", $p), x, y),
                    Compare::Ge => sse2op!(concat!("cmple", $p), y, x),
                    Compare::Gt => sse2op!(concat!("cmplt", $p), y, x),
                }))
            }
        }
    };
}

precision!(
    single,
    f32,
    u32,
    __m128,
    "ss",
    "ps",
    ps_of_int,
    int_of_ps,
    _mm_movemask_ps,
    _mm_set1_ps,
    _mm_cmpunord_ps,
    _mm_cmpeq_ps,
    _mm_or_ps,
    _mm_and_ps
);
precision!(
    double,
    f64,
    u64,
    __m128d,
    "sd",
    "pd",
    pd_of_int,
    int_of_pd,
    _mm_movemask_pd,
    _mm_set1_pd,
    _mm_cmpunord_pd,
    _mm_cmpeq_pd,
    _mm_or_pd,
    _mm_and_pd
);

#[inline(always)]
pub(super) fn narrow(a: u64) -> Option<u64> {
    let mut r = f64::from_bits(a);
    // SAFETY: baseline SSE2, registers only.
    unsafe {
        asm!("cvtsd2ss {0}, {0}", inout(xmm_reg) r, options(nomem, nostack, preserves_flags))
    };
    let r = f32::from_bits(r.to_bits() as u32);
    let m = r.abs();
    #[expect(
        clippy::neg_cmp_op_on_partial_ord,
        reason = "one comparison also finds NaNs"
    )]
    if !(m < f32::MIN_POSITIVE || m > f32::MIN_POSITIVE) {
        None
    } else {
        Some(u64::from(r.to_bits()))
    }
}

#[inline(always)]
pub(super) fn widen(a: u64) -> Option<u64> {
    let x = f32::from_bits(a as u32);
    if x.is_nan() {
        None
    } else {
        Some(f64::from(x).to_bits())
    }
}
