//! What the fuzz targets do with their input. A target finds a mistake when
//! one of these functions panics or does not come back.
//!
//! `cargo test -p testkit` runs each of them for a while on random input, with
//! the seed in its failure message.

mod decoder;
mod guest;
mod loader;
mod syscalls;

pub use decoder::decoder;
pub use loader::{loader, sample_program};
pub use syscalls::syscalls;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Random;

    fn bytes(random: &mut Random, len: usize) -> Vec<u8> {
        (0..len).map(|_| random.u64().to_le_bytes()[0]).collect()
    }

    #[test]
    fn the_decoder_survives_random_words() {
        let mut random = Random::new(0x5eed_0001);
        for _ in 0..200 {
            decoder(&bytes(&mut random, 4096));
        }
    }

    #[test]
    fn the_loader_survives_damaged_programs() {
        for seed in 0..1000 {
            let mut random = Random::new(0x5eed_0002 + seed);
            let mut program = sample_program();
            for _ in 0..=random.u64() % 8 {
                // Mostly in the headers, where it matters.
                let limit = if random.one_in(4) { program.len() } else { program.len().min(256) };
                let at = usize::try_from(random.u64()).unwrap_or(0) % limit;
                program[at] = random.u64().to_le_bytes()[3];
            }
            if random.one_in(8) {
                let len = usize::try_from(random.u64()).unwrap_or(0) % program.len();
                program.truncate(len);
            }
            loader(&program);
        }
    }

    #[test]
    fn an_undamaged_program_is_loaded() {
        assert!(loader(&sample_program()), "the sample that others are made from is good");
    }

    #[test]
    fn the_kernel_survives_random_calls() {
        for seed in 0..1000 {
            let mut random = Random::new(0x5eed_0003 + seed);
            let input = bytes(&mut random, 7 * 8 * 40);
            syscalls(&input);
        }
    }

    #[test]
    fn the_calls_of_an_input_are_made() {
        // getpid, then exit_group(0x15 & 0x3f): small numbers are taken as they are.
        let words = [172, 0, 0, 0, 0, 0, 0, 94, 0x15 << 3, 0, 0, 0, 0, 0_u64];
        let input: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        assert_eq!(syscalls(&input), Some(kernel::task::ExitStatus::Code(0x15)));
    }
}
