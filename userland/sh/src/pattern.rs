//! Shell patterns, for `case`, the trimming expansions and file names.

/// A pattern, character by character.
#[derive(Debug, PartialEq, Eq)]
enum Token {
    Char(char),
    Any,
    Star,
    /// Ranges, whether it is complemented.
    Set(Vec<(char, char)>, bool),
}

/// A compiled pattern.
#[derive(Debug)]
pub(crate) struct Pattern(Vec<Token>);

/// A named class as ranges of ASCII.
fn class(name: &str) -> &'static [(char, char)] {
    match name {
        "alpha" => &[('a', 'z'), ('A', 'Z')],
        "digit" => &[('0', '9')],
        "alnum" => &[('a', 'z'), ('A', 'Z'), ('0', '9')],
        "upper" => &[('A', 'Z')],
        "lower" => &[('a', 'z')],
        "space" => &[(' ', ' '), ('\t', '\r')],
        "blank" => &[(' ', ' '), ('\t', '\t')],
        "punct" => &[('!', '/'), (':', '@'), ('[', '`'), ('{', '~')],
        "xdigit" => &[('0', '9'), ('a', 'f'), ('A', 'F')],
        "cntrl" => &[('\0', '\x1f'), ('\x7f', '\x7f')],
        "print" => &[(' ', '~')],
        "graph" => &[('!', '~')],
        _ => &[],
    }
}

impl Pattern {
    /// Compiles characters, of which the quoted ones stand for themselves.
    pub(crate) fn new(chars: &[(char, bool)]) -> Self {
        let mut tokens = Vec::new();
        let mut at = 0;
        while let Some(&(c, quoted)) = chars.get(at) {
            at += 1;
            let token = match c {
                _ if quoted => Token::Char(c),
                '*' if tokens.last() == Some(&Token::Star) => continue,
                '*' => Token::Star,
                '?' => Token::Any,
                '\\' => {
                    at += 1;
                    Token::Char(chars.get(at - 1).map_or('\\', |next| next.0))
                }
                '[' => match set(chars, at) {
                    Some((token, end)) => {
                        at = end;
                        token
                    }
                    None => Token::Char('['),
                },
                c => Token::Char(c),
            };
            tokens.push(token);
        }
        Self(tokens)
    }

    /// Whether the pattern is no plain text.
    pub(crate) fn is_active(&self) -> bool {
        self.0.iter().any(|token| !matches!(token, Token::Char(_)))
    }

    /// The text, without quotes, of a pattern that is not active.
    pub(crate) fn literal(&self) -> String {
        self.0
            .iter()
            .filter_map(|token| {
                if let Token::Char(c) = token {
                    Some(*c)
                } else {
                    None
                }
            })
            .collect()
    }

    /// Whether a leading dot is matched by a dot in the pattern.
    pub(crate) fn starts_with_dot(&self) -> bool {
        self.0.first() == Some(&Token::Char('.'))
    }

    /// Whether all of `text` matches.
    pub(crate) fn matches(&self, text: &[char]) -> bool {
        let (mut t, mut p) = (0, 0);
        // Where to resume after the last star, if what follows it fails.
        let mut retry: Option<(usize, usize)> = None;
        loop {
            match self.0.get(p) {
                Some(Token::Star) => {
                    retry = Some((p + 1, t));
                    p += 1;
                    continue;
                }
                Some(token) if text.get(t).is_some_and(|&c| token.accepts(c)) => {
                    (t, p) = (t + 1, p + 1);
                    continue;
                }
                None if t == text.len() => return true,
                _ => {}
            }
            match retry {
                Some((after_star, from)) if from < text.len() => {
                    retry = Some((after_star, from + 1));
                    (p, t) = (after_star, from + 1);
                }
                _ => return false,
            }
        }
    }
}

impl Token {
    fn accepts(&self, c: char) -> bool {
        match self {
            Self::Char(own) => *own == c,
            Self::Any => true,
            Self::Star => false,
            Self::Set(ranges, complement) => {
                ranges.iter().any(|(from, to)| (*from..=*to).contains(&c)) != *complement
            }
        }
    }
}

/// The bracket expression whose inside starts at `start`, and where it ends.
fn set(chars: &[(char, bool)], start: usize) -> Option<(Token, usize)> {
    let mut at = start;
    let complement = matches!(chars.get(at), Some(('!' | '^', false)));
    at += usize::from(complement);
    let first = at;
    let mut ranges = Vec::new();
    loop {
        let &(c, quoted) = chars.get(at)?;
        if c == ']' && !quoted && at > first {
            return Some((Token::Set(ranges, complement), at + 1));
        }
        if c == '[' && !quoted && chars.get(at + 1).is_some_and(|next| next.0 == ':') {
            let length = chars[at + 2..].iter().position(|c| c.0 == ':')?;
            let name: String = chars[at + 2..at + 2 + length].iter().map(|c| c.0).collect();
            ranges.extend_from_slice(class(&name));
            at += length + 4;
            continue;
        }
        let is_range = chars.get(at + 1) == Some(&('-', false))
            && chars.get(at + 2).is_some_and(|end| *end != (']', false));
        if is_range {
            ranges.push((c, chars[at + 2].0));
            at += 3;
        } else {
            ranges.push((c, c));
            at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        let chars: Vec<(char, bool)> = pattern.chars().map(|c| (c, false)).collect();
        Pattern::new(&chars).matches(&text.chars().collect::<Vec<_>>())
    }

    #[test]
    fn stars_and_sets() {
        assert!(matches("*.c", "a.b.c") && matches("a*b*c", "aXbYbZc") && !matches("a*b", "abc"));
        assert!(matches("[a-c]?[!x]", "bqy") && !matches("[a-c]?[!x]", "bqx"));
        assert!(matches("[]x]", "]") && matches("[[:digit:]]", "7") && matches("[", "["));
        assert!(matches("\\*", "*") && !matches("\\*", "x") && matches("*", ""));
    }
}
