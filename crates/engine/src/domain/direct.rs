//! The domain of plain numbers: what threaded code computes with.

use core::marker::PhantomData;
use core::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering, fence};

use machine::{GuestAddr, Monitor, UserContext};

use crate::code::page;
use crate::cpu::{CpuState, flag_kind};
use crate::crc::crc32;
use crate::domain::flags::{self, Flags, shifted};
use crate::domain::memory::{Mode, Plain, opaque};
use crate::domain::{Domain, Slot, Stop, Values, rmw, size};
use crate::op::Op;
use crate::simd::V128;

/// One execution of one op. `M` is how it gets at memory.
pub(crate) struct Direct<M> {
    pub(crate) op: *const Op,
    pub(crate) ctx: *mut UserContext,
    pub(crate) cpu: *const CpuState,
    pub(crate) fa: u64,
    pub(crate) fb: u64,
    /// The kind of the flags, if an instruction of this handler has set them;
    /// then conditions that follow are resolved when they are compiled.
    kind: Option<u8>,
    mode: PhantomData<M>,
}

impl<M: Mode> Direct<M> {
    /// # Safety
    /// The pointers are those that a handler got, and good until this is gone.
    #[inline(always)]
    pub(crate) unsafe fn new(op: *const Op, ctx: *mut UserContext, cpu: *const CpuState, fa: u64, fb: u64) -> Self {
        Self { op, ctx, cpu, fa, fb, kind: None, mode: PhantomData }
    }

    #[inline(always)]
    pub(super) fn number(&self, slot: Slot) -> usize {
        // SAFETY: `new` vouches for `op`.
        usize::from(unsafe { (*self.op).r[slot as usize] })
    }

    /// As [`Direct::number`], but read anew, so that the number need not be
    /// kept in a register between the reading and the writing of an operand.
    #[inline(always)]
    pub(super) fn number_to_write(&self, slot: Slot) -> usize {
        // SAFETY: `new` vouches for `op`.
        usize::from(unsafe { (&raw const (*self.op).r[slot as usize]).read_volatile() })
    }

    #[inline(always)]
    fn register(&self, number: usize) -> *mut u64 {
        // SAFETY: operand numbers are below `OPERAND_LIMIT`: X0 to SP and the
        // fields behind them, see `op`.
        unsafe { self.ctx.cast::<u64>().add(number) }
    }

    #[inline(always)]
    pub(super) fn vector_at(&self, number: usize) -> *mut V128 {
        // SAFETY: `lower::vreg` makes the numbers of SIMD&FP operands.
        unsafe { (&raw mut (*self.ctx).v).cast::<V128>().add(number) }
    }

    #[inline(always)]
    fn number_of_imm(&self, index: u32) -> usize {
        // SAFETY: `new` vouches for `op`.
        let imm = unsafe { (*self.op).imm };
        (imm as u32 >> (8 * index)) as usize & 0x3f
    }

    #[inline(always)]
    fn kind(&self) -> u8 {
        if let Some(kind) = self.kind {
            return kind;
        }
        // SAFETY: `new` vouches for `cpu`.
        unsafe { (*(*self.cpu).local()).flag_kind }
    }

    #[inline(always)]
    fn set_flags(&mut self, flags: Flags) {
        self.fa = flags.fa;
        self.fb = flags.fb;
        self.kind = Some(flags.kind);
        // SAFETY: `new` vouches for `cpu`.
        unsafe { (*(*self.cpu).local()).flag_kind = flags.kind };
    }

    #[inline(always)]
    pub(super) fn load_as<T: Plain>(&self, addr: u64) -> Result<T, Stop> {
        // SAFETY: this is the CPU's thread.
        unsafe { M::load::<T>(self.cpu, addr) }
    }

    #[inline(always)]
    pub(super) fn store_as<T: Plain>(&self, addr: u64, value: T) -> Result<(), Stop> {
        // SAFETY: this is the CPU's thread.
        unsafe { M::store::<T>(self.cpu, addr, value) }
    }

    #[inline(always)]
    fn place<T: Plain>(&self, addr: u64) -> Result<*mut T, Stop> {
        // SAFETY: this is the CPU's thread.
        unsafe { M::place_to_write::<T>(self.cpu, addr) }
    }

    #[inline(always)]
    fn place_to_read<T: Plain>(&self, addr: u64) -> Result<*mut T, Stop> {
        // SAFETY: this is the CPU's thread.
        unsafe { M::place_to_read::<T>(self.cpu, addr) }
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

impl<M> Values for Direct<M> {
    type X = u64;
    type B = bool;
    type V = V128;
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

impl<M: Mode> Domain for Direct<M> {
    #[inline(always)]
    fn constant(&self, value: u64) -> u64 {
        value
    }

    #[inline(always)]
    fn imm(&self) -> u64 {
        // SAFETY: `new` vouches for `op`.
        i64::from(unsafe { (*self.op).imm }).cast_unsigned()
    }

    #[inline(always)]
    fn imm_unsigned(&self) -> u64 {
        // SAFETY: `new` vouches for `op`.
        u64::from(unsafe { (*self.op).imm }.cast_unsigned())
    }

    #[inline(always)]
    fn literal(&self) -> u64 {
        // SAFETY: the op is in a live page, and its form uses a literal.
        unsafe { page::literal(self.op, (*self.op).imm) }
    }

    #[inline(always)]
    fn x(&self, slot: Slot) -> u64 {
        // SAFETY: `register` is in bounds.
        unsafe { *self.register(self.number(slot)) }
    }

    #[inline(always)]
    fn set_x(&mut self, slot: Slot, value: u64) {
        // SAFETY: `register` is in bounds.
        unsafe { *self.register(self.number_to_write(slot)) = value };
    }

    #[inline(always)]
    fn slot(&self, slot: Slot) -> u64 {
        self.number(slot) as u64
    }

    #[inline(always)]
    fn x_of_imm(&self, index: u32) -> u64 {
        // SAFETY: 64 words are within the context, which has over 800 bytes.
        unsafe { *self.register(self.number_of_imm(index)) }
    }

    #[inline(always)]
    fn set_x_of_imm(&mut self, index: u32, value: u64) {
        // SAFETY: as in `x_of_imm`.
        unsafe { *self.register(self.number_of_imm(index)) = value };
    }

    #[inline(always)]
    fn page(&self) -> u64 {
        // SAFETY: `new` vouches for `cpu`.
        unsafe { (*(*self.cpu).local()).page }
    }

    #[inline(always)]
    fn next_pc(&self) -> u64 {
        (self.page() | page::offset_of(self.op)).wrapping_add(4)
    }

    #[inline(always)]
    fn trunc<const SF: bool>(&self, a: u64) -> u64 {
        if SF { a } else { u64::from(a as u32) }
    }

    #[inline(always)]
    fn zext<const SIZE: u8>(&self, a: u64) -> u64 {
        match SIZE {
            size::B => u64::from(a as u8),
            size::H => u64::from(a as u16),
            size::W => u64::from(a as u32),
            _ => a,
        }
    }

    #[inline(always)]
    fn sext<const SIZE: u8>(&self, a: u64) -> u64 {
        match SIZE {
            size::B => i64::from(a as i8).cast_unsigned(),
            size::H => i64::from(a as i16).cast_unsigned(),
            size::W => i64::from(a as i32).cast_unsigned(),
            _ => a,
        }
    }

    #[inline(always)]
    fn add(&self, a: u64, b: u64) -> u64 {
        a.wrapping_add(b)
    }

    #[inline(always)]
    fn sub(&self, a: u64, b: u64) -> u64 {
        a.wrapping_sub(b)
    }

    #[inline(always)]
    fn mul(&self, a: u64, b: u64) -> u64 {
        a.wrapping_mul(b)
    }

    #[inline(always)]
    fn umulh(&self, a: u64, b: u64) -> u64 {
        ((u128::from(a) * u128::from(b)) >> 64) as u64
    }

    #[inline(always)]
    fn smulh(&self, a: u64, b: u64) -> u64 {
        ((i128::from(a.cast_signed()) * i128::from(b.cast_signed())) >> 64) as u64
    }

    #[inline(always)]
    fn udiv<const SF: bool>(&self, a: u64, b: u64) -> u64 {
        if SF { a.checked_div(b).unwrap_or(0) } else { (a as u32).checked_div(b as u32).unwrap_or(0).into() }
    }

    #[inline(always)]
    fn sdiv<const SF: bool>(&self, a: u64, b: u64) -> u64 {
        if SF {
            let b = b.cast_signed();
            if b == 0 { 0 } else { a.cast_signed().wrapping_div(b).cast_unsigned() }
        } else {
            let b = b as i32;
            if b == 0 { 0 } else { (a as i32).wrapping_div(b).cast_unsigned().into() }
        }
    }

    #[inline(always)]
    fn and(&self, a: u64, b: u64) -> u64 {
        a & b
    }

    #[inline(always)]
    fn or(&self, a: u64, b: u64) -> u64 {
        a | b
    }

    #[inline(always)]
    fn xor(&self, a: u64, b: u64) -> u64 {
        a ^ b
    }

    #[inline(always)]
    fn not(&self, a: u64) -> u64 {
        !a
    }

    #[inline(always)]
    fn lsl<const SF: bool>(&self, a: u64, n: u64) -> u64 {
        if SF { a.wrapping_shl(n as u32) } else { (a as u32).wrapping_shl(n as u32).into() }
    }

    #[inline(always)]
    fn lsr<const SF: bool>(&self, a: u64, n: u64) -> u64 {
        if SF { a.wrapping_shr(n as u32) } else { (a as u32).wrapping_shr(n as u32).into() }
    }

    #[inline(always)]
    fn asr<const SF: bool>(&self, a: u64, n: u64) -> u64 {
        if SF {
            a.cast_signed().wrapping_shr(n as u32).cast_unsigned()
        } else {
            (a as i32).wrapping_shr(n as u32).cast_unsigned().into()
        }
    }

    #[inline(always)]
    fn ror<const SF: bool>(&self, a: u64, n: u64) -> u64 {
        if SF { a.rotate_right(n as u32 & 63) } else { (a as u32).rotate_right(n as u32 & 31).into() }
    }

    #[inline(always)]
    fn extr<const SF: bool>(&self, a: u64, b: u64, n: u64) -> u64 {
        if SF {
            let pair = u128::from(a) << 64 | u128::from(b);
            (pair >> (n & 63)) as u64
        } else {
            let pair = a << 32 | u64::from(b as u32);
            u64::from((pair >> (n & 31)) as u32)
        }
    }

    #[inline(always)]
    fn clz<const SF: bool>(&self, a: u64) -> u64 {
        u64::from(if SF { a.leading_zeros() } else { (a as u32).leading_zeros() })
    }

    #[inline(always)]
    fn rbit<const SF: bool>(&self, a: u64) -> u64 {
        if SF { a.reverse_bits() } else { (a as u32).reverse_bits().into() }
    }

    #[inline(always)]
    fn rev<const SF: bool, const SIZE: u8>(&self, a: u64) -> u64 {
        const EVEN: u64 = 0x00ff_00ff_00ff_00ff;
        match SIZE {
            size::H => self.trunc::<SF>((a & EVEN) << 8 | (a >> 8) & EVEN),
            size::W if SF => a.swap_bytes().rotate_left(32),
            size::W => (a as u32).swap_bytes().into(),
            _ => a.swap_bytes(),
        }
    }

    #[inline(always)]
    fn crc32<const C: bool, const SIZE: u8>(&self, acc: u64, value: u64) -> u64 {
        u64::from(crc32::<C, SIZE>(acc as u32, value))
    }

    #[inline(always)]
    fn eq(&self, a: u64, b: u64) -> bool {
        a == b
    }

    #[inline(always)]
    fn ult(&self, a: u64, b: u64) -> bool {
        a < b
    }

    #[inline(always)]
    fn slt(&self, a: u64, b: u64) -> bool {
        a.cast_signed() < b.cast_signed()
    }

    #[inline(always)]
    fn not_b(&self, a: bool) -> bool {
        !a
    }

    #[inline(always)]
    fn truth(&self) -> bool {
        true
    }

    #[inline(always)]
    fn x_from(&self, a: bool) -> u64 {
        u64::from(a)
    }

    #[inline(always)]
    fn select(&self, c: bool, a: u64, b: u64) -> u64 {
        // Programs select where they expect a branch to be predicted badly, so
        // there must be none here, not even one folded into the computation of
        // the condition out of flags of an unknown kind.
        let c = if self.kind.is_some() { c } else { opaque(u64::from(c)) != 0 };
        core::hint::select_unpredictable(c, a, b)
    }

    #[inline(always)]
    fn set_flags_sub<const SF: bool>(&mut self, a: u64, b: u64) {
        self.set_flags(Flags { fa: shifted::<SF>(a), fb: shifted::<SF>(b), kind: flag_kind::SUB });
    }

    #[inline(always)]
    fn set_flags_add<const SF: bool>(&mut self, a: u64, b: u64) {
        self.set_flags(Flags { fa: shifted::<SF>(a), fb: shifted::<SF>(b), kind: flag_kind::ADD });
    }

    #[inline(always)]
    fn set_flags_adc<const SF: bool>(&mut self, a: u64, b: u64, c: u64) {
        self.set_flags(flags::add(shifted::<SF>(a), shifted::<SF>(b), shifted::<SF>(c)));
    }

    #[inline(always)]
    fn set_flags_logic<const SF: bool>(&mut self, result: u64) {
        self.set_flags(Flags { fa: shifted::<SF>(result), fb: 0, kind: flag_kind::LOGIC });
    }

    #[inline(always)]
    fn set_flags_sub_if<const SF: bool>(&mut self, c: bool, a: u64, b: u64, nzcv: u64) {
        let flags = Flags { fa: shifted::<SF>(a), fb: shifted::<SF>(b), kind: flag_kind::SUB };
        self.set_flags(if c { flags } else { flags::immediate(nzcv) });
    }

    #[inline(always)]
    fn set_flags_add_if<const SF: bool>(&mut self, c: bool, a: u64, b: u64, nzcv: u64) {
        let flags = Flags { fa: shifted::<SF>(a), fb: shifted::<SF>(b), kind: flag_kind::ADD };
        self.set_flags(if c { flags } else { flags::immediate(nzcv) });
    }

    #[inline(always)]
    fn nzcv(&self) -> u64 {
        flags::nzcv(self.kind(), self.fa, self.fb)
    }

    #[inline(always)]
    fn set_nzcv(&mut self, nzcv: u64) {
        self.set_flags(Flags { fa: nzcv & 0xf000_0000, fb: 0, kind: flag_kind::NZCV });
    }

    #[inline(always)]
    fn carry(&self) -> u64 {
        flags::carry(self.kind(), self.fa, self.fb)
    }

    #[inline(always)]
    fn condition<const COND: u8>(&self) -> bool {
        flags::condition::<COND>(self.kind(), self.fa, self.fb)
    }

    #[inline(always)]
    fn load<const SIZE: u8>(&mut self, addr: u64) -> Result<u64, Stop> {
        match SIZE {
            size::B => self.load_as::<u8>(addr).map(u64::from),
            size::H => self.load_as::<u16>(addr).map(u64::from),
            size::W => self.load_as::<u32>(addr).map(u64::from),
            _ => self.load_as::<u64>(addr),
        }
    }

    #[inline(always)]
    fn store<const SIZE: u8>(&mut self, addr: u64, value: u64) -> Result<(), Stop> {
        match SIZE {
            size::B => self.store_as(addr, value as u8),
            size::H => self.store_as(addr, value as u16),
            size::W => self.store_as(addr, value as u32),
            _ => self.store_as(addr, value),
        }
    }

    #[inline(always)]
    fn load_pair<const SIZE: u8>(&mut self, addr: u64) -> Result<(u64, u64), Stop> {
        match SIZE {
            size::W => self.load_as::<[u32; 2]>(addr).map(|[a, b]| (a.into(), b.into())),
            _ => self.load_as::<[u64; 2]>(addr).map(|[a, b]| (a, b)),
        }
    }

    #[inline(always)]
    fn store_pair<const SIZE: u8>(&mut self, addr: u64, a: u64, b: u64) -> Result<(), Stop> {
        match SIZE {
            size::W => self.store_as(addr, [a as u32, b as u32]),
            _ => self.store_as(addr, [a, b]),
        }
    }

    #[inline(always)]
    fn load_acquire<const SIZE: u8>(&mut self, addr: u64) -> Result<u64, Stop> {
        atomic_sized!(SIZE, |Atomic, Int| {
            let place = self.place_to_read::<Int>(addr)?;
            // SAFETY: aligned, and only ever accessed as memory that races.
            Ok(unsafe { Atomic::from_ptr(place) }.load(Ordering::SeqCst).into())
        })
    }

    #[inline(always)]
    fn store_release<const SIZE: u8>(&mut self, addr: u64, value: u64) -> Result<(), Stop> {
        atomic_sized!(SIZE, |Atomic, Int| {
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
        let value = unsafe { crate::wide::load(place) };
        let halves = [value as u64, (value >> 64) as u64];
        self.mark(addr, 16, halves);
        Ok((halves[0], halves[1]))
    }

    #[inline(always)]
    fn store_exclusive<const SIZE: u8>(&mut self, addr: u64, value: u64) -> Result<u64, Stop> {
        atomic_sized!(SIZE, |Atomic, Int| {
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
        let wide = |low: u64, high: u64| u128::from(high) << 64 | u128::from(low);
        let (expected, new) = (wide(low, high), wide(a, b));
        // SAFETY: aligned, and mapped for writing.
        let old = unsafe { crate::wide::compare_exchange(place, expected, new) };
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
            let place = self.place::<Int>(addr)?;
            // SAFETY: aligned, and only ever accessed as memory that races.
            let memory = unsafe { Atomic::from_ptr(place) };
            let value = value as Int;
            let order = Ordering::SeqCst;
            let signed = |a: Int| a.cast_signed();
            let update = |f: &dyn Fn(Int) -> Int| {
                let mut old = memory.load(Ordering::Relaxed);
                while let Err(now) = memory.compare_exchange_weak(old, f(old), order, Ordering::Relaxed) {
                    old = now;
                }
                old
            };
            Ok(u64::from(match OP {
                rmw::ADD => memory.fetch_add(value, order),
                rmw::CLR => memory.fetch_and(!value, order),
                rmw::EOR => memory.fetch_xor(value, order),
                rmw::SET => memory.fetch_or(value, order),
                rmw::SMAX => update(&|old| if signed(old) >= signed(value) { old } else { value }),
                rmw::SMIN => update(&|old| if signed(old) <= signed(value) { old } else { value }),
                rmw::UMAX => update(&|old| old.max(value)),
                rmw::UMIN => update(&|old| old.min(value)),
                _ => memory.swap(value, order),
            }))
        })
    }

    #[inline(always)]
    fn compare_and_swap<const SIZE: u8>(&mut self, addr: u64, expected: u64, new: u64) -> Result<u64, Stop> {
        atomic_sized!(SIZE, |Atomic, Int| {
            let place = self.place::<Int>(addr)?;
            // SAFETY: aligned, and only ever accessed as memory that races.
            let memory = unsafe { Atomic::from_ptr(place) };
            let outcome = memory.compare_exchange(expected as Int, new as Int, Ordering::SeqCst, Ordering::SeqCst);
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
        let wide = |(low, high): (u64, u64)| u128::from(high) << 64 | u128::from(low);
        let (expected, new) = (wide(expected), wide(new));
        // SAFETY: aligned, and mapped for writing.
        let old = unsafe { crate::wide::compare_exchange(place, expected, new) };
        Ok((old as u64, (old >> 64) as u64))
    }

    #[inline(always)]
    fn zero_block(&mut self, addr: u64) -> Result<(), Stop> {
        self.store_as(addr & !63, [[0_u128; 2]; 2])
    }

    #[inline(always)]
    fn barrier(&mut self) {
        fence(Ordering::SeqCst);
    }
}
