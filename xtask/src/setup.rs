//! `cargo xtask setup`: installs what the tests need.
//!
//! Debian packages where there is apt and the right to use it, and the Rust
//! target of the guest programs. Says what to install otherwise.

use crate::reference;
use crate::shell::{cargo, find_program, output, root, run as run_command, say, target_dir};
use crate::toolchain::{MUSL, need_target};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// What a test needs: one of these programs, from this package.
struct Tool {
    programs: &'static [&'static str],
    package: &'static str,
    purpose: &'static str,
}

const TOOLS: &[Tool] = &[
    Tool { programs: &["cc"], package: "gcc", purpose: "builds C libraries and native tests" },
    Tool { programs: &["g++"], package: "g++", purpose: "checks that Ironwall's header is C++ too" },
    Tool { programs: &["objdump"], package: "binutils", purpose: "takes compiled functions apart" },
    Tool { programs: &["aarch64-linux-gnu-gcc"], package: "gcc-aarch64-linux-gnu", purpose: "builds guest tests in C" },
    Tool {
        programs: &["qemu-aarch64-static", "qemu-aarch64"],
        package: "qemu-user-static",
        purpose: "is the reference for speed",
    },
    Tool {
        programs: &["qemu-system-aarch64"],
        package: "qemu-system-arm",
        purpose: "is the machine that the kernel boots on",
    },
    Tool { programs: &["e2fsck", "/sbin/e2fsck"], package: "e2fsprogs", purpose: "checks disk images" },
    Tool {
        programs: &["e2fsck", "/usr/sbin/e2fsck", "/sbin/e2fsck"],
        package: "e2fsprogs",
        purpose: "is the reference for disk images",
    },
];

/// The C library for the cross compiler has no program to look for.
const CROSS_LIBC: (&str, &str) = ("/usr/aarch64-linux-gnu/lib/libc.a", "libc6-dev-arm64-cross");

/// Installs what is missing; with `--check`, only tells. `--mirror` names the
/// Debian mirror to fetch the reference for instructions from. `--nightly`
/// installs what only tasks on demand need.
///
/// # Errors
/// Something is missing and cannot be installed; the message names it.
pub(crate) fn run(args: &[String]) -> Result<()> {
    if args == ["--nightly"] {
        return nightly();
    }
    let (only_check, mirror) = match args {
        [] => (false, None),
        [flag] if flag == "--check" => (true, None),
        [flag, uri] if flag == "--mirror" => (false, Some(uri.as_str())),
        _ => bail!("usage: cargo xtask setup [--check | --nightly | --mirror URI]"),
    };
    let mut missing: Vec<&str> = Vec::new();
    for tool in TOOLS {
        if find_program(tool.programs).is_none() {
            say(&format!("missing: {} ({}), which {}", tool.programs[0], tool.package, tool.purpose));
            missing.push(tool.package);
        }
    }
    if !fs::exists(CROSS_LIBC.0)? {
        say(&format!("missing: {} ({})", CROSS_LIBC.0, CROSS_LIBC.1));
        missing.push(CROSS_LIBC.1);
    }
    if only_check {
        if reference::find().is_none() {
            say("missing: qemu-aarch64 of version 10 or later, the reference for instructions; `cargo xtask setup`");
            bail!("the reference for instructions is missing");
        }
        if !missing.is_empty() {
            bail!("install {}", missing.join(" "));
        }
        say("everything that the tests need is there");
        return Ok(());
    }
    if !missing.is_empty() {
        install(&missing)?;
    }
    reference::need(mirror)?;
    need_target(&root(), MUSL)?;
    need_target(&root(), crate::ironwall::GNU)?;
    need_target(&root(), crate::kernel::TARGET)?;
    if let Err(error) = busybox() {
        say(&format!("no busybox for the tests that use it: {error:#}"));
    }
    say("everything that the tests need is there");
    Ok(())
}

/// Installs a nightly compiler with Miri and its sources, and cargo-fuzz, for
/// `cargo xtask ironwall miri`, `tsan` and `fuzz`.
fn nightly() -> Result<()> {
    let rustup = find_program(&["rustup"]).context("there is no rustup; https://rustup.rs has it")?;
    let toolchain = ["toolchain", "install", "nightly", "--profile", "minimal"];
    run_command(Command::new(rustup).args(toolchain).args(["--component", "miri", "--component", "rust-src"]))?;
    if find_program(&["cargo-fuzz"]).is_none() {
        run_command(cargo().args(["install", "--locked", "cargo-fuzz"]))?;
    }
    say("everything that tasks with a nightly compiler need is there");
    Ok(())
}

/// apt, which waits for another one to finish.
fn apt(words: &[&str]) -> Result<()> {
    let attempt = || {
        let mut command = Command::new("apt-get");
        command.args(["-y", "-o", "DPkg::Lock::Timeout=600"]).args(words);
        run_command(command.env("DEBIAN_FRONTEND", "noninteractive"))
    };
    // Lists may be older than the archive, and two apts may meet.
    attempt().or_else(|_| {
        run_command(Command::new("apt-get").args(["-o", "DPkg::Lock::Timeout=600", "update"]))?;
        attempt()
    })
}

fn install(packages: &[&str]) -> Result<()> {
    let advice = format!("install these packages, or what they are called here: {}", packages.join(" "));
    if find_program(&["apt-get"]).is_none() {
        bail!("there is no apt-get: {advice}");
    }
    if output(Command::new("id").arg("-u"))?.trim() != "0" {
        bail!("not root: {advice}");
    }
    let words: Vec<&str> = ["install", "--no-install-recommends"].iter().chain(packages).copied().collect();
    apt(&words).context(advice)
}

/// Where Debian's static ARM64 busybox is put.
pub(crate) fn busybox_path() -> PathBuf {
    target_dir().join("busybox/bin/busybox")
}

/// Fetches and unpacks Debian's static ARM64 busybox, without installing it.
pub(crate) fn busybox() -> Result<PathBuf> {
    let path = busybox_path();
    if path.is_file() {
        return Ok(path);
    }
    if find_program(&["apt-get"]).is_none() || find_program(&["dpkg-deb"]).is_none() {
        bail!("there is no apt-get or dpkg-deb to fetch busybox-static:arm64 with");
    }
    let place = target_dir().join("busybox");
    fs::create_dir_all(&place)?;
    let download = || {
        run_command(
            Command::new("apt-get")
                .args(["-o", "APT::Sandbox::User=root", "download", "busybox-static:arm64"])
                .current_dir(&place),
        )
    };
    if download().is_err() {
        run_command(Command::new("dpkg").args(["--add-architecture", "arm64"]))?;
        run_command(Command::new("apt-get").args(["-o", "DPkg::Lock::Timeout=600", "update"]))?;
        download()?;
    }
    let package = crate::shell::files_in(&place, "deb")?.pop().context("apt-get downloaded nothing")?;
    run_command(Command::new("dpkg-deb").arg("-x").arg(&package).arg(&place))?;
    if !path.is_file() {
        bail!("{} has no bin/busybox", package.display());
    }
    Ok(path)
}
