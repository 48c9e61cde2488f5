//! Faults: what is filled, what is refused, and with which signal.

use super::*;
use crate::signal::{Info, InfoFields, Number};
use machine::Access;
use std::sync::atomic::Ordering;

fn signal(result: core::result::Result<(), Info>) -> (Number, i32, u64) {
    let info = result.expect_err("it must fault");
    let InfoFields::Fault { addr } = info.fields else { panic!("no fault address in {info:?}") };
    (info.signal, info.code, addr)
}

#[test]
fn unmapped_is_maperr_and_forbidden_is_accerr() {
    let bench = Bench::new();
    let mm = bench.mm();
    mm.map(&fixed(AT, 1, Prot::READ)).expect("room");
    assert_eq!(signal(mm.fault(0, Access::Read)), (Number::SIGSEGV, 1, 0));
    assert_eq!(signal(mm.fault(AT + 8, Access::Write)), (Number::SIGSEGV, 2, AT + 8));
    assert_eq!(signal(mm.fault(AT, Access::Execute)), (Number::SIGSEGV, 2, AT));
    assert_eq!(signal(mm.fault(AT + PAGE_SIZE, Access::Read)), (Number::SIGSEGV, 1, AT + PAGE_SIZE));
    assert_eq!(signal(mm.fault(u64::MAX, Access::Read)), (Number::SIGSEGV, 1, u64::MAX));
    assert!(mm.fault(AT, Access::Read).is_ok());
}

#[test]
fn past_the_end_of_a_file_is_sigbus() {
    let bench = Bench::new();
    let mm = bench.mm();
    let object = Object::anonymous(&bench.kernel, PAGE_SIZE + 1);
    mm.map(&shared(AT, 3, RW, &object)).expect("room");
    assert!(mm.fault(AT + PAGE_SIZE, Access::Write).is_ok());
    let past = AT + 2 * PAGE_SIZE;
    assert_eq!(signal(mm.fault(past, Access::Read)), (Number::SIGBUS, 2, past));
    assert_eq!(errno(byte(&mm, past)), Errno::EFAULT);
}

#[test]
fn untouched_memory_costs_nothing_and_reads_as_zero() {
    let bench = Bench::new();
    let mm = bench.mm();
    let flags = VmaFlags::MAY_WRITE | VmaFlags::NORESERVE;
    mm.map(&MapRequest { flags, ..fixed(AT, 1 << 30, RW) }).expect("four terabytes");
    assert_eq!(byte(&mm, AT + (1 << 40)).expect("mapped"), 0);
    assert_eq!(bench.used(), 0);
    put(&mm, AT + (1 << 40), 7).expect("mapped");
    assert_eq!((bench.used(), byte(&mm, AT + (1 << 40)).expect("mapped")), (1, 7));
}

#[test]
fn more_than_the_memory_needs_noreserve() {
    let bench = Bench::new();
    let mm = bench.mm();
    assert_eq!(errno(mm.map(&fixed(AT, 1 << 20, RW))), Errno::ENOMEM);
    assert!(mm.map(&fixed(AT, 1 << 20, Prot::READ)).is_ok());
}

#[test]
fn running_out_of_frames_kills_and_fails_but_breaks_nothing() {
    let machine = testing::FakeMachine::new(16);
    let kernel = testing::kernel_on(&machine);
    let mm = Mm::new(&kernel).expect("memory");
    mm.map(&MapRequest { flags: VmaFlags::MAY_WRITE | VmaFlags::NORESERVE, ..fixed(AT, 64, RW) }).expect("room");
    let filled = (0..64).take_while(|page| put(&mm, AT + page * PAGE_SIZE, 1).is_ok()).count() as u64;
    assert!(filled < 16);
    assert_eq!(errno(put(&mm, AT + filled * PAGE_SIZE, 1)), Errno::ENOMEM);
    let killed = mm.fault(AT + filled * PAGE_SIZE, Access::Write).expect_err("no memory");
    assert_eq!(killed.signal, Number::SIGKILL);
    mm.unmap(AT, PAGE_SIZE).expect("mapped");
    assert!(put(&mm, AT + filled * PAGE_SIZE, 1).is_ok());
}

fn stack(mm: &Mm, top: u64) {
    let request = fixed(top - PAGE_SIZE, 1, RW);
    mm.map(&MapRequest { flags: request.flags | VmaFlags::GROWSDOWN, ..request }).expect("room");
}

#[test]
fn the_stack_grows_to_its_limit() {
    let bench = Bench::new();
    let mm = bench.mm();
    let top = AT + (32 << 20);
    stack(&mm, top);
    mm.limits().stack.store(16 * PAGE_SIZE, Ordering::Relaxed);
    put(&mm, top - 16 * PAGE_SIZE, 1).expect("within the limit");
    assert_eq!(errno(put(&mm, top - 16 * PAGE_SIZE - 1, 1)), Errno::EFAULT);
    assert_eq!(mm.maps()[0].range, top - 16 * PAGE_SIZE..top);
}

#[test]
fn the_stack_keeps_a_gap_to_what_lies_below() {
    let bench = Bench::new();
    let mm = bench.mm();
    let top = AT + (4 << 20);
    stack(&mm, top);
    mm.map(&fixed(AT, 1, RW)).expect("room");
    put(&mm, AT + PAGE_SIZE + (1 << 20), 1).expect("the gap is kept");
    assert_eq!(errno(put(&mm, AT + PAGE_SIZE + (1 << 20) - 1, 1)), Errno::EFAULT);
    // A mapping that allows nothing may be near: it is a guard itself.
    mm.protect(AT..AT + PAGE_SIZE, Prot::NONE).expect("mapped");
    put(&mm, AT + PAGE_SIZE, 1).expect("a guard page may be near");
}

#[test]
fn copies_stop_at_the_first_bad_page() {
    let bench = Bench::new();
    let mm = bench.mm();
    mm.map(&fixed(AT, 2, RW)).expect("room");
    let end = AT + 2 * PAGE_SIZE;
    let (done, result) = mm.write_some(GuestAddr(end - 5), b"0123456789");
    assert_eq!((done, errno(result)), (5, Errno::EFAULT));
    let mut back = [0; 8];
    let (done, _) = mm.read_some(GuestAddr(end - 5), &mut back);
    assert_eq!((done, &back), (5, b"01234\0\0\0"));
}

#[test]
fn strings_end_at_a_nul_or_a_limit() {
    let bench = Bench::new();
    let mm = bench.mm();
    mm.map(&fixed(AT, 1, RW)).expect("room");
    let end = AT + PAGE_SIZE;
    mm.write(GuestAddr(end - 4), b"abc\0").expect("mapped");
    assert_eq!(mm.read_cstr(GuestAddr(end - 4), 4096).expect("a string"), b"abc");
    assert_eq!(errno(mm.read_cstr(GuestAddr(end - 4), 3)), Errno::ENAMETOOLONG);
    mm.write(GuestAddr(end - 1), b"d").expect("mapped");
    assert_eq!(errno(mm.read_cstr(GuestAddr(end - 4), 4096)), Errno::EFAULT);
}

#[test]
fn the_top_byte_of_an_address_is_ignored_on_request() {
    let bench = Bench::new();
    let mm = bench.mm();
    mm.map(&fixed(AT, 1, RW)).expect("room");
    assert_eq!(errno(mm.write_u32(GuestAddr(AT | 0xa5 << 56), 3)), Errno::EFAULT);
    mm.set_takes_tags(true);
    put(&mm, AT | 0xa5 << 56, 3).expect("a tagged address");
    assert_eq!(byte(&mm, AT).expect("mapped"), 3);
}

#[test]
fn words_are_exchanged_only_if_they_are_as_expected() {
    let bench = Bench::new();
    let mm = bench.mm();
    mm.map(&fixed(AT, 1, RW)).expect("room");
    mm.write_u32(GuestAddr(AT + 4), 10).expect("mapped");
    assert_eq!(mm.compare_exchange_u32(GuestAddr(AT + 4), 9, 11).expect("mapped"), 10);
    assert_eq!(mm.compare_exchange_u32(GuestAddr(AT + 4), 10, 12).expect("mapped"), 10);
    assert_eq!(mm.load_u32(GuestAddr(AT + 4)).expect("mapped"), 12);
    assert_eq!(errno(mm.load_u32(GuestAddr(AT + 2))), Errno::EINVAL);
}

#[test]
fn wild_iovec_lengths_are_refused_or_cut() {
    let bench = Bench::new();
    let mm = bench.mm();
    mm.map(&fixed(AT, 1, RW)).expect("room");
    let store = |at: u64, base: u64, len: u64| {
        mm.write_u64(GuestAddr(at), base).expect("mapped");
        mm.write_u64(GuestAddr(at + 8), len).expect("mapped");
    };
    store(AT, 1, 0x7fff_0000);
    store(AT + 16, 2, 0x7fff_0000);
    let iovecs = mm.read_iovecs(GuestAddr(AT), 2).expect("good ones");
    assert_eq!(iovecs.iter().map(|iovec| iovec.len).collect::<Vec<_>>(), [0x7fff_0000, 0xf000]);
    store(AT + 16, 2, u64::MAX);
    assert_eq!(errno(mm.read_iovecs(GuestAddr(AT), 2)), Errno::EINVAL);
    assert_eq!(errno(mm.read_iovecs(GuestAddr(AT), 1025)), Errno::EINVAL);
    assert_eq!(errno(mm.read_vec(GuestAddr(AT), usize::MAX)), Errno::EFAULT);
}
