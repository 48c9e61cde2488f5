//! Redirections, and putting descriptors back after them.

use crate::ast::{Redirect, RedirectKind};
use crate::shell::{Run, Shell};
use crate::sys;
use crate::text::encode;
use std::io;

/// A here-document up to this size fits in a pipe without a reader.
const PIPE_SIZE: usize = 4096;

/// What a descriptor was before a redirection: a copy, or closed.
#[derive(Debug)]
pub(crate) struct Saved {
    fd: i32,
    copy: Option<i32>,
}

/// Puts descriptors back, the last first.
pub(crate) fn restore(saved: Vec<Saved>) {
    for Saved { fd, copy } in saved.into_iter().rev() {
        match copy {
            Some(copy) => {
                let _ = sys::dup2(copy, fd);
                let _ = sys::close(copy);
            }
            None => {
                let _ = sys::close(fd);
            }
        }
    }
}

/// Frees `copy`s without putting them back, for `exec`.
pub(crate) fn keep(saved: Vec<Saved>) {
    for copy in saved.into_iter().filter_map(|saved| saved.copy) {
        let _ = sys::close(copy);
    }
}

impl Shell {
    /// Makes redirections and returns what restores them. `None` after a reported error, with nothing changed.
    pub(crate) fn redirect(&mut self, redirects: &[Redirect]) -> Run<Option<Vec<Saved>>> {
        let mut saved = Vec::new();
        for redirect in redirects {
            let result = self.open(redirect);
            let (source, name) = match result {
                Ok(opened) => opened,
                Err(flow) => {
                    restore(saved);
                    return Err(flow);
                }
            };
            let done = source.and_then(|source| {
                saved.push(Saved {
                    fd: redirect.fd,
                    copy: sys::dup_high(redirect.fd).ok(),
                });
                install(source, redirect.fd)
            });
            if let Err(error) = done {
                restore(saved);
                self.error(&format!("{name}: {}", reason(&error)));
                return Ok(None);
            }
        }
        Ok(Some(saved))
    }

    /// The descriptor that a redirection leads to, and its name for messages.
    fn open(&mut self, redirect: &Redirect) -> Run<(io::Result<Source>, String)> {
        let (target, flags) = match &redirect.kind {
            RedirectKind::Here(body) => {
                let body = body.borrow().clone();
                let text = self.expand_string(&body)?;
                return Ok((
                    here_document(&encode(&text)).map(Source::Opened),
                    "here-document".into(),
                ));
            }
            RedirectKind::Duplicate(target) => {
                let name = self.expand_string(target)?;
                let source = match name.parse() {
                    _ if name == "-" => Ok(Source::Close),
                    Ok(fd) => sys::fd_flags(fd).map(|_| Source::Existing(fd)),
                    Err(_) => Err(io::Error::from_raw_os_error(libc::EBADF)),
                };
                return Ok((source, name));
            }
            RedirectKind::Read(target) => (target, libc::O_RDONLY),
            RedirectKind::Append(target) => {
                (target, libc::O_WRONLY | libc::O_CREAT | libc::O_APPEND)
            }
            RedirectKind::ReadWrite(target) => (target, libc::O_RDWR | libc::O_CREAT),
            RedirectKind::Write { target, clobber } => {
                let name = self.expand_string(target)?;
                let mut flags = libc::O_WRONLY | libc::O_CREAT | libc::O_TRUNC;
                let is_special = std::fs::metadata(&name).is_ok_and(|meta| !meta.is_file());
                if self.options.noclobber && !clobber && !is_special {
                    flags |= libc::O_EXCL;
                }
                return Ok((sys::open(&name, flags, 0o666).map(Source::Opened), name));
            }
        };
        let name = self.expand_string(target)?;
        Ok((sys::open(&name, flags, 0o666).map(Source::Opened), name))
    }
}

/// Where a redirection leads.
enum Source {
    Opened(i32),
    Existing(i32),
    Close,
}

fn install(source: Source, fd: i32) -> io::Result<()> {
    match source {
        Source::Close => {
            let _ = sys::close(fd);
        }
        Source::Existing(from) if from == fd => {}
        Source::Existing(from) => {
            sys::dup2(from, fd)?;
        }
        // Opened where it belongs: `dup2` would leave it to be closed by exec.
        Source::Opened(from) if from == fd => {
            let high = sys::dup_high(from)?;
            sys::dup2(high, fd)?;
            sys::close(high)?;
        }
        Source::Opened(from) => {
            sys::dup2(from, fd)?;
            sys::close(from)?;
        }
    }
    Ok(())
}

/// A descriptor to read `bytes` from. What no pipe holds is written by a child.
fn here_document(bytes: &[u8]) -> io::Result<i32> {
    let (read, write) = sys::pipe()?;
    if bytes.len() <= PIPE_SIZE {
        let written = sys::write_all(write, bytes);
        sys::close(write)?;
        return written.map(|()| read);
    }
    if sys::fork()?.is_none() {
        sys::set_signal(libc::SIGPIPE, sys::Disposition::Default);
        let _ = sys::close(read);
        let _ = sys::write_all(write, bytes);
        sys::exit_now(0);
    }
    sys::close(write)?;
    Ok(read)
}

/// What an error means, without Rust's number in parentheses.
pub(crate) fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error")
        .next()
        .unwrap_or_default()
        .to_owned()
}
