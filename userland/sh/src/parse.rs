//! The parser: text to [`List`]s, one complete command at a time.
//!
//! It reads characters directly, since what a character means in a shell
//! depends on the grammar around it. `word.rs` has the inside of words.

use crate::ast::{
    AndOr, Command, Compound, Join, List, Part, Pipeline, Redirect, RedirectKind, Word,
};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// Why text is not a command.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ParseError {
    /// More lines are needed.
    Incomplete,
    Syntax(String),
}

pub(crate) type Parsed<T> = Result<T, ParseError>;

/// A here-document whose body has not been reached.
struct PendingHere {
    delimiter: String,
    quoted: bool,
    strip_tabs: bool,
    body: Rc<RefCell<Word>>,
}

/// Deeper nesting is refused, so that hostile text cannot exhaust the stack.
const MAX_DEPTH: usize = 200;

/// A cursor over source text.
pub(crate) struct Parser<'a> {
    pub(crate) chars: Vec<char>,
    pub(crate) pos: usize,
    pub(crate) depth: usize,
    /// Whether no more text will follow.
    is_final: bool,
    aliases: &'a HashMap<String, String>,
    /// Aliases being substituted, each until its text's end.
    active_aliases: Vec<(String, usize)>,
    pending: Vec<PendingHere>,
}

impl<'a> Parser<'a> {
    pub(crate) fn new(text: &str, is_final: bool, aliases: &'a HashMap<String, String>) -> Self {
        Self {
            chars: text.chars().collect(),
            pos: 0,
            depth: 0,
            is_final,
            aliases,
            active_aliases: Vec::new(),
            pending: Vec::new(),
        }
    }

    /// A parser for text inside this one's.
    pub(crate) fn inner(&self, text: &str) -> Self {
        Self {
            depth: self.depth + 1,
            ..Self::new(text, true, self.aliases)
        }
    }

    pub(crate) fn peek(&self) -> Option<char> {
        self.chars.get(self.pos).copied()
    }

    pub(crate) fn peek_at(&self, offset: usize) -> Option<char> {
        self.chars.get(self.pos + offset).copied()
    }

    pub(crate) fn looking_at(&self, text: &str) -> bool {
        text.chars()
            .enumerate()
            .all(|(offset, c)| self.peek_at(offset) == Some(c))
    }

    pub(crate) fn eat(&mut self, text: &str) -> bool {
        let found = self.looking_at(text);
        if found {
            self.pos += text.chars().count();
        }
        found
    }

    pub(crate) fn slice(&self, start: usize, end: usize) -> String {
        self.chars
            .get(start..end)
            .unwrap_or_default()
            .iter()
            .collect()
    }

    pub(crate) fn unexpected<T>(&self) -> Parsed<T> {
        match self.peek() {
            None if self.is_final => Err(ParseError::Syntax("unexpected end of file".into())),
            None => Err(ParseError::Incomplete),
            Some('\n') => Err(ParseError::Syntax("unexpected newline".into())),
            Some(_) => {
                let end = (self.pos..self.chars.len())
                    .find(|&at| self.chars[at].is_whitespace())
                    .unwrap_or(self.chars.len());
                Err(ParseError::Syntax(format!(
                    "unexpected {}",
                    self.slice(self.pos, end.max(self.pos + 1))
                )))
            }
        }
    }

    pub(crate) fn enter(&mut self) -> Parsed<()> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            Err(ParseError::Syntax("nested too deeply".into()))
        } else {
            Ok(())
        }
    }

    /// Blanks, comments and continued lines.
    pub(crate) fn skip_blanks(&mut self) {
        loop {
            match self.peek() {
                Some(' ' | '\t' | '\r') => self.pos += 1,
                Some('\\') if self.peek_at(1) == Some('\n') => self.pos += 2,
                Some('#') => {
                    while self.peek().is_some_and(|c| c != '\n') {
                        self.pos += 1;
                    }
                }
                _ => return,
            }
        }
    }

    /// A newline and the bodies of here-documents that start after it.
    fn newline(&mut self) -> Parsed<()> {
        self.pos += 1;
        for here in std::mem::take(&mut self.pending) {
            let mut text = String::new();
            loop {
                let start = self.pos;
                while self.peek().is_some_and(|c| c != '\n') {
                    self.pos += 1;
                }
                let line = self.slice(start, self.pos);
                let at_end = self.peek().is_none();
                let line = if here.strip_tabs {
                    line.trim_start_matches('\t')
                } else {
                    &line
                };
                if at_end && line != here.delimiter && !self.is_final {
                    return Err(ParseError::Incomplete);
                }
                self.pos += usize::from(!at_end);
                if line == here.delimiter || (at_end && line.is_empty()) {
                    break;
                }
                text.push_str(line);
                text.push('\n');
                if at_end {
                    break;
                }
            }
            let body = if here.quoted {
                vec![Part::Quoted(text)]
            } else {
                vec![Part::Double(self.inner(&text).here_text()?)]
            };
            *here.body.borrow_mut() = body;
        }
        Ok(())
    }

    pub(crate) fn skip_newlines(&mut self) -> Parsed<()> {
        loop {
            self.skip_blanks();
            if self.peek() != Some('\n') {
                return Ok(());
            }
            self.newline()?;
        }
    }

    /// The next complete command; `None` at the end.
    pub(crate) fn complete_command(&mut self) -> Parsed<Option<List>> {
        self.skip_newlines()?;
        if self.peek().is_none() {
            return Ok(None);
        }
        self.depth = 0;
        let mut list = List::new();
        loop {
            list.push(self.and_or()?);
            self.skip_blanks();
            match self.peek() {
                Some('\n') => {
                    self.newline()?;
                    return Ok(Some(list));
                }
                None if self.pending.is_empty() || self.is_final => return Ok(Some(list)),
                None => return Err(ParseError::Incomplete),
                _ if !self.ended_by_separator() => return self.unexpected(),
                _ => {}
            }
        }
    }

    /// Whether the text before the cursor ends with `;` or `&`.
    fn ended_by_separator(&self) -> bool {
        let before = self.chars.get(..self.pos).unwrap_or_default();
        before
            .iter()
            .rev()
            .find(|c| !matches!(c, ' ' | '\t'))
            .is_some_and(|c| matches!(c, ';' | '&'))
    }

    /// Commands up to one of the words or operators in `ends`, which is not consumed.
    pub(crate) fn compound_list(&mut self, ends: &[&str]) -> Parsed<List> {
        self.enter()?;
        let mut list = List::new();
        loop {
            let before = self.pos;
            self.skip_newlines()?;
            if self.at_end_of(ends) || (ends.is_empty() && self.peek().is_none()) {
                self.depth -= 1;
                return Ok(list);
            }
            let previous = self.chars.get(before.wrapping_sub(1)).copied();
            let separated =
                matches!(previous, Some(';' | '&')) || self.chars[before..self.pos].contains(&'\n');
            if self.peek().is_none() || (!list.is_empty() && !separated) {
                return self.unexpected();
            }
            list.push(self.and_or()?);
        }
    }

    fn at_end_of(&self, ends: &[&str]) -> bool {
        ends.iter().any(|end| {
            if end.starts_with(|c: char| c.is_ascii_alphabetic() || c == '}') {
                self.at_reserved(end)
            } else {
                self.looking_at(end)
            }
        })
    }

    /// Whether the reserved word `word` stands here by itself.
    fn at_reserved(&self, word: &str) -> bool {
        self.looking_at(word)
            && self
                .peek_at(word.chars().count())
                .is_none_or(|c| c.is_whitespace() || ";&|()<>".contains(c))
    }

    fn eat_reserved(&mut self, word: &str) -> bool {
        self.at_reserved(word) && self.eat(word)
    }

    fn expect_reserved(&mut self, word: &str) -> Parsed<()> {
        self.skip_newlines()?;
        if self.eat_reserved(word) {
            Ok(())
        } else {
            self.unexpected()
        }
    }

    fn and_or(&mut self) -> Parsed<AndOr> {
        let start = self.pos;
        let mut pipelines = vec![(Join::Always, self.pipeline()?)];
        loop {
            self.skip_blanks();
            let join = if self.eat("&&") {
                Join::And
            } else if self.eat("||") {
                Join::Or
            } else {
                break;
            };
            self.skip_newlines()?;
            pipelines.push((join, self.pipeline()?));
        }
        let text = self.slice(start, self.pos).trim().to_owned();
        let background = self.peek() == Some('&');
        if background || (self.peek() == Some(';') && self.peek_at(1) != Some(';')) {
            self.pos += 1;
        }
        Ok(AndOr {
            pipelines,
            background,
            text,
        })
    }

    fn pipeline(&mut self) -> Parsed<Pipeline> {
        self.skip_blanks();
        let mut negated = false;
        while self.eat_reserved("!") {
            negated = !negated;
            self.skip_blanks();
        }
        let mut commands = vec![self.command()?];
        loop {
            self.skip_blanks();
            if self.peek() != Some('|') || self.peek_at(1) == Some('|') {
                return Ok(Pipeline { negated, commands });
            }
            self.pos += 1;
            self.skip_newlines()?;
            commands.push(self.command()?);
        }
    }

    fn command(&mut self) -> Parsed<Command> {
        self.enter()?;
        self.skip_blanks();
        self.substitute_alias();
        let command = match self.compound()? {
            Some(compound) => Command::Compound(compound, self.redirects()?),
            None => match self.function()? {
                Some(function) => function,
                None => self.simple()?,
            },
        };
        self.depth -= 1;
        Ok(command)
    }

    /// Replaces an alias at the cursor by its text.
    fn substitute_alias(&mut self) {
        let pos = self.pos;
        self.active_aliases.retain(|(_, end)| *end > pos);
        let length = self.chars[self.pos..]
            .iter()
            .take_while(|c| c.is_alphanumeric() || "_-.+@!%,".contains(**c))
            .count();
        let name = self.slice(self.pos, self.pos + length);
        let ends = self
            .peek_at(length)
            .is_none_or(|c| c.is_whitespace() || ";&|()<>".contains(c));
        let Some(text) = self.aliases.get(&name).filter(|_| ends) else {
            return;
        };
        if self
            .active_aliases
            .iter()
            .any(|(active, _)| *active == name)
        {
            return;
        }
        let text: Vec<char> = text.chars().collect();
        let (added, removed) = (text.len(), length);
        self.chars.splice(self.pos..self.pos + length, text);
        for (_, end) in &mut self.active_aliases {
            *end = *end + added - removed;
        }
        self.active_aliases.push((name, self.pos + added));
        self.substitute_alias();
    }

    fn compound(&mut self) -> Parsed<Option<Compound>> {
        if self.eat("(") {
            let list = self.compound_list(&[")"])?;
            self.pos += 1;
            return Ok(Some(Compound::Subshell(list)));
        }
        if self.eat_reserved("{") {
            let list = self.compound_list(&["}"])?;
            self.pos += 1;
            return Ok(Some(Compound::Brace(list)));
        }
        if self.eat_reserved("if") {
            return self.if_clause().map(Some);
        }
        if self.eat_reserved("for") {
            return self.for_clause().map(Some);
        }
        if self.eat_reserved("case") {
            return self.case_clause().map(Some);
        }
        let until = self.at_reserved("until");
        if self.eat_reserved("while") || self.eat_reserved("until") {
            let condition = self.compound_list(&["do"])?;
            return Ok(Some(Compound::Loop {
                until,
                condition,
                body: self.do_group()?,
            }));
        }
        const STRAY: &[&str] = &["then", "else", "elif", "fi", "do", "done", "esac", "}"];
        if STRAY.iter().any(|word| self.at_reserved(word))
            || self.peek().is_some_and(|c| ")|&;\n".contains(c))
        {
            return self.unexpected();
        }
        Ok(None)
    }

    fn do_group(&mut self) -> Parsed<List> {
        self.expect_reserved("do")?;
        let body = self.compound_list(&["done"])?;
        self.expect_reserved("done")?;
        Ok(body)
    }

    fn if_clause(&mut self) -> Parsed<Compound> {
        let (mut branches, mut otherwise) = (Vec::new(), None);
        loop {
            let condition = self.compound_list(&["then"])?;
            self.expect_reserved("then")?;
            let body = self.compound_list(&["elif", "else", "fi"])?;
            branches.push((condition, body));
            if self.eat_reserved("elif") {
                continue;
            }
            if self.eat_reserved("else") {
                otherwise = Some(self.compound_list(&["fi"])?);
            }
            self.expect_reserved("fi")?;
            return Ok(Compound::If {
                branches,
                otherwise,
            });
        }
    }

    fn name(&mut self) -> Option<String> {
        let rest = &self.chars[self.pos..];
        let length = rest
            .iter()
            .take_while(|c| c.is_ascii_alphanumeric() || **c == '_')
            .count();
        if length == 0 || rest[0].is_ascii_digit() {
            return None;
        }
        let name = self.slice(self.pos, self.pos + length);
        self.pos += length;
        Some(name)
    }

    fn for_clause(&mut self) -> Parsed<Compound> {
        self.skip_blanks();
        let Some(name) = self.name() else {
            return self.unexpected();
        };
        self.skip_newlines()?;
        let mut words = None;
        if self.eat_reserved("in") {
            let mut list = Vec::new();
            loop {
                self.skip_blanks();
                match self.peek() {
                    Some('\n' | ';') => break,
                    _ => list.push(self.some_word()?),
                }
            }
            words = Some(list);
        }
        self.skip_blanks();
        let _ = self.eat(";");
        Ok(Compound::For {
            name,
            words,
            body: self.do_group()?,
        })
    }

    fn case_clause(&mut self) -> Parsed<Compound> {
        self.skip_blanks();
        let word = self.some_word()?;
        self.expect_reserved("in")?;
        let mut arms = Vec::new();
        loop {
            self.skip_newlines()?;
            if self.eat_reserved("esac") {
                return Ok(Compound::Case { word, arms });
            }
            let _ = self.eat("(");
            let mut patterns = Vec::new();
            loop {
                self.skip_blanks();
                patterns.push(self.some_word()?);
                self.skip_blanks();
                if self.eat(")") {
                    break;
                }
                if !self.eat("|") {
                    return self.unexpected();
                }
            }
            let body = self.compound_list(&[";;", "esac"])?;
            let _ = self.eat(";;");
            arms.push((patterns, body));
        }
    }

    /// A word that must be there.
    fn some_word(&mut self) -> Parsed<Word> {
        match self.word()? {
            Some(word) => Ok(word),
            None => self.unexpected(),
        }
    }

    /// `name () body`.
    fn function(&mut self) -> Parsed<Option<Command>> {
        let start = self.pos;
        let length = self.chars[start..]
            .iter()
            .take_while(|c| c.is_alphanumeric() || "_-.".contains(**c))
            .count();
        self.pos += length;
        self.skip_blanks();
        if length > 0 && self.eat("(") {
            self.skip_blanks();
            if self.eat(")") {
                let name = self.slice(start, start + length);
                self.skip_newlines()?;
                return Ok(Some(Command::Function(name, Rc::new(self.command()?))));
            }
        }
        self.pos = start;
        Ok(None)
    }

    fn simple(&mut self) -> Parsed<Command> {
        let line = 1 + self.chars[..self.pos]
            .iter()
            .filter(|c| **c == '\n')
            .count();
        let (mut assignments, mut words, mut redirects) = (Vec::new(), Vec::new(), Vec::new());
        loop {
            self.skip_blanks();
            if let Some(redirect) = self.redirect()? {
                redirects.push(redirect);
                continue;
            }
            if words.is_empty()
                && let Some(name) = self.assignment_name()
            {
                assignments.push((name, self.word()?.unwrap_or_default()));
                continue;
            }
            match self.word()? {
                Some(word) => words.push(word),
                None => break,
            }
        }
        if assignments.is_empty() && words.is_empty() && redirects.is_empty() {
            return self.unexpected();
        }
        Ok(Command::Simple {
            assignments,
            words,
            redirects,
            line,
        })
    }

    /// Consumes `name=` if that is next.
    fn assignment_name(&mut self) -> Option<String> {
        let start = self.pos;
        let name = self.name();
        if name.is_some() && self.eat("=") {
            return name;
        }
        self.pos = start;
        None
    }

    fn redirects(&mut self) -> Parsed<Vec<Redirect>> {
        let mut redirects = Vec::new();
        loop {
            self.skip_blanks();
            match self.redirect()? {
                Some(redirect) => redirects.push(redirect),
                None => return Ok(redirects),
            }
        }
    }

    fn redirect(&mut self) -> Parsed<Option<Redirect>> {
        let digits = self.chars[self.pos..]
            .iter()
            .take_while(|c| c.is_ascii_digit())
            .count();
        if !matches!(self.peek_at(digits), Some('<' | '>')) {
            return Ok(None);
        }
        let number = self.slice(self.pos, self.pos + digits);
        self.pos += digits;
        const OPERATORS: &[&str] = &["<<-", "<<", "<&", "<>", "<", ">>", ">&", ">|", ">"];
        let operator = OPERATORS
            .iter()
            .copied()
            .find(|operator| self.eat(operator))
            .unwrap_or(">");
        let standard = i32::from(operator.starts_with('>'));
        let fd = if number.is_empty() {
            standard
        } else {
            number.parse().or_else(|_| self.unexpected())?
        };
        self.skip_blanks();
        let start = self.pos;
        let target = self.some_word()?;
        let kind = match operator {
            "<" => RedirectKind::Read(target),
            ">" => RedirectKind::Write {
                target,
                clobber: false,
            },
            ">|" => RedirectKind::Write {
                target,
                clobber: true,
            },
            ">>" => RedirectKind::Append(target),
            "<>" => RedirectKind::ReadWrite(target),
            "<&" | ">&" => RedirectKind::Duplicate(target),
            _ => {
                let raw = self.slice(start, self.pos);
                let quoted = raw.contains(['\'', '"', '\\']);
                let body = Rc::new(RefCell::new(Word::new()));
                let delimiter = raw.replace(['\'', '"', '\\'], "");
                self.pending.push(PendingHere {
                    delimiter,
                    quoted,
                    strip_tabs: operator == "<<-",
                    body: body.clone(),
                });
                RedirectKind::Here(body)
            }
        };
        Ok(Some(Redirect { fd, kind }))
    }
}
