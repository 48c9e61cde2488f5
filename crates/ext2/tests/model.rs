//! Random operations on a file system and on a model of it, which must agree,
//! with e2fsck as the judge of the image.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::model::{Model, Random};
use common::{Disk, TempDir, e2fsck, tool};
use ext2::{Ext2, FormatOptions, MountOptions, format};

const STEPS: u32 = 250;
const ROUNDS: u32 = 4;

/// Several rounds of random steps; after each the file system is unmounted,
/// checked, mounted and compared.
fn exercise(name: &str, disk: &Disk, seed: u64, nanoseconds: bool) {
    let mut random = Random(seed);
    let mut model = Model::new();
    for round in 0..ROUNDS {
        let mut fs = Ext2::mount(disk.boxed(), MountOptions::default()).unwrap();
        model.compare(&mut fs, nanoseconds);
        for step in 0..STEPS {
            if let Err(error) = model.step(&mut fs, &mut random) {
                panic!("{name}, seed {seed}, round {round}, step {step}: {error}");
            }
            match random.below(60) {
                0 => fs.commit().unwrap(),
                1 => fs.sync().unwrap(),
                _ => {}
            }
        }
        model.compare(&mut fs, nanoseconds);
        fs.unmount().unwrap();
        if let Err(text) = check(&disk.bytes(), name) {
            panic!("{name}, seed {seed}, round {round}: {text}");
        }
        model.forget_open();
    }
    // What was still open is freed now.
    let mut fs = Ext2::mount(disk.boxed(), MountOptions::default()).unwrap();
    model.compare(&mut fs, nanoseconds);
    fs.unmount().unwrap();
    e2fsck(&disk.bytes(), name).unwrap();
}

/// e2fsck frees the orphans first, as a mount would.
fn check(image: &[u8], name: &str) -> Result<(), String> {
    let dir = TempDir::new(name);
    let file = dir.path().join("image");
    std::fs::write(&file, image).unwrap();
    let path = file.to_str().unwrap();
    let (status, text) = tool("e2fsck", &["-fp", path]);
    if status > 1 {
        return Err(format!("e2fsck -fp: {status}\n{text}"));
    }
    e2fsck(&std::fs::read(&file).unwrap(), name)
}

fn ours(name: &str, block_size: u32, inode_size: u16, journal_blocks: u32, size: usize) {
    for seed in 0..3 {
        let disk = Disk::zeroed(size);
        let options = FormatOptions { block_size, inode_size, journal_blocks, ..FormatOptions::default() };
        format(disk.boxed(), &options).unwrap();
        exercise(name, &disk, seed, inode_size > 128);
    }
}

fn theirs(name: &str, args: &[&str], nanoseconds: bool) {
    for seed in 10..12 {
        let dir = TempDir::new(name);
        let image = dir.path().join("image");
        let mut all = vec!["-q", "-F"];
        all.extend(args);
        all.extend([image.to_str().unwrap(), "12M"]);
        let (status, text) = tool("mke2fs", &all);
        assert_eq!(status, 0, "{text}");
        let disk = Disk::new(std::fs::read(&image).unwrap());
        exercise(name, &disk, seed, nanoseconds);
    }
}

#[test]
fn agrees_with_1k_blocks() {
    ours("model-1k", 1024, 128, 0, 6 << 20);
}

#[test]
fn agrees_with_2k_blocks() {
    ours("model-2k", 2048, 256, 0, 8 << 20);
}

#[test]
fn agrees_with_4k_blocks() {
    ours("model-4k", 4096, 256, 0, 12 << 20);
}

#[test]
fn agrees_with_1k_blocks_and_a_journal() {
    ours("model-1k-journal", 1024, 256, 1024, 8 << 20);
}

#[test]
fn agrees_with_4k_blocks_and_a_journal() {
    ours("model-4k-journal", 4096, 256, 1024, 16 << 20);
}

#[test]
fn agrees_on_a_small_disk_that_fills_up() {
    ours("model-full", 1024, 128, 1024, 3 << 20);
}

#[test]
fn agrees_on_mke2fs_images() {
    theirs("model-mke2fs-1k", &["-b", "1024", "-I", "128", "-t", "ext2"], false);
    theirs("model-mke2fs-4k", &["-b", "4096", "-I", "256", "-t", "ext2", "-O", "dir_index,resize_inode"], true);
}

#[test]
fn agrees_on_mke2fs_images_with_a_journal_or_without_features() {
    theirs("model-mke2fs-journal", &["-b", "1024", "-I", "256", "-j", "-O", "dir_index,resize_inode"], true);
    theirs("model-mke2fs-plain", &["-b", "2048", "-I", "128", "-O", "none"], false);
    theirs("model-mke2fs-groups", &["-b", "1024", "-g", "512", "-I", "256", "-j"], true);
}
