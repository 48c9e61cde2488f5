//! The heap behind the handle, and how calls enter it.

use crate::host::HostDoor;
use crate::memory::Mapping;
use crate::stacks::Stacks;
use crate::status::{self, IW_BAD_ARGUMENT, Status, status_of};
use crate::types::{FaultFn, HostFn, InitFn};
use crate::zeal::Zeal;
use ironwall::{Refusal, UnitId};
use ironwall_host::Names;
use std::ffi::{c_char, c_void};
use std::fmt::{self, Write};

/// A heap, with what C needs beside it. Its first bytes are a [`crate::types::Fast`].
#[derive(Debug)]
#[repr(C)]
pub struct Runtime {
    /// First, because it begins with what inline functions use.
    pub(crate) core: ironwall::Runtime<'static>,
    /// The shadow stacks beside the one that the core uses now.
    pub(crate) stacks: Stacks,
    /// The heap's region, as zeal fills it.
    pub(crate) heap_base: *mut u8,
    pub(crate) heap_len: usize,
    pub(crate) inits: Vec<(UnitId, InitFn)>,
    pub(crate) zeal: Option<Zeal>,
    pub(crate) on_fault: FaultFn,
    pub(crate) fault_user: *mut c_void,
    pub(crate) host: HostFn,
    pub(crate) host_user: *mut c_void,
    /// The open socket.
    pub(crate) door: Option<HostDoor>,
    /// What fields are called, for explanations.
    pub(crate) names: Names,
    pub(crate) message: Message,
    /// Why the last allocation that answered zero did.
    pub(crate) allocation_status: Status,
    /// Last, because the fields above use them.
    pub(crate) mappings: Vec<Mapping>,
}

/// Why a call did nothing: its status, and what the message adds.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) status: Status,
    pub(crate) detail: String,
}

impl From<Status> for Refused {
    fn from(status: Status) -> Self {
        Self { status, detail: String::new() }
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        let detail = match refusal {
            Refusal::Image(rule, at) => format!(": {rule:?}, at byte {at}"),
            _ => String::new(),
        };
        Self { status: status_of(refusal), detail }
    }
}

/// Enters a heap for one call.
///
/// # Safety
/// `heap` is null, or of `iw_create`, not destroyed, and in no other call.
pub(crate) unsafe fn enter(heap: *mut Runtime, call: impl FnOnce(&mut Runtime) -> Result<(), Refused>) -> Status {
    // SAFETY: as the caller promises.
    let Some(heap) = (unsafe { heap.as_mut() }) else { return IW_BAD_ARGUMENT };
    match call(heap) {
        Ok(()) => status::IW_OK,
        Err(refused) => heap.refuse(refused),
    }
}

impl Runtime {
    /// Keeps the message of a refusal; its status is what the call answers.
    pub(crate) fn refuse(&mut self, Refused { status, detail }: Refused) -> Status {
        self.message.set(format_args!("{}{detail}", status::text(status).to_string_lossy()));
        status
    }
}

/// A text of a fixed size that ends with a zero.
#[derive(Debug)]
pub(crate) struct Message {
    bytes: [u8; 256],
    len: usize,
}

impl Message {
    pub(crate) const EMPTY: Self = Self { bytes: [0; 256], len: 0 };

    pub(crate) fn set(&mut self, text: fmt::Arguments<'_>) {
        *self = Self::EMPTY;
        // A text that is too long is cut, which is no error.
        let _ = self.write_fmt(text);
    }

    pub(crate) fn as_ptr(&self) -> *const c_char {
        self.bytes.as_ptr().cast()
    }
}

impl Write for Message {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for &byte in text.as_bytes() {
            if self.len + 1 == self.bytes.len() {
                return Err(fmt::Error);
            }
            // A name from a table is printable; anything else would end or break the line.
            self.bytes[self.len] = if byte.is_ascii_graphic() || byte == b' ' { byte } else { b'?' };
            self.len += 1;
        }
        Ok(())
    }
}
