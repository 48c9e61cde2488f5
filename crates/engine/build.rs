//! Decides how threaded code is dispatched.
//!
//! Handlers end in a call to the next handler. LLVM turns that into a jump
//! from `opt-level` 2 on, but debug assertions put other calls into handlers;
//! such builds use a trampoline, which is slow and safe at any setting.

#![expect(clippy::disallowed_methods, reason = "Cargo tells build scripts about the build in the environment")]

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(tail_calls)");
    let level = env::var("OPT_LEVEL").unwrap_or_default();
    let checked = env::var_os("CARGO_CFG_DEBUG_ASSERTIONS").is_some();
    if matches!(level.as_str(), "2" | "3") && !checked {
        println!("cargo::rustc-cfg=tail_calls");
    }
}
