//! Properties that the whole table must have. (That each row covers 32 bits is
//! the build script's check.)

use std::vec::Vec;

use crate::{Encoding, Row, decode, insn::ACCESSORS};

/// A small generator of repeatable random words (`xorshift64*`).
struct Random(u64);

impl Random {
    fn word(&mut self) -> u32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32) as u32
    }
}

fn row(e: Encoding) -> &'static Row {
    e.row()
}

#[test]
fn every_row_decodes_to_itself() {
    let mut random = Random(1);
    for &e in Encoding::ALL {
        let found = (0..20_000).any(|_| decode(random.word() & !row(e).mask | row(e).value) == Some(e));
        assert!(found, "{} is never decoded: another row hides it, or its constraint is never met", e.name());
    }
}

#[test]
fn decoding_gives_a_row_that_matches_and_is_the_most_specific() {
    let mut random = Random(2);
    for &e in Encoding::ALL {
        for _ in 0..200 {
            let word = random.word() & !row(e).mask | row(e).value;
            let matching: Vec<Encoding> = Encoding::ALL.iter().copied().filter(|r| r.matches(word)).collect();
            let best = matching.iter().copied().max_by_key(|&r| row(r).mask.count_ones());
            assert_eq!(decode(word).map(|e| row(e).mask), best.map(|e| row(e).mask), "{word:08x}");
            if let Some(best) = best {
                for other in matching {
                    assert!(
                        other == best || (row(other).mask & !row(best).mask == 0 && row(other).mask != row(best).mask),
                        "{word:08x} is {} as well as {}",
                        best.name(),
                        other.name()
                    );
                }
            }
        }
    }
}

#[test]
fn rows_that_overlap_are_nested_or_kept_apart_by_constraints() {
    let mut random = Random(3);
    for (i, &a) in Encoding::ALL.iter().enumerate() {
        for &b in &Encoding::ALL[i + 1..] {
            let (ra, rb) = (row(a), row(b));
            let nested = ra.mask != rb.mask && (ra.mask & !rb.mask == 0 || rb.mask & !ra.mask == 0);
            if (ra.value ^ rb.value) & ra.mask & rb.mask != 0 || nested {
                continue;
            }
            for _ in 0..2000 {
                let word = random.word() & !(ra.mask | rb.mask) | ra.value | rb.value;
                assert!(!(a.matches(word) && b.matches(word)), "{word:08x}: {} and {}", a.name(), b.name());
            }
        }
    }
}

#[test]
fn every_field_has_an_accessor() {
    for &e in Encoding::ALL {
        for f in row(e).fields {
            assert!(
                ACCESSORS.contains(&(f.name, f.lsb, f.width)),
                "{}: no accessor for {}:{} at bit {}",
                e.name(),
                f.name,
                f.width,
                f.lsb
            );
        }
    }
}

#[test]
fn unallocated_words_are_none() {
    // sf 0 with N 1; MOVZ of 32 bits shifted by 32; an all-ones bit mask; op0 0001.
    for word in [0x1240_0000, 0x52c0_0000, 0x9240_fc00, 0x0200_0000] {
        assert_eq!(decode(word), None, "{word:08x}");
    }
}

#[test]
fn every_row_has_a_text_without_placeholders() {
    let mut random = Random(4);
    for &e in Encoding::ALL {
        for _ in 0..500 {
            let word = random.word() & !row(e).mask | row(e).value;
            let text = std::format!("{}", crate::disassemble(word, 0));
            assert!(!text.contains(['<', '>']), "{word:08x}: {text}");
        }
    }
}

#[test]
fn branch_targets_can_be_shown_as_addresses() {
    let show = |word, pc| std::format!("{:#}", crate::disassemble(word, pc));
    assert_eq!(show(0x17ff_ffff, 0x1000), "b 0xffc");
    assert_eq!(show(0x9000_0020, 0x1234), "adrp x0, 0x5000");
    assert_eq!(show(0x5400_0040, 0x1000), "b.eq 0x1008");
}
