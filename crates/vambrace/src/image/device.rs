//! A file of the host as a disk: [`FileDevice`].

use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Mutex;

use ext2::{Device, DeviceError};

use crate::Error;

/// Bytes that are left out together if they are zero.
const UNIT: usize = 4096;

/// A file as a disk.
#[derive(Debug)]
pub(crate) struct FileDevice {
    file: File,
    size: u64,
    /// Which units of a new file have been written; `None` if it is not new,
    /// and opened for reading.
    ///
    /// Zeros need not be written to the others, which keeps the file sparse.
    written: Option<Mutex<Vec<bool>>>,
}

impl FileDevice {
    /// Opens an image to read it.
    pub(crate) fn open_read_only(path: &Path) -> Result<Self, Error> {
        let open = || {
            let mut file = File::open(path)?;
            // The end, as a block device has no length.
            let size = std::io::Seek::seek(&mut file, std::io::SeekFrom::End(0))?;
            Ok(Self { file, size, written: None })
        };
        open().map_err(|error| Error::host(path, &error))
    }

    /// Makes a new image full of zeros.
    pub(crate) fn create(path: &Path, size: u64) -> Result<Self, Error> {
        let create = || {
            let file = File::options().read(true).write(true).create(true).truncate(true).open(path)?;
            file.set_len(size)?;
            let units = usize::try_from(size.div_ceil(UNIT as u64)).map_err(|_| ErrorKind::FileTooLarge)?;
            Ok(Self { file, size, written: Some(Mutex::new(vec![false; units])) })
        };
        create().map_err(|error| Error::host(path, &error))
    }
}

fn failed(error: &std::io::Error) -> DeviceError {
    if error.kind() == ErrorKind::UnexpectedEof { DeviceError::OutOfRange } else { DeviceError::Io }
}

impl Device for FileDevice {
    fn size_bytes(&self) -> u64 {
        self.size
    }

    fn read(&self, offset: u64, buf: &mut [u8]) -> Result<(), DeviceError> {
        self.file.read_exact_at(buf, offset).map_err(|error| failed(&error))
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> Result<(), DeviceError> {
        let written = self.written.as_ref().ok_or(DeviceError::ReadOnly)?;
        let end = offset.checked_add(bytes.len() as u64).filter(|&end| end <= self.size);
        if end.is_none() {
            return Err(DeviceError::OutOfRange);
        }
        let mut written = written.lock().map_err(|_| DeviceError::Io)?;
        let mut at = offset;
        let mut rest = bytes;
        // Neighbouring units that must be written go out together.
        let mut pending: Option<(u64, usize)> = None;
        while !rest.is_empty() {
            let unit = usize::try_from(at / UNIT as u64).map_err(|_| DeviceError::OutOfRange)?;
            let len = (UNIT - (at % UNIT as u64) as usize).min(rest.len());
            let (now, later) = rest.split_at(len);
            let flag = written.get_mut(unit).ok_or(DeviceError::OutOfRange)?;
            if *flag || now.iter().any(|&byte| byte != 0) {
                *flag = true;
                pending = Some(pending.map_or((at, len), |(start, sum)| (start, sum + len)));
            } else if let Some((start, len)) = pending.take() {
                self.put(offset, bytes, start, len)?;
            }
            at += len as u64;
            rest = later;
        }
        match pending {
            Some((start, len)) => self.put(offset, bytes, start, len),
            None => Ok(()),
        }
    }

    fn flush(&self) -> Result<(), DeviceError> {
        // A new image counts from when it is finished on; then it is synced.
        Ok(())
    }

    fn is_read_only(&self) -> bool {
        self.written.is_none()
    }
}

impl FileDevice {
    /// Writes `len` bytes at `start`, out of `bytes`, which start at `offset`.
    fn put(&self, offset: u64, bytes: &[u8], start: u64, len: usize) -> Result<(), DeviceError> {
        let skip = usize::try_from(start - offset).map_err(|_| DeviceError::OutOfRange)?;
        let part = bytes.get(skip..skip + len).ok_or(DeviceError::OutOfRange)?;
        self.file.write_all_at(part, start).map_err(|error| failed(&error))
    }
}
