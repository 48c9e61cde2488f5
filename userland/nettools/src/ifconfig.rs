//! `ifconfig`: shows and sets up network interfaces.

use crate::sys::{Control, Field};
use crate::{Failure, reason, resolve};
use std::io::{self, Write};
use std::net::Ipv4Addr;

pub(crate) const UP: u16 = 1;
const BROADCAST: u16 = 2;
const LOOPBACK: u16 = 8;
/// Flags by name, in the order in which they are shown.
const FLAGS: &[(u16, &str)] = &[
    (UP, "UP"),
    (BROADCAST, "BROADCAST"),
    (4, "DEBUG"),
    (LOOPBACK, "LOOPBACK"),
    (0x10, "POINTOPOINT"),
    (0x20, "NOTRAILERS"),
    (0x40, "RUNNING"),
    (0x80, "NOARP"),
    (0x100, "PROMISC"),
    (0x200, "ALLMULTI"),
    (0x1000, "MULTICAST"),
];
const LOOPBACK_HARDWARE: u16 = 772;

/// The counters of an interface in `/proc/net/dev`: 8 of what came in, 8 of what went out.
type Counters = [u64; 16];

/// The interfaces in the text of `/proc/net/dev`.
fn interfaces(text: &str) -> Vec<(String, Counters)> {
    let parse = |line: &str| {
        let (name, numbers) = line.split_once(':')?;
        let mut counters = Counters::default();
        for (counter, number) in counters.iter_mut().zip(numbers.split_whitespace()) {
            *counter = number.parse().ok()?;
        }
        Some((name.trim().to_owned(), counters))
    };
    text.lines().filter_map(parse).collect()
}

/// A number of bytes for people.
fn human(bytes: u64) -> String {
    let mut value = bytes as f64;
    for unit in ["B", "KiB", "MiB", "GiB"] {
        if value < 1024.0 {
            return format!("{value:.1} {unit}");
        }
        value /= 1024.0;
    }
    format!("{value:.1} TiB")
}

fn describe(control: &Control, name: &str, counters: &Counters) -> io::Result<String> {
    let flags = control.flags(name)?;
    let (kind, mac) = control.hardware(name)?;
    let mut text = format!("{name:<9} Link encap:");
    if kind == LOOPBACK_HARDWARE {
        text += "Local Loopback  \n";
    } else {
        let mac: Vec<_> = mac.iter().map(|byte| format!("{byte:02X}")).collect();
        text += &format!("Ethernet  HWaddr {}  \n", mac.join(":"));
    }
    // An interface without an address has none to show.
    if let Ok(address) = control.address(name, Field::Address)
        && !address.is_unspecified()
    {
        text += &format!("          inet addr:{address}  ");
        if flags & BROADCAST != 0
            && let Ok(broadcast) = control.address(name, Field::Broadcast)
        {
            text += &format!("Bcast:{broadcast}  ");
        }
        if let Ok(mask) = control.address(name, Field::Netmask) {
            text += &format!("Mask:{mask}");
        }
        text += "\n";
    }
    let names = FLAGS.iter().filter(|(bit, _)| flags & bit != 0);
    let names: String = names.map(|(_, name)| format!("{name} ")).collect();
    let mtu = control.mtu(name).unwrap_or(0);
    let [rb, rp, re, rd, ro, rf, _, _, tb, tp, te, td, to, tc, tk, _] = *counters;
    text += &format!(
        "          {names} MTU:{mtu}  Metric:1
          RX packets:{rp} errors:{re} dropped:{rd} overruns:{ro} frame:{rf}
          TX packets:{tp} errors:{te} dropped:{td} overruns:{to} carrier:{tk}
          collisions:{tc} txqueuelen:1000 
          RX bytes:{rb} ({})  TX bytes:{tb} ({})

",
        human(rb),
        human(tb)
    );
    Ok(text)
}

/// What a word after an interface's name sets.
#[derive(Debug, PartialEq, Eq)]
enum Setting {
    Flag(u16, bool),
    Address(Field, Ipv4Addr),
    Mtu(i32),
}

/// In the order in which they are made.
#[derive(Debug, PartialEq, Eq)]
struct Settings(Vec<Setting>);

fn mask(bits: u32) -> Option<Ipv4Addr> {
    let bits = u32::MAX.checked_shl(32u32.checked_sub(bits)?).unwrap_or(0);
    Some(Ipv4Addr::from(bits))
}

fn settings(words: &[&str]) -> Result<Settings, String> {
    let mut list = Vec::new();
    let mut words = words.iter().copied();
    let mut sets_address = false;
    while let Some(word) = words.next() {
        let mut value = || {
            let value = words.next();
            value.ok_or_else(|| format!("{word} needs a value"))
        };
        let setting = match word {
            "up" => Setting::Flag(UP, true),
            "down" => Setting::Flag(UP, false),
            "netmask" => Setting::Address(Field::Netmask, resolve::host(value()?)?),
            "broadcast" => Setting::Address(Field::Broadcast, resolve::host(value()?)?),
            "dstaddr" | "pointopoint" => {
                Setting::Address(Field::Destination, resolve::host(value()?)?)
            }
            "mtu" => {
                let text = value()?;
                let mtu = text.parse().map_err(|_| format!("{text}: not a size"))?;
                Setting::Mtu(mtu)
            }
            _ => {
                sets_address = true;
                let (address, bits) = match word.split_once('/') {
                    Some((address, bits)) => (address, Some(bits)),
                    None => (word, None),
                };
                list.push(Setting::Address(Field::Address, resolve::host(address)?));
                let Some(bits) = bits else { continue };
                let mask = bits.parse().ok().and_then(mask);
                Setting::Address(
                    Field::Netmask,
                    mask.ok_or_else(|| format!("{bits}: not a length of a mask"))?,
                )
            }
        };
        list.push(setting);
    }
    // An address switches the interface on, unless that is said too.
    let says = list.iter().any(|s| matches!(s, Setting::Flag(UP, _)));
    if sets_address && !says {
        list.push(Setting::Flag(UP, true));
    }
    Ok(Settings(list))
}

fn set(control: &Control, name: &str, setting: &Setting) -> io::Result<()> {
    match *setting {
        Setting::Flag(bit, on) => {
            let flags = control.flags(name)?;
            let flags = if on { flags | bit } else { flags & !bit };
            control.set_flags(name, flags)
        }
        Setting::Address(field, address) => control.set_address(name, field, address),
        Setting::Mtu(mtu) => control.set_mtu(name, mtu),
    }
}

pub(crate) fn run(args: &[String]) -> Result<i32, Failure> {
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let control = Control::new().map_err(|error| format!("socket: {}", reason(&error)))?;
    let (all, words) = match words[..] {
        ["-a", ref words @ ..] => (true, words),
        ref words => (false, words),
    };
    if let [name, words @ ..] = words
        && !words.is_empty()
    {
        for setting in &settings(words)?.0 {
            set(&control, name, setting).map_err(|error| format!("{name}: {}", reason(&error)))?;
        }
        return Ok(0);
    }
    let text = std::fs::read_to_string("/proc/net/dev")
        .map_err(|error| format!("/proc/net/dev: {}", reason(&error)))?;
    let known = interfaces(&text);
    let mut shown = String::new();
    if let [name] = words {
        let found = known.iter().find(|(own, _)| own == name);
        let counters = found.map_or(Counters::default(), |(_, counters)| *counters);
        shown = describe(&control, name, &counters)
            .map_err(|error| format!("{name}: {}", reason(&error)))?;
    } else {
        for (name, counters) in &known {
            // One that has gone meanwhile is not shown.
            let is_up = control.flags(name).is_ok_and(|flags| flags & UP != 0);
            if (all || is_up)
                && let Ok(text) = describe(&control, name, counters)
            {
                shown += &text;
            }
        }
    }
    let written = io::stdout().write_all(shown.as_bytes());
    Ok(i32::from(written.is_err()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interfaces_are_read_with_their_counters() {
        let text = "Inter-|   Receive   |  Transmit\n face |bytes packets|bytes packets\n\
                    \x20   lo: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n eth0:100 1\n";
        let found = interfaces(text);
        let lo = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];
        assert_eq!(found.first(), Some(&("lo".to_owned(), lo)));
        assert_eq!(found.get(1).map(|(name, _)| name.as_str()), Some("eth0"));
        assert_eq!(found.len(), 2);
    }

    #[test]
    fn an_address_with_a_length_sets_the_mask_and_switches_on() {
        let want = Settings(vec![
            Setting::Address(Field::Address, Ipv4Addr::new(10, 0, 2, 15)),
            Setting::Address(Field::Netmask, Ipv4Addr::new(255, 255, 255, 0)),
            Setting::Flag(UP, true),
        ]);
        assert_eq!(settings(&["10.0.2.15/24"]), Ok(want));
        let down = settings(&["10.0.2.15", "down"]).map(|settings| settings.0.len());
        assert_eq!(down, Ok(2));
    }

    #[test]
    fn wrong_words_are_errors() {
        for words in [
            &["10.0.0.1/33"][..],
            &["netmask"],
            &["mtu", "x"],
            &["10.0.0.1/x"],
        ] {
            assert!(settings(words).is_err(), "{words:?}");
        }
        assert_eq!(mask(0), Some(Ipv4Addr::UNSPECIFIED));
    }
}
