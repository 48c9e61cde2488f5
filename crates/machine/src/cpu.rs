//! CPUs, clocks and the bundle of everything a machine offers.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::fmt;

use crate::{BlockDev, FramePool, NetDev, NoMemory, PageTable, UserContext};

/// What an access was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// A data read.
    Read,
    /// A data write.
    Write,
    /// An instruction fetch.
    Execute,
}

/// Why [`Cpu::run`] returned. The context, but for what
/// [`Machine::complete`] adds, is exact at each of them: for a
/// fault, `pc` is the instruction that faulted and none of its registers has
/// been written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// `SVC`; `pc` is already past it.
    Syscall,
    /// No mapping, or one that forbids the access; the kernel may be able to
    /// make it good and run on.
    Fault {
        /// The untagged address.
        addr: u64,
        /// What was tried.
        access: Access,
    },
    /// An alignment fault: an exclusive, atomic or ordered access, or the PC.
    Misaligned {
        /// The address that is not aligned.
        addr: u64,
    },
    /// No such instruction, or one that EL0 may not use.
    Undefined {
        /// The instruction word.
        word: u32,
    },
    /// A branch to a register led to an instruction of a guarded page that is
    /// no landing pad for it (FEAT_BTI). `pc` is that instruction, and
    /// PSTATE.BTYPE tells the branch.
    BranchTarget,
    /// The authentication of a pointer failed (FEAT_FPAC).
    PointerAuth,
    /// `BRK`; `pc` is still at it.
    Breakpoint {
        /// The instruction's immediate.
        imm: u16,
    },
    /// `Cpu::kick` was called, or the deadline passed.
    Event,
}

/// One CPU, owned by the thread (or the core) that runs the kernel's loop on it.
pub trait Cpu {
    /// This CPU's number, from 0.
    fn id(&self) -> usize;

    /// Runs guest code from `context` in `table` until something happens.
    ///
    /// Returns [`Exit::Event`] within a bounded number of instructions after
    /// [`Machine::kick`] for this CPU, also if the kick came before the call
    /// and after the last [`Cpu::take_kick`].
    fn run(&mut self, context: &mut UserContext, table: &Arc<dyn PageTable>) -> Exit;

    /// Forgets kicks that came so far. The kernel calls it before it looks at
    /// what there is to do, so that a kick after the look is not lost.
    fn take_kick(&mut self);

    /// Sleeps until a kick, or until the monotonic clock reaches `deadline_ns`.
    /// Returns at once if a kick is pending. Never wakes for any other reason.
    fn idle(&mut self, deadline_ns: Option<u64>);

    /// Arms (or disarms) the one-shot timer that kicks this CPU once the
    /// monotonic clock reaches `deadline_ns`. A later call replaces it.
    fn set_deadline(&mut self, deadline_ns: Option<u64>);
}

/// Time. Nothing else in the kernel reads a clock.
pub trait Clock: Send + Sync {
    /// Nanoseconds since some fixed point; never goes back.
    fn monotonic_ns(&self) -> u64;

    /// What to add to [`Clock::monotonic_ns`] for nanoseconds since 1970, UTC.
    fn wall_offset_ns(&self) -> i64;

    /// What `CNTFRQ_EL0` reads, in hertz.
    fn counter_frequency(&self) -> u64;

    /// What `CNTVCT_EL0` reads now. `counter * 1e9 / frequency` and
    /// [`Clock::monotonic_ns`] differ by a constant.
    fn counter(&self) -> u64;

    /// Processor time of the calling CPU's thread, in nanoseconds, where the
    /// machine accounts it; else the monotonic time.
    fn cpu_ns(&self) -> u64 {
        self.monotonic_ns()
    }
}

/// A byte device with input that arrives by itself: a console.
pub trait CharDev: Send + Sync {
    /// Takes up to `buf.len()` bytes that have arrived, without waiting.
    /// `Ok(0)`: nothing now. `Err(())`: nothing will ever come again.
    ///
    /// # Errors
    /// The end of the input.
    #[expect(clippy::result_unit_err, reason = "there is one way to fail: the end of the input")]
    fn read(&self, buf: &mut [u8]) -> Result<usize, ()>;

    /// Writes bytes and returns how many were taken; may wait for the host.
    fn write(&self, buf: &[u8]) -> usize;

    /// `(rows, columns)` of the window, if it is one.
    fn window_size(&self) -> Option<(u16, u16)>;

    /// Sets what to call, from any thread, when [`CharDev::read`] or
    /// [`CharDev::window_size`] has news. The callback only sets event bits
    /// and kicks a CPU; it takes no kernel lock.
    fn set_notify(&self, notify: Box<dyn Fn() + Send + Sync>);
}

/// Everything the kernel asks of what lies beneath it.
pub trait Machine: Send + Sync {
    /// How many CPUs call the kernel's loop.
    fn cpu_count(&self) -> usize;

    /// The memory.
    fn frames(&self) -> &dyn FramePool;

    /// An empty address space.
    ///
    /// # Errors
    /// When the frame budget does not allow one.
    fn new_page_table(&self) -> Result<Arc<dyn PageTable>, NoMemory>;

    /// The clock.
    fn clock(&self) -> &dyn Clock;

    /// Fills `buf` with unpredictable bytes.
    fn fill_random(&self, buf: &mut [u8]);

    /// The disks, in a fixed order: `vda`, `vdb`, …
    fn block_devices(&self) -> &[Arc<dyn BlockDev>];

    /// The network interfaces, in a fixed order: `eth0`, `eth1`, …
    fn net_devices(&self) -> &[Arc<dyn NetDev>];

    /// Stores in `context` whatever of its state the calling CPU still holds
    /// since [`Cpu::run`]: the FP and SIMD registers. Until then `v`, `fpcr`
    /// and `fpsr` are not exact. To be called on the CPU that ran the context
    /// before one of them is read or written, and before the context moves or
    /// another CPU runs it.
    fn complete(&self, context: &mut UserContext);

    /// Tells each interrupt line: its number, its device, and how often each
    /// CPU has had it.
    fn interrupts(&self, visit: &mut dyn FnMut(u32, &str, &[u64]));

    /// Interrupts CPU `cpu`: its [`Cpu::run`] or [`Cpu::idle`] returns soon.
    /// Callable from anywhere, also from where no lock may be taken.
    fn kick(&self, cpu: usize);

    /// A line for the machine's log (never the guest's console).
    fn log(&self, message: fmt::Arguments<'_>);
}
