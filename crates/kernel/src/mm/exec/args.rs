//! The arguments and the environment of a program, and how long they may be.

use alloc::vec::Vec;

use linux_abi::Errno;
use machine::GuestAddr;

use crate::error::{Because, Result};
use crate::mm::Mm;
use crate::mm::exec::script::Line;

/// The longest single string (`MAX_ARG_STRLEN`), with its NUL.
const MAX_STRING: usize = 32 * 4096;
/// The most strings (`MAX_ARG_STRINGS`).
const MAX_STRINGS: usize = 0x7fff_ffff;
/// What there is always room for (`ARG_MAX`).
const ARG_MAX: u64 = 131_072;
/// Three quarters of the usual stack limit: never more than this.
const ARG_LIMIT: u64 = 6 << 20;

/// Arguments and environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Args {
    /// The arguments, the program's name first.
    pub argv: Vec<Vec<u8>>,
    /// The environment.
    pub envp: Vec<Vec<u8>>,
}

impl Args {
    /// Reads the two null-terminated arrays of strings that `execve` gets;
    /// either may be null, which is an empty one.
    ///
    /// # Errors
    /// `EFAULT`; `E2BIG` if they are longer than `stack_limit` allows.
    pub fn read(mm: &Mm, argv: GuestAddr, envp: GuestAddr, stack_limit: u64) -> Result<Self> {
        let mut room = string_room(stack_limit);
        let argv = read_strings(mm, argv, &mut room)?;
        let envp = read_strings(mm, envp, &mut room)?;
        Ok(Self { argv, envp })
    }

    /// Checks the length of everything; a program without arguments gets an
    /// empty name, as on Linux.
    pub(super) fn check(&mut self, stack_limit: u64, filename: &[u8]) -> Result<()> {
        if self.argv.is_empty() {
            self.argv.push(Vec::new());
        }
        let strings = || self.argv.iter().chain(&self.envp);
        let bytes: u64 = strings().map(|string| string.len() as u64 + 9).sum();
        let total = bytes + filename.len() as u64 + 1;
        if total > string_room(stack_limit) || strings().any(|string| string.len() >= MAX_STRING) {
            return Err(Errno::E2BIG.because("arguments and environment are too long"));
        }
        Ok(())
    }

    /// What a script's interpreter gets: its own name, the line's argument, the
    /// script's name, and the script's arguments.
    pub(super) fn run_script(&mut self, line: &Line, script: &[u8]) {
        let mut argv = Vec::with_capacity(self.argv.len() + 2);
        argv.push(line.interpreter.clone());
        argv.extend(line.argument.clone());
        argv.push(script.to_vec());
        argv.extend(self.argv.drain(..).skip(1));
        self.argv = argv;
    }
}

/// Bytes that strings and the pointers to them may take.
fn string_room(stack_limit: u64) -> u64 {
    (stack_limit / 4).clamp(ARG_MAX, ARG_LIMIT)
}

fn read_strings(mm: &Mm, array: GuestAddr, room: &mut u64) -> Result<Vec<Vec<u8>>> {
    let mut strings = Vec::new();
    if array.is_null() {
        return Ok(strings);
    }
    let too_long = || Errno::E2BIG.because("arguments and environment are too long");
    while strings.len() < MAX_STRINGS {
        let pointer = mm.read_u64(array.add(strings.len() as u64 * 8))?;
        if pointer == 0 {
            return Ok(strings);
        }
        let string = mm.read_cstr(GuestAddr(pointer), MAX_STRING).map_err(|error| match error.errno {
            Errno::ENAMETOOLONG => too_long(),
            _ => error,
        })?;
        // The pointer to it counts too.
        *room = room.checked_sub(string.len() as u64 + 9).ok_or_else(too_long)?;
        strings.push(string);
    }
    Err(too_long())
}
