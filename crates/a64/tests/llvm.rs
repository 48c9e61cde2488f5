//! Decoder and disassembler against LLVM 14's, by corpora.
//!
//! `tests/corpus/GROUP.txt` has words made from the rows of the table file of
//! that name, with fields at random and at their ends, and the text of
//! LLVM 14 for each (`cargo xtask corpus` writes them); `-` where
//! LLVM finds no instruction, and with `?` before the text where it warns that
//! the encoding is unpredictable.

use std::path::Path;

use a64::{decode, disassemble};

/// Whether LLVM names a system register or operation whose name is not kept here.
fn is_unnamed(ours: &str, llvm: &str) -> bool {
    let generic = ["S2_", "S3_", "sys #"].iter().any(|name| ours.contains(name));
    generic
        && ["mrs ", "msr ", "tlbi ", "at ", "dc ", "cfp ", "cpp ", "dvp ", "brb "].iter().any(|m| llvm.starts_with(m))
}

/// Whether LLVM's text is of an instruction that is not in the table on purpose.
fn is_absent(llvm: &str) -> bool {
    // `MRS` and `MSR` with op0 0 or 1 are unallocated; LLVM reads them as if they were not.
    llvm.starts_with("m") && (llvm.contains("S0_") || llvm.contains("S1_"))
}

fn check(group: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/corpus/{group}.txt"));
    let corpus = std::fs::read_to_string(&path).expect("the corpus is there");
    let mut wrong = Vec::new();
    let mut lines = 0;
    for line in corpus.lines() {
        let (word, llvm) = line.split_once(' ').expect("word and text");
        let word = u32::from_str_radix(word, 16).expect("a hexadecimal word");
        lines += 1;
        let llvm = llvm.strip_prefix('?').unwrap_or(llvm);
        let ours = if decode(word).is_some() { disassemble(word, 0).to_string() } else { "-".to_owned() };
        if ours != llvm && !(ours == "-" && is_absent(llvm)) && !is_unnamed(&ours, llvm) {
            wrong.push(format!("{word:08x} ours: {ours:40} LLVM: {llvm}"));
        }
    }
    assert!(lines > 100, "{group}: the corpus is nearly empty");
    assert!(wrong.is_empty(), "{group}: {} of {lines} differ\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn data_processing_immediate_reads_as_llvm_says() {
    check("dpimm");
}

#[test]
fn data_processing_register_reads_as_llvm_says() {
    check("dpreg");
}

#[test]
fn branches_and_system_instructions_read_as_llvm_says() {
    check("control");
}

#[test]
fn loads_and_stores_read_as_llvm_says() {
    check("ldst");
}

#[test]
fn floating_point_reads_as_llvm_says() {
    check("fp");
}

#[test]
fn vectors_read_as_llvm_says() {
    check("simd");
}

#[test]
fn scalars_of_advanced_simd_read_as_llvm_says() {
    check("simd_scalar");
}

#[test]
fn structure_loads_and_stores_read_as_llvm_says() {
    check("simd_ldst");
}

#[test]
fn cryptography_reads_as_llvm_says() {
    check("crypto");
}

#[test]
fn random_words_of_the_integer_groups_are_instructions_where_llvm_says() {
    check("random_integer");
}

#[test]
fn random_words_of_the_simd_group_are_instructions_where_llvm_says() {
    check("random_simd");
}
