//! Reading, writing, sizes, descriptors, locks, pipes.

use linux_abi::Errno;
use linux_abi::fcntl::Flock;
use linux_abi::nr;

use super::*;
use crate::signal::Number;

#[test]
fn positions_move_with_reads_and_writes() {
    let files = Files::new();
    let fd = files.open("/a", O_CREAT | O_RDWR).unwrap();
    assert_eq!(files.write(fd, b"hello world"), Ok(11));
    assert_eq!(files.seek(fd, 6, 0), Ok(6));
    assert_eq!(files.read(fd, 64).as_deref(), Ok(&b"world"[..]));
    assert_eq!(files.seek(fd, -1, 2), Ok(10));
    assert_eq!(files.seek(fd, -11, 1), Err(Errno::EINVAL));
    let twin = files.call(nr::DUP, &[fd]).unwrap();
    assert_eq!(files.seek(twin, 0, 1), Ok(10), "a duplicate shares the position");
    let other = files.open("/a", O_RDONLY).unwrap();
    assert_eq!(files.seek(other, 0, 1), Ok(0), "another open does not");
    assert_eq!(files.write(other, b"x"), Err(Errno::EBADF));
}

#[test]
fn a_hole_reads_as_zeros_and_takes_no_room() {
    let files = Files::new();
    let fd = files.open("/a", O_CREAT | O_RDWR).unwrap();
    files.seek(fd, 1 << 30, 0).unwrap();
    assert_eq!(files.write(fd, b"end"), Ok(3));
    let stat = files.fstat(fd);
    assert_eq!((stat.st_size, stat.st_blocks), ((1 << 30) + 3, 8));
    files.seek(fd, (1 << 30) - 2, 0).unwrap();
    assert_eq!(files.read(fd, 16).as_deref(), Ok(&b"\0\0end"[..]));
    assert_eq!(files.seek(fd, 0, 3), Ok(1 << 30), "SEEK_DATA");
    assert_eq!(files.seek(fd, 1 << 30, 4), Ok((1 << 30) + 3), "SEEK_HOLE");
    assert_eq!(files.call(nr::FTRUNCATE, &[fd, 2]), Ok(0));
    assert_eq!(files.contents("/a").as_deref(), Ok(&b"\0\0"[..]));
}

#[test]
fn appending_ignores_the_position() {
    let files = Files::new();
    files.make("/a", b"one");
    let fd = files.open("/a", O_APPEND | O_RDWR).unwrap();
    files.seek(fd, 0, 0).unwrap();
    assert_eq!(files.write(fd, b"two"), Ok(3));
    assert_eq!(files.seek(fd, 0, 1), Ok(6));
    assert_eq!(files.contents("/a").as_deref(), Ok(&b"onetwo"[..]));
}

#[test]
fn a_write_beyond_the_limit_is_a_signal_and_efbig() {
    let files = Files::new();
    let limits = files.guest.put(BUFFER, &[4_u64, 4]);
    files.call(nr::PRLIMIT64, &[0, 1, limits, 0]).unwrap();
    let fd = files.open("/a", O_CREAT | O_RDWR).unwrap();
    assert_eq!(files.write(fd, b"123456"), Ok(4));
    assert_eq!(files.write(fd, b"5"), Err(Errno::EFBIG));
    assert!(files.guest.pending().contains(Number::SIGXFSZ));
}

#[test]
fn the_lowest_free_descriptor_is_given() {
    let files = Files::new();
    files.make("/a", b"");
    let fds: Vec<u64> = (0..4).map(|_| files.open("/a", O_RDONLY).unwrap()).collect();
    assert_eq!(fds, [0, 1, 2, 3]);
    files.close(1);
    assert_eq!(files.call(nr::FCNTL, &[0, 0, 2]), Ok(4), "F_DUPFD from 2 on");
    assert_eq!(files.open("/a", O_RDONLY), Ok(1));
    assert_eq!(files.call(nr::DUP3, &[0, 9, 0]), Ok(9));
    assert_eq!(files.call(nr::DUP3, &[0, 0, 0]), Err(Errno::EINVAL));
    assert_eq!(files.call(nr::CLOSE_RANGE, &[2, u64::from(u32::MAX), 0]), Ok(0));
    assert_eq!(files.call(nr::CLOSE, &[9]), Err(Errno::EBADF));
    assert_eq!(files.open("/a", O_RDONLY), Ok(2));
}

#[test]
fn more_descriptors_than_allowed_are_emfile() {
    let files = Files::new();
    files.make("/a", b"");
    files.call(nr::CLOSE_RANGE, &[0, 100, 0]).unwrap();
    let limits = files.guest.put(BUFFER, &[3_u64, 3]);
    files.call(nr::PRLIMIT64, &[0, 7, limits, 0]).unwrap();
    for fd in 0..3 {
        assert_eq!(files.open("/a", O_RDONLY), Ok(fd));
    }
    assert_eq!(files.open("/a", O_RDONLY), Err(Errno::EMFILE));
    assert_eq!(files.call(nr::DUP3, &[0, 3, 0]), Err(Errno::EBADF));
    assert_eq!(files.call(nr::FCNTL, &[0, 0, 3]), Err(Errno::EINVAL));
}

fn pipe(files: &Files, flags: u64) -> (u64, u64) {
    files.call(nr::PIPE2, &[files.guest.memory + BUFFER, flags]).unwrap();
    let fds: [u32; 2] = files.guest.get(BUFFER);
    (u64::from(fds[0]), u64::from(fds[1]))
}

#[test]
fn a_reader_waits_for_the_writer() {
    let files = Files::new();
    let (reader, writer) = pipe(&files, 0);
    let buffer = files.guest.memory + BUFFER;
    let mut waiting = files.guest.wait(u64::from(nr::READ), &[reader, buffer, 16]);
    assert_eq!(waiting.poll(), None);
    assert_eq!(files.write(writer, b"ready"), Ok(5));
    assert_eq!(waiting.poll(), Some(Ok(5)));
    let mut waiting = files.guest.wait(u64::from(nr::READ), &[reader, buffer, 16]);
    files.close(writer);
    assert_eq!(waiting.poll(), Some(Ok(0)), "the end");
}

#[test]
fn a_large_write_waits_until_all_of_it_is_read() {
    let files = Files::new();
    let (reader, writer) = pipe(&files, 0);
    files.call(nr::FCNTL, &[writer, 1031, 4096]).unwrap();
    let buffer = files.guest.memory + BUFFER;
    let mut waiting = files.guest.wait(u64::from(nr::WRITE), &[writer, buffer, 10_000]);
    assert_eq!(waiting.poll(), None);
    let mut total = 0;
    while total < 10_000 {
        total += files.guest.read(reader, 4096).unwrap().len();
        if total < 10_000 - 4096 {
            assert_eq!(waiting.poll(), None, "after {total} bytes");
        } else if total < 10_000 {
            assert_eq!(waiting.poll(), Some(Ok(10_000)), "the rest fits");
        }
    }
}

#[test]
fn writing_where_nobody_reads_is_sigpipe() {
    let files = Files::new();
    let (reader, writer) = pipe(&files, O_NONBLOCK);
    assert_eq!(files.read(reader, 1), Err(Errno::EAGAIN));
    files.close(reader);
    assert_eq!(files.write(writer, b"x"), Err(Errno::EPIPE));
    assert!(files.guest.pending().contains(Number::SIGPIPE));
    assert_eq!(files.seek(writer, 0, 1), Err(Errno::ESPIPE));
}

#[test]
fn a_pipe_opened_again_is_the_same_pipe() {
    let files = Files::new();
    let kernel = &files.guest.kernel;
    let (reader, writer) = pipe(&files, 0);
    let path = files.guest.task.files().get(writer as i32).unwrap().path().clone();
    let caller = crate::fs::Caller::of(kernel, &files.guest.task);
    let flags = linux_abi::fcntl::OpenFlags::O_WRONLY;
    let again = kernel.vfs().open_path(&caller, path, flags, false).unwrap();
    files.close(writer);
    let fd = files.guest.task.files().insert(&files.guest.task, again.file, false).unwrap();
    assert_eq!(files.write(fd as u64, b"same"), Ok(4));
    assert_eq!(files.read(reader, 8).as_deref(), Ok(&b"same"[..]));
}

#[test]
fn splicing_moves_bytes_between_a_file_and_a_pipe() {
    let files = Files::new();
    files.make("/from", b"0123456789");
    let from = files.open("/from", O_RDONLY).unwrap();
    let to = files.open("/to", O_CREAT | O_RDWR).unwrap();
    let (reader, writer) = pipe(&files, 0);
    assert_eq!(files.call(nr::SPLICE, &[from, 0, writer, 0, 4, 0]), Ok(4));
    assert_eq!(files.seek(from, 0, 1), Ok(4));
    assert_eq!(files.call(nr::SPLICE, &[reader, 0, to, 0, 100, 0]), Ok(4));
    assert_eq!(files.call(nr::SENDFILE, &[to, from, 0, 100]), Ok(6));
    assert_eq!(files.contents("/to").as_deref(), Ok(&b"0123456789"[..]));
    assert_eq!(files.call(nr::SPLICE, &[from, 0, to, 0, 1, 0]), Err(Errno::EINVAL), "neither is a pipe");
    let offset = files.guest.put(BUFFER, &2_u64);
    assert_eq!(files.call(nr::COPY_FILE_RANGE, &[from, offset, to, 0, 3, 0]), Ok(3));
    assert_eq!(files.guest.get::<u64>(BUFFER), 5);
    assert_eq!(files.contents("/to").as_deref(), Ok(&b"0123456789234"[..]));
}

#[test]
fn record_locks_are_per_process_and_go_with_any_descriptor() {
    let files = Files::new();
    files.make("/a", b"");
    let other = files.as_user(100, 0);
    let set = |files: &Files, fd: u64, kind: i16, command: u64| {
        let lock = Flock { l_type: kind, l_start: 0, l_len: 10, ..Flock::default() };
        let addr = files.guest.put(BUFFER, &lock);
        files.call(nr::FCNTL, &[fd, command, addr])
    };
    let (mine, theirs) = (files.open("/a", O_RDWR).unwrap(), other.open("/a", O_RDWR).unwrap());
    assert_eq!(set(&files, mine, 1, 6), Ok(0));
    assert_eq!(set(&other, theirs, 0, 6), Err(Errno::EAGAIN));
    assert_eq!(set(&other, theirs, 0, 5), Ok(0), "F_GETLK");
    let found: Flock = other.guest.get(BUFFER);
    assert_eq!((found.l_type, found.l_pid), (1, 1));
    let lock = other.guest.put(BUFFER, &Flock { l_type: 1, ..Flock::default() });
    let mut waiting = other.guest.wait(u64::from(nr::FCNTL), &[theirs, 7, lock]);
    assert_eq!(waiting.poll(), None);
    let second = files.open("/a", O_RDONLY).unwrap();
    files.close(second);
    assert_eq!(waiting.poll(), Some(Ok(0)), "closing any descriptor gives the lock up");
}

#[test]
fn flock_is_per_open_file() {
    let files = Files::new();
    files.make("/a", b"");
    let (one, two) = (files.open("/a", O_RDWR).unwrap(), files.open("/a", O_RDWR).unwrap());
    assert_eq!(files.call(nr::FLOCK, &[one, 2]), Ok(0));
    assert_eq!(files.call(nr::FLOCK, &[two, 1 | 4]), Err(Errno::EAGAIN));
    let twin = files.call(nr::DUP, &[one]).unwrap();
    files.close(one);
    assert_eq!(files.call(nr::FLOCK, &[two, 1 | 4]), Err(Errno::EAGAIN), "the duplicate keeps it");
    files.close(twin);
    assert_eq!(files.call(nr::FLOCK, &[two, 1 | 4]), Ok(0));
}

#[test]
fn a_sealed_memory_file_stays_as_it_is() {
    let files = Files::new();
    let fd = files.call(nr::MEMFD_CREATE, &[files.path("data"), 2]).unwrap();
    assert_eq!(files.write(fd, b"fixed"), Ok(5));
    assert_eq!(files.call(nr::FCNTL, &[fd, 1033, 2 | 4 | 8]), Ok(0));
    assert_eq!(files.write(fd, b"x"), Err(Errno::EPERM));
    assert_eq!(files.call(nr::FTRUNCATE, &[fd, 1]), Err(Errno::EPERM));
    assert_eq!(files.call(nr::FCNTL, &[fd, 1034, 0]), Ok(2 | 4 | 8));
    let plain = files.call(nr::MEMFD_CREATE, &[files.path("data"), 0]).unwrap();
    assert_eq!(files.call(nr::FCNTL, &[plain, 1033, 2]), Err(Errno::EPERM));
}

#[test]
fn the_devices_do_what_they_are_for() {
    let files = Files::new();
    files.mkdir("/dev").unwrap();
    let kernel = &files.guest.kernel;
    kernel.vfs().mount_type(kernel, "devtmpfs", b"/dev", crate::fs::MountFlags::empty(), "").unwrap();
    let null = files.open("/dev/null", O_RDWR).unwrap();
    assert_eq!((files.write(null, b"gone"), files.read(null, 8)), (Ok(4), Ok(Vec::new())));
    let zero = files.open("/dev/zero", O_RDWR).unwrap();
    assert_eq!(files.read(zero, 3).as_deref(), Ok(&[0, 0, 0][..]));
    let full = files.open("/dev/full", O_RDWR).unwrap();
    assert_eq!(files.write(full, b"x"), Err(Errno::ENOSPC));
    let random = files.open("/dev/urandom", O_RDONLY).unwrap();
    assert_ne!(files.read(random, 32), files.read(random, 32));
    assert_eq!(files.fstat(null).st_rdev, 0x103);
    assert_eq!(files.fstat(null).st_mode, 0o020_666);
}

#[test]
fn a_truncated_archive_file_does_not_get_its_bytes_back() {
    use crate::fs::tmpfs::{Builder, FileData};
    let files = Files::new();
    let mut builder = Builder::new(files.guest.kernel.vfs().rootfs().clone());
    builder.attributes(0o755, 0, 0, 0);
    builder.file(b"/bin/tool", FileData::from_bytes(alloc::vec![b'x'; 10_000])).unwrap();
    builder.hard_link(b"bin/alias", b"bin/tool").unwrap();
    assert_eq!(files.stat("/bin/alias").map(|stat| (stat.st_size, stat.st_nlink)), Ok((10_000, 2)));
    let fd = files.open("/bin/tool", O_RDWR).unwrap();
    files.call(nr::FTRUNCATE, &[fd, 5000]).unwrap();
    files.call(nr::FTRUNCATE, &[fd, 10_000]).unwrap();
    let contents = files.contents("/bin/alias").unwrap();
    assert!(contents[..5000].iter().all(|byte| *byte == b'x'));
    assert!(contents[5000..].iter().all(|byte| *byte == 0));
    files.make("/bin/tool", b"new");
    assert_eq!(files.contents("/bin/alias").as_deref(), Ok(&b"new"[..]));
}

#[test]
fn a_full_tmpfs_takes_no_more() {
    let files = Files::new();
    let kernel = &files.guest.kernel;
    kernel.vfs().mount_type(kernel, "tmpfs", b"/small", crate::fs::MountFlags::empty(), "size=8k").unwrap();
    let fd = files.open("/small/a", O_CREAT | O_RDWR).unwrap();
    assert_eq!(files.write(fd, &[1; 10_000]), Ok(8192));
    assert_eq!(files.write(fd, &[1; 1]), Err(Errno::ENOSPC));
    assert_eq!(files.call(nr::FTRUNCATE, &[fd, 0]), Ok(0));
    files.seek(fd, 0, 0).unwrap();
    assert_eq!(files.write(fd, &[1; 4096]), Ok(4096));
}
