//! The system calls that no crate wraps, behind safe functions. All of the
//! crate's unsafe code is here.

use std::io;
use std::mem;
use std::net::Ipv4Addr;
use std::os::fd::{AsFd, AsRawFd};
use std::sync::atomic::{AtomicBool, Ordering};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

extern "C" fn note_interrupt(_: libc::c_int) {
    INTERRUPTED.store(true, Ordering::SeqCst);
}

/// From now on `SIGINT` only interrupts calls; [`interrupted`] tells that it came.
pub(crate) fn catch_interrupt() {
    // SAFETY: an all-zero sigaction is valid, and the handler only stores to an atomic.
    unsafe {
        let mut action: libc::sigaction = mem::zeroed();
        action.sa_sigaction = note_interrupt as extern "C" fn(libc::c_int) as libc::sighandler_t;
        libc::sigaction(libc::SIGINT, &action, std::ptr::null_mut());
    }
}

/// Whether `SIGINT` has come.
pub(crate) fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::SeqCst)
}

fn check(result: libc::c_int) -> io::Result<()> {
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}

/// Asks that messages come with their time to live.
pub(crate) fn want_ttl(socket: impl AsFd) -> io::Result<()> {
    let on: libc::c_int = 1;
    // SAFETY: the value is an int and its length is given.
    check(unsafe {
        libc::setsockopt(
            socket.as_fd().as_raw_fd(),
            libc::IPPROTO_IP,
            libc::IP_RECVTTL,
            (&raw const on).cast(),
            size_of_val(&on) as libc::socklen_t,
        )
    })
}

/// A message that was received.
pub(crate) struct Received {
    pub(crate) len: usize,
    pub(crate) from: Ipv4Addr,
    pub(crate) ttl: Option<u8>,
}

/// Receives one message.
pub(crate) fn receive(socket: impl AsFd, buffer: &mut [u8]) -> io::Result<Received> {
    // Aligned as the headers inside need it.
    let mut control = [0u64; 16];
    // SAFETY: both are plain data, for which zeros are valid.
    let (mut name, mut message): (libc::sockaddr_in, libc::msghdr) = unsafe { mem::zeroed() };
    let mut part = libc::iovec {
        iov_base: buffer.as_mut_ptr().cast(),
        iov_len: buffer.len(),
    };
    message.msg_name = (&raw mut name).cast();
    message.msg_namelen = size_of_val(&name) as libc::socklen_t;
    message.msg_iov = &raw mut part;
    message.msg_iovlen = 1;
    message.msg_control = control.as_mut_ptr().cast();
    message.msg_controllen = size_of_val(&control) as _;
    // SAFETY: the message's pointers and lengths are those of live places.
    let len = unsafe { libc::recvmsg(socket.as_fd().as_raw_fd(), &raw mut message, 0) };
    let len = usize::try_from(len).map_err(|_| io::Error::last_os_error())?;
    let mut ttl = None;
    // SAFETY: `message` is what the call has filled in, and the macros stay inside it.
    unsafe {
        let mut header = libc::CMSG_FIRSTHDR(&raw const message);
        while !header.is_null() {
            if (*header).cmsg_level == libc::IPPROTO_IP && (*header).cmsg_type == libc::IP_TTL {
                let value = libc::CMSG_DATA(header).cast::<libc::c_int>();
                ttl = u8::try_from(value.read_unaligned()).ok();
            }
            header = libc::CMSG_NXTHDR(&raw const message, header);
        }
    }
    let from = Ipv4Addr::from(u32::from_be(name.sin_addr.s_addr));
    Ok(Received { len, from, ttl })
}

/// What is asked or set about an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    Address,
    Broadcast,
    Destination,
    Netmask,
}

impl Field {
    fn get(self) -> libc::Ioctl {
        match self {
            Self::Address => libc::SIOCGIFADDR as _,
            Self::Broadcast => libc::SIOCGIFBRDADDR as _,
            Self::Destination => libc::SIOCGIFDSTADDR as _,
            Self::Netmask => libc::SIOCGIFNETMASK as _,
        }
    }

    fn set(self) -> libc::Ioctl {
        match self {
            Self::Address => libc::SIOCSIFADDR as _,
            Self::Broadcast => libc::SIOCSIFBRDADDR as _,
            Self::Destination => libc::SIOCSIFDSTADDR as _,
            Self::Netmask => libc::SIOCSIFNETMASK as _,
        }
    }
}

/// A socket through which interfaces are asked and set.
pub(crate) struct Control(std::os::fd::OwnedFd);

impl Control {
    pub(crate) fn new() -> io::Result<Self> {
        use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};
        let flags = SocketFlags::CLOEXEC;
        let socket = socket_with(AddressFamily::INET, SocketType::DGRAM, flags, None)?;
        Ok(Self(socket))
    }

    fn request(name: &str) -> io::Result<libc::ifreq> {
        // SAFETY: plain data, for which zeros are valid.
        let mut request: libc::ifreq = unsafe { mem::zeroed() };
        // The last byte stays zero.
        if name.is_empty() || name.len() >= request.ifr_name.len() {
            return Err(io::Error::from_raw_os_error(libc::ENODEV));
        }
        for (to, from) in request.ifr_name.iter_mut().zip(name.bytes()) {
            *to = from as libc::c_char;
        }
        Ok(request)
    }

    fn call(&self, request: &mut libc::ifreq, number: libc::Ioctl) -> io::Result<()> {
        // SAFETY: every number used here takes a pointer to an `ifreq`.
        check(unsafe { libc::ioctl(self.0.as_raw_fd(), number, &raw mut *request) })
    }

    /// An address of an interface.
    pub(crate) fn address(&self, name: &str, field: Field) -> io::Result<Ipv4Addr> {
        let mut request = Self::request(name)?;
        self.call(&mut request, field.get())?;
        // SAFETY: the call has filled in an address, and any bytes are a valid one.
        let place = unsafe { request.ifr_ifru.ifru_addr };
        let [_, _, a, b, c, d, ..] = place.sa_data.map(|byte| byte as u8);
        Ok(Ipv4Addr::new(a, b, c, d))
    }

    /// Sets an address of an interface.
    pub(crate) fn set_address(&self, name: &str, field: Field, to: Ipv4Addr) -> io::Result<()> {
        let mut request = Self::request(name)?;
        request.ifr_ifru.ifru_addr = sockaddr(to);
        self.call(&mut request, field.set())
    }

    /// The hardware's type and address.
    pub(crate) fn hardware(&self, name: &str) -> io::Result<(u16, [u8; 6])> {
        let mut request = Self::request(name)?;
        self.call(&mut request, libc::SIOCGIFHWADDR as _)?;
        // SAFETY: the call has filled in an address, and any bytes are a valid one.
        let place = unsafe { request.ifr_ifru.ifru_hwaddr };
        let [a, b, c, d, e, f, ..] = place.sa_data.map(|byte| byte as u8);
        Ok((place.sa_family, [a, b, c, d, e, f]))
    }

    /// The flags `IFF_…`.
    pub(crate) fn flags(&self, name: &str) -> io::Result<u16> {
        let mut request = Self::request(name)?;
        self.call(&mut request, libc::SIOCGIFFLAGS as _)?;
        // SAFETY: the call has filled in the flags, and any bytes are valid ones.
        Ok(unsafe { request.ifr_ifru.ifru_flags } as u16)
    }

    /// Sets the flags `IFF_…`.
    pub(crate) fn set_flags(&self, name: &str, flags: u16) -> io::Result<()> {
        let mut request = Self::request(name)?;
        request.ifr_ifru.ifru_flags = flags as i16;
        self.call(&mut request, libc::SIOCSIFFLAGS as _)
    }

    /// The longest packet.
    pub(crate) fn mtu(&self, name: &str) -> io::Result<i32> {
        let mut request = Self::request(name)?;
        self.call(&mut request, libc::SIOCGIFMTU as _)?;
        // SAFETY: the call has filled in a number.
        Ok(unsafe { request.ifr_ifru.ifru_mtu })
    }

    /// Sets the longest packet.
    pub(crate) fn set_mtu(&self, name: &str, mtu: i32) -> io::Result<()> {
        let mut request = Self::request(name)?;
        request.ifr_ifru.ifru_mtu = mtu;
        self.call(&mut request, libc::SIOCSIFMTU as _)
    }

    /// Adds a route, or removes it.
    pub(crate) fn route(&self, change: Change, route: &Route) -> io::Result<()> {
        // SAFETY: plain data, for which zeros are valid.
        let mut entry: libc::rtentry = unsafe { mem::zeroed() };
        entry.rt_dst = sockaddr(route.destination);
        entry.rt_genmask = sockaddr(route.mask);
        entry.rt_flags = libc::RTF_UP;
        if let Some(gateway) = route.gateway {
            entry.rt_gateway = sockaddr(gateway);
            entry.rt_flags |= libc::RTF_GATEWAY;
        }
        if route.mask == Ipv4Addr::BROADCAST {
            entry.rt_flags |= libc::RTF_HOST;
        }
        // The kernel's number is one more than the one that is shown.
        entry.rt_metric = route.metric.saturating_add(1);
        let device = route.device.as_deref().map(std::ffi::CString::new);
        let device = device.transpose().map_err(io::Error::other)?;
        if let Some(device) = &device {
            entry.rt_dev = device.as_ptr().cast_mut();
        }
        let number: libc::Ioctl = match change {
            Change::Add => libc::SIOCADDRT as _,
            Change::Remove => libc::SIOCDELRT as _,
        };
        // SAFETY: both calls take a pointer to an `rtentry`, whose device name outlives it.
        check(unsafe { libc::ioctl(self.0.as_raw_fd(), number, &raw const entry) })
    }
}

/// What becomes of a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Add,
    Remove,
}

/// A route as it is added or removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) destination: Ipv4Addr,
    pub(crate) mask: Ipv4Addr,
    pub(crate) gateway: Option<Ipv4Addr>,
    pub(crate) metric: i16,
    pub(crate) device: Option<String>,
}

fn sockaddr(address: Ipv4Addr) -> libc::sockaddr {
    // SAFETY: plain data, for which zeros are valid.
    let mut place: libc::sockaddr = unsafe { mem::zeroed() };
    place.sa_family = libc::AF_INET as libc::sa_family_t;
    // The first two bytes are the port.
    for (to, from) in place.sa_data.iter_mut().skip(2).zip(address.octets()) {
        *to = from as libc::c_char;
    }
    place
}
