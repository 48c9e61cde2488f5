//! `free`: how much memory is in use, from `/proc/meminfo`.

use crate::adapters::complain;
use std::ffi::OsString;
use std::io::{self, Write};

/// The value of `field` in KiB.
fn field(meminfo: &str, field: &str) -> u64 {
    let line = meminfo
        .lines()
        .find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok())
        .unwrap_or(0)
}

/// Options `-b`, `-k` (the default), `-m` and `-g` choose the unit.
pub(crate) fn main(args: Vec<OsString>) -> i32 {
    let (mut multiply, mut divide) = (1, 1);
    for arg in args.iter().skip(1) {
        (multiply, divide) = match arg.to_str() {
            Some("-b") => (1024, 1),
            Some("-k") => (1, 1),
            Some("-m") => (1, 1024),
            Some("-g") => (1, 1024 * 1024),
            _ => {
                complain(
                    "free",
                    &format!("{}: unknown option; use -b, -k, -m or -g", arg.display()),
                );
                return 1;
            }
        };
    }
    let meminfo = match std::fs::read_to_string("/proc/meminfo") {
        Ok(text) => text,
        Err(error) => {
            complain("free", &format!("/proc/meminfo: {error}"));
            return 1;
        }
    };
    let value = |name: &str| field(&meminfo, name);
    let unit = |kib: u64| kib.saturating_mul(multiply) / divide;
    let (total, free) = (value("MemTotal"), value("MemFree"));
    let cache = value("Buffers") + value("Cached") + value("SReclaimable");
    let used = total.saturating_sub(free).saturating_sub(cache);
    let (swap, swap_free) = (value("SwapTotal"), value("SwapFree"));
    let text = format!(
        "{:>7}{:>13}{:>13}{:>13}{:>13}{:>13}{:>13}\n{:<7}{:>13}{:>13}{:>13}{:>13}{:>13}{:>13}\n{:<7}{:>13}{:>13}{:>13}\n",
        "",
        "total",
        "used",
        "free",
        "shared",
        "buff/cache",
        "available",
        "Mem:",
        unit(total),
        unit(used),
        unit(free),
        unit(value("Shmem")),
        unit(cache),
        unit(value("MemAvailable")),
        "Swap:",
        unit(swap),
        unit(swap.saturating_sub(swap_free)),
        unit(swap_free),
    );
    i32::from(io::stdout().write_all(text.as_bytes()).is_err())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_by_their_whole_name() {
        let text = "MemTotal:  100 kB\nSwapCached: 5 kB\nCached:   7 kB\n";
        assert_eq!(
            (
                field(text, "MemTotal"),
                field(text, "Cached"),
                field(text, "None")
            ),
            (100, 7, 0)
        );
    }
}
