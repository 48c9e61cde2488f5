//! `mount` and `umount`.

use crate::adapters::{complain, text_args};
use rustix::mount::{MountFlags, UnmountFlags, mount, mount_bind, mount_remount, unmount};
use std::ffi::{CString, OsString};
use std::fs;
use std::io::{self, Write};

const USAGE: &str = "usage: mount [-r] [-w] [-n] [-t TYPE] [-o OPTIONS] [DEVICE] [DIRECTORY]
       mount -a [-t TYPE]";

/// Options that are flags of the call: the flag, and whether the option sets it.
const FLAGS: &[(&str, MountFlags, bool)] = &[
    ("ro", MountFlags::RDONLY, true),
    ("rw", MountFlags::RDONLY, false),
    ("nosuid", MountFlags::NOSUID, true),
    ("suid", MountFlags::NOSUID, false),
    ("nodev", MountFlags::NODEV, true),
    ("dev", MountFlags::NODEV, false),
    ("noexec", MountFlags::NOEXEC, true),
    ("exec", MountFlags::NOEXEC, false),
    ("sync", MountFlags::SYNCHRONOUS, true),
    ("async", MountFlags::SYNCHRONOUS, false),
    ("noatime", MountFlags::NOATIME, true),
    ("atime", MountFlags::NOATIME, false),
    ("relatime", MountFlags::RELATIME, true),
    ("nodiratime", MountFlags::NODIRATIME, true),
];
/// Options that say something to this command or to nobody.
const IGNORED: &[&str] = &[
    "defaults", "auto", "noauto", "user", "nouser", "nofail", "_netdev",
];

/// How something is mounted.
#[derive(Debug, Default, PartialEq, Eq)]
struct Options {
    flags: u32,
    remount: bool,
    bind: bool,
    /// What the file system itself understands.
    data: String,
}

impl Options {
    fn add(&mut self, list: &str) {
        for option in list.split(',').filter(|option| !option.is_empty()) {
            if let Some((_, flag, sets)) = FLAGS.iter().find(|(name, ..)| *name == option) {
                if *sets {
                    self.flags |= flag.bits();
                } else {
                    self.flags &= !flag.bits();
                }
            } else if option == "remount" {
                self.remount = true;
            } else if option == "bind" || option == "rbind" {
                self.bind = true;
            } else if !IGNORED.contains(&option) {
                if !self.data.is_empty() {
                    self.data.push(',');
                }
                self.data.push_str(option);
            }
        }
    }
}

/// A row of `/etc/fstab` or `/proc/mounts`.
#[derive(Debug, PartialEq, Eq)]
struct Row<'a> {
    device: &'a str,
    place: String,
    kind: &'a str,
    options: &'a str,
}

fn rows(text: &str) -> impl Iterator<Item = Row<'_>> {
    let lines = text
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'));
    lines.filter_map(|line| {
        let mut fields = line.split_whitespace();
        Some(Row {
            device: fields.next()?,
            place: fields.next()?.replace("\\040", " ").replace("\\134", "\\"),
            kind: fields.next()?,
            options: fields.next().unwrap_or("defaults"),
        })
    })
}

/// The types that disks may have, as the kernel lists them.
fn disk_types() -> Vec<String> {
    let text = fs::read_to_string("/proc/filesystems").unwrap_or_default();
    let disks = text.lines().filter_map(|line| line.strip_prefix('\t'));
    disks.map(str::to_owned).collect()
}

fn attach(device: &str, place: &str, kind: Option<&str>, options: &Options) -> io::Result<()> {
    let flags = MountFlags::from_bits_retain(options.flags);
    let data = CString::new(options.data.as_str())?;
    if options.remount {
        return Ok(mount_remount(place, flags, data.as_c_str())?);
    }
    if options.bind {
        return Ok(mount_bind(device, place)?);
    }
    if let Some(kind) = kind.filter(|kind| *kind != "auto") {
        return Ok(mount(device, place, kind, flags, data.as_c_str())?);
    }
    // A file system of another type is not understood, which is what EINVAL says.
    let mut result = Err(rustix::io::Errno::NODEV);
    for kind in disk_types() {
        result = mount(device, place, kind.as_str(), flags, data.as_c_str());
        if !matches!(
            result,
            Err(rustix::io::Errno::INVAL | rustix::io::Errno::NODEV)
        ) {
            break;
        }
    }
    Ok(result?)
}

fn show(kind: Option<&str>) -> io::Result<i32> {
    let text = fs::read_to_string("/proc/mounts")?;
    let mut out = io::stdout().lock();
    for row in rows(&text).filter(|row| kind.is_none_or(|kind| kind == row.kind)) {
        let Row {
            device,
            place,
            kind,
            options,
        } = row;
        writeln!(out, "{device} on {place} type {kind} ({options})")?;
    }
    Ok(0)
}

/// Mounts everything in `/etc/fstab` that is not mounted and not `noauto`.
fn attach_all(kind: Option<&str>) -> io::Result<i32> {
    let table = fs::read_to_string("/etc/fstab")?;
    let mounted = fs::read_to_string("/proc/mounts")?;
    let mut status = 0;
    for row in rows(&table) {
        let is_mounted = rows(&mounted).any(|other| other.place == row.place);
        let is_wanted = kind.is_none_or(|kind| kind == row.kind) && row.kind != "swap";
        if is_mounted || !is_wanted || row.options.split(',').any(|o| o == "noauto") {
            continue;
        }
        let mut options = Options::default();
        options.add(row.options);
        if let Err(error) = attach(row.device, &row.place, Some(row.kind), &options) {
            complain("mount", &format!("{}: {}", row.place, reason(&error)));
            status = 32;
        }
    }
    Ok(status)
}

fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    text.split_once(" (os error")
        .map_or(text.clone(), |(name, _)| name.to_owned())
}

/// A device or a place alone is looked up in `/etc/fstab`; to remount it is looked up among the mounted.
fn complete(name: &str, remount: bool) -> Option<(String, String, String, String)> {
    let path = if remount {
        "/proc/mounts"
    } else {
        "/etc/fstab"
    };
    let text = fs::read_to_string(path).ok()?;
    // The last one is the one that is seen.
    let row = rows(&text)
        .filter(|row| row.device == name || row.place == name)
        .last()?;
    let options = if remount { "" } else { row.options };
    Some((
        row.device.into(),
        row.place,
        row.kind.into(),
        options.into(),
    ))
}

pub(crate) fn main(args: Vec<OsString>) -> i32 {
    let Some(args) = text_args(args) else {
        return 1;
    };
    match run(&args) {
        Ok(status) => status,
        Err(message) => {
            complain("mount", &message);
            1
        }
    }
}

fn run(args: &[String]) -> Result<i32, String> {
    let mut options = Options::default();
    let (mut kind, mut all, mut operands) = (None, false, Vec::new());
    let mut rest = args.iter().skip(1).map(String::as_str);
    while let Some(arg) = rest.next() {
        let mut value = |attached: &'_ str| match attached {
            "" => rest.next().map(str::to_owned).ok_or(USAGE.to_owned()),
            attached => Ok(attached.to_owned()),
        };
        match arg.split_at_checked(2) {
            Some(("-t", attached)) => kind = Some(value(attached)?),
            Some(("-o", attached)) => options.add(&value(attached)?),
            _ => match arg {
                "-a" => all = true,
                "-r" => options.add("ro"),
                "-w" => options.add("rw"),
                "-n" => {}
                "--bind" => options.bind = true,
                _ if arg.starts_with('-') => return Err(USAGE.to_owned()),
                _ => operands.push(arg),
            },
        }
    }
    let kind = kind.as_deref();
    let failed = |name: &str, error: &io::Error| {
        complain("mount", &format!("{name}: {}", reason(error)));
        32
    };
    match operands[..] {
        [] if all => attach_all(kind).map_err(|error| format!("/etc/fstab: {}", reason(&error))),
        [] => show(kind).map_err(|error| format!("/proc/mounts: {}", reason(&error))),
        [name] => {
            let found = complete(name, options.remount)
                .ok_or_else(|| format!("{name}: not in the table of file systems"))?;
            let (device, place, own_kind, own_options) = found;
            let mut merged = Options::default();
            merged.add(&own_options);
            merged.flags |= options.flags;
            (merged.remount, merged.bind) = (options.remount, options.bind || merged.bind);
            merged.add(&options.data);
            let result = attach(&device, &place, kind.or(Some(&own_kind)), &merged);
            Ok(result.map_or_else(|error| failed(&place, &error), |()| 0))
        }
        [device, place] => {
            let result = attach(device, place, kind, &options);
            Ok(result.map_or_else(|error| failed(place, &error), |()| 0))
        }
        _ => Err(USAGE.to_owned()),
    }
}

/// `umount`: `-l` detaches at once and waits for nobody, `-f` forces, `-a` takes all,
/// `-r` makes read-only what is in use.
pub(crate) fn umount(args: Vec<OsString>) -> i32 {
    let Some(args) = text_args(args) else {
        return 1;
    };
    let mut flags = UnmountFlags::empty();
    let (mut all, mut or_read_only, mut names) = (false, false, Vec::new());
    for arg in args.iter().skip(1) {
        match arg.as_str() {
            "-l" => flags |= UnmountFlags::DETACH,
            "-f" => flags |= UnmountFlags::FORCE,
            "-a" => all = true,
            "-r" => or_read_only = true,
            "-n" => {}
            name if !name.starts_with('-') => names.push(name.to_owned()),
            _ => {
                complain("umount", "usage: umount [-l] [-f] [-r] -a | DIRECTORY…");
                return 1;
            }
        }
    }
    let mounted = fs::read_to_string("/proc/mounts").unwrap_or_default();
    if all {
        let kept = ["proc", "sysfs", "devtmpfs", "devpts"];
        let places = rows(&mounted).filter(|row| !kept.contains(&row.kind) && row.place != "/");
        names = places.map(|row| row.place).collect();
        // Those inside others are later in the table.
        names.reverse();
    }
    let mut status = i32::from(names.is_empty() && !all);
    for name in names {
        // A device may be named too.
        let row = rows(&mounted)
            .filter(|row| row.device == name && name.starts_with('/'))
            .last();
        let place = row.map_or(name.clone(), |row| row.place);
        let mut result = unmount(place.as_str(), flags);
        if or_read_only && result == Err(rustix::io::Errno::BUSY) {
            result = mount_remount(place.as_str(), MountFlags::RDONLY, c"");
        }
        if let Err(error) = result {
            complain("umount", &format!("{name}: {}", reason(&error.into())));
            status = 1;
        }
    }
    status
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_flags_or_the_file_systems_own() {
        let mut options = Options::default();
        options.add("ro,nosuid,mode=755,defaults,rw,size=1m,remount");
        let want = Options {
            flags: MountFlags::NOSUID.bits(),
            remount: true,
            bind: false,
            data: "mode=755,size=1m".to_owned(),
        };
        assert_eq!(options, want);
    }

    #[test]
    fn tables_have_comments_and_escapes() {
        let text = "# device place\n/dev/vdb /mnt/a\\040b ext2 ro 0 0\nshort\n";
        let rows: Vec<_> = rows(text)
            .map(|row| (row.device, row.place, row.options))
            .collect();
        assert_eq!(rows, [("/dev/vdb", "/mnt/a b".to_owned(), "ro")]);
    }
}
