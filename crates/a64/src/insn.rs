//! [`Insn`]: fields of an instruction word by Arm's names.

use crate::pseudocode::{bits, sign_extend};

/// An instruction word. Each accessor gives one field, unshifted.
///
/// Where Arm uses one name for different bits in different classes, the
/// accessor's suffix tells the lowest bit: `size()` is bits 31:30 of loads and
/// stores, `size_22()` is bits 23:22 of Advanced SIMD.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Insn(pub u32);

macro_rules! fields {
    ($($name:ident $arm:literal $lsb:literal $width:literal;)*) => {
        #[expect(clippy::len_without_is_empty, reason = "`len` is a field's name")]
        impl Insn {
            $(
                #[doc = concat!("The field `", $arm, "`: ", $width, " bits from bit ", $lsb, ".")]
                #[must_use]
                #[inline(always)]
                pub const fn $name(self) -> u32 {
                    bits(self.0, $lsb, $width)
                }
            )*
        }

        /// Arm's name, lowest bit and width of every accessor.
        #[cfg(test)]
        pub(crate) const ACCESSORS: &[(&str, u32, u32)] = &[$(($arm, $lsb, $width)),*];
    };
}

fields! {
    rd "Rd" 0 5;
    rn "Rn" 5 5;
    rm "Rm" 16 5;
    ra "Ra" 10 5;
    rt "Rt" 0 5;
    rt2 "Rt2" 10 5;
    rs "Rs" 16 5;
    sf "sf" 31 1;
    sh "sh" 22 1;
    n "N" 22 1;
    immr "immr" 16 6;
    imms "imms" 10 6;
    immhi "immhi" 5 19;
    immlo "immlo" 29 2;
    hw "hw" 21 2;
    shift "shift" 22 2;
    option "option" 13 3;
    cond "cond" 12 4;
    cond_0 "cond" 0 4;
    nzcv "nzcv" 0 4;
    imm3 "imm3" 10 3;
    imm5 "imm5" 16 5;
    imm6 "imm6" 10 6;
    imm6_15 "imm6" 15 6;
    uimm6 "uimm6" 16 6;
    uimm4 "uimm4" 10 4;
    imm2 "imm2" 10 2;
    op1_22 "op1" 22 2;
    op2_12 "op2" 12 4;
    mask "mask" 0 4;
    imm7 "imm7" 15 7;
    imm9 "imm9" 12 9;
    imm12 "imm12" 10 12;
    imm14 "imm14" 5 14;
    imm16 "imm16" 5 16;
    imm16_0 "imm16" 0 16;
    imm19 "imm19" 5 19;
    imm26 "imm26" 0 26;
    b5 "b5" 31 1;
    b40 "b40" 19 5;
    sz "sz" 10 2;
    size "size" 30 2;
    size_22 "size" 22 2;
    s "S" 12 1;
    o0 "o0" 19 1;
    o0_15 "o0" 15 1;
    l "L" 22 1;
    sz_30 "sz" 30 1;
    op1 "op1" 16 3;
    crn "CRn" 12 4;
    crm "CRm" 8 4;
    op2 "op2" 5 3;
    q "Q" 30 1;
    opc "opc" 30 2;
    opc_22 "opc" 22 2;
    a "A" 23 1;
    r "R" 22 1;
    u "U" 29 1;
    ftype "ftype" 22 2;
    opc_15 "opc" 15 2;
    imm8_13 "imm8" 13 8;
    scale "scale" 10 6;
    imm4 "imm4" 11 4;
    abc "abc" 16 3;
    defgh "defgh" 5 5;
    cm_13_2 "cm" 13 2;
    cm_13 "cm" 13 1;
    cm_12 "cm" 12 1;
    immh "immh" 19 4;
    immb "immb" 16 3;
    l_21 "L" 21 1;
    m_20 "M" 20 1;
    rm_4 "Rm" 16 4;
    rm_0 "Rm" 0 5;
    s_22 "S" 22 1;
    h_11 "H" 11 1;
    len "len" 13 2;
    opcode_12 "opcode" 12 4;
    opcode_14 "opcode" 14 2;
    size_10 "size" 10 2;
    sz_22 "sz" 22 1;
    imm2_12 "imm2" 12 2;
    rot_11 "rot" 11 2;
    rot_12 "rot" 12 1;
    rot_13 "rot" 13 2;
}

impl Insn {
    /// `imm7`, sign extended, unscaled.
    #[must_use]
    pub const fn simm7(self) -> i64 {
        sign_extend(self.imm7() as u64, 7)
    }

    /// `imm9`, sign extended.
    #[must_use]
    pub const fn simm9(self) -> i64 {
        sign_extend(self.imm9() as u64, 9)
    }

    /// The byte offset of `LDRAA` and `LDRAB`: `S:imm9`, sign extended, scaled.
    #[must_use]
    pub const fn offset10(self) -> i64 {
        sign_extend((self.s_22() << 9 | self.imm9()) as u64, 10) * 8
    }

    /// The 8-bit immediate of Advanced SIMD modified immediates.
    #[must_use]
    pub const fn abcdefgh(self) -> u32 {
        self.abc() << 5 | self.defgh()
    }

    /// `immh:immb`, of shifts by an immediate.
    #[must_use]
    pub const fn immhb(self) -> u32 {
        self.immh() << 3 | self.immb()
    }

    /// The byte offset of `TBZ` and `TBNZ`.
    #[must_use]
    pub const fn offset14(self) -> i64 {
        sign_extend(self.imm14() as u64, 14) * 4
    }

    /// The byte offset of `B.cond`, `CBZ` and literal loads.
    #[must_use]
    pub const fn offset19(self) -> i64 {
        sign_extend(self.imm19() as u64, 19) * 4
    }

    /// The byte offset of `B` and `BL`.
    #[must_use]
    pub const fn offset26(self) -> i64 {
        sign_extend(self.imm26() as u64, 26) * 4
    }

    /// The 21-bit signed immediate of `ADR` and `ADRP`, unscaled.
    #[must_use]
    pub const fn adr_imm(self) -> i64 {
        sign_extend((self.immhi() << 2 | self.immlo()) as u64, 21)
    }

    /// The bit that `TBZ` and `TBNZ` test.
    #[must_use]
    pub const fn test_bit(self) -> u32 {
        self.b5() << 5 | self.b40()
    }

    /// The system register of `MSR` and `MRS` as `op0:op1:CRn:CRm:op2`, 16
    /// bits: the word's bits 20:5, whose top bit is always set.
    #[must_use]
    pub const fn sysreg(self) -> u32 {
        bits(self.0, 5, 16)
    }
}
