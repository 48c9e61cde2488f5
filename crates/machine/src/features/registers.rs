//! The ID registers, their fields, and what of them Linux shows to EL0.

/// An ID register that has a field of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdRegister {
    /// `ID_AA64PFR0_EL1`.
    Pfr0,
    /// `ID_AA64PFR1_EL1`.
    Pfr1,
    /// `ID_AA64ISAR0_EL1`.
    Isar0,
    /// `ID_AA64ISAR1_EL1`.
    Isar1,
    /// `ID_AA64ISAR2_EL1`.
    Isar2,
    /// `ID_AA64MMFR0_EL1`.
    Mmfr0,
    /// `ID_AA64MMFR1_EL1`.
    Mmfr1,
    /// `ID_AA64MMFR2_EL1`.
    Mmfr2,
}

/// How many registers [`IdRegister`] names.
const REGISTERS: usize = 8;

impl IdRegister {
    const ALL: [Self; REGISTERS] =
        [Self::Pfr0, Self::Pfr1, Self::Isar0, Self::Isar1, Self::Isar2, Self::Mmfr0, Self::Mmfr1, Self::Mmfr2];

    /// Arm's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pfr0 => "ID_AA64PFR0_EL1",
            Self::Pfr1 => "ID_AA64PFR1_EL1",
            Self::Isar0 => "ID_AA64ISAR0_EL1",
            Self::Isar1 => "ID_AA64ISAR1_EL1",
            Self::Isar2 => "ID_AA64ISAR2_EL1",
            Self::Mmfr0 => "ID_AA64MMFR0_EL1",
            Self::Mmfr1 => "ID_AA64MMFR1_EL1",
            Self::Mmfr2 => "ID_AA64MMFR2_EL1",
        }
    }

    /// `CRm` and `op2` of the register; `op0` is 3, `op1` and `CRn` are 0.
    #[must_use]
    pub const fn encoding(self) -> (u32, u32) {
        match self {
            Self::Pfr0 => (4, 0),
            Self::Pfr1 => (4, 1),
            Self::Isar0 => (6, 0),
            Self::Isar1 => (6, 1),
            Self::Isar2 => (6, 2),
            Self::Mmfr0 => (7, 0),
            Self::Mmfr1 => (7, 1),
            Self::Mmfr2 => (7, 2),
        }
    }
}

/// What EL0 sees of a register, by `CRm` and `op2`, in the fields that Linux
/// hides: their safe values, where those are not 0 (`arm64_ftr_regs` in
/// Linux's `cpufeature.c`).
const HIDDEN: &[(u32, u32, u64)] = &[
    // PFR0: EL0 and EL1 are AArch64 only.
    (4, 0, 0x11),
    // DFR0: DebugVer of Armv8.0.
    (5, 0, 0x6),
    // MMFR0: no granule is told.
    (7, 0, 0x0000_0111_ff00_0000),
];

/// A field of four bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Where it is.
    pub register: IdRegister,
    /// Its lowest bit.
    pub shift: u32,
    /// It counts from -1, which says that there is nothing, not from 0.
    pub is_signed: bool,
    /// Linux shows it to EL0.
    pub is_shown: bool,
}

impl Field {
    /// An unsigned field that EL0 may see.
    pub(super) const fn shown(register: IdRegister, shift: u32) -> Self {
        Self { register, shift, is_signed: false, is_shown: true }
    }

    /// A signed field that EL0 may see.
    pub(super) const fn signed(register: IdRegister, shift: u32) -> Self {
        Self { register, shift, is_signed: true, is_shown: true }
    }

    /// An unsigned field that Linux keeps from EL0.
    pub(super) const fn hidden(register: IdRegister, shift: u32) -> Self {
        Self { register, shift, is_signed: false, is_shown: false }
    }

    /// The value that stands for nothing.
    #[must_use]
    pub const fn absent(self) -> i8 {
        if self.is_signed { -1 } else { 0 }
    }
}

/// A processor's ID registers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IdRegisters {
    /// Those with fields, in the order of [`IdRegister`].
    pub id: [u64; REGISTERS],
    /// `MIDR_EL1`.
    pub midr: u64,
    /// `CTR_EL0`.
    pub ctr: u64,
    /// `DCZID_EL0`.
    pub dczid: u64,
}

impl IdRegisters {
    /// The value of a field.
    #[must_use]
    pub const fn get(&self, field: Field) -> i8 {
        let value = (self.id[field.register as usize] >> field.shift & 15) as i8;
        if field.is_signed && value > 7 { value - 16 } else { value }
    }

    /// Writes a field.
    pub const fn set(&mut self, field: Field, value: i8) {
        let register = &mut self.id[field.register as usize];
        *register = *register & !(15 << field.shift) | (value as u64 & 15) << field.shift;
    }

    /// What EL0 reads from the register of `crm` and `op2`, if these registers
    /// have nothing but fields of the table.
    pub(super) fn shown(&self, crm: u32, op2: u32) -> u64 {
        let hidden = HIDDEN.iter().find(|h| (h.0, h.1) == (crm, op2)).map_or(0, |h| h.2);
        let Some(register) = IdRegister::ALL.into_iter().find(|r| r.encoding() == (crm, op2)) else {
            return hidden;
        };
        let conditions = super::FEATURES.iter().flat_map(|f| f.conditions.iter().copied().flatten());
        let fields = conditions.map(|c| c.field).filter(|f| f.register == register && f.is_shown);
        fields.fold(hidden, |value, f| value | self.id[register as usize] & 15 << f.shift)
    }
}
