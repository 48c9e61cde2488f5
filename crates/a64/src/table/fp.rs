// Scalar floating point. `ftype` is 0 for single, 1 for double and 3 for half
// precision.

class floatdp1 {
    FMOV_floatdp1,   "000 11110 ftype:2 1 000000 10000 Rn:5 Rd:5", "fmov <Fd>, <Fn>", "ftype!=2", FEAT_FP16 if ftype=3;
    FABS_floatdp1,   "000 11110 ftype:2 1 000001 10000 Rn:5 Rd:5", "fabs <Fd>, <Fn>", "ftype!=2", FEAT_FP16 if ftype=3;
    FNEG_floatdp1,   "000 11110 ftype:2 1 000010 10000 Rn:5 Rd:5", "fneg <Fd>, <Fn>", "ftype!=2", FEAT_FP16 if ftype=3;
    FSQRT_floatdp1,  "000 11110 ftype:2 1 000011 10000 Rn:5 Rd:5", "fsqrt <Fd>, <Fn>", "ftype!=2", FEAT_FP16 if ftype=3;
    FCVT_floatdp1,   "000 11110 ftype:2 1 0001 opc:2 10000 Rn:5 Rd:5", "fcvt <Fd.opc>, <Fn>", "ftype!=2, opc!=2, ftype=0 -> opc!=0, ftype=1 -> opc!=1, ftype=3 -> opc!=3";
    FRINTN_floatdp1, "000 11110 ftype:2 1 001000 10000 Rn:5 Rd:5", "frintn <Fd>, <Fn>", "ftype!=2", FEAT_FP16 if ftype=3;
    FRINTP_floatdp1, "000 11110 ftype:2 1 001001 10000 Rn:5 Rd:5", "frintp <Fd>, <Fn>", "ftype!=2", FEAT_FP16 if ftype=3;
    FRINTM_floatdp1, "000 11110 ftype:2 1 001010 10000 Rn:5 Rd:5", "frintm <Fd>, <Fn>", "ftype!=2", FEAT_FP16 if ftype=3;
    FRINTZ_floatdp1, "000 11110 ftype:2 1 001011 10000 Rn:5 Rd:5", "frintz <Fd>, <Fn>", "ftype!=2", FEAT_FP16 if ftype=3;
    FRINTA_floatdp1, "000 11110 ftype:2 1 001100 10000 Rn:5 Rd:5", "frinta <Fd>, <Fn>", "ftype!=2", FEAT_FP16 if ftype=3;
    FRINTX_floatdp1, "000 11110 ftype:2 1 001110 10000 Rn:5 Rd:5", "frintx <Fd>, <Fn>", "ftype!=2", FEAT_FP16 if ftype=3;
    FRINTI_floatdp1, "000 11110 ftype:2 1 001111 10000 Rn:5 Rd:5", "frinti <Fd>, <Fn>", "ftype!=2", FEAT_FP16 if ftype=3;

    FRINT32Z_floatdp1, "000 11110 ftype:2 1 010000 10000 Rn:5 Rd:5", "frint32z <Fd>, <Fn>", "ftype<2", FEAT_FRINTTS;
    FRINT32X_floatdp1, "000 11110 ftype:2 1 010001 10000 Rn:5 Rd:5", "frint32x <Fd>, <Fn>", "ftype<2", FEAT_FRINTTS;
    FRINT64Z_floatdp1, "000 11110 ftype:2 1 010010 10000 Rn:5 Rd:5", "frint64z <Fd>, <Fn>", "ftype<2", FEAT_FRINTTS;
    FRINT64X_floatdp1, "000 11110 ftype:2 1 010011 10000 Rn:5 Rd:5", "frint64x <Fd>, <Fn>", "ftype<2", FEAT_FRINTTS;
    BFCVT_floatdp1,    "000 11110 01 1 000110 10000 Rn:5 Rd:5", "bfcvt <Hd>, <Sn>", FEAT_BF16;
}

class floatdp2 {
    FMUL_floatdp2,   "000 11110 ftype:2 1 Rm:5 0000 10 Rn:5 Rd:5", "fmul <Fd>, <Fn>, <Fm>", "ftype!=2", FEAT_FP16 if ftype=3;
    FDIV_floatdp2,   "000 11110 ftype:2 1 Rm:5 0001 10 Rn:5 Rd:5", "fdiv <Fd>, <Fn>, <Fm>", "ftype!=2", FEAT_FP16 if ftype=3;
    FADD_floatdp2,   "000 11110 ftype:2 1 Rm:5 0010 10 Rn:5 Rd:5", "fadd <Fd>, <Fn>, <Fm>", "ftype!=2", FEAT_FP16 if ftype=3;
    FSUB_floatdp2,   "000 11110 ftype:2 1 Rm:5 0011 10 Rn:5 Rd:5", "fsub <Fd>, <Fn>, <Fm>", "ftype!=2", FEAT_FP16 if ftype=3;
    FMAX_floatdp2,   "000 11110 ftype:2 1 Rm:5 0100 10 Rn:5 Rd:5", "fmax <Fd>, <Fn>, <Fm>", "ftype!=2", FEAT_FP16 if ftype=3;
    FMIN_floatdp2,   "000 11110 ftype:2 1 Rm:5 0101 10 Rn:5 Rd:5", "fmin <Fd>, <Fn>, <Fm>", "ftype!=2", FEAT_FP16 if ftype=3;
    FMAXNM_floatdp2, "000 11110 ftype:2 1 Rm:5 0110 10 Rn:5 Rd:5", "fmaxnm <Fd>, <Fn>, <Fm>", "ftype!=2", FEAT_FP16 if ftype=3;
    FMINNM_floatdp2, "000 11110 ftype:2 1 Rm:5 0111 10 Rn:5 Rd:5", "fminnm <Fd>, <Fn>, <Fm>", "ftype!=2", FEAT_FP16 if ftype=3;
    FNMUL_floatdp2,  "000 11110 ftype:2 1 Rm:5 1000 10 Rn:5 Rd:5", "fnmul <Fd>, <Fn>, <Fm>", "ftype!=2", FEAT_FP16 if ftype=3;
}

class floatdp3 {
    FMADD_floatdp3,  "000 11111 ftype:2 0 Rm:5 0 Ra:5 Rn:5 Rd:5", "fmadd <Fd>, <Fn>, <Fm>, <Fa>", "ftype!=2", FEAT_FP16 if ftype=3;
    FMSUB_floatdp3,  "000 11111 ftype:2 0 Rm:5 1 Ra:5 Rn:5 Rd:5", "fmsub <Fd>, <Fn>, <Fm>, <Fa>", "ftype!=2", FEAT_FP16 if ftype=3;
    FNMADD_floatdp3, "000 11111 ftype:2 1 Rm:5 0 Ra:5 Rn:5 Rd:5", "fnmadd <Fd>, <Fn>, <Fm>, <Fa>", "ftype!=2", FEAT_FP16 if ftype=3;
    FNMSUB_floatdp3, "000 11111 ftype:2 1 Rm:5 1 Ra:5 Rn:5 Rd:5", "fnmsub <Fd>, <Fn>, <Fm>, <Fa>", "ftype!=2", FEAT_FP16 if ftype=3;
}

class floatcmp {
    FCMP_floatcmp,       "000 11110 ftype:2 1 Rm:5 00 1000 Rn:5 00000", "fcmp <Fn>, <Fm>", "ftype!=2", FEAT_FP16 if ftype=3;
    FCMP_zero_floatcmp,  "000 11110 ftype:2 1 (00000) 00 1000 Rn:5 01000", "fcmp <Fn>, #0.0", "ftype!=2", FEAT_FP16 if ftype=3;
    FCMPE_floatcmp,      "000 11110 ftype:2 1 Rm:5 00 1000 Rn:5 10000", "fcmpe <Fn>, <Fm>", "ftype!=2", FEAT_FP16 if ftype=3;
    FCMPE_zero_floatcmp, "000 11110 ftype:2 1 (00000) 00 1000 Rn:5 11000", "fcmpe <Fn>, #0.0", "ftype!=2", FEAT_FP16 if ftype=3;
}

class floatccmp {
    FCCMP_floatccmp,  "000 11110 ftype:2 1 Rm:5 cond:4 01 Rn:5 0 nzcv:4", "fccmp <Fn>, <Fm>, #<nzcv>, <cond>", "ftype!=2", FEAT_FP16 if ftype=3;
    FCCMPE_floatccmp, "000 11110 ftype:2 1 Rm:5 cond:4 01 Rn:5 1 nzcv:4", "fccmpe <Fn>, <Fm>, #<nzcv>, <cond>", "ftype!=2", FEAT_FP16 if ftype=3;
}

class floatsel {
    FCSEL_floatsel, "000 11110 ftype:2 1 Rm:5 cond:4 11 Rn:5 Rd:5", "fcsel <Fd>, <Fn>, <Fm>, <cond>", "ftype!=2", FEAT_FP16 if ftype=3;
}

class floatimm {
    FMOV_floatimm, "000 11110 ftype:2 1 imm8:8 100 00000 Rd:5", "fmov <Fd>, #<fimm8>", "ftype!=2", FEAT_FP16 if ftype=3;
}

class float2int {
    FCVTNS_float2int,         "sf:1 00 11110 ftype:2 1 00 000 000000 Rn:5 Rd:5", "fcvtns <Rd>, <Fn>", "ftype!=2", FEAT_FP16 if ftype=3;
    FCVTNU_float2int,         "sf:1 00 11110 ftype:2 1 00 001 000000 Rn:5 Rd:5", "fcvtnu <Rd>, <Fn>", "ftype!=2", FEAT_FP16 if ftype=3;
    FCVTPS_float2int,         "sf:1 00 11110 ftype:2 1 01 000 000000 Rn:5 Rd:5", "fcvtps <Rd>, <Fn>", "ftype!=2", FEAT_FP16 if ftype=3;
    FCVTPU_float2int,         "sf:1 00 11110 ftype:2 1 01 001 000000 Rn:5 Rd:5", "fcvtpu <Rd>, <Fn>", "ftype!=2", FEAT_FP16 if ftype=3;
    FCVTMS_float2int,         "sf:1 00 11110 ftype:2 1 10 000 000000 Rn:5 Rd:5", "fcvtms <Rd>, <Fn>", "ftype!=2", FEAT_FP16 if ftype=3;
    FCVTMU_float2int,         "sf:1 00 11110 ftype:2 1 10 001 000000 Rn:5 Rd:5", "fcvtmu <Rd>, <Fn>", "ftype!=2", FEAT_FP16 if ftype=3;
    FCVTZS_float2int,         "sf:1 00 11110 ftype:2 1 11 000 000000 Rn:5 Rd:5", "fcvtzs <Rd>, <Fn>", "ftype!=2", FEAT_FP16 if ftype=3;
    FCVTZU_float2int,         "sf:1 00 11110 ftype:2 1 11 001 000000 Rn:5 Rd:5", "fcvtzu <Rd>, <Fn>", "ftype!=2", FEAT_FP16 if ftype=3;
    FCVTAS_float2int,         "sf:1 00 11110 ftype:2 1 00 100 000000 Rn:5 Rd:5", "fcvtas <Rd>, <Fn>", "ftype!=2", FEAT_FP16 if ftype=3;
    FCVTAU_float2int,         "sf:1 00 11110 ftype:2 1 00 101 000000 Rn:5 Rd:5", "fcvtau <Rd>, <Fn>", "ftype!=2", FEAT_FP16 if ftype=3;
    SCVTF_float2int,          "sf:1 00 11110 ftype:2 1 00 010 000000 Rn:5 Rd:5", "scvtf <Fd>, <Rn>", "ftype!=2", FEAT_FP16 if ftype=3;
    UCVTF_float2int,          "sf:1 00 11110 ftype:2 1 00 011 000000 Rn:5 Rd:5", "ucvtf <Fd>, <Rn>", "ftype!=2", FEAT_FP16 if ftype=3;
    FMOV_to_float2int,        "sf:1 00 11110 ftype:2 1 00 110 000000 Rn:5 Rd:5", "fmov <Rd>, <Fn>", "ftype!=2, sf=0 -> ftype!=1, sf=1 -> ftype!=0", FEAT_FP16 if ftype=3;
    FMOV_from_float2int,      "sf:1 00 11110 ftype:2 1 00 111 000000 Rn:5 Rd:5", "fmov <Fd>, <Rn>", "ftype!=2, sf=0 -> ftype!=1, sf=1 -> ftype!=0", FEAT_FP16 if ftype=3;
    FMOV_to_high_float2int,   "1 00 11110 10 1 01 110 000000 Rn:5 Rd:5", "fmov <Xd>, <Vn>.d[1]";
    FMOV_from_high_float2int, "1 00 11110 10 1 01 111 000000 Rn:5 Rd:5", "fmov <Vd>.d[1], <Xn>";
    FJCVTZS_float2int,        "0 00 11110 01 1 11 110 000000 Rn:5 Rd:5", "fjcvtzs <Wd>, <Dn>", FEAT_JSCVT;
}

class float2fix {
    SCVTF_float2fix,  "sf:1 00 11110 ftype:2 0 00 010 scale:6 Rn:5 Rd:5", "scvtf <Fd>, <Rn>, #<fbits>", "ftype!=2, sf=0 -> scale>=32", FEAT_FP16 if ftype=3;
    UCVTF_float2fix,  "sf:1 00 11110 ftype:2 0 00 011 scale:6 Rn:5 Rd:5", "ucvtf <Fd>, <Rn>, #<fbits>", "ftype!=2, sf=0 -> scale>=32", FEAT_FP16 if ftype=3;
    FCVTZS_float2fix, "sf:1 00 11110 ftype:2 0 11 000 scale:6 Rn:5 Rd:5", "fcvtzs <Rd>, <Fn>, #<fbits>", "ftype!=2, sf=0 -> scale>=32", FEAT_FP16 if ftype=3;
    FCVTZU_float2fix, "sf:1 00 11110 ftype:2 0 11 001 scale:6 Rn:5 Rd:5", "fcvtzu <Rd>, <Fn>, #<fbits>", "ftype!=2, sf=0 -> scale>=32", FEAT_FP16 if ftype=3;
}
