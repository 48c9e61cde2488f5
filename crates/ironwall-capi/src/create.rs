//! Making and destroying heaps.

use crate::heap::{Message, Runtime};
use crate::memory::{self, Mapping};
use crate::stacks::Stacks;
use crate::status::{IW_BAD_ARGUMENT, IW_BAD_REGION, IW_NO_MEMORY, IW_OK, Status, status_of};
use crate::types::{Config, FLAGS, IW_ABI_VERSION, IW_HEAP_IS_ZEROED, IW_NO_WIPE, check_size};
use crate::zeal::Zeal;
use ironwall::{Region, TableLimits};
use ironwall_host::Names;
use std::ptr::null_mut;

/// A heap starts at this alignment at least.
const HEAP_ALIGN: usize = 16;
/// Bookkeeping memory and frames consist of words.
const WORD: usize = 8;

/// The version of the interface that the library has: compare it with `IW_ABI_VERSION`.
#[unsafe(no_mangle)]
pub extern "C" fn iw_abi_version() -> u32 {
    IW_ABI_VERSION
}

/// Fills in a configuration: a heap of `heap_len` bytes reserved from the system, wiped, with frames on the stack of
/// the thread that creates the heap, and room for 64 tables, 4096 entries, 16384 slot offsets, 256 global blocks and
/// 1024 handles.
///
/// # Safety
/// `config` is null, which is refused, or can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iw_config_init(config: *mut Config, heap_len: u64) -> Status {
    let usual = Config {
        size: size_of::<Config>() as u32,
        flags: 0,
        heap: null_mut(),
        heap_len,
        bookkeeping: null_mut(),
        bookkeeping_len: 0,
        frames: null_mut(),
        frames_len: 0,
        max_tables: 64,
        max_entries: 4096,
        max_offsets: 16384,
        max_globals: 256,
        max_handles: 1024,
        reserved: 0,
    };
    if config.is_null() {
        return IW_BAD_ARGUMENT;
    }
    // SAFETY: it is not null, so it can be written.
    unsafe { config.write(usual) };
    IW_OK
}

/// The bytes of bookkeeping memory for a configuration; zero if it is none. An eighth of the heap and some more, but
/// most of it stays untouched.
///
/// # Safety
/// `config` is null or can be read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iw_bookkeeping_len(config: *const Config) -> u64 {
    // SAFETY: as the caller promises.
    let config = unsafe { config.as_ref() };
    let needed = config.filter(|config| check(config).is_ok()).and_then(|config| {
        // Nothing of it depends on the frames.
        bookkeeping(config, &core_config(config, Region::from_words(&mut [])))
    });
    needed.unwrap_or(0) as u64
}

/// Makes a heap, and puts it into `*heap`; null if it is refused.
///
/// # Safety
/// `config` is null or can be read, `heap` is null or can be written. The regions that are named can be read and
/// written, by the heap alone, until it is destroyed. The heap is used by one thread at a time; frames, if they are
/// not named, by the thread that makes this call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iw_create(config: *const Config, heap: *mut *mut Runtime) -> Status {
    if heap.is_null() {
        return IW_BAD_ARGUMENT;
    }
    // SAFETY: as the caller promises.
    let made = match unsafe { config.as_ref() } {
        // SAFETY: as the caller promises.
        Some(config) => unsafe { create(config) },
        None => Err(IW_BAD_ARGUMENT),
    };
    let (made, status) = match made {
        Ok(made) => (Box::into_raw(made), IW_OK),
        Err(status) => (null_mut(), status),
    };
    // SAFETY: it is not null, so it can be written.
    unsafe { heap.write(made) };
    status
}

/// Destroys a heap; null is none. Its socket is closed as by `iw_host_close`. Its handles, references and frames must not be used any more.
///
/// # Safety
/// `heap` is null, or of `iw_create` and in no call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iw_destroy(heap: *mut Runtime) {
    if !heap.is_null() {
        // SAFETY: it is of `Box::into_raw` in `iw_create`.
        drop(unsafe { Box::from_raw(heap) });
    }
}

fn check(config: &Config) -> Result<(), Status> {
    check_size::<Config>(config.size)?;
    let is_known = config.flags & !FLAGS == 0 && config.reserved == 0;
    if is_known { Ok(()) } else { Err(IW_BAD_ARGUMENT) }
}

fn core_config(config: &Config, frames: Region<'static>) -> ironwall::Config<'static> {
    let is_ours = config.heap.is_null();
    let zeal = Zeal::new(config.flags).is_some();
    ironwall::Config {
        tables: TableLimits {
            tables: config.max_tables as usize,
            entries: config.max_entries as usize,
            offsets: config.max_offsets as usize,
            globals: config.max_globals as usize,
        },
        handles: config.max_handles as usize,
        frames,
        // Zeal fills dead objects itself, and so a hole has to be zeroed when it is used.
        wipes: config.flags & IW_NO_WIPE == 0 && !zeal,
        heap_is_zeroed: is_ours || config.flags & IW_HEAP_IS_ZEROED != 0,
        pages: is_ours.then_some(memory::guard as fn(_, _, _)),
        on_fault: None,
    }
}

fn bookkeeping(config: &Config, core: &ironwall::Config<'_>) -> Option<usize> {
    let len = usize::try_from(config.heap_len).ok()?;
    ironwall::Runtime::bookkeeping_words(len, core)?.checked_mul(WORD)
}

/// # Safety
/// As [`iw_create`].
unsafe fn create(config: &Config) -> Result<Box<Runtime>, Status> {
    check(config)?;
    let mut mappings = Vec::new();
    let (base, len) = match (config.frames.cast::<u8>(), config.frames_len) {
        (base, _) if base.is_null() => aligned(memory::stack().ok_or(IW_NO_MEMORY)?),
        given => given_region(given, WORD)?,
    };
    // SAFETY: the memory is the caller's stack, or named by the caller, who promises the same.
    let frames = unsafe { Region::from_raw(base, len) };
    let core_config = core_config(config, frames);
    let needed = bookkeeping(config, &core_config).ok_or(IW_BAD_REGION)?;

    let (heap_base, heap_len) = match (config.heap.cast::<u8>(), config.heap_len) {
        (base, len) if base.is_null() => (map(&mut mappings, len as usize)?.0, len as usize),
        given => given_region(given, HEAP_ALIGN)?,
    };
    // SAFETY: the memory is a mapping that lives as long as the heap, or named by the caller, who promises the same.
    let region = unsafe { Region::from_raw(heap_base, heap_len) };
    let (base, len) = match (config.bookkeeping.cast::<u8>(), config.bookkeeping_len) {
        (base, _) if base.is_null() => map(&mut mappings, needed)?,
        given => given_region(given, WORD)?,
    };
    // SAFETY: as above; it is aligned to words, and only the heap uses it. It outlives the slice, which is a field of
    // the same structure as the mappings and is dropped before them.
    let words = unsafe { std::slice::from_raw_parts_mut(base.cast::<u64>(), len / WORD) };
    let core = ironwall::Runtime::new(region, words, core_config).map_err(status_of)?;
    let mut heap = Box::new(Runtime {
        core,
        stacks: Stacks::new(),
        heap_base,
        heap_len,
        inits: Vec::new(),
        zeal: Zeal::new(config.flags),
        on_fault: None,
        fault_user: null_mut(),
        host: None,
        host_user: null_mut(),
        door: None,
        names: Names::default(),
        message: Message::EMPTY,
        allocation_status: IW_OK,
        mappings,
    });
    if heap.zeal.is_some() {
        crate::zeal::close_fast_path(&mut heap);
    }
    Ok(heap)
}

fn map(mappings: &mut Vec<Mapping>, len: usize) -> Result<(*mut u8, usize), Status> {
    let mapping = Mapping::new(len).ok_or(IW_NO_MEMORY)?;
    let place = (mapping.base(), mapping.len());
    mappings.push(mapping);
    Ok(place)
}

/// A region that the caller names, if it is aligned and does not wrap.
pub(crate) fn given_region((base, len): (*mut u8, u64), align: usize) -> Result<(*mut u8, usize), Status> {
    let len = usize::try_from(len).map_err(|_| IW_BAD_REGION)?;
    let is_range = base.addr().is_multiple_of(align) && base.addr().checked_add(len).is_some();
    if is_range { Ok((base, len)) } else { Err(IW_BAD_REGION) }
}

/// The aligned part of a stack.
fn aligned((base, len): (*mut u8, usize)) -> (*mut u8, usize) {
    let skip = base.addr().wrapping_neg() % WORD;
    (base.wrapping_add(skip), len.saturating_sub(skip))
}
