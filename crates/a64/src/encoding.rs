//! [`Encoding`], its [`Row`] in the table, and [`decode`].
//!
//! The build script generates the data; the search is here.

/// A named run of bits of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Arm's name.
    pub name: &'static str,
    /// The lowest bit.
    pub lsb: u32,
    /// How many bits.
    pub width: u32,
}

impl Field {
    /// The field's value in `word`.
    #[must_use]
    pub fn get(&self, word: u32) -> u32 {
        crate::pseudocode::bits(word, self.lsb, self.width)
    }
}

/// A feature without which words of a row are undefined (or, for hints, do nothing).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need {
    /// Arm's name, such as `FEAT_LSE`.
    pub feature: &'static str,
    /// Which of the row's words need it, as written; empty for all.
    pub condition: &'static str,
}

/// One row of the table.
#[derive(Debug)]
pub struct Row {
    /// Arm's identifier.
    pub name: &'static str,
    /// Arm's class, such as `addsub_imm`.
    pub class: &'static str,
    /// The table file, such as `dpimm`.
    pub group: &'static str,
    /// The bits as written.
    pub pattern: &'static str,
    /// The assembler syntax as written.
    pub syntax: &'static str,
    /// The constraint as written; empty if none.
    pub constraint: &'static str,
    /// Which bits are fixed.
    pub mask: u32,
    /// The fixed bits.
    pub value: u32,
    /// The named fields, most significant first.
    pub fields: &'static [Field],
    /// The features that its words need; none for what Armv8.0 has.
    pub needs: &'static [Need],
}

/// What the decoder needs of a row.
struct Match {
    mask: u32,
    value: u32,
    encoding: Encoding,
    constrained: bool,
}

const LEAF: u32 = 1 << 31;

include!(concat!(env!("OUT_DIR"), "/encodings.rs"));

impl Encoding {
    /// Arm's identifier, such as `ADD_addsub_imm`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// Arm's class, such as `addsub_imm`.
    #[must_use]
    pub fn class(self) -> &'static str {
        self.row().class
    }

    /// The row of the table.
    #[must_use]
    pub fn row(self) -> &'static Row {
        &ROWS[self as usize]
    }

    /// The features that `word`, an instruction of this row, needs beside Armv8.0.
    pub fn features(self, word: u32) -> impl Iterator<Item = &'static str> {
        let needs = self.row().needs.iter().enumerate();
        needs.filter(move |(n, _)| meets_need(self, *n, word)).map(|(_, need)| need.feature)
    }

    /// Whether `word` has this row's fixed bits and meets its constraint.
    /// A more specific row may still claim the word: that is [`decode`]'s to say.
    #[must_use]
    pub fn matches(self, word: u32) -> bool {
        let m = &MATCH[self as usize];
        word & m.mask == m.value && (!m.constrained || meets_constraint(self, word))
    }
}

/// The encoding of `word`; `None` if it is unallocated or not in the table.
#[must_use]
pub fn decode(word: u32) -> Option<Encoding> {
    let mut entry = ROOT;
    while entry & LEAF == 0 {
        let index = word >> (entry & 31) & ((1 << (entry >> 5 & 15)) - 1);
        entry = NODES[(entry >> 9) as usize + index as usize];
    }
    LISTS[(entry & !LEAF) as usize..]
        .iter()
        .map_while(|&row| MATCH.get(usize::from(row)))
        .find(|m| word & m.mask == m.value && (!m.constrained || meets_constraint(m.encoding, word)))
        .map(|m| m.encoding)
}
