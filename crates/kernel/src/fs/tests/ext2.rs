//! ext2 on a disk: what is there after an unmount, after a power cut, and when
//! memory or room runs out.

use linux_abi::Errno;
use linux_abi::nr;

use super::mounts::{mount, umount};
use super::*;
use crate::fs::RootDevice;

const MIB: usize = 1 << 20;
const MS_RDONLY: u64 = 1;
const MS_REMOUNT: u64 = 32;
const SEEK_DATA: u64 = 3;
const SEEK_HOLE: u64 = 4;

/// A process with the disk mounted on `/m`.
fn mounted(frames: usize, disk: &Arc<RamDisk>) -> Files {
    let files = Files::with_disks(frames, core::slice::from_ref(disk));
    files.mkdir("/m").expect("it can be made");
    assert_eq!(mount(&files, "/dev/vda", "/m", "ext2", 0), Ok(0));
    files
}

/// Bytes that differ from page to page.
fn pattern(seed: usize, len: usize) -> Vec<u8> {
    (0..len).map(|at| ((at / 4096 + seed) * 31 + at % 251) as u8).collect()
}

fn write_all(files: &Files, fd: u64, bytes: &[u8]) {
    for part in bytes.chunks(BUFFER_LEN) {
        assert_eq!(files.write(fd, part), Ok(part.len() as u64));
    }
}

#[test]
fn files_are_there_after_an_unmount() {
    for (block_size, journal) in [(1024, 0), (2048, 1024), (4096, 1024)] {
        let disk = RamDisk::ext2(16 * MIB, block_size, journal);
        let files = mounted(1024, &disk);
        let long = pattern(1, 300_000);
        files.mkdir("/m/d").unwrap();
        files.make("/m/d/short", b"short");
        let fd = files.open("/m/long", O_CREAT | O_WRONLY).unwrap();
        write_all(&files, fd, &long);
        files.close(fd);
        files.symlink("d/short", "/m/link").unwrap();
        files.link("/m/long", "/m/d/other").unwrap();
        assert_eq!(files.rename("/m/d/short", "/m/moved", 0), Ok(0));
        assert_eq!(files.call(nr::MKNODAT, &[AT_FDCWD, files.path("/m/null"), 0o020_666, 0x103]), Ok(0));
        assert_eq!(umount(&files, "/m", 0), Ok(0));

        let files = mounted(1024, &RamDisk::with(disk.contents()));
        assert_eq!(files.contents("/m/long").as_ref(), Ok(&long), "{block_size}");
        assert_eq!(files.contents("/m/moved").as_deref(), Ok(&b"short"[..]));
        assert_eq!(files.read_link("/m/link").as_deref(), Ok("d/short"));
        assert_eq!(files.list("/m/d"), ["other"]);
        let stat = files.stat("/m/d/other").unwrap();
        assert_eq!((stat.st_nlink, stat.st_size), (2, 300_000));
        assert_eq!(files.stat("/m/null").unwrap().st_rdev, 0x103);
        assert_eq!(files.open("/m/null", O_WRONLY).map(|fd| files.write(fd, b"gone")), Ok(Ok(4)));
    }
}

#[test]
fn what_fsync_promised_is_there_after_a_power_cut() {
    for seed in 0..12 {
        let disk = RamDisk::ext2(16 * MIB, 1024 << (seed % 3), 1024);
        let files = mounted(1024, &disk);
        let kept = pattern(seed, 50_000);
        let fd = files.open("/m/kept", O_CREAT | O_WRONLY).unwrap();
        write_all(&files, fd, &kept);
        assert_eq!(files.call(nr::FSYNC, &[fd]), Ok(0));
        // What comes after may be there or not, but must not harm it.
        files.make("/m/other", &pattern(3, 20_000));
        files.mkdir("/m/dir").unwrap();
        if seed % 2 == 0 {
            files.call(nr::SYNC, &[]).unwrap();
        }
        files.unlink("/m/other").unwrap();
        files.make("/m/dir/third", &pattern(5, 30_000));

        let files = mounted(1024, &disk.after_power_cut(seed as u64));
        assert_eq!(files.contents("/m/kept").as_ref(), Ok(&kept), "seed {seed}");
        let mut expected = pattern(5, 30_000);
        if let Ok(third) = files.contents("/m/dir/third") {
            // It was never synced: what there is of it is its own or zero.
            expected.iter_mut().zip(&third).for_each(|(byte, found)| *byte = if *found == 0 { 0 } else { *byte });
            assert_eq!(third, expected[..third.len()], "seed {seed}: nobody else's bytes");
        }
        assert_eq!(umount(&files, "/m", 0), Ok(0));
    }
}

#[test]
fn changes_are_written_after_some_seconds_and_then_nothing_wakes_the_kernel() {
    let disk = RamDisk::ext2(8 * MIB, 4096, 1024);
    let files = mounted(1024, &disk);
    let kernel = &files.guest.kernel;
    let settle = || {
        for _ in 0..20 {
            files.guest.advance(1_000_000_000);
            kernel.run_background();
        }
    };
    settle();
    assert_eq!(kernel.timers().next_deadline(), None, "an idle kernel sleeps");
    files.make("/m/file", b"contents");
    kernel.run_background();
    assert!(kernel.timers().next_deadline().is_some());
    settle();
    assert_eq!((disk.is_flushed(), kernel.frames().dirty_pages()), (true, 0));
    assert_eq!(kernel.timers().next_deadline(), None, "and sleeps again");
    let files = mounted(1024, &disk.after_power_cut(1));
    assert_eq!(files.contents("/m/file").as_deref(), Ok(&b"contents"[..]));
}

#[test]
fn a_file_may_be_larger_than_memory() {
    let disk = RamDisk::ext2(16 * MIB, 4096, 0);
    let files = mounted(512, &disk);
    let fd = files.open("/m/large", O_CREAT | O_RDWR).unwrap();
    for part in 0..120 {
        write_all(&files, fd, &pattern(part, 50_000));
    }
    let frames = files.guest.kernel.frames();
    assert!(frames.dirty_pages() <= frames.dirty_limit(), "{} changed pages", frames.dirty_pages());
    files.seek(fd, 0, 0).unwrap();
    for part in 0..120 {
        let mut found = Vec::new();
        while found.len() < 50_000 {
            found.extend(files.read(fd, (50_000 - found.len()).min(BUFFER_LEN)).unwrap());
        }
        assert!(found == pattern(part, 50_000), "part {part}");
    }
}

#[test]
fn reading_on_asks_the_disk_for_longer_and_longer_runs() {
    let disk = RamDisk::ext2(16 * MIB, 4096, 0);
    let files = mounted(3000, &disk);
    let fd = files.open("/m/file", O_CREAT | O_RDWR).unwrap();
    write_all(&files, fd, &pattern(0, 4 * MIB));
    files.close(fd);
    assert_eq!(umount(&files, "/m", 0), Ok(0));
    let files = mounted(3000, &disk);
    let before = disk.reads();
    assert_eq!(files.contents("/m/file").map(|bytes| bytes.len()), Ok(4 * MIB));
    let requests = disk.reads() - before;
    assert!(requests < 40, "{requests} requests for 4 MiB");
    let before = disk.reads();
    assert_eq!(files.contents("/m/file").map(|bytes| bytes.len()), Ok(4 * MIB));
    assert_eq!(disk.reads(), before, "it is cached");
}

#[test]
fn a_full_disk_is_told_by_the_write() {
    let disk = RamDisk::ext2(MIB, 1024, 0);
    let files = mounted(1024, &disk);
    let fd = files.open("/m/fill", O_CREAT | O_WRONLY).unwrap();
    let mut written = 0;
    let error = loop {
        match files.write(fd, &[9; 30_000]) {
            Ok(count) => written += count,
            Err(error) => break error,
        }
    };
    assert_eq!(error, Errno::ENOSPC);
    assert!(written > 800_000, "{written} bytes fitted");
    assert_eq!(files.fstat(fd).st_size as u64, written);
    assert_eq!(files.call(nr::FSYNC, &[fd]), Ok(0));
    assert_eq!(files.unlink("/m/fill"), Ok(0));
    assert_eq!(files.open("/m/more", O_CREAT | O_WRONLY).map(|fd| files.write(fd, &[1; 9000])), Ok(Err(Errno::ENOSPC)));
    files.close(fd);
    files.make("/m/more", &[1; 9000]);
    assert_eq!(umount(&files, "/m", 0), Err(Errno::EBUSY), "more is open still");
}

#[test]
fn a_file_without_a_name_keeps_its_contents_until_it_is_closed() {
    let disk = RamDisk::ext2(4 * MIB, 1024, 1024);
    let files = mounted(1024, &disk);
    let free = || files.guest.kernel.vfs().mounts().list().last().unwrap().fs().stat_fs().unwrap().blocks_free;
    files.call(nr::SYNC, &[]).unwrap();
    let before = free();
    let fd = files.open("/m/file", O_CREAT | O_RDWR).unwrap();
    write_all(&files, fd, &pattern(1, 100_000));
    files.unlink("/m/file").unwrap();
    files.call(nr::FSYNC, &[fd]).unwrap();
    files.seek(fd, 50_000, 0).unwrap();
    assert_eq!(files.read(fd, 100).as_deref(), Ok(&pattern(1, 100_000)[50_000..50_100]));
    assert!(free() < before - 90);
    files.close(fd);
    assert_eq!(free(), before);
    // A power cut while it is open frees it as well.
    let fd = files.open("/m", O_TMPFILE | O_RDWR).unwrap();
    write_all(&files, fd, &pattern(1, 100_000));
    files.call(nr::FSYNC, &[fd]).unwrap();
    let cut = mounted(1024, &disk.after_power_cut(7));
    let after = cut.guest.kernel.vfs().mounts().list().last().unwrap().fs().stat_fs().unwrap().blocks_free;
    assert_eq!(after, before);
}

#[test]
fn cutting_and_extending_shows_zero_bytes_in_between() {
    for block_size in [1024, 4096] {
        let disk = RamDisk::ext2(4 * MIB, block_size, 0);
        let files = mounted(1024, &disk);
        let fd = files.open("/m/file", O_CREAT | O_RDWR).unwrap();
        write_all(&files, fd, &[7; 10_000]);
        files.call(nr::FSYNC, &[fd]).unwrap();
        files.call(nr::FTRUNCATE, &[fd, 1500]).unwrap();
        files.call(nr::FTRUNCATE, &[fd, 200_000]).unwrap();
        files.seek(fd, 150_000, 0).unwrap();
        files.write(fd, &[8; 10]).unwrap();
        let mut expected = [7; 1500].to_vec();
        expected.resize(200_000, 0);
        expected[150_000..150_010].fill(8);
        assert_eq!(files.contents("/m/file").as_ref(), Ok(&expected));
        assert_eq!(files.seek(fd, 0, SEEK_HOLE), Ok(1500_u64.next_multiple_of(block_size.into())));
        assert_eq!(files.seek(fd, 5000, SEEK_DATA), Ok(150_000 / u64::from(block_size) * u64::from(block_size)));
        assert_eq!(files.seek(fd, 190_000, SEEK_DATA), Err(Errno::ENXIO));
        assert!(files.stat("/m/file").unwrap().st_blocks < 30, "holes take no room");
        files.close(fd);
        assert_eq!(umount(&files, "/m", 0), Ok(0));
        assert_eq!(mounted(1024, &disk).contents("/m/file").as_ref(), Ok(&expected));
    }
}

#[test]
fn a_punched_hole_reads_as_zero_and_gives_its_room_back() {
    const PUNCH: u64 = 3;
    let disk = RamDisk::ext2(4 * MIB, 1024, 0);
    let files = mounted(1024, &disk);
    let fd = files.open("/m/file", O_CREAT | O_RDWR).unwrap();
    write_all(&files, fd, &[7; 20_000]);
    let before = files.fstat(fd).st_blocks;
    assert_eq!(files.call(nr::FALLOCATE, &[fd, PUNCH, 1500, 15_000]), Ok(0));
    let mut expected = [7; 20_000].to_vec();
    expected[1500..16_500].fill(0);
    assert_eq!(files.contents("/m/file").as_ref(), Ok(&expected));
    assert!(files.fstat(fd).st_blocks < before - 20);
    files.close(fd);
    assert_eq!(umount(&files, "/m", 0), Ok(0));
    assert_eq!(mounted(1024, &disk).contents("/m/file").as_ref(), Ok(&expected));
}

#[test]
fn writes_through_a_shared_mapping_reach_the_disk_each_time() {
    const RW: u64 = 3;
    const SHARED: u64 = 1;
    const MS_SYNC: u64 = 4;
    let disk = RamDisk::ext2(4 * MIB, 1024, 1024);
    let files = mounted(1024, &disk);
    let fd = files.open("/m/file", O_CREAT | O_RDWR).unwrap();
    files.call(nr::FTRUNCATE, &[fd, 10_000]).unwrap();
    let at = files.call(nr::MMAP, &[0, 12_288, RW, SHARED, fd, 0]).unwrap();
    for round in [b"first", b"again"] {
        files.guest.task.mm().write(GuestAddr(at + 5000), round).expect("it is mapped");
        assert_eq!(files.call(nr::MSYNC, &[at, 12_288, MS_SYNC]), Ok(0));
        let cut = mounted(1024, &disk.after_power_cut(3));
        assert_eq!(&cut.contents("/m/file").unwrap()[5000..5005], round);
        assert_eq!(files.guest.kernel.frames().dirty_pages(), 0, "a page that is mapped is clean too");
    }
    files.call(nr::MUNMAP, &[at, 12_288]).unwrap();
    assert_eq!(&files.contents("/m/file").unwrap()[5000..5005], b"again");
}

#[test]
fn a_remount_for_reading_waits_for_no_writer() {
    let disk = RamDisk::ext2(4 * MIB, 1024, 1024);
    let files = mounted(1024, &disk);
    let fd = files.open("/m/file", O_CREAT | O_WRONLY).unwrap();
    files.write(fd, b"text").unwrap();
    let remount = |flags| mount(&files, "none", "/m", "none", MS_REMOUNT | flags);
    assert_eq!(remount(MS_RDONLY), Err(Errno::EBUSY));
    files.close(fd);
    assert_eq!(remount(MS_RDONLY), Ok(0));
    assert_eq!(files.open("/m/new", O_CREAT | O_WRONLY), Err(Errno::EROFS));
    assert!(disk.is_flushed());
    assert_eq!(RamDisk::contents(&disk)[1024 + 58], 1, "the file system is marked clean");
    assert_eq!(remount(0), Ok(0));
    files.make("/m/new", b"");
    assert_eq!(files.list("/m"), ["file", "lost+found", "new"]);
    assert_eq!(files.contents("/m/file").as_deref(), Ok(&b"text"[..]));
}

#[test]
fn a_second_mount_shows_the_same_files() {
    let files = mounted(1024, &RamDisk::ext2(4 * MIB, 1024, 0));
    files.mkdir("/n").unwrap();
    assert_eq!(mount(&files, "/dev/vda", "/n", "ext3", MS_RDONLY), Err(Errno::EBUSY));
    assert_eq!(mount(&files, "/dev/vda", "/n", "ext3", 0), Ok(0));
    files.make("/m/file", b"seen");
    assert_eq!(files.contents("/n/file").as_deref(), Ok(&b"seen"[..]));
    assert_eq!((umount(&files, "/m", 0), umount(&files, "/n", 0)), (Ok(0), Ok(0)));
}

#[test]
fn a_root_that_was_shut_down_needs_no_recovery() {
    let disk = RamDisk::ext2(4 * MIB, 1024, 1024);
    let files = Files::with_disks(1024, core::slice::from_ref(&disk));
    let kernel = &files.guest.kernel;
    let root = RootDevice { device: "vda".into(), ..RootDevice::default() };
    let mount = kernel.vfs().mount_root_device(kernel, &root).expect("it holds ext2");
    assert_eq!((mount.source(), mount.fs().name()), (&b"/dev/vda"[..], "ext2"));
    files.guest.task.set_fs(crate::fs::FsContext::new(kernel.vfs().root()));
    files.make("/file", b"text");
    kernel.vfs().shut_down();
    assert!(disk.is_flushed());
    assert_eq!(disk.contents()[1024 + 58], 1, "the file system is marked clean");
    assert_eq!(disk.contents()[1024 + 96] & 4, 0, "the journal is empty");
    assert_eq!(files.open("/new", O_CREAT | O_WRONLY), Err(Errno::EIO), "nothing is written after it");
}

#[test]
fn damage_on_the_disk_gives_errors_and_no_more() {
    let good = RamDisk::ext2(MIB, 1024, 0);
    let files = mounted(1024, &good);
    files.mkdir("/m/d").unwrap();
    files.make("/m/d/file", &[5; 40_000]);
    assert_eq!(umount(&files, "/m", 0), Ok(0));
    let good = good.contents();
    for seed in 0..60_u64 {
        let mut bytes = good.clone();
        let mut random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        for _ in 0..20 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            bytes[1024 + (random >> 33) as usize % 60_000] = (random >> 20) as u8;
        }
        let files = Files::with_disks(1024, &[RamDisk::with(bytes)]);
        files.mkdir("/m").unwrap();
        if mount(&files, "/dev/vda", "/m", "ext2", 0).is_ok() {
            let _ = files.contents("/m/d/file");
            let _ = files.open("/m/d/new", O_CREAT | O_WRONLY).map(|fd| files.write(fd, &[1; 20_000]));
            let _ = files.unlink("/m/d/file");
            let _ = files.rename("/m/d", "/m/e", 0);
            let _ = files.call(nr::SYNC, &[]);
        }
    }
}
