//! A CPU as the kernel has it: user code, sleep, and the one-shot timer.

use alloc::sync::Arc;
use core::fmt;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use machine::{Access, Cpu, Exit, FramePool, PageTable, UserContext, page_floor};
use machine_virt::esr::{self, Cause, Misalignment, SystemAccess};
use machine_virt::phase::Phase;
use machine_virt::platform::MAX_CPUS;

use crate::arch::regs::{isb, read_sysreg, wait_for_interrupt, write_sysreg};
use crate::arch::{self, Vector};
use crate::clock;
use crate::irq;
use crate::mem::pool::pool;
use crate::mem::user_table::UserTable;
use crate::{idreg, log};

/// Set by a kick, until the kernel takes note of it.
static KICKED: [AtomicBool; MAX_CPUS] = [const { AtomicBool::new(false) }; MAX_CPUS];

/// Makes CPU `cpu` come back to the kernel's loop.
pub(crate) fn kick(cpu: usize) {
    let Some(kicked) = KICKED.get(cpu) else { return };
    // A CPU that kicks itself finds the flag before it runs user code or sleeps.
    if !kicked.swap(true, Ordering::SeqCst) {
        irq::wake(cpu);
    }
}

/// The context whose FP and SIMD registers each CPU holds: they stay in the
/// processor from one run to the next, as the kernel has no use for them.
/// Only the CPU itself uses its entry; the address is compared, not followed.
static HELD: [AtomicUsize; MAX_CPUS] = [const { AtomicUsize::new(0) }; MAX_CPUS];

/// Loads the FP and SIMD registers of `context` if the calling CPU has not
/// kept them.
fn hold(cpu: usize, context: &mut UserContext) {
    let address = &raw mut *context as usize;
    if HELD[cpu].load(Ordering::Relaxed) != address {
        arch::fp_restore(context);
        HELD[cpu].store(address, Ordering::Relaxed);
    }
}

/// Stores the FP and SIMD registers in `context` if the calling CPU has them.
pub(crate) fn complete(context: &mut UserContext) {
    let held = &HELD[arch::percpu::id()];
    if held.load(Ordering::Relaxed) == &raw mut *context as usize {
        arch::fp_save(context);
        held.store(0, Ordering::Relaxed);
    }
}

/// One CPU.
pub(crate) struct VirtCpu {
    id: usize,
    /// The address space in `TTBR0_EL1`. Held so that it outlives its use.
    table: Option<Arc<dyn PageTable>>,
    /// What `TTBR0_EL1` holds.
    ttbr0: u64,
    /// When to come back.
    deadline_ns: Option<u64>,
    /// A store that faulted and that the kernel may have made possible.
    pending_store: Option<u64>,
    /// The keys in the processor.
    keys: arch::pauth::Loaded,
    has_run: bool,
}

impl VirtCpu {
    /// The calling CPU.
    pub(crate) fn new() -> Self {
        Self {
            id: arch::percpu::id(),
            table: None,
            ttbr0: 0,
            deadline_ns: None,
            pending_store: None,
            keys: arch::pauth::Loaded::default(),
            has_run: false,
        }
    }

    fn is_kicked(&self) -> bool {
        KICKED[self.id].load(Ordering::SeqCst)
    }

    /// Makes `table` the current address space.
    fn activate<'t>(&mut self, table: &'t Arc<dyn PageTable>) -> &'t UserTable {
        let user = table.as_any().downcast_ref::<UserTable>().expect("page tables come from this machine");
        let ttbr0 = user.activate(self.id);
        if ttbr0 != self.ttbr0 {
            set_ttbr0(ttbr0);
            self.ttbr0 = ttbr0;
            // Only now may the old one go.
            self.table = Some(table.clone());
        }
        user
    }

    /// Lets go of an address space that only this CPU still knows.
    fn release_table(&mut self) {
        if self.table.as_ref().is_some_and(|table| Arc::strong_count(table) == 1) {
            self.ttbr0 = crate::start::empty_ttbr0();
            set_ttbr0(self.ttbr0);
            self.table = None;
        }
    }

    /// Handles a pending interrupt; true if the deadline came with it.
    fn take_interrupt(&mut self) -> bool {
        irq::dispatch();
        self.check_deadline()
    }

    /// True if the deadline has come; else the timer is set for it.
    fn check_deadline(&mut self) -> bool {
        let Some(deadline) = self.deadline_ns else { return false };
        if clock::now_ns() >= deadline {
            self.deadline_ns = None;
            return true;
        }
        clock::arm_by(deadline);
        false
    }

    /// What a synchronous exception means; `None` if it was dealt with here.
    fn exception(&mut self, context: &mut UserContext, table: &UserTable) -> Option<Exit> {
        let esr = read_sysreg!("esr_el1");
        match esr::decode(esr) {
            Cause::Syscall => Some(Exit::Syscall),
            Cause::Translation(access) | Cause::Permission(access) => {
                let addr = machine::GuestAddr(read_sysreg!("far_el1")).untagged();
                if access == Access::Write {
                    if table.note_write(addr) {
                        table.forget_locally(addr);
                        return None;
                    }
                    self.pending_store = Some(addr);
                }
                Some(Exit::Fault { addr, access })
            }
            Cause::Alignment(kind) => Some(Exit::Misaligned {
                addr: match kind {
                    Misalignment::Data => machine::GuestAddr(read_sysreg!("far_el1")).untagged(),
                    Misalignment::Pc => context.pc,
                    Misalignment::Sp => context.sp(),
                },
            }),
            Cause::Breakpoint(imm) => Some(Exit::Breakpoint { imm }),
            Cause::BranchTarget => Some(Exit::BranchTarget),
            Cause::PointerAuth => Some(Exit::PointerAuth),
            Cause::SystemRegister(access) => self.system_register(context, table, access),
            Cause::Wait => {
                skip(context);
                None
            }
            Cause::FpAccess | Cause::Undefined => {
                let word = instruction(context, table);
                match esr::decode_mrs(word) {
                    Some(access) => self.system_register(context, table, access),
                    None => Some(Exit::Undefined { word }),
                }
            }
            Cause::Machine => panic!("user code at {:#x} caused an exception with syndrome {esr:#x}", context.pc),
        }
    }

    fn system_register(&self, context: &mut UserContext, table: &UserTable, access: SystemAccess) -> Option<Exit> {
        let value = access.is_read.then(|| idreg::read(access.register)).flatten();
        let Some(value) = value else { return Some(Exit::Undefined { word: instruction(context, table) }) };
        // Register 31 is XZR here.
        if let Some(x) = context.x.get_mut(usize::from(access.rt)).filter(|_| access.rt != 31) {
            *x = value;
        }
        skip(context);
        None
    }
}

/// Goes on behind an instruction that was done here.
fn skip(context: &mut UserContext) {
    context.pc = context.pc.wrapping_add(4);
    context.set_btype(0);
}

fn set_ttbr0(ttbr0: u64) {
    // SAFETY: a table that the CPU holds, or the empty one.
    unsafe { write_sysreg!("ttbr0_el1", ttbr0) };
    isb();
}

/// The instruction at the PC; 0 if it cannot be read any more.
fn instruction(context: &UserContext, table: &UserTable) -> u32 {
    let page = page_floor(context.pc);
    table.translate(page).map_or(0, |mapping| pool().load_u32(mapping.frame, (context.pc - page) as usize & !3))
}

impl Cpu for VirtCpu {
    fn id(&self) -> usize {
        self.id
    }

    fn run(&mut self, context: &mut UserContext, table: &Arc<dyn PageTable>) -> Exit {
        let user = self.activate(table);
        if let Some(addr) = self.pending_store.take() {
            // The kernel has mapped a page for a store that comes now again:
            // it need not fault once more to set the dirty bit.
            user.note_write(addr);
        }
        if !self.has_run {
            self.has_run = true;
            log::enter(Phase::User);
        }
        if let Some(deadline) = self.deadline_ns {
            clock::arm_by(deadline);
        }
        hold(self.id, context);
        self.keys.load(&context.pauth);
        loop {
            if self.is_kicked() {
                return Exit::Event;
            }
            match arch::enter_user(context) {
                Vector::Synchronous => {
                    if let Some(exit) = self.exception(context, user) {
                        return exit;
                    }
                }
                Vector::Irq => {
                    if self.take_interrupt() {
                        return Exit::Event;
                    }
                }
                Vector::Other => panic!("an exception of a kind that does not happen, at {:#x}", context.pc),
            }
        }
    }

    fn take_kick(&mut self) {
        KICKED[self.id].store(false, Ordering::SeqCst);
    }

    fn idle(&mut self, deadline_ns: Option<u64>) {
        self.release_table();
        self.deadline_ns = deadline_ns;
        while !self.is_kicked() {
            if self.take_interrupt() {
                return;
            }
            if !self.is_kicked() {
                // An interrupt that came meanwhile is pending, so that this
                // does not sleep.
                wait_for_interrupt();
            }
        }
    }

    fn set_deadline(&mut self, deadline_ns: Option<u64>) {
        // `run` sets the timer.
        self.deadline_ns = deadline_ns;
    }
}

impl fmt::Debug for VirtCpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VirtCpu").field("id", &self.id).field("deadline_ns", &self.deadline_ns).finish_non_exhaustive()
    }
}
