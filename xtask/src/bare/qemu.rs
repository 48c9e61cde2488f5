//! Starting a machine in QEMU, and what became of it.
//!
//! A machine that powers itself off, one that ends with a status by
//! semihosting, one that resets, and one that neither does are told apart by
//! QEMU's exit status and the events of its protocol, never by its text.

use super::console::Console;
use super::image::Image;
use super::qmp::Qmp;
use crate::shell::{find_program, target_dir};
use anyhow::{Context, Result, bail, ensure};
use serde_json::json;
use std::ffi::OsString;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// The status with which our kernel ends a panic, by semihosting.
const PANIC_STATUS: i32 = 101;

/// A machine to start.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) kernel: PathBuf,
    pub(crate) initrd: Option<PathBuf>,
    pub(crate) append: String,
    pub(crate) cpu: &'static str,
    /// The version of the interrupt controller: 2 or 3.
    pub(crate) gic: u8,
    /// The older register layout of virtio devices.
    pub(crate) legacy_virtio: bool,
    /// The machine has EL2, and the kernel starts there.
    pub(crate) el2: bool,
    pub(crate) memory_mib: u32,
    pub(crate) cpus: u8,
    pub(crate) disks: Vec<Disk>,
    /// A network interface, with these ports of the host leading to the guest's.
    pub(crate) network: Option<Vec<(u16, u16)>>,
    pub(crate) semihosting: bool,
    /// More arguments for QEMU, after all others.
    pub(crate) extra: Vec<String>,
}

/// The processors that the tests know by QEMU's names; the first is the usual one.
pub(crate) const CPUS: [&str; 2] = ["cortex-a72", "max"];

/// A disk image.
#[derive(Clone, Debug)]
pub(crate) struct Disk {
    pub(crate) image: PathBuf,
    /// What is written is kept.
    pub(crate) keep: bool,
}

impl Setup {
    pub(crate) fn new(kernel: &Path) -> Self {
        Self {
            kernel: kernel.to_path_buf(),
            initrd: None,
            append: String::new(),
            cpu: CPUS[0],
            gic: 3,
            legacy_virtio: false,
            el2: false,
            memory_mib: 512,
            cpus: 1,
            disks: Vec::new(),
            network: None,
            semihosting: false,
            extra: Vec::new(),
        }
    }

    fn arguments(&self, qmp: &Path) -> Vec<OsString> {
        let mut machine = format!("virt,gic-version={}", self.gic);
        if self.el2 {
            machine.push_str(",virtualization=on");
        }
        let qmp = format!("socket,id=qmp,path={}", qmp.display());
        let memory = format!("{}M", self.memory_mib);
        let cpus = self.cpus.to_string();
        let mut words: Vec<OsString> = [
            "-M",
            &machine,
            "-cpu",
            self.cpu,
            "-m",
            &memory,
            "-smp",
            &cpus,
            "-display",
            "none",
            "-monitor",
            "none",
            "-serial",
            "stdio",
            "-no-reboot",
            "-S",
            "-chardev",
            &qmp,
            "-mon",
            "chardev=qmp,mode=control",
        ]
        .map(OsString::from)
        .to_vec();
        let mut add = |words_: &[&str]| words.extend(words_.iter().map(OsString::from));
        add(&["-global", &format!("virtio-mmio.force-legacy={}", self.legacy_virtio)]);
        if self.semihosting {
            add(&["-semihosting-config", "enable=on,target=native"]);
        }
        for (index, disk) in self.disks.iter().enumerate() {
            let snapshot = if disk.keep { "off" } else { "on" };
            let path = disk.image.display();
            add(&["-drive", &format!("if=none,format=raw,id=disk{index},snapshot={snapshot},file={path}")]);
            add(&["-device", &format!("virtio-blk-device,drive=disk{index},serial=disk{index}")]);
        }
        match &self.network {
            None => add(&["-nic", "none"]),
            Some(forwards) => {
                let forwards = forwards.iter().map(|(host, guest)| format!(",hostfwd=tcp:127.0.0.1:{host}-:{guest}"));
                add(&["-netdev", &format!("user,id=net0{}", forwards.collect::<String>())]);
                add(&["-device", "virtio-net-device,netdev=net0"]);
            }
        }
        words.extend(["-kernel".into(), self.kernel.clone().into_os_string()]);
        if let Some(initrd) = &self.initrd {
            words.extend(["-initrd".into(), initrd.clone().into_os_string()]);
        }
        let exit = if self.semihosting { " vambrace.exit=semihosting" } else { "" };
        words.extend(["-append".into(), format!("{}{exit}", self.append).trim().into()]);
        words.extend(self.extra.iter().map(OsString::from));
        words
    }

    /// Starts the machine.
    pub(crate) fn start(&self) -> Result<Running> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let Some(qemu) = find_program(&["qemu-system-aarch64"]) else {
            bail!("qemu-system-aarch64 is not installed; run `cargo xtask setup`");
        };
        // The path of a socket must be short.
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let socket = std::env::temp_dir().join(format!("vambrace-qmp-{}-{number}", std::process::id()));
        // There is none but after a crash of an older run with the same number.
        let _ = std::fs::remove_file(&socket);
        let listener = UnixListener::bind(&socket).with_context(|| format!("cannot make {}", socket.display()))?;
        let mut command = Command::new(qemu);
        command.args(self.arguments(&socket)).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().context("cannot start qemu-system-aarch64")?;
        let connected = accept(&listener, &mut child);
        let _ = std::fs::remove_file(&socket);
        let mut qmp = Qmp::new(connected?)?;
        let (Some(output), Some(input)) = (child.stdout.take(), child.stdin.take()) else {
            bail!("QEMU has no standard streams");
        };
        let console = Console::new(output, input);
        qmp.command("cont", &json!({}))?;
        Ok(Running { child, qmp, console, started: Instant::now() })
    }
}

/// Waits for QEMU to connect; tells what it said if it ends instead.
fn accept(listener: &UnixListener, child: &mut Child) -> Result<std::os::unix::net::UnixStream> {
    listener.set_nonblocking(true)?;
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        match listener.accept() {
            Ok((stream, _)) => {
                stream.set_nonblocking(false)?;
                return Ok(stream);
            }
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error.into()),
        }
        if let Some(status) = child.try_wait()? {
            let mut text = String::new();
            if let Some(mut errors) = child.stderr.take() {
                std::io::Read::read_to_string(&mut errors, &mut text)?;
            }
            bail!("QEMU did not start ({status}): {}", text.trim());
        }
        ensure!(Instant::now() < deadline, "QEMU did not connect");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// What became of a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It turned itself off.
    PoweredOff,
    /// It ended with a status, by semihosting.
    Exited(i32),
    /// Our kernel panicked.
    Panicked,
    /// It reset itself, which no test asks for.
    Reset,
    /// It still ran when the time was over. What is known about where it was.
    TimedOut(String),
    /// QEMU itself failed.
    QemuFailed(String),
}

impl std::fmt::Display for Fate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::PoweredOff => f.write_str("powered off"),
            Self::Exited(status) => write!(f, "ended with status {status}"),
            Self::Panicked => f.write_str("the kernel panicked"),
            Self::Reset => f.write_str("the machine reset itself"),
            Self::TimedOut(place) => write!(f, "time-out; {place}"),
            Self::QemuFailed(why) => write!(f, "QEMU failed: {why}"),
        }
    }
}

/// A machine that runs. It is killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    pub(crate) qmp: Qmp,
    pub(crate) console: Console,
    /// When its first instruction could run.
    pub(crate) started: Instant,
}

impl Running {
    /// Waits for the end and says what it was; ends the machine at `limit`.
    pub(crate) fn finish(&mut self, limit: Duration, image: Option<&Image>) -> Result<Fate> {
        let deadline = Instant::now() + limit;
        let status = loop {
            if let Some(status) = self.child.try_wait()? {
                break status;
            }
            if Instant::now() > deadline {
                let place = self.where_it_is(image).unwrap_or_else(|error| format!("{error:#}"));
                self.kill();
                return Ok(Fate::TimedOut(place));
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        self.console.wait_for_end(Duration::from_secs(10));
        let reasons = self.qmp.shutdown_reasons();
        Ok(match (status.code(), reasons.first().map(String::as_str)) {
            (Some(0), Some("guest-shutdown")) => Fate::PoweredOff,
            (Some(0), Some("guest-reset")) => Fate::Reset,
            (Some(0), Some(reason)) => Fate::QemuFailed(format!("it stopped for the reason {reason}")),
            (Some(PANIC_STATUS), _) => Fate::Panicked,
            (Some(status), _) => Fate::Exited(status),
            (None, _) => Fate::QemuFailed(status.to_string()),
        })
    }

    /// The boot phase and what each processor executes.
    fn where_it_is(&mut self, image: Option<&Image>) -> Result<String> {
        self.qmp.command("stop", &json!({}))?;
        let mut words = Vec::new();
        if let Some(image) = image {
            words.push(format!("phase: {}", image.phase(&mut self.qmp)?.name()));
        }
        let count = self.qmp.command("query-cpus-fast", &json!({}))?.as_array().map_or(0, Vec::len);
        for cpu in 0..count {
            let arguments = json!({ "command-line": "info registers", "cpu-index": cpu });
            let text = self.qmp.command("human-monitor-command", &arguments)?;
            let text = text.as_str().unwrap_or_default();
            let pc = text.split_whitespace().find_map(|word| word.strip_prefix("PC=")).unwrap_or("?");
            let address = u64::from_str_radix(pc, 16).ok();
            let symbol = image.zip(address).and_then(|(image, address)| image.symbol_at(address));
            words.push(format!("cpu {cpu} at {pc} {}", symbol.unwrap_or_default()).trim_end().to_owned());
        }
        Ok(words.join(", "))
    }

    fn kill(&mut self) {
        // It may have ended by itself in the meantime.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Where machines' files are put.
pub(crate) fn place() -> Result<PathBuf> {
    let place = target_dir().join("bare");
    std::fs::create_dir_all(&place).with_context(|| format!("cannot make {}", place.display()))?;
    Ok(place)
}
