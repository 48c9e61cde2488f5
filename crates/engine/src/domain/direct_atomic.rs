//! Ordered, exclusive and atomic accesses of plain numbers.

use core::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering};

use machine::{GuestAddr, Monitor};

use crate::domain::direct::Direct;
use crate::domain::memory::{Mode, is_aligned};
use crate::domain::plain::Plain;
use crate::domain::{AtomicDomain, Stop, rmw, size, unaligned};
use crate::wide;

impl<M: Mode> Direct<M> {
    #[inline(always)]
    fn place<T>(&self, addr: u64) -> Result<*mut T, Stop> {
        // SAFETY: this is the CPU's thread.
        unsafe { M::place_to_write::<T>(self.cpu, addr) }
    }

    #[inline(always)]
    fn place_to_read<T>(&self, addr: u64) -> Result<*mut T, Stop> {
        // SAFETY: this is the CPU's thread.
        unsafe { M::place_to_read::<T>(self.cpu, addr) }
    }

    /// The old value, if the address is not aligned: then this has replaced it
    /// by what `change` makes of it. The fast mode leaves that to the slow one.
    #[inline(always)]
    fn update_unaligned<T: Plain>(
        &self,
        addr: u64,
        mut change: impl FnMut(u64) -> Option<u64>,
    ) -> Result<Option<u64>, Stop> {
        if M::IS_FAST || is_aligned::<T>(addr) {
            return Ok(None);
        }
        // SAFETY: this is the CPU's thread.
        unsafe { unaligned::update(self.cpu, addr, size_of::<T>(), &mut change) }.map(Some)
    }

    #[inline(always)]
    fn monitor(&self) -> *mut Monitor {
        // SAFETY: `new` vouches for `ctx`.
        unsafe { &raw mut (*self.ctx).monitor }
    }

    #[inline(always)]
    fn mark(&mut self, addr: u64, size: u64, value: [u64; 2]) {
        // SAFETY: this is the CPU's thread.
        unsafe { *self.monitor() = Monitor { value, addr: GuestAddr(addr).untagged(), size } };
    }

    /// What the monitor holds if it is open for an access, and closes it.
    #[inline(always)]
    fn take_mark(&mut self, addr: u64, size: u64) -> Option<[u64; 2]> {
        // SAFETY: this is the CPU's thread.
        let monitor = unsafe { &mut *self.monitor() };
        let is_open = monitor.size == size && monitor.addr == GuestAddr(addr).untagged();
        monitor.size = 0;
        is_open.then_some(monitor.value)
    }
}

/// An atomic access of one of the integer types.
macro_rules! atomic_sized {
    ($size:expr, |$atomic:ident, $int:ident| $body:expr) => {
        #[allow(clippy::useless_conversion, reason = "the widest of the types is the one converted to")]
        match $size {
            size::B => {
                type $atomic = AtomicU8;
                type $int = u8;
                $body
            }
            size::H => {
                type $atomic = AtomicU16;
                type $int = u16;
                $body
            }
            size::W => {
                type $atomic = AtomicU32;
                type $int = u32;
                $body
            }
            _ => {
                type $atomic = AtomicU64;
                type $int = u64;
                $body
            }
        }
    };
}

fn wide(low: u64, high: u64) -> u128 {
    u128::from(high) << 64 | u128::from(low)
}

impl<M: Mode> AtomicDomain for Direct<M> {
    #[inline(always)]
    fn load_acquire<const SIZE: u8>(&mut self, addr: u64) -> Result<u64, Stop> {
        atomic_sized!(SIZE, |Atomic, Int| {
            if !M::IS_FAST && !is_aligned::<Int>(addr) {
                // SAFETY: this is the CPU's thread.
                return unsafe { unaligned::load(self.cpu, addr, size_of::<Int>()) };
            }
            let place = self.place_to_read::<Int>(addr)?;
            // SAFETY: aligned, and only ever accessed as memory that races.
            Ok(unsafe { Atomic::from_ptr(place) }.load(Ordering::SeqCst).into())
        })
    }

    #[inline(always)]
    fn store_release<const SIZE: u8>(&mut self, addr: u64, value: u64) -> Result<(), Stop> {
        atomic_sized!(SIZE, |Atomic, Int| {
            if self.update_unaligned::<Int>(addr, |_| Some(value))?.is_some() {
                return Ok(());
            }
            let place = self.place::<Int>(addr)?;
            // A load-acquire may not pass a store-release, which takes more
            // than the host's release order.
            // SAFETY: aligned, and only ever accessed as memory that races.
            unsafe { Atomic::from_ptr(place) }.store(value as Int, Ordering::SeqCst);
            Ok(())
        })
    }

    #[inline(always)]
    fn load_exclusive<const SIZE: u8>(&mut self, addr: u64) -> Result<u64, Stop> {
        let value = self.load_acquire::<SIZE>(addr)?;
        self.mark(addr, 1 << SIZE, [value, 0]);
        Ok(value)
    }

    #[inline(always)]
    fn load_exclusive_pair<const SIZE: u8>(&mut self, addr: u64) -> Result<(u64, u64), Stop> {
        if SIZE == size::W {
            let both = self.load_acquire::<{ size::X }>(addr)?;
            self.mark(addr, 8, [both, 0]);
            return Ok((both & 0xffff_ffff, both >> 32));
        }
        let place = self.place_to_read::<u128>(addr)?;
        // SAFETY: aligned, and mapped for reading.
        let value = unsafe { wide::load(place) };
        let halves = [value as u64, (value >> 64) as u64];
        self.mark(addr, 16, halves);
        Ok((halves[0], halves[1]))
    }

    #[inline(always)]
    fn store_exclusive<const SIZE: u8>(&mut self, addr: u64, value: u64) -> Result<u64, Stop> {
        atomic_sized!(SIZE, |Atomic, Int| {
            if !M::IS_FAST && !is_aligned::<Int>(addr) {
                let mark = self.take_mark(addr, 1 << SIZE);
                let new = |old: u64| mark.filter(|[expected, _]| *expected == old).map(|_| value);
                let old = self.update_unaligned::<Int>(addr, new)?;
                return Ok(u64::from(old != mark.map(|[expected, _]| expected)));
            }
            let place = self.place::<Int>(addr)?;
            let Some([expected, _]) = self.take_mark(addr, 1 << SIZE) else { return Ok(1) };
            // SAFETY: aligned, and only ever accessed as memory that races.
            let memory = unsafe { Atomic::from_ptr(place) };
            let outcome = memory.compare_exchange(expected as Int, value as Int, Ordering::SeqCst, Ordering::SeqCst);
            Ok(u64::from(outcome.is_err()))
        })
    }

    #[inline(always)]
    fn store_exclusive_pair<const SIZE: u8>(&mut self, addr: u64, a: u64, b: u64) -> Result<u64, Stop> {
        if SIZE == size::W {
            return self.store_exclusive::<{ size::X }>(addr, a & 0xffff_ffff | b << 32);
        }
        if M::IS_FAST {
            return Err(Stop);
        }
        let place = self.place::<u128>(addr)?;
        let Some([low, high]) = self.take_mark(addr, 16) else { return Ok(1) };
        let (expected, new) = (wide(low, high), wide(a, b));
        // SAFETY: aligned, and mapped for writing.
        let old = unsafe { wide::compare_exchange(place, expected, new) };
        Ok(u64::from(old != expected))
    }

    #[inline(always)]
    fn clear_exclusive(&mut self) {
        // SAFETY: this is the CPU's thread.
        unsafe { (*self.monitor()).size = 0 };
    }

    #[inline(always)]
    fn atomic<const OP: u8, const SIZE: u8>(&mut self, addr: u64, value: u64) -> Result<u64, Stop> {
        atomic_sized!(SIZE, |Atomic, Int| {
            let value = value as Int;
            let result = |old: Int| match OP {
                rmw::ADD => old.wrapping_add(value),
                rmw::CLR => old & !value,
                rmw::EOR => old ^ value,
                rmw::SET => old | value,
                rmw::SMAX => old.cast_signed().max(value.cast_signed()).cast_unsigned(),
                rmw::SMIN => old.cast_signed().min(value.cast_signed()).cast_unsigned(),
                rmw::UMAX => old.max(value),
                rmw::UMIN => old.min(value),
                _ => value,
            };
            if let Some(old) = self.update_unaligned::<Int>(addr, |old| Some(result(old as Int).into()))? {
                return Ok(old);
            }
            let place = self.place::<Int>(addr)?;
            // SAFETY: aligned, and only ever accessed as memory that races.
            let memory = unsafe { Atomic::from_ptr(place) };
            let order = Ordering::SeqCst;
            Ok(u64::from(match OP {
                rmw::ADD => memory.fetch_add(value, order),
                rmw::CLR => memory.fetch_and(!value, order),
                rmw::EOR => memory.fetch_xor(value, order),
                rmw::SET => memory.fetch_or(value, order),
                rmw::SWP => memory.swap(value, order),
                _ => {
                    let mut old = memory.load(Ordering::Relaxed);
                    while let Err(now) = memory.compare_exchange_weak(old, result(old), order, Ordering::Relaxed) {
                        old = now;
                    }
                    old
                }
            }))
        })
    }

    #[inline(always)]
    fn compare_and_swap<const SIZE: u8>(&mut self, addr: u64, expected: u64, new: u64) -> Result<u64, Stop> {
        atomic_sized!(SIZE, |Atomic, Int| {
            let expected = expected as Int;
            if let Some(old) = self.update_unaligned::<Int>(addr, |old| (old as Int == expected).then_some(new))? {
                return Ok(old);
            }
            let place = self.place::<Int>(addr)?;
            // SAFETY: aligned, and only ever accessed as memory that races.
            let memory = unsafe { Atomic::from_ptr(place) };
            let outcome = memory.compare_exchange(expected, new as Int, Ordering::SeqCst, Ordering::SeqCst);
            Ok(outcome.unwrap_or_else(|old| old).into())
        })
    }

    #[inline(always)]
    fn compare_and_swap_pair<const SIZE: u8>(
        &mut self,
        addr: u64,
        expected: (u64, u64),
        new: (u64, u64),
    ) -> Result<(u64, u64), Stop> {
        if SIZE == size::W {
            let pair = |(low, high): (u64, u64)| low & 0xffff_ffff | high << 32;
            let old = self.compare_and_swap::<{ size::X }>(addr, pair(expected), pair(new))?;
            return Ok((old & 0xffff_ffff, old >> 32));
        }
        if M::IS_FAST {
            return Err(Stop);
        }
        let place = self.place::<u128>(addr)?;
        let (expected, new) = (wide(expected.0, expected.1), wide(new.0, new.1));
        // SAFETY: aligned, and mapped for writing.
        let old = unsafe { wide::compare_exchange(place, expected, new) };
        Ok((old as u64, (old >> 64) as u64))
    }
}
