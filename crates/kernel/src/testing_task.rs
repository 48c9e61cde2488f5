//! A process for unit tests: a task with memory and files whose system calls
//! a test makes by number.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::task::{Context, Poll};

use linux_abi::{Errno, Wire};
use machine::sync::Mutex;
use machine::{GuestAddr, Prot, UserContext};

use crate::Kernel;
use crate::error::Result;
use crate::fs::{FileTable, FsContext, IoBuf};
use crate::mm::{MapRequest, Mm};
use crate::signal::{Action, Number, Set};
use crate::syscall::{self, BoxFuture, Cx, Outcome};
use crate::task::{Creds, Parts, Process, Task, ThreadSignals};
use crate::testing::{FakeMachine, kernel_on, kernel_with};

/// A process with one thread and a page of memory.
pub(crate) struct Guest {
    pub(crate) machine: Arc<FakeMachine>,
    pub(crate) kernel: Arc<Kernel>,
    pub(crate) task: Arc<Task>,
    /// Where its memory is.
    pub(crate) memory: u64,
}

/// A call that waits.
pub(crate) struct Waiting {
    task: Arc<Task>,
    future: BoxFuture<Result<u64>>,
}

fn add_process(kernel: &Arc<Kernel>, pid: u32, parent: u32, pgid: u32, sid: u32) -> Arc<Task> {
    let actions = Arc::new(Mutex::new([Action::default(); Number::MAX as usize]));
    let process = Process::new(pid, actions, crate::task::default_limits(), 17, 0);
    let parts = Parts {
        mm: Mm::new(kernel).unwrap(),
        files: FileTable::new(),
        fs: FsContext::new(kernel.vfs().root()),
        creds: Arc::new(Creds::new(0, 0)),
        context: UserContext::new(0, 0),
        comm: [0; 16],
        signals: ThreadSignals::default(),
    };
    let task = Task::new(kernel, pid, process, parts);
    crate::task::insert_process(&mut kernel.tree().nodes.lock(), &task, parent, pgid, sid);
    task
}

impl Guest {
    /// Process 1, in a kernel of its own.
    pub(crate) fn new() -> Self {
        Self::on(FakeMachine::new(256))
    }

    /// Process 1, in a kernel of its own on this machine.
    pub(crate) fn on(machine: Arc<FakeMachine>) -> Self {
        let kernel = kernel_on(&machine);
        Self::in_kernel(machine, kernel, 1, 0, 1, 1)
    }

    /// Process 1 of a kernel on this machine, with boot parameters.
    pub(crate) fn with(machine: Arc<FakeMachine>, cmdline: &str) -> Self {
        let kernel = kernel_with(&machine, cmdline);
        Self::in_kernel(machine, kernel, 1, 0, 1, 1)
    }

    /// Another process of the same kernel.
    pub(crate) fn sibling(&self, pid: u32, parent: u32, pgid: u32, sid: u32) -> Self {
        Self::in_kernel(self.machine.clone(), self.kernel.clone(), pid, parent, pgid, sid)
    }

    fn in_kernel(machine: Arc<FakeMachine>, kernel: Arc<Kernel>, pid: u32, parent: u32, pgid: u32, sid: u32) -> Self {
        let task = add_process(&kernel, pid, parent, pgid, sid);
        let memory = task.mm().map(&MapRequest::anonymous(65536, Prot::READ | Prot::WRITE)).unwrap().0;
        Self { machine, kernel, task, memory }
    }

    /// Makes a system call.
    pub(crate) fn start(&self, number: u64, args: &[u64]) -> Outcome {
        let mut context = UserContext::new(0, 0);
        context.x[..args.len()].copy_from_slice(args);
        context.x[8] = number;
        self.task.clear_attention();
        syscall::dispatch(&mut Cx { kernel: &self.kernel, task: &self.task, regs: &mut context })
    }

    /// Makes a system call that does not wait.
    pub(crate) fn call(&self, number: u64, args: &[u64]) -> core::result::Result<u64, Errno> {
        match self.start(number, args) {
            Outcome::Done(result) => result.map_err(|error| error.errno),
            other => panic!("call {number} gave {other:?}"),
        }
    }

    /// Makes a system call that waits.
    pub(crate) fn wait(&self, number: u64, args: &[u64]) -> Waiting {
        match self.start(number, args) {
            Outcome::Wait(future) => Waiting { task: self.task.clone(), future },
            other => panic!("call {number} gave {other:?}"),
        }
    }

    /// Lets time pass, and timers go off.
    pub(crate) fn advance(&self, ns: u64) {
        self.machine.advance(ns);
        self.kernel.timers().expire(self.kernel.now_ns());
    }

    /// Stores a value at an offset into the memory and gives its address.
    pub(crate) fn put<T: Wire>(&self, offset: u64, value: &T) -> u64 {
        self.task.mm().write_abi(GuestAddr(self.memory + offset), value).unwrap();
        self.memory + offset
    }

    /// The value at an offset into the memory.
    pub(crate) fn get<T: Wire>(&self, offset: u64) -> T {
        self.task.mm().read_abi(GuestAddr(self.memory + offset)).unwrap()
    }

    /// Reads from a descriptor, as the file itself does.
    pub(crate) fn read(&self, fd: u64, len: usize) -> core::result::Result<Vec<u8>, Errno> {
        let file = self.task.files().get(i32::try_from(fd).unwrap()).unwrap();
        let mut bytes = alloc::vec![0; len];
        let count = file.ops().read(&file, &self.task, &mut IoBuf::into_slice(&mut bytes));
        bytes.truncate(count.map_err(|error| error.errno)?);
        Ok(bytes)
    }

    /// Writes to a descriptor, as the file itself does.
    pub(crate) fn write(&self, fd: u64, bytes: &[u8]) -> core::result::Result<usize, Errno> {
        let file = self.task.files().get(i32::try_from(fd).unwrap()).unwrap();
        file.ops().write(&file, &self.task, &mut IoBuf::from_slice(bytes)).map_err(|error| error.errno)
    }

    /// Closes a descriptor.
    pub(crate) fn close(&self, fd: u64) {
        drop(self.task.files().close(i32::try_from(fd).unwrap()).unwrap());
    }

    /// Signals that are pending for the process or its thread.
    pub(crate) fn pending(&self) -> Set {
        let own = self.task.signals.lock().pending.set();
        own.union(self.task.process.signals.lock().pending.set())
    }

    /// Takes a pending signal.
    pub(crate) fn take_signal(&self, signal: Number) -> Option<crate::signal::Info> {
        self.task.process.signals.lock().pending.take(Set::of(signal))
    }
}

impl Waiting {
    /// The result, if there is one now.
    pub(crate) fn poll(&mut self) -> Option<core::result::Result<u64, Errno>> {
        match self.future.as_mut().poll(&mut Context::from_waker(&self.task.waker())) {
            Poll::Ready(result) => Some(result.map_err(|error| error.errno)),
            Poll::Pending => None,
        }
    }
}
