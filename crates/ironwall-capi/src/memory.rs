//! What the system gives: mappings between guard pages, the bounds of a thread's stack, and its signals.

use ironwall::PageCall;
use std::ptr::null_mut;

/// What the system protects at once.
const PAGE: usize = 4096;

/// Zeroed memory with an inaccessible page on each side. It takes no memory before it is used.
#[derive(Debug)]
pub(crate) struct Mapping {
    start: *mut u8,
    len: usize,
}

impl Mapping {
    /// A mapping of `len` bytes, rounded up to pages; `None` if the system gives none.
    pub(crate) fn new(len: usize) -> Option<Self> {
        let len = len.checked_next_multiple_of(PAGE)?;
        let whole = len.checked_add(2 * PAGE)?;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        // SAFETY: a new private mapping changes nothing that exists.
        let start = unsafe { libc::mmap(null_mut(), whole, libc::PROT_NONE, flags, -1, 0) };
        if start == libc::MAP_FAILED {
            return None;
        }
        let mapping = Self { start: start.cast(), len };
        // SAFETY: the pages between the two guards belong to the mapping, which nobody uses yet.
        let status = unsafe { libc::mprotect(mapping.base().cast(), len, libc::PROT_READ | libc::PROT_WRITE) };
        (status == 0).then_some(mapping)
    }

    /// The first byte that can be used.
    pub(crate) fn base(&self) -> *mut u8 {
        self.start.wrapping_add(PAGE)
    }

    /// How many bytes can be used.
    pub(crate) fn len(&self) -> usize {
        self.len
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours, and whoever used it has gone before.
        unsafe { libc::munmap(self.start.cast(), self.len + 2 * PAGE) };
    }
}

/// Protects the page behind a large object, or gives it back. A page that the system does not protect, because it
/// has no room for more mappings, is still left out.
pub(crate) fn guard(call: PageCall, page: *mut u8, len: usize) {
    let access = match call {
        PageCall::Protect => libc::PROT_NONE,
        PageCall::Unprotect => libc::PROT_READ | libc::PROT_WRITE,
    };
    // SAFETY: the runtime names whole pages of the heap's region that hold no object.
    let status = unsafe { libc::mprotect(page.cast(), len, access) };
    if status != 0 && call == PageCall::Unprotect {
        // The page would be given to an object; a program that goes on would die there, and not know why.
        eprint_abort("ironwall: the system does not give a guard page back");
    }
}

/// Does something that starts threads, which then take no signals: those are for the program's own threads, and its
/// handlers may rely on that.
pub(crate) fn with_signals_blocked<T>(work: impl FnOnce() -> T) -> T {
    let mut all = std::mem::MaybeUninit::<libc::sigset_t>::uninit();
    let mut before = std::mem::MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: the first call fills the set, the second reads it and fills the other; both are ours.
    let status = unsafe {
        libc::sigfillset(all.as_mut_ptr());
        libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr())
    };
    let result = work();
    if status == 0 {
        // SAFETY: the call above filled the set.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, before.as_ptr(), null_mut()) };
    }
    result
}

/// Says why on standard error, and aborts.
#[cold]
pub(crate) fn eprint_abort(why: &str) -> ! {
    let line = format!("{why}\n");
    // SAFETY: the bytes are there; a closed standard error is no reason not to abort.
    unsafe { libc::write(2, line.as_ptr().cast(), line.len()) };
    std::process::abort()
}

/// The stack of the calling thread: its lowest byte and its length.
pub(crate) fn stack() -> Option<(*mut u8, usize)> {
    let mut attributes = std::mem::MaybeUninit::<libc::pthread_attr_t>::uninit();
    let (mut base, mut len) = (null_mut(), 0);
    // SAFETY: (1) the first call fills the attributes of this thread; (2) only then are they read; (3) the second
    // writes base and length; (4) what the first one allocated is given back.
    unsafe {
        if libc::pthread_getattr_np(libc::pthread_self(), attributes.as_mut_ptr()) != 0 {
            return None;
        }
        let status = libc::pthread_attr_getstack(attributes.as_ptr(), &raw mut base, &raw mut len);
        libc::pthread_attr_destroy(attributes.as_mut_ptr());
        (status == 0).then_some((base.cast(), len))
    }
}
