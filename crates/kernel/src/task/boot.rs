//! The first process.

use alloc::sync::Arc;

use machine::UserContext;
use machine::sync::Mutex;

use crate::Kernel;
use crate::error::Result;
use crate::fs::{FileTable, FsContext};
use crate::kernel::Init;
use crate::signal::{Action, Number};
use crate::task::clone::insert_process;
use crate::task::process::default_limits;
use crate::task::task::{Parts, ThreadSignals};
use crate::task::{Creds, Process, Task, exec};

/// Makes process 1 and lets it run its program.
pub(crate) fn start_init(kernel: &Arc<Kernel>, init: Init) -> Result<()> {
    let task = first_task(kernel, init.creds, init.fs, init.files);
    let loaded = exec::load_first(kernel, &task, &init.path, &init.argv, &init.envp);
    if let Err(error) = loaded {
        // Nothing has run: the kernel is as it was.
        let mut nodes = kernel.tree().nodes.lock();
        nodes.by_pid.remove(&1);
        nodes.by_tid.remove(&1);
        return Err(error);
    }
    if let Some(context) = task.new_context.lock().take() {
        task.body.lock().context = *context;
    }
    task.wake_up();
    Ok(())
}

/// Process 1, with nothing in its memory yet.
pub(crate) fn first_task(kernel: &Arc<Kernel>, creds: Creds, fs: Arc<FsContext>, files: Arc<FileTable>) -> Arc<Task> {
    let actions = Arc::new(Mutex::new([Action::default(); Number::MAX as usize]));
    let process = Process::new(1, actions, default_limits(), u32::from(Number::SIGCHLD.get()), kernel.now_ns());
    let parts = Parts {
        mm: kernel.no_memory(),
        files,
        fs,
        creds: Arc::new(creds),
        context: UserContext::new(0, 0),
        comm: [0; 16],
        signals: ThreadSignals::default(),
    };
    let task = Task::new(kernel, 1, process, parts);
    let mut nodes = kernel.tree().nodes.lock();
    insert_process(&mut nodes, &task, 0, 1, 1);
    nodes.start_numbers_after(1);
    task
}
