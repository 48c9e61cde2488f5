//! SSE2, with FMA3 and SSE4.1's rounding where the host has them.

use core::arch::asm;
use core::arch::x86_64::{__m128, __m128d};
use core::sync::atomic::{AtomicU8, Ordering::Relaxed};

use crate::fp::{FPSR_DZC, FPSR_IOC, FPSR_IXC, FPSR_OFC, FPSR_UFC, Rounding};
use crate::simd::V128;

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
    // SAFETY: callers clear sticky flags, which Rust leaves unspecified, or set
    // the modes that Rust expects, or put back those that they found.
    unsafe { asm!("ldmxcsr [{}]", in(reg) &raw const mxcsr, options(nostack, preserves_flags, readonly)) };
}

/// MXCSR with every exception masked, rounding to nearest, denormals kept, and
/// no flag: what Arm's FPCR = 0 means.
const MXCSR_DEFAULT: u32 = 0x1f80;

/// Prepares the FPU for guest code; what it gives is to be handed to [`leave`].
/// An embedding program may have set modes of its own.
#[inline]
#[must_use]
pub fn enter() -> u32 {
    let mxcsr = read_mxcsr();
    if mxcsr != MXCSR_DEFAULT {
        write_mxcsr(MXCSR_DEFAULT);
    }
    mxcsr
}

/// Ends what [`enter`] began; gives the FPSR bits raised since.
#[inline]
#[must_use]
pub fn leave(before: u32) -> u32 {
    let fpsr = take_flags();
    if before != MXCSR_DEFAULT {
        write_mxcsr(before);
    }
    fpsr
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
    for (bit, flag) in [(0, FPSR_IOC), (2, FPSR_DZC), (3, FPSR_OFC), (4, FPSR_UFC), (5, FPSR_IXC)] {
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

/// `ROUND` of `$name`'s kind, to an integral value. Bit 3 of the immediate
/// keeps Inexact away.
// Formatting the macro inside does not come to rest.
#[rustfmt::skip]
macro_rules! round {
    ($name:literal, $a:expr, $rounding:expr, $exact:expr) => {{
        let mut r = $a;
        macro_rules! with {
            ($imm:literal) => {
                // SAFETY: the host has SSE4.1; registers only.
                unsafe {
                    asm!(concat!("round", $name, " {0}, {0}, ", $imm), inout(xmm_reg) r,
                         options(nomem, nostack, preserves_flags));
                }
            };
        }
        match ($rounding, $exact) {
            (Rounding::TieEven, false) => with!("8"),
            (Rounding::NegInf, false) => with!("9"),
            (Rounding::PosInf, false) => with!("10"),
            (_, false) => with!("11"),
            (Rounding::TieEven, true) => with!("0"),
            (Rounding::NegInf, true) => with!("1"),
            (Rounding::PosInf, true) => with!("2"),
            (_, true) => with!("3"),
        }
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
        $m:ident, $f:ty, $u:ty, $i:ty, $pack:ident, $s:literal, $p:literal, $of_int:ident, $to_int:ident,
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

            /// Whether a pattern is a NaN; with integers, so that no flag can be
            /// raised, also not for lanes that are not in use.
            #[inline(always)]
            fn is_nan(bits: u64) -> bool {
                bits as $u & (<$u>::MAX >> 1) > <$f>::INFINITY.to_bits()
            }

            /// The result, unless it is a NaN. For scalars only: LLVM may turn
            /// several comparisons into one of more lanes than are in use.
            #[inline(always)]
            fn unless_nan(r: $f) -> Option<u64> {
                if r.is_nan() { None } else { Some(bits(r)) }
            }

            /// The result, unless it is a NaN or the smallest normal number. For
            /// scalars only, as [`unless_nan`].
            #[inline(always)]
            #[expect(clippy::double_comparisons, reason = "neither holds for a NaN, and one instruction does both")]
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
                    Op2::Max | Op2::Min if is_nan(a) || is_nan(b) => None,
                    // Of equal operands (zeros) the second is returned, so both
                    // orders together have both signs.
                    Op2::Max => {
                        Some(bits(sse2op!(concat!("max", $s), x, y)) & bits(sse2op!(concat!("max", $s), y, x)))
                    }
                    Op2::Min => {
                        Some(bits(sse2op!(concat!("min", $s), x, y)) | bits(sse2op!(concat!("min", $s), y, x)))
                    }
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
                let (greater, less, unordered): (u8, u8, u8);
                // SAFETY: registers only.
                unsafe {
                    asm!(concat!("ucomi", $s, " {x}, {y}"), "seta {a}", "setb {b}", "setp {p}",
                         x = in(xmm_reg) of(a), y = in(xmm_reg) of(b),
                         a = out(reg_byte) greater, b = out(reg_byte) less, p = out(reg_byte) unordered,
                         options(nomem, nostack));
                }
                if unordered != 0 { None } else { Some((greater != 0, less != 0)) }
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
                // All ones, which is -1, where the comparison holds.
                let below = |a: $f, b: $f| bits(sse2op!(concat!("cmplt", $s), a, b)) as $i as i64;
                let not_above = |a: $f, b: $f| bits(sse2op!(concat!("cmple", $s), a, b)) as $i as i64;
                match rounding {
                    Rounding::NegInf => t + below(x, back),
                    Rounding::PosInf => t - below(back, x),
                    Rounding::TieAway => {
                        let rest = sse2op!(concat!("sub", $s), x, back);
                        t - not_above(0.5, rest) + not_above(rest, -0.5)
                    }
                    _ => t,
                }
            }

            #[inline(always)]
            pub(in super::super) fn to_signed(a: u64, width: u32, rounding: Rounding) -> Option<u64> {
                // Well inside the range, so that no rounding leaves it. Magnitudes
                // compare as integers, and NaNs are above all.
                let limit: $f = if width == 32 { 2_147_483_520.0 } else { 9_223_372_036_854_775_808.0 };
                if a as $u & (<$u>::MAX >> 1) < limit.to_bits() {
                    let r = rounded(of(a), rounding) as u64;
                    Some(if width == 32 { r & 0xffff_ffff } else { r })
                } else {
                    None
                }
            }

            #[inline(always)]
            pub(in super::super) fn to_unsigned(a: u64, width: u32, rounding: Rounding) -> Option<u64> {
                let limit: $f = if width == 32 { 4_294_967_040.0 } else { 9_223_372_036_854_775_808.0 };
                // A sign makes the pattern too large.
                if (a as $u) < limit.to_bits() { Some(rounded(of(a), rounding) as u64) } else { None }
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
                Some(bits(sse2op!(concat!("add", $s), half, half)))
            }

            #[inline(always)]
            pub(in super::super) fn scale(a: u64, power: u64) -> Option<u64> {
                Some(bits(sse2op!(concat!("mul", $s), of(a), of(power))))
            }

            #[inline(always)]
            pub(in super::super) fn v_scale(a: V128, power: V128) -> Option<V128> {
                Some($to_int(sse2op!(concat!("mul", $p), $of_int(a), $of_int(power))))
            }

            #[inline(always)]
            pub(in super::super) fn round_int(a: u64, rounding: Rounding, exact: bool) -> Option<u64> {
                if !has_round() || rounding == Rounding::TieAway || rounding == Rounding::Odd {
                    return None;
                }
                unless_nan(round!($s, of(a), rounding, exact))
            }

            #[inline(always)]
            pub(in super::super) fn v_round_int(a: V128, rounding: Rounding, exact: bool) -> Option<V128> {
                if !has_round() || rounding == Rounding::TieAway || rounding == Rounding::Odd {
                    return None;
                }
                let r = round!($p, $of_int(a), rounding, exact);
                if no_nan(r) { Some($to_int(r)) } else { None }
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
    i32,
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
    i64,
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
    unsafe { asm!("cvtsd2ss {0}, {0}", inout(xmm_reg) r, options(nomem, nostack, preserves_flags)) };
    let r = r.to_bits() as u32;
    let magnitude = r & (u32::MAX >> 1);
    let is_settled = magnitude <= f32::INFINITY.to_bits() && magnitude != f32::MIN_POSITIVE.to_bits();
    if is_settled { Some(u64::from(r)) } else { None }
}

#[inline(always)]
pub(super) fn widen(a: u64) -> Option<u64> {
    if a as u32 & (u32::MAX >> 1) > f32::INFINITY.to_bits() {
        return None;
    }
    let r: f64;
    // SAFETY: baseline SSE2, registers only.
    unsafe {
        asm!("cvtss2sd {}, {}", out(xmm_reg) r, in(xmm_reg) f32::from_bits(a as u32),
             options(nomem, nostack, preserves_flags));
    }
    Some(r.to_bits())
}

/// Four single-precision numbers to signed integers; towards zero, or to
/// nearest.
#[inline(always)]
pub(super) fn v_to_signed_32(a: V128, rounding: Rounding) -> Option<V128> {
    let r = match rounding {
        Rounding::Zero => sse1op!("cvttps2dq", ps_of_int(a) => __m128),
        Rounding::TieEven => sse1op!("cvtps2dq", ps_of_int(a) => __m128),
        _ => return None,
    };
    let r = int_of_ps(r);
    // What does not fit becomes the most negative number.
    if r.lanes::<u32>().contains(&(1 << 31)) { None } else { Some(r) }
}

/// Four signed integers to single precision.
#[inline(always)]
pub(super) fn v_from_signed_32(a: V128) -> Option<V128> {
    Some(int_of_ps(sse1op!("cvtdq2ps", ps_of_int(a) => __m128)))
}
