//! Cases and outcomes on the way to and from the oracle program
//! (`oracle/layout.h`).

use std::io::{self, Read, Write};

use super::case::{Batch, Case, MAX_INSNS, Outcome};

/// Bytes of `struct rec_out`, without the changes of memory.
const OUTCOME_BYTES: usize = 808;
/// Bytes of `struct mem_out`.
const CHANGE_BYTES: usize = 24;
/// `si_addr` without the tag. QEMU leaves it there with `SIGBUS`, Linux does
/// not (`arch_untagged_si_addr`).
const UNTAGGED: u64 = u64::MAX >> 8;
/// Bytes of `struct rec_in`.
const CASE_BYTES: usize = 920;

/// Writes a batch: `struct batch_in` and its records.
///
/// # Errors
/// Those of `to`.
pub fn write_batch(to: &mut impl Write, batch: &Batch) -> io::Result<()> {
    let mut bytes = Vec::with_capacity(16 + batch.cases.len() * CASE_BYTES);
    bytes.extend((batch.cases.len() as u64).to_le_bytes());
    bytes.extend(batch.seed.to_le_bytes());
    batch.cases.iter().for_each(|case| put(&mut bytes, case));
    to.write_all(&bytes)
}

/// Appends a `struct rec_in`.
fn put(out: &mut Vec<u8>, case: &Case) {
    let mut put = |v: u32| out.extend(v.to_le_bytes());
    put(case.uses_memory.into());
    put(case.words.len() as u32);
    (0..MAX_INSNS).for_each(|i| put(case.words.get(i).copied().unwrap_or(0)));
    put(case.nzcv);
    put(case.fpcr);
    put(case.fpsr);
    put(0);
    case.x.iter().for_each(|x| out.extend(x.to_le_bytes()));
    out.extend(case.sp.to_le_bytes());
    case.v.iter().for_each(|v| out.extend(v.to_le_bytes()));
}

/// Reads the outcome of one case.
///
/// # Errors
/// Those of `from`; `UnexpectedEof` if the oracle program ended.
pub fn read_outcome(from: &mut impl Read) -> io::Result<Outcome> {
    let mut record = [0; OUTCOME_BYTES];
    from.read_exact(&mut record)?;
    let count = u32::from_le_bytes([record[4], record[5], record[6], record[7]]);
    let mut changes = vec![0; count as usize * CHANGE_BYTES];
    from.read_exact(&mut changes)?;
    outcome(&record, &changes).ok_or_else(|| io::ErrorKind::InvalidData.into())
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

/// Reads a `struct rec_out` and its changes of memory.
fn outcome(record: &[u8; OUTCOME_BYTES], changes: &[u8]) -> Option<Outcome> {
    let mut r = Reader(record);
    let (signal, _changes) = (r.u32()?, r.u32()?);
    let (fault_page, pc) = (r.u64()? & UNTAGGED, r.u64()?);
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
    let mut r = Reader(changes);
    let mut memory = Vec::new();
    while let (Some(offset), Some(_)) = (r.u32(), r.u32()) {
        memory.push((offset, r.u128()?));
    }
    Some(Outcome { signal, fault_page, pc, x, sp, nzcv, fpcr, fpsr, v, memory })
}
