//! `/proc/sys`.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use linux_abi::Errno;

use crate::error::{Because, Result};
use crate::fs::procfs::node::text;
use crate::fs::procfs::{Item, Target, What};
use crate::fs::{Caller, NR_OPEN};
use crate::task::{PID_MAX, RELEASE, VERSION};

const fn fixed(name: &'static str, value: fn(&Target) -> Result<Vec<u8>>) -> Item {
    Item { name, mode: 0o444, what: What::Text(value) }
}

pub(super) const ITEMS: &[Item] = &[
    Item { name: "fs", mode: 0o555, what: What::Table(FS) },
    Item { name: "kernel", mode: 0o555, what: What::Table(KERNEL) },
    Item { name: "net", mode: 0o555, what: What::Table(NET) },
    Item { name: "vm", mode: 0o555, what: What::Table(VM) },
];

const FS: &[Item] = &[
    fixed("file-max", |_| Ok(b"9223372036854775807\n".to_vec())),
    fixed("nr_open", |_| Ok(text(format!("{NR_OPEN}\n")))),
    fixed("pipe-max-size", |_| Ok(b"1048576\n".to_vec())),
];

const KERNEL: &[Item] = &[
    fixed("cap_last_cap", |_| Ok(b"40\n".to_vec())),
    Item { name: "hostname", mode: 0o644, what: What::Setting(hostname, set_hostname) },
    fixed("ngroups_max", |_| Ok(b"65536\n".to_vec())),
    fixed("osrelease", |_| Ok(text(format!("{RELEASE}\n")))),
    fixed("ostype", |_| Ok(b"Linux\n".to_vec())),
    fixed("overflowgid", |_| Ok(b"65534\n".to_vec())),
    fixed("overflowuid", |_| Ok(b"65534\n".to_vec())),
    fixed("pid_max", |_| Ok(text(format!("{PID_MAX}\n")))),
    Item { name: "random", mode: 0o555, what: What::Table(RANDOM) },
    fixed("randomize_va_space", |_| Ok(b"0\n".to_vec())),
    fixed("shmall", |_| Ok(text(format!("{}\n", crate::ipc::SHMALL)))),
    fixed("shmmax", |_| Ok(text(format!("{}\n", crate::ipc::SHMMAX)))),
    fixed("shmmni", |_| Ok(text(format!("{}\n", crate::ipc::SHMMNI)))),
    fixed("threads-max", |target| Ok(text(format!("{}\n", target.kernel()?.max_threads())))),
    fixed("version", |_| Ok(text(format!("{VERSION}\n")))),
];

const NET: &[Item] = &[
    Item { name: "core", mode: 0o555, what: What::Table(NET_CORE) },
    Item { name: "ipv4", mode: 0o555, what: What::Table(NET_IPV4) },
];

const NET_CORE: &[Item] = &[fixed("somaxconn", |_| Ok(text(format!("{}\n", linux_abi::socket::SOMAXCONN))))];

const NET_IPV4: &[Item] = &[
    fixed("ip_local_port_range", |_| Ok(text(crate::net::local_port_range()))),
    fixed("ip_unprivileged_port_start", |_| Ok(b"1024\n".to_vec())),
    fixed("ping_group_range", |_| Ok(b"0\t2147483647\n".to_vec())),
];

const RANDOM: &[Item] = &[
    fixed("boot_id", |target| uuid(target, true)),
    fixed("entropy_avail", |_| Ok(b"256\n".to_vec())),
    fixed("poolsize", |_| Ok(b"256\n".to_vec())),
    fixed("uuid", |target| uuid(target, false)),
];

const VM: &[Item] = &[
    fixed("max_map_count", |_| Ok(b"65530\n".to_vec())),
    fixed("mmap_min_addr", |_| Ok(b"65536\n".to_vec())),
    fixed("overcommit_memory", |_| Ok(b"1\n".to_vec())),
    fixed("swappiness", |_| Ok(b"0\n".to_vec())),
];

fn hostname(target: &Target) -> Result<Vec<u8>> {
    Ok(text(format!("{}\n", target.kernel()?.hostname().lock())))
}

fn set_hostname(target: &Target, caller: &Caller, bytes: &[u8]) -> Result<()> {
    if !caller.creds.is_privileged() {
        return Err(Errno::EPERM.because("only the superuser names the node"));
    }
    let line = bytes.split(|&byte| byte == b'\n').next().unwrap_or_default();
    if line.len() > linux_abi::system::NEW_UTS_LEN {
        return Err(Errno::EINVAL.because("the name is too long"));
    }
    *target.kernel()?.hostname().lock() = String::from_utf8_lossy(line).into_owned();
    Ok(())
}

/// A random UUID, or the one of this boot.
fn uuid(target: &Target, of_boot: bool) -> Result<Vec<u8>> {
    let kernel = target.kernel()?;
    let mut bytes = [0; 16];
    if of_boot {
        bytes = *kernel.boot_id();
    } else {
        kernel.machine().fill_random(&mut bytes);
    }
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let mut out = String::new();
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            out.push('-');
        }
        out += &format!("{byte:02x}");
    }
    out.push('\n');
    Ok(text(out))
}
