//! The system calls of sockets.

use alloc::sync::Arc;
use alloc::vec::Vec;

use linux_abi::Errno;
use linux_abi::fcntl::OpenFlags;
use linux_abi::socket::{
    AF_UNIX, MsgFlags, Msghdr, SHUT_RD, SHUT_RDWR, SHUT_WR, SO_ACCEPTCONN, SO_DOMAIN, SO_ERROR, SO_PASSCRED,
    SO_PEERCRED, SO_PROTOCOL, SO_RCVBUF, SO_SNDBUF, SO_TYPE, SOCK_CLOEXEC, SOCK_DGRAM, SOCK_NONBLOCK, SOCK_SEQPACKET,
    SOCK_STREAM, SOCK_TYPE_MASK, SOL_SOCKET,
};
use machine::GuestAddr;

use crate::error::{Because, Result};
use crate::fs::{File, FileOps, IoBuf};
use crate::mm::IoVec;
use crate::net::message;
use crate::net::pair::{CAPACITY, Kind, Sender, Socket, pair};
use crate::signal::{Info, Number, send_to_task};
use crate::syscall::{Cx, Outcome, Row, retry};
use crate::task::Task;

pub(crate) const ROWS: &[Row] = crate::syscalls! {
    199 socketpair(family: u32, kind: u32, protocol: u32, sv: GuestAddr) Partial("AF_UNIX"), socketpair;
    206 sendto(fd: i32, buf: GuestAddr, len: usize, flags: u32, addr: GuestAddr, addr_len: u32)
        Partial("connected sockets"), sendto;
    207 recvfrom(fd: i32, buf: GuestAddr, len: usize, flags: u32, addr: GuestAddr, addr_len: GuestAddr)
        Partial("connected sockets"), recvfrom;
    208 setsockopt(fd: i32, level: u32, name: u32, value: GuestAddr, len: u32)
        Partial("SO_PASSCRED"), setsockopt;
    209 getsockopt(fd: i32, level: u32, name: u32, value: GuestAddr, len: GuestAddr)
        Partial("SOL_SOCKET: type, domain, protocol, error, buffer sizes, credentials"), getsockopt;
    210 shutdown(fd: i32, how: u32) Full, shutdown;
    211 sendmsg(fd: i32, msg: GuestAddr, flags: u32) Partial("connected sockets"), sendmsg;
    212 recvmsg(fd: i32, msg: GuestAddr, flags: u32) Partial("connected sockets"), recvmsg;
};

fn socketpair(cx: &mut Cx<'_>, family: u32, kind: u32, protocol: u32, sv: GuestAddr) -> Result<()> {
    if family != u32::from(AF_UNIX) {
        return Err(Errno::EAFNOSUPPORT.because("only UNIX sockets exist here"));
    }
    if protocol != 0 && protocol != u32::from(AF_UNIX) {
        return Err(Errno::EPROTONOSUPPORT.because("no such protocol"));
    }
    let shape = match kind & SOCK_TYPE_MASK {
        SOCK_STREAM => Kind::Stream,
        SOCK_DGRAM => Kind::Datagram,
        SOCK_SEQPACKET => Kind::SeqPacket,
        _ => return Err(Errno::ESOCKTNOSUPPORT.because("no such type of socket")),
    };
    if kind & !(SOCK_TYPE_MASK | SOCK_NONBLOCK | SOCK_CLOEXEC) != 0 {
        return Err(Errno::EINVAL.because("unknown flags"));
    }
    let mut flags = OpenFlags::O_RDWR;
    flags.set(OpenFlags::O_NONBLOCK, kind & SOCK_NONBLOCK != 0);
    let cloexec = kind & SOCK_CLOEXEC != 0;
    let sockets = pair(shape, Sender::of(cx.task), cx.kernel.files_under_way());
    let [first, second] = sockets.map(|socket| File::new(cx.kernel, cx.kernel.vfs().socket_path(), socket, flags));
    let files = cx.task.files();
    let a = files.insert(cx.task, first, cloexec)?;
    let stored = files.insert(cx.task, second, cloexec).and_then(|b| {
        let both = u64::from(a.cast_unsigned()) | u64::from(b.cast_unsigned()) << 32;
        cx.task.mm().write_u64(sv, both).inspect_err(|_| drop(files.close(b)))
    });
    stored.inspect_err(|_| drop(files.close(a)))
}

/// The socket of a descriptor, and its file.
fn socket_of(cx: &Cx<'_>, fd: i32) -> Result<Arc<File>> {
    let file = cx.task.files().get_io(fd)?;
    as_socket(&file)?;
    Ok(file)
}

fn as_socket(file: &File) -> Result<&Socket> {
    file.ops().as_any().downcast_ref::<Socket>().ok_or(Errno::ENOTSOCK.because("not a socket"))
}

fn message_flags(flags: u32) -> MsgFlags {
    MsgFlags::from_bits_truncate(flags)
}

/// Sends from these ranges; waits while there is no room.
fn send(cx: &mut Cx<'_>, file: Arc<File>, ranges: Vec<IoVec>, files: Vec<Arc<File>>, flags: MsgFlags) -> Result<Outcome> {
    if flags.contains(MsgFlags::MSG_OOB) {
        return Err(Errno::EOPNOTSUPP.because("no out-of-band bytes"));
    }
    let may_wait = !file.is_nonblocking() && !flags.contains(MsgFlags::MSG_DONTWAIT);
    let queue = as_socket(&file)?.wait_queue().unwrap_or_default();
    let mm = cx.task.mm();
    let total: usize = ranges.iter().map(|range| usize::try_from(range.len).unwrap_or(usize::MAX)).fold(0, usize::saturating_add);
    let mut done = 0;
    Ok(retry(cx, may_wait, &queue, move |task| {
        let socket = as_socket(&file)?;
        loop {
            let mut buf = IoBuf::user_ranges(&mm, &ranges);
            buf.skip(done);
            let sent = socket.send(&mut buf, if done == 0 { &files } else { &[] }, Sender::of(task));
            match sent {
                Ok(count) => done += count,
                Err(error) if error.errno == Errno::EPIPE => {
                    if done > 0 {
                        return Ok(done as u64);
                    }
                    if !flags.contains(MsgFlags::MSG_NOSIGNAL) {
                        broken_pipe(task);
                    }
                    return Err(error);
                }
                // What cannot wait, or is interrupted, tells what went through.
                Err(error) if error.errno == Errno::EAGAIN && done > 0 && !may_wait => return Ok(done as u64),
                Err(error) => return Err(error),
            }
            if socket.kind != Kind::Stream || done >= total {
                return Ok(done as u64);
            }
        }
    }))
}

fn broken_pipe(task: &Arc<Task>) {
    if let Some(kernel) = task.kernel() {
        send_to_task(&kernel, task, Info::kernel(Number::SIGPIPE));
    }
}

fn one_range(addr: GuestAddr, len: usize) -> Vec<IoVec> {
    alloc::vec![IoVec { base: addr, len: len as u64 }]
}

fn sendto(
    cx: &mut Cx<'_>,
    fd: i32,
    buf: GuestAddr,
    len: usize,
    flags: u32,
    addr: GuestAddr,
    _addr_len: u32,
) -> Result<Outcome> {
    let file = socket_of(cx, fd)?;
    if !addr.is_null() {
        return Err(Errno::EISCONN.because("the socket is connected already"));
    }
    send(cx, file, one_range(buf, len), Vec::new(), message_flags(flags))
}

fn sendmsg(cx: &mut Cx<'_>, fd: i32, msg: GuestAddr, flags: u32) -> Result<Outcome> {
    let file = socket_of(cx, fd)?;
    let header: Msghdr = cx.task.mm().read_abi(msg)?;
    if header.msg_namelen != 0 && header.msg_name != 0 {
        return Err(Errno::EISCONN.because("the socket is connected already"));
    }
    let ranges = read_ranges(cx, &header)?;
    let files = message::read_control(cx, &header)?;
    send(cx, file, ranges, files, message_flags(flags))
}

fn read_ranges(cx: &Cx<'_>, header: &Msghdr) -> Result<Vec<IoVec>> {
    let count = usize::try_from(header.msg_iovlen).ok().filter(|count| *count <= 1024);
    let count = count.ok_or(Errno::EMSGSIZE.because("too many ranges"))?;
    cx.task.mm().read_iovecs(GuestAddr(header.msg_iov), count)
}

fn recvfrom(
    cx: &mut Cx<'_>,
    fd: i32,
    buf: GuestAddr,
    len: usize,
    flags: u32,
    addr: GuestAddr,
    addr_len: GuestAddr,
) -> Result<Outcome> {
    let file = socket_of(cx, fd)?;
    let flags = message_flags(flags);
    if !addr.is_null() && !addr_len.is_null() {
        // The other socket of a pair has no name.
        cx.task.mm().write_u32(addr_len, 0)?;
    }
    receive(cx, file, one_range(buf, len), flags, None)
}

fn recvmsg(cx: &mut Cx<'_>, fd: i32, msg: GuestAddr, flags: u32) -> Result<Outcome> {
    let file = socket_of(cx, fd)?;
    let header: Msghdr = cx.task.mm().read_abi(msg)?;
    let ranges = read_ranges(cx, &header)?;
    receive(cx, file, ranges, message_flags(flags), Some((msg, header)))
}

/// Receives into these ranges; waits while there is nothing.
fn receive(
    cx: &mut Cx<'_>,
    file: Arc<File>,
    ranges: Vec<IoVec>,
    flags: MsgFlags,
    header: Option<(GuestAddr, Msghdr)>,
) -> Result<Outcome> {
    if flags.contains(MsgFlags::MSG_OOB) {
        return Err(Errno::EOPNOTSUPP.because("no out-of-band bytes"));
    }
    let may_wait = !file.is_nonblocking() && !flags.contains(MsgFlags::MSG_DONTWAIT);
    let queue = as_socket(&file)?.wait_queue().unwrap_or_default();
    let mm = cx.task.mm();
    let mut done = 0;
    Ok(retry(cx, may_wait, &queue, move |task| {
        let socket = as_socket(&file)?;
        let wants_all = flags.contains(MsgFlags::MSG_WAITALL) && socket.kind == Kind::Stream && may_wait;
        loop {
            let mut buf = IoBuf::user_ranges(&mm, &ranges);
            let wanted = buf.left();
            buf.skip(done);
            let received = socket.receive(&mut buf, flags.contains(MsgFlags::MSG_PEEK))?;
            done += received.count;
            let is_over = received.count == 0 || done >= wanted || !received.files.is_empty();
            if wants_all && !is_over {
                continue;
            }
            if let Some((at, header)) = header {
                let tell = socket.passes_credentials.load(core::sync::atomic::Ordering::Relaxed);
                let cloexec = flags.contains(MsgFlags::MSG_CMSG_CLOEXEC);
                message::write_result(task, at, header, &received, tell, cloexec)?;
            }
            return Ok(done as u64);
        }
    }))
}

fn shutdown(cx: &mut Cx<'_>, fd: i32, how: u32) -> Result<()> {
    let file = socket_of(cx, fd)?;
    let socket = as_socket(&file)?;
    match how {
        SHUT_RD => socket.shut_down(true, false),
        SHUT_WR => socket.shut_down(false, true),
        SHUT_RDWR => socket.shut_down(true, true),
        _ => return Err(Errno::EINVAL.because("no such direction")),
    }
    Ok(())
}

fn setsockopt(cx: &mut Cx<'_>, fd: i32, level: u32, name: u32, value: GuestAddr, len: u32) -> Result<()> {
    let file = socket_of(cx, fd)?;
    let socket = as_socket(&file)?;
    if level != SOL_SOCKET {
        return Err(Errno::EOPNOTSUPP.because("a UNIX socket has no options of that level"));
    }
    if len < 4 {
        return Err(Errno::EINVAL.because("the value is too short"));
    }
    let value = cx.task.mm().read_u32(value)?;
    match name {
        SO_PASSCRED => {
            socket.passes_credentials.store(value != 0, core::sync::atomic::Ordering::Relaxed);
            Ok(())
        }
        _ => Err(Errno::ENOPROTOOPT.because("the option cannot be set here")),
    }
}

fn getsockopt(cx: &mut Cx<'_>, fd: i32, level: u32, name: u32, value: GuestAddr, len: GuestAddr) -> Result<()> {
    let file = socket_of(cx, fd)?;
    let socket = as_socket(&file)?;
    if level != SOL_SOCKET {
        return Err(Errno::EOPNOTSUPP.because("a UNIX socket has no options of that level"));
    }
    let capacity = u32::try_from(CAPACITY).unwrap_or(u32::MAX);
    let words = match name {
        SO_TYPE => alloc::vec![match socket.kind {
            Kind::Stream => SOCK_STREAM,
            Kind::Datagram => SOCK_DGRAM,
            Kind::SeqPacket => SOCK_SEQPACKET,
        }],
        SO_DOMAIN => alloc::vec![u32::from(AF_UNIX)],
        SO_PROTOCOL | SO_ERROR | SO_ACCEPTCONN => alloc::vec![0],
        SO_SNDBUF | SO_RCVBUF => alloc::vec![capacity],
        SO_PASSCRED => alloc::vec![u32::from(socket.passes_credentials.load(core::sync::atomic::Ordering::Relaxed))],
        SO_PEERCRED => alloc::vec![socket.peer.pid, socket.peer.uid, socket.peer.gid],
        _ => return Err(Errno::ENOPROTOOPT.because("no such option here")),
    };
    let mm = cx.task.mm();
    let room = usize::try_from(mm.read_u32(len)?.cast_signed()).map_err(|_| Errno::EINVAL.because("a negative length"))?;
    let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    bytes.truncate(room);
    mm.write(value, &bytes)?;
    mm.write_u32(len, u32::try_from(bytes.len()).unwrap_or(0))
}
