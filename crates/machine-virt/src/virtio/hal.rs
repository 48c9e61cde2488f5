//! Memory for the rings of `virtio-drivers`.

use core::ptr::NonNull;

use virtio_drivers::{BufferDirection, Hal, PhysAddr};

use crate::mem::dma;

/// What the rings need of this machine: everything they are given lies in the
/// direct map, and the devices see physical addresses.
pub(crate) struct VirtHal;

// SAFETY: `dma_alloc` hands out whole frames that nothing else has, zeroed, by
// their address in the direct map, which is valid for ever; `dma_dealloc`
// takes them back. No other memory is created.
unsafe impl Hal for VirtHal {
    fn dma_alloc(pages: usize, _direction: BufferDirection) -> (PhysAddr, NonNull<u8>) {
        // Address 0 is how the crate is told that there is no memory.
        dma::alloc_contiguous(pages).map_or((0, NonNull::dangling()), |paddr| (paddr, direct(paddr)))
    }

    unsafe fn dma_dealloc(paddr: PhysAddr, _vaddr: NonNull<u8>, pages: usize) -> i32 {
        // SAFETY: the caller returns what `dma_alloc` gave, once.
        unsafe { dma::free_contiguous(paddr, pages) };
        0
    }

    unsafe fn mmio_phys_to_virt(paddr: PhysAddr, size: usize) -> NonNull<u8> {
        // Only the PCI transport asks, and it is not used.
        let region = paddr..paddr.saturating_add(size as u64);
        NonNull::new(dma::device(&region)).unwrap_or(NonNull::dangling())
    }

    unsafe fn share(buffer: NonNull<[u8]>, _direction: BufferDirection) -> PhysAddr {
        // Buffers come from the heap: `blk` copies what does not. A foreign
        // address here is a bug of ours that would corrupt memory.
        physical(buffer).unwrap_or_else(|| panic!("a buffer for a device at {buffer:p} is not in the direct map"))
    }

    unsafe fn unshare(_paddr: PhysAddr, _buffer: NonNull<[u8]>, _direction: BufferDirection) {}
}

/// The address in the direct map of physical memory.
fn direct(paddr: PhysAddr) -> NonNull<u8> {
    NonNull::new(dma::direct(paddr)).unwrap_or(NonNull::dangling())
}

/// Where a device finds `buffer`, if it lies in the direct map, where what is
/// contiguous for the kernel is so for a device.
pub(crate) fn physical(buffer: NonNull<[u8]>) -> Option<PhysAddr> {
    dma::physical(buffer.cast::<u8>().as_ptr(), buffer.len())
}
