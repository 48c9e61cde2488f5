//! Device files: drivers by number, and the nodes that devfs gives them.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use linux_abi::Errno;
use linux_abi::stat::{major, minor};
use machine::sync::RwLock;

use crate::error::{Because, Result};
use crate::fs::{FileOps, Opening};

/// The driver of a character device.
pub trait CharDriver: Send + Sync + 'static {
    /// Opens the device.
    ///
    /// # Errors
    /// `ENXIO` if there is no such device, and what else the driver says.
    fn open(&self, opening: &Opening<'_>, minor: u32) -> Result<Arc<dyn FileOps>>;
}

/// A driver under its number.
#[derive(Clone)]
pub(crate) struct Registered {
    pub(crate) major: u32,
    pub(crate) minor: u32,
    pub(crate) name: String,
    driver: Arc<dyn CharDriver>,
}

impl fmt::Debug for Registered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}:{})", self.name, self.major, self.minor)
    }
}

/// Stands for every minor number of a major one.
const ANY_MINOR: u32 = u32::MAX;

/// The character devices of a kernel.
#[derive(Debug, Default)]
pub struct CharDevices {
    by_number: RwLock<BTreeMap<(u32, u32), Registered>>,
}

impl CharDevices {
    pub(super) fn register(&self, major: u32, minor: u32, name: &str, driver: Arc<dyn CharDriver>) {
        let registered = Registered { major, minor, name: String::from(name), driver };
        self.by_number.write().insert((major, minor), registered);
    }

    /// One driver for all minor numbers that have none of their own.
    pub(super) fn register_major(&self, major: u32, name: &str, driver: Arc<dyn CharDriver>) {
        self.register(major, ANY_MINOR, name, driver);
    }

    /// Major numbers and a name for each, ascending.
    pub(crate) fn majors(&self) -> Vec<(u32, String)> {
        let devices = self.by_number.read();
        let named = devices.values().filter(|device| !device.name.is_empty());
        let mut majors: Vec<(u32, String)> = named.map(|device| (device.major, device.name.clone())).collect();
        majors.dedup_by_key(|(major, _)| *major);
        majors
    }

    /// Opens the device with this number.
    ///
    /// # Errors
    /// `ENXIO` if it has no driver.
    pub(super) fn open(&self, rdev: u64, opening: &Opening<'_>) -> Result<Arc<dyn FileOps>> {
        let number = (major(rdev), minor(rdev));
        let devices = self.by_number.read();
        let device = devices.get(&number).or_else(|| devices.get(&(number.0, ANY_MINOR)));
        let driver = device.map(|device| device.driver.clone());
        drop(devices);
        driver.ok_or(Errno::ENXIO.because("no driver for the device"))?.open(opening, number.1)
    }
}
