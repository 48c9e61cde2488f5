//! Stands in for the `onig` crate: the part of its interface that findutils
//! uses, over a Rust engine, so that the userland builds without a C compiler.
#![forbid(unsafe_code)]

use posix_regex::{Dialect, translate};
use std::ops::BitOr;

/// Why an expression could not be compiled.
pub type Error = Box<fancy_regex::Error>;

/// Compilation options.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegexOptions(u32);

impl RegexOptions {
    /// No option.
    pub const REGEX_OPTION_NONE: Self = Self(0);
    /// Letters match in both cases.
    pub const REGEX_OPTION_IGNORECASE: Self = Self(1);
}

impl BitOr for RegexOptions {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// A dialect of regular expressions.
#[derive(Clone, Copy, Debug)]
pub struct Syntax(Dialect);

impl Syntax {
    /// Emacs.
    #[must_use]
    pub fn emacs() -> &'static Self {
        &Self(Dialect::Emacs)
    }
    /// grep, which is POSIX basic with alternation.
    #[must_use]
    pub fn grep() -> &'static Self {
        &Self(Dialect::Basic)
    }
    /// POSIX basic.
    #[must_use]
    pub fn posix_basic() -> &'static Self {
        &Self(Dialect::Basic)
    }
    /// POSIX extended.
    #[must_use]
    pub fn posix_extended() -> &'static Self {
        &Self(Dialect::Extended)
    }
    /// The options that a dialect implies.
    #[must_use]
    pub fn options(&self) -> RegexOptions {
        RegexOptions::REGEX_OPTION_NONE
    }
}

/// A compiled expression.
#[derive(Debug)]
pub struct Regex {
    /// For a match of the whole text.
    whole: fancy_regex::Regex,
    /// For a match anywhere.
    part: fancy_regex::Regex,
}

impl Regex {
    /// Compiles `pattern` in `syntax`.
    ///
    /// # Errors
    /// An expression that is not well formed.
    pub fn with_options(
        pattern: &str,
        options: RegexOptions,
        syntax: &Syntax,
    ) -> Result<Self, Error> {
        let flags = if options == RegexOptions::REGEX_OPTION_IGNORECASE {
            "(?si)"
        } else {
            "(?s)"
        };
        let pattern = translate(pattern, syntax.0).pattern;
        Ok(Self {
            whole: fancy_regex::Regex::new(&format!(r"{flags}\A(?:{pattern})\z"))?,
            part: fancy_regex::Regex::new(&format!("{flags}{pattern}"))?,
        })
    }

    /// Whether the whole of `text` matches.
    #[must_use]
    pub fn is_match(&self, text: &str) -> bool {
        self.whole.is_match(text).unwrap_or(false)
    }

    /// Where the first match in `text` starts and ends, in bytes.
    #[must_use]
    pub fn find(&self, text: &str) -> Option<(usize, usize)> {
        self.part
            .find(text)
            .ok()?
            .map(|found| (found.start(), found.end()))
    }
}
