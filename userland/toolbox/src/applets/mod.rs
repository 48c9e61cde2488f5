//! Commands of this project's own. Each module's `main` takes the arguments,
//! with the command's name first, and returns the exit status.

pub(crate) mod clear;
pub(crate) mod diff_trees;
pub(crate) mod free;
pub(crate) mod grep;
pub(crate) mod gzip;
pub(crate) mod hexdump;
pub(crate) mod less;
pub(crate) mod mount;
pub(crate) mod pidof;
pub(crate) mod poweroff;
pub(crate) mod ps;
pub(crate) mod setsid;
pub(crate) mod tar;
pub(crate) mod which;
