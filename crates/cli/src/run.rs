//! From arguments to a guest.

use std::ffi::OsString;
use std::fs::File;
use std::io::Write;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::sync::Mutex;

use anyhow::{Context, Result};
use vambrace::{GuestBuilder, Root};

use crate::args::{Common, Run, Shell};

/// `vambrace run`.
pub(crate) fn run(run: &Run) -> Result<u8> {
    let builder = match &run.root {
        Some(root) if root.is_dir() || !root.exists() => GuestBuilder::new(Root::Dir(root.clone())),
        Some(image) => GuestBuilder::new(Root::Image(image.clone())),
        // On the host's own root directory a program finds what its caller
        // sees: same directory, same environment.
        None => {
            let mut builder = GuestBuilder::new(Root::Dir("/".into()));
            if let Ok(dir) = std::env::current_dir() {
                builder = builder.cwd(dir.into_os_string().into_vec());
            }
            caller_env().fold(builder, |builder, (name, value)| builder.env(name.into_vec(), value.into_vec()))
        }
    };
    let args = run.args.iter().map(|arg| arg.as_bytes().to_vec());
    finish(builder, &run.common)?.program(run.program.as_bytes(), args).run().map_err(Into::into)
}

/// `vambrace` and `vambrace shell`.
pub(crate) fn shell(shell: &Shell) -> Result<u8> {
    let builder = GuestBuilder::new(Root::Builtin).hostname("vambrace");
    let builder = finish(builder, &shell.common)?;
    // With arguments it is a command, not a session: no login, no init.
    let builder = if shell.args.is_empty() {
        builder.init().program("/sbin/init", ["--session"])
    } else {
        let args = shell.args.iter().map(|arg| arg.as_bytes().to_vec());
        builder.program("/bin/sh", args)
    };
    builder.run().map_err(Into::into)
}

#[expect(clippy::disallowed_methods, reason = "the command alone reads the environment")]
fn caller_env() -> impl Iterator<Item = (OsString, OsString)> {
    std::env::vars_os()
}

#[expect(clippy::disallowed_methods, reason = "the command alone reads the environment")]
fn terminal_type() -> Option<OsString> {
    std::env::var_os("TERM")
}

fn finish(mut builder: GuestBuilder, common: &Common) -> Result<GuestBuilder> {
    if let Some(term) = terminal_type() {
        builder = builder.env("TERM", term.into_vec());
    }
    for (name, value) in &common.env {
        builder = builder.env(name.as_bytes(), value.as_bytes());
    }
    for bind in &common.bind {
        builder = builder.bind(&bind.host, bind.guest.as_os_str().as_bytes(), bind.read_only);
    }
    for image in &common.disk {
        builder = builder.disk(image);
    }
    if let Some(path) = &common.gc_socket {
        builder = builder.gc_socket(path);
    }
    if let Some(cwd) = &common.cwd {
        builder = builder.cwd(cwd.as_os_str().as_bytes());
    }
    if let Some(user) = common.user {
        builder = builder.user(user.uid, user.gid);
    }
    if let Some(cpus) = common.cpus {
        builder = builder.cpus(usize::from(cpus));
    }
    if let Some(file) = &common.strace {
        builder = builder.trace(trace_sink(file.as_deref())?);
    }
    Ok(builder.memory(common.memory.0))
}

/// Writes each line at once, so that a trace is whole however the guest ends.
fn trace_sink(file: Option<&Path>) -> Result<impl Fn(&str) + Send + Sync + use<>> {
    let out: Box<dyn Write + Send> = match file {
        Some(path) => Box::new(File::create(path).with_context(|| format!("cannot write {}", path.display()))?),
        None => Box::new(std::io::stderr()),
    };
    let out = Mutex::new(out);
    Ok(move |line: &str| {
        if let Ok(mut out) = out.lock() {
            // A trace that cannot be written must not end the guest.
            let _ = writeln!(out, "{line}");
        }
    })
}
