//! Sockets: families, types, options, addresses, messages.

consts! {
    /// Address families.
    ADDRESS_FAMILIES: u16 {
        AF_UNSPEC = 0;
        AF_UNIX = 1;
        AF_INET = 2;
        AF_INET6 = 10;
        AF_NETLINK = 16;
        AF_PACKET = 17;
    }
}

consts! {
    /// Socket types, and the two flags that may be added.
    SOCKET_TYPES: u32 {
        SOCK_STREAM = 1;
        SOCK_DGRAM = 2;
        SOCK_RAW = 3;
        SOCK_RDM = 4;
        SOCK_SEQPACKET = 5;
        SOCK_NONBLOCK = 0o4000;
        SOCK_CLOEXEC = 0o2000000;
    }
}

/// The bits of a socket type that are no flag.
pub const SOCK_TYPE_MASK: u32 = 0xf;

flags! {
    /// Flags of `sendmsg`, `recvmsg` and their fellows.
    MsgFlags: u32 {
        MSG_OOB = 0x1;
        MSG_PEEK = 0x2;
        MSG_DONTROUTE = 0x4;
        MSG_CTRUNC = 0x8;
        MSG_TRUNC = 0x20;
        MSG_DONTWAIT = 0x40;
        MSG_EOR = 0x80;
        MSG_WAITALL = 0x100;
        MSG_CONFIRM = 0x800;
        MSG_ERRQUEUE = 0x2000;
        MSG_NOSIGNAL = 0x4000;
        MSG_MORE = 0x8000;
        MSG_WAITFORONE = 0x1_0000;
        MSG_FASTOPEN = 0x2000_0000;
        MSG_CMSG_CLOEXEC = 0x4000_0000;
    }
}

consts! {
    /// Options of level `SOL_SOCKET`, levels, protocols, and control messages.
    SOCKET_OPTIONS: u32 {
        SOL_SOCKET = 1;
        SO_DEBUG = 1;
        SO_REUSEADDR = 2;
        SO_TYPE = 3;
        SO_ERROR = 4;
        SO_DONTROUTE = 5;
        SO_BROADCAST = 6;
        SO_SNDBUF = 7;
        SO_RCVBUF = 8;
        SO_KEEPALIVE = 9;
        SO_OOBINLINE = 10;
        SO_NO_CHECK = 11;
        SO_PRIORITY = 12;
        SO_LINGER = 13;
        SO_REUSEPORT = 15;
        SO_PASSCRED = 16;
        SO_PEERCRED = 17;
        SO_RCVLOWAT = 18;
        SO_SNDLOWAT = 19;
        SO_RCVTIMEO = 20;
        SO_SNDTIMEO = 21;
        SO_BINDTODEVICE = 25;
        SO_TIMESTAMP = 29;
        SO_ACCEPTCONN = 30;
        SO_PEERSEC = 31;
        SO_SNDBUFFORCE = 32;
        SO_RCVBUFFORCE = 33;
        SO_MARK = 36;
        SO_PROTOCOL = 38;
        SO_DOMAIN = 39;
        SO_PEERGROUPS = 59;
        SCM_RIGHTS = 1;
        SCM_CREDENTIALS = 2;
        SHUT_RD = 0;
        SHUT_WR = 1;
        SHUT_RDWR = 2;
        SOMAXCONN = 4096;
        IPPROTO_IP = 0;
        IPPROTO_ICMP = 1;
        IPPROTO_TCP = 6;
        IPPROTO_UDP = 17;
        IPPROTO_IPV6 = 41;
        TCP_NODELAY = 1;
        TCP_MAXSEG = 2;
        TCP_CORK = 3;
        TCP_KEEPIDLE = 4;
        TCP_KEEPINTVL = 5;
        TCP_KEEPCNT = 6;
        TCP_SYNCNT = 7;
        TCP_LINGER2 = 8;
        TCP_DEFER_ACCEPT = 9;
        TCP_WINDOW_CLAMP = 10;
        TCP_INFO = 11;
        TCP_QUICKACK = 12;
        TCP_CONGESTION = 13;
        TCP_USER_TIMEOUT = 18;
        IP_TOS = 1;
        IP_TTL = 2;
        IP_HDRINCL = 3;
        IP_PKTINFO = 8;
        IP_MTU_DISCOVER = 10;
        IP_RECVERR = 11;
        IP_RECVTTL = 12;
        IP_RECVTOS = 13;
        IP_MTU = 14;
        IP_MULTICAST_IF = 32;
        IP_MULTICAST_TTL = 33;
        IP_MULTICAST_LOOP = 34;
        IP_ADD_MEMBERSHIP = 35;
        IP_DROP_MEMBERSHIP = 36;
        IPPROTO_RAW = 255;
        SOL_RAW = 255;
        ICMP_FILTER = 1;
        IPV6_V6ONLY = 26;
    }
}

wire_structs! {
    /// An IPv4 address; port and address in network order.
    SockaddrIn = "struct sockaddr_in", 16 {
        sin_family: u16 = 0,
        sin_port: [u8; 2] = 2,
        sin_addr: [u8; 4] = 4,
    }
    /// An IPv6 address; port and address in network order.
    SockaddrIn6 = "struct sockaddr_in6", 28 {
        sin6_family: u16 = 0,
        sin6_port: [u8; 2] = 2,
        sin6_flowinfo: [u8; 4] = 4,
        sin6_addr: [u8; 16] = 8,
        sin6_scope_id: u32 = 24,
    }
    /// A local address; the path need not end with NUL.
    SockaddrUn = "struct sockaddr_un", 110 {
        sun_family: u16 = 0,
        sun_path: [u8; 108] = 2,
    }
    /// The argument of `sendmsg` and `recvmsg`.
    Msghdr = "struct msghdr", 56 {
        msg_name: u64 = 0,
        msg_namelen: i32 = 8,
        msg_iov: u64 = 16,
        msg_iovlen: u64 = 24,
        msg_control: u64 = 32,
        msg_controllen: u64 = 40,
        msg_flags: u32 = 48,
    }
    /// One message of `sendmmsg` and `recvmmsg`.
    Mmsghdr = "struct mmsghdr", 64 {
        msg_hdr: Msghdr = 0,
        msg_len: u32 = 56,
    }
    /// The fixed part of a control message.
    Cmsghdr = "struct cmsghdr", 16 {
        cmsg_len: u64 = 0,
        cmsg_level: i32 = 8,
        cmsg_type: i32 = 12,
    }
    /// Who is at the other end of a local socket.
    Ucred = "struct ucred", 12 {
        pid: i32 = 0,
        uid: u32 = 4,
        gid: u32 = 8,
    }
    /// The argument of `SO_LINGER`.
    Linger = "struct linger", 8 {
        l_onoff: i32 = 0,
        l_linger: i32 = 4,
    }
}
