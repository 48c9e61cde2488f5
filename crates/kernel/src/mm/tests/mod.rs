//! Tests of address spaces on the fake machine.

mod faults;
mod forks;
mod mappings;
mod objects;
mod random;

use std::sync::Arc;
use std::vec::Vec;

use linux_abi::Errno;
use machine::{GuestAddr, PAGE_SIZE, Prot};

use crate::Kernel;
use crate::error::Result;
use crate::mm::{MapRequest, Mm, Object, Placement, VmaFlags};
use crate::testing;

const RW: Prot = Prot::from_bits_truncate(3);
const AT: u64 = 0x10_0000;

/// A kernel, and its free frames before a test did anything.
struct Bench {
    kernel: Arc<Kernel>,
    free: usize,
}

impl Bench {
    fn new() -> Self {
        let kernel = testing::kernel();
        let free = kernel.frame_pool().free_count();
        Self { kernel, free }
    }

    fn mm(&self) -> Arc<Mm> {
        Mm::new(&self.kernel).expect("memory")
    }

    fn used(&self) -> usize {
        self.free - self.kernel.frame_pool().free_count()
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert_eq!(self.used(), 0, "frames leak");
        }
    }
}

fn fixed(addr: u64, pages: u64, prot: Prot) -> MapRequest {
    MapRequest { placement: Placement::Fixed(addr), ..MapRequest::anonymous(pages * PAGE_SIZE, prot) }
}

fn shared(addr: u64, pages: u64, prot: Prot, object: &Arc<Object>) -> MapRequest {
    let flags = VmaFlags::SHARED | VmaFlags::MAY_WRITE | VmaFlags::MAY_EXEC;
    MapRequest { object: Some(object.clone()), flags, ..fixed(addr, pages, prot) }
}

fn private(addr: u64, pages: u64, prot: Prot, object: &Arc<Object>) -> MapRequest {
    MapRequest { object: Some(object.clone()), ..fixed(addr, pages, prot) }
}

fn byte(mm: &Mm, addr: u64) -> Result<u8> {
    let mut byte = [0];
    mm.read(GuestAddr(addr), &mut byte).map(|()| byte[0])
}

fn put(mm: &Mm, addr: u64, value: u8) -> Result<()> {
    mm.write(GuestAddr(addr), &[value])
}

/// Start and end of each mapping in pages from [`AT`], and its protection.
fn layout(mm: &Mm) -> Vec<(u64, u64, u8)> {
    let page = |addr: u64| (addr - AT) / PAGE_SIZE;
    mm.maps().iter().map(|line| (page(line.range.start), page(line.range.end), line.prot.bits())).collect()
}

fn errno<T: std::fmt::Debug>(result: Result<T>) -> Errno {
    result.expect_err("it must fail").errno
}
