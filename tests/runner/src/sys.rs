//! The system calls that the standard library does not offer, as safe functions.

use std::ffi::CString;
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// How a child ended.
#[derive(Clone, Copy, Debug)]
pub enum Ended {
    Exit(i32),
    Signal(i32),
}

/// What [`reap`] found.
#[derive(Clone, Copy, Debug)]
pub enum Reaped {
    Child(i32, Ended),
    /// Children are there, and all of them run.
    Running,
    /// There is no child.
    None,
}

fn check(result: i32) -> io::Result<()> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

fn c_string(text: &Path) -> io::Result<CString> {
    CString::new(text.as_os_str().as_bytes()).map_err(io::Error::other)
}

/// `mount(2)` without data.
pub fn mount(source: &str, target: &Path, kind: &str, flags: libc::c_ulong) -> io::Result<()> {
    let (source, target, kind) = (c_string(Path::new(source))?, c_string(target)?, c_string(Path::new(kind))?);
    // SAFETY: the strings end with a zero byte and live during the call; no data is passed.
    check(unsafe { libc::mount(source.as_ptr(), target.as_ptr(), kind.as_ptr(), flags, std::ptr::null()) })
}

/// Makes the mount at `root` the root directory of this process.
pub fn switch_root(root: &Path) -> io::Result<()> {
    std::env::set_current_dir(root)?;
    mount(".", Path::new("/"), "", libc::MS_MOVE)?;
    std::os::unix::fs::chroot(".")?;
    std::env::set_current_dir("/")
}

/// `finit_module(2)` without parameters.
pub fn load_module(file: &File) -> io::Result<()> {
    // SAFETY: the descriptor is open during the call, and the parameters are an empty string.
    let result = unsafe { libc::syscall(libc::SYS_finit_module, file.as_raw_fd(), c"".as_ptr(), 0) };
    check(if result < 0 { -1 } else { 0 })
}

/// Reaps one child, if one has ended.
pub fn reap() -> io::Result<Reaped> {
    let mut status = 0;
    // SAFETY: `status` is a valid place for the status.
    match unsafe { libc::waitpid(-1, &raw mut status, libc::WNOHANG) } {
        0 => Ok(Reaped::Running),
        pid if pid > 0 && libc::WIFEXITED(status) => Ok(Reaped::Child(pid, Ended::Exit(libc::WEXITSTATUS(status)))),
        pid if pid > 0 => Ok(Reaped::Child(pid, Ended::Signal(libc::WTERMSIG(status)))),
        _ => match io::Error::last_os_error() {
            error if error.raw_os_error() == Some(libc::ECHILD) => Ok(Reaped::None),
            error => Err(error),
        },
    }
}

/// Kills every process but this one.
pub fn kill_all() {
    // SAFETY: it touches no memory; as process 1, this one is spared. No process left is no failure.
    unsafe { libc::kill(-1, libc::SIGKILL) };
}

/// Waits until the terminal has sent everything, writes back all files, and turns the power off.
pub fn power_off() -> io::Result<()> {
    // SAFETY: none of the three touches memory.
    unsafe {
        libc::tcdrain(libc::STDOUT_FILENO);
        libc::sync();
        check(libc::reboot(libc::RB_POWER_OFF))
    }
}

/// Sets the loopback interface up.
pub fn loopback_up() -> io::Result<()> {
    // SAFETY: an `ifreq` of zeros is valid; the calls get a live descriptor and a live `ifreq`.
    unsafe {
        let socket = libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0);
        check(socket)?;
        let mut request: libc::ifreq = std::mem::zeroed();
        request.ifr_name[0] = b'l' as libc::c_char;
        request.ifr_name[1] = b'o' as libc::c_char;
        let mut result = libc::ioctl(socket, libc::SIOCGIFFLAGS as libc::Ioctl, &raw mut request);
        if result == 0 && request.ifr_ifru.ifru_flags & libc::IFF_UP as i16 == 0 {
            request.ifr_ifru.ifru_flags |= libc::IFF_UP as i16;
            result = libc::ioctl(socket, libc::SIOCSIFFLAGS as libc::Ioctl, &raw const request);
        }
        let outcome = check(result);
        libc::close(socket);
        outcome
    }
}
