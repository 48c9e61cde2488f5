//! The host's `stat` as the seam has it.

use machine::{HostKind, HostStat};
use rustix::fs::{FileType, Stat};

/// The host's `stat` in our terms, with the host's owner.
#[allow(clippy::unnecessary_cast, reason = "the fields' types differ from host to host")]
pub(crate) fn from_host_stat(stat: &Stat) -> HostStat {
    let time = |sec: i64, nsec: i64| sec.saturating_mul(1_000_000_000).saturating_add(nsec);
    HostStat {
        kind: kind_of(FileType::from_raw_mode(stat.st_mode)).unwrap_or(HostKind::File),
        mode: stat.st_mode as u32 & 0o7777,
        uid: stat.st_uid,
        gid: stat.st_gid,
        nlink: u32::try_from(stat.st_nlink).unwrap_or(u32::MAX),
        size: u64::try_from(stat.st_size).unwrap_or(0),
        blocks: u64::try_from(stat.st_blocks).unwrap_or(0),
        ino: stat.st_ino,
        dev: stat.st_dev as u64,
        rdev: stat.st_rdev as u64,
        atime_ns: time(stat.st_atime, stat.st_atime_nsec as i64),
        mtime_ns: time(stat.st_mtime, stat.st_mtime_nsec as i64),
        ctime_ns: time(stat.st_ctime, stat.st_ctime_nsec as i64),
    }
}

/// The seam's name for a file type; `None` if the host does not say.
pub(crate) fn kind_of(file_type: FileType) -> Option<HostKind> {
    Some(match file_type {
        FileType::RegularFile => HostKind::File,
        FileType::Directory => HostKind::Dir,
        FileType::Symlink => HostKind::Symlink,
        FileType::Fifo => HostKind::Fifo,
        FileType::Socket => HostKind::Socket,
        FileType::CharacterDevice => HostKind::CharDev,
        FileType::BlockDevice => HostKind::BlockDev,
        FileType::Unknown => return None,
    })
}
