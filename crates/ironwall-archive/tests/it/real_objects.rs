//! Objects that GCC makes for both targets: what is harmless is accepted, and what acts by itself, or can be taken
//! for something else, is refused by a rule.

use ironwall_archive::pack::{Packed, pack};
use ironwall_archive::{Description, Limits, Problem, Target};
use ironwall_format::describe;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

/// The unit's table, of which `names.h` and `names.c` are made.
const TABLE: &str = r#"{"package": "ironwall.example", "unit": "names", "init": "names_start", "structures": [
    {"kind": "heap", "name": "Entry", "fields": [{"name": "text", "type": "ref"}, {"name": "next", "type": "ref"}]},
    {"kind": "heap", "name": "Text", "tail": {"name": "bytes", "type": "u8"}},
    {"kind": "frame", "name": "locals", "fields": [{"name": "list", "type": "ref"}]},
    {"kind": "global", "name": "state", "fields": [{"name": "kept", "type": "ref"}]}
]}"#;

/// The unit's code, which has whatever compilers usually make: strings, constants, tables of addresses, memory that is
/// zero, calls and switches.
const CODE: &str = r#"
#include "names.c"

static const char *const words[] = {"one", "two", "three"};
static int calls;
static __thread int depth;

iw_status names_start(iw_runtime *heap)
{
    names_state_block.kept = names_Entry_new(heap);
    return names_state_block.kept == 0 ? IW_OUT_OF_MEMORY : IW_OK;
}

IW_FRAMED double names_add(iw_runtime *heap, uint32_t which)
{
    const char *word = words[which % 3];
    size_t length = strlen(word);
    names_locals frame;
    char copy[64];
    calls += ++depth;
    names_locals_push(heap, &frame);
    frame.list = names_Entry_new(heap);
    if (frame.list != 0) {
        iw_ref text = names_Text_new(heap, length);
        if (text != 0) {
            memcpy(names_Text_bytes(text), strncpy(copy, word, sizeof copy), length);
            names_Entry_at(frame.list)->text = text;
        }
    }
    names_locals_pop(heap, &frame);
    switch (which) {
    case 1: return 0.25 * length;
    case 2: return 1.75;
    case 3: return 3.5 + depth;
    case 4: return 42.125;
    case 5: return calls;
    default: return -0.5;
    }
}
"#;

/// What the unit is said to export and to need, if that is not left to the objects.
const DECLARED: &str = r#""exports": [{"symbol": "names_add"}, {"symbol": "names_entries"}, {"symbol": "names_forget"},
        {"symbol": "names_start"}, {"symbol": "names_state_block"}],
    "requires": [{"symbol": "memcpy"}, {"symbol": "strlen"}, {"symbol": "strncpy"}],"#;

/// The object of the unit with more code and more flags; the name tells apart what runs at the same time.
fn compile(name: &str, target: Target, code: &str, flags: &[&str]) -> Vec<u8> {
    compile_file(name, target, &[CODE, code].concat(), flags)
}

/// The object of the unit's table alone.
fn compile_table(target: Target) -> Vec<u8> {
    compile_file("table", target, "#include \"names.c\"\n", &[])
}

/// The object of a source beside which the table's are.
fn compile_file(name: &str, target: Target, code: &str, flags: &[&str]) -> Vec<u8> {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("real-{name}-{}", target.name()));
    fs::create_dir_all(&dir).expect("a directory");
    let description = describe::Description::parse(TABLE.as_bytes()).expect("a table");
    let made = description.c_files().expect("sources");
    fs::write(dir.join("names.h"), made.header.1).expect("a header");
    fs::write(dir.join("names.c"), made.source.1).expect("a source");
    fs::write(dir.join("code.c"), code).expect("code");
    let compiler = match target {
        Target::Aarch64Linux => "aarch64-linux-gnu-gcc",
        Target::X86_64Linux => "x86_64-linux-gnu-gcc",
    };
    let include = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ironwall-capi/include");
    let mut command = Command::new(compiler);
    command
        .args(["-std=gnu11", "-O1", "-c", "code.c", "-o", "code.o", "-I"])
        .arg(include)
        .args(flags)
        .current_dir(&dir);
    let output = command.output().expect(compiler);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    fs::read(dir.join("code.o")).expect("an object")
}

fn packed(target: Target, object: Vec<u8>, declared: &str) -> Result<Packed, Vec<Problem>> {
    let description = format!(
        r#"{{"producer": "tests 1", "licence": "MIT", "units": [{{"table": "names.tbl", {declared}
            "symbols": {{"metadata": "namesMetadataTable", "globals": "namesGlobalTable", "init": "namesRuntimeInit"}},
            "objects": {{"{}": ["code.o"]}}}}]}}"#,
        target.name()
    );
    let description = Description::parse(description.as_bytes()).expect("a description");
    let table = describe::Description::parse(TABLE.as_bytes()).expect("a table").c_files().expect("files").image.1;
    let files = BTreeMap::from([("names.tbl".to_owned(), table), ("code.o".to_owned(), object)]);
    pack(&description, &files, None, Limits::default())
}

/// The rules that the unit with more code breaks, each once.
fn rules(name: &str, target: Target, code: &str, flags: &[&str]) -> Vec<&'static str> {
    let Err(problems) = packed(target, compile(name, target, code, flags), DECLARED) else { return Vec::new() };
    let mut rules: Vec<_> = problems.iter().map(|problem| problem.rule).collect();
    rules.sort_unstable();
    rules.dedup();
    rules
}

#[test]
fn what_compilers_usually_make_is_accepted() {
    let both: [&[&str]; 7] = [
        &["-O2"],
        &["-O0", "-g3", "-fPIC"],
        &["-O2", "-g", "-fPIC", "-ffunction-sections", "-fdata-sections"],
        &["-O3", "-g3", "-gz", "-fPIE", "-fdebug-types-section"],
        &["-Os", "-gdwarf-4", "-fstack-protector-all", "-frecord-gcc-switches"],
        &["-O1", "-fno-asynchronous-unwind-tables", "-fvisibility=hidden"],
        &["-O2", "-fexceptions", "-fsplit-stack", "-pg"],
    ];
    let x86_64: [&[&str]; 3] =
        [&["-O2", "-fcf-protection=full"], &["-O1", "-mcmodel=large"], &["-O2", "-fsanitize=undefined"]];
    let aarch64: [&[&str]; 3] =
        [&["-O2", "-mbranch-protection=standard"], &["-fno-pie", "-mcmodel=large"], &["-O2", "-mcmodel=tiny"]];
    for (target, more) in [(Target::X86_64Linux, x86_64), (Target::Aarch64Linux, aarch64)] {
        for flags in both.iter().chain(&more) {
            // Split stacks are not there for ARM64.
            let is_known = |flag: &&&str| target == Target::X86_64Linux || **flag != "-fsplit-stack";
            let flags: Vec<&str> = flags.iter().filter(is_known).copied().collect();
            let packed = packed(target, compile("good", target, "", &flags), "");
            let packed = packed.unwrap_or_else(|problems| panic!("{} {flags:?}: {problems:#?}", target.name()));
            let exports = &packed.archive.manifest().units[0].exports;
            let effects: Vec<_> = exports.iter().map(|symbol| (symbol.name.as_str(), symbol.may_collect)).collect();
            // Data does not collect; nothing is known of code.
            let expected =
                [("add", true), ("entries", false), ("forget", true), ("start", true), ("state_block", false)];
            let expected: Vec<_> = expected.iter().map(|(name, effect)| (format!("names_{name}"), *effect)).collect();
            assert!(
                effects.iter().copied().eq(expected.iter().map(|(name, effect)| (name.as_str(), *effect))),
                "{effects:?}"
            );
        }
    }
}

#[test]
fn what_is_declared_is_what_is_there() {
    for target in Target::ALL {
        assert_eq!(rules("declared", target, "", &["-O1"]), Vec::<&str>::new());
    }
}

#[test]
fn what_runs_by_itself_is_refused() {
    for target in Target::ALL {
        let check = |code: &str, flags: &[&str], rule| {
            assert_eq!(rules("running", target, code, flags), [rule], "{} {code} {flags:?}", target.name());
        };
        check("__attribute__((constructor)) static void f(void) { calls++; }", &[], "elf.section");
        check("__attribute__((constructor(200))) static void f(void) { calls++; }", &[], "elf.section");
        check("__attribute__((destructor)) static void f(void) { calls++; }", &[], "elf.section");
        for name in [".preinit_array", ".ctors", ".dtors.00010", ".init_array.1", ".jcr", ".tm_clone_table"] {
            let code = format!("__attribute__((section(\"{name}\"), used)) static void *f = &calls;");
            check(&code, &[], "elf.section");
        }
        check("__asm__(\".section .init,\\\"ax\\\"\\nnop\\n.text\");", &[], "elf.section");
        // What a static program's C library calls at its start, and at its end.
        check("__asm__(\".section .rela.iplt,\\\"a\\\"\\n.quad 0,0,0\\n.text\");", &[], "elf.section");
        check("__attribute__((section(\"__libc_atexit\"), used)) static void *f = &calls;", &[], "elf.section");
        // A set that a program goes through by the name of its section.
        check("__attribute__((section(\"my_set\"), used)) static void *f = &calls;", &[], "elf.section");
        let indirect = "static int one(void) { return 1; } static int (*pick(void))(void) { return one; }
            static int f(void) __attribute__((ifunc(\"pick\"))); int (*names_use(void))(void) { return f; }";
        check(&indirect.replace("int (*names_use", "static __attribute__((used)) int (*use"), &[], "elf.symbol-kind");
    }
}

#[test]
fn instrumentation_that_needs_constructors_is_refused() {
    let rules = rules("instruments", Target::X86_64Linux, "", &["-O1", "--coverage"]);
    assert!(rules.contains(&"elf.section"), "{rules:?}");
}

#[test]
fn what_linkers_compile_or_choose_is_refused() {
    let target = Target::X86_64Linux;
    let check = |code: &str, flags: &[&str], rule| {
        let rules = rules("linkers", target, code, flags);
        assert!(rules.contains(&rule), "{} {code} {flags:?}: {rules:?}", target.name());
    };
    check("", &["-flto"], "elf.section");
    check("", &["-flto", "-ffat-lto-objects"], "elf.section");
    let group = ".section .text.f,\\\"axG\\\",@progbits,memcpy,comdat\\nnop\\n.text";
    check(&format!("__asm__(\"{group}\");"), &[], "elf.group");
    // A group of debug information that has the name of another's code.
    let group = ".section .debug_x,\\\"G\\\",@progbits,_ZN1a1bEv,comdat\\n.quad 0\\n.text";
    check(&format!("__asm__(\"{group}\");"), &[], "elf.group");
    check("__asm__(\".section .gnu.linkonce.t.memcpy,\\\"ax\\\"\\nnop\\n.text\");", &[], "elf.section");
    check("__asm__(\".section .gnu.warning.puts\\n.string \\\"x\\\"\\n.text\");", &[], "elf.section");
}

#[test]
fn writable_code_and_executable_stacks_are_refused() {
    for target in Target::ALL {
        // Code on the stack needs help of the compiler's library on ARM64, which is not declared.
        let check = |code: &str| assert_eq!(rules("memory", target, code, &[])[0], "elf.executable", "{code}");
        check("__asm__(\".section .text.f,\\\"awx\\\"\\nnop\\n.text\");");
        // The address of a function in a function needs code on the stack.
        check(
            "static __attribute__((used)) int f(int (*g)(int (*)(void)), int x) { __attribute__((noinline)) int h(void) { return x; } return g(h); }",
        );
    }
    let source = compile("stack", Target::X86_64Linux, "", &["-S"]);
    let lines = String::from_utf8(source).expect("assembly");
    assert!(lines.contains(".note.GNU-stack"), "GCC says that stacks are not executable, and assembly need not");
}

#[test]
fn symbols_that_are_not_declared_are_refused() {
    let target = Target::X86_64Linux;
    let check = |code: &str, flags: &[&str], rule| {
        assert_eq!(rules("symbols", target, code, flags), [rule], "{} {code}", target.name());
    };
    check("int more;", &[], "elf.undeclared");
    check("int system(const char *line) { return line != 0; }", &[], "elf.undeclared");
    check("int iw_collect_more(void) { return 1; }", &[], "elf.undeclared");
    check("__asm__(\".hidden strlen\");", &[], "elf.symbol-kind");
    check("__attribute__((weak)) int more(void) { return 1; }", &[], "elf.undeclared");
    check("extern int more; static __attribute__((used)) int *f(void) { return &more; }", &[], "elf.undefined");
    check("extern __thread int more; static __attribute__((used)) int f(void) { return more; }", &[], "elf.undefined");
    check(
        "int names_old(void) __attribute__((alias(\"calls_of\"))); int calls_of(void) { return 1; }",
        &[],
        "elf.undeclared",
    );
    check("__asm__(\".symver strlen,strlen@GLIBC_2.17\");", &[], "elf.undefined");
}

#[test]
fn declared_symbols_are_strong_and_the_same_for_all_threads() {
    let declared =
        DECLARED.replacen("{\"symbol\": \"names_add\"}", "{\"symbol\": \"names_add\"}, {\"symbol\": \"more\"}", 1);
    let target = Target::Aarch64Linux;
    let check = |code: &str, flags: &[&str], expected: &[&str]| {
        let packed = packed(target, compile("strong", target, code, flags), &declared);
        let rules: Vec<_> = packed.err().unwrap_or_default().iter().map(|problem| problem.rule).collect();
        assert_eq!(rules, expected, "{} {code}", target.name());
    };
    check("int more = 1;", &[], &[]);
    check("int more;", &["-fno-common"], &[]);
    // Of the unit's own numbers of entries, which have no initial value, as well.
    check("int more;", &["-fcommon"], &["elf.symbol-kind", "elf.symbol-kind"]);
    check("__thread int more;", &[], &["elf.symbol-kind"]);
    check("__attribute__((weak)) int more = 1;", &[], &["elf.symbol-kind", "elf.symbol-missing"]);
    check("__asm__(\".globl more\\n.set more, 5\");", &[], &["elf.symbol-kind"]);
    check(
        "__asm__(\".data\\n.globl more\\n.type more,%gnu_unique_object\\n.size more,8\\nmore: .quad 0\\n.text\");",
        &[],
        &["elf.symbol-kind", "elf.symbol-missing"],
    );
    check("", &[], &["elf.symbol-missing"]);
}

/// A global symbol's bytes, by its own size.
fn content(object: &[u8], name: &str) -> Vec<u8> {
    use object::{Object as _, ObjectSection as _, ObjectSymbol as _};
    let file = object::File::parse(object).expect("an object");
    let symbol = file.symbols().find(|symbol| symbol.name() == Ok(name)).expect(name);
    let section = file.section_by_index(symbol.section_index().expect("a section")).expect("a section");
    let start = symbol.address() as usize;
    section.data().expect("data")[start..start + symbol.size() as usize].to_vec()
}

#[test]
fn r8_b_r7_2_a_global_blocks_of_an_object_carry_the_tags_of_the_archives_table() {
    for target in Target::ALL {
        let packed = packed(target, compile("provenance", target, "", &["-O2", "-g"]), "").expect("packed");
        let (archive, unit) = (&packed.archive, &packed.archive.manifest().units[0]);
        let table = archive.member("names.tbl").expect("a table");
        let image = ironwall::image::Image::verify(table).expect("a good table");
        assert_eq!((image.table(), unit.uuid), (unit.uuid, ironwall::Uuid::of_table(b"ironwall.example", b"names")));
        let object = archive.member("code.o").expect("an object");
        assert_eq!(content(object, "namesMetadataTable"), table, "{}", target.name());
        let entry =
            (0..image.entry_count()).map(|i| image.entry(i)).find(|entry| entry.name == b"state").expect("state");
        let tags = [entry.tags.tag1, entry.tags.tag2, ironwall::tag::tag3(unit.uuid), u64::from(entry.fixed)];
        let prefix: Vec<u8> = tags.iter().flat_map(|tag| tag.to_le_bytes()).collect();
        assert_eq!(content(object, "names_state_block")[..32], prefix, "{}", target.name());
    }
}

#[test]
fn a_definition_that_would_take_the_place_of_the_c_librarys_is_refused() {
    let code = "void *malloc(size_t length) { (void)length; return 0; }";
    let object = compile("interposing", Target::X86_64Linux, code, &["-fno-builtin"]);
    // Nobody says that it is exported, so that it is not declared for the author either.
    let problems = packed(Target::X86_64Linux, object.clone(), "").expect_err("malloc");
    let told: Vec<_> = problems.iter().map(|problem| problem.rule).collect();
    assert_eq!(told, ["elf.undeclared"], "{problems:?}");
    assert!(problems[0].what.contains("malloc"), "{problems:?}");
    let declared =
        DECLARED.replacen("{\"symbol\": \"names_add\"}", "{\"symbol\": \"malloc\"}, {\"symbol\": \"names_add\"}", 1);
    let problems = packed(Target::X86_64Linux, object, &declared).expect_err("malloc");
    assert_eq!(problems[0].rule, "manifest.symbol", "{problems:?}");
}

/// What a unit's own code looks like in Rust.
const RUST: &str = r#"
#![no_std]
#![crate_type = "lib"]
use core::ffi::c_void;
unsafe extern "C" {
    fn iw_may_collect(heap: *mut c_void) -> u32;
}
static mut COUNT: [u64; 4] = [0; 4];
static NUMBERS: (f64, f64) = (0.25, 1.5);
static WORDS: [&str; 2] = ["one", "two"];
#[unsafe(no_mangle)]
pub extern "C" fn names_words() -> *const [&'static str; 2] {
    &raw const WORDS
}
#[unsafe(no_mangle)]
pub extern "C" fn names_start(heap: *mut c_void) -> u32 {
    unsafe { COUNT[1] += 1; iw_may_collect(heap) }
}
#[unsafe(no_mangle)]
pub extern "C" fn names_add(i: usize) -> f64 {
    if i == 0 { NUMBERS.0 } else { NUMBERS.1 * i as f64 }
}
"#;

#[test]
fn objects_of_rust_and_so_of_llvm_are_accepted() {
    let (target, triple) = match cfg!(target_arch = "aarch64") {
        true => (Target::Aarch64Linux, "aarch64-unknown-linux-gnu"),
        false => (Target::X86_64Linux, "x86_64-unknown-linux-gnu"),
    };
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("real-rust");
    fs::create_dir_all(&dir).expect("a directory");
    fs::write(dir.join("code.rs"), RUST).expect("a source");
    for flags in [&["-Copt-level=2"][..], &["-g"], &["-Copt-level=1", "-g", "-Crelocation-model=static"]] {
        let mut command = Command::new("rustc");
        command.args(["--edition=2024", "--emit=obj", "-Cpanic=abort", "-Ccodegen-units=1", "--target", triple]);
        let output = command.args(flags).args(["code.rs", "-o", "code.o"]).current_dir(&dir).output().expect("rustc");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let names = compile_table(target);
        let description = format!(
            r#"{{"producer": "tests 1", "licence": "MIT", "units": [{{"table": "names.tbl",
                "symbols": {{"metadata": "namesMetadataTable", "globals": "namesGlobalTable", "init": "namesRuntimeInit"}},
                "objects": {{"{}": ["names.o", "code.o"]}}}}]}}"#,
            target.name()
        );
        let table = describe::Description::parse(TABLE.as_bytes()).expect("a table").c_files().expect("files").image.1;
        let object = fs::read(dir.join("code.o")).expect("an object");
        let files = [("names.tbl", table), ("names.o", names), ("code.o", object)];
        let files = files.map(|(name, bytes)| (name.to_owned(), bytes)).into();
        let description = Description::parse(description.as_bytes()).expect("a description");
        let packed = pack(&description, &files, None, Limits::default());
        let packed = packed.unwrap_or_else(|problems| panic!("{flags:?}: {problems:#?}"));
        assert!(packed.archive.manifest().units[0].exports.iter().any(|symbol| symbol.name == "names_add"));
    }
}
