//! How far the machine has come: a number that the host can read.

/// What the machine is doing. The image keeps it in the word `BOOT_PHASE`,
/// in a page of its own, so that a host that lost patience can say where the
/// machine stands without reading its console.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u32)]
pub enum Phase {
    /// Nothing has run, or the page was not reached.
    None = 0,
    /// The first instructions in Rust, with the boot page tables.
    Entry = 1,
    /// The device tree was read and memory is set up.
    Memory = 2,
    /// Interrupts, timer and console work.
    Devices = 3,
    /// Disks and network interfaces were found.
    Drivers = 4,
    /// The kernel was made.
    Kernel = 5,
    /// The root file system is there.
    Root = 6,
    /// The first process is about to run.
    Init = 7,
    /// The first process has run its first instruction.
    User = 8,
    /// The last process has ended; files are being written back.
    Stopping = 9,
    /// Everything is on the disk; the machine goes off.
    Off = 10,
    /// The kernel has given up.
    Panic = 255,
}

/// What `BOOT_PHASE` holds before the number, to be found without symbols:
/// "VAMB" in the order of the bytes.
pub const MAGIC: u32 = u32::from_le_bytes(*b"VAMB");

impl Phase {
    /// Every phase, in order.
    pub const ALL: [Self; 12] = [
        Self::None,
        Self::Entry,
        Self::Memory,
        Self::Devices,
        Self::Drivers,
        Self::Kernel,
        Self::Root,
        Self::Init,
        Self::User,
        Self::Stopping,
        Self::Off,
        Self::Panic,
    ];

    /// The phase with this number.
    #[must_use]
    pub fn from_number(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|phase| *phase as u32 == number)
    }

    /// The word for logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Entry => "entry",
            Self::Memory => "memory",
            Self::Devices => "devices",
            Self::Drivers => "drivers",
            Self::Kernel => "kernel",
            Self::Root => "root",
            Self::Init => "init",
            Self::User => "user",
            Self::Stopping => "stopping",
            Self::Off => "off",
            Self::Panic => "panic",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_lead_back_to_their_phases() {
        for phase in Phase::ALL {
            assert_eq!(Phase::from_number(phase as u32), Some(phase));
        }
        assert_eq!(Phase::from_number(77), None);
    }
}
