//! [`Forward`]: a port of the host that leads to one of the guest.

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

/// A TCP port of the host that leads to one of the guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forward {
    /// The host's address that is listened on; others cannot connect unless it
    /// is more than the loopback address.
    pub address: Ipv4Addr,
    /// The host's port.
    pub host: u16,
    /// The guest's port.
    pub guest: u16,
}

impl FromStr for Forward {
    type Err = String;

    /// Reads `[ADDRESS:]HOST:GUEST`.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not [ADDRESS:]HOST:GUEST, as in 2323:23");
        let port = |text: &str| text.parse::<u16>().ok().filter(|port| *port > 0).ok_or_else(wrong);
        let (rest, guest) = text.rsplit_once(':').ok_or_else(wrong)?;
        let (address, host) = match rest.rsplit_once(':') {
            Some((address, host)) => (address.parse().map_err(|_| wrong())?, host),
            None => (Ipv4Addr::LOCALHOST, rest),
        };
        Ok(Self { address, host: port(host)?, guest: port(guest)? })
    }
}

impl fmt::Display for Forward {
    /// As QEMU's `hostfwd` takes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tcp:{}:{}-:{}", self.address, self.host, self.guest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forward_listens_on_loopback_unless_an_address_is_given() {
        let text = |text: &str| text.parse::<Forward>().map(|forward| forward.to_string());
        assert_eq!(text("2323:23").as_deref(), Ok("tcp:127.0.0.1:2323-:23"));
        assert_eq!(text("0.0.0.0:80:8080").as_deref(), Ok("tcp:0.0.0.0:80-:8080"));
    }

    #[test]
    fn what_is_no_pair_of_ports_is_refused() {
        for text in ["", "23", "0:23", "23:0", "a:23", "65536:1", "x:1:2", "1:2,hostfwd=tcp::1-:2"] {
            assert!(text.parse::<Forward>().is_err(), "{text}");
        }
    }
}
