//! Cuts the power at random points: of the writes that the device has not been
//! told to flush, an arbitrary part is lost, sector by sector. After recovery
//! the file system must be consistent, and what was committed be there.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use common::model::{Model, Random};
use common::{Disk, TempDir, e2fsck, tool};
use ext2::{Device, DeviceError, Error, Ext2, FormatOptions, Kind, MountOptions, NewInode, SetAttr, format};

const SECTOR: usize = 512;

/// A disk with a cache that a loss of power empties.
#[derive(Clone, Debug)]
struct Volatile(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    /// What reads see.
    now: Vec<u8>,
    /// What is permanent.
    durable: Vec<u8>,
    /// Sectors written since the last flush, in order.
    pending: Vec<(usize, Vec<u8>)>,
    /// Writes and flushes until the power fails.
    left: u64,
    random: Random,
    /// Writes and flushes so far.
    count: u64,
}

impl Volatile {
    fn new(image: Vec<u8>, left: u64, seed: u64) -> Self {
        let state =
            State { durable: image.clone(), now: image, pending: Vec::new(), left, random: Random(seed), count: 0 };
        Self(Arc::new(Mutex::new(state)))
    }

    /// The device's contents after the power has failed.
    fn remains(&self) -> Vec<u8> {
        let mut state = self.0.lock().unwrap();
        let State { durable, pending, random, .. } = &mut *state;
        // From losing nearly everything to losing nearly nothing; and in any
        // order, so that an older version of a sector may win.
        let odds = 1 + random.below(8);
        let mut kept: Vec<(usize, Vec<u8>)> = pending.drain(..).filter(|_| random.below(9) < odds).collect();
        if random.one_in(2) {
            for i in (1..kept.len()).rev() {
                kept.swap(i, random.below(i as u64 + 1) as usize);
            }
        }
        for (sector, bytes) in kept {
            durable[sector * SECTOR..][..SECTOR].copy_from_slice(&bytes);
        }
        durable.clone()
    }
}

impl State {
    /// Counts a request; fails once the power is off.
    fn request(&mut self) -> Result<(), DeviceError> {
        self.count += 1;
        if self.left == 0 {
            return Err(DeviceError::Io);
        }
        self.left -= 1;
        Ok(())
    }
}

impl Device for Volatile {
    fn size_bytes(&self) -> u64 {
        self.0.lock().unwrap().now.len() as u64
    }

    fn read(&self, offset: u64, buf: &mut [u8]) -> Result<(), DeviceError> {
        let state = self.0.lock().unwrap();
        buf.copy_from_slice(&state.now[offset as usize..][..buf.len()]);
        Ok(())
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> Result<(), DeviceError> {
        let mut state = self.0.lock().unwrap();
        // The request that is under way when the power fails may be done in
        // part.
        let is_last = state.left == 1;
        state.request()?;
        for (i, sector) in bytes.chunks_exact(SECTOR).enumerate() {
            state.pending.push((offset as usize / SECTOR + i, sector.to_vec()));
        }
        state.now[offset as usize..][..bytes.len()].copy_from_slice(bytes);
        if is_last { Err(DeviceError::Io) } else { Ok(()) }
    }

    fn flush(&self) -> Result<(), DeviceError> {
        let mut state = self.0.lock().unwrap();
        state.request()?;
        for (sector, bytes) in std::mem::take(&mut state.pending) {
            state.durable[sector * SECTOR..][..SECTOR].copy_from_slice(&bytes);
        }
        Ok(())
    }

    fn is_read_only(&self) -> bool {
        false
    }
}

/// What must be there: committed files by path, with kind and contents.
type Promised = BTreeMap<Vec<u8>, (Kind, Vec<u8>)>;

/// The files of the last commit that nothing has touched since.
fn promised(committed: &Model, current: &Model) -> Promised {
    fn collect(committed: &Model, current: &Model, dir: usize, path: &[u8], promised: &mut Promised) {
        for (name, id) in &committed.nodes[&dir].children {
            if current.touched.contains(id) {
                continue;
            }
            let node = &committed.nodes[id];
            let path = [path, b"/", name].concat();
            if node.kind == Kind::Directory {
                collect(committed, current, *id, &path, promised);
            }
            promised.insert(path, (node.kind, node.data.clone()));
        }
    }
    let mut all = Promised::new();
    collect(committed, current, 0, b"", &mut all);
    all
}

fn check_promises(fs: &mut Ext2, promised: &Promised) {
    for (path, (kind, data)) in promised {
        let mut ino = fs.root();
        for name in path.split(|&byte| byte == b'/').skip(1) {
            ino = fs.lookup(ino, name).unwrap_or_else(|error| panic!("{}: {error}", path.escape_ascii()));
        }
        let stat = fs.stat(ino).unwrap();
        assert_eq!(stat.kind, *kind);
        match kind {
            Kind::File => {
                assert_eq!(stat.size, data.len() as u64, "{}", path.escape_ascii());
                let mut found = vec![0; data.len()];
                fs.read(ino, 0, &mut found).unwrap();
                let difference = found.iter().zip(data).position(|(a, b)| a != b);
                assert_eq!(difference, None, "{}", path.escape_ascii());
            }
            Kind::Symlink => assert_eq!(fs.read_link(ino).unwrap(), *data),
            _ => {}
        }
    }
}

/// Mounts and works until the power fails or the work is done; returns what
/// was promised by then.
fn work(device: &Volatile, seed: u64, steps: u32) -> Promised {
    let mut random = Random(seed);
    let mut model = Model::new();
    model.max_size = 300_000;
    let mut committed = model.clone();
    let mut fs = match Ext2::mount(Box::new(device.clone()), MountOptions::default()) {
        Ok(fs) => fs,
        Err(_) => return Promised::new(),
    };
    for _ in 0..steps {
        match model.step(&mut fs, &mut random) {
            Ok(()) => {}
            Err(Error::Device(_) | Error::Aborted) => return promised(&committed, &model),
            Err(error) => panic!("seed {seed}: {error}"),
        }
        let done = match random.below(14) {
            0 => fs.commit(),
            1 if random.one_in(3) => fs.sync(),
            _ => continue,
        };
        if done.is_err() {
            return promised(&committed, &model);
        }
        model.touched.clear();
        committed = model.clone();
    }
    match fs.sync() {
        Ok(()) => promised(&model, &model_untouched(&model)),
        Err(_) => promised(&committed, &model),
    }
}

fn model_untouched(model: &Model) -> Model {
    let mut model = model.clone();
    model.touched.clear();
    model
}

/// Recovery by mounting, which is itself cut off some times.
fn recover(image: Vec<u8>, promised: &Promised, random: &mut Random, name: &str) {
    let mut image = image;
    for _ in 0..random.below(3) {
        let device = Volatile::new(image, 1 + random.below(12), random.next());
        if let Ok(fs) = Ext2::mount(Box::new(device.clone()), MountOptions::default()) {
            let _ = fs.unmount();
        }
        image = device.remains();
    }
    // Reading needs no writable device.
    let read_only = MountOptions { read_only: true, ..MountOptions::default() };
    let mut fs = Ext2::mount(Box::new(ext2::MemoryDevice(image.clone())), read_only).unwrap();
    check_promises(&mut fs, promised);
    let disk = Disk::new(image);
    let mut fs = Ext2::mount(disk.boxed(), MountOptions::default()).unwrap();
    check_promises(&mut fs, promised);
    fs.unmount().unwrap();
    e2fsck(&disk.bytes(), name).unwrap();
}

/// Recovery by e2fsck, which must have nothing to do but to replay and to free
/// orphans: more than that, `-p` refuses or changes counts.
fn recover_with_e2fsck(image: &[u8], promised: &Promised, name: &str) {
    let dir = TempDir::new(name);
    let file = dir.path().join("image");
    std::fs::write(&file, image).unwrap();
    let path = file.to_str().unwrap();
    let (status, text) = tool("e2fsck", &["-fp", path]);
    assert!(status <= 1, "e2fsck -fp: {status}\n{text}");
    let is_expected = |line: &str| {
        ["recovering journal", "learing orphaned inode", "runcating orphaned inode", "files (", "needs_recovery"]
            .iter()
            .any(|expected| line.contains(expected))
    };
    let others: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty() && !is_expected(line)).collect();
    assert!(others.is_empty(), "{text}");
    let image = std::fs::read(&file).unwrap();
    e2fsck(&image, name).unwrap();
    let mut fs = Ext2::mount(Disk::new(image).boxed(), MountOptions::default()).unwrap();
    check_promises(&mut fs, promised);
}

/// Cuts the same work at many points.
fn cut(name: &str, block_size: u32, size: usize, seeds: std::ops::Range<u64>, cuts: u64) {
    let disk = Disk::zeroed(size);
    let options = FormatOptions { block_size, journal_blocks: 1024, uuid: [7; 16], ..FormatOptions::default() };
    format(disk.boxed(), &options).unwrap();
    let image = disk.bytes();
    let mut promises = 0;
    for seed in seeds {
        let device = Volatile::new(image.clone(), u64::MAX, seed);
        work(&device, seed, 220);
        let requests = device.0.lock().unwrap().count;
        let mut random = Random(seed ^ 0x5eed);
        for _ in 0..cuts {
            let at = 1 + random.below(requests);
            let device = Volatile::new(image.clone(), at, random.next());
            let promised = work(&device, seed, 220);
            promises += promised.len();
            let remains = device.remains();
            let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                recover_with_e2fsck(&remains, &promised, name);
                recover(remains, &promised, &mut random, name);
            }));
            assert!(result.is_ok(), "seed {seed}, cut after {at} of {requests} requests");
        }
    }
    assert!(promises > 500, "the test promises too little: {promises}");
}

#[test]
fn a_cut_leaves_1k_blocks_consistent_and_keeps_promises() {
    cut("power-1k", 1024, 7 << 20, 0..5, 20);
}

#[test]
fn a_cut_leaves_4k_blocks_consistent_and_keeps_promises() {
    cut("power-4k", 4096, 14 << 20, 10..15, 20);
}

#[test]
fn a_cut_of_a_full_disk_leaves_it_consistent() {
    cut("power-full", 1024, 3 << 20, 20..25, 20);
}

/// A file that lies in so many groups that deleting it takes several
/// transactions.
#[test]
fn a_cut_in_a_long_deletion_leaves_it_to_the_orphan_list() {
    let dir = TempDir::new("power-groups");
    let file = dir.path().join("image");
    let path = file.to_str().unwrap();
    let args = ["-q", "-F", "-b", "1024", "-g", "512", "-N", "2000", "-J", "size=1", path, "136M"];
    let (status, text) = tool("mke2fs", &args);
    assert_eq!(status, 0, "{text}");
    let disk = Disk::new(std::fs::read(&file).unwrap());
    let mut fs = Ext2::mount(disk.boxed(), MountOptions::default()).unwrap();
    let ino = fs.create(2, b"large", &new_file()).unwrap();
    fs.allocate(ino, 0, 110 << 20).unwrap();
    fs.unmount().unwrap();
    let image = disk.bytes();
    let delete = |device: &Volatile, truncate: bool| -> Result<(), Error> {
        let mut fs = Ext2::mount(Box::new(device.clone()), MountOptions::default())?;
        if truncate {
            fs.set_attr(ino, &SetAttr { size: Some(5000), ..SetAttr::default() })?;
        } else {
            fs.unlink(2, b"large", 1 << 60)?;
            fs.release(ino, 1 << 60)?;
        }
        fs.sync()
    };
    let mut random = Random(1);
    for truncate in [false, true] {
        let device = Volatile::new(image.clone(), u64::MAX, 0);
        delete(&device, truncate).unwrap();
        let requests = device.0.lock().unwrap().count;
        assert!(requests > 40, "one transaction was enough");
        for _ in 0..4 {
            let at = 1 + random.below(requests);
            let device = Volatile::new(image.clone(), at, random.next());
            let _ = delete(&device, truncate);
            let remains = device.remains();
            recover_with_e2fsck(&remains, &Promised::new(), "power-groups");
            recover(remains, &Promised::new(), &mut random, "power-groups");
        }
    }
}

fn new_file() -> NewInode<'static> {
    NewInode { kind: Kind::File, mode: 0o644, uid: 0, gid: 0, rdev: 0, target: &[], now: 1 << 60 }
}
