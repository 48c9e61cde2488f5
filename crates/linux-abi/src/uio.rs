//! Vectored I/O.

flags! {
    /// Flags of `preadv2` and `pwritev2`.
    RwFlags: u32 {
        RWF_HIPRI = 0x01;
        RWF_DSYNC = 0x02;
        RWF_SYNC = 0x04;
        RWF_NOWAIT = 0x08;
        RWF_APPEND = 0x10;
    }
}

/// The most buffers in one call.
pub const UIO_MAXIOV: usize = 1024;
/// The most bytes that one read or write moves (`MAX_RW_COUNT`).
pub const MAX_RW_COUNT: usize = 0x7fff_f000;

wire_structs! {
    /// One buffer.
    Iovec = "struct iovec", 16 {
        iov_base: u64 = 0,
        iov_len: u64 = 8,
    }
}
