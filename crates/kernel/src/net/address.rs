//! Names of local sockets: [`Address`] as programs give it, and [`Names`],
//! which sockets have which.

use alloc::format;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::fmt;

use hashbrown::HashMap;
use linux_abi::Errno;
use linux_abi::socket::{AF_UNIX, AF_UNSPEC, SockaddrUn};
use machine::sync::Mutex;

use super::socket::{Kind, Phase, Socket};
use crate::error::{Because, Result};

/// Bytes of the family, before the name.
const FAMILY_LEN: usize = 2;

/// The name of a local socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Address {
    /// A path, as it was given.
    Path(Vec<u8>),
    /// A name outside the file system; any bytes.
    Abstract(Vec<u8>),
}

/// An address that a program gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Given {
    /// `AF_UNSPEC`: none.
    Unspecified,
    /// The family alone: any name that is free.
    Any,
    /// A name.
    Name(Address),
}

impl Given {
    /// From the bytes of a `sockaddr`.
    ///
    /// # Errors
    /// `EINVAL` if it is no local address.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self> {
        let bad = || Errno::EINVAL.because("it is no local address");
        let (family, name) = bytes.split_at_checked(FAMILY_LEN).ok_or_else(bad)?;
        let family = u16::from_le_bytes([family[0], family[1]]);
        if family == AF_UNSPEC {
            return Ok(Self::Unspecified);
        }
        if family != AF_UNIX || bytes.len() > SockaddrUn::SIZE {
            return Err(bad());
        }
        Ok(match name.split_first() {
            None => Self::Any,
            Some((0, rest)) => Self::Name(Address::Abstract(rest.to_vec())),
            Some(_) => {
                let end = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
                Self::Name(Address::Path(name.get(..end).unwrap_or_default().to_vec()))
            }
        })
    }

    /// The name, where one is needed.
    ///
    /// # Errors
    /// `EINVAL` if there is none.
    pub(super) fn name(self) -> Result<Address> {
        match self {
            Self::Name(name) => Ok(name),
            Self::Unspecified | Self::Any => Err(Errno::EINVAL.because("the address has no name")),
        }
    }
}

/// The bytes of the `sockaddr` that a name, or none, is shown as.
pub(super) fn to_bytes(name: Option<&Address>) -> Vec<u8> {
    let mut bytes = AF_UNIX.to_le_bytes().to_vec();
    match name {
        None => {}
        Some(Address::Path(path)) => {
            bytes.extend_from_slice(path);
            bytes.push(0);
        }
        Some(Address::Abstract(name)) => {
            bytes.push(0);
            bytes.extend_from_slice(name);
        }
    }
    bytes
}

/// Where a name is registered.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Key {
    /// Device and inode number of the file.
    File(u64, u64),
    /// An abstract name; each kind of socket has its own.
    Abstract(Kind, Vec<u8>),
}

/// The names that sockets are bound to.
#[derive(Default)]
pub(super) struct Names {
    bound: Mutex<Bound>,
}

#[derive(Default)]
struct Bound {
    sockets: HashMap<Key, Weak<Socket>>,
    /// The last name that was chosen for somebody.
    last_automatic: u32,
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Names({} bound)", self.bound.lock().sockets.len())
    }
}

impl Names {
    /// Registers a socket.
    ///
    /// # Errors
    /// `EADDRINUSE`.
    pub(super) fn insert(&self, key: &Key, socket: &Arc<Socket>) -> Result<()> {
        let mut bound = self.bound.lock();
        if bound.sockets.get(key).is_some_and(|other| other.strong_count() > 0) {
            return Err(Errno::EADDRINUSE.because("another socket has that name"));
        }
        bound.sockets.insert(key.clone(), Arc::downgrade(socket));
        Ok(())
    }

    /// Registers a socket under an abstract name that is free: five
    /// hexadecimal digits.
    ///
    /// # Errors
    /// `ENOSPC` if all are taken.
    pub(super) fn insert_any(&self, socket: &Arc<Socket>) -> Result<(Key, Address)> {
        const COUNT: u32 = 1 << 20;
        let mut bound = self.bound.lock();
        for _ in 0..COUNT {
            bound.last_automatic = (bound.last_automatic + 1) % COUNT;
            let name = format!("{:05x}", bound.last_automatic).into_bytes();
            let key = Key::Abstract(socket.kind(), name.clone());
            if bound.sockets.get(&key).is_none_or(|other| other.strong_count() == 0) {
                bound.sockets.insert(key.clone(), Arc::downgrade(socket));
                return Ok((key, Address::Abstract(name)));
            }
        }
        Err(Errno::ENOSPC.because("no name is free"))
    }

    /// The socket of that name.
    pub(super) fn get(&self, key: &Key) -> Option<Arc<Socket>> {
        self.bound.lock().sockets.get(key).and_then(Weak::upgrade)
    }

    /// The lines of `/proc/net/unix` for sockets that have names.
    pub(super) fn list(&self) -> Vec<Vec<u8>> {
        self.sockets().iter().map(|socket| line(socket)).collect()
    }

    /// The sockets that have names, sorted by them.
    pub(super) fn sockets(&self) -> Vec<Arc<Socket>> {
        let mut sockets: Vec<Arc<Socket>> = self.bound.lock().sockets.values().filter_map(Weak::upgrade).collect();
        sockets.sort_by_cached_key(|socket| to_bytes(socket.name().as_ref()));
        sockets
    }

    /// Forgets a name.
    pub(super) fn remove(&self, key: &Key) {
        let removed = self.bound.lock().sockets.remove(key);
        drop(removed);
    }
}

/// A socket as `/proc/net/unix` shows it.
fn line(socket: &Socket) -> Vec<u8> {
    let phase = socket.state.lock().phase;
    // As Linux numbers states; a flag tells of listeners.
    let (flags, state) = match phase {
        Phase::Listening => (0x1_0000, 1),
        Phase::Idle => (0, 1),
        Phase::Connected => (0, 3),
    };
    let kind = socket.kind().number();
    let mut text = format!("0000000000000000: 00000002 00000000 {flags:08X} {kind:04X} {state:02X} 0").into_bytes();
    match socket.name() {
        None => {}
        Some(Address::Path(path)) => {
            text.push(b' ');
            text.extend(path);
        }
        Some(Address::Abstract(name)) => {
            text.extend(b" @");
            text.extend(name.iter().map(|byte| if *byte == 0 { b'@' } else { *byte }));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_ends_at_its_nul_or_with_the_address() {
        let path = Given::Name(Address::Path(b"/a".to_vec()));
        assert_eq!(Given::parse(b"\x01\0/a\0junk"), Ok(path.clone()));
        assert_eq!(Given::parse(b"\x01\0/a"), Ok(path));
        assert_eq!(to_bytes(Some(&Address::Path(b"/a".to_vec()))), b"\x01\0/a\0");
    }

    #[test]
    fn an_abstract_name_keeps_every_byte() {
        let name = Address::Abstract(b"x\0y".to_vec());
        assert_eq!(Given::parse(b"\x01\0\0x\0y"), Ok(Given::Name(name.clone())));
        assert_eq!(to_bytes(Some(&name)), b"\x01\0\0x\0y");
    }

    #[test]
    fn an_address_of_another_family_or_length_is_einval() {
        assert_eq!(Given::parse(b"\x01\0"), Ok(Given::Any));
        assert_eq!(Given::parse(b"\0\0"), Ok(Given::Unspecified));
        for bad in [&b""[..], b"\x01", b"\x02\0\0\0", &[1; 111]] {
            assert_eq!(Given::parse(bad).map_err(|error| error.errno), Err(Errno::EINVAL), "{bad:?}");
        }
    }
}
