//! Programs: from a file to an address space that is ready to run.
//!
//! [`load`] follows `#!` lines ([`script`]), maps the ELF file and its
//! interpreter ([`elf`]), and builds the first stack ([`stack`]). All of it
//! happens in a fresh [`Mm`], so that a failure leaves the caller as it was.
//! Pages of the files are mapped from their page cache, never copied, so that
//! processes that run the same file share its frames.

mod args;
mod elf;
mod property;
mod script;
mod stack;

use alloc::sync::Arc;
use alloc::vec::Vec;

use linux_abi::Errno;
use linux_abi::stat::{S_ISGID, S_ISUID, S_IXGRP};

use crate::Kernel;
use crate::error::{Because, Result};
use crate::fs::{File, Path};
use crate::mm::{Label, Limits, Mm, Object};
use crate::task::Creds;

pub use args::Args;

/// How many `#!` lines may lead to each other.
const MAX_SCRIPT_DEPTH: usize = 5;

/// A file that is to be run or to serve as an interpreter.
#[derive(Clone, Debug)]
pub struct Program {
    /// Its pages.
    pub object: Arc<Object>,
    /// What `/proc/PID/maps` says of it.
    pub label: Arc<Label>,
    /// Where it is, for `/proc/PID/exe`.
    pub path: Path,
    /// The user it runs as (`S_ISUID`), unless that is to be ignored.
    pub set_uid: Option<u32>,
    /// The group it runs as (`S_ISGID`), unless that is to be ignored.
    pub set_gid: Option<u32>,
}

impl Program {
    /// The program in an open file, with the set-user-ID and set-group-ID bits
    /// that it has.
    ///
    /// # Errors
    /// `EACCES` if the file cannot be mapped.
    pub fn from_file(file: &Arc<File>) -> Result<Self> {
        let object = file.ops().mmap_object(file).map_err(|error| match error.errno {
            Errno::ENODEV => Errno::EACCES.because("the file cannot be mapped"),
            _ => error,
        })?;
        let attr = file.attr()?;
        let set_uid = (attr.mode & S_ISUID != 0).then_some(attr.uid);
        let set_gid = (attr.mode & (S_ISGID | S_IXGRP) == S_ISGID | S_IXGRP).then_some(attr.gid);
        Ok(Self { object, label: Label::of(file)?, path: file.path().clone(), set_uid, set_gid })
    }
}

/// What `execve` asks for.
#[derive(Debug)]
pub struct Request<'a> {
    /// The file.
    pub program: Program,
    /// Its name as the caller gave it.
    pub filename: &'a [u8],
    /// Arguments and environment.
    pub args: Args,
    /// The identities of the caller.
    pub creds: &'a Creds,
    /// The limits of the process.
    pub limits: Limits,
}

/// A program that is ready to run.
#[derive(Debug)]
pub struct Image {
    /// Its address space.
    pub mm: Arc<Mm>,
    /// Where it starts: the dynamic linker's entry, if it has one.
    pub entry: u64,
    /// The stack pointer.
    pub sp: u64,
    /// The file that runs, for `/proc/PID/exe`; for a script its interpreter.
    pub exe: Path,
    /// The name of the task.
    pub comm: [u8; 16],
    /// The identities it runs with.
    pub creds: Creds,
    /// It has more rights than its caller (`AT_SECURE`).
    pub secure: bool,
}

/// Loads a program. `open` opens the interpreter of a script or of a dynamic
/// program by its path, as an executable file.
///
/// # Errors
/// `ENOEXEC` if the file is no program for this machine, `ELOOP` for scripts
/// that lead to each other too deeply, `E2BIG` for arguments that are too
/// long, `ELIBBAD` if the dynamic linker is no such thing, `EINVAL` for
/// segments that make no sense, `ENOMEM`, and what `open` gives.
pub fn load(
    kernel: &Arc<Kernel>,
    request: Request<'_>,
    open: &mut dyn FnMut(&[u8]) -> Result<Program>,
) -> Result<Image> {
    let Request { mut program, filename, mut args, creds, limits } = request;
    let mut script: Vec<u8> = filename.to_vec();
    let mut depth = 0;
    while let Some(line) = script::parse(&program)? {
        depth += 1;
        if depth > MAX_SCRIPT_DEPTH {
            return Err(Errno::ELOOP.because("too many scripts lead to each other"));
        }
        args.run_script(&line, &script);
        program = open(&line.interpreter)?;
        script = line.interpreter;
    }
    let stack_limit = limits.stack.load(core::sync::atomic::Ordering::Relaxed);
    args.check(stack_limit, filename)?;
    let header = elf::Header::read(&program)?;
    let interpreter = match header.interpreter(&program)? {
        Some(path) => Some(open(&path)?),
        None => None,
    };
    let mm = Mm::new(kernel)?;
    mm.limits().set(&limits);
    let creds = new_creds(creds, &program);
    let is_secure = creds.euid != creds.uid || creds.egid != creds.gid;
    let loaded = elf::map_program(&mm, &header, &program, interpreter.as_ref(), kernel.has_bti())?;
    let vdso = kernel.vdso().map_into(&mm, kernel.clock());
    let tables = stack::Tables { args: &args, filename, loaded: &loaded, creds: &creds, is_secure, vdso };
    let sp = stack::build(kernel, &mm, &tables)?;
    Ok(Image { mm, entry: loaded.start, sp, exe: program.path, comm: comm_of(filename), creds, secure: is_secure })
}

/// The identities that the program runs with.
fn new_creds(caller: &Creds, program: &Program) -> Creds {
    let euid = program.set_uid.unwrap_or(caller.euid);
    let egid = program.set_gid.unwrap_or(caller.egid);
    Creds { euid, suid: euid, fsuid: euid, egid, sgid: egid, fsgid: egid, ..caller.clone() }
}

/// The last part of the file's name, cut to 15 bytes.
fn comm_of(filename: &[u8]) -> [u8; 16] {
    let name = filename.rsplit(|byte| *byte == b'/').next().unwrap_or(filename);
    let mut comm = [0; 16];
    let len = name.len().min(15);
    comm[..len].copy_from_slice(&name[..len]);
    comm
}

#[cfg(test)]
mod tests;
