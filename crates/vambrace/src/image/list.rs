//! Listing an image, as `ls -lR` does.

use std::io::Write;
use std::path::Path;

use ext2::{Ext2, Kind, Stat};

use super::{mount, put_line};
use crate::Error;

/// The deepest directory that is listed, so that a damaged image whose
/// directories contain each other ends.
const DEPTH_MAX: usize = 256;

/// Writes what lies at `path` in an image, and below it.
///
/// # Errors
/// [`Error::HostPath`] and [`Error::FileSystem`]; [`Error::Streams`] if `out`
/// cannot be written.
pub fn list(image: &Path, path: &[u8], out: &mut dyn Write) -> Result<(), Error> {
    let mut fs = mount(image)?;
    let failed = |error| Error::FileSystem { path: image.to_path_buf(), error };
    let mut ino = fs.root();
    let mut shown = Vec::new();
    for name in path.split(|&byte| byte == b'/').filter(|name| !name.is_empty()) {
        ino = fs.lookup(ino, name).map_err(failed)?;
        shown.push(b'/');
        shown.extend(name);
    }
    if shown.is_empty() {
        shown.push(b'/');
    }
    let stat = fs.stat(ino).map_err(failed)?;
    let mut lister = Lister { fs, image, out };
    if stat.kind == Kind::Directory { lister.directory(ino, &shown, 0) } else { lister.line(&stat, &shown) }
}

struct Lister<'a> {
    fs: Ext2,
    image: &'a Path,
    out: &'a mut dyn Write,
}

impl Lister<'_> {
    fn failed(&self, error: ext2::Error) -> Error {
        Error::FileSystem { path: self.image.to_path_buf(), error }
    }

    fn directory(&mut self, ino: u32, path: &[u8], depth: usize) -> Result<(), Error> {
        if depth > DEPTH_MAX {
            return Err(self.failed(ext2::Error::Corrupt("directories that contain each other".into())));
        }
        let mut names: Vec<(Vec<u8>, u32)> = Vec::new();
        let read = self.fs.read_dir(ino, 0, &mut |entry| {
            if entry.name != b"." && entry.name != b".." {
                names.push((entry.name.to_vec(), entry.ino));
            }
            true
        });
        read.map_err(|error| self.failed(error))?;
        names.sort();
        if depth > 0 {
            put_line(self.out, b"")?;
        }
        put_line(self.out, &[path, b":"].concat())?;
        let mut directories = Vec::new();
        for (name, ino) in names {
            let stat = self.fs.stat(ino).map_err(|error| self.failed(error))?;
            self.line(&stat, &name)?;
            if stat.kind == Kind::Directory {
                directories.push((name, ino));
            }
        }
        for (name, ino) in directories {
            let parent = path.strip_suffix(b"/").unwrap_or(path);
            self.directory(ino, &[parent, b"/", &name].concat(), depth + 1)?;
        }
        Ok(())
    }

    fn line(&mut self, stat: &Stat, name: &[u8]) -> Result<(), Error> {
        let size = if matches!(stat.kind, Kind::CharDevice | Kind::BlockDevice) {
            format!("{}, {}", stat.rdev >> 8 & 0xfff, stat.rdev & 0xff | stat.rdev >> 12 & 0xf_ff00)
        } else {
            stat.size.to_string()
        };
        let (mode, time) = (mode_text(stat.kind, stat.mode), time_text(stat.mtime));
        let mut line =
            format!("{mode} {:>4} {:>5} {:>5} {size:>10} {time} ", stat.nlink, stat.uid, stat.gid).into_bytes();
        line.extend(printable(name));
        if stat.kind == Kind::Symlink {
            let target = self.fs.read_link(stat.ino).map_err(|error| self.failed(error))?;
            line.extend(b" -> ");
            line.extend(printable(&target));
        }
        put_line(self.out, &line)
    }
}

/// A name without what a terminal would obey.
fn printable(name: &[u8]) -> impl Iterator<Item = u8> + '_ {
    name.iter().map(|&byte| if byte < b' ' || byte == 0x7f { b'?' } else { byte })
}

fn mode_text(kind: Kind, mode: u16) -> String {
    let mut text = String::from(match kind {
        Kind::Fifo => 'p',
        Kind::CharDevice => 'c',
        Kind::Directory => 'd',
        Kind::BlockDevice => 'b',
        Kind::File => '-',
        Kind::Symlink => 'l',
        Kind::Socket => 's',
    });
    for (shift, special, letter) in [(6, 0o4000, 's'), (3, 0o2000, 's'), (0, 0o1000, 't')] {
        let bits = mode >> shift;
        text.push(if bits & 4 != 0 { 'r' } else { '-' });
        text.push(if bits & 2 != 0 { 'w' } else { '-' });
        text.push(match (bits & 1 != 0, mode & special != 0) {
            (true, true) => letter,
            (false, true) => letter.to_ascii_uppercase(),
            (true, false) => 'x',
            (false, false) => '-',
        });
    }
    text
}

/// A time in UTC, to the minute.
fn time_text(ns: i64) -> String {
    let minutes = ns.div_euclid(60_000_000_000);
    let (days, minute) = (minutes.div_euclid(1440), minutes.rem_euclid(1440));
    // Days count from 1 March of year 0, so that leap days end a year; an era
    // is the 400 years after which the calendar repeats.
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02}", minute / 60, minute % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_calendar() {
        let text = |seconds: i64| time_text(seconds * 1_000_000_000);
        assert_eq!(text(0), "1970-01-01 00:00");
        assert_eq!(text(951_782_400), "2000-02-29 00:00");
        assert_eq!(text(1_709_251_199), "2024-02-29 23:59");
        assert_eq!(text(4_102_444_800), "2100-01-01 00:00");
        assert_eq!(text(-1), "1969-12-31 23:59");
    }

    #[test]
    fn modes_are_those_of_ls() {
        assert_eq!(mode_text(Kind::Directory, 0o1777), "drwxrwxrwt");
        assert_eq!(mode_text(Kind::File, 0o4711), "-rws--x--x");
        assert_eq!(mode_text(Kind::File, 0o2640), "-rw-r-S---");
    }
}
