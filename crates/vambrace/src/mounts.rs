//! What is mounted in a guest.

use std::sync::Arc;

use kernel::Kernel;
use kernel::fs::procfs::ProcFsType;
use kernel::fs::tmpfs::Builder;

use crate::builder::{GuestBuilder, Root};
use crate::Error;

/// Mounts everything that the guest has from the start.
pub(crate) fn mount_all(kernel: &Arc<Kernel>, builder: &GuestBuilder) -> Result<(), Error> {
    match &builder.root {
        Root::Builtin => crate::userland::unpack(&mut Builder::new(kernel.vfs().rootfs().clone()))?,
        Root::Dir(_) => {}
    }
    let vfs = kernel.vfs();
    vfs.register_type(Arc::new(ProcFsType));
    Ok(())
}
