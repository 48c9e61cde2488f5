//! What is mounted in a guest.

use std::path::Path;
use std::sync::Arc;

use kernel::Kernel;
use kernel::fs::tmpfs::Builder;
use kernel::fs::{FileSystem, HostFs, MountFlags, RootDevice};
use linux_abi::Errno;
use machine::HostNode;
use machine_hosted::host_fs;

use crate::Error;
use crate::builder::{Bind, GuestBuilder, Root};

/// Mounts everything that the guest has from the start.
pub(crate) fn mount_all(kernel: &Arc<Kernel>, builder: &GuestBuilder) -> Result<(), Error> {
    let vfs = kernel.vfs();
    match &builder.root {
        Root::Builtin => crate::userland::unpack(&mut Builder::new(vfs.rootfs().clone()))?,
        Root::Dir(dir) => {
            let node = host_fs::open_dir(dir, false).map_err(|errno| host_error(dir, errno))?;
            vfs.mount_root(host_file_system(kernel, dir, node)?, MountFlags::empty(), b"host");
        }
        Root::Image(image) => {
            // It is the first disk, for reading only if its file may not be
            // written.
            let disk = vfs.blocks().list().first();
            let root = RootDevice {
                device: "vda".into(),
                read_only: disk.is_some_and(|disk| disk.is_read_only()),
                ..RootDevice::default()
            };
            vfs.mount_root_device(kernel, &root).map_err(|error| Error::Root {
                path: image.clone(),
                errno: error.errno,
                why: error.why,
            })?;
        }
    }
    let mut failure = Ok(());
    vfs.mount_standard(kernel, &mut |path, error| failure = Err(guest_error(path.as_bytes(), error)));
    failure?;
    builder.binds.iter().try_for_each(|bind| mount_bind(kernel, bind))
}

fn mount_bind(kernel: &Arc<Kernel>, bind: &Bind) -> Result<(), Error> {
    let node = open_host(&bind.host, bind.read_only).map_err(|errno| host_error(&bind.host, errno))?;
    let fs = host_file_system(kernel, &bind.host, node)?;
    let flags = if bind.read_only { MountFlags::READ_ONLY } else { MountFlags::empty() };
    let mounted = kernel.vfs().mount(kernel, fs, &bind.guest, flags, "host");
    mounted.map(drop).map_err(|error| guest_error(&bind.guest, error))
}

/// A host directory, or a single file in one. The embedder's own path may
/// lead through symbolic links; the guest's never do.
fn open_host(path: &Path, read_only: bool) -> Result<Arc<dyn HostNode>, Errno> {
    let io = |error: std::io::Error| error.raw_os_error().and_then(Errno::from_number).unwrap_or(Errno::EIO);
    let real = path.canonicalize().map_err(io)?;
    if real.is_dir() {
        return host_fs::open_dir(&real, read_only);
    }
    let (dir, name) = real.parent().zip(real.file_name()).ok_or(Errno::ENOENT)?;
    host_fs::open_dir(dir, read_only)?.lookup(std::os::unix::ffi::OsStrExt::as_bytes(name))
}

fn host_file_system(kernel: &Arc<Kernel>, path: &Path, node: Arc<dyn HostNode>) -> Result<Arc<dyn FileSystem>, Error> {
    let fs = HostFs::new(kernel, node).map_err(|error| host_error(path, error.errno))?;
    Ok(fs)
}

fn host_error(path: &Path, errno: Errno) -> Error {
    Error::HostPath { path: path.to_owned(), errno }
}

fn guest_error(path: &[u8], error: kernel::error::Error) -> Error {
    let path = String::from_utf8_lossy(path).into_owned();
    Error::GuestPath { path, errno: error.errno, why: error.why }
}
