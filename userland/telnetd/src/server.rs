//! The loop that waits for every client at once.

use crate::session::{FDS, Fate, Login, Session};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::sockopt;
use std::io;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Child;
use std::time::{Duration, Instant};

/// How many clients are served at a time. More wait until one leaves.
const MAX_CLIENTS: usize = 64;
/// How long no client is accepted after that failed, such as for want of descriptors.
const PAUSE: Duration = Duration::from_secs(1);
/// How often shells that outlive their clients are looked after.
const REAP: Duration = Duration::from_millis(200);
/// A silent connection is tested after this time, this often, and so many times.
const KEEP_ALIVE: (Duration, Duration, u32) = (Duration::from_secs(60), Duration::from_secs(10), 6);

/// Serves clients of `listener` with the shell `program`.
///
/// # Errors
/// The listener has failed or waiting has; single clients' failures end only their sessions.
pub fn serve(listener: &TcpListener, program: PathBuf) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let login = Login { program };
    let mut sessions: Vec<Session> = Vec::new();
    // Shells whose clients have gone: hung up, but not yet ended.
    let mut left: Vec<Child> = Vec::new();
    let mut paused_until = None;
    loop {
        let now = Instant::now();
        paused_until = paused_until.filter(|until| *until > now);
        let accepts = sessions.len() < MAX_CLIENTS && paused_until.is_none();
        let (can_accept, events) = wait(
            listener,
            accepts,
            &sessions,
            paused_until,
            !left.is_empty(),
            now,
        )?;
        let mut kept = Vec::with_capacity(sessions.len());
        for (mut session, events) in sessions.into_iter().zip(events) {
            match session.step(events, &login) {
                Fate::Goes => kept.push(session),
                Fate::Over => left.extend(session.into_child()),
            }
        }
        sessions = kept;
        left.retain_mut(|child| matches!(child.try_wait(), Ok(None)));
        if can_accept {
            match listener.accept() {
                Ok((stream, _)) => {
                    if prepare(&stream).is_ok() {
                        sessions.push(Session::new(stream));
                    }
                }
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::WouldBlock
                            | io::ErrorKind::Interrupted
                            | io::ErrorKind::ConnectionAborted
                    ) => {}
                Err(error) => {
                    eprintln!("telnetd: cannot accept a client: {error}");
                    paused_until = Some(Instant::now() + PAUSE);
                }
            }
        }
    }
}

/// Waits until something can be done: whether a client can be accepted, and
/// what can be done for each session.
fn wait(
    listener: &TcpListener,
    accepts: bool,
    sessions: &[Session],
    paused_until: Option<Instant>,
    has_left: bool,
    now: Instant,
) -> io::Result<(bool, Vec<[PollFlags; FDS]>)> {
    let mut fds = Vec::with_capacity(1 + FDS * sessions.len());
    if accepts {
        fds.push(PollFd::new(listener, PollFlags::IN));
    }
    // For each session, whether each of its descriptors is waited for.
    let mut waited = Vec::with_capacity(sessions.len());
    for session in sessions {
        let own = session.poll_fds();
        waited.push(own.each_ref().map(Option::is_some));
        fds.extend(own.into_iter().flatten());
    }
    let deadlines = sessions.iter().filter_map(Session::deadline);
    let deadline = deadlines
        .chain(paused_until)
        .chain(has_left.then(|| now + REAP))
        .min();
    let timeout = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
    let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
    match poll(&mut fds, timeout.as_ref()) {
        Ok(_) | Err(rustix::io::Errno::INTR) => {}
        Err(error) => return Err(error.into()),
    }
    let mut results = fds.iter().map(PollFd::revents);
    let can_accept = accepts && results.next().is_some_and(|flags| !flags.is_empty());
    let mut next = |is_waited: bool| {
        let flags = if is_waited { results.next() } else { None };
        flags.unwrap_or(PollFlags::empty())
    };
    let events = waited.into_iter().map(|own| own.map(&mut next)).collect();
    Ok((can_accept, events))
}

/// Sets up a client's connection.
fn prepare(stream: &TcpStream) -> io::Result<()> {
    stream.set_nonblocking(true)?;
    // The following make the connection better and are not needed for it.
    let _ = stream.set_nodelay(true);
    // The data mark of a Synch stays where it is in the stream.
    let _ = sockopt::set_socket_oobinline(stream, true);
    let (idle, interval, count) = KEEP_ALIVE;
    let _ = sockopt::set_socket_keepalive(stream, true);
    let _ = sockopt::set_tcp_keepidle(stream, idle);
    let _ = sockopt::set_tcp_keepintvl(stream, interval);
    let _ = sockopt::set_tcp_keepcnt(stream, count);
    Ok(())
}
