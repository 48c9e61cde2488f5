// The cryptographic extension: AES, SHA1 and SHA256.

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
