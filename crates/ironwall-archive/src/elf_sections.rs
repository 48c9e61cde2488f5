//! Which sections a relocatable object may have.
//!
//! A linker treats sections by type, flags and name, and some of them as orders: it collects constructors, sets of
//! pointers that a C library runs through, libraries to be linked with, code to be compiled; it drops one of two
//! groups of the same name. So whatever is not listed here is refused.

use crate::name::check_identifier;
use crate::problem::escaped;
use crate::target::Target;
use object::elf;
use object::read::elf::{Rela as _, SectionHeader as _, SectionTable, SymbolTable};
use object::{LittleEndian, SymbolIndex};
use std::cell::Cell;

pub(crate) type Header = elf::FileHeader64<LittleEndian>;
type Section = elf::SectionHeader64<LittleEndian>;
const ENDIAN: LittleEndian = LittleEndian;

/// The length of a header of a section; in it, where its type, flags, offset and length of entries are.
const HEADER_LEN: usize = 64;
const TYPE: usize = 4;
const FLAGS: usize = 8;
const OFFSET: usize = 24;
const ENTRY: usize = 56;
/// The length of a relocation, and where its type is.
const RELA_LEN: usize = 24;
const RELA_TYPE: usize = 8;

// What a program may do with a section in memory.
const WRITE: u64 = elf::SHF_WRITE.0;
const ALLOC: u64 = elf::SHF_ALLOC.0;
const EXECUTE: u64 = elf::SHF_EXECINSTR.0;
const TLS: u64 = elf::SHF_TLS.0;

/// Sections that a program has in memory, alone or followed by a dot and more, each with the flags that it may have
/// of the four above: linkers put sections together by name, and the whole gets the flags of all. A name that is an
/// identifier of C is not among them: linkers let programs run through all sections of such a name.
const IN_MEMORY: &[(&[&str], &[u64])] = &[
    // Those with an l are of the large code model.
    (&[".text", ".ltext"], &[ALLOC | EXECUTE]),
    (&[".data", ".bss", ".ldata", ".lbss"], &[ALLOC | WRITE, ALLOC]),
    (&[".rodata", ".lrodata", ".eh_frame", ".gcc_except_table", ".note"], &[ALLOC]),
    (&[".tdata", ".tbss"], &[ALLOC | WRITE | TLS]),
];
/// Those of them that have no content in the file.
const WITHOUT_CONTENT: &[&str] = &[".bss", ".lbss", ".tbss"];
/// Sections for people and debuggers, which are not in memory; likewise.
const BESIDE: &[&str] = &[".comment", ".GCC.command.line", ".gnu.build.attributes", ".note"];
/// How the names of debug information begin.
const DEBUG: &str = ".debug_";
/// What runs by itself, before the program or after it.
const RUNNING: &[&str] =
    &[".init", ".fini", ".init_array", ".fini_array", ".preinit_array", ".ctors", ".dtors", ".jcr", ".tm_clone_table"];
/// What linkers and their plugins act on.
const FOR_LINKERS: &[&str] =
    &[".gnu.lto_", ".gnu.debuglto_", ".gnu.linkonce", ".gnu.warning", ".deplibs", ".llvmbc", ".llvm.lto", ".llvmcmd"];

/// What compressed debug information may expand to: so many bytes, and so many for each of its own.
const FREE: u64 = 1 << 20;
const RATIO: u64 = 200;

// Types of sections.
const PROGBITS: u32 = 1;
const SYMTAB: u32 = 2;
const STRTAB: u32 = 3;
const RELA: u32 = 4;
const NOTE: u32 = 7;
const NOBITS: u32 = 8;
const GROUP: u32 = 17;
const SYMTAB_SHNDX: u32 = 18;
const LLVM_ADDRSIG: u32 = 0x6fff_4c03;
const X86_64_UNWIND: u32 = 0x7000_0001;
const AARCH64_ATTRIBUTES: u32 = 0x7000_0003;

/// What is wrong: the byte of the object, the rule, and what.
pub(crate) type Fault = (usize, &'static str, String);

/// The sections of an object.
pub(crate) struct Sections<'a> {
    bytes: &'a [u8],
    target: Target,
    table: &'a SectionTable<'a, Header>,
    names: Vec<&'a [u8]>,
    /// Where their headers are.
    at: usize,
    symbols: &'a SymbolTable<'a, Header>,
    budget: Budget,
}

/// How many bytes of names are still looked at. Names may share their bytes, so that many of them could be far longer
/// together than the file.
pub(crate) struct Budget(Cell<usize>);

impl Budget {
    /// What is enough for every object that is not made to waste time.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self(Cell::new(bytes.len().saturating_mul(16)))
    }

    /// Whether there is enough for a name.
    pub(crate) fn take(&self, name: &[u8]) -> bool {
        let left = self.0.get().checked_sub(name.len());
        self.0.set(left.unwrap_or_default());
        left.is_some()
    }
}

/// A name as it is shown: printable, and not too long.
pub(crate) fn shown(name: &[u8]) -> String {
    const MOST: usize = 100;
    match name.get(..MOST) {
        Some(start) if name.len() > MOST => escaped(start) + "...",
        _ => escaped(name),
    }
}

impl<'a> Sections<'a> {
    /// The sections of an object whose headers are at an offset. Sections that overlap, and names that are too long
    /// together, are refused here, so that what is done afterwards takes time in proportion to the file's length.
    pub(crate) fn new(
        bytes: &'a [u8],
        target: Target,
        table: &'a SectionTable<'a, Header>,
        at: usize,
        symbols: &'a SymbolTable<'a, Header>,
    ) -> Result<Self, Fault> {
        let budget = Budget::of(bytes);
        let (mut names, mut left) = (Vec::new(), bytes.len() as u64);
        for (index, section) in table.enumerate() {
            let at = at + index.0 * HEADER_LEN;
            let name = table.section_name(ENDIAN, section).ok().filter(|name| budget.take(name));
            let Some(name) = name else {
                return Err((at, "elf.format", "the name of a section is out of bounds, or too long".to_owned()));
            };
            let len = if section.sh_type(ENDIAN).0 == NOBITS { 0 } else { section.sh_size(ENDIAN) };
            left = left
                .checked_sub(len)
                .ok_or_else(|| (at + OFFSET, "elf.format", "sections are longer than the file".to_owned()))?;
            names.push(name);
        }
        Ok(Self { bytes, target, table, names, at, symbols, budget })
    }

    /// What is wrong with the sections, at most so many faults.
    pub(crate) fn check(&self, limit: usize) -> Vec<Fault> {
        let mut faults = Vec::new();
        for (index, section) in self.table.enumerate() {
            if faults.len() >= limit {
                return faults;
            }
            let name = self.names[index.0];
            let fault = match self.section(section, name) {
                Err((byte, rule, what)) => {
                    let at = self.at + index.0 * HEADER_LEN + byte;
                    Some((at, rule, format!("the section {} {what}", shown(name))))
                }
                Ok(()) => self.relocations(section, name),
            };
            faults.extend(fault);
        }
        if !self.names.contains(&&b".note.GNU-stack"[..]) {
            let what = "there is no section .note.GNU-stack, without which linkers make stacks executable";
            faults.push((self.at, "elf.executable", what.to_owned()));
        }
        faults
    }

    /// The section of a number, and its name.
    fn get(&self, index: u32) -> Option<(&'a Section, &'a [u8])> {
        let section = self.table.section(object::SectionIndex(index as usize)).ok()?;
        Some((section, self.names.get(index as usize)?))
    }

    /// What is wrong with a section, at which byte of its header.
    fn section(&self, section: &Section, name: &[u8]) -> Result<(), Fault> {
        let (kind, flags) = (section.sh_type(ENDIAN).0, section.sh_flags(ENDIAN).0);
        let is_in_memory = flags & elf::SHF_ALLOC.0 != 0;
        let fault = |at, what: &str| Err((at, "elf.section", what.to_owned()));
        if matches!(kind, 14..=16) || is_listed(RUNNING, name) {
            return fault(0, "runs code by itself");
        }
        if is_listed(FOR_LINKERS, name) {
            return fault(0, "is an order to the linker, or compiled by it");
        }
        let is_known = match kind {
            0 => return Ok(()),
            PROGBITS | NOBITS | X86_64_UNWIND => {
                let is_listed_here = if is_in_memory { memory(name).is_some() } else { is_listed(BESIDE, name) };
                let is_empty = kind != NOBITS || is_listed(WITHOUT_CONTENT, name);
                is_empty && (is_listed_here || !is_in_memory && is_debug(name))
            }
            NOTE => is_listed(&[".note"], name),
            SYMTAB => name == b".symtab",
            STRTAB => name == b".strtab" || name == b".shstrtab",
            SYMTAB_SHNDX => name == b".symtab_shndx",
            GROUP => name == b".group",
            LLVM_ADDRSIG => name == b".llvm_addrsig",
            AARCH64_ATTRIBUTES => self.target == Target::Aarch64Linux && name.ends_with(b".attributes"),
            RELA => {
                let to = self.get(section.sh_info(ENDIAN)).map(|(_, name)| name);
                to.is_some_and(|to| name.strip_prefix(b".rela") == Some(to))
            }
            _ => return fault(TYPE, &format!("has the type {kind:#x}")),
        };
        if !is_known {
            return fault(
                0,
                if is_in_memory {
                    "has a name that programs in memory do not have"
                } else {
                    "has a name that no such section has"
                },
            );
        }
        if is_in_memory && !matches!(kind, PROGBITS | NOBITS | X86_64_UNWIND | NOTE) {
            return fault(FLAGS, "is in memory");
        }
        self.content(section, name, kind, flags)
    }

    /// What is wrong with a section that may be there.
    fn content(&self, section: &Section, name: &[u8], kind: u32, flags: u64) -> Result<(), Fault> {
        // Sections beside have neither.
        let allowed = memory(name).filter(|_| flags & ALLOC != 0).unwrap_or(&[0]);
        if !allowed.contains(&(flags & (WRITE | ALLOC | EXECUTE | TLS))) {
            return Err(match flags & EXECUTE {
                0 => (FLAGS, "elf.section", "has flags that no such section has".to_owned()),
                _ => (FLAGS, "elf.executable", "makes memory both writable and executable".to_owned()),
            });
        }
        if kind != NOBITS && section.data(ENDIAN, self.bytes).is_err() {
            return Err((OFFSET, "elf.format", "is out of bounds".to_owned()));
        }
        // Linkers divide by this to know how many entries there are.
        let entry = match kind {
            SYMTAB | RELA => 24,
            GROUP | SYMTAB_SHNDX => 4,
            _ => section.sh_entsize(ENDIAN),
        };
        if section.sh_entsize(ENDIAN) != entry {
            return Err((ENTRY, "elf.format", "has entries of another length".to_owned()));
        }
        if flags & elf::SHF_COMPRESSED.0 != 0 {
            let most = FREE.saturating_add(section.sh_size(ENDIAN).saturating_mul(RATIO));
            if !is_debug(name) || self.compressed_size(section).is_none_or(|size| size > most) {
                let what = "is compressed, and no debug information or too much of it";
                return Err((FLAGS, "elf.section", what.to_owned()));
            }
        }
        if kind == GROUP { self.group(section) } else { Ok(()) }
    }

    /// What a compressed section expands to, in bytes.
    fn compressed_size(&self, section: &Section) -> Option<u64> {
        let header = section.compression(ENDIAN, self.bytes).ok()??.0;
        Some(header.ch_size.get(ENDIAN))
    }

    /// That a group holds debug information only. Of several groups of one name a linker keeps the first, so that
    /// another unit could take the place of code or data in a group.
    fn group(&self, section: &Section) -> Result<(), Fault> {
        let damaged = || (OFFSET, "elf.format", "is damaged".to_owned());
        let (flags, members) = section.group(ENDIAN, self.bytes).map_err(|_| damaged())?.ok_or_else(damaged)?;
        if flags.0 & !elf::GRP_COMDAT.0 != 0 {
            return Err(damaged());
        }
        // The names of such groups are digests, which no function or variable of a program has.
        let signature = self.symbols.symbol(SymbolIndex(section.sh_info(ENDIAN) as usize)).ok();
        let signature = signature.and_then(|symbol| self.symbols.symbol_name(ENDIAN, symbol).ok());
        match signature.filter(|name| self.budget.take(name)).map(str::from_utf8) {
            Some(Ok(name)) if !name.is_empty() && check_identifier(name).is_err() => {}
            _ => return Err((0, "elf.group", "has no name, or one that code could have".to_owned())),
        }
        for member in members {
            let (member, name) = self.get(member.get(ENDIAN)).ok_or_else(damaged)?;
            if member.sh_flags(ENDIAN).0 & elf::SHF_ALLOC.0 != 0 {
                let what = format!("holds {}, which the linker would drop for another of its name", shown(name));
                return Err((0, "elf.group", what));
            }
        }
        Ok(())
    }

    /// What is wrong with the relocations in a section, if there are any; the first of it.
    fn relocations(&self, section: &Section, name: &[u8]) -> Option<Fault> {
        let Ok(Some((relocations, _))) = section.rela(ENDIAN, self.bytes) else { return None };
        let (to, _) = self.get(section.sh_info(ENDIAN))?;
        let len = match to.sh_flags(ENDIAN).0 & elf::SHF_COMPRESSED.0 {
            0 => to.sh_size(ENDIAN),
            _ => self.compressed_size(to).unwrap_or_default(),
        };
        let name = shown(name);
        let start = section.sh_offset(ENDIAN) as usize;
        for (i, relocation) in relocations.iter().enumerate() {
            let at = start + i * RELA_LEN;
            if self.is_of_loaders(relocation.r_type(ENDIAN, false).0) {
                let what = format!("a relocation in {name} is for loaders, which may call what it names");
                return Some((at + RELA_TYPE, "elf.relocation", what));
            }
            if relocation.r_offset(ENDIAN) >= len
                || relocation.r_sym(ENDIAN, false) as usize >= self.symbols.len().max(1)
            {
                return Some((at, "elf.format", format!("a relocation in {name} is out of bounds")));
            }
        }
        None
    }

    /// Whether a type of relocations is one that linkers make, never compilers.
    fn is_of_loaders(&self, kind: u32) -> bool {
        match self.target {
            // COPY, GLOB_DAT, JUMP_SLOT, RELATIVE; DTPMOD64; IRELATIVE, RELATIVE64.
            Target::X86_64Linux => matches!(kind, 5..=8 | 16 | 37 | 38),
            // COPY to IRELATIVE.
            Target::Aarch64Linux => matches!(kind, 1024..=1032),
        }
    }
}

/// The flags that a section in memory may have, if there is one of this name.
fn memory(name: &[u8]) -> Option<&'static [u64]> {
    IN_MEMORY.iter().find(|(names, _)| is_listed(names, name)).map(|(_, flags)| *flags)
}

/// Whether a section holds debug information.
fn is_debug(name: &[u8]) -> bool {
    name.starts_with(DEBUG.as_bytes())
}

/// Whether a section has one of the names, alone or followed by a dot and more.
fn is_listed(list: &[&str], name: &[u8]) -> bool {
    list.iter().any(|listed| {
        let rest = name.strip_prefix(listed.as_bytes());
        rest.is_some_and(|rest| rest.is_empty() || rest[0] == b'.' || listed.ends_with('_'))
    })
}
