//! `/proc/sysvipc/shm`.

use alloc::string::String;
use core::fmt::Write as _;

use machine::PAGE_SIZE;

use super::Segments;

/// One line for each segment.
pub(crate) fn segments(segments: &Segments) -> String {
    let mut out = String::from(
        "       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  cgid      atime      \
         dtime      ctime                   rss                  swap\n",
    );
    for (_, segment) in segments.list() {
        let (status, perm) = (segment.status(), segment.perm);
        // Writing to a string cannot fail.
        let _ = writeln!(
            out,
            "{:10} {:10}  {:4o} {:21} {:5} {:5}  {:5} {:5} {:5} {:5} {:5} {:10} {:10} {:10} {:21} {:21}",
            perm.key,
            segment.id,
            perm.mode,
            segment.size,
            status.shm_cpid,
            status.shm_lpid,
            status.shm_nattch,
            perm.uid,
            perm.gid,
            perm.cuid,
            perm.cgid,
            status.shm_atime,
            status.shm_dtime,
            status.shm_ctime,
            segment.object.resident_pages() as u64 * PAGE_SIZE,
            0,
        );
    }
    out
}
