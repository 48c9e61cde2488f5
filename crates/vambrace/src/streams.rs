//! The process's standard streams, as the guest's descriptors 0 to 2.

use std::sync::Arc;

use kernel::Kernel;
use kernel::fs::{File, open_host_stream};
use machine_hosted::{StandardStreams, Stdio};

use crate::Error;

/// Opens descriptors 0, 1 and 2.
pub(crate) fn open(kernel: &Arc<Kernel>) -> Result<Vec<Arc<File>>, Error> {
    let streams = StandardStreams::take().map_err(Error::Streams)?;
    let names = ["stdin", "stdout", "stderr"];
    let mut files = Vec::new();
    for (stream, name) in streams.streams.into_iter().zip(names) {
        match stream {
            Stdio::Stream(stream) => files.push(open_host_stream(kernel, name, stream)),
            Stdio::Terminal | Stdio::Closed => {}
        }
    }
    Ok(files)
}
