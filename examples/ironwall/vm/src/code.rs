//! Programs: instructions, their bytes, and what has to hold before they run.
//!
//! A program is strings and functions. [`Program::decode`] reads one from bytes of any origin, and checks it: what it
//! gives has no instruction that is none, no operand that names nothing, and no jump between instructions.

use std::collections::HashSet;

/// The first bytes of a program.
pub(crate) const MAGIC: [u8; 4] = *b"IVM1";
/// The most locals, captured values or arguments.
const MAX_NAMES: usize = 255;

/// What an operand is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operand {
    /// There is none.
    None,
    /// A number of 63 bits, in 8 bytes.
    Number,
    /// The number of a string.
    String,
    /// The number of a local.
    Local,
    /// The number of a captured value.
    Captured,
    /// The number of a function.
    Function,
    /// A count of arguments.
    Count,
    /// The offset of an instruction of the same function.
    Target,
}

macro_rules! instructions {
    ($($(#[$about:meta])* $name:ident = $text:literal $operand:ident;)*) => {
        /// An instruction without its operand.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub(crate) enum Op { $($(#[$about])* $name),* }

        impl Op {
            /// All of them, by number.
            pub(crate) const ALL: &'static [Op] = &[$(Op::$name),*];

            /// What it is called.
            pub(crate) fn text(self) -> &'static str {
                match self { $(Op::$name => $text),* }
            }

            /// Its operand.
            pub(crate) fn operand(self) -> Operand {
                match self { $(Op::$name => Operand::$operand),* }
            }
        }
    };
}

instructions! {
    /// Pushes nothing.
    Nil = "nil" None;
    /// Pushes a number.
    Int = "int" Number;
    /// Pushes a string.
    Str = "string" String;
    /// Pushes a local.
    Local = "local" Local;
    /// Pops a local.
    Set = "set" Local;
    /// Pushes a captured value.
    Captured = "captured" Captured;
    /// Pops what a function captures, and pushes the function.
    Closure = "closure" Function;
    /// Calls the function below so many arguments, which go with it; pushes what it returns.
    Call = "call" Count;
    /// The same as the last thing of a function, without room of its own.
    TailCall = "tailcall" Count;
    /// Ends a function with the value on top.
    Return = "return" None;
    /// Goes on elsewhere.
    Jump = "jump" Target;
    /// Pops, and goes on elsewhere if that was nothing.
    JumpNil = "jumpnil" Target;
    /// Pops.
    Pop = "pop" None;
    /// Pushes the value on top once more.
    Dup = "dup" None;
    /// Pops two numbers, pushes their sum.
    Add = "add" None;
    /// Their difference.
    Sub = "sub" None;
    /// Their product.
    Mul = "mul" None;
    /// Their quotient.
    Div = "div" None;
    /// Its remainder.
    Rem = "rem" None;
    /// Pushes 1 if the first is less than the second, else nothing.
    Less = "less" None;
    /// Pops two values, pushes 1 if they are the same number, string or object, else nothing.
    Same = "same" None;
    /// Pops a length, pushes an array of so many times nothing.
    Array = "array" None;
    /// Pops array and index, pushes the element.
    Get = "get" None;
    /// Pops array, index and value, which becomes the element.
    Put = "put" None;
    /// Pops an array or a string, pushes its length.
    Length = "length" None;
    /// Pops two strings, pushes one.
    Concat = "concat" None;
    /// Pops a number, pushes its digits.
    Digits = "digits" None;
    /// Pops and prints a value.
    Print = "print" None;
    /// Collects, and pushes how many objects live.
    Gc = "gc" None;
}

/// A function.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Function {
    /// Its name, for messages.
    pub(crate) name: String,
    /// How many arguments it takes; they are its first locals.
    pub(crate) parameters: usize,
    /// How many locals it has.
    pub(crate) locals: usize,
    /// How many values it captures.
    pub(crate) captures: usize,
    /// Its instructions.
    pub(crate) code: Vec<u8>,
}

/// A program; its first function is where it begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Program {
    /// Its strings.
    pub(crate) strings: Vec<Vec<u8>>,
    /// Its functions.
    pub(crate) functions: Vec<Function>,
}

/// Why bytes are no program.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CodeError {
    /// It is not as the format says.
    #[error("byte {at}: {problem}")]
    Format {
        /// The offset in the file.
        at: usize,
        /// What is wrong.
        problem: &'static str,
    },
    /// An instruction cannot be run.
    #[error("function {function}, byte {at} of its code: {problem}")]
    Code {
        /// The function's name.
        function: String,
        /// The offset in its code.
        at: usize,
        /// What is wrong.
        problem: String,
    },
}

/// The instruction at an offset, its operand, and the offset behind it; `None` if it is none or is cut off.
pub(crate) fn instruction(code: &[u8], at: usize) -> Option<(Op, i64, usize)> {
    let op = *Op::ALL.get(usize::from(*code.get(at)?))?;
    let rest = &code[at + 1..];
    match op.operand() {
        Operand::None => Some((op, 0, at + 1)),
        Operand::Number => Some((op, i64::from_le_bytes(*rest.first_chunk()?), at + 9)),
        _ => Some((op, u32::from_le_bytes(*rest.first_chunk()?).into(), at + 5)),
    }
}

/// Adds an instruction to code.
pub(crate) fn emit(code: &mut Vec<u8>, op: Op, operand: i64) {
    code.push(op as u8);
    match op.operand() {
        Operand::None => {}
        Operand::Number => code.extend(operand.to_le_bytes()),
        _ => code.extend((operand as u32).to_le_bytes()),
    }
}

impl Program {
    /// Its bytes.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::from(MAGIC);
        let block = |bytes: &mut Vec<u8>, block: &[u8]| {
            bytes.extend((block.len() as u32).to_le_bytes());
            bytes.extend_from_slice(block);
        };
        bytes.extend((self.strings.len() as u32).to_le_bytes());
        self.strings.iter().for_each(|string| block(&mut bytes, string));
        bytes.extend((self.functions.len() as u32).to_le_bytes());
        for function in &self.functions {
            bytes.extend([function.parameters, function.locals, function.captures].map(|count| count as u8));
            block(&mut bytes, function.name.as_bytes());
            block(&mut bytes, &function.code);
        }
        bytes
    }

    /// Reads a program and checks it.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, CodeError> {
        let mut reader = Reader { bytes, at: 0 };
        if reader.take(4)? != MAGIC {
            return Err(CodeError::Format { at: 0, problem: "this is no program" });
        }
        let mut program = Self::default();
        for _ in 0..reader.number()? {
            program.strings.push(reader.block()?.to_vec());
        }
        for _ in 0..reader.number()? {
            let &[parameters, locals, captures] = reader.take(3)? else { continue };
            let [parameters, locals, captures] = [parameters, locals, captures].map(usize::from);
            let at = reader.at;
            let name = std::str::from_utf8(reader.block()?);
            let name = name.map_err(|_| CodeError::Format { at, problem: "a name is no text" })?.escape_default();
            let code = reader.block()?.to_vec();
            program.functions.push(Function { name: name.to_string(), parameters, locals, captures, code });
        }
        if reader.at != bytes.len() {
            return Err(CodeError::Format { at: reader.at, problem: "there is more than a program" });
        }
        program.check()?;
        Ok(program)
    }

    /// Checks what the machine relies on.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub(crate) fn check(&self) -> Result<(), CodeError> {
        let Some(main) = self.functions.first() else {
            return Err(CodeError::Format { at: 4, problem: "there is no function" });
        };
        let wrong = |function: &Function, at: usize, problem: String| {
            Err(CodeError::Code { function: function.name.clone(), at, problem })
        };
        if main.parameters + main.captures > 0 {
            return wrong(main, 0, "the first function takes nothing and captures nothing".into());
        }
        for function in &self.functions {
            if function.parameters > function.locals || function.locals.max(function.captures) > MAX_NAMES {
                return wrong(function, 0, "it has more parameters than locals, or more than 255 of something".into());
            }
            let (mut at, mut starts, mut targets) = (0, HashSet::new(), Vec::new());
            let mut last = None;
            while at < function.code.len() {
                let Some((op, operand, next)) = instruction(&function.code, at) else {
                    return wrong(function, at, "there is no such instruction, or it is cut off".into());
                };
                if op.operand() == Operand::Target {
                    targets.push((at, operand as usize));
                } else if !self.names(function, op, operand) {
                    return wrong(function, at, format!("{} {operand}: there is none", op.text()));
                }
                starts.insert(at);
                (at, last) = (next, Some(op));
            }
            if !matches!(last, Some(Op::Return | Op::Jump | Op::TailCall)) {
                return wrong(function, at, "the function does not end with return, jump or tailcall".into());
            }
            if let Some((at, target)) = targets.into_iter().find(|(_, target)| !starts.contains(target)) {
                return wrong(function, at, format!("no instruction begins at {target}"));
            }
        }
        Ok(())
    }

    /// Whether an operand names something.
    fn names(&self, function: &Function, op: Op, operand: i64) -> bool {
        let count = match op.operand() {
            Operand::None | Operand::Target => return true,
            Operand::Number => return ironwall_rs::Small::new(operand).is_some(),
            Operand::String => self.strings.len(),
            Operand::Local => function.locals,
            Operand::Captured => function.captures,
            Operand::Function => self.functions.len(),
            Operand::Count => MAX_NAMES + 1,
        };
        usize::try_from(operand).is_ok_and(|operand| operand < count)
    }
}

/// Reads bytes, of which there may be too few.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> Result<&'a [u8], CodeError> {
        let end = self.at.checked_add(len).filter(|&end| end <= self.bytes.len());
        let end = end.ok_or(CodeError::Format { at: self.at, problem: "the program ends here" })?;
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }

    fn number(&mut self) -> Result<usize, CodeError> {
        let bytes = self.take(4)?.first_chunk().copied().unwrap_or_default();
        Ok(u32::from_le_bytes(bytes) as usize)
    }

    fn block(&mut self) -> Result<&'a [u8], CodeError> {
        let len = self.number()?;
        self.take(len)
    }
}
