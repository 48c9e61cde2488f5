//! The server over the loopback interface, with real terminals and shells.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(20);

struct Server {
    child: Child,
    port: u16,
}

impl Server {
    fn start(program: &str) -> Self {
        // A port that was free a moment ago.
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let child = Command::new(env!("CARGO_BIN_EXE_telnetd"))
            .args(["-F", "-b", "127.0.0.1", "-l", program, "-p"])
            .arg(port.to_string())
            .env("PS1", "$ ")
            .spawn()
            .unwrap();
        Self { child, port }
    }

    fn connect(&self) -> Client {
        let start = Instant::now();
        loop {
            match TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)) {
                Ok(stream) => {
                    stream.set_read_timeout(Some(PATIENCE)).unwrap();
                    return Client {
                        stream,
                        seen: Vec::new(),
                    };
                }
                Err(error) => assert!(start.elapsed() < PATIENCE, "{error}"),
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The children of the server: those that run, and zombies.
    fn children(&self) -> Vec<u32> {
        let pid = self.child.id();
        let path = format!("/proc/{pid}/task/{pid}/children");
        let list = std::fs::read_to_string(path).unwrap_or_default();
        list.split_whitespace().flat_map(str::parse).collect()
    }

    fn wait_for_no_children(&self) {
        let start = Instant::now();
        while !self.children().is_empty() {
            assert!(
                start.elapsed() < PATIENCE,
                "children are left: {:?}",
                self.children()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Client {
    stream: TcpStream,
    seen: Vec<u8>,
}

impl Client {
    fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    /// Reads until `wanted` has come and forgets it and what was before it.
    fn expect(&mut self, wanted: &[u8]) {
        let start = Instant::now();
        loop {
            let found = self.seen.windows(wanted.len()).position(|w| w == wanted);
            if let Some(at) = found {
                self.seen.drain(..at + wanted.len());
                return;
            }
            let mut chunk = [0; 4096];
            let count = self.stream.read(&mut chunk).unwrap_or_else(|error| {
                panic!("{error}; seen {:?}", self.seen.escape_ascii().to_string())
            });
            assert!(
                count > 0 && start.elapsed() < PATIENCE,
                "no {:?} in {:?}",
                wanted.escape_ascii().to_string(),
                self.seen.escape_ascii().to_string()
            );
            self.seen.extend_from_slice(&chunk[..count]);
        }
    }

    /// Reads to the end.
    fn rest(&mut self) -> Vec<u8> {
        let mut rest = std::mem::take(&mut self.seen);
        match self.stream.read_to_end(&mut rest) {
            Ok(_) => {}
            Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
        }
        rest
    }
}

const OFFERS: &[u8] = b"\xff\xfb\x01\xff\xfb\x03\xff\xfd\x18\xff\xfd\x1f";

#[test]
fn a_client_that_negotiates_gets_a_shell_on_its_terminal() {
    let server = Server::start("/bin/sh");
    let mut client = server.connect();
    client.expect(OFFERS);
    client.send(b"\xff\xfd\x01\xff\xfd\x03\xff\xfb\x18\xff\xfb\x1f");
    client.expect(b"\xff\xfa\x18\x01\xff\xf0");
    client.send(b"\xff\xfa\x1f\x00\x65\x00\x2b\xff\xf0\xff\xfa\x18\x00VT220\xff\xf0");
    client.send(b"echo $((6*7)) term=$TERM; stty size; tty\r\0");
    client.expect(b"42 term=vt220\r\n43 101\r\n/dev/pts/");
    client.send(b"\xff\xfa\x1f\x00\x50\x00\x18\xff\xf0stty size\r\n");
    client.expect(b"24 80\r\n");
    client.send(b"\xff\xf6");
    client.expect(b"[Yes]");
    client.send(b"exit 3\r\0");
    client.rest();
    server.wait_for_no_children();
}

#[test]
fn a_client_that_knows_no_telnet_gets_a_shell() {
    let server = Server::start("/bin/sh");
    let mut client = server.connect();
    client.send(b"echo plain$((1+1))\n");
    client.expect(b"plain2\r\n");
}

#[test]
fn an_interrupt_ends_the_program_in_the_foreground() {
    let server = Server::start("/bin/sh");
    let mut client = server.connect();
    client.send(b"echo be''gun; sleep 1000\r\n");
    client.expect(b"begun\r\n");
    std::thread::sleep(Duration::from_millis(300));
    client.send(b"\xff\xf4\xff\xf2");
    client.send(b"echo status $?\r\n");
    client.expect(b"status 130\r\n");
}

#[test]
fn bytes_of_255_pass_both_ways() {
    let server = Server::start("/bin/sh");
    let mut client = server.connect();
    client.send(
        b"stty -echo raw; echo re''ady; head -c 3 | od -An -tx1; printf 'a\\377b'; stty sane\n",
    );
    client.expect(b"ready");
    client.send(b"x\xff\xffy");
    client.expect(b"78 ff 79");
    client.expect(b"a\xff\xffb");
}

#[test]
fn many_clients_at_once_have_terminals_of_their_own() {
    let server = Server::start("/bin/sh");
    let mut clients: Vec<_> = (0..12).map(|_| server.connect()).collect();
    for (number, client) in clients.iter_mut().enumerate() {
        client.send(format!("name=n{number}; echo in $name\n").as_bytes());
    }
    for (number, client) in clients.iter_mut().enumerate().rev() {
        client.expect(format!("in n{number}\r\n").as_bytes());
        client.send(b"echo still $name\n");
        client.expect(format!("still n{number}\r\n").as_bytes());
    }
    drop(clients);
    server.wait_for_no_children();
}

#[test]
fn a_client_that_goes_hangs_up_its_programs_and_leaves_no_zombie() {
    let server = Server::start("/bin/sh");
    for _ in 0..20 {
        let mut client = server.connect();
        client.send(b"echo he''re; sleep 1000\n");
        client.expect(b"here\r\n");
    }
    server.wait_for_no_children();
}

#[test]
fn all_output_arrives_before_the_end() {
    let server = Server::start("/bin/sh");
    let mut client = server.connect();
    client.send(b"stty -echo; echo be''gin; seq 1 50000; exit\n");
    client.expect(b"begin\r\n");
    let rest = client.rest();
    let want: String = (1..=50000).map(|n| format!("{n}\r\n")).collect();
    let rest = String::from_utf8_lossy(&rest);
    assert!(rest.contains(&want), "{} bytes", rest.len());
}

#[test]
fn a_client_that_does_not_read_stops_its_program_and_no_other() {
    let server = Server::start("/bin/sh");
    let mut flooded = server.connect();
    flooded.send(b"echo be''gin; yes\n");
    flooded.expect(b"begin\r\n");
    std::thread::sleep(Duration::from_millis(1500));
    let mut other = server.connect();
    other.send(b"echo un''hurt\n");
    other.expect(b"unhurt\r\n");
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.child.id())).unwrap();
    let rss = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let rss: u64 = rss.unwrap().trim().trim_end_matches(" kB").parse().unwrap();
    assert!(rss < 16 * 1024, "the server has {rss} KiB");
    drop(flooded);
    other.send(b"exit\n");
    other.rest();
    server.wait_for_no_children();
}

#[test]
fn a_client_that_floods_a_program_that_does_not_read_is_noticed_when_it_goes() {
    let server = Server::start("/bin/sh");
    let mut client = server.connect();
    client.send(b"stty raw -echo; echo be''gin; sleep 1000\n");
    client.expect(b"begin");
    // More than the terminal takes and less than the connection holds: behind
    // what the connection cannot hold, no end of it could arrive.
    client.send(&[b'x'; 65536]);
    drop(client);
    server.wait_for_no_children();
}

#[test]
fn hostile_bytes_do_not_end_the_server() {
    let server = Server::start("/bin/cat");
    let mut seed = 1u32;
    for _ in 0..20 {
        let mut client = server.connect();
        let bytes: Vec<u8> = (0..20_000)
            .map(|_| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                if seed >> 30 == 0 {
                    255
                } else {
                    (seed >> 16) as u8
                }
            })
            .collect();
        let _ = client
            .stream
            .set_write_timeout(Some(Duration::from_millis(300)));
        let _ = client.stream.write(&bytes);
    }
    let mut client = server.connect();
    client.send(b"fine\n");
    client.expect(b"fine\r\nfine\r\n");
    drop(client);
    server.wait_for_no_children();
}

#[test]
fn a_missing_program_is_reported_to_the_client() {
    let server = Server::start("/no/such/shell");
    let mut client = server.connect();
    client.send(b"\n");
    let rest = String::from_utf8_lossy(&client.rest()).into_owned();
    assert!(rest.contains("cannot start /no/such/shell"), "{rest}");
}
