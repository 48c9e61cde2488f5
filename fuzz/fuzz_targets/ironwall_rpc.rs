//! See `ironwall_fuzz::rpc`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    ironwall_fuzz::rpc(input);
});
