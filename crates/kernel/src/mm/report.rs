//! What `/proc/PID/maps`, `statm` and `status` tell of an address space.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;

use machine::{ADDRESS_LIMIT, PAGE_SIZE, Prot};

use crate::mm::{Label, Mm, VmaFlags};

/// One line of `/proc/PID/maps`.
#[derive(Clone, Debug)]
pub struct MapLine {
    /// The addresses.
    pub range: Range<u64>,
    /// What is allowed.
    pub prot: Prot,
    /// Its properties.
    pub flags: VmaFlags,
    /// Where in the file it starts, in bytes.
    pub offset: u64,
    /// The file or name, if any.
    pub label: Option<Arc<Label>>,
}

/// How much memory an address space uses, in pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Mapped addresses (`VmSize`).
    pub size: u64,
    /// Present pages (`VmRSS`).
    pub resident: u64,
    /// Present pages of shared mappings and files.
    pub shared: u64,
    /// Pages of the program's code.
    pub text: u64,
    /// Pages of private writable mappings and the stack.
    pub data: u64,
    /// Pages of mappings that grow down (`VmStk`).
    pub stack: u64,
    /// Locked pages (`VmLck`).
    pub locked: u64,
}

impl Mm {
    /// The mappings in ascending order.
    #[must_use]
    pub fn maps(&self) -> Vec<MapLine> {
        let space = self.space.read();
        let line = |vma: &super::vma::Vma| MapLine {
            range: vma.range.clone(),
            prot: vma.prot,
            flags: vma.flags,
            offset: vma.offset,
            label: vma.label.clone(),
        };
        space.vmas.iter().map(line).collect()
    }

    /// How much memory it uses. Walks the page table.
    #[must_use]
    pub fn usage(&self) -> Usage {
        let space = self.space.read();
        let mut usage = Usage { size: space.vmas.pages(), ..Usage::default() };
        let code = &space.layout.code;
        usage.text = code.end.div_ceil(PAGE_SIZE) - code.start / PAGE_SIZE;
        for vma in space.vmas.iter() {
            let pages = vma.len() / PAGE_SIZE;
            if vma.flags.contains(VmaFlags::GROWSDOWN) {
                usage.stack += pages;
            }
            if vma.is_data() || vma.flags.contains(VmaFlags::GROWSDOWN) {
                usage.data += pages;
            }
            if vma.flags.contains(VmaFlags::LOCKED) {
                usage.locked += pages;
            }
            self.count_pages(vma, vma.range.clone(), &mut usage);
        }
        debug_assert!(usage.size <= ADDRESS_LIMIT / PAGE_SIZE, "more pages than addresses");
        usage
    }

    /// How many pages of a range are present, and how many of those are shared.
    #[must_use]
    pub fn usage_of(&self, range: Range<u64>) -> Usage {
        let space = self.space.read();
        let mut usage = Usage::default();
        for vma in space.vmas.overlapping(range.clone()) {
            let part = vma.range.start.max(range.start)..vma.range.end.min(range.end);
            usage.size += (part.end - part.start) / PAGE_SIZE;
            self.count_pages(vma, part, &mut usage);
        }
        usage
    }

    /// Counts the present pages of a part of a mapping.
    fn count_pages(&self, vma: &super::vma::Vma, part: Range<u64>, usage: &mut Usage) {
        let zero = self.frames.zero();
        self.table.for_each(part, &mut |_, mapping| {
            if Some(mapping.frame) != zero {
                usage.resident += 1;
                let is_own = !vma.is_shared() && self.frames.is_sole(mapping.frame);
                usage.shared += u64::from(vma.object.is_some() && !is_own);
            }
        });
    }
}
