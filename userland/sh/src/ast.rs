//! The shapes that the parser makes and the executor walks.

use std::cell::RefCell;
use std::rc::Rc;

/// A word before expansion.
pub(crate) type Word = Vec<Part>;

/// A piece of a word.
#[derive(Clone, Debug)]
pub(crate) enum Part {
    /// Unquoted text.
    Literal(String),
    /// Text in single quotes or after a backslash.
    Quoted(String),
    /// The inside of double quotes.
    Double(Word),
    /// `$name` or `${name…}`.
    Param(Box<Param>),
    /// `$(…)` or backquotes.
    Command(Rc<List>),
    /// `$((…))`.
    Arith(Word),
}

/// A parameter expansion.
#[derive(Clone, Debug)]
pub(crate) struct Param {
    pub(crate) name: String,
    pub(crate) op: ParamOp,
}

/// What is done to the parameter's value. `colon` makes empty count as unset.
#[derive(Clone, Debug)]
pub(crate) enum ParamOp {
    Plain,
    Length,
    Default {
        colon: bool,
        word: Word,
    },
    Assign {
        colon: bool,
        word: Word,
    },
    Error {
        colon: bool,
        word: Word,
    },
    Alternate {
        colon: bool,
        word: Word,
    },
    TrimPrefix {
        longest: bool,
        word: Word,
    },
    TrimSuffix {
        longest: bool,
        word: Word,
    },
    Substring {
        offset: Word,
        length: Option<Word>,
    },
    Replace {
        all: bool,
        pattern: Word,
        with: Word,
    },
}

/// A redirection.
#[derive(Clone, Debug)]
pub(crate) struct Redirect {
    pub(crate) fd: i32,
    pub(crate) kind: RedirectKind,
}

#[derive(Clone, Debug)]
pub(crate) enum RedirectKind {
    Read(Word),
    Write {
        target: Word,
        clobber: bool,
    },
    Append(Word),
    ReadWrite(Word),
    /// `<&` and `>&`: a number, or `-` to close.
    Duplicate(Word),
    /// The body is filled in when the parser reaches it.
    Here(Rc<RefCell<Word>>),
}

/// A command that the shell runs as one.
#[derive(Debug)]
pub(crate) enum Command {
    Simple {
        assignments: Vec<(String, Word)>,
        words: Vec<Word>,
        redirects: Vec<Redirect>,
        line: usize,
    },
    Compound(Compound, Vec<Redirect>),
    Function(String, Rc<Command>),
}

#[derive(Debug)]
pub(crate) enum Compound {
    Brace(List),
    Subshell(List),
    If {
        branches: Vec<(List, List)>,
        otherwise: Option<List>,
    },
    For {
        name: String,
        words: Option<Vec<Word>>,
        body: List,
    },
    Case {
        word: Word,
        arms: Vec<(Vec<Word>, List)>,
    },
    Loop {
        until: bool,
        condition: List,
        body: List,
    },
}

/// Commands joined by `|`.
#[derive(Debug)]
pub(crate) struct Pipeline {
    pub(crate) negated: bool,
    pub(crate) commands: Vec<Command>,
}

/// How a pipeline depends on the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Join {
    Always,
    And,
    Or,
}

/// Pipelines joined by `&&` and `||`.
#[derive(Debug)]
pub(crate) struct AndOr {
    pub(crate) pipelines: Vec<(Join, Pipeline)>,
    pub(crate) background: bool,
    /// The source, for `jobs`.
    pub(crate) text: String,
}

/// Commands in order.
pub(crate) type List = Vec<AndOr>;
