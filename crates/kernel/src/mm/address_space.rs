//! The address space itself: creation, fork and teardown.

use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use linux_abi::resource::{RLIMIT_AS, RLIMIT_DATA, RLIMIT_MEMLOCK, RLIMIT_STACK};
use machine::sync::RwLock;
use machine::{ADDRESS_LIMIT, FlushToken, Frame, GuestAddr, PAGE_SIZE, PageTable, Prot};

use crate::Kernel;
use crate::error::Result;
use crate::mm::vma::{Vma, VmaFlags, VmaMap};
use crate::mm::{FrameRefs, Object};
use crate::task::{Creds, Process};

/// Below this address only the superuser may map (`vm.mmap_min_addr`).
pub(crate) const MIN_ADDRESS: u64 = 0x1_0000;
/// What stays free below a mapping that grows down, as Linux's
/// `stack_guard_gap`.
pub(crate) const GUARD_GAP: u64 = 256 * PAGE_SIZE;
/// The end of the highest mapping that `mmap` places by itself: below the
/// stack's largest usual size.
pub(crate) const MMAP_TOP: u64 = ADDRESS_LIMIT - 0x800_0000;

/// The resource limits that concern an address space, in bytes.
#[derive(Debug)]
pub struct Limits {
    /// `RLIMIT_AS`.
    pub address_space: AtomicU64,
    /// `RLIMIT_DATA`.
    pub data: AtomicU64,
    /// `RLIMIT_STACK`.
    pub stack: AtomicU64,
    /// `RLIMIT_MEMLOCK`; `u64::MAX` for the superuser.
    pub locked: AtomicU64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            address_space: AtomicU64::new(u64::MAX),
            data: AtomicU64::new(u64::MAX),
            stack: AtomicU64::new(8 << 20),
            locked: AtomicU64::new(u64::MAX),
        }
    }
}

impl Clone for Limits {
    fn clone(&self) -> Self {
        let copy = |limit: &AtomicU64| AtomicU64::new(limit.load(Ordering::Relaxed));
        Self {
            address_space: copy(&self.address_space),
            data: copy(&self.data),
            stack: copy(&self.stack),
            locked: copy(&self.locked),
        }
    }
}

impl Limits {
    /// Those of a process; the superuser may lock as much as there is.
    #[must_use]
    pub fn of(process: &Process, creds: &Creds) -> Self {
        let soft = |resource: u32| AtomicU64::new(process.limit(resource as usize).soft);
        Self {
            address_space: soft(RLIMIT_AS),
            data: soft(RLIMIT_DATA),
            stack: soft(RLIMIT_STACK),
            locked: if creds.is_privileged() { AtomicU64::new(u64::MAX) } else { soft(RLIMIT_MEMLOCK) },
        }
    }

    /// Takes over the values of `other`.
    pub fn set(&self, other: &Self) {
        let copy = |to: &AtomicU64, from: &AtomicU64| to.store(from.load(Ordering::Relaxed), Ordering::Relaxed);
        copy(&self.address_space, &other.address_space);
        copy(&self.data, &other.data);
        copy(&self.stack, &other.stack);
        copy(&self.locked, &other.locked);
    }
}

/// Where the parts of the program lie (`mm_struct`'s fields of these names).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// The program's code.
    pub code: Range<u64>,
    /// The program's initialised data.
    pub data: Range<u64>,
    /// The heap that `brk` moves the end of.
    pub brk: Range<u64>,
    /// The stack pointer at entry.
    pub stack_start: u64,
    /// The argument strings.
    pub args: Range<u64>,
    /// The environment strings.
    pub env: Range<u64>,
    /// The auxiliary vector, as the program found it.
    pub auxv: Vec<u8>,
    /// Where the vDSO's image starts; 0 if there is none.
    pub vdso: u64,
}

/// What the lock of an address space protects.
#[derive(Debug, Default)]
pub(crate) struct Space {
    pub(crate) vmas: VmaMap,
    pub(crate) layout: Layout,
    /// What `mlockall(MCL_FUTURE)` asked for.
    pub(crate) lock_future: bool,
}

/// An address space, shared by the tasks that were made with `CLONE_VM`.
///
/// Every present entry of the page table holds one reference on its frame. The
/// table is changed with the lock held for writing; copies to and from user
/// memory hold it for reading, so that no frame goes away beneath them.
pub struct Mm {
    id: u64,
    me: Weak<Self>,
    pub(crate) frames: Arc<FrameRefs>,
    pub(crate) table: Arc<dyn PageTable>,
    pub(crate) space: RwLock<Space>,
    limits: Limits,
    /// System calls take addresses whose top byte is not zero.
    takes_tags: AtomicBool,
}

impl fmt::Debug for Mm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mm({})", self.id)
    }
}

impl Mm {
    /// An empty address space.
    ///
    /// # Errors
    /// `ENOMEM` if the machine has no memory for its table.
    pub fn new(kernel: &Kernel) -> Result<Arc<Self>> {
        Self::with(kernel.frames().clone(), Space::default(), Limits::default())
    }

    fn with(frames: Arc<FrameRefs>, space: Space, limits: Limits) -> Result<Arc<Self>> {
        let table = frames.machine().new_page_table()?;
        let id = frames.next_id();
        let takes_tags = AtomicBool::new(false);
        let space = RwLock::new(space);
        Ok(Arc::new_cyclic(|me| Self { id, me: me.clone(), frames, table, space, limits, takes_tags }))
    }

    /// Whether system calls take tagged addresses (`PR_GET_TAGGED_ADDR_CTRL`).
    #[must_use]
    pub fn takes_tags(&self) -> bool {
        self.takes_tags.load(Ordering::Relaxed)
    }

    /// Lets system calls take tagged addresses, or not (`PR_SET_TAGGED_ADDR_CTRL`).
    /// Linux keeps this for each thread; here threads share it as they share
    /// the memory.
    pub fn set_takes_tags(&self, takes_tags: bool) {
        self.takes_tags.store(takes_tags, Ordering::Relaxed);
    }

    /// The address of a buffer that a system call was given: a tag that is not
    /// allowed makes it one that has no memory.
    pub(super) fn buffer_address(&self, addr: GuestAddr) -> u64 {
        if self.takes_tags() { addr.untagged() } else { addr.0 }
    }

    /// The machine's page table.
    #[must_use]
    pub fn table(&self) -> &Arc<dyn PageTable> {
        &self.table
    }

    /// A number that no other address space or object of this kernel has.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.id
    }

    /// The limits to keep; `prlimit64` stores new ones here.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Where the parts of the program lie.
    #[must_use]
    pub fn layout(&self) -> Layout {
        self.space.read().layout.clone()
    }

    /// Changes where the parts of the program lie (`execve`, `PR_SET_MM`).
    pub fn set_layout(&self, change: impl FnOnce(&mut Layout)) {
        change(&mut self.space.write().layout);
    }

    /// A copy for a child process: shared mappings are shared, private pages
    /// are shared until one side writes.
    ///
    /// # Errors
    /// `ENOMEM`; nothing has changed for this address space then.
    pub fn fork(&self) -> Result<Arc<Self>> {
        let space = self.space.write();
        let layout = space.layout.clone();
        let child = Self::with(self.frames.clone(), Space { layout, ..Space::default() }, self.limits.clone())?;
        child.set_takes_tags(self.takes_tags());
        {
            let mut child_space = child.space.write();
            let mut flush = machine::FlushToken::none();
            let mut result = Ok(());
            for vma in space.vmas.iter().filter(|vma| !vma.flags.contains(VmaFlags::DONTFORK)) {
                let mut copy = vma.clone();
                // Locks are not inherited.
                copy.flags.remove(VmaFlags::LOCKED);
                child.note_mapping(&copy);
                child_space.vmas.insert(copy);
                // Shared pages are found through their object when touched.
                if !vma.flags.intersects(VmaFlags::SHARED | VmaFlags::WIPEONFORK) {
                    let (token, copied) = self.share_pages(vma, &child);
                    flush = flush.merge(token);
                    result = copied;
                }
                if result.is_err() {
                    break;
                }
            }
            self.table.flush(flush);
            result?;
        }
        Ok(child)
    }

    /// Maps this address space's pages of a private mapping into `child` too,
    /// write-protected on both sides.
    fn share_pages(&self, vma: &Vma, child: &Self) -> (machine::FlushToken, Result<()>) {
        let mut result = Ok(());
        let mut child_flush = machine::FlushToken::none();
        let token = self.table.protect(vma.range.clone(), &mut |addr, mapping| {
            if result.is_err() {
                return mapping.prot;
            }
            let prot = mapping.prot.without(Prot::WRITE);
            result = self.frames.get(mapping.frame).and_then(|()| match child.table.map(addr, mapping.frame, prot) {
                Ok(token) => {
                    child_flush = core::mem::take(&mut child_flush).merge(token);
                    Ok(())
                }
                Err(error) => {
                    self.frames.put(mapping.frame);
                    Err(error.into())
                }
            });
            prot
        });
        child.table.flush(child_flush);
        (token, result)
    }

    /// Tells a mapping's object that this address space maps it.
    pub(crate) fn note_mapping(&self, vma: &Vma) {
        if let Some(object) = &vma.object {
            object.add_mapper(self.id, &self.me);
        }
    }

    /// How many mappings show an object.
    pub(crate) fn count_mappings(&self, object: &Object) -> u64 {
        let space = self.space.read();
        let shows = |vma: &&Vma| vma.object.as_ref().is_some_and(|mapped| core::ptr::eq(&**mapped, object));
        space.vmas.iter().filter(shows).count() as u64
    }

    /// Removes the page-table entries of a range and their frames. The caller
    /// holds the lock for writing.
    pub(crate) fn drop_pages(&self, range: Range<u64>) {
        let mut gone: Vec<Frame> = Vec::new();
        let token = self.table.unmap(range, &mut |_, mapping| gone.push(mapping.frame));
        self.table.flush(token);
        for frame in gone {
            self.frames.put(frame);
        }
    }

    /// The object has lost a range of its pages: removes them here too. `only`
    /// lists the frames to remove, in order; `None` means whatever is there.
    pub(crate) fn forget_object_pages(&self, object: &Object, pages: Range<u64>, only: Option<&[Frame]>) {
        let space = self.space.write();
        for vma in space.vmas.iter() {
            if !vma.object.as_ref().is_some_and(|mapped| core::ptr::eq(&**mapped, object)) {
                continue;
            }
            let range = vma.addresses_of(pages.clone());
            if range.is_empty() {
                continue;
            }
            let Some(only) = only else {
                self.drop_pages(range);
                continue;
            };
            let mut stale = Vec::new();
            self.table.for_each(range, &mut |addr, mapping| {
                if only.binary_search(&mapping.frame).is_ok() {
                    stale.push(addr);
                }
            });
            for addr in stale {
                self.drop_pages(addr..addr + PAGE_SIZE);
            }
        }
    }

    /// Lets the next write to a range of the object's pages through a shared
    /// mapping be noticed.
    pub(crate) fn watch_object_pages(&self, object: &Object, pages: Range<u64>) {
        let space = self.space.write();
        let mut flush = FlushToken::none();
        for vma in space.vmas.iter().filter(|vma| vma.is_shared()) {
            if !vma.object.as_ref().is_some_and(|mapped| core::ptr::eq(&**mapped, object)) {
                continue;
            }
            let range = vma.addresses_of(pages.clone());
            if !range.is_empty() {
                let token = self.table.protect(range, &mut |_, mapping| mapping.prot.without(Prot::WRITE));
                flush = flush.merge(token);
            }
        }
        self.table.flush(flush);
    }
}

impl Drop for Mm {
    fn drop(&mut self) {
        self.drop_pages(0..ADDRESS_LIMIT);
        let space = core::mem::take(self.space.get_mut());
        for vma in space.vmas.iter() {
            if let Some(object) = &vma.object {
                object.remove_mapper(self.id);
                if vma.is_shared() {
                    object.write_back_mapping(0..u64::MAX);
                }
            }
        }
    }
}
