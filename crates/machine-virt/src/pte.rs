//! Page-table entries of user pages: what the processor sees in them and what
//! only the kernel does.
//!
//! The processor keeps no dirty bit on the oldest cores, so it is kept in
//! software everywhere: a writable page is mapped read-only until the first
//! store, whose permission fault [`Entry::with_dirty`] resolves.

use machine::{Frame, Mapping, Prot};

/// Bits that the processor reads.
const VALID: u64 = 1 << 0;
const PAGE: u64 = 1 << 1;
/// `AP[1]`: EL0 may access.
const USER: u64 = 1 << 6;
/// `AP[2]`: nobody may write.
const READ_ONLY: u64 = 1 << 7;
const INNER_SHAREABLE: u64 = 3 << 8;
const ACCESSED: u64 = 1 << 10;
const NOT_GLOBAL: u64 = 1 << 11;
/// `GP`: the page is guarded. The kernel asks for that only if the processor
/// has FEAT_BTI.
const GUARDED: u64 = 1 << 50;
const PXN: u64 = 1 << 53;
const UXN: u64 = 1 << 54;
const ADDRESS: u64 = 0x0000_ffff_ffff_f000;

/// Bits that are the kernel's: what is allowed, and the dirty bit.
const PROT_SHIFT: u32 = 55;
const PROT: u64 = 7 << PROT_SHIFT;
const DIRTY: u64 = 1 << 58;

/// `MAIR_EL1`'s index of normal memory, in place.
pub const ATTR_NORMAL: u64 = 1 << 2;
/// `MAIR_EL1`'s index of device memory, in place.
pub const ATTR_DEVICE: u64 = 0;
/// What `MAIR_EL1` holds for the two: Device-nGnRE and Normal write-back.
pub const MAIR: u64 = 0xff04;

/// A leaf entry for one 4 KiB page of user memory; 0 if there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry(pub u64);

impl Entry {
    /// An entry for the frame at physical address `address`, clean.
    #[must_use]
    pub const fn new(address: u64, prot: Prot) -> Self {
        let fixed = PAGE | ATTR_NORMAL | INNER_SHAREABLE | ACCESSED | NOT_GLOBAL | PXN;
        Self(address & ADDRESS | fixed | prot_bits(prot)).derive()
    }

    /// With the processor's permission bits as the kernel's bits ask for.
    const fn derive(self) -> Self {
        let prot = self.prot();
        let mut bits = self.0 & !(VALID | USER | READ_ONLY | UXN);
        if !prot.is_none() {
            bits |= VALID;
        }
        // As on Linux, what may be written may be read. A page that may only
        // be executed is none of EL0's data.
        if prot.contains(Prot::READ) || prot.contains(Prot::WRITE) {
            bits |= USER;
        }
        if !(prot.contains(Prot::WRITE) && bits & DIRTY != 0) {
            bits |= READ_ONLY;
        }
        if !prot.contains(Prot::EXEC) {
            bits |= UXN;
        }
        Self(bits)
    }

    /// True if a page is mapped here, even one that allows nothing.
    #[must_use]
    pub const fn is_present(self) -> bool {
        self.0 & PAGE != 0
    }

    /// True if the processor may have it in a TLB.
    #[must_use]
    pub const fn is_valid(self) -> bool {
        self.0 & VALID != 0
    }

    /// The physical address of the page.
    #[must_use]
    pub const fn address(self) -> u64 {
        self.0 & ADDRESS
    }

    /// What is allowed.
    #[must_use]
    pub const fn prot(self) -> Prot {
        let guarded = if self.0 & GUARDED == 0 { 0 } else { Prot::GUARDED.bits() };
        Prot::from_bits_truncate((self.0 >> PROT_SHIFT & 7) as u8 | guarded)
    }

    /// True if the page was written through this entry.
    #[must_use]
    pub const fn is_dirty(self) -> bool {
        self.0 & DIRTY != 0
    }

    /// The same page with other permissions; the dirty bit stays.
    #[must_use]
    pub const fn with_prot(self, prot: Prot) -> Self {
        Self(self.0 & !(PROT | GUARDED) | prot_bits(prot)).derive()
    }

    /// The entry after a store: dirty, and writable for the processor. `None`
    /// if stores are not allowed.
    #[must_use]
    pub const fn with_dirty(self) -> Option<Self> {
        if !self.is_present() || !self.prot().contains(Prot::WRITE) {
            return None;
        }
        Some(Self(self.0 | DIRTY).derive())
    }

    /// What the seam calls it; `frame` is the frame at [`Entry::address`].
    #[must_use]
    pub const fn mapping(self, frame: Frame) -> Mapping {
        Mapping { frame, prot: self.prot(), dirty: self.is_dirty() }
    }
}

/// Where an entry keeps what is allowed.
const fn prot_bits(prot: Prot) -> u64 {
    let guarded = if prot.contains(Prot::GUARDED) { GUARDED } else { 0 };
    ((prot.bits() & 7) as u64) << PROT_SHIFT | guarded
}

/// An entry that leads to the table of the next level at `address`.
#[must_use]
pub const fn table(address: u64) -> u64 {
    address & ADDRESS | PAGE | VALID
}

/// The table that an entry of an upper level leads to; `None` if it is empty.
#[must_use]
pub const fn table_address(entry: u64) -> Option<u64> {
    if entry & VALID == 0 { None } else { Some(entry & ADDRESS) }
}

/// Where a level's index lies in an address: level 3 is the last.
#[must_use]
pub const fn index(address: u64, level: u32) -> usize {
    (address >> (12 + 9 * (3 - level)) & 511) as usize
}

/// What the kernel may do with memory of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KernelProt {
    /// Code.
    Execute,
    /// Constants.
    Read,
    /// Data.
    Write,
    /// Device registers.
    Device,
}

/// A leaf of the kernel's own map at `level` 1 to 3.
#[must_use]
pub const fn kernel_leaf(address: u64, prot: KernelProt, level: u32) -> u64 {
    let kind = if level == 3 { PAGE | VALID } else { VALID };
    let rights = match prot {
        KernelProt::Execute => READ_ONLY | UXN | ATTR_NORMAL | INNER_SHAREABLE,
        KernelProt::Read => READ_ONLY | UXN | PXN | ATTR_NORMAL | INNER_SHAREABLE,
        KernelProt::Write => UXN | PXN | ATTR_NORMAL | INNER_SHAREABLE,
        KernelProt::Device => UXN | PXN | ATTR_DEVICE,
    };
    address & ADDRESS | kind | rights | ACCESSED
}

#[cfg(test)]
mod tests {
    use super::*;

    const RW: Prot = Prot::from_bits_truncate(3);

    #[test]
    fn a_writable_page_is_read_only_until_it_is_dirty() {
        let clean = Entry::new(0x4000_1000, RW);
        assert!(clean.0 & READ_ONLY != 0 && clean.is_valid() && !clean.is_dirty());
        let dirty = clean.with_dirty().expect("writable");
        assert!(dirty.0 & READ_ONLY == 0 && dirty.is_dirty());
        assert_eq!(dirty.address(), 0x4000_1000);
    }

    #[test]
    fn the_dirty_bit_outlives_a_change_of_permission() {
        let dirty = Entry::new(0x4000_1000, RW).with_dirty().expect("writable");
        let read = dirty.with_prot(Prot::READ);
        assert!(read.is_dirty() && read.0 & READ_ONLY != 0);
        assert!(read.with_dirty().is_none());
        assert!(read.with_prot(RW).0 & READ_ONLY == 0);
    }

    #[test]
    fn a_page_that_allows_nothing_is_present_but_not_valid() {
        let none = Entry::new(0x4000_1000, Prot::NONE);
        assert!(none.is_present() && !none.is_valid());
        assert_eq!(none.mapping(Frame(1)), Mapping { frame: Frame(1), prot: Prot::NONE, dirty: false });
        assert!(!Entry(0).is_present());
    }

    #[test]
    fn a_guarded_page_has_the_processors_bit_and_no_other_rights_for_it() {
        let exec = Prot::READ | Prot::EXEC;
        let guarded = Entry::new(0x4000_1000, exec | Prot::GUARDED);
        assert_eq!(guarded.0 ^ Entry::new(0x4000_1000, exec).0, 1 << 50);
        assert_eq!((guarded.prot(), guarded.address()), (exec | Prot::GUARDED, 0x4000_1000));
        assert_eq!(guarded.with_prot(exec), Entry::new(0x4000_1000, exec));
        assert_eq!(Entry::new(0x4000_1000, exec).with_prot(exec | Prot::GUARDED), guarded);
        assert!(!Entry::new(0x4000_1000, Prot::GUARDED).is_valid(), "nothing is allowed");
    }

    #[test]
    fn execute_only_is_no_data_of_user_code() {
        let exec = Entry::new(0x4000_1000, Prot::EXEC);
        assert!(exec.is_valid() && exec.0 & USER == 0 && exec.0 & UXN == 0 && exec.0 & PXN != 0);
    }

    #[test]
    fn the_kernel_never_has_a_page_both_writable_and_executable() {
        for prot in [KernelProt::Execute, KernelProt::Read, KernelProt::Write, KernelProt::Device] {
            for level in 1..=3 {
                let leaf = kernel_leaf(0, prot, level);
                assert!(leaf & READ_ONLY != 0 || leaf & PXN != 0);
                assert!(leaf & UXN != 0 && leaf & USER == 0);
            }
        }
    }

    #[test]
    fn indices_split_an_address() {
        let address = 1 << 39 | 2 << 30 | 3 << 21 | 4 << 12;
        assert_eq!([0, 1, 2, 3].map(|level| index(address, level)), [1, 2, 3, 4]);
    }
}
