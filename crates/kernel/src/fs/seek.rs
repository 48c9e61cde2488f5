//! Where `lseek` leads in a file that has positions.

use linux_abi::Errno;
use linux_abi::fcntl::{SEEK_CUR, SEEK_DATA, SEEK_END, SEEK_HOLE, SEEK_SET};

use crate::error::{Because, Result};
use crate::fs::File;

/// The new position of a file whose only hole is behind its end.
pub(super) fn default(is_seekable: bool, file: &File, position: u64, offset: i64, whence: u32) -> Result<u64> {
    if !is_seekable {
        return Err(Errno::ESPIPE.because("the file has no positions"));
    }
    match whence {
        SEEK_SET | SEEK_CUR => target(position, 0, offset, whence),
        _ => sized(file.attr()?.size, position, offset, whence),
    }
}

/// As [`default`], for a file of this size.
pub(super) fn sized(size: u64, position: u64, offset: i64, whence: u32) -> Result<u64> {
    match whence {
        SEEK_DATA | SEEK_HOLE => {
            let start = u64::try_from(offset).ok().filter(|start| *start < size);
            let start = start.ok_or(Errno::ENXIO.because("no data from there on"))?;
            Ok(if whence == SEEK_DATA { start } else { size })
        }
        _ => target(position, size, offset, whence),
    }
}

/// The position `offset` away from an origin.
///
/// # Errors
/// `EINVAL` below 0, beyond what a file may have, or for an unknown origin.
pub(super) fn target(position: u64, size: u64, offset: i64, whence: u32) -> Result<u64> {
    let origin = match whence {
        SEEK_SET => 0,
        SEEK_CUR => position,
        SEEK_END => size,
        _ => return Err(Errno::EINVAL.because("no such origin")),
    };
    let origin = i64::try_from(origin).map_err(|_| Errno::EINVAL.because("the position is too large"))?;
    let target = origin.checked_add(offset).ok_or(Errno::EINVAL.because("the position is too large"))?;
    u64::try_from(target).map_err(|_| Errno::EINVAL.because("the position is negative"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_negative_position_is_einval() {
        assert_eq!(target(5, 0, -6, SEEK_CUR).map_err(|e| e.errno), Err(Errno::EINVAL));
        assert_eq!(target(5, 0, -5, SEEK_CUR), Ok(0));
    }

    #[test]
    fn a_position_beyond_the_largest_is_einval() {
        assert_eq!(target(5, 0, i64::MAX, SEEK_CUR).map_err(|e| e.errno), Err(Errno::EINVAL));
    }
}
