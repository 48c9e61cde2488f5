//! The calls, as a program makes them.

use ironwall::tag::Tags;
use ironwall::{Kind, Uuid};
use ironwall_capi::collect::{iw_collect, iw_collections, iw_host_point, iw_may_collect, iw_set_host_callback};
use ironwall_capi::create::{iw_abi_version, iw_bookkeeping_len, iw_config_init, iw_create, iw_destroy};
use ironwall_capi::enumerate::{iw_block_at, iw_entry_at, iw_global_at, iw_next_block, iw_unit_at};
use ironwall_capi::heap::Runtime;
use ironwall_capi::objects::{
    iw_allocate_slow, iw_allocation_status, iw_handle_get, iw_handle_new, iw_handle_release, iw_handle_retain, iw_load,
    iw_message, iw_new_slow, iw_store,
};
use ironwall_capi::snapshot::iw_snapshot;
use ironwall_capi::status::*;
use ironwall_capi::types::*;
use ironwall_capi::units::{iw_attach, iw_finish_attach, iw_first_entry, iw_run_init, iw_start_unit};
use ironwall_explain::Snapshot;
use ironwall_format::{Structure, Table};
use std::ffi::{CStr, CString, c_void};
use std::mem::MaybeUninit;
use std::ptr::{null, null_mut};

/// A heap with one unit: `Pair` of two references, `Bytes`, the frame `main` of two.
pub(crate) struct World {
    pub(crate) heap: *mut Runtime,
    image: &'static [u8],
    pair: u32,
    bytes: u32,
    pub(crate) main: Prefix,
}

fn table() -> Table {
    Table::new("test", "calls")
        .with(Structure::of_slots(Kind::Heap, "Pair", 2))
        .with(Structure::new(Kind::Heap, "Bytes", 8, &[]).with_bytes(1))
        .with(Structure::of_slots(Kind::Frame, "main", 2))
        .with(Structure::of_slots(Kind::Global, "globals", 1))
}

fn config(flags: u32) -> Config {
    let mut config = MaybeUninit::uninit();
    // SAFETY: the configuration can be written, and is when the answer is `IW_OK`.
    let mut config: Config = unsafe {
        assert_eq!(iw_config_init(config.as_mut_ptr(), 1 << 20), IW_OK);
        config.assume_init()
    };
    config.flags = flags;
    config
}

fn create(config: &Config) -> (Status, *mut Runtime) {
    let mut heap = null_mut();
    // SAFETY: both can be read or written; regions are the system's.
    (unsafe { iw_create(config, &raw mut heap) }, heap)
}

fn unit(image: &'static [u8], init: InitFn) -> Unit {
    Unit { size: size_of::<Unit>() as u32, reserved: 0, metadata: image.as_ptr(), globals: null(), init }
}

impl World {
    pub(crate) fn new(flags: u32) -> Self {
        let (status, heap) = create(&config(flags));
        assert_eq!(status, IW_OK);
        let (image, table) = (&*table().image().expect("an image").leak(), table());
        let place = |kind, name| {
            let image = ironwall::image::Image::verify(image).expect("an image");
            (0..image.entry_count())
                .position(|i| image.entry(i).id == table.structure_id(kind, name))
                .expect("an entry")
        };
        let mut first = 0;
        // SAFETY: the heap is there, and the image for good.
        unsafe {
            assert_eq!(iw_attach(heap, &unit(image, None), null_mut()), IW_OK);
            assert_eq!(iw_finish_attach(heap), IW_OK);
            assert_eq!(iw_run_init(heap), IW_OK);
            assert_eq!(iw_first_entry(heap, image.as_ptr(), &raw mut first), IW_OK);
        }
        let [pair, bytes] = ["Pair", "Bytes"].map(|name| first + place(Kind::Heap, name) as u32);
        let Tags { tag1, tag2, tag3 } = Tags::new(table.id(), table.structure_id(Kind::Frame, "main"));
        Self { heap, image, pair, bytes, main: Prefix { tag1, tag2, tag3, word: 0 } }
    }

    pub(crate) fn pair(&self) -> Ref {
        // SAFETY: the heap is there.
        unsafe { iw_new_slow(self.heap, self.pair) }
    }

    pub(crate) fn load(&self, block: Ref, offset: u64) -> (Status, u64) {
        let mut word = 0;
        // SAFETY: the heap is there.
        (unsafe { iw_load(self.heap, block, offset, &raw mut word) }, word)
    }

    pub(crate) fn collect(&self) -> CollectionReport {
        let mut report = MaybeUninit::<CollectionReport>::zeroed();
        // SAFETY: any bits are a report, and the call writes it.
        unsafe {
            (*report.as_mut_ptr()).size = size_of::<CollectionReport>() as u32;
            assert_eq!(iw_collect(self.heap, IW_ORIGIN_PROGRAM, 7, report.as_mut_ptr()), IW_OK);
            report.assume_init()
        }
    }

    fn message(&self) -> String {
        // SAFETY: the message ends with a zero.
        unsafe { CStr::from_ptr(iw_message(self.heap)) }.to_string_lossy().into_owned()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // SAFETY: nothing uses the heap any more.
        unsafe { iw_destroy(self.heap) }
    }
}

#[test]
fn r5_a_a_collection_is_a_call_and_reports() {
    let world = World::new(0);
    let (kept, dead) = (world.pair(), world.pair());
    let mut handle = 0;
    // SAFETY: the heap is there.
    unsafe { assert_eq!(iw_handle_new(world.heap, kept, &raw mut handle), IW_OK) };
    let report = world.collect();
    assert_eq!((report.sequence, report.origin, report.reason), (1, IW_ORIGIN_PROGRAM, 7));
    assert_eq!((report.live, report.dead, report.handles, report.live_bytes), (1, 1, 1, 16));
    assert_eq!(world.load(kept, 0).0, IW_OK);
    assert_eq!(world.load(dead, 0).0, IW_NOT_A_BLOCK);
    // SAFETY: the heap is there.
    unsafe {
        assert_eq!(iw_handle_retain(world.heap, handle), IW_OK);
        assert_eq!(iw_handle_release(world.heap, handle), IW_OK);
        assert_eq!(iw_handle_get(world.heap, handle), kept);
        assert_eq!(iw_handle_release(world.heap, handle), IW_OK);
        assert_eq!(iw_handle_get(world.heap, handle), 0);
        assert_eq!(iw_handle_release(world.heap, handle), IW_STALE_HANDLE);
        assert_eq!(iw_handle_release(world.heap, 0), IW_STALE_HANDLE);
    }
    assert_eq!(world.collect().live, 0);
}

/// The symbol, as any object file refers to it.
mod symbol {
    use super::*;

    unsafe extern "C" {
        pub(super) fn iw_collect(heap: *mut c_void, origin: u32, reason: u64, report: *mut CollectionReport) -> Status;
    }
}

#[test]
fn r5_a_the_entry_is_an_ordinary_symbol() {
    let world = World::new(0);
    let dead = world.pair();
    // SAFETY: the heap is there, and the declaration is that of the definition.
    assert_eq!(unsafe { symbol::iw_collect(world.heap.cast(), IW_ORIGIN_HOST, 0, null_mut()) }, IW_OK);
    assert_eq!(world.load(dead, 0).0, IW_NOT_A_BLOCK);
    let (found, defined): (*const (), *const ()) = (symbol::iw_collect as *const (), iw_collect as *const ());
    assert_eq!(found, defined);
}

#[test]
fn a_heap_begins_with_what_the_header_says() {
    let world = World::new(0);
    let fast = world.heap.cast::<Fast>();
    let mut frame: (Prefix, [Ref; 2]) = (world.main, [world.pair(), 0]);
    // SAFETY: what inline functions do, and nothing else uses the heap.
    unsafe {
        let shape = *(*fast).shapes.byte_add((u64::from(world.pair) * (*fast).shape_size) as usize);
        let pair = table().structure_id(Kind::Heap, "Pair");
        let tags = Tags::new(table().id(), pair);
        assert_eq!((shape.tag1, shape.tag2, shape.tag3), (tags.tag1, tags.tag2, tags.tag3));
        assert_eq!((shape.fixed, shape.slot), (16, 48));
        let next = (*fast).cursors[shape.size_class as usize].next;
        assert_eq!(world.pair(), next, "a call takes what the cursor offers");
        assert_eq!((*fast).cursors[shape.size_class as usize].next, next + 48);
        (*fast).newest_frame = (&raw mut frame).addr() as u64;
        let report = world.collect();
        assert_eq!((report.frames, report.live, report.dead), (1, 1, 1), "the frame is walked");
        (*fast).newest_frame = 0;
        assert_eq!(world.collect().dead, 1);
    }
}

#[test]
fn what_is_refused_says_why() {
    let world = World::new(0);
    // SAFETY: the heap is there, or null.
    unsafe {
        assert_eq!(iw_allocate_slow(world.heap, world.bytes, 3), 0);
        assert_eq!(iw_allocation_status(world.heap), IW_BAD_EXTENT);
        assert_eq!(iw_allocate_slow(world.heap, world.bytes, 2 << 20), 0);
        assert_eq!(iw_allocation_status(world.heap), IW_OUT_OF_MEMORY);
        assert_eq!(iw_new_slow(world.heap, 0), 0);
        assert_eq!(iw_allocation_status(world.heap), IW_UNIT_NOT_ATTACHED);
        assert_eq!(iw_new_slow(world.heap, 4000), 0);
        assert_eq!(iw_allocation_status(world.heap), IW_NO_SUCH_ENTRY);
        assert_eq!(iw_attach(world.heap, &unit(world.image, None), null_mut()), IW_DUPLICATE_TABLE);
        assert!(world.message().contains("identity is attached"), "{}", world.message());
        assert_eq!(iw_collect(null_mut(), IW_ORIGIN_PROGRAM, 0, null_mut()), IW_BAD_ARGUMENT);
        assert_eq!(iw_collect(world.heap, 3, 0, null_mut()), IW_BAD_ARGUMENT);
        assert_eq!(iw_store(world.heap, 0, 0, 0), IW_NOT_A_BLOCK);
        let pair = world.pair();
        assert_eq!(iw_store(world.heap, pair, 16, 0), IW_BAD_OFFSET);
        assert_eq!(iw_store(world.heap, pair, 8, 5), IW_OK);
        assert_eq!(world.load(pair, 8), (IW_OK, 5));
        assert_eq!(iw_start_unit(world.heap, 9), IW_UNIT_NOT_ATTACHED);
        assert_eq!(iw_start_unit(world.heap, 0), IW_INIT_TWICE);
        iw_destroy(null_mut());
    }
    assert_eq!(iw_abi_version(), IW_ABI_VERSION);
}

#[test]
fn a_damaged_image_is_refused_at_a_byte() {
    let world = World::new(0);
    let image = Table::new("test", "other").image().expect("an image").leak();
    let attach = |bytes: &'static [u8]| {
        // SAFETY: the heap is there, and the bytes are as long as they say or do not begin like an image.
        unsafe { iw_attach(world.heap, &unit(bytes, None), null_mut()) }
    };
    let mut damaged = image.to_vec();
    damaged[37] ^= 1;
    assert_eq!(attach(damaged.leak()), IW_BAD_IMAGE);
    assert!(world.message().contains("at byte"), "{}", world.message());
    assert_eq!(attach(b"no image and short"), IW_BAD_IMAGE);
    let mut short = image.to_vec();
    short[12..16].copy_from_slice(&8u32.to_le_bytes());
    assert_eq!(attach(short.leak()), IW_BAD_IMAGE);
    assert!(world.message().contains("byte 12"), "{}", world.message());
    assert_eq!(attach(image), IW_OK);
}

#[test]
fn configurations_are_checked() {
    let bad = |change: fn(&mut Config), expected| {
        let mut config = config(0);
        change(&mut config);
        assert_eq!(create(&config), (expected, null_mut()));
    };
    bad(|config| config.size -= 4, IW_BAD_SIZE);
    bad(|config| config.flags = 1 << 31, IW_BAD_ARGUMENT);
    bad(|config| config.reserved = 1, IW_BAD_ARGUMENT);
    bad(|config| config.heap_len = 0, IW_BAD_REGION);
    bad(|config| config.heap_len = 1 << 40, IW_BAD_REGION);
    bad(|config| config.heap = std::ptr::without_provenance_mut(8), IW_BAD_REGION);
    // SAFETY: null pointers are refused.
    unsafe {
        assert_eq!(iw_create(null(), &raw mut *Box::leak(Box::new(null_mut()))), IW_BAD_ARGUMENT);
        assert_eq!(iw_create(&config(0), null_mut()), IW_BAD_ARGUMENT);
        assert_eq!(iw_config_init(null_mut(), 0), IW_BAD_ARGUMENT);
    }
}

#[test]
fn a_heap_can_be_in_regions_of_the_caller() {
    let mut config = config(IW_HEAP_IS_ZEROED);
    // SAFETY: the configuration can be read.
    let len = unsafe { iw_bookkeeping_len(&raw const config) };
    assert!(len > 1 << 16);
    let words = |len: u64| vec![0u128; (len as usize).div_ceil(16)].leak().as_mut_ptr().cast::<c_void>();
    (config.heap, config.bookkeeping, config.bookkeeping_len) = (words(config.heap_len), words(len), len);
    (config.frames, config.frames_len) = (words(4096), 4096);
    let (status, heap) = create(&config);
    assert_eq!(status, IW_OK);
    // SAFETY: the heap is there.
    unsafe { iw_destroy(heap) };
    config.bookkeeping_len -= 8;
    assert_eq!(create(&config).0, IW_BAD_REGION);
}

static ORDER: std::sync::Mutex<Vec<&str>> = std::sync::Mutex::new(Vec::new());

unsafe extern "C" fn init_base(heap: *mut Runtime) -> Status {
    ORDER.lock().expect("no panic").push("base");
    // SAFETY: a body may use the heap.
    unsafe { iw_collect(heap, IW_ORIGIN_PROGRAM, 0, null_mut()) }
}

unsafe extern "C" fn init_user(_heap: *mut Runtime) -> Status {
    ORDER.lock().expect("no panic").push("user");
    IW_OUT_OF_MEMORY
}

#[test]
fn r8_1_d_bodies_run_after_those_they_import_and_a_failure_stops() {
    let (_, heap) = create(&config(0));
    let base = Table::new("test", "base");
    let user = Table::new("test", "user").importing(&base);
    let image = |table: &Table| &*table.image().expect("an image").leak();
    // SAFETY: the heap is there, and images for good.
    unsafe {
        assert_eq!(iw_attach(heap, &unit(image(&user), Some(init_user)), null_mut()), IW_OK);
        assert_eq!(iw_finish_attach(heap), IW_MISSING_IMPORT);
        assert_eq!(iw_attach(heap, &unit(image(&base), Some(init_base)), null_mut()), IW_OK);
        assert_eq!(iw_finish_attach(heap), IW_OK);
        assert_eq!(iw_start_unit(heap, 0), IW_INIT_OUT_OF_ORDER);
        assert_eq!(iw_run_init(heap), IW_OUT_OF_MEMORY);
        assert_eq!(*ORDER.lock().expect("no panic"), ["base", "user"]);
        assert_eq!(iw_run_init(heap), IW_OK, "no body runs twice");
        iw_destroy(heap);
    }
}

unsafe extern "C" fn serve(user: *mut c_void, heap: *mut Runtime) {
    // SAFETY: the test passes a number, and the heap may be used at a host point.
    unsafe {
        *user.cast::<u32>() += 1;
        assert_eq!(iw_collect(heap, IW_ORIGIN_HOST, 0, null_mut()), IW_OK);
    }
}

#[test]
fn r3_3_b_c_the_host_is_served_at_host_points_alone() {
    let world = World::new(0);
    let mut served = 0u32;
    // SAFETY: the heap is there, and so is the number.
    unsafe {
        assert_eq!(iw_set_host_callback(world.heap, Some(serve), (&raw mut served).cast()), IW_OK);
        world.pair();
        assert_eq!(iw_may_collect(world.heap), IW_OK);
        assert_eq!(iw_collections(world.heap), 0);
        assert_eq!(iw_host_point(world.heap), IW_OK);
        assert_eq!((served, iw_collections(world.heap)), (1, 1));
    }
}

#[test]
fn zeal_collects_at_each_allocation_and_poisons_what_no_root_holds() {
    let world = World::new(IW_ZEAL_ALLOCATIONS);
    let first = world.pair();
    let mut handle = 0;
    // SAFETY: the heap is there; the dead object's memory is mapped.
    unsafe {
        assert_eq!(iw_handle_new(world.heap, first, &raw mut handle), IW_OK);
        let lost = world.pair();
        let third = world.pair();
        assert_eq!(iw_collections(world.heap), 3);
        assert_eq!(world.load(first, 0).0, IW_OK);
        assert_eq!(world.load(third, 0), (IW_OK, 0), "a new object is zero");
        // The slot of the lost object was free when the third was made.
        assert_eq!(lost, third);
        let other = world.pair();
        assert_eq!(other, lost);
        let fifth = iw_allocate_slow(world.heap, world.bytes, 8 + 64);
        let poison = *std::ptr::with_exposed_provenance::<u64>(other as usize + 32);
        assert_eq!(poison, IW_POISON, "{fifth:#x}");
    }
}

#[test]
fn zeal_at_points_leaves_allocation_alone() {
    let world = World::new(IW_ZEAL_POINTS);
    let lost = world.pair();
    world.pair();
    // SAFETY: the heap is there; the dead object's memory is mapped.
    unsafe {
        assert_eq!(iw_collections(world.heap), 0);
        assert_eq!(iw_may_collect(world.heap), IW_OK);
        assert_eq!(iw_collections(world.heap), 1);
        assert_eq!(*std::ptr::with_exposed_provenance::<u64>(lost as usize), IW_POISON);
        assert_eq!(world.load(world.pair(), 8), (IW_OK, 0), "a new object is zero");
        let fast = *world.heap.cast::<Fast>();
        assert_eq!((fast.shape_size, (*fast.shapes).slot), (0, 0), "inline allocation takes the call");
    }
}

#[test]
fn r7_3_a_tables_entries_globals_and_blocks_can_be_enumerated() {
    let world = World::new(0);
    let (one, two) = (world.pair(), world.pair());
    let mut info = MaybeUninit::<UnitInfo>::zeroed();
    let mut entry = MaybeUninit::<EntryInfo>::zeroed();
    let mut block = MaybeUninit::<BlockInfo>::zeroed();
    // SAFETY: any bits are such structures; the heap is there.
    unsafe {
        let (info, entry, block) = (&mut *info.as_mut_ptr(), &mut *entry.as_mut_ptr(), &mut *block.as_mut_ptr());
        assert_eq!(iw_unit_at(world.heap, 0, info), IW_BAD_SIZE);
        info.size = size_of::<UnitInfo>() as u32;
        assert_eq!(iw_unit_at(world.heap, 0, info), IW_OK);
        let name = std::slice::from_raw_parts(info.unit.cast::<u8>(), info.unit_len as usize);
        assert_eq!((name, info.entries, Uuid(info.table)), (&b"calls"[..], 4, table().id()));
        assert_eq!(iw_unit_at(world.heap, 1, info), IW_END);

        entry.size = size_of::<EntryInfo>() as u32;
        world.collect();
        assert_eq!(iw_entry_at(world.heap, world.pair, entry), IW_OK);
        assert_eq!((entry.kind, entry.fixed, entry.live), (IW_KIND_HEAP, 16, 0));
        let name = std::slice::from_raw_parts(entry.name.cast::<u8>(), entry.name_len as usize);
        assert_eq!(name, b"Pair");
        assert_eq!(iw_entry_at(world.heap, 99, entry), IW_NO_SUCH_ENTRY);

        block.size = size_of::<BlockInfo>() as u32;
        assert_eq!(iw_next_block(world.heap, 0, block), IW_END, "{one:#x} and {two:#x} are dead");
        let (one, two) = (world.pair(), world.pair());
        assert_eq!(iw_next_block(world.heap, 0, block), IW_OK);
        assert_eq!((block.block, block.entry, block.extent), (one, world.pair, 16));
        assert_eq!(iw_next_block(world.heap, block.block, block), IW_OK);
        assert_eq!(block.block, two);
        assert_eq!(iw_next_block(world.heap, block.block, block), IW_END);
        assert_eq!(iw_global_at(world.heap, 0, block), IW_END);
        assert_eq!(iw_block_at(world.heap, one, block), IW_OK);
        assert_eq!(Uuid(block.structure), table().structure_id(Kind::Heap, "Pair"));
    }
}

#[test]
fn r6_e_a_snapshot_is_a_file_that_explains_what_lives() {
    let world = World::new(0);
    let (kept, held, dead) = (world.pair(), world.pair(), world.pair());
    let dir = crate::tools::scratch("snapshot");
    let path = |name: &str| CString::new(dir.join(name).into_os_string().into_encoded_bytes()).expect("no zeros");
    let mut handle = 0;
    // SAFETY: the heap is there, and paths are strings.
    unsafe {
        assert_eq!(iw_handle_new(world.heap, kept, &raw mut handle), IW_OK);
        assert_eq!(iw_store(world.heap, kept, 8, held), IW_OK);
        assert_eq!(iw_snapshot(world.heap, path("heap.json").as_ptr()), IW_OK);
        assert_eq!(iw_collections(world.heap), 0);
    }
    let text = std::fs::read(dir.join("heap.json")).expect("the file");
    let snapshot = Snapshot::from_json(&text).expect("a snapshot");
    let why = snapshot.why(snapshot.at(held).expect("an object")).expect("a path").to_string();
    assert!(why.starts_with(&format!("handle {}", snapshot.handles()[0].number)), "{why}");
    assert!(why.contains(".+8 → #1 Pair of test/calls, 16 bytes"), "{why}");
    assert_eq!(snapshot.why(snapshot.at(dead).expect("it is not reclaimed yet")), None);
    // SAFETY: as above.
    unsafe {
        assert_eq!(iw_snapshot(world.heap, null()), IW_BAD_ARGUMENT);
        assert_eq!(iw_snapshot(null_mut(), path("heap.json").as_ptr()), IW_BAD_ARGUMENT);
        assert_eq!(iw_snapshot(world.heap, path("none/heap.json").as_ptr()), IW_IO);
        assert!(world.message().contains("No such file"), "{}", world.message());
        assert_eq!(iw_snapshot(world.heap, c"/".as_ptr()), IW_IO);
        assert_eq!(iw_store(world.heap, held, 0, 0x1230), IW_OK);
        assert_eq!(iw_snapshot(world.heap, path("damaged.json").as_ptr()), IW_DAMAGED);
    }
    assert!(world.message().contains("holds 0x1230"), "{}", world.message());
    let left: Vec<_> =
        std::fs::read_dir(&dir).expect("a directory").map(|entry| entry.expect("a file").file_name()).collect();
    assert_eq!(left, ["heap.json"]);
}
