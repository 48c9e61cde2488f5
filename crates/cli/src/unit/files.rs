//! Reading files whole, with a limit.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::exit::Failure;

/// The longest file that is read.
pub(crate) const MAX_FILE: u64 = 256 << 20;

/// The bytes of a file.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAX_FILE + 1).read_to_end(&mut bytes));
    match read {
        Err(error) => Err(Failure::io(path, &error)),
        Ok(_) if bytes.len() as u64 > MAX_FILE => {
            Err(Failure::bad_data(path, format_args!("longer than {MAX_FILE} bytes")))
        }
        Ok(_) => Ok(bytes),
    }
}
