//! `execve` and `execveat`: a process gets another program.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::Ordering;

use linux_abi::Errno;
use linux_abi::fcntl::AtFlags;
use machine::{GuestAddr, UserContext, pstate};

use crate::Kernel;
use crate::error::{Because, Error, Result};
use crate::fs::File;
use crate::mm::Limits;
use crate::mm::exec::{Args, Image, Program, Request};
use crate::signal::{Action, AltStack};
use crate::syscall::{Cx, Outcome, PathArg};
use crate::task::{Task, exit, pauth};

pub(super) fn execve(cx: &mut Cx<'_>, path: PathArg, argv: GuestAddr, envp: GuestAddr) -> Result<Outcome> {
    execveat(cx, linux_abi::fcntl::AT_FDCWD, path, argv, envp, 0)
}

pub(super) fn execveat(
    cx: &mut Cx<'_>,
    dirfd: i32,
    path: PathArg,
    argv: GuestAddr,
    envp: GuestAddr,
    flags: u32,
) -> Result<Outcome> {
    let allowed = AtFlags::AT_EMPTY_PATH | AtFlags::AT_SYMLINK_NOFOLLOW;
    let flags = AtFlags::from_bits(flags).filter(|flags| allowed.contains(*flags));
    let flags = flags.ok_or_else(|| Errno::EINVAL.because("unknown flags"))?;
    let name = cx.task.mm().read_cstr(path.0, 4096)?;
    let stack_limit = cx.task.process.limit(linux_abi::resource::RLIMIT_STACK as usize).soft;
    let args = Args::read(&cx.task.mm(), argv, envp, stack_limit)?;
    let file = cx.kernel.vfs().open_exec(cx.task, dirfd, &name, flags)?;
    let execfn = exec_name(dirfd, &name);
    let image = load(cx.kernel, cx.task, &file, &execfn, args)?;
    if cx.kernel.tree().threads(cx.task.process.pid).len() <= 1 {
        commit(cx.kernel, cx.task, image);
        return Ok(Outcome::Done(Ok(0)));
    }
    Ok(become_only_thread(cx, image))
}

/// What `AT_EXECFN` and a script's interpreter see as the program's name.
fn exec_name(dirfd: i32, name: &[u8]) -> Vec<u8> {
    if dirfd == linux_abi::fcntl::AT_FDCWD || name.first() == Some(&b'/') {
        return name.to_vec();
    }
    let mut text = alloc::format!("/dev/fd/{dirfd}").into_bytes();
    if !name.is_empty() {
        text.push(b'/');
        text.extend_from_slice(name);
    }
    text
}

fn load(kernel: &Arc<Kernel>, task: &Arc<Task>, file: &Arc<File>, name: &[u8], args: Args) -> Result<Image> {
    let creds = task.creds();
    let request = Request {
        program: program(task, file)?,
        filename: name,
        args,
        creds: &creds,
        limits: Limits::of(&task.process, &creds),
    };
    crate::mm::exec::load(kernel, request, &mut |path| {
        let file = kernel.vfs().open_exec(task, linux_abi::fcntl::AT_FDCWD, path, AtFlags::empty())?;
        program(task, &file)
    })
}

/// The program in a file: set-user-ID and set-group-ID take effect unless the
/// mount or the process forbids it.
fn program(task: &Arc<Task>, file: &Arc<File>) -> Result<Program> {
    let mut program = Program::from_file(file)?;
    if task.process.no_new_privs.load(Ordering::SeqCst)
        || file.path().mount.flags().contains(crate::fs::MountFlags::NO_SUID)
    {
        program.set_uid = None;
        program.set_gid = None;
    }
    Ok(program)
}

/// Ends all other threads and then goes on with `image`.
fn become_only_thread(cx: &mut Cx<'_>, image: Image) -> Outcome {
    let (kernel, task) = (cx.kernel.clone(), cx.task.clone());
    for thread in kernel.tree().threads(task.process.pid) {
        if thread.tid() != task.tid() {
            thread.exiting.store(true, Ordering::SeqCst);
            thread.notice();
        }
    }
    Outcome::wait(async move {
        let changed = task.process.threads_changed.clone();
        let alone = changed
            .wait_until(|| {
                if task.exiting.load(Ordering::SeqCst) {
                    return Some(false);
                }
                (kernel.tree().threads(task.process.pid).len() <= 1).then_some(true)
            })
            .await;
        if !alone {
            return Err(Error::INTERRUPTED_FINAL);
        }
        take_process_number(&kernel, &task);
        commit(&kernel, &task, image);
        Ok(0)
    })
}

/// The thread takes the number of its process, as the first thread has it.
fn take_process_number(kernel: &Kernel, task: &Arc<Task>) {
    let pid = task.process.pid;
    if task.tid() == pid {
        return;
    }
    let mut nodes = kernel.tree().nodes.lock();
    nodes.by_tid.remove(&task.tid());
    nodes.by_tid.insert(pid, task.clone());
    if let Some(node) = nodes.by_pid.get_mut(&pid) {
        node.threads.clear();
        node.threads.insert(pid, task.clone());
    }
    task.set_tid(pid);
}

/// The point of no return: the process gets the new memory and registers, and
/// loses what a program does not inherit.
fn commit(kernel: &Arc<Kernel>, task: &Arc<Task>, image: Image) {
    let process = &task.process;
    exit::release_memory(kernel, task);
    drop(task.set_mm(image.mm));
    let files = task.files();
    if Arc::strong_count(&files) > 2 {
        // Another process shares the table; this one gets its own.
        drop(task.set_files(files.fork()));
    }
    drop(files);
    task.files().close_on_exec();
    reset_signals(task);
    process.timers.exec(kernel);
    task.set_creds(image.creds);
    process.dumpable.store(u32::from(!image.secure), Ordering::SeqCst);
    *process.exe.lock() = Some(image.exe);
    *task.comm.lock() = image.comm;
    task.robust_list.store(0, Ordering::SeqCst);
    process.has_execed.store(true, Ordering::SeqCst);
    let mut context = UserContext::new(image.entry, image.sp);
    context.pauth = pauth::fresh(kernel);
    // Speculation is not held back for a task that has not asked for that.
    context.pstate = pstate::SSBS;
    *task.new_context.lock() = Some(alloc::boxed::Box::new(context));
}

fn reset_signals(task: &Arc<Task>) {
    let mut actions = *task.process.actions.lock().lock();
    for action in &mut actions {
        let handler = if action.handler == Action::IGNORE { Action::IGNORE } else { Action::DEFAULT };
        *action = Action { handler, ..Action::default() };
    }
    *task.process.actions.lock() = Arc::new(machine::sync::Mutex::new(actions));
    task.signals.lock().alt_stack = AltStack::default();
}

/// A file that the kernel was told to run, by its path.
pub(crate) fn load_first(
    kernel: &Arc<Kernel>,
    task: &Arc<Task>,
    path: &[u8],
    argv: &[Vec<u8>],
    envp: &[Vec<u8>],
) -> Result<()> {
    let file = kernel.vfs().open_exec(task, linux_abi::fcntl::AT_FDCWD, path, AtFlags::empty())?;
    let args = Args { argv: argv.to_vec(), envp: envp.to_vec() };
    let image = load(kernel, task, &file, path, args)?;
    commit(kernel, task, image);
    Ok(())
}
