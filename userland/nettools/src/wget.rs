//! `wget`: fetches a file over HTTP.

use crate::options::{number, parse};
use crate::{Failure, complain, reason, resolve};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

const USAGE: &str = "usage: wget [-q] [-O FILE] [-T SECONDS] URL";
const MAX_REDIRECTS: usize = 10;
/// The longest line of an answer's head, and how many there may be.
const MAX_LINE: u64 = 16 * 1024;
const MAX_FIELDS: usize = 256;

/// Where a file is.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Url {
    host: String,
    port: u16,
    path: String,
}

impl Url {
    fn parse(text: &str) -> Result<Self, String> {
        let rest = match text.split_once("://") {
            Some(("http", rest)) => rest,
            Some((scheme, _)) => return Err(format!("{scheme}: no such protocol here")),
            None => text,
        };
        let at = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(at);
        let path = path.split('#').next().unwrap_or_default();
        let (host, port) = match authority.split_once(':') {
            Some((host, port)) => {
                let port = port.parse().map_err(|_| format!("{port}: not a port"))?;
                (host, port)
            }
            None => (authority, 80),
        };
        let is_clean = |text: &str| !text.contains(|c: char| c.is_control() || c == ' ');
        if host.is_empty() || host.contains('@') || !is_clean(host) || !is_clean(path) {
            return Err(format!("{}: not an address", text.escape_debug()));
        }
        let path = match path.starts_with('/') {
            true => path.to_owned(),
            false => format!("/{path}"),
        };
        Ok(Self {
            host: host.to_owned(),
            port,
            path,
        })
    }

    /// Where `location` in an answer from here leads.
    fn follow(&self, location: &str) -> Result<Self, String> {
        if location.starts_with('/') && !location.starts_with("//") {
            let text = format!("http://{}:{}{location}", self.host, self.port);
            return Self::parse(&text);
        }
        Self::parse(location)
    }

    /// The file's name, without a directory.
    fn file_name(&self) -> &str {
        let path = self.path.split('?').next().unwrap_or_default();
        match path.rsplit('/').next() {
            None | Some("" | "." | "..") => "index.html",
            Some(name) => name,
        }
    }
}

/// The head of an answer.
#[derive(Debug, Default, PartialEq, Eq)]
struct Head {
    status: u16,
    reason: String,
    length: Option<u64>,
    is_chunked: bool,
    location: Option<String>,
}

fn line(input: &mut impl BufRead) -> io::Result<String> {
    let mut bytes = Vec::new();
    input.take(MAX_LINE).read_until(b'\n', &mut bytes)?;
    if bytes.pop() != Some(b'\n') {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let text = String::from_utf8_lossy(&bytes);
    Ok(text.trim_end_matches('\r').to_owned())
}

fn head(input: &mut impl BufRead) -> io::Result<Head> {
    let bad = || io::Error::new(io::ErrorKind::InvalidData, "not an answer of HTTP");
    let first = line(input)?;
    let mut words = first.splitn(3, ' ');
    if !words.next().is_some_and(|name| name.starts_with("HTTP/")) {
        return Err(bad());
    }
    let mut head = Head {
        status: words.next().and_then(|s| s.parse().ok()).ok_or_else(bad)?,
        reason: words.next().unwrap_or_default().to_owned(),
        ..Head::default()
    };
    for _ in 0..MAX_FIELDS {
        let field = line(input)?;
        if field.is_empty() {
            return Ok(head);
        }
        let (name, value) = field.split_once(':').ok_or_else(bad)?;
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "content-length" => head.length = Some(value.parse().map_err(|_| bad())?),
            "transfer-encoding" => head.is_chunked = value.eq_ignore_ascii_case("chunked"),
            "location" => head.location = Some(value.to_owned()),
            _ => {}
        }
    }
    Err(bad())
}

/// Copies what follows `head` and returns its length.
fn body(head: &Head, input: &mut impl BufRead, out: &mut impl Write) -> io::Result<u64> {
    if head.is_chunked {
        return chunks(input, out);
    }
    match head.length {
        None => io::copy(input, out),
        Some(length) => exactly(length, input, out),
    }
}

fn exactly(length: u64, input: &mut impl BufRead, out: &mut impl Write) -> io::Result<u64> {
    let copied = io::copy(&mut input.take(length), out)?;
    if copied < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(copied)
}

fn chunks(input: &mut impl BufRead, out: &mut impl Write) -> io::Result<u64> {
    let bad = |_| io::Error::new(io::ErrorKind::InvalidData, "not a chunk");
    let mut total = 0u64;
    loop {
        let text = line(input)?;
        let size = text.split(';').next().unwrap_or_default().trim();
        let size = u64::from_str_radix(size, 16).map_err(bad)?;
        if size == 0 {
            // What follows has nothing of the file.
            return Ok(total);
        }
        total = total.saturating_add(exactly(size, input, out)?);
        line(input)?;
    }
}

struct Options<'a> {
    quiet: bool,
    output: Option<&'a str>,
    patience: Option<Duration>,
}

fn request(url: &Url, options: &Options<'_>) -> Result<(Head, BufReader<TcpStream>), String> {
    let address = SocketAddr::from((resolve::host(&url.host)?, url.port));
    if !options.quiet {
        eprintln!("Connecting to {} ({address})", url.host);
    }
    let failed = |error: io::Error| format!("{}: {}", url.host, reason(&error));
    let mut stream = match options.patience {
        Some(patience) => TcpStream::connect_timeout(&address, patience),
        None => TcpStream::connect(address),
    }
    .map_err(failed)?;
    stream.set_read_timeout(options.patience).map_err(failed)?;
    let host = match url.port {
        80 => url.host.clone(),
        port => format!("{}:{port}", url.host),
    };
    let text = format!(
        "GET {} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: Wget\r\nConnection: close\r\n\r\n",
        url.path
    );
    stream.write_all(text.as_bytes()).map_err(failed)?;
    let mut input = BufReader::new(stream);
    let head = head(&mut input).map_err(failed)?;
    Ok((head, input))
}

pub(crate) fn run(args: &[String]) -> Result<i32, Failure> {
    let (given, operands) = parse(args, "q", "OT")?;
    let [address] = operands[..] else {
        return Err(USAGE.to_owned().into());
    };
    let mut options = Options {
        quiet: false,
        output: None,
        patience: None,
    };
    for (letter, value) in given {
        match letter {
            'O' => options.output = Some(value),
            'T' => options.patience = Some(Duration::from_secs(number::<u64>('T', value)?.max(1))),
            _ => options.quiet = true,
        }
    }
    let first = Url::parse(address)?;
    let mut url = first.clone();
    for _ in 0..=MAX_REDIRECTS {
        let (head, mut input) = request(&url, &options)?;
        match (head.status, &head.location) {
            (200, _) => {
                let length = save(&head, &mut input, &first, &options)?;
                if !options.quiet {
                    complain("wget", &format!("{length} bytes saved"));
                }
                return Ok(0);
            }
            (301 | 302 | 303 | 307 | 308, Some(location)) => url = url.follow(location)?,
            _ => {
                let message = format!("server returned error: {} {}", head.status, head.reason);
                return Err(message.into());
            }
        }
    }
    Err("too many redirections".to_owned().into())
}

fn save(
    head: &Head,
    input: &mut impl BufRead,
    url: &Url,
    options: &Options<'_>,
) -> Result<u64, String> {
    let failed = |name: &str, error: io::Error| format!("{name}: {}", reason(&error));
    let path = options.output.unwrap_or(url.file_name());
    if path == "-" {
        let mut out = io::stdout().lock();
        return body(head, input, &mut out).map_err(|error| failed("-", error));
    }
    let mut file = File::create(path).map_err(|error| failed(path, error))?;
    body(head, input, &mut file).map_err(|error| failed(path, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(host: &str, port: u16, path: &str) -> Url {
        Url {
            host: host.to_owned(),
            port,
            path: path.to_owned(),
        }
    }

    #[test]
    fn addresses_are_taken_apart() {
        assert_eq!(
            Url::parse("http://h:8080/a/b?c#d"),
            Ok(url("h", 8080, "/a/b?c"))
        );
        assert_eq!(Url::parse("h"), Ok(url("h", 80, "/")));
        assert_eq!(Url::parse("h?q"), Ok(url("h", 80, "/?q")));
        for bad in [
            "https://h/",
            "http:///x",
            "h:x/",
            "h/a b",
            "h/\r\nX: y",
            "u@h/",
        ] {
            assert!(Url::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn redirections_may_be_within_a_host() {
        let from = url("h", 81, "/x");
        assert_eq!(from.follow("/y"), Ok(url("h", 81, "/y")));
        assert_eq!(from.follow("http://k/z"), Ok(url("k", 80, "/z")));
    }

    #[test]
    fn file_names_have_no_directory() {
        assert_eq!(url("h", 80, "/a/b.txt?x=/y").file_name(), "b.txt");
        assert_eq!(url("h", 80, "/a/").file_name(), "index.html");
        assert_eq!(url("h", 80, "/..").file_name(), "index.html");
    }

    fn fetch(answer: &str) -> io::Result<(u16, String)> {
        let mut input = answer.as_bytes();
        let head = head(&mut input)?;
        let mut out = Vec::new();
        body(&head, &mut input, &mut out)?;
        Ok((head.status, String::from_utf8_lossy(&out).into_owned()))
    }

    #[test]
    fn bodies_end_by_length_by_chunks_or_with_the_connection() {
        let by_length = "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabcdef";
        assert_eq!(fetch(by_length).unwrap(), (200, "abc".to_owned()));
        let by_chunks =
            "HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nab\r\n1\r\nc\r\n0\r\n\r\n";
        assert_eq!(fetch(by_chunks).unwrap(), (200, "abc".to_owned()));
        assert_eq!(
            fetch("HTTP/1.0 404 No\n\nabc").unwrap(),
            (404, "abc".to_owned())
        );
    }

    #[test]
    fn damaged_answers_are_errors() {
        for bad in [
            "",
            "SSH-2.0-x\r\n\r\n",
            "HTTP/1.1 x\r\n\r\n",
            "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
        ] {
            assert!(fetch(bad).is_err(), "{bad:?}");
        }
    }
}
