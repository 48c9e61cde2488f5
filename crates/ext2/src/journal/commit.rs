//! Writing a transaction to the log.

use alloc::vec;
use alloc::vec::Vec;

use super::{
    HEADER, Journal, MAGIC, REVOKE_HEADER, TAG, TAG_ESCAPED, TAG_LAST, TAG_SAME_UUID, TYPE_COMMIT, TYPE_DESCRIPTOR,
    TYPE_REVOKE,
};
use crate::Result;
use crate::bytes::{array, be32, put, put_be32};
use crate::cache::Cache;
use crate::error::corrupt;

impl Journal {
    /// Commits the cache's running transaction; the log is open. When this
    /// returns, the transaction is permanent, and so is everything that was
    /// written to the device before.
    pub(crate) fn commit(&mut self, cache: &mut Cache) -> Result<()> {
        let block_size = cache.block_size();
        // As `transaction` leaves room, this cannot be; but the log must never
        // be written beyond its end.
        if self.transaction_blocks(cache, 0) > self.len - self.head {
            return Err(corrupt!("a transaction is longer than the journal"));
        }
        let mut index = self.head;
        let revoked: Vec<u32> = self.revoked.iter().copied().collect();
        for chunk in revoked.chunks(Self::revokes_per_block(block_size)) {
            self.write(cache, index, &self.revoke_block(chunk, block_size))?;
            index += 1;
        }
        let blocks: Vec<u32> = cache.running().iter().copied().collect();
        for chunk in blocks.chunks(Self::tags_per_block(block_size)) {
            let bytes = self.descriptor_and_copies(cache, chunk)?;
            self.write(cache, index, &bytes)?;
            index += 1 + chunk.len() as u32;
        }
        cache.device().flush()?;
        let mut block = vec![0; block_size];
        self.put_header(&mut block, TYPE_COMMIT);
        self.write(cache, index, &block)?;
        cache.device().flush()?;
        self.head = index + 1;
        self.sequence = self.sequence.wrapping_add(1);
        self.logged.extend(blocks);
        self.revoked.clear();
        cache.mark_committed();
        Ok(())
    }

    fn put_header(&self, block: &mut [u8], block_type: u32) {
        put_be32(block, 0, MAGIC);
        put_be32(block, 4, block_type);
        put_be32(block, 8, self.sequence);
    }

    fn revoke_block(&self, revoked: &[u32], block_size: usize) -> Vec<u8> {
        let mut block = vec![0; block_size];
        self.put_header(&mut block, TYPE_REVOKE);
        put_be32(&mut block, HEADER, (REVOKE_HEADER + revoked.len() * 4) as u32);
        for (i, &number) in revoked.iter().enumerate() {
            put_be32(&mut block, REVOKE_HEADER + i * 4, number);
        }
        block
    }

    fn descriptor_and_copies(&self, cache: &mut Cache, blocks: &[u32]) -> Result<Vec<u8>> {
        let block_size = cache.block_size();
        let mut bytes = Vec::with_capacity(block_size * (blocks.len() + 1));
        bytes.resize(block_size, 0);
        self.put_header(&mut bytes, TYPE_DESCRIPTOR);
        let mut at = HEADER;
        for (i, &block) in blocks.iter().enumerate() {
            let copy = bytes.len();
            bytes.extend_from_slice(cache.get(block)?);
            let mut flags = if i == 0 { 0 } else { TAG_SAME_UUID };
            if i + 1 == blocks.len() {
                flags |= TAG_LAST;
            }
            // A copy must not look like one of the log's own blocks.
            if be32(&bytes, copy) == MAGIC {
                put_be32(&mut bytes, copy, 0);
                flags |= TAG_ESCAPED;
            }
            put_be32(&mut bytes, at, block);
            put_be32(&mut bytes, at + 4, flags);
            at += TAG;
            if i == 0 {
                let uuid: [u8; 16] = array(&self.raw, 0x30);
                put(&mut bytes, at, &uuid);
                at += uuid.len();
            }
        }
        Ok(bytes)
    }
}
