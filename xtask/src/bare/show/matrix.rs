//! Every kind of machine that the kernel knows: each boots, has the memory and
//! the processor that it was given, writes to its disk and goes off.

use super::shell::Shell;
use super::stage::Stage;
use crate::bare::qemu::Setup;
use anyhow::{Context, Result, bail, ensure};

/// A choice of a machine's properties.
#[derive(Clone, Copy, Debug)]
struct Variant {
    cpu: &'static str,
    gic: u8,
    legacy: bool,
    el2: bool,
    memory_mib: u32,
}

impl Variant {
    fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for cpu in ["cortex-a72", "max"] {
            for gic in [2, 3] {
                for legacy in [false, true] {
                    for el2 in [false, true] {
                        all.extend([256, 3072].map(|memory_mib| Self { cpu, gic, legacy, el2, memory_mib }));
                    }
                }
            }
        }
        all
    }

    fn apply(self, setup: &mut Setup) {
        setup.cpu = self.cpu;
        setup.gic = self.gic;
        setup.legacy_virtio = self.legacy;
        setup.el2 = self.el2;
        setup.memory_mib = self.memory_mib;
        setup.semihosting = false;
        setup.network = Some(Vec::new());
    }
}

impl std::fmt::Display for Variant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let layout = if self.legacy { "legacy" } else { "modern" };
        let level = if self.el2 { "EL2" } else { "EL1" };
        write!(f, "{}, GICv{}, {layout} virtio, {level}, {} MiB", self.cpu, self.gic, self.memory_mib)
    }
}

pub(super) fn run(stage: &Stage<'_>) -> Result<String> {
    let all = Variant::all();
    let mut failed = Vec::new();
    for variant in &all {
        let result = stage.with("matrix", |setup| variant.apply(setup), |shell| act(shell, *variant));
        if let Err(error) = result {
            failed.push(format!("{variant}: {error:#}"));
        }
    }
    if !failed.is_empty() {
        bail!("{} of {} machines: {}", failed.len(), all.len(), failed.join("; "));
    }
    Ok(format!("{} machines boot, see their memory, write and go off", all.len()))
}

fn act(shell: &mut Shell<'_>, variant: Variant) -> Result<()> {
    let text = shell.value("cat /proc/meminfo")?;
    let total_kib = meminfo(&text, "MemTotal").with_context(|| format!("/proc/meminfo says {text:?}"))?;
    let given_kib = u64::from(variant.memory_mib) << 10;
    // The kernel itself takes some, which a small machine feels more.
    let least = given_kib * 85 / 100;
    ensure!((least..=given_kib).contains(&total_kib), "MemTotal is {total_kib} KiB of {given_kib}");
    shell.demand("nproc", "1")?;
    shell.demand("seq 1 20000 > /root/written; sync; wc -l < /root/written | tr -d ' '", "20000")?;
    shell.demand_status("grep -q lo: /proc/net/dev && grep -q eth0: /proc/net/dev", 0)
}

/// A row of `/proc/meminfo`, in KiB.
fn meminfo(text: &str, row: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(row)?.strip_prefix(':'))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_matrix_has_every_combination_once() {
        let names: std::collections::BTreeSet<String> = Variant::all().iter().map(ToString::to_string).collect();
        assert_eq!(names.len(), 32);
    }

    #[test]
    fn rows_are_found_by_their_whole_name() {
        let text = "MemTotal:         250000 kB\nMemFree:  1 kB\n";
        assert_eq!((meminfo(text, "MemTotal"), meminfo(text, "Mem")), (Some(250_000), None));
    }
}
