//! The first stack of a program: strings, auxiliary vector, pointers.
//!
//! From the top down, as Linux builds it: eight zero bytes, the file's name,
//! the environment's strings, the arguments' strings, the platform's name and
//! 16 random bytes; then, at a multiple of 16, the auxiliary vector, the
//! pointers to the environment and to the arguments, and their number.

use alloc::sync::Arc;
use alloc::vec::Vec;

use linux_abi::auxv::{
    AT_BASE, AT_CLKTCK, AT_EGID, AT_ENTRY, AT_EUID, AT_EXECFN, AT_FLAGS, AT_GID, AT_HWCAP, AT_HWCAP2, AT_MINSIGSTKSZ,
    AT_NULL, AT_PAGESZ, AT_PHDR, AT_PHENT, AT_PHNUM, AT_PLATFORM, AT_RANDOM, AT_SECURE, AT_SYSINFO_EHDR, AT_UID,
};
use linux_abi::elf::Elf64Phdr;
use machine::{ADDRESS_LIMIT, GuestAddr, PAGE_SIZE, Prot, page_ceil, page_floor};

use crate::Kernel;
use crate::error::Result;
use crate::mm::exec::Args;
use crate::mm::exec::elf::Loaded;
use crate::mm::{Label, MapRequest, Mm, Placement, VmaFlags};
use crate::task::Creds;

/// The first address above the stack.
const STACK_TOP: u64 = ADDRESS_LIMIT;
/// What the stack has below the strings at first; it grows from there.
const FIRST_ROOM: u64 = 128 * 1024;
/// `AT_CLKTCK`: clock ticks per second in `times`.
const CLOCK_TICKS: u64 = 100;
/// `AT_MINSIGSTKSZ`: a signal frame without optional state, and the frame
/// record below it.
const MIN_SIGNAL_STACK: u64 = 4720;

/// What the stack tells the program.
#[derive(Debug)]
pub(super) struct Tables<'a> {
    pub(super) args: &'a Args,
    pub(super) filename: &'a [u8],
    pub(super) loaded: &'a Loaded,
    pub(super) creds: &'a Creds,
    pub(super) is_secure: bool,
    /// Where the vDSO is, if there is one.
    pub(super) vdso: Option<u64>,
}

/// A block of memory that is filled from its top down.
struct Block {
    /// In reverse order.
    reversed: Vec<u8>,
}

impl Block {
    /// Where the next push ends.
    fn at(&self) -> u64 {
        STACK_TOP - self.reversed.len() as u64
    }

    fn push(&mut self, bytes: &[u8]) -> u64 {
        self.reversed.extend(bytes.iter().rev());
        self.at()
    }

    fn push_string(&mut self, string: &[u8]) -> u64 {
        self.push(&[0]);
        self.push(string)
    }

    /// Pushes zero bytes until `extra` more end at a multiple of 16.
    fn align(&mut self, extra: u64) {
        let padding = (self.at() - extra) % 16;
        self.reversed.resize(self.reversed.len() + padding as usize, 0);
    }

    fn push_words(&mut self, words: &[u64]) -> u64 {
        for word in words.iter().rev() {
            self.push(&word.to_le_bytes());
        }
        self.at()
    }
}

/// Maps the stack and fills its top; gives the stack pointer.
///
/// # Errors
/// `ENOMEM`, `EEXIST` if a segment of the program is where the stack goes.
pub(super) fn build(kernel: &Arc<Kernel>, mm: &Arc<Mm>, tables: &Tables<'_>) -> Result<u64> {
    let mut block = Block { reversed: alloc::vec![0; 8] };
    let execfn = block.push_string(tables.filename);
    let env_end = execfn;
    let mut envp: Vec<u64> = tables.args.envp.iter().rev().map(|string| block.push_string(string)).collect();
    let arg_end = block.at();
    let mut argv: Vec<u64> = tables.args.argv.iter().rev().map(|string| block.push_string(string)).collect();
    let arg_start = block.at();
    envp.reverse();
    argv.reverse();
    block.align(0);
    let platform = block.push_string(b"aarch64");
    let mut random = [0; 16];
    kernel.machine().fill_random(&mut random);
    let random = block.push(&random);

    let auxv = auxiliary_vector(kernel, tables, execfn, platform, random);
    let mut words = Vec::with_capacity(argv.len() + envp.len() + auxv.len() + 3);
    words.push(argv.len() as u64);
    words.extend_from_slice(&argv);
    words.push(0);
    words.extend_from_slice(&envp);
    words.push(0);
    words.extend_from_slice(&auxv);
    block.align(words.len() as u64 * 8);
    let sp = block.push_words(&words);

    let bottom = page_floor(sp - FIRST_ROOM.min(sp));
    let prot = Prot::READ | Prot::WRITE;
    mm.map(&MapRequest {
        placement: Placement::FixedNoReplace(bottom),
        flags: VmaFlags::MAY_WRITE | VmaFlags::MAY_EXEC | VmaFlags::GROWSDOWN,
        label: Some(Label::named("[stack]")),
        ..MapRequest::anonymous(STACK_TOP - bottom, if tables.loaded.has_exec_stack { prot | Prot::EXEC } else { prot })
    })?;
    block.reversed.reverse();
    mm.write(GuestAddr(sp), &block.reversed)?;
    mm.set_layout(|layout| {
        layout.stack_start = sp;
        layout.args = arg_start..arg_end;
        layout.env = arg_end..env_end;
        layout.auxv = auxv.iter().flat_map(|word| word.to_le_bytes()).collect();
        layout.vdso = tables.vdso.unwrap_or(0);
    });
    debug_assert!(page_ceil(sp).is_some_and(|end| end % PAGE_SIZE == 0), "the stack pointer is in user addresses");
    Ok(sp)
}

/// The auxiliary vector, in Linux's order.
fn auxiliary_vector(kernel: &Kernel, tables: &Tables<'_>, execfn: u64, platform: u64, random: u64) -> Vec<u64> {
    let Tables { loaded, creds, .. } = tables;
    let [hwcap, hwcap2] = kernel.config().hwcap;
    let mut auxv = Vec::with_capacity(44);
    let mut add = |kind: u64, value: u64| auxv.extend([kind, value]);
    if let Some(vdso) = tables.vdso {
        add(AT_SYSINFO_EHDR, vdso);
    }
    add(AT_MINSIGSTKSZ, MIN_SIGNAL_STACK);
    add(AT_HWCAP, hwcap);
    add(AT_PAGESZ, PAGE_SIZE);
    add(AT_CLKTCK, CLOCK_TICKS);
    add(AT_PHDR, loaded.phdr);
    add(AT_PHENT, Elf64Phdr::SIZE as u64);
    add(AT_PHNUM, loaded.phnum);
    add(AT_BASE, loaded.base);
    add(AT_FLAGS, 0);
    add(AT_ENTRY, loaded.entry);
    add(AT_UID, u64::from(creds.uid));
    add(AT_EUID, u64::from(creds.euid));
    add(AT_GID, u64::from(creds.gid));
    add(AT_EGID, u64::from(creds.egid));
    add(AT_SECURE, u64::from(tables.is_secure));
    add(AT_RANDOM, random);
    add(AT_HWCAP2, hwcap2);
    add(AT_EXECFN, execfn);
    add(AT_PLATFORM, platform);
    add(AT_NULL, 0);
    auxv
}
