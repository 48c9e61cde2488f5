//! Memory objects: files, truncation, write-back, reclaim.

use super::*;
use crate::mm::{Backing, PAGE_BYTES};
use std::boxed::Box;
use std::sync::Mutex;

/// A host file in memory.
#[derive(Clone, Default)]
struct Disk {
    bytes: Arc<Mutex<Vec<u8>>>,
    reads: Arc<Mutex<Vec<u64>>>,
}

impl Disk {
    fn with(text: &[u8], len: usize) -> Self {
        let disk = Self::default();
        let mut bytes = text.to_vec();
        bytes.resize(len, b'.');
        *disk.bytes.lock().unwrap() = bytes;
        disk
    }

    fn text(&self, at: usize, len: usize) -> Vec<u8> {
        self.bytes.lock().unwrap()[at..at + len].to_vec()
    }
}

impl Backing for Disk {
    fn read_page(&self, index: u64, page: &mut [u8; PAGE_BYTES]) -> Result<()> {
        self.reads.lock().unwrap().push(index);
        let bytes = self.bytes.lock().unwrap();
        let start = bytes.len().min(index as usize * PAGE_BYTES);
        let part = &bytes[start..bytes.len().min(start + PAGE_BYTES)];
        page.fill(0);
        page[..part.len()].copy_from_slice(part);
        Ok(())
    }

    fn write_page(&self, index: u64, bytes: &[u8]) -> Result<()> {
        let mut file = self.bytes.lock().unwrap();
        let start = index as usize * PAGE_BYTES;
        if file.len() < start + bytes.len() {
            file.resize(start + bytes.len(), 0);
        }
        file[start..start + bytes.len()].copy_from_slice(bytes);
        Ok(())
    }
}

fn file(bench: &Bench, disk: &Disk) -> Arc<Object> {
    let len = disk.bytes.lock().unwrap().len() as u64;
    Object::file(&bench.kernel, Box::new(disk.clone()), len)
}

#[test]
fn pages_of_a_file_are_shared_until_written() {
    let bench = Bench::new();
    let disk = Disk::with(b"text", 3 * PAGE_BYTES);
    let object = file(&bench, &disk);
    let (a, b) = (bench.mm(), bench.mm());
    a.map(&private(AT, 3, RW, &object)).expect("room");
    b.map(&private(AT, 3, RW, &object)).expect("room");
    assert_eq!((byte(&a, AT).expect("mapped"), byte(&b, AT).expect("mapped")), (b't', b't'));
    assert_eq!(bench.used(), 3, "the pages that follow are read ahead");
    put(&a, AT, b'T').expect("mapped");
    assert_eq!((byte(&a, AT).expect("mapped"), byte(&b, AT).expect("mapped")), (b'T', b't'));
    assert_eq!((bench.used(), disk.text(0, 4)), (4, b"text".to_vec()));
    object.write_at(1, b"E").expect("memory");
    assert_eq!(byte(&b, AT + 1).expect("mapped"), b'E', "who has not written sees the file");
    assert_eq!(byte(&a, AT + 1).expect("mapped"), b'e');
}

#[test]
fn a_fault_maps_the_neighbours_that_are_cached() {
    let bench = Bench::new();
    let object = file(&bench, &Disk::with(b"", 32 * PAGE_BYTES));
    let mm = bench.mm();
    mm.map(&private(AT, 32, Prot::READ, &object)).expect("room");
    byte(&mm, AT).expect("mapped");
    let present = (0..32).filter(|page| mm.table().translate(AT + page * PAGE_SIZE).is_some()).count();
    assert_eq!(present, 16);
    assert_eq!(mm.usage().resident, 16);
}

#[test]
fn changed_pages_reach_the_file_at_msync_and_munmap() {
    let bench = Bench::new();
    let disk = Disk::with(b"old", 2 * PAGE_BYTES - 5);
    let object = file(&bench, &disk);
    let mm = bench.mm();
    mm.map(&shared(AT, 2, RW, &object)).expect("room");
    byte(&mm, AT).expect("mapped");
    put(&mm, AT, b'N').expect("mapped");
    assert_eq!(disk.text(0, 3), b"old");
    mm.sync(AT..AT + PAGE_SIZE, true, false).expect("mapped");
    assert_eq!(disk.text(0, 3), b"Nld");
    put(&mm, AT + 1, b'E').expect("mapped");
    put(&mm, AT + PAGE_SIZE, b'x').expect("mapped");
    mm.unmap(AT, 2 * PAGE_SIZE).expect("mapped");
    assert_eq!(disk.text(0, 3), b"NEd");
    assert_eq!(disk.bytes.lock().unwrap().len(), 2 * PAGE_BYTES - 5, "the file keeps its size");
}

#[test]
fn changed_pages_reach_the_file_when_the_process_ends() {
    let bench = Bench::new();
    let disk = Disk::with(b"old", PAGE_BYTES);
    let object = file(&bench, &disk);
    let mm = bench.mm();
    mm.map(&shared(AT, 1, RW, &object)).expect("room");
    put(&mm, AT, b'N').expect("mapped");
    drop(mm);
    assert_eq!(disk.text(0, 3), b"Nld");
}

#[test]
fn truncation_takes_pages_from_every_mapping() {
    let bench = Bench::new();
    let object = Object::anonymous(&bench.kernel, 3 * PAGE_SIZE);
    let mm = bench.mm();
    mm.map(&shared(AT, 3, RW, &object)).expect("room");
    mm.map(&private(AT + 8 * PAGE_SIZE, 3, RW, &object)).expect("room");
    for page in [0, 1, 2, 8, 9, 10] {
        put(&mm, AT + page * PAGE_SIZE + 100, 1).expect("mapped");
    }
    object.set_size(PAGE_SIZE + 50);
    assert_eq!(errno(byte(&mm, AT + 2 * PAGE_SIZE)), Errno::EFAULT);
    assert_eq!(errno(byte(&mm, AT + 10 * PAGE_SIZE)), Errno::EFAULT, "private copies go too");
    assert_eq!(byte(&mm, AT + PAGE_SIZE + 100).expect("mapped"), 0, "the rest of the last page is zero");
    assert_eq!(byte(&mm, AT + 100).expect("mapped"), 1);
    object.set_size(3 * PAGE_SIZE);
    assert_eq!(byte(&mm, AT + 2 * PAGE_SIZE + 100).expect("mapped"), 0);
}

#[test]
fn a_hole_reads_as_zero_and_leaves_private_copies() {
    let bench = Bench::new();
    let object = Object::anonymous(&bench.kernel, 0);
    object.write_at(0, &[7; 4 * PAGE_BYTES - 10]).expect("memory");
    let mm = bench.mm();
    mm.map(&shared(AT, 4, RW, &object)).expect("room");
    mm.map(&private(AT + 8 * PAGE_SIZE, 4, RW, &object)).expect("room");
    put(&mm, AT + 9 * PAGE_SIZE, 8).expect("mapped");
    byte(&mm, AT + PAGE_SIZE).expect("mapped");
    byte(&mm, AT + 10 * PAGE_SIZE).expect("mapped");
    object.punch(PAGE_SIZE - 1..3 * PAGE_SIZE + 1).expect("memory");
    assert_eq!(object.resident_pages(), 2);
    let at = |offset: u64| byte(&mm, AT + offset).expect("mapped");
    assert_eq!(
        [at(PAGE_SIZE - 2), at(PAGE_SIZE - 1), at(PAGE_SIZE), at(3 * PAGE_SIZE), at(3 * PAGE_SIZE + 1)],
        [7, 0, 0, 0, 7]
    );
    assert_eq!((at(9 * PAGE_SIZE), at(10 * PAGE_SIZE)), (8, 0));
}

#[test]
fn reads_are_short_at_the_end_and_holes_stay_holes() {
    let bench = Bench::new();
    let object = Object::anonymous(&bench.kernel, 0);
    object.write_at(3 * PAGE_SIZE, b"end").expect("memory");
    let mut buf = std::vec![1; 5 * PAGE_BYTES];
    assert_eq!(object.read_at(0, &mut buf).expect("memory"), 3 * PAGE_BYTES + 3);
    assert!(buf[..3 * PAGE_BYTES].iter().all(|byte| *byte == 0));
    assert_eq!(&buf[3 * PAGE_BYTES..3 * PAGE_BYTES + 4], b"end\x01");
    assert_eq!((object.resident_pages(), object.read_at(u64::MAX, &mut buf).expect("past the end")), (1, 0));
    assert_eq!(errno(object.write_at(u64::MAX - 2, b"abc")), Errno::EFBIG);
}

#[test]
fn clean_file_pages_make_room_when_memory_runs_out() {
    let machine = testing::FakeMachine::new(32);
    let kernel = testing::kernel_on(&machine);
    let free = kernel.frame_pool().free_count();
    let disk = Disk::with(b"file", 16 * PAGE_BYTES);
    let object = Object::file(&kernel, Box::new(disk.clone()), 16 * PAGE_SIZE);
    let mut buf = std::vec![0; 16 * PAGE_BYTES];
    object.read_at(0, &mut buf).expect("memory");
    assert_eq!(object.resident_pages(), 16);
    let mm = Mm::new(&kernel).expect("memory");
    mm.map(&fixed(AT, free as u64, RW)).expect("room");
    mm.map(&private(AT + (1 << 30), 1, Prot::READ, &object)).expect("room");
    byte(&mm, AT + (1 << 30)).expect("mapped");
    for page in 0..free as u64 - 1 {
        put(&mm, AT + page * PAGE_SIZE, 1).expect("the cache gives way");
    }
    assert_eq!(object.resident_pages(), 1, "what is mapped stays");
    assert_eq!(errno(put(&mm, AT + (free as u64 - 1) * PAGE_SIZE, 1)), Errno::ENOMEM);
}

#[test]
fn a_file_that_changed_beneath_is_read_again() {
    let bench = Bench::new();
    let disk = Disk::with(b"old", PAGE_BYTES);
    let object = file(&bench, &disk);
    let mm = bench.mm();
    mm.map(&shared(AT, 1, Prot::READ, &object)).expect("room");
    assert_eq!(byte(&mm, AT).expect("mapped"), b'o');
    *disk.bytes.lock().unwrap() = b"newer".to_vec();
    object.revalidate(5);
    assert_eq!(byte(&mm, AT).expect("mapped"), b'n');
    assert_eq!(object.size(), 5);
}
