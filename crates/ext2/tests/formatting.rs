//! Formats devices and has e2fsck look at them.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{Disk, e2fsck};
use ext2::{Error, Ext2, FormatOptions, Kind, MountOptions, NewInode, format};

const UUID: [u8; 16] = *b"0123456789abcdef";

fn made(size: usize, options: &FormatOptions) -> Disk {
    // Full of rubbish, as a used disk is.
    let disk = Disk::new((0..size).map(|n| (n / 3) as u8).collect());
    format(disk.boxed(), options).unwrap();
    disk
}

#[test]
fn every_geometry_is_clean() {
    for block_size in [1024, 2048, 4096] {
        for inode_size in [128, 256] {
            for journal_blocks in [0, 1024, 4096] {
                for size in [1 << 20, (9 << 20) + 5000, 33 << 20, (70 << 20) + 512] {
                    if journal_blocks as usize * block_size as usize > size / 2 {
                        continue;
                    }
                    let options = FormatOptions {
                        block_size,
                        inode_size,
                        journal_blocks,
                        uuid: UUID,
                        label: b"volume".to_vec(),
                        time: 1_700_000_000_000_000_000,
                        ..FormatOptions::default()
                    };
                    let disk = made(size, &options);
                    if let Err(text) = e2fsck(&disk.bytes(), "format") {
                        panic!("{options:?} {size}: {text}");
                    }
                    let fs = Ext2::mount(disk.boxed(), MountOptions::default()).unwrap();
                    let statfs = fs.statfs();
                    assert_eq!((statfs.uuid, statfs.label.as_str()), (UUID, "volume"));
                    assert_eq!(statfs.has_journal, journal_blocks != 0);
                }
            }
        }
    }
}

#[test]
fn the_same_options_make_the_same_bytes() {
    let options = FormatOptions { journal_blocks: 1024, uuid: UUID, ..FormatOptions::default() };
    let images: Vec<Vec<u8>> = [0, 1]
        .map(|_| {
            let disk = Disk::zeroed(20 << 20);
            format(disk.boxed(), &options).unwrap();
            disk.bytes()
        })
        .into();
    assert!(images[0] == images[1]);
}

#[test]
fn a_device_that_is_too_small_is_refused() {
    let options = FormatOptions { journal_blocks: 1024, ..FormatOptions::default() };
    for size in [0, 512, 4096, 100_000, 3 << 20] {
        let error = format(Disk::zeroed(size).boxed(), &options).map(|_| ()).unwrap_err();
        assert_eq!(error, Error::NoSpace, "{size}");
    }
}

#[test]
fn all_inodes_can_be_used_and_no_more() {
    let options = FormatOptions { block_size: 1024, inode_count: Some(64), ..FormatOptions::default() };
    let disk = made(1 << 20, &options);
    let mut fs = Ext2::mount(disk.boxed(), MountOptions::default()).unwrap();
    let free = fs.statfs().free_inodes;
    let node = NewInode { kind: Kind::File, mode: 0o644, uid: 1, gid: 2, rdev: 0, target: &[], now: 5 };
    for n in 0..free {
        fs.create(2, format!("{n}").as_bytes(), &node).unwrap();
    }
    assert_eq!(fs.create(2, b"more", &node), Err(Error::NoSpace));
    fs.unmount().unwrap();
    e2fsck(&disk.bytes(), "full").unwrap();
}
