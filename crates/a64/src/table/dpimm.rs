// Data processing, immediate.

class pcreladdr {
    ADR_pcreladdr,  "0 immlo:2 10000 immhi:19 Rd:5", "adr <Xd>, <adr>";
    ADRP_pcreladdr, "1 immlo:2 10000 immhi:19 Rd:5", "adrp <Xd>, <adrp>";
}

class addsub_imm {
    ADD_addsub_imm,  "sf:1 00 100010 sh:1 imm12:12 Rn:5 Rd:5", "add <Rd|SP>, <Rn|SP>, #<imm12>{, <sh>}";
    ADDS_addsub_imm, "sf:1 01 100010 sh:1 imm12:12 Rn:5 Rd:5", "adds <Rd>, <Rn|SP>, #<imm12>{, <sh>}";
    SUB_addsub_imm,  "sf:1 10 100010 sh:1 imm12:12 Rn:5 Rd:5", "sub <Rd|SP>, <Rn|SP>, #<imm12>{, <sh>}";
    SUBS_addsub_imm, "sf:1 11 100010 sh:1 imm12:12 Rn:5 Rd:5", "subs <Rd>, <Rn|SP>, #<imm12>{, <sh>}";
}

class addsub_immtags FEAT_MTE {
    ADDG_addsub_immtags, "1 0 0 100011 0 uimm6:6 (00) uimm4:4 Rn:5 Rd:5", "addg <Xd|SP>, <Xn|SP>, #<uimm6.16>, #<uimm4>";
    SUBG_addsub_immtags, "1 1 0 100011 0 uimm6:6 (00) uimm4:4 Rn:5 Rd:5", "subg <Xd|SP>, <Xn|SP>, #<uimm6.16>, #<uimm4>";
}

class log_imm {
    AND_log_imm,  "sf:1 00 100100 N:1 immr:6 imms:6 Rn:5 Rd:5", "and <Rd|SP>, <Rn>, #<bitmask>", "sf=0 -> N=0, N=0 -> imms!=0b11111x, N=0 -> imms!=0b011111|0b101111|0b110111|0b111011|0b111101, N=1 -> imms!=63";
    ORR_log_imm,  "sf:1 01 100100 N:1 immr:6 imms:6 Rn:5 Rd:5", "orr <Rd|SP>, <Rn>, #<bitmask>", "sf=0 -> N=0, N=0 -> imms!=0b11111x, N=0 -> imms!=0b011111|0b101111|0b110111|0b111011|0b111101, N=1 -> imms!=63";
    EOR_log_imm,  "sf:1 10 100100 N:1 immr:6 imms:6 Rn:5 Rd:5", "eor <Rd|SP>, <Rn>, #<bitmask>", "sf=0 -> N=0, N=0 -> imms!=0b11111x, N=0 -> imms!=0b011111|0b101111|0b110111|0b111011|0b111101, N=1 -> imms!=63";
    ANDS_log_imm, "sf:1 11 100100 N:1 immr:6 imms:6 Rn:5 Rd:5", "ands <Rd>, <Rn>, #<bitmask>", "sf=0 -> N=0, N=0 -> imms!=0b11111x, N=0 -> imms!=0b011111|0b101111|0b110111|0b111011|0b111101, N=1 -> imms!=63";
}

class movewide {
    MOVN_movewide, "sf:1 00 100101 hw:2 imm16:16 Rd:5", "movn <Rd>, #<imm16>{, <hw>}", "sf=0 -> hw<2";
    MOVZ_movewide, "sf:1 10 100101 hw:2 imm16:16 Rd:5", "movz <Rd>, #<imm16>{, <hw>}", "sf=0 -> hw<2";
    MOVK_movewide, "sf:1 11 100101 hw:2 imm16:16 Rd:5", "movk <Rd>, #<imm16>{, <hw>}", "sf=0 -> hw<2";
}

class bitfield {
    SBFM_bitfield, "sf:1 00 100110 N:1 immr:6 imms:6 Rn:5 Rd:5", "sbfm <Rd>, <Rn>, #<immr>, #<imms>", "sf=0 -> N=0, sf=1 -> N=1, sf=0 -> immr<32, sf=0 -> imms<32";
    BFM_bitfield,  "sf:1 01 100110 N:1 immr:6 imms:6 Rn:5 Rd:5", "bfm <Rd>, <Rn>, #<immr>, #<imms>", "sf=0 -> N=0, sf=1 -> N=1, sf=0 -> immr<32, sf=0 -> imms<32";
    UBFM_bitfield, "sf:1 10 100110 N:1 immr:6 imms:6 Rn:5 Rd:5", "ubfm <Rd>, <Rn>, #<immr>, #<imms>", "sf=0 -> N=0, sf=1 -> N=1, sf=0 -> immr<32, sf=0 -> imms<32";
}

class extract {
    EXTR_extract, "sf:1 00 100111 N:1 0 Rm:5 imms:6 Rn:5 Rd:5", "extr <Rd>, <Rn>, <Rm>, #<imms>", "sf=0 -> N=0, sf=1 -> N=1, sf=0 -> imms<32";
}
