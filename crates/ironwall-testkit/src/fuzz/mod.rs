//! What the fuzz targets do with their input. A target finds a mistake when its function panics or does not come back.
//!
//! `cargo test -p ironwall-testkit` runs each on input from seeds, with the seed in the failure message;
//! `cargo xtask ironwall fuzz` runs them under libFuzzer.

mod damage;
mod graph;
mod image;
mod operations;
mod oracle;

pub use damage::{damage, frames};
pub use image::{image, sample_image};
pub use operations::operations;

/// A target: its name, and what it does with its input.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: &[Target] = &[("image", image), ("operations", operations), ("damage", damage), ("frames", frames)];

/// Input from a seed: random bytes, of which many are small, and for targets that read a format a sample with a few
/// bytes changed.
#[must_use]
pub fn input(name: &str, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut random = move |bound: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 16) as usize % bound
    };
    let mut bytes = match name {
        "image" => sample_image(seed),
        _ => {
            let len = random(600);
            let small = random(3);
            return (0..len).map(|_| if random(3) < small { random(16) } else { random(256) } as u8).collect();
        }
    };
    for _ in 0..random(6) {
        let at = random(bytes.len());
        bytes[at] = if random(2) == 0 { random(256) as u8 } else { bytes[at] ^ 1 << random(8) };
    }
    if random(8) == 0 {
        bytes.truncate(random(bytes.len()));
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs a target on the inputs of some seeds.
    fn run(name: &str, count: u64) {
        let (_, target) = TARGETS.iter().find(|target| target.0 == name).expect("a target");
        target(&[]);
        for seed in 0..if cfg!(miri) { 2 } else { count } {
            let mut input = input(name, seed);
            if cfg!(miri) && name != "image" {
                // Each byte may be an operation, and each operation takes a tenth of a second.
                input.truncate(80);
            }
            let outcome = std::panic::catch_unwind(|| target(&input));
            assert!(outcome.is_ok(), "fuzz::input({name:?}, {seed}) fails");
        }
    }

    #[test]
    fn images_that_are_damaged_are_told_or_harmless() {
        run("image", 4000);
    }

    #[test]
    fn r3_1_operations_agree_with_the_model() {
        run("operations", 4000);
    }

    #[test]
    fn r6_e_damage_is_found_or_harmless() {
        run("damage", 10_000);
    }

    #[test]
    fn r6_e_damaged_frames_are_found_or_harmless() {
        run("frames", 10_000);
    }
}
