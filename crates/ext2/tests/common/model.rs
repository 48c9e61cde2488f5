//! A file system in memory that says what the real one should hold, and random
//! operations on both.

use std::collections::{BTreeMap, BTreeSet};

use ext2::{Error, Ext2, Kind, NewInode, RenameFlags, SetAttr};

/// `splitmix64`.
#[derive(Clone, Debug)]
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    pub(crate) fn below(&mut self, n: u64) -> u64 {
        if n == 0 { 0 } else { self.next() % n }
    }

    pub(crate) fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) ino: u32,
    pub(crate) kind: Kind,
    pub(crate) mode: u16,
    pub(crate) uid: u32,
    pub(crate) rdev: u32,
    pub(crate) mtime: i64,
    pub(crate) links: u16,
    /// A file's contents or a link's target.
    pub(crate) data: Vec<u8>,
    pub(crate) children: BTreeMap<Vec<u8>, usize>,
    pub(crate) parent: usize,
}

/// The tree; node 0 is the root.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    pub(crate) nodes: BTreeMap<usize, Node>,
    next: usize,
    /// Removed files that are still in use.
    open: Vec<usize>,
    clock: i64,
    /// Nodes that have changed, or lost or changed a name, since the last
    /// commit.
    pub(crate) touched: BTreeSet<usize>,
    /// Bytes that files may have.
    pub(crate) max_size: u64,
}

type Outcome = Result<(), Error>;

impl Model {
    pub(crate) fn new() -> Self {
        let root = Node {
            ino: 2,
            kind: Kind::Directory,
            mode: 0o755,
            uid: 0,
            rdev: 0,
            mtime: 0,
            links: 2,
            data: Vec::new(),
            children: BTreeMap::new(),
            parent: 0,
        };
        Self {
            nodes: BTreeMap::from([(0, root)]),
            next: 1,
            open: Vec::new(),
            clock: 1_700_000_000_000_000_000,
            touched: BTreeSet::new(),
            max_size: 600_000,
        }
    }

    fn now(&mut self) -> i64 {
        self.clock += 1_000_000_000;
        self.clock
    }

    fn pick(&self, random: &mut Random, wanted: impl Fn(&Node) -> bool) -> Option<usize> {
        let all: Vec<usize> = self.nodes.iter().filter(|(_, node)| wanted(node)).map(|(id, _)| *id).collect();
        all.get(random.below(all.len() as u64) as usize).copied()
    }

    fn dir(&self, random: &mut Random) -> usize {
        self.pick(random, |node| node.kind == Kind::Directory && node.links > 0).unwrap_or(0)
    }

    fn file(&self, random: &mut Random) -> Option<usize> {
        self.pick(random, |node| node.kind == Kind::File)
    }

    fn name(random: &mut Random) -> Vec<u8> {
        let n = random.below(14);
        match n {
            0 => vec![b'n'; 255],
            1..=4 => format!("a-name-of-some-length-{n}").into_bytes(),
            _ => format!("{n}").into_bytes(),
        }
    }

    fn is_below(&self, mut id: usize, above: usize) -> bool {
        while id != above {
            if id == 0 {
                return false;
            }
            id = self.nodes[&id].parent;
        }
        true
    }

    /// Does one random operation on both, and compares the results.
    pub(crate) fn step(&mut self, fs: &mut Ext2, random: &mut Random) -> Outcome {
        match random.below(100) {
            0..18 => self.create(fs, random),
            18..26 => self.remove(fs, random),
            26..40 => self.rename(fs, random),
            40..46 => self.link(fs, random),
            46..70 => self.write(fs, random),
            70..78 => self.resize(fs, random),
            78..82 => self.punch(fs, random),
            82..88 => self.allocate(fs, random),
            88..93 => self.set_attr(fs, random),
            93..96 => self.close(fs, random),
            _ => self.read(fs, random),
        }
    }

    fn create(&mut self, fs: &mut Ext2, random: &mut Random) -> Outcome {
        let (dir, name, now) = (self.dir(random), Self::name(random), self.now());
        let kind = match random.below(10) {
            0..4 => Kind::File,
            4..7 => Kind::Directory,
            7 | 8 => Kind::Symlink,
            _ => [Kind::Fifo, Kind::Socket, Kind::CharDevice, Kind::BlockDevice][random.below(4) as usize],
        };
        let target = if kind == Kind::Symlink { vec![b't'; 1 + random.below(120) as usize] } else { Vec::new() };
        let rdev = if matches!(kind, Kind::CharDevice | Kind::BlockDevice) { random.next() as u32 } else { 0 };
        let uid = random.next() as u32;
        let mode = random.below(0o7777) as u16;
        let node = NewInode { kind, mode, uid, gid: 7, rdev, target: &target, now };
        let is_unnamed = kind == Kind::File && random.one_in(6);
        let dir_ino = self.nodes[&dir].ino;
        let made = if is_unnamed { fs.create_unnamed(dir_ino, &node) } else { fs.create(dir_ino, &name, &node) };
        if !is_unnamed && self.nodes[&dir].children.contains_key(&name) {
            assert_eq!(made, Err(Error::Exists));
            return Ok(());
        }
        let ino = match made {
            Err(Error::NoSpace) => return Ok(()),
            made => made?,
        };
        let id = self.next;
        self.next += 1;
        let links = if is_unnamed { 0 } else { 1 + u16::from(kind == Kind::Directory) };
        let children = BTreeMap::new();
        let made = Node { ino, kind, mode, uid, rdev, mtime: now, links, data: target, children, parent: dir };
        self.nodes.insert(id, made);
        self.touched.insert(id);
        if is_unnamed {
            self.open.push(id);
        } else {
            self.add_name(dir, &name, id, now);
        }
        Ok(())
    }

    fn add_name(&mut self, dir: usize, name: &[u8], id: usize, now: i64) {
        let is_directory = self.nodes[&id].kind == Kind::Directory;
        let parent = self.nodes.get_mut(&dir).expect("a directory");
        parent.children.insert(name.to_vec(), id);
        parent.mtime = now;
        parent.links += u16::from(is_directory);
        self.nodes.get_mut(&id).expect("a node").parent = dir;
    }

    fn remove_name(&mut self, dir: usize, name: &[u8], now: i64) -> usize {
        let parent = self.nodes.get_mut(&dir).expect("a directory");
        let id = parent.children.remove(name).expect("a name");
        parent.mtime = now;
        self.touched.insert(id);
        if self.nodes[&id].kind == Kind::Directory {
            self.nodes.get_mut(&dir).expect("a directory").links -= 1;
        }
        id
    }

    /// Takes one link from a node; frees it, at once or later.
    fn unlinked(&mut self, fs: &mut Ext2, id: usize, random: &mut Random) -> Outcome {
        let node = self.nodes.get_mut(&id).expect("a node");
        node.links = if node.kind == Kind::Directory { 0 } else { node.links - 1 };
        if node.links == 0 {
            let ino = node.ino;
            if random.one_in(3) {
                self.open.push(id);
            } else {
                self.nodes.remove(&id);
                let now = self.now();
                fs.release(ino, now)?;
            }
        }
        Ok(())
    }

    fn existing(&self, random: &mut Random, dir: usize) -> Vec<u8> {
        let names: Vec<_> = self.nodes[&dir].children.keys().collect();
        match names.get(random.below(names.len() as u64) as usize) {
            Some(name) if !random.one_in(8) => name.to_vec(),
            _ => Self::name(random),
        }
    }

    fn remove(&mut self, fs: &mut Ext2, random: &mut Random) -> Outcome {
        let (dir, now) = (self.dir(random), self.now());
        let name = self.existing(random, dir);
        let dir_ino = self.nodes[&dir].ino;
        let Some(&id) = self.nodes[&dir].children.get(&name) else {
            assert_eq!(fs.unlink(dir_ino, &name, now), Err(Error::NotFound));
            assert_eq!(fs.rmdir(dir_ino, &name, now), Err(Error::NotFound));
            return Ok(());
        };
        let removed = if self.nodes[&id].kind == Kind::Directory {
            assert_eq!(fs.unlink(dir_ino, &name, now), Err(Error::IsDirectory));
            if !self.nodes[&id].children.is_empty() {
                assert_eq!(fs.rmdir(dir_ino, &name, now), Err(Error::NotEmpty));
                return Ok(());
            }
            fs.rmdir(dir_ino, &name, now)?
        } else {
            assert_eq!(fs.rmdir(dir_ino, &name, now), Err(Error::NotDirectory));
            fs.unlink(dir_ino, &name, now)?
        };
        self.remove_name(dir, &name, now);
        assert_eq!(removed.ino, self.nodes[&id].ino);
        self.unlinked(fs, id, random)
    }

    fn rename(&mut self, fs: &mut Ext2, random: &mut Random) -> Outcome {
        let (dir, new_dir, now) = (self.dir(random), self.dir(random), self.now());
        let new_dir = if random.one_in(3) { dir } else { new_dir };
        let name = self.existing(random, dir);
        let new_name = if random.one_in(2) { self.existing(random, new_dir) } else { Self::name(random) };
        let flags = match random.below(6) {
            0 => RenameFlags { no_replace: true, exchange: false },
            1 => RenameFlags { no_replace: false, exchange: true },
            _ => RenameFlags::default(),
        };
        let (dir_ino, new_ino) = (self.nodes[&dir].ino, self.nodes[&new_dir].ino);
        let id = self.nodes[&dir].children.get(&name).copied();
        let target = self.nodes[&new_dir].children.get(&new_name).copied();
        let expected = self.rename_error(id, target, dir, new_dir, flags);
        let result = fs.rename(dir_ino, &name, new_ino, &new_name, flags, now);
        if let Some(error) = expected {
            assert_eq!(result, Err(error));
            return Ok(());
        }
        let removed = match result {
            Err(Error::NoSpace) => return Ok(()),
            result => result?,
        };
        let id = id.expect("the name");
        if target == Some(id) {
            assert_eq!(removed, None);
            return Ok(());
        }
        self.remove_name(dir, &name, now);
        if let Some(target) = target {
            self.remove_name(new_dir, &new_name, now);
            if flags.exchange {
                self.add_name(dir, &name, target, now);
            } else {
                assert_eq!(removed.expect("what was replaced").ino, self.nodes[&target].ino);
                self.unlinked(fs, target, random)?;
            }
        }
        self.add_name(new_dir, &new_name, id, now);
        Ok(())
    }

    fn rename_error(
        &self,
        id: Option<usize>,
        target: Option<usize>,
        dir: usize,
        new_dir: usize,
        flags: RenameFlags,
    ) -> Option<Error> {
        let Some(id) = id else { return Some(Error::NotFound) };
        let is_dir = |id: usize| self.nodes[&id].kind == Kind::Directory;
        if is_dir(id) && self.is_below(new_dir, id) {
            return Some(Error::Invalid);
        }
        match target {
            None if flags.exchange => Some(Error::NotFound),
            Some(_) if flags.no_replace => Some(Error::Exists),
            None => None,
            Some(target) if target == id => None,
            Some(target) if flags.exchange => (is_dir(target) && self.is_below(dir, target)).then_some(Error::Invalid),
            Some(target) => match (is_dir(id), is_dir(target)) {
                (true, false) => Some(Error::NotDirectory),
                (false, true) => Some(Error::IsDirectory),
                (true, true) if !self.nodes[&target].children.is_empty() => Some(Error::NotEmpty),
                _ => None,
            },
        }
    }

    fn link(&mut self, fs: &mut Ext2, random: &mut Random) -> Outcome {
        let (dir, name, now) = (self.dir(random), Self::name(random), self.now());
        let Some(id) = self.pick(random, |node| node.links > 0 || node.kind == Kind::File) else { return Ok(()) };
        let result = fs.link(self.nodes[&dir].ino, &name, self.nodes[&id].ino, now);
        if self.nodes[&id].kind == Kind::Directory {
            assert_eq!(result, Err(Error::IsDirectory));
        } else if self.nodes[&dir].children.contains_key(&name) {
            assert_eq!(result, Err(Error::Exists));
        } else if result != Err(Error::NoSpace) {
            result?;
            self.nodes.get_mut(&id).expect("a node").links += 1;
            self.open.retain(|open| *open != id);
            self.add_name(dir, &name, id, now);
        }
        Ok(())
    }

    fn offset(&self, random: &mut Random) -> u64 {
        match random.below(4) {
            0 => random.below(3000),
            1 => random.below(self.max_size / 4096) * 4096,
            _ => random.below(self.max_size),
        }
    }

    fn write(&mut self, fs: &mut Ext2, random: &mut Random) -> Outcome {
        let Some(id) = self.file(random) else { return Ok(()) };
        let size = self.nodes[&id].data.len() as u64;
        let offset = if random.one_in(3) { size } else { self.offset(random) };
        let len = if random.one_in(3) { random.below(200_000) } else { random.below(9000) };
        let fill = random.next();
        let bytes: Vec<u8> = (0..len).map(|n| (fill.wrapping_add(n * 7) >> (n % 5)) as u8 | 1).collect();
        self.touched.insert(id);
        let node = self.nodes.get_mut(&id).expect("a node");
        let written = match fs.write(node.ino, offset, &bytes) {
            Err(Error::NoSpace) => 0,
            written => written?,
        };
        if written > 0 {
            let end = offset as usize + written;
            if node.data.len() < end {
                node.data.resize(end, 0);
            }
            node.data[offset as usize..end].copy_from_slice(&bytes[..written]);
        }
        Ok(())
    }

    fn resize(&mut self, fs: &mut Ext2, random: &mut Random) -> Outcome {
        let Some(id) = self.file(random) else { return Ok(()) };
        let size = if random.one_in(3) { 0 } else { self.offset(random) };
        self.touched.insert(id);
        let node = self.nodes.get_mut(&id).expect("a node");
        fs.set_attr(node.ino, &SetAttr { size: Some(size), ..SetAttr::default() })?;
        node.data.resize(size as usize, 0);
        Ok(())
    }

    fn punch(&mut self, fs: &mut Ext2, random: &mut Random) -> Outcome {
        let Some(id) = self.file(random) else { return Ok(()) };
        let (offset, len) = (self.offset(random), random.below(100_000));
        self.touched.insert(id);
        let node = self.nodes.get_mut(&id).expect("a node");
        fs.punch_hole(node.ino, offset, len)?;
        let size = node.data.len();
        let range = (offset as usize).min(size)..((offset + len) as usize).min(size);
        node.data[range].fill(0);
        Ok(())
    }

    fn allocate(&mut self, fs: &mut Ext2, random: &mut Random) -> Outcome {
        let Some(id) = self.file(random) else { return Ok(()) };
        let (offset, len) = (self.offset(random), random.below(100_000));
        self.touched.insert(id);
        let node = self.nodes.get_mut(&id).expect("a node");
        let covered = match fs.allocate(node.ino, offset, len) {
            Err(Error::NoSpace) => 0,
            covered => covered?,
        };
        let end = (offset + covered) as usize;
        if covered > 0 && node.data.len() < end {
            node.data.resize(end, 0);
        }
        // Sometimes write one of the runs as a page cache does.
        let block_size = u64::from(fs.block_size());
        let block = offset.div_ceil(block_size);
        if covered >= 2 * block_size && random.one_in(2) {
            let run = fs.map_write(node.ino, block, 3)?;
            let at = (block * block_size) as usize;
            let len = (run.blocks as usize * block_size as usize).min(node.data.len().saturating_sub(at));
            let mut page = vec![0; run.blocks as usize * block_size as usize];
            let fill = random.next() as u8;
            page[..len].fill(fill);
            node.data[at..at + len].fill(fill);
            let device_offset = run.device_offset.expect("an allocated block");
            fs.device().write(device_offset, &page).map_err(Error::from)?;
        }
        Ok(())
    }

    fn set_attr(&mut self, fs: &mut Ext2, random: &mut Random) -> Outcome {
        let Some(id) = self.pick(random, |node| node.links > 0) else { return Ok(()) };
        let mtime = self.now() + random.below(1_000_000_000) as i64;
        let (mode, uid) = (random.below(0o7777) as u16, random.next() as u32);
        self.touched.insert(id);
        let node = self.nodes.get_mut(&id).expect("a node");
        let change = SetAttr { mode: Some(mode), uid: Some(uid), mtime: Some(mtime), ..SetAttr::default() };
        fs.set_attr(node.ino, &change)?;
        (node.mode, node.uid, node.mtime) = (mode, uid, mtime);
        Ok(())
    }

    fn close(&mut self, fs: &mut Ext2, random: &mut Random) -> Outcome {
        if self.open.is_empty() {
            return Ok(());
        }
        let id = self.open.swap_remove(random.below(self.open.len() as u64) as usize);
        let now = self.now();
        if let Some(node) = self.nodes.remove(&id) {
            fs.release(node.ino, now)?;
        }
        Ok(())
    }

    fn read(&mut self, fs: &mut Ext2, random: &mut Random) -> Outcome {
        let Some(id) = self.file(random) else { return Ok(()) };
        let offset = self.offset(random);
        let mut buf = vec![9; random.below(50_000) as usize];
        let node = &self.nodes[&id];
        let len = fs.read(node.ino, offset, &mut buf)?;
        let start = (offset as usize).min(node.data.len());
        let expected = &node.data[start..(start + buf.len()).min(node.data.len())];
        assert!(buf[..len] == *expected, "inode {} from {offset}", node.ino);
        Ok(())
    }

    /// Forgets what was open: the file system has been mounted again.
    pub(crate) fn forget_open(&mut self) {
        for id in std::mem::take(&mut self.open) {
            self.nodes.remove(&id);
        }
    }

    /// Compares the whole tree. `nanoseconds` tells if times are exact.
    pub(crate) fn compare(&self, fs: &mut Ext2, nanoseconds: bool) {
        self.compare_dir(fs, 0, nanoseconds);
    }

    fn compare_dir(&self, fs: &mut Ext2, dir: usize, nanoseconds: bool) {
        let node = &self.nodes[&dir];
        let mut seen = BTreeMap::new();
        let mut dots = Vec::new();
        fs.read_dir(node.ino, 0, &mut |entry| {
            match entry.name {
                b"." | b".." => dots.push(entry.ino),
                b"lost+found" => {}
                name => assert_eq!(seen.insert(name.to_vec(), (entry.ino, entry.kind)), None),
            }
            true
        })
        .expect("a directory");
        assert_eq!(dots, [node.ino, self.nodes[&node.parent].ino]);
        let names: Vec<_> = node.children.keys().collect();
        assert_eq!(seen.keys().collect::<Vec<_>>(), names, "of inode {}", node.ino);
        for (name, id) in &node.children {
            let (ino, kind) = seen[name];
            assert_eq!(ino, self.nodes[id].ino);
            assert!(kind.is_none_or(|kind| kind == self.nodes[id].kind));
            self.compare_node(fs, *id, nanoseconds);
            if self.nodes[id].kind == Kind::Directory {
                self.compare_dir(fs, *id, nanoseconds);
            }
        }
    }

    pub(crate) fn compare_node(&self, fs: &mut Ext2, id: usize, nanoseconds: bool) {
        let node = &self.nodes[&id];
        let stat = fs.stat(node.ino).expect("an inode");
        assert_eq!(
            (stat.kind, stat.mode, stat.uid, stat.nlink, stat.rdev),
            (node.kind, node.mode, node.uid, node.links, node.rdev),
            "inode {}",
            node.ino
        );
        let unit = if nanoseconds { 1 } else { 1_000_000_000 };
        if node.kind != Kind::Directory {
            assert_eq!(stat.mtime / unit, node.mtime / unit, "inode {}", node.ino);
        }
        match node.kind {
            Kind::File => {
                assert_eq!(stat.size, node.data.len() as u64, "inode {}", node.ino);
                let mut data = vec![3; node.data.len()];
                fs.read(node.ino, 0, &mut data).expect("contents");
                let difference = data.iter().zip(&node.data).position(|(a, b)| a != b);
                assert_eq!(difference, None, "inode {}", node.ino);
            }
            Kind::Symlink => assert_eq!(fs.read_link(node.ino).expect("a target"), node.data),
            _ => {}
        }
    }
}
