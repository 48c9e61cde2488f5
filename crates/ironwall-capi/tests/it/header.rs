//! The header is what the generator makes of the definitions, and compilers accept it.

use crate::tools::{here, run, scratch};
use cbindgen::{Builder, Config, DocumentationStyle, Language, Style};
use ironwall_capi::types::{
    BlockInfo, CollectionReport, Cursor, EntryInfo, Fast, FaultReport, GlobalTable, Prefix, Shape, Unit, UnitInfo,
};
use std::fmt::Write;
use std::mem::offset_of;
use std::process::Command;

/// The files with definitions, in the order of the header.
const SOURCES: &[&str] =
    &["types", "status", "create", "units", "objects", "collect", "enumerate", "snapshot", "host", "stacks"];

/// What the types are called in C.
const NAMES: &[(&str, &str)] = &[
    ("Ref", "iw_ref"),
    ("EntryNumber", "iw_entry"),
    ("HandleNumber", "iw_handle"),
    ("StackNumber", "iw_stack"),
    ("Status", "iw_status"),
    ("Runtime", "iw_runtime"),
    ("Prefix", "iw_prefix"),
    ("Cursor", "iw_cursor"),
    ("Shape", "iw_shape"),
    ("Fast", "iw_fast"),
    ("Config", "iw_config"),
    ("GlobalTable", "iw_global_table"),
    ("InitFn", "iw_init_fn"),
    ("Unit", "iw_unit"),
    ("CollectionReport", "iw_report"),
    ("FaultReport", "iw_fault"),
    ("FaultFn", "iw_fault_fn"),
    ("HostFn", "iw_host_fn"),
    ("UnitInfo", "iw_unit_info"),
    ("EntryInfo", "iw_entry_info"),
    ("BlockInfo", "iw_block_info"),
];

const INTRODUCTION: &str = "/*
 * The Ironwall runtime's interface for C and C++; docs/ironwall/c-api.md explains it.
 *
 * Every call takes a heap: null, which is refused, or one of iw_create that is not destroyed and not in another call.
 * A heap belongs to one thread at a time. Functions answer with a status, IW_OK or why nothing was done.
 *
 * Generated from the definitions in crates/ironwall-capi: UPDATE_EXPECT=1 cargo test -p ironwall-capi header
 */";

fn generate() -> String {
    let mut config = Config {
        // The generator's own guard would end before the trailer.
        header: Some(format!("{INTRODUCTION}\n\n#ifndef IRONWALL_H\n#define IRONWALL_H")),
        no_includes: true,
        sys_includes: ["stddef.h", "stdint.h", "string.h"].map(String::from).to_vec(),
        after_includes: Some(
            "\n/* A heap: only its address is known outside. */\ntypedef struct iw_runtime iw_runtime;".into(),
        ),
        cpp_compat: true,
        language: Language::C,
        style: Style::Both,
        documentation_style: DocumentationStyle::C,
        trailer: Some(
            std::fs::read_to_string(here().join("src/inline.h")).expect("inline.h") + &asserts() + "\n#endif",
        ),
        ..Config::default()
    };
    config.export.exclude = vec!["Runtime".into()];
    config.export.rename = NAMES.iter().map(|(rust, c)| ((*rust).to_owned(), (*c).to_owned())).collect();
    config.export.include =
        vec!["Ref".into(), "EntryNumber".into(), "HandleNumber".into(), "StackNumber".into(), "Fast".into()];
    let mut builder = Builder::new().with_config(config);
    for source in SOURCES {
        builder = builder.with_src(here().join("src").join(source).with_extension("rs"));
    }
    let mut header = Vec::new();
    builder.generate().expect("a header").write(&mut header);
    let header = String::from_utf8(header).expect("text");
    let header = header.replace("# Safety\n", "What the caller owes:\n").replace("[`", "`").replace("`]", "`");
    let mut text = String::new();
    let mut indent = None;
    for line in header.lines() {
        let words = line.trim_start();
        match indent {
            // The generator begins lines of comments with blanks alone, which does not tell them from code.
            Some(indent) if !words.starts_with('*') => {
                writeln!(text, "{}", format!("{:indent$} * {words}", "").trim_end())
            }
            Some(indent) if words == "*/" => writeln!(text, "{:indent$} */", ""),
            _ => writeln!(text, "{line}"),
        }
        .expect("a string");
        if words == "/*" {
            indent = Some(line.len() - words.len());
        } else if words.ends_with("*/") {
            indent = None;
        }
    }
    text
}

/// What compilers of C have to find at the same places as the compiler of the library does.
fn asserts() -> String {
    let mut text = String::from("/* The layout that the library was compiled with. */\n");
    macro_rules! layout {
        ($($name:literal $type:ident: $($field:ident)*;)*) => {$(
            writeln!(text, "IW_ASSERT_SIZE({}, {});", $name, size_of::<$type>()).expect("a string");
            $(writeln!(text, "IW_ASSERT_OFFSET({}, {}, {});", $name, stringify!($field), offset_of!($type, $field))
                .expect("a string");)*
        )*};
    }
    type C = ironwall_capi::types::Config;
    layout! {
        "iw_prefix" Prefix: tag1 tag2 tag3 word;
        "iw_cursor" Cursor: next end;
        "iw_shape" Shape: tag1 tag2 tag3 fixed slot size_class;
        "iw_fast" Fast: newest_frame shapes shape_size cursors;
        "iw_config" C: size flags heap heap_len bookkeeping bookkeeping_len frames frames_len max_tables max_entries
            max_offsets max_globals max_handles reserved;
        "iw_global_table" GlobalTable: size count blocks;
        "iw_unit" Unit: size reserved metadata globals init;
        "iw_report" CollectionReport: size origin sequence reason frames globals handles reserved live live_bytes dead
            dead_bytes digest;
        "iw_fault" FaultReport: size code phase reserved address referrer offset root table structure;
        "iw_unit_info" UnitInfo: size first_entry entries reserved table package package_len unit unit_len;
        "iw_entry_info" EntryInfo: size kind entry fixed table structure tag1 tag2 tag3 name name_len live live_bytes;
        "iw_block_info" BlockInfo: size entry block extent table structure;
    }
    text
}

#[test]
fn the_header_is_generated_from_the_definitions() {
    let path = here().join("include/ironwall.h");
    let generated = generate();
    #[expect(clippy::disallowed_methods, reason = "the usual way to refresh what a test expects")]
    let refreshes = std::env::var_os("UPDATE_EXPECT").is_some();
    if refreshes {
        std::fs::write(&path, &generated).expect("the header");
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == generated, "the header is stale: UPDATE_EXPECT=1 cargo test -p ironwall-capi header");
}

#[test]
fn compilers_accept_the_header_and_find_the_same_layout() {
    let dir = scratch("header");
    let source = "#include \"ironwall.h\"\n#include \"ironwall.h\"\niw_ref use_it(iw_runtime *heap) { return iw_new(heap, 1); }\n";
    let compile = |compiler: &str, standard: &str, name: &str| {
        let file = dir.join(name);
        std::fs::write(&file, source).expect("a source");
        let flags = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only", "-O2"];
        run(Command::new(compiler)
            .arg(format!("-std={standard}"))
            .args(flags)
            .arg("-I")
            .arg(here().join("include"))
            .arg(file));
    };
    for gcc in ["gcc", "aarch64-linux-gnu-gcc"] {
        for standard in ["c99", "c11", "c17"] {
            compile(gcc, standard, "use.c");
        }
    }
    for standard in ["c++11", "c++17", "c++20"] {
        compile("g++", standard, "use.cpp");
    }
}

#[test]
fn r2_b_r3_2_c_the_header_has_no_free_and_no_barrier() {
    let header = generate();
    let functions = header.lines().filter(|line| line.contains("iw_") && line.contains('('));
    for line in functions.map(str::to_lowercase) {
        for word in ["free", "barrier", "weak", "finaliz", "root_add", "delete"] {
            assert!(!line.contains(word), "{line}");
        }
    }
}
