//! How much an archive may be.

/// The longest manifest in bytes.
pub const MAX_MANIFEST: usize = 1 << 20;
/// The longest name of a member in bytes; also what the format has room for.
pub const MAX_MEMBER_NAME: usize = 100;
/// The longest exported symbol in bytes.
pub const MAX_SYMBOL: usize = 200;

/// How much an archive may take; [`Limits::default`] is what the command uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The bytes of the archive.
    pub compressed: usize,
    /// The bytes of the expanded archive.
    pub expanded: usize,
    /// How many bytes one byte of the archive may become, beyond the first mebibyte.
    pub ratio: usize,
    /// The bytes of a member.
    pub member: usize,
    /// How many members there are.
    pub members: usize,
    /// How many problems are reported.
    pub problems: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            compressed: 256 << 20,
            expanded: 512 << 20,
            ratio: 200,
            member: 128 << 20,
            members: 4096,
            problems: 1000,
        }
    }
}
