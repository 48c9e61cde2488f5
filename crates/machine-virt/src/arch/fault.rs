//! Exceptions in the kernel itself: always a mistake, told and fatal.

use core::fmt;

use crate::arch::layout;
use crate::arch::regs::read_sysreg;

/// What `vectors.s` stores of the CPU.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Frame {
    /// X0 to X30, and SP.
    x: [u64; 32],
    elr: u64,
    spsr: u64,
    esr: u64,
    far: u64,
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "pc {:#018x} sp {:#018x} pstate {:#x} esr {:#x} far {:#018x}",
            self.elr, self.x[31], self.spsr, self.esr, self.far
        )?;
        for (number, pair) in self.x.chunks(4).enumerate() {
            for (offset, value) in pair.iter().enumerate().filter(|(offset, _)| 4 * number + offset < 31) {
                write!(f, "x{:<2} {value:016x}  ", 4 * number + offset)?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

/// What is wrong, in words.
fn describe(kind: u64, frame: &Frame) -> &'static str {
    let class = frame.esr >> 26 & 0x3f;
    let is_write = frame.esr & 1 << 6 != 0;
    let [text, rodata, _] = layout::image_parts();
    let in_stacks = (layout::STACKS..layout::IMAGE).contains(&frame.far);
    match (kind, class) {
        (1, _) => "an interrupt although they are masked",
        (2, _) => "a fast interrupt",
        (3, _) => "a system error",
        (_, 0x24 | 0x25) if in_stacks => "kernel stack overflow",
        (_, 0x24 | 0x25) if frame.far < 4096 => "null pointer in the kernel",
        (_, 0x24 | 0x25) if is_write && text.contains(&frame.far) => "write to the kernel's code",
        (_, 0x24 | 0x25) if is_write && rodata.contains(&frame.far) => "write to the kernel's constants",
        (_, 0x24 | 0x25) => "bad data access in the kernel",
        (_, 0x20 | 0x21) => "bad jump in the kernel",
        (_, 0x22 | 0x26) => "misaligned PC or SP in the kernel",
        (_, 0x07) => "FP instruction in the kernel",
        (_, 0x3c) => "BRK in the kernel",
        _ => "unexpected exception in the kernel",
    }
}

/// Called by `vectors.s` on the emergency stack.
pub(crate) extern "C" fn kernel_exception(kind: u64, frame: &Frame) -> ! {
    crate::panic::give_up(format_args!("{}", describe(kind, frame)), Some(frame), frame.x[29], frame.elr)
}

/// Calls `visit` with the return addresses of the calls that led here: `fp`
/// is a frame pointer.
pub(crate) fn backtrace(mut fp: u64, mut visit: impl FnMut(u64)) {
    for _ in 0..32 {
        let on_stack = (layout::STACKS..layout::IMAGE).contains(&fp) || in_image_data(fp);
        if !on_stack || !fp.is_multiple_of(16) || !is_mapped(fp) {
            return;
        }
        // SAFETY: aligned, readable memory of the kernel's stacks. It may hold
        // anything; the loop is bounded.
        let [next, ret] = unsafe { core::ptr::read_volatile(fp as *const [u64; 2]) };
        if ret == 0 {
            return;
        }
        visit(ret);
        if next <= fp {
            return;
        }
        fp = next;
    }
}

fn in_image_data(address: u64) -> bool {
    let [_, _, data] = layout::image_parts();
    data.contains(&address)
}

/// Asks the MMU whether the kernel may read at `address`.
fn is_mapped(address: u64) -> bool {
    // SAFETY: a translation for EL1; it only sets PAR_EL1.
    unsafe { core::arch::asm!("at s1e1r, {}", "isb", in(reg) address, options(nostack)) };
    read_sysreg!("par_el1") & 1 == 0
}
