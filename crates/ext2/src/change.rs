//! The operations that change a file system.

use alloc::boxed::Box;

use crate::fs::Ext2;
use crate::{Device, Error, NewInode, Removed, RenameFlags, Result, Run, SetAttr};

impl Ext2 {
    /// Changes attributes. A size frees what is cut off; what is added reads
    /// as zeros. No time changes but those that are given.
    ///
    /// # Errors
    /// [`Error::FileTooBig`], [`Error::NoSpace`], [`Error::ReadOnly`].
    pub fn set_attr(&mut self, _ino: u32, _change: &SetAttr) -> Result<()> {
        Err(Error::ReadOnly)
    }

    /// Makes a file called `name`; sets the directory's times.
    ///
    /// # Errors
    /// [`Error::Exists`], [`Error::NoSpace`], [`Error::ReadOnly`].
    pub fn create(&mut self, _dir: u32, _name: &[u8], _node: &NewInode<'_>) -> Result<u32> {
        Err(Error::ReadOnly)
    }

    /// Makes a file without a name near `dir`, an orphan until it is linked.
    ///
    /// # Errors
    /// As [`Ext2::create`].
    pub fn create_unnamed(&mut self, _dir: u32, _node: &NewInode<'_>) -> Result<u32> {
        Err(Error::ReadOnly)
    }

    /// Gives `ino` the further name `name` in `dir`.
    ///
    /// # Errors
    /// [`Error::Exists`], [`Error::TooManyLinks`], [`Error::IsDirectory`].
    pub fn link(&mut self, _dir: u32, _name: &[u8], _ino: u32, _now: i64) -> Result<()> {
        Err(Error::ReadOnly)
    }

    /// Removes the name of a file that is not a directory.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::IsDirectory`].
    pub fn unlink(&mut self, _dir: u32, _name: &[u8], _now: i64) -> Result<Removed> {
        Err(Error::ReadOnly)
    }

    /// Removes an empty directory.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::NotDirectory`], [`Error::NotEmpty`].
    pub fn rmdir(&mut self, _dir: u32, _name: &[u8], _now: i64) -> Result<Removed> {
        Err(Error::ReadOnly)
    }

    /// Gives a file another name; what had that name is returned.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Exists`], [`Error::NotEmpty`],
    /// [`Error::Invalid`] if a directory would go below itself.
    pub fn rename(
        &mut self,
        _dir: u32,
        _name: &[u8],
        _new_dir: u32,
        _new_name: &[u8],
        _flags: RenameFlags,
        _now: i64,
    ) -> Result<Option<Removed>> {
        Err(Error::ReadOnly)
    }

    /// Frees an inode without names that nobody uses any more; does nothing if
    /// it has names.
    ///
    /// # Errors
    /// [`Error::ReadOnly`] and device failures.
    pub fn release(&mut self, _ino: u32, _now: i64) -> Result<()> {
        Err(Error::ReadOnly)
    }

    /// Writes at `offset`, directly to the device, allocates what is missing
    /// and lengthens the file; returns how many bytes fitted. Sets no times.
    ///
    /// # Errors
    /// [`Error::NoSpace`] if not even one byte fitted, [`Error::FileTooBig`].
    pub fn write(&mut self, _ino: u32, _offset: u64, _bytes: &[u8]) -> Result<usize> {
        Err(Error::ReadOnly)
    }

    /// Reserves blocks for the bytes from `offset` on and lengthens the file
    /// over them; returns how many bytes are covered. Blocks that were missing
    /// read as holes until [`Ext2::map_write`] has given them out.
    ///
    /// # Errors
    /// As [`Ext2::write`].
    pub fn allocate(&mut self, _ino: u32, _offset: u64, _len: u64) -> Result<u64> {
        Err(Error::ReadOnly)
    }

    /// Where a regular file's blocks from `file_block` on are to be written by
    /// the caller, as whole blocks and before the next change or commit; a
    /// hole where none are allocated.
    ///
    /// # Errors
    /// As [`Ext2::map_run`].
    pub fn map_write(&mut self, _ino: u32, _file_block: u64, _max: u32) -> Result<Run> {
        Err(Error::ReadOnly)
    }

    /// Makes the bytes from `offset` on read as zeros and frees whole blocks.
    /// The size stays.
    ///
    /// # Errors
    /// [`Error::ReadOnly`] and device failures.
    pub fn punch_hole(&mut self, _ino: u32, _offset: u64, _len: u64) -> Result<()> {
        Err(Error::ReadOnly)
    }

    /// Makes everything that was changed or written permanent: what `fsync`
    /// needs. With a journal, a loss of power at any time leaves the state of
    /// some commit, of the last one at least.
    ///
    /// # Errors
    /// The device failed, now or earlier.
    pub fn commit(&mut self) -> Result<()> {
        self.device().flush().map_err(Error::from)
    }

    /// Commits, and leaves a file system on the device that needs no recovery.
    ///
    /// # Errors
    /// As [`Ext2::commit`].
    pub fn sync(&mut self) -> Result<()> {
        self.commit()
    }

    /// [`Ext2::sync`], and gives the device back.
    ///
    /// # Errors
    /// As [`Ext2::commit`].
    pub fn unmount(mut self) -> Result<Box<dyn Device>> {
        self.sync()?;
        Ok(self.cache.into_device())
    }
}
