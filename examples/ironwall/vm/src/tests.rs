//! Programs of all kinds: good ones, wrong ones, and ones whose bytes are damaged.

use crate::assemble::assemble;
use crate::code::{Function, Op, Program, emit};
use crate::machine::{Settings, run};

const SETTINGS: Settings = Settings { heap_len: 1 << 20, zeal: false, steps: 100_000 };

/// What a program prints, and why it ended early.
fn outcome(program: &Program, settings: Settings) -> (String, Option<String>) {
    let mut out = Vec::new();
    let error = run(program, settings, &mut out).err().map(|error| error.to_string());
    (String::from_utf8_lossy(&out).into_owned(), error)
}

/// Runs the lines of `main`, which must end with `return`.
fn check(body: &str, printed: &str, error: Option<&str>) {
    let program = assemble(&format!("function main\n{body}")).expect("a program");
    let (text, found) = outcome(&program, SETTINGS);
    let found = found.map(|found| found.split_once(": ").map_or(found.clone(), |(_, why)| why.to_owned()));
    assert_eq!((text.as_str(), found.as_deref()), (printed, error), "{body}");
}

fn refused(text: &str, problem: &str) {
    let error = assemble(text).expect_err("refused").to_string();
    assert!(error.contains(problem), "{error}");
}

#[test]
fn traps_say_what_is_wrong() {
    check("pop\nnil\nreturn", "", Some("the stack has no operand"));
    check("int 1\nnil\nadd\nreturn", "", Some("a number is needed"));
    check("int 1\nint 0\ndiv\nreturn", "", Some("division by zero"));
    check("int 4611686018427387903\nint 1\nadd\nreturn", "", Some("the number needs more than 63 bits"));
    check("nil\ncall 0\nreturn", "", Some("a function is needed"));
    check("closure main\nint 1\ncall 1\nreturn", "", Some("main takes 0 arguments and not 1"));
    check("call 3\nreturn", "", Some("the stack has no operand"));
    check("int -1\narray\nreturn", "", Some("a length is needed"));
    check("int 3\narray\nint 3\nget\nreturn", "", Some("there is no element 3 in an object of 3"));
    check("string \"a\"\nint 0\nget\nreturn", "", Some("an array is needed"));
    check("int 1000000\narray\nreturn", "", Some("the runtime refused: OutOfMemory"));
    check("int 4611686018427387903\narray\nreturn", "", Some("the runtime refused: BadExtent"));
    check("again:\njump again", "", Some("the program takes more steps than it may"));
    check("again:\nnil\njump again", "", Some("calls are nested too deeply, or the stack is full"));
    check("closure main\ncall 0\nreturn", "", Some("calls are nested too deeply, or the stack is full"));
    check("string \"a\"\nint 1\nconcat\nreturn", "", Some("a string is needed"));
}

#[test]
fn values_are_printed() {
    let body = "string \"a;\\n\\\"\" ; comment\nprint\nnil\nprint\nint -5\nprint\nclosure main\nprint\nint 2\narray\n\
        dup\nprint\nlength\nprint\nstring \"ab\"\ndup\nlength\nprint\nstring \"ab\"\nsame\nprint\nint 3\ndigits\nprint\nnil\nreturn";
    check(body, "a;\n\"\nnil\n-5\nfunction main\narray of 2\n2\n2\n1\n3\n", None);
}

#[test]
fn texts_that_are_no_programs_are_refused_with_their_line() {
    refused("", "line 1: byte 4: there is no function");
    refused("nil", "line 1: this belongs to no function");
    refused("function main\n frobnicate", "line 2: there is no instruction frobnicate");
    refused("function main\nnil", "does not end with return, jump or tailcall");
    refused("function main a\nreturn", "the first function takes nothing");
    refused("function main\njump away\nreturn", "there is no label away");
    refused("function main\na:\na:\nreturn", "line 3: there is a label a already");
    refused("function main\nlocal x\nreturn", "line 2: there is nothing called x");
    refused("function main\nlocals x x\nreturn", "line 2: there is a name x already");
    refused("function main\nint\nreturn", "line 2: int takes an operand");
    refused("function main\nint 4611686018427387904\nreturn", "is no number that int takes");
    refused("function main\ncall 256\nreturn", "is no number that call takes");
    refused("function main\nnil 1\nreturn", "nil takes no 1");
    refused("function main\nint 1 2\nreturn", "int takes no 2");
    refused("function main\nstring \"a\nreturn", "line 2: the string does not end");
    refused("function main\nstring \"a\" b\nreturn", "nothing follows a string");
    refused("function main\nclosure f\nreturn", "there is no function f");
    refused("function main\nreturn\nfunction main\nreturn", "line 3: there is a function main already");
}

fn program(code: &[(Op, i64)]) -> Program {
    let mut function = Function { name: "main".into(), locals: 1, ..Function::default() };
    code.iter().for_each(|(op, operand)| emit(&mut function.code, *op, *operand));
    Program { strings: vec![b"text".to_vec()], functions: vec![function] }
}

#[test]
fn bytes_that_are_no_program_are_refused_with_their_place() {
    let refused = |code: &[(Op, i64)], problem: &str| {
        let error = Program::decode(&program(code).encode()).expect_err("refused").to_string();
        assert!(error.starts_with("function main, byte ") && error.contains(problem), "{error}");
    };
    refused(&[(Op::Local, 1), (Op::Return, 0)], "byte 0 of its code: local 1: there is none");
    refused(&[(Op::Nil, 0), (Op::Str, 1), (Op::Return, 0)], "byte 1 of its code: string 1: there is none");
    refused(&[(Op::Closure, 7), (Op::Return, 0)], "closure 7: there is none");
    refused(&[(Op::Captured, 0), (Op::Return, 0)], "captured 0: there is none");
    refused(&[(Op::Int, i64::MAX), (Op::Return, 0)], "there is none");
    refused(&[(Op::Int, 0), (Op::Jump, 3)], "byte 9 of its code: no instruction begins at 3");
    refused(&[(Op::Nil, 0)], "byte 1 of its code: the function does not end");
    refused(&[], "the function does not end");
    let mut bad = program(&[(Op::Return, 0)]);
    bad.functions[0].code[0] = 200;
    let error = Program::decode(&bad.encode()).expect_err("refused").to_string();
    assert_eq!(error, "function main, byte 0 of its code: there is no such instruction, or it is cut off");
}

#[test]
fn damaged_bytes_never_do_more_than_trap() {
    let text = include_str!("../programs/closures.iva");
    let good = assemble(text).expect("a program");
    let bytes = good.encode();
    assert_eq!(Program::decode(&bytes), Ok(good));
    for len in 0..bytes.len() {
        assert!(Program::decode(&bytes[..len]).is_err(), "{len} bytes");
    }
    let mut ran = 0;
    for at in 0..bytes.len() {
        for change in [1, 2, 0x80, 0xff] {
            let mut damaged = bytes.clone();
            damaged[at] ^= change;
            if let Ok(program) = Program::decode(&damaged) {
                // Whatever it does, it ends, and nothing panics.
                outcome(&program, Settings { steps: 2_000, heap_len: 1 << 19, ..SETTINGS });
                ran += 1;
            }
        }
    }
    assert!(ran > 100, "{ran}");
}

#[test]
fn programs_print_what_is_expected_also_when_every_call_collects() {
    for (text, expected) in [
        (include_str!("../programs/closures.iva"), include_str!("../expected/closures")),
        (include_str!("../programs/primes.iva"), include_str!("../expected/primes")),
        (include_str!("../programs/strings.iva"), include_str!("../expected/strings")),
        (include_str!("../programs/garbage.iva"), include_str!("../expected/garbage")),
    ] {
        let program = assemble(text).expect("a program");
        for zeal in [false, true] {
            let settings = Settings { zeal, steps: u64::MAX, heap_len: 4 << 20 };
            assert_eq!(outcome(&program, settings), (expected.to_owned(), None));
        }
    }
}
