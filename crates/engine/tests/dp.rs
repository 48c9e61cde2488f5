//! Integer data processing, form by form, at the edges.
//!
//! Each case is an instruction, the registers it starts from, and what it has
//! to leave; X0 to X3 are zero where nothing else is said.

mod common;

use common::{CODE, Guest};
use machine::Exit;

/// In place of a register's number: SP, as in the context.
const SP: usize = 31;
/// In place of a register's number: the flags.
const NZCV: usize = 32;

/// Registers by number, with their values.
type State = [(usize, u64)];

fn check(cases: &[(&str, u32, &State, &State)]) {
    let mut guest = Guest::new();
    for (text, word, before, after) in cases {
        guest.code(CODE, &[*word, 0xd400_0001]);
        guest.context.pc = CODE;
        guest.context.x = [0; 32];
        guest.context.nzcv = 0;
        for &(register, value) in *before {
            *place(&mut guest, register) = value;
        }
        assert_eq!(guest.run(), Exit::Syscall, "{text}");
        for &(register, value) in *after {
            let found = *place(&mut guest, register);
            assert_eq!(found, value, "{text}: register {register} is {found:#x}, not {value:#x}");
        }
    }
}

fn place(guest: &mut Guest, register: usize) -> &mut u64 {
    if register == NZCV { &mut guest.context.nzcv } else { &mut guest.context.x[register] }
}

#[test]
fn shift_amounts_are_taken_modulo_the_width() {
    check(&[
        ("lsl x0, x1, x2", 0x9ac2_2020, &[(1, 1), (2, 0x40)], &[(0, 1)]),
        ("lsl x0, x1, x2", 0x9ac2_2020, &[(1, 1), (2, 0x7f)], &[(0, 0x8000_0000_0000_0000)]),
        ("lsl w0, w1, w2", 0x1ac2_2020, &[(1, 1), (2, 0x20)], &[(0, 1)]),
        ("lsr w0, w1, w2", 0x1ac2_2420, &[(1, 0xffff_ffff_8000_0000), (2, 0x1f)], &[(0, 1)]),
        ("asr w0, w1, w2", 0x1ac2_2820, &[(1, 0x8000_0000), (2, 0x3f)], &[(0, 0xffff_ffff)]),
        ("asr x0, x1, x2", 0x9ac2_2820, &[(1, 0x8000_0000_0000_0000), (2, 0x7f)], &[(0, 0xffff_ffff_ffff_ffff)]),
        ("ror w0, w1, w2", 0x1ac2_2c20, &[(1, 0xdead_0000_0001), (2, 0x21)], &[(0, 0x8000_0000)]),
        ("ror x0, x1, x2", 0x9ac2_2c20, &[(1, 3), (2, 0x41)], &[(0, 0x8000_0000_0000_0001)]),
    ]);
}

#[test]
fn division_by_zero_is_zero() {
    check(&[
        ("udiv x0, x1, x2", 0x9ac2_0820, &[(0, 5), (1, 7), (2, 0)], &[(0, 0)]),
        ("sdiv x0, x1, x2", 0x9ac2_0c20, &[(0, 5), (1, 0x8000_0000_0000_0000), (2, 0)], &[(0, 0)]),
        ("udiv w0, w1, w2", 0x1ac2_0820, &[(0, 5), (1, 7), (2, 0xffff_ffff_0000_0000)], &[(0, 0)]),
        ("sdiv w0, w1, w2", 0x1ac2_0c20, &[(0, 5), (1, 7), (2, 0xffff_ffff_0000_0000)], &[(0, 0)]),
    ]);
}

#[test]
fn the_most_negative_number_over_minus_one_is_itself() {
    check(&[
        (
            "sdiv x0, x1, x2",
            0x9ac2_0c20,
            &[(1, 0x8000_0000_0000_0000), (2, 0xffff_ffff_ffff_ffff)],
            &[(0, 0x8000_0000_0000_0000)],
        ),
        ("sdiv w0, w1, w2", 0x1ac2_0c20, &[(1, 0x8000_0000), (2, 0xffff_ffff)], &[(0, 0x8000_0000)]),
        ("sdiv w0, w1, w2", 0x1ac2_0c20, &[(1, 0xffff_fff9), (2, 2)], &[(0, 0xffff_fffd)]),
    ]);
}

#[test]
fn results_of_32_bits_have_zeros_above() {
    check(&[
        ("add w0, w1, w2", 0xb02_0020, &[(1, 0xffff_ffff_ffff_ffff), (2, 0x100_0000_0001)], &[(0, 0)]),
        ("sub w0, w1, #1", 0x5100_0420, &[(1, 0x100_0000_0000)], &[(0, 0xffff_ffff)]),
        ("mov w0, w1", 0x2a01_03e0, &[(1, 0xffff_ffff_ffff_ffff)], &[(0, 0xffff_ffff)]),
        ("mvn w0, w1", 0x2a21_03e0, &[(1, 0xffff_ffff_ffff_ffff)], &[(0, 0)]),
        ("orr w0, w1, #0xf", 0x3200_0c20, &[(1, 0xffff_0000_0000_0000)], &[(0, 0xf)]),
        (
            "eor w0, w1, w2, ror #4",
            0x4ac2_1020,
            &[(1, 0xffff_0000_0000_0000), (2, 0xffff_0000_0000_000f)],
            &[(0, 0xf000_0000)],
        ),
        ("neg w0, w1", 0x4b01_03e0, &[(1, 0xffff_0000_0000_0001)], &[(0, 0xffff_ffff)]),
        (
            "madd w0, w1, w2, w3",
            0x1b02_0c20,
            &[(1, 0xffff_ffff_ffff_ffff), (2, 0xffff_ffff_ffff_ffff), (3, 0x2_0000_0000)],
            &[(0, 1)],
        ),
        ("csinv w0, w1, w2, eq", 0x5a82_0020, &[(1, 1), (2, 0), (NZCV, 0)], &[(0, 0xffff_ffff)]),
        ("movk w0, #0x1234, lsl #16", 0x72a2_4680, &[(0, 0xffff_ffff_ffff_ffff)], &[(0, 0x1234_ffff)]),
        ("movn w0, #0", 0x1280_0000, &[(0, 1)], &[(0, 0xffff_ffff)]),
        ("mov x0, #-1", 0x9280_0000, &[(0, 1)], &[(0, 0xffff_ffff_ffff_ffff)]),
        ("sxth w0, w1", 0x1300_3c20, &[(1, 0x8000)], &[(0, 0xffff_8000)]),
    ]);
}

#[test]
fn register_31_is_sp_or_zero_by_instruction() {
    check(&[
        ("add x0, sp, #16", 0x9100_43e0, &[(SP, 0x1000)], &[(0, 0x1010)]),
        ("add sp, sp, #16", 0x9100_43ff, &[(SP, 0x1000)], &[(SP, 0x1010)]),
        ("sub sp, sp, x1, lsl #3", 0xcb21_6fff, &[(SP, 0x1000), (1, 2)], &[(SP, 0xff0)]),
        ("mov sp, x1", 0x9100_003f, &[(SP, 0x1000), (1, 0x20)], &[(SP, 0x20)]),
        ("and sp, x1, #0xfffffffffffffff0", 0x927c_ec3f, &[(SP, 0x1000), (1, 0x2f)], &[(SP, 0x20)]),
        ("add x0, xzr, x1", 0x8b01_03e0, &[(SP, 0x1000), (1, 2)], &[(0, 2)]),
        ("add xzr, x1, x1", 0x8b01_003f, &[(SP, 0x1000), (1, 2)], &[(SP, 0x1000)]),
        ("orr x0, xzr, x1", 0xaa01_03e0, &[(SP, 0x1000), (1, 2)], &[(0, 2)]),
        (
            "adds xzr, x1, x1",
            0xab01_003f,
            &[(SP, 0x1000), (1, 0x8000_0000_0000_0000)],
            &[(SP, 0x1000), (NZCV, 0x7000_0000)],
        ),
        ("cmp sp, #0", 0xf100_03ff, &[(SP, 0x1000)], &[(SP, 0x1000), (NZCV, 0x2000_0000)]),
        ("ands xzr, x1, #1", 0xf240_003f, &[(SP, 0x1000), (1, 2)], &[(SP, 0x1000), (NZCV, 0x4000_0000)]),
        ("madd x0, x1, xzr, x2", 0x9b1f_0820, &[(SP, 0x1000), (1, 3), (2, 4)], &[(0, 4)]),
        ("movk xzr, #1", 0xf280_003f, &[(SP, 0x1000)], &[(SP, 0x1000)]),
        ("bfxil xzr, x1, #0, #8", 0xb340_1c3f, &[(SP, 0x1000), (1, 3)], &[(SP, 0x1000)]),
        ("csel x0, xzr, x1, eq", 0x9a81_03e0, &[(SP, 0x1000), (1, 3), (NZCV, 0x4000_0000)], &[(0, 0)]),
    ]);
}

#[test]
fn sums_and_differences_set_the_flags() {
    check(&[
        ("adds x0, x1, x2", 0xab02_0020, &[(1, 0xffff_ffff_ffff_ffff), (2, 1)], &[(0, 0), (NZCV, 0x6000_0000)]),
        (
            "adds x0, x1, x2",
            0xab02_0020,
            &[(1, 0x7fff_ffff_ffff_ffff), (2, 1)],
            &[(0, 0x8000_0000_0000_0000), (NZCV, 0x9000_0000)],
        ),
        ("adds w0, w1, w2", 0x2b02_0020, &[(1, 0x7fff_ffff), (2, 1)], &[(0, 0x8000_0000), (NZCV, 0x9000_0000)]),
        ("adds w0, w1, w2", 0x2b02_0020, &[(1, 0x1_0000_0000), (2, 0)], &[(0, 0), (NZCV, 0x4000_0000)]),
        ("subs x0, x1, x2", 0xeb02_0020, &[(1, 1), (2, 2)], &[(0, 0xffff_ffff_ffff_ffff), (NZCV, 0x8000_0000)]),
        (
            "subs x0, x1, x2",
            0xeb02_0020,
            &[(1, 0x8000_0000_0000_0000), (2, 1)],
            &[(0, 0x7fff_ffff_ffff_ffff), (NZCV, 0x3000_0000)],
        ),
        ("subs w0, w1, w2", 0x6b02_0020, &[(1, 0), (2, 0x8000_0000)], &[(0, 0x8000_0000), (NZCV, 0x9000_0000)]),
        ("subs x0, x1, #0", 0xf100_0020, &[(1, 5)], &[(0, 5), (NZCV, 0x2000_0000)]),
        ("adds x0, x1, #0", 0xb100_0020, &[(1, 5)], &[(0, 5), (NZCV, 0)]),
        ("adds w0, w1, #0", 0x3100_0020, &[(1, 0x1_8000_0000)], &[(0, 0x8000_0000), (NZCV, 0x8000_0000)]),
        ("cmn x1, #0", 0xb100_003f, &[(1, 0)], &[(NZCV, 0x4000_0000)]),
        ("cmn w1, #1", 0x3100_043f, &[(1, 0xffff_ffff)], &[(NZCV, 0x6000_0000)]),
        ("cmn x1, #1, lsl #12", 0xb140_043f, &[(1, 0x7fff_ffff_ffff_ffff)], &[(NZCV, 0x9000_0000)]),
        ("cmn x1, #1", 0xb100_043f, &[(1, 0xffff_ffff_ffff_fffe)], &[(NZCV, 0x8000_0000)]),
        ("adds x0, x1, #4095", 0xb13f_fc20, &[(1, 0xffff_ffff_ffff_f001)], &[(0, 0), (NZCV, 0x6000_0000)]),
        ("negs x0, x1", 0xeb01_03e0, &[(1, 0)], &[(0, 0), (NZCV, 0x6000_0000)]),
        ("cmp w1, w2, uxtb", 0x6b22_003f, &[(1, 0x34), (2, 0x1234)], &[(NZCV, 0x6000_0000)]),
        ("cmp x1, w2, sxtw #2", 0xeb22_c83f, &[(1, 0xffff_ffff_ffff_fffc), (2, 0xffff_ffff)], &[(NZCV, 0x6000_0000)]),
        ("cmp x1, x2, lsl #4", 0xeb02_103f, &[(1, 0x10), (2, 1)], &[(NZCV, 0x6000_0000)]),
        ("subs w0, w1, w2, asr #31", 0x6b82_7c20, &[(1, 0), (2, 0x8000_0000)], &[(0, 1), (NZCV, 0)]),
    ]);
}

#[test]
fn logic_sets_n_and_z_and_clears_c_and_v() {
    check(&[
        (
            "ands x0, x1, x2",
            0xea02_0020,
            &[(1, 0x8000_0000_0000_0000), (2, 0xffff_ffff_ffff_ffff), (NZCV, 0x3000_0000)],
            &[(0, 0x8000_0000_0000_0000), (NZCV, 0x8000_0000)],
        ),
        (
            "ands w0, w1, w2",
            0x6a02_0020,
            &[(1, 0x8000_0000_0000_0000), (2, 0xffff_ffff_ffff_ffff), (NZCV, 0x3000_0000)],
            &[(0, 0), (NZCV, 0x4000_0000)],
        ),
        (
            "ands w0, w1, #0x80000000",
            0x7201_0020,
            &[(1, 0xffff_ffff), (NZCV, 0x3000_0000)],
            &[(0, 0x8000_0000), (NZCV, 0x8000_0000)],
        ),
        (
            "tst x1, #0x8000000000000000",
            0xf241_003f,
            &[(1, 0x8000_0000_0000_0000), (NZCV, 0x3000_0000)],
            &[(NZCV, 0x8000_0000)],
        ),
        ("tst x1, #0xfffffffffffffffe", 0xf27f_f83f, &[(1, 1), (NZCV, 0x3000_0000)], &[(NZCV, 0x4000_0000)]),
        (
            "tst w1, w2",
            0x6a02_003f,
            &[(1, 0x1_8000_0000), (2, 0xffff_ffff_ffff_ffff), (NZCV, 0x3000_0000)],
            &[(NZCV, 0x8000_0000)],
        ),
        ("bics x0, x1, x2", 0xea22_0020, &[(1, 3), (2, 3), (NZCV, 0x2000_0000)], &[(0, 0), (NZCV, 0x4000_0000)]),
        ("bics w0, w1, w2, lsl #4", 0x6a22_1020, &[(1, 0xf1), (2, 0xf), (NZCV, 0x2000_0000)], &[(0, 1), (NZCV, 0)]),
    ]);
}

#[test]
fn carry_goes_in_and_out() {
    check(&[
        ("adc x0, x1, x2", 0x9a02_0020, &[(1, 1), (2, 2), (NZCV, 0x2000_0000)], &[(0, 4), (NZCV, 0x2000_0000)]),
        (
            "adcs x0, x1, x2",
            0xba02_0020,
            &[(1, 0xffff_ffff_ffff_ffff), (2, 0), (NZCV, 0x2000_0000)],
            &[(0, 0), (NZCV, 0x6000_0000)],
        ),
        (
            "adcs w0, w1, w2",
            0x3a02_0020,
            &[(1, 0x7fff_ffff), (2, 0), (NZCV, 0x2000_0000)],
            &[(0, 0x8000_0000), (NZCV, 0x9000_0000)],
        ),
        (
            "adcs x0, x1, x2",
            0xba02_0020,
            &[(1, 0x8000_0000_0000_0000), (2, 0x8000_0000_0000_0000), (NZCV, 0)],
            &[(0, 0), (NZCV, 0x7000_0000)],
        ),
        ("sbc x0, x1, x2", 0xda02_0020, &[(1, 5), (2, 2), (NZCV, 0)], &[(0, 2), (NZCV, 0)]),
        (
            "sbcs x0, x1, x2",
            0xfa02_0020,
            &[(1, 5), (2, 5), (NZCV, 0)],
            &[(0, 0xffff_ffff_ffff_ffff), (NZCV, 0x8000_0000)],
        ),
        ("sbcs w0, w1, w2", 0x7a02_0020, &[(1, 5), (2, 5), (NZCV, 0x2000_0000)], &[(0, 0), (NZCV, 0x6000_0000)]),
        ("ngcs x0, x1", 0xfa01_03e0, &[(1, 0), (NZCV, 0x2000_0000)], &[(0, 0), (NZCV, 0x6000_0000)]),
    ]);
}

#[test]
fn conditional_instructions_follow_the_flags() {
    check(&[
        ("csel x0, x1, x2, ne", 0x9a82_1020, &[(1, 1), (2, 2), (NZCV, 0)], &[(0, 1)]),
        ("csinc x0, x1, x2, gt", 0x9a82_c420, &[(1, 1), (2, 0xffff_ffff_ffff_ffff), (NZCV, 0x8000_0000)], &[(0, 0)]),
        ("csneg x0, x1, x2, hi", 0xda82_8420, &[(1, 1), (2, 7), (NZCV, 0x6000_0000)], &[(0, 0xffff_ffff_ffff_fff9)]),
        ("cset w0, vs", 0x1a9f_77e0, &[(0, 9), (NZCV, 0x1000_0000)], &[(0, 1)]),
        ("cset x0, mi", 0x9a9f_57e0, &[(0, 9), (NZCV, 0x1000_0000)], &[(0, 0)]),
        ("csetm w0, lo", 0x5a9f_23e0, &[(NZCV, 0)], &[(0, 0xffff_ffff)]),
        ("csetm x0, ls", 0xda9f_83e0, &[(NZCV, 0x6000_0000)], &[(0, 0xffff_ffff_ffff_ffff)]),
        ("csel x0, x1, x2, nv", 0x9a82_f020, &[(1, 1), (2, 2), (NZCV, 0x4000_0000)], &[(0, 1)]),
        ("ccmp x1, #5, #13, eq", 0xfa45_082d, &[(1, 5), (NZCV, 0x4000_0000)], &[(NZCV, 0x6000_0000)]),
        ("ccmp x1, #5, #13, eq", 0xfa45_082d, &[(1, 5), (NZCV, 0)], &[(NZCV, 0xd000_0000)]),
        ("ccmp w1, w2, #0, lt", 0x7a42_b020, &[(1, 0x8000_0000), (2, 1), (NZCV, 0x8000_0000)], &[(NZCV, 0x3000_0000)]),
        ("ccmn w1, #1, #5, al", 0x3a41_e825, &[(1, 0xffff_ffff), (NZCV, 0)], &[(NZCV, 0x6000_0000)]),
        ("ccmn x1, x2, #10, ge", 0xba42_a02a, &[(1, 1), (2, 2), (NZCV, 0x8000_0000)], &[(NZCV, 0xa000_0000)]),
        (
            "ccmn x1, x2, #10, nv",
            0xba42_f02a,
            &[(1, 0x8000_0000_0000_0000), (2, 0x8000_0000_0000_0000), (NZCV, 0x8000_0000)],
            &[(NZCV, 0x7000_0000)],
        ),
    ]);
}

#[test]
fn bit_fields_are_extracted_and_placed() {
    check(&[
        ("ubfx x0, x1, #60, #4", 0xd37c_fc20, &[(1, 0xa000_0000_0000_0000)], &[(0, 0xa)]),
        ("ubfx x0, x1, #4, #40", 0xd344_ac20, &[(1, 0xffff_ffff_ffff_ffff)], &[(0, 0xff_ffff_ffff)]),
        ("ubfx w0, w1, #28, #4", 0x531c_7c20, &[(1, 0xffff_ffff_a000_0000)], &[(0, 0xa)]),
        ("sbfx x0, x1, #4, #4", 0x9344_1c20, &[(1, 0x80)], &[(0, 0xffff_ffff_ffff_fff8)]),
        ("sbfx w0, w1, #4, #4", 0x1304_1c20, &[(1, 0x80)], &[(0, 0xffff_fff8)]),
        ("ubfiz x0, x1, #32, #32", 0xd360_7c20, &[(1, 0xffff_ffff_ffff_ffff)], &[(0, 0xffff_ffff_0000_0000)]),
        ("ubfiz x0, x1, #8, #40", 0xd378_9c20, &[(1, 0xffff_ffff_ffff_ffff)], &[(0, 0xffff_ffff_ff00)]),
        ("ubfiz w0, w1, #30, #1", 0x5302_0020, &[(1, 3)], &[(0, 0x4000_0000)]),
        ("sbfiz x0, x1, #4, #4", 0x937c_0c20, &[(1, 8)], &[(0, 0xffff_ffff_ffff_ff80)]),
        ("sbfiz w0, w1, #4, #4", 0x131c_0c20, &[(1, 8)], &[(0, 0xffff_ff80)]),
        ("bfi x0, x1, #60, #4", 0xb344_0c20, &[(0, 0xffff_ffff_ffff_ffff), (1, 0)], &[(0, 0xfff_ffff_ffff_ffff)]),
        ("bfi w0, w1, #4, #8", 0x331c_1c20, &[(0, 0xffff_ffff_ffff_ffff), (1, 0xa5)], &[(0, 0xffff_fa5f)]),
        (
            "bfxil x0, x1, #8, #16",
            0xb348_5c20,
            &[(0, 0xffff_ffff_ffff_ffff), (1, 0x12_3456)],
            &[(0, 0xffff_ffff_ffff_1234)],
        ),
        ("bfxil w0, w1, #31, #1", 0x331f_7c20, &[(0, 0xffff_ffff_ffff_ffff), (1, 0)], &[(0, 0xffff_fffe)]),
        ("bfc x0, #0, #64", 0xb340_ffe0, &[(0, 0xffff_ffff_ffff_ffff)], &[(0, 0)]),
        ("lsl x0, x1, #63", 0xd341_0020, &[(1, 3)], &[(0, 0x8000_0000_0000_0000)]),
        ("lsr w0, w1, #31", 0x531f_7c20, &[(1, 0xffff_ffff_ffff_ffff)], &[(0, 1)]),
        ("asr w0, w1, #31", 0x131f_7c20, &[(1, 0x8000_0000)], &[(0, 0xffff_ffff)]),
        ("sxtw x0, w1", 0x9340_7c20, &[(1, 0x8000_0000)], &[(0, 0xffff_ffff_8000_0000)]),
        ("sxtb x0, w1", 0x9340_1c20, &[(1, 0x180)], &[(0, 0xffff_ffff_ffff_ff80)]),
        ("uxth w0, w1", 0x5300_3c20, &[(1, 0xffff_ffff_ffff_ffff)], &[(0, 0xffff)]),
        ("uxtb w0, w1", 0x5300_1c20, &[(1, 0xffff_ffff_ffff_ffff)], &[(0, 0xff)]),
        ("extr x0, x1, x2, #4", 0x93c2_1020, &[(1, 0xf), (2, 0x10)], &[(0, 0xf000_0000_0000_0001)]),
        ("extr w0, w1, w2, #0", 0x1382_0020, &[(1, 0xf), (2, 0xffff_ffff_ffff_ffff)], &[(0, 0xffff_ffff)]),
        ("extr w0, w1, w2, #31", 0x1382_7c20, &[(1, 1), (2, 0x8000_0000)], &[(0, 3)]),
        ("ror x0, x1, #1", 0x93c1_0420, &[(1, 1)], &[(0, 0x8000_0000_0000_0000)]),
    ]);
}

#[test]
fn bits_and_bytes_are_counted_and_reversed() {
    check(&[
        ("clz x0, x1", 0xdac0_1020, &[(1, 0)], &[(0, 0x40)]),
        ("clz w0, w1", 0x5ac0_1020, &[(1, 0x1_0000_0000)], &[(0, 0x20)]),
        ("clz w0, w1", 0x5ac0_1020, &[(1, 1)], &[(0, 0x1f)]),
        ("cls x0, x1", 0xdac0_1420, &[(1, 0)], &[(0, 0x3f)]),
        ("cls x0, x1", 0xdac0_1420, &[(1, 0xffff_ffff_ffff_ffff)], &[(0, 0x3f)]),
        ("cls x0, x1", 0xdac0_1420, &[(1, 0x8000_0000_0000_0000)], &[(0, 0)]),
        ("cls w0, w1", 0x5ac0_1420, &[(1, 0xffff_ffff)], &[(0, 0x1f)]),
        ("cls w0, w1", 0x5ac0_1420, &[(1, 0xffff_ffff_4000_0000)], &[(0, 0)]),
        ("rbit x0, x1", 0xdac0_0020, &[(1, 1)], &[(0, 0x8000_0000_0000_0000)]),
        ("rbit w0, w1", 0x5ac0_0020, &[(1, 0x1_0000_0002)], &[(0, 0x4000_0000)]),
        ("rev x0, x1", 0xdac0_0c20, &[(1, 0x102_0304_0506_0708)], &[(0, 0x807_0605_0403_0201)]),
        ("rev w0, w1", 0x5ac0_0820, &[(1, 0x102_0304_0506_0708)], &[(0, 0x807_0605)]),
        ("rev32 x0, x1", 0xdac0_0820, &[(1, 0x102_0304_0506_0708)], &[(0, 0x403_0201_0807_0605)]),
        ("rev16 x0, x1", 0xdac0_0420, &[(1, 0x102_0304_0506_0708)], &[(0, 0x201_0403_0605_0807)]),
        ("rev16 w0, w1", 0x5ac0_0420, &[(1, 0x102_0304_0506_0708)], &[(0, 0x605_0807)]),
    ]);
}

#[test]
fn products_are_of_the_right_width_and_sign() {
    check(&[
        ("mul x0, x1, x2", 0x9b02_7c20, &[(1, 0xffff_ffff_ffff_ffff), (2, 0xffff_ffff_ffff_ffff)], &[(0, 1)]),
        ("msub x0, x1, x2, x3", 0x9b02_8c20, &[(1, 3), (2, 4), (3, 5)], &[(0, 0xffff_ffff_ffff_fff9)]),
        ("smulh x0, x1, x2", 0x9b42_7c20, &[(1, 0xffff_ffff_ffff_ffff), (2, 1)], &[(0, 0xffff_ffff_ffff_ffff)]),
        (
            "umulh x0, x1, x2",
            0x9bc2_7c20,
            &[(1, 0xffff_ffff_ffff_ffff), (2, 0xffff_ffff_ffff_ffff)],
            &[(0, 0xffff_ffff_ffff_fffe)],
        ),
        ("smull x0, w1, w2", 0x9b22_7c20, &[(1, 0xffff_ffff), (2, 2)], &[(0, 0xffff_ffff_ffff_fffe)]),
        ("umull x0, w1, w2", 0x9ba2_7c20, &[(1, 0xffff_ffff_ffff_ffff), (2, 2)], &[(0, 0x1_ffff_fffe)]),
        ("smsubl x0, w1, w2, x3", 0x9b22_8c20, &[(1, 0xffff_ffff), (2, 2), (3, 1)], &[(0, 3)]),
        ("umsubl x0, w1, w2, x3", 0x9ba2_8c20, &[(1, 0xffff_ffff), (2, 1), (3, 0)], &[(0, 0xffff_ffff_0000_0001)]),
        (
            "umaddl x0, w1, w2, x3",
            0x9ba2_0c20,
            &[(1, 0xffff_ffff), (2, 0xffff_ffff), (3, 0xffff_ffff_ffff_ffff)],
            &[(0, 0xffff_fffe_0000_0000)],
        ),
    ]);
}

#[test]
fn immediates_and_shifted_operands_are_read_whole() {
    check(&[
        ("mov x0, #0x123400000000", 0xd2c2_4680, &[], &[(0, 0x1234_0000_0000)]),
        ("mov x0, #0xaaaaaaaaaaaaaaaa", 0xb201_f3e0, &[], &[(0, 0xaaaa_aaaa_aaaa_aaaa)]),
        ("mov w0, #0xaaaaaaaa", 0x3201_f3e0, &[], &[(0, 0xaaaa_aaaa)]),
        ("movk x0, #0xabcd, lsl #48", 0xf2f5_79a0, &[(0, 0xffff_ffff_ffff_ffff)], &[(0, 0xabcd_ffff_ffff_ffff)]),
        ("and x0, x1, #0xffffffff00000000", 0x9260_7c20, &[(1, 0xffff_ffff_ffff_ffff)], &[(0, 0xffff_ffff_0000_0000)]),
        ("and x0, x1, #0xffffffff", 0x9240_7c20, &[(1, 0xffff_ffff_ffff_ffff)], &[(0, 0xffff_ffff)]),
        ("and x0, x1, #0xffffffff80000000", 0x9261_8020, &[(1, 0xffff_ffff_ffff_ffff)], &[(0, 0xffff_ffff_8000_0000)]),
        ("eor x0, x1, #0x8000000000000001", 0xd241_0420, &[(1, 1)], &[(0, 0x8000_0000_0000_0000)]),
        ("add x0, x1, #0xfff, lsl #12", 0x917f_fc20, &[(1, 1)], &[(0, 0xff_f001)]),
        ("sub x0, x1, #0xfff, lsl #12", 0xd17f_fc20, &[(1, 0)], &[(0, 0xffff_ffff_ff00_1000)]),
        ("add x0, x1, x2, lsl #3", 0x8b02_0c20, &[(1, 1), (2, 2)], &[(0, 0x11)]),
        ("add x0, x1, x2, lsl #63", 0x8b02_fc20, &[(1, 1), (2, 1)], &[(0, 0x8000_0000_0000_0001)]),
        ("sub x0, x1, x2, asr #4", 0xcb82_1020, &[(1, 0), (2, 0xffff_ffff_ffff_fff0)], &[(0, 1)]),
        ("add x0, x1, x2, lsr #60", 0x8b42_f020, &[(1, 0), (2, 0xffff_ffff_ffff_ffff)], &[(0, 0xf)]),
        ("orn x0, x1, x2", 0xaa22_0020, &[(1, 1), (2, 0xffff_ffff_ffff_fff8)], &[(0, 7)]),
        ("eon x0, x1, x2, lsr #1", 0xca62_0420, &[(1, 0), (2, 0xffff_ffff_ffff_ffff)], &[(0, 0x8000_0000_0000_0000)]),
        ("bic x0, x1, x2, ror #4", 0x8ae2_1020, &[(1, 0xffff_ffff_ffff_ffff), (2, 1)], &[(0, 0xefff_ffff_ffff_ffff)]),
        ("add x0, x1, w2, sxtb #1", 0x8b22_8420, &[(1, 0), (2, 0x1ff)], &[(0, 0xffff_ffff_ffff_fffe)]),
        ("add x0, x1, w2, uxth #4", 0x8b22_3020, &[(1, 0), (2, 0xffff_ffff_ffff_ffff)], &[(0, 0xf_fff0)]),
        ("sub x0, x1, w2, uxtw", 0xcb22_4020, &[(1, 0), (2, 0xffff_ffff_ffff_ffff)], &[(0, 0xffff_ffff_0000_0001)]),
        ("add w0, w1, w2, sxth", 0xb22_a020, &[(1, 0), (2, 0x8000)], &[(0, 0xffff_8000)]),
        ("add x0, x1, x2, sxtx #2", 0x8b22_e820, &[(1, 1), (2, 0xffff_ffff_ffff_ffff)], &[(0, 0xffff_ffff_ffff_fffd)]),
    ]);
}

#[test]
fn checksums_are_those_of_their_polynomials() {
    check(&[
        (
            "crc32b w0, w1, w2",
            0x1ac2_4020,
            &[(1, 0xffff_ffff_ffff_ffff), (2, 0x3837_3635_3433_3231)],
            &[(0, 0x7c23_1048)],
        ),
        (
            "crc32h w0, w1, w2",
            0x1ac2_4420,
            &[(1, 0xffff_ffff_ffff_ffff), (2, 0x3837_3635_3433_3231)],
            &[(0, 0xb0ac_bb32)],
        ),
        (
            "crc32w w0, w1, w2",
            0x1ac2_4820,
            &[(1, 0xffff_ffff_ffff_ffff), (2, 0x3837_3635_3433_3231)],
            &[(0, 0x641c_1f5c)],
        ),
        (
            "crc32x w0, w1, x2",
            0x9ac2_4c20,
            &[(1, 0xffff_ffff_ffff_ffff), (2, 0x3837_3635_3433_3231)],
            &[(0, 0x651f_2550)],
        ),
        (
            "crc32cb w0, w1, w2",
            0x1ac2_5020,
            &[(1, 0xffff_ffff_ffff_ffff), (2, 0x3837_3635_3433_3231)],
            &[(0, 0x6f0a_661c)],
        ),
        (
            "crc32ch w0, w1, w2",
            0x1ac2_5420,
            &[(1, 0xffff_ffff_ffff_ffff), (2, 0x3837_3635_3433_3231)],
            &[(0, 0x8caa_3b9f)],
        ),
        (
            "crc32cw w0, w1, w2",
            0x1ac2_5820,
            &[(1, 0xffff_ffff_ffff_ffff), (2, 0x3837_3635_3433_3231)],
            &[(0, 0x9c5_0b11)],
        ),
        (
            "crc32cx w0, w1, x2",
            0x9ac2_5c20,
            &[(1, 0xffff_ffff_ffff_ffff), (2, 0x3837_3635_3433_3231)],
            &[(0, 0x9f78_7f65)],
        ),
    ]);
}

#[test]
fn pc_relative_addresses_count_from_the_instruction_or_its_page() {
    let mut guest = Guest::new();
    // adr x0, #-4; adrp x1, #-4096; adr x2, #1048575; svc #0
    guest.code(CODE, &[0x10ff_ffe0, 0xf0ff_ffe1, 0x707f_ffe2, 0xd400_0001]);
    guest.context.pc = CODE;
    assert_eq!(guest.run(), Exit::Syscall);
    assert_eq!(guest.context.x[..3], [CODE - 4, CODE - 4096, CODE + 8 + 1_048_575]);
}
