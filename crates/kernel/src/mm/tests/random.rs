//! Random operations against a model: a map from page to its byte and rights.

use super::*;
use std::collections::BTreeMap;

const PAGES: u64 = 24;

struct Rng(u64);

impl Rng {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// What each mapped page holds, and whether it may be written.
type Model = BTreeMap<u64, (u8, bool)>;

fn step(mm: &Mm, model: &mut Model, rng: &mut Rng) {
    let first = rng.below(PAGES);
    let count = 1 + rng.below(4);
    let addr = AT + first * PAGE_SIZE;
    let all = first..first + count;
    match rng.below(6) {
        0 => {
            mm.map(&fixed(addr, count, RW)).expect("room");
            model.extend(all.map(|page| (page, (0, true))));
        }
        1 => {
            mm.unmap(addr, count * PAGE_SIZE).expect("a good range");
            model.retain(|page, _| !all.contains(page));
        }
        2 => {
            let writable = rng.below(2) == 0;
            let prot = if writable { RW } else { Prot::READ };
            let done = mm.protect(addr..addr + count * PAGE_SIZE, prot).is_ok();
            let mapped = all.clone().take_while(|page| model.contains_key(page)).count() as u64;
            assert_eq!(done, mapped == count);
            for page in first..first + mapped {
                model.get_mut(&page).expect("mapped").1 = writable;
            }
        }
        3 => {
            let _ = mm.discard(addr..addr + count * PAGE_SIZE, false);
            model.range_mut(all).for_each(|(_, page)| page.0 = 0);
        }
        _ => {
            let value = rng.below(256) as u8;
            let done = put(mm, addr, value).is_ok();
            let page = model.get_mut(&first).filter(|page| page.1);
            assert_eq!(done, page.is_some());
            if let Some(page) = page {
                page.0 = value;
            }
        }
    }
}

fn compare(mm: &Mm, model: &Model) {
    for page in 0..PAGES + 4 {
        let expected = model.get(&page).map(|page| page.0);
        assert_eq!(byte(mm, AT + page * PAGE_SIZE).ok(), expected, "page {page}");
    }
    for (i, line) in mm.maps().iter().enumerate() {
        assert!(line.range.start < line.range.end, "mapping {i} is empty");
    }
    assert_eq!(mm.usage().size, model.len() as u64);
}

#[test]
fn random_changes_agree_with_the_model_across_forks() {
    for seed in 1..40_u64 {
        let bench = Bench::new();
        let mut rng = Rng(0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(seed));
        let mut family = std::vec![(bench.mm(), Model::new())];
        for _ in 0..400 {
            let which = rng.below(family.len() as u64) as usize;
            match rng.below(40) {
                0 if family.len() < 4 => {
                    let child = (family[which].0.fork().expect("memory"), family[which].1.clone());
                    family.push(child);
                }
                1 if family.len() > 1 => drop(family.swap_remove(which)),
                _ => {
                    let (mm, model) = &mut family[which];
                    step(mm, model, &mut rng);
                }
            }
        }
        for (mm, model) in &family {
            compare(mm, model);
        }
    }
}
