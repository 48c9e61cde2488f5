//! Makes disk images and lets e2fsprogs judge them.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use vambrace::image::{self, ImageOptions};

/// Runs one of e2fsprogs' programs; returns status and output.
fn tool(program: &str, args: &[&str]) -> (i32, String) {
    // Debian keeps them where only root's PATH leads.
    let places = ["/usr/sbin", "/sbin", "/usr/local/sbin"];
    let place = places.iter().map(|dir| Path::new(dir).join(program)).find(|path| path.exists());
    let output = Command::new(place.unwrap_or_else(|| program.into()))
        .args(args)
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error}; `cargo xtask setup` installs e2fsprogs"));
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.code().unwrap_or(-1), text)
}

fn assert_clean(path: &Path) {
    let (status, text) = tool("e2fsck", &["-fn", path.to_str().unwrap()]);
    assert_eq!(status, 0, "{text}");
    assert_eq!(image::check(path).unwrap(), Vec::<String>::new());
}

/// Path to mode, and contents or target.
type Files = BTreeMap<String, (u32, Vec<u8>)>;

fn tree(root: &Path) -> Files {
    fn collect(dir: &Path, prefix: &str, all: &mut Files) {
        for entry in fs::read_dir(dir).unwrap() {
            let entry = entry.unwrap();
            let name = format!("{prefix}/{}", entry.file_name().to_str().unwrap());
            if name == "/lost+found" {
                continue;
            }
            let metadata = entry.metadata().unwrap();
            let data = if metadata.is_dir() {
                collect(&entry.path(), &name, all);
                Vec::new()
            } else if metadata.is_symlink() {
                fs::read_link(entry.path()).unwrap().into_os_string().into_encoded_bytes()
            } else {
                fs::read(entry.path()).unwrap()
            };
            // debugfs keeps no more of the mode.
            all.insert(name, (metadata.mode() & 0o170_777, data));
        }
    }
    let mut all = BTreeMap::new();
    collect(root, "", &mut all);
    all
}

/// What debugfs takes out of an image.
fn dumped(image: &Path, into: &Path) -> Files {
    fs::create_dir(into).unwrap();
    let command = format!("rdump / {}", into.to_str().unwrap());
    let (status, text) = tool("debugfs", &["-R", &command, image.to_str().unwrap()]);
    assert_eq!(status, 0, "{text}");
    tree(into)
}

fn sample(root: &Path) {
    fs::create_dir_all(root.join("usr/share/empty")).unwrap();
    fs::create_dir(root.join("tmp")).unwrap();
    fs::set_permissions(root.join("tmp"), PermissionsExt::from_mode(0o1777)).unwrap();
    let large: Vec<u8> = (0..5_000_000_u32).map(|n| (n / 3) as u8).collect();
    fs::write(root.join("usr/large"), large).unwrap();
    fs::set_permissions(root.join("usr/large"), PermissionsExt::from_mode(0o4755)).unwrap();
    let mut sparse = vec![0; 3 << 20];
    sparse[2 << 20] = 1;
    fs::write(root.join("usr/sparse"), sparse).unwrap();
    symlink("large", root.join("usr/short")).unwrap();
    symlink("../".repeat(60) + "usr/large", root.join("usr/long")).unwrap();
    fs::hard_link(root.join("usr/large"), root.join("tmp/link")).unwrap();
    for n in 0..300 {
        fs::write(root.join(format!("usr/share/file-{n}")), format!("{n}\n")).unwrap();
    }
}

fn listed(image: &Path, path: &[u8]) -> String {
    let mut text = Vec::new();
    image::list(image, path, &mut text).unwrap();
    String::from_utf8(text).unwrap()
}

#[test]
fn debugfs_takes_out_what_went_in() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    sample(&root);
    for (block_size, journal) in [(1024, true), (2048, false), (4096, true)] {
        let image = dir.path().join(format!("{block_size}.img"));
        let options = ImageOptions { block_size, journal, ..ImageOptions::default() };
        image::create_from_dir(&root, &image, &options).unwrap();
        assert_clean(&image);
        let out = dumped(&image, &dir.path().join(format!("out-{block_size}")));
        let expected = tree(&root);
        assert_eq!(out.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
        for (path, node) in &expected {
            assert!(out[path] == *node, "{path} differs");
        }
        let (_, text) = tool("debugfs", &["-R", "stat /tmp/link", image.to_str().unwrap()]);
        assert!(text.contains("Links: 2") && text.contains("User:     0"), "{text}");
        let text = listed(&image, b"/usr");
        assert!(text.contains("\n-rwsr-xr-x    2 ") && text.contains(" short -> large\n"), "{text}");
        // Of three MiB, one block and the indirect ones on the way to it.
        let (_, text) = tool("debugfs", &["-R", "blocks /usr/sparse", image.to_str().unwrap()]);
        let blocks = text.lines().flat_map(str::split_whitespace).filter(|word| word.parse::<u32>().is_ok()).count();
        assert!((2..=4).contains(&blocks), "{text}");
    }
}

#[test]
fn the_same_directory_makes_the_same_bytes_and_a_sparse_file() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    sample(&root);
    // Inside the directory, where the first one must not go into the second.
    let image = root.join("disk.img");
    let options = ImageOptions { size: Some(256 << 20), ..ImageOptions::default() };
    image::create_from_dir(&root, &image, &options).unwrap();
    let first = fs::read(&image).unwrap();
    let metadata = fs::metadata(&image).unwrap();
    assert_eq!(metadata.len(), 256 << 20);
    assert!(metadata.blocks() * 512 < 20 << 20, "{} sectors", metadata.blocks());
    image::create_from_dir(&root, &image, &ImageOptions { latest: Some(i64::MAX), ..options }).unwrap();
    let second = fs::read(&image).unwrap();
    // The image's own name has changed the directory's time.
    let latest = ImageOptions { latest: Some(1_000_000_000), size: Some(256 << 20), ..ImageOptions::default() };
    image::create_from_dir(&root, &image, &latest).unwrap();
    let third = fs::read(&image).unwrap();
    image::create_from_dir(&root, &image, &latest).unwrap();
    assert!(third == fs::read(&image).unwrap());
    assert_eq!((first.len(), second.len()), (third.len(), third.len()));
    assert_clean(&image);
}

#[test]
fn the_builtin_userland_makes_an_image() {
    let dir = tempfile::tempdir().unwrap();
    let image = dir.path().join("disk.img");
    image::create_builtin(&image, &ImageOptions::default()).unwrap();
    assert_clean(&image);
    let out = dumped(&image, &dir.path().join("out"));
    assert!(out["/bin/sh"].1.starts_with(b"\x7fELF"));
    let text = listed(&image, b"/etc");
    assert!(text.starts_with("/etc:\n") && text.contains(" passwd\n"), "{text}");
    assert!(listed(&image, b"/").contains("\ndrwxrwxrwt "));
}

#[test]
fn a_directory_that_does_not_fit_leaves_no_image() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    sample(&root);
    let image = dir.path().join("disk.img");
    let options = ImageOptions { size: Some(4 << 20), ..ImageOptions::default() };
    let error = image::create_from_dir(&root, &image, &options).unwrap_err();
    assert!(error.to_string().contains("No space left"), "{error}");
    let names: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["root"]);
}
