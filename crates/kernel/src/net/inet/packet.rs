//! Packets on their way through the stack: [`Packet`], and [`Pool`], which
//! keeps buffers that have been used, so that a busy link allocates nothing.

use alloc::vec::Vec;
use core::fmt;

/// Room before an IP packet for an Ethernet header.
pub(super) const HEADROOM: usize = 14;

/// Buffers up to this size are kept apart from larger ones.
const SMALL: usize = 2048;
/// How many buffers of each size a pool keeps.
const SMALL_KEPT: usize = 256;
const LARGE_KEPT: usize = 16;

/// An IP packet, with room for an Ethernet header before it.
#[derive(Default)]
pub(super) struct Packet {
    /// May be longer than what is in use: buffers keep their size.
    bytes: Vec<u8>,
    len: usize,
}

impl fmt::Debug for Packet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Packet({} bytes)", self.len)
    }
}

impl Packet {
    /// The IP packet.
    pub(super) fn ip(&self) -> &[u8] {
        self.bytes.get(HEADROOM..HEADROOM + self.len).unwrap_or_default()
    }

    /// The IP packet, to be written.
    pub(super) fn ip_mut(&mut self) -> &mut [u8] {
        self.bytes.get_mut(HEADROOM..HEADROOM + self.len).unwrap_or_default()
    }

    /// The Ethernet frame around it.
    pub(super) fn frame(&self) -> &[u8] {
        self.bytes.get(..HEADROOM + self.len).unwrap_or_default()
    }

    /// The Ethernet frame around it, to be written.
    pub(super) fn frame_mut(&mut self) -> &mut [u8] {
        self.bytes.get_mut(..HEADROOM + self.len).unwrap_or_default()
    }

    /// Bytes of the IP packet.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Cuts what follows the IP packet, such as the padding of a short frame.
    pub(super) fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }
}

/// Buffers that are free.
#[derive(Default)]
pub(super) struct Pool {
    small: Vec<Vec<u8>>,
    large: Vec<Vec<u8>>,
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pool({} small, {} large)", self.small.len(), self.large.len())
    }
}

impl Pool {
    /// A packet of `len` bytes, whose contents are of no meaning; `None` if
    /// there is no memory for it.
    pub(super) fn get(&mut self, len: usize) -> Option<Packet> {
        let needed = len.checked_add(HEADROOM)?;
        let kept = if needed <= SMALL { &mut self.small } else { &mut self.large };
        let mut bytes = kept.pop().unwrap_or_default();
        if bytes.len() < needed {
            // The first user decides; buffers of a kind are soon of one size.
            let size = if needed <= SMALL { SMALL } else { needed };
            bytes.try_reserve_exact(size - bytes.len()).ok()?;
            bytes.resize(size, 0);
        }
        Some(Packet { bytes, len })
    }

    /// Takes a buffer back.
    pub(super) fn put(&mut self, packet: Packet) {
        let (kept, most) =
            if packet.bytes.len() <= SMALL { (&mut self.small, SMALL_KEPT) } else { (&mut self.large, LARGE_KEPT) };
        if !packet.bytes.is_empty() && kept.len() < most {
            kept.push(packet.bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_that_comes_back_is_used_again() {
        let mut pool = Pool::default();
        let packet = pool.get(100).unwrap();
        assert_eq!((packet.ip().len(), packet.frame().len()), (100, 114));
        let first = packet.frame().as_ptr();
        pool.put(packet);
        assert_eq!(pool.get(1500).unwrap().frame().as_ptr(), first);
    }
}
