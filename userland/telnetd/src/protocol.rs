//! The server's side of the telnet protocol (RFC 854, 855, 857, 858, 1073 and
//! 1091), without any I/O: bytes go in one at a time, replies and events come out.
//!
//! [`Receiver`] takes apart what a client sends, [`Sender`] wraps what the
//! terminal prints. Neither keeps more than a few bytes, whatever arrives.

/// Commands, which follow an [`IAC`].
pub const SE: u8 = 240;
const EOF: u8 = 236;
const SUSP: u8 = 237;
const ABORT: u8 = 238;
const BRK: u8 = 243;
const IP: u8 = 244;
const AYT: u8 = 246;
const EC: u8 = 247;
const EL: u8 = 248;
pub const SB: u8 = 250;
pub const WILL: u8 = 251;
pub const WONT: u8 = 252;
pub const DO: u8 = 253;
pub const DONT: u8 = 254;
/// Announces a command; doubled, it is itself.
pub const IAC: u8 = 255;

/// Options.
pub const ECHO: u8 = 1;
pub const SUPPRESS_GO_AHEAD: u8 = 3;
pub const TERMINAL_TYPE: u8 = 24;
pub const WINDOW_SIZE: u8 = 31;

const TTYPE_IS: u8 = 0;
const TTYPE_SEND: u8 = 1;

/// What the server says first. The states of a new [`Receiver`] fit it.
pub const OFFERS: [u8; 12] = [
    IAC,
    WILL,
    ECHO,
    IAC,
    WILL,
    SUPPRESS_GO_AHEAD,
    IAC,
    DO,
    TERMINAL_TYPE,
    IAC,
    DO,
    WINDOW_SIZE,
];

const SEND_TERMINAL_TYPE: [u8; 6] = [IAC, SB, TERMINAL_TYPE, TTYPE_SEND, IAC, SE];

/// The most bytes of replies that one received byte causes.
pub const MAX_REPLY: usize = 3 + SEND_TERMINAL_TYPE.len();

/// Longer subnegotiations are skipped: the longest known one has a terminal's name.
const MAX_SUBNEGOTIATION: usize = 48;

/// Where the agreement on an option stands, as in RFC 1143. Nothing is ever
/// switched off by this side, so its other states do not occur.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Agreement {
    Off,
    /// This side has asked and waits for the answer.
    Asked,
    On,
}

impl Agreement {
    /// The other side is for it: whether that has to be answered.
    fn agree(&mut self) -> bool {
        std::mem::replace(self, Self::On) == Self::Off
    }

    /// The other side is against it: whether that has to be answered.
    fn refuse(&mut self) -> bool {
        std::mem::replace(self, Self::Off) == Self::On
    }
}

/// What a client asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A byte that was typed. The end of a line is a carriage return.
    Data(u8),
    /// A key that the terminal's settings know by this function.
    Key(Key),
    /// `AYT`.
    AreYouThere,
    /// The window has this many columns and rows, of which 0 is unknown.
    WindowSize(u16, u16),
    /// The name of the terminal, fit for `TERM`.
    TerminalType(String),
}

/// Functions of keys in a terminal's `c_cc`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// `IP`, and `BRK`, which interrupts on a serial line too.
    Interrupt,
    /// `ABORT`.
    Quit,
    /// `SUSP`.
    Suspend,
    /// `EOF`.
    EndOfFile,
    /// `EC`.
    Erase,
    /// `EL`.
    Kill,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Data,
    /// After an `IAC`.
    Command,
    /// After one of `WILL`, `WONT`, `DO` and `DONT`.
    Option(u8),
    Subnegotiation,
    /// After an `IAC` in a subnegotiation.
    SubnegotiationCommand,
}

/// Takes apart the stream from a client.
#[derive(Debug)]
pub struct Receiver {
    state: State,
    /// The last byte of data was a carriage return, whose line feed or NUL says nothing more.
    after_return: bool,
    subnegotiation: Vec<u8>,
    is_too_long: bool,
    has_negotiated: bool,
    has_terminal_type: bool,
    has_window_size: bool,
    our_echo: Agreement,
    our_suppress_go_ahead: Agreement,
    their_suppress_go_ahead: Agreement,
    their_terminal_type: Agreement,
    their_window_size: Agreement,
}

impl Default for Receiver {
    fn default() -> Self {
        Self {
            state: State::Data,
            after_return: false,
            subnegotiation: Vec::with_capacity(MAX_SUBNEGOTIATION),
            is_too_long: false,
            has_negotiated: false,
            has_terminal_type: false,
            has_window_size: false,
            our_echo: Agreement::Asked,
            our_suppress_go_ahead: Agreement::Asked,
            their_suppress_go_ahead: Agreement::Off,
            their_terminal_type: Agreement::Asked,
            their_window_size: Agreement::Asked,
        }
    }
}

impl Receiver {
    /// Whether the client has said anything of the protocol.
    pub fn has_negotiated(&self) -> bool {
        self.has_negotiated
    }

    /// Whether the client has told, or will not tell, its terminal and its window.
    pub fn is_settled(&self) -> bool {
        let told = |agreement, is_told| match agreement {
            Agreement::Off => true,
            Agreement::Asked => false,
            Agreement::On => is_told,
        };
        told(self.their_terminal_type, self.has_terminal_type)
            && told(self.their_window_size, self.has_window_size)
    }

    /// Takes the next byte. Appends at most [`MAX_REPLY`] bytes to `replies`.
    pub fn take(&mut self, byte: u8, replies: &mut Vec<u8>) -> Option<Event> {
        match self.state {
            State::Data if byte == IAC => {
                self.state = State::Command;
                None
            }
            State::Data => self.data(byte),
            State::Command => {
                self.state = State::Data;
                self.command(byte)
            }
            State::Option(verb) => {
                self.state = State::Data;
                self.option(verb, byte, replies);
                None
            }
            State::Subnegotiation => {
                if byte == IAC {
                    self.state = State::SubnegotiationCommand;
                } else {
                    self.collect(byte);
                }
                None
            }
            State::SubnegotiationCommand => match byte {
                IAC => {
                    self.state = State::Subnegotiation;
                    self.collect(byte);
                    None
                }
                SE => {
                    self.state = State::Data;
                    self.end_subnegotiation()
                }
                // No command may be here: the end has been lost, and this is what follows it.
                _ => {
                    self.state = State::Data;
                    self.command(byte)
                }
            },
        }
    }

    fn data(&mut self, byte: u8) -> Option<Event> {
        let is_rest_of_return = self.after_return && matches!(byte, b'\n' | 0);
        self.after_return = byte == b'\r';
        (!is_rest_of_return).then_some(Event::Data(byte))
    }

    fn command(&mut self, byte: u8) -> Option<Event> {
        if byte != IAC {
            self.has_negotiated = true;
        }
        match byte {
            IAC => return self.data(IAC),
            WILL | WONT | DO | DONT => self.state = State::Option(byte),
            SB => {
                self.state = State::Subnegotiation;
                self.subnegotiation.clear();
                self.is_too_long = false;
            }
            BRK | IP => return Some(Event::Key(Key::Interrupt)),
            ABORT => return Some(Event::Key(Key::Quit)),
            SUSP => return Some(Event::Key(Key::Suspend)),
            EOF => return Some(Event::Key(Key::EndOfFile)),
            EC => return Some(Event::Key(Key::Erase)),
            EL => return Some(Event::Key(Key::Kill)),
            AYT => return Some(Event::AreYouThere),
            // NOP, GA, the data mark of a Synch, AO, since the output that it gives up has
            // been sent already, and numbers without a meaning.
            _ => {}
        }
        None
    }

    fn option(&mut self, verb: u8, option: u8, replies: &mut Vec<u8>) {
        let agreement = match (verb, option) {
            (DO | DONT, ECHO) => Some(&mut self.our_echo),
            (DO | DONT, SUPPRESS_GO_AHEAD) => Some(&mut self.our_suppress_go_ahead),
            (WILL | WONT, SUPPRESS_GO_AHEAD) => Some(&mut self.their_suppress_go_ahead),
            (WILL | WONT, TERMINAL_TYPE) => Some(&mut self.their_terminal_type),
            (WILL | WONT, WINDOW_SIZE) => Some(&mut self.their_window_size),
            _ => None,
        };
        let (yes, no) = if matches!(verb, DO | DONT) {
            (WILL, WONT)
        } else {
            (DO, DONT)
        };
        let answer = match (verb, agreement) {
            (DO | WILL, Some(agreement)) => {
                let was_on = *agreement == Agreement::On;
                let answer = agreement.agree().then_some(yes);
                if option == TERMINAL_TYPE && !was_on {
                    replies.extend(answer.map(|verb| [IAC, verb, option]).iter().flatten());
                    replies.extend(SEND_TERMINAL_TYPE);
                    return;
                }
                answer
            }
            (_, Some(agreement)) => agreement.refuse().then_some(no),
            // A refusal of what is off anyway needs no answer, or two sides could go on for ever.
            (DO | WILL, None) => Some(no),
            _ => None,
        };
        if let Some(verb) = answer {
            replies.extend([IAC, verb, option]);
        }
    }

    fn collect(&mut self, byte: u8) {
        if self.subnegotiation.len() < MAX_SUBNEGOTIATION {
            self.subnegotiation.push(byte);
        } else {
            self.is_too_long = true;
        }
    }

    fn end_subnegotiation(&mut self) -> Option<Event> {
        if self.is_too_long {
            return None;
        }
        match self.subnegotiation[..] {
            [WINDOW_SIZE, w1, w0, h1, h0] => {
                self.has_window_size = true;
                let size = (u16::from_be_bytes([w1, w0]), u16::from_be_bytes([h1, h0]));
                Some(Event::WindowSize(size.0, size.1))
            }
            [TERMINAL_TYPE, TTYPE_IS, ref name @ ..] => {
                self.has_terminal_type = true;
                terminal_name(name).map(Event::TerminalType)
            }
            _ => None,
        }
    }
}

/// A terminal's name in small letters, if it has only what such names have: it
/// goes into the environment of a shell and into file names.
fn terminal_name(name: &[u8]) -> Option<String> {
    let is_usual = |b: &u8| b.is_ascii_alphanumeric() || b"-_+.".contains(b);
    if !name.first()?.is_ascii_alphanumeric() || !name.iter().all(is_usual) {
        return None;
    }
    Some(String::from_utf8_lossy(name).to_ascii_lowercase())
}

/// Wraps what the terminal prints.
#[derive(Debug, Default)]
pub struct Sender {
    after_return: bool,
}

impl Sender {
    /// Appends `bytes` as they go over the line, at most twice as many and one more.
    ///
    /// A carriage return must be followed by a line feed or NUL. At the end of
    /// `bytes` the NUL waits for the next byte, which may be the line feed.
    pub fn wrap(&mut self, bytes: &[u8], line: &mut Vec<u8>) {
        for &byte in bytes {
            if self.after_return && byte != b'\n' {
                line.push(0);
            }
            self.after_return = byte == b'\r';
            line.push(byte);
            if byte == IAC {
                line.push(IAC);
            }
        }
    }
}

#[cfg(test)]
mod tests;
