//! `cargo xtask handlers`: are the engine's handlers what they must be?
//!
//! Threaded code lives by the compiler turning the call at the end of a handler
//! into a jump. Nothing in the language promises that, so this looks at the
//! machine code of a release build: a fast handler calls nothing, and every
//! handler that goes on to another ends in an indirect jump.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::shell::say;

/// Parts of the names of handlers that may not call anything.
const FAST: &[&str] = &[
    "handler4step",
    "handler4pair",
    "handler11pair_branch",
    "handler9pair_jump",
    "handler6branch",
    "handler8indirect",
    "translate9next_page",
];
/// Parts of the names of cold handlers, which call, but end in a jump.
const COLD: &[&str] = &["handler4slow", "jump9cold_jump", "translate12untranslated"];
/// There are at least as many fast handlers; fewer mean that names changed.
const EXPECTED: usize = 1000;

/// What one function does.
#[derive(Default)]
struct Function {
    name: String,
    instructions: Vec<String>,
}

impl Function {
    fn is_one_of(&self, parts: &[&str]) -> bool {
        self.name.contains("engine") && parts.iter().any(|part| self.name.contains(part))
    }

    fn calls(&self) -> impl Iterator<Item = &str> {
        self.instructions.iter().map(String::as_str).filter(|text| text.starts_with("call"))
    }

    /// A call through a register or a pointer in memory, as one of a handler is.
    /// Calls to other libraries go through a table at a fixed place.
    fn has_indirect_call(&self) -> bool {
        self.calls().any(|text| {
            text.contains("*%") || (text.contains("*0x") && !text.contains("(%rip)")) || text.contains("*(")
        })
    }

    /// A jump that leaves the function: to an address from a register, or to
    /// the start of another function.
    fn ends_in_jump(&self) -> bool {
        self.instructions.iter().any(|text| {
            let Some(target) = text.strip_prefix("jmp") else {
                return false;
            };
            target.contains('*') || (target.contains("handler") && !target.contains('+'))
        })
    }
}

fn functions(disassembly: &str) -> Vec<Function> {
    let mut all: Vec<Function> = Vec::new();
    for line in disassembly.lines() {
        if let Some(head) = line.strip_suffix(">:") {
            let name = head.split_once('<').map_or("", |(_, name)| name).to_owned();
            all.push(Function { name, instructions: Vec::new() });
        } else if let (Some((_, text)), Some(function)) = (line.split_once('\t'), all.last_mut()) {
            function.instructions.push(text.trim().to_owned());
        }
    }
    all
}

/// What is wrong with the functions of a program, and how many are fast handlers.
fn check(all: &[Function]) -> (Vec<String>, usize) {
    let mut wrong = Vec::new();
    let mut fast = 0;
    for function in all {
        let is_fast = function.is_one_of(FAST);
        fast += usize::from(is_fast);
        if is_fast && let Some(call) = function.calls().next() {
            wrong.push(format!("{} calls: {call}", function.name));
        }
        if function.is_one_of(COLD) && function.has_indirect_call() {
            wrong.push(format!("{} calls a handler instead of jumping to it", function.name));
        }
        if (is_fast || function.is_one_of(COLD)) && !function.ends_in_jump() {
            wrong.push(format!("{} does not end in a jump", function.name));
        }
    }
    (wrong, fast)
}

/// Builds the command in release mode, or takes the program named, and checks it.
///
/// # Errors
/// When a handler is not as it must be, or a tool is missing.
pub(crate) fn run(args: &[String]) -> Result<()> {
    let program = match args {
        [] => {
            let status = Command::new("cargo").args(["build", "--release", "-p", "cli"]).status().context("cargo")?;
            ensure!(status.success(), "the release build failed");
            PathBuf::from("target/release/vambrace")
        }
        [program] => PathBuf::from(program),
        _ => bail!("usage: cargo xtask handlers [PROGRAM]"),
    };
    let output = Command::new("objdump")
        .args(["-d", "--no-show-raw-insn"])
        .arg(&program)
        .output()
        .context("objdump, of the binutils, is needed")?;
    ensure!(output.status.success(), "objdump: {}", String::from_utf8_lossy(&output.stderr));
    let (wrong, fast) = check(&functions(&String::from_utf8_lossy(&output.stdout)));
    for line in &wrong {
        say(line);
    }
    ensure!(wrong.is_empty(), "{} handlers are not as they must be", wrong.len());
    ensure!(fast >= EXPECTED, "only {fast} fast handlers found; have their names changed?");
    say(&format!("{fast} fast handlers call nothing and end in a jump"));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(body: &str) -> Vec<String> {
        let text = format!("0000000000001000 <_ZN6engine6domain7handler4step17h0E>:\n{body}");
        check(&functions(&text)).0
    }

    #[test]
    fn handler_that_jumps_is_fine() {
        assert!(verdict("    1000:\tmov    (%rdi),%rax\n    1003:\tjmp    *%rax\n").is_empty());
    }

    #[test]
    fn call_and_missing_jump_are_found() {
        assert_eq!(verdict("    1000:\tcall   *%rax\n    1002:\tret\n").len(), 2);
        assert_eq!(verdict("    1000:\tcall   2000 <memcpy>\n    1002:\tjmp    *%rax\n").len(), 1);
    }

    #[test]
    fn jump_within_the_function_is_no_end() {
        assert_eq!(verdict("    1000:\tjmp    1000 <_ZN6engine6domain7handler4step17h0E+0x4>\n").len(), 1);
    }
}
