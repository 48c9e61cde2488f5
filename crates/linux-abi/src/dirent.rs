//! Directory entries as `getdents64` writes them.

consts! {
    /// `d_type` of a directory entry: the file type bits of a mode, shifted down by 12.
    DIRENT_TYPES: u8 {
        DT_UNKNOWN = 0;
        DT_FIFO = 1;
        DT_CHR = 2;
        DT_DIR = 4;
        DT_BLK = 6;
        DT_REG = 8;
        DT_LNK = 10;
        DT_SOCK = 12;
    }
}

wire_structs! {
    /// The fixed part of `struct linux_dirent64`; the name follows at once,
    /// with a NUL, and the record is padded to 8 bytes.
    Dirent64 = "struct dirent64", 19 {
        d_ino: u64 = 0,
        d_off: i64 = 8,
        d_reclen: u16 = 16,
        d_type: u8 = 18,
    }
}

impl Dirent64 {
    /// Bytes in the record for a name of `name_len` bytes.
    #[must_use]
    pub const fn record_len(name_len: usize) -> usize {
        (Self::SIZE + name_len + 1).next_multiple_of(8)
    }
}
