// Advanced SIMD, scalars.

class asisdsame {
    SQADD_asisdsame,    "01 0 11110 size:2 1 Rm:5 00001 1 Rn:5 Rd:5", "sqadd <Ed>, <En>, <Em>";
    UQADD_asisdsame,    "01 1 11110 size:2 1 Rm:5 00001 1 Rn:5 Rd:5", "uqadd <Ed>, <En>, <Em>";
    SQSUB_asisdsame,    "01 0 11110 size:2 1 Rm:5 00101 1 Rn:5 Rd:5", "sqsub <Ed>, <En>, <Em>";
    UQSUB_asisdsame,    "01 1 11110 size:2 1 Rm:5 00101 1 Rn:5 Rd:5", "uqsub <Ed>, <En>, <Em>";
    SSHL_asisdsame,     "01 0 11110 size:2 1 Rm:5 01000 1 Rn:5 Rd:5", "sshl <Ed>, <En>, <Em>", "size=3";
    USHL_asisdsame,     "01 1 11110 size:2 1 Rm:5 01000 1 Rn:5 Rd:5", "ushl <Ed>, <En>, <Em>", "size=3";
    SQSHL_asisdsame,    "01 0 11110 size:2 1 Rm:5 01001 1 Rn:5 Rd:5", "sqshl <Ed>, <En>, <Em>";
    UQSHL_asisdsame,    "01 1 11110 size:2 1 Rm:5 01001 1 Rn:5 Rd:5", "uqshl <Ed>, <En>, <Em>";
    SRSHL_asisdsame,    "01 0 11110 size:2 1 Rm:5 01010 1 Rn:5 Rd:5", "srshl <Ed>, <En>, <Em>", "size=3";
    URSHL_asisdsame,    "01 1 11110 size:2 1 Rm:5 01010 1 Rn:5 Rd:5", "urshl <Ed>, <En>, <Em>", "size=3";
    SQRSHL_asisdsame,   "01 0 11110 size:2 1 Rm:5 01011 1 Rn:5 Rd:5", "sqrshl <Ed>, <En>, <Em>";
    UQRSHL_asisdsame,   "01 1 11110 size:2 1 Rm:5 01011 1 Rn:5 Rd:5", "uqrshl <Ed>, <En>, <Em>";
    CMGT_asisdsame,     "01 0 11110 size:2 1 Rm:5 00110 1 Rn:5 Rd:5", "cmgt <Ed>, <En>, <Em>", "size=3";
    CMHI_asisdsame,     "01 1 11110 size:2 1 Rm:5 00110 1 Rn:5 Rd:5", "cmhi <Ed>, <En>, <Em>", "size=3";
    CMGE_asisdsame,     "01 0 11110 size:2 1 Rm:5 00111 1 Rn:5 Rd:5", "cmge <Ed>, <En>, <Em>", "size=3";
    CMHS_asisdsame,     "01 1 11110 size:2 1 Rm:5 00111 1 Rn:5 Rd:5", "cmhs <Ed>, <En>, <Em>", "size=3";
    ADD_asisdsame,      "01 0 11110 size:2 1 Rm:5 10000 1 Rn:5 Rd:5", "add <Ed>, <En>, <Em>", "size=3";
    SUB_asisdsame,      "01 1 11110 size:2 1 Rm:5 10000 1 Rn:5 Rd:5", "sub <Ed>, <En>, <Em>", "size=3";
    CMTST_asisdsame,    "01 0 11110 size:2 1 Rm:5 10001 1 Rn:5 Rd:5", "cmtst <Ed>, <En>, <Em>", "size=3";
    CMEQ_asisdsame,     "01 1 11110 size:2 1 Rm:5 10001 1 Rn:5 Rd:5", "cmeq <Ed>, <En>, <Em>", "size=3";
    SQDMULH_asisdsame,  "01 0 11110 size:2 1 Rm:5 10110 1 Rn:5 Rd:5", "sqdmulh <Ed>, <En>, <Em>", "size=1|2";
    SQRDMULH_asisdsame, "01 1 11110 size:2 1 Rm:5 10110 1 Rn:5 Rd:5", "sqrdmulh <Ed>, <En>, <Em>", "size=1|2";
    FMULX_asisdsame,    "01 0 11110 0 sz:1 1 Rm:5 11011 1 Rn:5 Rd:5", "fmulx <Gd>, <Gn>, <Gm>";
    FCMEQ_asisdsame,    "01 0 11110 0 sz:1 1 Rm:5 11100 1 Rn:5 Rd:5", "fcmeq <Gd>, <Gn>, <Gm>";
    FRECPS_asisdsame,   "01 0 11110 0 sz:1 1 Rm:5 11111 1 Rn:5 Rd:5", "frecps <Gd>, <Gn>, <Gm>";
    FRSQRTS_asisdsame,  "01 0 11110 1 sz:1 1 Rm:5 11111 1 Rn:5 Rd:5", "frsqrts <Gd>, <Gn>, <Gm>";
    FCMGE_asisdsame,    "01 1 11110 0 sz:1 1 Rm:5 11100 1 Rn:5 Rd:5", "fcmge <Gd>, <Gn>, <Gm>";
    FACGE_asisdsame,    "01 1 11110 0 sz:1 1 Rm:5 11101 1 Rn:5 Rd:5", "facge <Gd>, <Gn>, <Gm>";
    FABD_asisdsame,     "01 1 11110 1 sz:1 1 Rm:5 11010 1 Rn:5 Rd:5", "fabd <Gd>, <Gn>, <Gm>";
    FCMGT_asisdsame,    "01 1 11110 1 sz:1 1 Rm:5 11100 1 Rn:5 Rd:5", "fcmgt <Gd>, <Gn>, <Gm>";
    FACGT_asisdsame,    "01 1 11110 1 sz:1 1 Rm:5 11101 1 Rn:5 Rd:5", "facgt <Gd>, <Gn>, <Gm>";
}

class asisdsamefp16 FEAT_FP16 {
    FMULX_asisdsamefp16,   "01 0 11110 0 10 Rm:5 00 011 1 Rn:5 Rd:5", "fmulx <Hd>, <Hn>, <Hm>";
    FCMEQ_asisdsamefp16,   "01 0 11110 0 10 Rm:5 00 100 1 Rn:5 Rd:5", "fcmeq <Hd>, <Hn>, <Hm>";
    FRECPS_asisdsamefp16,  "01 0 11110 0 10 Rm:5 00 111 1 Rn:5 Rd:5", "frecps <Hd>, <Hn>, <Hm>";
    FRSQRTS_asisdsamefp16, "01 0 11110 1 10 Rm:5 00 111 1 Rn:5 Rd:5", "frsqrts <Hd>, <Hn>, <Hm>";
    FCMGE_asisdsamefp16,   "01 1 11110 0 10 Rm:5 00 100 1 Rn:5 Rd:5", "fcmge <Hd>, <Hn>, <Hm>";
    FACGE_asisdsamefp16,   "01 1 11110 0 10 Rm:5 00 101 1 Rn:5 Rd:5", "facge <Hd>, <Hn>, <Hm>";
    FABD_asisdsamefp16,    "01 1 11110 1 10 Rm:5 00 010 1 Rn:5 Rd:5", "fabd <Hd>, <Hn>, <Hm>";
    FCMGT_asisdsamefp16,   "01 1 11110 1 10 Rm:5 00 100 1 Rn:5 Rd:5", "fcmgt <Hd>, <Hn>, <Hm>";
    FACGT_asisdsamefp16,   "01 1 11110 1 10 Rm:5 00 101 1 Rn:5 Rd:5", "facgt <Hd>, <Hn>, <Hm>";
}

class asisdsame2 {
    SQRDMLAH_asisdsame2, "01 1 11110 size:2 0 Rm:5 1 0000 1 Rn:5 Rd:5", "sqrdmlah <Ed>, <En>, <Em>", "size=1|2", FEAT_RDM;
    SQRDMLSH_asisdsame2, "01 1 11110 size:2 0 Rm:5 1 0001 1 Rn:5 Rd:5", "sqrdmlsh <Ed>, <En>, <Em>", "size=1|2", FEAT_RDM;
}

class asisddiff {
    SQDMLAL_asisddiff, "01 0 11110 size:2 1 Rm:5 1001 00 Rn:5 Rd:5", "sqdmlal <Ed.wide>, <En>, <Em>", "size=1|2";
    SQDMLSL_asisddiff, "01 0 11110 size:2 1 Rm:5 1011 00 Rn:5 Rd:5", "sqdmlsl <Ed.wide>, <En>, <Em>", "size=1|2";
    SQDMULL_asisddiff, "01 0 11110 size:2 1 Rm:5 1101 00 Rn:5 Rd:5", "sqdmull <Ed.wide>, <En>, <Em>", "size=1|2";
}

class asisdmisc {
    SUQADD_asisdmisc,     "01 0 11110 size:2 10000 00011 10 Rn:5 Rd:5", "suqadd <Ed>, <En>";
    USQADD_asisdmisc,     "01 1 11110 size:2 10000 00011 10 Rn:5 Rd:5", "usqadd <Ed>, <En>";
    SQABS_asisdmisc,      "01 0 11110 size:2 10000 00111 10 Rn:5 Rd:5", "sqabs <Ed>, <En>";
    SQNEG_asisdmisc,      "01 1 11110 size:2 10000 00111 10 Rn:5 Rd:5", "sqneg <Ed>, <En>";
    CMGT_zero_asisdmisc,  "01 0 11110 size:2 10000 01000 10 Rn:5 Rd:5", "cmgt <Ed>, <En>, #0", "size=3";
    CMGE_zero_asisdmisc,  "01 1 11110 size:2 10000 01000 10 Rn:5 Rd:5", "cmge <Ed>, <En>, #0", "size=3";
    CMEQ_zero_asisdmisc,  "01 0 11110 size:2 10000 01001 10 Rn:5 Rd:5", "cmeq <Ed>, <En>, #0", "size=3";
    CMLE_zero_asisdmisc,  "01 1 11110 size:2 10000 01001 10 Rn:5 Rd:5", "cmle <Ed>, <En>, #0", "size=3";
    CMLT_zero_asisdmisc,  "01 0 11110 size:2 10000 01010 10 Rn:5 Rd:5", "cmlt <Ed>, <En>, #0", "size=3";
    ABS_asisdmisc,        "01 0 11110 size:2 10000 01011 10 Rn:5 Rd:5", "abs <Ed>, <En>", "size=3";
    NEG_asisdmisc,        "01 1 11110 size:2 10000 01011 10 Rn:5 Rd:5", "neg <Ed>, <En>", "size=3";
    SQXTN_asisdmisc,      "01 0 11110 size:2 10000 10100 10 Rn:5 Rd:5", "sqxtn <Ed>, <En.wide>", "size!=3";
    SQXTUN_asisdmisc,     "01 1 11110 size:2 10000 10010 10 Rn:5 Rd:5", "sqxtun <Ed>, <En.wide>", "size!=3";
    UQXTN_asisdmisc,      "01 1 11110 size:2 10000 10100 10 Rn:5 Rd:5", "uqxtn <Ed>, <En.wide>", "size!=3";
    FCVTXN_asisdmisc,     "01 1 11110 01 10000 10110 10 Rn:5 Rd:5", "fcvtxn <Sd>, <Dn>";
    FCVTNS_asisdmisc,     "01 0 11110 0 sz:1 10000 11010 10 Rn:5 Rd:5", "fcvtns <Gd>, <Gn>";
    FCVTMS_asisdmisc,     "01 0 11110 0 sz:1 10000 11011 10 Rn:5 Rd:5", "fcvtms <Gd>, <Gn>";
    FCVTAS_asisdmisc,     "01 0 11110 0 sz:1 10000 11100 10 Rn:5 Rd:5", "fcvtas <Gd>, <Gn>";
    SCVTF_asisdmisc,      "01 0 11110 0 sz:1 10000 11101 10 Rn:5 Rd:5", "scvtf <Gd>, <Gn>";
    FCVTPS_asisdmisc,     "01 0 11110 1 sz:1 10000 11010 10 Rn:5 Rd:5", "fcvtps <Gd>, <Gn>";
    FCVTZS_asisdmisc,     "01 0 11110 1 sz:1 10000 11011 10 Rn:5 Rd:5", "fcvtzs <Gd>, <Gn>";
    FRECPE_asisdmisc,     "01 0 11110 1 sz:1 10000 11101 10 Rn:5 Rd:5", "frecpe <Gd>, <Gn>";
    FRECPX_asisdmisc,     "01 0 11110 1 sz:1 10000 11111 10 Rn:5 Rd:5", "frecpx <Gd>, <Gn>";
    FCVTNU_asisdmisc,     "01 1 11110 0 sz:1 10000 11010 10 Rn:5 Rd:5", "fcvtnu <Gd>, <Gn>";
    FCVTMU_asisdmisc,     "01 1 11110 0 sz:1 10000 11011 10 Rn:5 Rd:5", "fcvtmu <Gd>, <Gn>";
    FCVTAU_asisdmisc,     "01 1 11110 0 sz:1 10000 11100 10 Rn:5 Rd:5", "fcvtau <Gd>, <Gn>";
    UCVTF_asisdmisc,      "01 1 11110 0 sz:1 10000 11101 10 Rn:5 Rd:5", "ucvtf <Gd>, <Gn>";
    FCVTPU_asisdmisc,     "01 1 11110 1 sz:1 10000 11010 10 Rn:5 Rd:5", "fcvtpu <Gd>, <Gn>";
    FCVTZU_asisdmisc,     "01 1 11110 1 sz:1 10000 11011 10 Rn:5 Rd:5", "fcvtzu <Gd>, <Gn>";
    FRSQRTE_asisdmisc,    "01 1 11110 1 sz:1 10000 11101 10 Rn:5 Rd:5", "frsqrte <Gd>, <Gn>";
    FCMGT_zero_asisdmisc, "01 0 11110 1 sz:1 10000 01100 10 Rn:5 Rd:5", "fcmgt <Gd>, <Gn>, #0.0";
    FCMEQ_zero_asisdmisc, "01 0 11110 1 sz:1 10000 01101 10 Rn:5 Rd:5", "fcmeq <Gd>, <Gn>, #0.0";
    FCMLT_zero_asisdmisc, "01 0 11110 1 sz:1 10000 01110 10 Rn:5 Rd:5", "fcmlt <Gd>, <Gn>, #0.0";
    FCMGE_zero_asisdmisc, "01 1 11110 1 sz:1 10000 01100 10 Rn:5 Rd:5", "fcmge <Gd>, <Gn>, #0.0";
    FCMLE_zero_asisdmisc, "01 1 11110 1 sz:1 10000 01101 10 Rn:5 Rd:5", "fcmle <Gd>, <Gn>, #0.0";
}

class asisdmiscfp16 FEAT_FP16 {
    FCVTNS_asisdmiscfp16,     "01 0 11110 0 111100 11010 10 Rn:5 Rd:5", "fcvtns <Hd>, <Hn>";
    FCVTMS_asisdmiscfp16,     "01 0 11110 0 111100 11011 10 Rn:5 Rd:5", "fcvtms <Hd>, <Hn>";
    FCVTAS_asisdmiscfp16,     "01 0 11110 0 111100 11100 10 Rn:5 Rd:5", "fcvtas <Hd>, <Hn>";
    SCVTF_asisdmiscfp16,      "01 0 11110 0 111100 11101 10 Rn:5 Rd:5", "scvtf <Hd>, <Hn>";
    FCVTPS_asisdmiscfp16,     "01 0 11110 1 111100 11010 10 Rn:5 Rd:5", "fcvtps <Hd>, <Hn>";
    FCVTZS_asisdmiscfp16,     "01 0 11110 1 111100 11011 10 Rn:5 Rd:5", "fcvtzs <Hd>, <Hn>";
    FRECPE_asisdmiscfp16,     "01 0 11110 1 111100 11101 10 Rn:5 Rd:5", "frecpe <Hd>, <Hn>";
    FRECPX_asisdmiscfp16,     "01 0 11110 1 111100 11111 10 Rn:5 Rd:5", "frecpx <Hd>, <Hn>";
    FCVTNU_asisdmiscfp16,     "01 1 11110 0 111100 11010 10 Rn:5 Rd:5", "fcvtnu <Hd>, <Hn>";
    FCVTMU_asisdmiscfp16,     "01 1 11110 0 111100 11011 10 Rn:5 Rd:5", "fcvtmu <Hd>, <Hn>";
    FCVTAU_asisdmiscfp16,     "01 1 11110 0 111100 11100 10 Rn:5 Rd:5", "fcvtau <Hd>, <Hn>";
    UCVTF_asisdmiscfp16,      "01 1 11110 0 111100 11101 10 Rn:5 Rd:5", "ucvtf <Hd>, <Hn>";
    FCVTPU_asisdmiscfp16,     "01 1 11110 1 111100 11010 10 Rn:5 Rd:5", "fcvtpu <Hd>, <Hn>";
    FCVTZU_asisdmiscfp16,     "01 1 11110 1 111100 11011 10 Rn:5 Rd:5", "fcvtzu <Hd>, <Hn>";
    FRSQRTE_asisdmiscfp16,    "01 1 11110 1 111100 11101 10 Rn:5 Rd:5", "frsqrte <Hd>, <Hn>";
    FCMGT_zero_asisdmiscfp16, "01 0 11110 1 111100 01100 10 Rn:5 Rd:5", "fcmgt <Hd>, <Hn>, #0.0";
    FCMEQ_zero_asisdmiscfp16, "01 0 11110 1 111100 01101 10 Rn:5 Rd:5", "fcmeq <Hd>, <Hn>, #0.0";
    FCMLT_zero_asisdmiscfp16, "01 0 11110 1 111100 01110 10 Rn:5 Rd:5", "fcmlt <Hd>, <Hn>, #0.0";
    FCMGE_zero_asisdmiscfp16, "01 1 11110 1 111100 01100 10 Rn:5 Rd:5", "fcmge <Hd>, <Hn>, #0.0";
    FCMLE_zero_asisdmiscfp16, "01 1 11110 1 111100 01101 10 Rn:5 Rd:5", "fcmle <Hd>, <Hn>, #0.0";
}

class asisdpair {
    ADDP_asisdpair,    "01 0 11110 11 11000 11011 10 Rn:5 Rd:5", "addp <Dd>, <Vn.2d>";
    FMAXNMP_asisdpair, "01 1 11110 0 sz:1 11000 01100 10 Rn:5 Rd:5", "fmaxnmp <Gd>, <Vn.Fp>";
    FMINNMP_asisdpair, "01 1 11110 1 sz:1 11000 01100 10 Rn:5 Rd:5", "fminnmp <Gd>, <Vn.Fp>";
    FADDP_asisdpair,   "01 1 11110 0 sz:1 11000 01101 10 Rn:5 Rd:5", "faddp <Gd>, <Vn.Fp>";
    FMAXP_asisdpair,   "01 1 11110 0 sz:1 11000 01111 10 Rn:5 Rd:5", "fmaxp <Gd>, <Vn.Fp>";
    FMINP_asisdpair,   "01 1 11110 1 sz:1 11000 01111 10 Rn:5 Rd:5", "fminp <Gd>, <Vn.Fp>";
    FMAXNMP_half_asisdpair, "01 0 11110 00 11000 01100 10 Rn:5 Rd:5", "fmaxnmp <Hd>, <Vn.Hp>", FEAT_FP16;
    FMINNMP_half_asisdpair, "01 0 11110 10 11000 01100 10 Rn:5 Rd:5", "fminnmp <Hd>, <Vn.Hp>", FEAT_FP16;
    FADDP_half_asisdpair,   "01 0 11110 00 11000 01101 10 Rn:5 Rd:5", "faddp <Hd>, <Vn.Hp>", FEAT_FP16;
    FMAXP_half_asisdpair,   "01 0 11110 00 11000 01111 10 Rn:5 Rd:5", "fmaxp <Hd>, <Vn.Hp>", FEAT_FP16;
    FMINP_half_asisdpair,   "01 0 11110 10 11000 01111 10 Rn:5 Rd:5", "fminp <Hd>, <Vn.Hp>", FEAT_FP16;
}

class asisdone {
    DUP_asisdone, "01 0 11110000 imm5:5 0 0000 1 Rn:5 Rd:5", "mov <Ed5>, <Vn.Ts5>[<index5>]", "imm5!=0|16";
}

class asisdshf {
    SSHR_asisdshf,     "01 0 111110 immh:4 immb:3 00000 1 Rn:5 Rd:5", "sshr <Ehd>, <Ehn>, #<rshift>", "immh>=8";
    USHR_asisdshf,     "01 1 111110 immh:4 immb:3 00000 1 Rn:5 Rd:5", "ushr <Ehd>, <Ehn>, #<rshift>", "immh>=8";
    SSRA_asisdshf,     "01 0 111110 immh:4 immb:3 00010 1 Rn:5 Rd:5", "ssra <Ehd>, <Ehn>, #<rshift>", "immh>=8";
    USRA_asisdshf,     "01 1 111110 immh:4 immb:3 00010 1 Rn:5 Rd:5", "usra <Ehd>, <Ehn>, #<rshift>", "immh>=8";
    SRSHR_asisdshf,    "01 0 111110 immh:4 immb:3 00100 1 Rn:5 Rd:5", "srshr <Ehd>, <Ehn>, #<rshift>", "immh>=8";
    URSHR_asisdshf,    "01 1 111110 immh:4 immb:3 00100 1 Rn:5 Rd:5", "urshr <Ehd>, <Ehn>, #<rshift>", "immh>=8";
    SRSRA_asisdshf,    "01 0 111110 immh:4 immb:3 00110 1 Rn:5 Rd:5", "srsra <Ehd>, <Ehn>, #<rshift>", "immh>=8";
    URSRA_asisdshf,    "01 1 111110 immh:4 immb:3 00110 1 Rn:5 Rd:5", "ursra <Ehd>, <Ehn>, #<rshift>", "immh>=8";
    SRI_asisdshf,      "01 1 111110 immh:4 immb:3 01000 1 Rn:5 Rd:5", "sri <Ehd>, <Ehn>, #<rshift>", "immh>=8";
    SHL_asisdshf,      "01 0 111110 immh:4 immb:3 01010 1 Rn:5 Rd:5", "shl <Ehd>, <Ehn>, #<lshift>", "immh>=8";
    SLI_asisdshf,      "01 1 111110 immh:4 immb:3 01010 1 Rn:5 Rd:5", "sli <Ehd>, <Ehn>, #<lshift>", "immh>=8";
    SQSHLU_asisdshf,   "01 1 111110 immh:4 immb:3 01100 1 Rn:5 Rd:5", "sqshlu <Ehd>, <Ehn>, #<lshift>", "immh!=0";
    SQSHL_asisdshf,    "01 0 111110 immh:4 immb:3 01110 1 Rn:5 Rd:5", "sqshl <Ehd>, <Ehn>, #<lshift>", "immh!=0";
    UQSHL_asisdshf,    "01 1 111110 immh:4 immb:3 01110 1 Rn:5 Rd:5", "uqshl <Ehd>, <Ehn>, #<lshift>", "immh!=0";
    SQSHRN_asisdshf,   "01 0 111110 immh:4 immb:3 10010 1 Rn:5 Rd:5", "sqshrn <Ehd>, <Ehn.wide>, #<rshift>", "immh!=0, immh<8";
    SQRSHRN_asisdshf,  "01 0 111110 immh:4 immb:3 10011 1 Rn:5 Rd:5", "sqrshrn <Ehd>, <Ehn.wide>, #<rshift>", "immh!=0, immh<8";
    SQSHRUN_asisdshf,  "01 1 111110 immh:4 immb:3 10000 1 Rn:5 Rd:5", "sqshrun <Ehd>, <Ehn.wide>, #<rshift>", "immh!=0, immh<8";
    SQRSHRUN_asisdshf, "01 1 111110 immh:4 immb:3 10001 1 Rn:5 Rd:5", "sqrshrun <Ehd>, <Ehn.wide>, #<rshift>", "immh!=0, immh<8";
    UQSHRN_asisdshf,   "01 1 111110 immh:4 immb:3 10010 1 Rn:5 Rd:5", "uqshrn <Ehd>, <Ehn.wide>, #<rshift>", "immh!=0, immh<8";
    UQRSHRN_asisdshf,  "01 1 111110 immh:4 immb:3 10011 1 Rn:5 Rd:5", "uqrshrn <Ehd>, <Ehn.wide>, #<rshift>", "immh!=0, immh<8";
    SCVTF_asisdshf,    "01 0 111110 immh:4 immb:3 11100 1 Rn:5 Rd:5", "scvtf <Ehd>, <Ehn>, #<rshift>", "immh>=2", FEAT_FP16 if immh<4;
    UCVTF_asisdshf,    "01 1 111110 immh:4 immb:3 11100 1 Rn:5 Rd:5", "ucvtf <Ehd>, <Ehn>, #<rshift>", "immh>=2", FEAT_FP16 if immh<4;
    FCVTZS_asisdshf,   "01 0 111110 immh:4 immb:3 11111 1 Rn:5 Rd:5", "fcvtzs <Ehd>, <Ehn>, #<rshift>", "immh>=2", FEAT_FP16 if immh<4;
    FCVTZU_asisdshf,   "01 1 111110 immh:4 immb:3 11111 1 Rn:5 Rd:5", "fcvtzu <Ehd>, <Ehn>, #<rshift>", "immh>=2", FEAT_FP16 if immh<4;
}

class asisdelem {
    SQDMLAL_asisdelem,  "01 0 11111 size:2 L:1 M:1 Rm:4 0011 H:1 0 Rn:5 Rd:5", "sqdmlal <Ed.wide>, <En>, <Vm.elem>", "size=1|2";
    SQDMLSL_asisdelem,  "01 0 11111 size:2 L:1 M:1 Rm:4 0111 H:1 0 Rn:5 Rd:5", "sqdmlsl <Ed.wide>, <En>, <Vm.elem>", "size=1|2";
    SQDMULL_asisdelem,  "01 0 11111 size:2 L:1 M:1 Rm:4 1011 H:1 0 Rn:5 Rd:5", "sqdmull <Ed.wide>, <En>, <Vm.elem>", "size=1|2";
    SQDMULH_asisdelem,  "01 0 11111 size:2 L:1 M:1 Rm:4 1100 H:1 0 Rn:5 Rd:5", "sqdmulh <Ed>, <En>, <Vm.elem>", "size=1|2";
    SQRDMULH_asisdelem, "01 0 11111 size:2 L:1 M:1 Rm:4 1101 H:1 0 Rn:5 Rd:5", "sqrdmulh <Ed>, <En>, <Vm.elem>", "size=1|2";
    FMLA_asisdelem,     "01 0 11111 1 sz:1 L:1 M:1 Rm:4 0001 H:1 0 Rn:5 Rd:5", "fmla <Gd>, <Gn>, <Vm.felem>", "sz=1 -> L=0";
    FMLS_asisdelem,     "01 0 11111 1 sz:1 L:1 M:1 Rm:4 0101 H:1 0 Rn:5 Rd:5", "fmls <Gd>, <Gn>, <Vm.felem>", "sz=1 -> L=0";
    FMUL_asisdelem,     "01 0 11111 1 sz:1 L:1 M:1 Rm:4 1001 H:1 0 Rn:5 Rd:5", "fmul <Gd>, <Gn>, <Vm.felem>", "sz=1 -> L=0";
    FMULX_asisdelem,    "01 1 11111 1 sz:1 L:1 M:1 Rm:4 1001 H:1 0 Rn:5 Rd:5", "fmulx <Gd>, <Gn>, <Vm.felem>", "sz=1 -> L=0";
    SQRDMLAH_asisdelem, "01 1 11111 size:2 L:1 M:1 Rm:4 1101 H:1 0 Rn:5 Rd:5", "sqrdmlah <Ed>, <En>, <Vm.elem>", "size=1|2", FEAT_RDM;
    SQRDMLSH_asisdelem, "01 1 11111 size:2 L:1 M:1 Rm:4 1111 H:1 0 Rn:5 Rd:5", "sqrdmlsh <Ed>, <En>, <Vm.elem>", "size=1|2", FEAT_RDM;
    FMLA_half_asisdelem,  "01 0 11111 00 L:1 M:1 Rm:4 0001 H:1 0 Rn:5 Rd:5", "fmla <Hd>, <Hn>, <Vm.helem>", FEAT_FP16;
    FMLS_half_asisdelem,  "01 0 11111 00 L:1 M:1 Rm:4 0101 H:1 0 Rn:5 Rd:5", "fmls <Hd>, <Hn>, <Vm.helem>", FEAT_FP16;
    FMUL_half_asisdelem,  "01 0 11111 00 L:1 M:1 Rm:4 1001 H:1 0 Rn:5 Rd:5", "fmul <Hd>, <Hn>, <Vm.helem>", FEAT_FP16;
    FMULX_half_asisdelem, "01 1 11111 00 L:1 M:1 Rm:4 1001 H:1 0 Rn:5 Rd:5", "fmulx <Hd>, <Hn>, <Vm.helem>", FEAT_FP16;
}
