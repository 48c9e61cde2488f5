//! Who is inside, and who waits for whom.
//!
//! One lock guards it all, and it is never held while the runtime is used. Every wait for mutators ends at the
//! deadline of the collection that wants it, so no thread waits for ever.

use crate::MutatorId;
use crate::sync::{Condvar, Deadline, Mutex, MutexGuard};
use std::collections::BTreeMap;
use std::sync::PoisonError;

/// Where a mutator is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Outside,
    Inside,
    /// Inside, at a rendezvous.
    Waiting,
}

#[derive(Debug, Default)]
struct State {
    places: BTreeMap<MutatorId, Place>,
    next: u64,
    /// Whether a collection is wanted or made.
    is_stopping: bool,
}

/// The gate of a heap.
#[derive(Debug)]
pub(crate) struct Gate {
    state: Mutex<State>,
    changed: Condvar,
}

/// The world is stopped as long as this lives.
#[derive(Debug)]
pub(crate) struct Stopped<'g> {
    gate: &'g Gate,
    caller: Option<MutatorId>,
}

impl Gate {
    /// A gate without mutators.
    pub(crate) fn new() -> Self {
        Self { state: Mutex::new(State::default()), changed: Condvar::new() }
    }

    /// A new mutator, which is outside.
    pub(crate) fn add(&self) -> MutatorId {
        let mut state = self.state();
        state.next += 1;
        let id = MutatorId(state.next);
        state.places.insert(id, Place::Outside);
        id
    }

    pub(crate) fn remove(&self, id: MutatorId) {
        self.state().places.remove(&id);
        self.changed.notify_all();
    }

    pub(crate) fn enter(&self, id: MutatorId) {
        self.inside_when_open(self.state(), id);
    }

    pub(crate) fn leave(&self, id: MutatorId) {
        self.state().places.insert(id, Place::Outside);
        self.changed.notify_all();
    }

    pub(crate) fn rendezvous(&self, id: MutatorId) {
        let mut state = self.state();
        if state.is_stopping {
            state.places.insert(id, Place::Waiting);
            self.changed.notify_all();
            self.inside_when_open(state, id);
        }
    }

    fn inside_when_open(&self, mut state: MutexGuard<'_, State>, id: MutatorId) {
        while state.is_stopping {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.places.insert(id, Place::Inside);
    }

    /// Waits until no other mutator runs, and keeps it so; gives those that do at the deadline. A caller that is
    /// inside counts as waiting, so that two of them let each other go first.
    pub(crate) fn stop(&self, caller: Option<MutatorId>, deadline: &Deadline) -> Result<Stopped<'_>, Vec<MutatorId>> {
        let mut state = self.state();
        if let Some(id) = caller {
            state.places.insert(id, Place::Waiting);
            self.changed.notify_all();
        }
        let (mut is_mine, mut running) = (false, Vec::new());
        loop {
            if !state.is_stopping {
                (state.is_stopping, is_mine) = (true, true);
            }
            if is_mine {
                let places = state.places.iter();
                running = places.filter(|(_, place)| **place == Place::Inside).map(|(&id, _)| id).collect();
                if running.is_empty() {
                    return Ok(Stopped { gate: self, caller });
                }
            }
            let Some(left) = deadline.left() else { break };
            state = self.wait_at_most(state, left);
        }
        if is_mine {
            state.is_stopping = false;
            self.changed.notify_all();
        } else {
            // Another collection is wanted or made. This caller may not run before that is over.
            running = state.places.iter().filter(|(_, place)| **place == Place::Inside).map(|(&id, _)| id).collect();
        }
        if let Some(id) = caller {
            self.inside_when_open(state, id);
        }
        Err(running)
    }

    #[cfg(not(loom))]
    fn wait_at_most<'g>(&'g self, state: MutexGuard<'g, State>, left: std::time::Duration) -> MutexGuard<'g, State> {
        self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
    }

    /// The checker's waits never time out, so the last look before the deadline is a wait without being woken.
    #[cfg(loom)]
    fn wait_at_most<'g>(&'g self, state: MutexGuard<'g, State>, left: std::time::Duration) -> MutexGuard<'g, State> {
        if left.as_nanos() > 1 {
            return self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        drop(state);
        loom::thread::yield_now();
        self.state()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Stopped<'_> {
    fn drop(&mut self) {
        let mut state = self.gate.state();
        state.is_stopping = false;
        if let Some(id) = self.caller {
            state.places.insert(id, Place::Inside);
        }
        self.gate.changed.notify_all();
    }
}
