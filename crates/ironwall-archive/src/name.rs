//! Which names there may be: of members, of symbols, of targets.

use crate::limits::{MAX_MEMBER_NAME, MAX_SYMBOL};
use std::collections::HashSet;
use std::sync::OnceLock;

/// Functions and variables of C11 and POSIX.1-2008, ascending, and a few more that C libraries have.
const C_LIBRARY: &str = include_str!("c_library.txt");

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

/// Whether a text is an identifier that a unit may define: none of the runtime's, and none that C reserves, which are
/// also those of its library. A unit's `malloc` would be everybody's, and would run before the unit's body.
///
/// # Errors
/// What is wrong.
pub fn check_symbol(name: &str) -> Result<(), &'static str> {
    check_identifier(name)?;
    if is_of_the_runtime(name) {
        return Err("belongs to the runtime");
    }
    match () {
        // All of them, for names that a whole program shares: _init and _start are among them.
        () if name.starts_with('_') || name == "main" => Err("is reserved by C"),
        () if is_of_c(name) => Err("is one of C's library"),
        () => Ok(()),
    }
}

/// Whether the C library has a symbol.
fn is_of_c(name: &str) -> bool {
    static NAMES: OnceLock<HashSet<&'static str>> = OnceLock::new();
    NAMES.get_or_init(|| C_LIBRARY.split_ascii_whitespace().collect()).contains(name)
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
    fn names_of_the_c_library_can_be_needed_but_not_defined() {
        let names: Vec<&str> = C_LIBRARY.split_ascii_whitespace().collect();
        assert!(names.is_sorted() && names.iter().all(|name| check_identifier(name).is_ok()));
        for name in ["malloc", "free", "memcpy", "printf", "pthread_create", "environ", "sinf", "write"] {
            assert_eq!(check_symbol(name), Err("is one of C's library"), "{name}");
            assert_eq!(check_identifier(name), Ok(()));
        }
        for name in ["malloc_", "list_free", "names", "list"] {
            assert_eq!(check_symbol(name), Ok(()), "{name}");
        }
    }

    #[test]
    fn r8_1_c_symbols_are_strict_identifiers() {
        for good in ["a", "a_", "list_v2__init", "A9", &"s".repeat(200)] {
            assert_eq!(check_symbol(good), Ok(()), "{good}");
        }
        let long = "s".repeat(201);
        let bad = ["", "9a", "a-b", "a b", "a;system(0)", "a\"", "a\n", "é", "a.b", "a$b", &long];
        for bad in bad.into_iter().chain([
            "iw_collect",
            "ironwall_attach",
            "main",
            "__libc_start",
            "_Exit",
            "_",
            "_init",
            "_a",
        ]) {
            assert!(check_symbol(bad).is_err(), "{bad}");
        }
    }
}
