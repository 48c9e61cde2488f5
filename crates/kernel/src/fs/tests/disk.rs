//! The special files of disks.

use linux_abi::Errno;
use linux_abi::ioctl::{BLKFLSBUF, BLKGETSIZE64, BLKROGET, BLKSSZGET};
use linux_abi::nr;
use linux_abi::stat::makedev;

use super::mounts::{mount, umount};
use super::*;

const SIZE: usize = 1 << 20;

fn number(files: &Files, fd: u64, command: u32) -> Result<u64, Errno> {
    files.guest.put(BUFFER, &0_u64);
    files.call(nr::IOCTL, &[fd, u64::from(command), files.guest.memory + BUFFER])?;
    Ok(files.guest.get(BUFFER))
}

#[test]
fn a_disk_tells_its_number_and_its_size() {
    let disk = RamDisk::new(SIZE);
    let files = Files::with_disks(256, &[RamDisk::new(4096), disk]);
    let stat = files.stat("/dev/vdb").unwrap();
    assert_eq!((stat.st_mode & 0o170_000, stat.st_rdev), (0o060_000, makedev(254, 16)));
    let fd = files.open("/dev/vdb", O_RDONLY).unwrap();
    assert_eq!(number(&files, fd, BLKGETSIZE64), Ok(SIZE as u64));
    assert_eq!((number(&files, fd, BLKSSZGET), number(&files, fd, BLKROGET)), (Ok(512), Ok(0)));
    assert_eq!(number(&files, fd, 0x1234), Err(Errno::ENOTTY));
    assert_eq!(files.seek(fd, 0, 2), Ok(SIZE as u64));
    let partitions = files.contents("/proc/partitions").unwrap();
    let partitions = String::from_utf8(partitions).unwrap();
    assert!(partitions.lines().any(|line| line.split_whitespace().eq(["254", "16", "1024", "vdb"])), "{partitions}");
}

#[test]
fn what_is_written_to_a_disk_is_there_after_a_sync() {
    let disk = RamDisk::new(SIZE);
    let files = Files::with_disks(256, core::slice::from_ref(&disk));
    let fd = files.open("/dev/vda", O_RDWR).unwrap();
    files.seek(fd, 1000, 0).unwrap();
    assert_eq!(files.write(fd, b"across a sector"), Ok(15));
    files.seek(fd, 1000, 0).unwrap();
    assert_eq!(files.read(fd, 6).as_deref(), Ok(&b"across"[..]));
    assert_eq!(disk.contents()[1000], 0, "it is in the page cache");
    assert_eq!(files.call(nr::FSYNC, &[fd]), Ok(0));
    assert_eq!(&disk.contents()[1000..1015], b"across a sector");
    assert!(disk.is_flushed());
    assert_eq!(files.write(fd, b"more"), Ok(4));
    assert_eq!(files.call(nr::SYNC, &[]), Ok(0));
    assert_eq!(&disk.contents()[1006..1010], b"more");
    assert!(disk.is_flushed());
}

#[test]
fn the_end_of_a_disk_is_the_end_of_its_file() {
    let files = Files::with_disks(256, &[RamDisk::new(4096 + 512)]);
    let fd = files.open("/dev/vda", O_RDWR).unwrap();
    files.seek(fd, 4096 + 500, 0).unwrap();
    assert_eq!(files.write(fd, &[1; 100]), Ok(12));
    assert_eq!(files.write(fd, b"x"), Err(Errno::ENOSPC));
    assert_eq!(files.read(fd, 10).as_deref(), Ok(&b""[..]));
    assert_eq!(files.call(nr::FSYNC, &[fd]), Ok(0));
}

#[test]
fn flushing_buffers_shows_what_the_disk_has() {
    let disk = RamDisk::new(SIZE);
    let files = Files::with_disks(256, core::slice::from_ref(&disk));
    let fd = files.open("/dev/vda", O_RDONLY).unwrap();
    assert_eq!(files.read(fd, 1).as_deref(), Ok(&[0][..]));
    disk.write(0, &[7; 512]).unwrap();
    files.seek(fd, 0, 0).unwrap();
    assert_eq!(files.read(fd, 1).as_deref(), Ok(&[0][..]));
    assert_eq!(number(&files, fd, BLKFLSBUF), Ok(0));
    files.seek(fd, 0, 0).unwrap();
    assert_eq!(files.read(fd, 1).as_deref(), Ok(&[7][..]));
}

#[test]
fn a_disk_has_one_writer_the_file_system_or_the_file() {
    let files = Files::with_disks(512, &[RamDisk::ext2(SIZE, 1024, 0)]);
    files.mkdir("/m").unwrap();
    let fd = files.open("/dev/vda", O_RDWR).unwrap();
    assert_eq!(mount(&files, "/dev/vda", "/m", "ext2", 0), Err(Errno::EBUSY));
    files.close(fd);
    assert_eq!(mount(&files, "/dev/vda", "/m", "ext2", 0), Ok(0));
    assert_eq!(files.open("/dev/vda", O_RDWR), Err(Errno::EBUSY));
    assert!(files.open("/dev/vda", O_RDONLY).is_ok());
    assert_eq!(umount(&files, "/m", 0), Ok(0));
    assert!(files.open("/dev/vda", O_RDWR).is_ok());
}

#[test]
fn a_mount_needs_a_disk_with_a_file_system() {
    let files = Files::with_disks(256, &[RamDisk::new(SIZE)]);
    files.mkdir("/m").unwrap();
    assert_eq!(mount(&files, "/dev/vda", "/m", "ext2", 0), Err(Errno::EINVAL));
    assert_eq!(mount(&files, "/m", "/m", "ext2", 0), Err(Errno::ENOTBLK));
    assert_eq!(mount(&files, "/dev/none", "/m", "ext2", 0), Err(Errno::ENOENT));
    assert_eq!(files.call(nr::MKNODAT, &[AT_FDCWD, files.path("/vdz"), 0o060_600, makedev(254, 400)]), Ok(0));
    assert_eq!(mount(&files, "/vdz", "/m", "ext2", 0), Err(Errno::ENXIO));
    assert_eq!(files.open("/vdz", O_RDONLY), Err(Errno::ENXIO));
}

#[test]
fn a_root_is_found_by_name_number_serial_and_uuid() {
    let files = Files::with_disks(256, &[RamDisk::new(SIZE), RamDisk::ext2(SIZE, 4096, 0)]);
    let blocks = files.guest.kernel.vfs().blocks();
    let name = |spec: &str| blocks.by_spec(spec).map(|disk| String::from(disk.name())).map_err(|error| error.errno);
    for spec in ["/dev/vdb", "vdb", "254:16", "UUID=00000000-0000-0000-0000-000000000000"] {
        assert_eq!(name(spec).as_deref(), Ok("vdb"), "{spec}");
    }
    assert_eq!(name("SERIAL=ram").as_deref(), Ok("vda"));
    assert_eq!((name("vdc"), name("LABEL=x")), (Err(Errno::ENODEV), Err(Errno::EINVAL)));
}
