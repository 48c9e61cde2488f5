//! Loads and stores, but for Advanced SIMD structures.

use a64::Insn;

use crate::domain::{rmw, size};
use crate::lower::{Draft, Lower, dst, sp, src, vreg};
use crate::sem::atomic::{
    Atomic, CompareAndSwap, CompareAndSwapPair, LoadAcquire, LoadExclusive, LoadExclusivePair, StoreExclusive,
    StoreExclusivePair, StoreRelease,
};
use crate::sem::mem::{Load, LoadIndexed, LoadPair, Store, StoreIndexed, StorePair, extend, index, mode};
use crate::sem::mem_fp::{LoadPairV, LoadV, LoadVIndexed, StorePairV, StoreV, StoreVIndexed};
use crate::sem::system::Nop;

/// The body for each integer size, with `$s` as a constant.
macro_rules! by_size {
    ($size:expr, $s:ident => $body:expr) => {
        match $size {
            0 => {
                const $s: u8 = size::B;
                $body
            }
            1 => {
                const $s: u8 = size::H;
                $body
            }
            2 => {
                const $s: u8 = size::W;
                $body
            }
            _ => {
                const $s: u8 = size::X;
                $body
            }
        }
    };
}

/// The body for words and doublewords.
macro_rules! by_sz {
    ($is_x:expr, $s:ident => $body:expr) => {
        if $is_x {
            const $s: u8 = size::X;
            $body
        } else {
            const $s: u8 = size::W;
            $body
        }
    };
}

/// The body for each size of a SIMD&FP register.
macro_rules! by_vsize {
    ($size:expr, $s:ident => $body:expr) => {
        match $size {
            0 => {
                const $s: u8 = size::B;
                $body
            }
            1 => {
                const $s: u8 = size::H;
                $body
            }
            2 => {
                const $s: u8 = size::W;
                $body
            }
            3 => {
                const $s: u8 = size::X;
                $body
            }
            _ => {
                const $s: u8 = size::Q;
                $body
            }
        }
    };
}

/// log2 of the bytes of a SIMD&FP access: `opc<1>:size`.
fn vsize(i: Insn) -> u32 {
    if i.opc_22() & 2 != 0 { 4 } else { i.size() }
}

// The immediate of each addressing mode, in bytes.

fn scaled(i: Insn, size: u32) -> i32 {
    (i.imm12() << size).cast_signed()
}

fn unscaled(i: Insn) -> i32 {
    i.simm9() as i32
}

fn pair_scaled(i: Insn, size: u32) -> i32 {
    (i.simm7() as i32) << size
}

fn literal(i: Insn, c: &Lower<'_>) -> i32 {
    (c.page_offset() + i.offset19()) as i32
}

fn nop(c: &mut Lower<'_>) -> Draft {
    c.op::<Nop>([0; 4], 0)
}

// One register and an immediate.

fn load<const MODE: u8>(i: Insn, c: &mut Lower<'_>, imm: i32) -> Draft {
    let r = [dst(i.rt()), sp(i.rn()), 0, 0];
    by_size!(i.size(), S => c.op::<Load<S, { extend::ZERO }, MODE>>(r, imm))
}

fn load_signed<const MODE: u8>(i: Insn, c: &mut Lower<'_>, imm: i32) -> Draft {
    let r = [dst(i.rt()), sp(i.rn()), 0, 0];
    if i.opc_22() == 3 {
        by_size!(i.size().min(1), S => c.op::<Load<S, { extend::SIGN32 }, MODE>>(r, imm))
    } else {
        by_size!(i.size().min(2), S => c.op::<Load<S, { extend::SIGN64 }, MODE>>(r, imm))
    }
}

fn store<const MODE: u8>(i: Insn, c: &mut Lower<'_>, imm: i32) -> Draft {
    let r = [src(i.rt()), sp(i.rn()), 0, 0];
    by_size!(i.size(), S => c.op::<Store<S, MODE>>(r, imm))
}

fn load_v<const MODE: u8>(i: Insn, c: &mut Lower<'_>, imm: i32) -> Draft {
    let r = [vreg(i.rt()), sp(i.rn()), 0, 0];
    by_vsize!(vsize(i), S => c.op::<LoadV<S, MODE>>(r, imm))
}

fn store_v<const MODE: u8>(i: Insn, c: &mut Lower<'_>, imm: i32) -> Draft {
    let r = [vreg(i.rt()), sp(i.rn()), 0, 0];
    by_vsize!(vsize(i), S => c.op::<StoreV<S, MODE>>(r, imm))
}

/// A row for one register and an immediate.
macro_rules! single {
    ($($name:ident = $f:ident::<$mode:ident>($imm:expr);)*) => {$(
        pub(super) fn $name(i: Insn, c: &mut Lower<'_>) -> Draft {
            let imm: fn(Insn) -> i32 = $imm;
            $f::<{ mode::$mode }>(i, c, imm(i))
        }
    )*};
}
single! {
    LDR_ldst_pos = load::<OFFSET>(|i| scaled(i, i.size()));
    STR_ldst_pos = store::<OFFSET>(|i| scaled(i, i.size()));
    LDRS_ldst_pos = load_signed::<OFFSET>(|i| scaled(i, i.size()));
    LDR_fp_ldst_pos = load_v::<OFFSET>(|i| scaled(i, vsize(i)));
    STR_fp_ldst_pos = store_v::<OFFSET>(|i| scaled(i, vsize(i)));
    LDUR_ldst_unscaled = load::<OFFSET>(unscaled);
    STUR_ldst_unscaled = store::<OFFSET>(unscaled);
    LDURS_ldst_unscaled = load_signed::<OFFSET>(unscaled);
    LDUR_fp_ldst_unscaled = load_v::<OFFSET>(unscaled);
    STUR_fp_ldst_unscaled = store_v::<OFFSET>(unscaled);
    LDTR_ldst_unpriv = load::<OFFSET>(unscaled);
    STTR_ldst_unpriv = store::<OFFSET>(unscaled);
    LDTRS_ldst_unpriv = load_signed::<OFFSET>(unscaled);
    LDR_ldst_immpre = load::<PRE>(unscaled);
    STR_ldst_immpre = store::<PRE>(unscaled);
    LDRS_ldst_immpre = load_signed::<PRE>(unscaled);
    LDR_fp_ldst_immpre = load_v::<PRE>(unscaled);
    STR_fp_ldst_immpre = store_v::<PRE>(unscaled);
    LDR_ldst_immpost = load::<POST>(unscaled);
    STR_ldst_immpost = store::<POST>(unscaled);
    LDRS_ldst_immpost = load_signed::<POST>(unscaled);
    LDR_fp_ldst_immpost = load_v::<POST>(unscaled);
    STR_fp_ldst_immpost = store_v::<POST>(unscaled);
}

// Literals.

pub(super) fn LDR_loadlit(i: Insn, c: &mut Lower<'_>) -> Draft {
    let (r, imm) = ([dst(i.rt()), 0, 0, 0], literal(i, c));
    by_sz!(i.opc() == 1, S => c.op::<Load<S, { extend::ZERO }, { mode::LITERAL }>>(r, imm))
}

pub(super) fn LDRSW_loadlit(i: Insn, c: &mut Lower<'_>) -> Draft {
    let (r, imm) = ([dst(i.rt()), 0, 0, 0], literal(i, c));
    c.op::<Load<{ size::W }, { extend::SIGN64 }, { mode::LITERAL }>>(r, imm)
}

pub(super) fn LDR_fp_loadlit(i: Insn, c: &mut Lower<'_>) -> Draft {
    let (r, imm) = ([vreg(i.rt()), 0, 0, 0], literal(i, c));
    by_vsize!(i.opc() + 2, S => c.op::<LoadV<S, { mode::LITERAL }>>(r, imm))
}

// One register and an index register.

/// The body for each way to use the index register: `$x` is how it is
/// extended, `$h` by how much it is shifted.
macro_rules! by_index {
    ($i:expr, $s:ident, $x:ident, $h:ident => $body:expr) => {
        match ($i.option(), $i.s()) {
            (2, 0) => {
                const $x: u8 = index::UXTW;
                const $h: u8 = 0;
                $body
            }
            (2, _) => {
                const $x: u8 = index::UXTW;
                const $h: u8 = $s;
                $body
            }
            (6, 0) => {
                const $x: u8 = index::SXTW;
                const $h: u8 = 0;
                $body
            }
            (6, _) => {
                const $x: u8 = index::SXTW;
                const $h: u8 = $s;
                $body
            }
            (_, 0) => {
                const $x: u8 = index::X;
                const $h: u8 = 0;
                $body
            }
            _ => {
                const $x: u8 = index::X;
                const $h: u8 = $s;
                $body
            }
        }
    };
}

pub(super) fn LDR_ldst_regoff(i: Insn, c: &mut Lower<'_>) -> Draft {
    let r = [dst(i.rt()), sp(i.rn()), src(i.rm()), 0];
    by_size!(i.size(), S => by_index!(i, S, X, H => c.op::<LoadIndexed<S, { extend::ZERO }, X, H>>(r, 0)))
}

pub(super) fn LDRS_ldst_regoff(i: Insn, c: &mut Lower<'_>) -> Draft {
    let r = [dst(i.rt()), sp(i.rn()), src(i.rm()), 0];
    if i.opc_22() == 3 {
        by_size!(i.size().min(1), S =>
            by_index!(i, S, X, H => c.op::<LoadIndexed<S, { extend::SIGN32 }, X, H>>(r, 0)))
    } else {
        by_size!(i.size().min(2), S =>
            by_index!(i, S, X, H => c.op::<LoadIndexed<S, { extend::SIGN64 }, X, H>>(r, 0)))
    }
}

pub(super) fn STR_ldst_regoff(i: Insn, c: &mut Lower<'_>) -> Draft {
    let r = [src(i.rt()), sp(i.rn()), src(i.rm()), 0];
    by_size!(i.size(), S => by_index!(i, S, X, H => c.op::<StoreIndexed<S, X, H>>(r, 0)))
}

pub(super) fn LDR_fp_ldst_regoff(i: Insn, c: &mut Lower<'_>) -> Draft {
    let r = [vreg(i.rt()), sp(i.rn()), src(i.rm()), 0];
    by_vsize!(vsize(i), S => by_index!(i, S, X, H => c.op::<LoadVIndexed<S, X, H>>(r, 0)))
}

pub(super) fn STR_fp_ldst_regoff(i: Insn, c: &mut Lower<'_>) -> Draft {
    let r = [vreg(i.rt()), sp(i.rn()), src(i.rm()), 0];
    by_vsize!(vsize(i), S => by_index!(i, S, X, H => c.op::<StoreVIndexed<S, X, H>>(r, 0)))
}

// Pairs.

fn load_pair<const MODE: u8>(i: Insn, c: &mut Lower<'_>) -> Draft {
    let r = [dst(i.rt()), sp(i.rn()), 0, dst(i.rt2())];
    by_sz!(i.opc() == 2, S =>
        c.op::<LoadPair<S, { extend::ZERO }, MODE>>(r, pair_scaled(i, u32::from(S))))
}

fn load_pair_signed<const MODE: u8>(i: Insn, c: &mut Lower<'_>) -> Draft {
    let r = [dst(i.rt()), sp(i.rn()), 0, dst(i.rt2())];
    c.op::<LoadPair<{ size::W }, { extend::SIGN64 }, MODE>>(r, pair_scaled(i, 2))
}

fn store_pair<const MODE: u8>(i: Insn, c: &mut Lower<'_>) -> Draft {
    let r = [src(i.rt()), sp(i.rn()), 0, src(i.rt2())];
    by_sz!(i.opc() == 2, S => c.op::<StorePair<S, MODE>>(r, pair_scaled(i, u32::from(S))))
}

fn load_pair_v<const MODE: u8>(i: Insn, c: &mut Lower<'_>) -> Draft {
    let r = [vreg(i.rt()), sp(i.rn()), 0, vreg(i.rt2())];
    by_vsize!(i.opc() + 2, S => c.op::<LoadPairV<S, MODE>>(r, pair_scaled(i, u32::from(S))))
}

fn store_pair_v<const MODE: u8>(i: Insn, c: &mut Lower<'_>) -> Draft {
    let r = [vreg(i.rt()), sp(i.rn()), 0, vreg(i.rt2())];
    by_vsize!(i.opc() + 2, S => c.op::<StorePairV<S, MODE>>(r, pair_scaled(i, u32::from(S))))
}

/// A row for two registers and an immediate.
macro_rules! pair {
    ($($name:ident = $f:ident::<$mode:ident>;)*) => {$(
        pub(super) fn $name(i: Insn, c: &mut Lower<'_>) -> Draft {
            $f::<{ mode::$mode }>(i, c)
        }
    )*};
}
pair! {
    LDP_ldstpair_off = load_pair::<OFFSET>;
    LDP_ldstpair_pre = load_pair::<PRE>;
    LDP_ldstpair_post = load_pair::<POST>;
    LDNP_ldstnapair_offs = load_pair::<OFFSET>;
    LDPSW_ldstpair_off = load_pair_signed::<OFFSET>;
    LDPSW_ldstpair_pre = load_pair_signed::<PRE>;
    LDPSW_ldstpair_post = load_pair_signed::<POST>;
    STP_ldstpair_off = store_pair::<OFFSET>;
    STP_ldstpair_pre = store_pair::<PRE>;
    STP_ldstpair_post = store_pair::<POST>;
    STNP_ldstnapair_offs = store_pair::<OFFSET>;
    LDP_fp_ldstpair_off = load_pair_v::<OFFSET>;
    LDP_fp_ldstpair_pre = load_pair_v::<PRE>;
    LDP_fp_ldstpair_post = load_pair_v::<POST>;
    LDNP_fp_ldstnapair_offs = load_pair_v::<OFFSET>;
    STP_fp_ldstpair_off = store_pair_v::<OFFSET>;
    STP_fp_ldstpair_pre = store_pair_v::<PRE>;
    STP_fp_ldstpair_post = store_pair_v::<POST>;
    STNP_fp_ldstnapair_offs = store_pair_v::<OFFSET>;
}

// Exclusive and ordered.

fn load_ordered(i: Insn, c: &mut Lower<'_>) -> Draft {
    let r = [dst(i.rt()), sp(i.rn()), 0, 0];
    by_size!(i.size(), S => c.op::<LoadAcquire<S, { extend::ZERO }, { mode::BASE }>>(r, 0))
}

fn store_ordered(i: Insn, c: &mut Lower<'_>) -> Draft {
    let r = [src(i.rt()), sp(i.rn()), 0, 0];
    by_size!(i.size(), S => c.op::<StoreRelease<S, { mode::BASE }>>(r, 0))
}

pub(super) fn LDAPUR_ldapstl_unscaled(i: Insn, c: &mut Lower<'_>) -> Draft {
    let r = [dst(i.rt()), sp(i.rn()), 0, 0];
    by_size!(i.size(), S => c.op::<LoadAcquire<S, { extend::ZERO }, { mode::OFFSET }>>(r, unscaled(i)))
}

pub(super) fn LDAPURS_ldapstl_unscaled(i: Insn, c: &mut Lower<'_>) -> Draft {
    let r = [dst(i.rt()), sp(i.rn()), 0, 0];
    if i.opc_22() == 3 {
        by_size!(i.size().min(1), S => c.op::<LoadAcquire<S, { extend::SIGN32 }, { mode::OFFSET }>>(r, unscaled(i)))
    } else {
        by_size!(i.size().min(2), S => c.op::<LoadAcquire<S, { extend::SIGN64 }, { mode::OFFSET }>>(r, unscaled(i)))
    }
}

pub(super) fn STLUR_ldapstl_unscaled(i: Insn, c: &mut Lower<'_>) -> Draft {
    let r = [src(i.rt()), sp(i.rn()), 0, 0];
    by_size!(i.size(), S => c.op::<StoreRelease<S, { mode::OFFSET }>>(r, unscaled(i)))
}

fn load_exclusive(i: Insn, c: &mut Lower<'_>) -> Draft {
    let r = [dst(i.rt()), sp(i.rn()), 0, 0];
    by_size!(i.size(), S => c.op::<LoadExclusive<S>>(r, 0))
}

fn store_exclusive(i: Insn, c: &mut Lower<'_>) -> Draft {
    let r = [src(i.rt()), sp(i.rn()), dst(i.rs()), 0];
    by_size!(i.size(), S => c.op::<StoreExclusive<S>>(r, 0))
}

fn load_exclusive_pair(i: Insn, c: &mut Lower<'_>) -> Draft {
    let r = [dst(i.rt()), sp(i.rn()), 0, dst(i.rt2())];
    by_sz!(i.sz_30() == 1, S => c.op::<LoadExclusivePair<S>>(r, 0))
}

fn store_exclusive_pair(i: Insn, c: &mut Lower<'_>) -> Draft {
    let r = [src(i.rt()), sp(i.rn()), dst(i.rs()), src(i.rt2())];
    by_sz!(i.sz_30() == 1, S => c.op::<StoreExclusivePair<S>>(r, 0))
}

/// Rows that are other rows but for their order.
macro_rules! rows {
    ($($f:ident: $($name:ident)*;)*) => {$($(
        pub(super) fn $name(i: Insn, c: &mut Lower<'_>) -> Draft {
            $f(i, c)
        }
    )*)*};
}
rows! {
    load_ordered: LDAR_ldstord LDLAR_ldstord LDAPR_memop;
    store_ordered: STLR_ldstord STLLR_ldstord;
    load_exclusive: LDXR_ldstexclr LDAXR_ldstexclr;
    store_exclusive: STXR_ldstexclr STLXR_ldstexclr;
    load_exclusive_pair: LDXP_ldstexclp LDAXP_ldstexclp;
    store_exclusive_pair: STXP_ldstexclp STLXP_ldstexclp;
}

// Atomic.

/// A row for an atomic read-modify-write.
macro_rules! atomic {
    ($($name:ident $op:ident;)*) => {$(
        pub(super) fn $name(i: Insn, c: &mut Lower<'_>) -> Draft {
            let r = [dst(i.rt()), sp(i.rn()), src(i.rs()), 0];
            by_size!(i.size(), S => c.op::<Atomic<{ rmw::$op }, S>>(r, 0))
        }
    )*};
}
atomic! {
    LDADD_memop ADD;
    LDCLR_memop CLR;
    LDEOR_memop EOR;
    LDSET_memop SET;
    LDSMAX_memop SMAX;
    LDSMIN_memop SMIN;
    LDUMAX_memop UMAX;
    LDUMIN_memop UMIN;
    SWP_memop SWP;
}

pub(super) fn CAS_comswap(i: Insn, c: &mut Lower<'_>) -> Draft {
    let r = [src(i.rt()), sp(i.rn()), src(i.rs()), dst(i.rs())];
    by_size!(i.size(), S => c.op::<CompareAndSwap<S>>(r, 0))
}

pub(super) fn CASP_comswappr(i: Insn, c: &mut Lower<'_>) -> Draft {
    let r = [src(i.rt()), sp(i.rn()), src(i.rs()), dst(i.rs())];
    let imm = i32::from_le_bytes([src(i.rt() + 1), src(i.rs() + 1), dst(i.rs() + 1), 0]);
    by_sz!(i.sz_30() == 1, S => c.op::<CompareAndSwapPair<S>>(r, imm))
}

// Prefetches.

/// Rows that do nothing.
macro_rules! prefetch {
    ($($name:ident)*) => {$(
        pub(super) fn $name(_i: Insn, c: &mut Lower<'_>) -> Draft {
            nop(c)
        }
    )*};
}
prefetch! { PRFM_loadlit PRFM_ldst_pos PRFM_ldst_regoff PRFUM_ldst_unscaled }
