//! Changing attributes.

use crate::fs::Ext2;
use crate::inode::{FLAG_APPEND, FLAG_IMMUTABLE};
use crate::{Error, Result, SetAttr};

impl Ext2 {
    /// Changes attributes. A size frees what is cut off; what is added reads
    /// as zeros. No time changes but those that are given.
    ///
    /// # Errors
    /// [`Error::NotPermitted`] on an immutable file, and for the size of one
    /// that may only grow; [`Error::FileTooBig`]; [`Error::IsDirectory`] or
    /// [`Error::Invalid`] for the size of anything but a file.
    pub fn set_attr(&mut self, ino: u32, change: &SetAttr) -> Result<()> {
        let inode = self.inode(ino)?;
        let may_not_shrink = inode.flags & FLAG_APPEND != 0 && change.size.is_some_and(|size| size < inode.size);
        if inode.flags & FLAG_IMMUTABLE != 0 || may_not_shrink {
            return Err(Error::NotPermitted);
        }
        if let Some(size) = change.size {
            self.regular(ino)?;
            if size != inode.size {
                self.resize(ino, size)?;
            }
        }
        let others = SetAttr { size: None, ..*change };
        if others == SetAttr::default() {
            return Ok(());
        }
        self.step(0, |fs| {
            let mut inode = fs.inode(ino)?;
            if let Some(mode) = change.mode {
                inode.mode = inode.mode & 0o170_000 | mode & 0o7777;
            }
            inode.uid = change.uid.unwrap_or(inode.uid);
            inode.gid = change.gid.unwrap_or(inode.gid);
            inode.atime = change.atime.unwrap_or(inode.atime);
            inode.mtime = change.mtime.unwrap_or(inode.mtime);
            inode.ctime = change.ctime.unwrap_or(inode.ctime);
            fs.store_inode(ino, &inode)
        })
    }
}
