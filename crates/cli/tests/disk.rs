//! Guests on ext2 images: what they leave there, also when they are killed.
#![expect(clippy::unwrap_used, reason = "a helper of a test that fails is a test that fails")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A file of this test's own that goes when it is over.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("vambrace-test-{}-{name}", std::process::id())))
    }

    /// An image with the built-in userland.
    fn image(name: &str, options: &[&str]) -> Self {
        let image = Self::new(name);
        let made = vambrace(&["image", "create", "--builtin", "--size", "64M"]).args(options).arg(&image.0).output();
        let made = made.unwrap();
        assert!(made.status.success(), "{}", text(&made.stderr));
        image
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn vambrace(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vambrace"));
    command.args(args).stdin(Stdio::null());
    command
}

/// Runs a script on an image as the root.
fn script(image: &Scratch, text: &str) -> Output {
    vambrace(&["run", "--root", image.path(), "/bin/sh", "-c", text]).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// `e2fsck` finds nothing, if it is installed.
fn check(image: &Path) {
    for program in ["e2fsck", "/sbin/e2fsck", "/usr/sbin/e2fsck"] {
        if let Ok(output) = Command::new(program).arg("-fn").arg(image).output() {
            assert!(output.status.success(), "{}", text(&output.stdout));
            return;
        }
    }
}

#[test]
fn an_image_is_a_root_that_keeps_what_a_guest_writes() {
    for block_size in ["1024", "4096"] {
        let image = Scratch::image(&format!("root-{block_size}"), &["--block-size", block_size]);
        let first = script(
            &image,
            "mkdir /d && seq 1 20000 > /d/numbers && cp /bin/sh /d/sh && ln -s numbers /d/link && \
             mv /d/numbers /d/moved && ln -sf moved /d/link && echo gone > /d/gone && rm /d/gone",
        );
        assert!(first.status.success(), "{}", text(&first.stderr));
        check(&image.0);
        let second = script(&image, "cmp /bin/sh /d/sh && tail -n 1 /d/link && ls /d && /d/sh -c 'echo runs'");
        assert_eq!(text(&second.stdout), "20000\nlink\nmoved\nsh\nruns\n", "{}", text(&second.stderr));
        check(&image.0);
    }
}

#[test]
fn a_guest_that_is_killed_has_what_it_synced() {
    let image = Scratch::image("killed", &[]);
    for round in 1..=3 {
        let load = "i=0; while :; do i=$((i+1)); seq $i $((i+3000)) > /new && sync && mv /new /file$((i%8)) && sync \
                    && echo synced $i; echo unsynced > /other$((i%5)); rm -f /other$((i*3%5)); done";
        let mut child = vambrace(&["run", "--root", image.path(), "/bin/sh", "-c", load])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let last: u32 = 5 * round;
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap() == format!("synced {last}")));
        child.kill().unwrap();
        child.wait().unwrap();
        // The next guest replays the journal.
        let found = script(&image, "for f in /file*; do head -n 1 $f; wc -l < $f; done");
        let found = text(&found.stdout);
        let numbers: Vec<u32> = found.split_whitespace().map(|word| word.parse().unwrap()).collect();
        for (slot, pair) in numbers.chunks(2).enumerate() {
            assert_eq!(pair[1], 3001, "file {slot} of {found}");
        }
        for promised in last.saturating_sub(7).max(1)..=last {
            assert!(numbers.chunks(2).any(|pair| pair[0] % 8 == promised % 8 && pair[0] >= promised), "{promised}");
        }
        check(&image.0);
    }
}

#[test]
fn an_image_has_one_guest_at_a_time() {
    let image = Scratch::image("busy", &["--no-journal"]);
    let mut first = vambrace(&["run", "--root", image.path(), "/bin/sh", "-c", "echo up; sleep 60"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(first.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let second = script(&image, "echo two");
    first.kill().unwrap();
    first.wait().unwrap();
    assert_eq!((second.status.code(), text(&second.stdout)), (Some(125), String::new()));
    assert!(text(&second.stderr).contains("another guest"), "{}", text(&second.stderr));
}

#[test]
fn a_file_without_a_file_system_is_no_root() {
    let file = Scratch::new("no-image");
    fs::write(&file.0, vec![b'x'; 100_000]).unwrap();
    let run = script(&file, "echo");
    assert_eq!(run.status.code(), Some(125));
    assert!(text(&run.stderr).contains("no ext2 file system"), "{}", text(&run.stderr));
}

#[test]
fn a_disk_is_mounted_and_unmounted() {
    let image = Scratch::image("disk", &[]);
    let run = "mkdir /mnt/d; mount -t ext2 /dev/vda /mnt/d && echo text > /mnt/d/file && umount /mnt/d && \
               mount -t ext3 -o ro /dev/vda /mnt/d && cat /mnt/d/file && grep vda /proc/mounts; echo x > /mnt/d/file";
    let run =
        vambrace(&["shell", "--disk", image.path(), "--", "-c", &format!("mkdir -p /mnt; {run}")]).output().unwrap();
    assert_eq!(text(&run.stdout), "text\n/dev/vda /mnt/d ext3 ro 0 0\n", "{}", text(&run.stderr));
    assert!(text(&run.stderr).contains("Read-only"), "{}", text(&run.stderr));
    check(&image.0);
}
