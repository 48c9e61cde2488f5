//! Host streams as guest descriptors: pipes, sockets, files, devices.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::fs::File;
use std::io::{Read, Seek, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use linux_abi::Errno;
use machine::{CharDev, HostKind, HostStream, StreamReady};
use machine_hosted::{Console, StandardStreams, Stdio};
use rustix::fs::{OFlags, fcntl_getfl};

const SOON: Duration = Duration::from_secs(5);
const NOT_YET: Duration = Duration::from_millis(60);

fn null() -> OwnedFd {
    File::open("/dev/null").unwrap().into()
}

/// The stream over `fd`, and what its notify callback sends.
fn stream(fd: impl Into<OwnedFd>) -> (Arc<dyn HostStream>, mpsc::Receiver<()>) {
    let streams = StandardStreams::from_fds([Some(fd.into()), None, None]).unwrap();
    let [Stdio::Stream(stream), Stdio::Closed, Stdio::Closed] = streams.streams else { panic!("no stream") };
    let (sender, receiver) = mpsc::channel();
    stream.set_notify(Box::new(move || {
        let _ = sender.send(());
    }));
    (stream, receiver)
}

fn pipe() -> (OwnedFd, OwnedFd) {
    rustix::pipe::pipe().unwrap()
}

#[test]
fn every_byte_passes_a_pipe_unchanged_and_its_end_is_seen() {
    let (read_end, write_end) = pipe();
    let (stream, _) = stream(read_end);
    let mut writer = File::from(write_end);
    let all: Vec<u8> = (0..=255).collect();
    writer.write_all(&all).unwrap();
    assert_eq!(stream.pending(), Ok(256));
    let mut buf = [0; 300];
    assert_eq!(stream.read(&mut buf), Ok(256));
    assert_eq!(&buf[..256], &all[..]);
    assert_eq!(stream.read(&mut buf), Err(Errno::EAGAIN));
    drop(writer);
    assert_eq!(stream.read(&mut buf), Ok(0));
    assert_eq!(stream.read(&mut buf), Ok(0), "the end stays the end");
    assert_eq!(stream.ready(), StreamReady { readable: true, writable: false, hangup: true, error: false });
    assert_eq!(stream.write(b"x"), Err(Errno::EBADF));
    assert_eq!((stream.seek(0, 1), stream.read_at(0, &mut buf)), (Err(Errno::ESPIPE), Err(Errno::ESPIPE)));
    assert_eq!(stream.stat().unwrap().kind, HostKind::Fifo);
}

#[test]
fn a_reader_that_had_to_wait_is_told_once_there_is_input() {
    let (read_end, write_end) = pipe();
    let (stream, told) = stream(read_end);
    let mut buf = [0; 8];
    assert_eq!(stream.read(&mut buf), Err(Errno::EAGAIN));
    assert!(told.recv_timeout(NOT_YET).is_err());
    File::from(write_end).write_all(b"input").unwrap();
    told.recv_timeout(SOON).expect("told");
    assert_eq!(stream.read(&mut buf), Ok(5));
}

#[test]
fn a_poller_is_told_of_input_and_of_the_end() {
    let (read_end, write_end) = pipe();
    let (stream, told) = stream(read_end);
    assert_eq!(stream.ready(), StreamReady::default());
    let mut writer = File::from(write_end);
    writer.write_all(b"x").unwrap();
    told.recv_timeout(SOON).expect("told of input");
    assert!(stream.ready().readable);
    let mut buf = [0; 8];
    stream.read(&mut buf).unwrap();
    assert!(!stream.ready().readable);
    while told.try_recv().is_ok() {}
    drop(writer);
    told.recv_timeout(SOON).expect("told of the end");
    assert!(stream.ready().hangup);
}

#[test]
fn input_that_the_guest_leaves_is_there_for_the_next_reader() {
    let (read_end, write_end) = pipe();
    let mut left = File::from(read_end.try_clone().unwrap());
    let (stream, _) = stream(read_end);
    assert!(!stream.ready().readable);
    File::from(write_end).write_all(b"first\nsecond\n").unwrap();
    std::thread::sleep(NOT_YET);
    let mut buf = [0; 6];
    assert_eq!(stream.read(&mut buf), Ok(6));
    drop(stream);
    let mut rest = String::new();
    left.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "second\n");
}

#[test]
fn a_full_pipe_makes_nobody_wait_and_tells_when_there_is_room() {
    let (read_end, write_end) = pipe();
    let (stream, told) = stream(write_end);
    let chunk = vec![7; 10_000];
    let mut sent = 0;
    let refused = loop {
        match stream.write(&chunk) {
            Ok(count) => sent += count,
            Err(error) => break error,
        }
    };
    assert_eq!(refused, Errno::EAGAIN);
    assert!(!stream.ready().writable);
    assert!(told.recv_timeout(NOT_YET).is_err());
    let mut reader = File::from(read_end);
    let mut got = vec![0; sent];
    reader.read_exact(&mut got).unwrap();
    assert!(got.iter().all(|&byte| byte == 7));
    told.recv_timeout(SOON).expect("told of room");
    assert!(stream.ready().writable);
    assert!(stream.write(&chunk).unwrap() > 0);
}

#[test]
fn writing_without_a_reader_is_a_broken_pipe_and_a_poller_is_told() {
    let (read_end, write_end) = pipe();
    let (stream, told) = stream(write_end);
    assert_eq!(stream.ready(), StreamReady { writable: true, ..StreamReady::default() });
    drop(read_end);
    told.recv_timeout(SOON).expect("told although it was writable");
    assert!(stream.ready().error);
    assert_eq!(stream.write(b"x"), Err(Errno::EPIPE));
}

#[test]
fn the_flags_of_a_shared_pipe_are_left_alone() {
    let (read_end, write_end) = pipe();
    let (ours, theirs) = (write_end.try_clone().unwrap(), write_end);
    let (stream, _) = stream(ours);
    stream.write(b"x").unwrap();
    assert!(!fcntl_getfl(&theirs).unwrap().contains(OFlags::NONBLOCK));
    assert!(!fcntl_getfl(&read_end).unwrap().contains(OFlags::NONBLOCK));
}

#[test]
fn dropping_a_stream_shows_its_end_to_the_other_side_even_while_watched() {
    let (read_end, write_end) = pipe();
    let (stream, _) = stream(write_end);
    while stream.write(&[0; 4096]).is_ok() {}
    drop(stream);
    let mut all = Vec::new();
    File::from(read_end).read_to_end(&mut all).unwrap();
    assert!(!all.is_empty());
}

#[test]
fn sockets_work_both_ways_without_waiting() {
    let (near, mut far) = UnixStream::pair().unwrap();
    let (stream, told) = stream(near);
    let mut buf = [0; 8];
    assert_eq!(stream.read(&mut buf), Err(Errno::EAGAIN));
    far.write_all(b"ping").unwrap();
    told.recv_timeout(SOON).expect("told");
    assert_eq!(stream.read(&mut buf), Ok(4));
    assert_eq!(stream.write(b"pong"), Ok(4));
    far.read_exact(&mut buf[..4]).unwrap();
    assert_eq!(&buf[..4], b"pong");
    while stream.write(&[0; 65536]).is_ok() {}
    assert_eq!(stream.write(&[0; 65536]), Err(Errno::EAGAIN));
    drop(far);
    assert!(matches!(stream.write(b"x"), Err(Errno::EPIPE | Errno::ECONNRESET)));
}

#[test]
fn a_file_keeps_its_position_shared_with_other_processes() {
    let path = std::env::temp_dir().join(format!("vambrace-streams-{}", std::process::id()));
    std::fs::write(&path, "0123456789").unwrap();
    let mut shared = File::options().read(true).write(true).open(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    let (stream, told) = stream(shared.try_clone().unwrap());
    let mut buf = [0; 4];
    assert_eq!(stream.read(&mut buf), Ok(4));
    assert_eq!(shared.stream_position().unwrap(), 4);
    assert_eq!(stream.seek(-2, 2), Ok(8));
    assert_eq!(stream.read(&mut buf), Ok(2));
    assert_eq!(stream.read(&mut buf), Ok(0));
    assert_eq!(stream.read_at(1, &mut buf), Ok(4));
    assert_eq!(&buf, b"1234");
    assert_eq!((stream.seek(-1, 0), stream.seek(0, 9)), (Err(Errno::EINVAL), Err(Errno::EINVAL)));
    stream.set_len(2).unwrap();
    stream.sync().unwrap();
    let stat = stream.stat().unwrap();
    assert_eq!((stat.kind, stat.size), (HostKind::File, 2));
    assert_eq!(stream.ready(), StreamReady { readable: true, writable: true, hangup: false, error: false });
    assert!(told.try_recv().is_err());
}

#[test]
fn a_file_opened_for_appending_appends() {
    let path = std::env::temp_dir().join(format!("vambrace-append-{}", std::process::id()));
    std::fs::write(&path, "head ").unwrap();
    let (stream, _) = stream(File::options().append(true).open(&path).unwrap());
    assert!(!stream.reads() && stream.writes());
    stream.write(b"tail").unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"head tail");
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn devices_answer_at_once() {
    let (stream, _) = stream(File::open("/dev/zero").unwrap());
    let mut buf = [1; 8];
    assert_eq!(stream.read(&mut buf), Ok(8));
    assert_eq!(buf, [0; 8]);
    let (full, _) = self::stream(File::options().write(true).open("/dev/full").unwrap());
    assert_eq!(full.write(b"x"), Err(Errno::ENOSPC));
}

#[test]
fn a_plain_console_reads_only_when_asked_and_holds_little() {
    let (read_end, write_end) = pipe();
    let console = Console::plain(Some(read_end), null()).unwrap();
    let (sender, told) = mpsc::channel();
    console.set_notify(Box::new(move || {
        let _ = sender.send(());
    }));
    let mut writer = File::from(write_end);
    let size = 20_000;
    writer.write_all(&vec![b'x'; size]).unwrap();
    assert!(told.recv_timeout(NOT_YET).is_err(), "nobody asked yet");
    let pending = || rustix::io::ioctl_fionread(writer.as_fd()).unwrap();
    assert_eq!(pending(), 20_000);
    let mut buf = [0; 1000];
    assert_eq!(console.read(&mut buf), Ok(0));
    told.recv_timeout(SOON).expect("told of input");
    std::thread::sleep(NOT_YET);
    assert!(pending() >= 20_000 - 4096, "only a bounded part is taken");
    let mut got = 0;
    while got < size {
        match console.read(&mut buf) {
            Ok(0) => told.recv_timeout(SOON).expect("told of more"),
            Ok(count) => got += count,
            Err(()) => panic!("ended early"),
        }
    }
    assert_eq!(console.read(&mut buf), Ok(0));
    drop(writer);
    while console.read(&mut buf).is_ok() {
        told.recv_timeout(SOON).expect("told of the end");
    }
    assert_eq!(console.window_size(), None);
    assert!(!console.is_terminal());
}

#[test]
fn a_console_can_be_dropped_while_its_thread_waits() {
    let (read_end, _write_end) = pipe();
    let console = Console::plain(Some(read_end), null()).unwrap();
    assert_eq!(console.read(&mut [0; 8]), Ok(0));
    std::thread::sleep(NOT_YET);
    drop(console);
}

#[test]
fn a_console_without_input_never_ends() {
    let console = Console::plain(None, null()).unwrap();
    for _ in 0..3 {
        assert_eq!(console.read(&mut [0; 8]), Ok(0));
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn what_is_written_to_a_plain_console_comes_out_unchanged() {
    let (read_end, write_end) = pipe();
    let console = Console::plain(None, write_end).unwrap();
    let all: Vec<u8> = (0..=255).collect();
    assert_eq!(console.write(&all), 256);
    let mut buf = [0; 256];
    File::from(read_end).read_exact(&mut buf).unwrap();
    assert_eq!(buf[..], all[..]);
    // Nobody reads any more: swallowed, so that the guest does not hang.
    assert_eq!(console.write(&all), 256);
}
