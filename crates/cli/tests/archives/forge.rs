//! Archives that lie, made from one that does not.

use std::collections::BTreeMap;
use std::fs;

use ironwall_archive::{Limits, Manifest, gzip, read, sha256, tar};

use crate::support::packed;

/// Where fields of a header in a tar are.
pub(crate) const MODE: usize = 100;
pub(crate) const SIZE: usize = 124;
pub(crate) const TIME: usize = 136;
pub(crate) const CHECKSUM: usize = 148;
pub(crate) const TYPE: usize = 156;
pub(crate) const MAGIC: usize = 257;
pub(crate) const PREFIX: usize = 345;

/// Members by name.
pub(crate) type Members = BTreeMap<String, Vec<u8>>;

/// The bytes of a good archive.
pub(crate) fn good() -> Vec<u8> {
    fs::read(packed().path().join("names.tgz")).unwrap()
}

/// The members of a good archive.
pub(crate) fn members() -> Members {
    let archive = read(&good(), Limits::default()).unwrap();
    let member = |name: &str| archive.member(name).unwrap().to_vec();
    archive.members().iter().map(|one| (one.name.clone(), member(&one.name))).collect()
}

/// The archive of these members.
pub(crate) fn archive(members: &Members) -> Vec<u8> {
    gzip::compress(&tar::write(members))
}

/// A header with other fields, whose checksum is right, and what follows it.
pub(crate) fn member(name: &[u8], fields: &[(usize, &[u8])], data: &[u8]) -> Vec<u8> {
    let mut out = Vec::from(tar::header("", data.len()));
    out[..name.len()].copy_from_slice(name);
    for (at, field) in fields {
        out[*at..at + field.len()].copy_from_slice(field);
    }
    out[CHECKSUM..CHECKSUM + 8].fill(b' ');
    let sum: u32 = out.iter().map(|&byte| u32::from(byte)).sum();
    out[CHECKSUM..CHECKSUM + 8].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    out.extend_from_slice(data);
    out.resize(out.len().next_multiple_of(tar::BLOCK), 0);
    out
}

/// A good archive with a further member at its end, and where that begins in the expanded archive.
pub(crate) fn with(member: &[u8]) -> (Vec<u8>, usize) {
    let mut bytes = tar::write(&members());
    let at = bytes.len() - 2 * tar::BLOCK;
    bytes.splice(at..at, member.iter().copied());
    (gzip::compress(&bytes), at)
}

/// A good archive whose manifest has a text instead of another, and where that begins in it.
pub(crate) fn edited(from: &str, to: &str) -> (Vec<u8>, usize) {
    let mut members = members();
    let manifest = String::from_utf8(members["manifest.json"].clone()).unwrap();
    let at = manifest.find(from).expect(from);
    members.insert("manifest.json".to_owned(), manifest.replacen(from, to, 1).into_bytes());
    (archive(&members), at)
}

/// A good archive with another file, whose length and digest are in the manifest: a liar that is careful.
pub(crate) fn replaced(path: &str, bytes: Vec<u8>) -> Vec<u8> {
    let mut members = members();
    let mut manifest = Manifest::parse(&members["manifest.json"]).unwrap();
    for unit in &mut manifest.units {
        for artifact in [&mut unit.table].into_iter().chain(unit.objects.iter_mut().map(|(_, artifact)| artifact)) {
            if artifact.path == path {
                (artifact.size, artifact.sha256) = (bytes.len() as u64, sha256(&bytes));
            }
        }
    }
    members.insert("manifest.json".to_owned(), manifest.to_text().into_bytes());
    members.insert(path.to_owned(), bytes);
    archive(&members)
}

/// The bytes of a file of a good archive, and where the file begins in the expanded archive.
pub(crate) fn file(path: &str) -> (Vec<u8>, usize) {
    let tar = tar::write(&members());
    let (members, _) = tar::read(&tar, &Limits::default());
    let data = members.into_iter().find(|member| member.name == path).unwrap().data;
    (tar[data.clone()].to_vec(), data.start)
}
