//! See `ironwall_fuzz::manifest`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    ironwall_fuzz::manifest(input);
});
