//! Reference counts of frames.

use alloc::sync::Arc;
use core::fmt;
use machine::Machine;

/// Frames with reference counts; the last reference frees the frame.
pub struct FrameRefs {
    machine: Arc<dyn Machine>,
}

impl fmt::Debug for FrameRefs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FrameRefs({} free)", self.machine.frames().free_count())
    }
}

impl FrameRefs {
    pub(crate) fn new(machine: Arc<dyn Machine>) -> Self {
        Self { machine }
    }
}
