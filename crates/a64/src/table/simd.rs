// Advanced SIMD, vectors.

class asimdsame {
    SHADD_asimdsame,    "0 Q:1 0 01110 size:2 1 Rm:5 00000 1 Rn:5 Rd:5", "shadd <Vd.T>, <Vn.T>, <Vm.T>", "size!=3";
    UHADD_asimdsame,    "0 Q:1 1 01110 size:2 1 Rm:5 00000 1 Rn:5 Rd:5", "uhadd <Vd.T>, <Vn.T>, <Vm.T>", "size!=3";
    SQADD_asimdsame,    "0 Q:1 0 01110 size:2 1 Rm:5 00001 1 Rn:5 Rd:5", "sqadd <Vd.T>, <Vn.T>, <Vm.T>", "size=3 -> Q=1";
    UQADD_asimdsame,    "0 Q:1 1 01110 size:2 1 Rm:5 00001 1 Rn:5 Rd:5", "uqadd <Vd.T>, <Vn.T>, <Vm.T>", "size=3 -> Q=1";
    SRHADD_asimdsame,   "0 Q:1 0 01110 size:2 1 Rm:5 00010 1 Rn:5 Rd:5", "srhadd <Vd.T>, <Vn.T>, <Vm.T>", "size!=3";
    URHADD_asimdsame,   "0 Q:1 1 01110 size:2 1 Rm:5 00010 1 Rn:5 Rd:5", "urhadd <Vd.T>, <Vn.T>, <Vm.T>", "size!=3";
    SHSUB_asimdsame,    "0 Q:1 0 01110 size:2 1 Rm:5 00100 1 Rn:5 Rd:5", "shsub <Vd.T>, <Vn.T>, <Vm.T>", "size!=3";
    UHSUB_asimdsame,    "0 Q:1 1 01110 size:2 1 Rm:5 00100 1 Rn:5 Rd:5", "uhsub <Vd.T>, <Vn.T>, <Vm.T>", "size!=3";
    SQSUB_asimdsame,    "0 Q:1 0 01110 size:2 1 Rm:5 00101 1 Rn:5 Rd:5", "sqsub <Vd.T>, <Vn.T>, <Vm.T>", "size=3 -> Q=1";
    UQSUB_asimdsame,    "0 Q:1 1 01110 size:2 1 Rm:5 00101 1 Rn:5 Rd:5", "uqsub <Vd.T>, <Vn.T>, <Vm.T>", "size=3 -> Q=1";
    SSHL_asimdsame,     "0 Q:1 0 01110 size:2 1 Rm:5 01000 1 Rn:5 Rd:5", "sshl <Vd.T>, <Vn.T>, <Vm.T>", "size=3 -> Q=1";
    USHL_asimdsame,     "0 Q:1 1 01110 size:2 1 Rm:5 01000 1 Rn:5 Rd:5", "ushl <Vd.T>, <Vn.T>, <Vm.T>", "size=3 -> Q=1";
    SQSHL_asimdsame,    "0 Q:1 0 01110 size:2 1 Rm:5 01001 1 Rn:5 Rd:5", "sqshl <Vd.T>, <Vn.T>, <Vm.T>", "size=3 -> Q=1";
    UQSHL_asimdsame,    "0 Q:1 1 01110 size:2 1 Rm:5 01001 1 Rn:5 Rd:5", "uqshl <Vd.T>, <Vn.T>, <Vm.T>", "size=3 -> Q=1";
    SRSHL_asimdsame,    "0 Q:1 0 01110 size:2 1 Rm:5 01010 1 Rn:5 Rd:5", "srshl <Vd.T>, <Vn.T>, <Vm.T>", "size=3 -> Q=1";
    URSHL_asimdsame,    "0 Q:1 1 01110 size:2 1 Rm:5 01010 1 Rn:5 Rd:5", "urshl <Vd.T>, <Vn.T>, <Vm.T>", "size=3 -> Q=1";
    SQRSHL_asimdsame,   "0 Q:1 0 01110 size:2 1 Rm:5 01011 1 Rn:5 Rd:5", "sqrshl <Vd.T>, <Vn.T>, <Vm.T>", "size=3 -> Q=1";
    UQRSHL_asimdsame,   "0 Q:1 1 01110 size:2 1 Rm:5 01011 1 Rn:5 Rd:5", "uqrshl <Vd.T>, <Vn.T>, <Vm.T>", "size=3 -> Q=1";
    SMAX_asimdsame,     "0 Q:1 0 01110 size:2 1 Rm:5 01100 1 Rn:5 Rd:5", "smax <Vd.T>, <Vn.T>, <Vm.T>", "size!=3";
    UMAX_asimdsame,     "0 Q:1 1 01110 size:2 1 Rm:5 01100 1 Rn:5 Rd:5", "umax <Vd.T>, <Vn.T>, <Vm.T>", "size!=3";
    SMIN_asimdsame,     "0 Q:1 0 01110 size:2 1 Rm:5 01101 1 Rn:5 Rd:5", "smin <Vd.T>, <Vn.T>, <Vm.T>", "size!=3";
    UMIN_asimdsame,     "0 Q:1 1 01110 size:2 1 Rm:5 01101 1 Rn:5 Rd:5", "umin <Vd.T>, <Vn.T>, <Vm.T>", "size!=3";
    SABD_asimdsame,     "0 Q:1 0 01110 size:2 1 Rm:5 01110 1 Rn:5 Rd:5", "sabd <Vd.T>, <Vn.T>, <Vm.T>", "size!=3";
    UABD_asimdsame,     "0 Q:1 1 01110 size:2 1 Rm:5 01110 1 Rn:5 Rd:5", "uabd <Vd.T>, <Vn.T>, <Vm.T>", "size!=3";
    SABA_asimdsame,     "0 Q:1 0 01110 size:2 1 Rm:5 01111 1 Rn:5 Rd:5", "saba <Vd.T>, <Vn.T>, <Vm.T>", "size!=3";
    UABA_asimdsame,     "0 Q:1 1 01110 size:2 1 Rm:5 01111 1 Rn:5 Rd:5", "uaba <Vd.T>, <Vn.T>, <Vm.T>", "size!=3";
    SMAXP_asimdsame,    "0 Q:1 0 01110 size:2 1 Rm:5 10100 1 Rn:5 Rd:5", "smaxp <Vd.T>, <Vn.T>, <Vm.T>", "size!=3";
    UMAXP_asimdsame,    "0 Q:1 1 01110 size:2 1 Rm:5 10100 1 Rn:5 Rd:5", "umaxp <Vd.T>, <Vn.T>, <Vm.T>", "size!=3";
    SMINP_asimdsame,    "0 Q:1 0 01110 size:2 1 Rm:5 10101 1 Rn:5 Rd:5", "sminp <Vd.T>, <Vn.T>, <Vm.T>", "size!=3";
    UMINP_asimdsame,    "0 Q:1 1 01110 size:2 1 Rm:5 10101 1 Rn:5 Rd:5", "uminp <Vd.T>, <Vn.T>, <Vm.T>", "size!=3";
    CMGT_asimdsame,     "0 Q:1 0 01110 size:2 1 Rm:5 00110 1 Rn:5 Rd:5", "cmgt <Vd.T>, <Vn.T>, <Vm.T>", "size=3 -> Q=1";
    CMHI_asimdsame,     "0 Q:1 1 01110 size:2 1 Rm:5 00110 1 Rn:5 Rd:5", "cmhi <Vd.T>, <Vn.T>, <Vm.T>", "size=3 -> Q=1";
    CMGE_asimdsame,     "0 Q:1 0 01110 size:2 1 Rm:5 00111 1 Rn:5 Rd:5", "cmge <Vd.T>, <Vn.T>, <Vm.T>", "size=3 -> Q=1";
    CMHS_asimdsame,     "0 Q:1 1 01110 size:2 1 Rm:5 00111 1 Rn:5 Rd:5", "cmhs <Vd.T>, <Vn.T>, <Vm.T>", "size=3 -> Q=1";
    ADD_asimdsame,      "0 Q:1 0 01110 size:2 1 Rm:5 10000 1 Rn:5 Rd:5", "add <Vd.T>, <Vn.T>, <Vm.T>", "size=3 -> Q=1";
    SUB_asimdsame,      "0 Q:1 1 01110 size:2 1 Rm:5 10000 1 Rn:5 Rd:5", "sub <Vd.T>, <Vn.T>, <Vm.T>", "size=3 -> Q=1";
    CMTST_asimdsame,    "0 Q:1 0 01110 size:2 1 Rm:5 10001 1 Rn:5 Rd:5", "cmtst <Vd.T>, <Vn.T>, <Vm.T>", "size=3 -> Q=1";
    CMEQ_asimdsame,     "0 Q:1 1 01110 size:2 1 Rm:5 10001 1 Rn:5 Rd:5", "cmeq <Vd.T>, <Vn.T>, <Vm.T>", "size=3 -> Q=1";
    MLA_asimdsame,      "0 Q:1 0 01110 size:2 1 Rm:5 10010 1 Rn:5 Rd:5", "mla <Vd.T>, <Vn.T>, <Vm.T>", "size!=3";
    MLS_asimdsame,      "0 Q:1 1 01110 size:2 1 Rm:5 10010 1 Rn:5 Rd:5", "mls <Vd.T>, <Vn.T>, <Vm.T>", "size!=3";
    MUL_asimdsame,      "0 Q:1 0 01110 size:2 1 Rm:5 10011 1 Rn:5 Rd:5", "mul <Vd.T>, <Vn.T>, <Vm.T>", "size!=3";
    PMUL_asimdsame,     "0 Q:1 1 01110 size:2 1 Rm:5 10011 1 Rn:5 Rd:5", "pmul <Vd.T>, <Vn.T>, <Vm.T>", "size=0";
    SQDMULH_asimdsame,  "0 Q:1 0 01110 size:2 1 Rm:5 10110 1 Rn:5 Rd:5", "sqdmulh <Vd.T>, <Vn.T>, <Vm.T>", "size=1|2";
    SQRDMULH_asimdsame, "0 Q:1 1 01110 size:2 1 Rm:5 10110 1 Rn:5 Rd:5", "sqrdmulh <Vd.T>, <Vn.T>, <Vm.T>", "size=1|2";
    ADDP_asimdsame,     "0 Q:1 0 01110 size:2 1 Rm:5 10111 1 Rn:5 Rd:5", "addp <Vd.T>, <Vn.T>, <Vm.T>", "size=3 -> Q=1";
    FMAXNM_asimdsame,   "0 Q:1 0 01110 0 sz:1 1 Rm:5 11000 1 Rn:5 Rd:5", "fmaxnm <Vd.F>, <Vn.F>, <Vm.F>", "sz=1 -> Q=1";
    FMINNM_asimdsame,   "0 Q:1 0 01110 1 sz:1 1 Rm:5 11000 1 Rn:5 Rd:5", "fminnm <Vd.F>, <Vn.F>, <Vm.F>", "sz=1 -> Q=1";
    FMLA_asimdsame,     "0 Q:1 0 01110 0 sz:1 1 Rm:5 11001 1 Rn:5 Rd:5", "fmla <Vd.F>, <Vn.F>, <Vm.F>", "sz=1 -> Q=1";
    FMLS_asimdsame,     "0 Q:1 0 01110 1 sz:1 1 Rm:5 11001 1 Rn:5 Rd:5", "fmls <Vd.F>, <Vn.F>, <Vm.F>", "sz=1 -> Q=1";
    FADD_asimdsame,     "0 Q:1 0 01110 0 sz:1 1 Rm:5 11010 1 Rn:5 Rd:5", "fadd <Vd.F>, <Vn.F>, <Vm.F>", "sz=1 -> Q=1";
    FSUB_asimdsame,     "0 Q:1 0 01110 1 sz:1 1 Rm:5 11010 1 Rn:5 Rd:5", "fsub <Vd.F>, <Vn.F>, <Vm.F>", "sz=1 -> Q=1";
    FMULX_asimdsame,    "0 Q:1 0 01110 0 sz:1 1 Rm:5 11011 1 Rn:5 Rd:5", "fmulx <Vd.F>, <Vn.F>, <Vm.F>", "sz=1 -> Q=1";
    FCMEQ_asimdsame,    "0 Q:1 0 01110 0 sz:1 1 Rm:5 11100 1 Rn:5 Rd:5", "fcmeq <Vd.F>, <Vn.F>, <Vm.F>", "sz=1 -> Q=1";
    FMAX_asimdsame,     "0 Q:1 0 01110 0 sz:1 1 Rm:5 11110 1 Rn:5 Rd:5", "fmax <Vd.F>, <Vn.F>, <Vm.F>", "sz=1 -> Q=1";
    FMIN_asimdsame,     "0 Q:1 0 01110 1 sz:1 1 Rm:5 11110 1 Rn:5 Rd:5", "fmin <Vd.F>, <Vn.F>, <Vm.F>", "sz=1 -> Q=1";
    FRECPS_asimdsame,   "0 Q:1 0 01110 0 sz:1 1 Rm:5 11111 1 Rn:5 Rd:5", "frecps <Vd.F>, <Vn.F>, <Vm.F>", "sz=1 -> Q=1";
    FRSQRTS_asimdsame,  "0 Q:1 0 01110 1 sz:1 1 Rm:5 11111 1 Rn:5 Rd:5", "frsqrts <Vd.F>, <Vn.F>, <Vm.F>", "sz=1 -> Q=1";
    FMAXNMP_asimdsame,  "0 Q:1 1 01110 0 sz:1 1 Rm:5 11000 1 Rn:5 Rd:5", "fmaxnmp <Vd.F>, <Vn.F>, <Vm.F>", "sz=1 -> Q=1";
    FMINNMP_asimdsame,  "0 Q:1 1 01110 1 sz:1 1 Rm:5 11000 1 Rn:5 Rd:5", "fminnmp <Vd.F>, <Vn.F>, <Vm.F>", "sz=1 -> Q=1";
    FADDP_asimdsame,    "0 Q:1 1 01110 0 sz:1 1 Rm:5 11010 1 Rn:5 Rd:5", "faddp <Vd.F>, <Vn.F>, <Vm.F>", "sz=1 -> Q=1";
    FABD_asimdsame,     "0 Q:1 1 01110 1 sz:1 1 Rm:5 11010 1 Rn:5 Rd:5", "fabd <Vd.F>, <Vn.F>, <Vm.F>", "sz=1 -> Q=1";
    FMUL_asimdsame,     "0 Q:1 1 01110 0 sz:1 1 Rm:5 11011 1 Rn:5 Rd:5", "fmul <Vd.F>, <Vn.F>, <Vm.F>", "sz=1 -> Q=1";
    FCMGE_asimdsame,    "0 Q:1 1 01110 0 sz:1 1 Rm:5 11100 1 Rn:5 Rd:5", "fcmge <Vd.F>, <Vn.F>, <Vm.F>", "sz=1 -> Q=1";
    FCMGT_asimdsame,    "0 Q:1 1 01110 1 sz:1 1 Rm:5 11100 1 Rn:5 Rd:5", "fcmgt <Vd.F>, <Vn.F>, <Vm.F>", "sz=1 -> Q=1";
    FACGE_asimdsame,    "0 Q:1 1 01110 0 sz:1 1 Rm:5 11101 1 Rn:5 Rd:5", "facge <Vd.F>, <Vn.F>, <Vm.F>", "sz=1 -> Q=1";
    FACGT_asimdsame,    "0 Q:1 1 01110 1 sz:1 1 Rm:5 11101 1 Rn:5 Rd:5", "facgt <Vd.F>, <Vn.F>, <Vm.F>", "sz=1 -> Q=1";
    FMAXP_asimdsame,    "0 Q:1 1 01110 0 sz:1 1 Rm:5 11110 1 Rn:5 Rd:5", "fmaxp <Vd.F>, <Vn.F>, <Vm.F>", "sz=1 -> Q=1";
    FMINP_asimdsame,    "0 Q:1 1 01110 1 sz:1 1 Rm:5 11110 1 Rn:5 Rd:5", "fminp <Vd.F>, <Vn.F>, <Vm.F>", "sz=1 -> Q=1";
    FDIV_asimdsame,     "0 Q:1 1 01110 0 sz:1 1 Rm:5 11111 1 Rn:5 Rd:5", "fdiv <Vd.F>, <Vn.F>, <Vm.F>", "sz=1 -> Q=1";
    AND_asimdsame,      "0 Q:1 0 01110 00 1 Rm:5 00011 1 Rn:5 Rd:5", "and <Vd.B>, <Vn.B>, <Vm.B>";
    BIC_asimdsame,      "0 Q:1 0 01110 01 1 Rm:5 00011 1 Rn:5 Rd:5", "bic <Vd.B>, <Vn.B>, <Vm.B>";
    ORR_asimdsame,      "0 Q:1 0 01110 10 1 Rm:5 00011 1 Rn:5 Rd:5", "orr <Vd.B>, <Vn.B>, <Vm.B>";
    ORN_asimdsame,      "0 Q:1 0 01110 11 1 Rm:5 00011 1 Rn:5 Rd:5", "orn <Vd.B>, <Vn.B>, <Vm.B>";
    EOR_asimdsame,      "0 Q:1 1 01110 00 1 Rm:5 00011 1 Rn:5 Rd:5", "eor <Vd.B>, <Vn.B>, <Vm.B>";
    BSL_asimdsame,      "0 Q:1 1 01110 01 1 Rm:5 00011 1 Rn:5 Rd:5", "bsl <Vd.B>, <Vn.B>, <Vm.B>";
    BIT_asimdsame,      "0 Q:1 1 01110 10 1 Rm:5 00011 1 Rn:5 Rd:5", "bit <Vd.B>, <Vn.B>, <Vm.B>";
    BIF_asimdsame,      "0 Q:1 1 01110 11 1 Rm:5 00011 1 Rn:5 Rd:5", "bif <Vd.B>, <Vn.B>, <Vm.B>";
    FMLAL_asimdsame,    "0 Q:1 0 01110 00 1 Rm:5 11101 1 Rn:5 Rd:5", "fmlal <Vd.S>, <Vn.Xh>, <Vm.Xh>", FEAT_FHM;
    FMLSL_asimdsame,    "0 Q:1 0 01110 10 1 Rm:5 11101 1 Rn:5 Rd:5", "fmlsl <Vd.S>, <Vn.Xh>, <Vm.Xh>", FEAT_FHM;
    FMLAL2_asimdsame,   "0 Q:1 1 01110 00 1 Rm:5 11001 1 Rn:5 Rd:5", "fmlal2 <Vd.S>, <Vn.Xh>, <Vm.Xh>", FEAT_FHM;
    FMLSL2_asimdsame,   "0 Q:1 1 01110 10 1 Rm:5 11001 1 Rn:5 Rd:5", "fmlsl2 <Vd.S>, <Vn.Xh>, <Vm.Xh>", FEAT_FHM;
}

class asimdsamefp16 FEAT_FP16 {
    FMAXNM_asimdsamefp16,  "0 Q:1 0 01110 0 10 Rm:5 00 000 1 Rn:5 Rd:5", "fmaxnm <Vd.H>, <Vn.H>, <Vm.H>";
    FMINNM_asimdsamefp16,  "0 Q:1 0 01110 1 10 Rm:5 00 000 1 Rn:5 Rd:5", "fminnm <Vd.H>, <Vn.H>, <Vm.H>";
    FMLA_asimdsamefp16,    "0 Q:1 0 01110 0 10 Rm:5 00 001 1 Rn:5 Rd:5", "fmla <Vd.H>, <Vn.H>, <Vm.H>";
    FMLS_asimdsamefp16,    "0 Q:1 0 01110 1 10 Rm:5 00 001 1 Rn:5 Rd:5", "fmls <Vd.H>, <Vn.H>, <Vm.H>";
    FADD_asimdsamefp16,    "0 Q:1 0 01110 0 10 Rm:5 00 010 1 Rn:5 Rd:5", "fadd <Vd.H>, <Vn.H>, <Vm.H>";
    FSUB_asimdsamefp16,    "0 Q:1 0 01110 1 10 Rm:5 00 010 1 Rn:5 Rd:5", "fsub <Vd.H>, <Vn.H>, <Vm.H>";
    FMULX_asimdsamefp16,   "0 Q:1 0 01110 0 10 Rm:5 00 011 1 Rn:5 Rd:5", "fmulx <Vd.H>, <Vn.H>, <Vm.H>";
    FCMEQ_asimdsamefp16,   "0 Q:1 0 01110 0 10 Rm:5 00 100 1 Rn:5 Rd:5", "fcmeq <Vd.H>, <Vn.H>, <Vm.H>";
    FMAX_asimdsamefp16,    "0 Q:1 0 01110 0 10 Rm:5 00 110 1 Rn:5 Rd:5", "fmax <Vd.H>, <Vn.H>, <Vm.H>";
    FMIN_asimdsamefp16,    "0 Q:1 0 01110 1 10 Rm:5 00 110 1 Rn:5 Rd:5", "fmin <Vd.H>, <Vn.H>, <Vm.H>";
    FRECPS_asimdsamefp16,  "0 Q:1 0 01110 0 10 Rm:5 00 111 1 Rn:5 Rd:5", "frecps <Vd.H>, <Vn.H>, <Vm.H>";
    FRSQRTS_asimdsamefp16, "0 Q:1 0 01110 1 10 Rm:5 00 111 1 Rn:5 Rd:5", "frsqrts <Vd.H>, <Vn.H>, <Vm.H>";
    FMAXNMP_asimdsamefp16, "0 Q:1 1 01110 0 10 Rm:5 00 000 1 Rn:5 Rd:5", "fmaxnmp <Vd.H>, <Vn.H>, <Vm.H>";
    FMINNMP_asimdsamefp16, "0 Q:1 1 01110 1 10 Rm:5 00 000 1 Rn:5 Rd:5", "fminnmp <Vd.H>, <Vn.H>, <Vm.H>";
    FADDP_asimdsamefp16,   "0 Q:1 1 01110 0 10 Rm:5 00 010 1 Rn:5 Rd:5", "faddp <Vd.H>, <Vn.H>, <Vm.H>";
    FABD_asimdsamefp16,    "0 Q:1 1 01110 1 10 Rm:5 00 010 1 Rn:5 Rd:5", "fabd <Vd.H>, <Vn.H>, <Vm.H>";
    FMUL_asimdsamefp16,    "0 Q:1 1 01110 0 10 Rm:5 00 011 1 Rn:5 Rd:5", "fmul <Vd.H>, <Vn.H>, <Vm.H>";
    FCMGE_asimdsamefp16,   "0 Q:1 1 01110 0 10 Rm:5 00 100 1 Rn:5 Rd:5", "fcmge <Vd.H>, <Vn.H>, <Vm.H>";
    FCMGT_asimdsamefp16,   "0 Q:1 1 01110 1 10 Rm:5 00 100 1 Rn:5 Rd:5", "fcmgt <Vd.H>, <Vn.H>, <Vm.H>";
    FACGE_asimdsamefp16,   "0 Q:1 1 01110 0 10 Rm:5 00 101 1 Rn:5 Rd:5", "facge <Vd.H>, <Vn.H>, <Vm.H>";
    FACGT_asimdsamefp16,   "0 Q:1 1 01110 1 10 Rm:5 00 101 1 Rn:5 Rd:5", "facgt <Vd.H>, <Vn.H>, <Vm.H>";
    FMAXP_asimdsamefp16,   "0 Q:1 1 01110 0 10 Rm:5 00 110 1 Rn:5 Rd:5", "fmaxp <Vd.H>, <Vn.H>, <Vm.H>";
    FMINP_asimdsamefp16,   "0 Q:1 1 01110 1 10 Rm:5 00 110 1 Rn:5 Rd:5", "fminp <Vd.H>, <Vn.H>, <Vm.H>";
    FDIV_asimdsamefp16,    "0 Q:1 1 01110 0 10 Rm:5 00 111 1 Rn:5 Rd:5", "fdiv <Vd.H>, <Vn.H>, <Vm.H>";
}

class asimdsame2 {
    SQRDMLAH_asimdsame2, "0 Q:1 1 01110 size:2 0 Rm:5 1 0000 1 Rn:5 Rd:5", "sqrdmlah <Vd.T>, <Vn.T>, <Vm.T>", "size=1|2", FEAT_RDM;
    SQRDMLSH_asimdsame2, "0 Q:1 1 01110 size:2 0 Rm:5 1 0001 1 Rn:5 Rd:5", "sqrdmlsh <Vd.T>, <Vn.T>, <Vm.T>", "size=1|2", FEAT_RDM;
    SDOT_asimdsame2,     "0 Q:1 0 01110 10 0 Rm:5 1 0010 1 Rn:5 Rd:5", "sdot <Vd.S>, <Vn.B>, <Vm.B>", FEAT_DotProd;
    UDOT_asimdsame2,     "0 Q:1 1 01110 10 0 Rm:5 1 0010 1 Rn:5 Rd:5", "udot <Vd.S>, <Vn.B>, <Vm.B>", FEAT_DotProd;
    USDOT_asimdsame2,    "0 Q:1 0 01110 10 0 Rm:5 1 0011 1 Rn:5 Rd:5", "usdot <Vd.S>, <Vn.B>, <Vm.B>", FEAT_I8MM;
    SMMLA_asimdsame2,    "01 0 01110 10 0 Rm:5 1 0100 1 Rn:5 Rd:5", "smmla <Vd>.4s, <Vn>.16b, <Vm>.16b", FEAT_I8MM;
    UMMLA_asimdsame2,    "01 1 01110 10 0 Rm:5 1 0100 1 Rn:5 Rd:5", "ummla <Vd>.4s, <Vn>.16b, <Vm>.16b", FEAT_I8MM;
    USMMLA_asimdsame2,   "01 0 01110 10 0 Rm:5 1 0101 1 Rn:5 Rd:5", "usmmla <Vd>.4s, <Vn>.16b, <Vm>.16b", FEAT_I8MM;
    FCMLA_asimdsame2,    "0 Q:1 1 01110 size:2 0 Rm:5 1 10 rot:2 1 Rn:5 Rd:5", "fcmla <Vd.T>, <Vn.T>, <Vm.T>, #<rot>", "size!=0, size=3 -> Q=1", FEAT_FCMA, FEAT_FP16 if size=1;
    FCADD_asimdsame2,    "0 Q:1 1 01110 size:2 0 Rm:5 1 11 rot:1 0 1 Rn:5 Rd:5", "fcadd <Vd.T>, <Vn.T>, <Vm.T>, #<rot>", "size!=0, size=3 -> Q=1", FEAT_FCMA, FEAT_FP16 if size=1;
    BFMMLA_asimdsame2,   "01 1 01110 01 0 Rm:5 1 1101 1 Rn:5 Rd:5", "bfmmla <Vd>.4s, <Vn>.8h, <Vm>.8h", FEAT_BF16;
    BFDOT_asimdsame2,    "0 Q:1 1 01110 01 0 Rm:5 1 1111 1 Rn:5 Rd:5", "bfdot <Vd.S>, <Vn.H>, <Vm.H>", FEAT_BF16;
    BFMLAL_asimdsame2,   "0 Q:1 1 01110 11 0 Rm:5 1 1111 1 Rn:5 Rd:5", "bfmlal<bt> <Vd>.4s, <Vn>.8h, <Vm>.8h", FEAT_BF16;
}

class asimddiff {
    SADDL_asimddiff,   "0 Q:1 0 01110 size:2 1 Rm:5 0000 00 Rn:5 Rd:5", "saddl<2> <Vd.Ta>, <Vn.T>, <Vm.T>", "size!=3";
    SADDW_asimddiff,   "0 Q:1 0 01110 size:2 1 Rm:5 0001 00 Rn:5 Rd:5", "saddw<2> <Vd.Ta>, <Vn.Ta>, <Vm.T>", "size!=3";
    SSUBL_asimddiff,   "0 Q:1 0 01110 size:2 1 Rm:5 0010 00 Rn:5 Rd:5", "ssubl<2> <Vd.Ta>, <Vn.T>, <Vm.T>", "size!=3";
    SSUBW_asimddiff,   "0 Q:1 0 01110 size:2 1 Rm:5 0011 00 Rn:5 Rd:5", "ssubw<2> <Vd.Ta>, <Vn.Ta>, <Vm.T>", "size!=3";
    SABAL_asimddiff,   "0 Q:1 0 01110 size:2 1 Rm:5 0101 00 Rn:5 Rd:5", "sabal<2> <Vd.Ta>, <Vn.T>, <Vm.T>", "size!=3";
    SABDL_asimddiff,   "0 Q:1 0 01110 size:2 1 Rm:5 0111 00 Rn:5 Rd:5", "sabdl<2> <Vd.Ta>, <Vn.T>, <Vm.T>", "size!=3";
    SMLAL_asimddiff,   "0 Q:1 0 01110 size:2 1 Rm:5 1000 00 Rn:5 Rd:5", "smlal<2> <Vd.Ta>, <Vn.T>, <Vm.T>", "size!=3";
    SMLSL_asimddiff,   "0 Q:1 0 01110 size:2 1 Rm:5 1010 00 Rn:5 Rd:5", "smlsl<2> <Vd.Ta>, <Vn.T>, <Vm.T>", "size!=3";
    SMULL_asimddiff,   "0 Q:1 0 01110 size:2 1 Rm:5 1100 00 Rn:5 Rd:5", "smull<2> <Vd.Ta>, <Vn.T>, <Vm.T>", "size!=3";
    UADDL_asimddiff,   "0 Q:1 1 01110 size:2 1 Rm:5 0000 00 Rn:5 Rd:5", "uaddl<2> <Vd.Ta>, <Vn.T>, <Vm.T>", "size!=3";
    UADDW_asimddiff,   "0 Q:1 1 01110 size:2 1 Rm:5 0001 00 Rn:5 Rd:5", "uaddw<2> <Vd.Ta>, <Vn.Ta>, <Vm.T>", "size!=3";
    USUBL_asimddiff,   "0 Q:1 1 01110 size:2 1 Rm:5 0010 00 Rn:5 Rd:5", "usubl<2> <Vd.Ta>, <Vn.T>, <Vm.T>", "size!=3";
    USUBW_asimddiff,   "0 Q:1 1 01110 size:2 1 Rm:5 0011 00 Rn:5 Rd:5", "usubw<2> <Vd.Ta>, <Vn.Ta>, <Vm.T>", "size!=3";
    UABAL_asimddiff,   "0 Q:1 1 01110 size:2 1 Rm:5 0101 00 Rn:5 Rd:5", "uabal<2> <Vd.Ta>, <Vn.T>, <Vm.T>", "size!=3";
    UABDL_asimddiff,   "0 Q:1 1 01110 size:2 1 Rm:5 0111 00 Rn:5 Rd:5", "uabdl<2> <Vd.Ta>, <Vn.T>, <Vm.T>", "size!=3";
    UMLAL_asimddiff,   "0 Q:1 1 01110 size:2 1 Rm:5 1000 00 Rn:5 Rd:5", "umlal<2> <Vd.Ta>, <Vn.T>, <Vm.T>", "size!=3";
    UMLSL_asimddiff,   "0 Q:1 1 01110 size:2 1 Rm:5 1010 00 Rn:5 Rd:5", "umlsl<2> <Vd.Ta>, <Vn.T>, <Vm.T>", "size!=3";
    UMULL_asimddiff,   "0 Q:1 1 01110 size:2 1 Rm:5 1100 00 Rn:5 Rd:5", "umull<2> <Vd.Ta>, <Vn.T>, <Vm.T>", "size!=3";
    ADDHN_asimddiff,   "0 Q:1 0 01110 size:2 1 Rm:5 0100 00 Rn:5 Rd:5", "addhn<2> <Vd.T>, <Vn.Ta>, <Vm.Ta>", "size!=3";
    RADDHN_asimddiff,  "0 Q:1 1 01110 size:2 1 Rm:5 0100 00 Rn:5 Rd:5", "raddhn<2> <Vd.T>, <Vn.Ta>, <Vm.Ta>", "size!=3";
    SUBHN_asimddiff,   "0 Q:1 0 01110 size:2 1 Rm:5 0110 00 Rn:5 Rd:5", "subhn<2> <Vd.T>, <Vn.Ta>, <Vm.Ta>", "size!=3";
    RSUBHN_asimddiff,  "0 Q:1 1 01110 size:2 1 Rm:5 0110 00 Rn:5 Rd:5", "rsubhn<2> <Vd.T>, <Vn.Ta>, <Vm.Ta>", "size!=3";
    SQDMLAL_asimddiff, "0 Q:1 0 01110 size:2 1 Rm:5 1001 00 Rn:5 Rd:5", "sqdmlal<2> <Vd.Ta>, <Vn.T>, <Vm.T>", "size=1|2";
    SQDMLSL_asimddiff, "0 Q:1 0 01110 size:2 1 Rm:5 1011 00 Rn:5 Rd:5", "sqdmlsl<2> <Vd.Ta>, <Vn.T>, <Vm.T>", "size=1|2";
    SQDMULL_asimddiff, "0 Q:1 0 01110 size:2 1 Rm:5 1101 00 Rn:5 Rd:5", "sqdmull<2> <Vd.Ta>, <Vn.T>, <Vm.T>", "size=1|2";
    PMULL_asimddiff,   "0 Q:1 0 01110 size:2 1 Rm:5 1110 00 Rn:5 Rd:5", "pmull<2> <Vd.Ta>, <Vn.T>, <Vm.T>", "size=0|3", FEAT_PMULL if size=3;
}

class asimdmisc {
    REV64_asimdmisc,      "0 Q:1 0 01110 size:2 10000 00000 10 Rn:5 Rd:5", "rev64 <Vd.T>, <Vn.T>", "size!=3";
    REV16_asimdmisc,      "0 Q:1 0 01110 size:2 10000 00001 10 Rn:5 Rd:5", "rev16 <Vd.T>, <Vn.T>", "size=0";
    REV32_asimdmisc,      "0 Q:1 1 01110 size:2 10000 00000 10 Rn:5 Rd:5", "rev32 <Vd.T>, <Vn.T>", "size<2";
    SADDLP_asimdmisc,     "0 Q:1 0 01110 size:2 10000 00010 10 Rn:5 Rd:5", "saddlp <Vd.Tp>, <Vn.T>", "size!=3";
    UADDLP_asimdmisc,     "0 Q:1 1 01110 size:2 10000 00010 10 Rn:5 Rd:5", "uaddlp <Vd.Tp>, <Vn.T>", "size!=3";
    SADALP_asimdmisc,     "0 Q:1 0 01110 size:2 10000 00110 10 Rn:5 Rd:5", "sadalp <Vd.Tp>, <Vn.T>", "size!=3";
    UADALP_asimdmisc,     "0 Q:1 1 01110 size:2 10000 00110 10 Rn:5 Rd:5", "uadalp <Vd.Tp>, <Vn.T>", "size!=3";
    SUQADD_asimdmisc,     "0 Q:1 0 01110 size:2 10000 00011 10 Rn:5 Rd:5", "suqadd <Vd.T>, <Vn.T>", "size=3 -> Q=1";
    USQADD_asimdmisc,     "0 Q:1 1 01110 size:2 10000 00011 10 Rn:5 Rd:5", "usqadd <Vd.T>, <Vn.T>", "size=3 -> Q=1";
    CLS_asimdmisc,        "0 Q:1 0 01110 size:2 10000 00100 10 Rn:5 Rd:5", "cls <Vd.T>, <Vn.T>", "size!=3";
    CLZ_asimdmisc,        "0 Q:1 1 01110 size:2 10000 00100 10 Rn:5 Rd:5", "clz <Vd.T>, <Vn.T>", "size!=3";
    CNT_asimdmisc,        "0 Q:1 0 01110 size:2 10000 00101 10 Rn:5 Rd:5", "cnt <Vd.T>, <Vn.T>", "size=0";
    NOT_asimdmisc,        "0 Q:1 1 01110 00 10000 00101 10 Rn:5 Rd:5", "not <Vd.B>, <Vn.B>";
    RBIT_asimdmisc,       "0 Q:1 1 01110 01 10000 00101 10 Rn:5 Rd:5", "rbit <Vd.B>, <Vn.B>";
    SQABS_asimdmisc,      "0 Q:1 0 01110 size:2 10000 00111 10 Rn:5 Rd:5", "sqabs <Vd.T>, <Vn.T>", "size=3 -> Q=1";
    SQNEG_asimdmisc,      "0 Q:1 1 01110 size:2 10000 00111 10 Rn:5 Rd:5", "sqneg <Vd.T>, <Vn.T>", "size=3 -> Q=1";
    CMGT_zero_asimdmisc,  "0 Q:1 0 01110 size:2 10000 01000 10 Rn:5 Rd:5", "cmgt <Vd.T>, <Vn.T>, #0", "size=3 -> Q=1";
    CMGE_zero_asimdmisc,  "0 Q:1 1 01110 size:2 10000 01000 10 Rn:5 Rd:5", "cmge <Vd.T>, <Vn.T>, #0", "size=3 -> Q=1";
    CMEQ_zero_asimdmisc,  "0 Q:1 0 01110 size:2 10000 01001 10 Rn:5 Rd:5", "cmeq <Vd.T>, <Vn.T>, #0", "size=3 -> Q=1";
    CMLE_zero_asimdmisc,  "0 Q:1 1 01110 size:2 10000 01001 10 Rn:5 Rd:5", "cmle <Vd.T>, <Vn.T>, #0", "size=3 -> Q=1";
    CMLT_zero_asimdmisc,  "0 Q:1 0 01110 size:2 10000 01010 10 Rn:5 Rd:5", "cmlt <Vd.T>, <Vn.T>, #0", "size=3 -> Q=1";
    ABS_asimdmisc,        "0 Q:1 0 01110 size:2 10000 01011 10 Rn:5 Rd:5", "abs <Vd.T>, <Vn.T>", "size=3 -> Q=1";
    NEG_asimdmisc,        "0 Q:1 1 01110 size:2 10000 01011 10 Rn:5 Rd:5", "neg <Vd.T>, <Vn.T>", "size=3 -> Q=1";
    XTN_asimdmisc,        "0 Q:1 0 01110 size:2 10000 10010 10 Rn:5 Rd:5", "xtn<2> <Vd.T>, <Vn.Ta>", "size!=3";
    SQXTUN_asimdmisc,     "0 Q:1 1 01110 size:2 10000 10010 10 Rn:5 Rd:5", "sqxtun<2> <Vd.T>, <Vn.Ta>", "size!=3";
    SQXTN_asimdmisc,      "0 Q:1 0 01110 size:2 10000 10100 10 Rn:5 Rd:5", "sqxtn<2> <Vd.T>, <Vn.Ta>", "size!=3";
    UQXTN_asimdmisc,      "0 Q:1 1 01110 size:2 10000 10100 10 Rn:5 Rd:5", "uqxtn<2> <Vd.T>, <Vn.Ta>", "size!=3";
    SHLL_asimdmisc,       "0 Q:1 1 01110 size:2 10000 10011 10 Rn:5 Rd:5", "shll<2> <Vd.Ta>, <Vn.T>, #<shll>", "size!=3";
    FCVTN_asimdmisc,      "0 Q:1 0 01110 0 sz:1 10000 10110 10 Rn:5 Rd:5", "fcvtn<2> <Vd.Fn>, <Vn.Fw>";
    FCVTXN_asimdmisc,     "0 Q:1 1 01110 01 10000 10110 10 Rn:5 Rd:5", "fcvtxn<2> <Vd.Xn>, <Vn.2d>";
    FCVTL_asimdmisc,      "0 Q:1 0 01110 0 sz:1 10000 10111 10 Rn:5 Rd:5", "fcvtl<2> <Vd.Fw>, <Vn.Fn>";
    FRINTN_asimdmisc,     "0 Q:1 0 01110 0 sz:1 10000 11000 10 Rn:5 Rd:5", "frintn <Vd.F>, <Vn.F>", "sz=1 -> Q=1";
    FRINTP_asimdmisc,     "0 Q:1 0 01110 1 sz:1 10000 11000 10 Rn:5 Rd:5", "frintp <Vd.F>, <Vn.F>", "sz=1 -> Q=1";
    FRINTM_asimdmisc,     "0 Q:1 0 01110 0 sz:1 10000 11001 10 Rn:5 Rd:5", "frintm <Vd.F>, <Vn.F>", "sz=1 -> Q=1";
    FRINTZ_asimdmisc,     "0 Q:1 0 01110 1 sz:1 10000 11001 10 Rn:5 Rd:5", "frintz <Vd.F>, <Vn.F>", "sz=1 -> Q=1";
    FRINTA_asimdmisc,     "0 Q:1 1 01110 0 sz:1 10000 11000 10 Rn:5 Rd:5", "frinta <Vd.F>, <Vn.F>", "sz=1 -> Q=1";
    FRINTX_asimdmisc,     "0 Q:1 1 01110 0 sz:1 10000 11001 10 Rn:5 Rd:5", "frintx <Vd.F>, <Vn.F>", "sz=1 -> Q=1";
    FRINTI_asimdmisc,     "0 Q:1 1 01110 1 sz:1 10000 11001 10 Rn:5 Rd:5", "frinti <Vd.F>, <Vn.F>", "sz=1 -> Q=1";
    FCVTNS_asimdmisc,     "0 Q:1 0 01110 0 sz:1 10000 11010 10 Rn:5 Rd:5", "fcvtns <Vd.F>, <Vn.F>", "sz=1 -> Q=1";
    FCVTPS_asimdmisc,     "0 Q:1 0 01110 1 sz:1 10000 11010 10 Rn:5 Rd:5", "fcvtps <Vd.F>, <Vn.F>", "sz=1 -> Q=1";
    FCVTMS_asimdmisc,     "0 Q:1 0 01110 0 sz:1 10000 11011 10 Rn:5 Rd:5", "fcvtms <Vd.F>, <Vn.F>", "sz=1 -> Q=1";
    FCVTZS_asimdmisc,     "0 Q:1 0 01110 1 sz:1 10000 11011 10 Rn:5 Rd:5", "fcvtzs <Vd.F>, <Vn.F>", "sz=1 -> Q=1";
    FCVTAS_asimdmisc,     "0 Q:1 0 01110 0 sz:1 10000 11100 10 Rn:5 Rd:5", "fcvtas <Vd.F>, <Vn.F>", "sz=1 -> Q=1";
    SCVTF_asimdmisc,      "0 Q:1 0 01110 0 sz:1 10000 11101 10 Rn:5 Rd:5", "scvtf <Vd.F>, <Vn.F>", "sz=1 -> Q=1";
    FRECPE_asimdmisc,     "0 Q:1 0 01110 1 sz:1 10000 11101 10 Rn:5 Rd:5", "frecpe <Vd.F>, <Vn.F>", "sz=1 -> Q=1";
    FCVTNU_asimdmisc,     "0 Q:1 1 01110 0 sz:1 10000 11010 10 Rn:5 Rd:5", "fcvtnu <Vd.F>, <Vn.F>", "sz=1 -> Q=1";
    FCVTPU_asimdmisc,     "0 Q:1 1 01110 1 sz:1 10000 11010 10 Rn:5 Rd:5", "fcvtpu <Vd.F>, <Vn.F>", "sz=1 -> Q=1";
    FCVTMU_asimdmisc,     "0 Q:1 1 01110 0 sz:1 10000 11011 10 Rn:5 Rd:5", "fcvtmu <Vd.F>, <Vn.F>", "sz=1 -> Q=1";
    FCVTZU_asimdmisc,     "0 Q:1 1 01110 1 sz:1 10000 11011 10 Rn:5 Rd:5", "fcvtzu <Vd.F>, <Vn.F>", "sz=1 -> Q=1";
    FCVTAU_asimdmisc,     "0 Q:1 1 01110 0 sz:1 10000 11100 10 Rn:5 Rd:5", "fcvtau <Vd.F>, <Vn.F>", "sz=1 -> Q=1";
    UCVTF_asimdmisc,      "0 Q:1 1 01110 0 sz:1 10000 11101 10 Rn:5 Rd:5", "ucvtf <Vd.F>, <Vn.F>", "sz=1 -> Q=1";
    FRSQRTE_asimdmisc,    "0 Q:1 1 01110 1 sz:1 10000 11101 10 Rn:5 Rd:5", "frsqrte <Vd.F>, <Vn.F>", "sz=1 -> Q=1";
    FABS_asimdmisc,       "0 Q:1 0 01110 1 sz:1 10000 01111 10 Rn:5 Rd:5", "fabs <Vd.F>, <Vn.F>", "sz=1 -> Q=1";
    FNEG_asimdmisc,       "0 Q:1 1 01110 1 sz:1 10000 01111 10 Rn:5 Rd:5", "fneg <Vd.F>, <Vn.F>", "sz=1 -> Q=1";
    FSQRT_asimdmisc,      "0 Q:1 1 01110 1 sz:1 10000 11111 10 Rn:5 Rd:5", "fsqrt <Vd.F>, <Vn.F>", "sz=1 -> Q=1";
    FCMGT_zero_asimdmisc, "0 Q:1 0 01110 1 sz:1 10000 01100 10 Rn:5 Rd:5", "fcmgt <Vd.F>, <Vn.F>, #0.0", "sz=1 -> Q=1";
    FCMEQ_zero_asimdmisc, "0 Q:1 0 01110 1 sz:1 10000 01101 10 Rn:5 Rd:5", "fcmeq <Vd.F>, <Vn.F>, #0.0", "sz=1 -> Q=1";
    FCMLT_zero_asimdmisc, "0 Q:1 0 01110 1 sz:1 10000 01110 10 Rn:5 Rd:5", "fcmlt <Vd.F>, <Vn.F>, #0.0", "sz=1 -> Q=1";
    FCMGE_zero_asimdmisc, "0 Q:1 1 01110 1 sz:1 10000 01100 10 Rn:5 Rd:5", "fcmge <Vd.F>, <Vn.F>, #0.0", "sz=1 -> Q=1";
    FCMLE_zero_asimdmisc, "0 Q:1 1 01110 1 sz:1 10000 01101 10 Rn:5 Rd:5", "fcmle <Vd.F>, <Vn.F>, #0.0", "sz=1 -> Q=1";
    URECPE_asimdmisc,     "0 Q:1 0 01110 1 sz:1 10000 11100 10 Rn:5 Rd:5", "urecpe <Vd.F>, <Vn.F>", "sz=0";
    URSQRTE_asimdmisc,    "0 Q:1 1 01110 1 sz:1 10000 11100 10 Rn:5 Rd:5", "ursqrte <Vd.F>, <Vn.F>", "sz=0";
    FRINT32Z_asimdmisc,   "0 Q:1 0 01110 0 sz:1 10000 11110 10 Rn:5 Rd:5", "frint32z <Vd.F>, <Vn.F>", "sz=1 -> Q=1", FEAT_FRINTTS;
    FRINT32X_asimdmisc,   "0 Q:1 1 01110 0 sz:1 10000 11110 10 Rn:5 Rd:5", "frint32x <Vd.F>, <Vn.F>", "sz=1 -> Q=1", FEAT_FRINTTS;
    FRINT64Z_asimdmisc,   "0 Q:1 0 01110 0 sz:1 10000 11111 10 Rn:5 Rd:5", "frint64z <Vd.F>, <Vn.F>", "sz=1 -> Q=1", FEAT_FRINTTS;
    FRINT64X_asimdmisc,   "0 Q:1 1 01110 0 sz:1 10000 11111 10 Rn:5 Rd:5", "frint64x <Vd.F>, <Vn.F>", "sz=1 -> Q=1", FEAT_FRINTTS;
    BFCVTN_asimdmisc,     "0 Q:1 0 01110 10 10000 10110 10 Rn:5 Rd:5", "bfcvtn<2> <Vd.H>, <Vn>.4s", FEAT_BF16;
}

class asimdmiscfp16 FEAT_FP16 {
    FRINTN_asimdmiscfp16,     "0 Q:1 0 01110 0 111100 11000 10 Rn:5 Rd:5", "frintn <Vd.H>, <Vn.H>";
    FRINTP_asimdmiscfp16,     "0 Q:1 0 01110 1 111100 11000 10 Rn:5 Rd:5", "frintp <Vd.H>, <Vn.H>";
    FRINTM_asimdmiscfp16,     "0 Q:1 0 01110 0 111100 11001 10 Rn:5 Rd:5", "frintm <Vd.H>, <Vn.H>";
    FRINTZ_asimdmiscfp16,     "0 Q:1 0 01110 1 111100 11001 10 Rn:5 Rd:5", "frintz <Vd.H>, <Vn.H>";
    FRINTA_asimdmiscfp16,     "0 Q:1 1 01110 0 111100 11000 10 Rn:5 Rd:5", "frinta <Vd.H>, <Vn.H>";
    FRINTX_asimdmiscfp16,     "0 Q:1 1 01110 0 111100 11001 10 Rn:5 Rd:5", "frintx <Vd.H>, <Vn.H>";
    FRINTI_asimdmiscfp16,     "0 Q:1 1 01110 1 111100 11001 10 Rn:5 Rd:5", "frinti <Vd.H>, <Vn.H>";
    FCVTNS_asimdmiscfp16,     "0 Q:1 0 01110 0 111100 11010 10 Rn:5 Rd:5", "fcvtns <Vd.H>, <Vn.H>";
    FCVTPS_asimdmiscfp16,     "0 Q:1 0 01110 1 111100 11010 10 Rn:5 Rd:5", "fcvtps <Vd.H>, <Vn.H>";
    FCVTMS_asimdmiscfp16,     "0 Q:1 0 01110 0 111100 11011 10 Rn:5 Rd:5", "fcvtms <Vd.H>, <Vn.H>";
    FCVTZS_asimdmiscfp16,     "0 Q:1 0 01110 1 111100 11011 10 Rn:5 Rd:5", "fcvtzs <Vd.H>, <Vn.H>";
    FCVTAS_asimdmiscfp16,     "0 Q:1 0 01110 0 111100 11100 10 Rn:5 Rd:5", "fcvtas <Vd.H>, <Vn.H>";
    SCVTF_asimdmiscfp16,      "0 Q:1 0 01110 0 111100 11101 10 Rn:5 Rd:5", "scvtf <Vd.H>, <Vn.H>";
    FRECPE_asimdmiscfp16,     "0 Q:1 0 01110 1 111100 11101 10 Rn:5 Rd:5", "frecpe <Vd.H>, <Vn.H>";
    FCVTNU_asimdmiscfp16,     "0 Q:1 1 01110 0 111100 11010 10 Rn:5 Rd:5", "fcvtnu <Vd.H>, <Vn.H>";
    FCVTPU_asimdmiscfp16,     "0 Q:1 1 01110 1 111100 11010 10 Rn:5 Rd:5", "fcvtpu <Vd.H>, <Vn.H>";
    FCVTMU_asimdmiscfp16,     "0 Q:1 1 01110 0 111100 11011 10 Rn:5 Rd:5", "fcvtmu <Vd.H>, <Vn.H>";
    FCVTZU_asimdmiscfp16,     "0 Q:1 1 01110 1 111100 11011 10 Rn:5 Rd:5", "fcvtzu <Vd.H>, <Vn.H>";
    FCVTAU_asimdmiscfp16,     "0 Q:1 1 01110 0 111100 11100 10 Rn:5 Rd:5", "fcvtau <Vd.H>, <Vn.H>";
    UCVTF_asimdmiscfp16,      "0 Q:1 1 01110 0 111100 11101 10 Rn:5 Rd:5", "ucvtf <Vd.H>, <Vn.H>";
    FRSQRTE_asimdmiscfp16,    "0 Q:1 1 01110 1 111100 11101 10 Rn:5 Rd:5", "frsqrte <Vd.H>, <Vn.H>";
    FABS_asimdmiscfp16,       "0 Q:1 0 01110 1 111100 01111 10 Rn:5 Rd:5", "fabs <Vd.H>, <Vn.H>";
    FNEG_asimdmiscfp16,       "0 Q:1 1 01110 1 111100 01111 10 Rn:5 Rd:5", "fneg <Vd.H>, <Vn.H>";
    FSQRT_asimdmiscfp16,      "0 Q:1 1 01110 1 111100 11111 10 Rn:5 Rd:5", "fsqrt <Vd.H>, <Vn.H>";
    FCMGT_zero_asimdmiscfp16, "0 Q:1 0 01110 1 111100 01100 10 Rn:5 Rd:5", "fcmgt <Vd.H>, <Vn.H>, #0.0";
    FCMEQ_zero_asimdmiscfp16, "0 Q:1 0 01110 1 111100 01101 10 Rn:5 Rd:5", "fcmeq <Vd.H>, <Vn.H>, #0.0";
    FCMLT_zero_asimdmiscfp16, "0 Q:1 0 01110 1 111100 01110 10 Rn:5 Rd:5", "fcmlt <Vd.H>, <Vn.H>, #0.0";
    FCMGE_zero_asimdmiscfp16, "0 Q:1 1 01110 1 111100 01100 10 Rn:5 Rd:5", "fcmge <Vd.H>, <Vn.H>, #0.0";
    FCMLE_zero_asimdmiscfp16, "0 Q:1 1 01110 1 111100 01101 10 Rn:5 Rd:5", "fcmle <Vd.H>, <Vn.H>, #0.0";
}

class asimdall {
    SADDLV_asimdall,  "0 Q:1 0 01110 size:2 11000 00011 10 Rn:5 Rd:5", "saddlv <Ed.wide>, <Vn.T>", "size!=3, size=2 -> Q=1";
    UADDLV_asimdall,  "0 Q:1 1 01110 size:2 11000 00011 10 Rn:5 Rd:5", "uaddlv <Ed.wide>, <Vn.T>", "size!=3, size=2 -> Q=1";
    SMAXV_asimdall,   "0 Q:1 0 01110 size:2 11000 01010 10 Rn:5 Rd:5", "smaxv <Ed>, <Vn.T>", "size!=3, size=2 -> Q=1";
    UMAXV_asimdall,   "0 Q:1 1 01110 size:2 11000 01010 10 Rn:5 Rd:5", "umaxv <Ed>, <Vn.T>", "size!=3, size=2 -> Q=1";
    SMINV_asimdall,   "0 Q:1 0 01110 size:2 11000 11010 10 Rn:5 Rd:5", "sminv <Ed>, <Vn.T>", "size!=3, size=2 -> Q=1";
    UMINV_asimdall,   "0 Q:1 1 01110 size:2 11000 11010 10 Rn:5 Rd:5", "uminv <Ed>, <Vn.T>", "size!=3, size=2 -> Q=1";
    ADDV_asimdall,    "0 Q:1 0 01110 size:2 11000 11011 10 Rn:5 Rd:5", "addv <Ed>, <Vn.T>", "size!=3, size=2 -> Q=1";
    FMAXNMV_asimdall, "0 Q:1 1 01110 0 sz:1 11000 01100 10 Rn:5 Rd:5", "fmaxnmv <Sd>, <Vn.F>", "sz=0, Q=1";
    FMINNMV_asimdall, "0 Q:1 1 01110 1 sz:1 11000 01100 10 Rn:5 Rd:5", "fminnmv <Sd>, <Vn.F>", "sz=0, Q=1";
    FMAXV_asimdall,   "0 Q:1 1 01110 0 sz:1 11000 01111 10 Rn:5 Rd:5", "fmaxv <Sd>, <Vn.F>", "sz=0, Q=1";
    FMINV_asimdall,   "0 Q:1 1 01110 1 sz:1 11000 01111 10 Rn:5 Rd:5", "fminv <Sd>, <Vn.F>", "sz=0, Q=1";
    FMAXNMV_half_asimdall, "0 Q:1 0 01110 00 11000 01100 10 Rn:5 Rd:5", "fmaxnmv <Hd>, <Vn.H>", FEAT_FP16;
    FMINNMV_half_asimdall, "0 Q:1 0 01110 10 11000 01100 10 Rn:5 Rd:5", "fminnmv <Hd>, <Vn.H>", FEAT_FP16;
    FMAXV_half_asimdall,   "0 Q:1 0 01110 00 11000 01111 10 Rn:5 Rd:5", "fmaxv <Hd>, <Vn.H>", FEAT_FP16;
    FMINV_half_asimdall,   "0 Q:1 0 01110 10 11000 01111 10 Rn:5 Rd:5", "fminv <Hd>, <Vn.H>", FEAT_FP16;
}

class asimdins {
    DUP_asimdins,     "0 Q:1 0 01110000 imm5:5 0 0000 1 Rn:5 Rd:5", "dup <Vd.T5>, <Vn.Ts5>[<index5>]", "imm5!=0|16, imm5=8|24 -> Q=1";
    DUP_gen_asimdins, "0 Q:1 0 01110000 imm5:5 0 0001 1 Rn:5 Rd:5", "dup <Vd.T5>, <Rn5>", "imm5!=0|16, imm5=8|24 -> Q=1";
    SMOV_asimdins,    "0 Q:1 0 01110000 imm5:5 0 0101 1 Rn:5 Rd:5", "smov <Rd.Q>, <Vn.Ts5>[<index5>]", "imm5!=0|8|16|24, Q=0 -> imm5!=0bxx100";
    UMOV_asimdins,    "0 Q:1 0 01110000 imm5:5 0 0111 1 Rn:5 Rd:5", "umov <Rd.Q>, <Vn.Ts5>[<index5>]", "imm5!=0|16, Q=0 -> imm5!=8|24, Q=1 -> imm5=8|24";
    INS_gen_asimdins, "0 1 0 01110000 imm5:5 0 0011 1 Rn:5 Rd:5", "mov <Vd.Ts5>[<index5>], <Rn5>", "imm5!=0|16";
    INS_asimdins,     "0 1 1 01110000 imm5:5 0 imm4:4 1 Rn:5 Rd:5", "mov <Vd.Ts5>[<index5>], <Vn.Ts5>[<index4>]", "imm5!=0|16";
}

class asimdimm {
    MOVI_32_asimdimm,     "0 Q:1 0 0111100000 abc:3 0 cm:2 0 0 1 defgh:5 Rd:5", "movi <Vd.S>, #<imm8>{, <lsl8>}";
    MOVI_16_asimdimm,     "0 Q:1 0 0111100000 abc:3 10 cm:1 0 0 1 defgh:5 Rd:5", "movi <Vd.H>, #<imm8>{, <lsl8>}";
    MOVI_msl_asimdimm,    "0 Q:1 0 0111100000 abc:3 110 cm:1 0 1 defgh:5 Rd:5", "movi <Vd.S>, #<imm8>, <msl>";
    MOVI_8_asimdimm,      "0 Q:1 0 0111100000 abc:3 1110 0 1 defgh:5 Rd:5", "movi <Vd.B>, #<imm8>";
    MOVI_64_asimdimm,     "0 Q:1 1 0111100000 abc:3 1110 0 1 defgh:5 Rd:5", "movi <Vd.D>, #<imm64>";
    MVNI_32_asimdimm,     "0 Q:1 1 0111100000 abc:3 0 cm:2 0 0 1 defgh:5 Rd:5", "mvni <Vd.S>, #<imm8>{, <lsl8>}";
    MVNI_16_asimdimm,     "0 Q:1 1 0111100000 abc:3 10 cm:1 0 0 1 defgh:5 Rd:5", "mvni <Vd.H>, #<imm8>{, <lsl8>}";
    MVNI_msl_asimdimm,    "0 Q:1 1 0111100000 abc:3 110 cm:1 0 1 defgh:5 Rd:5", "mvni <Vd.S>, #<imm8>, <msl>";
    ORR_32_asimdimm,      "0 Q:1 0 0111100000 abc:3 0 cm:2 1 0 1 defgh:5 Rd:5", "orr <Vd.S>, #<imm8>{, <lsl8>}";
    ORR_16_asimdimm,      "0 Q:1 0 0111100000 abc:3 10 cm:1 1 0 1 defgh:5 Rd:5", "orr <Vd.H>, #<imm8>{, <lsl8>}";
    BIC_32_asimdimm,      "0 Q:1 1 0111100000 abc:3 0 cm:2 1 0 1 defgh:5 Rd:5", "bic <Vd.S>, #<imm8>{, <lsl8>}";
    BIC_16_asimdimm,      "0 Q:1 1 0111100000 abc:3 10 cm:1 1 0 1 defgh:5 Rd:5", "bic <Vd.H>, #<imm8>{, <lsl8>}";
    FMOV_single_asimdimm, "0 Q:1 0 0111100000 abc:3 1111 0 1 defgh:5 Rd:5", "fmov <Vd.S>, #<vfimm>";
    FMOV_double_asimdimm, "0 1 1 0111100000 abc:3 1111 0 1 defgh:5 Rd:5", "fmov <Vd.D>, #<vfimm>";
    FMOV_half_asimdimm,   "0 Q:1 0 0111100000 abc:3 1111 1 1 defgh:5 Rd:5", "fmov <Vd.H>, #<vfimm>", FEAT_FP16;
}

class asimdshf {
    SSHR_asimdshf,     "0 Q:1 0 011110 immh:4 immb:3 00000 1 Rn:5 Rd:5", "sshr <Vd.Th>, <Vn.Th>, #<rshift>", "immh!=0, immh=0b1xxx -> Q=1";
    USHR_asimdshf,     "0 Q:1 1 011110 immh:4 immb:3 00000 1 Rn:5 Rd:5", "ushr <Vd.Th>, <Vn.Th>, #<rshift>", "immh!=0, immh=0b1xxx -> Q=1";
    SSRA_asimdshf,     "0 Q:1 0 011110 immh:4 immb:3 00010 1 Rn:5 Rd:5", "ssra <Vd.Th>, <Vn.Th>, #<rshift>", "immh!=0, immh=0b1xxx -> Q=1";
    USRA_asimdshf,     "0 Q:1 1 011110 immh:4 immb:3 00010 1 Rn:5 Rd:5", "usra <Vd.Th>, <Vn.Th>, #<rshift>", "immh!=0, immh=0b1xxx -> Q=1";
    SRSHR_asimdshf,    "0 Q:1 0 011110 immh:4 immb:3 00100 1 Rn:5 Rd:5", "srshr <Vd.Th>, <Vn.Th>, #<rshift>", "immh!=0, immh=0b1xxx -> Q=1";
    URSHR_asimdshf,    "0 Q:1 1 011110 immh:4 immb:3 00100 1 Rn:5 Rd:5", "urshr <Vd.Th>, <Vn.Th>, #<rshift>", "immh!=0, immh=0b1xxx -> Q=1";
    SRSRA_asimdshf,    "0 Q:1 0 011110 immh:4 immb:3 00110 1 Rn:5 Rd:5", "srsra <Vd.Th>, <Vn.Th>, #<rshift>", "immh!=0, immh=0b1xxx -> Q=1";
    URSRA_asimdshf,    "0 Q:1 1 011110 immh:4 immb:3 00110 1 Rn:5 Rd:5", "ursra <Vd.Th>, <Vn.Th>, #<rshift>", "immh!=0, immh=0b1xxx -> Q=1";
    SRI_asimdshf,      "0 Q:1 1 011110 immh:4 immb:3 01000 1 Rn:5 Rd:5", "sri <Vd.Th>, <Vn.Th>, #<rshift>", "immh!=0, immh=0b1xxx -> Q=1";
    SHL_asimdshf,      "0 Q:1 0 011110 immh:4 immb:3 01010 1 Rn:5 Rd:5", "shl <Vd.Th>, <Vn.Th>, #<lshift>", "immh!=0, immh=0b1xxx -> Q=1";
    SLI_asimdshf,      "0 Q:1 1 011110 immh:4 immb:3 01010 1 Rn:5 Rd:5", "sli <Vd.Th>, <Vn.Th>, #<lshift>", "immh!=0, immh=0b1xxx -> Q=1";
    SQSHLU_asimdshf,   "0 Q:1 1 011110 immh:4 immb:3 01100 1 Rn:5 Rd:5", "sqshlu <Vd.Th>, <Vn.Th>, #<lshift>", "immh!=0, immh=0b1xxx -> Q=1";
    SQSHL_asimdshf,    "0 Q:1 0 011110 immh:4 immb:3 01110 1 Rn:5 Rd:5", "sqshl <Vd.Th>, <Vn.Th>, #<lshift>", "immh!=0, immh=0b1xxx -> Q=1";
    UQSHL_asimdshf,    "0 Q:1 1 011110 immh:4 immb:3 01110 1 Rn:5 Rd:5", "uqshl <Vd.Th>, <Vn.Th>, #<lshift>", "immh!=0, immh=0b1xxx -> Q=1";
    SHRN_asimdshf,     "0 Q:1 0 011110 immh:4 immb:3 10000 1 Rn:5 Rd:5", "shrn<2> <Vd.Th>, <Vn.Tha>, #<rshift>", "immh!=0, immh<8";
    RSHRN_asimdshf,    "0 Q:1 0 011110 immh:4 immb:3 10001 1 Rn:5 Rd:5", "rshrn<2> <Vd.Th>, <Vn.Tha>, #<rshift>", "immh!=0, immh<8";
    SQSHRN_asimdshf,   "0 Q:1 0 011110 immh:4 immb:3 10010 1 Rn:5 Rd:5", "sqshrn<2> <Vd.Th>, <Vn.Tha>, #<rshift>", "immh!=0, immh<8";
    SQRSHRN_asimdshf,  "0 Q:1 0 011110 immh:4 immb:3 10011 1 Rn:5 Rd:5", "sqrshrn<2> <Vd.Th>, <Vn.Tha>, #<rshift>", "immh!=0, immh<8";
    SQSHRUN_asimdshf,  "0 Q:1 1 011110 immh:4 immb:3 10000 1 Rn:5 Rd:5", "sqshrun<2> <Vd.Th>, <Vn.Tha>, #<rshift>", "immh!=0, immh<8";
    SQRSHRUN_asimdshf, "0 Q:1 1 011110 immh:4 immb:3 10001 1 Rn:5 Rd:5", "sqrshrun<2> <Vd.Th>, <Vn.Tha>, #<rshift>", "immh!=0, immh<8";
    UQSHRN_asimdshf,   "0 Q:1 1 011110 immh:4 immb:3 10010 1 Rn:5 Rd:5", "uqshrn<2> <Vd.Th>, <Vn.Tha>, #<rshift>", "immh!=0, immh<8";
    UQRSHRN_asimdshf,  "0 Q:1 1 011110 immh:4 immb:3 10011 1 Rn:5 Rd:5", "uqrshrn<2> <Vd.Th>, <Vn.Tha>, #<rshift>", "immh!=0, immh<8";
    SSHLL_asimdshf,    "0 Q:1 0 011110 immh:4 immb:3 10100 1 Rn:5 Rd:5", "sshll<2> <Vd.Tha>, <Vn.Th>, #<lshift>", "immh!=0, immh<8";
    USHLL_asimdshf,    "0 Q:1 1 011110 immh:4 immb:3 10100 1 Rn:5 Rd:5", "ushll<2> <Vd.Tha>, <Vn.Th>, #<lshift>", "immh!=0, immh<8";
    SCVTF_asimdshf,    "0 Q:1 0 011110 immh:4 immb:3 11100 1 Rn:5 Rd:5", "scvtf <Vd.Th>, <Vn.Th>, #<rshift>", "immh>=2, immh=0b1xxx -> Q=1", FEAT_FP16 if immh<4;
    UCVTF_asimdshf,    "0 Q:1 1 011110 immh:4 immb:3 11100 1 Rn:5 Rd:5", "ucvtf <Vd.Th>, <Vn.Th>, #<rshift>", "immh>=2, immh=0b1xxx -> Q=1", FEAT_FP16 if immh<4;
    FCVTZS_asimdshf,   "0 Q:1 0 011110 immh:4 immb:3 11111 1 Rn:5 Rd:5", "fcvtzs <Vd.Th>, <Vn.Th>, #<rshift>", "immh>=2, immh=0b1xxx -> Q=1", FEAT_FP16 if immh<4;
    FCVTZU_asimdshf,   "0 Q:1 1 011110 immh:4 immb:3 11111 1 Rn:5 Rd:5", "fcvtzu <Vd.Th>, <Vn.Th>, #<rshift>", "immh>=2, immh=0b1xxx -> Q=1", FEAT_FP16 if immh<4;
}

class asimdelem {
    MUL_asimdelem,      "0 Q:1 0 01111 size:2 L:1 M:1 Rm:4 1000 H:1 0 Rn:5 Rd:5", "mul <Vd.T>, <Vn.T>, <Vm.elem>", "size=1|2";
    MLA_asimdelem,      "0 Q:1 1 01111 size:2 L:1 M:1 Rm:4 0000 H:1 0 Rn:5 Rd:5", "mla <Vd.T>, <Vn.T>, <Vm.elem>", "size=1|2";
    MLS_asimdelem,      "0 Q:1 1 01111 size:2 L:1 M:1 Rm:4 0100 H:1 0 Rn:5 Rd:5", "mls <Vd.T>, <Vn.T>, <Vm.elem>", "size=1|2";
    SQDMULH_asimdelem,  "0 Q:1 0 01111 size:2 L:1 M:1 Rm:4 1100 H:1 0 Rn:5 Rd:5", "sqdmulh <Vd.T>, <Vn.T>, <Vm.elem>", "size=1|2";
    SQRDMULH_asimdelem, "0 Q:1 0 01111 size:2 L:1 M:1 Rm:4 1101 H:1 0 Rn:5 Rd:5", "sqrdmulh <Vd.T>, <Vn.T>, <Vm.elem>", "size=1|2";
    SMLAL_asimdelem,    "0 Q:1 0 01111 size:2 L:1 M:1 Rm:4 0010 H:1 0 Rn:5 Rd:5", "smlal<2> <Vd.Ta>, <Vn.T>, <Vm.elem>", "size=1|2";
    UMLAL_asimdelem,    "0 Q:1 1 01111 size:2 L:1 M:1 Rm:4 0010 H:1 0 Rn:5 Rd:5", "umlal<2> <Vd.Ta>, <Vn.T>, <Vm.elem>", "size=1|2";
    SMLSL_asimdelem,    "0 Q:1 0 01111 size:2 L:1 M:1 Rm:4 0110 H:1 0 Rn:5 Rd:5", "smlsl<2> <Vd.Ta>, <Vn.T>, <Vm.elem>", "size=1|2";
    UMLSL_asimdelem,    "0 Q:1 1 01111 size:2 L:1 M:1 Rm:4 0110 H:1 0 Rn:5 Rd:5", "umlsl<2> <Vd.Ta>, <Vn.T>, <Vm.elem>", "size=1|2";
    SMULL_asimdelem,    "0 Q:1 0 01111 size:2 L:1 M:1 Rm:4 1010 H:1 0 Rn:5 Rd:5", "smull<2> <Vd.Ta>, <Vn.T>, <Vm.elem>", "size=1|2";
    UMULL_asimdelem,    "0 Q:1 1 01111 size:2 L:1 M:1 Rm:4 1010 H:1 0 Rn:5 Rd:5", "umull<2> <Vd.Ta>, <Vn.T>, <Vm.elem>", "size=1|2";
    SQDMLAL_asimdelem,  "0 Q:1 0 01111 size:2 L:1 M:1 Rm:4 0011 H:1 0 Rn:5 Rd:5", "sqdmlal<2> <Vd.Ta>, <Vn.T>, <Vm.elem>", "size=1|2";
    SQDMLSL_asimdelem,  "0 Q:1 0 01111 size:2 L:1 M:1 Rm:4 0111 H:1 0 Rn:5 Rd:5", "sqdmlsl<2> <Vd.Ta>, <Vn.T>, <Vm.elem>", "size=1|2";
    SQDMULL_asimdelem,  "0 Q:1 0 01111 size:2 L:1 M:1 Rm:4 1011 H:1 0 Rn:5 Rd:5", "sqdmull<2> <Vd.Ta>, <Vn.T>, <Vm.elem>", "size=1|2";
    FMLA_asimdelem,     "0 Q:1 0 01111 1 sz:1 L:1 M:1 Rm:4 0001 H:1 0 Rn:5 Rd:5", "fmla <Vd.F>, <Vn.F>, <Vm.felem>", "sz=1 -> Q=1, sz=1 -> L=0";
    FMLS_asimdelem,     "0 Q:1 0 01111 1 sz:1 L:1 M:1 Rm:4 0101 H:1 0 Rn:5 Rd:5", "fmls <Vd.F>, <Vn.F>, <Vm.felem>", "sz=1 -> Q=1, sz=1 -> L=0";
    FMUL_asimdelem,     "0 Q:1 0 01111 1 sz:1 L:1 M:1 Rm:4 1001 H:1 0 Rn:5 Rd:5", "fmul <Vd.F>, <Vn.F>, <Vm.felem>", "sz=1 -> Q=1, sz=1 -> L=0";
    FMULX_asimdelem,    "0 Q:1 1 01111 1 sz:1 L:1 M:1 Rm:4 1001 H:1 0 Rn:5 Rd:5", "fmulx <Vd.F>, <Vn.F>, <Vm.felem>", "sz=1 -> Q=1, sz=1 -> L=0";
    SQRDMLAH_asimdelem, "0 Q:1 1 01111 size:2 L:1 M:1 Rm:4 1101 H:1 0 Rn:5 Rd:5", "sqrdmlah <Vd.T>, <Vn.T>, <Vm.elem>", "size=1|2", FEAT_RDM;
    SQRDMLSH_asimdelem, "0 Q:1 1 01111 size:2 L:1 M:1 Rm:4 1111 H:1 0 Rn:5 Rd:5", "sqrdmlsh <Vd.T>, <Vn.T>, <Vm.elem>", "size=1|2", FEAT_RDM;
    SDOT_asimdelem,     "0 Q:1 0 01111 10 L:1 M:1 Rm:4 1110 H:1 0 Rn:5 Rd:5", "sdot <Vd.S>, <Vn.B>, <Vm.4b>", FEAT_DotProd;
    UDOT_asimdelem,     "0 Q:1 1 01111 10 L:1 M:1 Rm:4 1110 H:1 0 Rn:5 Rd:5", "udot <Vd.S>, <Vn.B>, <Vm.4b>", FEAT_DotProd;
    SUDOT_asimdelem,    "0 Q:1 0 01111 00 L:1 M:1 Rm:4 1111 H:1 0 Rn:5 Rd:5", "sudot <Vd.S>, <Vn.B>, <Vm.4b>", FEAT_I8MM;
    USDOT_asimdelem,    "0 Q:1 0 01111 10 L:1 M:1 Rm:4 1111 H:1 0 Rn:5 Rd:5", "usdot <Vd.S>, <Vn.B>, <Vm.4b>", FEAT_I8MM;
    BFDOT_asimdelem,    "0 Q:1 0 01111 01 L:1 M:1 Rm:4 1111 H:1 0 Rn:5 Rd:5", "bfdot <Vd.S>, <Vn.H>, <Vm.2h>", FEAT_BF16;
    BFMLAL_asimdelem,   "0 Q:1 0 01111 11 L:1 M:1 Rm:4 1111 H:1 0 Rn:5 Rd:5", "bfmlal<bt> <Vd>.4s, <Vn>.8h, <Vm.helem>", FEAT_BF16;
    FCMLA_asimdelem,    "0 Q:1 1 01111 size:2 L:1 M:1 Rm:4 0 rot:2 1 H:1 0 Rn:5 Rd:5", "fcmla <Vd.T>, <Vn.T>, <Vm.celem>, #<rot>", "size=1|2, size=1 & H=1 -> Q=1, size=2 -> L=0, size=2 -> Q=1", FEAT_FCMA, FEAT_FP16 if size=1;
    FMLA_half_asimdelem,  "0 Q:1 0 01111 00 L:1 M:1 Rm:4 0001 H:1 0 Rn:5 Rd:5", "fmla <Vd.H>, <Vn.H>, <Vm.helem>", FEAT_FP16;
    FMLS_half_asimdelem,  "0 Q:1 0 01111 00 L:1 M:1 Rm:4 0101 H:1 0 Rn:5 Rd:5", "fmls <Vd.H>, <Vn.H>, <Vm.helem>", FEAT_FP16;
    FMUL_half_asimdelem,  "0 Q:1 0 01111 00 L:1 M:1 Rm:4 1001 H:1 0 Rn:5 Rd:5", "fmul <Vd.H>, <Vn.H>, <Vm.helem>", FEAT_FP16;
    FMULX_half_asimdelem, "0 Q:1 1 01111 00 L:1 M:1 Rm:4 1001 H:1 0 Rn:5 Rd:5", "fmulx <Vd.H>, <Vn.H>, <Vm.helem>", FEAT_FP16;
    FMLAL_asimdelem,      "0 Q:1 0 01111 10 L:1 M:1 Rm:4 0000 H:1 0 Rn:5 Rd:5", "fmlal <Vd.S>, <Vn.Xh>, <Vm.helem>", FEAT_FHM;
    FMLSL_asimdelem,      "0 Q:1 0 01111 10 L:1 M:1 Rm:4 0100 H:1 0 Rn:5 Rd:5", "fmlsl <Vd.S>, <Vn.Xh>, <Vm.helem>", FEAT_FHM;
    FMLAL2_asimdelem,     "0 Q:1 1 01111 10 L:1 M:1 Rm:4 1000 H:1 0 Rn:5 Rd:5", "fmlal2 <Vd.S>, <Vn.Xh>, <Vm.helem>", FEAT_FHM;
    FMLSL2_asimdelem,     "0 Q:1 1 01111 10 L:1 M:1 Rm:4 1100 H:1 0 Rn:5 Rd:5", "fmlsl2 <Vd.S>, <Vn.Xh>, <Vm.helem>", FEAT_FHM;
}

class asimdperm {
    UZP1_asimdperm, "0 Q:1 001110 size:2 0 Rm:5 0 001 10 Rn:5 Rd:5", "uzp1 <Vd.T>, <Vn.T>, <Vm.T>", "size=3 -> Q=1";
    TRN1_asimdperm, "0 Q:1 001110 size:2 0 Rm:5 0 010 10 Rn:5 Rd:5", "trn1 <Vd.T>, <Vn.T>, <Vm.T>", "size=3 -> Q=1";
    ZIP1_asimdperm, "0 Q:1 001110 size:2 0 Rm:5 0 011 10 Rn:5 Rd:5", "zip1 <Vd.T>, <Vn.T>, <Vm.T>", "size=3 -> Q=1";
    UZP2_asimdperm, "0 Q:1 001110 size:2 0 Rm:5 0 101 10 Rn:5 Rd:5", "uzp2 <Vd.T>, <Vn.T>, <Vm.T>", "size=3 -> Q=1";
    TRN2_asimdperm, "0 Q:1 001110 size:2 0 Rm:5 0 110 10 Rn:5 Rd:5", "trn2 <Vd.T>, <Vn.T>, <Vm.T>", "size=3 -> Q=1";
    ZIP2_asimdperm, "0 Q:1 001110 size:2 0 Rm:5 0 111 10 Rn:5 Rd:5", "zip2 <Vd.T>, <Vn.T>, <Vm.T>", "size=3 -> Q=1";
}

class asimdext {
    EXT_asimdext, "0 Q:1 101110 00 0 Rm:5 0 imm4:4 0 Rn:5 Rd:5", "ext <Vd.B>, <Vn.B>, <Vm.B>, #<imm4>", "Q=0 -> imm4<8";
}

class asimdtbl {
    TBL_asimdtbl, "0 Q:1 001110 00 0 Rm:5 0 len:2 0 00 Rn:5 Rd:5", "tbl <Vd.B>, <table>, <Vm.B>";
    TBX_asimdtbl, "0 Q:1 001110 00 0 Rm:5 0 len:2 1 00 Rn:5 Rd:5", "tbx <Vd.B>, <table>, <Vm.B>";
}
