//! Moving elements: duplication, insertion, interleaving, extraction, tables.

use core::marker::PhantomData;

use super::{Lane, V128, VectorOp};

/// The even and the odd lanes of `b:a`; of their low halves unless `Q`, with
/// nothing of interest above.
#[inline(always)]
pub(super) fn unzip<T: Lane, const Q: bool>(a: V128, b: V128) -> (V128, V128) {
    let (x, y) = (a.lanes::<T>(), b.lanes::<T>());
    let (x, y) = (x.as_ref(), y.as_ref());
    let half = if Q { T::COUNT / 2 } else { T::COUNT / 4 };
    let pick = |odd: usize| {
        T::array(|i| {
            if half == 0 {
                // One lane of 64 bits: the pair is the two operands.
                if odd == 0 { x[0] } else { y[0] }
            } else if i < half {
                x[2 * i + odd]
            } else {
                y[(2 * (i - half) + odd) & (T::COUNT - 1)]
            }
        })
    };
    (V128::from_lanes::<T>(pick(0)), V128::from_lanes::<T>(pick(1)))
}

macro_rules! two_ways {
    ($($(#[$doc:meta])* $name:ident($x:ident, $y:ident, $i:ident, $half:ident) = $result:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name<T, const Q: bool>(PhantomData<T>);

        impl<T: Lane, const Q: bool> VectorOp for $name<T, Q> {
            #[inline(always)]
            fn eval(a: V128, b: V128, _: V128, _: u64) -> V128 {
                let (x, y) = (a.lanes::<T>(), b.lanes::<T>());
                let ($x, $y) = (x.as_ref(), y.as_ref());
                let $half = if Q { T::COUNT / 2 } else { T::COUNT / 4 };
                // Unless Q, what comes out of the high half is dropped.
                let wrap = |i: usize| i & (T::COUNT - 1);
                let _ = $half;
                V128::from_lanes::<T>(T::array(|$i| {
                    let picked: (bool, usize) = $result;
                    if picked.0 { $y[wrap(picked.1)] } else { $x[wrap(picked.1)] }
                }))
            }
        }
    )*};
}

two_ways! {
    /// `ZIP1`: the low halves interleaved.
    Zip1(x, y, i, half) = (i & 1 != 0, i / 2);
    /// `ZIP2`: the high halves interleaved.
    Zip2(x, y, i, half) = (i & 1 != 0, i / 2 + half);
    /// `UZP1`: the even lanes.
    Uzp1(x, y, i, half) = (i >= half, 2 * if i >= half { i - half } else { i });
    /// `UZP2`: the odd lanes.
    Uzp2(x, y, i, half) = (i >= half, 2 * if i >= half { i - half } else { i } + 1);
    /// `TRN1`: the even lanes, interleaved.
    Trn1(x, y, i, half) = (i & 1 != 0, i & !1);
    /// `TRN2`: the odd lanes, interleaved.
    Trn2(x, y, i, half) = (i & 1 != 0, i | 1);
}

/// Lane `n` of `a` in every lane.
#[derive(Debug)]
pub struct Dup<T>(PhantomData<T>);

impl<T: Lane> VectorOp for Dup<T> {
    #[inline(always)]
    fn eval(a: V128, _: V128, _: V128, n: u64) -> V128 {
        V128::splat(a.lane::<T>(n as usize))
    }
}

/// Lane `n` of `a` as a number, sign extended to 64 bits if the lane is signed.
#[derive(Debug)]
pub struct Extract<T>(PhantomData<T>);

impl<T: Lane> VectorOp for Extract<T> {
    #[inline(always)]
    fn eval(a: V128, _: V128, _: V128, n: u64) -> V128 {
        V128::from_halves(a.lane::<T>(n as usize).extend() as u64, 0)
    }
}

/// Zeros, ones for one lane, and zeros: the vector that starts `i` lanes before
/// the ones selects lane `i`.
const fn selector<T: Lane>() -> [u8; 48] {
    let mut bytes = [0; 48];
    let mut i = 0;
    while i < T::BITS as usize / 8 {
        bytes[16 + i] = 0xff;
        i += 1;
    }
    bytes
}

/// `v` with lane `i` replaced, for an index that is not known before. A store
/// of the lane into a vector in memory would stall the load that follows.
#[inline(always)]
fn insert<T: Lane>(v: V128, i: usize, value: T) -> V128 {
    let at = 16 - (i & (T::COUNT - 1)) * (T::BITS as usize / 8);
    let selector: &'static [u8; 48] = const { &selector::<T>() };
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&selector[at..at + 16]);
    let mask = V128::from_lanes::<u8>(bytes);
    let value = V128::splat(value).zip::<u64>(mask, |v, m| v & m);
    v.zip::<u64>(mask, |v, m| v & !m).zip::<u64>(value, |a, b| a | b)
}

/// `c` with lane `n & 15` replaced by lane `n >> 4` of `a`.
#[derive(Debug)]
pub struct Insert<T>(PhantomData<T>);

impl<T: Lane> VectorOp for Insert<T> {
    #[inline(always)]
    fn eval(a: V128, _: V128, c: V128, n: u64) -> V128 {
        insert::<T>(c, n as usize & 15, a.lane::<T>((n >> 4) as usize))
    }
}

/// `EXT`: the vector from byte `n` of `b:a` on; of their low halves unless `Q`.
#[derive(Debug)]
pub struct Ext<const Q: bool>;

impl<const Q: bool> VectorOp for Ext<Q> {
    #[inline(always)]
    fn eval(a: V128, b: V128, _: V128, n: u64) -> V128 {
        if Q {
            let (a, b) = (a.to_u128(), b.to_u128());
            let shift = 8 * (n as u32 & 15);
            V128::from_u128(if shift == 0 { a } else { a >> shift | b << (128 - shift) })
        } else {
            let both = u128::from(a.low()) | u128::from(b.low()) << 64;
            V128::from_halves((both >> (8 * (n as u32 & 7))) as u64, 0)
        }
    }
}

/// One register of a table: where the index in `b` lies in `n..n + 16`, that
/// byte of `a`; elsewhere `c`.
#[derive(Debug)]
pub struct Lookup;

impl VectorOp for Lookup {
    #[inline(always)]
    fn eval(a: V128, b: V128, c: V128, n: u64) -> V128 {
        let (table, index, other) = (a.lanes::<u8>(), b.lanes::<u8>(), c.lanes::<u8>());
        V128::from_lanes::<u8>(u8::array(|i| {
            let at = index[i].wrapping_sub(n as u8);
            if at < 16 { table[usize::from(at & 15)] } else { other[i] }
        }))
    }
}

/// The lanes of type `T` within each unit of `UNIT` lanes in the other order.
#[derive(Debug)]
pub struct Reverse<T, const UNIT: usize>(PhantomData<T>);

impl<T: Lane, const UNIT: usize> VectorOp for Reverse<T, UNIT> {
    #[inline(always)]
    fn eval(a: V128, _: V128, _: V128, _: u64) -> V128 {
        let x = a.lanes::<T>();
        V128::from_lanes::<T>(T::array(|i| x.as_ref()[i ^ (UNIT - 1)]))
    }
}

/// Register `R` of three that were interleaved as `c:b:a` (`LD3`); of the low
/// halves unless `Q`.
#[derive(Debug)]
pub struct Split3<T, const R: usize, const Q: bool>(PhantomData<T>);

impl<T: Lane, const R: usize, const Q: bool> VectorOp for Split3<T, R, Q> {
    #[inline(always)]
    fn eval(a: V128, b: V128, c: V128, _: u64) -> V128 {
        let (a, b, c) = (a.lanes::<T>(), b.lanes::<T>(), c.lanes::<T>());
        let per = if Q { T::COUNT } else { T::COUNT / 2 };
        V128::from_lanes::<T>(T::array(|i| {
            if i >= per {
                return T::ZERO;
            }
            let at = 3 * i + R;
            let from = match at / per {
                0 => a.as_ref(),
                1 => b.as_ref(),
                _ => c.as_ref(),
            };
            from[at % per]
        }))
    }
}

/// Part `R` of the three registers `a`, `b` and `c` interleaved (`ST3`); of
/// their low halves unless `Q`.
#[derive(Debug)]
pub struct Merge3<T, const R: usize, const Q: bool>(PhantomData<T>);

impl<T: Lane, const R: usize, const Q: bool> VectorOp for Merge3<T, R, Q> {
    #[inline(always)]
    fn eval(a: V128, b: V128, c: V128, _: u64) -> V128 {
        let (a, b, c) = (a.lanes::<T>(), b.lanes::<T>(), c.lanes::<T>());
        let per = if Q { T::COUNT } else { T::COUNT / 2 };
        V128::from_lanes::<T>(T::array(|i| {
            if i >= per {
                return T::ZERO;
            }
            let at = R * per + i;
            let from = match at % 3 {
                0 => a.as_ref(),
                1 => b.as_ref(),
                _ => c.as_ref(),
            };
            from[at / 3]
        }))
    }
}
