//! See `testkit::fuzz::loader`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let _ = testkit::fuzz::loader(input);
});
