//! `cargo xtask userland`: builds the programs in `userland/`, packs the image
//! that the `vambrace` crate embeds, and compares it with the committed one.
//!
//! The same sources and compiler give the same bytes: dependencies are vendored
//! by lock file, paths are remapped, the archive is sorted and without times.
//! `image.rs` packs, `licences.rs` gathers the third parties' terms.

mod image;
mod licences;

use crate::shell::{cargo, output, root, run as run_command, say, target_dir};
use crate::toolchain::{MUSL, need_target};
use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The programs of the image, which are packages of the userland's workspace.
const PROGRAMS: &[&str] = &["init", "sh", "telnetd", "toolbox"];

/// Rebuilds the image. With `--update` the committed one is replaced, else it must be equal.
pub(crate) fn run(args: &[String]) -> Result<()> {
    let update = match args {
        [] => false,
        [flag] if flag == "--update" => true,
        _ => bail!("usage: cargo xtask userland [--update]"),
    };
    let source = root().join("userland");
    let work = target_dir().join("userland");
    fs::create_dir_all(&work).with_context(|| format!("cannot make {}", work.display()))?;
    need_target(&source, MUSL)?;
    let version = output(Command::new("rustc").arg("--version").current_dir(&source))?;
    let vendor = vendor(&source, &work)?;
    let programs = build(&source, &work, &vendor)?;
    let licences = licences::gather(&source, &vendor)?;
    let packed = image::pack(&source.join("image"), &programs, &licences)?;
    let digest = hex(&Sha256::digest(&packed));
    say(&format!("userland.tar.zst: {} bytes, sha256 {digest}, {}", packed.len(), version.trim()));

    let asset = root().join("crates/vambrace/assets/userland.tar.zst");
    let digest_file = asset.with_extension("zst.sha256");
    if update {
        fs::create_dir_all(asset.parent().context("the asset has a directory")?)?;
        fs::write(&asset, &packed).with_context(|| format!("cannot write {}", asset.display()))?;
        fs::write(&digest_file, format!("{digest}  userland.tar.zst\n"))?;
        return Ok(());
    }
    let committed =
        fs::read_to_string(&digest_file).with_context(|| format!("cannot read {}", digest_file.display()))?;
    let committed = committed.split_whitespace().next().unwrap_or_default();
    if digest != committed {
        let kept = work.join("userland.tar.zst");
        fs::write(&kept, &packed)?;
        bail!("the image differs: committed {committed}, built {digest}, kept as {}", kept.display());
    }
    say("the committed image is what these sources give");
    Ok(())
}

/// The sources of every dependency, by the lock file alone.
fn vendor(source: &Path, work: &Path) -> Result<PathBuf> {
    let vendor = work.join("vendor");
    // The message catalogues of uutils are found by directory names with versions.
    let mut command = cargo();
    command.current_dir(source).args(["vendor", "--quiet", "--locked", "--versioned-dirs"]).arg(&vendor);
    command.env("RUSTUP_TOOLCHAIN", toolchain(source)?);
    say("$ cargo vendor");
    output(&mut command)?;
    Ok(vendor)
}

/// The fixed compiler's release, from the userland's `rust-toolchain.toml`.
fn toolchain(source: &Path) -> Result<String> {
    let text = fs::read_to_string(source.join("rust-toolchain.toml"))?;
    let channel = text.lines().find_map(|line| line.strip_prefix("channel = \"")?.strip_suffix('"'));
    Ok(channel.context("userland/rust-toolchain.toml names a channel")?.to_owned())
}

fn build(source: &Path, work: &Path, vendor: &Path) -> Result<Vec<(String, PathBuf)>> {
    let target_dir = work.join("target");
    let flags = [
        "-Ctarget-feature=+crt-static".to_owned(),
        "-Crelocation-model=static".to_owned(),
        format!("--remap-path-prefix={}=/userland", source.display()),
        format!("--remap-path-prefix={}=/vendor", vendor.display()),
        format!("--remap-path-prefix={}=/target", target_dir.display()),
    ];
    // `cargo` as a name, so that rustup's proxy follows the userland's toolchain file.
    let mut command = Command::new("cargo");
    command.current_dir(source);
    command.args(["build", "--release", "--locked", "--offline", "--target", MUSL]);
    command.arg("--config").arg("source.crates-io.replace-with='vendored'");
    command.arg("--config").arg(format!("source.vendored.directory='{}'", vendor.display()));
    for program in PROGRAMS {
        command.args(["-p", program]);
    }
    command.env("CARGO_TARGET_DIR", &target_dir).env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"));
    command.env("RUSTUP_TOOLCHAIN", toolchain(source)?).env("SOURCE_DATE_EPOCH", "0");
    // Cargo tells the programs it starts which cargo and rustc they run under; this one chooses anew.
    for variable in ["LANG", "LC_ALL", "RUSTFLAGS", "RUSTC", "CARGO", "UUCORE_TARGET_UTIL", "CARGO_BUILD_TARGET"] {
        command.env_remove(variable);
    }
    run_command(&mut command)?;
    let built = target_dir.join(MUSL).join("release");
    Ok(PROGRAMS.iter().map(|program| ((*program).to_owned(), built.join(program))).collect())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
