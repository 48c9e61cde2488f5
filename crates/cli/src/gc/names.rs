//! The names of fields, which a program need not have: its host reads them from the description of a unit.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use ironwall_explain::{Names, RootPath};
use serde_json::Value;

/// The longest file with names.
const MAX_FILE: u64 = 16 << 20;

/// A file that cannot be used.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) status: u8,
    pub(super) message: String,
}

/// The names in some files; `None` if there are none.
pub(super) fn read(files: &[PathBuf]) -> Result<Option<Names>, Failure> {
    let mut all = None;
    for file in files {
        all.get_or_insert_with(Names::default).extend(read_one(file)?);
    }
    Ok(all)
}

fn read_one(file: &Path) -> Result<Names, Failure> {
    let failed = |status, what: &str| Failure { status, message: format!("{}: {what}", file.display()) };
    let mut text = Vec::new();
    match File::open(file).and_then(|opened| opened.take(MAX_FILE + 1).read_to_end(&mut text)) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Err(failed(66, &error.to_string())),
        Err(error) => return Err(failed(74, &error.to_string())),
        Ok(_) if text.len() as u64 > MAX_FILE => return Err(failed(65, &format!("longer than {MAX_FILE} bytes"))),
        Ok(_) => {}
    }
    Names::read(&text).map_err(|error| failed(65, &error.to_string()))
}

/// Names the fields of the path in an answer, if it has one that makes sense.
pub(super) fn apply(answer: &mut Value, names: &Names) {
    let Some(path) = answer.get("path").filter(|path| path.is_object()) else { return };
    let Ok(path) = RootPath::from_json(path.to_string().as_bytes()) else { return };
    let path = path.with_names(names);
    answer["text"] = path.to_string().into();
    answer["path"] = path.to_value();
}
