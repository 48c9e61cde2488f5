//! `cargo xtask bare --bench`: our kernel's speed beside Debian's Linux, on the
//! same machine, with the same disk and programs, in turns.
//!
//! One boot measures the time to the shell's prompt; another runs
//! `tests/bare/bench.c` as process 1, which measures from inside and then
//! serves TCP to this program.

use super::qemu::{Disk, Fate, Setup, place};
use super::suite::{self, Kernel};
use crate::shell::{root, run as run_command, say};
use crate::toolchain::cross_gcc;
use anyhow::{Context, Result, bail, ensure};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// Boots of each kernel unless told otherwise.
pub(super) const ROUNDS: usize = 3;

/// A machine that has not answered for this long hangs.
const PATIENCE: Duration = Duration::from_secs(120);

/// How many bytes a transfer has; `bench.c` has the same number.
const TRANSFER: usize = 10 << 20;

/// Size and number of the files that are read.
const FILES: (usize, usize) = (4 << 20, 5);

/// A figure: its key, what it is, its unit, and the factor from the raw rate.
const ROWS: &[(&str, &str, &str, f64)] = &[
    ("call", "system call (`getppid`)", "k/s", 1e-3),
    ("fork", "fork, exit, wait", "/s", 1.0),
    ("spawn", "fork, exec, exit, wait of a static program", "/s", 1.0),
    ("pipe", "pipe between two processes, 64 KiB writes", "MB/s", 1e-6),
    ("switch", "context switch (pipe ping-pong)", "k/s", 1e-3),
    ("read-cold", "read of a file from the disk", "MB/s", 1e-6),
    ("read-cached", "the same file again", "MB/s", 1e-6),
    ("tcp-in", "TCP, host to guest, 10 MiB", "MB/s", 1e-6),
    ("tcp-out", "TCP, guest to host, 10 MiB", "MB/s", 1e-6),
];

/// Our time to the prompt may be at most this part of Linux's.
const BOOT_BAR: f64 = 0.3;

/// Every other figure must be at least this part of Linux's.
const RATE_BAR: f64 = 0.5;

/// One kernel's samples, by row.
type Samples = BTreeMap<&'static str, Vec<f64>>;

/// Measures the kernels in turns. With both, prints the table and, with
/// `write`, puts it into `docs/performance.md`; with one, prints its medians.
pub(super) fn run(ours: Option<&Kernel>, linux: Option<&Kernel>, rounds: usize, write: bool) -> Result<()> {
    ensure!(rounds > 0, "at least one round is needed");
    let disk = disk()?;
    let mut samples = [Samples::new(), Samples::new()];
    for round in 1..=rounds {
        for ((name, kernel), samples) in [("Vambrace", ours), ("Linux", linux)].into_iter().zip(&mut samples) {
            let Some(kernel) = kernel else { continue };
            let boot = prompt(kernel, &disk).with_context(|| format!("{name}: boot to the prompt"))?;
            samples.entry("boot").or_default().push(boot.as_secs_f64());
            inside(kernel, &disk, samples).with_context(|| format!("{name}: bench.c"))?;
            say(&format!("round {round}: {name}: prompt after {:.2} s", boot.as_secs_f64()));
        }
    }
    let [ours, theirs] = samples
        .map(|samples| samples.into_iter().map(|(row, values)| (row, median(values))).collect::<BTreeMap<_, _>>());
    if ours.is_empty() || theirs.is_empty() {
        ours.iter().chain(&theirs).for_each(|(row, value)| say(&format!("{row:<12} {value:>16.2}")));
        return Ok(());
    }
    let text = table(&ours, &theirs)?;
    say(&text);
    if write { put(&text) } else { Ok(()) }
}

/// A disk with the built-in userland, the benchmark and the files it reads.
fn disk() -> Result<PathBuf> {
    let place = place()?.join("bench");
    let tree = place.join("tree");
    if tree.exists() {
        fs::remove_dir_all(&tree)?;
    }
    fs::create_dir_all(tree.join("bench"))?;
    let archive = fs::File::open(root().join("crates/vambrace/assets/userland.tar.zst"))?;
    tar::Archive::new(zstd::Decoder::new(archive)?).unpack(&tree).context("cannot unpack the userland")?;
    for name in ["proc", "dev", "tmp", "sys"] {
        fs::create_dir_all(tree.join(name))?;
    }
    let mut command = Command::new(cross_gcc()?);
    command.args(["-O2", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-static", "-o"]);
    run_command(command.arg(tree.join("bench/bench")).arg(root().join("tests/bare/bench.c")))?;
    let (size, count) = FILES;
    for number in 0..count {
        let contents: Vec<u8> = (0..size).map(|at| (at / 512 + number) as u8).collect();
        fs::write(tree.join(format!("bench/file{number}")), contents)?;
    }
    let image = place.join("disk.img");
    suite::make_image(&tree, &image)?;
    Ok(image)
}

/// A machine that starts `program` as process 1, with the disk as its root.
fn setup(kernel: &Kernel, disk: &Path, program: &str) -> Result<Setup> {
    let mut setup = kernel.setup();
    setup.disks.push(Disk { image: disk.to_path_buf(), keep: false });
    match kernel {
        Kernel::Bare(_) => setup.append = format!("root=/dev/vda init={program}"),
        // The drivers are modules, so a small first file system loads them.
        Kernel::Linux(_) => {
            let mut archive = suite::base(kernel)?;
            archive.file("runner/root", 0o644, format!("/dev/vda ext2 {program}\n").as_bytes())?;
            let path = place()?.join("bench").join(format!("{}.cpio", program.replace('/', "-")));
            fs::write(&path, archive.finish()?)?;
            setup.initrd = Some(path);
        }
    }
    Ok(setup)
}

/// The time from the machine's first instruction to the shell's prompt.
fn prompt(kernel: &Kernel, disk: &Path) -> Result<Duration> {
    let mut machine = setup(kernel, disk, "/sbin/init")?.start()?;
    machine.console.expect(":~# ", PATIENCE)?;
    Ok(machine.started.elapsed())
}

/// Runs `bench.c` and adds what it measures.
fn inside(kernel: &Kernel, disk: &Path, samples: &mut Samples) -> Result<()> {
    let mut setup = setup(kernel, disk, "/bench/bench")?;
    // The port was free a moment ago; QEMU says so if it is not any more.
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    setup.network = Some(vec![(port, 7000)]);
    let mut machine = setup.start()?;
    let text = machine.console.expect("serving", PATIENCE)?;
    for line in text.lines().map(str::trim) {
        let words: Vec<&str> = line.split_whitespace().collect();
        if let ["row", name, rate] = words[..] {
            let row = ROWS.iter().find(|row| row.0 == name).with_context(|| format!("unknown row {name}"))?;
            samples.entry(row.0).or_default().push(rate.parse()?);
        }
    }
    let data: Vec<u8> = (0..TRANSFER).map(|at| (at / 512 * 7) as u8).collect();
    // The first transfer finds cold caches on both sides.
    receive(port, &data)?;
    samples.entry("tcp-in").or_default().push(receive(port, &data)?);
    samples.entry("tcp-out").or_default().push(send(port)?);
    connect(port)?.write_all(b"q")?;
    match machine.finish(PATIENCE, kernel.image())? {
        Fate::PoweredOff | Fate::Exited(0) => Ok(()),
        fate => bail!("{fate}"),
    }
}

fn connect(port: u16) -> Result<TcpStream> {
    let stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// Bytes a second into the guest, which answers what it got.
fn receive(port: u16, data: &[u8]) -> Result<f64> {
    let mut stream = connect(port)?;
    let start = Instant::now();
    stream.write_all(b"r")?;
    stream.write_all(data)?;
    stream.shutdown(Shutdown::Write)?;
    let mut answer = [0; 16];
    stream.read_exact(&mut answer)?;
    let rate = data.len() as f64 / start.elapsed().as_secs_f64();
    let (length, sum) = answer.split_at(8);
    let number = |bytes: &[u8]| bytes.iter().rev().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    let expected: u64 = data.iter().step_by(512).map(|byte| u64::from(*byte)).sum();
    ensure!((number(length), number(sum)) == (data.len() as u64, expected), "the guest got other bytes");
    Ok(rate)
}

/// Bytes a second out of the guest.
fn send(port: u16) -> Result<f64> {
    let mut stream = connect(port)?;
    let start = Instant::now();
    stream.write_all(b"s")?;
    let mut data = Vec::with_capacity(TRANSFER);
    stream.read_to_end(&mut data)?;
    let rate = data.len() as f64 / start.elapsed().as_secs_f64();
    ensure!(data.len() == TRANSFER && data.iter().all(|byte| *byte == b'b'), "the guest sent other bytes");
    Ok(rate)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The table, as Markdown.
fn table(ours: &BTreeMap<&str, f64>, theirs: &BTreeMap<&str, f64>) -> Result<String> {
    let mut text = String::from("| figure | Vambrace | Linux | Vambrace ÷ Linux | bar |\n|---|---|---|---|---|\n");
    let pair = |row: &str| ours.get(row).zip(theirs.get(row)).with_context(|| format!("{row} was not measured"));
    let (our, their) = pair("boot")?;
    let _ = writeln!(
        text,
        "| boot to the prompt (less is better) | {our:.2} s | {their:.2} s | {:.2} | at most {BOOT_BAR} |",
        our / their
    );
    for (row, about, unit, factor) in ROWS {
        let (our, their) = pair(row)?;
        let _ = writeln!(
            text,
            "| {about} | {:.1} {unit} | {:.1} {unit} | {:.2} | at least {RATE_BAR} |",
            our * factor,
            their * factor,
            our / their
        );
    }
    Ok(text)
}

const BEGIN: &str = "<!-- `cargo xtask bare --bench --write` writes what follows. -->\n";
const END: &str = "<!-- End of what is written. -->\n";

/// Puts the table between its marks in `docs/performance.md`.
fn put(table: &str) -> Result<()> {
    let path = root().join("docs/performance.md");
    let page = fs::read_to_string(&path)?;
    let (before, rest) = page.split_once(BEGIN).context("docs/performance.md has no mark for the table")?;
    let (_, after) = rest.split_once(END).context("docs/performance.md has no end mark")?;
    fs::write(&path, format!("{before}{BEGIN}\n{table}\n{END}{after}"))?;
    say(&format!("wrote {}", path.display()));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_ours_by_theirs() {
        let rows = |factor: f64| {
            let rates = ROWS.iter().map(move |row| (row.0, 1000.0 * factor));
            rates.chain([("boot", factor)]).collect::<BTreeMap<_, _>>()
        };
        let text = table(&rows(1.0), &rows(4.0)).unwrap();
        assert!(text.lines().skip(2).all(|line| line.contains("| 0.25 |")), "{text}");
    }
}
