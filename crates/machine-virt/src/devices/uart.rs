//! The console: a PL011 whose input comes by interrupt.
//!
//! Input goes into a ring that the kernel reads from. When the ring is full
//! the interrupt is masked, so that the bytes wait in the device and whoever
//! sends them waits too: none is lost.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use core::fmt;

use machine::CharDev;
use machine::sync::Mutex;
use machine_virt::platform::Device;
use spin::Once;

use crate::devices::Registers;

/// Registers by their names in the PL011's manual.
const UARTDR: u64 = 0x00;
const UARTFR: u64 = 0x18;
const UARTLCR_H: u64 = 0x2c;
const UARTCR: u64 = 0x30;
const UARTIFLS: u64 = 0x34;
const UARTIMSC: u64 = 0x38;
const UARTICR: u64 = 0x44;

/// `UARTFR`: the receive FIFO is empty, the transmit FIFO is full.
const RXFE: u32 = 1 << 4;
const TXFF: u32 = 1 << 5;
/// `UARTLCR_H`: FIFOs on, 8 bits.
const FIFOS_8_BITS: u32 = 1 << 4 | 3 << 5;
/// `UARTCR`: on, transmit, receive.
const ON: u32 = 1 | 1 << 8 | 1 << 9;
/// `UARTIMSC`: receive, and receive time-out for what is below the level.
const RX: u32 = 1 << 4 | 1 << 6;
const ALL: u32 = 0x7ff;

/// Bytes of input that wait for the kernel at most.
const RING: usize = 4096;

static REGISTERS: Once<Registers> = Once::new();

/// Makes the device work for output.
pub(crate) fn init(device: &Device) {
    let registers = *REGISTERS.call_once(|| Registers::new(&device.registers));
    registers.write(UARTIMSC, 0);
    registers.write(UARTICR, ALL);
    registers.write(UARTLCR_H, FIFOS_8_BITS);
    registers.write(UARTIFLS, 0);
    registers.write(UARTCR, ON);
}

/// Writes bytes, waiting for the device; nothing if there is none yet. Takes
/// no lock, so that a panic can always be told.
pub(crate) fn write_raw(bytes: &[u8]) {
    let Some(registers) = REGISTERS.get() else { return };
    for byte in bytes {
        while registers.read(UARTFR) & TXFF != 0 {
            core::hint::spin_loop();
        }
        registers.write(UARTDR, u32::from(*byte));
    }
}

/// The device for `write!`, with line ends as terminals want them.
pub(crate) struct Raw;

impl fmt::Write for Raw {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for line in text.split_inclusive('\n') {
            match line.strip_suffix('\n') {
                Some(line) => {
                    write_raw(line.as_bytes());
                    write_raw(b"\r\n");
                }
                None => write_raw(line.as_bytes()),
            }
        }
        Ok(())
    }
}

#[derive(Default)]
struct Input {
    ring: VecDeque<u8>,
    notify: Option<Box<dyn Fn() + Send + Sync>>,
}

/// The console as the kernel has it.
pub(crate) struct Uart {
    registers: Registers,
    input: Mutex<Input>,
}

impl fmt::Debug for Uart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Uart({:?})", self.registers)
    }
}

impl Uart {
    /// The console on `device`, which [`init`] has seen.
    pub(crate) fn new(device: &Device) -> Self {
        let uart = Self { registers: Registers::new(&device.registers), input: Mutex::default() };
        uart.registers.write(UARTIMSC, RX);
        uart
    }

    /// Takes what the device has into the ring, and asks for an interrupt
    /// about more if there is room for it. True if something came.
    fn drain(&self, input: &mut Input) -> bool {
        let before = input.ring.len();
        while input.ring.len() < RING && self.registers.read(UARTFR) & RXFE == 0 {
            // The upper bits tell of line errors, which a byte survives.
            input.ring.push_back((self.registers.read(UARTDR) & 0xff) as u8);
        }
        self.registers.write(UARTIMSC, if input.ring.len() < RING { RX } else { 0 });
        input.ring.len() > before
    }
}

impl Uart {
    /// The device has news.
    pub(crate) fn interrupt(&self) {
        self.registers.write(UARTICR, RX);
        let mut input = self.input.lock();
        if self.drain(&mut input)
            && let Some(notify) = &input.notify
        {
            notify();
        }
    }
}

impl CharDev for Uart {
    fn read(&self, buf: &mut [u8]) -> Result<usize, ()> {
        let mut input = self.input.lock();
        let was_full = input.ring.len() >= RING;
        let count = buf.len().min(input.ring.len());
        for (to, from) in buf.iter_mut().zip(input.ring.drain(..count)) {
            *to = from;
        }
        if was_full && count > 0 {
            // What came into the room is news, for this read does not tell it.
            if self.drain(&mut input)
                && let Some(notify) = &input.notify
            {
                notify();
            }
        }
        Ok(count)
    }

    fn write(&self, buf: &[u8]) -> usize {
        write_raw(buf);
        buf.len()
    }

    fn window_size(&self) -> Option<(u16, u16)> {
        None
    }

    fn set_notify(&self, notify: Box<dyn Fn() + Send + Sync>) {
        self.input.lock().notify = Some(notify);
    }
}
