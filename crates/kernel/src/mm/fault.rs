//! Page faults: filling, copying on write, growing the stack.

use alloc::sync::Arc;
use core::ops::Range;

use linux_abi::Errno;
use machine::{ADDRESS_LIMIT, Access, Frame, Mapping, PAGE_SIZE, Prot, page_floor};

use crate::error::{Because, Error};
use crate::mm::address_space::{GUARD_GAP, MIN_ADDRESS, Space};
use crate::mm::vma::{Vma, VmaFlags};
use crate::mm::{Mm, Object};
use crate::signal::{Info, Number};

/// Pages of a file that one fault maps at most, if the file's cache has them.
const FAULT_AROUND: u64 = 16;

/// Why a page cannot be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Nothing is mapped there.
    Unmapped,
    /// The mapping forbids the access.
    Forbidden,
    /// The page is past the end of its file, or the host cannot read it.
    NoPage,
    /// Memory has run out.
    NoMemory,
}

impl Refusal {
    /// `SEGV_MAPERR`.
    const SEGV_MAPERR: i32 = 1;
    /// `SEGV_ACCERR`.
    const SEGV_ACCERR: i32 = 2;
    /// `BUS_ADRERR`.
    const BUS_ADRERR: i32 = 2;

    /// The signal for a task whose instruction needed the page.
    fn signal(self, addr: u64) -> Info {
        match self {
            Self::Unmapped => Info::fault(Number::SIGSEGV, Self::SEGV_MAPERR, addr),
            Self::Forbidden => Info::fault(Number::SIGSEGV, Self::SEGV_ACCERR, addr),
            Self::NoPage => Info::fault(Number::SIGBUS, Self::BUS_ADRERR, addr),
            // What Linux's out-of-memory killer does to the task in the end.
            Self::NoMemory => Info::kernel(Number::SIGKILL),
        }
    }

    /// The error of a system call that needed the page.
    pub(crate) fn error(self) -> Error {
        match self {
            Self::Unmapped => Errno::EFAULT.because("nothing is mapped there"),
            Self::Forbidden => Errno::EFAULT.because("the mapping forbids it"),
            Self::NoPage => Errno::EFAULT.because("the page is past the end of its file"),
            Self::NoMemory => Errno::ENOMEM.because("no frame is left"),
        }
    }

    /// Why an object or the frames refused.
    fn from_error(error: Error) -> Self {
        if error.errno == Errno::ENOMEM { Self::NoMemory } else { Self::NoPage }
    }
}

type Outcome<T = ()> = core::result::Result<T, Refusal>;

impl Mm {
    /// Makes good a fault of user code at `addr`, or tells the signal for it.
    ///
    /// # Errors
    /// `SIGSEGV` with `SEGV_MAPERR` or `SEGV_ACCERR`, `SIGBUS` with
    /// `BUS_ADRERR`, or `SIGKILL` when memory has run out.
    #[expect(clippy::result_large_err, reason = "the signal is made once and sent at once")]
    pub fn fault(&self, addr: u64, access: Access) -> Result<(), Info> {
        self.make_present(addr, access).map_err(|refusal| refusal.signal(addr))
    }

    /// Brings the page that holds `addr` in for an access.
    pub(crate) fn make_present(&self, addr: u64, access: Access) -> Outcome {
        let page = page_floor(addr);
        if page >= ADDRESS_LIMIT {
            return Err(Refusal::Unmapped);
        }
        let mut space = self.space.write();
        if space.vmas.find(page).is_none() {
            self.grow_stack(&mut space, page)?;
        }
        let vma = space.vmas.find(page).ok_or(Refusal::Unmapped)?;
        self.fill(vma, page, access)
    }

    /// Fills one page of a mapping for an access. The caller holds the lock
    /// for writing.
    pub(crate) fn fill(&self, vma: &Vma, page: u64, access: Access) -> Outcome {
        let allowed = vma.table_prot();
        let needed = match access {
            Access::Read => Prot::READ,
            Access::Write => Prot::WRITE,
            Access::Execute => Prot::EXEC,
        };
        if !allowed.contains(needed) {
            return Err(Refusal::Forbidden);
        }
        let present = self.table.translate(page);
        if present.is_some_and(|mapping| mapping.prot.contains(needed)) {
            // Another thread was faster.
            return Ok(());
        }
        let for_write = access == Access::Write;
        match (&vma.object, vma.is_shared()) {
            (Some(object), true) => self.fill_shared(vma, object, page, for_write),
            (object, _) => match (present, for_write) {
                (Some(old), true) => self.break_sharing(page, old, allowed),
                (Some(old), false) => {
                    let token = self.table.protect(page..page + PAGE_SIZE, &mut |_, _| allowed.without(Prot::WRITE));
                    self.table.flush(token);
                    debug_assert!(!old.prot.contains(needed), "the entry allowed the access");
                    Ok(())
                }
                (None, _) => self.fill_private(vma, object.as_ref(), page, for_write),
            },
        }
    }

    /// A page of a private mapping that is not there yet.
    fn fill_private(&self, vma: &Vma, object: Option<&Arc<Object>>, page: u64, for_write: bool) -> Outcome {
        let allowed = vma.table_prot();
        let Some(object) = object else {
            return match self.frames.zero() {
                Some(zero) if !for_write => self.install(page, zero, allowed.without(Prot::WRITE)),
                _ => self.install(page, self.new_frame()?, allowed),
            };
        };
        let shared = object.frame(vma.page_index(page), false).map_err(Refusal::from_error)?;
        if !for_write {
            self.install(page, shared, allowed.without(Prot::WRITE))?;
            self.map_around(vma, object, page);
            return Ok(());
        }
        let own = self.new_frame();
        if let Ok(own) = own {
            self.frames.pool().copy(shared, own);
        }
        self.frames.put(shared);
        self.install(page, own?, allowed)
    }

    /// A page of a shared mapping, or a first write to it.
    fn fill_shared(&self, vma: &Vma, object: &Object, page: u64, for_write: bool) -> Outcome {
        let frame = object.frame(vma.page_index(page), for_write).map_err(Refusal::from_error)?;
        // Only a write fault tells the page cache that a page has changed.
        let watches_writes = object.has_backing() && !for_write;
        let prot = if watches_writes { vma.table_prot().without(Prot::WRITE) } else { vma.table_prot() };
        self.install(page, frame, prot)?;
        if !for_write {
            self.map_around(vma, object, page);
        }
        Ok(())
    }

    /// A write to a private page that may have other users.
    fn break_sharing(&self, page: u64, old: Mapping, allowed: Prot) -> Outcome {
        if self.frames.is_sole(old.frame) {
            let token = self.table.protect(page..page + PAGE_SIZE, &mut |_, _| allowed);
            self.table.flush(token);
            return Ok(());
        }
        let own = self.new_frame()?;
        if Some(old.frame) != self.frames.zero() {
            self.frames.pool().copy(old.frame, own);
        }
        self.install(page, own, allowed)
    }

    /// Maps a frame, whose reference passes to the table, and drops what was
    /// there before.
    fn install(&self, page: u64, frame: Frame, prot: Prot) -> Outcome {
        let before = self.table.translate(page);
        match self.table.map(page, frame, prot) {
            Ok(token) => {
                self.table.flush(token);
                if let Some(before) = before {
                    self.frames.put(before.frame);
                }
                Ok(())
            }
            Err(_) => {
                self.frames.put(frame);
                Err(Refusal::NoMemory)
            }
        }
    }

    /// Maps the neighbours of a file page that the cache has, for reading, so
    /// that they need no fault of their own. Best effort.
    fn map_around(&self, vma: &Vma, object: &Object, page: u64) {
        let window = FAULT_AROUND * PAGE_SIZE;
        let start = (page - page % window).max(vma.range.start);
        let end = (page - page % window).saturating_add(window).min(vma.range.end);
        let first = vma.page_index(start);
        let prot = vma.table_prot().without(Prot::WRITE);
        let _ = object.for_resident(first..first + (end - start) / PAGE_SIZE, &mut |index, frame| {
            let addr = start + (index - first) * PAGE_SIZE;
            if self.table.translate(addr).is_none() {
                self.frames.get(frame)?;
                match self.table.map(addr, frame, prot) {
                    Ok(token) => self.table.flush(token),
                    Err(error) => {
                        self.frames.put(frame);
                        return Err(error.into());
                    }
                }
            }
            Ok(())
        });
    }

    fn new_frame(&self) -> Outcome<Frame> {
        self.frames.alloc().map_err(|_| Refusal::NoMemory)
    }

    /// Extends the mapping above `page` down to it, if that one grows.
    fn grow_stack(&self, space: &mut Space, page: u64) -> Outcome {
        let above = space.vmas.next_above(page).filter(|vma| vma.flags.contains(VmaFlags::GROWSDOWN));
        let range: Range<u64> = above.ok_or(Refusal::Unmapped)?.range.clone();
        let limit = self.limits().stack.load(core::sync::atomic::Ordering::Relaxed);
        if range.end - page > limit || page < MIN_ADDRESS {
            return Err(Refusal::Unmapped);
        }
        let is_close = space.vmas.last_below(range.start).is_some_and(|below| {
            page - below.range.end < GUARD_GAP && !below.prot.is_none() && !below.flags.contains(VmaFlags::GROWSDOWN)
        });
        if is_close || self.check_room(space, range.start - page).is_err() {
            return Err(Refusal::Unmapped);
        }
        space.vmas.grow_down(range.start, page);
        Ok(())
    }
}
