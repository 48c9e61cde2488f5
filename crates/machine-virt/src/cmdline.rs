//! The boot arguments: what follows `-append`.

use alloc::string::String;
use alloc::vec::Vec;

/// The boot arguments that mean something to this machine, in the words of
/// Linux's `kernel-parameters`. Others are kept for `/proc/cmdline` alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandLine {
    /// The whole line.
    pub text: String,
    /// `root=`: the device that holds the root file system.
    pub root: Option<String>,
    /// `rootfstype=`: its type; all are tried if it is not given.
    pub root_kind: Option<String>,
    /// `rootflags=`: its mount options.
    pub root_options: Option<String>,
    /// The root file system is mounted for reading only (`ro`; `rw` undoes it).
    pub read_only: bool,
    /// `init=`: the first program.
    pub init: Option<String>,
    /// `ip=`: how the first network interface gets its address.
    pub ip: Option<String>,
    /// `vambrace.exit=semihosting`: the machine ends by telling the host
    /// init's exit status. Semihosting gives the kernel the host's files, so
    /// this is for tests.
    pub semihosting: bool,
    /// What follows `--`: arguments for the first program.
    pub init_args: Vec<String>,
}

impl CommandLine {
    /// Reads a line. Words are separated by spaces; double quotes keep spaces
    /// together, as in Linux.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut line = Self {
            text: String::from(text),
            root: None,
            root_kind: None,
            root_options: None,
            read_only: false,
            init: None,
            ip: None,
            semihosting: false,
            init_args: Vec::new(),
        };
        let mut words = words(text).into_iter();
        for word in words.by_ref() {
            let (key, value) = word.split_once('=').map_or((word.as_str(), None), |(key, value)| (key, Some(value)));
            match (key, value) {
                ("--", None) => break,
                ("ro", None) => line.read_only = true,
                ("rw", None) => line.read_only = false,
                ("root", Some(value)) => line.root = Some(String::from(value)),
                ("rootfstype", Some(value)) => line.root_kind = Some(String::from(value)),
                ("rootflags", Some(value)) => line.root_options = Some(String::from(value)),
                ("init", Some(value)) => line.init = Some(String::from(value)),
                ("ip", Some(value)) => line.ip = Some(String::from(value)),
                ("vambrace.exit", Some("semihosting")) => line.semihosting = true,
                _ => {}
            }
        }
        line.init_args = words.collect();
        line
    }
}

/// The words of a line, without their quotes.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let (mut word, mut is_open, mut is_quoted) = (String::new(), false, false);
    for c in text.chars() {
        match c {
            '"' => (is_open, is_quoted) = (true, !is_quoted),
            c if c.is_ascii_whitespace() && !is_quoted => {
                if core::mem::take(&mut is_open) {
                    words.push(core::mem::take(&mut word));
                }
            }
            c => {
                is_open = true;
                word.push(c);
            }
        }
    }
    if is_open {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_words_are_taken_and_the_rest_after_dashes_goes_to_init() {
        let line =
            CommandLine::parse("root=/dev/vda ro quiet init=/bin/sh vambrace.exit=semihosting -- -c \"echo a b\"");
        assert_eq!(line.root.as_deref(), Some("/dev/vda"));
        assert_eq!(line.init.as_deref(), Some("/bin/sh"));
        assert!(line.read_only && line.semihosting);
        assert_eq!(line.init_args, ["-c", "echo a b"]);
    }

    #[test]
    fn words_after_the_dashes_mean_nothing_to_the_machine() {
        let line = CommandLine::parse("-- root=/dev/vda ro");
        assert_eq!((line.root, line.read_only), (None, false));
        assert_eq!(line.init_args, ["root=/dev/vda", "ro"]);
    }

    #[test]
    fn the_last_of_several_counts() {
        let line = CommandLine::parse("ro rw root=a root=UUID=b rootfstype=ext2");
        assert_eq!((line.root.as_deref(), line.read_only), (Some("UUID=b"), false));
        assert_eq!((line.root_kind.as_deref(), line.root_options), (Some("ext2"), None));
    }

    #[test]
    fn an_empty_line_sets_nothing() {
        let line = CommandLine::parse("  ");
        assert_eq!((line.root, line.init, line.init_args.len(), line.semihosting), (None, None, 0, false));
    }

    #[test]
    fn an_open_quote_ends_with_the_line() {
        assert_eq!(CommandLine::parse("-- \"a b").init_args, ["a b"]);
        assert_eq!(CommandLine::parse("-- \"\" x").init_args, ["", "x"]);
    }
}
