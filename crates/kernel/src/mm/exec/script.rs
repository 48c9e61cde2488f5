//! The first line of a script.

use alloc::vec::Vec;

use linux_abi::Errno;

use crate::error::{Because, Result};
use crate::mm::exec::Program;

/// As much of a file as is looked at (`BINPRM_BUF_SIZE`).
const LINE_MAX: usize = 256;

/// What a `#!` line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) interpreter: Vec<u8>,
    pub(super) argument: Option<Vec<u8>>,
}

/// The `#!` line of a file; `None` if it does not begin with one.
///
/// # Errors
/// `ENOEXEC` if the line names no interpreter, or one whose name is cut off.
pub(super) fn parse(program: &Program) -> Result<Option<Line>> {
    let mut buf = [0; LINE_MAX];
    program.object.read_at(0, &mut buf)?;
    if !buf.starts_with(b"#!") {
        return Ok(None);
    }
    parse_line(&buf[2..]).map(Some)
}

/// As `load_script` of Linux: the line ends at a newline or where the buffer
/// does; the rest of it after the name is one argument.
fn parse_line(text: &[u8]) -> Result<Line> {
    let no_name = || Errno::ENOEXEC.because("the #! line names no interpreter");
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t');
    let is_end = |byte: &u8| matches!(byte, b' ' | b'\t' | 0);
    let line = match text.iter().position(|byte| *byte == b'\n') {
        Some(end) => &text[..end],
        None => {
            // Without a newline the name may have been cut off.
            let line = &text[..text.len() - 1];
            let name = line.iter().position(|byte| !is_space(byte)).ok_or_else(no_name)?;
            if !line[name..].iter().any(is_end) {
                return Err(Errno::ENOEXEC.because("the interpreter's name is too long"));
            }
            line
        }
    };
    let last = line.iter().rposition(|byte| !is_space(byte)).ok_or_else(no_name)?;
    let line = &line[..=last];
    let start = line.iter().position(|byte| !is_space(byte)).ok_or_else(no_name)?;
    let rest = &line[start..];
    let name_len = rest.iter().position(is_end).unwrap_or(rest.len());
    if name_len == 0 {
        return Err(no_name());
    }
    let (name, rest) = rest.split_at(name_len);
    let argument = match rest.first() {
        Some(b' ' | b'\t') => rest.iter().position(|byte| !is_space(byte)).map(|at| &rest[at..]),
        _ => None,
    };
    // The argument is a C string.
    let argument = argument.map(|arg| arg.split(|byte| *byte == 0).next().unwrap_or(arg).to_vec());
    Ok(Line { interpreter: name.to_vec(), argument: argument.filter(|arg| !arg.is_empty()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_text(text: &[u8]) -> Option<(Vec<u8>, Option<Vec<u8>>)> {
        let mut buf = [0; LINE_MAX - 2];
        let len = text.len().min(buf.len());
        buf[..len].copy_from_slice(&text[..len]);
        parse_line(&buf).ok().map(|line| (line.interpreter, line.argument))
    }

    fn line(name: &[u8], argument: Option<&[u8]>) -> Option<(Vec<u8>, Option<Vec<u8>>)> {
        Some((name.to_vec(), argument.map(<[u8]>::to_vec)))
    }

    #[test]
    fn the_rest_of_the_line_is_one_argument() {
        assert_eq!(parse_text(b"/bin/sh\n"), line(b"/bin/sh", None));
        assert_eq!(parse_text(b" /bin/sh -e  x \t\nrest"), line(b"/bin/sh", Some(b"-e  x")));
        assert_eq!(parse_text(b"/bin/sh"), line(b"/bin/sh", None));
    }

    #[test]
    fn a_line_without_a_name_is_refused() {
        assert_eq!(parse_text(b"\n"), None);
        assert_eq!(parse_text(b"  \t \n"), None);
        assert_eq!(parse_text(b""), None);
        assert_eq!(parse_text(&[b' '; 300]), None);
    }

    #[test]
    fn a_name_that_is_cut_off_is_refused() {
        assert_eq!(parse_text(&[b'x'; 300]), None);
        let mut long = b"/bin/sh ".to_vec();
        long.resize(300, b'y');
        let argument = alloc::vec![b'y'; LINE_MAX - 3 - 8];
        assert_eq!(parse_text(&long), line(b"/bin/sh", Some(&argument)));
    }
}
