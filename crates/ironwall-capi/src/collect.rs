//! Collections, host points, and what happens at a fault.

use crate::heap::{Refused, Runtime};
use crate::host::serve_for;
use crate::memory::eprint_abort;
use crate::status::{IW_BAD_ARGUMENT, IW_OK, Status};
use crate::types::{
    CollectionReport, FaultFn, FaultReport, HostFn, IW_ORIGIN_HOST, IW_ORIGIN_PROGRAM, IW_REASON_ZEAL, check_size,
};
use ironwall::{Failure, FaultRecord, Origin, Report};
use std::ffi::c_void;

/// Collects, now and completely. The report goes to `*report`, whose size is set, unless that is null.
///
/// A fault calls the callback of the heap and aborts.
///
/// # Safety
/// `heap` is as for every call; `report` is null or can be read and written. Frames that were pushed are still there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iw_collect(
    heap: *mut Runtime,
    origin: u32,
    reason: u64,
    report: *mut CollectionReport,
) -> Status {
    // SAFETY: as the caller promises.
    if let Some(report) = unsafe { report.as_ref() }
        && let Err(status) = check_size::<CollectionReport>(report.size)
    {
        return status;
    }
    // SAFETY: as the caller promises.
    match unsafe { collect(heap, origin, reason) } {
        Ok(made) => {
            if !report.is_null() {
                // SAFETY: it is not null, so it can be written.
                unsafe { report.write(report_of(&made)) };
            }
            IW_OK
        }
        Err(status) => status,
    }
}

/// Names a point at which the program can be collected and inspected: does what clients of its socket wait for, calls
/// the host's callback, if one is set, and collects if zeal asks for it. It waits for nobody. Nothing else in this
/// interface but `iw_collect` and `iw_host_serve` ever collects.
///
/// # Safety
/// As [`iw_collect`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iw_host_point(heap: *mut Runtime) -> Status {
    // SAFETY: as the caller promises.
    let Some(this) = (unsafe { heap.as_mut() }) else { return IW_BAD_ARGUMENT };
    // Without a socket there is nothing to serve, which is no error here.
    let _ = serve_for(this, None);
    let Runtime { host, host_user, .. } = *this;
    if let Some(host) = host {
        // SAFETY: whoever set it promised that it can be called; no reference to the heap is held meanwhile.
        unsafe { host(host_user, heap) };
    }
    // SAFETY: as the caller promises.
    unsafe { iw_may_collect(heap) }
}

/// Says that a collection could happen here, as before a call of a function that may collect. It collects only if
/// zeal was chosen, and finds the roots that are missing.
///
/// # Safety
/// As [`iw_collect`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iw_may_collect(heap: *mut Runtime) -> Status {
    // SAFETY: as the caller promises.
    match unsafe { heap.as_ref() } {
        None => IW_BAD_ARGUMENT,
        Some(heap) if heap.zeal.is_none() => IW_OK,
        // SAFETY: as the caller promises.
        Some(_) => unsafe { collect(heap, IW_ORIGIN_PROGRAM, IW_REASON_ZEAL) }.map_or_else(|status| status, |_| IW_OK),
    }
}

/// Sets what hears of a fault before the program aborts; null for nothing.
///
/// # Safety
/// `heap` is as for every call, and the callback can be called with `user` as long as the heap lives.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iw_set_fault_callback(heap: *mut Runtime, callback: FaultFn, user: *mut c_void) -> Status {
    // SAFETY: as the caller promises.
    let Some(heap) = (unsafe { heap.as_mut() }) else { return IW_BAD_ARGUMENT };
    (heap.on_fault, heap.fault_user) = (callback, user);
    IW_OK
}

/// Sets what serves the host at host points; null for nothing.
///
/// # Safety
/// `heap` is as for every call, and the callback can be called with `user` as long as the heap lives.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iw_set_host_callback(heap: *mut Runtime, callback: HostFn, user: *mut c_void) -> Status {
    // SAFETY: as the caller promises.
    let Some(heap) = (unsafe { heap.as_mut() }) else { return IW_BAD_ARGUMENT };
    (heap.host, heap.host_user) = (callback, user);
    IW_OK
}

/// How many collections there have been.
///
/// # Safety
/// `heap` is as for every call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iw_collections(heap: *const Runtime) -> u64 {
    // SAFETY: as the caller promises.
    unsafe { heap.as_ref() }.map_or(0, |heap| heap.core.collections())
}

/// Collects for any caller.
///
/// # Safety
/// As [`iw_collect`].
pub(crate) unsafe fn collect(heap: *mut Runtime, origin: u32, reason: u64) -> Result<Report, Status> {
    // SAFETY: as the caller promises.
    let this = unsafe { heap.as_mut() }.ok_or(IW_BAD_ARGUMENT)?;
    let origin = match origin {
        IW_ORIGIN_PROGRAM => Origin::Program,
        IW_ORIGIN_HOST => Origin::Host,
        _ => return Err(this.refuse(IW_BAD_ARGUMENT.into())),
    };
    match this.core.collect_with(&this.stacks.others, origin, reason) {
        Ok(report) => {
            if let Some(zeal) = &mut this.zeal {
                zeal.bury(&this.core, (this.heap_base, this.heap_len));
            }
            if let Some(door) = &mut this.door {
                door.mailbox.record(&report);
            }
            Ok(report)
        }
        Err(Failure::Refused(refusal)) => Err(this.refuse(Refused::from(refusal))),
        Err(Failure::Fault(record)) => {
            let (callback, user) = (this.on_fault, this.fault_user);
            die_of(&record, callback, user)
        }
    }
}

/// Tells the callback and aborts.
#[cold]
pub(crate) fn die_of(record: &FaultRecord, callback: FaultFn, user: *mut c_void) -> ! {
    let report = FaultReport {
        size: size_of::<FaultReport>() as u32,
        code: record.code as u32,
        phase: record.phase as u32,
        reserved: 0,
        address: record.address,
        referrer: record.referrer,
        offset: record.offset,
        root: record.root,
        table: record.table.0,
        structure: record.structure.0,
    };
    if let Some(callback) = callback {
        // SAFETY: whoever set it promised that it can be called.
        unsafe { callback(user, &raw const report) };
    }
    eprint_abort(&format!(
        "ironwall: fault {:?} while walking {:?}: word {:#x}, in object {:#x} at offset {}, root {}",
        record.code, record.phase, record.address, record.referrer, record.offset, record.root
    ))
}

fn report_of(report: &Report) -> CollectionReport {
    CollectionReport {
        size: size_of::<CollectionReport>() as u32,
        origin: report.origin as u32,
        sequence: report.sequence,
        reason: report.reason,
        frames: report.frames,
        globals: report.globals,
        handles: report.handles,
        reserved: 0,
        live: report.live,
        live_bytes: report.live_bytes,
        dead: report.dead,
        dead_bytes: report.dead_bytes,
        digest: report.digest,
    }
}
