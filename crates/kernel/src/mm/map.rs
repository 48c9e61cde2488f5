//! Making, removing, protecting and moving mappings.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;
use core::sync::atomic::Ordering;

use linux_abi::Errno;
use linux_abi::mman::MremapFlags;
use machine::{ADDRESS_LIMIT, FlushToken, GuestAddr, Mapping, PAGE_SIZE, Prot, page_ceil};

use crate::error::{Because, Result};
use crate::mm::address_space::{GUARD_GAP, MIN_ADDRESS, MMAP_TOP, Space};
use crate::mm::vma::{Vma, VmaFlags};
use crate::mm::{Label, Mm, Object};

/// The most mappings an address space may have (`vm.max_map_count`).
const MAX_MAP_COUNT: usize = 65_530;

/// Where a mapping is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placement {
    /// Anywhere, at this address if it is free.
    Hint(u64),
    /// At this address, in place of what is there.
    Fixed(u64),
    /// At this address, or `EEXIST` if something is there.
    FixedNoReplace(u64),
}

/// What to map.
#[derive(Clone, Debug)]
pub struct MapRequest {
    /// Where.
    pub placement: Placement,
    /// Bytes; rounded up to whole pages.
    pub len: u64,
    /// What is allowed.
    pub prot: Prot,
    /// Properties; [`VmaFlags::SHARED`] needs an object.
    pub flags: VmaFlags,
    /// The pages behind it; `None` for private anonymous memory.
    pub object: Option<Arc<Object>>,
    /// Where in the object it starts, in bytes: whole pages.
    pub offset: u64,
    /// What `/proc/PID/maps` says.
    pub label: Option<Arc<Label>>,
}

impl MapRequest {
    /// Private anonymous memory anywhere.
    #[must_use]
    pub fn anonymous(len: u64, prot: Prot) -> Self {
        Self {
            placement: Placement::Hint(0),
            len,
            prot,
            flags: VmaFlags::MAY_WRITE | VmaFlags::MAY_EXEC,
            object: None,
            offset: 0,
            label: None,
        }
    }
}

/// A range of whole pages within user addresses.
///
/// # Errors
/// `EINVAL` if `addr` is not at a page's start or the range leaves them.
pub(crate) fn page_range(addr: u64, len: u64) -> Result<Range<u64>> {
    if !addr.is_multiple_of(PAGE_SIZE) {
        return Err(Errno::EINVAL.because("the address is not at the start of a page"));
    }
    let end = page_ceil(len).and_then(|len| addr.checked_add(len)).filter(|end| *end <= ADDRESS_LIMIT);
    end.map(|end| addr..end).ok_or(Errno::EINVAL.because("the range leaves the address space"))
}

impl Mm {
    /// Makes a mapping and gives its address.
    ///
    /// # Errors
    /// `EINVAL` for a length of 0 or an address that is not at a page's start,
    /// `ENOMEM` if it does not fit or a limit forbids it, `EEXIST` as
    /// [`Placement::FixedNoReplace`] says, `EOVERFLOW` for an offset past 2^64.
    pub fn map(&self, request: &MapRequest) -> Result<GuestAddr> {
        let (range, replaced) = {
            let mut space = self.space.write();
            self.map_locked(&mut space, request)?
        };
        drop_mappings(replaced);
        if request.flags.contains(VmaFlags::LOCKED) {
            self.populate(range.clone());
        }
        Ok(GuestAddr(range.start))
    }

    fn map_locked(&self, space: &mut Space, request: &MapRequest) -> Result<(Range<u64>, Vec<Vma>)> {
        let len = page_ceil(request.len).filter(|len| *len <= ADDRESS_LIMIT);
        let len = len.ok_or(Errno::ENOMEM.because("longer than the address space"))?;
        if len == 0 {
            return Err(Errno::EINVAL.because("the length is 0"));
        }
        if request.offset.checked_add(len).is_none() {
            return Err(Errno::EOVERFLOW.because("the offset is too large"));
        }
        let range = Self::place(space, request.placement, len)?;
        let mut flags = request.flags;
        flags.set(VmaFlags::LOCKED, flags.contains(VmaFlags::LOCKED) || space.lock_future);
        let vma = Vma {
            range: range.clone(),
            prot: request.prot,
            flags,
            object: request.object.clone(),
            offset: if request.object.is_some() { request.offset } else { 0 },
            label: request.label.clone(),
        };
        let replaced_pages: u64 = space.vmas.overlapping(range.clone()).map(|old| overlap(old, &range)).sum();
        self.check_room(space, len.saturating_sub(replaced_pages))?;
        self.check_data(space, &vma)?;
        Self::check_count(space, &range)?;
        let replaced = self.unmap_locked(space, range.clone());
        self.note_mapping(&vma);
        space.vmas.insert(vma);
        Ok((range, replaced))
    }

    /// The range for a mapping of `len` bytes.
    fn place(space: &mut Space, placement: Placement, len: u64) -> Result<Range<u64>> {
        match placement {
            Placement::Fixed(addr) => Self::fixed_range(addr, len),
            Placement::FixedNoReplace(addr) => {
                let range = Self::fixed_range(addr, len)?;
                if space.vmas.is_free(range.clone()) {
                    Ok(range)
                } else {
                    Err(Errno::EEXIST.because("something is mapped there"))
                }
            }
            Placement::Hint(addr) => {
                let hinted = page_ceil(addr).filter(|addr| *addr >= MIN_ADDRESS).and_then(|addr| {
                    let range = addr..addr.checked_add(len).filter(|end| *end <= ADDRESS_LIMIT)?;
                    let grows_into = space.vmas.next_above(range.start).is_some_and(|above| {
                        above.flags.contains(VmaFlags::GROWSDOWN)
                            && above.range.start.saturating_sub(GUARD_GAP) < range.end
                    });
                    (!grows_into && space.vmas.is_free(range.clone())).then_some(range)
                });
                hinted
                    .or_else(|| {
                        let start = space
                            .vmas
                            .find_next_gap(MIN_ADDRESS..MMAP_TOP, len, GUARD_GAP)
                            .or_else(|| space.vmas.find_gap(MMAP_TOP..ADDRESS_LIMIT, len, PAGE_SIZE, GUARD_GAP))?;
                        Some(start..start + len)
                    })
                    .ok_or(Errno::ENOMEM.because("no gap in the address space is large enough"))
            }
        }
    }

    /// Where `len` bytes are free, at a multiple of `align`.
    ///
    /// # Errors
    /// `ENOMEM` if they are nowhere.
    pub(crate) fn find_free(&self, len: u64, align: u64) -> Result<u64> {
        let space = self.space.read();
        let start = space.vmas.find_gap(MIN_ADDRESS..MMAP_TOP, len, align, GUARD_GAP);
        start.ok_or(Errno::ENOMEM.because("no gap in the address space is large enough"))
    }

    fn fixed_range(addr: u64, len: u64) -> Result<Range<u64>> {
        if !addr.is_multiple_of(PAGE_SIZE) {
            return Err(Errno::EINVAL.because("the address is not at the start of a page"));
        }
        let end = addr.checked_add(len).filter(|end| *end <= ADDRESS_LIMIT);
        end.map(|end| addr..end).ok_or(Errno::ENOMEM.because("the range leaves the address space"))
    }

    /// Removes whatever is mapped in a range.
    ///
    /// # Errors
    /// `EINVAL` for a length of 0 or a range that is not whole pages of user
    /// addresses, `ENOMEM` if that would make too many mappings.
    pub fn unmap(&self, addr: u64, len: u64) -> Result<()> {
        let range = page_range(addr, len)?;
        if range.is_empty() {
            return Err(Errno::EINVAL.because("the length is 0"));
        }
        let removed = {
            let mut space = self.space.write();
            Self::check_count(&space, &range)?;
            self.unmap_locked(&mut space, range)
        };
        drop_mappings(removed);
        Ok(())
    }

    /// Removes the mappings that are left of a segment which was attached at
    /// `addr`, and gives its identifier; `None` if there are none.
    pub(crate) fn detach_segment(&self, addr: u64) -> Option<i32> {
        let (id, removed) = {
            let mut space = self.space.write();
            let was_attached_here = |vma: &Vma| vma.range.start - vma.offset.min(vma.range.start) == addr;
            let segment = |vma: &Vma| match vma.label.as_deref() {
                Some(Label::Segment { id, .. }) if was_attached_here(vma) => {
                    vma.object.clone().map(|o| (*id, o.size()))
                }
                _ => None,
            };
            let (id, size) = space.vmas.overlapping(addr..ADDRESS_LIMIT).find_map(segment)?;
            let whole = addr..addr.saturating_add(size).min(ADDRESS_LIMIT);
            let of_it = |vma: &&Vma| segment(vma).is_some_and(|(other, _)| other == id);
            let parts: Vec<_> = space.vmas.overlapping(whole).filter(of_it).map(|vma| vma.range.clone()).collect();
            let removed: Vec<_> = parts.into_iter().flat_map(|part| self.unmap_locked(&mut space, part)).collect();
            (id, removed)
        };
        drop_mappings(removed);
        Some(id)
    }

    fn unmap_locked(&self, space: &mut Space, range: Range<u64>) -> Vec<Vma> {
        let removed = space.vmas.remove(range.clone());
        if !removed.is_empty() {
            space.vmas.note_free(&range);
            self.drop_pages(range);
        }
        removed
    }

    /// Changes what is allowed in a range.
    ///
    /// # Errors
    /// `EINVAL` for a range that is not whole pages, `ENOMEM` if part of it is
    /// not mapped, `EACCES` if a mapping may not have `prot`; what lies before
    /// the offending page has changed then, as on Linux.
    pub fn protect(&self, range: Range<u64>, prot: Prot) -> Result<()> {
        if range.is_empty() {
            return Ok(());
        }
        let mut space = self.space.write();
        Self::check_count(&space, &range)?;
        let mut end = range.start;
        let mut result = Ok(());
        for vma in space.vmas.overlapping(range.clone()) {
            if vma.range.start > end {
                break;
            }
            let allowed = |bit, flag| !prot.contains(bit) || vma.flags.contains(flag);
            if !allowed(Prot::WRITE, VmaFlags::MAY_WRITE) || !allowed(Prot::EXEC, VmaFlags::MAY_EXEC) {
                result = Err(Errno::EACCES.because("the file was not opened for that"));
                break;
            }
            end = vma.range.end.min(range.end);
        }
        if end < range.end && result.is_ok() {
            result = Err(Errno::ENOMEM.because("part of the range is not mapped"));
        }
        if end > range.start {
            self.protect_locked(&mut space, range.start..end, prot);
        }
        result
    }

    fn protect_locked(&self, space: &mut Space, range: Range<u64>, prot: Prot) {
        space.vmas.change(range.clone(), |vma| vma.prot = prot);
        let mut flush = FlushToken::none();
        for vma in space.vmas.overlapping(range.clone()) {
            let part = vma.range.start.max(range.start)..vma.range.end.min(range.end);
            let token = self.table.protect(part, &mut |_, mapping| self.entry_prot(vma, mapping));
            flush = flush.merge(token);
        }
        self.table.flush(flush);
    }

    /// What a present entry of a mapping may allow: no writing to a frame that
    /// has other users or whose first write has to be noticed.
    fn entry_prot(&self, vma: &Vma, mapping: Mapping) -> Prot {
        let prot = vma.table_prot();
        let may_write = match &vma.object {
            Some(object) if vma.is_shared() => !object.has_backing() || mapping.prot.contains(Prot::WRITE),
            _ => self.frames.is_sole(mapping.frame),
        };
        if may_write { prot } else { prot.without(Prot::WRITE) }
    }

    /// Changes the size or the place of a mapping (`mremap`).
    ///
    /// # Errors
    /// `EINVAL` for arguments that make no sense, `EFAULT` if the old range is
    /// not one mapping, `ENOMEM` if it cannot grow where it is and may not move,
    /// or a limit forbids it.
    pub fn remap(&self, old: u64, old_len: u64, new_len: u64, flags: MremapFlags, new: u64) -> Result<GuestAddr> {
        let may_move = flags.contains(MremapFlags::MREMAP_MAYMOVE);
        let is_fixed = flags.contains(MremapFlags::MREMAP_FIXED);
        let keeps_old = flags.contains(MremapFlags::MREMAP_DONTUNMAP);
        let new_len = page_ceil(new_len).filter(|len| *len != 0 && *len <= ADDRESS_LIMIT);
        let new_len = new_len.ok_or(Errno::EINVAL.because("the new length is 0 or too large"))?;
        let old_range = page_range(old, old_len).map_err(|error| {
            // Linux looks for a mapping before it looks at the length.
            let is_nothing_there = old.is_multiple_of(PAGE_SIZE) && self.space.read().vmas.find(old).is_none();
            if is_nothing_there { Errno::EFAULT.because("nothing is mapped there") } else { error }
        })?;
        let old_len = old_range.end - old_range.start;
        if (is_fixed || keeps_old) && !may_move || keeps_old && old_len != new_len {
            return Err(Errno::EINVAL.because("the flags contradict each other"));
        }
        let target = if is_fixed || (keeps_old && new != 0) {
            let range = page_range(new, new_len)?;
            if range.start < old_range.end && old_range.start < range.end {
                return Err(Errno::EINVAL.because("old and new place overlap"));
            }
            Some(range)
        } else {
            None
        };
        let mut removed = Vec::new();
        let result = {
            let mut space = self.space.write();
            let change = Remap { old: old_range, new_len, may_move, is_fixed, keeps_old, target };
            self.remap_locked(&mut space, change, &mut removed)
        };
        drop_mappings(removed);
        let start = result?;
        if self.space.read().vmas.find(start).is_some_and(|vma| vma.flags.contains(VmaFlags::LOCKED)) {
            self.populate(start..start + new_len);
        }
        Ok(GuestAddr(start))
    }

    fn remap_locked(&self, space: &mut Space, mut change: Remap, removed: &mut Vec<Vma>) -> Result<u64> {
        let old = change.old.clone();
        let old_len = old.end - old.start;
        let vma = space.vmas.find(old.start).cloned().ok_or(Errno::EFAULT.because("nothing is mapped there"))?;
        if old_len == 0 && !(vma.is_shared() && change.may_move) {
            return Err(Errno::EINVAL.because("only a shared mapping can be duplicated"));
        }
        if !change.is_fixed && !change.keeps_old && old_len != 0 && change.new_len <= old_len {
            // Shrinking only needs the range to be mapped at its start.
            if change.new_len < old_len {
                Self::check_count(space, &(old.start + change.new_len..old.end))?;
                removed.extend(self.unmap_locked(space, old.start + change.new_len..old.end));
            }
            return Ok(old.start);
        }
        if old.end > vma.range.end && change.new_len >= old_len {
            return Err(Errno::EFAULT.because("the range is more than one mapping"));
        }
        if vma.flags.contains(VmaFlags::SPECIAL) && change.new_len > old_len {
            return Err(Errno::EFAULT.because("the mapping cannot grow"));
        }
        if vma.object.is_some() && vma.offset.checked_add(old.start - vma.range.start + change.new_len).is_none() {
            return Err(Errno::EINVAL.because("the file offset is too large"));
        }
        let growth = change.new_len.saturating_sub(if change.keeps_old { 0 } else { old_len });
        self.check_room(space, growth)?;
        self.check_locked(space, &vma, growth)?;
        self.check_data(space, &Vma { range: 0..growth, ..vma.clone() })?;
        if change.target.is_none() && !change.keeps_old && old_len != 0 && old.end == vma.range.end {
            let extension = old.end..old.start.saturating_add(change.new_len);
            if extension.end <= ADDRESS_LIMIT && space.vmas.is_free(extension.clone()) {
                let offset = if vma.object.is_some() { vma.offset + vma.len() } else { 0 };
                space.vmas.insert(Vma { range: extension, offset, ..vma });
                return Ok(old.start);
            }
        }
        if !change.may_move {
            return Err(Errno::ENOMEM.because("it cannot grow where it is"));
        }
        if old_len > change.new_len {
            removed.extend(self.unmap_locked(space, old.start + change.new_len..old.end));
            change.old = old.start..old.start + change.new_len;
        }
        self.move_mapping(space, &vma, &change, removed)
    }

    /// Moves (or duplicates) the part `change.old` of `vma`.
    fn move_mapping(&self, space: &mut Space, vma: &Vma, change: &Remap, removed: &mut Vec<Vma>) -> Result<u64> {
        let old = change.old.clone();
        if old.end > vma.range.end {
            return Err(Errno::EFAULT.because("the range is more than one mapping"));
        }
        Self::check_count(space, &old)?;
        let placement = match &change.target {
            Some(target) => {
                Self::check_count(space, target)?;
                removed.extend(self.unmap_locked(space, target.clone()));
                Placement::Fixed(target.start)
            }
            None => Placement::Hint(0),
        };
        let new = Self::place(space, placement, change.new_len)?;
        self.share_within(old.clone(), new.start)?;
        let offset = if vma.object.is_some() { vma.offset + (old.start - vma.range.start) } else { 0 };
        let mut moved = Vma { range: new.clone(), offset, ..vma.clone() };
        self.drop_pages(old.clone());
        if change.keeps_old {
            moved.flags.remove(VmaFlags::LOCKED);
        } else if !old.is_empty() {
            removed.extend(space.vmas.remove(old.clone()));
            space.vmas.note_free(&old);
        }
        space.vmas.insert(moved);
        Ok(new.start)
    }

    /// Maps the present pages of `old` at `new` too, with a reference of their
    /// own. On failure nothing has changed.
    fn share_within(&self, old: Range<u64>, new: u64) -> Result<()> {
        if old.is_empty() {
            return Ok(());
        }
        let mut present = Vec::new();
        self.table.for_each(old.clone(), &mut |addr, mapping| present.push((addr, mapping)));
        let mut flush = FlushToken::none();
        for (addr, mapping) in present {
            let to = new + (addr - old.start);
            let mapped = self.frames.get(mapping.frame).and_then(|()| {
                self.table.map(to, mapping.frame, mapping.prot).map_err(|error| {
                    self.frames.put(mapping.frame);
                    error.into()
                })
            });
            match mapped {
                Ok(token) => flush = flush.merge(token),
                Err(error) => {
                    self.table.flush(flush);
                    self.drop_pages(new..new + (old.end - old.start));
                    return Err(error);
                }
            }
        }
        self.table.flush(flush);
        Ok(())
    }

    /// Lets a part of a shared mapping show the object from `offset` on
    /// (`remap_file_pages`).
    ///
    /// # Errors
    /// `EINVAL` unless the range lies in one shared mapping, or for an offset
    /// past 2^64; else as [`Mm::map`].
    pub fn show_other_pages(&self, range: Range<u64>, offset: u64) -> Result<()> {
        let replaced = {
            let mut space = self.space.write();
            let vma = space.vmas.find(range.start).filter(|vma| vma.is_shared() && range.end <= vma.range.end);
            let vma = vma.ok_or(Errno::EINVAL.because("the range is not one shared mapping"))?;
            let request = MapRequest {
                placement: Placement::Fixed(range.start),
                len: range.end - range.start,
                prot: vma.prot,
                flags: vma.flags,
                object: vma.object.clone(),
                offset,
                label: vma.label.clone(),
            };
            let (_, replaced) = self.map_locked(&mut space, &request).map_err(|error| match error.errno {
                Errno::EOVERFLOW => Errno::EINVAL.because("the offset is too large"),
                _ => error,
            })?;
            replaced
        };
        drop_mappings(replaced);
        Ok(())
    }

    /// Moves the end of the heap to `end` if that is possible; gives where it
    /// is then. Like Linux's `brk` it never fails.
    pub fn set_brk(&self, end: u64) -> u64 {
        let (now, removed) = {
            let mut space = self.space.write();
            self.set_brk_locked(&mut space, end)
        };
        drop_mappings(removed);
        now
    }

    fn set_brk_locked(&self, space: &mut Space, end: u64) -> (u64, Vec<Vma>) {
        let heap = space.layout.brk.clone();
        let keep = (heap.end, Vec::new());
        let (Some(old_top), Some(new_top)) = (page_ceil(heap.end), page_ceil(end)) else { return keep };
        if end < heap.start || new_top > ADDRESS_LIMIT {
            return keep;
        }
        let data = end - heap.start + (space.layout.data.end - space.layout.data.start);
        if data > self.limits().data.load(Ordering::Relaxed) {
            return keep;
        }
        let mut removed = Vec::new();
        if new_top < old_top {
            removed = self.unmap_locked(space, new_top..old_top);
        } else if new_top > old_top {
            let vma = Vma {
                range: old_top..new_top,
                prot: Prot::READ | Prot::WRITE,
                flags: VmaFlags::MAY_WRITE | VmaFlags::MAY_EXEC,
                object: None,
                offset: 0,
                label: Some(Label::named("[heap]")),
            };
            let has_gap = space.vmas.is_free(old_top..new_top)
                && space.vmas.next_above(old_top).is_none_or(|above| {
                    !above.flags.contains(VmaFlags::GROWSDOWN) || above.range.start.saturating_sub(GUARD_GAP) >= new_top
                });
            if !has_gap || self.check_room(space, vma.len()).is_err() || self.check_data(space, &vma).is_err() {
                return keep;
            }
            space.vmas.insert(vma);
        }
        space.layout.brk.end = end;
        (end, removed)
    }

    /// Checks `RLIMIT_AS` for `more` bytes.
    pub(crate) fn check_room(&self, space: &Space, more: u64) -> Result<()> {
        let limit = self.limits().address_space.load(Ordering::Relaxed);
        let all = space.vmas.pages().saturating_mul(PAGE_SIZE).saturating_add(more);
        if all > limit { Err(Errno::ENOMEM.because("RLIMIT_AS is reached")) } else { Ok(()) }
    }

    /// Checks `RLIMIT_DATA`, and that memory which is not `MAP_NORESERVE` is
    /// not obviously more than there is (Linux's heuristic overcommit).
    fn check_data(&self, space: &Space, new: &Vma) -> Result<()> {
        if !new.is_data() {
            return Ok(());
        }
        let total = (self.frames.pool().total() as u64).saturating_mul(PAGE_SIZE);
        if new.len() > total && !new.flags.contains(VmaFlags::NORESERVE) {
            return Err(Errno::ENOMEM.because("more than the machine's memory"));
        }
        let limit = self.limits().data.load(Ordering::Relaxed);
        if limit == u64::MAX {
            return Ok(());
        }
        let data: u64 = space.vmas.iter().filter(|vma| vma.is_data()).map(Vma::len).sum();
        if data.saturating_add(new.len()) > limit {
            return Err(Errno::ENOMEM.because("RLIMIT_DATA is reached"));
        }
        Ok(())
    }

    fn check_locked(&self, space: &Space, vma: &Vma, more: u64) -> Result<()> {
        let limit = self.limits().locked.load(Ordering::Relaxed);
        if vma.flags.contains(VmaFlags::LOCKED) && Self::locked_bytes(space).saturating_add(more) > limit {
            return Err(Errno::EAGAIN.because("RLIMIT_MEMLOCK is reached"));
        }
        Ok(())
    }

    pub(crate) fn locked_bytes(space: &Space) -> u64 {
        space.vmas.iter().filter(|vma| vma.flags.contains(VmaFlags::LOCKED)).map(Vma::len).sum()
    }

    /// Checks that a change to `range` does not make too many mappings.
    pub(crate) fn check_count(space: &Space, range: &Range<u64>) -> Result<()> {
        if space.vmas.len() + space.vmas.splits(range) >= MAX_MAP_COUNT {
            return Err(Errno::ENOMEM.because("too many mappings"));
        }
        Ok(())
    }
}

/// The arguments of `mremap`, checked.
struct Remap {
    old: Range<u64>,
    new_len: u64,
    may_move: bool,
    is_fixed: bool,
    keeps_old: bool,
    target: Option<Range<u64>>,
}

/// Bytes of `vma` within `range`.
fn overlap(vma: &Vma, range: &Range<u64>) -> u64 {
    vma.range.end.min(range.end).saturating_sub(vma.range.start.max(range.start))
}

/// Lets go of removed mappings, with no lock held: changed pages of shared
/// files go to the host now.
fn drop_mappings(removed: Vec<Vma>) {
    for vma in removed {
        if let Some(object) = vma.object.as_ref().filter(|_| vma.is_shared()) {
            object.write_back_mapping(vma.offset..vma.offset.saturating_add(vma.len()));
        }
    }
}
