//! The network as the guest's programs see it, and as it is on the wire.

use super::shell::Shell;
use super::stage::{Stage, until};
use anyhow::{Context, Result, bail, ensure};
use sha2::{Digest, Sha256};
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

/// How many pings, more than any ring has buffers.
const PINGS: usize = 40;

/// How many bytes are transferred.
const TRANSFER: usize = 10 << 20;

/// A transfer that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// The host, as QEMU's network has it.
const GATEWAY: &str = "10.0.2.2";

/// Waits until the machine has an address and reaches the gateway.
fn wait_for_network(shell: &mut Shell<'_>) -> Result<()> {
    until(Duration::from_secs(20), || {
        let answer = shell.run(&format!("ping -c 1 -W 1 {GATEWAY}"))?;
        Ok((answer.status != 0).then(|| format!("{GATEWAY} is not reached: {}", answer.output)))
    })
}

pub(super) fn ping(stage: &Stage<'_>) -> Result<String> {
    let mut figures = Vec::new();
    for legacy in [false, true] {
        let layout = if legacy { "legacy" } else { "modern" };
        let wire = stage.place().join(format!("ping-{layout}.pcap"));
        let dump = format!("filter-dump,id=wire,netdev=net0,file={}", wire.display());
        let adjust = |setup: &mut crate::bare::qemu::Setup| {
            setup.legacy_virtio = legacy;
            setup.network = Some(Vec::new());
            setup.extra.extend(["-object".into(), dump]);
        };
        let text = stage.with(&format!("ping-{layout}"), adjust, |shell| {
            wait_for_network(shell)?;
            shell.value_within(&format!("ping -c {PINGS} -i 0.05 {GATEWAY}"), PATIENCE)
        });
        let text = text.with_context(|| layout)?;
        let wanted = format!("{PINGS} packets transmitted, {PINGS} received");
        ensure!(text.contains(&wanted), "{layout}: {text}");
        let seen = Wire::read(&fs::read(&wire)?).with_context(|| format!("{layout}: {}", wire.display()))?;
        ensure!(
            seen.requests >= PINGS && seen.replies >= PINGS,
            "{layout}: the wire has {} requests and {} replies",
            seen.requests,
            seen.replies
        );
        figures.push(format!("{layout}: {PINGS} of {PINGS}"));
    }
    Ok(figures.join(", "))
}

/// The frames of a capture.
#[derive(Debug, Default, PartialEq, Eq)]
struct Wire {
    requests: usize,
    replies: usize,
}

impl Wire {
    /// Counts the pings in a file of libpcap's format.
    ///
    /// # Errors
    /// A frame that is neither IPv4, ARP nor IPv6: what a wrong length of the
    /// device's header makes of every frame.
    fn read(mut bytes: &[u8]) -> Result<Self> {
        let mut wire = Self::default();
        bytes = bytes.get(24..).context("no capture")?;
        while let Some((header, rest)) = bytes.split_first_chunk::<16>() {
            let length = u32::from_ne_bytes([header[8], header[9], header[10], header[11]]) as usize;
            let (frame, rest) = rest.split_at_checked(length).context("a capture that is cut off")?;
            bytes = rest;
            let kind = frame.get(12..14).context("a short frame")?;
            match kind {
                [8, 0] => {}
                [8, 6] | [0x86, 0xdd] => continue,
                _ => bail!("a frame of type {kind:02x?}: {:02x?}", frame.get(..20)),
            }
            let header_length = frame.get(14).map_or(0, |byte| usize::from(byte & 15) * 4);
            let is_icmp = frame.get(23) == Some(&1);
            match frame.get(14 + header_length) {
                Some(8) if is_icmp => wire.requests += 1,
                Some(0) if is_icmp => wire.replies += 1,
                _ => {}
            }
        }
        Ok(wire)
    }
}

pub(super) fn transfer(stage: &Stage<'_>) -> Result<String> {
    stage.with(
        "transfer",
        |setup| setup.network = Some(Vec::new()),
        |shell| {
            wait_for_network(shell)?;
            let out = out(shell).context("guest to host")?;
            let into = into(shell).context("host to guest")?;
            let rate = |took: Duration| TRANSFER as f64 / took.as_secs_f64() / 1e6;
            Ok(format!("10 MiB out at {:.1} MB/s and in at {:.1} MB/s, the same bytes", rate(out), rate(into)))
        },
    )
}

/// The guest sends a file, whose digest it says.
fn out(shell: &mut Shell<'_>) -> Result<Duration> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    let digest = shell.value_within(
        &format!("head -c {TRANSFER} /dev/urandom > /root/out && sha256sum < /root/out | cut -d ' ' -f 1"),
        PATIENCE,
    )?;
    let host = std::thread::spawn(move || -> Result<(Vec<u8>, Duration)> {
        let mut stream = accept(&listener)?;
        let (start, mut bytes) = (Instant::now(), Vec::new());
        stream.read_to_end(&mut bytes)?;
        Ok((bytes, start.elapsed()))
    });
    let sent = shell.value_within(&format!("nc {GATEWAY} {port} < /root/out"), PATIENCE);
    let (bytes, took) = join(host)?;
    sent?;
    ensure!(bytes.len() == TRANSFER, "{} bytes arrived", bytes.len());
    ensure!(hex(&bytes) == digest, "the host got other bytes than {digest}");
    Ok(took)
}

/// The guest keeps what it gets and says its digest.
fn into(shell: &mut Shell<'_>) -> Result<Duration> {
    let mut seed = 1_u64;
    let bytes: Vec<u8> = std::iter::repeat_with(|| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        seed.to_be_bytes()[0]
    })
    .take(TRANSFER)
    .collect();
    let digest = hex(&bytes);
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    let host = std::thread::spawn(move || -> Result<Duration> {
        let mut stream = accept(&listener)?;
        let start = Instant::now();
        stream.write_all(&bytes)?;
        stream.shutdown(std::net::Shutdown::Write)?;
        // The guest hangs up when it has everything.
        stream.read_to_end(&mut Vec::new())?;
        Ok(start.elapsed())
    });
    let got = shell.value_within(&format!("nc {GATEWAY} {port} < /dev/null > /root/in"), PATIENCE);
    let took = join(host)?;
    got?;
    shell.demand("wc -c < /root/in | tr -d ' '", &TRANSFER.to_string())?;
    shell.demand("sha256sum < /root/in | cut -d ' ' -f 1", &digest)?;
    Ok(took)
}

/// Takes one connection, if it comes in time.
fn accept(listener: &TcpListener) -> Result<TcpStream> {
    listener.set_nonblocking(true)?;
    let deadline = Instant::now() + PATIENCE;
    loop {
        match listener.accept() {
            Ok((stream, _)) => {
                stream.set_nonblocking(false)?;
                stream.set_read_timeout(Some(PATIENCE))?;
                stream.set_write_timeout(Some(PATIENCE))?;
                return Ok(stream);
            }
            Err(error) if error.kind() != std::io::ErrorKind::WouldBlock => return Err(error.into()),
            Err(_) => ensure!(Instant::now() < deadline, "the guest did not connect"),
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn join<T>(thread: std::thread::JoinHandle<Result<T>>) -> Result<T> {
    thread.join().unwrap_or_else(|_| bail!("the host's side panicked"))
}

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn capture(frames: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = vec![0; 24];
        for frame in frames {
            bytes.extend([0; 8]);
            bytes.extend(u32::try_from(frame.len()).unwrap().to_ne_bytes());
            bytes.extend([0; 4]);
            bytes.extend(frame);
        }
        bytes
    }

    fn icmp(kind: u8) -> Vec<u8> {
        let mut frame = vec![0; 42];
        (frame[12], frame[14], frame[23], frame[34]) = (8, 0x45, 1, kind);
        frame
    }

    #[test]
    fn pings_are_counted_by_direction() {
        let wire = Wire::read(&capture(&[icmp(8), icmp(0), icmp(8)])).unwrap();
        assert_eq!(wire, Wire { requests: 2, replies: 1 });
    }

    #[test]
    fn two_bytes_too_many_before_a_frame_are_found() {
        let shifted = [vec![0, 0], icmp(8)].concat();
        assert!(Wire::read(&capture(&[shifted])).is_err());
    }
}
