//! Devices and tools that the tests share.
#![allow(dead_code, reason = "each test uses a part")]

pub(crate) mod model;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use ext2::{Device, DeviceError};

/// An image in memory; clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Disk(Arc<Mutex<Vec<u8>>>);

impl Disk {
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        Self(Arc::new(Mutex::new(bytes)))
    }

    pub(crate) fn zeroed(size: usize) -> Self {
        Self::new(vec![0; size])
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.0.lock().expect("the lock").clone()
    }

    pub(crate) fn boxed(&self) -> Box<dyn Device> {
        Box::new(self.clone())
    }
}

fn range(len: usize, offset: u64, wanted: usize) -> Result<std::ops::Range<usize>, DeviceError> {
    assert!(offset.is_multiple_of(512) && wanted.is_multiple_of(512), "{wanted} bytes at {offset}");
    let start = usize::try_from(offset).map_err(|_| DeviceError::OutOfRange)?;
    let end = start.checked_add(wanted).ok_or(DeviceError::OutOfRange)?;
    if end > len { Err(DeviceError::OutOfRange) } else { Ok(start..end) }
}

impl Device for Disk {
    fn size_bytes(&self) -> u64 {
        self.0.lock().expect("the lock").len() as u64
    }

    fn read(&self, offset: u64, buf: &mut [u8]) -> Result<(), DeviceError> {
        let bytes = self.0.lock().expect("the lock");
        buf.copy_from_slice(&bytes[range(bytes.len(), offset, buf.len())?]);
        Ok(())
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> Result<(), DeviceError> {
        let mut image = self.0.lock().expect("the lock");
        let range = range(image.len(), offset, bytes.len())?;
        image[range].copy_from_slice(bytes);
        Ok(())
    }

    fn flush(&self) -> Result<(), DeviceError> {
        Ok(())
    }

    fn is_read_only(&self) -> bool {
        false
    }
}

/// A directory that is removed at the end.
#[derive(Debug)]
pub(crate) struct TempDir(PathBuf);

impl TempDir {
    pub(crate) fn new(name: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let unique = format!("{name}-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(unique);
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).expect("a directory");
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Runs one of e2fsprogs' programs; returns status and output.
pub(crate) fn tool(program: &str, args: &[&str]) -> (i32, String) {
    // Debian keeps them where only root's PATH leads.
    let places = ["/usr/sbin", "/sbin", "/usr/local/sbin", "/opt/homebrew/sbin"];
    let place = places.iter().map(|dir| Path::new(dir).join(program)).find(|path| path.exists());
    let output = Command::new(place.unwrap_or_else(|| program.into()))
        .args(args)
        .env("MKE2FS_CONFIG", "/dev/null")
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error}; `cargo xtask setup` installs e2fsprogs"));
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.code().unwrap_or(-1), text)
}

/// What `e2fsck -fn` says of an image.
pub(crate) fn e2fsck(image: &[u8], name: &str) -> Result<(), String> {
    let dir = TempDir::new(name);
    let file = dir.path().join("image");
    std::fs::write(&file, image).expect("an image");
    match tool("e2fsck", &["-fn", file.to_str().expect("a path")]) {
        (0, _) => Ok(()),
        (status, text) => Err(format!("e2fsck: {status}\n{text}")),
    }
}
