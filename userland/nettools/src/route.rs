//! `route`: shows and changes the routing table.

use crate::sys::{Change, Control, Route};
use crate::{Failure, reason, resolve};
use std::io::{self, Write};
use std::net::Ipv4Addr;

const USAGE: &str = "usage: route [-n]
       route add|del default gw GATEWAY [dev INTERFACE]
       route add|del -net NETWORK[/LENGTH] [netmask MASK] [gw GATEWAY] [metric N] [dev INTERFACE]
       route add|del -host HOST [gw GATEWAY] [metric N] [dev INTERFACE]";

/// A row of `/proc/net/route`.
#[derive(Debug, PartialEq, Eq)]
struct Row {
    interface: String,
    destination: Ipv4Addr,
    gateway: Ipv4Addr,
    flags: u32,
    references: u32,
    uses: u32,
    metric: u32,
    mask: Ipv4Addr,
}

fn row(line: &str) -> Option<Row> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let [
        interface,
        destination,
        gateway,
        flags,
        references,
        uses,
        metric,
        mask,
        ..,
    ] = fields[..]
    else {
        return None;
    };
    // The numbers are the addresses' bytes as the machine's order has them.
    let address = |text| {
        let number = u32::from_str_radix(text, 16).ok()?;
        Some(Ipv4Addr::from(number.to_ne_bytes()))
    };
    Some(Row {
        interface: interface.to_owned(),
        destination: address(destination)?,
        gateway: address(gateway)?,
        flags: u32::from_str_radix(flags, 16).ok()?,
        references: references.parse().ok()?,
        uses: uses.parse().ok()?,
        metric: metric.parse().ok()?,
        mask: address(mask)?,
    })
}

fn flag_names(flags: u32) -> String {
    let names = [
        (1, 'U'),
        (2, 'G'),
        (4, 'H'),
        (8, 'R'),
        (0x10, 'D'),
        (0x20, 'M'),
    ];
    let set = names.iter().filter(|(bit, _)| flags & bit != 0);
    set.map(|(_, name)| *name).collect()
}

fn table(text: &str, is_numeric: bool) -> String {
    let mut shown = "Kernel IP routing table\n\
                     Destination     Gateway         Genmask         Flags Metric Ref    Use Iface\n"
        .to_owned();
    for row in text.lines().filter_map(row) {
        let name = |address: Ipv4Addr, name: &str| match address.is_unspecified() && !is_numeric {
            true => name.to_owned(),
            false => address.to_string(),
        };
        shown += &format!(
            "{:<15} {:<15} {:<16}{:<6}{:<6} {:<2} {:>7} {}\n",
            name(row.destination, "default"),
            name(row.gateway, "*"),
            row.mask.to_string(),
            flag_names(row.flags),
            row.metric,
            row.references,
            row.uses,
            row.interface,
        );
    }
    shown
}

/// The route that `words` after `add` or `del` describe.
fn parse(words: &[&str]) -> Result<Route, String> {
    let mut words = words.iter().copied();
    let mut is_host = None;
    let mut target = words.next().ok_or(USAGE)?;
    if let "-net" | "-host" = target {
        is_host = Some(target == "-host");
        target = words.next().ok_or(USAGE)?;
    }
    let (name, length) = match target.split_once('/') {
        Some((name, length)) => (name, Some(length)),
        None => (target, None),
    };
    let destination = match name {
        "default" => Ipv4Addr::UNSPECIFIED,
        name => resolve::host(name)?,
    };
    let mut mask = match length {
        Some(text) => {
            let wrong = || format!("{text}: not a length of a mask");
            let length: u32 = text.parse().map_err(|_| wrong())?;
            let rest = 32u32.checked_sub(length).ok_or_else(wrong)?;
            Some(Ipv4Addr::from(u32::MAX.checked_shl(rest).unwrap_or(0)))
        }
        None if destination.is_unspecified() => Some(Ipv4Addr::UNSPECIFIED),
        None if is_host != Some(false) => Some(Ipv4Addr::BROADCAST),
        None => None,
    };
    let (mut gateway, mut metric, mut device) = (None, 0, None);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
        match word {
            "gw" | "gateway" => gateway = Some(resolve::host(value()?)?),
            "netmask" => mask = Some(resolve::host(value()?)?),
            "metric" => {
                let text = value()?;
                metric = text.parse().map_err(|_| format!("{text}: not a metric"))?;
            }
            "dev" => device = Some(value()?.to_owned()),
            name => device = Some(name.to_owned()),
        }
    }
    Ok(Route {
        destination,
        mask: mask.ok_or("a network needs a netmask")?,
        gateway,
        metric,
        device,
    })
}

pub(crate) fn run(args: &[String]) -> Result<i32, Failure> {
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let (change, words) = match words[..] {
        [] | ["-n" | "-e" | "-ne" | "-en"] => {
            let text = std::fs::read_to_string("/proc/net/route")
                .map_err(|error| format!("/proc/net/route: {}", reason(&error)))?;
            let is_numeric = words.iter().any(|word| word.contains('n'));
            let shown = table(
                text.split_once('\n').map_or("", |(_, rows)| rows),
                is_numeric,
            );
            return Ok(i32::from(io::stdout().write_all(shown.as_bytes()).is_err()));
        }
        ["add", ref words @ ..] => (Change::Add, words),
        ["del" | "delete", ref words @ ..] => (Change::Remove, words),
        _ => return Err(USAGE.to_owned().into()),
    };
    let route = parse(words)?;
    let control = Control::new().map_err(|error| format!("socket: {}", reason(&error)))?;
    control
        .route(change, &route)
        .map_err(|error| reason(&error))?;
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_shown_as_the_usual_table() {
        let rows = "eth0\t00000000\t0202000A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n\
                    eth0\t0002000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n";
        let want = "Kernel IP routing table
Destination     Gateway         Genmask         Flags Metric Ref    Use Iface
0.0.0.0         10.0.2.2        0.0.0.0         UG    0      0        0 eth0
10.0.2.0        0.0.0.0         255.255.255.0   U     0      0        0 eth0
";
        assert_eq!(table(rows, true), want);
        assert!(table(rows, false).contains("\ndefault         10.0.2.2 "));
    }

    #[test]
    fn routes_are_described_in_words() {
        let default = Route {
            destination: Ipv4Addr::UNSPECIFIED,
            mask: Ipv4Addr::UNSPECIFIED,
            gateway: Some(Ipv4Addr::new(10, 0, 2, 2)),
            metric: 0,
            device: Some("eth0".to_owned()),
        };
        assert_eq!(parse(&["default", "gw", "10.0.2.2", "eth0"]), Ok(default));
        let net = parse(&["-net", "10.1.0.0/16", "dev", "eth0"]);
        assert_eq!(
            net.map(|route| route.mask),
            Ok(Ipv4Addr::new(255, 255, 0, 0))
        );
        assert!(parse(&["-net", "10.1.0.0", "dev", "eth0"]).is_err());
        assert!(parse(&["default", "gw"]).is_err());
        assert!(parse(&["10.0.0.0/40"]).is_err());
    }
}
