//! [`HostedMachine`]: memory, CPUs, clock and the rest in one.

use std::any::Any;
use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, mpsc};
use std::thread;

use engine::{AddressSpace, Arena};
use machine::{BlockDev, Clock, FramePool, Machine, NetDev, NoMemory, PAGE_SIZE, PageTable, UserContext};
use parking_lot::Mutex;

use crate::clock::HostClock;
use crate::cpu::{HostedCpu, Reach};
use crate::memory::Region;
use crate::timer::Timers;

/// Where the machine's log lines go.
pub type LogSink = Box<dyn Fn(fmt::Arguments<'_>) + Send + Sync>;

/// What a machine is made of.
pub struct Config {
    /// Bytes of guest memory, a hard limit; rounded down to whole frames.
    pub memory: u64,
    /// How many CPUs, and so host threads, run guest code.
    pub cpus: usize,
    /// The disks.
    pub block_devices: Vec<Arc<dyn BlockDev>>,
    /// The network interfaces.
    pub net_devices: Vec<Arc<dyn NetDev>>,
    /// Where log lines go.
    pub log: LogSink,
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config").field("memory", &self.memory).field("cpus", &self.cpus).finish_non_exhaustive()
    }
}

impl Config {
    /// A machine without disks and networks, whose log lines go nowhere.
    #[must_use]
    pub fn new(memory: u64, cpus: usize) -> Self {
        Self { memory, cpus, block_devices: Vec::new(), net_devices: Vec::new(), log: Box::new(|_| {}) }
    }
}

/// Why there is no machine.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The configuration makes no sense.
    #[error("a machine needs at least one CPU and {MIN_MEMORY} bytes of memory, not {cpus} and {memory}")]
    Config {
        /// The CPUs asked for.
        cpus: usize,
        /// The memory asked for.
        memory: u64,
    },
    /// The host does not give that much address space.
    #[error("cannot reserve {bytes} bytes of guest memory: {source}")]
    Memory {
        /// The memory asked for.
        bytes: u64,
        /// What the host said.
        source: io::Error,
    },
    /// The host does not give a thread.
    #[error("cannot start the thread of CPU {cpu}: {source}")]
    Thread {
        /// Which CPU.
        cpu: usize,
        /// What the host said.
        source: io::Error,
    },
}

/// The least memory that a machine can have.
pub const MIN_MEMORY: u64 = 1 << 20;

/// The machine inside an ordinary process.
pub struct HostedMachine {
    arena: Arc<Arena>,
    reach: Arc<[Reach]>,
    timers: Arc<Timers>,
    clock: Arc<HostClock>,
    /// CPUs that were not started yet.
    parked: Mutex<Vec<HostedCpu>>,
    block_devices: Vec<Arc<dyn BlockDev>>,
    net_devices: Vec<Arc<dyn NetDev>>,
    log: LogSink,
}

impl HostedMachine {
    /// Makes a machine. Its CPUs stand still until [`HostedMachine::start`].
    ///
    /// # Errors
    /// When the configuration makes no sense or the host gives no memory.
    pub fn new(config: Config) -> Result<Arc<Self>, Error> {
        let Config { memory, cpus, block_devices, net_devices, log } = config;
        let bytes = usize::try_from(memory / PAGE_SIZE * PAGE_SIZE).ok();
        let bytes = bytes.filter(|_| cpus > 0 && memory >= MIN_MEMORY).ok_or(Error::Config { cpus, memory })?;
        let region = Region::new(bytes).map_err(|source| Error::Memory { bytes: memory, source })?;
        let arena = make_arena(region, bytes);
        let clock = Arc::new(HostClock::new());
        let make_engine = |_| {
            let mut engine = engine::Cpu::new(&arena, clock.clone(), engine::host_features());
            engine.set_entropy(crate::random::fill);
            engine
        };
        let engines: Vec<_> = (0..cpus).map(make_engine).collect();
        let reach: Arc<[Reach]> = engines.iter().map(|engine| Reach::new(engine.kick_handle())).collect();
        let kicked = reach.clone();
        let kick = Box::new(move |cpu: usize| kicked[cpu].kick());
        let timers = Arc::new(Timers::new(cpus, clock.clone(), kick));
        let parts =
            |(id, engine)| HostedCpu { id, engine, reach: reach.clone(), timers: timers.clone(), clock: clock.clone() };
        let parked = engines.into_iter().enumerate().map(parts).collect();
        let parked = Mutex::new(parked);
        Ok(Arc::new(Self { arena, parked, reach, timers, clock, block_devices, net_devices, log }))
    }

    /// Starts every CPU on a thread of its own, which calls `cpu_main`.
    ///
    /// # Errors
    /// When the host gives no thread; those that exist are then kicked, and
    /// `cpu_main` must see by itself that it has nothing to do.
    ///
    /// # Panics
    /// If it is called twice.
    pub fn start<F>(&self, cpu_main: F) -> Result<RunningCpus, Error>
    where
        F: Fn(&mut dyn machine::Cpu) + Send + Sync + 'static,
    {
        let cpus = std::mem::take(&mut *self.parked.lock());
        assert!(!cpus.is_empty(), "the CPUs are running already");
        let (sender, ended) = mpsc::channel();
        let cpu_main = Arc::new(cpu_main);
        let mut threads = Vec::new();
        for mut cpu in cpus {
            let (id, sender, cpu_main) = (cpu.id, sender.clone(), cpu_main.clone());
            let body = move || {
                cpu.attach();
                let result = catch_unwind(AssertUnwindSafe(|| cpu_main(&mut cpu)));
                // Everything of the kernel's goes before the end is told.
                drop((cpu, cpu_main));
                // Nobody listens any more if `RunningCpus` was dropped.
                drop(sender.send(result));
            };
            match thread::Builder::new().name(format!("cpu{id}")).stack_size(CPU_STACK).spawn(body) {
                Ok(thread) => threads.push(thread),
                Err(source) => {
                    self.reach.iter().for_each(Reach::kick);
                    return Err(Error::Thread { cpu: id, source });
                }
            }
        }
        Ok(RunningCpus { ended, threads })
    }
}

/// Bytes of host stack for a CPU: the kernel's deepest call chains take a
/// fraction of it, and untouched pages cost nothing.
const CPU_STACK: usize = 8 << 20;

/// The threads of started CPUs.
#[derive(Debug)]
pub struct RunningCpus {
    ended: mpsc::Receiver<thread::Result<()>>,
    threads: Vec<thread::JoinHandle<()>>,
}

impl RunningCpus {
    /// Waits until `cpu_main` has returned on every CPU.
    ///
    /// # Errors
    /// As soon as it panics on one CPU, with the panic's payload; the others
    /// are left as they are.
    pub fn join(self) -> Result<(), Box<dyn Any + Send>> {
        for _ in 0..self.threads.len() {
            // A thread that ends without a word is gone by `abort` anyway.
            self.ended.recv().unwrap_or(Ok(()))?;
        }
        self.threads.into_iter().try_for_each(thread::JoinHandle::join)
    }
}

/// The arena over `region`, which it owns from now on.
fn make_arena(region: Region, bytes: usize) -> Arc<Arena> {
    let base = region.base();
    let release = Box::new(move |at, len| region.release(at, len));
    // SAFETY: the region is page-aligned, readable, writable, zero-filled and
    // used by nobody else. It is unmapped when `release` is dropped, which the
    // arena owns; so it is there as long as the arena. `release` answers true
    // only when the pages read as zero.
    unsafe { Arena::with_release(base, bytes, Some(release)) }
}

impl Machine for HostedMachine {
    fn cpu_count(&self) -> usize {
        self.reach.len()
    }

    fn frames(&self) -> &dyn FramePool {
        &*self.arena
    }

    fn new_page_table(&self) -> Result<Arc<dyn PageTable>, NoMemory> {
        Ok(AddressSpace::new(&self.arena)?)
    }

    fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    fn fill_random(&self, buf: &mut [u8]) {
        crate::random::fill(buf);
    }

    fn block_devices(&self) -> &[Arc<dyn BlockDev>] {
        &self.block_devices
    }

    fn net_devices(&self) -> &[Arc<dyn NetDev>] {
        &self.net_devices
    }

    fn complete(&self, _context: &mut UserContext) {
        // The engine works on the context itself.
    }

    fn interrupts(&self, _visit: &mut dyn FnMut(u32, &str, &[u64])) {
        // The host's threads bring the news: there are no lines.
    }

    fn kick(&self, cpu: usize) {
        if let Some(reach) = self.reach.get(cpu) {
            reach.kick();
        }
    }

    fn log(&self, message: fmt::Arguments<'_>) {
        (self.log)(message);
    }
}

impl fmt::Debug for HostedMachine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostedMachine")
            .field("arena", &self.arena)
            .field("cpus", &self.reach.len())
            .field("timers", &self.timers)
            .finish_non_exhaustive()
    }
}
