//! Terminal modes: `struct termios` and its flags.

/// Control characters in a `struct termios`.
pub const NCCS: usize = 19;

flags! {
    /// Input modes, `c_iflag`.
    InputModes: u32 {
        IGNBRK = 0x0001;
        BRKINT = 0x0002;
        IGNPAR = 0x0004;
        PARMRK = 0x0008;
        INPCK = 0x0010;
        ISTRIP = 0x0020;
        INLCR = 0x0040;
        IGNCR = 0x0080;
        ICRNL = 0x0100;
        IUCLC = 0x0200;
        IXON = 0x0400;
        IXANY = 0x0800;
        IXOFF = 0x1000;
        IMAXBEL = 0x2000;
        IUTF8 = 0x4000;
    }
}

flags! {
    /// Output modes, `c_oflag`. The delays are fields, not single bits.
    OutputModes: u32 {
        OPOST = 0x0001;
        OLCUC = 0x0002;
        ONLCR = 0x0004;
        OCRNL = 0x0008;
        ONOCR = 0x0010;
        ONLRET = 0x0020;
        OFILL = 0x0040;
        OFDEL = 0x0080;
        NLDLY = 0x0100;
        CRDLY = 0x0600;
        TABDLY = 0x1800;
        BSDLY = 0x2000;
        VTDLY = 0x4000;
        FFDLY = 0x8000;
    }
}

/// `XTABS`: tabs become spaces; a value of the field [`OutputModes::TABDLY`].
pub const XTABS: u32 = 0x1800;

flags! {
    /// Control modes, `c_cflag`. `CSIZE` and `CBAUD` are fields.
    ControlModes: u32 {
        CSIZE = 0x0030;
        CSTOPB = 0x0040;
        CREAD = 0x0080;
        PARENB = 0x0100;
        PARODD = 0x0200;
        HUPCL = 0x0400;
        CLOCAL = 0x0800;
        CBAUD = 0x100f;
        CIBAUD = 0x100f_0000;
        CMSPAR = 0x4000_0000;
        CRTSCTS = 0x8000_0000;
    }
}

flags! {
    /// Local modes, `c_lflag`.
    LocalModes: u32 {
        ISIG = 0x0_0001;
        ICANON = 0x0_0002;
        XCASE = 0x0_0004;
        ECHO = 0x0_0008;
        ECHOE = 0x0_0010;
        ECHOK = 0x0_0020;
        ECHONL = 0x0_0040;
        NOFLSH = 0x0_0080;
        TOSTOP = 0x0_0100;
        ECHOCTL = 0x0_0200;
        ECHOPRT = 0x0_0400;
        ECHOKE = 0x0_0800;
        FLUSHO = 0x0_1000;
        PENDIN = 0x0_4000;
        IEXTEN = 0x0_8000;
        EXTPROC = 0x1_0000;
    }
}

consts! {
    /// Values of the fields of `c_cflag`.
    CONTROL_VALUES: u32 {
        CS5 = 0x0000_0000;
        CS6 = 0x0000_0010;
        CS7 = 0x0000_0020;
        CS8 = 0x0000_0030;
        BOTHER = 0x1000;
        B0 = 0x0000;
        B50 = 0x0001;
        B75 = 0x0002;
        B110 = 0x0003;
        B134 = 0x0004;
        B150 = 0x0005;
        B200 = 0x0006;
        B300 = 0x0007;
        B600 = 0x0008;
        B1200 = 0x0009;
        B1800 = 0x000a;
        B2400 = 0x000b;
        B4800 = 0x000c;
        B9600 = 0x000d;
        B19200 = 0x000e;
        B38400 = 0x000f;
        B57600 = 0x1001;
        B115200 = 0x1002;
        B230400 = 0x1003;
        B460800 = 0x1004;
        B500000 = 0x1005;
        B576000 = 0x1006;
        B921600 = 0x1007;
        B1000000 = 0x1008;
        B1152000 = 0x1009;
        B1500000 = 0x100a;
        B2000000 = 0x100b;
        B2500000 = 0x100c;
        B3000000 = 0x100d;
        B3500000 = 0x100e;
        B4000000 = 0x100f;
    }
}

consts! {
    /// Indices into `c_cc`.
    CONTROL_CHARS: usize {
        VINTR = 0;
        VQUIT = 1;
        VERASE = 2;
        VKILL = 3;
        VEOF = 4;
        VTIME = 5;
        VMIN = 6;
        VSWTC = 7;
        VSTART = 8;
        VSTOP = 9;
        VSUSP = 10;
        VEOL = 11;
        VREPRINT = 12;
        VDISCARD = 13;
        VWERASE = 14;
        VLNEXT = 15;
        VEOL2 = 16;
    }
}

consts! {
    /// Arguments of `TCFLSH`, `TCXONC` and the packet mode.
    TTY_VALUES: u32 {
        TCIFLUSH = 0;
        TCOFLUSH = 1;
        TCIOFLUSH = 2;
        TCOOFF = 0;
        TCOON = 1;
        TCIOFF = 2;
        TCION = 3;
        TIOCPKT_DATA = 0;
        TIOCPKT_FLUSHREAD = 1;
        TIOCPKT_FLUSHWRITE = 2;
        TIOCPKT_STOP = 4;
        TIOCPKT_START = 8;
        TIOCPKT_NOSTOP = 16;
        TIOCPKT_DOSTOP = 32;
        TIOCPKT_IOCTL = 64;
    }
}

/// `N_TTY`: the ordinary line discipline.
pub const N_TTY: i32 = 0;
/// `_POSIX_VDISABLE`: a control character that is switched off.
pub const VDISABLE: u8 = 0;

wire_structs! {
    /// `struct termios` as the kernel has it (the C library's is larger).
    Termios = "struct termios", 36 {
        c_iflag: u32 = 0,
        c_oflag: u32 = 4,
        c_cflag: u32 = 8,
        c_lflag: u32 = 12,
        c_line: u8 = 16,
        c_cc: [u8; 19] = 17,
    }
    /// `struct termios2`, with the speeds as numbers.
    Termios2 = "struct termios2", 44 {
        c_iflag: u32 = 0,
        c_oflag: u32 = 4,
        c_cflag: u32 = 8,
        c_lflag: u32 = 12,
        c_line: u8 = 16,
        c_cc: [u8; 19] = 17,
        c_ispeed: u32 = 36,
        c_ospeed: u32 = 40,
    }
    /// The window size.
    Winsize = "struct winsize", 8 {
        ws_row: u16 = 0,
        ws_col: u16 = 2,
        ws_xpixel: u16 = 4,
        ws_ypixel: u16 = 6,
    }
    /// `struct termio`, the System V ancestor (`TCGETA`).
    Termio = "struct termio", 18 {
        c_iflag: u16 = 0,
        c_oflag: u16 = 2,
        c_cflag: u16 = 4,
        c_lflag: u16 = 6,
        c_line: u8 = 8,
        c_cc: [u8; 8] = 9,
    }
}
