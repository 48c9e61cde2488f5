//! News from outside the kernel: from host threads and interrupt handlers,
//! where no lock of the kernel may be taken.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::sync::atomic::{AtomicBool, Ordering};
use core::task::Waker;

use machine::Machine;
use machine::sync::Mutex;

/// One source of news, with what to wake when it has some.
struct Source {
    is_raised: AtomicBool,
    waker: Waker,
}

/// All sources of a kernel. Each CPU looks through them in its loop.
#[derive(Default)]
pub(crate) struct Events {
    /// Some source is raised, perhaps.
    is_raised: Arc<AtomicBool>,
    sources: Mutex<Vec<Arc<Source>>>,
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Events({} sources)", self.sources.lock().len())
    }
}

/// The outer end of a source: raises it, from anywhere.
#[derive(Clone)]
pub struct Event {
    machine: Arc<dyn Machine>,
    any: Arc<AtomicBool>,
    source: Arc<Source>,
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Event(raised: {})", self.source.is_raised.load(Ordering::Relaxed))
    }
}

impl Event {
    /// Makes a CPU call the source's waker soon. Takes no lock.
    pub fn raise(&self) {
        self.source.is_raised.store(true, Ordering::SeqCst);
        self.any.store(true, Ordering::SeqCst);
        self.machine.kick(0);
    }
}

impl Events {
    /// A new source; `waker` is called by a CPU after each time it is raised.
    /// Raises in quick succession may count as one.
    pub(crate) fn add(&self, machine: &Arc<dyn Machine>, waker: Waker) -> Event {
        let source = Arc::new(Source { is_raised: AtomicBool::new(false), waker });
        self.sources.lock().push(source.clone());
        Event { machine: machine.clone(), any: self.is_raised.clone(), source }
    }

    /// Calls the wakers of all sources that were raised.
    pub(crate) fn drain(&self) {
        if !self.is_raised.swap(false, Ordering::SeqCst) {
            return;
        }
        let sources = self.sources.lock().clone();
        for source in sources {
            if source.is_raised.swap(false, Ordering::SeqCst) {
                source.waker.wake_by_ref();
            }
        }
    }
}
