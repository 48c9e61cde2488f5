//! Translates POSIX basic and extended regular expressions to the syntax of
//! the `regex` and `fancy-regex` crates, for `grep` and `find -regex`.
#![forbid(unsafe_code)]

/// Which characters are operators, and which of them need a backslash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// POSIX basic with GNU's `\+`, `\?` and `\|`.
    Basic,
    /// POSIX extended.
    Extended,
    /// Emacs: `+` and `?` are operators, grouping and alternation are escaped.
    Emacs,
}

/// A translated expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Translated {
    /// The expression in the syntax of the `regex` crate.
    pub pattern: String,
    /// Whether it refers back to a group, which `regex` cannot match.
    pub has_backreference: bool,
}

/// Translates `source`.
#[must_use]
pub fn translate(source: &str, dialect: Dialect) -> Translated {
    Translator {
        chars: source.chars().collect(),
        at: 0,
        out: String::new(),
        dialect,
        backreference: false,
    }
    .run()
}

struct Translator {
    chars: Vec<char>,
    at: usize,
    out: String,
    dialect: Dialect,
    backreference: bool,
}

impl Translator {
    fn run(mut self) -> Translated {
        // Whether an expression may start here, so that `*` and `^` are read as POSIX says.
        let mut at_start = true;
        while let Some(c) = self.next() {
            at_start = match c {
                '\\' => self.escape(),
                '[' => {
                    self.bracket();
                    false
                }
                '*' if at_start => self.literal('*'),
                '*' | '.' => self.operator(c),
                '^' if self.dialect == Dialect::Extended || at_start => {
                    self.out.push('^');
                    self.dialect != Dialect::Extended
                }
                '$' if self.dialect == Dialect::Extended || self.at_end() => self.operator('$'),
                '+' | '?' if self.dialect != Dialect::Basic && !at_start => self.operator(c),
                '{' if self.dialect == Dialect::Extended && self.starts_interval() => {
                    self.interval(false)
                }
                '(' | '|' if self.dialect == Dialect::Extended => {
                    self.out.push(c);
                    true
                }
                ')' if self.dialect == Dialect::Extended => self.operator(c),
                _ => self.literal(c),
            };
        }
        Translated {
            pattern: self.out,
            has_backreference: self.backreference,
        }
    }

    fn next(&mut self) -> Option<char> {
        let c = self.chars.get(self.at).copied();
        self.at += 1;
        c
    }

    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    /// Whether `$` here ends the expression or a group.
    fn at_end(&self) -> bool {
        match self.chars.get(self.at..).unwrap_or_default() {
            [] => true,
            ['\\', ')' | '|', ..] => true,
            _ => false,
        }
    }

    fn operator(&mut self, c: char) -> bool {
        self.out.push(c);
        false
    }

    fn literal(&mut self, c: char) -> bool {
        if c.is_ascii_punctuation() {
            self.out.push('\\');
        }
        self.out.push(c);
        false
    }

    /// After a backslash; returns whether an expression may start next.
    fn escape(&mut self) -> bool {
        let Some(c) = self.next() else {
            return self.literal('\\');
        };
        let escaped_operators = self.dialect != Dialect::Extended;
        match c {
            '(' | '|' if escaped_operators => {
                self.out.push(c);
                true
            }
            ')' if escaped_operators => self.operator(c),
            '{' if escaped_operators && self.starts_interval() => self.interval(true),
            '+' | '?' if self.dialect == Dialect::Basic => self.operator(c),
            '1'..='9' => {
                self.backreference = true;
                self.out.push('\\');
                self.operator(c)
            }
            'w' | 'W' | 's' | 'S' | 'b' | 'B' => {
                self.out.push('\\');
                self.operator(c)
            }
            '<' => {
                self.out.push_str(r"\b{start}");
                false
            }
            '>' => {
                self.out.push_str(r"\b{end}");
                false
            }
            '`' => {
                self.out.push_str(r"\A");
                false
            }
            '\'' => {
                self.out.push_str(r"\z");
                false
            }
            c => self.literal(c),
        }
    }

    fn starts_interval(&self) -> bool {
        self.peek().is_some_and(|c| c.is_ascii_digit() || c == ',')
    }

    /// `{m,n}`, closed by `\}` if `escaped`.
    fn interval(&mut self, escaped: bool) -> bool {
        self.out.push('{');
        if self.peek() == Some(',') {
            self.out.push('0');
        }
        while let Some(c) = self.next() {
            match c {
                '\\' if escaped => {}
                '}' => break,
                c => self.out.push(c),
            }
        }
        self.out.push('}');
        false
    }

    /// A bracket expression, after its `[`.
    fn bracket(&mut self) {
        self.out.push('[');
        if self.peek() == Some('^') {
            self.at += 1;
            self.out.push('^');
        }
        let mut first = true;
        while let Some(c) = self.next() {
            match c {
                ']' if !first => break,
                '[' if matches!(self.peek(), Some(':' | '.' | '=')) => self.class(),
                '-' => self.out.push(if first || self.peek() == Some(']') {
                    '\u{2d}'
                } else {
                    '-'
                }),
                c if matches!(c, '[' | ']' | '\\' | '^' | '&' | '~') => {
                    self.out.push('\\');
                    self.out.push(c);
                }
                c => self.out.push(c),
            }
            first = false;
        }
        self.out.push(']');
    }

    /// `[:name:]`, `[.x.]` or `[=x=]` inside a bracket expression.
    fn class(&mut self) {
        let kind = self.next().unwrap_or(':');
        let mut name = String::new();
        while let Some(c) = self.next() {
            if c == kind && self.peek() == Some(']') {
                self.at += 1;
                break;
            }
            name.push(c);
        }
        if kind == ':' {
            self.out.push_str("[:");
            self.out.push_str(&name);
            self.out.push_str(":]");
        } else {
            for c in name.chars() {
                self.literal(c);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(dialect: Dialect, source: &str, want: &str) {
        assert_eq!(translate(source, dialect).pattern, want, "{source}");
    }

    #[test]
    fn basic_operators_need_a_backslash() {
        check(Dialect::Basic, r"a\(b\|c\)\{2,3\}+", r"a(b|c){2,3}\+");
        check(Dialect::Basic, "*a*", r"\*a*");
        check(Dialect::Basic, "a^b$c$", r"a\^b\$c$");
    }

    #[test]
    fn extended_operators_are_bare() {
        check(Dialect::Extended, r"(a|b)+c{,4}\.", r"(a|b)+c{0,4}\.");
        check(Dialect::Extended, "a{x", r"a\{x");
    }

    #[test]
    fn brackets_keep_posix_rules() {
        check(Dialect::Basic, r"[]a\]b", r"[\]a\\]b");
        check(Dialect::Basic, "[^[:space:]x-z]", "[^[:space:]x-z]");
    }

    #[test]
    fn words_and_references() {
        check(Dialect::Basic, r"\<a\>", r"\b{start}a\b{end}");
        assert!(translate(r"\(a\)\1", Dialect::Basic).has_backreference);
    }
}
