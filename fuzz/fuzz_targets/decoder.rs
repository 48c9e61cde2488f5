//! See `testkit::fuzz::decoder`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    testkit::fuzz::decoder(input);
});
