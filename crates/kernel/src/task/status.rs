//! How a process ended.

use core::fmt;

/// How a process ended, as the wait family and an exit status tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitStatus {
    /// `exit` with this code, 0 to 255.
    Code(u8),
    /// Killed by this signal.
    Signal {
        /// The signal's number.
        signal: u8,
        /// A core dump would have been written.
        core: bool,
    },
}

impl ExitStatus {
    /// The word that `wait4` stores.
    #[must_use]
    pub fn wait_word(self) -> u32 {
        match self {
            Self::Code(code) => u32::from(code) << 8,
            Self::Signal { signal, core } => u32::from(signal) | if core { 0x80 } else { 0 },
        }
    }

    /// The code that a shell reports: 128 and the signal's number for a kill.
    #[must_use]
    pub fn shell_code(self) -> u8 {
        match self {
            Self::Code(code) => code,
            Self::Signal { signal, .. } => 128_u8.wrapping_add(signal),
        }
    }
}

impl fmt::Display for ExitStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exited with {code}"),
            Self::Signal { signal, .. } => write!(f, "was killed by signal {signal}"),
        }
    }
}
