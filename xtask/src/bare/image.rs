//! Our kernel as an image: where it lies, its symbols, and the word in which it
//! keeps how far it has come.

use super::phase::{MAGIC, Phase};
use super::qmp::Qmp;
use anyhow::{Context, Result, ensure};
use object::{Object, ObjectSymbol};
use serde_json::json;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The symbol of two words: a magic one and the number of the boot phase.
const PHASE: &str = "BOOT_PHASE";

/// A kernel image with what its ELF file says about it.
#[derive(Debug)]
pub(crate) struct Image {
    /// What QEMU loads.
    pub(crate) file: PathBuf,
    symbols: BTreeMap<u64, String>,
    /// The virtual address of the phase's words.
    phase: u64,
}

impl Image {
    /// Builds the kernel and reads its symbols.
    pub(crate) fn build() -> Result<Self> {
        Self::open(&crate::kernel::build()?)
    }

    /// Reads the symbols of the ELF file beside the image.
    pub(crate) fn open(file: &Path) -> Result<Self> {
        let elf = file.with_extension("elf");
        let bytes = fs::read(&elf).with_context(|| format!("cannot read {}", elf.display()))?;
        let object =
            object::File::parse(bytes.as_slice()).with_context(|| format!("{} is no ELF file", elf.display()))?;
        let mut symbols = BTreeMap::new();
        let mut phase = None;
        for symbol in object.symbols() {
            let name = symbol.name().unwrap_or_default();
            if name == PHASE {
                phase = Some(symbol.address());
            }
            if symbol.kind() == object::SymbolKind::Text && !name.is_empty() {
                symbols.insert(symbol.address(), name.to_owned());
            }
        }
        let phase = phase.with_context(|| format!("{} has no symbol {PHASE}", elf.display()))?;
        Ok(Self { file: file.to_path_buf(), symbols, phase })
    }

    /// The function that `address` lies in, with the distance from its start.
    pub(crate) fn symbol_at(&self, address: u64) -> Option<String> {
        let (start, name) = self.symbols.range(..=address).next_back()?;
        let distance = address - start;
        (distance < 1 << 20).then(|| format!("{name}+{distance:#x}"))
    }

    /// The boot phase of a running machine, from its memory.
    pub(crate) fn phase(&self, qmp: &mut Qmp) -> Result<Phase> {
        let file = std::env::temp_dir().join(format!("vambrace-phase-{}", std::process::id()));
        // QEMU's addresses are signed, and the kernel's have the highest bit.
        let address = self.phase.cast_signed();
        let arguments = json!({ "val": address, "size": 8, "filename": file.display().to_string() });
        if qmp.command("memsave", &arguments).is_err() {
            // The processor cannot reach the page: the kernel's map is not there yet.
            return Ok(Phase::None);
        }
        let bytes = fs::read(&file)?;
        fs::remove_file(&file)?;
        ensure!(bytes.len() == 8, "QEMU saved {} bytes of the phase", bytes.len());
        let word =
            |at: usize| bytes.iter().skip(at).take(4).rev().fold(0_u32, |word, byte| word << 8 | u32::from(*byte));
        // Without the magic word, the kernel has not come to its first line.
        let number = if word(0) == MAGIC { word(4) } else { 0 };
        Phase::from_number(number).with_context(|| format!("the machine is in phase {number}, which is none"))
    }
}
