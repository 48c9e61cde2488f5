//! Loading programs.

use alloc::sync::Arc;
use alloc::vec::Vec;

use linux_abi::Errno;

use crate::Kernel;
use crate::error::{Because, Result};
use crate::fs::{File, Path};
use crate::mm::Mm;
use crate::task::{Creds, Task};

/// A program that is ready to run.
#[derive(Debug)]
pub struct Image {
    /// The address space, with program, interpreter and stack.
    pub mm: Arc<Mm>,
    /// Where it starts.
    pub entry: u64,
    /// Its stack pointer.
    pub sp: u64,
    /// The program's file, for `/proc/self/exe`.
    pub exe: Path,
    /// The name, for `/proc/self/comm`.
    pub comm: [u8; 16],
    /// The identities it runs as.
    pub creds: Creds,
    /// It gains identities that its caller has not (`AT_SECURE`).
    pub secure: bool,
}

/// Loads a program.
///
/// # Errors
/// As `execve`.
#[expect(clippy::too_many_arguments, reason = "execve has that many")]
pub fn load(
    _kernel: &Arc<Kernel>,
    _task: &Arc<Task>,
    _file: &Arc<File>,
    _name: &[u8],
    _argv: &[Vec<u8>],
    _envp: &[Vec<u8>],
    _creds: Creds,
    _stack_limit: u64,
) -> Result<Image> {
    Err(Errno::ENOEXEC.because("no loader yet"))
}

impl Mm {
    /// Where a signal handler returns to if its action names no restorer: the
    /// vDSO's `__kernel_rt_sigreturn`.
    #[must_use]
    pub fn sigreturn_trampoline(&self) -> u64 {
        self.layout().vdso
    }
}
