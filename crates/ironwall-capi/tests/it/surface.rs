//! The whole surface, beside lists that are committed: what the core makes public, and what C can call.
//!
//! Whoever adds to it changes a list, and the change is read: what is added may not make a collection depend on
//! anything but being asked for. `UPDATE_EXPECT=1 cargo test -p ironwall-capi surface` writes the lists anew.

use crate::examples::library;
use crate::tools::here;
use quote::ToTokens;
use std::collections::BTreeSet;
use std::fs;
use std::process::Command;
use syn::{Fields, ImplItem, Item, Type, Visibility};

/// Parts of words that settings of a collector's behaviour have.
const KNOBS: &[&str] = &[
    "auto",
    "background",
    "factor",
    "generation",
    "growth",
    "heuristic",
    "increment",
    "interval",
    "pace",
    "percent",
    "policy",
    "ratio",
    "threshold",
    "trigger",
    "tune",
    "tuning",
    "weak",
    "finali",
    "barrier",
    "safepoint",
    "free",
];

/// Compares lines with a list, or writes it.
fn compare(list: &str, found: &BTreeSet<String>) {
    let path = here().join("tests/surface").join(list);
    #[expect(clippy::disallowed_methods, reason = "the usual way to refresh what a test expects")]
    let refreshes = std::env::var_os("UPDATE_EXPECT").is_some();
    if refreshes {
        let text: String = found.iter().flat_map(|line| [line, "\n"]).collect();
        fs::write(&path, text).expect("the list can be written");
    }
    let text = fs::read_to_string(&path).expect("the list");
    let listed: BTreeSet<String> = text.lines().map(str::to_owned).collect();
    let (new, gone): (Vec<_>, Vec<_>) = (found.difference(&listed).collect(), listed.difference(found).collect());
    assert!(new.is_empty() && gone.is_empty(), "{list}: not in the list: {new:#?}\nin the list alone: {gone:#?}");
}

fn no_knobs(found: &BTreeSet<String>) {
    for line in found {
        let name = line.split("->").next().unwrap_or(line).to_lowercase();
        let knob = KNOBS.iter().find(|knob| name.contains(*knob));
        assert!(knob.is_none(), "{line} looks like a setting of when or how to collect: {knob:?}");
    }
}

#[test]
fn r1_b_the_core_makes_public_what_is_listed() {
    let mut found = BTreeSet::new();
    for file in fs::read_dir(here().join("../ironwall/src")).expect("the core") {
        let path = file.expect("a file").path();
        let module = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let source = syn::parse_file(&fs::read_to_string(&path).expect("text")).expect("Rust");
        source.items.iter().for_each(|item| public(item, &module, &mut found));
    }
    // Traits of private types are nobody else's.
    let types: BTreeSet<String> =
        found.iter().filter_map(|line| Some(line.split_once("struct ")?.1.to_owned())).collect();
    found.retain(|line| !line.contains(": impl ") || types.contains(line.rsplit(' ').next().unwrap_or_default()));
    assert!(found.len() > 100 && found.iter().any(|line| line.contains("Runtime::collect(")), "{found:#?}");
    compare("core.txt", &found);
    no_knobs(&found);
}

/// Adds the lines of an item.
fn public(item: &Item, module: &str, found: &mut BTreeSet<String>) {
    let mut add = |line: String| found.insert(format!("{module}: {line}"));
    match item {
        Item::Struct(item) if is_public(&item.vis) => {
            add(format!("struct {}", item.ident));
            if let Fields::Named(fields) = &item.fields {
                for field in fields.named.iter().filter(|field| is_public(&field.vis)) {
                    add(format!("{}.{}: {}", item.ident, text(&field.ident), text(&field.ty)));
                }
            } else {
                for field in item.fields.iter().filter(|field| is_public(&field.vis)) {
                    add(format!("{}.0: {}", item.ident, text(&field.ty)));
                }
            }
        }
        Item::Enum(item) if is_public(&item.vis) => {
            for variant in &item.variants {
                add(format!("{}::{}{}", item.ident, variant.ident, text(&variant.fields)));
            }
        }
        Item::Fn(item) if is_public(&item.vis) => drop(add(text(&item.sig))),
        Item::Const(item) if is_public(&item.vis) => drop(add(format!("const {}: {}", item.ident, text(&item.ty)))),
        Item::Type(item) if is_public(&item.vis) => drop(add(format!("type {} = {}", item.ident, text(&item.ty)))),
        Item::Static(item) if is_public(&item.vis) => drop(add(format!("static {}", item.ident))),
        Item::Trait(item) if is_public(&item.vis) => drop(add(format!("trait {}", item.ident))),
        Item::Macro(item) => drop(add(format!("macro {}", text(&item.mac.path)))),
        Item::Use(item) if is_public(&item.vis) => drop(add(format!("use {}", text(&item.tree)))),
        Item::Mod(item) if is_public(&item.vis) => drop(add(format!("mod {}", item.ident))),
        Item::Impl(item) => {
            let name = text(&item.self_ty);
            let of = match &*item.self_ty {
                Type::Path(path) => path.path.segments.last().map_or(name, |last| last.ident.to_string()),
                _ => name,
            };
            if let Some((_, of_trait, _)) = &item.trait_ {
                add(format!("impl {} for {of}", text(of_trait)));
                return;
            }
            for member in &item.items {
                match member {
                    ImplItem::Fn(item) if is_public(&item.vis) => {
                        let signature = text(&item.sig);
                        let (before, after) = signature.split_once("fn ").unwrap_or(("", &signature));
                        add(format!("{before}fn {of}::{after}"));
                    }
                    ImplItem::Const(item) if is_public(&item.vis) => {
                        add(format!("const {of}::{}: {}", item.ident, text(&item.ty)));
                    }
                    _ => {}
                }
            }
        }
        _ => {}
    }
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

/// Tokens with few blanks.
fn text(tokens: &impl ToTokens) -> String {
    let mut text = tokens.to_token_stream().to_string();
    for (from, to) in [(" :: ", "::"), ("& ", "&"), (" <", "<"), ("< ", "<"), (" >", ">"), (" ,", ","), (" :", ":")] {
        text = text.replace(from, to);
    }
    for (from, to) in
        [(" (", "("), ("( ", "("), (" )", ")"), (" [", "["), ("[ ", "["), (" ]", "]"), (" ;", ";"), ("- >", "->")]
    {
        text = text.replace(from, to);
    }
    text.replace("->", " -> ").replace("  ", " ").replace("* mut", "*mut").replace(",)", ")")
}

#[test]
fn r1_b_c_can_call_what_is_listed() {
    // Each member is named before its symbols. It complains of members without any, which is no mistake.
    let nm = Command::new("nm").args(["--defined-only", "--extern-only"]).arg(library()).output();
    let nm = nm.expect("nm, which `cargo xtask setup` installs");
    assert!(nm.status.success(), "{}", String::from_utf8_lossy(&nm.stderr));
    let symbols = String::from_utf8_lossy(&nm.stdout);
    let (mut found, mut is_ours) = (BTreeSet::new(), false);
    for line in symbols.lines() {
        if let Some(member) = line.strip_suffix(':') {
            is_ours = member.starts_with("ironwall");
        }
        // The address, what it is, its name. Names with a dot are the compiler's own, and no C.
        let [_, _, symbol] = line.split(' ').collect::<Vec<_>>()[..] else { continue };
        let is_c = symbol.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let is_mangled = symbol.starts_with("_ZN") || symbol.starts_with("_R");
        if is_ours && is_c && !is_mangled || symbol.starts_with("iw_") {
            found.insert(symbol.to_owned());
        }
    }
    let inline = fs::read_to_string(here().join("src/inline.h")).expect("the inline functions");
    for line in inline.lines().filter(|line| line.starts_with("static inline ")) {
        let name = line.split('(').next().and_then(|before| before.split([' ', '*']).next_back());
        found.insert(format!("inline {}", name.expect("a name")));
    }
    assert!(found.contains("iw_collect") && found.contains("inline iw_new"), "{found:#?}");
    compare("c.txt", &found);
    no_knobs(&found);
}

/// The structures of which a runtime consists. Those of a single collection are not among them.
const STATE: &[&str] = &[
    "Runtime",
    "Fast",
    "Cursor",
    "Stack",
    "Heap",
    "BlockDesc",
    "Hole",
    "Handles",
    "Place",
    "Tables",
    "Table",
    "Shape",
    "Global",
];

#[test]
fn r4_r6_c_what_a_runtime_remembers_is_listed_with_its_reason() {
    let mut found = BTreeSet::new();
    for file in ["runtime", "heap", "handles", "tables"] {
        let path = here().join("../ironwall/src").join(file).with_extension("rs");
        let source = syn::parse_file(&fs::read_to_string(path).expect("text")).expect("Rust");
        for item in &source.items {
            let Item::Struct(item) = item else { continue };
            let name = item.ident.to_string();
            if STATE.contains(&name.as_str()) {
                found.extend(item.fields.iter().map(|field| format!("{name}.{}", text(&field.ident))));
            }
        }
    }
    let page = fs::read_to_string(here().join("../../docs/ironwall/state.md")).expect("the page");
    let (mut listed, mut structure) = (BTreeSet::new(), String::new());
    for row in page.lines().filter(|line| line.starts_with("| ")).skip(1) {
        let [_, name, fields, why, ..] = row.split('|').map(str::trim).collect::<Vec<_>>()[..] else { continue };
        if !name.is_empty() {
            structure = name.trim_matches('`').to_owned();
        }
        assert!(!why.is_empty(), "{row} has no reason");
        listed.extend(fields.split(", ").map(|field| format!("{structure}.{}", field.trim_matches('`'))));
    }
    let (new, gone): (Vec<_>, Vec<_>) = (found.difference(&listed).collect(), listed.difference(&found).collect());
    assert!(new.is_empty() && gone.is_empty(), "not in docs/ironwall/state.md: {new:?}; there alone: {gone:?}");
    assert!(page.lines().count() < 66, "what a runtime remembers fits one page");
}

#[test]
fn r3_3_a_the_core_asks_nothing_of_the_system() {
    // Timers, threads and signals would be calls of the system's library, and so would anything else.
    let nm = Command::new("nm").arg("--undefined-only").arg(library()).output();
    let nm = nm.expect("nm, which `cargo xtask setup` installs");
    let (mut is_core, mut members, mut foreign) = (false, 0, BTreeSet::new());
    for line in String::from_utf8_lossy(&nm.stdout).lines() {
        if let Some(member) = line.strip_suffix(':') {
            is_core = member.starts_with("ironwall-");
            members += usize::from(is_core);
        } else if let Some(symbol) = line.trim().strip_prefix("U ").filter(|_| is_core) {
            let is_rust = symbol.starts_with("_ZN") || symbol.starts_with("_R") || symbol.contains(".llvm.");
            let is_memory = ["memcpy", "memmove", "memset", "memcmp", "bcmp"].contains(&symbol);
            let is_compiler = ["rust_eh_personality", "_GLOBAL_OFFSET_TABLE_"].contains(&symbol);
            if !is_rust && !is_memory && !is_compiler {
                foreign.insert(symbol.to_owned());
            }
        }
    }
    assert!(members > 0, "the library has the core");
    assert!(foreign.is_empty(), "{foreign:?}");
}
