//! Branch target identification.

mod common;

use common::{CODE, Guest};
use machine::{Exit, PageTable as _, Prot};

const SVC: u32 = 0xd400_0001;
const NOP: u32 = 0xd503_201f;
const BTI: u32 = 0xd503_241f;
const BTI_C: u32 = 0xd503_245f;
const BTI_J: u32 = 0xd503_249f;
const BTI_JC: u32 = 0xd503_24df;
const PACIASP: u32 = 0xd503_233f;
const BR_X1: u32 = 0xd61f_0020;
const BR_X17: u32 = 0xd61f_0220;
const BLR_X1: u32 = 0xd63f_0020;
const RET_X1: u32 = 0xd65f_0020;
const GUARDED: Prot = Prot::from_bits_truncate(0b1101);
const OPEN: Prot = Prot::from_bits_truncate(0b0101);
const TARGET: u64 = CODE + 4096;

/// A branch in a page of one kind to an instruction in a page of another.
fn branch(guest: &mut Guest, branch: u32, target: u32) -> Exit {
    guest.code(CODE, &[branch]);
    guest.code(TARGET, &[target, SVC]);
    guest.context.pc = CODE;
    guest.context.set_btype(0);
    guest.context.x[1] = TARGET;
    guest.context.x[17] = TARGET;
    guest.run()
}

fn guest(from: Prot, to: Prot) -> Guest {
    let guest = Guest::new();
    guest.map(CODE, from);
    guest.map(TARGET, to);
    guest
}

/// Runs it again and again, so that the jump cache has its say.
fn reaches(guest: &mut Guest, from: u32, target: u32) -> bool {
    let exits = [0; 3].map(|_| branch(guest, from, target));
    for exit in exits {
        assert_eq!(exit, exits[0], "the same every time");
    }
    match exits[0] {
        Exit::Syscall => {
            assert_eq!((guest.context.pc, guest.context.btype()), (TARGET + 8, 0));
            true
        }
        Exit::BranchTarget => {
            assert_eq!(guest.context.pc, TARGET);
            assert_ne!(guest.context.btype(), 0);
            false
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn branches_in_guarded_pages_must_meet_their_landing_pads() {
    let mut guest = guest(GUARDED, GUARDED);
    // The branch, and whether it may go to: nop, bti, bti c, bti j, bti jc, paciasp.
    let table = [
        (BR_X1, [false, false, false, true, true, false]),
        (BR_X17, [false, false, true, true, true, true]),
        (BLR_X1, [false, false, true, false, true, true]),
        (RET_X1, [true, true, true, true, true, true]),
    ];
    for (from, expected) in table {
        let found = [NOP, BTI, BTI_C, BTI_J, BTI_JC, PACIASP].map(|target| reaches(&mut guest, from, target));
        assert_eq!(found, expected, "{}", a64::disassemble(from, 0));
    }
}

#[test]
fn a_branch_from_an_open_page_counts_as_one_by_x17() {
    let mut guest = guest(OPEN, GUARDED);
    for from in [BR_X1, BR_X17] {
        let found = [NOP, BTI, BTI_C, BTI_J, BTI_JC, PACIASP].map(|target| reaches(&mut guest, from, target));
        assert_eq!(found, [false, false, true, true, true, true]);
    }
}

#[test]
fn what_an_open_page_may_branch_to_is_not_remembered_for_guarded_ones() {
    let mut guest = guest(OPEN, GUARDED);
    let other = CODE + 8192;
    guest.map(other, GUARDED);
    guest.code(other, &[BR_X1]);
    assert!(reaches(&mut guest, BR_X1, BTI_C));
    guest.context.pc = other;
    assert_eq!(guest.run(), Exit::BranchTarget);
    assert_eq!(guest.context.btype(), 3);
}

#[test]
fn open_pages_take_every_branch() {
    let mut guest = guest(GUARDED, OPEN);
    for from in [BR_X1, BR_X17, BLR_X1, RET_X1] {
        assert!(reaches(&mut guest, from, NOP));
    }
}

#[test]
fn breakpoints_are_landing_pads() {
    let mut guest = guest(GUARDED, GUARDED);
    for from in [BR_X1, BR_X17, BLR_X1] {
        assert_eq!(branch(&mut guest, from, 0xd420_0000), Exit::Breakpoint { imm: 0 });
        assert_eq!(guest.context.pc, TARGET);
    }
}

#[test]
fn a_page_that_becomes_guarded_is_checked_at_once() {
    let mut guest = guest(OPEN, OPEN);
    let protect = |guest: &Guest, prot| {
        let token = guest.space.protect(TARGET..TARGET + 4096, &mut |_, _| prot);
        guest.space.flush(token);
    };
    assert!(reaches(&mut guest, BLR_X1, NOP));
    protect(&guest, GUARDED);
    assert!(!reaches(&mut guest, BLR_X1, NOP));
    protect(&guest, OPEN);
    assert!(reaches(&mut guest, BLR_X1, NOP));
}

#[test]
fn a_landing_pad_that_is_overwritten_is_none_any_more() {
    let mut guest = guest(GUARDED, GUARDED);
    assert!(reaches(&mut guest, BLR_X1, BTI_C));
    assert!(!reaches(&mut guest, BLR_X1, NOP));
}

#[test]
fn the_check_is_made_when_the_target_runs_if_the_cpu_left_before() {
    let mut guest = guest(GUARDED, GUARDED);
    guest.code(CODE, &[BLR_X1]);
    guest.code(TARGET, &[NOP, SVC]);
    guest.context.x[1] = TARGET;
    // The kernel is back before the target is executed.
    guest.cpu.kick_handle().kick();
    guest.context.pc = TARGET;
    guest.context.set_btype(2);
    assert_eq!(guest.run(), Exit::Event);
    assert_eq!((guest.context.pc, guest.context.btype()), (TARGET, 2));
    guest.cpu.take_kick();
    assert_eq!(guest.run(), Exit::BranchTarget);
    guest.context.set_btype(0);
    assert_eq!(guest.run(), Exit::Syscall, "the kernel may let it pass");
}

#[test]
fn a_fault_on_the_way_keeps_the_branch_in_mind() {
    let mut guest = guest(GUARDED, GUARDED);
    guest.code(CODE, &[BR_X1]);
    guest.context.x[1] = TARGET + 4096;
    assert!(matches!(guest.run(), Exit::Fault { .. }));
    assert_eq!((guest.context.pc, guest.context.btype()), (TARGET + 4096, 3));
    guest.map(TARGET + 4096, GUARDED);
    assert_eq!(guest.run(), Exit::BranchTarget);
}

#[test]
fn a_landing_pad_at_the_end_of_a_page_leads_to_the_next() {
    let mut guest = guest(OPEN, GUARDED);
    guest.map(TARGET + 4096, GUARDED);
    guest.code(CODE, &[BLR_X1]);
    guest.code(TARGET + 4092, &[BTI_C]);
    guest.code(TARGET + 4096, &[SVC]);
    guest.context.x[1] = TARGET + 4092;
    for _ in 0..2 {
        guest.context.pc = CODE;
        assert_eq!(guest.run(), Exit::Syscall);
        assert_eq!(guest.context.pc, TARGET + 4100);
    }
}
