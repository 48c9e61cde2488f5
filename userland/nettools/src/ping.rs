//! `ping`: sends echo requests and counts the answers.

use crate::options::{number, parse};
use crate::sys::{self, Received};
use crate::{Failure, complain, reason, resolve};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{
    AddressFamily, SendFlags, SocketFlags, SocketType, ipproto, sendto, socket_with,
};
use std::collections::HashMap;
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

const ECHO_REPLY: u8 = 0;
const UNREACHABLE: u8 = 3;
const ECHO_REQUEST: u8 = 8;
const TIME_EXCEEDED: u8 = 11;
/// Bytes of the message before the data.
const HEADER: usize = 8;
/// The longest data of a packet.
const MAX_DATA: usize = 65507;

#[derive(Debug)]
struct Options {
    count: Option<u64>,
    interval: Duration,
    patience: Duration,
    deadline: Option<Duration>,
    data: usize,
    quiet: bool,
    host: String,
}

fn seconds(letter: char, value: &str) -> Result<Duration, String> {
    let seconds: f64 = number(letter, value)?;
    Duration::try_from_secs_f64(seconds)
        .map_err(|_| format!("{value}: no time that -{letter} can have"))
}

fn options(args: &[String]) -> Result<Options, String> {
    let (given, operands) = parse(args, "qn4", "ciWsw")?;
    let [host] = operands[..] else {
        return Err(
            "usage: ping [-q] [-c COUNT] [-i SECONDS] [-W SECONDS] [-w SECONDS] [-s BYTES] HOST"
                .to_owned(),
        );
    };
    let mut options = Options {
        count: None,
        interval: Duration::from_secs(1),
        patience: Duration::from_secs(10),
        deadline: None,
        data: 56,
        quiet: false,
        host: host.to_owned(),
    };
    for (letter, value) in given {
        match letter {
            // 0 is without end, as in other versions.
            'c' => options.count = Some(number::<u64>('c', value)?).filter(|&count| count > 0),
            'i' => options.interval = seconds('i', value)?.max(Duration::from_millis(2)),
            'W' => options.patience = seconds('W', value)?,
            'w' => options.deadline = Some(seconds('w', value)?),
            's' => options.data = number('s', value)?,
            'q' => options.quiet = true,
            // Addresses are shown as numbers and are of version 4 anyway.
            _ => {}
        }
    }
    if options.data > MAX_DATA {
        return Err(format!("{}: more than a packet holds", options.data));
    }
    Ok(options)
}

/// A socket for echo messages, and whether it is a raw one, whose messages come
/// with their IP headers and may be other programs'.
fn open() -> io::Result<(OwnedFd, bool)> {
    let of_type = |kind| {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        socket_with(AddressFamily::INET, kind, flags, Some(ipproto::ICMP))
    };
    // The kernel lets only some groups have the first kind, and only the superuser the second.
    match of_type(SocketType::DGRAM) {
        Ok(socket) => Ok((socket, false)),
        Err(_) => Ok((of_type(SocketType::RAW)?, true)),
    }
}

/// The Internet checksum.
fn checksum(bytes: &[u8]) -> u16 {
    let mut sum: u32 = 0;
    for pair in bytes.chunks(2) {
        let low = pair.get(1).copied().unwrap_or(0);
        sum += u32::from(u16::from_be_bytes([pair[0], low]));
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

fn request(ident: u16, sequence: u16, data: usize) -> Vec<u8> {
    let mut message = vec![ECHO_REQUEST, 0, 0, 0];
    message.extend(ident.to_be_bytes());
    message.extend(sequence.to_be_bytes());
    message.extend((0..data).map(|i| i as u8));
    let sum = checksum(&message).to_be_bytes();
    message[2..4].copy_from_slice(&sum);
    message
}

/// A message of ours taken apart.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Reply { sequence: u16, len: usize },
    Error { kind: u8, code: u8, sequence: u16 },
}

/// What `message` says about requests with `ident`; without one the kernel has chosen.
fn understand(message: &[u8], ident: Option<u16>) -> Option<Answer> {
    let number = |at: usize, bytes: &[u8]| {
        let pair = bytes.get(at..at + 2)?;
        Some(u16::from_be_bytes([pair[0], pair[1]]))
    };
    let is_ours = |bytes: &[u8]| match ident {
        Some(ident) => number(4, bytes) == Some(ident),
        None => true,
    };
    match *message {
        [ECHO_REPLY, 0, ..] if is_ours(message) => Some(Answer::Reply {
            sequence: number(6, message)?,
            len: message.len(),
        }),
        [kind @ (UNREACHABLE | TIME_EXCEEDED), code, ..] => {
            // The header of the packet that it is about follows, and the packet's beginning.
            let inner = message.get(HEADER..)?;
            let header = usize::from(inner.first()? & 15) * 4;
            let request = inner.get(header..).filter(|bytes| is_ours(bytes))?;
            (*request.first()? == ECHO_REQUEST).then_some(Answer::Error {
                kind,
                code,
                sequence: number(6, request)?,
            })
        }
        _ => None,
    }
}

/// A raw socket's message without the IP header, and the header's time to live.
fn strip_ip(packet: &[u8]) -> Option<(&[u8], u8)> {
    let header = usize::from(packet.first()? & 15) * 4;
    Some((packet.get(header..)?, *packet.get(8)?))
}

fn error_name(kind: u8, code: u8) -> &'static str {
    match (kind, code) {
        (UNREACHABLE, 0) => "Destination Net Unreachable",
        (UNREACHABLE, 1) => "Destination Host Unreachable",
        (UNREACHABLE, 2) => "Destination Protocol Unreachable",
        (UNREACHABLE, 3) => "Destination Port Unreachable",
        (UNREACHABLE, _) => "Destination Unreachable",
        _ => "Time to live exceeded",
    }
}

/// What has been sent and has come back.
#[derive(Debug, Default)]
struct Tally {
    sent: u64,
    received: u64,
    duplicates: u64,
    errors: u64,
    /// Sums of the times in milliseconds and of their squares.
    sum: f64,
    squares: f64,
    min: Option<Duration>,
    max: Option<Duration>,
}

impl Tally {
    fn count(&mut self, time: Duration) {
        let milliseconds = time.as_secs_f64() * 1000.0;
        self.received += 1;
        self.sum += milliseconds;
        self.squares += milliseconds * milliseconds;
        self.min = Some(self.min.map_or(time, |min| min.min(time)));
        self.max = Some(self.max.map_or(time, |max| max.max(time)));
    }

    fn summary(&self, host: &str, total: Duration) -> String {
        let lost = self.sent.saturating_sub(self.received);
        let mut text = format!("\n--- {host} ping statistics ---\n");
        text += &format!(
            "{} packets transmitted, {} received",
            self.sent, self.received
        );
        if self.duplicates > 0 {
            text += &format!(", +{} duplicates", self.duplicates);
        }
        if self.errors > 0 {
            text += &format!(", +{} errors", self.errors);
        }
        let percent = lost as f64 * 100.0 / self.sent.max(1) as f64;
        // Six digits, without those that say nothing.
        let percent = format!("{percent:.4}");
        let percent = percent.trim_end_matches('0').trim_end_matches('.');
        text += &format!(", {percent}% packet loss, time {}ms\n", total.as_millis());
        if let (Some(min), Some(max)) = (self.min, self.max) {
            let count = self.received as f64;
            let mean = self.sum / count;
            let deviation = (self.squares / count - mean * mean).max(0.0).sqrt();
            text += &format!(
                "rtt min/avg/max/mdev = {:.3}/{mean:.3}/{:.3}/{deviation:.3} ms\n",
                min.as_secs_f64() * 1000.0,
                max.as_secs_f64() * 1000.0
            );
        }
        text
    }
}

/// `time=` as other versions show it: three significant digits.
fn shown_time(time: Duration) -> String {
    let ms = time.as_secs_f64() * 1000.0;
    match ms {
        ..1.0 => format!("{ms:.3}"),
        ..10.0 => format!("{ms:.2}"),
        ..100.0 => format!("{ms:.1}"),
        _ => format!("{ms:.0}"),
    }
}

struct Pinger {
    options: Options,
    address: Ipv4Addr,
    socket: OwnedFd,
    is_raw: bool,
    ident: u16,
    /// When each request without an answer was sent, by its number.
    waiting: HashMap<u16, Instant>,
    tally: Tally,
}

impl Pinger {
    fn send(&mut self) {
        // Numbers start at 1 and go round after 65,535.
        let sequence = (self.tally.sent + 1) as u16;
        let message = request(self.ident, sequence, self.options.data);
        let to = SocketAddrV4::new(self.address, 0);
        self.tally.sent += 1;
        self.waiting.insert(sequence, Instant::now());
        if let Err(error) = sendto(&self.socket, &message, SendFlags::empty(), &to) {
            self.waiting.remove(&sequence);
            self.tally.errors += 1;
            complain("ping", &format!("sendto: {}", reason(&error.into())));
        }
    }

    /// Takes every message that is there.
    fn receive(&mut self, out: &mut impl Write) -> io::Result<()> {
        let mut buffer = vec![0; MAX_DATA + HEADER + 60];
        loop {
            let Received { len, from, ttl } = match sys::receive(&self.socket, &mut buffer) {
                Ok(received) => received,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
                Err(error) => {
                    // An error that a message of the network has caused.
                    self.tally.errors += 1;
                    complain("ping", &format!("recvmsg: {}", reason(&error)));
                    return Ok(());
                }
            };
            let packet = buffer.get(..len).unwrap_or_default();
            let (message, ttl) = if self.is_raw {
                match strip_ip(packet) {
                    Some((message, ttl)) => (message, Some(ttl)),
                    None => continue,
                }
            } else {
                (packet, ttl)
            };
            let ident = self.is_raw.then_some(self.ident);
            match understand(message, ident) {
                Some(Answer::Reply { sequence, len }) => {
                    let time = self.waiting.remove(&sequence).map(|sent| sent.elapsed());
                    match time {
                        Some(time) => self.tally.count(time),
                        None => self.tally.duplicates += 1,
                    }
                    if self.options.quiet {
                        continue;
                    }
                    let ttl = ttl.map_or(String::new(), |ttl| format!(" ttl={ttl}"));
                    let time = match time {
                        Some(time) => format!(" time={} ms", shown_time(time)),
                        None => " (DUP!)".to_owned(),
                    };
                    writeln!(
                        out,
                        "{len} bytes from {from}: icmp_seq={sequence}{ttl}{time}"
                    )?;
                }
                Some(Answer::Error {
                    kind,
                    code,
                    sequence,
                }) => {
                    self.tally.errors += 1;
                    self.waiting.remove(&sequence);
                    if !self.options.quiet {
                        let name = error_name(kind, code);
                        writeln!(out, "From {from} icmp_seq={sequence} {name}")?;
                    }
                }
                None => {}
            }
        }
    }

    /// Waits for a message until `until`.
    fn wait(&self, until: Instant) -> io::Result<()> {
        let timeout = until.saturating_duration_since(Instant::now());
        let timeout = Timespec::try_from(timeout).map_err(io::Error::other)?;
        match poll(
            &mut [PollFd::new(&self.socket, PollFlags::IN)],
            Some(&timeout),
        ) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn run(&mut self, out: &mut impl Write) -> io::Result<()> {
        let start = Instant::now();
        let deadline = self.options.deadline.map(|deadline| start + deadline);
        let mut next = start;
        let mut last_sent = start;
        loop {
            let now = Instant::now();
            let all_sent = self.options.count.is_some_and(|c| self.tally.sent >= c);
            if !all_sent && now >= next {
                self.send();
                last_sent = Instant::now();
                // After a long stop there is no burst.
                next = (next + self.options.interval).max(now);
                self.receive(out)?;
                continue;
            }
            let is_over =
                all_sent && (self.waiting.is_empty() || now >= last_sent + self.options.patience);
            if is_over || sys::interrupted() || deadline.is_some_and(|deadline| now >= deadline) {
                break;
            }
            let until = if all_sent {
                last_sent + self.options.patience
            } else {
                next
            };
            self.wait(deadline.map_or(until, |deadline| until.min(deadline)))?;
            self.receive(out)?;
            out.flush()?;
        }
        let text = self.tally.summary(&self.options.host, start.elapsed());
        out.write_all(text.as_bytes())?;
        out.flush()
    }
}

/// Succeeds if an answer has come; 2 if nothing could be sent at all.
pub(crate) fn run(args: &[String]) -> Result<i32, Failure> {
    let hard = |message: String| Failure { message, status: 2 };
    let options = options(args).map_err(hard)?;
    let address = resolve::host(&options.host).map_err(hard)?;
    let (socket, is_raw) = open().map_err(|error| hard(format!("socket: {}", reason(&error))))?;
    // Without it answers are shown without their time to live.
    let _ = sys::want_ttl(&socket);
    sys::catch_interrupt();
    let mut out = io::stdout().lock();
    let size = options.data;
    let total = size + HEADER + 20;
    let first = writeln!(
        out,
        "PING {} ({address}) {size}({total}) bytes of data.",
        options.host
    );
    let mut pinger = Pinger {
        options,
        address,
        socket,
        is_raw,
        ident: std::process::id() as u16,
        waiting: HashMap::new(),
        tally: Tally::default(),
    };
    let done = first.and_then(|()| pinger.run(&mut out));
    done.map_err(|error| hard(reason(&error)))?;
    Ok(i32::from(pinger.tally.received == 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_has_a_checksum_that_checks() {
        for data in [0, 1, 56, 57, 1400] {
            let message = request(0x1234, 7, data);
            assert_eq!(message.len(), HEADER + data);
            assert_eq!(checksum(&message), 0);
        }
        // The example of RFC 1071.
        let bytes = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7];
        assert_eq!(checksum(&bytes), !0xddf2);
    }

    #[test]
    fn replies_are_told_by_identifier_and_requests_are_none() {
        let mut message = request(9, 3, 56);
        assert_eq!(understand(&message, Some(9)), None);
        message[0] = ECHO_REPLY;
        let reply = Answer::Reply {
            sequence: 3,
            len: 64,
        };
        assert_eq!(understand(&message, Some(9)), Some(reply));
        assert_eq!(understand(&message, Some(8)), None);
        assert!(understand(&message, None).is_some());
    }

    #[test]
    fn errors_name_the_request_that_they_are_about() {
        let mut message = vec![UNREACHABLE, 1, 0, 0, 0, 0, 0, 0];
        message.extend([0x45; 1].iter().chain(&[0; 19]));
        message.extend(request(9, 4, 0));
        let error = Answer::Error {
            kind: 3,
            code: 1,
            sequence: 4,
        };
        assert_eq!(understand(&message, Some(9)), Some(error));
    }

    #[test]
    fn cut_off_messages_say_nothing() {
        let mut message = vec![UNREACHABLE, 1, 0, 0, 0, 0, 0, 0, 0x45];
        message.extend([0; 19]);
        message.extend(request(9, 4, 0));
        for len in 0..message.len() {
            assert_eq!(understand(&message[..len], Some(9)), None, "{len} bytes");
        }
        assert_eq!(understand(&[ECHO_REPLY, 0, 0, 0, 0], None), None);
        assert_eq!(strip_ip(&[0x4f; 20]), None);
        assert_eq!(strip_ip(&[]), None);
    }

    #[test]
    fn the_summary_is_what_scripts_look_for() {
        let mut tally = Tally::default();
        tally.sent = 3;
        tally.count(Duration::from_millis(1));
        tally.count(Duration::from_millis(3));
        let text = tally.summary("h", Duration::from_millis(2010));
        let want = "\n--- h ping statistics ---\n\
                    3 packets transmitted, 2 received, 33.3333% packet loss, time 2010ms\n\
                    rtt min/avg/max/mdev = 1.000/2.000/3.000/1.000 ms\n";
        assert_eq!(text, want);
        let mut none = Tally::default();
        none.sent = 2;
        assert!(
            none.summary("h", Duration::ZERO)
                .contains(" 100% packet loss")
        );
        tally.sent = 2;
        assert!(
            tally
                .summary("h", Duration::ZERO)
                .contains(" 0% packet loss")
        );
    }
}
