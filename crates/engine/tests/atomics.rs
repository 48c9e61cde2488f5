//! Exclusive monitors, and accesses that other CPUs see whole.

mod common;

use std::sync::Arc;
use std::thread;

use common::{CODE, DATA, Guest, Still};
use engine::{Cpu, CpuFeatures, host_features};
use machine::{Access, Exit, Prot, UserContext};

const SVC: u32 = 0xd400_0001;
/// ldxr x0, [x1]
const LDXR: u32 = 0xc85f_7c20;
/// stxr w3, x5, [x1]
const STXR: u32 = 0xc803_7c25;
/// The same, but with w4 for the status.
const STXR_W4: u32 = 0xc804_7c25;

/// A guest with x1 at [`DATA`], where there is a 7, and x2 beyond; x5 is 5.
fn guest(words: &[u32]) -> Guest {
    let mut guest = Guest::new();
    guest.code(CODE, words);
    guest.words(DATA, &[7, 0x1111_1111_1111_1111, 0x2222_2222_2222_2222]);
    guest.context.x[1] = DATA;
    guest.context.x[2] = DATA + 64;
    guest.context.x[3] = 9;
    guest.context.x[5] = 5;
    guest.context.x[6] = 6;
    guest
}

/// The status in w3 after `words`, and that memory is as it says.
fn status(words: &[u32]) -> u64 {
    let mut guest = guest(&[words, &[SVC]].concat());
    assert_eq!(guest.run(), Exit::Syscall);
    let status = guest.context.x[3];
    assert_eq!(guest.word(DATA) == 5, status == 0, "{words:x?}");
    status
}

#[test]
fn exclusive_store_succeeds_after_the_load_only() {
    assert_eq!(status(&[LDXR, STXR]), 0);
    assert_eq!(status(&[STXR]), 1);
    // Other loads and stores elsewhere do not matter: ldr x0, [x2]; str x0, [x2]
    assert_eq!(status(&[LDXR, 0xf940_0040, 0xf900_0040, STXR]), 0);
}

#[test]
fn exclusive_store_fails_after_clrex_and_after_another() {
    assert_eq!(status(&[LDXR, 0xd503_3f5f, STXR]), 1);
    let mut guest = guest(&[LDXR, STXR_W4, STXR, SVC]);
    assert_eq!(guest.run(), Exit::Syscall);
    assert_eq!((guest.context.x[4], guest.context.x[3]), (0, 1));
}

#[test]
fn exclusive_store_fails_at_another_address_and_of_another_size() {
    // stxr w3, x5, [x2]
    let mut other = guest(&[LDXR, 0xc803_7c45, SVC]);
    assert_eq!(other.run(), Exit::Syscall);
    assert_eq!((other.context.x[3], other.word(DATA + 64)), (1, 0));
    // And it closes the monitor: stxr w4, x5, [x2]
    assert_eq!(status(&[LDXR, 0xc804_7c45, STXR]), 1);
    // ldxr w0, [x1]
    assert_eq!(status(&[0x885f_7c20, STXR]), 1);
    // ldxp w0, w8, [x1] is of eight bytes, but ldxp x0, x8, [x1] of sixteen.
    assert_eq!(status(&[0xc87f_2020, STXR]), 1);
}

#[test]
fn exclusive_store_fails_after_another_value_was_stored() {
    // str x6, [x1]
    assert_eq!(status(&[LDXR, 0xf900_0026, STXR]), 1);
    // strb w6, [x1, #7]
    assert_eq!(status(&[LDXR, 0x3900_1c26, STXR]), 1);
}

#[test]
fn exclusive_store_fails_after_the_kernel_was_entered() {
    let mut called = guest(&[LDXR, SVC, STXR, SVC]);
    assert_eq!(called.run(), Exit::Syscall);
    assert_eq!(called.run(), Exit::Syscall);
    assert_eq!((called.context.x[3], called.word(DATA)), (1, 7));
    // ldr x9, [x10]: a fault, after which the page is there.
    let mut faulted = guest(&[LDXR, 0xf940_0149, STXR, SVC]);
    faulted.context.x[10] = DATA + 4096;
    assert_eq!(faulted.run(), Exit::Fault { addr: DATA + 4096, access: Access::Read });
    faulted.map(DATA + 4096, Prot::READ);
    assert_eq!(faulted.run(), Exit::Syscall);
    assert_eq!((faulted.context.x[3], faulted.word(DATA)), (1, 7));
}

/// Ordered, exclusive and atomic accesses of eight bytes at [x1], and what they
/// leave in x0 and in memory where there was 0x0102…08 and x5 is 5, x6 is 6.
const OLD: u64 = 0x0102_0304_0506_0708;
const UNALIGNED: &[(u32, u64, u64)] = &[
    (0xc8df_fc20, OLD, OLD),      // ldar x0, [x1]
    (0xf8bf_c020, OLD, OLD),      // ldapr x0, [x1]
    (0xc85f_fc20, OLD, OLD),      // ldaxr x0, [x1]
    (0xc89f_fc25, 0, 5),          // stlr x5, [x1]
    (0xf826_0020, OLD, OLD + 6),  // ldadd x6, x0, [x1]
    (0xf8e6_1020, OLD, OLD & !6), // ldclral x6, x0, [x1]
    (0xf826_8020, OLD, 6),        // swp x6, x0, [x1]
    (0xf826_4020, OLD, OLD),      // ldsmax x6, x0, [x1]
    (0xf826_7020, OLD, 6),        // ldumin x6, x0, [x1]
    (0xc8a0_7c25, OLD, OLD),      // cas x0, x5, [x1]
    (0xc8a8_7c25, 0, 5),          // cas x8, x5, [x1], where x8 is what is there
];

#[test]
fn ordered_and_atomic_accesses_within_16_bytes_need_not_be_aligned() {
    if !host_features().has("FEAT_LSE2") {
        return;
    }
    for &(word, x0, memory) in UNALIGNED {
        for offset in 1..8 {
            let mut guest = guest(&[word, SVC]);
            let (low, high) = (OLD << (offset * 8), OLD >> (64 - offset * 8));
            guest.words(DATA, &[low | 0xee, high | 0xdd << 56]);
            guest.context.x[1] = DATA + offset;
            guest.context.x[8] = OLD;
            assert_eq!(guest.run(), Exit::Syscall, "{word:08x}");
            assert_eq!(guest.context.x[0], x0, "{word:08x}");
            let (low, high) = (memory << (offset * 8), memory >> (64 - offset * 8));
            assert_eq!(guest.word(DATA), low | 0xee, "{word:08x} at {offset}");
            assert_eq!(guest.word(DATA + 8), high | 0xdd << 56, "{word:08x} at {offset}");
        }
    }
}

#[test]
fn exclusive_pair_of_words_within_16_bytes_need_not_be_aligned() {
    if !host_features().has("FEAT_LSE2") {
        return;
    }
    // ldxp w0, w8, [x1]; stxp w3, w5, w6, [x1]; stxp w4, w5, w6, [x1]
    let mut guest = guest(&[0x887f_2020, 0x8823_1825, 0x8824_1825, SVC]);
    guest.context.x[1] = DATA + 4;
    assert_eq!(guest.run(), Exit::Syscall);
    assert_eq!((guest.context.x[0], guest.context.x[8]), (0, 0x1111_1111));
    assert_eq!((guest.context.x[3], guest.context.x[4]), (0, 1));
    assert_eq!((guest.word(DATA), guest.word(DATA + 8)), (7 | 5 << 32, 0x1111_1111_0000_0006));
}

#[test]
fn ordered_and_atomic_accesses_across_16_bytes_fault_and_without_lse2_all_unaligned_ones() {
    for &(word, ..) in UNALIGNED {
        for offset in 1..8 {
            let mut across = guest(&[word]);
            across.context.x[1] = (DATA + 8 + offset) | 0x55 << 56;
            assert_eq!(across.run(), Exit::Misaligned { addr: DATA + 8 + offset }, "{word:08x}");
            assert_eq!(across.context.pc, CODE);
            let mut without = guest(&[word]);
            without.cpu = Cpu::new(&without.arena, Arc::new(Still), CpuFeatures::all_but(&["FEAT_LSE2"]));
            without.context.x[1] = DATA + offset;
            assert_eq!(without.run(), Exit::Misaligned { addr: DATA + offset }, "{word:08x}");
            assert_eq!((without.word(DATA), without.word(DATA + 8)), (7, 0x1111_1111_1111_1111));
        }
    }
}

#[test]
fn accesses_of_sixteen_bytes_must_be_aligned() {
    // ldxp x0, x8, [x1]; casp x0, x1, x2, x3, [x1]
    for word in [0xc87f_2020, 0x4820_7c22] {
        for offset in [1, 8, 15] {
            let mut guest = guest(&[word]);
            guest.context.x[1] = DATA + offset;
            assert_eq!(guest.run(), Exit::Misaligned { addr: DATA + offset }, "{word:08x}");
        }
    }
}

#[test]
fn unaligned_atomic_access_of_read_only_memory_is_a_fault() {
    let mut guest = guest(&[0xf826_0020]); // ldadd x6, x0, [x1]
    guest.map(DATA + 4096, Prot::READ);
    guest.context.x[1] = DATA + 4096 + 1;
    let features = host_features();
    let fault = Exit::Fault { addr: DATA + 4097, access: Access::Write };
    let expected = if features.has("FEAT_LSE2") { fault } else { Exit::Misaligned { addr: DATA + 4097 } };
    assert_eq!(guest.run(), expected);
}

/// Runs the two programs on two CPUs at once with x1 at `data` and x6 as 1,
/// x7 as `n`, and gives their contexts.
fn race(programs: [&[u32]; 2], data: u64, n: u64) -> (Guest, [UserContext; 2]) {
    let guest = Guest::new();
    guest.map(CODE + 4096, Prot::READ | Prot::EXEC);
    for (words, at) in programs.iter().zip([CODE, CODE + 4096]) {
        guest.code(at, words);
    }
    let contexts = thread::scope(|scope| {
        let threads = [CODE, CODE + 4096].map(|code| {
            let mut cpu = Cpu::new(&guest.arena, Arc::new(Still), CpuFeatures::all());
            let space = &guest.space;
            scope.spawn(move || {
                let mut context = UserContext::new(code, 0);
                context.x[1] = data;
                context.x[6] = 1;
                context.x[7] = n;
                assert_eq!(cpu.run(&mut context, space), Exit::Syscall);
                context
            })
        });
        threads.map(|thread| thread.join().expect("a CPU panicked"))
    });
    (guest, contexts)
}

#[test]
fn unaligned_additions_of_two_cpus_all_count() {
    if !host_features().has("FEAT_LSE2") {
        return;
    }
    // ldadd x6, xzr, [x1]; sub x7, x7, #1; cbnz x7, -8; svc
    let program = [0xf826_003f, 0xd100_04e7, 0xb5ff_ffc7, SVC];
    let (guest, _) = race([&program, &program], DATA + 5, 20_000);
    assert_eq!(guest.word(DATA) >> 40 | guest.word(DATA + 8) << 24, 40_000);
}

#[test]
fn aligned_pair_is_never_torn() {
    if !host_features().has("FEAT_LSE2") {
        return;
    }
    // Stores pairs of n, n: stp x7, x7, [x1]; sub x7, x7, #1; cbnz x7, -8; svc
    let writer = [0xa900_1c27, 0xd100_04e7, 0xb5ff_ffc7, SVC];
    // Counts in x10 what differs: ldp x8, x9, [x1]; eor x8, x8, x9;
    // cmp x8, #0; cinc x10, x10, ne; sub x7, x7, #1; cbnz x7, -20; svc
    let reader = [0xa940_2428, 0xca09_0108, 0xf100_011f, 0x9a8a_054a, 0xd100_04e7, 0xb5ff_ff67, SVC];
    let (guest, contexts) = race([&writer, &reader], DATA + 0x40, 200_000);
    assert_eq!(contexts[1].x[10], 0);
    assert_eq!((guest.word(DATA + 0x40), guest.word(DATA + 0x48)), (1, 1));
}
