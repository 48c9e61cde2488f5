// The cryptographic extensions: AES, SHA1, SHA256, SHA512, SHA3, SM3 and SM4.

class cryptoaes FEAT_AES {
    AESE_cryptoaes,   "01001110 00 10100 00100 10 Rn:5 Rd:5", "aese <Vd>.16b, <Vn>.16b";
    AESD_cryptoaes,   "01001110 00 10100 00101 10 Rn:5 Rd:5", "aesd <Vd>.16b, <Vn>.16b";
    AESMC_cryptoaes,  "01001110 00 10100 00110 10 Rn:5 Rd:5", "aesmc <Vd>.16b, <Vn>.16b";
    AESIMC_cryptoaes, "01001110 00 10100 00111 10 Rn:5 Rd:5", "aesimc <Vd>.16b, <Vn>.16b";
}

class cryptosha3 {
    SHA1C_cryptosha3,     "01011110 000 Rm:5 0 000 00 Rn:5 Rd:5", "sha1c <Qd>, <Sn>, <Vm>.4s", FEAT_SHA1;
    SHA1P_cryptosha3,     "01011110 000 Rm:5 0 001 00 Rn:5 Rd:5", "sha1p <Qd>, <Sn>, <Vm>.4s", FEAT_SHA1;
    SHA1M_cryptosha3,     "01011110 000 Rm:5 0 010 00 Rn:5 Rd:5", "sha1m <Qd>, <Sn>, <Vm>.4s", FEAT_SHA1;
    SHA1SU0_cryptosha3,   "01011110 000 Rm:5 0 011 00 Rn:5 Rd:5", "sha1su0 <Vd>.4s, <Vn>.4s, <Vm>.4s", FEAT_SHA1;
    SHA256H_cryptosha3,   "01011110 000 Rm:5 0 100 00 Rn:5 Rd:5", "sha256h <Qd>, <Qn>, <Vm>.4s", FEAT_SHA256;
    SHA256H2_cryptosha3,  "01011110 000 Rm:5 0 101 00 Rn:5 Rd:5", "sha256h2 <Qd>, <Qn>, <Vm>.4s", FEAT_SHA256;
    SHA256SU1_cryptosha3, "01011110 000 Rm:5 0 110 00 Rn:5 Rd:5", "sha256su1 <Vd>.4s, <Vn>.4s, <Vm>.4s", FEAT_SHA256;
}

class cryptosha2 {
    SHA1H_cryptosha2,     "01011110 00 10100 00000 10 Rn:5 Rd:5", "sha1h <Sd>, <Sn>", FEAT_SHA1;
    SHA1SU1_cryptosha2,   "01011110 00 10100 00001 10 Rn:5 Rd:5", "sha1su1 <Vd>.4s, <Vn>.4s", FEAT_SHA1;
    SHA256SU0_cryptosha2, "01011110 00 10100 00010 10 Rn:5 Rd:5", "sha256su0 <Vd>.4s, <Vn>.4s", FEAT_SHA256;
}

class crypto4 {
    EOR3_crypto4,   "11001110 000 Rm:5 0 Ra:5 Rn:5 Rd:5", "eor3 <Vd>.16b, <Vn>.16b, <Vm>.16b, <Va>.16b", FEAT_SHA3;
    BCAX_crypto4,   "11001110 001 Rm:5 0 Ra:5 Rn:5 Rd:5", "bcax <Vd>.16b, <Vn>.16b, <Vm>.16b, <Va>.16b", FEAT_SHA3;
    SM3SS1_crypto4, "11001110 010 Rm:5 0 Ra:5 Rn:5 Rd:5", "sm3ss1 <Vd>.4s, <Vn>.4s, <Vm>.4s, <Va>.4s", FEAT_SM3;
}

class crypto3_imm2 FEAT_SM3 {
    SM3TT1A_crypto3_imm2, "11001110 010 Rm:5 10 imm2:2 00 Rn:5 Rd:5", "sm3tt1a <Vd>.4s, <Vn>.4s, <Vm>.s[<imm2>]";
    SM3TT1B_crypto3_imm2, "11001110 010 Rm:5 10 imm2:2 01 Rn:5 Rd:5", "sm3tt1b <Vd>.4s, <Vn>.4s, <Vm>.s[<imm2>]";
    SM3TT2A_crypto3_imm2, "11001110 010 Rm:5 10 imm2:2 10 Rn:5 Rd:5", "sm3tt2a <Vd>.4s, <Vn>.4s, <Vm>.s[<imm2>]";
    SM3TT2B_crypto3_imm2, "11001110 010 Rm:5 10 imm2:2 11 Rn:5 Rd:5", "sm3tt2b <Vd>.4s, <Vn>.4s, <Vm>.s[<imm2>]";
}

class crypto3_imm6 FEAT_SHA3 {
    XAR_crypto3_imm6, "11001110 100 Rm:5 imm6:6 Rn:5 Rd:5", "xar <Vd>.2d, <Vn>.2d, <Vm>.2d, #<imm6>";
}

class cryptosha512_3 {
    SHA512H_cryptosha512_3,   "11001110 011 Rm:5 1000 00 Rn:5 Rd:5", "sha512h <Qd>, <Qn>, <Vm>.2d", FEAT_SHA512;
    SHA512H2_cryptosha512_3,  "11001110 011 Rm:5 1000 01 Rn:5 Rd:5", "sha512h2 <Qd>, <Qn>, <Vm>.2d", FEAT_SHA512;
    SHA512SU1_cryptosha512_3, "11001110 011 Rm:5 1000 10 Rn:5 Rd:5", "sha512su1 <Vd>.2d, <Vn>.2d, <Vm>.2d", FEAT_SHA512;
    RAX1_cryptosha512_3,      "11001110 011 Rm:5 1000 11 Rn:5 Rd:5", "rax1 <Vd>.2d, <Vn>.2d, <Vm>.2d", FEAT_SHA3;
    SM3PARTW1_cryptosha512_3, "11001110 011 Rm:5 1100 00 Rn:5 Rd:5", "sm3partw1 <Vd>.4s, <Vn>.4s, <Vm>.4s", FEAT_SM3;
    SM3PARTW2_cryptosha512_3, "11001110 011 Rm:5 1100 01 Rn:5 Rd:5", "sm3partw2 <Vd>.4s, <Vn>.4s, <Vm>.4s", FEAT_SM3;
    SM4EKEY_cryptosha512_3,   "11001110 011 Rm:5 1100 10 Rn:5 Rd:5", "sm4ekey <Vd>.4s, <Vn>.4s, <Vm>.4s", FEAT_SM4;
}

class cryptosha512_2 {
    SHA512SU0_cryptosha512_2, "11001110 110 00000 1000 00 Rn:5 Rd:5", "sha512su0 <Vd>.2d, <Vn>.2d", FEAT_SHA512;
    SM4E_cryptosha512_2,      "11001110 110 00000 1000 01 Rn:5 Rd:5", "sm4e <Vd>.4s, <Vn>.4s", FEAT_SM4;
}
