//! `/proc/PID/status`.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;
use core::sync::atomic::Ordering;

use crate::error::Result;
use crate::fs::procfs::process::comm_of;
use crate::fs::procfs::{Target, gone, stat};
use crate::signal::{Action, Number, Set};

pub(super) fn status(target: &Target) -> Result<Vec<u8>> {
    let kernel = target.kernel()?;
    let snapshot = kernel.tree().snapshot(target.pid).ok_or_else(gone)?;
    let task = target.task().ok();
    let state = stat::state(target)?;
    let word = match state {
        'R' => "running",
        'S' => "sleeping",
        'T' => "stopped",
        _ => "zombie",
    };
    let id = if target.tid == 0 { target.pid } else { target.tid };
    let mut out = String::from("Name:\t");
    out += &String::from_utf8_lossy(&comm_of(target));
    // Writing to a string cannot fail, here and below.
    let _ = write!(
        out,
        "\nUmask:\t{:04o}\nState:\t{state} ({word})\nTgid:\t{}\nNgid:\t0\nPid:\t{id}\nPPid:\t{}\nTracerPid:\t0\n",
        task.as_ref().map_or(0, |task| task.fs().umask()),
        target.pid,
        snapshot.ids.ppid,
    );
    if let Some(task) = &task {
        let creds = task.creds();
        let _ = writeln!(out, "Uid:\t{}\t{}\t{}\t{}", creds.uid, creds.euid, creds.suid, creds.fsuid);
        let _ = writeln!(out, "Gid:\t{}\t{}\t{}\t{}", creds.gid, creds.egid, creds.sgid, creds.fsgid);
        let groups: Vec<String> = creds.groups.iter().map(|group| format!("{group} ")).collect();
        let _ = writeln!(out, "FDSize:\t{}\nGroups:\t{}", task.files().size(), groups.concat());
        let usage = task.mm().usage();
        let rows = [
            ("VmPeak", usage.size),
            ("VmSize", usage.size),
            ("VmLck", usage.locked),
            ("VmHWM", usage.resident),
            ("VmRSS", usage.resident),
            ("VmData", usage.data.saturating_sub(usage.stack)),
            ("VmStk", usage.stack),
            ("VmExe", usage.text),
            ("VmSwap", 0),
        ];
        for (name, pages) in rows {
            let _ = writeln!(out, "{name}:\t{:>8} kB", pages * 4);
        }
        signals(&mut out, target)?;
        let caps: u64 = if creds.is_privileged() { linux_abi::capability::CAP_FULL_SET } else { 0 };
        let _ = writeln!(
            out,
            "CapInh:\t{:016x}\nCapPrm:\t{caps:016x}\nCapEff:\t{caps:016x}\nCapBnd:\t{:016x}\nCapAmb:\t{:016x}",
            0,
            linux_abi::capability::CAP_FULL_SET,
            0
        );
    }
    let no_new_privs = u8::from(snapshot.process.no_new_privs.load(Ordering::Relaxed));
    let cpus = kernel.machine().cpu_count().min(64);
    let mask = u64::MAX >> (64 - cpus);
    let _ = writeln!(
        out,
        "Threads:\t{}\nNoNewPrivs:\t{no_new_privs}\nSeccomp:\t0\nCpus_allowed:\t{mask:x}\nCpus_allowed_list:\t0-{}",
        snapshot.threads.len(),
        cpus - 1
    );
    Ok(out.into_bytes())
}

fn signals(out: &mut String, target: &Target) -> Result<()> {
    let (task, process) = (target.task()?, target.process()?);
    let (own, blocked) = {
        let signals = task.signals.lock();
        (signals.pending.set(), signals.blocked)
    };
    let shared = process.signals.lock().pending.set();
    let (mut ignored, mut caught) = (Set::EMPTY, Set::EMPTY);
    for signal in (1..=u64::from(Number::MAX)).filter_map(Number::new) {
        match process.action(signal).handler {
            Action::IGNORE => ignored.insert(signal),
            Action::DEFAULT => {}
            _ => caught.insert(signal),
        }
    }
    let _ = writeln!(
        out,
        "SigQ:\t0/4096\nSigPnd:\t{:016x}\nShdPnd:\t{:016x}\nSigBlk:\t{:016x}\nSigIgn:\t{:016x}\nSigCgt:\t{:016x}",
        own.0, shared.0, blocked.0, ignored.0, caught.0
    );
    Ok(())
}
