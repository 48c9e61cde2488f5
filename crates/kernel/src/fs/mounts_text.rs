//! The list of mounts as `/proc/PID/mounts` and `mountinfo` show it.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use linux_abi::stat::{major, minor};

use crate::fs::{Mount, MountFlags, Path, Vfs};

impl Vfs {
    /// One line for each mount that can be reached from `root`; with `info`, in
    /// the longer form.
    #[must_use]
    pub(crate) fn mounts_text(&self, root: &Path, info: bool) -> Vec<u8> {
        let mut out = Vec::new();
        for mount in self.mounts().list() {
            let place = self.path_text(root, &mount.root_path());
            if place.first() != Some(&b'/') {
                continue;
            }
            let (own, of_fs, kind) = (options(&mount), mount.fs().options(), mount.fs().name());
            let (place, source) = (escape(&place), escape(mount.source()));
            if info {
                let parent = mount.mountpoint().map_or(mount.id, |at| at.mount.id);
                let (id, dev) = (mount.id, mount.fs().dev());
                let access = if mount.flags().contains(MountFlags::READ_ONLY) { "ro" } else { "rw" };
                out.extend_from_slice(format!("{id} {parent} {}:{} ", major(dev), minor(dev)).as_bytes());
                out.extend_from_slice(&escape(&dentry_text(&mount)));
                out.push(b' ');
                out.extend_from_slice(&place);
                out.extend_from_slice(format!(" {own} - {kind} ").as_bytes());
                out.extend_from_slice(&source);
                out.extend_from_slice(format!(" {access}{of_fs}\n").as_bytes());
            } else {
                out.extend_from_slice(&source);
                out.push(b' ');
                out.extend_from_slice(&place);
                out.extend_from_slice(format!(" {kind} {own}{of_fs} 0 0\n").as_bytes());
            }
        }
        out
    }
}

/// Where the mount's root lies within its file system.
fn dentry_text(mount: &Mount) -> Vec<u8> {
    let mut names = Vec::new();
    let mut at = mount.root().clone();
    while let Some(parent) = at.parent() {
        names.push(at.name());
        at = parent;
    }
    let mut text = Vec::new();
    for name in names.iter().rev() {
        text.push(b'/');
        text.extend_from_slice(name);
    }
    if text.is_empty() { b"/".to_vec() } else { text }
}

fn options(mount: &Mount) -> String {
    let names = [
        (MountFlags::NO_SUID, ",nosuid"),
        (MountFlags::NO_DEV, ",nodev"),
        (MountFlags::NO_EXEC, ",noexec"),
        (MountFlags::NO_ATIME, ",noatime"),
        (MountFlags::NO_DIRATIME, ",nodiratime"),
    ];
    let flags = mount.flags();
    let access = if flags.contains(MountFlags::READ_ONLY) { "ro" } else { "rw" };
    let more: Vec<&str> = names.iter().filter(|(flag, _)| flags.contains(*flag)).map(|(_, name)| *name).collect();
    format!("{access}{}", more.concat())
}

/// Spaces and the like as octal escapes, as programs expect them here.
fn escape(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for &byte in text {
        match byte {
            b' ' | b'\t' | b'\n' | b'\\' => out.extend_from_slice(format!("\\{byte:03o}").as_bytes()),
            _ => out.push(byte),
        }
    }
    out
}
