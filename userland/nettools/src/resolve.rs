//! Names to addresses of version 4 of the protocol, which is the one there is.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, ToSocketAddrs};

/// The first address of `host`.
///
/// # Errors
/// A message that says that the name is unknown.
pub(crate) fn host(name: &str) -> Result<Ipv4Addr, String> {
    if let Ok(address) = name.parse() {
        return Ok(address);
    }
    let found = (name, 0)
        .to_socket_addrs()
        .map_err(|_| format!("{name}: name does not resolve"))?;
    let version4 = |address| match address {
        SocketAddr::V4(address) => Some(*address.ip()),
        SocketAddr::V6(_) => None,
    };
    found
        .filter_map(version4)
        .next()
        .ok_or_else(|| format!("{name}: no IPv4 address"))
}

/// A port by number, or by a name in `/etc/services`.
///
/// # Errors
/// A message that says that it is none.
pub(crate) fn port(text: &str, protocol: &str) -> Result<u16, String> {
    if let Ok(port) = text.parse() {
        return Ok(port);
    }
    let services = std::fs::read_to_string("/etc/services").unwrap_or_default();
    service(&services, text, protocol).ok_or_else(|| format!("{text}: not a port"))
}

fn service(services: &str, wanted: &str, protocol: &str) -> Option<u16> {
    services.lines().find_map(|line| {
        let line = line.split('#').next().unwrap_or_default();
        let mut words = line.split_whitespace();
        let name = words.next()?;
        let (port, own) = words.next()?.split_once('/')?;
        let is_it = own == protocol && (name == wanted || words.any(|alias| alias == wanted));
        is_it.then(|| port.parse().ok())?
    })
}

/// `host` and `port` as an address.
pub(crate) fn address(name: &str, port_text: &str, protocol: &str) -> Result<SocketAddr, String> {
    let port = port(port_text, protocol)?;
    Ok(SocketAddrV4::new(host(name)?, port).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_have_names_and_aliases_by_protocol() {
        let text = "# ports\ntelnet 23/tcp\nhttp 80/tcp www # web\ndomain 53/udp\n";
        assert_eq!(service(text, "telnet", "tcp"), Some(23));
        assert_eq!(service(text, "www", "tcp"), Some(80));
        assert_eq!(service(text, "domain", "tcp"), None);
        assert_eq!(service(text, "web", "tcp"), None);
    }
}
