//! Pointer authentication codes: the algorithm, and the layout of a signed
//! user pointer.
//!
//! The algorithm is IMPLEMENTATION DEFINED to programs (`ID_AA64ISAR1_EL1.API`
//! and `.GPI`): SipHash-1-3 of the pointer and the modifier under the 128-bit
//! key (`docs/decisions/0010-pointer-authentication-and-branch-targets.md`).
//!
//! Addresses have 48 bits, and bit 55 tells the half of the address space. The
//! top byte of addresses in the lower half, which is the user's, is ignored, so
//! the code of such a pointer takes bits 54 to 48; in the upper half, where the
//! top byte counts, it takes that too. FEAT_PAuth2: the code is combined with
//! those bits by exclusive or.

use machine::UserContext;

/// The bits that the code of a pointer to the lower half takes.
pub(crate) const PAC_FIELD: u64 = 0x7f << 48;
/// The bits that the code of a pointer to the upper half takes.
const UPPER_PAC_FIELD: u64 = 0xff7f << 48;
/// The bit that tells the half, and that those bits are copies of in a pointer
/// without a code.
const HALF: u64 = 1 << 55;

/// The pointer without its code (`Strip`).
pub(crate) const fn strip(pointer: u64) -> u64 {
    if pointer & HALF == 0 { pointer & !PAC_FIELD } else { pointer | UPPER_PAC_FIELD }
}

/// `ComputePAC`: SipHash-1-3 of the 16 bytes of value and modifier.
pub(crate) const fn compute_pac(value: u64, modifier: u64, key: [u64; 2]) -> u64 {
    let mut v = [
        key[0] ^ 0x736f_6d65_7073_6575,
        key[1] ^ 0x646f_7261_6e64_6f6d,
        key[0] ^ 0x6c79_6765_6e65_7261,
        key[1] ^ 0x7465_6462_7974_6573,
    ];
    // The last word has the message's length in its top byte.
    let words = [value, modifier, 16 << 56];
    let mut at = 0;
    while at < words.len() {
        v[3] ^= words[at];
        v = sip_round(v);
        v[0] ^= words[at];
        at += 1;
    }
    v[2] ^= 0xff;
    v = sip_round(sip_round(sip_round(v)));
    v[0] ^ v[1] ^ v[2] ^ v[3]
}

const fn sip_round([mut a, mut b, mut c, mut d]: [u64; 4]) -> [u64; 4] {
    a = a.wrapping_add(b);
    b = b.rotate_left(13) ^ a;
    a = a.rotate_left(32);
    c = c.wrapping_add(d);
    d = d.rotate_left(16) ^ c;
    a = a.wrapping_add(d);
    d = d.rotate_left(21) ^ a;
    c = c.wrapping_add(b);
    b = b.rotate_left(17) ^ c;
    c = c.rotate_left(32);
    [a, b, c, d]
}

/// The code of a pointer, in place. What the pointer has in the place of its
/// code does not matter.
pub(crate) const fn pointer_code(pointer: u64, modifier: u64, key: [u64; 2]) -> u64 {
    let field = if pointer & HALF == 0 { PAC_FIELD } else { UPPER_PAC_FIELD };
    compute_pac(strip(pointer), modifier, key) & field
}

/// `PACGA`: the code of any two values, in the upper half.
pub(crate) const fn generic_code(value: u64, modifier: u64, key: [u64; 2]) -> u64 {
    compute_pac(value, modifier, key) & 0xffff_ffff_0000_0000
}

const ENTRIES: usize = 128;

/// A code that was computed, and what it is of.
///
/// Pointer and modifier are combined with the key's halves: an entry that was
/// made under another key does not match, so that nothing has to be dropped
/// when a CPU goes on with another thread. That two keys of 128 random bits
/// agree on an entry is as likely as guessing a key.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(32))]
struct Entry {
    pointer: u64,
    modifier: u64,
    code: u64,
}

/// The codes that a CPU computed last. A function signs its return address and
/// authenticates it soon after with the same modifier, and the same calls are
/// made again and again, so that most codes are found here: in threaded code,
/// where no function can be called.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Codes([Entry; ENTRIES]);

impl Codes {
    pub(crate) const fn new() -> Self {
        // No user pointer has bit 55 set, so these match no lookup whose key
        // is zero, which only tests have.
        Self([Entry { pointer: HALF, modifier: 0, code: 0 }; ENTRIES])
    }

    #[inline(always)]
    fn index(pointer: u64, modifier: u64) -> usize {
        ((pointer >> 2) ^ (modifier >> 4)) as usize & (ENTRIES - 1)
    }

    /// The code of a pointer to the lower half, if it is here.
    ///
    /// # Safety
    /// Both pointers can be read.
    #[inline(always)]
    pub(crate) unsafe fn find<const KEY: u8>(
        codes: *const Self,
        ctx: *const UserContext,
        pointer: u64,
        modifier: u64,
    ) -> Option<u64> {
        let plain = pointer & !PAC_FIELD;
        // SAFETY: the caller vouches for the pointers; the index is in bounds.
        unsafe {
            let key = &raw const (*ctx).pauth.keys[KEY as usize];
            let entry = (&raw const (*codes).0).cast::<Entry>().add(Self::index(plain, modifier));
            let is_same = (*entry).pointer == plain ^ (*key)[0] && (*entry).modifier == modifier ^ (*key)[1];
            if is_same { Some((*entry).code) } else { None }
        }
    }

    /// The code of any pointer; computes it.
    pub(crate) fn compute(&mut self, key: [u64; 2], pointer: u64, modifier: u64) -> u64 {
        let code = pointer_code(pointer, modifier, key);
        if pointer & HALF == 0 {
            let plain = strip(pointer);
            self.0[Self::index(plain, modifier)] = Entry { pointer: plain ^ key[0], modifier: modifier ^ key[1], code };
        }
        code
    }
}

#[cfg(test)]
mod tests {
    use std::hash::{DefaultHasher, Hasher as _};

    use super::*;

    #[test]
    fn codes_are_those_of_sip_hash_1_3() {
        // The standard library's hasher is that function with a key of zeros.
        for (value, modifier) in [(0, 0), (1, 2), (0x0000_7fff_1234_5678, 0x0000_7fff_ffff_0010), (u64::MAX, 1 << 63)] {
            let mut hasher = DefaultHasher::new();
            hasher.write_u64(value);
            hasher.write_u64(modifier);
            assert_eq!(compute_pac(value, modifier, [0, 0]), hasher.finish());
        }
    }

    #[test]
    fn both_halves_of_the_key_matter() {
        let codes = [[1, 2], [3, 2], [1, 3], [2, 1]].map(|key| compute_pac(0x1000, 0x2000, key));
        for (n, code) in codes.iter().enumerate() {
            assert!(!codes[n + 1..].contains(code));
        }
    }

    #[test]
    fn stripping_restores_both_halves_and_keeps_the_tag_of_the_lower() {
        assert_eq!(strip(0xab55_0000_1234_5678), 0xab00_0000_1234_5678);
        assert_eq!(strip(0xabd5_0000_1234_5678), 0xffff_0000_1234_5678);
    }

    #[test]
    fn codes_are_found_only_under_the_key_that_made_them() {
        let mut codes = Codes::new();
        let mut context = UserContext::new(0, 0);
        context.pauth.keys = [[1, 2], [3, 4], [5, 6], [7, 8], [9, 10]];
        let (pointer, modifier) = (0x0000_1234_5678_9abc, 0xfff0);
        let code = codes.compute(context.pauth.keys[0], pointer, modifier);
        let find = |context: &UserContext, pointer, modifier| {
            // SAFETY: both are borrowed.
            unsafe {
                [
                    Codes::find::<0>(&codes, context, pointer, modifier),
                    Codes::find::<1>(&codes, context, pointer, modifier),
                ]
            }
        };
        assert_eq!(find(&context, pointer, modifier), [Some(code), None]);
        assert_eq!(find(&context, pointer | 0x35 << 48, modifier), [Some(code), None], "the code's place is left out");
        assert_eq!(find(&context, pointer, modifier + 16), [None, None]);
        assert_eq!(find(&context, pointer | HALF, modifier), [None, None]);
        context.pauth.keys[0][1] = 11;
        assert_eq!(find(&context, pointer, modifier), [None, None]);
    }

    #[test]
    fn an_empty_entry_is_no_code() {
        let codes = Codes::new();
        let context = UserContext::new(0, 0);
        // SAFETY: both are borrowed.
        assert_eq!(unsafe { Codes::find::<0>(&codes, &context, 0, 0) }, None);
    }
}
