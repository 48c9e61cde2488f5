// Data processing, register.

class dp_2src {
    SUBP_dp_2src,   "1 0 0 11010110 Rm:5 000000 Rn:5 Rd:5", "subp <Xd>, <Xn|SP>, <Xm|SP>", FEAT_MTE;
    SUBPS_dp_2src,  "1 0 1 11010110 Rm:5 000000 Rn:5 Rd:5", "subps <Xd>, <Xn|SP>, <Xm|SP>", FEAT_MTE;
    IRG_dp_2src,    "1 0 0 11010110 Rm:5 000100 Rn:5 Rd:5", "irg <Xd|SP>, <Xn|SP>{, <Xm.zr>}", FEAT_MTE;
    GMI_dp_2src,    "1 0 0 11010110 Rm:5 000101 Rn:5 Rd:5", "gmi <Xd>, <Xn|SP>, <Xm>", FEAT_MTE;
    UDIV_dp_2src,   "sf:1 0 0 11010110 Rm:5 000010 Rn:5 Rd:5", "udiv <Rd>, <Rn>, <Rm>";
    SDIV_dp_2src,   "sf:1 0 0 11010110 Rm:5 000011 Rn:5 Rd:5", "sdiv <Rd>, <Rn>, <Rm>";
    LSLV_dp_2src,   "sf:1 0 0 11010110 Rm:5 001000 Rn:5 Rd:5", "lsl <Rd>, <Rn>, <Rm>";
    LSRV_dp_2src,   "sf:1 0 0 11010110 Rm:5 001001 Rn:5 Rd:5", "lsr <Rd>, <Rn>, <Rm>";
    ASRV_dp_2src,   "sf:1 0 0 11010110 Rm:5 001010 Rn:5 Rd:5", "asr <Rd>, <Rn>, <Rm>";
    RORV_dp_2src,   "sf:1 0 0 11010110 Rm:5 001011 Rn:5 Rd:5", "ror <Rd>, <Rn>, <Rm>";
    CRC32_dp_2src,  "sf:1 0 0 11010110 Rm:5 0100 sz:2 Rn:5 Rd:5", "crc32<crc> <Wd>, <Wn>, <Rm>", "sf=1 -> sz=3, sf=0 -> sz<3", FEAT_CRC32;
    CRC32C_dp_2src, "sf:1 0 0 11010110 Rm:5 0101 sz:2 Rn:5 Rd:5", "crc32c<crc> <Wd>, <Wn>, <Rm>", "sf=1 -> sz=3, sf=0 -> sz<3", FEAT_CRC32;
    PACGA_dp_2src,  "1 0 0 11010110 Rm:5 001100 Rn:5 Rd:5", "pacga <Xd>, <Xn>, <Xm|SP>", FEAT_PAuth;
}

class dp_1src {
    RBIT_dp_1src,   "sf:1 1 0 11010110 00000 000000 Rn:5 Rd:5", "rbit <Rd>, <Rn>";
    REV16_dp_1src,  "sf:1 1 0 11010110 00000 000001 Rn:5 Rd:5", "rev16 <Rd>, <Rn>";
    REV_32_dp_1src, "0 1 0 11010110 00000 000010 Rn:5 Rd:5", "rev <Wd>, <Wn>";
    REV32_dp_1src,  "1 1 0 11010110 00000 000010 Rn:5 Rd:5", "rev32 <Xd>, <Xn>";
    REV_64_dp_1src, "1 1 0 11010110 00000 000011 Rn:5 Rd:5", "rev <Xd>, <Xn>";
    CLZ_dp_1src,    "sf:1 1 0 11010110 00000 000100 Rn:5 Rd:5", "clz <Rd>, <Rn>";
    CLS_dp_1src,    "sf:1 1 0 11010110 00000 000101 Rn:5 Rd:5", "cls <Rd>, <Rn>";
    PACIA_dp_1src,  "1 1 0 11010110 00001 000000 Rn:5 Rd:5", "pacia <Xd>, <Xn|SP>", FEAT_PAuth;
    PACIB_dp_1src,  "1 1 0 11010110 00001 000001 Rn:5 Rd:5", "pacib <Xd>, <Xn|SP>", FEAT_PAuth;
    PACDA_dp_1src,  "1 1 0 11010110 00001 000010 Rn:5 Rd:5", "pacda <Xd>, <Xn|SP>", FEAT_PAuth;
    PACDB_dp_1src,  "1 1 0 11010110 00001 000011 Rn:5 Rd:5", "pacdb <Xd>, <Xn|SP>", FEAT_PAuth;
    AUTIA_dp_1src,  "1 1 0 11010110 00001 000100 Rn:5 Rd:5", "autia <Xd>, <Xn|SP>", FEAT_PAuth;
    AUTIB_dp_1src,  "1 1 0 11010110 00001 000101 Rn:5 Rd:5", "autib <Xd>, <Xn|SP>", FEAT_PAuth;
    AUTDA_dp_1src,  "1 1 0 11010110 00001 000110 Rn:5 Rd:5", "autda <Xd>, <Xn|SP>", FEAT_PAuth;
    AUTDB_dp_1src,  "1 1 0 11010110 00001 000111 Rn:5 Rd:5", "autdb <Xd>, <Xn|SP>", FEAT_PAuth;
    PACIZA_dp_1src, "1 1 0 11010110 00001 001000 11111 Rd:5", "paciza <Xd>", FEAT_PAuth;
    PACIZB_dp_1src, "1 1 0 11010110 00001 001001 11111 Rd:5", "pacizb <Xd>", FEAT_PAuth;
    PACDZA_dp_1src, "1 1 0 11010110 00001 001010 11111 Rd:5", "pacdza <Xd>", FEAT_PAuth;
    PACDZB_dp_1src, "1 1 0 11010110 00001 001011 11111 Rd:5", "pacdzb <Xd>", FEAT_PAuth;
    AUTIZA_dp_1src, "1 1 0 11010110 00001 001100 11111 Rd:5", "autiza <Xd>", FEAT_PAuth;
    AUTIZB_dp_1src, "1 1 0 11010110 00001 001101 11111 Rd:5", "autizb <Xd>", FEAT_PAuth;
    AUTDZA_dp_1src, "1 1 0 11010110 00001 001110 11111 Rd:5", "autdza <Xd>", FEAT_PAuth;
    AUTDZB_dp_1src, "1 1 0 11010110 00001 001111 11111 Rd:5", "autdzb <Xd>", FEAT_PAuth;
    XPACI_dp_1src,  "1 1 0 11010110 00001 010000 11111 Rd:5", "xpaci <Xd>", FEAT_PAuth;
    XPACD_dp_1src,  "1 1 0 11010110 00001 010001 11111 Rd:5", "xpacd <Xd>", FEAT_PAuth;
}

class log_shift {
    AND_log_shift,  "sf:1 00 01010 shift:2 0 Rm:5 imm6:6 Rn:5 Rd:5", "and <Rd>, <Rn>, <Rm>{, <shift>}", "sf=0 -> imm6<32";
    BIC_log_shift,  "sf:1 00 01010 shift:2 1 Rm:5 imm6:6 Rn:5 Rd:5", "bic <Rd>, <Rn>, <Rm>{, <shift>}", "sf=0 -> imm6<32";
    ORR_log_shift,  "sf:1 01 01010 shift:2 0 Rm:5 imm6:6 Rn:5 Rd:5", "orr <Rd>, <Rn>, <Rm>{, <shift>}", "sf=0 -> imm6<32";
    ORN_log_shift,  "sf:1 01 01010 shift:2 1 Rm:5 imm6:6 Rn:5 Rd:5", "orn <Rd>, <Rn>, <Rm>{, <shift>}", "sf=0 -> imm6<32";
    EOR_log_shift,  "sf:1 10 01010 shift:2 0 Rm:5 imm6:6 Rn:5 Rd:5", "eor <Rd>, <Rn>, <Rm>{, <shift>}", "sf=0 -> imm6<32";
    EON_log_shift,  "sf:1 10 01010 shift:2 1 Rm:5 imm6:6 Rn:5 Rd:5", "eon <Rd>, <Rn>, <Rm>{, <shift>}", "sf=0 -> imm6<32";
    ANDS_log_shift, "sf:1 11 01010 shift:2 0 Rm:5 imm6:6 Rn:5 Rd:5", "ands <Rd>, <Rn>, <Rm>{, <shift>}", "sf=0 -> imm6<32";
    BICS_log_shift, "sf:1 11 01010 shift:2 1 Rm:5 imm6:6 Rn:5 Rd:5", "bics <Rd>, <Rn>, <Rm>{, <shift>}", "sf=0 -> imm6<32";
}

class addsub_shift {
    ADD_addsub_shift,  "sf:1 00 01011 shift:2 0 Rm:5 imm6:6 Rn:5 Rd:5", "add <Rd>, <Rn>, <Rm>{, <shift>}", "shift!=3, sf=0 -> imm6<32";
    ADDS_addsub_shift, "sf:1 01 01011 shift:2 0 Rm:5 imm6:6 Rn:5 Rd:5", "adds <Rd>, <Rn>, <Rm>{, <shift>}", "shift!=3, sf=0 -> imm6<32";
    SUB_addsub_shift,  "sf:1 10 01011 shift:2 0 Rm:5 imm6:6 Rn:5 Rd:5", "sub <Rd>, <Rn>, <Rm>{, <shift>}", "shift!=3, sf=0 -> imm6<32";
    SUBS_addsub_shift, "sf:1 11 01011 shift:2 0 Rm:5 imm6:6 Rn:5 Rd:5", "subs <Rd>, <Rn>, <Rm>{, <shift>}", "shift!=3, sf=0 -> imm6<32";
}

class addsub_ext {
    ADD_addsub_ext,  "sf:1 00 01011 00 1 Rm:5 option:3 imm3:3 Rn:5 Rd:5", "add <Rd|SP>, <Rn|SP>, <Rm.ext>{, <ext>}", "imm3<5";
    ADDS_addsub_ext, "sf:1 01 01011 00 1 Rm:5 option:3 imm3:3 Rn:5 Rd:5", "adds <Rd>, <Rn|SP>, <Rm.ext>{, <ext>}", "imm3<5";
    SUB_addsub_ext,  "sf:1 10 01011 00 1 Rm:5 option:3 imm3:3 Rn:5 Rd:5", "sub <Rd|SP>, <Rn|SP>, <Rm.ext>{, <ext>}", "imm3<5";
    SUBS_addsub_ext, "sf:1 11 01011 00 1 Rm:5 option:3 imm3:3 Rn:5 Rd:5", "subs <Rd>, <Rn|SP>, <Rm.ext>{, <ext>}", "imm3<5";
}

class addsub_carry {
    ADC_addsub_carry,  "sf:1 00 11010000 Rm:5 000000 Rn:5 Rd:5", "adc <Rd>, <Rn>, <Rm>";
    ADCS_addsub_carry, "sf:1 01 11010000 Rm:5 000000 Rn:5 Rd:5", "adcs <Rd>, <Rn>, <Rm>";
    SBC_addsub_carry,  "sf:1 10 11010000 Rm:5 000000 Rn:5 Rd:5", "sbc <Rd>, <Rn>, <Rm>";
    SBCS_addsub_carry, "sf:1 11 11010000 Rm:5 000000 Rn:5 Rd:5", "sbcs <Rd>, <Rn>, <Rm>";
}

class rmif FEAT_FlagM {
    RMIF_rmif, "1 0 1 11010000 imm6:6 00001 Rn:5 0 mask:4", "rmif <Xn>, #<imm6.15>, #<mask>";
}

class setf FEAT_FlagM {
    SETF8_setf,  "0 0 1 11010000 000000 0 0010 Rn:5 0 1101", "setf8 <Wn>";
    SETF16_setf, "0 0 1 11010000 000000 1 0010 Rn:5 0 1101", "setf16 <Wn>";
}

class condcmp_reg {
    CCMN_condcmp_reg, "sf:1 01 11010010 Rm:5 cond:4 0 0 Rn:5 0 nzcv:4", "ccmn <Rn>, <Rm>, #<nzcv>, <cond>";
    CCMP_condcmp_reg, "sf:1 11 11010010 Rm:5 cond:4 0 0 Rn:5 0 nzcv:4", "ccmp <Rn>, <Rm>, #<nzcv>, <cond>";
}

class condcmp_imm {
    CCMN_condcmp_imm, "sf:1 01 11010010 imm5:5 cond:4 1 0 Rn:5 0 nzcv:4", "ccmn <Rn>, #<imm5>, #<nzcv>, <cond>";
    CCMP_condcmp_imm, "sf:1 11 11010010 imm5:5 cond:4 1 0 Rn:5 0 nzcv:4", "ccmp <Rn>, #<imm5>, #<nzcv>, <cond>";
}

class condsel {
    CSEL_condsel,  "sf:1 00 11010100 Rm:5 cond:4 00 Rn:5 Rd:5", "csel <Rd>, <Rn>, <Rm>, <cond>";
    CSINC_condsel, "sf:1 00 11010100 Rm:5 cond:4 01 Rn:5 Rd:5", "csinc <Rd>, <Rn>, <Rm>, <cond>";
    CSINV_condsel, "sf:1 10 11010100 Rm:5 cond:4 00 Rn:5 Rd:5", "csinv <Rd>, <Rn>, <Rm>, <cond>";
    CSNEG_condsel, "sf:1 10 11010100 Rm:5 cond:4 01 Rn:5 Rd:5", "csneg <Rd>, <Rn>, <Rm>, <cond>";
}

class dp_3src {
    MADD_dp_3src,   "sf:1 00 11011 000 Rm:5 0 Ra:5 Rn:5 Rd:5", "madd <Rd>, <Rn>, <Rm>, <Ra>";
    MSUB_dp_3src,   "sf:1 00 11011 000 Rm:5 1 Ra:5 Rn:5 Rd:5", "msub <Rd>, <Rn>, <Rm>, <Ra>";
    SMADDL_dp_3src, "1 00 11011 001 Rm:5 0 Ra:5 Rn:5 Rd:5", "smaddl <Xd>, <Wn>, <Wm>, <Xa>";
    SMSUBL_dp_3src, "1 00 11011 001 Rm:5 1 Ra:5 Rn:5 Rd:5", "smsubl <Xd>, <Wn>, <Wm>, <Xa>";
    SMULH_dp_3src,  "1 00 11011 010 Rm:5 0 (11111) Rn:5 Rd:5", "smulh <Xd>, <Xn>, <Xm>";
    UMADDL_dp_3src, "1 00 11011 101 Rm:5 0 Ra:5 Rn:5 Rd:5", "umaddl <Xd>, <Wn>, <Wm>, <Xa>";
    UMSUBL_dp_3src, "1 00 11011 101 Rm:5 1 Ra:5 Rn:5 Rd:5", "umsubl <Xd>, <Wn>, <Wm>, <Xa>";
    UMULH_dp_3src,  "1 00 11011 110 Rm:5 0 (11111) Rn:5 Rd:5", "umulh <Xd>, <Xn>, <Xm>";
}
