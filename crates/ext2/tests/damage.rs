//! Damaged images: nothing panics or hangs, and what `check` finds is what
//! e2fsck finds.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::model::{Model, Random};
use common::{Disk, e2fsck};
use ext2::{Device, Ext2, FormatOptions, Kind, MountOptions, SetAttr, check, format};

/// A file system with something in it.
fn sample(block_size: u32, journal_blocks: u32, size: usize, seed: u64) -> Vec<u8> {
    let disk = Disk::zeroed(size);
    let options = FormatOptions { block_size, journal_blocks, uuid: [7; 16], ..FormatOptions::default() };
    format(disk.boxed(), &options).unwrap();
    let mut fs = Ext2::mount(disk.boxed(), MountOptions::default()).unwrap();
    let mut random = Random(seed);
    let mut model = Model::new();
    model.max_size = 400_000;
    for _ in 0..250 {
        model.step(&mut fs, &mut random).unwrap();
    }
    fs.unmount().unwrap();
    // Once more, to free the orphans.
    Ext2::mount(disk.boxed(), MountOptions::default()).unwrap().unmount().unwrap();
    disk.bytes()
}

fn put32(image: &mut [u8], at: usize, value: u32) {
    image[at..at + 4].copy_from_slice(&value.to_le_bytes());
}

fn get32(image: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(image[at..at + 4].try_into().unwrap())
}

fn put16(image: &mut [u8], at: usize, value: u16) {
    image[at..at + 2].copy_from_slice(&value.to_le_bytes());
}

/// Both must agree on whether an image is sound.
fn judge(image: &[u8], what: &str) {
    let ours = check(Disk::new(image.to_vec()).boxed());
    let theirs = e2fsck(image, "damage");
    let ours_is_clean = ours.as_ref().is_ok_and(Vec::is_empty);
    assert_eq!(ours_is_clean, theirs.is_ok(), "{what}\nours: {ours:#?}\ntheirs: {theirs:?}");
}

#[test]
fn sound_images_have_no_problems() {
    for (block_size, journal, seed) in [(1024, 0, 1), (1024, 1024, 2), (2048, 0, 3), (4096, 1024, 4)] {
        let image = sample(block_size, journal, 16 << 20, seed);
        assert_eq!(check(Disk::new(image.clone()).boxed()), Ok(Vec::new()));
        judge(&image, "sound");
    }
}

/// The device offset of an inode of the first group.
fn inode_at(image: &[u8], ino: u32) -> usize {
    let table = get32(image, 4096 + 8) as usize * 4096;
    table + (ino as usize - 1) * 256
}

#[test]
fn every_kind_of_damage_is_found_as_by_e2fsck() {
    let image = sample(4096, 0, 16 << 20, 5);
    let in_use = |mode: u16| {
        (12..)
            .find(|&ino| {
                let at = inode_at(&image, ino);
                let found = u16::from_le_bytes([image[at], image[at + 1]]);
                found & 0o170_000 == mode && get32(&image, at + 0x1c) > 0
            })
            .map(|ino| inode_at(&image, ino))
            .unwrap()
    };
    let file = in_use(0o100_000);
    let dir = in_use(0o040_000);
    let dir_block = get32(&image, dir + 0x28) as usize * 4096;
    let block_bitmap = get32(&image, 4096) as usize * 4096;
    let inode_bitmap = get32(&image, 4096 + 4) as usize * 4096;
    type Damage<'a> = (&'a str, &'a dyn Fn(&mut Vec<u8>));
    let damages: [Damage<'_>; 21] = [
        ("links", &|image| image[file + 0x1a] ^= 1),
        ("sectors", &|image| image[file + 0x1c] ^= 8),
        ("size of a directory", &|image| image[dir + 5] ^= 0x10),
        ("mode", &|image| image[file + 1] ^= 0x30),
        ("no mode", &|image| put16(image, file, 0)),
        ("deletion time", &|image| put32(image, file + 0x14, 1_700_000_000)),
        ("block that does not exist", &|image| put32(image, file + 0x28, 1 << 30)),
        ("block of another", &|image| put32(image, file + 0x28, (dir_block / 4096) as u32)),
        ("block of the tables", &|image| put32(image, file + 0x28, 1)),
        ("block marked free", &|image| image[block_bitmap + 2] = 0),
        ("block marked used", &|image| image[block_bitmap + 450] ^= 0x20),
        ("end of the block bitmap", &|image| image[block_bitmap + 4095] &= 0x7f),
        ("inode marked free", &|image| image[inode_bitmap + 1] &= !8),
        ("inode marked used", &|image| image[inode_bitmap + 60] ^= 0x20),
        ("end of the inode bitmap", &|image| image[inode_bitmap + 4095] &= 0x7f),
        ("free blocks of the group", &|image| image[4096 + 12] ^= 1),
        ("free inodes of the group", &|image| image[4096 + 14] ^= 1),
        ("directories of the group", &|image| image[4096 + 16] ^= 1),
        ("entry's length", &|image| image[dir_block + 4] ^= 2),
        ("entry's inode", &|image| put32(image, dir_block, 2)),
        ("parent", &|image| put32(image, dir_block + 12, 11)),
    ];
    for (what, damage) in damages {
        let mut image = image.clone();
        damage(&mut image);
        let ours = check(Disk::new(image.clone()).boxed());
        assert!(ours.as_ref().is_ok_and(|problems| !problems.is_empty()), "{what}: {ours:?}");
        judge(&image, what);
    }
}

#[test]
fn the_superblocks_counts_are_taken_from_the_groups() {
    let mut image = sample(4096, 0, 16 << 20, 5);
    let disk = Disk::new(image.clone());
    let statfs = Ext2::mount(disk.boxed(), MountOptions::default()).unwrap().statfs();
    // Linux does not keep them up to date, and e2fsck does not mind.
    image[1024 + 0xc] ^= 1;
    image[1024 + 0x10] ^= 1;
    judge(&image, "free blocks and inodes");
    let disk = Disk::new(image);
    assert_eq!(Ext2::mount(disk.boxed(), MountOptions::default()).unwrap().statfs(), statfs);
}

/// Everything that can be done with an image; only panics and endless loops
/// count.
fn use_everything(image: Vec<u8>, seed: u64) {
    let read_only = MountOptions { read_only: true, ..MountOptions::default() };
    let _ = check(Disk::new(image.clone()).boxed());
    for options in [read_only, MountOptions::default()] {
        let disk = Disk::new(image.clone());
        let Ok(mut fs) = Ext2::mount(disk.boxed(), options) else { continue };
        let mut names: Vec<(u32, Vec<u8>)> = Vec::new();
        let mut inodes = vec![2];
        let mut at = 0;
        while at < inodes.len() && inodes.len() < 200 {
            let ino = inodes[at];
            at += 1;
            let _ = fs.read_dir(ino, 0, &mut |entry| {
                if entry.name != b"." && entry.name != b".." {
                    names.push((ino, entry.name.to_vec()));
                    inodes.push(entry.ino);
                }
                true
            });
        }
        let mut buf = vec![0; 70_000];
        let mut random = Random(seed);
        for &ino in &inodes {
            let Ok(stat) = fs.stat(ino) else { continue };
            let _ = fs.read_link(ino);
            let _ = fs.read(ino, 0, &mut buf);
            let _ = fs.read(ino, stat.size.saturating_sub(5000), &mut buf);
            let _ = fs.map_run(ino, random.below(5000), 100);
            if random.one_in(2) && stat.kind == Kind::File {
                let _ = fs.write(ino, random.below(500_000), &buf[..20_000]);
                let _ = fs.punch_hole(ino, random.below(100_000), random.below(300_000));
                let _ = fs.set_attr(ino, &SetAttr { size: Some(random.below(100_000)), ..SetAttr::default() });
            }
        }
        for (dir, name) in names {
            match random.below(4) {
                0 => {
                    if let Ok(removed) = fs.unlink(dir, &name, 1) {
                        let _ = fs.release(removed.ino, 2);
                    }
                }
                1 => {
                    let _ = fs.rmdir(dir, &name, 1).map(|removed| fs.release(removed.ino, 2));
                }
                2 => {
                    let to = inodes[random.below(inodes.len() as u64) as usize];
                    let _ = fs.rename(dir, &name, to, b"renamed", ext2::RenameFlags::default(), 5);
                }
                _ => {
                    let _ = fs.link(dir, b"another", inodes[random.below(inodes.len() as u64) as usize], 5);
                }
            }
        }
        let _ = fs.sync();
    }
}

#[test]
fn random_damage_is_survived() {
    for (block_size, journal, size, seed) in [(1024, 0, 3 << 20, 1), (1024, 1024, 4 << 20, 2), (4096, 0, 6 << 20, 3)] {
        let image = sample(block_size, journal, size, seed);
        let mut random = Random(seed);
        // Where metadata lies, as random places would nearly all be free.
        let metadata: Vec<usize> = (0..image.len() / 256).filter(|n| image[n * 256..][..256] != [0; 256]).collect();
        for round in 0..120 {
            let mut image = image.clone();
            for _ in 0..1 + random.below(30) {
                let place = if random.one_in(4) {
                    random.below(20) as usize + 4
                } else {
                    metadata[random.below(metadata.len() as u64) as usize]
                };
                let at = place * 256 + random.below(252) as usize;
                match random.below(4) {
                    0 => image[at] ^= 1 << random.below(8),
                    1 => image[at] = random.next() as u8,
                    2 => put32(&mut image, at & !3, random.below(3000) as u32),
                    _ => put32(&mut image, at & !3, random.next() as u32),
                }
            }
            use_everything(image, round);
        }
    }
}

#[test]
fn damaged_superblocks_and_descriptors_are_survived() {
    for (block_size, journal, size) in [(1024, 1024, 4 << 20), (4096, 0, 6 << 20)] {
        let image = sample(block_size, journal, size, 9);
        let values = [0, 1, 2, 7, 8, 0x7f, 0xff, 0xffff, 0x8000_0000, u32::MAX];
        let descriptors = if block_size == 1024 { 2048 } else { 4096 };
        let places = (1024..1024 + 0x70).chain(1024 + 0xe0..1024 + 0xf0).chain(descriptors..descriptors + 32);
        for at in places.step_by(4) {
            for value in values {
                let mut image = image.clone();
                put32(&mut image, at, value);
                use_everything(image, at as u64);
            }
        }
    }
}

/// A small file system, the rest of it made of the input.
fn fuzz(base: &[u8], input: &[u8]) {
    let mut image = base.to_vec();
    for chunk in input.chunks_exact(6) {
        let at = u32::from_le_bytes([chunk[0], chunk[1], chunk[2], 0]) as usize % (image.len() - 2);
        image[at..at + 2].copy_from_slice(&chunk[4..6]);
    }
    use_everything(image, input.len() as u64);
}

#[test]
fn fuzzed_images_are_survived() {
    let base = sample(1024, 0, 1 << 20, 6);
    let mut random = Random(77);
    for _ in 0..150 {
        let input: Vec<u8> = (0..6 * (1 + random.below(400))).map(|_| random.next() as u8).collect();
        fuzz(&base, &input);
    }
}

#[test]
fn a_damaged_journal_is_survived() {
    let disk = Disk::zeroed(4 << 20);
    let options = FormatOptions { block_size: 1024, journal_blocks: 1024, uuid: [7; 16], ..FormatOptions::default() };
    format(disk.boxed(), &options).unwrap();
    let mut fs = Ext2::mount(disk.boxed(), MountOptions::default()).unwrap();
    let (mut random, mut model) = (Random(3), Model::new());
    for step in 0..200 {
        model.step(&mut fs, &mut random).unwrap();
        if step % 20 == 0 {
            fs.commit().unwrap();
        }
    }
    fs.commit().unwrap();
    drop(fs);
    let image = disk.bytes();
    let log: Vec<usize> =
        (0..image.len() / 1024).filter(|n| image[n * 1024..].starts_with(&[0xc0, 0x3b, 0x39, 0x98])).collect();
    assert!(log.len() > 10);
    for round in 0..300 {
        let mut image = image.clone();
        for _ in 0..1 + random.below(4) {
            let block = log[random.below(log.len() as u64) as usize];
            let at = block * 1024 + random.below(60) as usize;
            image[at] = if random.one_in(2) { random.next() as u8 } else { image[at] ^ 1 << random.below(8) };
        }
        use_everything(image, round);
    }
}

#[test]
fn a_device_that_fails_is_survived() {
    #[derive(Debug)]
    struct Failing(Disk, std::sync::atomic::AtomicU64);
    impl Failing {
        fn request(&self) -> Result<(), ext2::DeviceError> {
            use std::sync::atomic::Ordering::Relaxed;
            match self.1.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)) {
                Ok(_) => Ok(()),
                Err(_) => Err(ext2::DeviceError::Io),
            }
        }
    }
    impl Device for Failing {
        fn size_bytes(&self) -> u64 {
            self.0.size_bytes()
        }
        fn read(&self, offset: u64, buf: &mut [u8]) -> Result<(), ext2::DeviceError> {
            self.request()?;
            self.0.read(offset, buf)
        }
        fn write(&self, offset: u64, bytes: &[u8]) -> Result<(), ext2::DeviceError> {
            self.request()?;
            self.0.write(offset, bytes)
        }
        fn flush(&self) -> Result<(), ext2::DeviceError> {
            Ok(())
        }
        fn is_read_only(&self) -> bool {
            false
        }
    }
    let image = sample(1024, 1024, 6 << 20, 8);
    let mut random = Random(1);
    for _ in 0..60 {
        let disk = Disk::new(image.clone());
        let device = Failing(disk.clone(), random.below(400).into());
        let Ok(mut fs) = Ext2::mount(Box::new(device), MountOptions::default()) else { continue };
        for n in 0..200_u64 {
            let Ok(ino) = fs.create(2, format!("f{n}").as_bytes(), &new_file()) else { break };
            if fs.write(ino, n * 1000, &[1; 3000]).is_err() {
                break;
            }
        }
        let _ = fs.sync();
        // What is on the disk recovers as after a loss of power.
        let fs = Ext2::mount(disk.boxed(), MountOptions::default()).unwrap();
        fs.unmount().unwrap();
        let mut problems = check(disk.boxed()).unwrap();
        problems.retain(|problem| !problem.contains("an error was found"));
        assert_eq!(problems, Vec::<String>::new());
    }
}

fn new_file() -> ext2::NewInode<'static> {
    ext2::NewInode { kind: Kind::File, mode: 0o644, uid: 0, gid: 0, rdev: 0, target: &[], now: 1 << 60 }
}
