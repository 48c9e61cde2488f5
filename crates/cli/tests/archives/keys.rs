//! `vambrace unit keygen`, and signatures from packing to verifying.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::support::{ends, snapshot, sources, succeeds, unit};

#[test]
fn a_private_key_is_for_its_owner_alone_and_is_never_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    let said = succeeds(&unit(dir.path(), ["keygen", "key"]));
    let mode = |name: &str| fs::metadata(dir.path().join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("key"), 0o600);
    let public = fs::read_to_string(dir.path().join("key.pub")).unwrap();
    assert_eq!(public, format!("ironwall-ed25519-public {said}"));
    let private = fs::read_to_string(dir.path().join("key")).unwrap();
    assert!(!said.contains(private.trim_end().rsplit(' ').next().unwrap()), "the private key is printed");

    let before = snapshot(dir.path());
    assert!(ends(&unit(dir.path(), ["keygen", "key"]), 74).contains("key: File exists"));
    assert_eq!(snapshot(dir.path()), before);
    // Nor the public one, and then there is no private one either.
    fs::write(dir.path().join("other.pub"), "a public key").unwrap();
    let before = snapshot(dir.path());
    assert!(ends(&unit(dir.path(), ["keygen", "other"]), 74).contains("other.pub: File exists"));
    assert_eq!(snapshot(dir.path()), before);
    ends(&unit(dir.path(), ["keygen", "nowhere/key"]), 66);
    ends(&unit(dir.path(), ["keygen"]), 2);
}

#[test]
fn two_keys_differ() {
    let dir = tempfile::tempdir().unwrap();
    assert_ne!(succeeds(&unit(dir.path(), ["keygen", "one"])), succeeds(&unit(dir.path(), ["keygen", "two"])));
}

#[test]
fn who_signed_can_be_demanded() {
    let dir = sources();
    let key = succeeds(&unit(dir.path(), ["keygen", "mine"]));
    succeeds(&unit(dir.path(), ["keygen", "theirs"]));
    succeeds(&unit(dir.path(), ["pack", "unit.json", "-o", "signed.tgz", "--key", "mine"]));
    succeeds(&unit(dir.path(), ["pack", "unit.json", "-o", "plain.tgz"]));
    let signed = format!("signed by {}", key.trim_end());
    assert!(succeeds(&unit(dir.path(), ["verify", "signed.tgz"])).contains(&signed));
    assert!(succeeds(&unit(dir.path(), ["verify", "signed.tgz", "--key", "mine.pub"])).contains(&signed));
    succeeds(&unit(dir.path(), ["verify", "signed.tgz", "--key", "theirs.pub", "--key", "mine.pub"]));
    assert!(succeeds(&unit(dir.path(), ["inspect", "signed.tgz"])).contains(&signed));

    let said = ends(&unit(dir.path(), ["verify", "signed.tgz", "--key", "theirs.pub"]), 1);
    assert!(said.contains("signature.signer") && said.contains("of the expanded archive"), "{said}");
    let said = ends(&unit(dir.path(), ["verify", "plain.tgz", "--key", "mine.pub"]), 1);
    assert!(said.contains("signature.missing"), "{said}");
    // What is no key is no finding about the archive.
    assert!(ends(&unit(dir.path(), ["verify", "plain.tgz", "--key", "mine"]), 65).contains("mine: key.form"));
    let said = ends(&unit(dir.path(), ["pack", "unit.json", "-o", "x.tgz", "--key", "mine.pub"]), 65);
    assert!(said.contains("mine.pub: key.form"), "{said}");
    ends(&unit(dir.path(), ["pack", "unit.json", "-o", "x.tgz", "--key", "lost"]), 66);
    assert!(!dir.path().join("x.tgz").exists());
}

#[test]
fn the_same_key_signs_the_same_archive_with_the_same_bytes() {
    let dir = sources();
    succeeds(&unit(dir.path(), ["keygen", "key"]));
    for output in ["one.tgz", "two.tgz"] {
        succeeds(&unit(dir.path(), ["pack", "unit.json", "-o", output, "--key", "key"]));
    }
    let read = |name| fs::read(dir.path().join(name)).unwrap();
    assert_eq!(read("one.tgz"), read("two.tgz"));
}
