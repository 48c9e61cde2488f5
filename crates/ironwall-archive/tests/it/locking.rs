//! Lock files: one form, digests, keys.

use crate::support::{files, only};
use ironwall_archive::link::Input;
use ironwall_archive::pack::pack;
use ironwall_archive::signature::PrivateKey;
use ironwall_archive::{Limits, Lock};

fn part(name: &str, key: Option<u8>) -> Input {
    let key = key.map(|seed| PrivateKey::from_seed(&[seed; 32]));
    let packed = pack(&only(name), &files(), key.as_ref(), Limits::default()).expect("packed");
    Input::new(&format!("{name}.tgz"), packed.archive).expect("a name")
}

fn lock() -> Lock {
    Lock::of(&[part("tree", Some(3)), part("list", None)]).expect("a lock")
}

fn digests(inputs: &[Input]) -> Vec<(&str, [u8; 32])> {
    inputs.iter().map(|input| (input.name(), input.archive().digest())).collect()
}

#[test]
fn r8_1_e_a_lock_file_has_one_form_whatever_the_order() {
    let (lock, other) = (lock(), Lock::of(&[part("list", None), part("tree", Some(3))]).expect("a lock"));
    assert_eq!(lock.to_text(), other.to_text());
    let again = Lock::parse(lock.to_text().as_bytes()).expect("its own text");
    assert_eq!(again.to_text(), lock.to_text());
    assert_eq!(again.archives.len(), 2);
    let twice = Lock::of(&[part("list", None), part("list", None)]).expect_err("one name");
    assert_eq!(twice.rule, "lock.name-twice");
}

#[test]
fn a_lock_file_tells_where_it_is_wrong() {
    let text = lock().to_text();
    let check = |from: &str, to: &str, rule: &str| {
        assert!(text.contains(from), "{from} is not in {text}");
        let changed = text.replacen(from, to, 1);
        let problems = Lock::parse(changed.as_bytes()).expect_err(to);
        assert!(problems.iter().any(|problem| problem.rule == rule), "{to}: {problems:?}");
    };
    check("ironwall-lock", "ironwall-plan", "lock.format");
    check("\"version\": 1", "\"version\": 2", "lock.format");
    check("list.tgz", "../list.tgz", "lock.name");
    check("list.tgz", "zist.tgz", "lock.order");
    check("list.tgz", "tree.tgz", "lock.order");
    check("list.tgz", "li\\u0073t.tgz", "json.string");
    check("\"sha256\": \"", "\"sha256\": \"0", "document.digits");
    check("\"key\": \"", "\"key\": \"f", "document.digits");
    check("\"name\"", "\"nom\"", "document.unknown-key");
    check("\"format\"", "\"version\"", "json.duplicate-key");
    check(": 1", ":  1", "lock.form");
    check("}\n", "}\n\n", "lock.form");
    check("{\n", "", "json.trailing");
    for len in 0..text.len() {
        assert!(Lock::parse(&text.as_bytes()[..len]).is_err(), "{len} bytes are a lock file");
    }
    let long = [text.as_bytes(), &vec![b' '; 1 << 20]].concat();
    assert_eq!(Lock::parse(&long).expect_err("long")[0].rule, "lock.limit");
}

#[test]
fn whatever_a_lock_file_is_what_is_read_has_the_form_that_is_written() {
    let text = lock().to_text().into_bytes();
    let pieces: [&[u8]; 8] = [b"\"", b"{", b"]", b",", b"\n", b"\0", b"\xff", b"\"name\": \"a\""];
    let mut accepted = 0;
    for at in 0..text.len() {
        for piece in pieces {
            for skipped in [0, 1, 7] {
                let rest = &text[(at + skipped).min(text.len())..];
                let changed = [&text[..at], piece, rest].concat();
                match Lock::parse(&changed) {
                    Ok(lock) => {
                        assert_eq!(lock.to_text().as_bytes(), changed);
                        accepted += 1;
                    }
                    Err(problems) => assert!(problems.iter().all(|one| one.offset <= changed.len() as u64)),
                }
            }
        }
    }
    assert!(accepted > 0, "a byte that is replaced by itself is no change");
}

#[test]
fn archives_that_differ_are_missing_or_are_not_locked_are_told() {
    let (lock, inputs) = (lock(), [part("list", None), part("tree", Some(3))]);
    assert_eq!(lock.check_digests(&digests(&inputs)), []);
    let rules = |inputs: &[Input]| {
        lock.check_digests(&digests(inputs)).into_iter().map(|problem| problem.rule).collect::<Vec<_>>()
    };
    assert_eq!(rules(&inputs[..1]), ["lock.missing"]);
    assert_eq!(rules(&[part("list", Some(9)), part("tree", Some(3))]), ["lock.digest"]);
    let extra = Input::new("other.tgz", inputs[0].archive().clone()).expect("a name");
    assert_eq!(rules(&[extra]), ["lock.extra", "lock.missing", "lock.missing"]);
}

#[test]
fn a_key_outlives_the_digest() {
    let lock = lock();
    assert_eq!(lock.check_keys(&[part("tree", Some(3)), part("list", Some(8))]), [], "no key is asked of the list");
    for other in [Some(4), None] {
        let problems = lock.check_keys(&[part("tree", other), part("list", None)]);
        assert_eq!(problems.iter().map(|problem| problem.rule).collect::<Vec<_>>(), ["lock.key"]);
    }
}
