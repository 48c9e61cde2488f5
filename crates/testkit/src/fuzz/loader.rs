//! Arbitrary bytes as a program.

use super::guest::Guest;

/// Lets the kernel load `input` as a program; true if it accepted it.
///
/// # Panics
/// If the kernel does.
pub fn loader(input: &[u8]) -> bool {
    Guest::new(input).start()
}

/// The virtual address at which a made program lies.
const BASE: u64 = 0x40_0000;
const HEADERS: usize = 64 + 56;

/// A static ELF program of this code, followed by `data`; all of it readable,
/// writable and executable.
pub(super) fn program(code: &[u32], data: &[u8]) -> Vec<u8> {
    let size = (HEADERS + code.len() * 4 + data.len()) as u64;
    let mut elf = vec![0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let put16 = |elf: &mut Vec<u8>, value: u16| elf.extend_from_slice(&value.to_le_bytes());
    put16(&mut elf, 2); // ET_EXEC
    put16(&mut elf, 183); // EM_AARCH64
    elf.extend_from_slice(&1_u32.to_le_bytes());
    elf.extend_from_slice(&(BASE + HEADERS as u64).to_le_bytes());
    elf.extend_from_slice(&64_u64.to_le_bytes());
    elf.extend_from_slice(&0_u64.to_le_bytes());
    elf.extend_from_slice(&0_u32.to_le_bytes());
    for value in [64_u16, 56, 1, 64, 0, 0] {
        elf.extend_from_slice(&value.to_le_bytes());
    }
    // PT_LOAD, with PF_R | PF_W | PF_X.
    elf.extend_from_slice(&1_u32.to_le_bytes());
    elf.extend_from_slice(&7_u32.to_le_bytes());
    for value in [0, BASE, BASE, size, size, 4096] {
        elf.extend_from_slice(&value.to_le_bytes());
    }
    for word in code {
        elf.extend_from_slice(&word.to_le_bytes());
    }
    elf.extend_from_slice(data);
    elf
}

/// A good program to make damaged ones from: it exits with 0.
#[must_use]
pub fn sample_program() -> Vec<u8> {
    // mov x8, #93; mov x0, #0; svc #0
    program(&[0xd280_0ba8, 0xd280_0000, 0xd400_0001], &[0; 64])
}
