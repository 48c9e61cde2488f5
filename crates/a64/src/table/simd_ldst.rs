// Loads and stores of Advanced SIMD structures. The number of registers of `LD1`
// and `ST1` is in `opcode`.

class asisdlse {
    LD1_asisdlse, "0 Q:1 0011000 1 0 00000 opcode:4 size:2 Rn:5 Rt:5", "ld1 <list>, [<Xn|SP>]", "opcode=2|6|7|10";
    LD2_asisdlse, "0 Q:1 0011000 1 0 00000 1000 size:2 Rn:5 Rt:5", "ld2 <list>, [<Xn|SP>]", "size=3 -> Q=1";
    LD3_asisdlse, "0 Q:1 0011000 1 0 00000 0100 size:2 Rn:5 Rt:5", "ld3 <list>, [<Xn|SP>]", "size=3 -> Q=1";
    LD4_asisdlse, "0 Q:1 0011000 1 0 00000 0000 size:2 Rn:5 Rt:5", "ld4 <list>, [<Xn|SP>]", "size=3 -> Q=1";
    ST1_asisdlse, "0 Q:1 0011000 0 0 00000 opcode:4 size:2 Rn:5 Rt:5", "st1 <list>, [<Xn|SP>]", "opcode=2|6|7|10";
    ST2_asisdlse, "0 Q:1 0011000 0 0 00000 1000 size:2 Rn:5 Rt:5", "st2 <list>, [<Xn|SP>]", "size=3 -> Q=1";
    ST3_asisdlse, "0 Q:1 0011000 0 0 00000 0100 size:2 Rn:5 Rt:5", "st3 <list>, [<Xn|SP>]", "size=3 -> Q=1";
    ST4_asisdlse, "0 Q:1 0011000 0 0 00000 0000 size:2 Rn:5 Rt:5", "st4 <list>, [<Xn|SP>]", "size=3 -> Q=1";
}

class asisdlsep {
    LD1_asisdlsep, "0 Q:1 0011001 1 0 Rm:5 opcode:4 size:2 Rn:5 Rt:5", "ld1 <list>, [<Xn|SP>], <post>", "opcode=2|6|7|10";
    LD2_asisdlsep, "0 Q:1 0011001 1 0 Rm:5 1000 size:2 Rn:5 Rt:5", "ld2 <list>, [<Xn|SP>], <post>", "size=3 -> Q=1";
    LD3_asisdlsep, "0 Q:1 0011001 1 0 Rm:5 0100 size:2 Rn:5 Rt:5", "ld3 <list>, [<Xn|SP>], <post>", "size=3 -> Q=1";
    LD4_asisdlsep, "0 Q:1 0011001 1 0 Rm:5 0000 size:2 Rn:5 Rt:5", "ld4 <list>, [<Xn|SP>], <post>", "size=3 -> Q=1";
    ST1_asisdlsep, "0 Q:1 0011001 0 0 Rm:5 opcode:4 size:2 Rn:5 Rt:5", "st1 <list>, [<Xn|SP>], <post>", "opcode=2|6|7|10";
    ST2_asisdlsep, "0 Q:1 0011001 0 0 Rm:5 1000 size:2 Rn:5 Rt:5", "st2 <list>, [<Xn|SP>], <post>", "size=3 -> Q=1";
    ST3_asisdlsep, "0 Q:1 0011001 0 0 Rm:5 0100 size:2 Rn:5 Rt:5", "st3 <list>, [<Xn|SP>], <post>", "size=3 -> Q=1";
    ST4_asisdlsep, "0 Q:1 0011001 0 0 Rm:5 0000 size:2 Rn:5 Rt:5", "st4 <list>, [<Xn|SP>], <post>", "size=3 -> Q=1";
}

class asisdlso {
    LD1_asisdlso,  "0 Q:1 0011010 1 0 00000 opcode:2 0 S:1 size:2 Rn:5 Rt:5", "ld1 <lane>, [<Xn|SP>]", "opcode!=3, opcode=1 -> size=0|2, opcode=2 -> size<2, opcode=2 & size=1 -> S=0";
    LD2_asisdlso,  "0 Q:1 0011010 1 1 00000 opcode:2 0 S:1 size:2 Rn:5 Rt:5", "ld2 <lane>, [<Xn|SP>]", "opcode!=3, opcode=1 -> size=0|2, opcode=2 -> size<2, opcode=2 & size=1 -> S=0";
    LD3_asisdlso,  "0 Q:1 0011010 1 0 00000 opcode:2 1 S:1 size:2 Rn:5 Rt:5", "ld3 <lane>, [<Xn|SP>]", "opcode!=3, opcode=1 -> size=0|2, opcode=2 -> size<2, opcode=2 & size=1 -> S=0";
    LD4_asisdlso,  "0 Q:1 0011010 1 1 00000 opcode:2 1 S:1 size:2 Rn:5 Rt:5", "ld4 <lane>, [<Xn|SP>]", "opcode!=3, opcode=1 -> size=0|2, opcode=2 -> size<2, opcode=2 & size=1 -> S=0";
    ST1_asisdlso,  "0 Q:1 0011010 0 0 00000 opcode:2 0 S:1 size:2 Rn:5 Rt:5", "st1 <lane>, [<Xn|SP>]", "opcode!=3, opcode=1 -> size=0|2, opcode=2 -> size<2, opcode=2 & size=1 -> S=0";
    ST2_asisdlso,  "0 Q:1 0011010 0 1 00000 opcode:2 0 S:1 size:2 Rn:5 Rt:5", "st2 <lane>, [<Xn|SP>]", "opcode!=3, opcode=1 -> size=0|2, opcode=2 -> size<2, opcode=2 & size=1 -> S=0";
    ST3_asisdlso,  "0 Q:1 0011010 0 0 00000 opcode:2 1 S:1 size:2 Rn:5 Rt:5", "st3 <lane>, [<Xn|SP>]", "opcode!=3, opcode=1 -> size=0|2, opcode=2 -> size<2, opcode=2 & size=1 -> S=0";
    ST4_asisdlso,  "0 Q:1 0011010 0 1 00000 opcode:2 1 S:1 size:2 Rn:5 Rt:5", "st4 <lane>, [<Xn|SP>]", "opcode!=3, opcode=1 -> size=0|2, opcode=2 -> size<2, opcode=2 & size=1 -> S=0";
    LD1R_asisdlso, "0 Q:1 0011010 1 0 00000 11 0 0 size:2 Rn:5 Rt:5", "ld1r <list>, [<Xn|SP>]";
    LD2R_asisdlso, "0 Q:1 0011010 1 1 00000 11 0 0 size:2 Rn:5 Rt:5", "ld2r <list>, [<Xn|SP>]";
    LD3R_asisdlso, "0 Q:1 0011010 1 0 00000 11 1 0 size:2 Rn:5 Rt:5", "ld3r <list>, [<Xn|SP>]";
    LD4R_asisdlso, "0 Q:1 0011010 1 1 00000 11 1 0 size:2 Rn:5 Rt:5", "ld4r <list>, [<Xn|SP>]";
}

class asisdlsop {
    LD1_asisdlsop,  "0 Q:1 0011011 1 0 Rm:5 opcode:2 0 S:1 size:2 Rn:5 Rt:5", "ld1 <lane>, [<Xn|SP>], <post>", "opcode!=3, opcode=1 -> size=0|2, opcode=2 -> size<2, opcode=2 & size=1 -> S=0";
    LD2_asisdlsop,  "0 Q:1 0011011 1 1 Rm:5 opcode:2 0 S:1 size:2 Rn:5 Rt:5", "ld2 <lane>, [<Xn|SP>], <post>", "opcode!=3, opcode=1 -> size=0|2, opcode=2 -> size<2, opcode=2 & size=1 -> S=0";
    LD3_asisdlsop,  "0 Q:1 0011011 1 0 Rm:5 opcode:2 1 S:1 size:2 Rn:5 Rt:5", "ld3 <lane>, [<Xn|SP>], <post>", "opcode!=3, opcode=1 -> size=0|2, opcode=2 -> size<2, opcode=2 & size=1 -> S=0";
    LD4_asisdlsop,  "0 Q:1 0011011 1 1 Rm:5 opcode:2 1 S:1 size:2 Rn:5 Rt:5", "ld4 <lane>, [<Xn|SP>], <post>", "opcode!=3, opcode=1 -> size=0|2, opcode=2 -> size<2, opcode=2 & size=1 -> S=0";
    ST1_asisdlsop,  "0 Q:1 0011011 0 0 Rm:5 opcode:2 0 S:1 size:2 Rn:5 Rt:5", "st1 <lane>, [<Xn|SP>], <post>", "opcode!=3, opcode=1 -> size=0|2, opcode=2 -> size<2, opcode=2 & size=1 -> S=0";
    ST2_asisdlsop,  "0 Q:1 0011011 0 1 Rm:5 opcode:2 0 S:1 size:2 Rn:5 Rt:5", "st2 <lane>, [<Xn|SP>], <post>", "opcode!=3, opcode=1 -> size=0|2, opcode=2 -> size<2, opcode=2 & size=1 -> S=0";
    ST3_asisdlsop,  "0 Q:1 0011011 0 0 Rm:5 opcode:2 1 S:1 size:2 Rn:5 Rt:5", "st3 <lane>, [<Xn|SP>], <post>", "opcode!=3, opcode=1 -> size=0|2, opcode=2 -> size<2, opcode=2 & size=1 -> S=0";
    ST4_asisdlsop,  "0 Q:1 0011011 0 1 Rm:5 opcode:2 1 S:1 size:2 Rn:5 Rt:5", "st4 <lane>, [<Xn|SP>], <post>", "opcode!=3, opcode=1 -> size=0|2, opcode=2 -> size<2, opcode=2 & size=1 -> S=0";
    LD1R_asisdlsop, "0 Q:1 0011011 1 0 Rm:5 11 0 0 size:2 Rn:5 Rt:5", "ld1r <list>, [<Xn|SP>], <post>";
    LD2R_asisdlsop, "0 Q:1 0011011 1 1 Rm:5 11 0 0 size:2 Rn:5 Rt:5", "ld2r <list>, [<Xn|SP>], <post>";
    LD3R_asisdlsop, "0 Q:1 0011011 1 0 Rm:5 11 1 0 size:2 Rn:5 Rt:5", "ld3r <list>, [<Xn|SP>], <post>";
    LD4R_asisdlsop, "0 Q:1 0011011 1 1 Rm:5 11 1 0 size:2 Rn:5 Rt:5", "ld4r <list>, [<Xn|SP>], <post>";
}
