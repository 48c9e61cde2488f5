//! See `ironwall_testkit::fuzz::frames`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    ironwall_testkit::fuzz::frames(input);
});
