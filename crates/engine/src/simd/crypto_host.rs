//! The host's own AES and carry-less multiplication, where it has them.

use super::V128;

#[cfg(target_arch = "x86_64")]
mod x86_64 {
    use core::arch::asm;
    use core::arch::x86_64::__m128i;
    use core::sync::atomic::{AtomicU8, Ordering::Relaxed};

    use super::V128;

    const AES: u8 = 1;
    const CLMUL: u8 = 2;
    /// What [`init`] found. Zero until then, which only costs speed.
    static FEATURES: AtomicU8 = AtomicU8::new(0);

    pub(crate) fn init() {
        let mut features = 0;
        if std::is_x86_feature_detected!("aes") {
            features |= AES;
        }
        if std::is_x86_feature_detected!("pclmulqdq") {
            features |= CLMUL;
        }
        FEATURES.store(features, Relaxed);
    }

    /// `$name` of the vector and, for all but `aesimc`, of zero.
    macro_rules! aes {
        ($($function:ident $template:literal;)*) => {$(
            #[inline(always)]
            pub(crate) fn $function(a: V128) -> Option<V128> {
                if FEATURES.load(Relaxed) & AES == 0 {
                    return None;
                }
                let mut r: __m128i = a.0;
                let zero: __m128i = V128::zero().0;
                // SAFETY: the host has AES; registers only.
                unsafe {
                    asm!($template, inout(xmm_reg) r, in(xmm_reg) zero, options(pure, nomem, nostack, preserves_flags));
                }
                Some(V128(r))
            }
        )*};
    }

    aes! {
        encrypt_last "aesenclast {0}, {1}";
        decrypt_last "aesdeclast {0}, {1}";
        // The inverse of the last round undoes all but the columns' mixing.
        mix_columns "aesdeclast {0}, {1}\naesenc {0}, {1}";
        inverse_mix_columns "aesimc {0}, {0} /* {1} */";
    }

    #[inline(always)]
    pub(crate) fn poly_mul(a: u64, b: u64) -> Option<V128> {
        if FEATURES.load(Relaxed) & CLMUL == 0 {
            return None;
        }
        let mut r: __m128i = V128::from_halves(a, 0).0;
        let b: __m128i = V128::from_halves(b, 0).0;
        // SAFETY: the host has carry-less multiplication; registers only.
        unsafe {
            asm!("pclmulqdq {}, {}, 0", inout(xmm_reg) r, in(xmm_reg) b,
                 options(pure, nomem, nostack, preserves_flags));
        }
        Some(V128(r))
    }
}

#[cfg(not(target_arch = "x86_64"))]
mod none {
    use super::V128;

    pub(crate) fn init() {}

    pub(crate) fn encrypt_last(_: V128) -> Option<V128> {
        None
    }

    pub(crate) fn decrypt_last(_: V128) -> Option<V128> {
        None
    }

    pub(crate) fn mix_columns(_: V128) -> Option<V128> {
        None
    }

    pub(crate) fn inverse_mix_columns(_: V128) -> Option<V128> {
        None
    }

    pub(crate) fn poly_mul(_: u64, _: u64) -> Option<V128> {
        None
    }
}

#[cfg(not(target_arch = "x86_64"))]
pub(crate) use none::*;
#[cfg(target_arch = "x86_64")]
pub(crate) use x86_64::*;

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;
    use crate::simd::crypto::{AesDecrypt, AesEncrypt, AesInverseMixColumns, AesMixColumns};
    use crate::simd::wide::PolyMulLong64;
    use crate::simd::{Lane, VectorOp};

    #[test]
    fn host_and_software_agree() {
        let zero = V128::zero();
        let mut value = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c834_u128;
        let mut outcomes = Vec::new();
        for _ in 0..300 {
            value = value.wrapping_mul(0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645).rotate_left(31);
            let v = V128::from_u128(value);
            let all = [
                AesEncrypt::eval(v, zero, zero, 0),
                AesDecrypt::eval(v, zero, zero, 0),
                AesMixColumns::eval(v, zero, zero, 0),
                AesInverseMixColumns::eval(v, zero, zero, 0),
                PolyMulLong64::<false>::eval(v, V128::splat(v.high()), zero, 0),
            ];
            outcomes.push((v, all));
        }
        // Nothing else in this process's unit tests asks for the host's.
        init();
        for (v, all) in outcomes {
            let host = [
                AesEncrypt::eval(v, zero, zero, 0),
                AesDecrypt::eval(v, zero, zero, 0),
                AesMixColumns::eval(v, zero, zero, 0),
                AesInverseMixColumns::eval(v, zero, zero, 0),
                PolyMulLong64::<false>::eval(v, V128::splat(v.high()), zero, 0),
            ];
            assert_eq!(all, host, "{:?}", u8::array(|i| v.lane::<u8>(i)));
        }
    }
}
