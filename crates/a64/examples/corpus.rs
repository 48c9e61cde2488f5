//! Makes the corpora of `crates/a64/tests/corpus`: words of every row, and what
//! LLVM's disassembler makes of them. `cargo xtask corpus` runs it.
//!
//! Arguments: the directory, and which corpora, by a part of their names.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use a64::{Encoding, decode};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Words of each row.
const PER_ROW: usize = 48;
/// Words of each corpus of random words.
const RANDOM_WORDS: usize = 5000;
/// Names that LLVM's assembler tool goes by, and how it is called.
const PROGRAMS: [&str; 2] = ["llvm-mc-14", "llvm-mc"];
const ARGUMENTS: [&str; 3] = ["--disassemble", "--triple=aarch64", FEATURES];
/// Everything of LLVM 14 but SVE and SME; `+all` it does not know.
const FEATURES: &str = "-mattr=+v8.8a,+aes,+sha2,+sha3,+sm4,+crc,+fullfp16,+fp16fml,+rand,+mte,+ls64,+mops,+hbc,+bf16,\
    +i8mm,+tme,+spe,+spe-eef,+ete,+trbe,+brbe,+perfmon,+rme,+ssbs,+predres,+flagm,+altnzcv,+ccpp,+ccdp,+el3";

/// `splitmix64`.
struct Random(u64);

impl Random {
    fn u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn u32(&mut self) -> u32 {
        (self.u64() >> 32) as u32
    }

    fn below(&mut self, n: u32) -> u32 {
        ((self.u64() >> 11) % u64::from(n)) as u32
    }
}

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let directory = args.next().ok_or("DIRECTORY [CORPUS]")?;
    write(Path::new(&directory), &args.next().unwrap_or_default())
}

/// Writes all corpora into `directory`, or those whose names contain `filter`.
/// The words of a row depend on its name alone.
///
/// # Errors
/// If LLVM is missing or fails, or a file cannot be written.
fn write(directory: &Path, filter: &str) -> Result<()> {
    let groups: BTreeSet<&str> = Encoding::ALL.iter().map(|row| row.row().group).collect();
    for group in groups.into_iter().filter(|group| group.contains(filter)) {
        let rows = Encoding::ALL.iter().filter(|row| row.row().group == group);
        let words = rows.flat_map(|&row| words(row)).collect();
        write_one(directory, group, &words)?;
    }
    // By the manual's main encoding table, `op0` in bits 28 to 25: immediates,
    // branches, loads and stores, registers; and those of SIMD and FP.
    let mixed: [(&str, &[u32]); 2] =
        [("random_integer", &[8, 9, 10, 11, 4, 12, 6, 14, 5, 13]), ("random_simd", &[7, 15])];
    for (name, groups) in mixed.into_iter().filter(|(name, _)| name.contains(filter)) {
        let mut random = Random(seed(name));
        let mut words = BTreeSet::new();
        while words.len() < RANDOM_WORDS {
            words.insert(random.u32() & !(15 << 25) | groups[random.below(groups.len() as u32) as usize] << 25);
        }
        write_one(directory, name, &words)?;
    }
    Ok(())
}

/// A number from a name (FNV-1a).
fn seed(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Words of a row, with fields at random, at their ends, and with one bit;
/// fewer than [`PER_ROW`] only if the row has fewer.
fn words(encoding: Encoding) -> BTreeSet<u32> {
    let row = encoding.row();
    let mut random = Random(seed(row.name));
    let mut words = BTreeSet::new();
    for _ in 0..PER_ROW * 100 {
        let mut word = random.u32() & !row.mask | row.value;
        let mut last = 0;
        for field in row.fields {
            let ones = u32::MAX >> (32 - field.width);
            let value = match random.below(16) {
                0..=2 => 0,
                3 | 4 => ones,
                5 => 1 << random.below(field.width),
                6 => last & ones,
                _ => field.get(word),
            };
            word = word & !(ones << field.lsb) | value << field.lsb;
            last = value;
        }
        if decode(word) == Some(encoding) {
            words.insert(word);
        }
        if words.len() == PER_ROW {
            break;
        }
    }
    words
}

/// Writes a corpus: a line for each word.
fn write_one(directory: &Path, name: &str, words: &BTreeSet<u32>) -> Result<()> {
    let words: Vec<u32> = words.iter().copied().collect();
    let mut out = String::new();
    for (word, text) in words.iter().zip(disassemble(&words)?) {
        let _ = writeln!(out, "{word:08x} {text}");
    }
    let path = directory.join(name).with_extension("txt");
    Ok(std::fs::write(&path, out).map_err(|error| format!("{}: {error}", path.display()))?)
}

/// What LLVM makes of each word: `-` for no instruction, `?` before the text
/// for one that it calls undefined.
fn disassemble(words: &[u32]) -> Result<Vec<String>> {
    let start = |program: &&str| {
        let mut command = Command::new(program);
        command.args(ARGUMENTS).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().ok()
    };
    let mut child = PROGRAMS.iter().find_map(start).ok_or("there is no llvm-mc: install LLVM 14 or later")?;
    let mut input = child.stdin.take().ok_or("a pipe")?;
    let text: String = words.iter().map(|word| line(*word)).collect();
    let writer = std::thread::spawn(move || input.write_all(text.as_bytes()));
    let output = child.wait_with_output()?;
    writer.join().map_err(|_| "the writer panicked")??;
    let (text, warnings) = (String::from_utf8(output.stdout)?, String::from_utf8(output.stderr)?);
    let mut marks = vec![' '; words.len()];
    for (at, warning) in warnings.lines().filter_map(|line| line.strip_prefix("<stdin>:")?.split_once(": warning: ")) {
        let number: usize = at.split(':').next().ok_or("a line's number")?.parse()?;
        marks[number - 1] = if warning.starts_with("invalid") { '-' } else { '?' };
    }
    let mut lines = text.lines().filter(|line| line.starts_with('\t') && !line.starts_with("\t."));
    let mut texts = Vec::with_capacity(words.len());
    for mark in marks {
        if mark == '-' {
            texts.push("-".to_owned());
            continue;
        }
        let line = lines.next().ok_or("LLVM says less than it was asked")?;
        let code = line.split("//").next().unwrap_or_default().trim().replace('\t', " ");
        texts.push(if mark == '?' { format!("?{code}") } else { code });
    }
    match lines.next() {
        None => Ok(texts),
        Some(_) => Err("LLVM says more than it was asked".into()),
    }
}

/// A word as LLVM reads it.
fn line(word: u32) -> String {
    let bytes = word.to_le_bytes().map(|byte| format!("{byte:#04x}"));
    bytes.join(" ") + "\n"
}
