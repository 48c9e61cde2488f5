//! `/proc/PID/maps`, `smaps` and `smaps_rollup`.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write as _;

use machine::Prot;

use crate::Kernel;
use crate::error::Result;
use crate::fs::Path;
use crate::fs::procfs::Target;
use crate::fs::procfs::node::text;
use crate::mm::{Label, MapLine, Usage, VmaFlags};

pub(super) fn maps(target: &Target) -> Result<Vec<u8>> {
    let (kernel, task) = (target.kernel()?, target.task()?);
    let root = kernel.vfs().root();
    let mut out = Vec::new();
    for line in task.mm().maps() {
        row(&mut out, &kernel, &root, &line);
    }
    Ok(out)
}

/// The line of a mapping.
fn row(out: &mut Vec<u8>, kernel: &Kernel, root: &Path, line: &MapLine) {
    let letter = |prot, letter| if line.prot.contains(prot) { letter } else { '-' };
    let shared = if line.flags.contains(VmaFlags::SHARED) { 's' } else { 'p' };
    let (dev, ino, name) = match line.label.as_deref() {
        Some(Label::File { path, dev, ino }) => (*dev, *ino, kernel.vfs().link_text(root, path)),
        Some(Label::Segment { key, id }) => {
            (1, u64::from(id.cast_unsigned()), format!("/SYSV{key:08x} (deleted)").into_bytes())
        }
        Some(Label::Name(name)) => (0, 0, name.as_bytes().to_vec()),
        None => (0, 0, Vec::new()),
    };
    let (major, minor) = (linux_abi::stat::major(dev), linux_abi::stat::minor(dev));
    let mut row = format!(
        "{:08x}-{:08x} {}{}{}{shared} {:08x} {major:02x}:{minor:02x} {ino}",
        line.range.start,
        line.range.end,
        letter(Prot::READ, 'r'),
        letter(Prot::WRITE, 'w'),
        letter(Prot::EXEC, 'x'),
        line.offset,
    );
    if !name.is_empty() {
        row = format!("{row:<72} ");
    }
    out.extend_from_slice(row.as_bytes());
    out.extend_from_slice(&name);
    out.push(b'\n');
}

/// The mappings with how much memory each uses. What a page is shared by is not
/// counted, so `Pss` is `Rss`, as in `smaps_rollup`.
pub(super) fn smaps(target: &Target) -> Result<Vec<u8>> {
    let (kernel, mm) = (target.kernel()?, target.task()?.mm());
    let root = kernel.vfs().root();
    let mut out = Vec::new();
    for line in mm.maps() {
        row(&mut out, &kernel, &root, &line);
        let usage = mm.usage_of(line.range.clone());
        out.extend_from_slice(details(&line, &usage).as_bytes());
    }
    Ok(out)
}

fn details(line: &MapLine, usage: &Usage) -> String {
    let mut out = String::new();
    let (resident, shared) = (usage.resident * 4, usage.shared * 4);
    let locked = if line.flags.contains(VmaFlags::LOCKED) { resident } else { 0 };
    for (name, kib) in [
        ("Size", (line.range.end - line.range.start) / 1024),
        ("KernelPageSize", 4),
        ("MMUPageSize", 4),
        ("Rss", resident),
        ("Pss", resident),
        ("Shared_Clean", shared),
        ("Private_Dirty", resident - shared),
        ("Swap", 0),
        ("Locked", locked),
    ] {
        let _ = writeln!(out, "{:<15} {kib:>8} kB", format!("{name}:"));
    }
    out.push_str("VmFlags:");
    for (name, is_set) in flags(line) {
        if is_set {
            let _ = write!(out, " {name}");
        }
    }
    out.push_str(" \n");
    out
}

/// The properties of a mapping by Linux's two letters, in its order.
fn flags(line: &MapLine) -> [(&'static str, bool); 15] {
    let prot = |bit| line.prot.contains(bit);
    let flag = |bit| line.flags.contains(bit);
    [
        ("rd", prot(Prot::READ)),
        ("wr", prot(Prot::WRITE)),
        ("ex", prot(Prot::EXEC)),
        ("sh", flag(VmaFlags::SHARED)),
        ("mr", true),
        ("mw", flag(VmaFlags::MAY_WRITE)),
        ("me", flag(VmaFlags::MAY_EXEC)),
        ("ms", flag(VmaFlags::SHARED)),
        ("gd", flag(VmaFlags::GROWSDOWN)),
        ("lo", flag(VmaFlags::LOCKED)),
        ("dc", flag(VmaFlags::DONTFORK)),
        ("nr", flag(VmaFlags::NORESERVE)),
        ("bt", prot(Prot::GUARDED)),
        ("wf", flag(VmaFlags::WIPEONFORK)),
        ("dd", flag(VmaFlags::DONTDUMP)),
    ]
}

pub(super) fn smaps_rollup(target: &Target) -> Result<Vec<u8>> {
    let mm = target.task()?.mm();
    let (usage, maps) = (mm.usage(), mm.maps());
    let (first, last) = (maps.first().map_or(0, |line| line.range.start), maps.last().map_or(0, |line| line.range.end));
    let (resident, shared) = (usage.resident * 4, usage.shared * 4);
    Ok(text(format!(
        "{first:08x}-{last:08x} ---p 00000000 00:00 0 [rollup]\nRss: {resident:>8} kB\nPss: {resident:>8} kB\n\
         Shared_Clean: {shared:>8} kB\nPrivate_Dirty: {:>8} kB\n",
        resident - shared
    )))
}
