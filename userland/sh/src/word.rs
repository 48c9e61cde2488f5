//! The inside of words: quotes, `$`, backquotes. A part of the parser.

use crate::ast::{Param, ParamOp, Part, Word};
use crate::parse::{ParseError, Parsed, Parser};
use std::rc::Rc;

/// Appends text, joining it with literal text before it.
fn push_literal(word: &mut Word, c: char) {
    match word.last_mut() {
        Some(Part::Literal(text)) => text.push(c),
        _ => word.push(Part::Literal(c.to_string())),
    }
}

impl Parser<'_> {
    /// A word; `None` if there is none here.
    pub(crate) fn word(&mut self) -> Parsed<Option<Word>> {
        let start = self.pos;
        let mut word = Word::new();
        while let Some(c) = self.peek() {
            if c.is_ascii_whitespace() || ";&|<>()".contains(c) {
                break;
            }
            self.word_char(c, &mut word)?;
        }
        Ok(if self.pos == start { None } else { Some(word) })
    }

    /// One character or construct of an unquoted word.
    fn word_char(&mut self, c: char, word: &mut Word) -> Parsed<()> {
        match c {
            '\\' => {
                self.pos += 1;
                match self.peek() {
                    Some('\n') => {}
                    Some(quoted) => word.push(Part::Quoted(quoted.to_string())),
                    None => push_literal(word, '\\'),
                }
                self.pos = (self.pos + 1).min(self.chars.len());
            }
            '\'' => {
                self.pos += 1;
                let text = self.until_quote()?;
                word.push(Part::Quoted(text));
            }
            '"' => {
                self.pos += 1;
                let inside = self.double()?;
                word.push(Part::Double(inside));
            }
            '$' if self.peek_at(1) == Some('\'') => {
                self.pos += 2;
                let text = self.ansi_quoted()?;
                word.push(Part::Quoted(text));
            }
            '$' => self.dollar(word, false)?,
            '`' => self.backquoted(word, false)?,
            c => {
                push_literal(word, c);
                self.pos += 1;
            }
        }
        Ok(())
    }

    fn until_quote(&mut self) -> Parsed<String> {
        let start = self.pos;
        while self.peek().is_some_and(|c| c != '\'') {
            self.pos += 1;
        }
        if self.peek().is_none() {
            return self.unexpected();
        }
        self.pos += 1;
        Ok(self.slice(start, self.pos - 1))
    }

    /// `$'…'`, after its opening.
    fn ansi_quoted(&mut self) -> Parsed<String> {
        let start = self.pos;
        while let Some(c) = self.peek() {
            match c {
                '\'' => {
                    self.pos += 1;
                    return Ok(crate::escape::expand(&self.slice(start, self.pos - 1)).0);
                }
                '\\' => self.pos += 2,
                _ => self.pos += 1,
            }
        }
        self.unexpected()
    }

    /// The inside of double quotes, after the opening one.
    fn double(&mut self) -> Parsed<Word> {
        let mut word = Word::new();
        loop {
            match self.peek() {
                None => return self.unexpected(),
                Some('"') => {
                    self.pos += 1;
                    return Ok(word);
                }
                Some(c) => self.double_char(c, "$`\"\\", &mut word)?,
            }
        }
    }

    /// A here-document's body.
    pub(crate) fn here_text(mut self) -> Parsed<Word> {
        let mut word = Word::new();
        while let Some(c) = self.peek() {
            self.double_char(c, "$`\\", &mut word)?;
        }
        Ok(word)
    }

    /// One character or construct where only `$`, backquotes and a backslash before `escapable` are special.
    fn double_char(&mut self, c: char, escapable: &str, word: &mut Word) -> Parsed<()> {
        match c {
            '\\' => match self.peek_at(1) {
                Some('\n') => self.pos += 2,
                Some(next) if escapable.contains(next) => {
                    push_literal(word, next);
                    self.pos += 2;
                }
                _ => {
                    push_literal(word, '\\');
                    self.pos += 1;
                }
            },
            '$' => self.dollar(word, true)?,
            '`' => self.backquoted(word, true)?,
            c => {
                push_literal(word, c);
                self.pos += 1;
            }
        }
        Ok(())
    }

    fn dollar(&mut self, word: &mut Word, in_double: bool) -> Parsed<()> {
        let next = self.peek_at(1);
        match next {
            Some('(') => {
                self.enter()?;
                if self.peek_at(2) == Some('(')
                    && let Some(inside) = self.arithmetic()?
                {
                    word.push(Part::Arith(inside));
                } else {
                    self.pos += 2;
                    let list = self.compound_list(&[")"])?;
                    self.pos += 1;
                    word.push(Part::Command(Rc::new(list)));
                }
                self.depth -= 1;
            }
            Some('{') => {
                self.enter()?;
                self.pos += 2;
                let param = self.braced(in_double)?;
                word.push(Part::Param(Box::new(param)));
                self.depth -= 1;
            }
            Some(c) if c.is_ascii_alphabetic() || c == '_' => {
                self.pos += 1;
                let name = self.param_name();
                word.push(Part::Param(Box::new(Param {
                    name,
                    op: ParamOp::Plain,
                })));
            }
            Some(c) if c.is_ascii_digit() || "@*#?-$!".contains(c) => {
                self.pos += 2;
                word.push(Part::Param(Box::new(Param {
                    name: c.to_string(),
                    op: ParamOp::Plain,
                })));
            }
            _ => {
                push_literal(word, '$');
                self.pos += 1;
            }
        }
        Ok(())
    }

    /// `$((…))`; `None`, with the cursor unmoved, if it is a subshell in `$(`.
    fn arithmetic(&mut self) -> Parsed<Option<Word>> {
        let start = self.pos;
        self.pos += 3;
        let (mut word, mut depth) = (Word::new(), 0_usize);
        loop {
            match self.peek() {
                None => {
                    self.pos = start;
                    return Ok(None);
                }
                Some(')') if depth == 0 => {
                    if self.peek_at(1) == Some(')') {
                        self.pos += 2;
                        return Ok(Some(word));
                    }
                    self.pos = start;
                    return Ok(None);
                }
                Some(c) => {
                    depth = match c {
                        '(' => depth + 1,
                        ')' => depth - 1,
                        _ => depth,
                    };
                    if c == '"' {
                        self.pos += 1;
                    } else {
                        self.double_char(c, "$`\"\\", &mut word)?;
                    }
                }
            }
        }
    }

    fn param_name(&mut self) -> String {
        let start = self.pos;
        match self.peek() {
            Some(c) if c.is_ascii_digit() => {
                while self.peek().is_some_and(|c| c.is_ascii_digit()) {
                    self.pos += 1;
                }
            }
            Some(c) if c.is_ascii_alphabetic() || c == '_' => {
                while self
                    .peek()
                    .is_some_and(|c| c.is_ascii_alphanumeric() || c == '_')
                {
                    self.pos += 1;
                }
            }
            Some(c) if "@*#?-$!".contains(c) => self.pos += 1,
            _ => {}
        }
        self.slice(start, self.pos)
    }

    /// `${…}`, after its brace.
    fn braced(&mut self, in_double: bool) -> Parsed<Param> {
        if self.peek() == Some('#')
            && self
                .peek_at(1)
                .is_some_and(|c| c != '}' && !":-=?+#%".contains(c))
        {
            self.pos += 1;
            let name = self.param_name();
            return self.closed(Param {
                name,
                op: ParamOp::Length,
            });
        }
        let name = self.param_name();
        if name.is_empty() {
            return if self.peek().is_none() {
                self.unexpected()
            } else {
                Err(ParseError::Syntax("bad substitution".into()))
            };
        }
        let colon = self.peek() == Some(':') && self.peek_at(1).is_some_and(|c| "-=?+".contains(c));
        self.pos += usize::from(colon);
        let Some(operator) = self.peek() else {
            return self.unexpected();
        };
        if operator == '}' {
            return self.closed(Param {
                name,
                op: ParamOp::Plain,
            });
        }
        self.pos += 1;
        let op = match operator {
            '-' => ParamOp::Default {
                colon,
                word: self.operand("}", in_double)?,
            },
            '=' => ParamOp::Assign {
                colon,
                word: self.operand("}", in_double)?,
            },
            '?' => ParamOp::Error {
                colon,
                word: self.operand("}", in_double)?,
            },
            '+' => ParamOp::Alternate {
                colon,
                word: self.operand("}", in_double)?,
            },
            '#' => ParamOp::TrimPrefix {
                longest: self.eat("#"),
                word: self.operand("}", false)?,
            },
            '%' => ParamOp::TrimSuffix {
                longest: self.eat("%"),
                word: self.operand("}", false)?,
            },
            ':' => {
                let offset = self.operand(":}", true)?;
                let length = if self.eat(":") {
                    Some(self.operand("}", true)?)
                } else {
                    None
                };
                ParamOp::Substring { offset, length }
            }
            '/' => {
                let all = self.eat("/");
                let pattern = self.operand("/}", false)?;
                let with = if self.eat("/") {
                    self.operand("}", false)?
                } else {
                    Word::new()
                };
                ParamOp::Replace { all, pattern, with }
            }
            _ => return Err(ParseError::Syntax("bad substitution".into())),
        };
        self.closed(Param { name, op })
    }

    fn closed(&mut self, param: Param) -> Parsed<Param> {
        if self.eat("}") {
            Ok(param)
        } else {
            self.unexpected()
        }
    }

    /// The word of a `${…}`, up to one of `ends`.
    fn operand(&mut self, ends: &str, in_double: bool) -> Parsed<Word> {
        let mut word = Word::new();
        loop {
            match self.peek() {
                None => return self.unexpected(),
                Some(c) if ends.contains(c) => return Ok(word),
                Some('"') => {
                    self.pos += 1;
                    let inside = self.double()?;
                    word.push(Part::Double(inside));
                }
                Some(c) if in_double => self.double_char(c, "$`\"\\}", &mut word)?,
                Some(c) => self.word_char(c, &mut word)?,
            }
        }
    }

    fn backquoted(&mut self, word: &mut Word, in_double: bool) -> Parsed<()> {
        self.pos += 1;
        let mut text = String::new();
        loop {
            match (self.peek(), self.peek_at(1)) {
                (None, _) => return self.unexpected(),
                (Some('`'), _) => break,
                (Some('\\'), Some(c)) if "`\\$".contains(c) || (in_double && c == '"') => {
                    text.push(c);
                    self.pos += 2;
                }
                (Some(c), _) => {
                    text.push(c);
                    self.pos += 1;
                }
            }
        }
        self.pos += 1;
        self.enter()?;
        let mut inner = self.inner(&text);
        let list = inner.compound_list(&[])?;
        self.depth -= 1;
        word.push(Part::Command(Rc::new(list)));
        Ok(())
    }
}
