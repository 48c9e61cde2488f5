//! Programs of a few instructions, through the public interface.

mod common;

use common::{CODE, DATA, Guest};
use machine::{Access, Exit, Prot};

#[test]
fn loop_sums_until_zero() {
    let mut guest = Guest::new();
    // loop: ldr x0, [x1], #8; ldadd x0, x3, [x2]; cbnz x0, loop; svc #0
    guest.code(CODE, &[0xf840_8420, 0xf820_0043, 0xb5ff_ffc0, 0xd400_0001]);
    guest.words(DATA, &[5, 7, 30, 0]);
    guest.context.x[1] = DATA;
    guest.context.x[2] = DATA + 256;
    assert_eq!(guest.run(), Exit::Syscall);
    assert_eq!(guest.context.pc, CODE + 16);
    assert_eq!(guest.context.x[1], DATA + 32);
    assert_eq!(guest.word(DATA + 256), 42);
}

#[test]
fn fault_leaves_registers_unwritten() {
    let mut guest = Guest::new();
    // ldp x0, x1, [x2], #16
    guest.code(CODE, &[0xa8c1_0440]);
    let addr = DATA + 4096 - 8;
    guest.context.x[2] = addr;
    guest.context.x[0] = 1;
    guest.context.x[1] = 2;
    assert_eq!(guest.run(), Exit::Fault { addr: DATA + 4096, access: Access::Read });
    assert_eq!(guest.context.pc, CODE);
    assert_eq!(guest.context.x[..3], [1, 2, addr]);
}

/// `svc #0`.
const SVC: u32 = 0xd400_0001;

#[test]
fn page_crossing_load_faults_on_the_second_page_only() {
    let mut guest = Guest::new();
    guest.code(CODE, &[0xa940_0440, SVC]); // ldp x0, x1, [x2]
    guest.words(DATA + 4088, &[77]);
    guest.context.x[2] = DATA + 4088;
    assert_eq!(guest.run(), Exit::Fault { addr: DATA + 4096, access: Access::Read });
    guest.map(DATA + 4096, Prot::READ);
    guest.words(DATA + 4096, &[88]);
    assert_eq!(guest.run(), Exit::Syscall);
    assert_eq!(guest.context.x[..2], [77, 88]);
}

#[test]
fn page_crossing_store_that_faults_writes_nothing() {
    let mut guest = Guest::new();
    guest.code(CODE, &[0xa900_0440]); // stp x0, x1, [x2]
    guest.map(DATA + 4096, Prot::READ);
    guest.context.x[0] = 5;
    guest.context.x[2] = DATA + 4088;
    assert_eq!(guest.run(), Exit::Fault { addr: DATA + 4096, access: Access::Write });
    assert_eq!(guest.word(DATA + 4088), 0);
}

#[test]
fn unaligned_access_within_a_page_is_done() {
    let mut guest = Guest::new();
    guest.code(CODE, &[0xf940_0420, SVC]); // ldr x0, [x1, #8]
    guest.words(DATA + 8, &[0x1122_3344_5566_7788, 0x99]);
    guest.context.x[1] = DATA + 1;
    assert_eq!(guest.run(), Exit::Syscall);
    assert_eq!(guest.context.x[0], 0x9911_2233_4455_6677);
}

#[test]
fn top_byte_of_an_address_is_ignored() {
    let mut guest = Guest::new();
    guest.code(CODE, &[0xf940_0420, SVC]);
    guest.words(DATA + 8, &[42]);
    guest.context.x[1] = DATA | 0xa5 << 56;
    assert_eq!(guest.run(), Exit::Syscall);
    assert_eq!(guest.context.x[0], 42);
    guest.context.pc = CODE;
    guest.context.x[1] = (DATA + 4096) | 0xa5 << 56;
    assert_eq!(guest.run(), Exit::Fault { addr: DATA + 4096 + 8, access: Access::Read });
}

#[test]
fn misaligned_acquire_and_exclusive_are_alignment_faults() {
    for word in [0xc8df_fc20, 0xc85f_7c20, 0xf826_0020] {
        let mut guest = Guest::new();
        guest.code(CODE, &[word]); // ldar, ldxr, ldadd at [x1]
        guest.context.x[1] = DATA + 9;
        assert_eq!(guest.run(), Exit::Misaligned { addr: DATA + 9 }, "{word:#x}");
        assert_eq!(guest.context.pc, CODE);
    }
}

#[test]
fn jumps_to_where_no_code_is_are_execute_faults() {
    let mut guest = Guest::new();
    guest.code(CODE, &[0xd61f_0020]); // br x1
    for target in [0, DATA, 0x1234_5000, 1 << 48, 1 << 55] {
        guest.context.pc = CODE;
        guest.context.x[1] = target;
        let addr = if target == 1 << 55 { 0x0080_0000_0000_0000 } else { target };
        assert_eq!(guest.run(), Exit::Fault { addr, access: Access::Execute });
    }
    guest.context.pc = CODE;
    guest.context.x[1] = CODE + 2;
    assert_eq!(guest.run(), Exit::Misaligned { addr: CODE + 2 });
    assert_eq!(guest.context.pc, CODE + 2);
}

#[test]
fn code_runs_on_into_the_next_page() {
    let mut guest = Guest::new();
    guest.map(CODE + 4096, Prot::READ | Prot::EXEC);
    guest.code(CODE + 4092, &[0xd503_201f]); // nop
    guest.code(CODE + 4096, &[SVC]);
    guest.context.pc = CODE + 4092;
    assert_eq!(guest.run(), Exit::Syscall);
    assert_eq!(guest.context.pc, CODE + 4100);
}

#[test]
fn calls_return_across_pages() {
    let mut guest = Guest::new();
    guest.map(CODE + 4096, Prot::READ | Prot::EXEC);
    guest.code(CODE, &[0x9400_0400, SVC]); // bl CODE + 4096
    guest.code(CODE + 4096, &[0xd65f_03c0]); // ret
    for _ in 0..3 {
        guest.context.pc = CODE;
        assert_eq!(guest.run(), Exit::Syscall);
        assert_eq!((guest.context.pc, guest.context.x[30]), (CODE + 8, CODE + 4));
    }
}

#[test]
fn breakpoints_and_undefined_words_stay_at_the_instruction() {
    let mut guest = Guest::new();
    guest.code(CODE, &[0xd420_00e0, 0x0000_0007]);
    assert_eq!(guest.run(), Exit::Breakpoint { imm: 7 });
    assert_eq!(guest.context.pc, CODE);
    guest.context.pc = CODE + 4;
    assert_eq!(guest.run(), Exit::Undefined { word: 7 });
    assert_eq!(guest.context.pc, CODE + 4);
}

#[test]
fn system_registers_read_as_linux_shows_them() {
    let mut guest = Guest::new();
    // mrs x0 from cntvct, tpidr, ctr, dczid, midr; then svc
    let words = [0xd53b_e040, 0xd53b_d040, 0xd53b_0020, 0xd53b_00e0, 0xd538_0000];
    guest.context.tpidr = 0x1000;
    for (word, expected) in words.into_iter().zip([1234, 0x1000, 0x8444_c004, 4, 0x000f_0510]) {
        guest.code(CODE, &[word, SVC]);
        guest.context.pc = CODE;
        assert_eq!(guest.run(), Exit::Syscall);
        assert_eq!(guest.context.x[0], expected, "{word:#x}");
    }
    // msr tpidr_el0, x1
    guest.code(CODE, &[0xd51b_d041, SVC]);
    guest.context.pc = CODE;
    guest.context.x[1] = 99;
    guest.run();
    assert_eq!(guest.context.tpidr, 99);
}

#[test]
fn flags_go_in_and_out_of_the_context() {
    let mut guest = Guest::new();
    guest.code(CODE, &[0xd53b_4200, SVC]); // mrs x0, nzcv
    for nzcv in (0..16).map(|n| n << 28) {
        guest.context.pc = CODE;
        guest.context.nzcv = nzcv;
        guest.run();
        assert_eq!((guest.context.x[0], guest.context.nzcv), (nzcv, nzcv));
    }
}

#[test]
fn zero_block_clears_its_64_bytes() {
    let mut guest = Guest::new();
    guest.code(CODE, &[0xd50b_7421, SVC]); // dc zva, x1
    guest.words(DATA + 56, &[1; 10]);
    guest.context.x[1] = DATA + 100;
    assert_eq!(guest.run(), Exit::Syscall);
    assert_eq!((guest.word(DATA + 56), guest.word(DATA + 64), guest.word(DATA + 120)), (1, 0, 0));
    assert_eq!(guest.word(DATA + 128), 1);
}

#[test]
fn pair_exclusives_and_swaps_move_both_halves() {
    let mut guest = Guest::new();
    // ldaxp x0, x1, [x2]; stlxp w3, x4, x5, [x2]; svc
    guest.code(CODE, &[0xc87f_8440, 0xc823_9444, SVC]);
    guest.words(DATA, &[1, 2]);
    guest.context.x[..6].copy_from_slice(&[0, 0, DATA, 9, 3, 4]);
    assert_eq!(guest.run(), Exit::Syscall);
    assert_eq!(guest.context.x[..4], [1, 2, DATA, 0]);
    assert_eq!((guest.word(DATA), guest.word(DATA + 8)), (3, 4));
    // casp x0, x1, x2, x3, [x4]; the old value does not match, then it does.
    guest.code(CODE, &[0x4820_7c82, SVC]);
    for _ in 0..2 {
        guest.context.pc = CODE;
        guest.context.x[2..5].copy_from_slice(&[7, 8, DATA]);
        assert_eq!(guest.run(), Exit::Syscall);
        assert_eq!(guest.context.x[..2], [3, 4]);
    }
    assert_eq!((guest.word(DATA), guest.word(DATA + 8)), (7, 8));
}

#[test]
fn exclusive_store_without_a_load_fails() {
    let mut guest = Guest::new();
    guest.code(CODE, &[0xc803_7c25, SVC]); // stxr w3, x5, [x1]
    guest.context.x[1] = DATA;
    guest.context.x[5] = 5;
    assert_eq!(guest.run(), Exit::Syscall);
    assert_eq!((guest.context.x[3], guest.word(DATA)), (1, 0));
}
