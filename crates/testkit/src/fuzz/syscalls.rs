//! Arbitrary system calls.

use std::time::Duration;

use kernel::task::ExitStatus;

use super::guest::Guest;
use super::loader::program;

/// The longest that one input may take.
const LIMIT: Duration = Duration::from_millis(200);

/// Makes system calls of the input: each is seven words of eight bytes, the
/// number (of which only the low nine bits count) and six arguments. Half of
/// the arguments are bent into the program's own memory, so that calls get
/// past their first check. Gives how the program ended, if it did in time.
///
/// # Panics
/// If the kernel does.
pub fn syscalls(input: &[u8]) -> Option<ExitStatus> {
    let words = input.chunks_exact(8).map(|chunk| {
        let mut word = [0; 8];
        word.copy_from_slice(chunk);
        u64::from_le_bytes(word)
    });
    let words: Vec<u64> = words.collect();
    let calls: Vec<[u64; 7]> = words.chunks_exact(7).map(shape).collect();
    let data: Vec<u8> = calls.iter().flatten().flat_map(|word| word.to_le_bytes()).collect();
    let count = u32::try_from(calls.len().min(4000)).unwrap_or(0);
    // x19: the next call; x20: how many are left.
    let code = [
        0x1000_01b3,              // adr x19, #52 (the data)
        0xd280_0014 | count << 5, // mov x20, #count
        0xb400_0114,              // cbz x20, #32 (the end)
        0xf840_8668,              // ldr x8, [x19], #8
        0xa8c1_0660,              // ldp x0, x1, [x19], #16
        0xa8c1_0e62,              // ldp x2, x3, [x19], #16
        0xa8c1_1664,              // ldp x4, x5, [x19], #16
        0xd400_0001,              // svc #0
        0xd100_0694,              // sub x20, x20, #1
        0x17ff_fff9,              // b #-28 (cbz)
        0xd280_0ba8,              // mov x8, #93
        0xd280_0000,              // mov x0, #0
        0xd400_0001,              // svc #0
    ];
    let guest = Guest::new(&program(&code, &data));
    assert!(guest.start(), "the program around the calls is good");
    guest.run(LIMIT)
}

/// One call of seven random words.
fn shape(words: &[u64]) -> [u64; 7] {
    let mut call = [0; 7];
    call.copy_from_slice(words);
    call[0] &= 0x1ff;
    for argument in &mut call[1..] {
        *argument = match *argument & 7 {
            // A small number: a descriptor, a size, a flag.
            0..=2 => *argument >> 3 & 0x3f,
            // An address in the program.
            3 | 4 => 0x40_0000 + (*argument >> 3 & 0xfff),
            // The stack's page, or just beyond it.
            5 => 0xffff_ffff_e000 + (*argument >> 3 & 0x1fff),
            // A single bit.
            6 => 1 << (*argument >> 3 & 63),
            _ => *argument,
        };
    }
    call
}
