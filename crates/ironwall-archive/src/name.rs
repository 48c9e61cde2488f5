//! Which names there may be: of members, of symbols, of targets.

use crate::limits::{MAX_MEMBER_NAME, MAX_SYMBOL};

/// Whether a name of a member is one: relative, plain, and the same on every file system.
///
/// # Errors
/// The broken rule and what is wrong.
pub fn check_member(name: &[u8]) -> Result<(), (&'static str, &'static str)> {
    if name.is_empty() {
        return Err(("tar.name.empty", "a name is empty"));
    }
    if name.len() > MAX_MEMBER_NAME {
        return Err(("tar.name.long", "a name is longer than 100 bytes"));
    }
    if name[0] == b'/' {
        return Err(("tar.name.absolute", "a name is absolute"));
    }
    if name.contains(&b'\\') {
        return Err(("tar.name.backslash", "a name has a backslash"));
    }
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"._+-/".contains(byte);
    if !name.iter().all(is_plain) {
        return Err(("tar.name.character", "a name has a character that is no letter, digit, or one of . _ + - /"));
    }
    for segment in name.split(|&byte| byte == b'/') {
        match segment {
            b".." => return Err(("tar.name.parent", "a name leads upwards")),
            b"" | b"." => return Err(("tar.name.segment", "a part of a name is empty or a dot")),
            _ => {}
        }
    }
    Ok(())
}

/// Whether a text is an identifier of C of at most 200 bytes: a letter or an underscore, then letters, digits and
/// underscores.
///
/// # Errors
/// What is wrong.
pub fn check_identifier(name: &str) -> Result<(), &'static str> {
    let is_first = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
    let is_identifier =
        name.bytes().next().is_some_and(is_first) && name.bytes().all(|byte| is_first(byte) || byte.is_ascii_digit());
    match () {
        () if !is_identifier => Err("is no identifier"),
        () if name.len() > MAX_SYMBOL => Err("is longer than 200 bytes"),
        () => Ok(()),
    }
}

/// Whether a text is an identifier that a unit may define: none of the runtime's, and none that C reserves.
///
/// # Errors
/// What is wrong.
pub fn check_symbol(name: &str) -> Result<(), &'static str> {
    check_identifier(name)?;
    if is_of_the_runtime(name) {
        return Err("belongs to the runtime");
    }
    let second = name.as_bytes().get(1);
    let is_reserved = name.starts_with('_') && second.is_none_or(|&byte| byte == b'_' || byte.is_ascii_uppercase());
    if is_reserved || name == "main" { Err("is reserved by C") } else { Ok(()) }
}

/// Whether a symbol is one of the runtime's interface, or of what `vambrace unit link` makes.
#[must_use]
pub fn is_of_the_runtime(name: impl AsRef<[u8]>) -> bool {
    name.as_ref().starts_with(b"iw_") || name.as_ref().starts_with(b"ironwall_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_plain_and_relative() {
        for good in ["a", "manifest.json", "x/y-1.0+b/z_2.o", "...", &"n".repeat(100)] {
            assert_eq!(check_member(good.as_bytes()), Ok(()), "{good}");
        }
        let rule = |name: &str| check_member(name.as_bytes()).expect_err(name).0;
        assert_eq!(rule(""), "tar.name.empty");
        assert_eq!(rule("/etc/passwd"), "tar.name.absolute");
        assert_eq!(rule("../x"), "tar.name.parent");
        assert_eq!(rule("x/../../y"), "tar.name.parent");
        assert_eq!(rule("./x"), "tar.name.segment");
        assert_eq!(rule("x//y"), "tar.name.segment");
        assert_eq!(rule("x/"), "tar.name.segment");
        assert_eq!(rule("x\\y"), "tar.name.backslash");
        assert_eq!(rule("x\0y"), "tar.name.character");
        assert_eq!(rule("x y"), "tar.name.character");
        assert_eq!(rule("\u{1b}[2J"), "tar.name.character");
        assert_eq!(rule("é"), "tar.name.character");
        assert_eq!(rule(&"n".repeat(101)), "tar.name.long");
    }

    #[test]
    fn r8_1_c_symbols_are_strict_identifiers() {
        for good in ["a", "_a", "list_v2__init", "A9", &"s".repeat(200)] {
            assert_eq!(check_symbol(good), Ok(()), "{good}");
        }
        let long = "s".repeat(201);
        let bad = ["", "9a", "a-b", "a b", "a;system(0)", "a\"", "a\n", "é", "a.b", "a$b", &long];
        for bad in bad.into_iter().chain(["iw_collect", "ironwall_attach", "main", "__libc_start", "_Exit", "_"]) {
            assert!(check_symbol(bad).is_err(), "{bad}");
        }
    }
}
