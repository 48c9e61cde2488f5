//! Internet addresses as programs give them (`struct sockaddr_in`).

use core::net::{Ipv4Addr, SocketAddrV4};

use linux_abi::socket::{AF_INET, AF_UNSPEC, SockaddrIn};
use linux_abi::{Errno, Wire};

use crate::error::{Because, Result};

/// Bytes of the family.
const FAMILY_LEN: usize = 2;

/// From the bytes of a `sockaddr`; `None` for `AF_UNSPEC`.
///
/// # Errors
/// `EINVAL` if it is too short, `EAFNOSUPPORT` if it is of another family.
pub(in crate::net) fn parse(bytes: &[u8]) -> Result<Option<SocketAddrV4>> {
    let short = || Errno::EINVAL.because("the address is too short");
    let [a, b] = *bytes.first_chunk::<FAMILY_LEN>().ok_or_else(short)?;
    match u16::from_le_bytes([a, b]) {
        AF_UNSPEC => Ok(None),
        AF_INET => {
            let bytes = bytes.get(..SockaddrIn::SIZE).ok_or_else(short)?;
            let addr: SockaddrIn = Wire::load(bytes);
            Ok(Some(SocketAddrV4::new(Ipv4Addr::from(addr.sin_addr), u16::from_be_bytes(addr.sin_port))))
        }
        _ => Err(Errno::EAFNOSUPPORT.because("the address is of another family")),
    }
}

/// The bytes of the `sockaddr`.
pub(in crate::net) fn to_bytes(addr: SocketAddrV4) -> [u8; SockaddrIn::SIZE] {
    let (sin_port, sin_addr) = (addr.port().to_be_bytes(), addr.ip().octets());
    SockaddrIn { sin_family: AF_INET, sin_port, sin_addr }.to_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_as_it_is_written() {
        let addr = SocketAddrV4::new(Ipv4Addr::new(10, 0, 2, 15), 8080);
        let bytes = to_bytes(addr);
        assert_eq!(bytes[..8], [2, 0, 0x1f, 0x90, 10, 0, 2, 15]);
        assert_eq!(parse(&bytes), Ok(Some(addr)));
        assert_eq!(parse(&[0, 0]), Ok(None));
        assert_eq!(parse(&bytes[..15]).map_err(|error| error.errno), Err(Errno::EINVAL));
        assert_eq!(parse(&[10, 0, 0, 0]).map_err(|error| error.errno), Err(Errno::EAFNOSUPPORT));
    }
}
