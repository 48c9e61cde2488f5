//! The commands over the loopback interface.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nettools"));
    command.args(args);
    command
}

fn run(args: &[&str]) -> Output {
    command(args).stdin(Stdio::null()).output().unwrap()
}

/// A port that nothing listens on.
///
/// It is found by a socket that never listens: a process that another test
/// starts at this moment holds a copy of the socket until it has called
/// `execve`, and a listening copy would take the connection meant for a
/// command and lose it.
fn free_port() -> u16 {
    use rustix::net::{AddressFamily, SocketType, bind, getsockname, socket, sockopt};
    let socket = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    sockopt::set_socket_reuseaddr(&socket, true).unwrap();
    bind(&socket, &SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
    let address: SocketAddr = getsockname(&socket).unwrap().try_into().unwrap();
    address.port()
}

fn spawn(args: &[&str]) -> Child {
    command(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

fn connect(port: u16) -> TcpStream {
    let start = Instant::now();
    loop {
        match TcpStream::connect((Ipv4Addr::LOCALHOST, port)) {
            Ok(stream) => return stream,
            Err(error) => assert!(start.elapsed() < Duration::from_secs(10), "{error}"),
        }
        thread::sleep(Duration::from_millis(10));
    }
}

/// Data that a mistake in its order would show in.
fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i * 7 + i / 251) as u8).collect()
}

#[test]
fn nc_sends_its_input_and_prints_the_answer() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut received = Vec::new();
        stream.read_to_end(&mut received).unwrap();
        received.reverse();
        stream.write_all(&received).unwrap();
    });
    let mut child = spawn(&["nc", "-N", "127.0.0.1", &port]);
    let data = pattern(3_000_000);
    let mut input = child.stdin.take().unwrap();
    let sent = data.clone();
    let writer = thread::spawn(move || input.write_all(&sent).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    server.join().unwrap();
    assert!(output.status.success());
    assert!(output.stdout.iter().rev().eq(&data));
}

#[test]
fn a_listening_nc_serves_its_input_after_the_client_has_shut_down() {
    let port = free_port();
    let mut child = spawn(&["nc", "-l", "-p", &port.to_string()]);
    let mut stream = connect(port);
    stream.write_all(b"question").unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut question = [0; 8];
    child
        .stdout
        .as_mut()
        .unwrap()
        .read_exact(&mut question)
        .unwrap();
    assert_eq!(&question, b"question");
    let data = pattern(500_000);
    let mut input = child.stdin.take().unwrap();
    let sent = data.clone();
    let writer = thread::spawn(move || input.write_all(&sent).unwrap());
    let mut received = Vec::new();
    stream.read_to_end(&mut received).unwrap();
    writer.join().unwrap();
    assert!(received == data);
    assert!(child.wait().unwrap().success());
}

#[test]
fn nc_talks_udp_and_gives_up_after_silence() {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = socket.local_addr().unwrap().port().to_string();
    let mut child = spawn(&["nc", "-u", "-w", "1", "127.0.0.1", &port]);
    child
        .stdin
        .as_mut()
        .unwrap()
        .write_all(b"datagram")
        .unwrap();
    let mut buffer = [0; 64];
    let (len, from) = socket.recv_from(&mut buffer).unwrap();
    assert_eq!(&buffer[..len], b"datagram");
    socket.send_to(b"answer", from).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.stdout, b"answer");
}

#[test]
fn nc_fails_without_a_server() {
    let output = run(&["nc", "127.0.0.1", &free_port().to_string()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("Connection refused"));
}

#[test]
fn ping_of_this_machine_loses_nothing() {
    let output = run(&["ping", "-c", "3", "-i", "0.05", "-W", "2", "127.0.0.1"]);
    let text = String::from_utf8_lossy(&output.stdout);
    let error = String::from_utf8_lossy(&output.stderr);
    if error.contains("Operation not permitted") || error.contains("Permission denied") {
        // Neither kind of socket is allowed to this user.
        return;
    }
    assert!(output.status.success(), "{text}{error}");
    assert!(text.starts_with(
        "PING 127.0.0.1 (127.0.0.1) 56(84) bytes of data.\n64 bytes from 127.0.0.1: icmp_seq=1 ttl="
    ));
    assert!(text.contains("\n3 packets transmitted, 3 received, 0% packet loss, time "));
    assert!(text.contains("\nrtt min/avg/max/mdev = "));
}

#[test]
fn ping_has_status_2_for_what_cannot_be_sent() {
    assert_eq!(run(&["ping"]).status.code(), Some(2));
    assert_eq!(
        run(&["ping", "-c", "x", "127.0.0.1"]).status.code(),
        Some(2)
    );
    assert_eq!(
        run(&["ping", "-s", "70000", "127.0.0.1"]).status.code(),
        Some(2)
    );
}

/// Answers `answers.len()` requests with what is given, and returns their first lines.
fn http(answers: Vec<Vec<u8>>) -> (u16, thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = thread::spawn(move || {
        let serve = |answer: Vec<u8>| {
            let (mut stream, _) = listener.accept().unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let first = lines.next().unwrap().unwrap();
            while !lines.next().unwrap().unwrap().is_empty() {}
            stream.write_all(&answer).unwrap();
            first
        };
        answers.into_iter().map(serve).collect()
    });
    (port, server)
}

#[test]
fn wget_follows_redirections_and_writes_the_body() {
    let body = pattern(300_000);
    let mut answer = b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n".to_vec();
    answer.extend(&body);
    let (port, server) = http(vec![
        b"HTTP/1.1 302 Found\r\nLocation: /b?c\r\nContent-Length: 0\r\n\r\n".to_vec(),
        answer,
    ]);
    let output = run(&[
        "wget",
        "-q",
        "-O",
        "-",
        &format!("http://127.0.0.1:{port}/a"),
    ]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.stdout == body);
    assert_eq!(
        server.join().unwrap(),
        ["GET /a HTTP/1.1", "GET /b?c HTTP/1.1"]
    );
}

#[test]
fn wget_fails_on_errors_and_cut_off_bodies() {
    let (port, server) = http(vec![
        b"HTTP/1.1 404 Not Found\r\n\r\n".to_vec(),
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc".to_vec(),
    ]);
    for _ in 0..2 {
        let output = run(&["wget", "-qO-", &format!("127.0.0.1:{port}/")]);
        assert_eq!(output.status.code(), Some(1));
    }
    server.join().unwrap();
}

#[test]
fn ifconfig_shows_the_loopback_interface() {
    let output = run(&["ifconfig", "lo"]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        text.starts_with(
            "lo        Link encap:Local Loopback  \n          inet addr:127.0.0.1  Mask:255.0.0.0\n"
        ),
        "{text}"
    );
    assert_eq!(run(&["ifconfig", "nosuch0"]).status.code(), Some(1));
    assert_eq!(
        run(&["ifconfig", "a-name-that-is-too-long"]).status.code(),
        Some(1)
    );
}

#[test]
fn netstat_shows_a_listener() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let own = format!("127.0.0.1:{} ", listener.local_addr().unwrap().port());
    let output = run(&["netstat", "-tln"]);
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().find(|line| line.contains(&own)).unwrap();
    assert!(
        line.starts_with("tcp ") && line.trim_end().ends_with("LISTEN"),
        "{line}"
    );
}
