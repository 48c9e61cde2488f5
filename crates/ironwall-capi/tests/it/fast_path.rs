//! What compilers make of inline allocation, taken apart.

use crate::tools::{AARCH64, Target, X86_64, here, run, scratch};
use std::process::Command;

const SOURCE: &str = "#include \"ironwall.h\"\n\
    iw_ref make(iw_runtime *heap, iw_entry entry) { return iw_new(heap, entry); }\n\
    void set(uint64_t *slot, iw_ref value) { *slot = value; }\n";

/// The instructions of a function that is compiled with `-O2`: mnemonic and operands.
fn instructions(target: &Target, function: &str) -> Vec<(String, String)> {
    let dir = scratch(&format!("fast-path-{}-{function}", target.name));
    let (source, object) = (dir.join("make.c"), dir.join("make.o"));
    std::fs::write(&source, SOURCE).expect("a source");
    let include = here().join("include");
    run(Command::new(target.gcc).args(["-O2", "-std=c11", "-c", "-I"]).arg(include).arg(source).arg("-o").arg(&object));
    let listing = run(Command::new(target.objdump)
        .args(["-d", "--no-show-raw-insn", &format!("--disassemble={function}")])
        .arg(object));
    let lines = listing.lines().filter_map(|line| line.split_once(":\t"));
    let split = |text: &str| {
        let (name, operands) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        (name.to_owned(), operands.trim().to_owned())
    };
    lines.map(|(_, text)| split(text)).collect()
}

/// The path that is taken while there is room: conditional branches not taken, to the first return.
fn taken_path(target: &Target, function: &str) -> Vec<(String, String)> {
    let all = instructions(target, function);
    let end = all.iter().position(|(name, _)| name.starts_with("ret")).expect("a return");
    all[..=end].to_vec()
}

fn is_conditional(name: &str) -> bool {
    let x86 = name.starts_with('j') && name != "jmp";
    x86 || name.starts_with("b.") || ["cbz", "cbnz", "tbz", "tbnz"].contains(&name)
}

fn check(target: &Target) {
    let path = taken_path(target, "make");
    let all: Vec<String> = path.iter().map(|(name, operands)| format!("{name} {operands}")).collect();
    let listing = all.join("\n");
    for (name, operands) in &path {
        let calls = name.starts_with("call") || ["bl", "blr", "jmp", "b", "br", "svc", "syscall"].contains(&&**name);
        assert!(!calls, "{}: a call in\n{listing}", target.name);
        let atomics = ["lock", "xchg", "cmpxchg", "xadd", "mfence", "lfence", "sfence", "dmb", "dsb", "isb"];
        let exclusives =
            ["ld", "st"].iter().any(|memory| name.starts_with(memory) && name[2..].starts_with(['a', 'x', 'l']));
        let is_atomic = atomics.iter().any(|atomic| name.starts_with(atomic))
            || exclusives
            || ["cas", "swp"].iter().any(|atomic| name.starts_with(atomic));
        assert!(!is_atomic, "{}: an atomic in\n{listing}", target.name);
        assert!(!operands.contains("%fs") && !operands.contains("%gs") && !operands.contains("rip"), "{listing}");
    }
    // The only question is whether there is room in the hole; a flag would be a second one.
    let questions = path.iter().filter(|(name, _)| is_conditional(name)).count();
    assert_eq!(questions, 1, "{}:\n{listing}", target.name);
    assert!(path.len() <= 32, "{}: {} instructions\n{listing}", target.name, path.len());
}

#[test]
fn r1_c_allocation_has_no_call_no_atomic_and_no_flag_on_x86_64() {
    check(&X86_64);
}

#[test]
fn r1_c_allocation_has_no_call_no_atomic_and_no_flag_on_aarch64() {
    check(&AARCH64);
}

#[test]
fn r3_2_c_a_store_is_one_store() {
    for (target, store) in [(X86_64, "mov"), (AARCH64, "str")] {
        let path = taken_path(&target, "set");
        let names: Vec<&str> = path.iter().map(|(name, _)| &**name).filter(|name| *name != "endbr64").collect();
        assert_eq!(names, [store, "ret"], "{}", target.name);
    }
}
