//! `/proc/net`: interfaces, routes and sockets.

use alloc::string::String;
use alloc::vec::Vec;

use crate::error::Result;
use crate::fs::procfs::node::text;
use crate::fs::procfs::{Item, Target, What};

pub(super) const ITEMS: &[Item] = &[
    Item { name: "arp", mode: 0o444, what: What::Text(|target| shown(target.kernel()?.net().inet().arp_table())) },
    Item { name: "dev", mode: 0o444, what: What::Text(|target| shown(target.kernel()?.net().inet().dev())) },
    Item { name: "pnp", mode: 0o444, what: What::Text(|target| shown(target.kernel()?.net().inet().pnp())) },
    Item { name: "route", mode: 0o444, what: What::Text(|target| shown(target.kernel()?.net().inet().route_table())) },
    Item { name: "tcp", mode: 0o444, what: What::Text(|target| shown(target.kernel()?.net().inet().tcp_table())) },
    Item { name: "udp", mode: 0o444, what: What::Text(|target| shown(target.kernel()?.net().inet().udp_table())) },
    Item { name: "unix", mode: 0o444, what: What::Text(unix) },
];

fn shown(table: String) -> Result<Vec<u8>> {
    Ok(text(table))
}

fn unix(target: &Target) -> Result<Vec<u8>> {
    let mut out = b"Num       RefCount Protocol Flags    Type St Inode Path\n".to_vec();
    for line in target.kernel()?.net().local_names() {
        out.extend(line);
        out.push(b'\n');
    }
    Ok(out)
}
