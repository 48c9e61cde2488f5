//! Code that changes, moves, or is shared.

mod common;

use std::sync::Arc;

use common::{CODE, DATA, Guest, Still};
use engine::{AddressSpace, Cpu, CpuFeatures};
use machine::{Access, Exit, FramePool, PageTable, Prot, UserContext};

const SVC: u32 = 0xd400_0001;
const RET: u32 = 0xd65f_03c0;

/// `ldr x3, [x4, #8 * n]`.
fn load(n: u32) -> u32 {
    0xf940_0083 | n << 10
}

#[test]
fn store_over_the_next_instruction_takes_effect() {
    let mut guest = Guest::new();
    let frame = guest.space.translate(CODE).unwrap().frame;
    let token = guest.space.map(CODE, frame, Prot::READ | Prot::WRITE | Prot::EXEC).unwrap();
    guest.space.flush(token);
    // str w2, [x1]; (patched); svc
    guest.code(CODE, &[0xb900_0022, load(0), SVC]);
    guest.words(DATA, &[100, 101, 102, 103]);
    for n in [1, 2, 3, 0, 2] {
        guest.context.pc = CODE;
        guest.context.x[1] = CODE + 4;
        guest.context.x[2] = u64::from(load(n));
        guest.context.x[4] = DATA;
        assert_eq!(guest.run(), Exit::Syscall);
        assert_eq!(guest.context.x[3], 100 + u64::from(n));
    }
}

#[test]
fn write_through_another_mapping_takes_effect() {
    let mut guest = Guest::new();
    let frame = guest.space.translate(CODE).unwrap().frame;
    let alias = 0x1234_5000;
    let token = guest.space.map(alias, frame, Prot::READ | Prot::WRITE).unwrap();
    guest.space.flush(token);
    // str w2, [x1]; bl 32; svc; at 32: (patched); ret
    guest.code(CODE, &[0xb900_0022, 0x9400_0007, SVC]);
    guest.code(CODE + 32, &[load(0), RET]);
    guest.words(DATA, &[100, 101, 102, 103]);
    for n in [1, 2, 3, 0] {
        guest.context.pc = CODE;
        guest.context.x[1] = alias + 32;
        guest.context.x[2] = u64::from(load(n));
        guest.context.x[4] = DATA;
        assert_eq!(guest.run(), Exit::Syscall);
        assert_eq!(guest.context.x[3], 100 + u64::from(n));
    }
}

#[test]
fn data_page_that_becomes_code_is_watched() {
    let mut guest = Guest::new();
    let page = 0x900_0000;
    guest.map(page, Prot::READ | Prot::WRITE | Prot::EXEC);
    // The first store makes the page's TLB entry; then it is run, then stored to again.
    // str w2, [x1]; blr x1; svc
    guest.code(CODE, &[0xb900_0022, 0xd63f_0020, SVC]);
    guest.code(page + 4, &[RET]);
    guest.words(DATA, &[100, 101, 102, 103]);
    for n in [1, 2, 3, 0] {
        guest.context.pc = CODE;
        guest.context.x[1] = page;
        guest.context.x[2] = u64::from(load(n));
        guest.context.x[4] = DATA;
        assert_eq!(guest.run(), Exit::Syscall);
        assert_eq!(guest.context.x[3], 100 + u64::from(n));
    }
}

#[test]
fn kernel_write_into_code_takes_effect() {
    let mut guest = Guest::new();
    guest.words(DATA, &[100, 101]);
    for n in [0, 1] {
        guest.code(CODE, &[load(n), SVC]);
        guest.context.pc = CODE;
        guest.context.x[4] = DATA;
        assert_eq!(guest.run(), Exit::Syscall);
        assert_eq!(guest.context.x[3], 100 + u64::from(n));
    }
}

#[test]
fn one_frame_runs_at_two_addresses() {
    let mut guest = Guest::new();
    let frame = guest.space.translate(CODE).unwrap().frame;
    let other = AddressSpace::new(&guest.arena).unwrap();
    let high = 0x7fff_1234_5000;
    let token = other.map(high, frame, Prot::READ | Prot::EXEC).unwrap();
    other.flush(token);
    guest.code(CODE, &[0x9400_0002, SVC, SVC]); // bl 8; svc; svc
    for _ in 0..2 {
        guest.context.pc = CODE;
        assert_eq!(guest.run(), Exit::Syscall);
        assert_eq!((guest.context.pc, guest.context.x[30]), (CODE + 12, CODE + 4));
        let translated = guest.cpu.stats().translated;
        let mut context = UserContext::new(high, 0);
        assert_eq!(guest.cpu.run(&mut context, &other), Exit::Syscall);
        assert_eq!((context.pc, context.x[30]), (high + 12, high + 4));
        assert_eq!(guest.cpu.stats().translated, translated, "the translation is shared");
    }
}

#[test]
fn unmapped_code_is_not_run_from_a_cache() {
    let mut guest = Guest::new();
    guest.code(CODE, &[SVC]);
    assert_eq!(guest.run(), Exit::Syscall);
    let token = guest.space.unmap(CODE..CODE + 4096, &mut |_, _| {});
    guest.space.flush(token);
    guest.context.pc = CODE;
    assert_eq!(guest.run(), Exit::Fault { addr: CODE, access: Access::Execute });
}

#[test]
fn protection_and_remapping_reach_the_tlb() {
    let mut guest = Guest::new();
    guest.code(CODE, &[0xb900_0022, SVC]); // str w2, [x1]
    guest.context.x[1] = DATA;
    assert_eq!(guest.run(), Exit::Syscall);
    let mut dirty = false;
    guest.space.for_each(DATA..DATA + 4096, &mut |_, mapping| dirty = mapping.dirty);
    assert!(dirty, "the store marks the page");
    let token = guest.space.protect(DATA..DATA + 4096, &mut |_, _| Prot::READ);
    guest.space.flush(token);
    guest.context.pc = CODE;
    assert_eq!(guest.run(), Exit::Fault { addr: DATA, access: Access::Write });
    let fresh = guest.arena.alloc().unwrap();
    let token = guest.space.map(DATA, fresh, Prot::READ | Prot::WRITE).unwrap();
    guest.space.flush(token);
    guest.context.x[2] = 7;
    assert_eq!(guest.run(), Exit::Syscall);
    assert_eq!(guest.word(DATA), 7);
}

#[test]
fn freed_frame_loses_its_translations() {
    let mut guest = Guest::new();
    guest.code(CODE, &[SVC]);
    assert_eq!(guest.run(), Exit::Syscall);
    let mut frames = Vec::new();
    let token = guest.space.unmap(CODE..CODE + 4096, &mut |_, mapping| frames.push(mapping.frame));
    guest.space.flush(token);
    guest.arena.free(frames[0]);
    let again = guest.map(CODE, Prot::READ | Prot::EXEC);
    assert_eq!(again, frames[0], "the pool gives the same frame");
    guest.context.pc = CODE;
    assert_eq!(guest.run(), Exit::Undefined { word: 0 }, "and it is zero-filled");
}

#[test]
fn two_cpus_share_translations() {
    let mut guest = Guest::new();
    guest.code(CODE, &[0xd503_201f, SVC]);
    assert_eq!(guest.run(), Exit::Syscall);
    let mut other = Cpu::new(&guest.arena, Arc::new(Still), CpuFeatures::all());
    let mut context = UserContext::new(CODE, 0);
    assert_eq!(other.run(&mut context, &guest.space), Exit::Syscall);
    assert_eq!(other.stats().translated, 0);
}

#[test]
fn more_code_than_the_cache_holds_runs() {
    const PAGES: u64 = 8300;
    let arena = common::arena(PAGES as usize + 8);
    let space = AddressSpace::new(&arena).unwrap();
    let mut cpu = Cpu::new(&arena, Arc::new(Still), CpuFeatures::all());
    for page in 0..PAGES {
        let frame = arena.alloc().unwrap();
        arena.write(frame, 0, &SVC.to_le_bytes());
        space.flush(space.map(CODE + page * 4096, frame, Prot::READ | Prot::EXEC).unwrap());
    }
    for page in (0..PAGES).chain([0]) {
        let mut context = UserContext::new(CODE + page * 4096, 0);
        assert_eq!(cpu.run(&mut context, &space), Exit::Syscall);
        assert_eq!(context.pc, CODE + page * 4096 + 4);
    }
    assert!(cpu.stats().translated > PAGES, "the first page was dropped and translated again");
}
