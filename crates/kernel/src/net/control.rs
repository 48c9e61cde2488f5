//! Control messages: descriptors and credentials beside the bytes.

use alloc::sync::Arc;
use alloc::vec::Vec;

use linux_abi::socket::{Cmsghdr, MsgFlags, SCM_CREDENTIALS, SCM_RIGHTS, SOL_SOCKET, Ucred};
use linux_abi::{Errno, Wire};
use machine::GuestAddr;

use super::rights::Rights;
use super::{Net, cred_of};
use crate::error::{Because, Result};
use crate::fs::File;
use crate::task::Task;

/// The most bytes of control messages that one call sends.
const MAX_LEN: u64 = 131_072;
/// The most descriptors in one message (`SCM_MAX_FD`).
const MAX_FILES: usize = 253;

const HEADER: usize = Cmsghdr::SIZE;

/// Bytes up to where the next control message starts.
const fn align(len: usize) -> usize {
    len.next_multiple_of(8)
}

/// What a message is sent with.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) cred: Ucred,
    pub(super) rights: Option<Rights>,
}

impl Outgoing {
    /// Nothing but who `task` is.
    pub(super) fn plain(task: &Task) -> Self {
        Self { cred: cred_of(task), rights: None }
    }
}

/// Reads the control messages of `sendmsg`.
///
/// # Errors
/// `EINVAL` if they make no sense, `EBADF`, `EPERM` for somebody else's
/// credentials, `ENOBUFS`, `ETOOMANYREFS`, `EFAULT`.
pub(super) fn read(net: &Arc<Net>, task: &Arc<Task>, addr: GuestAddr, len: u64) -> Result<Outgoing> {
    let mut outgoing = Outgoing::plain(task);
    if addr.is_null() || len == 0 {
        return Ok(outgoing);
    }
    let len = usize::try_from(len).ok().filter(|len| *len as u64 <= MAX_LEN);
    let bytes = task.mm().read_vec(addr, len.ok_or(Errno::ENOBUFS.because("the control messages are too long"))?)?;
    let bad = || Errno::EINVAL.because("a control message makes no sense");
    let mut files: Vec<Arc<File>> = Vec::new();
    let mut rest = bytes.as_slice();
    while let Some(header) = rest.get(..HEADER) {
        let header: Cmsghdr = Wire::load(header);
        let len = usize::try_from(header.cmsg_len).map_err(|_| bad())?;
        let data = rest.get(HEADER..len).ok_or_else(bad)?;
        rest = rest.get(align(len)..).unwrap_or_default();
        if header.cmsg_level.cast_unsigned() != SOL_SOCKET {
            continue;
        }
        match header.cmsg_type.cast_unsigned() {
            SCM_RIGHTS => {
                for fd in data.chunks_exact(4) {
                    if files.len() == MAX_FILES {
                        return Err(Errno::EINVAL.because("more than 253 descriptors"));
                    }
                    files.push(task.files().get(i32::load(fd))?);
                }
            }
            SCM_CREDENTIALS if data.len() == Ucred::SIZE => {
                outgoing.cred = Wire::load(data);
                check_cred(task, outgoing.cred)?;
            }
            _ => return Err(bad()),
        }
    }
    if !files.is_empty() {
        outgoing.rights = Some(Rights::new(net, task, files)?);
    }
    Ok(outgoing)
}

/// Only the superuser says to be somebody else.
fn check_cred(task: &Task, cred: Ucred) -> Result<()> {
    let creds = task.creds();
    let is_own = cred.pid == task.process.pid.cast_signed()
        && [creds.uid, creds.euid, creds.suid].contains(&cred.uid)
        && [creds.gid, creds.egid, creds.sgid].contains(&cred.gid);
    if is_own || creds.is_privileged() {
        return Ok(());
    }
    Err(Errno::EPERM.because("the credentials are somebody else's"))
}

/// Where control messages are stored for `recvmsg`.
#[derive(Debug)]
pub(super) struct Sink<'a> {
    task: &'a Arc<Task>,
    at: GuestAddr,
    room: usize,
    /// Bytes that have been used.
    pub(super) used: usize,
    /// `MSG_CTRUNC` once something did not fit.
    pub(super) flags: MsgFlags,
}

impl<'a> Sink<'a> {
    pub(super) fn new(task: &'a Arc<Task>, at: GuestAddr, room: u64) -> Self {
        let room = if at.is_null() { 0 } else { usize::try_from(room).unwrap_or(usize::MAX) };
        Self { task, at, room, used: 0, flags: MsgFlags::empty() }
    }

    /// Stores who sent the message; as much of it as fits.
    ///
    /// # Errors
    /// `EFAULT`.
    pub(super) fn put_cred(&mut self, cred: Ucred) -> Result<()> {
        let mut bytes = header(HEADER + Ucred::SIZE, SCM_CREDENTIALS);
        bytes.extend_from_slice(&cred.to_bytes());
        if self.room < HEADER {
            self.flags |= MsgFlags::MSG_CTRUNC;
            return Ok(());
        }
        if self.room < bytes.len() {
            self.flags |= MsgFlags::MSG_CTRUNC;
            bytes.truncate(self.room);
            let len = bytes.len() as u64;
            if let Some(field) = bytes.get_mut(..8) {
                len.store(field);
            }
        }
        self.put(&bytes)
    }

    /// Stores a message of another level.
    ///
    /// # Errors
    /// `EFAULT`.
    pub(super) fn put_other(&mut self, level: u32, kind: u32, data: &[u8]) -> Result<()> {
        let mut bytes = header_of(level, HEADER + data.len(), kind);
        bytes.extend_from_slice(data);
        if self.room < bytes.len() {
            self.flags |= MsgFlags::MSG_CTRUNC;
            return Ok(());
        }
        self.put(&bytes)
    }

    /// Opens descriptors for files that came along and stores them; as many as
    /// fit and as the process may have. The rest is closed.
    ///
    /// # Errors
    /// `EFAULT`; descriptors that could not be told are closed.
    pub(super) fn put_files(&mut self, files: Vec<Arc<File>>, cloexec: bool) -> Result<()> {
        if files.is_empty() {
            return Ok(());
        }
        let total = files.len();
        let fit = self.room.checked_sub(HEADER).map_or(0, |room| room / 4);
        let table = self.task.files();
        let mut fds = Vec::new();
        for file in files.into_iter().take(fit) {
            match table.insert(self.task, file, cloexec) {
                Ok(fd) => fds.push(fd),
                Err(_) => break,
            }
        }
        if fds.len() < total {
            self.flags |= MsgFlags::MSG_CTRUNC;
        }
        if fds.is_empty() {
            return Ok(());
        }
        let mut bytes = header(HEADER + fds.len() * 4, SCM_RIGHTS);
        bytes.extend(fds.iter().flat_map(|fd| fd.to_le_bytes()));
        let stored = self.put(&bytes);
        if stored.is_err() {
            for fd in fds {
                drop(table.close(fd));
            }
        }
        stored
    }

    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.task.mm().write(self.at, bytes)?;
        let step = align(bytes.len()).min(self.room);
        (self.room, self.used) = (self.room - step, self.used + step);
        self.at = self.at.add(step as u64);
        Ok(())
    }
}

fn header(len: usize, kind: u32) -> Vec<u8> {
    header_of(SOL_SOCKET, len, kind)
}

fn header_of(level: u32, len: usize, kind: u32) -> Vec<u8> {
    let header = Cmsghdr { cmsg_len: len as u64, cmsg_level: level.cast_signed(), cmsg_type: kind.cast_signed() };
    header.to_bytes().to_vec()
}
