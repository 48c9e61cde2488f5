//! Loads and stores of Advanced SIMD structures.
//!
//! D is the first register, N the base, M the index of the post-indexed forms.
//! `POST` tells how the base is written back; the immediate is the lane.

use core::marker::PhantomData;

use crate::domain::{Domain, Sem, Slot, Stop, size};
use crate::simd::Lane;
use crate::simd::permute::{Dup, Extract, Insert, Merge3, Split3, Uzp1, Uzp2, Zip1, Zip2};

/// What is added to the base afterwards.
pub(crate) mod post {
    /// Nothing.
    pub(crate) const NONE: u8 = 0;
    /// The bytes transferred.
    pub(crate) const BYTES: u8 = 1;
    /// The register in M.
    pub(crate) const REGISTER: u8 = 2;
}

/// The log2 of the size of a lane.
const fn lane_size<T: Lane>() -> u8 {
    match T::BITS {
        8 => size::B,
        16 => size::H,
        32 => size::W,
        _ => size::X,
    }
}

#[inline(always)]
fn offset<D: Domain>(d: &D, base: D::X, bytes: u64) -> D::X {
    d.add(base, d.constant(bytes))
}

#[inline(always)]
fn write_back<D: Domain, const POST: u8>(d: &mut D, base: D::X, bytes: u64) {
    let step = match POST {
        post::NONE => return,
        post::BYTES => d.constant(bytes),
        _ => d.x(Slot::M),
    };
    let base = d.add(base, step);
    d.set_x(Slot::N, base);
}

/// Loads one register's worth of a multiple-structure access.
#[inline(always)]
fn load_part<D: Domain, const Q: bool>(d: &mut D, addr: D::X) -> Result<D::V, Stop> {
    if Q { d.load_v::<{ size::Q }>(addr) } else { d.load_v::<{ size::X }>(addr) }
}

#[inline(always)]
fn store_part<D: Domain, const Q: bool>(d: &mut D, addr: D::X, value: D::V) -> Result<(), Stop> {
    if Q { d.store_v::<{ size::Q }>(addr, value) } else { d.store_v::<{ size::X }>(addr, value) }
}

/// `LD1` to `LD4` of whole registers: `COUNT` registers, interleaved by element
/// of type `T` if `STRUCTURED`.
pub(crate) struct LoadMultiple<T, const COUNT: u8, const STRUCTURED: bool, const Q: bool, const POST: u8>(
    PhantomData<T>,
);

impl<T: Lane, const COUNT: u8, const STRUCTURED: bool, const Q: bool, const POST: u8> Sem
    for LoadMultiple<T, COUNT, STRUCTURED, Q, POST>
{
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let base = d.x(Slot::N);
        let bytes = if Q { 16 } else { 8 };
        let zero = d.constant(0);
        let none = d.v_from_halves(zero, zero);
        let mut part = [none; 4];
        for (part, i) in part.iter_mut().zip(0..COUNT) {
            let addr = offset(d, base, bytes * u64::from(i));
            *part = load_part::<D, Q>(d, addr)?;
        }
        if STRUCTURED {
            let [p, q, r, s] = part;
            let n = zero;
            match COUNT {
                2 => {
                    part[0] = d.vector::<Uzp1<T, Q>>(p, q, q, n);
                    part[1] = d.vector::<Uzp2<T, Q>>(p, q, q, n);
                }
                3 => {
                    part[0] = d.vector::<Split3<T, 0, Q>>(p, q, r, n);
                    part[1] = d.vector::<Split3<T, 1, Q>>(p, q, r, n);
                    part[2] = d.vector::<Split3<T, 2, Q>>(p, q, r, n);
                }
                _ => {
                    let (even0, odd0) = (d.vector::<Uzp1<T, Q>>(p, q, q, n), d.vector::<Uzp2<T, Q>>(p, q, q, n));
                    let (even1, odd1) = (d.vector::<Uzp1<T, Q>>(r, s, s, n), d.vector::<Uzp2<T, Q>>(r, s, s, n));
                    part[0] = d.vector::<Uzp1<T, Q>>(even0, even1, none, n);
                    part[1] = d.vector::<Uzp1<T, Q>>(odd0, odd1, none, n);
                    part[2] = d.vector::<Uzp2<T, Q>>(even0, even1, none, n);
                    part[3] = d.vector::<Uzp2<T, Q>>(odd0, odd1, none, n);
                }
            }
        }
        write_back::<D, POST>(d, base, bytes * u64::from(COUNT));
        for (part, i) in part.into_iter().zip(0..COUNT) {
            let value = if Q { part } else { d.v_keep::<8>(part) };
            d.set_v_after(Slot::D, i, value);
        }
        Ok(())
    }
}

/// The inverse of [`LoadMultiple`].
pub(crate) struct StoreMultiple<T, const COUNT: u8, const STRUCTURED: bool, const Q: bool, const POST: u8>(
    PhantomData<T>,
);

impl<T: Lane, const COUNT: u8, const STRUCTURED: bool, const Q: bool, const POST: u8> Sem
    for StoreMultiple<T, COUNT, STRUCTURED, Q, POST>
{
    const IS_LARGE: bool = STRUCTURED && COUNT == 3;

    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let base = d.x(Slot::N);
        let bytes = if Q { 16 } else { 8 };
        let n = d.constant(0);
        let none = d.v_from_halves(n, n);
        let mut part = [none; 4];
        for (part, i) in part.iter_mut().zip(0..COUNT) {
            *part = d.v_after(Slot::D, i);
        }
        if STRUCTURED {
            let [p, q, r, s] = part;
            match COUNT {
                2 => {
                    part[0] = d.vector::<Zip1<T, Q>>(p, q, q, n);
                    part[1] = d.vector::<Zip2<T, Q>>(p, q, q, n);
                }
                3 => {
                    part[0] = d.vector::<Merge3<T, 0, Q>>(p, q, r, n);
                    part[1] = d.vector::<Merge3<T, 1, Q>>(p, q, r, n);
                    part[2] = d.vector::<Merge3<T, 2, Q>>(p, q, r, n);
                }
                _ => {
                    let (even0, even1) = (d.vector::<Zip1<T, Q>>(p, r, r, n), d.vector::<Zip2<T, Q>>(p, r, r, n));
                    let (odd0, odd1) = (d.vector::<Zip1<T, Q>>(q, s, s, n), d.vector::<Zip2<T, Q>>(q, s, s, n));
                    part[0] = d.vector::<Zip1<T, Q>>(even0, odd0, none, n);
                    part[1] = d.vector::<Zip2<T, Q>>(even0, odd0, none, n);
                    part[2] = d.vector::<Zip1<T, Q>>(even1, odd1, none, n);
                    part[3] = d.vector::<Zip2<T, Q>>(even1, odd1, none, n);
                }
            }
        }
        for (part, i) in part.into_iter().zip(0..COUNT) {
            let addr = offset(d, base, bytes * u64::from(i));
            store_part::<D, Q>(d, addr, part)?;
        }
        write_back::<D, POST>(d, base, bytes * u64::from(COUNT));
        Ok(())
    }
}

/// `LD1` to `LD4` of one lane; the others keep their values.
pub(crate) struct LoadLane<T, const COUNT: u8, const POST: u8>(PhantomData<T>);

impl<T: Lane, const COUNT: u8, const POST: u8> Sem for LoadLane<T, COUNT, POST> {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let base = d.x(Slot::N);
        let bytes = u64::from(T::BITS / 8);
        let zero = d.constant(0);
        let mut lanes = [d.v_from_halves(zero, zero); 4];
        for (lane, i) in lanes.iter_mut().zip(0..COUNT) {
            let addr = offset(d, base, bytes * u64::from(i));
            *lane = load_lane::<D, T>(d, addr)?;
        }
        write_back::<D, POST>(d, base, bytes * u64::from(COUNT));
        for (lane, i) in lanes.into_iter().zip(0..COUNT) {
            let old = d.v_after(Slot::D, i);
            let value = d.vector::<Insert<T>>(lane, lane, old, d.imm_unsigned());
            d.set_v_after(Slot::D, i, value);
        }
        Ok(())
    }
}

#[inline(always)]
fn load_lane<D: Domain, T: Lane>(d: &mut D, addr: D::X) -> Result<D::V, Stop> {
    match lane_size::<T>() {
        size::B => d.load_v::<{ size::B }>(addr),
        size::H => d.load_v::<{ size::H }>(addr),
        size::W => d.load_v::<{ size::W }>(addr),
        _ => d.load_v::<{ size::X }>(addr),
    }
}

/// `ST1` to `ST4` of one lane.
pub(crate) struct StoreLane<T, const COUNT: u8, const POST: u8>(PhantomData<T>);

impl<T: Lane, const COUNT: u8, const POST: u8> Sem for StoreLane<T, COUNT, POST> {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let base = d.x(Slot::N);
        let bytes = u64::from(T::BITS / 8);
        for i in 0..COUNT {
            let value = d.v_after(Slot::D, i);
            let lane = d.vector::<Extract<T>>(value, value, value, d.imm_unsigned());
            let addr = offset(d, base, bytes * u64::from(i));
            match lane_size::<T>() {
                size::B => d.store_v::<{ size::B }>(addr, lane)?,
                size::H => d.store_v::<{ size::H }>(addr, lane)?,
                size::W => d.store_v::<{ size::W }>(addr, lane)?,
                _ => d.store_v::<{ size::X }>(addr, lane)?,
            }
        }
        write_back::<D, POST>(d, base, bytes * u64::from(COUNT));
        Ok(())
    }
}

/// `LD1R` to `LD4R`: one element into every lane.
pub(crate) struct LoadReplicate<T, const COUNT: u8, const BYTES: u32, const POST: u8>(PhantomData<T>);

impl<T: Lane, const COUNT: u8, const BYTES: u32, const POST: u8> Sem for LoadReplicate<T, COUNT, BYTES, POST> {
    #[inline(always)]
    fn exec<D: Domain>(d: &mut D) -> Result<(), Stop> {
        let base = d.x(Slot::N);
        let bytes = u64::from(T::BITS / 8);
        let zero = d.constant(0);
        let mut lanes = [d.v_from_halves(zero, zero); 4];
        for (lane, i) in lanes.iter_mut().zip(0..COUNT) {
            let addr = offset(d, base, bytes * u64::from(i));
            *lane = load_lane::<D, T>(d, addr)?;
        }
        write_back::<D, POST>(d, base, bytes * u64::from(COUNT));
        for (lane, i) in lanes.into_iter().zip(0..COUNT) {
            let value = d.vector::<Dup<T>>(lane, lane, lane, zero);
            let value = d.v_keep::<BYTES>(value);
            d.set_v_after(Slot::D, i, value);
        }
        Ok(())
    }
}
