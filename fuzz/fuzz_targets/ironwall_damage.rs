//! See `ironwall_testkit::fuzz::damage`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    ironwall_testkit::fuzz::damage(input);
});
