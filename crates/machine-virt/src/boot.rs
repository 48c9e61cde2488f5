//! The kernel's first steps on this machine: the root file system, the first
//! process, and what happens after the last one.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use kernel::fs::tmpfs::{Builder, FileData};
use kernel::fs::{FileTable, FileType, FsContext, RootDevice};
use kernel::task::{Creds, ExitStatus};
use kernel::{Config, End, Init, Kernel};
use machine::{CharDev, Clock};
use machine_virt::cmdline::CommandLine;
use machine_virt::cpio::{Entry, Reader};
use machine_virt::phase::Phase;
use machine_virt::platform::Platform;

use crate::arch::{layout, psci};
use crate::devices::uart::Uart;
use crate::machine::VirtMachine;
use crate::mem::pool;
use crate::{clock, idreg, log, panic};

/// What is wrong, for the console.
type Why = String;

/// The programs that are tried where `init=` names none.
const INITS: [&str; 4] = ["/sbin/init", "/etc/init", "/bin/init", "/bin/sh"];

/// Makes the kernel, its root file system and its first process.
pub(crate) fn boot(
    machine: Arc<VirtMachine>,
    platform: &Platform<'_>,
    line: CommandLine,
    console: Option<Arc<Uart>>,
) -> Result<Arc<Kernel>, Why> {
    let features = idreg::features();
    let config = Config {
        hostname: "vambrace".to_owned(),
        cmdline: line.text.clone(),
        trace: None,
        hwcap: [features.hwcap, features.hwcap2],
        cpuinfo: features.cpuinfo(clock::clock().counter_frequency()),
    };
    let kernel = Kernel::new(machine, config).map_err(|error| format!("no kernel: {}", error.errno))?;
    log::enter(Phase::Kernel);
    let has_initrd = unpack_initrd(&kernel, platform)?;
    if let Some(device) = line.root.as_ref().filter(|_| !has_initrd) {
        mount_root(&kernel, device, &line)?;
    }
    // A root file system without these directories works without them.
    kernel.vfs().mount_standard(&kernel, &mut |path, error| {
        log::line(format_args!("nothing is mounted on {path}: {}", error.errno));
    });
    log::enter(Phase::Root);
    if let Some(console) = console {
        kernel.attach_console(console as Arc<dyn CharDev>);
    }
    log::enter(Phase::Init);
    start_init(&kernel, &line, has_initrd)?;
    Ok(kernel)
}

/// Fills the root directory from the initial RAM file system, and gives its
/// memory back. False if there is none.
fn unpack_initrd(kernel: &Arc<Kernel>, platform: &Platform<'_>) -> Result<bool, Why> {
    let Some(region) = &platform.initrd else { return Ok(false) };
    let len = usize::try_from(region.end - region.start).unwrap_or(0);
    // SAFETY: the device tree says that the archive is there; it was reserved,
    // so that it is RAM that nobody else has.
    let bytes = unsafe { core::slice::from_raw_parts(layout::direct(region.start).cast_const(), len) };
    let mut into = Builder::new(kernel.vfs().rootfs().clone());
    let mut links: Vec<(u32, Vec<u8>)> = Vec::new();
    for entry in Reader::new(bytes) {
        let entry = entry.map_err(|damaged| format!("the initrd is damaged at byte {}", damaged.offset))?;
        let path = entry.path.escape_ascii();
        add(&mut into, &entry, &mut links).map_err(|error| format!("initrd: {path}: {}", error.errno))?;
    }
    // The files have their own copies now.
    pool::pool().add(region);
    Ok(true)
}

/// The type of a file in `st_mode`.
const TYPE: u32 = 0o170_000;

fn add(into: &mut Builder, entry: &Entry<'_>, links: &mut Vec<(u32, Vec<u8>)>) -> kernel::error::Result<()> {
    into.attributes(entry.mode & 0o7777, entry.uid, entry.gid, i64::from(entry.mtime).saturating_mul(1_000_000_000));
    let (major, minor) = entry.device;
    let device = linux_abi::stat::makedev(major, minor);
    match entry.mode & TYPE {
        0o040_000 => into.directory(entry.path),
        0o120_000 => into.symlink(entry.path, entry.data),
        0o020_000 => into.special(entry.path, FileType::CharDevice, device),
        0o060_000 => into.special(entry.path, FileType::BlockDevice, device),
        0o010_000 => into.special(entry.path, FileType::Fifo, 0),
        0o140_000 => into.special(entry.path, FileType::Socket, 0),
        _ => {
            // Of several names for a file the last one has the contents.
            let first = links.iter().find(|(inode, _)| entry.links > 1 && *inode == entry.inode);
            if let Some((_, first)) = first {
                if !entry.data.is_empty() {
                    into.file(first, FileData::from_bytes(entry.data.to_vec()))?;
                }
                return into.hard_link(entry.path, first);
            }
            if entry.links > 1 {
                links.push((entry.inode, entry.path.to_vec()));
            }
            into.file(entry.path, FileData::from_bytes(entry.data.to_vec()))
        }
    }
}

/// Mounts the disk that `root=` names. With an initial RAM file system that is
/// its own business.
fn mount_root(kernel: &Arc<Kernel>, device: &str, line: &CommandLine) -> Result<(), Why> {
    let root = RootDevice {
        device: device.to_owned(),
        kind: line.root_kind.clone().unwrap_or_default(),
        options: line.root_options.clone().unwrap_or_default(),
        read_only: line.read_only,
    };
    match kernel.vfs().mount_root_device(kernel, &root) {
        Ok(_) => Ok(()),
        Err(error) => Err(format!("{device} cannot be mounted as the root: {} ({})", error.errno, error.why)),
    }
}

/// Starts the first process.
fn start_init(kernel: &Arc<Kernel>, line: &CommandLine, has_initrd: bool) -> Result<(), Why> {
    let files = FileTable::new();
    if let Ok(console) = kernel.open_console() {
        files.set_initial(vec![console.clone(), console.clone(), console]);
    }
    // The console is nobody's controlling terminal until a session takes it:
    // an init would otherwise get every ^C itself.
    let fs = FsContext::new(kernel.vfs().root());
    let named = line.init.as_deref();
    let candidates: Vec<&str> = match named {
        Some(path) => vec![path],
        None if has_initrd => core::iter::once("/init").chain(INITS).collect(),
        None => INITS.to_vec(),
    };
    let mut failures = String::new();
    for path in candidates {
        let argv = core::iter::once(path).chain(line.init_args.iter().map(String::as_str));
        let init = Init {
            path: path.into(),
            argv: argv.map(|arg| arg.as_bytes().to_vec()).collect(),
            envp: [&b"HOME=/"[..], b"TERM=linux", b"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]
                .map(<[u8]>::to_vec)
                .to_vec(),
            creds: Creds::new(0, 0),
            fs: fs.clone(),
            files: files.clone(),
        };
        match kernel.start_init(init) {
            Ok(()) => return Ok(()),
            Err(error) => failures = format!("{failures}; {path}: {}", error.errno),
        }
    }
    Err(format!("no init{failures}"))
}

/// The machine's end, after the last process.
pub(crate) fn finish(kernel: &Arc<Kernel>) -> ! {
    log::enter(Phase::Stopping);
    kernel.vfs().shut_down();
    log::enter(Phase::Off);
    match kernel.end() {
        End::PowerOff => panic::power_off(kernel.init_status().map_or(0, ExitStatus::shell_code)),
        End::Halt => {
            log::line(format_args!("the machine may be turned off now"));
            psci::stop()
        }
        End::Restart => psci::system_reset(),
    }
}
