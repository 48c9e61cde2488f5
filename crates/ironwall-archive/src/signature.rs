//! Ed25519 signatures of manifests, and key files.
//!
//! A signature is over the manifest, which has the digest of everything else. The member `manifest.sig` is the public
//! key (32 bytes) and the signature (64 bytes) of `ironwall.archive.v1\0` and the SHA-256 of the manifest.

use crate::digest::sha256;
use crate::problem::{Place, Problem, hex, unhex};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use std::fmt;

/// What is signed begins with this.
const DOMAIN: &[u8] = b"ironwall.archive.v1\0";
/// The length of a signature with its key.
pub const SIGNATURE_LEN: usize = 96;
/// How key files begin.
const PRIVATE: &str = "ironwall-ed25519-private ";
const PUBLIC: &str = "ironwall-ed25519-public ";

/// A public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PublicKey(pub [u8; 32]);

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl PublicKey {
    /// Reads a file as [`Self::to_file`] makes it.
    ///
    /// # Errors
    /// `key.form`.
    pub fn from_file(bytes: &[u8]) -> Result<Self, Problem> {
        let key = key(bytes, PUBLIC)?;
        match VerifyingKey::from_bytes(&key) {
            Ok(point) if !point.is_weak() => Ok(Self(key)),
            _ => Err(Problem::new(Place::File, PUBLIC.len(), "key.form", "this is no public key")),
        }
    }

    /// The text of a file.
    #[must_use]
    pub fn to_file(&self) -> String {
        format!("{PUBLIC}{self}\n")
    }
}

/// A private key. It is not printed.
pub struct PrivateKey(SigningKey);

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey(of {})", self.public())
    }
}

impl PrivateKey {
    /// The key of 32 random bytes.
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// Reads a file as [`Self::to_file`] makes it.
    ///
    /// # Errors
    /// `key.form`; the message holds nothing of the key.
    pub fn from_file(bytes: &[u8]) -> Result<Self, Problem> {
        Ok(Self::from_seed(&key(bytes, PRIVATE)?))
    }

    /// The text of a file, which is secret.
    #[must_use]
    pub fn to_file(&self) -> String {
        format!("{PRIVATE}{}\n", hex(&self.0.to_bytes()))
    }

    /// The public key.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    /// Signs a manifest: the bytes of `manifest.sig`.
    #[must_use]
    pub fn sign(&self, manifest: &[u8]) -> Vec<u8> {
        [&self.public().0[..], &self.0.sign(&message(manifest)).to_bytes()].concat()
    }
}

/// The key that a signature of a manifest is by.
///
/// # Errors
/// Where the signature is wrong, the rule, and what.
pub(crate) fn check(signature: &[u8], manifest: &[u8]) -> Result<PublicKey, (usize, &'static str, &'static str)> {
    let (key, rest) = signature.split_first_chunk::<32>().ok_or((0, "signature.length", "shorter than a key"))?;
    let signature = <[u8; 64]>::try_from(rest).map_err(|_| (32, "signature.length", "not 96 bytes"))?;
    let point = VerifyingKey::from_bytes(key).map_err(|_| (0, "signature.key", "this is no public key"))?;
    // Strictly: no weak keys, and no second signature that follows from a first.
    match point.verify_strict(&message(manifest), &Signature::from_bytes(&signature)) {
        Ok(()) => Ok(PublicKey(*key)),
        Err(_) => Err((32, "signature.wrong", "the signature is not that of the manifest")),
    }
}

fn message(manifest: &[u8]) -> Vec<u8> {
    [DOMAIN, &sha256(manifest)].concat()
}

fn key(bytes: &[u8], prefix: &str) -> Result<[u8; 32], Problem> {
    let text = std::str::from_utf8(bytes).ok().and_then(|text| text.strip_prefix(prefix));
    let key = text.and_then(|text| unhex(text.strip_suffix('\n').unwrap_or(text)));
    let what = format!("a key file is \"{prefix}\", 64 hexadecimal digits and the end of the line");
    key.ok_or_else(|| Problem::new(Place::File, 0, "key.form", what))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_of_one_manifest_and_one_key() {
        let key = PrivateKey::from_seed(&[7; 32]);
        let signature = key.sign(b"manifest");
        assert_eq!(signature.len(), SIGNATURE_LEN);
        assert_eq!(check(&signature, b"manifest"), Ok(key.public()));
        assert_eq!(check(&signature, b"manifesto").expect_err("another manifest").1, "signature.wrong");
        for at in 0..SIGNATURE_LEN {
            let mut damaged = signature.clone();
            damaged[at] ^= 4;
            assert!(check(&damaged, b"manifest").is_err(), "byte {at}");
        }
        assert_eq!(check(&signature[..95], b"manifest").expect_err("short").1, "signature.length");
    }

    #[test]
    fn a_weak_key_signs_nothing() {
        // The neutral point verifies much if it is let to.
        let mut forged = [0; SIGNATURE_LEN];
        (forged[0], forged[32]) = (1, 1);
        assert_eq!(check(&forged, b"manifest").expect_err("weak").1, "signature.wrong");
        assert!(PublicKey::from_file(format!("{PUBLIC}01{}\n", "0".repeat(62)).as_bytes()).is_err());
    }

    #[test]
    fn key_files_are_read_as_they_are_written() {
        let key = PrivateKey::from_seed(&[9; 32]);
        let again = PrivateKey::from_file(key.to_file().as_bytes()).expect("private");
        assert_eq!(again.public(), key.public());
        assert_eq!(PublicKey::from_file(key.public().to_file().as_bytes()), Ok(key.public()));
        assert!(PublicKey::from_file(key.to_file().as_bytes()).is_err());
        assert!(!format!("{key:?}").contains("0909"), "the private key is printed");
    }
}
