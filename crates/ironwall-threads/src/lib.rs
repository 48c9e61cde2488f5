//! Several threads in one heap, by explicit calls: no signals, and no polls where objects are allocated.
//!
//! A [`Heap`] owns the runtime, which one thread at a time uses. Each thread has a [`Mutator`] with shadow frames of
//! its own. Between [`Mutator::enter`] and the end of [`Inside`] it may hold references that are in no frame, so a
//! collection waits until every other thread is outside or at [`Inside::rendezvous`], at most as long as the caller
//! says; then it is refused with the numbers of those that still run, and nothing is collected.
//!
//! Frames of threads that are outside are roots as well. `docs/ironwall/threads.md` lists the calls that may park.

#![forbid(unsafe_code)]

mod gate;
#[cfg(all(test, loom))]
mod model;
mod sync;

use gate::Gate;
use ironwall::{Block, EntryId, Failure, Handle, Origin, Refusal, Region, Report, Runtime, Stack};
use std::sync::PoisonError;
use std::time::Duration;
use sync::{Deadline, Mutex, MutexGuard};

/// The number of a thread's [`Mutator`] in its heap; none is used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MutatorId(pub u64);

/// Why a collection was not made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotCollected {
    /// These were inside and at no rendezvous when the time was over. Nothing was done.
    MutatorsRunning(Vec<MutatorId>),
    /// The runtime refused, or found damage.
    Failure(Failure),
}

/// A heap that threads share.
#[derive(Debug)]
pub struct Heap<'m> {
    gate: Gate,
    core: Mutex<Core<'m>>,
}

/// The runtime, and the shadow stacks of all mutators.
#[derive(Debug)]
struct Core<'m> {
    runtime: Runtime<'m>,
    owners: Vec<MutatorId>,
    stacks: Vec<Stack<'m>>,
}

impl<'m> Heap<'m> {
    /// A heap of a runtime whose units have been started. Frames that it has stay roots.
    pub fn new(runtime: Runtime<'m>) -> Self {
        Self { gate: Gate::new(), core: Mutex::new(Core { runtime, owners: Vec::new(), stacks: Vec::new() }) }
    }

    /// A mutator for a thread, which is outside, with memory for its shadow frames.
    pub fn mutator(&self, frames: Region<'m>) -> Mutator<'_, 'm> {
        let id = self.gate.add();
        let mut core = self.core();
        core.owners.push(id);
        core.stacks.push(Stack::new(frames));
        Mutator { heap: self, id }
    }

    /// Collects for a caller that is outside, as a host is.
    ///
    /// # Errors
    /// [`NotCollected`].
    pub fn collect(&self, origin: Origin, reason: u64, limit: Duration) -> Result<Report, NotCollected> {
        self.collect_as(None, origin, reason, limit)
    }

    fn collect_as(
        &self,
        caller: Option<MutatorId>,
        origin: Origin,
        reason: u64,
        limit: Duration,
    ) -> Result<Report, NotCollected> {
        let _stopped = self.gate.stop(caller, &Deadline::after(limit)).map_err(NotCollected::MutatorsRunning)?;
        let mut core = self.core();
        let Core { runtime, stacks, .. } = &mut *core;
        runtime.collect_with(stacks, origin, reason).map_err(NotCollected::Failure)
    }

    /// Shows the runtime and the stacks of all mutators while the world is stopped, for a snapshot that sees all
    /// frames. What is done with them lasts as long as that and should be brief; stacks that were swapped have to be
    /// swapped back.
    ///
    /// # Errors
    /// [`NotCollected::MutatorsRunning`].
    pub fn examine<T>(
        &self,
        limit: Duration,
        work: impl FnOnce(&mut Runtime<'m>, &mut [Stack<'m>]) -> T,
    ) -> Result<T, NotCollected> {
        let _stopped = self.gate.stop(None, &Deadline::after(limit)).map_err(NotCollected::MutatorsRunning)?;
        let mut core = self.core();
        let Core { runtime, stacks, .. } = &mut *core;
        Ok(work(runtime, stacks))
    }

    /// The runtime, once there are no mutators.
    pub fn into_runtime(self) -> Runtime<'m> {
        self.core.into_inner().unwrap_or_else(PoisonError::into_inner).runtime
    }

    /// A panic of a caller leaves the runtime between two calls, where it is whole.
    fn core(&self) -> MutexGuard<'_, Core<'m>> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A thread's part in a heap. Its frames are roots until it is dropped, wherever the thread is.
#[derive(Debug)]
pub struct Mutator<'h, 'm> {
    heap: &'h Heap<'m>,
    id: MutatorId,
}

impl<'h, 'm> Mutator<'h, 'm> {
    /// Its number.
    pub fn id(&self) -> MutatorId {
        self.id
    }

    /// Goes inside; parks while a collection is wanted or made.
    pub fn enter(&mut self) -> Inside<'_, 'h, 'm> {
        self.heap.gate.enter(self.id);
        Inside { mutator: self }
    }
}

impl Drop for Mutator<'_, '_> {
    fn drop(&mut self) {
        let mut core = self.heap.core();
        if let Some(place) = core.owners.iter().position(|&owner| owner == self.id) {
            core.owners.swap_remove(place);
            core.stacks.swap_remove(place);
        }
        drop(core);
        self.heap.gate.remove(self.id);
    }
}

/// A thread that is inside; it leaves when this is dropped, also by a panic.
#[derive(Debug)]
pub struct Inside<'a, 'h, 'm> {
    mutator: &'a mut Mutator<'h, 'm>,
}

impl<'m> Inside<'_, '_, 'm> {
    /// Uses the runtime with this thread's frames, alone. It waits while another thread does, and never for a
    /// collection, as none is made while this thread is inside.
    pub fn with<T>(&mut self, work: impl FnOnce(&mut Calls<'_, 'm>) -> T) -> T {
        let mut core = self.mutator.heap.core();
        let place = core.owners.iter().position(|&owner| owner == self.mutator.id);
        let mut calls = Calls { core: &mut core, place };
        calls.swap();
        work(&mut calls)
    }

    /// Lets a collection that is wanted be made, and parks until then; returns at once if none is. What is in no
    /// frame, global block or handle may be reclaimed.
    pub fn rendezvous(&mut self) {
        self.mutator.heap.gate.rendezvous(self.mutator.id);
    }

    /// Collects; this thread is at a rendezvous meanwhile.
    ///
    /// # Errors
    /// [`NotCollected`].
    pub fn collect(&mut self, origin: Origin, reason: u64, limit: Duration) -> Result<Report, NotCollected> {
        self.mutator.heap.collect_as(Some(self.mutator.id), origin, reason, limit)
    }

    /// Goes outside.
    pub fn leave(self) {}
}

impl Drop for Inside<'_, '_, '_> {
    fn drop(&mut self) {
        self.mutator.heap.gate.leave(self.mutator.id);
    }
}

/// What a thread that is inside may do with the runtime; each call is the runtime's own of that name.
#[derive(Debug)]
pub struct Calls<'c, 'm> {
    core: &'c mut Core<'m>,
    place: Option<usize>,
}

impl Calls<'_, '_> {
    /// Makes the thread's stack the current one, or no longer.
    fn swap(&mut self) {
        let Core { runtime, stacks, .. } = &mut *self.core;
        if let Some(stack) = self.place.and_then(|place| stacks.get_mut(place)) {
            runtime.swap_stack(stack);
        }
    }

    /// [`Runtime::allocate`].
    ///
    /// # Errors
    /// As there.
    pub fn allocate(&mut self, entry: EntryId) -> Result<Block, Refusal> {
        self.core.runtime.allocate(entry)
    }

    /// [`Runtime::allocate_extent`].
    ///
    /// # Errors
    /// As there.
    pub fn allocate_extent(&mut self, entry: EntryId, extent: u64) -> Result<Block, Refusal> {
        self.core.runtime.allocate_extent(entry, extent)
    }

    /// [`Runtime::load`].
    ///
    /// # Errors
    /// As there.
    pub fn load(&self, block: Block, offset: u64) -> Result<u64, Refusal> {
        self.core.runtime.load(block, offset)
    }

    /// [`Runtime::store`].
    ///
    /// # Errors
    /// As there.
    pub fn store(&mut self, block: Block, offset: u64, word: u64) -> Result<(), Refusal> {
        self.core.runtime.store(block, offset, word)
    }

    /// [`Runtime::push_frame`].
    ///
    /// # Errors
    /// As there.
    pub fn push_frame(&mut self, entry: EntryId) -> Result<Block, Refusal> {
        self.core.runtime.push_frame(entry)
    }

    /// [`Runtime::pop_frame`].
    ///
    /// # Errors
    /// As there.
    pub fn pop_frame(&mut self, frame: Block) -> Result<(), Refusal> {
        self.core.runtime.pop_frame(frame)
    }

    /// [`Runtime::handle`].
    ///
    /// # Errors
    /// As there.
    pub fn handle(&mut self, block: Block) -> Result<Handle, Refusal> {
        self.core.runtime.handle(block)
    }

    /// [`Runtime::get`].
    ///
    /// # Errors
    /// As there.
    pub fn get(&self, handle: Handle) -> Result<Block, Refusal> {
        self.core.runtime.get(handle)
    }

    /// [`Runtime::release`].
    ///
    /// # Errors
    /// As there.
    pub fn release(&mut self, handle: Handle) -> Result<(), Refusal> {
        self.core.runtime.release(handle)
    }
}

impl Drop for Calls<'_, '_> {
    fn drop(&mut self) {
        self.swap();
    }
}
