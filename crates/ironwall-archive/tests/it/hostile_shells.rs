//! Archives whose compression or whose tar lies: every case is refused at a byte, and nothing panics.

use crate::support::{archive, both, edit, files, members, packed, problems, rules, stored};
use ironwall_archive::pack::pack;
use ironwall_archive::signature::PrivateKey;
use ironwall_archive::tar::{self, BLOCK};
use ironwall_archive::{Limits, Place, examine, gzip, read};

/// A generator of numbers that are always the same.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}

#[test]
fn an_archive_cut_off_at_any_byte_is_refused_there() {
    let bytes = packed().bytes;
    for len in 0..bytes.len() {
        let problem = read(&bytes[..len], Limits::default()).expect_err("cut off");
        assert_eq!((problem.rule, problem.place, problem.offset), ("gzip.truncated", Place::File, len as u64));
    }
}

#[test]
fn an_expanded_archive_cut_off_at_any_byte_is_refused() {
    let tar = tar::write(&members(&packed()));
    for len in (0..tar.len()).step_by(37).chain(tar.len() - 1100..tar.len()) {
        let problem = read(&stored(&tar[..len]), Limits::default()).expect_err("cut off");
        assert!(problem.rule.starts_with("tar."), "{len}: {problem}");
    }
}

#[test]
fn a_changed_byte_is_refused_or_means_the_same() {
    let packed = packed();
    let meaning = members(&packed);
    let mut numbers = Numbers(0x1234_5678_9abc_def1);
    for _ in 0..3000 {
        let mut bytes = packed.bytes.clone();
        for _ in 0..=numbers.below(3) {
            let at = numbers.below(bytes.len());
            bytes[at] ^= 1 << numbers.below(8);
        }
        let examined = examine(&bytes, Limits::default());
        assert!(bytes == packed.bytes || examined.digest != packed.archive.digest(), "a digest finds every change");
        if let Some(archive) = examined.archive {
            let same = archive
                .members()
                .iter()
                .all(|one| archive.member(&one.name) == meaning.get(&one.name).map(|bytes| &bytes[..]));
            assert!(same && archive.members().len() == meaning.len(), "another meaning was accepted");
        }
    }
}

#[test]
fn a_changed_byte_below_the_compression_is_refused_if_the_archive_is_signed() {
    // Without a signature the producer's name, say, can be any other; only a pinned digest finds that.
    let key = PrivateKey::from_seed(&[5; 32]);
    let signed = pack(&both(), &files(), Some(&key), Limits::default()).expect("signed");
    let tar = tar::write(&members(&signed));
    let mut numbers = Numbers(0xfeed_5678_9abc_def1);
    for _ in 0..3000 {
        let mut bytes = tar.clone();
        let at = numbers.below(bytes.len());
        bytes[at] ^= 1 << numbers.below(8);
        let problem = read(&stored(&bytes), Limits::default()).expect_err("changed");
        assert!(!problem.what.is_empty(), "byte {at}");
    }
}

#[test]
fn every_changed_bit_of_a_header_is_refused() {
    let tar = tar::write(&members(&packed()));
    for bit in 0..BLOCK * 8 {
        let mut bytes = tar.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let found = problems(&stored(&bytes));
        assert!(found.iter().any(|problem| problem.rule.starts_with("tar.")), "bit {bit}: {found:?}");
    }
}

#[test]
fn arbitrary_bytes_are_refused() {
    let mut numbers = Numbers(0x0123_4567_89ab_cdef);
    for len in 0..600 {
        let mut bytes: Vec<u8> = (0..len).map(|_| numbers.below(256) as u8).collect();
        assert!(read(&bytes, Limits::default()).is_err());
        assert!(read(&gzip::compress(&bytes), Limits::default()).is_err());
        bytes.splice(0..0, gzip::HEADER);
        assert!(read(&bytes, Limits::default()).is_err());
    }
}

#[test]
fn r8_1_e_shuffled_members_are_refused_so_that_there_is_one_order() {
    let members = members(&packed());
    let mut tar = Vec::new();
    for (name, bytes) in members.iter().rev() {
        tar.extend_from_slice(&tar::header(name, bytes.len()));
        tar.extend_from_slice(bytes);
        tar.resize(tar.len().next_multiple_of(BLOCK), 0);
    }
    tar.resize(tar.len() + 2 * BLOCK, 0);
    let found = problems(&gzip::compress(&tar));
    assert_eq!(found.len(), members.len() - 1, "all of them are told");
    assert!(found.iter().all(|problem| problem.rule == "tar.order" && problem.place == Place::Tar), "{found:?}");
}

#[test]
fn members_that_the_manifest_does_not_name_and_names_without_members_are_told() {
    let mut more = members(&packed());
    more.insert("run-me.sh".to_owned(), b"rm -rf /".to_vec());
    assert_eq!(rules(&more), [("archive.undeclared", Place::Tar)]);
    let mut fewer = members(&packed());
    fewer.remove("obj/list.aarch64.o");
    fewer.remove("tree.table");
    assert_eq!(rules(&fewer), [("archive.missing", Place::Manifest), ("archive.missing", Place::Manifest)]);
    let mut without = members(&packed());
    without.remove("manifest.json");
    assert_eq!(rules(&without), [("archive.manifest", Place::Tar)]);
    assert_eq!(rules(&Default::default()), [("archive.manifest", Place::Tar)]);
}

#[test]
fn lengths_and_digests_are_those_of_the_manifest() {
    let mut longer = members(&packed());
    longer.get_mut("list.table").expect("a table").push(0);
    assert_eq!(rules(&longer), [("archive.size", Place::Manifest)]);
    let mut changed = members(&packed());
    changed.get_mut("obj/tree.aarch64.o").expect("an object")[60] ^= 1;
    assert_eq!(rules(&changed), [("archive.digest", Place::Manifest)]);
}

#[test]
fn limits_hold_for_everything() {
    let bytes = packed().bytes;
    let refused = |limits: Limits| read(&bytes, limits).expect_err("a limit").rule;
    assert_eq!(refused(Limits { compressed: 1000, ..Limits::default() }), "gzip.limit");
    assert_eq!(refused(Limits { expanded: 5000, ..Limits::default() }), "gzip.limit");
    assert_eq!(refused(Limits { member: 400, ..Limits::default() }), "tar.limit");
    assert_eq!(refused(Limits { members: 3, ..Limits::default() }), "tar.limit");
    let mut large = members(&packed());
    large.insert("manifest.json".to_owned(), vec![b' '; (1 << 20) + 1]);
    assert_eq!(problems(&archive(&large))[0].rule, "manifest.limit");
    let few = examine(&archive(&large), Limits { problems: 1, ..Limits::default() });
    assert_eq!(few.problems.len(), 1);
}

#[test]
fn everything_that_is_wrong_is_told_in_the_order_of_places() {
    let mut many = members(&packed());
    edit(&mut many, "\"licence\":\"MIT\"", "\"licence\":\"\"");
    edit(&mut many, "\"may_collect\":true", "\"may_collect\":1");
    edit(&mut many, "obj/list.aarch64.o", "/bj/list.aarch64.o");
    let found = problems(&archive(&many));
    let rules: Vec<_> = found.iter().map(|problem| problem.rule).collect();
    assert_eq!(rules, ["document.text", "document.type", "manifest.path"]);
    assert!(found.is_sorted());
}
