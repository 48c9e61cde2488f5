//! See `testkit::fuzz::syscalls`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let _ = testkit::fuzz::syscalls(input);
});
