// Branches, exception generating and system instructions.

class perm_undef {
    UDF_perm_undef, "0000000000000000 imm16:16", "udf #<imm16.0>";
}

class condbranch {
    B_condbranch,  "01010100 imm19:19 0 cond:4", "b.<cond.0> <offset19>";
    BC_condbranch, "01010100 imm19:19 1 cond:4", "bc.<cond.0> <offset19>", FEAT_HBC;
}

class exception {
    SVC_exception,   "11010100 000 imm16:16 000 01", "svc <imm16.hex>";
    HVC_exception,   "11010100 000 imm16:16 000 10", "hvc <imm16.hex>";
    SMC_exception,   "11010100 000 imm16:16 000 11", "smc <imm16.hex>";
    BRK_exception,   "11010100 001 imm16:16 000 00", "brk <imm16.hex>";
    HLT_exception,   "11010100 010 imm16:16 000 00", "hlt <imm16.hex>";
    TCANCEL_exception, "11010100 011 imm16:16 000 00", "tcancel <imm16.hex>", FEAT_TME;
    DCPS1_exception, "11010100 101 imm16:16 000 01", "dcps1{ <imm16.hex>}";
    DCPS2_exception, "11010100 101 imm16:16 000 10", "dcps2{ <imm16.hex>}";
    DCPS3_exception, "11010100 101 imm16:16 000 11", "dcps3{ <imm16.hex>}";
}

// Those of FEAT_PAuth and FEAT_BTI have rows of their own; without the
// extension they are hints like any other.
class hints {
    XPACLRI_hints,   "11010101000000110010 0000 111 11111", "xpaclri", FEAT_PAuth;
    PACIA1716_hints, "11010101000000110010 0001 000 11111", "pacia1716", FEAT_PAuth;
    PACIB1716_hints, "11010101000000110010 0001 010 11111", "pacib1716", FEAT_PAuth;
    AUTIA1716_hints, "11010101000000110010 0001 100 11111", "autia1716", FEAT_PAuth;
    AUTIB1716_hints, "11010101000000110010 0001 110 11111", "autib1716", FEAT_PAuth;
    PACIAZ_hints,    "11010101000000110010 0011 000 11111", "paciaz", FEAT_PAuth;
    PACIASP_hints,   "11010101000000110010 0011 001 11111", "paciasp", FEAT_PAuth;
    PACIBZ_hints,    "11010101000000110010 0011 010 11111", "pacibz", FEAT_PAuth;
    PACIBSP_hints,   "11010101000000110010 0011 011 11111", "pacibsp", FEAT_PAuth;
    AUTIAZ_hints,    "11010101000000110010 0011 100 11111", "autiaz", FEAT_PAuth;
    AUTIASP_hints,   "11010101000000110010 0011 101 11111", "autiasp", FEAT_PAuth;
    AUTIBZ_hints,    "11010101000000110010 0011 110 11111", "autibz", FEAT_PAuth;
    AUTIBSP_hints,   "11010101000000110010 0011 111 11111", "autibsp", FEAT_PAuth;
    BTI_hints,       "11010101000000110010 0100 op2:3 11111", "<hint>", "op2=0bxx0", FEAT_BTI;
    HINT_hints,      "11010101000000110010 CRm:4 op2:3 11111", "<hint>", FEAT_DGH if CRm=0 & op2=6;
}

class barriers {
    TCOMMIT_barriers, "11010101000000110011 0000 011 11111", "tcommit", FEAT_TME;
    CLREX_barriers, "11010101000000110011 CRm:4 010 11111", "clrex{ <clrex>}";
    DSB_barriers,   "11010101000000110011 CRm:4 100 11111", "dsb <barrier>";
    DSB_nxs_barriers, "11010101000000110011 imm2:2 10 001 11111", "dsb <barrier.nxs>nxs", FEAT_XS;
    DMB_barriers,   "11010101000000110011 CRm:4 101 11111", "dmb <barrier>";
    ISB_barriers,   "11010101000000110011 CRm:4 110 11111", "isb{ <isb>}";
    SB_barriers,    "11010101000000110011 0000 111 11111", "sb", FEAT_SB;
}

class systeminstrswithreg FEAT_WFxT {
    WFET_systeminstrswithreg, "11010101000000110001 0000 000 Rd:5", "wfet <Xd>";
    WFIT_systeminstrswithreg, "11010101000000110001 0000 001 Rd:5", "wfit <Xd>";
}

class pstate {
    CFINV_pstate,  "1101010100000 000 0100 0000 000 11111", "cfinv", FEAT_FlagM;
    XAFLAG_pstate, "1101010100000 000 0100 (0000) 001 11111", "xaflag", FEAT_FlagM2;
    AXFLAG_pstate, "1101010100000 000 0100 (0000) 010 11111", "axflag", FEAT_FlagM2;
    MSR_pstate,    "1101010100000 op1:3 0100 CRm:4 op2:3 11111", "<pstate>", FEAT_SSBS2 if op1=3 & op2=1, FEAT_DIT if op1=3 & op2=2;
}

class systemresult FEAT_TME {
    TSTART_systemresult, "1101010100100 011 0011 0000 011 Rt:5", "tstart <Xt>";
    TTEST_systemresult,  "1101010100100 011 0011 0001 011 Rt:5", "ttest <Xt>";
}

class systeminstrs {
    SYS_systeminstrs,  "1101010100001 op1:3 CRn:4 CRm:4 op2:3 Rt:5", "sys <sysop>{, <Xt.opt>}", FEAT_DPB if op1=3 & CRn=7 & CRm=12 & op2=1, FEAT_DPB2 if op1=3 & CRn=7 & CRm=13 & op2=1;
    SYSL_systeminstrs, "1101010100101 op1:3 CRn:4 CRm:4 op2:3 Rt:5", "sysl <Xt>, <sysop>";
}

class systemmove {
    MSR_systemmove, "110101010001 o0:1 op1:3 CRn:4 CRm:4 op2:3 Rt:5", "msr <sysreg.w>, <Xt>", FEAT_DIT if o0=1 & op1=3 & CRn=4 & CRm=2 & op2=5, FEAT_SSBS2 if o0=1 & op1=3 & CRn=4 & CRm=2 & op2=6;
    MRS_systemmove, "110101010011 o0:1 op1:3 CRn:4 CRm:4 op2:3 Rt:5", "mrs <Xt>, <sysreg.r>", FEAT_RNG if o0=1 & op1=3 & CRn=2 & CRm=4 & op2<2, FEAT_DIT if o0=1 & op1=3 & CRn=4 & CRm=2 & op2=5, FEAT_SSBS2 if o0=1 & op1=3 & CRn=4 & CRm=2 & op2=6, FEAT_ECV if o0=1 & op1=3 & CRn=14 & CRm=0 & op2=6;
}

class branch_reg {
    BR_branch_reg,   "1101011 0000 11111 000000 Rn:5 00000", "br <Xn>";
    BLR_branch_reg,  "1101011 0001 11111 000000 Rn:5 00000", "blr <Xn>";
    RET_branch_reg,  "1101011 0010 11111 000000 Rn:5 00000", "ret{ <Xn.lr>}";
    ERET_branch_reg, "1101011 0100 11111 000000 11111 00000", "eret";
    BRAA_branch_reg,    "1101011 1000 11111 000010 Rn:5 Rm:5", "braa <Xn>, <Xm0|SP>", FEAT_PAuth;
    BRAB_branch_reg,    "1101011 1000 11111 000011 Rn:5 Rm:5", "brab <Xn>, <Xm0|SP>", FEAT_PAuth;
    BLRAA_branch_reg,   "1101011 1001 11111 000010 Rn:5 Rm:5", "blraa <Xn>, <Xm0|SP>", FEAT_PAuth;
    BLRAB_branch_reg,   "1101011 1001 11111 000011 Rn:5 Rm:5", "blrab <Xn>, <Xm0|SP>", FEAT_PAuth;
    BRAAZ_branch_reg,   "1101011 0000 11111 000010 Rn:5 11111", "braaz <Xn>", FEAT_PAuth;
    BRABZ_branch_reg,   "1101011 0000 11111 000011 Rn:5 11111", "brabz <Xn>", FEAT_PAuth;
    BLRAAZ_branch_reg,  "1101011 0001 11111 000010 Rn:5 11111", "blraaz <Xn>", FEAT_PAuth;
    BLRABZ_branch_reg,  "1101011 0001 11111 000011 Rn:5 11111", "blrabz <Xn>", FEAT_PAuth;
    RETAA_branch_reg,   "1101011 0010 11111 000010 11111 11111", "retaa", FEAT_PAuth;
    RETAB_branch_reg,   "1101011 0010 11111 000011 11111 11111", "retab", FEAT_PAuth;
    ERETAA_branch_reg,  "1101011 0100 11111 000010 11111 11111", "eretaa";
    ERETAB_branch_reg,  "1101011 0100 11111 000011 11111 11111", "eretab";
    DRPS_branch_reg, "1101011 0101 11111 000000 11111 00000", "drps";
}

class branch_imm {
    B_branch_imm,  "0 00101 imm26:26", "b <offset26>";
    BL_branch_imm, "1 00101 imm26:26", "bl <offset26>";
}

class compbranch {
    CBZ_compbranch,  "sf:1 011010 0 imm19:19 Rt:5", "cbz <Rt>, <offset19>";
    CBNZ_compbranch, "sf:1 011010 1 imm19:19 Rt:5", "cbnz <Rt>, <offset19>";
}

class testbranch {
    TBZ_testbranch,  "b5:1 011011 0 b40:5 imm14:14 Rt:5", "tbz <Rt>, #<bit>, <offset14>";
    TBNZ_testbranch, "b5:1 011011 1 b40:5 imm14:14 Rt:5", "tbnz <Rt>, #<bit>, <offset14>";
}
