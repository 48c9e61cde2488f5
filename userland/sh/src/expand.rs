//! Expansion of words: tildes, parameters, commands and arithmetic, then field
//! splitting and file names.

use crate::ast::{Param, ParamOp, Part, Word};
use crate::pattern::Pattern;
use crate::shell::{Flow, Run, Shell};
use crate::{glob, sys};

/// Where a character came from, which decides what is still done to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    /// Typed without quotes: not split, but active in patterns.
    Literal,
    /// Out of an unquoted expansion: split, and active in patterns.
    Expanded,
    /// Quoted: stands for itself.
    Quoted,
}

/// A piece of an expanded word.
#[derive(Clone, Copy, Debug)]
enum Item {
    Char(char, Origin),
    /// Quotes were here, so the field exists even if it is empty.
    Quotes,
    /// The boundary between the parameters of `"$@"`.
    Boundary,
}

/// An expanded word before splitting.
type Items = Vec<Item>;

/// A field: characters, each with whether it was quoted.
type Field = Vec<(char, bool)>;

fn push_text(items: &mut Items, text: &str, origin: Origin) {
    items.extend(text.chars().map(|c| Item::Char(c, origin)));
}

fn field_text(field: &[(char, bool)]) -> String {
    field.iter().map(|(c, _)| *c).collect()
}

impl Shell {
    /// The fields of command words: expanded, split, matched with file names.
    pub(crate) fn expand_words(&mut self, words: &[Word]) -> Run<Vec<String>> {
        let mut fields = Vec::new();
        for word in words {
            let items = self.expand_items(word, false)?;
            for field in self.split(&items) {
                if self.options.noglob {
                    fields.push(field_text(&field));
                } else {
                    glob::expand(&field, &mut fields);
                }
            }
        }
        Ok(fields)
    }

    /// One string: no splitting, no file names. For assignments, redirections and the like.
    pub(crate) fn expand_string(&mut self, word: &Word) -> Run<String> {
        let items = self.expand_items(word, false)?;
        Ok(self.joined(&items))
    }

    /// The value of an assignment, where tildes are also expanded after colons.
    pub(crate) fn expand_assignment(&mut self, word: &Word) -> Run<String> {
        let items = self.expand_items(word, true)?;
        Ok(self.joined(&items))
    }

    /// A pattern, in which quoted characters stand for themselves.
    pub(crate) fn expand_pattern(&mut self, word: &Word) -> Run<Pattern> {
        let items = self.expand_items(word, false)?;
        let chars: Field = items
            .iter()
            .filter_map(|item| {
                if let Item::Char(c, origin) = item {
                    Some((*c, *origin == Origin::Quoted))
                } else {
                    None
                }
            })
            .collect();
        Ok(Pattern::new(&chars))
    }

    /// The items as one string; `$@` is joined by spaces.
    fn joined(&self, items: &Items) -> String {
        let text = items.iter().filter_map(|item| match item {
            Item::Char(c, _) => Some(*c),
            Item::Boundary => Some(' '),
            Item::Quotes => None,
        });
        text.collect()
    }

    fn expand_items(&mut self, word: &Word, is_assignment: bool) -> Run<Items> {
        let mut items = Items::new();
        for (index, part) in word.iter().enumerate() {
            match part {
                Part::Literal(text) => {
                    let is_last = index + 1 == word.len();
                    self.expand_literal(text, index == 0, is_last, is_assignment, &mut items);
                }
                part => self.expand_part(part, Origin::Expanded, &mut items)?,
            }
        }
        Ok(items)
    }

    /// Unquoted text, with tildes at its start and, in assignments, after colons.
    fn expand_literal(
        &mut self,
        text: &str,
        is_first: bool,
        is_last: bool,
        is_assignment: bool,
        items: &mut Items,
    ) {
        let mut may_start = is_first;
        let pieces: Vec<&str> = if is_assignment {
            text.split_inclusive(':').collect()
        } else {
            vec![text]
        };
        let count = pieces.len();
        for (index, piece) in pieces.into_iter().enumerate() {
            let end = piece.find(['/', ':']).unwrap_or(piece.len());
            // A tilde prefix may not run on into something quoted or expanded.
            let complete = end < piece.len() || is_last || index + 1 < count;
            let home = piece
                .get(1..end)
                .filter(|_| may_start && complete && piece.starts_with('~'))
                .and_then(|user| self.home(user));
            match home {
                Some(home) => {
                    push_text(items, &home, Origin::Quoted);
                    push_text(items, piece.get(end..).unwrap_or_default(), Origin::Literal);
                }
                None => push_text(items, piece, Origin::Literal),
            }
            may_start = is_assignment;
        }
    }

    /// The home directory of `user`, or of the current one if empty.
    fn home(&self, user: &str) -> Option<String> {
        if user.is_empty() {
            return self.var("HOME").map(str::to_owned);
        }
        let passwd = std::fs::read_to_string("/etc/passwd").ok()?;
        let line = passwd
            .lines()
            .find(|line| line.split(':').next() == Some(user))?;
        line.split(':').nth(5).map(str::to_owned)
    }

    /// Expands a part; `origin` is `Quoted` inside double quotes.
    fn expand_part(&mut self, part: &Part, origin: Origin, items: &mut Items) -> Run<()> {
        match part {
            Part::Literal(text) => push_text(
                items,
                text,
                if origin == Origin::Quoted {
                    Origin::Quoted
                } else {
                    Origin::Literal
                },
            ),
            Part::Quoted(text) => {
                items.push(Item::Quotes);
                push_text(items, text, Origin::Quoted);
            }
            Part::Double(parts) => {
                // `"$@"` without parameters is no field at all.
                let only_at = matches!(parts.as_slice(), [Part::Param(param)] if param.name == "@" && matches!(param.op, ParamOp::Plain));
                if !only_at || !self.params.is_empty() {
                    items.push(Item::Quotes);
                }
                for part in parts {
                    self.expand_part(part, Origin::Quoted, items)?;
                }
            }
            Part::Param(param) => self.expand_param(param, origin, items)?,
            Part::Command(list) => {
                let text = self.substitute(list)?;
                push_text(items, &text, origin);
            }
            Part::Arith(word) => {
                let text = self.expand_string(word)?;
                let value = self.arithmetic(&text)?;
                push_text(items, &value.to_string(), origin);
            }
        }
        Ok(())
    }

    /// The value of a parameter other than `@` and `*`.
    pub(crate) fn param(&self, name: &str) -> Option<String> {
        Some(match name {
            "?" => self.status.to_string(),
            "#" => self.params.len().to_string(),
            "$" => self.pid.to_string(),
            "!" => return self.jobs.last_background.map(|pid| pid.to_string()),
            "0" => self.name.clone(),
            "-" => {
                let mut options = self.options.clone();
                let mut flags: String = options
                    .all()
                    .iter()
                    .filter(|(letter, _, on)| **on && *letter != ' ')
                    .map(|(letter, _, _)| *letter)
                    .collect();
                if self.interactive {
                    flags.push('i');
                }
                flags
            }
            "LINENO" => self.line.to_string(),
            "RANDOM" if !self.variables.contains_key("RANDOM") => {
                let mut bytes = [0; 2];
                let fd = sys::open("/dev/urandom", libc::O_RDONLY, 0).ok()?;
                let read = sys::read(fd, &mut bytes);
                let _ = sys::close(fd);
                read.ok()?;
                (u16::from_ne_bytes(bytes) & 0x7fff).to_string()
            }
            _ if name.starts_with(|c: char| c.is_ascii_digit()) => {
                let index = name.parse::<usize>().ok()?.checked_sub(1)?;
                return self.params.get(index).cloned();
            }
            _ => return self.var(name).map(str::to_owned),
        })
    }

    fn expand_param(&mut self, param: &Param, origin: Origin, items: &mut Items) -> Run<()> {
        let name = param.name.as_str();
        if matches!(name, "@" | "*") {
            return self.expand_all_params(param, origin, items);
        }
        let value = self.param(name);
        let unset_is_error = self.options.nounset && value.is_none();
        let usable = |colon: &bool| value.as_ref().filter(|value| !(*colon && value.is_empty()));
        let result = match &param.op {
            ParamOp::Default { colon, word } => match usable(colon) {
                Some(value) => value.clone(),
                None => return self.expand_operand(word, origin, items),
            },
            ParamOp::Alternate { colon, word } => match usable(colon) {
                Some(_) => return self.expand_operand(word, origin, items),
                None => String::new(),
            },
            ParamOp::Assign { colon, word } => match usable(colon) {
                Some(value) => value.clone(),
                None => {
                    if !name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
                        return Err(self.abort(&format!("{name}: cannot be assigned to")));
                    }
                    let value = self.expand_string(word)?;
                    self.set_var(name, &value)?;
                    value
                }
            },
            ParamOp::Error { colon, word } => match usable(colon) {
                Some(value) => value.clone(),
                None => {
                    let message = self.expand_string(word)?;
                    let message = if message.is_empty() {
                        "parameter not set"
                    } else {
                        &message
                    };
                    self.error(&format!("{name}: {message}"));
                    return Err(if self.interactive {
                        Flow::Abort(2)
                    } else {
                        Flow::Exit(2)
                    });
                }
            },
            _ if unset_is_error => {
                self.error(&format!("{name}: parameter not set"));
                return Err(if self.interactive {
                    Flow::Abort(2)
                } else {
                    Flow::Exit(2)
                });
            }
            op => self.transform(op, &value.unwrap_or_default())?,
        };
        push_text(items, &result, origin);
        Ok(())
    }

    fn expand_operand(&mut self, word: &Word, origin: Origin, items: &mut Items) -> Run<()> {
        if origin == Origin::Expanded {
            let expanded = self.expand_items(word, false)?;
            // Text typed in the operand is split like any expansion.
            items.extend(expanded.into_iter().map(|item| match item {
                Item::Char(c, Origin::Literal) => Item::Char(c, Origin::Expanded),
                item => item,
            }));
            return Ok(());
        }
        word.iter()
            .try_for_each(|part| self.expand_part(part, origin, items))
    }

    /// The operations that make a new value from a value.
    fn transform(&mut self, op: &ParamOp, value: &str) -> Run<String> {
        let chars: Vec<char> = value.chars().collect();
        Ok(match op {
            ParamOp::Length => chars.len().to_string(),
            ParamOp::TrimPrefix { longest, word } => {
                let pattern = self.expand_pattern(word)?;
                let mut ends: Box<dyn Iterator<Item = usize>> = if *longest {
                    Box::new((0..=chars.len()).rev())
                } else {
                    Box::new(0..=chars.len())
                };
                let end = ends
                    .find(|end| pattern.matches(&chars[..*end]))
                    .unwrap_or(0);
                chars[end..].iter().collect()
            }
            ParamOp::TrimSuffix { longest, word } => {
                let pattern = self.expand_pattern(word)?;
                let mut starts: Box<dyn Iterator<Item = usize>> = if *longest {
                    Box::new(0..=chars.len())
                } else {
                    Box::new((0..=chars.len()).rev())
                };
                let start = starts
                    .find(|start| pattern.matches(&chars[*start..]))
                    .unwrap_or(chars.len());
                chars[..start].iter().collect()
            }
            ParamOp::Substring { offset, length } => {
                let offset_text = self.expand_string(offset)?;
                let offset = self.arithmetic(&offset_text)?;
                let count = i64::try_from(chars.len()).unwrap_or(i64::MAX);
                let start = if offset < 0 {
                    (count.saturating_add(offset)).max(0)
                } else {
                    offset.min(count)
                };
                let end = match length {
                    None => count,
                    Some(length) => {
                        let text = self.expand_string(length)?;
                        let length = self.arithmetic(&text)?;
                        if length < 0 {
                            count.saturating_add(length)
                        } else {
                            start.saturating_add(length)
                        }
                    }
                };
                let index = |at: i64| usize::try_from(at).unwrap_or(0);
                chars
                    .get(index(start)..index(end.clamp(start, count)))
                    .unwrap_or_default()
                    .iter()
                    .collect()
            }
            ParamOp::Replace { all, pattern, with } => {
                let pattern = self.expand_pattern(pattern)?;
                let with = self.expand_string(with)?;
                replace(&chars, &pattern, &with, *all)
            }
            _ => value.to_owned(),
        })
    }

    fn expand_all_params(&mut self, param: &Param, origin: Origin, items: &mut Items) -> Run<()> {
        let mut params = self.params.clone();
        match &param.op {
            ParamOp::Length => {
                push_text(items, &params.len().to_string(), origin);
                return Ok(());
            }
            ParamOp::Default { word, .. }
            | ParamOp::Assign { word, .. }
            | ParamOp::Error { word, .. }
                if params.is_empty() =>
            {
                return self.expand_operand(word, origin, items);
            }
            ParamOp::Alternate { word, .. } => {
                return if params.is_empty() {
                    Ok(())
                } else {
                    self.expand_operand(word, origin, items)
                };
            }
            op => {
                for value in &mut params {
                    *value = self.transform(op, value)?;
                }
            }
        }
        let separator = self.var("IFS").map_or(Some(' '), |ifs| ifs.chars().next());
        for (index, value) in params.iter().enumerate() {
            if index > 0 {
                match separator {
                    Some(separator) if param.name == "*" && origin == Origin::Quoted => {
                        items.push(Item::Char(separator, Origin::Quoted))
                    }
                    None if param.name == "*" && origin == Origin::Quoted => {}
                    _ => items.push(Item::Boundary),
                }
            }
            if origin == Origin::Quoted {
                items.push(Item::Quotes);
            }
            push_text(items, value, origin);
        }
        Ok(())
    }

    /// Splits at the characters of `IFS` that came out of expansions.
    fn split(&self, items: &Items) -> Vec<Field> {
        let ifs: Vec<char> = self.var("IFS").unwrap_or(" \t\n").chars().collect();
        let mut fields = Vec::new();
        let (mut field, mut exists) = (Field::new(), false);
        // Whether white space has just ended a field, so that a separator after it ends no further one.
        let mut after_space = false;
        for item in items {
            match item {
                Item::Quotes => (exists, after_space) = (true, false),
                Item::Boundary => {
                    if exists || !field.is_empty() {
                        fields.push(std::mem::take(&mut field));
                    }
                    exists = false;
                }
                Item::Char(c, Origin::Expanded) if ifs.contains(c) => {
                    let is_space = c.is_ascii_whitespace();
                    let ends_field = exists || !field.is_empty();
                    if ends_field || (!is_space && !after_space) {
                        fields.push(std::mem::take(&mut field));
                    }
                    (exists, after_space) = (false, is_space && (after_space || ends_field));
                }
                Item::Char(c, origin) => {
                    field.push((*c, *origin == Origin::Quoted));
                    after_space = false;
                }
            }
        }
        if exists || !field.is_empty() {
            fields.push(field);
        }
        fields
    }
}

/// Replaces the first or every match of `pattern`, the longest at each place.
fn replace(chars: &[char], pattern: &Pattern, with: &str, all: bool) -> String {
    let (mut out, mut at) = (String::new(), 0);
    while at < chars.len() {
        let end = (at + 1..=chars.len())
            .rev()
            .find(|end| pattern.matches(&chars[at..*end]));
        match end {
            Some(end) => {
                out.push_str(with);
                at = end;
                if !all {
                    break;
                }
            }
            None => {
                out.push(chars[at]);
                at += 1;
            }
        }
    }
    out.extend(&chars[at..]);
    out
}
