//! Terminal settings: `struct termios`, `struct termios2` and `struct winsize`
//! as arm64 Linux lays them out, and the modes as typed bits.

use bitflags::bitflags;

bitflags! {
    /// `c_iflag`. Bits that only a serial line has are kept and have no effect.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Input: u32 {
        /// Mark parity errors; here, double the byte 0xff.
        const PARMRK = 0o10;
        /// Clear the eighth bit.
        const ISTRIP = 0o40;
        /// Newline becomes carriage return.
        const INLCR = 0o100;
        /// Drop carriage returns.
        const IGNCR = 0o200;
        /// Carriage return becomes newline.
        const ICRNL = 0o400;
        /// Upper case becomes lower case.
        const IUCLC = 0o1000;
        /// VSTOP and VSTART stop and start the output.
        const IXON = 0o2000;
        /// Any byte starts the output.
        const IXANY = 0o4000;
        /// Erasing takes a whole UTF-8 character.
        const IUTF8 = 0o40000;
        const _ = !0;
    }

    /// `c_oflag`.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Output: u32 {
        /// Process output at all.
        const OPOST = 0o1;
        /// Lower case becomes upper case.
        const OLCUC = 0o2;
        /// Newline becomes carriage return and newline.
        const ONLCR = 0o4;
        /// Carriage return becomes newline.
        const OCRNL = 0o10;
        /// No carriage return at column 0.
        const ONOCR = 0o20;
        /// Newline returns the carriage.
        const ONLRET = 0o40;
        /// Both bits: tabs become spaces.
        const TAB3 = 0o14000;
        const _ = !0;
    }

    /// `c_lflag`.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Local: u32 {
        /// VINTR, VQUIT and VSUSP send signals.
        const ISIG = 0o1;
        /// Input comes in lines that can be edited.
        const ICANON = 0o2;
        /// Input is shown.
        const ECHO = 0o10;
        /// VERASE wipes the character out on the screen.
        const ECHOE = 0o20;
        /// VKILL is followed by a newline.
        const ECHOK = 0o40;
        /// Newline is shown even without ECHO.
        const ECHONL = 0o100;
        /// Signals flush nothing.
        const NOFLSH = 0o200;
        /// Background output sends SIGTTOU.
        const TOSTOP = 0o400;
        /// Control characters are shown as `^X`.
        const ECHOCTL = 0o1000;
        /// Erased characters are shown backwards, as on paper.
        const ECHOPRT = 0o2000;
        /// VKILL wipes the line out on the screen.
        const ECHOKE = 0o4000;
        /// Reprint at the next byte; not acted on, as in Linux.
        const PENDIN = 0o40000;
        /// VWERASE, VLNEXT, VREPRINT and VEOL2 have their meaning.
        const IEXTEN = 0o100000;
        /// The other end edits lines.
        const EXTPROC = 0o200000;
        const _ = !0;
    }
}

/// Bytes of `c_cc` that the kernel's structures have.
pub const NCCS: usize = 19;

/// Indices into `c_cc`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Control {
    /// Sends SIGINT.
    VINTR = 0,
    /// Sends SIGQUIT.
    VQUIT = 1,
    /// Erases a character.
    VERASE = 2,
    /// Erases the line.
    VKILL = 3,
    /// Ends the input.
    VEOF = 4,
    /// The read timer, in tenths of a second.
    VTIME = 5,
    /// How many bytes satisfy a read.
    VMIN = 6,
    /// Starts the output.
    VSTART = 8,
    /// Stops the output.
    VSTOP = 9,
    /// Sends SIGTSTP.
    VSUSP = 10,
    /// Ends a line.
    VEOL = 11,
    /// Shows the line again.
    VREPRINT = 12,
    /// Erases a word.
    VWERASE = 14,
    /// Takes the next byte literally.
    VLNEXT = 15,
    /// Ends a line, too.
    VEOL2 = 16,
}

/// The settings of a terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Termios {
    /// `c_iflag`.
    pub input: Input,
    /// `c_oflag`.
    pub output: Output,
    /// `c_cflag`; no line is behind it, so it is only kept.
    pub control: u32,
    /// `c_lflag`.
    pub local: Local,
    /// `c_line`; 0 is the only discipline.
    pub line: u8,
    /// `c_cc`.
    pub characters: [u8; NCCS],
    /// Bits a second, inwards.
    pub input_speed: u32,
    /// Bits a second, outwards.
    pub output_speed: u32,
}

/// `B38400 | CS8 | CREAD`.
const CONTROL_DEFAULT: u32 = 0o17 | 0o60 | 0o200;
/// `CBAUD`, `CBAUDEX` (which as a speed is `BOTHER`) and `CIBAUD`.
const CBAUD: u32 = 0o10017;
const BOTHER: u32 = 0o10000;
const CIBAUD: u32 = 0o02_003_600_000;
const IBSHIFT: u32 = 16;

/// Bits a second for `CBAUD` codes 0 to 15, and from 0o10001 on.
const SLOW: [u32; 16] = [0, 50, 75, 110, 134, 150, 200, 300, 600, 1200, 1800, 2400, 4800, 9600, 19200, 38400];
const FAST: [u32; 15] = [
    57600, 115_200, 230_400, 460_800, 500_000, 576_000, 921_600, 1_000_000, 1_152_000, 1_500_000, 2_000_000, 2_500_000,
    3_000_000, 3_500_000, 4_000_000,
];

fn speed_of_code(code: u32) -> Option<u32> {
    let index = usize::try_from(code & 0o17).ok()?;
    if code & BOTHER == 0 { SLOW.get(index).copied() } else { FAST.get(index.checked_sub(1)?).copied() }
}

impl Default for Termios {
    /// What `stty sane` and Linux's `tty_std_termios` have.
    fn default() -> Self {
        Self {
            input: Input::ICRNL | Input::IXON,
            output: Output::OPOST | Output::ONLCR,
            control: CONTROL_DEFAULT,
            local: Local::ISIG
                | Local::ICANON
                | Local::ECHO
                | Local::ECHOE
                | Local::ECHOK
                | Local::ECHOCTL
                | Local::ECHOKE
                | Local::IEXTEN,
            line: 0,
            characters: [3, 28, 127, 21, 4, 0, 1, 0, 17, 19, 26, 0, 18, 15, 23, 22, 0, 0, 0],
            input_speed: 38400,
            output_speed: 38400,
        }
    }
}

fn word(bytes: &[u8], index: usize) -> u32 {
    let mut raw = [0; 4];
    if let Some(slice) = bytes.get(index * 4..index * 4 + 4) {
        raw.copy_from_slice(slice);
    }
    u32::from_le_bytes(raw)
}

impl Termios {
    /// Bytes in a `struct termios`.
    pub const SIZE: usize = 36;
    /// Bytes in a `struct termios2`.
    pub const SIZE2: usize = 44;

    /// The value of a control character's slot.
    #[must_use]
    pub fn character(&self, index: Control) -> u8 {
        self.characters[index as usize]
    }

    /// True if `byte` is this control character. Zero (`_POSIX_VDISABLE`)
    /// switches a character off.
    #[must_use]
    pub fn is(&self, index: Control, byte: u8) -> bool {
        byte != 0 && self.character(index) == byte
    }

    /// As a `struct termios2`; its first 36 bytes are the `struct termios`.
    #[must_use]
    pub fn to_bytes2(&self) -> [u8; Self::SIZE2] {
        let mut out = [0; Self::SIZE2];
        let words = [self.input.bits(), self.output.bits(), self.control, self.local.bits()];
        for (slot, word) in out.chunks_exact_mut(4).zip(words) {
            slot.copy_from_slice(&word.to_le_bytes());
        }
        out[16] = self.line;
        out[17..36].copy_from_slice(&self.characters);
        out[36..40].copy_from_slice(&self.input_speed.to_le_bytes());
        out[40..44].copy_from_slice(&self.output_speed.to_le_bytes());
        out
    }

    /// From a `struct termios`: speeds follow from `c_cflag`.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; Self::SIZE], old: &Self) -> Self {
        let mut new = Self::from_common(bytes, old);
        new.settle_speeds(old.input_speed, old.output_speed);
        new
    }

    /// From a `struct termios2`: with `BOTHER` the speeds are as given.
    #[must_use]
    pub fn from_bytes2(bytes: &[u8; Self::SIZE2], old: &Self) -> Self {
        let mut new = Self::from_common(bytes, old);
        new.settle_speeds(word(bytes, 9), word(bytes, 10));
        new
    }

    /// Bytes in a `struct termio`.
    pub const SIZE_OLD: usize = 18;

    /// As a `struct termio`: the low halves of the modes and eight characters.
    #[must_use]
    pub fn to_termio(&self) -> [u8; Self::SIZE_OLD] {
        let mut out = [0; Self::SIZE_OLD];
        let words = [self.input.bits(), self.output.bits(), self.control, self.local.bits()];
        for (slot, word) in out.chunks_exact_mut(2).zip(words) {
            slot.copy_from_slice(&word.to_le_bytes()[..2]);
        }
        out[8] = self.line;
        out[9..17].copy_from_slice(&self.characters[..8]);
        out
    }

    /// From a `struct termio`; what it does not have stays as it is.
    #[must_use]
    pub fn from_termio(bytes: &[u8; Self::SIZE_OLD], old: &Self) -> Self {
        let low =
            |i: usize, old: u32| old & 0xffff_0000 | u32::from(u16::from_le_bytes([bytes[2 * i], bytes[2 * i + 1]]));
        let mut new = old.clone();
        new.input = Input::from_bits_retain(low(0, old.input.bits()));
        new.output = Output::from_bits_retain(low(1, old.output.bits()));
        new.control = low(2, old.control);
        new.local = Local::from_bits_retain(low(3, old.local.bits()));
        new.characters[..8].copy_from_slice(&bytes[9..17]);
        new.settle_speeds(old.input_speed, old.output_speed);
        new
    }

    fn from_common(bytes: &[u8], old: &Self) -> Self {
        let mut new = Self {
            input: Input::from_bits_retain(word(bytes, 0)),
            output: Output::from_bits_retain(word(bytes, 1)),
            control: word(bytes, 2),
            local: Local::from_bits_retain(word(bytes, 3)),
            line: 0,
            ..old.clone()
        };
        for (to, from) in new.characters.iter_mut().zip(bytes.iter().skip(17)) {
            *to = *from;
        }
        new
    }

    fn settle_speeds(&mut self, other_input: u32, other_output: u32) {
        let code = self.control & CBAUD;
        self.output_speed =
            if code == BOTHER { other_output } else { speed_of_code(code).unwrap_or(self.output_speed) };
        let code = (self.control & CIBAUD) >> IBSHIFT;
        self.input_speed = match code {
            0 => self.output_speed,
            BOTHER => other_input,
            _ => speed_of_code(code).unwrap_or(self.output_speed),
        };
    }
}

/// The size of a terminal's window, `struct winsize`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WindowSize {
    /// Rows of characters.
    pub rows: u16,
    /// Columns of characters.
    pub columns: u16,
    /// Width in pixels, 0 if unknown.
    pub width: u16,
    /// Height in pixels, 0 if unknown.
    pub height: u16,
}

impl WindowSize {
    /// Bytes in a `struct winsize`.
    pub const SIZE: usize = 8;

    /// As a `struct winsize`.
    #[must_use]
    pub fn to_bytes(self) -> [u8; Self::SIZE] {
        let mut out = [0; Self::SIZE];
        for (slot, value) in out.chunks_exact_mut(2).zip([self.rows, self.columns, self.width, self.height]) {
            slot.copy_from_slice(&value.to_le_bytes());
        }
        out
    }

    /// From a `struct winsize`.
    #[must_use]
    pub fn from_bytes(bytes: [u8; Self::SIZE]) -> Self {
        let half = |i: usize| u16::from_le_bytes([bytes[2 * i], bytes[2 * i + 1]]);
        Self { rows: half(0), columns: half(1), width: half(2), height: half(3) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_survive_the_trip_through_bytes() {
        let mut termios = Termios::default();
        termios.characters[4] = 9;
        termios.local.remove(Local::ECHO);
        assert_eq!(Termios::from_bytes2(&termios.to_bytes2(), &Termios::default()), termios);
    }

    #[test]
    fn the_speed_follows_the_code() {
        let mut bytes = Termios::default().to_bytes2();
        bytes[8..12].copy_from_slice(&(0o10002_u32 | 0o60).to_le_bytes());
        let new = Termios::from_bytes2(&bytes, &Termios::default());
        assert_eq!((new.input_speed, new.output_speed), (115_200, 115_200));
    }

    #[test]
    fn a_speed_of_its_own_needs_termios2() {
        let mut bytes = Termios::default().to_bytes2();
        bytes[8..12].copy_from_slice(&(BOTHER | 0o60).to_le_bytes());
        bytes[40..44].copy_from_slice(&12345_u32.to_le_bytes());
        assert_eq!(Termios::from_bytes2(&bytes, &Termios::default()).output_speed, 12345);
    }

    #[test]
    fn zero_is_no_control_character() {
        assert!(!Termios::default().is(Control::VEOL, 0));
        assert!(Termios::default().is(Control::VINTR, 3));
    }
}
