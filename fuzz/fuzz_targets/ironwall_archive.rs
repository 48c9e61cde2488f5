//! See `ironwall_fuzz::archive`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    ironwall_fuzz::archive(input);
});
