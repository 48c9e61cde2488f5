//! The machines and systems that artifacts are for.

/// A target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// ARM64 Linux.
    Aarch64Linux,
    /// `x86_64` Linux.
    X86_64Linux,
}

impl Target {
    /// All of them, in the order of their names.
    pub const ALL: [Self; 2] = [Self::Aarch64Linux, Self::X86_64Linux];

    /// How it is written.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Aarch64Linux => "aarch64-linux",
            Self::X86_64Linux => "x86_64-linux",
        }
    }

    /// The target with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|target| target.name() == name)
    }

    /// The machine's number in ELF.
    pub(crate) fn machine(self) -> object::elf::Machine {
        match self {
            Self::Aarch64Linux => object::elf::EM_AARCH64,
            Self::X86_64Linux => object::elf::EM_X86_64,
        }
    }
}
