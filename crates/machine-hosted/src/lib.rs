//! The machine inside an ordinary unprivileged process.

mod errno;
#[cfg(target_os = "linux")]
pub mod host_fs;
