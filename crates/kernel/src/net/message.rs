//! `struct msghdr` and the control messages in it.

use alloc::sync::Arc;
use alloc::vec::Vec;

use linux_abi::socket::{Cmsghdr, MsgFlags, Msghdr, SCM_CREDENTIALS, SCM_RIGHTS, SOL_SOCKET};
use linux_abi::{Errno, Wire};
use machine::GuestAddr;

use crate::error::{Because, Result};
use crate::fs::File;
use crate::net::pair::{Received, Sender};
use crate::syscall::Cx;
use crate::task::Task;

/// The most descriptors in one message (`SCM_MAX_FD`).
const MAX_FILES: usize = 253;
/// The most bytes of control messages that are read.
const MAX_CONTROL: u64 = 65_536;
/// A control message's header, and what lengths are rounded up to.
const HEAD: usize = 16;
const ALIGN: usize = 8;

/// The descriptors that the control messages of a `sendmsg` name.
pub(super) fn read_control(cx: &Cx<'_>, header: &Msghdr) -> Result<Vec<Arc<File>>> {
    let mut files = Vec::new();
    if header.msg_controllen > MAX_CONTROL {
        return Err(Errno::ENOBUFS.because("the control messages are too long"));
    }
    let len = usize::try_from(header.msg_controllen).unwrap_or(0);
    let bytes = cx.task.mm().read_vec(GuestAddr(header.msg_control), len)?;
    let mut rest = bytes.as_slice();
    let bad = || Errno::EINVAL.because("a damaged control message");
    while rest.len() >= HEAD {
        let head = Cmsghdr::load(&rest[..HEAD]);
        let len = usize::try_from(head.cmsg_len).ok().filter(|len| (HEAD..=rest.len()).contains(len)).ok_or_else(bad)?;
        let data = &rest[HEAD..len];
        match (head.cmsg_level.cast_unsigned(), head.cmsg_type.cast_unsigned()) {
            (SOL_SOCKET, SCM_RIGHTS) => {
                for fd in data.chunks_exact(4) {
                    files.push(cx.task.files().get(i32::load(fd))?);
                }
            }
            // The kernel tells who sent a message itself.
            (SOL_SOCKET, SCM_CREDENTIALS) => check_credentials(cx, data)?,
            _ => return Err(bad()),
        }
        rest = rest.get(len.next_multiple_of(ALIGN)..).unwrap_or_default();
    }
    if files.len() > MAX_FILES {
        return Err(Errno::EINVAL.because("too many descriptors in one message"));
    }
    Ok(files)
}

fn check_credentials(cx: &Cx<'_>, data: &[u8]) -> Result<()> {
    let own = Sender::of(cx.task);
    let word = |index: usize| data.get(index * 4..index * 4 + 4).map(u32::load);
    if (word(0), word(1), word(2)) == (Some(own.pid), Some(own.uid), Some(own.gid)) || cx.task.creds().is_privileged() {
        return Ok(());
    }
    Err(Errno::EPERM.because("credentials of somebody else"))
}

/// Writes what `recvmsg` tells beside the bytes: descriptors, the sender,
/// lengths and flags.
pub(super) fn write_result(
    task: &Arc<Task>,
    at: GuestAddr,
    mut header: Msghdr,
    received: &Received,
    tell_sender: bool,
    cloexec: bool,
) -> Result<()> {
    let mm = task.mm();
    let room = usize::try_from(header.msg_controllen).unwrap_or(usize::MAX);
    let mut control = Vec::new();
    let mut flags = MsgFlags::empty();
    flags.set(MsgFlags::MSG_TRUNC, received.is_cut);
    if tell_sender {
        let Sender { pid, uid, gid } = received.sender;
        let data: Vec<u8> = [pid, uid, gid].iter().flat_map(|word| word.to_le_bytes()).collect();
        if !push(&mut control, room, SCM_CREDENTIALS, &data) {
            flags |= MsgFlags::MSG_CTRUNC;
        }
    }
    if !received.files.is_empty() {
        let fits = room.saturating_sub(control.len() + HEAD) / 4;
        flags.set(MsgFlags::MSG_CTRUNC, fits < received.files.len() || flags.contains(MsgFlags::MSG_CTRUNC));
        let mut data = Vec::new();
        for file in received.files.iter().take(fits) {
            match task.files().insert(task, file.clone(), cloexec) {
                Ok(fd) => data.extend_from_slice(&fd.to_le_bytes()),
                Err(_) => {
                    flags |= MsgFlags::MSG_CTRUNC;
                    break;
                }
            }
        }
        if !data.is_empty() {
            push(&mut control, room, SCM_RIGHTS, &data);
        }
    }
    if !control.is_empty() {
        mm.write(GuestAddr(header.msg_control), &control)?;
    }
    header.msg_namelen = 0;
    header.msg_controllen = control.len() as u64;
    header.msg_flags = flags.bits();
    mm.write_abi(at, &header)
}

/// Appends a control message if it fits.
fn push(control: &mut Vec<u8>, room: usize, kind: u32, data: &[u8]) -> bool {
    let start = control.len().next_multiple_of(ALIGN);
    let len = HEAD + data.len();
    if start + len > room {
        return false;
    }
    control.resize(start + HEAD, 0);
    let head = Cmsghdr {
        cmsg_len: len as u64,
        cmsg_level: SOL_SOCKET.cast_signed(),
        cmsg_type: kind.cast_signed(),
    };
    head.store(&mut control[start..start + HEAD]);
    control.extend_from_slice(data);
    // The next one, or the end, is aligned if there is room for that.
    control.resize(control.len().next_multiple_of(ALIGN).min(room), 0);
    true
}
