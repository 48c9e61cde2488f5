//! The system calls about memory.

use core::ops::Range;

use linux_abi::Errno;
use linux_abi::mman::{
    MADV_COLD, MADV_COLLAPSE, MADV_DODUMP, MADV_DOFORK, MADV_DONTDUMP, MADV_DONTFORK, MADV_DONTNEED,
    MADV_DONTNEED_LOCKED, MADV_FREE, MADV_HUGEPAGE, MADV_KEEPONFORK, MADV_MERGEABLE, MADV_NOHUGEPAGE, MADV_NORMAL,
    MADV_PAGEOUT, MADV_POPULATE_READ, MADV_POPULATE_WRITE, MADV_RANDOM, MADV_REMOVE, MADV_SEQUENTIAL, MADV_UNMERGEABLE,
    MADV_WILLNEED, MADV_WIPEONFORK, MLOCK_ONFAULT, MapFlags, MapKind, MlockallFlags, MremapFlags, MsyncFlags,
    ProtFlags,
};
use machine::{ADDRESS_LIMIT, Access, GuestAddr, PAGE_SIZE, Prot, page_ceil, page_floor};

use crate::error::{Because, Error, Result};
use crate::fs::MountFlags;
use crate::mm::address_space::MIN_ADDRESS;
use crate::mm::{Label, Limits, MapRequest, Mm, Object, Placement, VmaFlags, remote};
use crate::syscall::{Cx, Row};

/// Pages that are populated between two looks at whether the task is wanted.
const POPULATE_STEP: u64 = 512 * PAGE_SIZE;

crate::flag_args! {
    ProtFlags: u32, truncate;
    MremapFlags: u32;
    MsyncFlags: u32;
    MlockallFlags: u32;
}

/// The flags of `mmap`, with unknown ones: those mean something only for
/// `MAP_SHARED_VALIDATE`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MmapFlags(MapFlags);

impl crate::syscall::FromArg for MmapFlags {
    fn from_arg(register: u64) -> Result<Self> {
        u32::from_arg(register).map(|bits| Self(MapFlags::from_bits_retain(bits)))
    }
}

impl crate::syscall::TraceArg for MmapFlags {
    fn trace(register: u64, _: &Cx<'_>, out: &mut dyn core::fmt::Write) -> core::fmt::Result {
        let flags = u32::from_arg(register).unwrap_or(0);
        bitflags::parser::to_writer(&MapFlags::from_bits_retain(flags), out)
    }
}

use crate::syscall::FromArg;

/// The system calls of this subsystem.
pub(crate) const ROWS: &[Row] = crate::syscalls! {
    214 brk(addr: GuestAddr) Full, brk;
    215 munmap(addr: GuestAddr, len: u64) Full, munmap;
    216 mremap(addr: GuestAddr, old_len: u64, new_len: u64, flags: MremapFlags, new_addr: GuestAddr) Full, mremap;
    222 mmap(addr: GuestAddr, len: u64, prot: ProtFlags, flags: MmapFlags, fd: i32, offset: u64)
        Partial("no huge pages"), mmap;
    226 mprotect(addr: GuestAddr, len: u64, prot: u32) Full, mprotect;
    227 msync(addr: GuestAddr, len: u64, flags: MsyncFlags) Full, msync;
    228 mlock(addr: GuestAddr, len: u64) Full, mlock;
    229 munlock(addr: GuestAddr, len: u64) Full, munlock;
    230 mlockall(flags: MlockallFlags) Full, mlockall;
    231 munlockall() Full, munlockall;
    232 mincore(addr: GuestAddr, len: u64, vec: GuestAddr) Full, mincore;
    233 madvise(addr: GuestAddr, len: u64, advice: u32) Partial("no MADV_COLLAPSE, no poisoning"), madvise;
    234 remap_file_pages(addr: GuestAddr, size: u64, prot: u32, page: u64, flags: u32) Full, remap_file_pages;
    270 process_vm_readv(pid: i32, local: GuestAddr, local_count: usize, remote: GuestAddr, remote_count: usize, flags: u64)
        Full, remote::process_vm_readv;
    271 process_vm_writev(pid: i32, local: GuestAddr, local_count: usize, remote: GuestAddr, remote_count: usize, flags: u64)
        Full, remote::process_vm_writev;
    284 mlock2(addr: GuestAddr, len: u64, flags: u32) Full, mlock2;
};

/// The address space of the caller, with its limits as they are now.
fn limited_mm(cx: &Cx<'_>) -> alloc::sync::Arc<Mm> {
    let mm = cx.task.mm();
    mm.limits().set(&Limits::of(&cx.task.process, &cx.task.creds()));
    mm
}

/// Whole pages from `addr` on; `error` if they leave user addresses.
fn pages(addr: u64, len: u64, error: Errno) -> Result<Range<u64>> {
    if !addr.is_multiple_of(PAGE_SIZE) {
        return Err(Errno::EINVAL.because("the address is not at the start of a page"));
    }
    let end = page_ceil(len).and_then(|len| addr.checked_add(len)).filter(|end| *end <= ADDRESS_LIMIT);
    end.map(|end| addr..end).ok_or_else(|| error.because("the range leaves the address space"))
}

/// What `mmap` and `mprotect` ask for; `PROT_BTI` means nothing to a processor
/// without FEAT_BTI.
fn table_prot(cx: &Cx<'_>, prot: ProtFlags) -> Prot {
    let bits = [
        (ProtFlags::PROT_READ, Prot::READ),
        (ProtFlags::PROT_WRITE, Prot::WRITE),
        (ProtFlags::PROT_EXEC, Prot::EXEC),
        (ProtFlags::PROT_BTI, if cx.kernel.has_bti() { Prot::GUARDED } else { Prot::NONE }),
    ];
    bits.into_iter().filter(|(flag, _)| prot.contains(*flag)).fold(Prot::NONE, |all, (_, bit)| all | bit)
}

fn brk(cx: &mut Cx<'_>, addr: GuestAddr) -> Result<u64> {
    Ok(limited_mm(cx).set_brk(addr.0))
}

fn munmap(cx: &mut Cx<'_>, addr: GuestAddr, len: u64) -> Result<()> {
    cx.task.mm().unmap(addr.untagged(), len)
}

fn mmap(
    cx: &mut Cx<'_>,
    addr: GuestAddr,
    len: u64,
    prot: ProtFlags,
    flags: MmapFlags,
    fd: i32,
    offset: u64,
) -> Result<GuestAddr> {
    let flags = flags.0;
    if !offset.is_multiple_of(PAGE_SIZE) {
        return Err(Errno::EINVAL.because("the offset is not at the start of a page"));
    }
    let prot = table_prot(cx, prot);
    let mut request = MapRequest { len, offset, prot, ..MapRequest::anonymous(len, prot) };
    if flags.contains(MapFlags::MAP_ANONYMOUS) {
        if flags.contains(MapFlags::MAP_HUGETLB) {
            return Err(Errno::ENOMEM.because("there are no huge pages"));
        }
        map_anonymous(cx, flags, &mut request)?;
    } else {
        map_file(cx, flags, fd, &mut request)?;
    }
    request.placement = placement(cx, flags, addr)?;
    request.flags.set(VmaFlags::NORESERVE, flags.contains(MapFlags::MAP_NORESERVE));
    let mm = limited_mm(cx);
    if flags.contains(MapFlags::MAP_LOCKED) {
        let limit = mm.limits().locked.load(core::sync::atomic::Ordering::Relaxed);
        if limit == 0 {
            return Err(Errno::EPERM.because("RLIMIT_MEMLOCK is 0"));
        }
        if mm.usage_locked().saturating_add(len) > limit {
            return Err(Errno::EAGAIN.because("RLIMIT_MEMLOCK is reached"));
        }
        request.flags |= VmaFlags::LOCKED;
    }
    let start = mm.map(&request)?;
    if flags.contains(MapFlags::MAP_POPULATE) && !flags.contains(MapFlags::MAP_NONBLOCK) {
        let end = page_ceil(len).map_or(start.0, |len| start.0.saturating_add(len));
        // Best effort, as in Linux: a fault will tell of what is missing.
        let _ = in_steps(cx, start.0..end, |step| {
            mm.populate(step);
            Ok(())
        });
    }
    Ok(start)
}

fn placement(cx: &Cx<'_>, flags: MapFlags, addr: GuestAddr) -> Result<Placement> {
    let is_fixed = flags.intersects(MapFlags::MAP_FIXED | MapFlags::MAP_FIXED_NOREPLACE);
    if !is_fixed {
        return Ok(Placement::Hint(addr.0));
    }
    if addr.0 < MIN_ADDRESS && !cx.task.creds().is_privileged() {
        return Err(Errno::EPERM.because("below the lowest address"));
    }
    Ok(if flags.contains(MapFlags::MAP_FIXED_NOREPLACE) {
        Placement::FixedNoReplace(addr.0)
    } else {
        Placement::Fixed(addr.0)
    })
}

fn map_anonymous(cx: &Cx<'_>, flags: MapFlags, request: &mut MapRequest) -> Result<()> {
    request.offset = 0;
    match flags.kind() {
        Some(MapKind::Shared) if !flags.contains(MapFlags::MAP_GROWSDOWN) => {
            let size = page_ceil(request.len).ok_or(Errno::ENOMEM.because("longer than the address space"))?;
            let total = (cx.kernel.frame_pool().total() as u64).saturating_mul(PAGE_SIZE);
            if size > total && !flags.contains(MapFlags::MAP_NORESERVE) {
                return Err(Errno::ENOMEM.because("more than the machine's memory"));
            }
            request.object = Some(Object::anonymous(cx.kernel, size));
            request.label = Some(Label::named("/dev/zero (deleted)"));
            request.flags |= VmaFlags::SHARED;
        }
        Some(MapKind::Private) => {
            request.flags.set(VmaFlags::GROWSDOWN, flags.contains(MapFlags::MAP_GROWSDOWN));
        }
        _ => return Err(Errno::EINVAL.because("neither shared nor private, or both")),
    }
    Ok(())
}

fn map_file(cx: &Cx<'_>, flags: MapFlags, fd: i32, request: &mut MapRequest) -> Result<()> {
    let file = cx.task.files().get_io(fd)?;
    if flags.contains(MapFlags::MAP_HUGETLB) {
        return Err(Errno::EINVAL.because("not a file of huge pages"));
    }
    let access = file.access();
    match flags.kind() {
        Some(MapKind::SharedValidate) if !MapFlags::all().contains(flags) || flags.contains(MapFlags::MAP_SYNC) => {
            return Err(Errno::EOPNOTSUPP.because("unknown flags"));
        }
        Some(MapKind::Shared | MapKind::SharedValidate) => {
            if request.prot.contains(Prot::WRITE) && !access.writes() {
                return Err(Errno::EACCES.because("the file is not open for writing"));
            }
            request.flags |= VmaFlags::SHARED;
            request.flags.set(VmaFlags::MAY_WRITE, access.writes());
        }
        Some(MapKind::Private) => {}
        None => return Err(Errno::EINVAL.because("neither shared nor private, or both")),
    }
    if !access.reads() {
        return Err(Errno::EACCES.because("the file is not open for reading"));
    }
    if file.path().mount.flags().contains(MountFlags::NO_EXEC) {
        if request.prot.contains(Prot::EXEC) {
            return Err(Errno::EPERM.because("the mount is noexec"));
        }
        request.flags.remove(VmaFlags::MAY_EXEC);
    }
    if flags.contains(MapFlags::MAP_GROWSDOWN) {
        return Err(Errno::EINVAL.because("a file does not grow down"));
    }
    request.object = Some(file.ops().mmap_object(&file)?);
    request.label = Some(Label::of(&file)?);
    Ok(())
}

fn mremap(
    cx: &mut Cx<'_>,
    addr: GuestAddr,
    old_len: u64,
    new_len: u64,
    flags: MremapFlags,
    new_addr: GuestAddr,
) -> Result<GuestAddr> {
    limited_mm(cx).remap(addr.untagged(), old_len, new_len, flags, new_addr.0)
}

fn mprotect(cx: &mut Cx<'_>, addr: GuestAddr, len: u64, prot: u32) -> Result<()> {
    let mut known = ProtFlags::PROT_READ
        | ProtFlags::PROT_WRITE
        | ProtFlags::PROT_EXEC
        | ProtFlags::PROT_SEM
        | ProtFlags::PROT_GROWSDOWN
        | ProtFlags::PROT_GROWSUP;
    if cx.kernel.has_bti() {
        known |= ProtFlags::PROT_BTI;
    }
    let prot = ProtFlags::from_bits(prot).filter(|prot| known.contains(*prot));
    let prot = prot.ok_or(Errno::EINVAL.because("unknown protection"))?;
    let grows = prot & (ProtFlags::PROT_GROWSDOWN | ProtFlags::PROT_GROWSUP);
    if grows.contains(ProtFlags::PROT_GROWSUP) {
        return Err(Errno::EINVAL.because("no mapping grows up"));
    }
    let mut range = pages(addr.untagged(), len, Errno::ENOMEM)?;
    let mm = cx.task.mm();
    if !range.is_empty() && grows.contains(ProtFlags::PROT_GROWSDOWN) {
        range.start = mm.start_of_growing(range.start)?;
    }
    mm.protect(range, table_prot(cx, prot))
}

fn msync(cx: &mut Cx<'_>, addr: GuestAddr, len: u64, flags: MsyncFlags) -> Result<()> {
    if flags.contains(MsyncFlags::MS_ASYNC | MsyncFlags::MS_SYNC) {
        return Err(Errno::EINVAL.because("both MS_ASYNC and MS_SYNC"));
    }
    let range = pages(addr.untagged(), len, Errno::ENOMEM)?;
    let writes = flags.contains(MsyncFlags::MS_SYNC);
    cx.task.mm().sync(range, writes, flags.contains(MsyncFlags::MS_INVALIDATE))
}

fn lock_range(addr: GuestAddr, len: u64) -> Result<Range<u64>> {
    let start = page_floor(addr.untagged());
    let len = len.checked_add(addr.untagged() - start);
    let len = len.ok_or(Errno::EINVAL.because("the range leaves the address space"))?;
    pages(start, len, Errno::ENOMEM)
}

fn mlock(cx: &mut Cx<'_>, addr: GuestAddr, len: u64) -> Result<()> {
    mlock2(cx, addr, len, 0)
}

fn mlock2(cx: &mut Cx<'_>, addr: GuestAddr, len: u64, flags: u32) -> Result<()> {
    if flags & !MLOCK_ONFAULT != 0 {
        return Err(Errno::EINVAL.because("unknown flags"));
    }
    limited_mm(cx).lock(lock_range(addr, len)?, true, flags & MLOCK_ONFAULT != 0)
}

fn munlock(cx: &mut Cx<'_>, addr: GuestAddr, len: u64) -> Result<()> {
    cx.task.mm().lock(lock_range(addr, len)?, false, false)
}

fn mlockall(cx: &mut Cx<'_>, flags: MlockallFlags) -> Result<()> {
    let what = MlockallFlags::MCL_CURRENT | MlockallFlags::MCL_FUTURE;
    if !flags.intersects(what) {
        return Err(Errno::EINVAL.because("neither MCL_CURRENT nor MCL_FUTURE"));
    }
    let current = flags.contains(MlockallFlags::MCL_CURRENT);
    let future = flags.contains(MlockallFlags::MCL_FUTURE);
    limited_mm(cx).lock_all(current, future, flags.contains(MlockallFlags::MCL_ONFAULT))
}

fn munlockall(cx: &mut Cx<'_>) -> Result<()> {
    cx.task.mm().lock_all(false, false, false)
}

fn mincore(cx: &mut Cx<'_>, addr: GuestAddr, len: u64, vec: GuestAddr) -> Result<()> {
    let range = pages(addr.untagged(), len, Errno::ENOMEM)?;
    cx.task.mm().incore(range, vec)
}

fn madvise(cx: &mut Cx<'_>, addr: GuestAddr, len: u64, advice: u32) -> Result<()> {
    let mm = cx.task.mm();
    let range = pages(addr.untagged(), len, Errno::EINVAL)?;
    let empty = VmaFlags::empty();
    let (set, clear, anonymous_only) = match advice {
        MADV_DONTFORK => (VmaFlags::DONTFORK, empty, false),
        MADV_DOFORK => (empty, VmaFlags::DONTFORK, false),
        MADV_DONTDUMP => (VmaFlags::DONTDUMP, empty, false),
        MADV_DODUMP => (empty, VmaFlags::DONTDUMP, false),
        MADV_WIPEONFORK => (VmaFlags::WIPEONFORK, empty, true),
        MADV_KEEPONFORK => (empty, VmaFlags::WIPEONFORK, false),
        // Hints that need nothing done, as long as the range is mapped.
        MADV_NORMAL | MADV_RANDOM | MADV_SEQUENTIAL | MADV_WILLNEED | MADV_MERGEABLE | MADV_UNMERGEABLE
        | MADV_HUGEPAGE | MADV_NOHUGEPAGE | MADV_COLD | MADV_PAGEOUT => (empty, empty, false),
        MADV_DONTNEED | MADV_DONTNEED_LOCKED | MADV_FREE | MADV_REMOVE | MADV_POPULATE_READ | MADV_POPULATE_WRITE => {
            return if range.is_empty() { Ok(()) } else { madvise_pages(cx, &mm, range, advice) };
        }
        MADV_COLLAPSE => return Err(Errno::EINVAL.because("there are no huge pages")),
        _ => return Err(Errno::EINVAL.because("no such advice")),
    };
    if range.is_empty() {
        return Ok(());
    }
    if set.is_empty() && clear.is_empty() {
        return mm.check_mapped(range);
    }
    mm.set_flags(range, set, clear, anonymous_only)
}

fn remap_file_pages(cx: &mut Cx<'_>, addr: GuestAddr, size: u64, prot: u32, page: u64, _flags: u32) -> Result<()> {
    let start = page_floor(addr.untagged());
    let range = pages(start, page_floor(size), Errno::EINVAL)?;
    if prot != 0 || range.is_empty() {
        return Err(Errno::EINVAL.because("a protection, or a length of 0"));
    }
    let offset = page.checked_mul(PAGE_SIZE).ok_or(Errno::EINVAL.because("the offset is too large"))?;
    limited_mm(cx).show_other_pages(range, offset)
}

/// The advice that does something to pages.
fn madvise_pages(cx: &Cx<'_>, mm: &Mm, range: Range<u64>, advice: u32) -> Result<()> {
    match advice {
        MADV_DONTNEED => mm.discard(range, false),
        MADV_DONTNEED_LOCKED => mm.discard(range, true),
        MADV_FREE => mm.discard_anonymous(range),
        MADV_REMOVE => mm.punch(range),
        _ => {
            let access = if advice == MADV_POPULATE_WRITE { Access::Write } else { Access::Read };
            in_steps(cx, range, |step| mm.populate_for(step, access))
        }
    }
}

/// Does something to a range that may be long, unless a signal comes.
fn in_steps(cx: &Cx<'_>, range: Range<u64>, mut act: impl FnMut(Range<u64>) -> Result<()>) -> Result<()> {
    let mut at = range.start;
    while at < range.end {
        if cx.task.is_interrupted() {
            return Err(Error::INTERRUPTED);
        }
        let end = range.end.min(at.saturating_add(POPULATE_STEP));
        act(at..end)?;
        at = end;
    }
    Ok(())
}
