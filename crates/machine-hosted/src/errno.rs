//! The host's error numbers as the guest's.

use linux_abi::Errno;

/// The guest's error for one of the host's; `EIO` if the guest has none for it.
///
/// Linux hosts of the architectures that we run on number them as arm64 does.
#[cfg(target_os = "linux")]
pub(crate) fn guest(error: rustix::io::Errno) -> Errno {
    Errno::from_number(error.raw_os_error()).unwrap_or(Errno::EIO)
}

/// The guest's error for one of the host's; `EIO` if the guest has none for it.
#[cfg(not(target_os = "linux"))]
pub(crate) fn guest(error: rustix::io::Errno) -> Errno {
    NAMES.iter().find(|(host, _)| *host == error).map_or(Errno::EIO, |(_, guest)| *guest)
}

/// The errors that have the same name, by their numbers here and there.
#[cfg(not(target_os = "linux"))]
const NAMES: &[(rustix::io::Errno, Errno)] = {
    use rustix::io::Errno as Host;
    &[
        (Host::PERM, Errno::EPERM),
        (Host::NOENT, Errno::ENOENT),
        (Host::SRCH, Errno::ESRCH),
        (Host::INTR, Errno::EINTR),
        (Host::IO, Errno::EIO),
        (Host::NXIO, Errno::ENXIO),
        (Host::TOOBIG, Errno::E2BIG),
        (Host::NOEXEC, Errno::ENOEXEC),
        (Host::BADF, Errno::EBADF),
        (Host::CHILD, Errno::ECHILD),
        (Host::AGAIN, Errno::EAGAIN),
        (Host::NOMEM, Errno::ENOMEM),
        (Host::ACCESS, Errno::EACCES),
        (Host::FAULT, Errno::EFAULT),
        (Host::BUSY, Errno::EBUSY),
        (Host::EXIST, Errno::EEXIST),
        (Host::XDEV, Errno::EXDEV),
        (Host::NODEV, Errno::ENODEV),
        (Host::NOTDIR, Errno::ENOTDIR),
        (Host::ISDIR, Errno::EISDIR),
        (Host::INVAL, Errno::EINVAL),
        (Host::NFILE, Errno::ENFILE),
        (Host::MFILE, Errno::EMFILE),
        (Host::NOTTY, Errno::ENOTTY),
        (Host::TXTBSY, Errno::ETXTBSY),
        (Host::FBIG, Errno::EFBIG),
        (Host::NOSPC, Errno::ENOSPC),
        (Host::SPIPE, Errno::ESPIPE),
        (Host::ROFS, Errno::EROFS),
        (Host::MLINK, Errno::EMLINK),
        (Host::PIPE, Errno::EPIPE),
        (Host::DOM, Errno::EDOM),
        (Host::RANGE, Errno::ERANGE),
        (Host::DEADLK, Errno::EDEADLK),
        (Host::NAMETOOLONG, Errno::ENAMETOOLONG),
        (Host::NOLCK, Errno::ENOLCK),
        (Host::NOSYS, Errno::ENOSYS),
        (Host::NOTEMPTY, Errno::ENOTEMPTY),
        (Host::LOOP, Errno::ELOOP),
        (Host::OVERFLOW, Errno::EOVERFLOW),
        (Host::OPNOTSUPP, Errno::EOPNOTSUPP),
        (Host::NOTSUP, Errno::EOPNOTSUPP),
        (Host::NOTSOCK, Errno::ENOTSOCK),
        (Host::MSGSIZE, Errno::EMSGSIZE),
        (Host::NOBUFS, Errno::ENOBUFS),
        (Host::NOTCONN, Errno::ENOTCONN),
        (Host::CONNRESET, Errno::ECONNRESET),
        (Host::CONNREFUSED, Errno::ECONNREFUSED),
        (Host::CONNABORTED, Errno::ECONNABORTED),
        (Host::TIMEDOUT, Errno::ETIMEDOUT),
        (Host::HOSTUNREACH, Errno::EHOSTUNREACH),
        (Host::NETUNREACH, Errno::ENETUNREACH),
        (Host::STALE, Errno::ESTALE),
        (Host::DQUOT, Errno::EDQUOT),
        (Host::CANCELED, Errno::ECANCELED),
        (Host::ILSEQ, Errno::EILSEQ),
    ]
};
