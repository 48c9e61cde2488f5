//! ELF files: checking the headers and mapping the segments.
//!
//! The errors are those of Linux's `load_elf_binary`, except that a file whose
//! segments make no sense fails with an errno where Linux, which has no old
//! program to go back to by then, ends the process.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;

use linux_abi::elf::{
    EI_NIDENT, ELFMAG, EM_AARCH64, ET_DYN, ET_EXEC, Elf64Ehdr, Elf64Phdr, PF_R, PF_W, PF_X, PT_GNU_PROPERTY,
    PT_GNU_STACK, PT_INTERP, PT_LOAD,
};
use linux_abi::{Errno, Wire};
use machine::{ADDRESS_LIMIT, GuestAddr, PAGE_SIZE, Prot, page_ceil, page_floor};

use crate::error::{Because, Result};
use crate::mm::address_space::MIN_ADDRESS;
use crate::mm::exec::{Program, property};
use crate::mm::{MapRequest, Mm, Placement, VmaFlags};

/// Where a position-independent program goes: two thirds up the address space,
/// as on Linux without randomisation. Always the same place, so that processes
/// that run the same file have the same code at the same address.
const DYN_BASE: u64 = 2 * (ADDRESS_LIMIT / 3);
/// The most program headers: they must fit 64 KiB.
const MAX_HEADERS_SIZE: usize = 65_536;
/// The longest interpreter path (`PATH_MAX`).
const PATH_MAX: u64 = 4096;
/// No alignment above this is honoured.
const MAX_ALIGN: u64 = 1 << 30;

/// The headers of an ELF file for this machine.
#[derive(Debug)]
pub(super) struct Header {
    ehdr: Elf64Ehdr,
    phdrs: Vec<Elf64Phdr>,
}

/// Where a program has been mapped.
#[derive(Debug)]
pub(super) struct Loaded {
    /// Where the process starts: in the interpreter if there is one.
    pub(super) start: u64,
    /// The program's own entry.
    pub(super) entry: u64,
    /// Where its program headers are, 0 if they are not mapped.
    pub(super) phdr: u64,
    /// How many there are.
    pub(super) phnum: u64,
    /// Where the interpreter was mapped; 0 without one.
    pub(super) base: u64,
    /// It asks for an executable stack.
    pub(super) has_exec_stack: bool,
}

impl Header {
    /// Reads and checks the headers.
    ///
    /// # Errors
    /// `ENOEXEC` if this is no ELF program for arm64.
    pub(super) fn read(program: &Program) -> Result<Self> {
        let mut bytes = [0; Elf64Ehdr::SIZE];
        let len = program.object.read_at(0, &mut bytes)?;
        let ehdr = Elf64Ehdr::from_bytes(&bytes);
        if len < EI_NIDENT as usize || ehdr.e_ident[..4] != ELFMAG {
            return Err(Errno::ENOEXEC.because("neither an ELF file nor a script"));
        }
        if !matches!(u32::from(ehdr.e_type), ET_EXEC | ET_DYN) {
            return Err(Errno::ENOEXEC.because("an ELF file that is no program"));
        }
        if u32::from(ehdr.e_machine) != EM_AARCH64 {
            return Err(Errno::ENOEXEC.because("a program for another machine"));
        }
        let size = usize::from(ehdr.e_phnum) * Elf64Phdr::SIZE;
        if usize::from(ehdr.e_phentsize) != Elf64Phdr::SIZE || size == 0 || size > MAX_HEADERS_SIZE {
            return Err(Errno::ENOEXEC.because("no program headers, or too many"));
        }
        let mut bytes = alloc::vec![0; size];
        if program.object.read_at(ehdr.e_phoff, &mut bytes)? < size {
            return Err(Errno::ENOEXEC.because("the program headers are past the end of the file"));
        }
        let phdrs = bytes.chunks_exact(Elf64Phdr::SIZE).map(Elf64Phdr::load).collect();
        Ok(Self { ehdr, phdrs })
    }

    /// The path of the dynamic linker, if the program wants one.
    ///
    /// # Errors
    /// `ENOEXEC` if it is not a string, `EIO` if it is past the end of the file.
    pub(super) fn interpreter(&self, program: &Program) -> Result<Option<Vec<u8>>> {
        let Some(segment) = self.phdrs.iter().find(|segment| segment.p_type == PT_INTERP) else { return Ok(None) };
        if segment.p_filesz > PATH_MAX || segment.p_filesz < 2 {
            return Err(Errno::ENOEXEC.because("the dynamic linker's path has no sensible length"));
        }
        let mut path = alloc::vec![0; usize::try_from(segment.p_filesz).unwrap_or(0)];
        if program.object.read_at(segment.p_offset, &mut path)? < path.len() {
            return Err(Errno::EIO.because("the dynamic linker's path is past the end of the file"));
        }
        if path.pop() != Some(0) {
            return Err(Errno::ENOEXEC.because("the dynamic linker's path has no end"));
        }
        // What follows an earlier NUL is no part of the string.
        if let Some(end) = path.iter().position(|byte| *byte == 0) {
            path.truncate(end);
        }
        Ok(Some(path))
    }

    /// What the property note adds to the protection of code. A program with
    /// an interpreter gets it from that, which has read the notes of libraries
    /// too; so only a program without one, and an interpreter, are asked.
    ///
    /// # Errors
    /// `ENOEXEC` or `EIO` if the note is damaged.
    fn code_prot(&self, program: &Program, has_bti: bool) -> Result<Prot> {
        let note = self.phdrs.iter().rfind(|segment| segment.p_type == PT_GNU_PROPERTY);
        let has_pads = note.map_or(Ok(false), |segment| property::has_landing_pads(program, segment))?;
        Ok(if has_pads && has_bti { Prot::GUARDED } else { Prot::NONE })
    }

    fn is_dyn(&self) -> bool {
        u32::from(self.ehdr.e_type) == ET_DYN
    }

    fn loads(&self) -> impl DoubleEndedIterator<Item = &Elf64Phdr> {
        self.phdrs.iter().filter(|segment| segment.p_type == PT_LOAD)
    }

    /// The addresses in the file's own terms that its segments take, whole
    /// pages.
    ///
    /// # Errors
    /// `ENOEXEC` without a segment, `EINVAL` if one leaves the address space.
    fn extent(&self) -> Result<Range<u64>> {
        let mut extent: Option<Range<u64>> = None;
        for segment in self.loads() {
            let range = segment_range(segment)?;
            extent = Some(match extent {
                None => range,
                Some(all) => all.start.min(range.start)..all.end.max(range.end),
            });
        }
        extent.filter(|extent| !extent.is_empty()).ok_or(Errno::ENOEXEC.because("there is nothing to load"))
    }

    /// The largest alignment that a segment asks for.
    fn alignment(&self) -> u64 {
        let sensible = |align: &u64| align.is_power_of_two() && *align <= MAX_ALIGN;
        self.loads().map(|segment| segment.p_align).filter(sensible).max().unwrap_or(PAGE_SIZE).max(PAGE_SIZE)
    }
}

/// The pages of a segment in the file's own terms.
fn segment_range(segment: &Elf64Phdr) -> Result<Range<u64>> {
    let bad = Errno::EINVAL.because("a segment leaves the address space or is longer in the file than in memory");
    if segment.p_filesz > segment.p_memsz {
        return Err(bad);
    }
    let end = segment.p_vaddr.checked_add(segment.p_memsz).and_then(page_ceil);
    let end = end.filter(|end| *end <= ADDRESS_LIMIT).ok_or(bad)?;
    Ok(page_floor(segment.p_vaddr)..end)
}

/// Maps a program and its interpreter.
///
/// # Errors
/// `EINVAL` for segments that make no sense, `ELIBBAD` for an interpreter that
/// is none, `EPERM` below the lowest address, `EEXIST` for segments that
/// overlap, `ENOMEM`.
pub(super) fn map_program(
    mm: &Arc<Mm>,
    header: &Header,
    program: &Program,
    interpreter: Option<&Program>,
    has_bti: bool,
) -> Result<Loaded> {
    let code_prot = if interpreter.is_none() { header.code_prot(program, has_bti)? } else { Prot::NONE };
    let extent = header.extent()?;
    let bias = if header.is_dyn() {
        let base = DYN_BASE - DYN_BASE % header.alignment();
        base.wrapping_sub(extent.start)
    } else {
        0
    };
    let segments = map_segments(mm, header, program, bias, code_prot)?;
    let entry = header.ehdr.e_entry.wrapping_add(bias);
    let interpreter = interpreter.map(|file| map_interpreter(mm, file, has_bti)).transpose()?;
    let (start, base) = interpreter.unwrap_or((entry, 0));
    if start >= ADDRESS_LIMIT {
        return Err(Errno::EINVAL.because("the entry is not in user addresses"));
    }
    let file_phdrs = |segment: &&Elf64Phdr| {
        let offset = header.ehdr.e_phoff;
        segment.p_offset <= offset && offset - segment.p_offset < segment.p_filesz
    };
    let phdr = header
        .loads()
        .find(file_phdrs)
        .map_or(0, |segment| (header.ehdr.e_phoff - segment.p_offset).wrapping_add(segment.p_vaddr).wrapping_add(bias));
    mm.set_layout(|layout| {
        layout.code = segments.code;
        layout.data = segments.data;
        layout.brk = segments.end..segments.end;
    });
    Ok(Loaded {
        start,
        entry,
        phdr,
        phnum: header.phdrs.len() as u64,
        base,
        has_exec_stack: (header.phdrs.iter())
            .any(|segment| segment.p_type == PT_GNU_STACK && segment.p_flags & PF_X != 0),
    })
}

/// Maps a dynamic linker anywhere; gives its entry and where it starts.
fn map_interpreter(mm: &Arc<Mm>, file: &Program, has_bti: bool) -> Result<(u64, u64)> {
    let bad = |_| Errno::ELIBBAD.because("the dynamic linker is no ELF program for this machine");
    let header = Header::read(file).map_err(bad)?;
    let code_prot = header.code_prot(file, has_bti)?;
    let extent = header.extent()?;
    let bias = if header.is_dyn() {
        mm.find_free(extent.end - extent.start, header.alignment())?.wrapping_sub(extent.start)
    } else {
        0
    };
    map_segments(mm, &header, file, bias, code_prot)?;
    let entry = header.ehdr.e_entry.wrapping_add(bias);
    Ok((entry, extent.start.wrapping_add(bias)))
}

/// Where the segments of a file went.
struct Segments {
    code: Range<u64>,
    data: Range<u64>,
    /// The end of the last page.
    end: u64,
}

fn map_segments(mm: &Arc<Mm>, header: &Header, file: &Program, bias: u64, code_prot: Prot) -> Result<Segments> {
    let mut all = Segments { code: 0..0, data: 0..0, end: 0 };
    for segment in header.loads() {
        let range = segment_range(segment)?;
        let start = segment.p_vaddr.wrapping_add(bias);
        let pages = page_floor(start)..range.end.wrapping_add(bias);
        if pages.start > pages.end || pages.end > ADDRESS_LIMIT {
            return Err(Errno::EINVAL.because("a segment leaves the address space"));
        }
        // As on Linux the first segment replaces nothing; later ones may share
        // a page with it.
        map_segment(mm, file, segment, start, all.end != 0, code_prot)?;
        let file_end = start + segment.p_filesz;
        if segment.p_flags & PF_X != 0 {
            let first = if all.code.is_empty() { start } else { all.code.start.min(start) };
            all.code = first..all.code.end.max(file_end);
        } else {
            all.data = start.max(all.data.start)..file_end.max(all.data.end);
        }
        all.end = all.end.max(pages.end);
    }
    if all.data.is_empty() {
        all.data = 0..0;
    }
    Ok(all)
}

/// Maps one segment whose first byte goes to `start`.
fn map_segment(
    mm: &Arc<Mm>,
    file: &Program,
    segment: &Elf64Phdr,
    start: u64,
    replace: bool,
    code_prot: Prot,
) -> Result<()> {
    let first = page_floor(start);
    let file_end = start + segment.p_filesz;
    let memory_end = start + segment.p_memsz;
    let mut prot = Prot::NONE;
    for (flag, bit) in [(PF_R, Prot::READ), (PF_W, Prot::WRITE), (PF_X, Prot::EXEC | code_prot)] {
        if segment.p_flags & flag != 0 {
            prot = prot | bit;
        }
    }
    if first < MIN_ADDRESS && memory_end > start {
        return Err(Errno::EPERM.because("a segment is below the lowest address"));
    }
    let place = |addr| if replace { Placement::Fixed(addr) } else { Placement::FixedNoReplace(addr) };
    let request = MapRequest {
        placement: place(first),
        flags: VmaFlags::MAY_WRITE | VmaFlags::MAY_EXEC,
        ..MapRequest::anonymous(0, prot)
    };
    let mut file_pages_end = first;
    if segment.p_filesz != 0 {
        let offset = segment.p_offset.checked_sub(start - first);
        let offset = offset.filter(|offset| offset % PAGE_SIZE == 0);
        let offset = offset.ok_or(Errno::EINVAL.because("a segment's offset and address do not agree"))?;
        file_pages_end = page_ceil(file_end).unwrap_or(ADDRESS_LIMIT);
        mm.map(&MapRequest {
            len: file_pages_end - first,
            object: Some(file.object.clone()),
            label: Some(file.label.clone()),
            offset,
            ..request.clone()
        })?;
    }
    let end = page_ceil(memory_end).unwrap_or(ADDRESS_LIMIT);
    if end > file_pages_end {
        let placement = place(file_pages_end);
        mm.map(&MapRequest { placement, len: end - file_pages_end, ..request })?;
    }
    // What the last page has of the file beyond the segment is no part of it.
    if segment.p_memsz > segment.p_filesz && segment.p_filesz != 0 && prot.contains(Prot::WRITE) {
        let tail = file_pages_end - file_end;
        mm.zero(GuestAddr(file_end), usize::try_from(tail).unwrap_or(0))?;
    }
    Ok(())
}
