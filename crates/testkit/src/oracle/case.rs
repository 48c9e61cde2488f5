//! Cases, outcomes, and their form on the way to and from the oracle program
//! (`oracle/layout.h`).

use std::fmt::Write as _;

use a64::Encoding;

/// Where the code of a batch lies; one slot per case.
pub const SLOT_BASE: u64 = 0x2001_0000;
/// Bytes of a slot.
pub const SLOT_SIZE: u64 = 64;
/// Cases that are written at a time.
pub const BATCH: usize = 512;
/// The data page. Nothing is mapped on either side.
pub const DATA_BASE: u64 = 0x2008_0000;
/// Bytes of the data page.
pub const DATA_SIZE: u64 = 4096;
/// Instructions that a case can have.
pub const MAX_INSNS: usize = 8;

/// Some instructions and the state that they start in.
#[derive(Clone, Debug)]
pub struct Case {
    /// The row that the case is for.
    pub encoding: Encoding,
    /// The instructions; behind them the case ends.
    pub words: Vec<u32>,
    /// The data page matters.
    pub uses_memory: bool,
    /// The number that the contents of the data page come from.
    pub seed: u64,
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
    /// What changed in the data page: offset and 16 bytes, in order.
    pub memory: Vec<(u32, u128)>,
}

/// The address of the slot of case `index`.
#[must_use]
pub fn slot_address(index: usize) -> u64 {
    SLOT_BASE + (index % BATCH) as u64 * SLOT_SIZE
}

/// The data page of a seed.
#[must_use]
pub fn data_page(seed: u64) -> Vec<u8> {
    let mut random = crate::Random::new(seed);
    (0..DATA_SIZE / 8).flat_map(|_| random.u64().to_le_bytes()).collect()
}

impl Case {
    /// The case as the oracle program reads it: `struct rec_in`.
    #[must_use]
    pub fn record(&self, id: u32) -> Vec<u8> {
        let mut out = Vec::with_capacity(840);
        let mut put = |v: u32| out.extend(v.to_le_bytes());
        put(id);
        put(self.uses_memory.into());
        put(self.words.len() as u32);
        put(0);
        (0..MAX_INSNS).for_each(|i| put(self.words.get(i).copied().unwrap_or(0)));
        put(self.nzcv);
        put(self.fpcr);
        put(self.fpsr);
        put(0);
        out.extend(self.seed.to_le_bytes());
        self.x.iter().for_each(|x| out.extend(x.to_le_bytes()));
        out.extend(self.sp.to_le_bytes());
        self.v.iter().for_each(|v| out.extend(v.to_le_bytes()));
        out
    }

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

/// Reads little-endian numbers off a slice.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn bytes<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, tail) = self.0.split_first_chunk::<N>()?;
        self.0 = tail;
        Some(*head)
    }

    fn u32(&mut self) -> Option<u32> {
        self.bytes().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.bytes().map(u64::from_le_bytes)
    }

    fn u128(&mut self) -> Option<u128> {
        self.bytes().map(u128::from_le_bytes)
    }
}

/// Reads the oracle program's output: `struct rec_out` with its changes of
/// memory, one after the other. `None` if it is cut short.
#[must_use]
pub fn outcomes(bytes: &[u8]) -> Option<Vec<Outcome>> {
    let mut r = Reader(bytes);
    let mut out = Vec::new();
    while !r.0.is_empty() {
        out.push(outcome(&mut r)?);
    }
    Some(out)
}

fn outcome(r: &mut Reader<'_>) -> Option<Outcome> {
    let (_id, signal, _code, changes) = (r.u32()?, r.u32()?, r.u32()?, r.u32()?);
    let (fault_page, pc) = (r.u64()?, r.u64()?);
    let mut x = [0; 31];
    for x in &mut x {
        *x = r.u64()?;
    }
    let sp = r.u64()?;
    let (nzcv, fpcr, fpsr, _) = (r.u32()?, r.u32()?, r.u32()?, r.u32()?);
    let mut v = [0; 32];
    for v in &mut v {
        *v = r.u128()?;
    }
    let mut memory = Vec::new();
    for _ in 0..changes {
        let (offset, _) = (r.u32()?, r.u32()?);
        memory.push((offset, r.u128()?));
    }
    Some(Outcome { signal, fault_page, pc, x, sp, nzcv, fpcr, fpsr, v, memory })
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
