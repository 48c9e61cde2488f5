//! The arm64 signal frame: pushing it and coming back from it.
//!
//! Layout as in `arch/arm64/kernel/signal.c`: siginfo, ucontext with the
//! machine context and an `fpsimd_context` record, and a frame record above.

use alloc::sync::Arc;
use alloc::vec;

use linux_abi::sigframe::{
    ContextHead, ESR_MAGIC, EXTRA_MAGIC, FPSIMD_MAGIC, FpsimdContext, PSR_C_BIT, PSR_N_BIT, PSR_V_BIT, PSR_Z_BIT,
    RT_SIGFRAME_INFO, RT_SIGFRAME_SIZE, RT_SIGFRAME_UC, SIGCONTEXT_RESERVED, SIGCONTEXT_RESERVED_SIZE, SigcontextHead,
    UC_MCONTEXT, UcontextHead,
};
use linux_abi::signal::{SS_DISABLE, SS_ONSTACK, SaFlags, SigFields, SigInfo, SigSet, StackT};
use linux_abi::{Errno, Wire};
use machine::{GuestAddr, UserContext, pstate};

use crate::error::{Because, Result};
use crate::signal::{Action, AltStack, Info, InfoFields, Set};
use crate::task::Task;

const SS_AUTODISARM: u32 = linux_abi::signal::SS_AUTODISARM;
const NZCV: u64 = PSR_N_BIT | PSR_Z_BIT | PSR_C_BIT | PSR_V_BIT;
/// Bits of PSTATE that are clear at EL0: DAIF, and the mode.
const NOT_EL0: u64 = 0x3df;
/// Bytes of the frame record (X29 and X30) above the frame.
const RECORD_SIZE: u64 = 16;
const MCONTEXT: usize = RT_SIGFRAME_UC + UC_MCONTEXT;
const RECORDS: usize = MCONTEXT + SIGCONTEXT_RESERVED;

impl AltStack {
    /// True if `sp` lies on this stack.
    #[must_use]
    pub fn contains(&self, sp: u64) -> bool {
        self.size != 0 && sp > self.base && sp - self.base <= self.size
    }

    /// As the guest sees it while its stack pointer is `sp`.
    #[must_use]
    pub fn to_abi(self, sp: u64) -> StackT {
        let state = if self.size == 0 {
            SS_DISABLE
        } else if self.flags & SS_AUTODISARM == 0 && self.contains(sp) {
            SS_ONSTACK
        } else {
            0
        };
        StackT { ss_sp: self.base, ss_flags: (state | self.flags).cast_signed(), ss_size: self.size }
    }
}

impl Info {
    /// As the guest sees it.
    #[must_use]
    pub fn to_abi(self) -> SigInfo {
        let fields = match self.fields {
            InfoFields::None => SigFields::Kill { pid: 0, uid: 0 },
            InfoFields::Kill { pid, uid } => SigFields::Kill { pid: pid.cast_signed(), uid },
            InfoFields::Queue { pid, uid, value } => SigFields::Rt { pid: pid.cast_signed(), uid, value },
            InfoFields::Timer { id, overrun, value } => SigFields::Timer { timer_id: id, overrun, value },
            InfoFields::Child { pid, uid, status, utime, stime } => SigFields::Child {
                pid: pid.cast_signed(),
                uid,
                status,
                utime: utime.cast_signed(),
                stime: stime.cast_signed(),
            },
            InfoFields::Fault { addr } => SigFields::Fault { addr },
            InfoFields::Poll { band, fd } => SigFields::Poll { band, fd },
            InfoFields::Raw(raw) => SigFields::Raw(raw),
        };
        SigInfo { si_signo: i32::from(self.signal.get()), si_errno: self.errno, si_code: self.code, fields }
    }
}

/// Pushes a frame for `action`'s handler and lets the context enter it.
///
/// # Errors
/// `EFAULT` if the stack cannot take the frame; the context is unchanged.
pub(super) fn push(
    task: &Arc<Task>,
    context: &mut UserContext,
    info: Info,
    action: Action,
    has_bti: bool,
) -> Result<()> {
    let flags = SaFlags::from_bits_retain(action.flags);
    let (alt, mask) = {
        let signals = task.signals.lock();
        (signals.alt_stack, signals.restore.unwrap_or(signals.blocked))
    };
    let sp = context.sp();
    let on_alt = alt.contains(sp) && alt.flags & SS_AUTODISARM == 0;
    let top = if flags.contains(SaFlags::SA_ONSTACK) && alt.size != 0 && !on_alt {
        alt.base.wrapping_add(alt.size)
    } else {
        sp
    };
    let record = (top & !15).wrapping_sub(RECORD_SIZE);
    let base = record.wrapping_sub(RT_SIGFRAME_SIZE as u64) & !15;
    if on_alt && base < alt.base {
        return Err(Errno::EFAULT.because("the alternate stack is full"));
    }
    let mut frame = vec![0; RT_SIGFRAME_SIZE + usize::from(RECORD_SIZE as u8)];
    info.to_abi().store(&mut frame[RT_SIGFRAME_INFO..RT_SIGFRAME_INFO + SigInfo::SIZE]);
    let head = UcontextHead { uc_flags: 0, uc_link: 0, uc_stack: alt.to_abi(sp), uc_sigmask: SigSet(mask.0) };
    head.store(&mut frame[RT_SIGFRAME_UC..RT_SIGFRAME_UC + UcontextHead::SIZE]);
    let mut regs = [0; 31];
    regs.copy_from_slice(&context.x[..31]);
    let fault_address = if let InfoFields::Fault { addr } = info.fields { addr } else { 0 };
    let registers =
        SigcontextHead { fault_address, regs, sp, pc: context.pc, pstate: context.nzcv & NZCV | context.pstate };
    registers.store(&mut frame[MCONTEXT..MCONTEXT + SigcontextHead::SIZE]);
    let size = u32::try_from(FpsimdContext::SIZE).unwrap_or(0);
    let vectors = FpsimdContext {
        head: ContextHead { magic: FPSIMD_MAGIC, size },
        fpsr: context.fpsr,
        fpcr: context.fpcr,
        vregs: context.v,
    };
    vectors.store(&mut frame[RECORDS..RECORDS + FpsimdContext::SIZE]);
    // What follows is already the ending record: magic 0, size 0.
    frame[RT_SIGFRAME_SIZE..RT_SIGFRAME_SIZE + 8].copy_from_slice(&context.x[29].to_le_bytes());
    frame[RT_SIGFRAME_SIZE + 8..].copy_from_slice(&context.x[30].to_le_bytes());
    let mm = task.mm();
    mm.write(GuestAddr(base), &frame[..RT_SIGFRAME_SIZE])?;
    mm.write(GuestAddr(record), &frame[RT_SIGFRAME_SIZE..])?;

    if alt.flags & SS_AUTODISARM != 0 && flags.contains(SaFlags::SA_ONSTACK) {
        task.signals.lock().alt_stack = AltStack::default();
    }
    context.x[0] = u64::from(info.signal.get());
    if flags.contains(SaFlags::SA_SIGINFO) {
        context.x[1] = base + RT_SIGFRAME_INFO as u64;
        context.x[2] = base + RT_SIGFRAME_UC as u64;
    }
    context.x[29] = record;
    context.x[30] = if flags.contains(SaFlags::SA_RESTORER) { action.restorer } else { mm.sigreturn_trampoline() };
    context.set_sp(base);
    context.pc = action.handler;
    if has_bti {
        // As after a `BLR`, so that a handler in a guarded page has to be a
        // function.
        context.pstate = context.pstate & !pstate::BTYPE | pstate::BTYPE_CALL;
    }
    Ok(())
}

/// Takes the registers, the mask and the alternate stack back from the frame
/// at SP.
///
/// # Errors
/// `EFAULT` or `EINVAL` if the frame cannot be read or makes no sense.
pub(super) fn pop(task: &Arc<Task>, context: &mut UserContext, has_bti: bool) -> Result<()> {
    let base = context.sp();
    if base & 15 != 0 {
        return Err(Errno::EINVAL.because("the signal frame is not aligned"));
    }
    let mut frame = vec![0; RT_SIGFRAME_SIZE];
    task.mm().read(GuestAddr(base), &mut frame)?;
    let head = UcontextHead::load(&frame[RT_SIGFRAME_UC..RT_SIGFRAME_UC + UcontextHead::SIZE]);
    let registers = SigcontextHead::load(&frame[MCONTEXT..MCONTEXT + SigcontextHead::SIZE]);
    if registers.pstate & NOT_EL0 != 0 {
        return Err(Errno::EINVAL.because("the frame's PSTATE is not of EL0"));
    }
    let vectors = find_vectors(&frame[RECORDS..RECORDS + SIGCONTEXT_RESERVED_SIZE])?;
    context.x[..31].copy_from_slice(&registers.regs);
    context.set_sp(registers.sp);
    context.pc = registers.pc;
    context.nzcv = registers.pstate & NZCV;
    let btype = if has_bti { pstate::BTYPE } else { 0 };
    context.pstate = registers.pstate & (pstate::DIT | pstate::SSBS | btype);
    context.monitor = machine::Monitor::default();
    context.fpsr = vectors.fpsr;
    context.fpcr = vectors.fpcr;
    context.v = vectors.vregs;
    task.set_blocked(Set(head.uc_sigmask.0));
    // As Linux does, a stack that could not be set is no error here.
    let _ = super::calls::set_alt_stack(task, head.uc_stack, registers.sp);
    Ok(())
}

fn find_vectors(mut records: &[u8]) -> Result<FpsimdContext> {
    let bad = || Errno::EINVAL.because("the signal frame's records are damaged");
    let mut vectors = None;
    while records.len() >= ContextHead::SIZE {
        let head = ContextHead::load(&records[..ContextHead::SIZE]);
        let size = usize::try_from(head.size).map_err(|_| bad())?;
        match head.magic {
            0 => return if head.size == 0 { vectors.ok_or_else(bad) } else { Err(bad()) },
            FPSIMD_MAGIC if size == FpsimdContext::SIZE && vectors.is_none() && size <= records.len() => {
                vectors = Some(FpsimdContext::load(&records[..size]));
            }
            ESR_MAGIC | EXTRA_MAGIC => {}
            _ => return Err(bad()),
        }
        if size < ContextHead::SIZE || size % 16 != 0 || size > records.len() {
            return Err(bad());
        }
        records = &records[size..];
    }
    Err(bad())
}
