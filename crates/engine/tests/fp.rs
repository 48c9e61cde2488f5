//! Floating point and Advanced SIMD, through the public interface.

mod common;

use common::{CODE, DATA, Guest};
use machine::{Access, Exit, Prot};

/// `svc #0`.
const SVC: u32 = 0xd400_0001;
/// `fdiv d0, d1, d2`.
const FDIV: u32 = 0x1e62_1820;
/// `fmul d0, d1, d2`.
const FMUL: u32 = 0x1e62_0820;
/// `mrs x0, fpsr`.
const MRS_FPSR: u32 = 0xd53b_4420;
const DZC: u32 = 2;
const IXC: u32 = 16;

fn doubles(guest: &mut Guest, values: &[f64]) {
    for (v, value) in guest.context.v.iter_mut().zip(values) {
        *v = value.to_bits().into();
    }
}

#[test]
fn exceptions_accumulate_until_fpsr_is_written() {
    let mut guest = Guest::new();
    // fdiv; mrs x0, fpsr; msr fpsr, xzr; fadd d3, d1, d1; mrs x1, fpsr; svc
    guest.code(CODE, &[FDIV, MRS_FPSR, 0xd51b_443f, 0x1e61_2823, 0xd53b_4421, SVC]);
    doubles(&mut guest, &[0.0, 1.0, 0.0]);
    guest.context.fpsr = IXC;
    assert_eq!(guest.run(), Exit::Syscall);
    assert_eq!(guest.context.v[0], f64::INFINITY.to_bits().into());
    assert_eq!(guest.context.x[..2], [(DZC | IXC).into(), 0]);
    assert_eq!(guest.context.fpsr, 0);
}

#[test]
fn exceptions_are_in_the_context_when_the_guest_stops() {
    let mut guest = Guest::new();
    guest.code(CODE, &[FDIV, SVC, MRS_FPSR, SVC]);
    doubles(&mut guest, &[0.0, 1.0, 3.0]);
    assert_eq!(guest.run(), Exit::Syscall);
    assert_eq!(guest.context.fpsr, IXC);
    // What the host computes meanwhile is not the guest's.
    assert!(std::hint::black_box(1.0_f64) / std::hint::black_box(0.0) > 1.0);
    assert_eq!(guest.run(), Exit::Syscall);
    assert_eq!(guest.context.x[0], IXC.into());
}

#[test]
fn rounding_mode_counts_from_the_next_instruction() {
    let mut guest = Guest::new();
    // fdiv; fmov x0, d0; msr fpcr, x9; fdiv; fmov x1, d0; svc
    guest.code(CODE, &[FDIV, 0x9e66_0000, 0xd51b_4409, FDIV, 0x9e66_0001, SVC]);
    doubles(&mut guest, &[0.0, 1.0, 3.0]);
    // Towards plus infinity.
    guest.context.x[9] = 1 << 22;
    assert_eq!(guest.run(), Exit::Syscall);
    let third = (1.0_f64 / 3.0).to_bits();
    assert_eq!(guest.context.x[..2], [third, third + 1]);
}

#[test]
fn fpcr_and_fpsr_have_no_bits_but_their_own() {
    let mut guest = Guest::new();
    // mrs x0, fpsr; mrs x1, fpcr; msr fpcr, x2; mrs x2, fpcr; svc
    guest.code(CODE, &[MRS_FPSR, 0xd53b_4401, 0xd51b_4402, 0xd53b_4402, SVC]);
    guest.context.fpsr = u32::MAX;
    guest.context.fpcr = u32::MAX;
    guest.context.x[2] = u64::MAX;
    assert_eq!(guest.run(), Exit::Syscall);
    // AHP, DN, FZ, RMode, FZ16; QC, IDC and the other exceptions.
    assert_eq!(guest.context.x[..3], [0x0800_009f, 0x07c8_0000, 0x07c8_0000]);
}

#[test]
fn fz16_counts_for_halves_and_not_for_singles() {
    let mut guest = Guest::new();
    // fadd h0, h1, h1; fadd s2, s3, s3; mrs x0, fpsr; svc
    guest.code(CODE, &[0x1ee1_2820, 0x1e23_2862, MRS_FPSR, SVC]);
    (guest.context.v[1], guest.context.v[3]) = (1, 1);
    guest.context.fpcr = 1 << 19;
    assert_eq!(guest.run(), Exit::Syscall);
    assert_eq!((guest.context.v[0], guest.context.v[2], guest.context.x[0]), (0, 2, 0));
}

#[test]
fn nan_of_an_invalid_operation_is_arms() {
    let mut guest = Guest::new();
    guest.code(CODE, &[FMUL, SVC]);
    doubles(&mut guest, &[0.0, f64::INFINITY, 0.0]);
    assert_eq!(guest.run(), Exit::Syscall);
    assert_eq!(guest.context.v[0], 0x7ff8_0000_0000_0000);
}

#[cfg(target_arch = "x86_64")]
#[test]
fn modes_of_the_embedding_program_are_kept_away_and_kept() {
    let read = || {
        let mut mxcsr = 0_u32;
        // SAFETY: stores four bytes to a local variable.
        unsafe { std::arch::asm!("stmxcsr [{}]", in(reg) &raw mut mxcsr) };
        mxcsr
    };
    let write = |mxcsr: u32| {
        // SAFETY: no floating-point arithmetic of Rust's runs under these modes.
        unsafe { std::arch::asm!("ldmxcsr [{}]", in(reg) &raw const mxcsr) };
    };
    let mut guest = Guest::new();
    guest.code(CODE, &[FMUL, SVC]);
    doubles(&mut guest, &[0.0, f64::MIN_POSITIVE, 0.5]);
    let before = read();
    // Flush to zero, denormals are zero, round towards zero.
    let strange = 0xffc0;
    write(strange);
    let exit = guest.run();
    let after = read();
    write(before);
    assert_eq!(exit, Exit::Syscall);
    assert_eq!(after, strange);
    assert_eq!(guest.context.v[0], 1 << 51);
}

#[test]
fn structure_load_that_faults_writes_nothing() {
    let mut guest = Guest::new();
    // ld3 {v0.16b-v2.16b}, [x2], #48
    guest.code(CODE, &[0x4cdf_4040, SVC]);
    let addr = DATA + 4096 - 40;
    guest.context.x[2] = addr;
    assert_eq!(guest.run(), Exit::Fault { addr: DATA + 4096, access: Access::Read });
    assert_eq!(guest.context.pc, CODE);
    assert_eq!(guest.context.x[2], addr);
    assert_eq!(guest.context.v[..3], [0; 3]);
    guest.map(DATA + 4096, Prot::READ);
    guest.words(DATA + 4096, &[0x0302_0103_0201_0302]);
    assert_eq!(guest.run(), Exit::Syscall);
    assert_eq!(guest.context.x[2], addr + 48);
    assert_ne!(guest.context.v[1], 0);
}

#[test]
fn structures_are_stored_by_element_and_loaded_back() {
    let mut guest = Guest::new();
    // st4 {v0.8h-v3.8h}, [x2], x3; ld4 {v4.8h-v7.8h}, [x4]; svc
    guest.code(CODE, &[0x4c83_0440, 0x4c40_0484, SVC]);
    guest.context.x[2] = DATA + 3;
    guest.context.x[3] = 5;
    guest.context.x[4] = DATA + 3;
    for (n, v) in guest.context.v[..4].iter_mut().enumerate() {
        *v = (0..8).fold(0, |v, i| v | ((n as u128) << 8 | i) << (16 * i));
    }
    let before = guest.context.v;
    assert_eq!(guest.run(), Exit::Syscall);
    assert_eq!(guest.context.x[2], DATA + 8);
    assert_eq!(guest.context.v[4..8], before[..4]);
    // From the third byte on: the first elements of V0 (0), V1 (0x100), V2 and V3.
    assert_eq!(guest.word(DATA), 0x0001_0000_0000_0000);
    assert_eq!(guest.word(DATA + 8) & 0xff_ffff, 0x03_0002);
}

#[test]
fn saturation_of_lanes_that_are_not_in_use_is_not_seen() {
    let mut guest = Guest::new();
    // sqadd b0, b1, b2
    guest.code(CODE, &[0x5e22_0c20, SVC]);
    guest.context.v[1] = 0x7f01;
    guest.context.v[2] = 0x7f01;
    assert_eq!(guest.run(), Exit::Syscall);
    assert_eq!((guest.context.v[0], guest.context.fpsr), (2, 0));
    guest.context.pc = CODE;
    guest.context.v[1] = 0x7f;
    assert_eq!(guest.run(), Exit::Syscall);
    assert_eq!((guest.context.v[0], guest.context.fpsr), (0x7f, 1 << 27));
}
