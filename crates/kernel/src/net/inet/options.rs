//! What can be set about an internet socket: [`Options`].

use super::ip::DEFAULT_TTL;

/// The room for what has been received, as `SO_RCVBUF` tells by default.
pub(super) const DEFAULT_LIMIT: usize = 212_992;
/// As told for TCP.
pub(super) const TCP_RECEIVE: usize = 262_144;
pub(super) const TCP_SEND: usize = 262_144;

bitflags::bitflags! {
    /// Options that are on or off.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub(super) struct Flags: u32 {
        const REUSE_ADDRESS = 1;
        const REUSE_PORT = 1 << 1;
        const KEEP_ALIVE = 1 << 2;
        const BROADCAST = 1 << 3;
        const URGENT_INLINE = 1 << 4;
        const DO_NOT_ROUTE = 1 << 5;
        const NO_DELAY = 1 << 6;
        const CORK = 1 << 7;
        /// Errors are told though the socket is not connected.
        const RECEIVE_ERRORS = 1 << 8;
        const RECEIVE_TTL = 1 << 9;
        const RECEIVE_TOS = 1 << 10;
        const PACKET_INFO = 1 << 11;
        /// Raw packets are written with their header.
        const HEADER_INCLUDED = 1 << 12;
        const QUICK_ACK = 1 << 13;
    }
}

/// The options of a socket.
#[derive(Clone, Debug)]
pub(super) struct Options {
    pub(super) flags: Flags,
    /// Seconds, if `SO_LINGER` is on.
    pub(super) linger: Option<u32>,
    pub(super) receive_timeout_ns: Option<u64>,
    pub(super) send_timeout_ns: Option<u64>,
    pub(super) receive_limit: usize,
    pub(super) send_limit: usize,
    pub(super) low_water: usize,
    pub(super) ttl: u8,
    pub(super) tos: u8,
    /// `IP_MTU_DISCOVER`: 0 lets packets be cut.
    pub(super) mtu_discover: u32,
    /// Seconds.
    pub(super) keep_idle: u32,
    pub(super) keep_interval: u32,
    pub(super) keep_count: u32,
    /// Milliseconds; 0 for the default.
    pub(super) user_timeout_ms: u32,
    pub(super) syn_count: u32,
    pub(super) multicast_ttl: u8,
    /// `SO_BINDTODEVICE`.
    pub(super) link: Option<usize>,
    /// Types of ICMP messages that a raw socket does not want.
    pub(super) icmp_filter: u32,
    pub(super) priority: u32,
}

impl Options {
    /// What a new socket has; of a stream if `is_stream`.
    pub(super) fn new(is_stream: bool) -> Self {
        Self {
            flags: Flags::empty(),
            linger: None,
            receive_timeout_ns: None,
            send_timeout_ns: None,
            receive_limit: if is_stream { TCP_RECEIVE } else { DEFAULT_LIMIT },
            send_limit: if is_stream { TCP_SEND } else { DEFAULT_LIMIT },
            low_water: 1,
            ttl: DEFAULT_TTL,
            tos: 0,
            mtu_discover: u32::from(is_stream),
            keep_idle: 7200,
            keep_interval: 75,
            keep_count: 9,
            user_timeout_ms: 0,
            syn_count: 6,
            multicast_ttl: 1,
            link: None,
            icmp_filter: 0,
            priority: 0,
        }
    }
}
