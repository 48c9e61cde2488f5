//! virtio devices on MMIO transports, legacy (version 1) and modern (version 2).
//!
//! [`probe`] looks at every transport of the device tree and makes the devices
//! that have drivers: [`blk`] disks as [`machine::BlockDev`], [`net`] interfaces as
//! [`machine::NetDev`]. The rings are the crate `virtio-drivers`'; [`hal`] gives
//! it memory. `VIRTIO_F_EVENT_IDX` is
//! not negotiated: suppressing a notification saves little here, and a wrapped
//! index must never lose one.
//!
//! Devices are ordered by address from the top down, since QEMU fills its
//! slots from the top: the first disk of its command line is `vda`.

mod blk;
mod hal;
mod net;

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::ptr::NonNull;

use machine::{BlockDev, NetDev};
use machine_virt::platform::Device;
use virtio_drivers::transport::mmio::{MmioError, MmioTransport, VirtIOHeader};
use virtio_drivers::transport::{DeviceType, Transport};

use self::blk::Blk;
use self::net::Net;
use crate::irq;
use crate::mem::dma;

/// A transport whose registers stay mapped for ever.
pub(crate) type MmioDevice = MmioTransport<'static>;

/// The devices that were found.
#[derive(Default)]
pub(crate) struct Devices {
    pub(crate) disks: Vec<Arc<dyn BlockDev>>,
    pub(crate) networks: Vec<Arc<dyn NetDev>>,
}

/// Why a device is not used.
#[derive(Debug)]
struct Unusable(virtio_drivers::Error);

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "it cannot be set up: {}", self.0)
    }
}

/// Makes every device that has a driver; tells `log` of those that fail.
pub(crate) fn probe(transports: &[Device], log: &mut dyn FnMut(fmt::Arguments<'_>)) -> Devices {
    let mut found = Devices::default();
    for device in transports.iter().rev() {
        let Some(transport) = open(device, log) else { continue };
        let made = match transport.device_type() {
            DeviceType::Block => add_disk(transport, device, &mut found),
            DeviceType::Network => add_network(transport, device, &mut found),
            other => {
                log(format_args!("virtio: no driver for {other:?} at {:#x}", device.registers.start));
                Ok(())
            }
        };
        if let Err(why) = made {
            log(format_args!("virtio: the device at {:#x} is left out: {why}", device.registers.start));
        }
    }
    found
}

/// The transport behind `device`, if a device is plugged into it.
fn open(device: &Device, log: &mut dyn FnMut(fmt::Arguments<'_>)) -> Option<MmioDevice> {
    let len = usize::try_from(device.registers.end - device.registers.start).ok()?;
    let header = NonNull::new(dma::device(&device.registers).cast::<VirtIOHeader>())?;
    // SAFETY: the device tree names these registers as a virtio transport, the
    // mapping is of device memory and is never undone, and each transport of
    // the tree is opened once.
    match unsafe { MmioTransport::new(header, len) } {
        Ok(transport) => Some(transport),
        // An empty slot has device number 0.
        Err(MmioError::InvalidDeviceID(_)) => None,
        Err(error) => {
            log(format_args!("virtio: no transport at {:#x}: {error}", device.registers.start));
            None
        }
    }
}

fn add_disk(transport: MmioDevice, device: &Device, found: &mut Devices) -> Result<(), Unusable> {
    let disk = Arc::new(Blk::new(transport).map_err(Unusable)?);
    if let Some(interrupt) = device.interrupt {
        let handler = disk.clone();
        irq::register(interrupt, "virtio-blk", Arc::new(move || handler.interrupt()));
    }
    disk.read_serial();
    found.disks.push(disk);
    Ok(())
}

fn add_network(transport: MmioDevice, device: &Device, found: &mut Devices) -> Result<(), Unusable> {
    // Locally administered, and different for each interface.
    let number = u8::try_from(found.networks.len()).unwrap_or(u8::MAX);
    let net = Arc::new(Net::new(transport, [0x02, 0, 0, 0, 0, number]).map_err(Unusable)?);
    if let Some(interrupt) = device.interrupt {
        let handler = net.clone();
        irq::register(interrupt, "virtio-net", Arc::new(move || handler.interrupt()));
    }
    found.networks.push(net);
    Ok(())
}
