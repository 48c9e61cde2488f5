//! Renaming: moving a name, replacing another one, swapping two.

use crate::dir::{Slot, slot};
use crate::error::corrupt;
use crate::fs::{Ext2, ROOT_INO};
use crate::inode::{FLAG_INDEX, Inode};
use crate::names::{Found, LINK_MAX, NAME_BLOCKS, check_name, check_removable};
use crate::{Error, Kind, Removed, RenameFlags, Result};

/// The deepest tree in which a directory can be moved: the longest path of
/// one-letter names is far shorter.
const DEPTH_MAX: u32 = 1 << 16;

impl Ext2 {
    /// Gives a file another name; a file or an empty directory that had that
    /// name loses it and is returned.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Exists`] with `no_replace`;
    /// [`Error::NotEmpty`], [`Error::IsDirectory`] and [`Error::NotDirectory`]
    /// for what cannot be replaced; [`Error::Invalid`] if a directory would go
    /// below itself; [`Error::TooManyLinks`], [`Error::NoSpace`],
    /// [`Error::NotPermitted`].
    pub fn rename(
        &mut self,
        dir: u32,
        name: &[u8],
        new_dir: u32,
        new_name: &[u8],
        flags: RenameFlags,
        now: i64,
    ) -> Result<Option<Removed>> {
        check_name(name)?;
        check_name(new_name)?;
        if flags.no_replace && flags.exchange {
            return Err(Error::Invalid);
        }
        self.step(NAME_BLOCKS, |fs| {
            let parent = fs.changeable_dir(dir)?;
            let new_parent = fs.changeable_dir(new_dir)?;
            let found = fs.find_name(&parent, dir, name)?.ok_or(Error::NotFound)?;
            check_removable(&parent, &found.inode)?;
            let target = fs.find_name(&new_parent, new_dir, new_name)?;
            if found.inode.is_directory() {
                fs.check_not_below(found.ino(), new_dir)?;
            }
            match target {
                None if flags.exchange => Err(Error::NotFound),
                Some(_) if flags.no_replace => Err(Error::Exists),
                Some(target) if target.ino() == found.ino() => Ok(None),
                Some(target) if flags.exchange => {
                    check_removable(&new_parent, &target.inode)?;
                    if target.inode.is_directory() {
                        fs.check_not_below(target.ino(), dir)?;
                    }
                    fs.exchange(dir, new_dir, found, target, now)?;
                    Ok(None)
                }
                Some(target) => {
                    check_removable(&new_parent, &target.inode)?;
                    fs.replace((dir, parent), (new_dir, new_parent), found, target, now).map(Some)
                }
                None => {
                    fs.move_entry((dir, parent), (new_dir, new_parent), found, new_name, now)?;
                    Ok(None)
                }
            }
        })
    }

    /// Moves an entry to a name that does not exist.
    fn move_entry(
        &mut self,
        (dir, parent): (u32, Inode),
        (new_dir, mut new_parent): (u32, Inode),
        found: Found,
        new_name: &[u8],
        now: i64,
    ) -> Result<()> {
        let ino = found.ino();
        let kind = kind_of(&found)?;
        let moves_dir = kind == Kind::Directory && dir != new_dir;
        if moves_dir && new_parent.links >= LINK_MAX {
            return Err(Error::TooManyLinks);
        }
        let room = self.find_room(&new_parent, new_dir, new_name.len(), 0)?;
        self.add_entry(&room, &mut new_parent, new_dir, new_name, ino, kind)?;
        self.touch_dir(new_dir, &mut new_parent, now)?;
        // The entry's neighbours may have changed, if the room was beside it.
        let mut parent = if dir == new_dir { new_parent } else { parent };
        let old = self.reread(&found)?;
        self.remove_entry(found.block, old)?;
        self.touch_dir(dir, &mut parent, now)?;
        self.set_ctime(ino, now)?;
        if moves_dir {
            self.set_parent(ino, new_dir)?;
            self.change_links(dir, -1)?;
            self.change_links(new_dir, 1)?;
        }
        Ok(())
    }

    /// The entry of `found`, whose length may have changed.
    fn reread(&mut self, found: &Found) -> Result<Slot> {
        let has_file_types = self.sb.has_file_types();
        slot(self.cache.get(found.block)?, found.slot.at, has_file_types)
    }

    /// Moves an entry to a name that exists.
    fn replace(
        &mut self,
        (dir, parent): (u32, Inode),
        (new_dir, new_parent): (u32, Inode),
        found: Found,
        target: Found,
        now: i64,
    ) -> Result<Removed> {
        let ino = found.ino();
        let kind = kind_of(&found)?;
        match (kind == Kind::Directory, target.inode.is_directory()) {
            (true, false) => return Err(Error::NotDirectory),
            (false, true) => return Err(Error::IsDirectory),
            (true, true) if !self.is_empty_dir(&target.inode, target.ino())? => return Err(Error::NotEmpty),
            _ => {}
        }
        self.redirect(target.block, target.slot, ino, kind)?;
        let removed = self.drop_name(target, now)?;
        let (mut parent, mut new_parent) = (parent, new_parent);
        self.touch_dir(new_dir, &mut new_parent, now)?;
        self.remove_entry(found.block, found.slot)?;
        self.touch_dir(dir, &mut parent, now)?;
        self.set_ctime(ino, now)?;
        if kind == Kind::Directory {
            // The new parent has lost one directory and won another.
            self.change_links(dir, -1)?;
            if dir != new_dir {
                self.set_parent(ino, new_dir)?;
            }
        }
        Ok(removed)
    }

    /// Swaps what two names stand for.
    fn exchange(&mut self, dir: u32, new_dir: u32, found: Found, target: Found, now: i64) -> Result<()> {
        let (kind, target_kind) = (kind_of(&found)?, kind_of(&target)?);
        let (is_dir, target_is_dir) = (kind == Kind::Directory, target_kind == Kind::Directory);
        if dir != new_dir {
            let grows = match (is_dir, target_is_dir) {
                (true, false) => Some(new_dir),
                (false, true) => Some(dir),
                _ => None,
            };
            if let Some(grows) = grows
                && self.inode(grows)?.links >= LINK_MAX
            {
                return Err(Error::TooManyLinks);
            }
        }
        self.redirect(found.block, found.slot, target.ino(), target_kind)?;
        self.redirect(target.block, target.slot, found.ino(), kind)?;
        for ino in [found.ino(), target.ino()] {
            self.set_ctime(ino, now)?;
        }
        for dir in [dir, new_dir] {
            let mut inode = self.inode(dir)?;
            self.touch_dir(dir, &mut inode, now)?;
        }
        if dir != new_dir {
            if is_dir {
                self.set_parent(found.ino(), new_dir)?;
                self.change_links(dir, -1)?;
                self.change_links(new_dir, 1)?;
            }
            if target_is_dir {
                self.set_parent(target.ino(), dir)?;
                self.change_links(new_dir, -1)?;
                self.change_links(dir, 1)?;
            }
        }
        Ok(())
    }

    fn set_ctime(&mut self, ino: u32, now: i64) -> Result<()> {
        let mut inode = self.inode(ino)?;
        inode.ctime = now;
        self.store_inode(ino, &inode)
    }

    fn change_links(&mut self, dir: u32, by: i16) -> Result<()> {
        let mut inode = self.inode(dir)?;
        inode.links = inode.links.saturating_add_signed(by).max(2);
        self.store_inode(dir, &inode)
    }

    /// Makes `..` of a directory stand for another one.
    fn set_parent(&mut self, ino: u32, parent: u32) -> Result<()> {
        let mut inode = self.directory(ino)?;
        match self.find(&inode, ino, b"..")? {
            Some((block, slot)) => self.redirect(block, slot, parent, Kind::Directory)?,
            None => return Err(corrupt!("directory {ino} has no parent")),
        }
        if inode.flags & FLAG_INDEX != 0 {
            inode.flags &= !FLAG_INDEX;
            self.store_inode(ino, &inode)?;
        }
        Ok(())
    }

    /// Whether `dir` is neither `above` nor below it.
    fn check_not_below(&mut self, above: u32, dir: u32) -> Result<()> {
        let mut dir = dir;
        for _ in 0..DEPTH_MAX {
            if dir == above {
                return Err(Error::Invalid);
            }
            if dir == ROOT_INO {
                return Ok(());
            }
            dir = self.lookup(dir, b"..")?;
        }
        Err(corrupt!("directory {dir} is below itself"))
    }
}

fn kind_of(found: &Found) -> Result<Kind> {
    found.inode.kind().ok_or_else(|| corrupt!("inode {} has no type", found.ino()))
}
