//! Programs of a few instructions, through the public interface.

mod common;

use common::{CODE, DATA, Guest};
use machine::{Access, Exit};

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
