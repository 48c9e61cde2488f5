//! The host's error numbers as the guest's.

use linux_abi::Errno;

/// The guest's error for one of the host's; `EIO` if the guest has none for it.
///
/// Linux hosts of the architectures that we run on number them as arm64 does.
pub(crate) fn guest(error: rustix::io::Errno) -> Errno {
    Errno::from_number(error.raw_os_error()).unwrap_or(Errno::EIO)
}
