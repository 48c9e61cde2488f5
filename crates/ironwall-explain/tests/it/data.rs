//! Texts of unknown origin.

use crate::support::random_world;
use ironwall_explain::{Names, ObjectId, RootPath, Snapshot, picture};

/// Everything that can be asked of a snapshot, if it is one.
fn use_all(text: &[u8]) -> bool {
    let Ok(snapshot) = Snapshot::from_json(text) else { return false };
    let count = snapshot.objects().len() as u32;
    for id in (0..=count).map(ObjectId) {
        if let Some(path) = snapshot.why(id) {
            assert_eq!(ironwall_explain::check_snapshot(&snapshot, &path), Ok(()));
        }
    }
    let _ = snapshot.retained();
    let _ = picture::svg(&snapshot);
    assert_eq!(Snapshot::from_json(snapshot.to_json().as_bytes()), Ok(snapshot));
    true
}

#[test]
fn a_damaged_snapshot_gives_an_error_or_is_one() {
    let text = random_world(7).snapshot().to_json().into_bytes();
    assert!(use_all(&text));
    for end in 0..text.len() {
        assert!(Snapshot::from_json(&text[..end]).is_err(), "cut at {end}");
    }
    let mut accepted = 0;
    for at in 0..text.len() {
        for to in [b'0', b'9', b'-', b'"', b',', b']', 0xff] {
            let mut damaged = text.clone();
            damaged[at] = to;
            accepted += usize::from(use_all(&damaged));
        }
    }
    assert!(accepted < text.len(), "{accepted} of {} were accepted", text.len() * 7);
}

#[test]
fn a_snapshot_that_is_none_is_told_where() {
    let good = r#"{"format":"ironwall-snapshot","version":1,"collections":0,"heap":null,"units":[],"frames":[],"globals":[],"handles":[],"objects":[]}"#;
    assert!(use_all(good.as_bytes()));
    let unit = r#"{"table":"03b4a6b9-6254-84f9-b46e-9c8166c6717c","package":"ironwall.example","unit":"list","structures":[{"id":"3a4b0bbb-3e96-8db3-952f-034b44668a4a","kind":"heap","name":"Cell"}]}"#;
    let with = |units: &str, handles: &str, objects: &str| {
        good.replace(r#""units":[]"#, &format!(r#""units":[{units}]"#))
            .replace(r#""handles":[]"#, &format!(r#""handles":[{handles}]"#))
            .replace(r#""objects":[]"#, &format!(r#""objects":[{objects}]"#))
    };
    assert!(use_all(with(unit, "[3,0]", "[0,16,null,[0,0]]").as_bytes()));
    let big_heap = good.replace("\"heap\":null", "\"heap\":[\"0x1000\",99999999999999]");
    let cases = [
        (good.replace("snapshot", "image"), "format: the format is \"ironwall-image\" and not \"ironwall-snapshot\""),
        (good.replace(":1,", ":2,"), "version: version 2 is not known"),
        (good.replace("\"objects\":[]", "\"objects\":[],\"more\":1"), "unknown field `more`"),
        (good.replace("[]}", "[]}}"), "trailing characters"),
        ("[".repeat(100_000), "invalid type: sequence"),
        (big_heap, "heap: 99999999999999 bytes are too many"),
        (with(&unit.replace("Cell", "Call"), "", ""), "units[0].structures[0]: the UUID is not that of the names"),
        (with(&unit.replace("\"list\"", "\"lisp\""), "", ""), "units[0].table: the UUID is not that of the names"),
        (with(&format!("{unit},{unit}"), "", ""), "units[1].table: the units are not in ascending order"),
        (with(&unit.replace("list", "li\\u001bst"), "", ""), "units[0]: \"li\\u{1b}st\" is no name"),
        (with(&unit.replace("03b4", "03B4"), "", ""), "is no UUID in lower case"),
        (with(unit, "[3,1]", "[0,16,null,[]]"), "handles[0]: there is no target 1"),
        (with(unit, "[3,-1]", "[0,16,null,[]]"), "handles[0]: there is no target -1"),
        (with(unit, "[3,0],[3,0]", "[0,16,null,[]]"), "handles[1]: the numbers are not ascending"),
        (with(unit, "[3,1]", "[0,16,null,[]],[0,16,null,[]]"), "objects: object #1 should have the number 0"),
        (with(unit, "", "[1,16,null,[]]"), "objects[0]: there is no structure 1"),
        (with(unit, "", "[0,16,null,[0]]"), "objects[0]: a slot has no target"),
        (with(unit, "", "[0,16,null,[16,0]]"), "objects[0]: 16 is no offset of a slot here"),
        (with(unit, "", "[0,16,null,[8,0,0,0]]"), "objects[0]: 0 is no offset of a slot here"),
        (with(unit, "", "[0,99999999999,null,[]]"), "objects[0]: 99999999999 bytes are more than an object can have"),
        (with(unit, "", "[0,16,0,[]]"), "objects[0]: an object has a place, and the heap has none"),
    ];
    for (text, message) in cases {
        let error = Snapshot::from_json(text.as_bytes()).expect_err(message).to_string();
        assert!(error.contains(message), "{error:?} and not {message:?}");
    }
}

#[test]
fn damaged_paths_and_names_give_an_error_or_are_others() {
    let world = random_world(7);
    let snapshot = world.snapshot();
    let path = snapshot.why(ObjectId(0)).expect("a path").to_json().into_bytes();
    let names = world.names().to_json().into_bytes();
    for end in 0..path.len() {
        assert!(RootPath::from_json(&path[..end]).is_err());
    }
    for end in 0..names.len() {
        assert!(Names::from_json(&names[..end]).is_err());
    }
    let original = RootPath::from_json(&path).expect("a path");
    for at in 0..path.len() {
        let mut damaged = path.clone();
        damaged[at] ^= 1;
        // A single changed character is either no path any more, or not true any more.
        if let Ok(damaged) = RootPath::from_json(&damaged) {
            let is_true = ironwall_explain::check_snapshot(&snapshot, &damaged).is_ok();
            assert!(!is_true || damaged == original, "{at}: {damaged}");
        }
    }
    let twice = r#"{"format":"ironwall-names","version":1,"structures":[{"table":"03b4a6b9-6254-84f9-b46e-9c8166c6717c","structure":"3a4b0bbb-3e96-8db3-952f-034b44668a4a","fields":[[8,"a"],[8,"b"]]}]}"#;
    let error = Names::from_json(twice.as_bytes()).expect_err("an offset twice").to_string();
    assert_eq!(error, "structures[0].fields: the offsets are not ascending");
}
