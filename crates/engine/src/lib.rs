//! Guest A64 code as threaded code.
//!
//! Each guest instruction becomes an op: a pointer to a handler and its
//! operands. A handler does what the instruction does and jumps to the handler
//! of the next op; no machine code is ever generated. The meaning of
//! instructions is in `sem`, written once over [`domain::Domain`]; `lower`
//! chooses the form for an encoding; `domain::handler` makes handlers of forms;
//! `code` keeps ops; `mem` is guest memory; `cpu` runs.
//!
//! What a machine does with it:
//!
//! ```text
//! // Once. The memory is mapped read-write, zero-filled, page-aligned.
//! let arena: Arc<Arena> = unsafe { Arena::new(base, bytes) };      // a machine::FramePool
//! // For Machine::new_page_table; an Arc<AddressSpace> is an Arc<dyn PageTable>.
//! let space: Arc<AddressSpace> = AddressSpace::new(&arena)?;
//! // Once per CPU, on or for its host thread (Cpu is Send, not Sync).
//! let mut cpu = Cpu::new(&arena, clock /* Arc<dyn machine::Clock> */, host_features());
//! let kick: KickHandle = cpu.kick_handle();                        // Clone + Send + Sync
//! // In machine::Cpu::run, with `table: &Arc<dyn PageTable>`:
//! let space = table.as_any().downcast_ref::<AddressSpace>();       // cheap; one type id compare
//! let exit = cpu.run(&mut context, space);
//! // machine::Cpu::take_kick is cpu.take_kick(); Machine::kick is kick.kick() and
//! // waking the thread if it idles (kick.is_kicked() tells whether to sleep).
//! ```
//!
//! `Cpu::run` takes no lock that `kick` needs. `PageTable::flush` may be called
//! from any thread, also from the one that owns a CPU while that is not in
//! `run`; it waits until the CPUs that run in the space have passed a branch.

mod bti;
mod code;
mod cpu;
mod crc;
pub mod domain;
pub mod fp;
mod host;
mod lower;
mod mem;
mod op;
mod pauth;
mod sem;
pub mod simd;
mod wide;

pub use cpu::{Cpu, FillRandom, KickHandle, Stats};
pub use host::host_features;
pub use lower::encodings_not_provided;
pub use machine::features::{self, CpuFeatures};
pub use mem::arena::{Arena, ReleaseHook};
pub use mem::space::AddressSpace;
