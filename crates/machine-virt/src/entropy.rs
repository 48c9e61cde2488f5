//! Unpredictable bytes: ChaCha20, keyed from all that differs between boots.

use machine::sync::Mutex;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::arch::regs::{counter, read_sysreg};

static GENERATOR: Mutex<Option<ChaCha20Rng>> = Mutex::new(None);

/// Keys the generator with `seed`, which whoever started the machine made
/// up, with the processor's own source if it has one, and with the time.
pub(crate) fn init(seed: &[u8]) {
    let mut key = [0_u8; 32];
    let mut mix = |at: usize, byte: u8| key[at % 32] = key[at % 32].rotate_left(3) ^ byte;
    seed.iter().enumerate().for_each(|(at, byte)| mix(at, *byte));
    for word in 0..4 {
        let bytes = hardware().unwrap_or_else(counter).to_le_bytes();
        bytes.iter().enumerate().for_each(|(at, byte)| mix(word * 8 + at, *byte));
    }
    *GENERATOR.lock() = Some(ChaCha20Rng::from_seed(key));
}

/// Fills `buf`.
pub(crate) fn fill(buf: &mut [u8]) {
    let mut generator = GENERATOR.lock();
    // `init` comes long before anybody asks.
    generator.get_or_insert_with(|| ChaCha20Rng::from_seed([0; 32])).fill_bytes(buf);
}

/// A number from `RNDR`, if the processor has it.
fn hardware() -> Option<u64> {
    if read_sysreg!("id_aa64isar0_el1") >> 60 == 0 {
        return None;
    }
    let (value, failed): (u64, u64);
    // SAFETY: reads RNDR, which sets the flags.
    unsafe {
        core::arch::asm!("mrs {}, S3_3_C2_C4_0", "cset {}, eq", out(reg) value, out(reg) failed, options(nomem, nostack));
    }
    (failed == 0).then_some(value)
}
