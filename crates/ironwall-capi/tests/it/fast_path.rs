//! What compilers make of inline allocation, taken apart.

use crate::tools::{AARCH64, Target, X86_64, here, run, scratch};
use ironwall_format::describe::Description;
use std::process::Command;

const SOURCE: &str = "#include \"ironwall.h\"\n\
    iw_ref make(iw_runtime *heap, iw_entry entry) { return iw_new(heap, entry); }\n\
    void set(uint64_t *slot, iw_ref value) { *slot = value; }\n\
    #include \"names.h\"\n\
    void set_field(iw_ref entry, iw_ref value) { names_Entry_at(entry)->next = value; }\n\
    void set_local(names_locals *frame, iw_ref value) { frame->list = value; }\n\
    void set_global(iw_ref value) { names_state_block.kept = value; }\n";

/// The unit whose generated accessors are compiled.
const UNIT: &str = r#"{"package": "test", "unit": "names", "structures": [
    {"kind": "heap", "name": "Entry", "fields": [{"name": "text", "type": "ref"}, {"name": "next", "type": "ref"}]},
    {"kind": "frame", "name": "locals", "fields": [{"name": "list", "type": "ref"}]},
    {"kind": "global", "name": "state", "fields": [{"name": "kept", "type": "ref"}]}]}"#;

/// The instructions of a function that is compiled with `-O2`: mnemonic and operands.
fn instructions(target: &Target, function: &str) -> Vec<(String, String)> {
    let dir = scratch(&format!("fast-path-{}-{function}", target.name));
    let (source, object) = (dir.join("make.c"), dir.join("make.o"));
    std::fs::write(&source, SOURCE).expect("a source");
    let description = Description::parse(UNIT.as_bytes()).and_then(|unit| unit.c_files()).expect("C files");
    std::fs::write(dir.join(description.header.0), description.header.1).expect("a header");
    let include = here().join("include");
    run(Command::new(target.gcc)
        .args(["-O2", "-std=c11", "-c", "-I"])
        .arg(include)
        .arg("-I")
        .arg(&dir)
        .arg(source)
        .arg("-o")
        .arg(&object));
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
    for function in ["set", "set_field", "set_local", "set_global"] {
        for (target, store) in [(X86_64, "mov"), (AARCH64, "str")] {
            let path = taken_path(&target, function);
            // A global block's address is loaded from a table of addresses on ARM64.
            let is_address = |name: &str| function == "set_global" && ["adrp", "add", "ldr"].contains(&name);
            let is_apart = |name: &str| name == "endbr64" || is_address(name);
            let names: Vec<&str> = path.iter().map(|(name, _)| &**name).filter(|name| !is_apart(name)).collect();
            assert_eq!(names, [store, "ret"], "{function} on {}", target.name);
        }
    }
}

#[test]
fn r3_2_c_the_header_and_the_examples_have_no_barriers_and_no_atomics() {
    let examples = here().join("../../examples/ironwall");
    let mut dirs = vec![here().join("include"), here().join("src"), here().join("examples/two-libraries")];
    dirs.extend(std::fs::read_dir(&examples).expect("examples").map(|entry| entry.expect("an entry").path()));
    let mut read = 0;
    for dir in dirs.iter().filter(|dir| dir.is_dir()) {
        for entry in std::fs::read_dir(dir).expect("a directory") {
            let path = entry.expect("an entry").path();
            if !path.extension().is_some_and(|extension| extension == "c" || extension == "h") {
                continue;
            }
            read += 1;
            let text = std::fs::read_to_string(&path).expect("text").to_lowercase();
            for word in ["atomic", "__sync", "barrier", "fence", "asm"] {
                assert!(!text.contains(word), "{}: {word}", path.display());
            }
        }
    }
    assert!(read >= 7, "{read} files");
}
