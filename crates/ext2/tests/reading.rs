//! Reads images that mke2fs has made and debugfs has filled.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use common::{Disk, TempDir, e2fsck, tool};
use ext2::{Ext2, Kind, MountOptions};

const READ_ONLY: MountOptions = MountOptions { read_only: true, bypass_journal: false };

/// A tree that needs every depth of indirect blocks that its size allows.
fn fill(root: &Path) {
    fs::create_dir_all(root.join("dir/sub")).unwrap();
    fs::write(root.join("small"), b"small\n").unwrap();
    fs::write(root.join("empty"), b"").unwrap();
    let big: Vec<u8> = (0..3_000_000_u32).map(|n| ((n / 7) ^ (n >> 11)) as u8).collect();
    fs::write(root.join("dir/big"), &big).unwrap();
    symlink("small", root.join("fast")).unwrap();
    symlink("x/".repeat(100), root.join("slow")).unwrap();
    fs::hard_link(root.join("small"), root.join("dir/sub/link")).unwrap();
    for n in 0..600 {
        fs::write(root.join(format!("dir/sub/a-file-with-a-rather-long-name-{n:04}")), format!("{n}")).unwrap();
    }
    let sparse = fs::File::create(root.join("sparse")).unwrap();
    sparse.set_len(9 << 20).unwrap();
    std::os::unix::fs::FileExt::write_at(&sparse, b"end", (9 << 20) - 3).unwrap();
}

/// Path to kind, contents or target.
type Tree = BTreeMap<String, (Kind, Vec<u8>)>;

fn host_tree(root: &Path, prefix: &str, tree: &mut Tree) {
    for entry in fs::read_dir(root).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{prefix}/{}", entry.file_name().to_str().unwrap());
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            host_tree(&entry.path(), &name, tree);
            tree.insert(name, (Kind::Directory, Vec::new()));
        } else if kind.is_symlink() {
            let target = fs::read_link(entry.path()).unwrap().to_str().unwrap().into();
            tree.insert(name, (Kind::Symlink, target));
        } else {
            tree.insert(name, (Kind::File, fs::read(entry.path()).unwrap()));
        }
    }
}

fn image_tree(fs: &mut Ext2, dir: u32, prefix: &str, tree: &mut Tree) {
    let mut entries = Vec::new();
    let mut position = 0;
    // One entry at a time, so that positions are tried.
    loop {
        let before = entries.len();
        fs.read_dir(dir, position, &mut |entry| {
            entries.push((String::from_utf8(entry.name.into()).unwrap(), entry.ino, entry.kind));
            position = entry.next_position;
            false
        })
        .unwrap();
        if entries.len() == before {
            break;
        }
    }
    for (name, ino, kind) in entries {
        assert_eq!(fs.lookup(dir, name.as_bytes()), Ok(ino));
        if name == "." || name == ".." || name == "lost+found" {
            continue;
        }
        let stat = fs.stat(ino).unwrap();
        assert!(kind.is_none_or(|kind| kind == stat.kind), "{name}");
        let path = format!("{prefix}/{name}");
        let mut data = Vec::new();
        match stat.kind {
            Kind::Directory => image_tree(fs, ino, &path, tree),
            Kind::Symlink => data = fs.read_link(ino).unwrap(),
            Kind::File => {
                data = vec![1; stat.size as usize + 10];
                let len = fs.read(ino, 0, &mut data).unwrap();
                assert_eq!(len as u64, stat.size);
                data.truncate(len);
                // And in odd pieces.
                for (start, len) in [(0, 1), (511, 1026), (4095, 5000), (2_999_000, 4000)] {
                    let mut part = vec![7; len];
                    let read = fs.read(ino, start, &mut part).unwrap();
                    let start = (start as usize).min(data.len());
                    assert_eq!(part[..read], data[start..(start + len).min(data.len())]);
                }
            }
            kind => panic!("{path}: {kind:?}"),
        }
        tree.insert(path, (stat.kind, data));
    }
}

fn check(name: &str, args: &[&str]) {
    let dir = TempDir::new(name);
    let root = dir.path().join("root");
    fill(&root);
    let image = dir.path().join("image");
    let mut all = vec!["-q", "-F"];
    all.extend(args);
    all.extend(["-d", root.to_str().unwrap(), image.to_str().unwrap(), "24M"]);
    let (status, text) = tool("mke2fs", &all);
    assert_eq!(status, 0, "{text}");
    let (_, _) = tool("e2fsck", &["-fyD", image.to_str().unwrap()]);
    let bytes = fs::read(&image).unwrap();
    e2fsck(&bytes, name).unwrap();
    let mut fs = Ext2::mount(Disk::new(bytes).boxed(), READ_ONLY).unwrap();
    let (mut expected, mut seen) = (Tree::new(), Tree::new());
    host_tree(&root, "", &mut expected);
    image_tree(&mut fs, 2, "", &mut seen);
    assert_eq!(expected.keys().collect::<Vec<_>>(), seen.keys().collect::<Vec<_>>());
    for (path, node) in &expected {
        assert!(seen[path] == *node, "{path} differs");
    }
}

#[test]
fn reads_images_with_1k_blocks_and_classic_inodes() {
    check("read-1k", &["-b", "1024", "-I", "128", "-t", "ext2"]);
}

#[test]
fn reads_images_with_2k_blocks_and_indexed_directories() {
    check("read-2k", &["-b", "2048", "-I", "256", "-O", "filetype,sparse_super,large_file,dir_index"]);
}

#[test]
fn reads_images_with_4k_blocks_and_a_journal() {
    check(
        "read-4k",
        &["-b", "4096", "-I", "256", "-O", "filetype,sparse_super,large_file,dir_index,has_journal,resize_inode"],
    );
}

#[test]
fn reads_images_without_file_types() {
    check("read-rev0", &["-b", "1024", "-I", "128", "-O", "none"]);
}

#[test]
fn refuses_unknown_features_by_name() {
    let dir = TempDir::new("ext4");
    let image = dir.path().join("image");
    let (status, text) = tool("mke2fs", &["-q", "-F", "-O", "filetype,extents,64bit", image.to_str().unwrap(), "8M"]);
    assert_eq!(status, 0, "{text}");
    let error = Ext2::mount(Disk::new(fs::read(&image).unwrap()).boxed(), READ_ONLY).unwrap_err();
    assert!(error.to_string().contains("extents"), "{error}");
}

#[test]
fn an_unknown_compatible_feature_allows_only_reading() {
    let dir = TempDir::new("ro-compat");
    let image = dir.path().join("image");
    let (status, text) = tool("mke2fs", &["-q", "-F", "-O", "filetype,huge_file", image.to_str().unwrap(), "8M"]);
    assert_eq!(status, 0, "{text}");
    let disk = Disk::new(fs::read(&image).unwrap());
    assert_eq!(Ext2::mount(disk.boxed(), MountOptions::default()).unwrap_err(), ext2::Error::ReadOnly);
    Ext2::mount(disk.boxed(), READ_ONLY).unwrap();
}
