//! Cases, outcomes, and the memory that they have.

use std::fmt::Write as _;

use a64::Encoding;

/// Where the code of a batch lies; one slot per case.
pub const SLOT_BASE: u64 = 0x2001_0000;
/// Bytes of a slot.
pub const SLOT_SIZE: u64 = 192;
/// The most cases of a batch.
pub const BATCH: usize = 256;
/// The data pages. Nothing is mapped on either side.
pub const DATA_BASE: u64 = 0x2008_0000;
/// Bytes of the data pages, which are two.
pub const DATA_SIZE: u64 = 8192;
/// Instructions that a case can have.
pub const MAX_INSNS: usize = 32;

/// Cases that run one after the other, each on the same data pages.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// The number that the contents of the data pages come from.
    pub seed: u64,
    /// The cases, each in the slot of its index; no more than [`BATCH`].
    pub cases: Vec<Case>,
}

/// What a case is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One row of the table.
    Row,
    /// A run of several instructions.
    Run,
    /// A word that the table does not have.
    Word,
}

/// Some instructions and the state that they start in.
#[derive(Clone, Debug)]
pub struct Case {
    /// The row that the case is for, or that it begins with; `UDF` for words
    /// that the table does not have.
    pub encoding: Encoding,
    /// The instructions; behind them the case ends.
    pub words: Vec<u32>,
    /// What it is about.
    pub kind: Kind,
    /// The data pages matter.
    pub uses_memory: bool,
    /// X0 to X30.
    pub x: [u64; 31],
    /// SP.
    pub sp: u64,
    /// N, Z, C and V in bits 31 to 28.
    pub nzcv: u32,
    /// FPCR.
    pub fpcr: u32,
    /// FPSR.
    pub fpsr: u32,
    /// V0 to V31.
    pub v: [u128; 32],
}

/// What became of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The Linux signal; 0 if all instructions were executed.
    pub signal: u32,
    /// The page of a memory fault, else 0.
    pub fault_page: u64,
    /// Where the signal came from, else 0.
    pub pc: u64,
    /// X0 to X30.
    pub x: [u64; 31],
    /// SP.
    pub sp: u64,
    /// NZCV.
    pub nzcv: u32,
    /// FPCR.
    pub fpcr: u32,
    /// FPSR.
    pub fpsr: u32,
    /// V0 to V31.
    pub v: [u128; 32],
    /// What changed in the data pages: offset and 16 bytes, in order.
    pub memory: Vec<(u32, u128)>,
}

/// The address of the slot of case `index`.
#[must_use]
pub fn slot_address(index: usize) -> u64 {
    SLOT_BASE + index as u64 * SLOT_SIZE
}

/// The data pages of a seed.
#[must_use]
pub fn data_pages(seed: u64) -> Vec<u8> {
    let mut random = crate::Random::new(seed);
    (0..DATA_SIZE / 8).flat_map(|_| random.u64().to_le_bytes()).collect()
}

impl Case {
    /// The instructions as text.
    #[must_use]
    pub fn text(&self) -> String {
        let text: Vec<String> = self.words.iter().map(|&w| format!("{w:08x} {}", a64::disassemble(w, 0))).collect();
        text.join("; ")
    }

    /// The registers that an instruction of the case could read.
    #[must_use]
    pub fn inputs(&self) -> String {
        let mut out = String::new();
        let _ = write!(out, "nzcv {:08x} fpcr {:08x} fpsr {:08x} sp {:x}", self.nzcv, self.fpcr, self.fpsr, self.sp);
        let mut numbers: Vec<u32> = self.words.iter().flat_map(|w| [0, 5, 10, 16].map(|lsb| w >> lsb & 31)).collect();
        numbers.sort_unstable();
        numbers.dedup();
        for n in numbers {
            if let Some(x) = self.x.get(n as usize) {
                let _ = write!(out, " x{n} {x:x}");
            }
            let _ = write!(out, " v{n} {:x}", self.v[n as usize]);
        }
        out
    }
}

impl Outcome {
    /// Where the two differ, one thing a line: reference, then ours.
    #[must_use]
    pub fn differences(&self, ours: &Self) -> String {
        let mut out = String::new();
        let mut line = |name: String, a: u128, b: u128| {
            if a != b {
                let _ = writeln!(out, "    {name:8} reference {a:x}, ours {b:x}");
            }
        };
        line("signal".to_owned(), self.signal.into(), ours.signal.into());
        line("fault".to_owned(), self.fault_page.into(), ours.fault_page.into());
        line("pc".to_owned(), self.pc.into(), ours.pc.into());
        for n in 0..31 {
            line(format!("x{n}"), self.x[n].into(), ours.x[n].into());
        }
        line("sp".to_owned(), self.sp.into(), ours.sp.into());
        line("nzcv".to_owned(), self.nzcv.into(), ours.nzcv.into());
        line("fpcr".to_owned(), self.fpcr.into(), ours.fpcr.into());
        line("fpsr".to_owned(), self.fpsr.into(), ours.fpsr.into());
        for n in 0..32 {
            line(format!("v{n}"), self.v[n], ours.v[n]);
        }
        if self.memory != ours.memory {
            let _ =
                writeln!(out, "    memory   reference {:x?}\n             ours      {:x?}", self.memory, ours.memory);
        }
        out
    }
}
