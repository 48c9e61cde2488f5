//! Pointer authentication.

mod common;

use common::{CODE, DATA, Guest};
use machine::{Access, Exit, Prot, pauth_key};

const SVC: u32 = 0xd400_0001;
const PACIASP: u32 = 0xd503_233f;
const AUTIASP: u32 = 0xd503_23bf;
const RETAA: u32 = 0xd65f_0bff;
/// `pacia x0, x1`, to which the key is added in bits 11:10.
const PACIA: u32 = 0xdac1_0020;
/// `autia x0, x1`.
const AUTIA: u32 = 0xdac1_1020;
const XPACI: u32 = 0xdac1_43e0;
const XPACD: u32 = 0xdac1_47e0;
/// `pacga x0, x1, x2`.
const PACGA: u32 = 0x9ac2_3020;

const SP: u64 = DATA + 0x800;
const POINTER: u64 = 0x0000_5555_1234_5678;
const PAC_FIELD: u64 = 0x7f << 48;

fn guest() -> Guest {
    let mut guest = Guest::new();
    guest.context.pauth.enabled = pauth_key::ALL_ENABLED;
    for (n, key) in guest.context.pauth.keys.iter_mut().enumerate() {
        *key = [0x0123_4567_89ab_cdef ^ n as u64, 0xfedc_ba98_7654_3210 ^ (n as u64) << 32];
    }
    guest.context.set_sp(SP);
    guest
}

/// Runs instructions with X0, X1 and X2 set.
fn run(guest: &mut Guest, words: &[u32], x: [u64; 3]) -> Exit {
    guest.code(CODE, words);
    guest.code(CODE + words.len() as u64 * 4, &[SVC]);
    guest.context.pc = CODE;
    guest.context.x[..3].copy_from_slice(&x);
    guest.run()
}

#[test]
fn a_signed_pointer_differs_in_its_code_only_and_authenticates() {
    let mut guest = guest();
    let mut codes = Vec::new();
    for key in (0..4).map(|key| key << 10) {
        let mut of_key = Vec::new();
        for n in 0..32 {
            let pointer = POINTER + n * 16;
            assert_eq!(run(&mut guest, &[PACIA | key], [pointer, SP, 0]), Exit::Syscall);
            let signed = guest.context.x[0];
            assert_eq!(signed & !PAC_FIELD, pointer);
            of_key.push(signed & PAC_FIELD);
            assert_eq!(run(&mut guest, &[AUTIA | key], [signed, SP, 0]), Exit::Syscall);
            assert_eq!(guest.context.x[0], pointer);
        }
        assert!(!codes.contains(&of_key), "each key has codes of its own");
        codes.push(of_key);
    }
}

#[test]
fn a_wrong_code_modifier_or_key_stops_at_the_instruction() {
    let mut guest = guest();
    run(&mut guest, &[PACIA], [POINTER, SP, 0]);
    let signed = guest.context.x[0];
    let mut failures = 0;
    for bit in 48..55 {
        assert_eq!(run(&mut guest, &[AUTIA], [signed ^ 1 << bit, SP, 0]), Exit::PointerAuth);
        assert_eq!((guest.context.pc, guest.context.x[0]), (CODE, signed ^ 1 << bit));
    }
    for modifier in (0..64).map(|n| SP + 16 + n) {
        failures += u32::from(run(&mut guest, &[AUTIA], [signed, modifier, 0]) == Exit::PointerAuth);
    }
    // One in 128 codes is right by chance.
    assert!(failures >= 60, "{failures} of 64 modifiers fail");
    guest.context.pauth.keys[0][1] ^= 1;
    let failures = (0..64).filter(|n| run(&mut guest, &[AUTIA], [signed + 4 * n, SP, 0]) == Exit::PointerAuth);
    assert!(failures.count() >= 60);
}

#[test]
fn pointers_to_the_upper_half_and_tagged_ones_can_be_signed() {
    let mut guest = guest();
    for pointer in [0xffff_8000_1234_5678, 0xab00_5555_1234_5678, 0xffff_8000_0000_0000] {
        assert_eq!(run(&mut guest, &[PACIA, AUTIA], [pointer, 7, 0]), Exit::Syscall);
        assert_eq!(guest.context.x[0], pointer);
        run(&mut guest, &[PACIA], [pointer, 7, 0]);
        let kept = if pointer >> 55 & 1 == 0 { !PAC_FIELD } else { 0x0080_ffff_ffff_ffff };
        assert_eq!(guest.context.x[0] & kept, pointer & kept);
    }
}

#[test]
fn signing_keeps_bit_55_whatever_bit_63_says() {
    let mut guest = guest();
    let kept = 0x0080_ffff_ffff_ffff;
    for pointer in [0x7fff_8000_1234_5678, 0x0080_5555_1234_5678, 0xab00_5555_1234_5678] {
        assert_eq!(run(&mut guest, &[PACIA], [pointer, 7, 0]), Exit::Syscall);
        assert_eq!(guest.context.x[0] & kept, pointer & kept);
    }
}

#[test]
fn stripping_removes_any_code() {
    let mut guest = guest();
    for strip in [XPACI, XPACD] {
        assert_eq!(run(&mut guest, &[strip], [POINTER | 0x2a << 48, 0, 0]), Exit::Syscall);
        assert_eq!(guest.context.x[0], POINTER);
        run(&mut guest, &[strip], [0x0080_1111_2222_3333, 0, 0]);
        assert_eq!(guest.context.x[0], 0xffff_1111_2222_3333);
    }
    // xpaclri
    guest.context.x[30] = POINTER | 0x33 << 48;
    run(&mut guest, &[0xd503_20ff], [0; 3]);
    assert_eq!(guest.context.x[30], POINTER);
}

#[test]
fn a_disabled_key_passes_pointers_through_and_others_work() {
    let mut guest = guest();
    guest.context.pauth.enabled = !(1 << pauth_key::IB);
    let wrong = POINTER | 0x55 << 48;
    assert_eq!(run(&mut guest, &[PACIA | 1 << 10, AUTIA | 1 << 10], [wrong, 1, 0]), Exit::Syscall);
    assert_eq!(guest.context.x[0], wrong);
    assert_eq!(run(&mut guest, &[AUTIA | 1 << 10], [wrong, 1, 0]), Exit::Syscall);
    // A code that was computed while the key was enabled is not used.
    guest.context.pauth.enabled = pauth_key::ALL_ENABLED;
    run(&mut guest, &[PACIA], [POINTER, 1, 0]);
    let signed = guest.context.x[0];
    guest.context.pauth.enabled = 0;
    run(&mut guest, &[PACIA], [POINTER, 1, 0]);
    assert_eq!(guest.context.x[0], POINTER);
    run(&mut guest, &[AUTIA], [signed, 1, 0]);
    assert_eq!(guest.context.x[0], signed);
}

#[test]
fn generic_codes_fill_the_upper_half() {
    let mut guest = guest();
    guest.context.pauth.enabled = 0;
    run(&mut guest, &[PACGA], [0, POINTER, 9]);
    let code = guest.context.x[0];
    assert_eq!(code & 0xffff_ffff, 0);
    assert_ne!(code, 0);
    run(&mut guest, &[PACGA], [0, POINTER, 10]);
    assert_ne!(guest.context.x[0], code);
}

#[test]
fn a_function_signs_its_return_address_and_returns() {
    let mut guest = guest();
    guest.map(CODE + 4096, Prot::READ | Prot::EXEC);
    // bl CODE + 4096; svc
    guest.code(CODE, &[0x9400_0400, SVC]);
    for body in [&[PACIASP, AUTIASP, 0xd65f_03c0][..], &[PACIASP, RETAA, SVC]] {
        guest.code(CODE + 4096, body);
        for _ in 0..3 {
            guest.context.pc = CODE;
            assert_eq!(guest.run(), Exit::Syscall);
            assert_eq!(guest.context.pc, CODE + 8);
        }
    }
    // add x30, x30, #4 between the two.
    guest.code(CODE + 4096, &[PACIASP, 0xd346_fdef, 0xd24f_03de, RETAA]);
    // eor x30, x30, #1 << 49
    guest.code(CODE + 4100, &[0xd503_201f, 0xd24f_03de]);
    guest.context.pc = CODE;
    assert_eq!(guest.run(), Exit::PointerAuth);
    assert_eq!(guest.context.pc, CODE + 4096 + 12);
}

#[test]
fn authenticated_calls_link_and_jump_to_the_plain_address() {
    let mut guest = guest();
    guest.code(CODE + 64, &[SVC]);
    // pacia x0, x1; blraa x0, x1
    assert_eq!(run(&mut guest, &[PACIA, 0xd73f_0801], [CODE + 64, 5, 0]), Exit::Syscall);
    assert_eq!((guest.context.pc, guest.context.x[30]), (CODE + 68, CODE + 8));
    // pacizb x0; brabz x0
    assert_eq!(run(&mut guest, &[0xdac1_27e0, 0xd61f_0c1f], [CODE + 64, 5, 0]), Exit::Syscall);
    assert_eq!(guest.context.pc, CODE + 68);
    // blraaz x0 of a pointer that nobody signed: nothing is linked.
    guest.context.x[30] = 1;
    let wrong = [0x15_u64, 0x2a].map(|code| run(&mut guest, &[0xd63f_081f], [(CODE + 64) | code << 48, 0, 0]));
    assert!(wrong.contains(&Exit::PointerAuth));
    assert_eq!((guest.context.pc, guest.context.x[30]), (CODE, 1));
}

#[test]
fn authenticated_loads_write_the_plain_base_back() {
    let mut guest = guest();
    guest.words(DATA, &[11, 22, 33]);
    // pacdza x0; ldraa x1, [x0, #8]
    assert_eq!(run(&mut guest, &[0xdac1_2be0, 0xf820_1401], [DATA, 0, 0]), Exit::Syscall);
    assert_eq!(guest.context.x[1], 22);
    assert_ne!(guest.context.x[0], DATA);
    // pacdzb x0; ldrab x1, [x0, #16]!
    assert_eq!(run(&mut guest, &[0xdac1_2fe0, 0xf8a0_2c01], [DATA, 0, 0]), Exit::Syscall);
    assert_eq!((guest.context.x[0], guest.context.x[1]), (DATA + 16, 33));
    // A fault leaves the signed base.
    let exit = run(&mut guest, &[0xdac1_2be0, 0xf820_1c01], [DATA + 4096, 0, 0]);
    assert_eq!(exit, Exit::Fault { addr: DATA + 4096 + 8, access: Access::Read });
    assert_eq!(guest.context.x[0] & !PAC_FIELD, DATA + 4096);
}

#[test]
fn the_zero_register_is_signed_as_zero_and_kept() {
    let mut guest = guest();
    // pacia xzr, x1
    assert_eq!(run(&mut guest, &[0xdac1_003f], [0, 3, 0]), Exit::Syscall);
    // autia xzr, x1 for modifiers: zero without a code.
    let fails = (0..64).filter(|m| run(&mut guest, &[0xdac1_103f], [0, *m, 0]) == Exit::PointerAuth).count();
    assert!(fails >= 60);
}
