//! `cargo xtask kernel`: builds the kernel image for bare ARM64.
//!
//! The linker's ELF file is kept for its symbols; what boots is the flat
//! `Image` that is made of it here. No instruction outside the few symbols that
//! keep the user's registers may touch FP or SIMD state, which the kernel does
//! not own; that is checked on the machine code.

use crate::shell::{cargo, root, run as run_command, say, target_dir};
use crate::toolchain::need_target;
use anyhow::{Context, Result, bail, ensure};
use std::fs;
use std::path::{Path, PathBuf};

/// What the image is built for: no FP registers in compiled code.
const TARGET: &str = "aarch64-unknown-none-softfloat";

/// Builds the image and says where it is.
///
/// # Errors
/// A toolchain that cannot be had, warnings, and FP code in the kernel.
pub(crate) fn run(args: &[String]) -> Result<()> {
    if let Some(arg) = args.first() {
        bail!("{arg}: unknown; kernel takes no arguments");
    }
    let image = build()?;
    say(&format!("{}", image.display()));
    Ok(())
}

/// Builds `kernel/vambrace-virt` and `kernel/vambrace-virt.elf` in the target
/// directory, and returns the path of the former.
pub(crate) fn build() -> Result<PathBuf> {
    build_from(&root(), &target_dir())
}

/// Builds the kernel from the sources in `source`, with `target` as its target directory.
pub(crate) fn build_from(source: &Path, target: &Path) -> Result<PathBuf> {
    need_target(source, TARGET)?;
    let flags = format!("target.{TARGET}.rustflags=[\"-Cforce-frame-pointers=yes\", \"-Dwarnings\"]");
    run_command(
        cargo()
            .current_dir(source)
            .env("CARGO_TARGET_DIR", target)
            .args(["build", "--quiet", "--release", "--package", "machine-virt", "--features", "image"])
            .args(["--target", TARGET, "--config", &flags]),
    )?;
    let elf_path = target.join(TARGET).join("release/vambrace-virt");
    let bytes = fs::read(&elf_path).with_context(|| format!("cannot read {}", elf_path.display()))?;
    let elf = Elf::read(&bytes)?;
    let out = target.join("kernel");
    fs::create_dir_all(&out).with_context(|| format!("cannot make {}", out.display()))?;
    let image = out.join("vambrace-virt");
    fs::write(&image, flat(&elf)?).with_context(|| format!("cannot write {}", image.display()))?;
    fs::copy(&elf_path, out.join("vambrace-virt.elf"))?;
    Ok(image)
}

/// A segment that is loaded.
struct Segment<'a> {
    address: u64,
    bytes: &'a [u8],
}

/// As much of an ELF file as is needed here.
struct Elf<'a> {
    segments: Vec<Segment<'a>>,
}

fn number<const N: usize>(bytes: &[u8], at: usize) -> Result<[u8; N]> {
    let slice = bytes.get(at..at + N).context("the ELF file is cut off")?;
    Ok(slice.try_into()?)
}

fn word(bytes: &[u8], at: usize) -> Result<u64> {
    Ok(u64::from_le_bytes(number(bytes, at)?))
}

impl<'a> Elf<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self> {
        ensure!(bytes.starts_with(b"\x7fELF\x02\x01"), "not a 64-bit little-endian ELF file");
        let start = usize::try_from(word(bytes, 32)?)?;
        let size = usize::from(u16::from_le_bytes(number(bytes, 54)?));
        let count = usize::from(u16::from_le_bytes(number(bytes, 56)?));
        let mut segments = Vec::new();
        for at in (0..count).map(|index| start + index * size) {
            const PT_LOAD: u32 = 1;
            if u32::from_le_bytes(number(bytes, at)?) != PT_LOAD {
                continue;
            }
            let (offset, len) = (usize::try_from(word(bytes, at + 8)?)?, usize::try_from(word(bytes, at + 32)?)?);
            let contents = bytes.get(offset..offset + len).context("the ELF file is cut off")?;
            segments.push(Segment { address: word(bytes, at + 16)?, bytes: contents });
        }
        Ok(Self { segments })
    }
}

/// The image as it lies in memory: the segments at their distances.
fn flat(elf: &Elf<'_>) -> Result<Vec<u8>> {
    let base = elf.segments.iter().map(|segment| segment.address).min().context("nothing to load")?;
    let mut image = Vec::new();
    for segment in elf.segments.iter().filter(|segment| !segment.bytes.is_empty()) {
        let start = usize::try_from(segment.address - base)?;
        let end = start + segment.bytes.len();
        if image.len() < end {
            image.resize(end, 0);
        }
        image[start..end].copy_from_slice(segment.bytes);
    }
    // The header that the boot loader reads.
    ensure!(image.get(56..60) == Some(b"ARM\x64"), "the image does not start with an arm64 Image header");
    Ok(image)
}
