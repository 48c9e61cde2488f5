//! Snapshots: everything that a heap holds, in a file for `vambrace unit explain`.

use crate::heap::{Refused, Runtime, enter};
use crate::status::{IW_BAD_ARGUMENT, IW_DAMAGED, IW_IO, Status};
use ironwall_explain::{Names, Snapshot};
use std::ffi::{CStr, OsStr, c_char};
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Writes what the heap holds now to a file, as JSON that `vambrace unit explain` reads. Contents of objects are not
/// in it, but what they refer to. Nothing is collected, and the heap is not changed. The file is there in full or not
/// at all; `IW_DAMAGED` and `IW_IO` say why not, and the message says more.
///
/// # Safety
/// `heap` is as for every call; `path` is null, which is refused, or a string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iw_snapshot(heap: *mut Runtime, path: *const c_char) -> Status {
    let write = |heap: &mut Runtime| {
        if path.is_null() {
            return Err(IW_BAD_ARGUMENT.into());
        }
        // SAFETY: it is not null, so it is a string.
        let path = Path::new(OsStr::from_bytes(unsafe { CStr::from_ptr(path) }.to_bytes()));
        let snapshot = Snapshot::take_with(&mut heap.core, &mut heap.stacks.others, &Names::default())
            .map_err(|damage| Refused { status: IW_DAMAGED, detail: format!(": {damage}") })?;
        let written = write_whole(path, &snapshot.to_json());
        written.map_err(|error| Refused { status: IW_IO, detail: format!(": {error}") })
    };
    // SAFETY: as the caller promises.
    unsafe { enter(heap, write) }
}

/// Writes beside the file and renames.
fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    let mut name = path.file_name().ok_or(io::ErrorKind::InvalidFilename)?.to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let new = path.with_file_name(name);
    fs::write(&new, text).and_then(|()| fs::rename(&new, path)).inspect_err(|_| {
        // What is told is the first error.
        let _ = fs::remove_file(&new);
    })
}
