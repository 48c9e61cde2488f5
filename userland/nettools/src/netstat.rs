//! `netstat`: lists the sockets in `/proc/net/tcp` and `/proc/net/udp`.

use crate::options::parse;
use crate::{Failure, reason};
use std::fs;
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddrV4};

const STATES: [&str; 12] = [
    "",
    "ESTABLISHED",
    "SYN_SENT",
    "SYN_RECV",
    "FIN_WAIT1",
    "FIN_WAIT2",
    "TIME_WAIT",
    "CLOSE",
    "CLOSE_WAIT",
    "LAST_ACK",
    "LISTEN",
    "CLOSING",
];
const LISTEN: usize = 10;
/// The state of a UDP socket that has no peer.
const UNCONNECTED: usize = 7;

/// A socket.
#[derive(Debug, PartialEq, Eq)]
struct Row {
    local: SocketAddrV4,
    remote: SocketAddrV4,
    state: usize,
    unsent: u32,
    unread: u32,
}

fn row(line: &str) -> Option<Row> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let [number, local, remote, state, queues, ..] = fields[..] else {
        return None;
    };
    number.strip_suffix(':')?;
    let hex = |text: &str| u32::from_str_radix(text, 16).ok();
    let address = |text: &str| {
        let (ip, port) = text.split_once(':')?;
        let port = u16::from_str_radix(port, 16).ok()?;
        Some(SocketAddrV4::new(
            Ipv4Addr::from(hex(ip)?.to_ne_bytes()),
            port,
        ))
    };
    let (unsent, unread) = queues.split_once(':')?;
    Some(Row {
        local: address(local)?,
        remote: address(remote)?,
        state: usize::from_str_radix(state, 16).ok()?,
        unsent: hex(unsent)?,
        unread: hex(unread)?,
    })
}

fn shown(address: SocketAddrV4) -> String {
    match address.port() {
        0 => format!("{}:*", address.ip()),
        port => format!("{}:{port}", address.ip()),
    }
}

/// `-t` and `-u` choose the protocol, `-l` sockets that wait for others, `-a` all.
/// Addresses are always numbers.
pub(crate) fn run(args: &[String]) -> Result<i32, Failure> {
    let (given, operands) = parse(args, "tulan", "")?;
    if !operands.is_empty() {
        return Err("usage: netstat [-tulan]".to_owned().into());
    }
    let has = |wanted| given.iter().any(|(letter, _)| *letter == wanted);
    let both = !has('t') && !has('u');
    let what = match (has('a'), has('l')) {
        (true, _) => "servers and established",
        (false, true) => "only servers",
        (false, false) => "w/o servers",
    };
    let mut text = format!(
        "Active Internet connections ({what})\n\
         Proto Recv-Q Send-Q Local Address           Foreign Address         State       \n"
    );
    for (protocol, is_wanted) in [("tcp", both || has('t')), ("udp", both || has('u'))] {
        if !is_wanted {
            continue;
        }
        let path = format!("/proc/net/{protocol}");
        let table =
            fs::read_to_string(&path).map_err(|error| format!("{path}: {}", reason(&error)))?;
        for row in table.lines().filter_map(row) {
            let waits = row.state == LISTEN || (protocol == "udp" && row.state == UNCONNECTED);
            if !has('a') && waits != has('l') {
                continue;
            }
            let state = match protocol {
                "udp" if row.state == UNCONNECTED => "",
                _ => STATES.get(row.state).copied().unwrap_or("UNKNOWN"),
            };
            let (local, remote) = (shown(row.local), shown(row.remote));
            text += &format!(
                "{protocol:<5} {:>6} {:>6} {local:<23} {remote:<23} {state:<12}\n",
                row.unread, row.unsent
            );
        }
    }
    Ok(i32::from(io::stdout().write_all(text.as_bytes()).is_err()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_taken_apart() {
        let line = "   0: 0100007F:0017 00000000:0000 0A 00000002:00000001 00:00000000 00000000     0        0 1 1";
        let want = Row {
            local: SocketAddrV4::new(Ipv4Addr::LOCALHOST, 23),
            remote: SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0),
            state: LISTEN,
            unsent: 2,
            unread: 1,
        };
        assert_eq!(row(line), Some(want));
        assert_eq!(
            row("  sl  local_address rem_address   st tx_queue rx_queue"),
            None
        );
    }
}
