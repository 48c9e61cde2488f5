//! The host's way in: a socket that is served at host points, and explanations for the program itself.
//!
//! Input and output of the socket are on threads of their own, which block all signals and never touch the heap. What
//! a host asks for is done by the program's thread, in `iw_host_point` and `iw_host_serve`, and nowhere else.

use crate::collect::{die_of, iw_may_collect};
use crate::heap::{Refused, Runtime, enter};
use crate::memory::with_signals_blocked;
use crate::objects::block_of;
use crate::status::{
    IW_BAD_ARGUMENT, IW_BAD_NAMES, IW_BUFFER_TOO_SMALL, IW_IO, IW_LISTENING, IW_NOT_LISTENING, IW_OK, Status,
};
use crate::types::{IW_EXPLAIN_JSON, IW_EXPLAIN_TEXT, Ref};
use ironwall_host::socket_file::conventional_path;
use ironwall_host::{Explanation, Mailbox, Names, Server, Stopped};
use std::ffi::{CStr, OsStr, c_char};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::time::Duration;

/// An open socket and what it fills.
#[derive(Debug)]
pub(crate) struct HostDoor {
    pub(crate) mailbox: Mailbox,
    /// There until the end.
    server: Option<Server>,
    /// Whose socket it is.
    process: u32,
}

impl Drop for HostDoor {
    fn drop(&mut self) {
        if self.process != std::process::id() {
            // A copy in the child of a fork: its threads are not there to be waited for, locks may be as they left
            // them, and the socket is the parent's.
            std::mem::forget(self.server.take());
            std::mem::forget(std::mem::take(&mut self.mailbox));
            return;
        }
        // Clients are told of the end before the socket goes.
        drop(std::mem::take(&mut self.mailbox));
    }
}

/// Listens on a UNIX socket with mode 0600 at `path`, or at `/run/ironwall/PID.sock` if it is null, for
/// `vambrace gc` and other clients of the protocol in `docs/ironwall/host.md`. They are answered at host points:
/// `iw_host_point` and `iw_host_serve`. A client says how long it waits for one; what is not served until then is
/// withdrawn and never done. A stale socket is replaced, anything else that is there is not.
///
/// `IW_LISTENING` says that this heap has a socket already, `IW_IO` that the system refuses this one; the message says
/// why. After a `fork` the socket is the parent's, and the child has to call `iw_host_close` before its next host
/// point; that leaves the parent's socket alone.
///
/// # Safety
/// `heap` is as for every call; `path` is null or a string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iw_host_listen(heap: *mut Runtime, path: *const c_char) -> Status {
    let listen = |heap: &mut Runtime| {
        if heap.door.is_some() {
            return Err(IW_LISTENING.into());
        }
        let refused = |error: &dyn std::fmt::Display| Refused { status: IW_IO, detail: format!(": {error}") };
        let path = if path.is_null() {
            conventional_path(None).map_err(|error| refused(&error))?
        } else {
            // SAFETY: it is not null, so it is a string.
            PathBuf::from(OsStr::from_bytes(unsafe { CStr::from_ptr(path) }.to_bytes()))
        };
        let mut mailbox = Mailbox::new();
        mailbox.add_names(heap.names.clone());
        // Signals are for the program's own threads.
        let server = with_signals_blocked(|| Server::listen(&path, mailbox.door())).map_err(|error| refused(&error))?;
        heap.door = Some(HostDoor { mailbox, server: Some(server), process: std::process::id() });
        Ok(())
    };
    // SAFETY: as the caller promises.
    unsafe { enter(heap, listen) }
}

/// Closes the socket and removes it. Clients that wait are told, which takes up to a second if they do not read.
/// `iw_destroy` does the same. `IW_NOT_LISTENING` says that there is none.
///
/// # Safety
/// `heap` is as for every call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iw_host_close(heap: *mut Runtime) -> Status {
    // SAFETY: as the caller promises.
    unsafe { enter(heap, |heap| heap.door.take().map(drop).ok_or(IW_NOT_LISTENING.into())) }
}

/// Tells where the socket is. `buffer`, `capacity` and `length` are as for `iw_explain`.
///
/// # Safety
/// As [`iw_explain`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iw_host_path(
    heap: *mut Runtime,
    buffer: *mut c_char,
    capacity: u64,
    length: *mut u64,
) -> Status {
    let tell = |heap: &mut Runtime| {
        let server = heap.door.as_ref().and_then(|door| door.server.as_ref()).ok_or(IW_NOT_LISTENING)?;
        // SAFETY: as the caller promises.
        unsafe { give(server.path().as_os_str().as_bytes(), buffer, capacity, length) }
    };
    // SAFETY: as the caller promises.
    unsafe { enter(heap, tell) }
}

/// A host point that waits: serves what clients ask for `milliseconds`, and tells in `*served` how many requests that
/// were, unless it is null. Then it collects if zeal asks for it. For programs with nothing else to do. `IW_NOT_LISTENING` says that there is no socket.
///
/// # Safety
/// As `iw_collect`; `served` is null or can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iw_host_serve(heap: *mut Runtime, milliseconds: u32, served: *mut u32) -> Status {
    let mut done = 0;
    let serve = |heap: &mut Runtime| {
        let time = Duration::from_millis(milliseconds.into());
        done = serve_for(heap, Some(time)).ok_or(IW_NOT_LISTENING)?;
        Ok(())
    };
    // SAFETY: as the caller promises.
    let status = unsafe { enter(heap, serve) };
    if !served.is_null() {
        // SAFETY: it is not null, so it can be written.
        unsafe { served.write(u32::try_from(done).unwrap_or(u32::MAX)) };
    }
    // SAFETY: as the caller promises.
    if status == IW_OK { unsafe { iw_may_collect(heap) } } else { status }
}

/// Does what waits, or what comes for a time. `None` without a socket.
pub(crate) fn serve_for(heap: &mut Runtime, time: Option<Duration>) -> Option<usize> {
    let door = heap.door.as_mut()?;
    let before = heap.core.collections();
    let done = match time {
        None => door.mailbox.host_point_with(&mut heap.core, &mut heap.stacks.others),
        Some(time) => door.mailbox.serve_for_with(&mut heap.core, &mut heap.stacks.others, time),
    };
    if let Some(zeal) = heap.zeal.as_mut().filter(|_| heap.core.collections() != before) {
        zeal.bury(&heap.core, (heap.heap_base, heap.heap_len));
    }
    if let Some(&record) = heap.core.fault() {
        // A host's collection found it. The client gets its answer before the program dies of it.
        heap.door = None;
        die_of(&record, heap.on_fault, heap.fault_user);
    }
    Some(done)
}

/// Adds names of fields for `iw_explain` and for what clients are told: `text` is the description of a unit, as
/// `vambrace unit table` takes it, or of the format `ironwall-names`. `IW_BAD_NAMES` says that it is neither.
///
/// # Safety
/// `heap` is as for every call; `text` is null, which is refused, or `length` bytes can be read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iw_name_fields(heap: *mut Runtime, text: *const c_char, length: u64) -> Status {
    let add = |heap: &mut Runtime| {
        let length = usize::try_from(length).ok().filter(|&length| length <= isize::MAX as usize);
        let length = length.filter(|_| !text.is_null()).ok_or(IW_BAD_ARGUMENT)?;
        // SAFETY: it is not null, so the bytes can be read.
        let text = unsafe { std::slice::from_raw_parts(text.cast::<u8>(), length) };
        let names =
            Names::read(text).map_err(|error| Refused { status: IW_BAD_NAMES, detail: format!(": {error}") })?;
        if let Some(door) = &mut heap.door {
            door.mailbox.add_names(names.clone());
        }
        heap.names.extend(names);
        Ok(())
    };
    // SAFETY: as the caller promises.
    unsafe { enter(heap, add) }
}

/// Explains why a block is alive: as text for people if `format` is `IW_EXPLAIN_TEXT`, as the result of `gc.explain`
/// in `docs/ironwall/host.md` if it is `IW_EXPLAIN_JSON`. Nothing is collected, and the heap is not changed.
///
/// `*length` is set to the bytes of the text, without the zero behind it, unless it is null. If `capacity` is larger
/// than that, the text and a zero are written to `buffer`; otherwise nothing is, and the answer is
/// `IW_BUFFER_TOO_SMALL`. So a null buffer of capacity zero asks for the length.
///
/// # Safety
/// `heap` is as for every call; `buffer` can be written for `capacity` bytes, `length` is null or can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iw_explain(
    heap: *mut Runtime,
    block: Ref,
    format: u32,
    buffer: *mut c_char,
    capacity: u64,
    length: *mut u64,
) -> Status {
    let explain = |heap: &mut Runtime| {
        let Runtime { core, stacks, names, .. } = heap;
        let mut stopped = Stopped { runtime: core, stacks: &mut stacks.others };
        let explanation = Explanation::of(&mut stopped, block_of(block)?, names)?;
        let text = match format {
            IW_EXPLAIN_TEXT => explanation.to_string(),
            IW_EXPLAIN_JSON => explanation.to_value().to_string(),
            _ => return Err(IW_BAD_ARGUMENT.into()),
        };
        // SAFETY: as the caller promises.
        unsafe { give(text.as_bytes(), buffer, capacity, length) }
    };
    // SAFETY: as the caller promises.
    unsafe { enter(heap, explain) }
}

/// Gives a text to a caller.
///
/// # Safety
/// As [`iw_explain`].
unsafe fn give(text: &[u8], buffer: *mut c_char, capacity: u64, length: *mut u64) -> Result<(), Refused> {
    if !length.is_null() {
        // SAFETY: it is not null, so it can be written.
        unsafe { length.write(text.len() as u64) };
    }
    if capacity <= text.len() as u64 {
        return Err(IW_BUFFER_TOO_SMALL.into());
    }
    if buffer.is_null() {
        return Err(IW_BAD_ARGUMENT.into());
    }
    let buffer = buffer.cast::<u8>();
    // SAFETY: the buffer has room for the text and one byte more, and nothing of ours is in it.
    unsafe {
        buffer.copy_from_nonoverlapping(text.as_ptr(), text.len());
        buffer.add(text.len()).write(0);
    }
    Ok(())
}
