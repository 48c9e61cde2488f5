//! Replaying the log after a loss of power.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;

use super::{
    HEADER, Journal, MAGIC, REVOKE_HEADER, TAG, TAG_ESCAPED, TAG_LAST, TAG_SAME_UUID, TYPE_COMMIT, TYPE_DESCRIPTOR,
    TYPE_REVOKE,
};
use crate::Result;
use crate::bytes::{be32, put_be32};
use crate::cache::Cache;
use crate::error::corrupt;

/// A copy in the log: of which block, where, and whether its first bytes were
/// taken out.
struct Copy {
    home: u32,
    index: u32,
    is_escaped: bool,
}

/// What the log's complete transactions come to.
#[derive(Default)]
struct Contents {
    /// The transactions' copies, with their numbers, in order.
    copies: Vec<(u32, Vec<Copy>)>,
    /// The last transaction that revoked a block.
    revoked: BTreeMap<u32, u32>,
}

/// Writes what the log's complete transactions changed to its place and
/// empties the log; if the device is read-only, puts it into the cache.
/// `blocks_count` limits where blocks may be.
pub(crate) fn replay(journal: &mut Journal, cache: &mut Cache, blocks_count: u32) -> Result<()> {
    let in_place = !cache.device().is_read_only();
    if journal.start != 0 {
        let contents = scan(journal, cache)?;
        let mut latest: BTreeMap<u32, Copy> = BTreeMap::new();
        for (sequence, copies) in contents.copies {
            for copy in copies {
                // A revocation counts for its own transaction and all before.
                let revoked = contents.revoked.get(&copy.home);
                if revoked.is_some_and(|revoked| revoked.wrapping_sub(sequence).cast_signed() >= 0) {
                    continue;
                }
                if copy.home >= blocks_count {
                    return Err(corrupt!("the journal has a copy of block {}", copy.home));
                }
                latest.insert(copy.home, copy);
            }
        }
        for copy in latest.into_values() {
            let mut data = vec![0; cache.block_size()];
            journal.read(cache, copy.index, &mut data)?;
            if copy.is_escaped {
                put_be32(&mut data, 0, MAGIC);
            }
            if in_place {
                cache.device().write(cache.offset(copy.home), &data)?;
                cache.forget(copy.home);
            } else {
                cache.overlay(copy.home, Box::from(data));
            }
        }
    }
    if in_place {
        cache.device().flush()?;
        journal.empty(cache, true)?;
    }
    Ok(())
}

/// Reads the log up to the last complete transaction, and steps the journal's
/// sequence number beyond it.
fn scan(journal: &mut Journal, cache: &Cache) -> Result<Contents> {
    let mut contents = Contents::default();
    let mut copies = Vec::new();
    let mut revoked = Vec::new();
    let mut block = vec![0; cache.block_size()];
    let mut index = journal.start;
    let mut sequence = journal.sequence;
    // Every block of the log is seen once at most.
    let mut left = journal.len - journal.first;
    let next = |index: u32| if index + 1 >= journal.len { journal.first } else { index + 1 };
    while left > 0 {
        journal.read(cache, index, &mut block)?;
        if be32(&block, 0) != MAGIC || be32(&block, 8) != sequence {
            break;
        }
        index = next(index);
        left -= 1;
        match be32(&block, 4) {
            TYPE_DESCRIPTOR => {
                for (home, flags) in tags(&block) {
                    if left == 0 {
                        break;
                    }
                    copies.push(Copy { home, index, is_escaped: flags & TAG_ESCAPED != 0 });
                    index = next(index);
                    left -= 1;
                }
            }
            TYPE_REVOKE => {
                let end = (be32(&block, HEADER) as usize).min(block.len());
                let numbers = block.get(REVOKE_HEADER..end).unwrap_or_default().chunks_exact(4);
                revoked.extend(numbers.map(|number| be32(number, 0)));
            }
            TYPE_COMMIT => {
                contents.copies.push((sequence, core::mem::take(&mut copies)));
                contents.revoked.extend(revoked.drain(..).map(|number| (number, sequence)));
                sequence = sequence.wrapping_add(1);
            }
            _ => break,
        }
    }
    // One more, so that what is left of an incomplete transaction never
    // continues a new one.
    journal.sequence = sequence.wrapping_add(1);
    Ok(contents)
}

/// The tags of a descriptor block: block number and flags.
fn tags(block: &[u8]) -> Vec<(u32, u32)> {
    let mut tags = Vec::new();
    let mut at = HEADER;
    while at + TAG <= block.len() {
        // The upper half of the flags is room for a checksum.
        let flags = be32(block, at + 4) & 0xffff;
        tags.push((be32(block, at), flags));
        at += TAG;
        if flags & TAG_SAME_UUID == 0 {
            at += 16;
        }
        if flags & TAG_LAST != 0 {
            break;
        }
    }
    tags
}
