//! The boot parameter `ip=`, in Linux's syntax
//! (`Documentation/admin-guide/nfs/nfsroot.rst`): [`Parameters`].

use alloc::string::String;
use alloc::vec::Vec;
use core::net::Ipv4Addr;

use super::dhcp::Client;
use super::link::{Assigned, LOOPBACK};
use super::stack::Stack;

/// What `ip=` says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Parameters {
    address: Option<Ipv4Addr>,
    gateway: Option<Ipv4Addr>,
    prefix: Option<u8>,
    pub(super) hostname: Option<String>,
    device: Option<String>,
    /// Ask a server for what is not given.
    asks: bool,
    nameservers: Vec<Ipv4Addr>,
    server: Option<Ipv4Addr>,
}

/// Finds and reads `ip=`; `None` if it is not there, or says `off` and no more.
pub(super) fn parse(cmdline: &str) -> Option<Parameters> {
    let value = cmdline.split_ascii_whitespace().filter_map(|word| word.strip_prefix("ip=")).next_back()?;
    let asks = |word: &str| matches!(word, "dhcp" | "on" | "any" | "both");
    if !value.contains(':') {
        if let Ok(address) = value.parse() {
            return Some(Parameters { address: Some(address), ..Parameters::default() });
        }
        return asks(value).then(|| Parameters { asks: true, ..Parameters::default() });
    }
    let fields: Vec<&str> = value.split(':').collect();
    let field = |index: usize| fields.get(index).copied().filter(|field| !field.is_empty());
    let address = |index: usize| field(index).and_then(|field| field.parse().ok());
    let text = |index: usize| field(index).map(String::from);
    let mask = address(3).map(Ipv4Addr::to_bits).filter(|mask| mask.leading_ones() + mask.trailing_zeros() >= 32);
    let own = address(0).filter(|addr: &Ipv4Addr| !addr.is_unspecified());
    Some(Parameters {
        address: own,
        gateway: address(2),
        prefix: mask.and_then(|mask| u8::try_from(mask.leading_ones()).ok()),
        hostname: text(4),
        device: text(5),
        // Without an address and a method Linux asks, too.
        asks: field(6).map_or(own.is_none(), asks),
        nameservers: [address(7), address(8)].into_iter().flatten().collect(),
        server: address(1),
    })
}

/// The prefix that goes with an address of a class, where none is given.
pub(super) fn class_prefix(addr: Ipv4Addr) -> u8 {
    match addr.octets()[0] {
        0 => 0,
        1..=127 => 8,
        128..=191 => 16,
        192..=223 => 24,
        _ => 32,
    }
}

impl Stack {
    /// Does what the parameters say.
    pub(super) fn configure(&mut self, parameters: &Parameters) {
        let named = parameters.device.as_ref().map(|name| self.link_named(name.as_bytes()));
        let first = (self.links.len() > LOOPBACK + 1).then_some(LOOPBACK + 1);
        let Some(index) = named.unwrap_or(first) else { return };
        let seed = self.random();
        let Some(link) = self.links.get_mut(index).filter(|link| link.device.is_some()) else { return };
        link.is_up = true;
        if parameters.asks {
            link.dhcp = Some(Client::new(link.mac, link.mtu, seed));
            link.has_work = true;
            return;
        }
        let Some(addr) = parameters.address else { return };
        let prefix = parameters.prefix.unwrap_or_else(|| class_prefix(addr));
        link.address = Some(Assigned::new(addr, prefix));
        self.pnp.nameservers.clone_from(&parameters.nameservers);
        self.pnp.server = parameters.server;
        if let Some(gateway) = parameters.gateway {
            // One that cannot be reached is of no use, and does no harm.
            let _ = self.add_route(Ipv4Addr::UNSPECIFIED, 0, Some(gateway), Some(index), 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_forms_ask_or_do_nothing() {
        assert_eq!(parse("console=ttyAMA0"), None);
        assert_eq!(parse("ip=off quiet"), None);
        assert_eq!(parse("ip=none"), None);
        assert!(parse("quiet ip=dhcp").is_some_and(|parameters| parameters.asks));
        assert!(parse("ip=off ip=on").is_some_and(|parameters| parameters.asks));
    }

    #[test]
    fn the_long_form_gives_each_field() {
        let parameters = parse("ip=10.0.2.15:10.0.2.4:10.0.2.2:255.255.255.0:box:eth0:off:10.0.2.3").unwrap();
        let expected = Parameters {
            address: Some(Ipv4Addr::new(10, 0, 2, 15)),
            gateway: Some(Ipv4Addr::new(10, 0, 2, 2)),
            prefix: Some(24),
            hostname: Some(String::from("box")),
            device: Some(String::from("eth0")),
            asks: false,
            nameservers: alloc::vec![Ipv4Addr::new(10, 0, 2, 3)],
            server: Some(Ipv4Addr::new(10, 0, 2, 4)),
        };
        assert_eq!(parameters, expected);
        assert!(parse("ip=:::::eth0:dhcp").is_some_and(|parameters| parameters.asks));
        assert!(parse("ip=::::::").is_some_and(|parameters| parameters.asks));
        assert_eq!(parse("ip=10.0.0.1::10.0.0.2:255.0.255.0::eth0:off").unwrap().prefix, None, "no mask has holes");
    }
}
