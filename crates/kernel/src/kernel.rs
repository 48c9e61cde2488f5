//! The kernel value, its configuration and each CPU's loop.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use core::task::Waker;

use linux_abi::auxv::{Hwcap, Hwcap2};
use machine::sync::Mutex;
use machine::{Clock, Cpu, FramePool, Machine};

use crate::error::Result;
use crate::fs::{FileTable, FsContext, Vfs};
use crate::futex::Futexes;
use crate::ipc::Segments;
use crate::mm::{FrameRefs, Mm, Vdso};
use crate::net::Net;
use crate::sched::{BackgroundQueue, Event, Events, RunQueue, TimerId, Timers, WaitQueue};
use crate::syscall::trace::TraceSink;
use crate::task::{Creds, ExitStatus, Tree};
use crate::tty::Terminals;

/// Everything about a kernel that is chosen when it is made.
pub struct Config {
    /// What `uname` gives as the node name.
    pub hostname: String,
    /// The boot parameters, in Linux's syntax (`/proc/cmdline`): the kernel
    /// takes those it knows and leaves the others to user land.
    pub cmdline: String,
    /// Where system-call trace lines go, if anywhere.
    pub trace: Option<TraceSink>,
    /// `AT_HWCAP` and `AT_HWCAP2`, from the machine's feature table.
    pub hwcap: [u64; 2],
    /// `/proc/cpuinfo`'s text for one CPU, from the same table.
    pub cpuinfo: String,
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config").field("hostname", &self.hostname).finish_non_exhaustive()
    }
}

/// One Linux kernel.
pub struct Kernel {
    machine: Arc<dyn Machine>,
    config: Config,
    hostname: Mutex<String>,
    frames: Arc<FrameRefs>,
    vdso: Vdso,
    run_queue: RunQueue,
    background: BackgroundQueue,
    timers: Timers,
    events: Events,
    tree: Tree,
    vfs: Vfs,
    terminals: Terminals,
    futexes: Futexes,
    segments: Segments,
    net: Arc<Net>,
    /// The address space of threads that have ended: nothing is mapped.
    no_memory: Mutex<Option<Arc<Mm>>>,
    shutdown: AtomicBool,
    /// An [`End`].
    end: AtomicU8,
    /// Woken when the first process has ended.
    ended: WaitQueue,
    boot_ns: u64,
    /// A random name for this run (`/proc/sys/kernel/random/boot_id`).
    boot_id: [u8; 16],
}

impl fmt::Debug for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kernel")
            .field("run_queue", &self.run_queue)
            .field("timers", &self.timers)
            .finish_non_exhaustive()
    }
}

/// The first process.
#[derive(Debug)]
pub struct Init {
    /// The program's path, in the guest.
    pub path: Vec<u8>,
    /// Its arguments, the name first.
    pub argv: Vec<Vec<u8>>,
    /// Its environment, as `NAME=value`.
    pub envp: Vec<Vec<u8>>,
    /// Who it runs as.
    pub creds: Creds,
    /// Its root and working directory.
    pub fs: Arc<FsContext>,
    /// Its open files.
    pub files: Arc<FileTable>,
}

/// What a machine does after its last process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum End {
    /// It goes off; also when the first process ends by itself.
    #[default]
    PowerOff,
    /// It stands still.
    Halt,
    /// It starts anew.
    Restart,
}

/// How long a task runs before another that is ready gets the CPU: 10 ms.
pub(crate) const SLICE_NS: u64 = 10_000_000;

impl Kernel {
    /// A kernel on `machine`, with no process and an empty root directory.
    ///
    /// # Errors
    /// `ENOMEM` if the machine has no memory for an empty address space.
    pub fn new(machine: Arc<dyn Machine>, config: Config) -> Result<Arc<Self>> {
        let boot_ns = machine.clock().monotonic_ns();
        let mut boot_id = [0; 16];
        machine.fill_random(&mut boot_id);
        let frames = FrameRefs::new(machine.clone());
        let kernel = Arc::new_cyclic(|kernel| Self {
            vdso: Vdso::new(&frames),
            frames,
            hostname: Mutex::new(config.hostname.clone()),
            run_queue: RunQueue::default(),
            background: BackgroundQueue::default(),
            timers: Timers::new(),
            events: Events::default(),
            tree: Tree::default(),
            terminals: Terminals::default(),
            futexes: Futexes::default(),
            segments: Segments::default(),
            net: Net::new(kernel.clone(), &machine),
            no_memory: Mutex::new(None),
            vfs: Vfs::new(kernel.clone(), &machine),
            shutdown: AtomicBool::new(false),
            end: AtomicU8::new(End::PowerOff as u8),
            ended: WaitQueue::new(),
            machine,
            config,
            boot_ns,
            boot_id,
        });
        let no_memory = Mm::new(&kernel)?;
        *kernel.no_memory.lock() = Some(no_memory);
        crate::tty::install(&kernel);
        kernel.net.start(&kernel);
        Ok(kernel)
    }

    /// The machine beneath.
    #[must_use]
    pub fn machine(&self) -> &Arc<dyn Machine> {
        &self.machine
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Whether the processor can sign pointers (FEAT_PAuth).
    pub(crate) fn has_pauth(&self) -> bool {
        self.config.hwcap[0] & Hwcap::HWCAP_PACA.bits() != 0
    }

    /// Whether the processor knows guarded pages (FEAT_BTI).
    pub(crate) fn has_bti(&self) -> bool {
        self.config.hwcap[1] & Hwcap2::HWCAP2_BTI.bits() != 0
    }

    /// The node name.
    #[must_use]
    pub fn hostname(&self) -> &Mutex<String> {
        &self.hostname
    }

    /// Frames with reference counts.
    #[must_use]
    pub fn frames(&self) -> &Arc<FrameRefs> {
        &self.frames
    }

    /// What every process finds mapped.
    #[must_use]
    pub fn vdso(&self) -> &Vdso {
        &self.vdso
    }

    /// The machine's frames.
    #[must_use]
    pub fn frame_pool(&self) -> &dyn FramePool {
        self.machine.frames()
    }

    /// The machine's clock.
    #[must_use]
    pub fn clock(&self) -> &dyn Clock {
        self.machine.clock()
    }

    /// The monotonic clock, in nanoseconds.
    #[must_use]
    pub fn now_ns(&self) -> u64 {
        self.machine.clock().monotonic_ns()
    }

    /// What the monotonic clock showed when the kernel was made.
    #[must_use]
    pub fn boot_ns(&self) -> u64 {
        self.boot_ns
    }

    /// A random name for this run.
    #[must_use]
    pub fn boot_id(&self) -> &[u8; 16] {
        &self.boot_id
    }

    /// The armed timers.
    #[must_use]
    pub fn timers(&self) -> &Timers {
        &self.timers
    }

    /// Processes and threads.
    #[must_use]
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// The terminals.
    pub(crate) fn terminals(&self) -> &Terminals {
        &self.terminals
    }

    /// Files and mounts.
    #[must_use]
    pub fn vfs(&self) -> &Vfs {
        &self.vfs
    }

    pub(crate) fn net(&self) -> &Arc<Net> {
        &self.net
    }

    pub(crate) fn futexes(&self) -> &Futexes {
        &self.futexes
    }

    /// The segments of System V shared memory.
    pub(crate) fn segments(&self) -> &Segments {
        &self.segments
    }

    /// An address space in which nothing is mapped.
    pub(crate) fn no_memory(&self) -> Arc<Mm> {
        // Set by the constructor; taken away only when the kernel is dropped.
        self.no_memory.lock().as_ref().cloned().unwrap_or_else(|| unreachable!("set by Kernel::new"))
    }

    /// How many threads there may be at once.
    pub(crate) fn max_threads(&self) -> usize {
        // A thread's kernel structures are small beside its stack, which needs
        // frames of its own; so the frames are the measure, as in Linux.
        (self.frame_pool().total() / 8).clamp(256, crate::task::PID_MAX as usize / 2)
    }

    pub(crate) fn background(&self) -> &BackgroundQueue {
        &self.background
    }

    pub(crate) fn run_queue(&self) -> &RunQueue {
        &self.run_queue
    }

    /// Arms a one-shot timer; `waker` is called by some CPU once the monotonic
    /// clock reaches `deadline_ns`.
    pub fn arm_timer(&self, deadline_ns: u64, waker: Waker) -> TimerId {
        let (id, is_first) = self.timers.arm(deadline_ns, waker);
        if is_first {
            // A CPU that runs a task looks at the timers when its slice ends,
            // which may be too late; one that is idle sleeps until the old
            // deadline. So some CPU has to look now.
            self.machine.kick(self.run_queue.take_idle().unwrap_or(0));
        }
        id
    }

    /// A source of news from outside, such as the input of a device: some CPU
    /// calls `waker` after each time the event was raised.
    pub fn new_event(&self, waker: Waker) -> Event {
        self.events.add(&self.machine, waker)
    }

    /// Calls the wakers of events that were raised.
    pub(crate) fn drain_events(&self) {
        self.events.drain();
    }

    /// True once the machine is to stop.
    #[must_use]
    pub fn is_shut_down(&self) -> bool {
        self.shutdown.load(Ordering::SeqCst)
    }

    /// Makes every CPU leave [`Kernel::cpu_main`].
    pub fn shut_down(&self) {
        self.shutdown.store(true, Ordering::SeqCst);
        for cpu in 0..self.machine.cpu_count() {
            self.machine.kick(cpu);
        }
        self.ended.wake_all();
    }

    /// Runs tasks on the calling CPU until [`Kernel::shut_down`].
    pub fn cpu_main(self: &Arc<Self>, cpu: &mut dyn Cpu) {
        loop {
            cpu.take_kick();
            if self.is_shut_down() {
                return;
            }
            self.drain_events();
            self.timers.expire(self.now_ns());
            self.run_background();
            if let Some(task) = self.run_queue.pop_or_idle(cpu.id()) {
                self.vdso.refresh_if_stale(self.clock());
                crate::task::run(self, cpu, &task);
            } else {
                cpu.set_deadline(None);
                cpu.idle(self.timers.next_deadline());
            }
        }
    }

    /// When the task that runs next has to be interrupted: at the end of its
    /// slice, or earlier for a timer.
    pub(crate) fn next_interruption(&self) -> u64 {
        let slice = self.now_ns().saturating_add(SLICE_NS);
        self.timers.next_deadline().map_or(slice, |timer| timer.min(slice))
    }

    /// Ends every process, as `reboot` does; `end` is what the machine is to do then.
    pub(crate) fn stop_machine(&self, end: End) {
        self.end.store(end as u8, Ordering::Relaxed);
        self.tree.nodes.lock().init_status.get_or_insert(ExitStatus::Code(0));
        crate::signal::kill_everyone(self, 0);
        self.shut_down();
    }

    /// What the machine is to do once all CPUs have left [`Kernel::cpu_main`].
    #[must_use]
    pub fn end(&self) -> End {
        [End::Halt, End::Restart]
            .into_iter()
            .find(|end| *end as u8 == self.end.load(Ordering::Relaxed))
            .unwrap_or_default()
    }

    /// Starts the first process: `path` with `argv` and `envp`, as `creds`, in
    /// `fs`'s directory with `files` open. Number 1, in a session of its own.
    ///
    /// # Errors
    /// As `execve`.
    pub fn start_init(self: &Arc<Self>, init: Init) -> Result<()> {
        crate::task::start_init(self, init)
    }

    /// The status of the first process, once it has ended.
    #[must_use]
    pub fn init_status(&self) -> Option<ExitStatus> {
        self.tree.init_status()
    }
}
