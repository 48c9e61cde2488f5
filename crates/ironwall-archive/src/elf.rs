//! The audit of a unit's objects for one target: relocatable ELF of the right machine that defines what the manifest
//! declares, needs nothing else, and runs nothing by itself.
//!
//! Sections ([`elf_sections`](crate::elf_sections)) and types of symbols are allowed one by one; what is not known is
//! refused, as linkers act on some of them.

use crate::elf_sections::{Budget, Header, Sections, shown};
use crate::manifest::{Symbol, Unit};
use crate::name::is_of_the_runtime;
use crate::problem::{Place, Problem, escaped};
use crate::target::Target;
use object::elf;
use object::read::elf::{FileHeader as _, Rela as _, SectionHeader as _, SectionTable, Sym as _, SymbolTable};
use object::{LittleEndian, SectionIndex, SymbolIndex};
use std::collections::{BTreeMap, BTreeSet};

const ENDIAN: LittleEndian = LittleEndian;

/// Where fields of the header of a file are.
const OS_ABI: usize = 7;
const TYPE: usize = 16;
const MACHINE: usize = 18;
/// The length of a symbol.
const SYMBOL_LEN: usize = 24;

/// What a variable without a definition is, of which the linker makes one out of several.
const COMMON: &str = "would be merged with others of its name; -fno-common makes a definition of it";

/// An object of a unit.
pub(crate) struct Object<'a> {
    pub(crate) path: &'a str,
    pub(crate) bytes: &'a [u8],
    /// Where its first byte is in the expanded archive.
    pub(crate) start: usize,
}

/// What is wrong with a unit's objects for a target; `table` is the unit's image. No more is reported of each object
/// than `limit`, and what is done for it is in proportion to its length, whatever it says.
pub(crate) fn audit(unit: &Unit, target: Target, objects: &[Object<'_>], table: &[u8], limit: usize) -> Vec<Problem> {
    let declared = unit.symbols.each().chain(&unit.exports).map(|symbol| (symbol.name.as_bytes(), symbol)).collect();
    let requires = unit.requires.iter().map(|symbol| symbol.name.as_bytes()).collect();
    let (defined, needed) = (BTreeMap::new(), BTreeMap::new());
    let (is_whole, problems) = (true, Vec::new());
    let mut audit = Audit { unit, target, table, limit, declared, requires, defined, needed, is_whole, problems };
    for object in objects {
        audit.limit = audit.problems.len().saturating_add(limit);
        audit.object(object);
    }
    // What is not known to be missing is not told to be.
    if audit.is_whole {
        audit.finish();
    }
    audit.problems
}

struct Audit<'a> {
    unit: &'a Unit,
    target: Target,
    table: &'a [u8],
    /// How many problems there may be before the object at hand is left.
    limit: usize,
    declared: BTreeMap<&'a [u8], &'a Symbol>,
    requires: BTreeSet<&'a [u8]>,
    /// Which declared symbols are defined, with the object.
    defined: BTreeMap<&'a [u8], &'a str>,
    /// Which declared symbols are needed, with where.
    needed: BTreeMap<&'a [u8], (usize, &'a str)>,
    /// Whether every symbol of every object was seen.
    is_whole: bool,
    problems: Vec<Problem>,
}

/// An object whose tables could be read.
struct Parsed<'o, 'a> {
    object: &'o Object<'a>,
    sections: SectionTable<'a, Header>,
    symbols: SymbolTable<'a, Header>,
    /// Where the headers of sections and the symbols are in the file.
    sections_at: usize,
    symbols_at: usize,
    /// How many symbols are local, and come before the others.
    locals: usize,
}

impl<'a> Audit<'a> {
    fn report(&mut self, object: &Object<'_>, at: usize, rule: &'static str, what: impl std::fmt::Display) {
        let what = format!("{}, byte {at}: {what}", object.path);
        self.problems.push(Problem::new(Place::Tar, object.start + at, rule, what));
    }

    fn object(&mut self, object: &Object<'a>) {
        let parsed = match self.parse(object) {
            Ok(parsed) => parsed,
            Err((at, rule, what)) => {
                self.is_whole = false;
                return self.report(object, at, rule, what);
            }
        };
        let (bytes, table, symbols) = (object.bytes, &parsed.sections, &parsed.symbols);
        let faults = match Sections::new(bytes, self.target, table, parsed.sections_at, symbols) {
            Ok(sections) => sections.check(self.limit - self.problems.len()),
            Err(fault) => vec![fault],
        };
        // The names of symbols are not looked at where those of sections made no sense.
        let is_readable = faults.iter().all(|fault| fault.1 != "elf.format");
        for (at, rule, what) in faults {
            self.report(object, at, rule, what);
        }
        self.is_whole &= is_readable;
        let names = Budget::of(object.bytes);
        for (index, symbol) in parsed.symbols.enumerate().take_while(|_| is_readable) {
            if self.problems.len() >= self.limit || !self.check_symbol(&parsed, index, symbol, &names) {
                self.is_whole = false;
                break;
            }
        }
    }

    fn parse<'o>(&self, object: &'o Object<'a>) -> Result<Parsed<'o, 'a>, (usize, &'static str, String)> {
        let damaged =
            |error: object::Error| (0, "elf.format", format!("damaged: {}", escaped(error.to_string().as_bytes())));
        let header = Header::parse(object.bytes).map_err(damaged)?;
        if header.endian().is_err() || !header.is_class_64() || !header.is_little_endian() {
            return Err((4, "elf.format", "not ELF of 64 bits, little-endian".to_owned()));
        }
        // Linkers take other systems' objects for others than those that were audited.
        if !matches!(object.bytes[OS_ABI], 0 | 3) {
            return Err((OS_ABI, "elf.format", "not for Linux".to_owned()));
        }
        if header.e_type(ENDIAN) != elf::ET_REL {
            return Err((TYPE, "elf.type", "not relocatable".to_owned()));
        }
        if header.e_machine(ENDIAN) != self.target.machine() {
            return Err((MACHINE, "elf.machine", format!("not for {}", self.target.name())));
        }
        if header.e_phoff(ENDIAN) != 0 || header.e_phnum(ENDIAN) != 0 {
            return Err((32, "elf.type", "a relocatable file has no program headers".to_owned()));
        }
        let sections = header.sections(ENDIAN, object.bytes).map_err(damaged)?;
        let symbols = sections.symbols(ENDIAN, object.bytes, elf::SHT_SYMTAB).map_err(damaged)?;
        let tables = sections.iter().filter(|section| section.sh_type(ENDIAN) == elf::SHT_SYMTAB);
        if tables.count() != 1 {
            return Err((0, "elf.format", "not exactly one table of symbols".to_owned()));
        }
        let table = sections.section(symbols.section()).map_err(damaged)?;
        let (symbols_at, locals) = (table.sh_offset(ENDIAN) as usize, table.sh_info(ENDIAN) as usize);
        let sections_at = header.e_shoff(ENDIAN) as usize;
        Ok(Parsed { object, sections, symbols, sections_at, symbols_at, locals })
    }

    /// Checks a symbol, and tells whether it makes sense to go on.
    fn check_symbol(
        &mut self,
        parsed: &Parsed<'_, 'a>,
        index: SymbolIndex,
        symbol: &elf::Sym64<LittleEndian>,
        names: &Budget,
    ) -> bool {
        let at = parsed.symbols_at + index.0 * SYMBOL_LEN;
        let is_local = symbol.st_bind() == elf::STB_LOCAL;
        if is_local != (index.0 < parsed.locals) {
            self.report(parsed.object, at + 4, "elf.format", "local symbols do not come before the others");
            return false;
        }
        if symbol.st_type() == elf::STT_GNU_IFUNC {
            self.report(parsed.object, at + 4, "elf.symbol-kind", "an indirect function runs code by itself");
        } else if !is_local {
            let name = parsed.symbols.symbol_name(ENDIAN, symbol).ok().filter(|name| names.take(name));
            let Some(name) = name else {
                self.report(parsed.object, at, "elf.format", "the name of a symbol is out of bounds, or too long");
                return false;
            };
            if symbol.is_undefined(ENDIAN) {
                self.check_need(parsed, at, symbol, name);
            } else {
                self.check_global(parsed, index, symbol, name);
            }
        }
        true
    }

    /// That a symbol without a definition is declared, or is of the runtime.
    fn check_need(&mut self, parsed: &Parsed<'_, 'a>, at: usize, symbol: &elf::Sym64<LittleEndian>, name: &'a [u8]) {
        if self.declared.contains_key(name) {
            self.needed.entry(name).or_insert((parsed.object.start + at, parsed.object.path));
        } else if !self.requires.contains(name)
            && !is_of_the_runtime(name)
            // Linkers define it.
            && name != b"_GLOBAL_OFFSET_TABLE_"
            && !name.is_empty()
        {
            let what = format!("{} is needed, and neither declared nor of the runtime", shown(name));
            self.report(parsed.object, at, "elf.undefined", what);
        } else if symbol.st_visibility() != elf::STV_DEFAULT {
            // A need can take a symbol from all others' sight.
            let what = format!("{} would be hidden, and is not of the unit", shown(name));
            self.report(parsed.object, at + 5, "elf.symbol-kind", what);
        }
    }

    /// That a definition is declared, and is strong and the only one.
    fn check_global(
        &mut self,
        parsed: &Parsed<'_, 'a>,
        index: SymbolIndex,
        symbol: &elf::Sym64<LittleEndian>,
        name: &'a [u8],
    ) {
        let at = parsed.symbols_at + index.0 * SYMBOL_LEN;
        let (binding, kind, shown) = (symbol.st_bind(), symbol.st_type(), shown(name));
        let Some(&declared) = self.declared.get(name) else {
            return self.report(parsed.object, at, "elf.undeclared", format!("{shown} is defined and not declared"));
        };
        if binding != elf::STB_GLOBAL {
            return self.report(
                parsed.object,
                at + 4,
                "elf.symbol-kind",
                format!("{shown} can be replaced by another"),
            );
        }
        if let Some(other) = self.defined.insert(name, parsed.object.path) {
            let what = format!("{shown} is defined in {other} too");
            return self.report(parsed.object, at, "elf.symbol-twice", what);
        }
        if !matches!(kind, elf::STT_NOTYPE | elf::STT_OBJECT | elf::STT_FUNC) {
            let what = match kind {
                elf::STT_TLS => "has another address in each thread",
                elf::STT_COMMON => COMMON,
                _ => "is neither a function nor data",
            };
            return self.report(parsed.object, at + 4, "elf.symbol-kind", format!("{shown} {what}"));
        }
        match parsed.symbols.symbol_section(ENDIAN, symbol, index) {
            Ok(Some(section)) => self.check_definition(parsed, at, declared, symbol, section),
            _ => {
                let what = if symbol.is_common(ENDIAN) { COMMON } else { "is in no section" };
                self.report(parsed.object, at + 6, "elf.symbol-kind", format!("{shown} {what}"));
            }
        }
    }

    /// That the body is code and the other two are not, and that the table is the one in the archive.
    fn check_definition(
        &mut self,
        parsed: &Parsed<'_, 'a>,
        at: usize,
        declared: &Symbol,
        symbol: &elf::Sym64<LittleEndian>,
        index: SectionIndex,
    ) {
        let Ok(section) = parsed.sections.section(index) else {
            let what = format!("{} is in a section that is not there", declared.name);
            return self.report(parsed.object, at + 6, "elf.format", what);
        };
        let is_within = symbol.st_value(ENDIAN).checked_add(symbol.st_size(ENDIAN));
        if is_within
            .is_none_or(|end| end > section.sh_size(ENDIAN) || symbol.st_value(ENDIAN) == section.sh_size(ENDIAN))
        {
            let what = format!("{} is not within its section", declared.name);
            return self.report(parsed.object, at + 8, "elf.format", what);
        }
        let flags = section.sh_flags(ENDIAN).0;
        if flags & elf::SHF_ALLOC.0 == 0 || flags & elf::SHF_TLS.0 != 0 {
            let what = format!("{} is not in memory that all threads share", declared.name);
            return self.report(parsed.object, at + 6, "elf.symbol-kind", what);
        }
        let is_code = flags & elf::SHF_EXECINSTR.0 != 0;
        let symbols = &self.unit.symbols;
        let is_wrong = declared == &symbols.init && !is_code
            || (declared == &symbols.metadata || declared == &symbols.globals) && is_code;
        if is_wrong {
            let what = format!("{} is {}", declared.name, if is_code { "code" } else { "not code" });
            return self.report(parsed.object, at, "elf.symbol-kind", what);
        }
        if declared != &symbols.metadata {
            return;
        }
        if flags & (elf::SHF_WRITE.0 | elf::SHF_MERGE.0) != 0 {
            let what = format!("{} is where it can be written, or taken apart by the linker", declared.name);
            return self.report(parsed.object, at + 6, "elf.table", what);
        }
        let value = symbol.st_value(ENDIAN) as usize;
        let range = value..value.saturating_add(self.table.len());
        let found = section.data(ENDIAN, parsed.object.bytes).ok().and_then(|data| data.get(range.clone()));
        if found != Some(self.table) || section.sh_type(ENDIAN) == elf::SHT_NOBITS {
            let what = format!("{} is not the table in {}", declared.name, self.unit.table.path);
            return self.report(parsed.object, at, "elf.table", what);
        }
        for other in parsed.sections.iter().filter(|other| other.sh_info(ENDIAN) as usize == index.0) {
            let Ok(Some((relocations, _))) = other.rela(ENDIAN, parsed.object.bytes) else { continue };
            // A relocation changes eight bytes at most.
            if relocations.iter().any(|rela| {
                (rela.r_offset(ENDIAN) as usize).saturating_add(8) > range.start
                    && (rela.r_offset(ENDIAN) as usize) < range.end
            }) {
                let what = format!("the linker would change the table at {}", declared.name);
                self.report(parsed.object, at, "elf.table", what);
                break;
            }
        }
    }

    /// That everything declared is defined.
    fn finish(&mut self) {
        for (name, symbol) in &self.declared {
            if self.defined.contains_key(name) {
                continue;
            }
            if let Some((at, path)) = self.needed.get(name) {
                let what = format!("{path}: {} is needed, and no object of the unit defines it", symbol.name);
                self.problems.push(Problem::new(Place::Tar, *at, "elf.undefined", what));
            }
            let what = format!("no object for {} defines {}", self.target.name(), symbol.name);
            self.problems.push(Problem::new(Place::Manifest, symbol.at, "elf.symbol-missing", what));
        }
    }
}

/// The global names that an object defines, each with whether it may be code, and those that it needs; none of a file
/// that is no object.
pub(crate) fn names(bytes: &[u8]) -> (BTreeMap<String, bool>, BTreeSet<String>) {
    let (mut defined, mut undefined) = (BTreeMap::new(), BTreeSet::new());
    let symbols = Header::parse(bytes)
        .and_then(|header| header.sections(ENDIAN, bytes))
        .and_then(|sections| sections.symbols(ENDIAN, bytes, elf::SHT_SYMTAB));
    let budget = Budget::of(bytes);
    for symbol in symbols.iter().flat_map(SymbolTable::iter).filter(|symbol| symbol.st_bind() != elf::STB_LOCAL) {
        let name = symbols.as_ref().ok().and_then(|table| table.symbol_name(ENDIAN, symbol).ok());
        // The audit tells what is wrong with the rest.
        let Some(name) = name.filter(|name| budget.take(name)) else { break };
        let name = escaped(name);
        if !symbol.is_undefined(ENDIAN) {
            defined.insert(name, symbol.st_type() != elf::STT_OBJECT);
        } else if !name.is_empty() && name != "_GLOBAL_OFFSET_TABLE_" {
            undefined.insert(name);
        }
    }
    (defined, undefined)
}
