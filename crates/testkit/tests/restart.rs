//! An instruction that faults in the middle can run again.
//!
//! Needs no reference: every load and store that crosses a page is stopped by
//! either page and goes on once it is there. Then everything must be as if
//! nothing had happened, and until then no register may have changed.

use machine::Prot;
use testkit::Random;
use testkit::oracle::case::{Batch, Case, DATA_BASE, DATA_SIZE, data_pages};
use testkit::oracle::generate::case;
use testkit::oracle::ours::Ours;
use testkit::oracle::plan::rows;

const SEED: u64 = 5;

/// A case of each row that accesses memory, several times over.
fn cases(random: &mut Random) -> Vec<Case> {
    let pages = data_pages(SEED);
    let rows = rows().filter(|row| row.row().group.contains("ldst"));
    let made = rows.flat_map(|row| {
        let of_row: Vec<Case> = (0..40).filter_map(|_| case(row, 0, &pages, random)).collect();
        of_row
    });
    made.filter(|case| case.words.len() == 1 && case.uses_memory).collect()
}

#[test]
fn a_load_or_store_that_faults_has_changed_no_register_and_runs_again() {
    let mut ours = Ours::new().expect("there is memory");
    let mut random = Random::new(SEED);
    let mut stopped = 0;
    for case in cases(&mut random) {
        let batch = Batch { seed: SEED, cases: vec![case.clone()] };
        let undisturbed = ours.run(&batch).remove(0);
        if undisturbed.signal != 0 {
            continue;
        }
        for (page, prot) in [(0, Prot::NONE), (1, Prot::NONE), (0, Prot::READ), (1, Prot::READ)] {
            let Some((faulted, ended)) = ours.run_interrupted(&batch, page, prot).remove(0) else {
                continue;
            };
            stopped += 1;
            let registers = (faulted.x, faulted.sp, faulted.v, faulted.nzcv, faulted.fpsr);
            assert!(registers == (case.x, case.sp, case.v, case.nzcv, case.fpsr), "{}: half done", case.text());
            assert_eq!(faulted.fault_page, DATA_BASE + page * DATA_SIZE / 2, "{}", case.text());
            assert!(ended == undisturbed, "{}\n{}", case.text(), undisturbed.differences(&ended));
        }
    }
    assert!(stopped > 1000, "only {stopped} faults");
}
