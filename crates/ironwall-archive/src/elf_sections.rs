//! Which sections a relocatable object may have.
//!
//! A linker treats sections by type, flags and name, and some of them as orders: it collects constructors, sets of
//! pointers that a C library runs through, libraries to be linked with, code to be compiled; it drops one of two
//! groups of the same name. So whatever is not listed here is refused.

use crate::problem::escaped;
use crate::target::Target;
use object::LittleEndian;
use object::elf;
use object::read::elf::{Rela as _, SectionHeader as _, SectionTable};

pub(crate) type Header = elf::FileHeader64<LittleEndian>;
type Section = elf::SectionHeader64<LittleEndian>;
const ENDIAN: LittleEndian = LittleEndian;

/// The length of a header of a section; in it, where its type, flags and offset are.
const HEADER_LEN: usize = 64;
const TYPE: usize = 4;
const FLAGS: usize = 8;
const OFFSET: usize = 24;
/// The length of a relocation, and where its type is.
const RELA_LEN: usize = 24;
const RELA_TYPE: usize = 8;

/// Sections that a program has in memory, alone or followed by a dot and more. A name that is an identifier of C is
/// not among them: linkers let programs run through all sections of such a name.
const IN_MEMORY: &[&str] = &[
    ".text",
    ".data",
    ".rodata",
    ".bss",
    ".tdata",
    ".tbss",
    ".eh_frame",
    ".gcc_except_table",
    // Of the large code model.
    ".ltext",
    ".ldata",
    ".lrodata",
    ".lbss",
];
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
    pub(crate) bytes: &'a [u8],
    pub(crate) target: Target,
    pub(crate) table: &'a SectionTable<'a, Header>,
    /// Where their headers are.
    pub(crate) at: usize,
    /// How many symbols there are.
    pub(crate) symbols: usize,
}

impl<'a> Sections<'a> {
    /// What is wrong with the sections.
    pub(crate) fn check(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        for (index, section) in self.table.enumerate() {
            if let Err((at, rule, what)) = self.section(section) {
                let name = escaped(self.name(section));
                faults.push((self.at + index.0 * HEADER_LEN + at, rule, format!("the section {name} {what}")));
            } else {
                faults.extend(self.relocations(section));
            }
        }
        if !self.table.iter().any(|section| self.name(section) == b".note.GNU-stack") {
            let what = "there is no section .note.GNU-stack, without which linkers make stacks executable";
            faults.push((self.at, "elf.executable", what.to_owned()));
        }
        faults
    }

    fn name(&self, section: &Section) -> &'a [u8] {
        self.table.section_name(ENDIAN, section).unwrap_or_default()
    }

    /// What is wrong with a section, at which byte of its header.
    fn section(&self, section: &Section) -> Result<(), Fault> {
        let (name, kind, flags) = (self.name(section), section.sh_type(ENDIAN).0, section.sh_flags(ENDIAN).0);
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
                if is_listed(IN_MEMORY, name) != is_in_memory {
                    return fault(
                        FLAGS,
                        if is_in_memory {
                            "has a name of its own, which linkers may act on"
                        } else {
                            "is not in memory"
                        },
                    );
                }
                is_in_memory || is_beside(name)
            }
            NOTE => is_listed(&[".note"], name),
            SYMTAB => name == b".symtab",
            STRTAB => name == b".strtab" || name == b".shstrtab",
            SYMTAB_SHNDX => name == b".symtab_shndx",
            GROUP => name == b".group",
            LLVM_ADDRSIG => name == b".llvm_addrsig",
            AARCH64_ATTRIBUTES => self.target == Target::Aarch64Linux && name.ends_with(b".attributes"),
            RELA => name
                .strip_prefix(b".rela")
                .is_some_and(|rest| self.related(section).is_some_and(|to| self.name(to) == rest)),
            _ => return fault(TYPE, &format!("has the type {kind:#x}")),
        };
        if !is_known {
            return fault(0, "has a name that no such section has");
        }
        if is_in_memory && !matches!(kind, PROGBITS | NOBITS | X86_64_UNWIND | NOTE) {
            return fault(FLAGS, "is in memory");
        }
        self.content(section, name, kind, flags)
    }

    /// The section that relocations belong to.
    fn related(&self, section: &Section) -> Option<&'a Section> {
        self.table.section(object::SectionIndex(section.sh_info(ENDIAN) as usize)).ok()
    }

    /// What is wrong with a section that may be there.
    fn content(&self, section: &Section, name: &[u8], kind: u32, flags: u64) -> Result<(), Fault> {
        let is_code = flags & elf::SHF_EXECINSTR.0 != 0;
        if is_code && (flags & elf::SHF_WRITE.0 != 0 || name == b".note.GNU-stack") {
            return Err((FLAGS, "elf.executable", "makes memory both writable and executable".to_owned()));
        }
        if kind != NOBITS && section.data(ENDIAN, self.bytes).is_err() {
            return Err((OFFSET, "elf.format", "is out of bounds".to_owned()));
        }
        if flags & elf::SHF_COMPRESSED.0 != 0 {
            let most = FREE.saturating_add(section.sh_size(ENDIAN).saturating_mul(RATIO));
            if !name.starts_with(DEBUG.as_bytes()) || self.compressed_size(section).is_none_or(|size| size > most) {
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
        for member in members {
            let member =
                self.table.section(object::SectionIndex(member.get(ENDIAN) as usize)).map_err(|_| damaged())?;
            if member.sh_flags(ENDIAN).0 & elf::SHF_ALLOC.0 != 0 {
                let what = format!(
                    "holds {}, which the linker would drop for another of its name",
                    escaped(self.name(member))
                );
                return Err((0, "elf.group", what));
            }
        }
        Ok(())
    }

    /// What is wrong with the relocations in a section, if there are any; the first of it.
    fn relocations(&self, section: &Section) -> Option<Fault> {
        let Ok(Some((relocations, _))) = section.rela(ENDIAN, self.bytes) else { return None };
        let to = self.related(section)?;
        let len = match to.sh_flags(ENDIAN).0 & elf::SHF_COMPRESSED.0 {
            0 => to.sh_size(ENDIAN),
            _ => self.compressed_size(to).unwrap_or_default(),
        };
        let name = escaped(self.name(section));
        let start = section.sh_offset(ENDIAN) as usize;
        for (i, relocation) in relocations.iter().enumerate() {
            let at = start + i * RELA_LEN;
            if self.is_of_loaders(relocation.r_type(ENDIAN, false).0) {
                let what = format!("a relocation in {name} is for loaders, which may call what it names");
                return Some((at + RELA_TYPE, "elf.relocation", what));
            }
            if relocation.r_offset(ENDIAN) >= len || relocation.r_sym(ENDIAN, false) as usize >= self.symbols.max(1) {
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

/// Whether a section is for people and debuggers.
fn is_beside(name: &[u8]) -> bool {
    is_listed(BESIDE, name) || name.starts_with(DEBUG.as_bytes())
}

/// Whether a section has one of the names, alone or followed by a dot and more.
fn is_listed(list: &[&str], name: &[u8]) -> bool {
    list.iter().any(|listed| {
        let rest = name.strip_prefix(listed.as_bytes());
        rest.is_some_and(|rest| rest.is_empty() || rest[0] == b'.' || listed.ends_with('_'))
    })
}
