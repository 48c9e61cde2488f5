//! The machine: runs programs on a stack in the heap.
//!
//! Everything that the machine holds is in the array that its one shadow frame has, or is a number. So instructions
//! work with plain references and take `&self`; those that may collect take `&mut self`, and the compiler sees to it
//! that they have none.

use crate::code::{Op, Program, instruction};
use ironwall_rs::{Class, Error, Frame, Gc, Heap, Limits, Memory, Small, UnitImage, Value, unit};
use std::cell::Cell;
use std::io::{self, Write};

unit! {
    /// The machine's structures.
    unit Vm("ironwall.example", "vm") {
        /// Values; the machine's stack is one too.
        heap Array {} [Dynamic]
        /// Bytes.
        heap Text {} [u8]
        /// A function with what it captured.
        heap Closure { function: u32 } [Dynamic]
        /// What the machine holds.
        frame Main { stack: Ref<Array> }
    }
}

/// How many values the stack has.
const STACK: u64 = 20_000;
/// How many calls there are at a time.
const MAX_CALLS: usize = 5_000;

/// Why a program ended early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trap {
    /// An operand is missing.
    #[error("the stack has no operand")]
    Underflow,
    /// The stack is full.
    #[error("calls are nested too deeply, or the stack is full")]
    Overflow,
    /// A value is of another type.
    #[error("{0} is needed")]
    Type(&'static str),
    /// A function was called with too many arguments, or too few.
    #[error("{name} takes {expected} arguments and not {found}")]
    Arguments {
        /// The function.
        name: String,
        /// How many it takes.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// A division by zero.
    #[error("division by zero")]
    Zero,
    /// A number that needs more than 63 bits.
    #[error("the number needs more than 63 bits")]
    Number,
    /// The program took more steps than it may.
    #[error("the program takes more steps than it may")]
    Steps,
    /// The heap refused: it is full, or there is no such element.
    #[error(transparent)]
    Heap(#[from] Error),
    /// Printing failed.
    #[error("cannot print: {0}")]
    Print(#[from] io::Error),
}

/// Where a program trapped.
#[derive(Debug, thiserror::Error)]
#[error("function {function}, byte {at} of its code: {trap}")]
pub(crate) struct Stopped {
    function: String,
    at: usize,
    trap: Trap,
}

/// How a program runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    /// The bytes of the heap.
    pub(crate) heap_len: usize,
    /// Whether every call collects.
    pub(crate) zeal: bool,
    /// The most steps.
    pub(crate) steps: u64,
}

/// Runs a program that was checked, and prints to `out`.
///
/// # Errors
/// Where it trapped and why, or why there is no heap.
pub(crate) fn run(
    program: &Program,
    settings: Settings,
    out: &mut dyn Write,
) -> Result<(), Box<dyn std::error::Error>> {
    let mut memory = Memory::new(Limits { zeal: settings.zeal, ..Limits::of(settings.heap_len) })?;
    let ended = memory.run(&mut [UnitImage::of::<Vm>()?], |heap| {
        let classes = Classes { array: heap.class()?, text: heap.class()?, closure: heap.class()? };
        let main = heap.class::<Main>()?;
        let mut frame = heap.push(main)?;
        frame.set_local(Main::stack, Some(frame.allocate_with(classes.array, STACK)?))?;
        let mut machine = Machine {
            program,
            frame: &mut frame,
            classes,
            calls: Vec::new(),
            at: Cell::default(),
            function: 0,
            base: 0,
            top: Cell::default(),
        };
        Ok(machine.run(settings.steps, out).map_err(|trap| {
            let function = program.functions[machine.function].name.clone();
            Stopped { function, at: machine.at.get(), trap }
        }))
    })?;
    Ok(ended?)
}

/// The bytes of two strings.
type Texts = (Vec<u8>, Vec<u8>);

/// The structures in the heap.
#[derive(Clone, Copy)]
struct Classes<'id> {
    array: Class<'id, Array>,
    text: Class<'id, Text>,
    closure: Class<'id, Closure>,
}

/// A call that waits for its callee: where it goes on. Its values are on the stack.
struct Call {
    function: usize,
    at: usize,
    base: u64,
}

/// A machine. The callee is at `base` of its stack, its locals follow, then its operands, to `top`.
struct Machine<'p, 'f, 'h, 'id> {
    program: &'p Program,
    frame: &'f mut Frame<'h, 'id, Main>,
    classes: Classes<'id>,
    calls: Vec<Call>,
    function: usize,
    /// The instruction that is run.
    at: Cell<usize>,
    base: u64,
    top: Cell<u64>,
}

impl<'id> Machine<'_, '_, '_, 'id> {
    fn run(&mut self, steps: u64, out: &mut dyn Write) -> Result<(), Trap> {
        let closure = self.frame.allocate_with(self.classes.closure, 0)?;
        self.push(closure.into())?;
        self.enter(0, 0)?;
        let mut at = 0;
        for _ in 0..steps {
            self.at.set(at);
            // A program that was checked has an instruction wherever this one leads.
            let Some((op, operand, next)) = instruction(&self.program.functions[self.function].code, at) else {
                return Err(Trap::Type("an instruction"));
            };
            at = next;
            match op {
                Op::Jump => at = operand as usize,
                Op::JumpNil if self.pop()? == Value::Nil => at = operand as usize,
                Op::JumpNil => {}
                Op::Call => {
                    let call = Call { function: self.function, at: next, base: self.base };
                    let function = self.callee(operand as u64)?;
                    if self.calls.len() == MAX_CALLS {
                        return Err(Trap::Overflow);
                    }
                    self.calls.push(call);
                    self.enter(function, operand as u64)?;
                    at = 0;
                    self.frame.may_collect()?;
                }
                Op::TailCall => {
                    let function = self.callee(operand as u64)?;
                    self.slide(operand as u64 + 1)?;
                    self.enter(function, operand as u64)?;
                    at = 0;
                    self.frame.may_collect()?;
                }
                Op::Return => {
                    self.slide(1)?;
                    let Some(call) = self.calls.pop() else { return Ok(()) };
                    (self.function, at, self.base) = (call.function, call.at, call.base);
                }
                Op::Gc => {
                    let live = self.frame.collect(0)?.live;
                    self.push(small(i64::try_from(live).ok())?)?;
                }
                Op::Print => self.print(self.pop()?, out)?,
                _ => self.simple(op, operand)?,
            }
        }
        Err(Trap::Steps)
    }

    /// The instructions that neither collect nor go elsewhere.
    fn simple(&self, op: Op, operand: i64) -> Result<(), Trap> {
        let heap: &Heap<'id> = self.frame;
        match op {
            Op::Nil => self.push(Value::Nil),
            Op::Int => self.push(small(Some(operand))?),
            Op::Str => {
                let string = &self.program.strings[operand as usize];
                self.push(heap.allocate_bytes(self.classes.text, string)?.into())
            }
            Op::Local => self.push(heap.element(self.stack()?, self.base + 1 + operand as u64)?),
            Op::Set => Ok(heap.set_element(self.stack()?, self.base + 1 + operand as u64, self.pop()?)?),
            Op::Captured => {
                let callee = heap.element(self.stack()?, self.base)?;
                self.push(heap.element(self.cast(self.classes.closure, callee, "a function")?, operand as u64)?)
            }
            Op::Closure => {
                let captures = self.program.functions[operand as usize].captures as u64;
                let closure = heap.allocate_with(self.classes.closure, captures)?;
                heap.set(closure, Closure::function, operand as u32)?;
                for i in (0..captures).rev() {
                    heap.set_element(closure, i, self.pop()?)?;
                }
                self.push(closure.into())
            }
            Op::Pop => self.pop().map(drop),
            Op::Dup => {
                let value = self.pop()?;
                self.push(value)?;
                self.push(value)
            }
            Op::Same => {
                let (second, first) = (self.pop()?, self.pop()?);
                let is_same =
                    first == second || self.texts(first, second)?.is_some_and(|(first, second)| first == second);
                self.push(truth(is_same))
            }
            Op::Array => {
                let count = u64::try_from(self.number()?).map_err(|_| Trap::Type("a length"))?;
                self.push(heap.allocate_with(self.classes.array, count)?.into())
            }
            Op::Get => {
                let (index, array) = (self.index()?, self.cast(self.classes.array, self.pop()?, "an array")?);
                self.push(heap.element(array, index)?)
            }
            Op::Put => {
                let (value, index) = (self.pop()?, self.index()?);
                let array = self.cast(self.classes.array, self.pop()?, "an array")?;
                Ok(heap.set_element(array, index, value)?)
            }
            Op::Length => {
                let value = self.pop()?;
                let count = match self.cast(self.classes.array, value, "an array or a string") {
                    Ok(array) => heap.count(array)?,
                    Err(_) => heap.count(self.cast(self.classes.text, value, "an array or a string")?)?,
                };
                self.push(small(i64::try_from(count).ok())?)
            }
            Op::Concat => {
                let (second, first) = (self.pop()?, self.pop()?);
                let (mut bytes, rest) = self.texts(first, second)?.ok_or(Trap::Type("a string"))?;
                bytes.extend(rest);
                self.push(heap.allocate_bytes(self.classes.text, &bytes)?.into())
            }
            Op::Digits => {
                let digits = self.number()?.to_string();
                self.push(heap.allocate_bytes(self.classes.text, digits.as_bytes())?.into())
            }
            _ => self.arithmetic(op),
        }
    }

    fn arithmetic(&self, op: Op) -> Result<(), Trap> {
        let (second, first) = (self.number()?, self.number()?);
        let result = match op {
            Op::Add => first.checked_add(second),
            Op::Sub => first.checked_sub(second),
            Op::Mul => first.checked_mul(second),
            Op::Div | Op::Rem if second == 0 => return Err(Trap::Zero),
            Op::Div => first.checked_div(second),
            Op::Rem => first.checked_rem(second),
            _ => return self.push(truth(first < second)),
        };
        self.push(small(result)?)
    }

    /// The function that is below so many arguments, if it takes them.
    fn callee(&self, count: u64) -> Result<usize, Trap> {
        let at = self.top.get().checked_sub(count + 1).filter(|at| *at >= self.operands());
        let callee = self.frame.element(self.stack()?, at.ok_or(Trap::Underflow)?)?;
        let closure = self.cast(self.classes.closure, callee, "a function")?;
        let number = self.frame.get(closure, Closure::function)? as usize;
        let function = &self.program.functions[number];
        if function.parameters as u64 != count {
            let (name, expected) = (function.name.clone(), function.parameters);
            return Err(Trap::Arguments { name, expected, found: count as usize });
        }
        Ok(number)
    }

    /// Makes a function with its arguments on top the one that is run.
    fn enter(&mut self, function: usize, count: u64) -> Result<(), Trap> {
        (self.function, self.base) = (function, self.top.get() - count - 1);
        for _ in count..self.program.functions[function].locals as u64 {
            self.push(Value::Nil)?;
        }
        Ok(())
    }

    /// Moves the topmost values down to where the function's own begin, and clears what was above.
    fn slide(&self, count: u64) -> Result<(), Trap> {
        let stack = self.stack()?;
        let from = self.top.get().checked_sub(count).filter(|from| *from >= self.operands());
        let from = from.ok_or(Trap::Underflow)?;
        for i in 0..count {
            self.frame.set_element(stack, self.base + i, self.frame.element(stack, from + i)?)?;
        }
        for at in self.base + count..self.top.get() {
            self.frame.set_element(stack, at, Value::Nil)?;
        }
        self.top.set(self.base + count);
        Ok(())
    }

    /// Where the operands of the function that is run begin.
    fn operands(&self) -> u64 {
        self.base + 1 + self.program.functions[self.function].locals as u64
    }

    fn stack(&self) -> Result<Gc<'_, 'id, Array>, Trap> {
        self.frame.local(Main::stack)?.ok_or(Trap::Underflow)
    }

    fn push(&self, value: Value<'_, 'id>) -> Result<(), Trap> {
        let top = self.top.get();
        if top == STACK {
            return Err(Trap::Overflow);
        }
        self.frame.set_element(self.stack()?, top, value)?;
        self.top.set(top + 1);
        Ok(())
    }

    /// Pops a value; the stack does not hold it any more.
    fn pop(&self) -> Result<Value<'_, 'id>, Trap> {
        let at = self.top.get().checked_sub(1).filter(|at| *at >= self.operands()).ok_or(Trap::Underflow)?;
        let stack = self.stack()?;
        let value = self.frame.element(stack, at)?;
        self.frame.set_element(stack, at, Value::Nil)?;
        self.top.set(at);
        Ok(value)
    }

    fn number(&self) -> Result<i64, Trap> {
        if let Value::Small(number) = self.pop()? { Ok(number.get()) } else { Err(Trap::Type("a number")) }
    }

    fn index(&self) -> Result<u64, Trap> {
        u64::try_from(self.number()?).map_err(|_| Trap::Type("an index"))
    }

    fn cast<T: ironwall_rs::Structure>(
        &self,
        class: Class<'id, T>,
        value: Value<'_, 'id>,
        what: &'static str,
    ) -> Result<Gc<'_, 'id, T>, Trap> {
        let Value::Object(object) = value else { return Err(Trap::Type(what)) };
        class.cast(self.frame, object)?.ok_or(Trap::Type(what))
    }

    /// The bytes of two strings, if they are such.
    fn texts(&self, first: Value<'_, 'id>, second: Value<'_, 'id>) -> Result<Option<Texts>, Trap> {
        let text = |value| self.cast(self.classes.text, value, "a string").ok();
        let (Some(first), Some(second)) = (text(first), text(second)) else { return Ok(None) };
        Ok(Some((self.frame.bytes(first)?, self.frame.bytes(second)?)))
    }

    fn print(&self, value: Value<'_, 'id>, out: &mut dyn Write) -> Result<(), Trap> {
        match value {
            Value::Nil => writeln!(out, "nil")?,
            Value::Small(number) => writeln!(out, "{}", number.get())?,
            Value::Object(_) => {
                if let Ok(text) = self.cast(self.classes.text, value, "a string") {
                    out.write_all(&self.frame.bytes(text)?)?;
                    writeln!(out)?;
                } else if let Ok(array) = self.cast(self.classes.array, value, "an array") {
                    writeln!(out, "array of {}", self.frame.count(array)?)?;
                } else {
                    let closure = self.cast(self.classes.closure, value, "a function")?;
                    let number = self.frame.get(closure, Closure::function)? as usize;
                    writeln!(out, "function {}", self.program.functions[number].name)?;
                }
            }
        }
        Ok(())
    }
}

fn small<'g, 'id>(number: Option<i64>) -> Result<Value<'g, 'id>, Trap> {
    number.and_then(Small::new).map(Value::Small).ok_or(Trap::Number)
}

fn truth<'g, 'id>(is_true: bool) -> Value<'g, 'id> {
    if is_true { Value::Small(Small::from(1)) } else { Value::Nil }
}
