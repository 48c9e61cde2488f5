//! Gives the linker the image's layout.
#![expect(clippy::disallowed_methods, reason = "cargo speaks to build scripts by the environment")]

fn main() {
    println!("cargo:rerun-if-changed=image.ld");
    // The developer's machine builds only the library and its tests.
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("none") {
        let dir = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
        println!("cargo:rustc-link-arg-bins=-T{dir}/image.ld");
        println!("cargo:rustc-link-arg-bins=-znorelro");
    }
}
