// Loads and stores. (Advanced SIMD structures are in their own file.)
//
// Operations that differ in nothing but the size of the access (`LDRB`, `LDRH`,
// `LDR`) are one row with the field `size`; `LDRS` is `LDRSB`, `LDRSH` and
// `LDRSW`, where `opc` 2 extends to 64 bits and 3 to 32. `_fp` rows
// are those of the SIMD&FP registers.

class ldstexclr {
    STXR_ldstexclr,  "size:2 001000 0 0 0 Rs:5 0 (11111) Rn:5 Rt:5", "stxr<bh> <Ws>, <Rt.size>, [<Xn|SP>]";
    STLXR_ldstexclr, "size:2 001000 0 0 0 Rs:5 1 (11111) Rn:5 Rt:5", "stlxr<bh> <Ws>, <Rt.size>, [<Xn|SP>]";
    LDXR_ldstexclr,  "size:2 001000 0 1 0 (11111) 0 (11111) Rn:5 Rt:5", "ldxr<bh> <Rt.size>, [<Xn|SP>]";
    LDAXR_ldstexclr, "size:2 001000 0 1 0 (11111) 1 (11111) Rn:5 Rt:5", "ldaxr<bh> <Rt.size>, [<Xn|SP>]";
}

class ldstexclp {
    STXP_ldstexclp,  "1 sz:1 001000 0 0 1 Rs:5 0 Rt2:5 Rn:5 Rt:5", "stxp <Ws>, <Rt.size>, <Rt2.size>, [<Xn|SP>]";
    STLXP_ldstexclp, "1 sz:1 001000 0 0 1 Rs:5 1 Rt2:5 Rn:5 Rt:5", "stlxp <Ws>, <Rt.size>, <Rt2.size>, [<Xn|SP>]";
    LDXP_ldstexclp,  "1 sz:1 001000 0 1 1 (11111) 0 Rt2:5 Rn:5 Rt:5", "ldxp <Rt.size>, <Rt2.size>, [<Xn|SP>]";
    LDAXP_ldstexclp, "1 sz:1 001000 0 1 1 (11111) 1 Rt2:5 Rn:5 Rt:5", "ldaxp <Rt.size>, <Rt2.size>, [<Xn|SP>]";
}

class ldstord {
    STLLR_ldstord, "size:2 001000 1 0 0 (11111) 0 (11111) Rn:5 Rt:5", "stllr<bh> <Rt.size>, [<Xn|SP>]", FEAT_LOR;
    STLR_ldstord,  "size:2 001000 1 0 0 (11111) 1 (11111) Rn:5 Rt:5", "stlr<bh> <Rt.size>, [<Xn|SP>]";
    LDLAR_ldstord, "size:2 001000 1 1 0 (11111) 0 (11111) Rn:5 Rt:5", "ldlar<bh> <Rt.size>, [<Xn|SP>]", FEAT_LOR;
    LDAR_ldstord,  "size:2 001000 1 1 0 (11111) 1 (11111) Rn:5 Rt:5", "ldar<bh> <Rt.size>, [<Xn|SP>]";
}

class comswap FEAT_LSE {
    CAS_comswap, "size:2 001000 1 L:1 1 Rs:5 o0:1 11111 Rn:5 Rt:5", "cas<L><o0><bh> <Rs.size>, <Rt.size>, [<Xn|SP>]";
}

class comswappr FEAT_LSE {
    CASP_comswappr, "0 sz:1 001000 0 L:1 1 Rs:5 o0:1 11111 Rn:5 Rt:5", "casp<L><o0> <Rs.pair>, <Rt.pair>, [<Xn|SP>]", "Rs!=0bxxxx1, Rt!=0bxxxx1";
}

class memop {
    LDADD_memop,  "size:2 111 0 00 A:1 R:1 1 Rs:5 0 000 00 Rn:5 Rt:5", "ldadd<A><R><bh> <Rs.size>, <Rt.size>, [<Xn|SP>]", FEAT_LSE;
    LDCLR_memop,  "size:2 111 0 00 A:1 R:1 1 Rs:5 0 001 00 Rn:5 Rt:5", "ldclr<A><R><bh> <Rs.size>, <Rt.size>, [<Xn|SP>]", FEAT_LSE;
    LDEOR_memop,  "size:2 111 0 00 A:1 R:1 1 Rs:5 0 010 00 Rn:5 Rt:5", "ldeor<A><R><bh> <Rs.size>, <Rt.size>, [<Xn|SP>]", FEAT_LSE;
    LDSET_memop,  "size:2 111 0 00 A:1 R:1 1 Rs:5 0 011 00 Rn:5 Rt:5", "ldset<A><R><bh> <Rs.size>, <Rt.size>, [<Xn|SP>]", FEAT_LSE;
    LDSMAX_memop, "size:2 111 0 00 A:1 R:1 1 Rs:5 0 100 00 Rn:5 Rt:5", "ldsmax<A><R><bh> <Rs.size>, <Rt.size>, [<Xn|SP>]", FEAT_LSE;
    LDSMIN_memop, "size:2 111 0 00 A:1 R:1 1 Rs:5 0 101 00 Rn:5 Rt:5", "ldsmin<A><R><bh> <Rs.size>, <Rt.size>, [<Xn|SP>]", FEAT_LSE;
    LDUMAX_memop, "size:2 111 0 00 A:1 R:1 1 Rs:5 0 110 00 Rn:5 Rt:5", "ldumax<A><R><bh> <Rs.size>, <Rt.size>, [<Xn|SP>]", FEAT_LSE;
    LDUMIN_memop, "size:2 111 0 00 A:1 R:1 1 Rs:5 0 111 00 Rn:5 Rt:5", "ldumin<A><R><bh> <Rs.size>, <Rt.size>, [<Xn|SP>]", FEAT_LSE;
    SWP_memop,    "size:2 111 0 00 A:1 R:1 1 Rs:5 1 000 00 Rn:5 Rt:5", "swp<A><R><bh> <Rs.size>, <Rt.size>, [<Xn|SP>]", FEAT_LSE;
    ST64B_memop,   "11 111 0 00 0 0 1 11111 1 001 00 Rn:5 Rt:5", "st64b <Xt>, [<Xn|SP>]", "Rt=0bxxxx0, Rt!=0b11xxx", FEAT_LS64;
    ST64BV0_memop, "11 111 0 00 0 0 1 Rs:5 1 010 00 Rn:5 Rt:5", "st64bv0 <Xs>, <Xt>, [<Xn|SP>]", "Rt=0bxxxx0, Rt!=0b11xxx", FEAT_LS64_ACCDATA;
    ST64BV_memop,  "11 111 0 00 0 0 1 Rs:5 1 011 00 Rn:5 Rt:5", "st64bv <Xs>, <Xt>, [<Xn|SP>]", "Rt=0bxxxx0, Rt!=0b11xxx", FEAT_LS64_V;
    LD64B_memop,   "11 111 0 00 0 0 1 11111 1 101 00 Rn:5 Rt:5", "ld64b <Xt>, [<Xn|SP>]", "Rt=0bxxxx0, Rt!=0b11xxx", FEAT_LS64;
    LDAPR_memop,  "size:2 111 0 00 1 0 1 11111 1 100 00 Rn:5 Rt:5", "ldapr<bh> <Rt.size>, [<Xn|SP>]", FEAT_LRCPC;
}

class ldsttags FEAT_MTE {
    STG_post_ldsttags,    "11011001 00 1 imm9:9 01 Rn:5 Rt:5", "stg <Xt|SP>, [<Xn|SP>], #<imm9.16>";
    STG_off_ldsttags,     "11011001 00 1 imm9:9 10 Rn:5 Rt:5", "stg <Xt|SP>, [<Xn|SP>{, #<imm9.16>}]";
    STG_pre_ldsttags,     "11011001 00 1 imm9:9 11 Rn:5 Rt:5", "stg <Xt|SP>, [<Xn|SP>, #<imm9.16>]!";
    STZG_post_ldsttags,   "11011001 01 1 imm9:9 01 Rn:5 Rt:5", "stzg <Xt|SP>, [<Xn|SP>], #<imm9.16>";
    STZG_off_ldsttags,    "11011001 01 1 imm9:9 10 Rn:5 Rt:5", "stzg <Xt|SP>, [<Xn|SP>{, #<imm9.16>}]";
    STZG_pre_ldsttags,    "11011001 01 1 imm9:9 11 Rn:5 Rt:5", "stzg <Xt|SP>, [<Xn|SP>, #<imm9.16>]!";
    ST2G_post_ldsttags,   "11011001 10 1 imm9:9 01 Rn:5 Rt:5", "st2g <Xt|SP>, [<Xn|SP>], #<imm9.16>";
    ST2G_off_ldsttags,    "11011001 10 1 imm9:9 10 Rn:5 Rt:5", "st2g <Xt|SP>, [<Xn|SP>{, #<imm9.16>}]";
    ST2G_pre_ldsttags,    "11011001 10 1 imm9:9 11 Rn:5 Rt:5", "st2g <Xt|SP>, [<Xn|SP>, #<imm9.16>]!";
    STZ2G_post_ldsttags,  "11011001 11 1 imm9:9 01 Rn:5 Rt:5", "stz2g <Xt|SP>, [<Xn|SP>], #<imm9.16>";
    STZ2G_off_ldsttags,   "11011001 11 1 imm9:9 10 Rn:5 Rt:5", "stz2g <Xt|SP>, [<Xn|SP>{, #<imm9.16>}]";
    STZ2G_pre_ldsttags,   "11011001 11 1 imm9:9 11 Rn:5 Rt:5", "stz2g <Xt|SP>, [<Xn|SP>, #<imm9.16>]!";
    LDG_ldsttags,         "11011001 01 1 imm9:9 00 Rn:5 Rt:5", "ldg <Xt>, [<Xn|SP>{, #<imm9.16>}]";
    STZGM_ldsttags,       "11011001 00 1 000000000 00 Rn:5 Rt:5", "stzgm <Xt>, [<Xn|SP>]";
    STGM_ldsttags,        "11011001 10 1 000000000 00 Rn:5 Rt:5", "stgm <Xt>, [<Xn|SP>]";
    LDGM_ldsttags,        "11011001 11 1 000000000 00 Rn:5 Rt:5", "ldgm <Xt>, [<Xn|SP>]";
}

class memcms FEAT_MOPS {
    CPYF_memcms, "00 011 0 01 op1:2 0 Rs:5 op2:4 01 Rn:5 Rd:5", "cpyf<pme><cpy> [<Xd>]!, [<Xs>]!, <Xn>!", "op1!=3, Rd!=31|Rs|Rn, Rs!=31|Rn";
    CPY_memcms,  "00 011 1 01 op1:2 0 Rs:5 op2:4 01 Rn:5 Rd:5", "cpy<pme><cpy> [<Xd>]!, [<Xs>]!, <Xn>!", "op1!=3, Rd!=31|Rs|Rn, Rs!=31|Rn";
    SET_memcms,  "00 011 0 01 11 0 Rs:5 op2:4 01 Rn:5 Rd:5", "set<setpme><set> [<Xd>]!, <Xn>!, <Xs>", "op2<12, Rd!=31|Rs|Rn, Rs!=Rn";
    SETG_memcms, "00 011 1 01 11 0 Rs:5 op2:4 01 Rn:5 Rd:5", "setg<setpme><set> [<Xd>]!, <Xn>!, <Xs>", "op2<12, Rd!=31|Rs|Rn, Rs!=Rn", FEAT_MTE;
}

class ldapstl_unscaled FEAT_LRCPC2 {
    STLUR_ldapstl_unscaled,   "size:2 011001 00 0 imm9:9 00 Rn:5 Rt:5", "stlur<bh> <Rt.size>, [<Xn|SP>{, #<imm9>}]";
    LDAPUR_ldapstl_unscaled,  "size:2 011001 01 0 imm9:9 00 Rn:5 Rt:5", "ldapur<bh> <Rt.size>, [<Xn|SP>{, #<imm9>}]";
    LDAPURS_ldapstl_unscaled, "size:2 011001 opc:2 0 imm9:9 00 Rn:5 Rt:5", "ldapurs<bhw> <Rt.opc22>, [<Xn|SP>{, #<imm9>}]", "opc>=2, opc=2 -> size!=3, opc=3 -> size<2";
}

class loadlit {
    LDR_loadlit,    "opc:2 011 0 00 imm19:19 Rt:5", "ldr <Rt.opc30>, <offset19>", "opc<2";
    LDRSW_loadlit,  "10 011 0 00 imm19:19 Rt:5", "ldrsw <Xt>, <offset19>";
    PRFM_loadlit,   "11 011 0 00 imm19:19 Rt:5", "prfm <prfop>, <offset19>";
    LDR_fp_loadlit, "opc:2 011 1 00 imm19:19 Rt:5", "ldr <Vt.pair>, <offset19>", "opc!=3";
}

class ldstnapair_offs {
    STNP_ldstnapair_offs,    "opc:2 101 0 000 0 imm7:7 Rt2:5 Rn:5 Rt:5", "stnp <Rt.opc>, <Rt2.opc>, [<Xn|SP>{, #<imm7>}]", "opc=0|2";
    LDNP_ldstnapair_offs,    "opc:2 101 0 000 1 imm7:7 Rt2:5 Rn:5 Rt:5", "ldnp <Rt.opc>, <Rt2.opc>, [<Xn|SP>{, #<imm7>}]", "opc=0|2";
    STNP_fp_ldstnapair_offs, "opc:2 101 1 000 0 imm7:7 Rt2:5 Rn:5 Rt:5", "stnp <Vt.pair>, <Vt2.pair>, [<Xn|SP>{, #<imm7>}]", "opc!=3";
    LDNP_fp_ldstnapair_offs, "opc:2 101 1 000 1 imm7:7 Rt2:5 Rn:5 Rt:5", "ldnp <Vt.pair>, <Vt2.pair>, [<Xn|SP>{, #<imm7>}]", "opc!=3";
}

class ldstpair_post {
    STGP_ldstpair_post, "01 101 0 001 0 imm7:7 Rt2:5 Rn:5 Rt:5", "stgp <Xt>, <Xt2>, [<Xn|SP>], #<imm7.16>", FEAT_MTE;
    STP_ldstpair_post,       "opc:2 101 0 001 0 imm7:7 Rt2:5 Rn:5 Rt:5", "stp <Rt.opc>, <Rt2.opc>, [<Xn|SP>], #<imm7>", "opc=0|2";
    LDP_ldstpair_post,       "opc:2 101 0 001 1 imm7:7 Rt2:5 Rn:5 Rt:5", "ldp <Rt.opc>, <Rt2.opc>, [<Xn|SP>], #<imm7>", "opc=0|2";
    LDPSW_ldstpair_post,     "01 101 0 001 1 imm7:7 Rt2:5 Rn:5 Rt:5", "ldpsw <Xt>, <Xt2>, [<Xn|SP>], #<imm7>";
    STP_fp_ldstpair_post,    "opc:2 101 1 001 0 imm7:7 Rt2:5 Rn:5 Rt:5", "stp <Vt.pair>, <Vt2.pair>, [<Xn|SP>], #<imm7>", "opc!=3";
    LDP_fp_ldstpair_post,    "opc:2 101 1 001 1 imm7:7 Rt2:5 Rn:5 Rt:5", "ldp <Vt.pair>, <Vt2.pair>, [<Xn|SP>], #<imm7>", "opc!=3";
}

class ldstpair_off {
    STGP_ldstpair_off, "01 101 0 010 0 imm7:7 Rt2:5 Rn:5 Rt:5", "stgp <Xt>, <Xt2>, [<Xn|SP>{, #<imm7.16>}]", FEAT_MTE;
    STP_ldstpair_off,        "opc:2 101 0 010 0 imm7:7 Rt2:5 Rn:5 Rt:5", "stp <Rt.opc>, <Rt2.opc>, [<Xn|SP>{, #<imm7>}]", "opc=0|2";
    LDP_ldstpair_off,        "opc:2 101 0 010 1 imm7:7 Rt2:5 Rn:5 Rt:5", "ldp <Rt.opc>, <Rt2.opc>, [<Xn|SP>{, #<imm7>}]", "opc=0|2";
    LDPSW_ldstpair_off,      "01 101 0 010 1 imm7:7 Rt2:5 Rn:5 Rt:5", "ldpsw <Xt>, <Xt2>, [<Xn|SP>{, #<imm7>}]";
    STP_fp_ldstpair_off,     "opc:2 101 1 010 0 imm7:7 Rt2:5 Rn:5 Rt:5", "stp <Vt.pair>, <Vt2.pair>, [<Xn|SP>{, #<imm7>}]", "opc!=3";
    LDP_fp_ldstpair_off,     "opc:2 101 1 010 1 imm7:7 Rt2:5 Rn:5 Rt:5", "ldp <Vt.pair>, <Vt2.pair>, [<Xn|SP>{, #<imm7>}]", "opc!=3";
}

class ldstpair_pre {
    STGP_ldstpair_pre, "01 101 0 011 0 imm7:7 Rt2:5 Rn:5 Rt:5", "stgp <Xt>, <Xt2>, [<Xn|SP>, #<imm7.16>]!", FEAT_MTE;
    STP_ldstpair_pre,        "opc:2 101 0 011 0 imm7:7 Rt2:5 Rn:5 Rt:5", "stp <Rt.opc>, <Rt2.opc>, [<Xn|SP>, #<imm7>]!", "opc=0|2";
    LDP_ldstpair_pre,        "opc:2 101 0 011 1 imm7:7 Rt2:5 Rn:5 Rt:5", "ldp <Rt.opc>, <Rt2.opc>, [<Xn|SP>, #<imm7>]!", "opc=0|2";
    LDPSW_ldstpair_pre,      "01 101 0 011 1 imm7:7 Rt2:5 Rn:5 Rt:5", "ldpsw <Xt>, <Xt2>, [<Xn|SP>, #<imm7>]!";
    STP_fp_ldstpair_pre,     "opc:2 101 1 011 0 imm7:7 Rt2:5 Rn:5 Rt:5", "stp <Vt.pair>, <Vt2.pair>, [<Xn|SP>, #<imm7>]!", "opc!=3";
    LDP_fp_ldstpair_pre,     "opc:2 101 1 011 1 imm7:7 Rt2:5 Rn:5 Rt:5", "ldp <Vt.pair>, <Vt2.pair>, [<Xn|SP>, #<imm7>]!", "opc!=3";
}

class ldst_unscaled {
    STUR_ldst_unscaled,      "size:2 111 0 00 00 0 imm9:9 00 Rn:5 Rt:5", "stur<bh> <Rt.size>, [<Xn|SP>{, #<imm9>}]";
    LDUR_ldst_unscaled,      "size:2 111 0 00 01 0 imm9:9 00 Rn:5 Rt:5", "ldur<bh> <Rt.size>, [<Xn|SP>{, #<imm9>}]";
    LDURS_ldst_unscaled,     "size:2 111 0 00 opc:2 0 imm9:9 00 Rn:5 Rt:5", "ldurs<bhw> <Rt.opc22>, [<Xn|SP>{, #<imm9>}]", "opc>=2, opc=2 -> size!=3, opc=3 -> size<2";
    PRFUM_ldst_unscaled,     "11 111 0 00 10 0 imm9:9 00 Rn:5 Rt:5", "prfum <prfop>, [<Xn|SP>{, #<imm9>}]";
    STUR_fp_ldst_unscaled,   "size:2 111 1 00 opc:2 0 imm9:9 00 Rn:5 Rt:5", "stur <Vt.size>, [<Xn|SP>{, #<imm9>}]", "opc=0|2, opc=2 -> size=0";
    LDUR_fp_ldst_unscaled,   "size:2 111 1 00 opc:2 0 imm9:9 00 Rn:5 Rt:5", "ldur <Vt.size>, [<Xn|SP>{, #<imm9>}]", "opc=1|3, opc=3 -> size=0";
}

class ldst_immpost {
    STR_ldst_immpost,        "size:2 111 0 00 00 0 imm9:9 01 Rn:5 Rt:5", "str<bh> <Rt.size>, [<Xn|SP>], #<imm9>";
    LDR_ldst_immpost,        "size:2 111 0 00 01 0 imm9:9 01 Rn:5 Rt:5", "ldr<bh> <Rt.size>, [<Xn|SP>], #<imm9>";
    LDRS_ldst_immpost,       "size:2 111 0 00 opc:2 0 imm9:9 01 Rn:5 Rt:5", "ldrs<bhw> <Rt.opc22>, [<Xn|SP>], #<imm9>", "opc>=2, opc=2 -> size!=3, opc=3 -> size<2";
    STR_fp_ldst_immpost,     "size:2 111 1 00 opc:2 0 imm9:9 01 Rn:5 Rt:5", "str <Vt.size>, [<Xn|SP>], #<imm9>", "opc=0|2, opc=2 -> size=0";
    LDR_fp_ldst_immpost,     "size:2 111 1 00 opc:2 0 imm9:9 01 Rn:5 Rt:5", "ldr <Vt.size>, [<Xn|SP>], #<imm9>", "opc=1|3, opc=3 -> size=0";
}

class ldst_unpriv {
    STTR_ldst_unpriv,        "size:2 111 0 00 00 0 imm9:9 10 Rn:5 Rt:5", "sttr<bh> <Rt.size>, [<Xn|SP>{, #<imm9>}]";
    LDTR_ldst_unpriv,        "size:2 111 0 00 01 0 imm9:9 10 Rn:5 Rt:5", "ldtr<bh> <Rt.size>, [<Xn|SP>{, #<imm9>}]";
    LDTRS_ldst_unpriv,       "size:2 111 0 00 opc:2 0 imm9:9 10 Rn:5 Rt:5", "ldtrs<bhw> <Rt.opc22>, [<Xn|SP>{, #<imm9>}]", "opc>=2, opc=2 -> size!=3, opc=3 -> size<2";
}

class ldst_immpre {
    STR_ldst_immpre,         "size:2 111 0 00 00 0 imm9:9 11 Rn:5 Rt:5", "str<bh> <Rt.size>, [<Xn|SP>, #<imm9>]!";
    LDR_ldst_immpre,         "size:2 111 0 00 01 0 imm9:9 11 Rn:5 Rt:5", "ldr<bh> <Rt.size>, [<Xn|SP>, #<imm9>]!";
    LDRS_ldst_immpre,        "size:2 111 0 00 opc:2 0 imm9:9 11 Rn:5 Rt:5", "ldrs<bhw> <Rt.opc22>, [<Xn|SP>, #<imm9>]!", "opc>=2, opc=2 -> size!=3, opc=3 -> size<2";
    STR_fp_ldst_immpre,      "size:2 111 1 00 opc:2 0 imm9:9 11 Rn:5 Rt:5", "str <Vt.size>, [<Xn|SP>, #<imm9>]!", "opc=0|2, opc=2 -> size=0";
    LDR_fp_ldst_immpre,      "size:2 111 1 00 opc:2 0 imm9:9 11 Rn:5 Rt:5", "ldr <Vt.size>, [<Xn|SP>, #<imm9>]!", "opc=1|3, opc=3 -> size=0";
}

class ldst_regoff {
    STR_ldst_regoff,         "size:2 111 0 00 00 1 Rm:5 option:3 S:1 10 Rn:5 Rt:5", "str<bh> <Rt.size>, [<Xn|SP>, <Rm.mem>{, <ext.mem>}]", "option=0bx1x";
    LDR_ldst_regoff,         "size:2 111 0 00 01 1 Rm:5 option:3 S:1 10 Rn:5 Rt:5", "ldr<bh> <Rt.size>, [<Xn|SP>, <Rm.mem>{, <ext.mem>}]", "option=0bx1x";
    LDRS_ldst_regoff,        "size:2 111 0 00 opc:2 1 Rm:5 option:3 S:1 10 Rn:5 Rt:5", "ldrs<bhw> <Rt.opc22>, [<Xn|SP>, <Rm.mem>{, <ext.mem>}]", "opc>=2, opc=2 -> size!=3, opc=3 -> size<2, option=0bx1x";
    PRFM_ldst_regoff,        "11 111 0 00 10 1 Rm:5 option:3 S:1 10 Rn:5 Rt:5", "prfm <prfop>, [<Xn|SP>, <Rm.mem>{, <ext.mem>}]", "option=0bx1x";
    STR_fp_ldst_regoff,      "size:2 111 1 00 opc:2 1 Rm:5 option:3 S:1 10 Rn:5 Rt:5", "str <Vt.size>, [<Xn|SP>, <Rm.mem>{, <ext.mem>}]", "opc=0|2, opc=2 -> size=0, option=0bx1x";
    LDR_fp_ldst_regoff,      "size:2 111 1 00 opc:2 1 Rm:5 option:3 S:1 10 Rn:5 Rt:5", "ldr <Vt.size>, [<Xn|SP>, <Rm.mem>{, <ext.mem>}]", "opc=1|3, opc=3 -> size=0, option=0bx1x";
}

class ldst_pos {
    STR_ldst_pos,            "size:2 111 0 01 00 imm12:12 Rn:5 Rt:5", "str<bh> <Rt.size>, [<Xn|SP>{, #<imm12.mem>}]";
    LDR_ldst_pos,            "size:2 111 0 01 01 imm12:12 Rn:5 Rt:5", "ldr<bh> <Rt.size>, [<Xn|SP>{, #<imm12.mem>}]";
    LDRS_ldst_pos,           "size:2 111 0 01 opc:2 imm12:12 Rn:5 Rt:5", "ldrs<bhw> <Rt.opc22>, [<Xn|SP>{, #<imm12.mem>}]", "opc>=2, opc=2 -> size!=3, opc=3 -> size<2";
    PRFM_ldst_pos,           "11 111 0 01 10 imm12:12 Rn:5 Rt:5", "prfm <prfop>, [<Xn|SP>{, #<imm12.mem>}]";
    STR_fp_ldst_pos,         "size:2 111 1 01 opc:2 imm12:12 Rn:5 Rt:5", "str <Vt.size>, [<Xn|SP>{, #<imm12.mem>}]", "opc=0|2, opc=2 -> size=0";
    LDR_fp_ldst_pos,         "size:2 111 1 01 opc:2 imm12:12 Rn:5 Rt:5", "ldr <Vt.size>, [<Xn|SP>{, #<imm12.mem>}]", "opc=1|3, opc=3 -> size=0";
}

// Loads that authenticate their base; `W` of the manual is the pre-indexed form.
class ldst_pac FEAT_PAuth {
    LDRAA_ldst_pac,  "11 111 0 00 0 S:1 1 imm9:9 0 1 Rn:5 Rt:5", "ldraa <Xt>, [<Xn|SP>{, #<imm10>}]";
    LDRAAW_ldst_pac, "11 111 0 00 0 S:1 1 imm9:9 1 1 Rn:5 Rt:5", "ldraa <Xt>, [<Xn|SP>, #<imm10>]!";
    LDRAB_ldst_pac,  "11 111 0 00 1 S:1 1 imm9:9 0 1 Rn:5 Rt:5", "ldrab <Xt>, [<Xn|SP>{, #<imm10>}]";
    LDRABW_ldst_pac, "11 111 0 00 1 S:1 1 imm9:9 1 1 Rn:5 Rt:5", "ldrab <Xt>, [<Xn|SP>, #<imm10>]!";
}
