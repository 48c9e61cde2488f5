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
pub(crate) const TARGET: &str = "aarch64-unknown-none-softfloat";

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
    check_fp(&bytes, &elf)?;
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
    /// Names and addresses.
    symbols: Vec<(String, u64)>,
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
        Ok(Self { segments, symbols: symbols(bytes)? })
    }
}

fn half(bytes: &[u8], at: usize) -> Result<usize> {
    Ok(usize::from(u16::from_le_bytes(number(bytes, at)?)))
}

fn offset(bytes: &[u8], at: usize) -> Result<usize> {
    Ok(usize::try_from(word(bytes, at)?)?)
}

/// The symbol table, by address.
fn symbols(bytes: &[u8]) -> Result<Vec<(String, u64)>> {
    const SHT_SYMTAB: u32 = 2;
    let (start, size, count) = (offset(bytes, 40)?, half(bytes, 58)?, half(bytes, 60)?);
    let header = |index: usize| start + index * size;
    let mut found = Vec::new();
    for at in (0..count).map(header) {
        if u32::from_le_bytes(number(bytes, at + 4)?) != SHT_SYMTAB {
            continue;
        }
        let strings = header(usize::try_from(u32::from_le_bytes(number(bytes, at + 40)?))?);
        let (strings, table, len) = (offset(bytes, strings + 24)?, offset(bytes, at + 24)?, offset(bytes, at + 32)?);
        for symbol in (table..table + len).step_by(24) {
            let name = strings + usize::try_from(u32::from_le_bytes(number(bytes, symbol)?))?;
            let name = bytes.get(name..).unwrap_or_default().split(|byte| *byte == 0).next().unwrap_or_default();
            found.push((String::from_utf8_lossy(name).into_owned(), word(bytes, symbol + 8)?));
        }
    }
    found.sort_by_key(|(_, address)| *address);
    ensure!(!found.is_empty(), "the ELF file has no symbols");
    Ok(found)
}

/// The functions that keep the user's FP and SIMD registers.
const FP_FUNCTIONS: [&str; 2] = ["fp_save", "fp_restore"];

/// Looks for FP and SIMD instructions in the code of the kernel.
fn check_fp(bytes: &[u8], elf: &Elf<'_>) -> Result<()> {
    let code = elf.segments.first().context("nothing to load")?;
    let (mut symbols, mut is_code, mut function) = (elf.symbols.iter().peekable(), true, "");
    let (mut kept, mut found) = (0, Vec::new());
    for (word, address) in code.bytes.chunks_exact(4).zip((code.address..).step_by(4)) {
        while let Some((name, _)) = symbols.next_if(|(_, at)| *at <= address) {
            // Mapping symbols say where code and where constants start.
            match name.as_bytes() {
                [b'$', b'x', ..] => is_code = true,
                [b'$', b'd', ..] => is_code = false,
                [b'$', ..] | [b'.', ..] | [] => {}
                _ => function = name,
            }
        }
        if !is_code || !is_fp(u32::from_le_bytes(word.try_into()?)) {
            continue;
        }
        if FP_FUNCTIONS.contains(&function) {
            kept += 1;
        } else {
            found.push(format!("{address:#x} in {function}"));
        }
    }
    ensure!(found.is_empty(), "the kernel uses FP or SIMD registers: {}", found.join(", "));
    // A check that finds nothing where something is checks nothing.
    ensure!(kept >= 64 / 2, "no FP instructions in {FP_FUNCTIONS:?} of {} bytes", bytes.len());
    Ok(())
}

/// True for instructions that read or write FP or SIMD state, by the top-level
/// table of the A64 encodings.
fn is_fp(word: u32) -> bool {
    let group = word >> 25 & 0b1111;
    // Data processing on scalars and vectors; SVE and SME; loads and stores
    // with the bit V; MRS and MSR of FPCR and FPSR.
    matches!(group, 0b0111 | 0b1111 | 0b0010)
        || group == 0 && word >> 31 == 1
        || group & 0b0101 == 0b0100 && word >> 26 & 1 == 1
        || matches!(word & 0xffdf_ff00, 0xd51b_4400)
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

#[cfg(test)]
mod tests {
    use super::is_fp;

    #[test]
    fn fp_and_simd_instructions_are_told_from_others() {
        // stp q0, q1, [x1]; ldr d0, [x0]; fadd d0, d0, d0; movi v0.16b, #0; mrs x2, fpcr; msr fpsr, x3.
        let fp = [0xad00_0420, 0xfd40_0000, 0x1e60_2800, 0x4f00_e400, 0xd53b_4402, 0xd51b_4423];
        assert!(fp.into_iter().all(is_fp));
        // stp x0, x1, [sp, #-16]!; ldr x0, [x0]; add x0, x0, x1; b .; mrs x0, cntvct_el0; casal x0, x1, [x2].
        let others = [0xa9bf_07e0, 0xf940_0000, 0x8b01_0000, 0x1400_0000, 0xd53b_e040, 0xc8e0_fc41];
        assert!(!others.into_iter().any(is_fp));
    }
}
