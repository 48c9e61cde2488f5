//! Branch target identification: what may be branched to in guarded pages.

/// How control comes to an instruction.
///
/// 0 to 3 are PSTATE.BTYPE as it is when the instruction is fetched.
pub(crate) mod branch {
    /// Any way that is not looked at: the instruction before, an immediate
    /// branch, `RET`.
    pub(crate) const DIRECT: u8 = 0;
    /// `BR` by X16 or X17, or from a page that is not guarded.
    pub(crate) const LINKAGE: u8 = 1;
    /// `BLR`.
    pub(crate) const CALL: u8 = 2;
    /// `BR` by another register from a guarded page.
    pub(crate) const JUMP: u8 = 3;
    /// `BR` by another register: [`JUMP`] or [`LINKAGE`], by the page that it
    /// is in, which is only looked at where it matters.
    pub(crate) const ANY_JUMP: u8 = 4;
}

/// True if `word` is a landing pad for a branch of type `btype` (1 to 3).
/// `SCTLR_EL1.BT0` is set, as on Linux.
pub(crate) const fn accepts(word: u32, btype: u8) -> bool {
    match word {
        // BTI, BTI C, BTI J, BTI JC.
        0xd503_241f => false,
        0xd503_245f => btype != branch::JUMP,
        0xd503_249f => btype != branch::CALL,
        0xd503_24df => true,
        // PACIASP, PACIBSP.
        0xd503_233f | 0xd503_237f => btype != branch::JUMP,
        // BRK, HLT.
        _ => matches!(word & 0xffe0_001f, 0xd420_0000 | 0xd440_0000),
    }
}

/// True for `BTI` with any operand, which does nothing else.
pub(crate) const fn is_bti(word: u32) -> bool {
    word & 0xffff_ff3f == 0xd503_241f
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn landing_pads_accept_what_the_manual_says() {
        let table = [
            ("bti", 0xd503_241f, [false, false, false]),
            ("bti c", 0xd503_245f, [true, true, false]),
            ("bti j", 0xd503_249f, [true, false, true]),
            ("bti jc", 0xd503_24df, [true, true, true]),
            ("paciasp", 0xd503_233f, [true, true, false]),
            ("pacibsp", 0xd503_237f, [true, true, false]),
            ("brk #1", 0xd420_0020, [true, true, true]),
            ("hlt #1", 0xd440_0020, [true, true, true]),
            ("nop", 0xd503_201f, [false, false, false]),
            ("pacia1716", 0xd503_211f, [false, false, false]),
            ("svc #0", 0xd400_0001, [false, false, false]),
        ];
        for (name, word, expected) in table {
            assert_eq!([1, 2, 3].map(|btype| accepts(word, btype)), expected, "{name}");
        }
    }
}
