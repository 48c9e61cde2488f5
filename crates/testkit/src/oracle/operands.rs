//! What the generator has to know of an instruction's operands: where it
//! accesses memory, and which combinations the architecture leaves open.
//!
//! Everything is told from the row's class and its fields.

use a64::{Encoding, Insn};

/// Where a load or store accesses memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Address {
    /// Not at all.
    None,
    /// At Rn plus an offset.
    Base(i64),
    /// At Rn plus Rm, extended and shifted left by the number.
    Index(u32),
    /// At an offset from the instruction.
    Literal,
}

/// The log2 of the bytes that one register of a load or store takes.
#[must_use]
pub fn access_scale(encoding: Encoding, i: Insn) -> u32 {
    let fp = i.0 >> 26 & 1 == 1;
    match encoding.class() {
        class if class.starts_with("ldstpair") || class.starts_with("ldstnapair") => {
            if fp {
                2 + i.opc()
            } else {
                2 + (i.opc() >> 1)
            }
        }
        _ if fp && i.opc_22() >= 2 => 4,
        _ => i.size(),
    }
}

/// Where `encoding` accesses memory.
#[must_use]
pub fn address(encoding: Encoding, i: Insn) -> Address {
    match encoding.class() {
        "ldst_pos" => Address::Base(i64::from(i.imm12()) << access_scale(encoding, i)),
        "ldst_unscaled" | "ldst_unpriv" | "ldst_immpre" | "ldapstl_unscaled" => Address::Base(i.simm9()),
        "ldstpair_off" | "ldstpair_pre" | "ldstnapair_offs" => Address::Base(i.simm7() << access_scale(encoding, i)),
        "ldst_regoff" => Address::Index(if i.s() == 1 { access_scale(encoding, i) } else { 0 }),
        "loadlit" => Address::Literal,
        "ldst_immpost" | "ldstpair_post" | "asisdlse" | "asisdlsep" | "asisdlso" | "asisdlsop" => Address::Base(0),
        _ if needs_alignment(encoding) => Address::Base(0),
        "systeminstrs" if encoding == Encoding::SYS_systeminstrs => Address::None,
        _ => Address::None,
    }
}

/// Whether the access must be aligned: exclusive, ordered and atomic ones.
#[must_use]
pub fn needs_alignment(encoding: Encoding) -> bool {
    matches!(
        encoding.class(),
        "ldstexclr" | "ldstexclp" | "ldstord" | "comswap" | "comswappr" | "memop" | "ldapstl_unscaled"
    )
}

/// Whether the instruction writes the base register.
#[must_use]
fn writes_back(encoding: Encoding) -> bool {
    let class = encoding.class();
    class.ends_with("post") || class.ends_with("pre") || matches!(class, "asisdlsep" | "asisdlsop")
}

/// Whether the architecture leaves open what the instruction does
/// (CONSTRAINED UNPREDICTABLE).
#[must_use]
pub fn is_unpredictable(encoding: Encoding, i: Insn) -> bool {
    let class = encoding.class();
    let name = encoding.name();
    let fp = i.0 >> 26 & 1 == 1;
    let pair = class.contains("pair") || class == "ldstexclp";
    if pair && name.starts_with("LD") && i.rt() == i.rt2() {
        return true;
    }
    if writes_back(encoding) && !fp && i.rn() != 31 && (i.rt() == i.rn() || (pair && i.rt2() == i.rn())) {
        return true;
    }
    if class == "ldst_pac" && i.0 >> 11 & 1 == 1 && i.rt() == i.rn() && i.rn() != 31 {
        return true;
    }
    let store_exclusive = class.starts_with("ldstexcl") && name.starts_with("ST");
    store_exclusive && (i.rs() == i.rt() || i.rs() == i.rn() || (pair && i.rs() == i.rt2()))
}
