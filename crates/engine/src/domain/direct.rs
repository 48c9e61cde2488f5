//! The domain of plain numbers: what threaded code computes with.

use core::marker::PhantomData;
use core::sync::atomic::{Ordering, fence};

use machine::UserContext;

use crate::code::page;
use crate::cpu::{CpuState, flag_kind};
use crate::crc::crc32;
use crate::domain::flags::{self, Flags, shifted};
use crate::domain::memory::{Mode, opaque};
use crate::domain::plain::Plain;
use crate::domain::{Domain, Slot, Stop, Values, order, size};
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
}

impl<M> Values for Direct<M> {
    type X = u64;
    type B = bool;
    type V = V128;
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
    fn pstate(&self) -> u64 {
        // SAFETY: `new` vouches for `ctx`.
        unsafe { (*self.ctx).pstate }
    }

    #[inline(always)]
    fn set_pstate(&mut self, pstate: u64) {
        // SAFETY: `new` vouches for `ctx`.
        unsafe { (*self.ctx).pstate = pstate };
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
            size::W => self.load_as::<u64>(addr).map(|both| (both & 0xffff_ffff, both >> 32)),
            // FEAT_LSE2: a pair that is aligned is one access.
            _ => self.load_as::<V128>(addr).map(|both| (both.low(), both.high())),
        }
    }

    #[inline(always)]
    fn store_pair<const SIZE: u8>(&mut self, addr: u64, a: u64, b: u64) -> Result<(), Stop> {
        match SIZE {
            size::W => self.store_as(addr, a & 0xffff_ffff | b << 32),
            _ => self.store_as(addr, V128::from_halves(a, b)),
        }
    }

    #[inline(always)]
    fn zero_block(&mut self, addr: u64) -> Result<(), Stop> {
        self.store_as(addr & !63, [[V128::zero(); 2]; 2])
    }

    #[inline(always)]
    fn barrier<const KIND: u8>(&mut self) {
        // Of these, x86-64 needs an instruction for the first only: it lets
        // nothing pass but loads earlier stores.
        match KIND {
            order::LOADS | order::DECISION => fence(Ordering::Acquire),
            order::STORES => fence(Ordering::Release),
            _ => fence(Ordering::SeqCst),
        }
    }
}
