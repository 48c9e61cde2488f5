//! Digests, which name archives and everything in them.

use sha2::{Digest, Sha256};

/// The SHA-256 of bytes.
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}
