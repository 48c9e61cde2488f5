//! The table of features and that of encodings name the same things, and the
//! engine runs exactly the instructions whose features it offers.

mod common;

use std::collections::BTreeSet;

use a64::{Encoding, decode};
use common::{CODE, DATA, Guest};
use engine::CpuFeatures;
use machine::Exit;
use machine::features::{FEATURES, NOT_PROVIDED};

/// `svc #0`.
const SVC: u32 = 0xd400_0001;

/// Features that are Armv8.0's own, or that change what instructions do and
/// add none.
const WITHOUT_ROWS: &[&str] =
    &["FEAT_FP", "FEAT_AdvSIMD", "FEAT_LSE2", "FEAT_SSBS", "FEAT_PAuth2", "FEAT_FPAC", "FEAT_FPACCOMBINE"];

fn named_by_rows() -> BTreeSet<&'static str> {
    Encoding::ALL.iter().flat_map(|e| e.row().needs).map(|n| n.feature).collect()
}

/// Words of a row, with its fields at random.
fn words(encoding: Encoding) -> impl Iterator<Item = u32> {
    let row = encoding.row();
    let mut state = 0x9e37_79b9_7f4a_7c15 ^ u64::from(row.value);
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u32
    };
    (0..2000).map(move |_| random() & !row.mask | row.value).filter(move |w| decode(*w) == Some(encoding)).take(200)
}

#[test]
fn every_feature_that_a_row_names_is_in_the_table_or_listed_as_not_provided() {
    for name in named_by_rows() {
        let known = FEATURES.iter().any(|f| f.name == name) || NOT_PROVIDED.contains(&name);
        assert!(known, "{name} is named by a row of the encoding table only");
    }
}

#[test]
fn every_feature_of_the_engine_that_has_instructions_is_named_by_a_row() {
    let named = named_by_rows();
    for feature in FEATURES.iter().filter(|f| f.machines.engine) {
        let has_rows = named.contains(feature.name);
        assert_ne!(has_rows, WITHOUT_ROWS.contains(&feature.name), "{}", feature.name);
    }
}

#[test]
fn rows_without_a_form_are_those_of_features_that_are_not_provided() {
    for encoding in Encoding::ALL {
        let is_listed = engine::encodings_not_provided().contains(&encoding.name());
        let is_not_provided = encoding.row().needs.iter().any(|n| NOT_PROVIDED.contains(&n.feature));
        assert_eq!(is_listed, is_not_provided, "{}", encoding.name());
    }
}

#[test]
fn a_conditional_need_is_of_the_words_that_meet_it() {
    let pmull = |word: u32| Encoding::PMULL_asimddiff.features(word).next();
    // pmull v0.8h, v0.8b, v0.8b; pmull v0.1q, v0.1d, v0.1d
    assert_eq!((pmull(0x0e20_e000), pmull(0x0ee0_e000)), (None, Some("FEAT_PMULL")));
}

#[test]
fn an_instruction_is_undefined_exactly_if_it_needs_a_feature_that_is_not_offered() {
    let offered = CpuFeatures::all();
    // A hint does nothing where its feature is missing.
    let rows = Encoding::ALL.iter().filter(|e| !e.row().needs.is_empty() && e.class() != "hints");
    for &encoding in rows {
        let mut guest = Guest::new();
        for word in words(encoding).filter(|w| encoding.features(*w).next().is_some()) {
            guest.code(CODE, &[word, SVC]);
            guest.context.pc = CODE;
            guest.context.x = [DATA + 0x800; 32];
            let missing = encoding.features(word).any(|name| !offered.has(name));
            let exit = guest.run();
            assert_eq!(
                matches!(exit, Exit::Undefined { .. }),
                missing,
                "{word:08x} {}: {exit:?}, needs {:?}",
                a64::disassemble(word, 0),
                encoding.features(word).collect::<Vec<_>>(),
            );
        }
    }
}
