//! Sockets as programs use them.

use alloc::sync::Arc;
use alloc::vec::Vec;

use linux_abi::poll::PollEvents;
use linux_abi::socket::{Msghdr, Ucred};
use linux_abi::time::Timespec;
use linux_abi::{Errno, Wire};
use machine::GuestAddr;

use crate::signal::Number;
use crate::testing_task::Guest;

const SOCKET: u64 = 198;
const SOCKETPAIR: u64 = 199;
const BIND: u64 = 200;
const LISTEN: u64 = 201;
const ACCEPT: u64 = 202;
const CONNECT: u64 = 203;
const GETSOCKNAME: u64 = 204;
const GETPEERNAME: u64 = 205;
const SENDTO: u64 = 206;
const RECVFROM: u64 = 207;
const SETSOCKOPT: u64 = 208;
const GETSOCKOPT: u64 = 209;
const SHUTDOWN: u64 = 210;
const SENDMSG: u64 = 211;
const RECVMSG: u64 = 212;

const STREAM: u64 = 1;
const DGRAM: u64 = 2;
const SEQPACKET: u64 = 5;
const NONBLOCK: u64 = 0o4000;

const PEEK: u64 = 2;
const TRUNC: u64 = 0x20;
const DONTWAIT: u64 = 0x40;
const WAITALL: u64 = 0x100;
const NOSIGNAL: u64 = 0x4000;

fn pair(guest: &Guest, kind: u64) -> (u64, u64) {
    guest.call(SOCKETPAIR, &[1, kind, 0, guest.memory]).unwrap();
    let [one, other] = guest.get::<[u32; 2]>(0);
    (one.into(), other.into())
}

fn put_bytes(guest: &Guest, offset: u64, bytes: &[u8]) -> u64 {
    guest.task.mm().write(GuestAddr(guest.memory + offset), bytes).unwrap();
    guest.memory + offset
}

fn bytes_at(guest: &Guest, offset: u64, len: u64) -> Vec<u8> {
    guest.task.mm().read_vec(GuestAddr(guest.memory + offset), usize::try_from(len).unwrap()).unwrap()
}

fn send(guest: &Guest, fd: u64, bytes: &[u8], flags: u64) -> Result<u64, Errno> {
    let at = put_bytes(guest, 0x1000, bytes);
    guest.call(SENDTO, &[fd, at, bytes.len() as u64, flags, 0, 0])
}

fn receive(guest: &Guest, fd: u64, len: u64, flags: u64) -> Result<Vec<u8>, Errno> {
    let count = guest.call(RECVFROM, &[fd, guest.memory + 0x2000, len, flags, 0, 0])?;
    Ok(bytes_at(guest, 0x2000, count.min(len)))
}

/// Stores the address of a name and gives where it is and its length.
fn address(guest: &Guest, name: &[u8]) -> [u64; 2] {
    let bytes = [&[1, 0], name].concat();
    [put_bytes(guest, 0x3000, &bytes), bytes.len() as u64]
}

fn bind(guest: &Guest, fd: u64, name: &[u8]) -> Result<u64, Errno> {
    let [addr, len] = address(guest, name);
    guest.call(BIND, &[fd, addr, len])
}

fn connect(guest: &Guest, fd: u64, name: &[u8]) -> Result<u64, Errno> {
    let [addr, len] = address(guest, name);
    guest.call(CONNECT, &[fd, addr, len])
}

fn name_of(guest: &Guest, call: u64, fd: u64) -> Result<Vec<u8>, Errno> {
    let len = guest.put(0x3100, &128_u32);
    guest.call(call, &[fd, guest.memory + 0x3200, len])?;
    let len = guest.get::<u32>(0x3100);
    Ok(bytes_at(guest, 0x3202, u64::from(len) - 2))
}

fn listener(guest: &Guest, name: &[u8], backlog: u64) -> u64 {
    let fd = guest.call(SOCKET, &[1, STREAM, 0]).unwrap();
    bind(guest, fd, name).unwrap();
    guest.call(LISTEN, &[fd, backlog]).unwrap();
    fd
}

fn poll(guest: &Guest, fd: u64) -> PollEvents {
    guest.task.files().get(i32::try_from(fd).unwrap()).unwrap().poll()
}

fn option(guest: &Guest, fd: u64, name: u64) -> Result<u32, Errno> {
    let len = guest.put(0x3100, &4_u32);
    guest.call(GETSOCKOPT, &[fd, 1, name, guest.memory + 0x3200, len])?;
    Ok(guest.get(0x3200))
}

/// Builds a header over one buffer and `control`.
fn header(guest: &Guest, buf: u64, len: u64, control: u64, controllen: u64) -> u64 {
    let iov = guest.put(0x4000, &[buf, len]);
    let header =
        Msghdr { msg_iov: iov, msg_iovlen: 1, msg_control: control, msg_controllen: controllen, ..Msghdr::default() };
    guest.put(0x4100, &header)
}

fn send_fds(guest: &Guest, fd: u64, bytes: &[u8], fds: &[u64]) -> Result<u64, Errno> {
    let mut control = Vec::new();
    control.extend((16 + 4 * fds.len() as u64).to_le_bytes());
    control.extend([1, 0, 0, 0, 1, 0, 0, 0]);
    control.extend(fds.iter().flat_map(|fd| u32::try_from(*fd).unwrap().to_le_bytes()));
    let at = put_bytes(guest, 0x5000, &control);
    let buf = put_bytes(guest, 0x1000, bytes);
    let header = header(guest, buf, bytes.len() as u64, at, control.len() as u64);
    guest.call(SENDMSG, &[fd, header, 0])
}

/// Receives up to 64 bytes, and control messages with room for `room` bytes.
fn receive_message(guest: &Guest, fd: u64, room: u64, flags: u64) -> Result<(Vec<u8>, Msghdr), Errno> {
    let header = header(guest, guest.memory + 0x2000, 64, guest.memory + 0x5000, room);
    let count = guest.call(RECVMSG, &[fd, header, flags])?;
    Ok((bytes_at(guest, 0x2000, count), guest.get(0x4100)))
}

#[test]
fn a_stream_joins_what_was_written() {
    let guest = Guest::new();
    let (one, other) = pair(&guest, STREAM);
    assert_eq!(guest.write(one, b"hello "), Ok(6));
    assert_eq!(guest.write(one, b"world"), Ok(5));
    assert_eq!(guest.read(other, 8).as_deref(), Ok(&b"hello wo"[..]));
    assert_eq!(guest.read(other, 8).as_deref(), Ok(&b"rld"[..]));
    assert_eq!(guest.read(other, 8), Err(Errno::EAGAIN));
    assert_eq!(guest.write(other, b"back"), Ok(4));
    assert_eq!(guest.read(one, 8).as_deref(), Ok(&b"back"[..]));
}

#[test]
fn records_stay_apart_and_their_rest_is_lost() {
    for kind in [DGRAM, SEQPACKET] {
        let guest = Guest::new();
        let (one, other) = pair(&guest, kind);
        for record in [&b"first"[..], b"", b"second"] {
            assert_eq!(send(&guest, one, record, 0), Ok(record.len() as u64));
        }
        assert_eq!(receive(&guest, other, 3, PEEK).as_deref(), Ok(&b"fir"[..]));
        assert_eq!(guest.call(RECVFROM, &[other, guest.memory, 3, TRUNC, 0, 0]), Ok(5));
        assert_eq!(receive(&guest, other, 8, 0).as_deref(), Ok(&b""[..]));
        assert_eq!(receive(&guest, other, 8, 0).as_deref(), Ok(&b"second"[..]));
        assert_eq!(receive(&guest, other, 8, DONTWAIT), Err(Errno::EAGAIN));
    }
}

#[test]
fn other_families_and_types_are_refused() {
    let guest = Guest::new();
    assert_eq!(guest.call(SOCKET, &[10, STREAM, 0]), Err(Errno::EAFNOSUPPORT));
    assert_eq!(guest.call(SOCKET, &[1, 4, 0]), Err(Errno::ESOCKTNOSUPPORT));
    assert_eq!(guest.call(SOCKET, &[1, STREAM, 6]), Err(Errno::EPROTONOSUPPORT));
    assert_eq!(guest.call(SOCKET, &[1, STREAM | 0x100, 0]), Err(Errno::EINVAL));
    let eventfd = guest.call(19, &[0, 0]).unwrap();
    assert_eq!(guest.call(LISTEN, &[eventfd, 1]), Err(Errno::ENOTSOCK));
}

#[test]
fn closing_ends_a_stream_and_breaks_the_pipe() {
    let guest = Guest::new();
    let (one, other) = pair(&guest, STREAM);
    guest.write(one, b"last").unwrap();
    guest.close(one);
    let hung_up = PollEvents::POLLIN | PollEvents::POLLHUP | PollEvents::POLLRDHUP;
    assert!(poll(&guest, other).contains(hung_up));
    assert_eq!(guest.read(other, 8).as_deref(), Ok(&b"last"[..]));
    assert_eq!(guest.read(other, 8).as_deref(), Ok(&b""[..]));
    assert_eq!(send(&guest, other, b"x", NOSIGNAL), Err(Errno::EPIPE));
    assert!(guest.pending().is_empty());
    assert_eq!(send(&guest, other, b"x", 0), Err(Errno::EPIPE));
    assert!(guest.pending().contains(Number::SIGPIPE));
}

#[test]
fn closing_with_unread_bytes_resets_the_connection() {
    let guest = Guest::new();
    let (one, other) = pair(&guest, STREAM);
    guest.write(other, b"unread").unwrap();
    guest.close(one);
    assert!(poll(&guest, other).contains(PollEvents::POLLERR));
    assert_eq!(guest.read(other, 8), Err(Errno::ECONNRESET));
    assert_eq!(guest.read(other, 8).as_deref(), Ok(&b""[..]));
}

#[test]
fn shutdown_of_writing_is_the_end_for_the_reader_only() {
    let guest = Guest::new();
    let (one, other) = pair(&guest, STREAM);
    assert_eq!(guest.call(SHUTDOWN, &[one, 1]), Ok(0));
    assert_eq!(guest.read(other, 8).as_deref(), Ok(&b""[..]));
    assert_eq!(guest.write(one, b"x"), Err(Errno::EPIPE));
    assert_eq!(guest.write(other, b"x"), Ok(1));
    assert_eq!(guest.read(one, 8).as_deref(), Ok(&b"x"[..]));
    assert_eq!(guest.call(SHUTDOWN, &[one, 3]), Err(Errno::EINVAL));
}

#[test]
fn a_full_stream_waits_for_room() {
    let guest = Guest::new();
    let (one, other) = pair(&guest, STREAM);
    let mut total = 0;
    while let Ok(count) = guest.write(one, &[7; 50_000]) {
        total += count;
    }
    assert_eq!(total, 212_992);
    assert!(!poll(&guest, one).contains(PollEvents::POLLOUT));
    assert_eq!(send(&guest, one, b"x", DONTWAIT), Err(Errno::EAGAIN));
    let mut wait = guest.wait(SENDTO, &[one, guest.memory, 3, 0, 0, 0]);
    assert_eq!(wait.poll(), None);
    assert_eq!(guest.read(other, 2).map(|bytes| bytes.len()), Ok(2));
    assert_eq!(wait.poll(), None, "two of three bytes have gone");
    assert_eq!(guest.read(other, 1).map(|bytes| bytes.len()), Ok(1));
    assert_eq!(wait.poll(), Some(Ok(3)));
}

#[test]
fn a_record_larger_than_the_buffer_is_emsgsize() {
    let guest = Guest::new();
    let (one, _other) = pair(&guest, SEQPACKET);
    assert_eq!(guest.write(one, &[0; 212_992]), Err(Errno::EMSGSIZE));
    let mut sent = 0;
    while guest.write(one, b"").is_ok() {
        sent += 1;
    }
    assert!((100..1000).contains(&sent), "{sent} empty records");
}

#[test]
fn a_receiver_waits_and_with_waitall_for_everything() {
    let guest = Guest::new();
    let (one, other) = pair(&guest, STREAM);
    let mut wait = guest.wait(RECVFROM, &[other, guest.memory + 0x2000, 4, WAITALL, 0, 0]);
    assert_eq!(wait.poll(), None);
    guest.write(one, b"ab").unwrap();
    assert_eq!(wait.poll(), None);
    guest.write(one, b"cdef").unwrap();
    assert_eq!(wait.poll(), Some(Ok(4)));
    assert_eq!(bytes_at(&guest, 0x2000, 4), b"abcd");
    assert_eq!(guest.read(other, 8).as_deref(), Ok(&b"ef"[..]));
}

#[test]
fn a_receive_timeout_ends_the_wait() {
    let guest = Guest::new();
    let (_one, other) = pair(&guest, STREAM);
    let limit = guest.put(0x3000, &Timespec { tv_sec: 1, tv_nsec: 500_000 });
    assert_eq!(guest.call(SETSOCKOPT, &[other, 1, 20, limit, 16]), Ok(0));
    let mut wait = guest.wait(RECVFROM, &[other, guest.memory, 4, 0, 0, 0]);
    assert_eq!(wait.poll(), None);
    guest.advance(1_400_000_000);
    assert_eq!(wait.poll(), None);
    guest.advance(100_000_000);
    assert_eq!(wait.poll(), Some(Err(Errno::EAGAIN)));
}

#[test]
fn descriptors_travel_and_are_the_same_file() {
    let guest = Guest::new();
    let (one, other) = pair(&guest, SEQPACKET);
    let eventfd = guest.call(19, &[5, 0]).unwrap();
    assert_eq!(send_fds(&guest, one, b"fd", &[eventfd, eventfd]), Ok(2));
    guest.close(eventfd);
    let (bytes, header) = receive_message(&guest, other, 24, 0x4000_0000).unwrap();
    assert_eq!((bytes.as_slice(), header.msg_controllen), (&b"fd"[..], 24));
    assert_eq!(header.msg_flags, 0x4000_0000);
    assert_eq!(guest.get::<[u32; 4]>(0x5000), [24, 0, 1, 1]);
    let [first, second] = guest.get::<[i32; 2]>(0x5010);
    assert_eq!(guest.task.files().cloexec(first).ok(), Some(true));
    assert_eq!(guest.read(second.cast_unsigned().into(), 8), Ok(5_u64.to_le_bytes().to_vec()));
}

#[test]
fn descriptors_without_room_are_closed_and_told_of() {
    let guest = Guest::new();
    let (one, other) = pair(&guest, STREAM);
    let eventfd = guest.call(19, &[5, 0]).unwrap();
    let file = guest.task.files().get(i32::try_from(eventfd).unwrap()).unwrap();
    send_fds(&guest, one, b"x", &[eventfd, eventfd]).unwrap();
    let (_, header) = receive_message(&guest, other, 20, 0).unwrap();
    assert_eq!((header.msg_flags, header.msg_controllen), (8, 20));
    send_fds(&guest, one, b"x", &[eventfd]).unwrap();
    assert_eq!(receive_message(&guest, other, 0, 0).unwrap().1.msg_flags, 8);
    assert_eq!(Arc::strong_count(&file), 3, "the descriptor, the one received, and this");
}

#[test]
fn bytes_with_descriptors_end_a_read() {
    let guest = Guest::new();
    let (one, other) = pair(&guest, STREAM);
    guest.write(one, b"a").unwrap();
    send_fds(&guest, one, b"b", &[one]).unwrap();
    guest.write(one, b"c").unwrap();
    assert_eq!(receive_message(&guest, other, 64, 0).unwrap().0, b"ab");
    assert_eq!(receive_message(&guest, other, 64, 0).unwrap().0, b"c");
}

#[test]
fn sockets_in_their_own_inboxes_do_not_stay() {
    let guest = Guest::new();
    let (one, other) = pair(&guest, STREAM);
    let eventfd = guest.call(19, &[0, 0]).unwrap();
    let file = guest.task.files().get(i32::try_from(eventfd).unwrap()).unwrap();
    send_fds(&guest, one, b"x", &[one, other, eventfd]).unwrap();
    send_fds(&guest, other, b"x", &[one, other, eventfd]).unwrap();
    guest.close(eventfd);
    guest.close(one);
    let end_some_socket = || guest.close(guest.call(SOCKET, &[1, STREAM, 0]).unwrap());
    end_some_socket();
    assert_eq!(Arc::strong_count(&file), 3);
    guest.close(other);
    end_some_socket();
    assert_eq!(Arc::strong_count(&file), 1);
}

#[test]
fn a_socket_in_a_reachable_inbox_stays() {
    let guest = Guest::new();
    let (one, other) = pair(&guest, STREAM);
    let (inner, end) = pair(&guest, STREAM);
    guest.write(end, b"kept").unwrap();
    send_fds(&guest, one, b"x", &[inner]).unwrap();
    guest.close(inner);
    let (_, header) = receive_message(&guest, other, 64, 0).unwrap();
    assert_eq!(header.msg_controllen, 24);
    let inner = guest.get::<u32>(0x5010);
    assert_eq!(guest.read(inner.into(), 8).as_deref(), Ok(&b"kept"[..]));
}

#[test]
fn a_long_chain_of_sockets_is_closed_without_recursion() {
    let guest = Guest::new();
    let (mut keep, mut end) = pair(&guest, STREAM);
    for _ in 0..3000 {
        let (next, next_end) = pair(&guest, STREAM);
        send_fds(&guest, next, b"x", &[keep, end]).unwrap();
        guest.close(keep);
        guest.close(end);
        (keep, end) = (next, next_end);
    }
    guest.close(keep);
    guest.close(end);
    assert_eq!(guest.task.files().fds().len(), 0);
    assert!(alloc::format!("{:?}", guest.kernel.net()).contains("Inflight(0 "));
}

#[test]
fn credentials_come_with_passcred() {
    let guest = Guest::new();
    let (one, other) = pair(&guest, DGRAM);
    let on = guest.put(0x3000, &1_u32);
    assert_eq!(guest.call(SETSOCKOPT, &[other, 1, 16, on, 4]), Ok(0));
    send(&guest, one, b"x", 0).unwrap();
    let (_, header) = receive_message(&guest, other, 64, 0).unwrap();
    assert_eq!(header.msg_controllen, 32);
    assert_eq!(guest.get::<[u32; 4]>(0x5000), [28, 0, 1, 2]);
    assert_eq!(guest.get::<Ucred>(0x5010), Ucred { pid: 1, uid: 0, gid: 0 });
}

#[test]
fn control_messages_that_make_no_sense_are_einval() {
    let guest = Guest::new();
    let (one, _other) = pair(&guest, STREAM);
    for bad in [[8_u64, 1, 0], [64, 1, 0], [u64::MAX, 1, 0], [24, 1 | 9 << 32, 0]] {
        let control = guest.put(0x5000, &bad);
        let header = header(&guest, guest.memory, 1, control, 24);
        assert_eq!(guest.call(SENDMSG, &[one, header, 0]), Err(Errno::EINVAL), "{bad:?}");
    }
    assert_eq!(send_fds(&guest, one, b"x", &[77]), Err(Errno::EBADF));
    assert_eq!(guest.call(SENDMSG, &[one, 16, 0]), Err(Errno::EFAULT));
}

#[test]
fn a_connection_is_made_by_path() {
    let guest = Guest::new();
    let server = listener(&guest, b"/socket", 4);
    assert_eq!(option(&guest, server, 30), Ok(1));
    let client = guest.call(SOCKET, &[1, STREAM, 0]).unwrap();
    assert!(poll(&guest, client).contains(PollEvents::POLLHUP));
    assert_eq!(connect(&guest, client, b"/socket\0"), Ok(0));
    assert_eq!(connect(&guest, client, b"/socket"), Err(Errno::EISCONN));
    guest.write(client, b"early").unwrap();
    assert!(poll(&guest, server).contains(PollEvents::POLLIN));
    let accepted = guest.call(ACCEPT, &[server, 0, 0]).unwrap();
    assert_eq!(guest.read(accepted, 8).as_deref(), Ok(&b"early"[..]));
    assert_eq!(name_of(&guest, GETPEERNAME, client).as_deref(), Ok(&b"/socket\0"[..]));
    assert_eq!(name_of(&guest, GETSOCKNAME, accepted).as_deref(), Ok(&b"/socket\0"[..]));
    assert_eq!(name_of(&guest, GETSOCKNAME, client).as_deref(), Ok(&b""[..]));
    assert_eq!(option(&guest, client, 17), Ok(1), "the pid of who listens");
    let again = guest.call(SOCKET, &[1, STREAM, 0]).unwrap();
    assert_eq!(bind(&guest, again, b"/socket"), Err(Errno::EADDRINUSE));
    guest.close(server);
    assert_eq!(connect(&guest, again, b"/socket"), Err(Errno::ECONNREFUSED));
    assert_eq!(connect(&guest, again, b"/none"), Err(Errno::ENOENT));
}

#[test]
fn accept_waits_for_a_connection_and_connect_for_room() {
    let guest = Guest::new();
    let server = listener(&guest, b"\0name", 0);
    let mut wait = guest.wait(ACCEPT, &[server, 0, 0]);
    assert_eq!(wait.poll(), None);
    let first = guest.call(SOCKET, &[1, STREAM, 0]).unwrap();
    assert_eq!(connect(&guest, first, b"\0name"), Ok(0));
    assert!(matches!(wait.poll(), Some(Ok(_))));
    let second = guest.call(SOCKET, &[1, STREAM, 0]).unwrap();
    assert_eq!(connect(&guest, second, b"\0name"), Ok(0));
    let third = guest.call(SOCKET, &[1, STREAM | NONBLOCK, 0]).unwrap();
    assert_eq!(connect(&guest, third, b"\0name"), Err(Errno::EAGAIN));
    let fourth = guest.call(SOCKET, &[1, STREAM, 0]).unwrap();
    let [addr, len] = address(&guest, b"\0name");
    let mut wait = guest.wait(CONNECT, &[fourth, addr, len]);
    assert_eq!(wait.poll(), None);
    guest.call(ACCEPT, &[server, 0, 0]).unwrap();
    assert_eq!(wait.poll(), Some(Ok(0)));
    guest.close(server);
    assert_eq!(guest.read(fourth, 8), Err(Errno::ECONNRESET), "it was never accepted");
}

#[test]
fn datagrams_go_where_they_are_sent() {
    let guest = Guest::new();
    let server = guest.call(SOCKET, &[1, DGRAM, 0]).unwrap();
    bind(&guest, server, b"\0log").unwrap();
    let client = guest.call(SOCKET, &[1, DGRAM, 0]).unwrap();
    assert_eq!(bind(&guest, client, b""), Ok(0));
    let own = name_of(&guest, GETSOCKNAME, client).unwrap();
    assert_eq!(own.len(), 6, "five digits after a NUL");
    assert_eq!(send(&guest, client, b"x", 0), Err(Errno::ENOTCONN));
    let [addr, len] = address(&guest, b"\0log");
    assert_eq!(guest.call(SENDTO, &[client, guest.memory, 2, 0, addr, len]), Ok(2));
    let room = guest.put(0x3100, &64_u32);
    assert_eq!(guest.call(RECVFROM, &[server, guest.memory, 8, 0, guest.memory + 0x3200, room]), Ok(2));
    assert_eq!(bytes_at(&guest, 0x3202, 6), own);
    assert_eq!(connect(&guest, client, b"\0log"), Ok(0));
    for _ in 0..11 {
        assert_eq!(send(&guest, client, b"x", DONTWAIT), Ok(1));
    }
    assert!(!poll(&guest, client).contains(PollEvents::POLLOUT));
    let mut wait = guest.wait(SENDTO, &[client, guest.memory, 1, 0, 0, 0]);
    assert_eq!(wait.poll(), None);
    receive(&guest, server, 8, 0).unwrap();
    assert_eq!(wait.poll(), Some(Ok(1)));
    guest.close(server);
    assert_eq!(send(&guest, client, b"x", 0), Err(Errno::ECONNREFUSED));
    assert_eq!(send(&guest, client, b"x", 0), Err(Errno::ENOTCONN));
}

#[test]
fn options_tell_what_a_socket_is() {
    let guest = Guest::new();
    let (one, _other) = pair(&guest, SEQPACKET);
    assert_eq!([3, 39, 38, 4, 7].map(|name| option(&guest, one, name)), [Ok(5), Ok(1), Ok(0), Ok(0), Ok(212_992)]);
    let size = guest.put(0x3000, &10_000_u32);
    guest.call(SETSOCKOPT, &[one, 1, 7, size, 4]).unwrap();
    assert_eq!(option(&guest, one, 7), Ok(20_000));
    assert_eq!(option(&guest, one, 999), Err(Errno::ENOPROTOOPT));
    assert_eq!(guest.call(GETSOCKOPT, &[one, 6, 1, guest.memory, size]), Err(Errno::EOPNOTSUPP));
}

#[test]
fn several_messages_go_in_one_call() {
    let guest = Guest::new();
    let (one, other) = pair(&guest, SEQPACKET);
    let mut vector = Vec::new();
    for (index, text) in [b"one", b"two"].iter().enumerate() {
        let buf = put_bytes(&guest, 0x1000 + 16 * index as u64, *text);
        let iov = guest.put(0x4000 + 16 * index as u64, &[buf, 3]);
        let mut entry = [0; 64];
        Msghdr { msg_iov: iov, msg_iovlen: 1, ..Msghdr::default() }.store(&mut entry[..56]);
        vector.extend(entry);
    }
    let messages = put_bytes(&guest, 0x6000, &vector);
    assert_eq!(guest.call(269, &[one, messages, 2, 0]), Ok(2));
    assert_eq!(guest.get::<u32>(0x6000 + 64 + 56), 3);
    put_bytes(&guest, 0x1000, &[0; 32]);
    assert_eq!(guest.call(243, &[other, messages, 2, DONTWAIT, 0]), Ok(2));
    assert_eq!((bytes_at(&guest, 0x1000, 3), bytes_at(&guest, 0x1010, 3)), (b"one".to_vec(), b"two".to_vec()));
    assert_eq!(guest.call(243, &[other, messages, 2, DONTWAIT, 0]), Err(Errno::EAGAIN));
}

#[test]
fn whoever_is_outside_finds_listeners_and_connects_to_them() {
    let guest = Guest::new();
    let kernel = guest.task.kernel().unwrap();
    let fd = listener(&guest, b"/tmp.sock", 1);
    listener(&guest, b"\0abstract", 1);
    // Neither what does not listen nor what carries no stream is told.
    bind(&guest, guest.call(SOCKET, &[1, STREAM, 0]).unwrap(), b"/idle").unwrap();
    bind(&guest, guest.call(SOCKET, &[1, DGRAM, 0]).unwrap(), b"/datagrams").unwrap();
    let listeners = kernel.local_listeners();
    let names: Vec<&[u8]> = listeners.iter().map(|listener| &listener.name[..]).collect();
    assert_eq!(names, [&b"@abstract"[..], b"/tmp.sock"]);
    assert_eq!((listeners[1].pid, listeners[1].uid), (guest.task.process.pid, 0));

    let outside = listeners[1].connect().unwrap();
    assert_eq!(outside.receive(&mut [0; 8]), Err(Errno::EAGAIN));
    assert_eq!(outside.send(b"ping"), Ok(4));
    let inside = guest.call(ACCEPT, &[fd, 0, 0]).unwrap();
    assert_eq!(receive(&guest, inside, 64, 0).unwrap(), b"ping");
    let len = guest.put(0x3100, &12_u32);
    guest.call(GETSOCKOPT, &[inside, 1, 17, guest.memory + 0x3200, len]).unwrap();
    assert_eq!(guest.get::<Ucred>(0x3200), Ucred { pid: 0, uid: 0, gid: 0 });
    send(&guest, inside, b"pong", 0).unwrap();
    let mut buf = [0; 8];
    assert_eq!((outside.receive(&mut buf), &buf[..4]), (Ok(4), &b"pong"[..]));
    outside.finish();
    assert_eq!(receive(&guest, inside, 64, 0).unwrap(), b"");
    guest.close(inside);
    assert_eq!((outside.receive(&mut buf), outside.send(b"x")), (Ok(0), Err(Errno::EPIPE)));
    guest.close(fd);
    assert_eq!(listeners[1].connect().unwrap_err().errno, Errno::ECONNREFUSED);
}

#[test]
fn the_end_of_a_connection_from_outside_is_told_inside() {
    let guest = Guest::new();
    let kernel = guest.task.kernel().unwrap();
    let fd = listener(&guest, b"/tmp.sock", 0);
    let outside = kernel.local_listeners()[0].connect().unwrap();
    assert_eq!(kernel.local_listeners()[0].connect().unwrap_err().errno, Errno::EAGAIN);
    let inside = guest.call(ACCEPT, &[fd, 0, 0]).unwrap();
    drop(outside);
    assert!(poll(&guest, inside).contains(PollEvents::POLLHUP));
    assert_eq!(receive(&guest, inside, 64, 0).unwrap(), b"");
}
