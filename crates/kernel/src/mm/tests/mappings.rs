//! Mappings: splitting, joining, protecting, moving, limits.

use super::*;
use linux_abi::mman::MremapFlags;
use std::sync::atomic::Ordering;

const R: u8 = 1;
const W: u8 = 3;

fn pages(first: u64, last: u64) -> std::ops::Range<u64> {
    AT + first * PAGE_SIZE..AT + last * PAGE_SIZE
}

#[test]
fn neighbours_that_mean_the_same_are_one_mapping() {
    let bench = Bench::new();
    let mm = bench.mm();
    mm.map(&fixed(AT, 2, RW)).expect("room");
    mm.map(&fixed(AT + 4 * PAGE_SIZE, 2, RW)).expect("room");
    assert_eq!(layout(&mm), [(0, 2, W), (4, 6, W)]);
    mm.map(&fixed(AT + 2 * PAGE_SIZE, 2, RW)).expect("room");
    assert_eq!(layout(&mm), [(0, 6, W)]);
    mm.protect(pages(2, 3), Prot::READ).expect("mapped");
    assert_eq!(layout(&mm), [(0, 2, W), (2, 3, R), (3, 6, W)]);
    mm.protect(pages(2, 3), RW).expect("mapped");
    assert_eq!(layout(&mm), [(0, 6, W)]);
}

#[test]
fn file_mappings_join_only_if_their_offsets_do() {
    let bench = Bench::new();
    let mm = bench.mm();
    let object = Object::anonymous(&bench.kernel, 8 * PAGE_SIZE);
    let part = |addr, first: u64| MapRequest { offset: first * PAGE_SIZE, ..private(addr, 1, RW, &object) };
    mm.map(&part(AT, 0)).expect("room");
    mm.map(&part(AT + PAGE_SIZE, 1)).expect("room");
    mm.map(&part(AT + 2 * PAGE_SIZE, 5)).expect("room");
    assert_eq!(layout(&mm), [(0, 2, W), (2, 3, W)]);
}

#[test]
fn unmapping_the_middle_splits() {
    let bench = Bench::new();
    let mm = bench.mm();
    let object = Object::anonymous(&bench.kernel, 8 * PAGE_SIZE);
    object.write_at(6 * PAGE_SIZE, b"x").expect("memory");
    mm.map(&shared(AT, 8, RW, &object)).expect("room");
    for page in 0..6 {
        put(&mm, AT + page * PAGE_SIZE, page as u8).expect("mapped");
    }
    mm.unmap(AT + 2 * PAGE_SIZE, 3 * PAGE_SIZE - 1).expect("mapped");
    assert_eq!(layout(&mm), [(0, 2, W), (5, 8, W)]);
    assert_eq!(errno(byte(&mm, AT + 2 * PAGE_SIZE)), Errno::EFAULT);
    assert_eq!(byte(&mm, AT + 5 * PAGE_SIZE).expect("mapped"), 5);
    assert_eq!(byte(&mm, AT + 6 * PAGE_SIZE).expect("mapped"), b'x');
    mm.unmap(0, 1 << 47).expect("a range that is mostly empty");
    assert_eq!(layout(&mm), []);
}

#[test]
fn bad_ranges_are_refused() {
    let bench = Bench::new();
    let mm = bench.mm();
    assert_eq!(errno(mm.unmap(AT + 1, PAGE_SIZE)), Errno::EINVAL);
    assert_eq!(errno(mm.unmap(AT, 0)), Errno::EINVAL);
    assert_eq!(errno(mm.unmap(AT, u64::MAX)), Errno::EINVAL);
    assert_eq!(errno(mm.unmap(1 << 48, PAGE_SIZE)), Errno::EINVAL);
    assert_eq!(errno(mm.map(&fixed(AT, 0, RW))), Errno::EINVAL);
    assert_eq!(errno(mm.map(&fixed(AT + 1, 1, RW))), Errno::EINVAL);
    assert_eq!(errno(mm.map(&fixed((1 << 48) - PAGE_SIZE, 2, RW))), Errno::ENOMEM);
    assert_eq!(errno(mm.map(&MapRequest::anonymous(u64::MAX, RW))), Errno::ENOMEM);
    let taken = MapRequest { placement: Placement::FixedNoReplace(AT), ..fixed(AT, 2, RW) };
    mm.map(&taken).expect("room");
    assert_eq!(errno(mm.map(&taken)), Errno::EEXIST);
}

#[test]
fn mappings_are_placed_from_the_top_down_and_at_free_hints() {
    let bench = Bench::new();
    let mm = bench.mm();
    let one = MapRequest::anonymous(PAGE_SIZE, RW);
    let first = mm.map(&one).expect("room").0;
    let second = mm.map(&one).expect("room").0;
    assert_eq!((first, second), (0xffff_f7ff_f000, 0xffff_f7ff_e000));
    let hinted = MapRequest { placement: Placement::Hint(AT + 1), ..one.clone() };
    assert_eq!(mm.map(&hinted).expect("room").0, AT + PAGE_SIZE);
    let taken = MapRequest { placement: Placement::Hint(AT + PAGE_SIZE), ..one };
    assert_eq!(mm.map(&taken).expect("room").0, 0xffff_f7ff_d000);
    mm.unmap(first, PAGE_SIZE).expect("mapped");
    assert_eq!(mm.map(&MapRequest::anonymous(2 * PAGE_SIZE, RW)).expect("room").0, 0xffff_f7ff_b000);
    assert_eq!(mm.map(&MapRequest::anonymous(PAGE_SIZE, Prot::READ)).expect("room").0, first);
}

#[test]
fn gaps_of_any_size_are_found_again() {
    let bench = Bench::new();
    let mm = bench.mm();
    let map = |pages: u64, prot| mm.map(&MapRequest::anonymous(pages * PAGE_SIZE, prot)).expect("room").0;
    let starts: Vec<u64> = (0..200).map(|i| map(1 + i % 3, if i % 2 == 0 { RW } else { Prot::READ })).collect();
    assert!(starts.windows(2).all(|pair| pair[1] < pair[0]), "each goes below the one before");
    for i in [10, 100, 55] {
        mm.unmap(starts[i], (1 + i as u64 % 3) * PAGE_SIZE).expect("mapped");
    }
    assert_eq!(map(2, RW), starts[10]);
    assert_eq!(map(2, RW), starts[55]);
    assert_eq!(map(2, RW), starts[100]);
    assert!(map(1, RW) < starts[199]);
}

#[test]
fn protection_applies_up_to_the_hole() {
    let bench = Bench::new();
    let mm = bench.mm();
    mm.map(&fixed(AT, 2, RW)).expect("room");
    mm.map(&fixed(AT + 3 * PAGE_SIZE, 1, RW)).expect("room");
    assert_eq!(errno(mm.protect(pages(1, 4), Prot::READ)), Errno::ENOMEM);
    assert_eq!(layout(&mm), [(0, 1, W), (1, 2, R), (3, 4, W)]);
    assert_eq!(errno(mm.protect(pages(10, 11), Prot::READ)), Errno::ENOMEM);
}

#[test]
fn contents_survive_protection() {
    let bench = Bench::new();
    let mm = bench.mm();
    mm.map(&fixed(AT, 1, RW)).expect("room");
    put(&mm, AT, 8).expect("mapped");
    mm.protect(pages(0, 1), Prot::NONE).expect("mapped");
    assert_eq!(errno(byte(&mm, AT)), Errno::EFAULT);
    mm.protect(pages(0, 1), Prot::EXEC).expect("mapped");
    assert_eq!(byte(&mm, AT).expect("what may be executed may be read"), 8);
    assert_eq!(errno(put(&mm, AT, 9)), Errno::EFAULT);
    mm.protect(pages(0, 1), RW).expect("mapped");
    put(&mm, AT, 9).expect("mapped");
    assert_eq!((byte(&mm, AT).expect("mapped"), bench.used()), (9, 1));
}

#[test]
fn a_read_only_file_stays_read_only_where_it_is_shared() {
    let bench = Bench::new();
    let mm = bench.mm();
    let object = Object::anonymous(&bench.kernel, PAGE_SIZE);
    let request = shared(AT, 1, Prot::READ, &object);
    mm.map(&MapRequest { flags: request.flags - VmaFlags::MAY_WRITE, ..request }).expect("room");
    assert_eq!(errno(mm.protect(pages(0, 1), RW)), Errno::EACCES);
}

fn move_any() -> MremapFlags {
    MremapFlags::MREMAP_MAYMOVE
}

#[test]
fn mremap_shrinks_and_grows_in_place() {
    let bench = Bench::new();
    let mm = bench.mm();
    mm.map(&fixed(AT, 4, RW)).expect("room");
    put(&mm, AT + 3 * PAGE_SIZE, 1).expect("mapped");
    let none = MremapFlags::empty();
    assert_eq!(mm.remap(AT, 4 * PAGE_SIZE, PAGE_SIZE, none, 0).expect("mapped").0, AT);
    assert_eq!((layout(&mm), bench.used()), (std::vec![(0, 1, W)], 0));
    assert_eq!(mm.remap(AT, PAGE_SIZE, 3 * PAGE_SIZE, none, 0).expect("room").0, AT);
    assert_eq!(layout(&mm), [(0, 3, W)]);
    mm.map(&fixed(AT + 3 * PAGE_SIZE, 1, Prot::READ)).expect("room");
    assert_eq!(errno(mm.remap(AT, 3 * PAGE_SIZE, 4 * PAGE_SIZE, none, 0)), Errno::ENOMEM);
}

#[test]
fn mremap_looks_for_a_mapping_before_it_looks_at_the_length() {
    let bench = Bench::new();
    let mm = bench.mm();
    mm.map(&fixed(AT, 1, RW)).expect("room");
    let (none, too_long) = (MremapFlags::empty(), 0_u64.wrapping_sub(PAGE_SIZE));
    let remap = |at, new_len| errno(mm.remap(at, too_long, new_len, none, 0));
    assert_eq!(remap(AT + PAGE_SIZE, PAGE_SIZE), Errno::EFAULT);
    assert_eq!(remap(AT, PAGE_SIZE), Errno::EINVAL);
    assert_eq!(remap(AT + PAGE_SIZE + 1, PAGE_SIZE), Errno::EINVAL);
    assert_eq!(remap(AT + PAGE_SIZE, 0), Errno::EINVAL);
}

#[test]
fn mremap_moves_contents_without_copying() {
    let bench = Bench::new();
    let mm = bench.mm();
    mm.map(&fixed(AT, 2, RW)).expect("room");
    mm.map(&fixed(AT + 2 * PAGE_SIZE, 1, Prot::READ)).expect("room");
    put(&mm, AT + PAGE_SIZE, 6).expect("mapped");
    let new = mm.remap(AT, 2 * PAGE_SIZE, 4 * PAGE_SIZE, move_any(), 0).expect("room").0;
    assert_ne!(new, AT);
    assert_eq!((byte(&mm, new + PAGE_SIZE).expect("mapped"), bench.used()), (6, 1));
    assert_eq!(errno(byte(&mm, AT)), Errno::EFAULT);
    put(&mm, new + PAGE_SIZE, 7).expect("still writable in place");
    assert_eq!(bench.used(), 1);
}

#[test]
fn mremap_to_a_fixed_place_replaces_what_is_there() {
    let bench = Bench::new();
    let mm = bench.mm();
    mm.map(&fixed(AT, 2, RW)).expect("room");
    mm.map(&fixed(AT + 8 * PAGE_SIZE, 2, Prot::READ)).expect("room");
    put(&mm, AT, 5).expect("mapped");
    let flags = move_any() | MremapFlags::MREMAP_FIXED;
    let to = AT + 8 * PAGE_SIZE;
    assert_eq!(mm.remap(AT, 2 * PAGE_SIZE, PAGE_SIZE, flags, to).expect("room").0, to);
    assert_eq!(layout(&mm), [(8, 9, W), (9, 10, R)]);
    assert_eq!(byte(&mm, to).expect("mapped"), 5);
    assert_eq!(errno(mm.remap(to, PAGE_SIZE, PAGE_SIZE, flags, to)), Errno::EINVAL);
    assert_eq!(errno(mm.remap(to, PAGE_SIZE, PAGE_SIZE, MremapFlags::MREMAP_FIXED, AT)), Errno::EINVAL);
    assert_eq!(errno(mm.remap(to, PAGE_SIZE, 0, move_any(), 0)), Errno::EINVAL);
    assert_eq!(errno(mm.remap(AT, PAGE_SIZE, 2 * PAGE_SIZE, move_any(), 0)), Errno::EFAULT);
    assert_eq!(errno(mm.remap(to, 2 * PAGE_SIZE, 3 * PAGE_SIZE, move_any(), 0)), Errno::EFAULT);
}

#[test]
fn mremap_can_leave_an_empty_mapping_behind() {
    let bench = Bench::new();
    let mm = bench.mm();
    mm.map(&fixed(AT, 1, RW)).expect("room");
    put(&mm, AT, 4).expect("mapped");
    let flags = move_any() | MremapFlags::MREMAP_DONTUNMAP;
    let new = mm.remap(AT, PAGE_SIZE, PAGE_SIZE, flags, 0).expect("room").0;
    assert_eq!((byte(&mm, AT).expect("mapped"), byte(&mm, new).expect("mapped")), (0, 4));
}

#[test]
fn a_shared_mapping_can_be_duplicated() {
    let bench = Bench::new();
    let mm = bench.mm();
    let object = Object::anonymous(&bench.kernel, PAGE_SIZE);
    mm.map(&shared(AT, 1, RW, &object)).expect("room");
    let twin = mm.remap(AT, 0, PAGE_SIZE, move_any(), 0).expect("room").0;
    put(&mm, AT, 3).expect("mapped");
    assert_eq!(byte(&mm, twin).expect("mapped"), 3);
    mm.map(&fixed(AT, 1, RW)).expect("room");
    assert_eq!(errno(mm.remap(AT, 0, PAGE_SIZE, move_any(), 0)), Errno::EINVAL);
}

#[test]
fn a_shared_mapping_can_show_its_pages_in_another_order() {
    let bench = Bench::new();
    let mm = bench.mm();
    let object = Object::anonymous(&bench.kernel, 3 * PAGE_SIZE);
    mm.map(&shared(AT, 3, RW, &object)).expect("room");
    for page in 0..3 {
        put(&mm, AT + page * PAGE_SIZE, page as u8).expect("mapped");
    }
    mm.show_other_pages(pages(0, 1), 2 * PAGE_SIZE).expect("one shared mapping");
    assert_eq!(byte(&mm, AT).expect("mapped"), 2);
    assert_eq!(errno(mm.show_other_pages(pages(2, 4), 0)), Errno::EINVAL);
    mm.map(&fixed(AT, 1, RW)).expect("room");
    assert_eq!(errno(mm.show_other_pages(pages(0, 1), 0)), Errno::EINVAL);
}

#[test]
fn the_heap_grows_and_shrinks_within_its_limits() {
    let bench = Bench::new();
    let mm = bench.mm();
    mm.set_layout(|layout| layout.brk = AT..AT);
    assert_eq!(mm.set_brk(0), AT);
    assert_eq!(mm.set_brk(AT + 10), AT + 10);
    put(&mm, AT + PAGE_SIZE - 1, 1).expect("the page is whole");
    assert_eq!(mm.set_brk(AT + 3 * PAGE_SIZE), AT + 3 * PAGE_SIZE);
    assert_eq!(layout(&mm), [(0, 3, W)]);
    mm.map(&fixed(AT + 4 * PAGE_SIZE, 1, RW)).expect("room");
    assert_eq!(mm.set_brk(AT + 5 * PAGE_SIZE), AT + 3 * PAGE_SIZE, "something is in the way");
    mm.limits().data.store(2 * PAGE_SIZE, Ordering::Relaxed);
    assert_eq!(mm.set_brk(AT + 3 * PAGE_SIZE + 1), AT + 3 * PAGE_SIZE, "RLIMIT_DATA");
    assert_eq!(mm.set_brk(AT + 1), AT + 1);
    assert_eq!(layout(&mm), [(0, 1, W), (4, 5, W)]);
}

#[test]
fn limits_refuse_what_exceeds_them() {
    let bench = Bench::new();
    let mm = bench.mm();
    mm.limits().address_space.store(4 * PAGE_SIZE, Ordering::Relaxed);
    mm.map(&fixed(AT, 3, RW)).expect("within the limit");
    assert_eq!(errno(mm.map(&fixed(AT + 8 * PAGE_SIZE, 2, RW))), Errno::ENOMEM);
    mm.map(&fixed(AT, 4, RW)).expect("what is replaced does not count");
    mm.limits().address_space.store(u64::MAX, Ordering::Relaxed);
    mm.limits().data.store(5 * PAGE_SIZE, Ordering::Relaxed);
    assert_eq!(errno(mm.map(&fixed(AT + 8 * PAGE_SIZE, 2, RW))), Errno::ENOMEM);
    mm.map(&fixed(AT + 8 * PAGE_SIZE, 2, Prot::READ)).expect("not data");
    mm.limits().locked.store(2 * PAGE_SIZE, Ordering::Relaxed);
    assert_eq!(errno(mm.lock(pages(0, 3), true, false)), Errno::ENOMEM);
    mm.lock(pages(0, 2), true, false).expect("within the limit");
    assert_eq!((bench.used(), mm.usage().locked), (2, 2));
    assert_eq!(errno(mm.discard(pages(0, 1), false)), Errno::EINVAL);
    mm.lock(pages(0, 2), false, false).expect("mapped");
    mm.discard(pages(0, 1), false).expect("no longer locked");
}

#[test]
fn there_is_a_limit_to_the_number_of_mappings() {
    let bench = Bench::new();
    let mm = bench.mm();
    mm.map(&MapRequest { flags: VmaFlags::MAY_WRITE | VmaFlags::NORESERVE, ..fixed(AT, 1 << 20, RW) }).expect("room");
    let refused = (0..1 << 17).find(|page| mm.protect(pages(2 * page, 2 * page + 1), Prot::READ).is_err());
    assert!(refused.is_some_and(|page| page < 40_000));
    mm.unmap(AT, PAGE_SIZE << 20).expect("removing all of it splits nothing");
}

#[test]
fn discarded_memory_reads_as_zero() {
    let bench = Bench::new();
    let mm = bench.mm();
    mm.map(&fixed(AT, 2, RW)).expect("room");
    put(&mm, AT, 1).expect("mapped");
    put(&mm, AT + PAGE_SIZE, 2).expect("mapped");
    mm.discard(pages(0, 1), false).expect("mapped");
    assert_eq!((byte(&mm, AT).expect("mapped"), byte(&mm, AT + PAGE_SIZE).expect("mapped")), (0, 2));
    assert_eq!(bench.used(), 1);
    assert_eq!(errno(mm.discard(pages(1, 3), false)), Errno::ENOMEM);
    assert_eq!(bench.used(), 0, "the mapped part is done");
}

#[test]
fn mincore_tells_what_is_present() {
    let bench = Bench::new();
    let mm = bench.mm();
    mm.map(&fixed(AT, 4, RW)).expect("room");
    put(&mm, AT + 2 * PAGE_SIZE, 1).expect("mapped");
    mm.incore(pages(1, 4), GuestAddr(AT)).expect("mapped");
    let mut bytes = [9; 4];
    mm.read(GuestAddr(AT), &mut bytes).expect("mapped");
    assert_eq!(bytes, [0, 1, 0, 0]);
    assert_eq!(errno(mm.incore(pages(3, 5), GuestAddr(AT))), Errno::ENOMEM);
    assert_eq!(errno(mm.incore(pages(0, 1), GuestAddr(0))), Errno::EFAULT);
}
