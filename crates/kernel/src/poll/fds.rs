//! `ppoll`.

use alloc::sync::Arc;
use alloc::vec::Vec;

use linux_abi::poll::{PollEvents, PollFd};
use linux_abi::resource::RLIMIT_NOFILE;
use linux_abi::time::Timespec;
use linux_abi::{Errno, Wire};
use machine::GuestAddr;

use super::{ALWAYS, wait};
use crate::Kernel;
use crate::error::{Because, Error, Result};
use crate::fs::File;
use crate::mm::Mm;
use crate::syscall::{Cx, Outcome};
use crate::time::read_timeout;

/// One descriptor to look at.
struct Entry {
    /// `None` if it is not open.
    file: Option<Arc<File>>,
    wanted: PollEvents,
    /// It was negative: it is passed over.
    is_skipped: bool,
}

impl Entry {
    fn look(&self) -> PollEvents {
        match &self.file {
            Some(file) => file.poll() & (self.wanted | ALWAYS),
            None if self.is_skipped => PollEvents::empty(),
            None => PollEvents::POLLNVAL,
        }
    }
}

fn read_entries(cx: &Cx<'_>, fds: GuestAddr, count: u32) -> Result<Vec<Entry>> {
    if u64::from(count) > cx.task.process.limit(RLIMIT_NOFILE as usize).soft {
        return Err(Errno::EINVAL.because("more than the limit of open files"));
    }
    let bytes = cx.task.mm().read_vec(fds, count as usize * PollFd::SIZE)?;
    let files = cx.task.files();
    let entry = |bytes: &[u8]| {
        let entry = <PollFd as Wire>::load(bytes);
        Entry {
            file: files.get(entry.fd).ok(),
            wanted: PollEvents::from_bits_retain(entry.events),
            is_skipped: entry.fd < 0,
        }
    };
    Ok(bytes.chunks_exact(PollFd::SIZE).map(entry).collect())
}

pub(super) fn ppoll(
    cx: &mut Cx<'_>,
    fds: GuestAddr,
    count: u32,
    timeout: GuestAddr,
    mask: GuestAddr,
    mask_size: usize,
) -> Outcome {
    let prepare = || -> Result<_> {
        let deadline = read_timeout(cx, timeout)?;
        let entries = read_entries(cx, fds, count)?;
        wait::set_mask(cx, mask, mask_size)?;
        Ok((deadline, entries))
    };
    let (deadline, entries) = match prepare() {
        Ok(prepared) => prepared,
        Err(error) => return Outcome::Done(Err(error)),
    };
    let entries = Arc::new(entries);
    let queues = || entries.iter().filter_map(|entry| entry.file.as_ref()?.ops().wait_queue()).collect();
    let watched = entries.clone();
    let ready = move || {
        let events: Vec<PollEvents> = watched.iter().map(Entry::look).collect();
        events.iter().any(|events| !events.is_empty()).then_some(events)
    };
    let kernel = cx.kernel.clone();
    wait::run(cx, queues, deadline, Error::INTERRUPTED_NO_HANDLER, ready, move |task, events| {
        let mm = task.mm();
        write_remaining(&kernel, &mm, timeout, deadline);
        let events = events?.unwrap_or_default();
        let mut found = 0;
        for index in 0..count as usize {
            let events = events.get(index).copied().unwrap_or_default();
            found += u64::from(!events.is_empty());
            let place = fds.add((index * PollFd::SIZE + 6) as u64);
            mm.write(place, &events.bits().to_le_bytes())?;
        }
        Ok(found)
    })
}

/// Stores the time that is left, as Linux does for `ppoll` and `pselect6`.
/// That it cannot be stored is nobody's error: Linux ignores it, too.
pub(super) fn write_remaining(kernel: &Kernel, mm: &Mm, timeout: GuestAddr, deadline_ns: Option<u64>) {
    if let Some(deadline) = deadline_ns {
        let left = deadline.saturating_sub(kernel.now_ns());
        let _ = mm.write_abi(timeout, &Timespec::from_ns_u64(left));
    }
}
