//! What programs tell about their memory and ask of it: `madvise`, `mincore`,
//! `msync`, `mlock` and their fellows.

use alloc::vec::Vec;
use core::ops::Range;
use core::sync::atomic::Ordering;

use linux_abi::Errno;
use machine::{Access, GuestAddr, PAGE_SIZE, Prot};

use crate::error::{Because, Result};
use crate::mm::Mm;
use crate::mm::fault::Refusal;
use crate::mm::vma::{Vma, VmaFlags};

const NOT_MAPPED: &str = "part of the range is not mapped";

impl Mm {
    /// Frees the pages of a range: private memory reads as zero or as its file
    /// again, shared memory stays with its object (`MADV_DONTNEED`, and with
    /// `even_locked` `MADV_DONTNEED_LOCKED`).
    ///
    /// # Errors
    /// `EINVAL` at a locked mapping, `ENOMEM` if part of the range is not
    /// mapped; the rest is done.
    pub fn discard(&self, range: Range<u64>, even_locked: bool) -> Result<()> {
        let space = self.space.write();
        for vma in space.vmas.overlapping(range.clone()) {
            if vma.flags.contains(VmaFlags::LOCKED) && !even_locked {
                return Err(Errno::EINVAL.because("the memory is locked"));
            }
            self.drop_pages(part(vma, &range));
        }
        if space.vmas.covers(range) { Ok(()) } else { Err(Errno::ENOMEM.because(NOT_MAPPED)) }
    }

    /// As [`Mm::discard`], for private anonymous memory only (`MADV_FREE`).
    ///
    /// # Errors
    /// `EINVAL` at any other mapping, else as [`Mm::discard`].
    pub fn discard_anonymous(&self, range: Range<u64>) -> Result<()> {
        {
            let space = self.space.read();
            if space.vmas.overlapping(range.clone()).any(|vma| vma.object.is_some()) {
                return Err(Errno::EINVAL.because("not private anonymous memory"));
            }
        }
        self.discard(range, false)
    }

    /// Makes the bytes behind a shared mapping zero and frees their pages
    /// (`MADV_REMOVE`).
    ///
    /// # Errors
    /// `EINVAL` unless it is a shared mapping that is not locked, `EACCES` if it
    /// may not be written, `ENOMEM` if part of the range is not mapped.
    pub fn punch(&self, range: Range<u64>) -> Result<()> {
        let mut holes = Vec::new();
        {
            let space = self.space.read();
            for vma in space.vmas.overlapping(range.clone()) {
                let Some(object) = vma.object.as_ref().filter(|_| vma.is_shared()) else {
                    return Err(Errno::EINVAL.because("not a shared mapping"));
                };
                if vma.flags.contains(VmaFlags::LOCKED) {
                    return Err(Errno::EINVAL.because("the memory is locked"));
                }
                if !vma.flags.contains(VmaFlags::MAY_WRITE) {
                    return Err(Errno::EACCES.because("the mapping may not be written"));
                }
                let part = part(vma, &range);
                let offset = vma.offset + (part.start - vma.range.start);
                holes.push((object.clone(), offset..offset + (part.end - part.start)));
            }
            if !space.vmas.covers(range) {
                return Err(Errno::ENOMEM.because(NOT_MAPPED));
            }
        }
        holes.into_iter().try_for_each(|(object, hole)| object.punch(hole))
    }

    /// Checks that all of a range is mapped.
    ///
    /// # Errors
    /// `ENOMEM` if not.
    pub fn check_mapped(&self, range: Range<u64>) -> Result<()> {
        if self.space.read().vmas.covers(range) { Ok(()) } else { Err(Errno::ENOMEM.because(NOT_MAPPED)) }
    }

    /// Bytes that are locked.
    #[must_use]
    pub fn usage_locked(&self) -> u64 {
        Self::locked_bytes(&self.space.read())
    }

    /// Where the mapping at `addr`, which must grow down, starts.
    ///
    /// # Errors
    /// `ENOMEM` if nothing is mapped there, `EINVAL` if it does not grow.
    pub(crate) fn start_of_growing(&self, addr: u64) -> Result<u64> {
        let space = self.space.read();
        let vma = space.vmas.find(addr).ok_or(Errno::ENOMEM.because(NOT_MAPPED))?;
        if !vma.flags.contains(VmaFlags::GROWSDOWN) {
            return Err(Errno::EINVAL.because("the mapping does not grow down"));
        }
        Ok(vma.range.start)
    }

    /// Sets and clears properties of the mappings in a range; with
    /// `anonymous_only` other memory is refused.
    ///
    /// # Errors
    /// `EINVAL` as above or for the kernel's own mappings, `ENOMEM` if part of
    /// the range is not mapped; the rest is done.
    pub fn set_flags(&self, range: Range<u64>, set: VmaFlags, clear: VmaFlags, anonymous_only: bool) -> Result<()> {
        let mut space = self.space.write();
        let refused = |vma: &Vma| anonymous_only && vma.object.is_some() || vma.flags.contains(VmaFlags::SPECIAL);
        if space.vmas.overlapping(range.clone()).any(refused) {
            return Err(Errno::EINVAL.because("the mapping cannot have that property"));
        }
        Self::check_count(&space, &range)?;
        let is_covered = space.vmas.covers(range.clone());
        space.vmas.change(range, |vma| {
            vma.flags.remove(clear);
            vma.flags.insert(set);
        });
        if is_covered { Ok(()) } else { Err(Errno::ENOMEM.because(NOT_MAPPED)) }
    }

    /// Brings every page of a range in, for reading or writing
    /// (`MADV_POPULATE_READ`, `MADV_POPULATE_WRITE`).
    ///
    /// # Errors
    /// `ENOMEM` if part of it is not mapped or memory runs out, `EINVAL` if a
    /// mapping forbids the access, `EFAULT` past the end of a file.
    pub fn populate_for(&self, range: Range<u64>, access: Access) -> Result<()> {
        let mut at = range.start;
        while at < range.end {
            self.make_present(at, access).map_err(|refusal| match refusal {
                Refusal::Unmapped | Refusal::NoMemory => Errno::ENOMEM.because("not mapped, or no frame is left"),
                Refusal::Forbidden => Errno::EINVAL.because("the mapping forbids it"),
                Refusal::NoPage => Errno::EFAULT.because("the page is past the end of its file"),
            })?;
            at += PAGE_SIZE;
        }
        Ok(())
    }

    /// Brings in what can be brought in of a range, ready to be written where
    /// the mapping is private and writable (`MAP_POPULATE`, `mlock`).
    pub(crate) fn populate(&self, range: Range<u64>) {
        let mut at = range.start;
        while at < range.end {
            let next = {
                let space = self.space.write();
                let Some(vma) = space.vmas.overlapping(at..range.end).next() else { return };
                at = at.max(vma.range.start);
                let writes = vma.prot.contains(Prot::WRITE) && !vma.is_shared();
                let access = if writes { Access::Write } else { Access::Read };
                match self.fill(vma, at, access) {
                    Ok(()) => at + PAGE_SIZE,
                    Err(Refusal::NoMemory) => return,
                    Err(_) => vma.range.end,
                }
            };
            at = next;
        }
    }

    /// Tells which pages of a range are in memory, one byte each, at `vec`.
    ///
    /// # Errors
    /// `ENOMEM` if part of the range is not mapped, `EFAULT`.
    pub fn incore(&self, range: Range<u64>, vec: GuestAddr) -> Result<()> {
        const STEP: u64 = 4096 * PAGE_SIZE;
        let mut at = range.start;
        let mut out = vec;
        while at < range.end {
            let step = at..range.end.min(at + STEP);
            let mut bytes = alloc::vec![0_u8; usize::try_from((step.end - step.start) / PAGE_SIZE).unwrap_or(0)];
            {
                let space = self.space.read();
                if !space.vmas.covers(step.clone()) {
                    return Err(Errno::ENOMEM.because(NOT_MAPPED));
                }
                for vma in space.vmas.overlapping(step.clone()) {
                    let part = part(vma, &step);
                    let mut page = part.start;
                    while page < part.end {
                        let here = self.table.translate(page).is_some()
                            || vma.object.as_ref().is_some_and(|object| object.is_resident(vma.page_index(page)));
                        let slot = usize::try_from((page - step.start) / PAGE_SIZE).ok();
                        if let Some(byte) = slot.and_then(|slot| bytes.get_mut(slot)) {
                            *byte = u8::from(here);
                        }
                        page += PAGE_SIZE;
                    }
                }
            }
            self.write(out, &bytes)?;
            out = out.add(bytes.len() as u64);
            at = step.end;
        }
        Ok(())
    }

    /// Writes changed pages of shared file mappings in a range to their files
    /// (`msync`). With `invalidate` a locked mapping is refused.
    ///
    /// # Errors
    /// `ENOMEM` if part of the range is not mapped (the rest is done), `EBUSY`
    /// as above, or the host's error.
    pub fn sync(&self, range: Range<u64>, write: bool, invalidate: bool) -> Result<()> {
        let mut files = Vec::new();
        let is_covered = {
            let space = self.space.read();
            for vma in space.vmas.overlapping(range.clone()) {
                if invalidate && vma.flags.contains(VmaFlags::LOCKED) {
                    return Err(Errno::EBUSY.because("the memory is locked"));
                }
                if let Some(object) = vma.object.as_ref().filter(|_| vma.is_shared() && write) {
                    let part = part(vma, &range);
                    let offset = vma.offset + (part.start - vma.range.start);
                    files.push((object.clone(), offset..offset.saturating_add(part.end - part.start)));
                }
            }
            range.is_empty() || space.vmas.covers(range)
        };
        for (object, bytes) in files {
            object.sync(bytes)?;
        }
        if is_covered { Ok(()) } else { Err(Errno::ENOMEM.because(NOT_MAPPED)) }
    }

    /// Locks or unlocks a range (`mlock`, `munlock`); locked memory is brought
    /// in unless `on_fault`.
    ///
    /// # Errors
    /// `ENOMEM` if part of it is not mapped or `RLIMIT_MEMLOCK` is reached,
    /// `EPERM` if nothing may be locked.
    pub fn lock(&self, range: Range<u64>, lock: bool, on_fault: bool) -> Result<()> {
        if range.is_empty() {
            return Ok(());
        }
        {
            let mut space = self.space.write();
            if lock {
                let limit = self.limits().locked.load(Ordering::Relaxed);
                let already: u64 = (space.vmas.overlapping(range.clone()))
                    .filter(|vma| vma.flags.contains(VmaFlags::LOCKED))
                    .map(|vma| part(vma, &range))
                    .map(|part| part.end - part.start)
                    .sum();
                let more = (range.end - range.start).saturating_sub(already);
                if limit == 0 {
                    return Err(Errno::EPERM.because("RLIMIT_MEMLOCK is 0"));
                }
                if Self::locked_bytes(&space).saturating_add(more) > limit {
                    return Err(Errno::ENOMEM.because("RLIMIT_MEMLOCK is reached"));
                }
            }
            Self::check_count(&space, &range)?;
            let is_covered = space.vmas.covers(range.clone());
            space.vmas.change(range.clone(), |vma| {
                vma.flags.set(VmaFlags::LOCKED, lock && !vma.flags.contains(VmaFlags::SPECIAL));
            });
            if !is_covered {
                return Err(Errno::ENOMEM.because(NOT_MAPPED));
            }
        }
        if lock && !on_fault {
            self.populate(range);
        }
        Ok(())
    }

    /// Locks everything that is mapped now (`current`) and what will be
    /// (`future`), or with neither unlocks everything.
    ///
    /// # Errors
    /// As [`Mm::lock`].
    pub fn lock_all(&self, current: bool, future: bool, on_fault: bool) -> Result<()> {
        let ranges: Vec<_> = {
            let mut space = self.space.write();
            let limit = self.limits().locked.load(Ordering::Relaxed);
            if (current || future) && limit == 0 {
                return Err(Errno::EPERM.because("RLIMIT_MEMLOCK is 0"));
            }
            if current && space.vmas.pages().saturating_mul(PAGE_SIZE) > limit {
                return Err(Errno::ENOMEM.because("RLIMIT_MEMLOCK is reached"));
            }
            space.lock_future = future;
            let ranges: Vec<_> = space.vmas.iter().map(|vma| vma.range.clone()).collect();
            let unlock = !current && !future;
            if current || unlock {
                for range in &ranges {
                    space.vmas.change(range.clone(), |vma| {
                        vma.flags.set(VmaFlags::LOCKED, current && !vma.flags.contains(VmaFlags::SPECIAL));
                    });
                }
            }
            ranges
        };
        if current && !on_fault {
            for range in ranges {
                self.populate(range);
            }
        }
        Ok(())
    }
}

/// The part of a mapping within a range that it overlaps.
fn part(vma: &Vma, range: &Range<u64>) -> Range<u64> {
    vma.range.start.max(range.start)..vma.range.end.min(range.end)
}
