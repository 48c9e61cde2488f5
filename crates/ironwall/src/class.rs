//! Size classes: which slot an object gets.
//!
//! Slots are multiples of 16: every one up to 512, then four to each doubling, up to 16 KiB; larger objects get
//! pages of their own. Class 0 has no slots, so allocation in it always takes the slow path.

/// How many classes there are, the empty one included; a power of two, so that no index needs a check.
pub(crate) const CLASSES: usize = 64;
/// The largest slot.
pub(crate) const MAX_SLOT: usize = 16 << 10;

/// The class whose slots are the smallest that hold `size` bytes; 0 if none do.
#[inline]
pub(crate) fn class_of(size: usize) -> usize {
    match size {
        1..=512 => size.div_ceil(16).max(2) - 1,
        513..=MAX_SLOT => {
            let doubling = (size - 1).ilog2() as usize;
            let quarter = (size - 1) >> (doubling - 2) & 3;
            32 + (doubling - 9) * 4 + quarter
        }
        _ => 0,
    }
}

/// The bytes of a slot of a class.
pub(crate) const fn slot_of(class: usize) -> usize {
    match class {
        0 => 0,
        1..32 => (class + 1) * 16,
        _ => (5 + (class - 32) % 4) << ((class - 32) / 4 + 7),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_size_gets_the_smallest_slot_that_holds_it() {
        for size in 1..=MAX_SLOT {
            let class = class_of(size);
            assert!((1..CLASSES).contains(&class) && slot_of(class) >= size && slot_of(class) >= 32, "{size}");
            assert!(class == 1 || slot_of(class - 1) < size, "{size}");
            assert_eq!(slot_of(class) % 16, 0);
        }
        assert_eq!(class_of(MAX_SLOT + 1), 0);
        assert_eq!(slot_of(class_of(MAX_SLOT)), MAX_SLOT);
    }
}
