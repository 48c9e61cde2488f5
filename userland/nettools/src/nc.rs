//! `nc`: copies standard input to a connection and the connection to standard output.

use crate::options::{number, parse};
use crate::{Failure, reason, resolve};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, read, write};
use rustix::net::{RecvFlags, SendFlags, Shutdown, SocketType, recv, send, shutdown, sockopt};
use rustix::stdio::{stdin, stdout};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::OwnedFd;
use std::time::Duration;

const CHUNK: usize = 65536;
const USAGE: &str = "usage: nc [-u] [-w SECONDS] [-dNnv] HOST PORT
       nc -l [-u] [-w SECONDS] [-dNnv] [-s ADDRESS] [-p] PORT";

#[derive(Debug)]
struct Options {
    listens: bool,
    udp: bool,
    /// Standard input is not read.
    detached: bool,
    verbose: bool,
    patience: Option<Duration>,
    source: Ipv4Addr,
    /// Where to connect to, or where to listen.
    target: SocketAddr,
    /// The own port of a connection.
    own_port: Option<u16>,
}

fn options(args: &[String]) -> Result<Options, String> {
    let (given, operands) = parse(args, "ludNnv4", "pws")?;
    let has = |wanted| given.iter().any(|(letter, _)| *letter == wanted);
    let protocol = if has('u') { "udp" } else { "tcp" };
    let (mut patience, mut source, mut port) = (None, Ipv4Addr::UNSPECIFIED, None);
    for (letter, value) in &given {
        match letter {
            'p' => port = Some(resolve::port(value, protocol)?),
            's' => source = resolve::host(value)?,
            'w' => patience = Some(Duration::from_secs(number('w', value)?)),
            // -N is what happens anyway, names are never looked up for show.
            _ => {}
        }
    }
    let target = match (has('l'), &operands[..], port) {
        (false, [host, port], _) => resolve::address(host, port, protocol)?,
        (true, [], Some(port)) => (source, port).into(),
        (true, [port], None) => (source, resolve::port(port, protocol)?).into(),
        (true, [host, port], None) => resolve::address(host, port, protocol)?,
        _ => return Err(USAGE.to_owned()),
    };
    Ok(Options {
        listens: has('l'),
        udp: has('u'),
        detached: has('d'),
        verbose: has('v'),
        patience: patience.filter(|time| !time.is_zero()),
        source,
        target,
        own_port: port,
    })
}

/// The connection that the options ask for.
fn connect(options: &Options) -> io::Result<OwnedFd> {
    let own = (options.source, options.own_port.unwrap_or(0));
    let (socket, peer): (OwnedFd, _) = match (options.udp, options.listens) {
        (false, false) => {
            let stream = connect_tcp(options, own)?;
            (stream.into(), options.target)
        }
        (false, true) => {
            let listener = TcpListener::bind(options.target)?;
            wait_for(&listener, options.patience)?;
            let (stream, peer) = listener.accept()?;
            (stream.into(), peer)
        }
        (true, false) => {
            let socket = UdpSocket::bind(own)?;
            socket.connect(options.target)?;
            (socket.into(), options.target)
        }
        (true, true) => {
            let socket = UdpSocket::bind(options.target)?;
            wait_for(&socket, options.patience)?;
            // The first to send is the one to talk to.
            let (_, peer) = socket.peek_from(&mut [0; 1])?;
            socket.connect(peer)?;
            (socket.into(), peer)
        }
    };
    if options.verbose {
        let what = if options.listens { "from" } else { "to" };
        eprintln!("nc: connection {what} {peer}");
    }
    Ok(socket)
}

fn connect_tcp(options: &Options, own: (Ipv4Addr, u16)) -> io::Result<TcpStream> {
    if own != (Ipv4Addr::UNSPECIFIED, 0) {
        use rustix::net::{AddressFamily, bind, connect, socket};
        let socket = socket(AddressFamily::INET, SocketType::STREAM, None)?;
        sockopt::set_socket_reuseaddr(&socket, true)?;
        bind(&socket, &SocketAddr::from(own))?;
        connect(&socket, &options.target)?;
        return Ok(socket.into());
    }
    match options.patience {
        Some(patience) => TcpStream::connect_timeout(&options.target, patience),
        None => TcpStream::connect(options.target),
    }
}

fn timespec(time: Option<Duration>) -> Option<Timespec> {
    time.and_then(|time| Timespec::try_from(time).ok())
}

/// Waits until something has arrived.
fn wait_for(socket: &impl std::os::fd::AsFd, patience: Option<Duration>) -> io::Result<()> {
    loop {
        let mut fds = [PollFd::new(socket, PollFlags::IN)];
        match poll(&mut fds, timespec(patience).as_ref()) {
            Ok(0) => return Err(io::ErrorKind::TimedOut.into()),
            Ok(_) => return Ok(()),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

fn write_out(mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match write(stdout(), bytes) {
            Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Copies both ways until the other side has ended and, unless a person sits
/// there, standard input has too.
fn copy(socket: &OwnedFd, options: &Options) -> io::Result<()> {
    rustix::io::ioctl_fionbio(socket, true)?;
    let is_person = rustix::termios::isatty(stdin());
    let (mut reads_input, mut reads_socket) = (!options.detached, true);
    let mut buffer = vec![0; CHUNK];
    let mut unsent: Vec<u8> = Vec::new();
    let mut is_shut = options.detached;
    loop {
        let ended = !reads_input && unsent.is_empty();
        if ended && !is_shut && !options.udp {
            is_shut = true;
            // The other side may have gone already.
            let _ = shutdown(socket, Shutdown::Write);
        }
        if !reads_socket && (ended || is_person) {
            return Ok(());
        }
        let mut wanted = PollFlags::empty();
        wanted.set(PollFlags::IN, reads_socket);
        wanted.set(PollFlags::OUT, !unsent.is_empty());
        let waits_input = reads_input && unsent.is_empty();
        let mut fds = Vec::with_capacity(2);
        // A connection that has ended is reported whether that is wanted or not.
        let waits_socket = !wanted.is_empty();
        if waits_socket {
            fds.push(PollFd::new(socket, wanted));
        }
        if waits_input {
            fds.push(PollFd::from_borrowed_fd(stdin(), PollFlags::IN));
        }
        match poll(&mut fds, timespec(options.patience).as_ref()) {
            // Silence for as long as `-w` allows is an end too.
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
        }
        let mut results = fds.iter().map(PollFd::revents);
        let mut next = |is_waited: bool| {
            let flags = if is_waited { results.next() } else { None };
            flags.unwrap_or(PollFlags::empty())
        };
        let (at_socket, at_input) = (next(waits_socket), next(waits_input));
        if reads_socket && at_socket.intersects(PollFlags::IN | PollFlags::HUP | PollFlags::ERR) {
            match recv(socket, &mut buffer[..], RecvFlags::empty()) {
                Ok((0, _)) if !options.udp => reads_socket = false,
                Ok((count, _)) => write_out(buffer.get(..count).unwrap_or_default())?,
                Err(Errno::AGAIN | Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        if !at_input.is_empty() {
            match read(stdin(), &mut buffer[..]) {
                Ok(0) => reads_input = false,
                Ok(count) => unsent.extend_from_slice(buffer.get(..count).unwrap_or_default()),
                Err(Errno::INTR | Errno::AGAIN) => {}
                Err(error) => return Err(error.into()),
            }
        }
        if !unsent.is_empty() {
            match send(socket, &unsent, SendFlags::NOSIGNAL) {
                Ok(count) => drop(unsent.drain(..count)),
                Err(Errno::AGAIN | Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// Fails if there is no connection or it breaks.
pub(crate) fn run(args: &[String]) -> Result<i32, Failure> {
    let options = options(args)?;
    let socket =
        connect(&options).map_err(|error| format!("{}: {}", options.target, reason(&error)))?;
    copy(&socket, &options).map_err(|error| reason(&error))?;
    Ok(0)
}
