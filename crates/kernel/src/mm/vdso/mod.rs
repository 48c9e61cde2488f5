//! The vDSO: a small shared library that the kernel maps into every process,
//! and the page of clock data in front of it.
//!
//! The image is `vdso.so`, made from `vdso.S` by `build.sh`. All processes share
//! its frame and that of the data, which [`Vdso::refresh`] writes under a
//! sequence count: odd while it changes.

use alloc::sync::Arc;
use core::fmt;
use core::sync::atomic::{AtomicU64, Ordering};

use machine::sync::Mutex;
use machine::{Clock, PAGE_SIZE, Prot};

use crate::mm::{FrameRefs, Label, MapRequest, Mm, Object, Placement, VmaFlags};

/// The ELF image.
static IMAGE: &[u8] = include_bytes!("vdso.so");
/// Where `__kernel_rt_sigreturn` is in it.
const SIGRETURN: u64 = 0x404;
/// The data is written anew when it is older than this: the host may have set
/// or slewed its clock.
const REFRESH_NS: u64 = 1_000_000_000;
const NS_PER_SECOND: u128 = 1_000_000_000;

/// Offsets in the data page, as in `vdso.S`.
const SEQUENCE: usize = 0;
const CLOCKS: usize = 8;

struct Pages {
    image: Arc<Object>,
    data: Arc<Object>,
    image_label: Arc<Label>,
    data_label: Arc<Label>,
}

/// The vDSO of a kernel.
pub struct Vdso {
    frames: Arc<FrameRefs>,
    /// `None` if there was no memory for it; programs do without then.
    pages: Option<Pages>,
    /// What to add to the counter, in nanoseconds, for the monotonic clock.
    monotonic_offset: i128,
    /// The sequence count in the data page; locked while that is written.
    sequence: Mutex<u32>,
    /// When the data was last written, on the monotonic clock.
    written_ns: AtomicU64,
}

impl fmt::Debug for Vdso {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vdso({} updates)", *self.sequence.lock() / 2)
    }
}

impl Vdso {
    pub(crate) fn new(frames: &Arc<FrameRefs>) -> Self {
        let clock = frames.machine().clock();
        let this = Self {
            frames: frames.clone(),
            pages: Self::make_pages(frames),
            monotonic_offset: monotonic_offset(clock),
            sequence: Mutex::default(),
            written_ns: AtomicU64::new(0),
        };
        this.refresh(clock);
        this
    }

    fn make_pages(frames: &Arc<FrameRefs>) -> Option<Pages> {
        let image = Object::new(frames.clone(), None, 0);
        image.write_at(0, IMAGE).ok()?;
        let data = Object::new(frames.clone(), None, 0);
        data.write_at(0, &[0; PAGE_SIZE as usize]).ok()?;
        Some(Pages { image, data, image_label: Label::named("[vdso]"), data_label: Label::named("[vvar]") })
    }

    /// Writes the clocks' data. Call it whenever the wall clock is set.
    pub fn refresh(&self, clock: &dyn Clock) {
        let Some(pages) = &self.pages else { return };
        let Ok(frame) = pages.data.frame(0, true) else { return };
        let pool = self.frames.pool();
        let mut sequence = self.sequence.lock();
        let counter = clock.counter();
        let frequency = clock.counter_frequency().max(1);
        let monotonic = counter_ns(counter, frequency) + self.monotonic_offset;
        let multiplier = (NS_PER_SECOND << 32) / u128::from(frequency);
        let fields = [
            counter,
            u64::try_from(multiplier).unwrap_or(u64::MAX),
            u64::try_from(monotonic).unwrap_or(0),
            clock.wall_offset_ns().cast_unsigned(),
        ];
        *sequence = sequence.wrapping_add(1);
        pool.write(frame, SEQUENCE, &sequence.to_le_bytes());
        for (i, field) in fields.iter().enumerate() {
            pool.write(frame, CLOCKS + 8 * i, &field.to_le_bytes());
        }
        *sequence = sequence.wrapping_add(1);
        pool.write(frame, SEQUENCE, &sequence.to_le_bytes());
        self.written_ns.store(clock.monotonic_ns(), Ordering::Relaxed);
        drop(sequence);
        self.frames.put(frame);
    }

    /// As [`Vdso::refresh`], unless that was done less than a second ago.
    pub fn refresh_if_stale(&self, clock: &dyn Clock) {
        let age = clock.monotonic_ns().saturating_sub(self.written_ns.load(Ordering::Relaxed));
        if age >= REFRESH_NS {
            self.refresh(clock);
        }
    }

    /// Maps the data and the image; gives where the image starts. `None` if
    /// there is no memory or no room for it.
    pub(crate) fn map_into(&self, mm: &Mm, clock: &dyn Clock) -> Option<u64> {
        let pages = self.pages.as_ref()?;
        self.refresh_if_stale(clock);
        let base = mm.find_free(2 * PAGE_SIZE, PAGE_SIZE).ok()?;
        let map = |addr, object: &Arc<Object>, label: &Arc<Label>, prot| {
            mm.map(&MapRequest {
                placement: Placement::FixedNoReplace(addr),
                len: PAGE_SIZE,
                prot,
                flags: VmaFlags::SPECIAL | VmaFlags::MAY_EXEC,
                object: Some(object.clone()),
                offset: 0,
                label: Some(label.clone()),
            })
        };
        map(base, &pages.data, &pages.data_label, Prot::READ).ok()?;
        map(base + PAGE_SIZE, &pages.image, &pages.image_label, Prot::READ | Prot::EXEC).ok()?;
        Some(base + PAGE_SIZE)
    }
}

impl Mm {
    /// Where a signal handler returns to if its action names no restorer: the
    /// vDSO's `__kernel_rt_sigreturn`. 0, which faults, if there is no vDSO.
    #[must_use]
    pub fn sigreturn_trampoline(&self) -> u64 {
        match self.space.read().layout.vdso {
            0 => 0,
            base => base + SIGRETURN,
        }
    }
}

/// The counter as nanoseconds, rounded down.
fn counter_ns(counter: u64, frequency: u64) -> i128 {
    let ns = u128::from(counter) * NS_PER_SECOND / u128::from(frequency);
    i128::try_from(ns).unwrap_or(i128::MAX)
}

/// What the monotonic clock is ahead of the counter, from the tightest of a few
/// readings.
fn monotonic_offset(clock: &dyn Clock) -> i128 {
    let frequency = clock.counter_frequency().max(1);
    let reading = |_| {
        let before = clock.monotonic_ns();
        let counter = clock.counter();
        let after = clock.monotonic_ns();
        let counter = counter_ns(counter, frequency);
        // Anything between the two is right; 0, if that is, is exact.
        let lowest = i128::from(before) - counter;
        let highest = i128::from(after.max(before)) - counter;
        (highest - lowest, 0_i128.clamp(lowest, highest))
    };
    (0..5).map(reading).min_by_key(|(width, _)| *width).map_or(0, |(_, offset)| offset)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use linux_abi::Wire;
    use linux_abi::elf::{Elf64Ehdr, Elf64Shdr, Elf64Sym};
    use machine::GuestAddr;
    use std::string::String;
    use std::vec::Vec;

    const SHT_PROGBITS: u32 = 1;
    const SHT_DYNSYM: u32 = 11;

    fn sections(image: &[u8]) -> Vec<Elf64Shdr> {
        let header = Elf64Ehdr::load(&image[..Elf64Ehdr::SIZE]);
        let table = &image[header.e_shoff as usize..];
        table.chunks_exact(Elf64Shdr::SIZE).take(header.e_shnum.into()).map(Elf64Shdr::load).collect()
    }

    fn contents<'a>(image: &'a [u8], section: &Elf64Shdr) -> &'a [u8] {
        &image[section.sh_offset as usize..][..section.sh_size as usize]
    }

    fn symbols(image: &[u8]) -> Vec<(String, u64)> {
        let sections = sections(image);
        let symbols = sections.iter().find(|section| section.sh_type == SHT_DYNSYM).expect("a .dynsym");
        let names = contents(image, &sections[symbols.sh_link as usize]);
        let name = |at: u32| {
            let text = names[at as usize..].split(|byte| *byte == 0).next().expect("a name");
            String::from_utf8(text.to_vec()).expect("ASCII")
        };
        let symbols = contents(image, symbols).chunks_exact(Elf64Sym::SIZE).map(Elf64Sym::load);
        symbols.map(|symbol| (name(symbol.st_name), symbol.st_value)).collect()
    }

    #[test]
    fn the_image_has_the_functions_that_programs_look_for() {
        let symbols = symbols(IMAGE);
        for name in ["__kernel_clock_gettime", "__kernel_gettimeofday", "__kernel_clock_getres"] {
            assert!(symbols.iter().any(|(symbol, _)| symbol == name), "{name} is missing");
        }
        assert!(symbols.contains(&(String::from("__kernel_rt_sigreturn"), SIGRETURN)));
        assert!(IMAGE.windows(12).any(|bytes| bytes == b"LINUX_2.6.39"));
        assert!(IMAGE.len() <= PAGE_SIZE as usize, "the image is one page");
    }

    /// Skipped where no cross compiler is installed, as on a plain host.
    #[test]
    fn the_image_is_what_its_source_gives() {
        let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/src/mm/vdso");
        if std::process::Command::new("aarch64-linux-gnu-gcc").arg("--version").output().is_err() {
            return;
        }
        let out = std::env::temp_dir().join(std::format!("vdso-{}.so", std::process::id()));
        let status = std::process::Command::new("sh").arg(std::format!("{directory}/build.sh")).arg(&out).status();
        assert!(status.expect("sh runs").success(), "build.sh fails");
        let built = std::fs::read(&out).expect("the image that was built");
        std::fs::remove_file(&out).expect("it can be removed");
        // Linkers differ in what surrounds the code.
        let code = |image: &[u8]| -> Vec<u8> {
            let sections = sections(image);
            let text = sections.iter().rfind(|section| section.sh_type == SHT_PROGBITS).expect("a .text");
            contents(image, text).to_vec()
        };
        assert_eq!(code(IMAGE), code(&built), "run build.sh vdso.so");
        let sorted = |image: &[u8]| {
            let mut symbols = symbols(image);
            symbols.sort();
            symbols
        };
        assert_eq!(sorted(IMAGE), sorted(&built), "run build.sh vdso.so");
    }

    #[test]
    fn the_data_gives_the_monotonic_clock() {
        let machine = testing::FakeMachine::new(64);
        let kernel = testing::kernel_on(&machine);
        let mm = Mm::new(&kernel).expect("memory");
        let image = kernel.vdso().map_into(&mm, kernel.clock()).expect("memory");
        machine.advance(123_456_789_012);
        kernel.vdso().refresh_if_stale(kernel.clock());
        machine.advance(7_654_321_000);
        let word = |at: u64| u128::from(mm.read_u64(GuestAddr(image - PAGE_SIZE + at)).expect("mapped"));
        assert_eq!(word(0) % 2, 0, "nobody writes");
        let ticks = u128::from(kernel.clock().counter()) - word(8);
        let now = word(24) + ((ticks * word(16)) >> 32);
        let error = i128::from(kernel.now_ns()) - now as i128;
        assert!((0..=16).contains(&error), "off by {error} ns");
        assert_eq!(word(32), 1_600_000_000_000_000_000);
    }

    #[test]
    fn programs_cannot_write_the_data() {
        let kernel = testing::kernel();
        let mm = Mm::new(&kernel).expect("memory");
        let image = kernel.vdso().map_into(&mm, kernel.clock()).expect("memory");
        let data = image - PAGE_SIZE;
        assert!(mm.write_u32(GuestAddr(data), 1).is_err());
        assert!(mm.protect(data..image, Prot::READ | Prot::WRITE).is_err());
    }
}
