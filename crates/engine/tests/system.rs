//! System instructions whose results no reference can tell.

mod common;

use std::time::{Duration, Instant};

use common::{CODE, DATA, Guest};
use machine::Exit;

/// `svc #0`.
const SVC: u32 = 0xd400_0001;
/// `mrs x0, rndr`.
const RNDR: u32 = 0xd53b_2400;
/// `mrs x0, rndrrs`.
const RNDRRS: u32 = 0xd53b_2420;
/// `wfet x0`.
const WFET: u32 = 0xd503_1000;
/// `wfit x0`.
const WFIT: u32 = 0xd503_1020;
/// `dc cvap, x1` and `dc cvadp, x1`.
const CLEAN: [u32; 2] = [0xd50b_7c21, 0xd50b_7d21];

const Z: u64 = 1 << 30;

/// Runs one instruction from the given NZCV.
fn step(guest: &mut Guest, word: u32, nzcv: u64) -> Exit {
    guest.code(CODE, &[word, SVC]);
    guest.context.pc = CODE;
    guest.context.nzcv = nzcv;
    guest.run()
}

#[test]
fn random_numbers_clear_the_flags() {
    let mut guest = Guest::new();
    guest.cpu.set_entropy(|bytes| bytes.fill(0x5a));
    for word in [RNDR, RNDRRS] {
        assert_eq!(step(&mut guest, word, 0xf000_0000), Exit::Syscall);
        assert_eq!((guest.context.x[0], guest.context.nzcv), (0x5a5a_5a5a_5a5a_5a5a, 0));
    }
}

#[test]
fn without_entropy_there_is_no_random_number_and_z_is_set() {
    let mut guest = Guest::new();
    for word in [RNDR, RNDRRS] {
        guest.context.x[0] = 7;
        assert_eq!(step(&mut guest, word, 0xb000_0000), Exit::Syscall);
        assert_eq!((guest.context.x[0], guest.context.nzcv), (0, Z));
    }
}

#[test]
fn waiting_with_a_timeout_ends_at_once_when_it_has_passed_and_soon_when_not() {
    // The counter of these tests stands at 1234.
    for word in [WFET, WFIT] {
        for (deadline, least) in [(0, 0), (1234, 0), (u64::MAX, 50)] {
            let mut guest = Guest::new();
            guest.context.x[0] = deadline;
            let start = Instant::now();
            assert_eq!(step(&mut guest, word, 0), Exit::Syscall);
            assert!(start.elapsed() >= Duration::from_micros(least), "it does not run hot");
            assert!(start.elapsed() < Duration::from_secs(5), "it ends by itself");
        }
    }
}

#[test]
fn cleaning_to_persistence_changes_nothing_and_faults_without_memory() {
    for word in CLEAN {
        let mut guest = Guest::new();
        guest.words(DATA, &[1, 2]);
        guest.context.x[1] = DATA + 8;
        assert_eq!(step(&mut guest, word, 0), Exit::Syscall);
        assert_eq!(guest.word(DATA + 8), 2);
        guest.context.x[1] = 0x1000;
        assert!(matches!(step(&mut guest, word, 0), Exit::Fault { addr: 0x1000, .. }));
    }
}

#[test]
fn dit_and_ssbs_are_written_and_read_as_bits_of_pstate() {
    // msr dit, x1; mrs x0, dit; msr dit, #1; msr dit, #0: and the same of SSBS.
    let dit = (24, [0xd51b_42a1, 0xd53b_42a0, 0xd503_415f, 0xd503_405f]);
    let ssbs = (12, [0xd51b_42c1, 0xd53b_42c0, 0xd503_413f, 0xd503_403f]);
    for (bit, [write, read, set, clear]) in [dit, ssbs] {
        let mut guest = Guest::new();
        for (word, x1, value) in [(set, 0, 1), (clear, 0, 0), (write, u64::MAX, 1), (write, !(1 << bit), 0)] {
            guest.context.x[1] = x1;
            assert_eq!(step(&mut guest, word, 0xa000_0000), Exit::Syscall);
            assert_eq!(guest.context.pstate, value << bit, "{word:08x}");
            assert_eq!(step(&mut guest, read, 0xa000_0000), Exit::Syscall);
            assert_eq!((guest.context.x[0], guest.context.nzcv), (value << bit, 0xa000_0000));
        }
    }
}
