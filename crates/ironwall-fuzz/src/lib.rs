//! What the fuzz targets of texts and files from elsewhere do with their input. A target finds a mistake when its
//! function panics or does not come back.
//!
//! The input is either the file itself or a list of edits of a sound one, as the first byte says: most random bytes
//! are refused at once, while a sound file with a few changes gets far. [`archive()`], [`manifest()`] and [`rpc()`] are
//! the targets, [`sample`] makes what is edited. `cargo test -p ironwall-fuzz` runs each on input from seeds, with the
//! seed in the failure message; `cargo xtask ironwall fuzz` runs them under libFuzzer. Targets of the collector itself
//! are in `ironwall-testkit`.

#![forbid(unsafe_code)]

pub mod archive;
pub mod manifest;
pub mod rpc;
pub mod sample;

mod edits;

pub use archive::archive;
pub use manifest::manifest;
pub use rpc::rpc;

/// A target: its name, and what it does with its input.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: &[Target] = &[("archive", archive), ("manifest", manifest), ("rpc", rpc)];

/// Input from a seed: random bytes, of which many are small.
#[must_use]
pub fn input(seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut random = move |bound: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 16) % bound
    };
    let (len, small) = (random(40), random(3));
    let rest = (0..len).map(|_| if random(3) < small { random(16) } else { random(256) } as u8);
    [seed as u8].into_iter().chain(rest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(name: &str, count: u64) {
        let (_, target) = TARGETS.iter().find(|target| target.0 == name).expect("a target");
        target(&[]);
        for seed in 0..count {
            let input = input(seed);
            let outcome = std::panic::catch_unwind(|| target(&input));
            assert!(outcome.is_ok(), "fuzz::input({seed}) fails for {name:?}");
        }
    }

    #[test]
    fn archives_are_refused_with_a_byte_or_sound() {
        run("archive", 3000);
    }

    #[test]
    fn manifests_are_refused_with_a_byte_or_canonical() {
        run("manifest", 10_000);
    }

    #[test]
    fn r6_e_each_request_has_one_answer_in_a_line() {
        run("rpc", 3000);
    }
}
