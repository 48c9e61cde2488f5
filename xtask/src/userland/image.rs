//! Lays out and packs the userland's image: sorted, owned by root, without
//! times, so that equal contents are equal bytes.

use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tar::{EntryType, Header};

/// Zstandard's level.
const LEVEL: i32 = 19;
/// The logarithm of the window: the programs share code, so it spans them all.
const WINDOW_LOG: u32 = 25;

/// What is at a path of the image.
enum Node {
    Directory(u32),
    File(u32, Vec<u8>),
    Link(String),
}

/// Directories with their modes.
const DIRECTORIES: &[(&str, u32)] = &[
    ("bin", 0o755),
    ("dev", 0o755),
    ("etc", 0o755),
    ("home", 0o755),
    ("home/user", 0o755),
    ("mnt", 0o755),
    ("proc", 0o555),
    ("root", 0o700),
    ("run", 0o755),
    ("sbin", 0o755),
    ("sys", 0o555),
    ("tmp", 0o1777),
    ("usr", 0o755),
    ("usr/local", 0o755),
    ("usr/local/bin", 0o755),
    ("usr/share", 0o755),
    ("usr/share/licenses", 0o755),
    ("var", 0o755),
    ("var/log", 0o755),
    ("var/tmp", 0o1777),
];

/// Programs that nobody calls by hand.
const SYSTEM_PROGRAMS: &[&str] = &["init", "telnetd"];

/// Symbolic links beside the commands'.
const LINKS: &[(&str, &str)] = &[
    // What the kernel learns about names when it is given its address over the network.
    ("etc/resolv.conf", "/proc/net/pnp"),
    ("usr/bin", "../bin"),
    ("usr/sbin", "../sbin"),
    ("var/run", "../run"),
    ("bin/more", "less"),
];

/// The packed image.
pub(crate) fn pack(skeleton: &Path, programs: &[(String, PathBuf)], licences: &str) -> Result<Vec<u8>> {
    let mut nodes = BTreeMap::new();
    for (path, mode) in DIRECTORIES {
        nodes.insert((*path).to_owned(), Node::Directory(*mode));
    }
    add_tree(skeleton, "", &mut nodes)?;
    nodes.insert("usr/share/licenses/THIRD-PARTY".to_owned(), Node::File(0o644, licences.as_bytes().to_vec()));
    for (name, path) in programs {
        let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let place = if SYSTEM_PROGRAMS.contains(&name.as_str()) { "sbin" } else { "bin" };
        let place = format!("{place}/{name}");
        nodes.insert(place, Node::File(0o755, bytes));
    }
    for name in command_names(skeleton)? {
        nodes.entry(format!("bin/{name}")).or_insert_with(|| Node::Link("toolbox".to_owned()));
    }
    for (path, to) in LINKS {
        nodes.insert((*path).to_owned(), Node::Link((*to).to_owned()));
    }
    compress(&archive(&nodes)?)
}

/// The multicall program's commands, from its own table.
fn command_names(skeleton: &Path) -> Result<Vec<String>> {
    let table = skeleton.with_file_name("toolbox/src/commands.rs");
    let text = fs::read_to_string(&table).with_context(|| format!("cannot read {}", table.display()))?;
    let rows = text.lines().filter_map(|line| line.strip_prefix("    (\"")?.split('"').next());
    Ok(rows.map(str::to_owned).collect())
}

fn add_tree(dir: &Path, prefix: &str, nodes: &mut BTreeMap<String, Node>) -> Result<()> {
    for entry in fs::read_dir(dir).with_context(|| format!("cannot read {}", dir.display()))? {
        let entry = entry?;
        let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let meta = entry.metadata()?;
        if meta.is_dir() {
            nodes.entry(path.clone()).or_insert(Node::Directory(0o755));
            add_tree(&entry.path(), &format!("{path}/"), nodes)?;
        } else {
            let mode = if meta.permissions().mode() & 0o100 == 0 { 0o644 } else { 0o755 };
            nodes.insert(path, Node::File(mode, fs::read(entry.path())?));
        }
    }
    Ok(())
}

fn archive(nodes: &BTreeMap<String, Node>) -> Result<Vec<u8>> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, node) in nodes {
        let mut header = Header::new_ustar();
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        match node {
            Node::Directory(mode) => {
                header.set_entry_type(EntryType::Directory);
                header.set_mode(*mode);
                header.set_size(0);
                builder.append_data(&mut header, format!("{path}/"), std::io::empty())?;
            }
            Node::File(mode, bytes) => {
                header.set_entry_type(EntryType::Regular);
                header.set_mode(*mode);
                header.set_size(bytes.len() as u64);
                builder.append_data(&mut header, path, bytes.as_slice())?;
            }
            Node::Link(to) => {
                header.set_entry_type(EntryType::Symlink);
                header.set_mode(0o777);
                header.set_size(0);
                builder.append_link(&mut header, path, to)?;
            }
        }
    }
    Ok(builder.into_inner()?)
}

fn compress(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = zstd::Encoder::new(Vec::new(), LEVEL)?;
    encoder.long_distance_matching(true)?;
    encoder.window_log(WINDOW_LOG)?;
    encoder.include_checksum(true)?;
    encoder.set_pledged_src_size(Some(bytes.len() as u64))?;
    std::io::copy(&mut &*bytes, &mut encoder)?;
    Ok(encoder.finish()?)
}
