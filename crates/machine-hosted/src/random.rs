//! Unpredictable bytes from the host.

/// Fills `buf` from the host's generator.
///
/// # Panics
/// If the host has none: a guest without randomness is worse than no guest.
#[cfg(target_os = "linux")]
pub(crate) fn fill(mut buf: &mut [u8]) {
    use rustix::io::Errno;
    use rustix::rand::{GetRandomFlags, getrandom};
    while !buf.is_empty() {
        match getrandom(&mut *buf, GetRandomFlags::empty()) {
            Ok(count) => buf = &mut buf[count..],
            Err(Errno::INTR) => {}
            Err(error) => panic!("the host gives no random bytes: {error}"),
        }
    }
}

/// Fills `buf` from the host's generator.
///
/// # Panics
/// If the host has none: a guest without randomness is worse than no guest.
#[cfg(not(target_os = "linux"))]
pub(crate) fn fill(buf: &mut [u8]) {
    use std::io::Read;
    let filled = std::fs::File::open("/dev/urandom").and_then(|mut file| file.read_exact(buf));
    filled.expect("the host gives random bytes");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_of_a_large_buffer_is_filled() {
        let mut buf = vec![0; 1 << 16];
        fill(&mut buf);
        assert!(buf.chunks(32).all(|chunk| chunk.iter().any(|&byte| byte != 0)));
    }
}
