//! From a [`GuestBuilder`] to a running guest.

use std::any::Any;
use std::path::PathBuf;
use std::sync::Arc;

use kernel::fs::{Caller, FileTable, FsContext, WalkFlags};
use kernel::task::Creds;
use kernel::{Config, Init, Kernel};
use linux_abi::Errno;
use linux_abi::fcntl::AT_FDCWD;
use machine::BlockDev;
use machine_hosted::{FileDisk, HostedMachine, StandardStreams};

use crate::Error;
use crate::builder::{DEFAULT_PATH, GuestBuilder, Root};
use crate::door::GuestDoor;

/// Runs a guest to its end.
pub(crate) fn run(builder: GuestBuilder) -> Result<u8, Error> {
    if builder.program.is_empty() {
        return Err(Error::NoProgram);
    }
    let GuestBuilder { memory, cpus, .. } = builder;
    let mut config = machine_hosted::Config::new(memory, cpus);
    config.block_devices = open_disks(&builder)?;
    let machine = HostedMachine::new(config)?;
    // The terminal is restored when this goes, after the guest has ended.
    let streams = StandardStreams::take().map_err(Error::Streams)?;
    let gc_socket = builder.gc_socket.clone();
    let kernel = boot(machine.clone(), builder, &streams)?;
    let door = gc_socket.map(|path| GuestDoor::open(&path, kernel.clone())).transpose()?;
    let running = {
        let kernel = kernel.clone();
        machine.start(move |cpu| kernel.cpu_main(cpu))?
    };
    running.join().map_err(|panic| Error::Internal(panic_text(&*panic)))?;
    drop(door);
    kernel.vfs().shut_down();
    let status = kernel.init_status();
    status.map(kernel::task::ExitStatus::shell_code).ok_or_else(|| Error::Internal("no exit status".into()))
}

/// The disks, that of the root first.
fn open_disks(builder: &GuestBuilder) -> Result<Vec<Arc<dyn BlockDev>>, Error> {
    let root = match &builder.root {
        Root::Image(image) => Some(image),
        Root::Builtin | Root::Dir(_) => None,
    };
    let open = |path: &PathBuf| match FileDisk::open(path) {
        Ok(disk) => Ok(Arc::new(disk) as Arc<dyn BlockDev>),
        Err(source) if source.kind() == std::io::ErrorKind::WouldBlock => Err(Error::ImageInUse { path: path.clone() }),
        Err(source) => Err(Error::Image { path: path.clone(), source }),
    };
    root.into_iter().chain(&builder.disks).map(open).collect()
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a thread panicked".into())
}

/// Makes the kernel, its mounts and its first process.
fn boot(
    machine: Arc<HostedMachine>,
    mut builder: GuestBuilder,
    streams: &StandardStreams,
) -> Result<Arc<Kernel>, Error> {
    let features = engine::host_features();
    let config = Config {
        hostname: builder.hostname.clone(),
        cmdline: String::from("console=tty0"),
        trace: builder.trace.take(),
        hwcap: [features.hwcap, features.hwcap2],
        cpuinfo: features.cpuinfo(machine::Machine::clock(&*machine).counter_frequency()),
    };
    let kernel = Kernel::new(machine, config).map_err(|_| Error::Memory)?;
    crate::mounts::mount_all(&kernel, &builder)?;
    let files = FileTable::new();
    files.set_initial(crate::streams::open(&kernel, streams, !builder.is_init)?);
    let fs = FsContext::new(kernel.vfs().root());
    if let Some(cwd) = &builder.cwd {
        enter(&kernel, &fs, cwd)?;
    }
    start(&kernel, &builder, &fs, &files)?;
    Ok(kernel)
}

/// Makes `cwd` the working directory.
fn enter(kernel: &Arc<Kernel>, fs: &Arc<FsContext>, cwd: &[u8]) -> Result<(), Error> {
    let caller = Caller { fs: fs.clone(), ..Caller::kernel(kernel) };
    let flags = WalkFlags::FOLLOW | WalkFlags::DIRECTORY;
    let dir = kernel.vfs().resolve(&caller, AT_FDCWD, cwd, flags).map_err(|error| Error::GuestPath {
        path: String::from_utf8_lossy(cwd).into_owned(),
        errno: error.errno,
        why: error.why,
    })?;
    fs.set_cwd(dir);
    Ok(())
}

/// Starts the program, looked up in `PATH` if its name has no slash.
fn start(
    kernel: &Arc<Kernel>,
    builder: &GuestBuilder,
    fs: &Arc<FsContext>,
    files: &Arc<FileTable>,
) -> Result<(), Error> {
    let argv: Vec<Vec<u8>> = std::iter::once(&builder.program).chain(&builder.args).cloned().collect();
    let envp: Vec<Vec<u8>> = builder.env.iter().map(|(name, value)| [name, &b"="[..], value].concat()).collect();
    let mut failure = kernel::error::Because::because(Errno::ENOENT, "");
    for path in candidates(builder) {
        let init = Init {
            path,
            argv: argv.clone(),
            envp: envp.clone(),
            creds: Creds::new(builder.user.0, builder.user.1),
            fs: fs.clone(),
            files: files.clone(),
        };
        match kernel.start_init(init) {
            Ok(()) => return Ok(()),
            // As a shell does: what is found but cannot be run is the better
            // reason to give.
            Err(error) if matches!(error.errno, Errno::ENOENT | Errno::ENOTDIR) && failure.errno != Errno::ENOENT => {}
            Err(error) => failure = error,
        }
        if !matches!(failure.errno, Errno::ENOENT | Errno::ENOTDIR | Errno::EACCES) {
            break;
        }
    }
    let program = String::from_utf8_lossy(&builder.program).into_owned();
    Err(Error::Program { program, errno: failure.errno, why: failure.why })
}

/// Where the program may be.
fn candidates(builder: &GuestBuilder) -> Vec<Vec<u8>> {
    if builder.program.contains(&b'/') {
        return vec![builder.program.clone()];
    }
    let path = builder.env.iter().find(|(name, _)| name == b"PATH").map_or(DEFAULT_PATH, |(_, value)| value);
    let dirs = path.split(|&byte| byte == b':');
    dirs.map(|dir| if dir.is_empty() { builder.program.clone() } else { [dir, b"/", &builder.program].concat() })
        .collect()
}
