//! `pselect6`.

use alloc::sync::Arc;
use alloc::vec::Vec;

use linux_abi::Errno;
use linux_abi::poll::PollEvents;
use machine::GuestAddr;

use super::{ALWAYS, fds, wait};
use crate::error::{Because, Error, Result};
use crate::fs::{File, NR_OPEN};
use crate::mm::Mm;
use crate::syscall::{Cx, Outcome};
use crate::time::read_timeout;

/// What counts as readable, writable and exceptional.
const KINDS: [PollEvents; 3] = [
    PollEvents::POLLRDNORM
        .union(PollEvents::POLLRDBAND)
        .union(PollEvents::POLLIN)
        .union(PollEvents::POLLHUP)
        .union(PollEvents::POLLERR),
    PollEvents::POLLWRBAND.union(PollEvents::POLLWRNORM).union(PollEvents::POLLOUT).union(PollEvents::POLLERR),
    PollEvents::POLLPRI,
];

/// One descriptor to look at, and for which sets.
struct Entry {
    fd: usize,
    file: Arc<File>,
    wanted: [bool; 3],
}

impl Entry {
    fn look(&self) -> [bool; 3] {
        let events = self.file.poll();
        core::array::from_fn(|i| self.wanted[i] && events.intersects(KINDS[i]))
    }
}

/// The three sets as bytes, whole 64-bit words long; `None` for no set.
struct Sets {
    addrs: [GuestAddr; 3],
    len: usize,
}

impl Sets {
    fn read(&self, mm: &Mm) -> Result<[Option<Vec<u8>>; 3]> {
        let mut sets = [const { None }; 3];
        for (set, addr) in sets.iter_mut().zip(self.addrs) {
            if !addr.is_null() {
                *set = Some(mm.read_vec(addr, self.len)?);
            }
        }
        Ok(sets)
    }

    /// Stores the sets with only these bits.
    fn write(&self, mm: &Mm, found: &[(usize, [bool; 3])]) -> Result<()> {
        for (i, addr) in self.addrs.into_iter().enumerate().filter(|(_, addr)| !addr.is_null()) {
            let mut bytes = alloc::vec![0_u8; self.len];
            for (fd, _) in found.iter().filter(|(_, kinds)| kinds[i]) {
                if let Some(byte) = bytes.get_mut(fd / 8) {
                    *byte |= 1 << (fd % 8);
                }
            }
            mm.write(addr, &bytes)?;
        }
        Ok(())
    }
}

fn entries(cx: &Cx<'_>, sets: &[Option<Vec<u8>>; 3], count: usize) -> Result<Vec<Entry>> {
    let has = |set: &Option<Vec<u8>>, fd: usize| {
        set.as_ref().and_then(|bytes| bytes.get(fd / 8)).is_some_and(|byte| byte >> (fd % 8) & 1 != 0)
    };
    let files = cx.task.files();
    let mut entries = Vec::new();
    for fd in 0..count {
        let wanted = core::array::from_fn(|i| has(&sets[i], fd));
        if wanted != [false; 3] {
            let file = files.get(i32::try_from(fd).unwrap_or(-1))?;
            entries.push(Entry { fd, file, wanted });
        }
    }
    Ok(entries)
}

/// Reads the pair of mask and size that the sixth argument points to, and
/// swaps the mask.
fn set_mask(cx: &Cx<'_>, pair: GuestAddr) -> Result<()> {
    if pair.is_null() {
        return Ok(());
    }
    let mm = cx.task.mm();
    let mask = GuestAddr(mm.read_u64(pair)?);
    let size = mm.read_u64(pair.add(8))?;
    wait::set_mask(cx, mask, usize::try_from(size).unwrap_or(usize::MAX))
}

pub(super) fn pselect6(
    cx: &mut Cx<'_>,
    count: i32,
    read: GuestAddr,
    write: GuestAddr,
    except: GuestAddr,
    timeout: GuestAddr,
    mask: GuestAddr,
) -> Outcome {
    let prepare = || -> Result<_> {
        let deadline = read_timeout(cx, timeout)?;
        let count = usize::try_from(count).map_err(|_| Errno::EINVAL.because("a negative count"))?;
        // No descriptor can be beyond this.
        let count = count.min(usize::try_from(NR_OPEN).unwrap_or(usize::MAX));
        let sets = Sets { addrs: [read, write, except], len: count.div_ceil(64) * 8 };
        let entries = entries(cx, &sets.read(&cx.task.mm())?, count)?;
        set_mask(cx, mask)?;
        Ok((deadline, sets, entries))
    };
    let (deadline, sets, entries) = match prepare() {
        Ok(prepared) => prepared,
        Err(error) => return Outcome::Done(Err(error)),
    };
    let entries = Arc::new(entries);
    let queues = || entries.iter().filter_map(|entry| entry.file.ops().wait_queue()).collect();
    let watched = entries.clone();
    let ready = move || {
        let found: Vec<(usize, [bool; 3])> = watched.iter().map(|entry| (entry.fd, entry.look())).collect();
        found.iter().any(|(_, kinds)| *kinds != [false; 3]).then_some(found)
    };
    let kernel = cx.kernel.clone();
    wait::run(cx, queues, deadline, Error::INTERRUPTED_NO_HANDLER, ready, move |task, found| {
        let mm = task.mm();
        fds::write_remaining(&kernel, &mm, timeout, deadline);
        let found = found?.unwrap_or_default();
        sets.write(&mm, &found)?;
        Ok(found.iter().map(|(_, kinds)| kinds.iter().filter(|set| **set).count() as u64).sum())
    })
}

const _: () = assert!(KINDS[0].contains(ALWAYS));
