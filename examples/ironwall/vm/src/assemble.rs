//! The assembler: text to a program.
//!
//! ```text
//! function NAME PARAMETER…     begins a function, the first of which is where the program begins
//! locals NAME…                 further locals; captures NAME… what it captures
//! again:                       a label
//!     string "a\n"             an instruction; operands are numbers, strings, labels, or names
//! ```
//! What follows a semicolon is a comment.

use crate::code::{CodeError, Function, Op, Operand, Program, emit};
use std::collections::HashMap;

/// Why a text is no program.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub(crate) struct AssembleError {
    line: usize,
    problem: String,
}

type Result<T> = std::result::Result<T, AssembleError>;

/// A function whose lines are read, with what its names stand for.
#[derive(Default)]
struct Draft<'a> {
    function: Function,
    line: usize,
    locals: Vec<&'a str>,
    captures: Vec<&'a str>,
    labels: HashMap<&'a str, usize>,
    /// Where a label's offset goes, with the line and the label.
    jumps: Vec<(usize, usize, &'a str)>,
    /// Lines with instructions.
    body: Vec<(usize, &'a str)>,
}

/// Makes a program of a text.
///
/// # Errors
/// The line and what is wrong with it.
pub(crate) fn assemble(text: &str) -> Result<Program> {
    let mut drafts = outline(text)?;
    let names: HashMap<String, usize> =
        drafts.iter().enumerate().map(|(i, draft)| (draft.function.name.clone(), i)).collect();
    let mut program = Program::default();
    for draft in &mut drafts {
        for (line, text) in std::mem::take(&mut draft.body) {
            draft
                .instruction((line, text), &names, &mut program.strings)
                .map_err(|problem| AssembleError { line, problem })?;
        }
        for &(at, line, label) in &draft.jumps {
            let target = draft.labels.get(label);
            let target = target.ok_or_else(|| AssembleError { line, problem: format!("there is no label {label}") })?;
            draft.function.code[at..at + 4].copy_from_slice(&(*target as u32).to_le_bytes());
        }
    }
    let lines: Vec<usize> = drafts.iter().map(|draft| draft.line).collect();
    program.functions = drafts.into_iter().map(|draft| draft.function).collect();
    program.check().map_err(|error| {
        // What is left to be wrong is wrong with a function as a whole.
        let CodeError::Code { function, .. } = &error else {
            return AssembleError { line: 1, problem: error.to_string() };
        };
        let named = program.functions.iter().position(|named| named.name == *function);
        AssembleError { line: named.map_or(1, |i| lines[i]), problem: error.to_string() }
    })?;
    Ok(program)
}

/// Reads which functions there are and what their names stand for.
fn outline(text: &str) -> Result<Vec<Draft<'_>>> {
    let mut drafts: Vec<Draft<'_>> = Vec::new();
    for (line, text) in (1..).zip(text.lines()) {
        let wrong = |problem: String| Err(AssembleError { line, problem });
        let text = text.trim();
        let mut words = text.split(';').next().unwrap_or_default().split_whitespace();
        let Some(first) = words.next() else { continue };
        if first == "function" {
            let Some(name) = words.next() else { return wrong("a function has a name".into()) };
            if drafts.iter().any(|draft| draft.function.name == name) {
                return wrong(format!("there is a function {name} already"));
            }
            let locals: Vec<&str> = words.collect();
            let function = Function { name: name.to_owned(), parameters: locals.len(), ..Function::default() };
            drafts.push(Draft { function, line, locals, ..Draft::default() });
            continue;
        }
        let Some(draft) = drafts.last_mut() else { return wrong("this belongs to no function".into()) };
        match first {
            "locals" => draft.locals.extend(words),
            "captures" => draft.captures.extend(words),
            _ => draft.body.push((line, text)),
        }
        let names = [&draft.locals, &draft.captures].map(|names| (names.len() > 255, repeated(names)));
        if let Some(name) = names.iter().find_map(|(_, name)| *name) {
            return wrong(format!("there is a name {name} already"));
        }
        if names.iter().any(|(is_too_long, _)| *is_too_long) {
            return wrong("a function has at most 255 locals and captures at most 255 values".into());
        }
        (draft.function.locals, draft.function.captures) = (draft.locals.len(), draft.captures.len());
    }
    for draft in &mut drafts {
        (draft.function.locals, draft.function.captures) = (draft.locals.len(), draft.captures.len());
    }
    Ok(drafts)
}

fn repeated<'a>(names: &[&'a str]) -> Option<&'a str> {
    let last = names.last()?;
    names[..names.len() - 1].contains(last).then_some(last)
}

impl<'a> Draft<'a> {
    fn instruction(
        &mut self,
        (line, text): (usize, &'a str),
        functions: &HashMap<String, usize>,
        strings: &mut Vec<Vec<u8>>,
    ) -> std::result::Result<(), String> {
        let (name, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let name = name.split(';').next().unwrap_or_default();
        if let Some(label) = name.strip_suffix(':') {
            if self.labels.insert(label, self.function.code.len()).is_some() {
                return Err(format!("there is a label {label} already"));
            }
            return Ok(());
        }
        let op = Op::ALL.iter().copied().find(|op| op.text() == name);
        let op = op.ok_or_else(|| format!("there is no instruction {name}"))?;
        if op.operand() == Operand::String {
            let number = strings.len() as i64;
            strings.push(string(rest.trim())?);
            emit(&mut self.function.code, op, number);
            return Ok(());
        }
        let mut words = rest.split(';').next().unwrap_or_default().split_whitespace();
        let word = words.next();
        let find = |names: &[&str], word: &str| {
            let found = names.iter().position(|name| *name == word);
            found.map(|at| at as i64).ok_or_else(|| format!("there is nothing called {word}"))
        };
        let operand = match (op.operand(), word) {
            (Operand::None, None) => 0,
            (Operand::None, Some(word)) => return Err(format!("{name} takes no {word}")),
            (_, None) => return Err(format!("{name} takes an operand")),
            (Operand::Number | Operand::Count, Some(word)) => {
                let number = word.parse().ok().filter(|&number| {
                    let is_count = op.operand() == Operand::Count;
                    ironwall_rs::Small::new(number).is_some() && (!is_count || (0..256).contains(&number))
                });
                number.ok_or_else(|| format!("{word} is no number that {name} takes"))?
            }
            (Operand::Local, Some(word)) => find(&self.locals, word)?,
            (Operand::Captured, Some(word)) => find(&self.captures, word)?,
            (Operand::Function, Some(word)) => {
                functions.get(word).map(|&at| at as i64).ok_or_else(|| format!("there is no function {word}"))?
            }
            (Operand::Target | Operand::String, Some(word)) => {
                // Offsets of labels behind are not known before the function ends.
                self.jumps.push((self.function.code.len() + 1, line, word));
                0
            }
        };
        if let Some(word) = words.next() {
            return Err(format!("{name} takes no {word}"));
        }
        emit(&mut self.function.code, op, operand);
        Ok(())
    }
}

/// The bytes of a string in quotes.
fn string(text: &str) -> std::result::Result<Vec<u8>, String> {
    let mut chars = text.strip_prefix('"').ok_or("a string begins with a quotation mark")?.chars();
    let mut string = String::new();
    loop {
        match chars.next() {
            Some('"') => break,
            Some('\\') => match chars.next() {
                Some('n') => string.push('\n'),
                Some(escaped @ ('"' | '\\')) => string.push(escaped),
                _ => return Err("after a backslash there is n, a quotation mark or a backslash".into()),
            },
            Some(character) => string.push(character),
            None => return Err("the string does not end".into()),
        }
    }
    let rest = chars.as_str().trim_start();
    let is_comment = rest.is_empty() || rest.starts_with(';');
    if is_comment { Ok(string.into_bytes()) } else { Err(format!("nothing follows a string, but {rest} does")) }
}
