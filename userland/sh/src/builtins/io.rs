//! `echo`, `read` and `history`.

use super::{is_name, misuse, put};
use crate::shell::{Run, Shell};
use crate::text::decode;
use crate::{escape, sys};

/// `echo [-neE] [WORD…]`.
pub(super) fn echo(shell: &mut Shell, args: &[String]) -> Run {
    let (mut newline, mut escapes, mut start) = (true, false, 1);
    while let Some(option) = args.get(start) {
        let letters = option.strip_prefix('-').unwrap_or("");
        if letters.is_empty() || !letters.chars().all(|letter| "neE".contains(letter)) {
            break;
        }
        for letter in letters.chars() {
            match letter {
                'n' => newline = false,
                'e' => escapes = true,
                _ => escapes = false,
            }
        }
        start += 1;
    }
    let mut text = args[start..].join(" ");
    if escapes {
        let (expanded, cut) = escape::expand(&text);
        text = expanded;
        newline &= !cut;
    }
    if newline {
        text.push('\n');
    }
    put(shell, &text)
}

/// `read [-r] [-p PROMPT] [NAME…]`.
pub(super) fn read(shell: &mut Shell, args: &[String]) -> Run {
    let (mut raw, mut rest) = (false, &args[1..]);
    while let Some(option) = rest
        .first()
        .filter(|option| option.starts_with('-') && option.len() > 1)
    {
        match option.as_str() {
            "-r" => raw = true,
            "-p" => {
                rest = &rest[1..];
                if sys::is_terminal(0) {
                    let _ = sys::write_all(
                        2,
                        &crate::text::encode(rest.first().map_or("", String::as_str)),
                    );
                }
            }
            "--" => {
                rest = &rest[1..];
                break;
            }
            _ => return misuse(shell, args, &format!("unknown option {option}")),
        }
        rest = rest.get(1..).unwrap_or_default();
    }
    if let Some(name) = rest.iter().find(|name| !is_name(name)) {
        return misuse(shell, args, &format!("{name}: not a name"));
    }
    let (line, complete) = match read_line(shell, raw) {
        Ok(line) => line,
        Err(signal_status) => return Ok(signal_status),
    };
    let names = if rest.is_empty() {
        &["REPLY".to_owned()][..]
    } else {
        rest
    };
    let ifs: Vec<char> = shell.var("IFS").unwrap_or(" \t\n").chars().collect();
    assign(shell, names, &line, &ifs)?;
    Ok(i32::from(!complete))
}

/// The characters of a line, each with whether a backslash protects it, and whether a newline ended it.
fn read_line(shell: &mut Shell, raw: bool) -> Result<(Vec<(char, bool)>, bool), i32> {
    let (mut bytes, mut protected, mut complete) = (Vec::new(), Vec::new(), false);
    let mut escaped = false;
    let mut byte = [0];
    loop {
        match sys::read(0, &mut byte) {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {
                if let Some(signal) = (1..65).find(|signal| sys::is_pending(*signal)) {
                    return Err(128 + signal);
                }
                continue;
            }
            Err(error) => {
                shell.error(&format!("read: {}", crate::redirect::reason(&error)));
                return Err(2);
            }
        }
        match byte[0] {
            b'\n' if escaped => escaped = false,
            b'\n' => {
                complete = true;
                break;
            }
            b'\\' if !raw && !escaped => escaped = true,
            0 => {}
            other => {
                bytes.push(other);
                protected.push(escaped);
                escaped = false;
            }
        }
    }
    let mut chars = Vec::new();
    let mut at = 0;
    for c in decode(&bytes).chars() {
        chars.push((c, protected.get(at).copied().unwrap_or(false)));
        at += crate::text::encode(c.encode_utf8(&mut [0; 4])).len();
    }
    Ok((chars, complete))
}

/// Splits a line among names; the last gets the rest.
fn assign(shell: &mut Shell, names: &[String], line: &[(char, bool)], ifs: &[char]) -> Run<()> {
    let is_space =
        |(c, protected): &(char, bool)| !protected && c.is_ascii_whitespace() && ifs.contains(c);
    let is_separator = |(c, protected): &(char, bool)| !protected && ifs.contains(c);
    let mut rest = line;
    let trim_start = |text: &mut &[(char, bool)]| {
        while let Some((first, others)) = text.split_first()
            && is_space(first)
        {
            *text = others;
        }
    };
    let text = |part: &[(char, bool)]| part.iter().map(|(c, _)| *c).collect::<String>();
    trim_start(&mut rest);
    for (index, name) in names.iter().enumerate() {
        if index + 1 == names.len() {
            let mut end = rest.len();
            while end > 0 && is_space(&rest[end - 1]) {
                end -= 1;
            }
            // A single separator at the end belongs to the field before it.
            let body = &rest[..end];
            let separators = body.iter().filter(|c| is_separator(c)).count();
            let body = if separators == 1 && body.last().is_some_and(is_separator) {
                &body[..end - 1]
            } else {
                body
            };
            return shell.set_var(name, &text(body));
        }
        let end = rest.iter().position(is_separator).unwrap_or(rest.len());
        shell.set_var(name, &text(&rest[..end]))?;
        rest = &rest[end..];
        trim_start(&mut rest);
        if rest
            .first()
            .is_some_and(|c| is_separator(c) && !is_space(c))
        {
            rest = &rest[1..];
            trim_start(&mut rest);
        }
    }
    Ok(())
}

pub(super) fn history(shell: &mut Shell, _args: &[String]) -> Run {
    let text: String = shell
        .history
        .iter()
        .enumerate()
        .map(|(index, line)| format!("{:>5}  {line}\n", index + 1))
        .collect();
    put(shell, &text)
}
