//! The cryptographic extensions.

use a64::Insn;

use crate::lower::arrange::{dn, dnm};
use crate::lower::{Draft, Lower, vreg};
use crate::sem::simd::{Vector, Vector3};
use crate::simd::crypto::{
    AesDecrypt, AesEncrypt, AesInverseMixColumns, AesMixColumns, Sha1, Sha1Rotate, Sha1Schedule0, Sha1Schedule1,
    Sha256, Sha256Schedule0, Sha256Schedule1, sha1,
};
use crate::simd::sha3::{
    RotateXor, Sha512First, Sha512Schedule0, Sha512Schedule1, Sha512Second, Xor3, XorAndNot, XorRotate,
};
use crate::simd::sm::{Sm3First, Sm3Schedule1, Sm3Schedule2, Sm3Second, Sm3Sum, Sm4Encrypt, Sm4Key};

macro_rules! cryptography {
    ($($name:ident $operands:ident $op:ty, $bytes:literal;)*) => {$(
        pub(super) fn $name(i: Insn, c: &mut Lower<'_>) -> Draft {
            c.op::<Vector<$op, $bytes>>($operands(i), 0)
        }
    )*};
}

cryptography! {
    AESE_cryptoaes dn AesEncrypt, 16;
    AESD_cryptoaes dn AesDecrypt, 16;
    AESMC_cryptoaes dn AesMixColumns, 16;
    AESIMC_cryptoaes dn AesInverseMixColumns, 16;
    SHA1C_cryptosha3 dnm Sha1<{ sha1::CHOOSE }>, 16;
    SHA1P_cryptosha3 dnm Sha1<{ sha1::PARITY }>, 16;
    SHA1M_cryptosha3 dnm Sha1<{ sha1::MAJORITY }>, 16;
    SHA1SU0_cryptosha3 dnm Sha1Schedule0, 16;
    SHA256H_cryptosha3 dnm Sha256<false>, 16;
    SHA256H2_cryptosha3 dnm Sha256<true>, 16;
    SHA256SU1_cryptosha3 dnm Sha256Schedule1, 16;
    SHA1H_cryptosha2 dn Sha1Rotate, 4;
    SHA1SU1_cryptosha2 dn Sha1Schedule1, 16;
    SHA256SU0_cryptosha2 dn Sha256Schedule0, 16;
    SHA512H_cryptosha512_3 dnm Sha512First, 16;
    SHA512H2_cryptosha512_3 dnm Sha512Second, 16;
    SHA512SU1_cryptosha512_3 dnm Sha512Schedule1, 16;
    SHA512SU0_cryptosha512_2 dn Sha512Schedule0, 16;
    RAX1_cryptosha512_3 dnm RotateXor, 16;
    SM3PARTW1_cryptosha512_3 dnm Sm3Schedule1, 16;
    SM3PARTW2_cryptosha512_3 dnm Sm3Schedule2, 16;
    SM4EKEY_cryptosha512_3 dnm Sm4Key, 16;
    SM4E_cryptosha512_2 dn Sm4Encrypt, 16;
}

macro_rules! four_registers {
    ($($name:ident $op:ty;)*) => {$(
        pub(super) fn $name(i: Insn, c: &mut Lower<'_>) -> Draft {
            let [d, n, m, _] = dnm(i);
            c.op::<Vector3<$op>>([d, n, m, vreg(i.ra())], 0)
        }
    )*};
}

four_registers! {
    EOR3_crypto4 Xor3;
    BCAX_crypto4 XorAndNot;
    SM3SS1_crypto4 Sm3Sum;
}

macro_rules! with_number {
    ($($name:ident $field:ident $op:ty;)*) => {$(
        pub(super) fn $name(i: Insn, c: &mut Lower<'_>) -> Draft {
            c.op::<Vector<$op, 16>>(dnm(i), i.$field() as i32)
        }
    )*};
}

with_number! {
    SM3TT1A_crypto3_imm2 imm2_12 Sm3First<false>;
    SM3TT1B_crypto3_imm2 imm2_12 Sm3First<true>;
    SM3TT2A_crypto3_imm2 imm2_12 Sm3Second<false>;
    SM3TT2B_crypto3_imm2 imm2_12 Sm3Second<true>;
    XAR_crypto3_imm6 imm6 XorRotate;
}
