//! The process's standard streams, as the guest's descriptors 0 to 2.

use std::sync::Arc;

use kernel::Kernel;
use kernel::fs::{Caller, File, WalkFlags, open_host_stream};
use linux_abi::fcntl::{AT_FDCWD, OpenFlags};
use machine_hosted::{StandardStreams, Stdio};

use crate::Error;

/// Attaches the console and opens descriptors 0, 1 and 2. One that the process
/// was started without is `/dev/null`, so that the others keep their numbers.
/// With `gives_terminal` process 1 gets a controlling terminal, if there is one.
pub(crate) fn open(
    kernel: &Arc<Kernel>,
    streams: &StandardStreams,
    gives_terminal: bool,
) -> Result<Vec<Arc<File>>, Error> {
    kernel.attach_console(streams.console.clone());
    let mut has_terminal = false;
    let mut files = Vec::new();
    for (stream, name) in streams.streams.iter().zip(["stdin", "stdout", "stderr"]) {
        files.push(match stream {
            Stdio::Stream(stream) => open_host_stream(kernel, name, stream.clone()),
            Stdio::Terminal => {
                has_terminal = true;
                kernel.open_console().map_err(|error| internal(name, error))?
            }
            Stdio::Closed => open_null(kernel).map_err(|error| internal(name, error))?,
        });
    }
    if has_terminal && gives_terminal {
        kernel.give_console(1);
    }
    Ok(files)
}

fn open_null(kernel: &Arc<Kernel>) -> kernel::error::Result<Arc<File>> {
    let caller = Caller::kernel(kernel);
    let opened = kernel.vfs().open(&caller, AT_FDCWD, b"/dev/null", OpenFlags::O_RDWR, 0, WalkFlags::empty())?;
    Ok(opened.file)
}

fn internal(name: &str, error: kernel::error::Error) -> Error {
    Error::GuestPath { path: name.into(), errno: error.errno, why: error.why }
}
