//! The telnet server's command line.

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::ExitCode;

const USAGE: &str = "usage: telnetd [-F] [-b ADDRESS] [-p PORT] [-l PROGRAM]
  -F  stay in the foreground
  -b  listen at this address alone (default: all of this machine's)
  -p  listen on this port (default 23)
  -l  start this program for each client (default /bin/login, or /bin/sh without it)";

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
struct Options {
    foreground: bool,
    address: IpAddr,
    port: u16,
    program: Option<PathBuf>,
}

fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Options, String> {
    let mut options = Options {
        foreground: false,
        address: Ipv4Addr::UNSPECIFIED.into(),
        port: 23,
        program: None,
    };
    let mut args = args.into_iter();
    while let Some(arg) = args.next() {
        let text = arg.to_str().ok_or(USAGE)?;
        let (flag, attached) = text.split_at_checked(2).ok_or(USAGE)?;
        if text == "-F" {
            options.foreground = true;
            continue;
        }
        let value = if attached.is_empty() {
            args.next().ok_or(USAGE)?
        } else {
            attached.into()
        };
        let number = || value.to_str().unwrap_or_default();
        match flag {
            "-b" => {
                let wrong = |_| format!("{}: not an address", value.display());
                options.address = number().parse().map_err(wrong)?;
            }
            "-p" => {
                let wrong = |_| format!("{}: not a port", value.display());
                options.port = number().parse().map_err(wrong)?;
            }
            "-l" => options.program = Some(value.into()),
            _ => return Err(USAGE.to_owned()),
        }
    }
    Ok(options)
}

/// `/bin/login` where there is one.
fn default_program() -> PathBuf {
    let login = PathBuf::from("/bin/login");
    if login.is_file() {
        login
    } else {
        "/bin/sh".into()
    }
}

fn run() -> Result<(), String> {
    let options = parse(std::env::args_os().skip(1))?;
    let place = (options.address, options.port);
    let listener = TcpListener::bind(place)
        .map_err(|error| format!("cannot listen on port {}: {error}", options.port))?;
    if !options.foreground {
        // SAFETY: this process has one thread and holds no lock.
        if unsafe { libc::daemon(0, 0) } != 0 {
            let error = std::io::Error::last_os_error();
            return Err(format!("cannot go to the background: {error}"));
        }
    }
    let program = options.program.unwrap_or_else(default_program);
    telnetd::server::serve(&listener, program).map_err(|error| error.to_string())
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("telnetd: {message}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(args: &[&str]) -> Result<Options, String> {
        parse(args.iter().map(OsString::from))
    }

    #[test]
    fn options_may_be_apart_or_attached() {
        let want = Options {
            foreground: true,
            address: Ipv4Addr::LOCALHOST.into(),
            port: 2323,
            program: Some("/bin/cat".into()),
        };
        let apart = ["-F", "-b", "127.0.0.1", "-p", "2323", "-l", "/bin/cat"];
        assert_eq!(parsed(&apart), Ok(want));
        assert_eq!(parsed(&["-p42"]).map(|options| options.port), Ok(42));
    }

    #[test]
    fn unknown_options_and_bad_values_are_refused() {
        for args in [
            &["-x", "1"][..],
            &["-p"],
            &["-p", "65536"],
            &["-b", "x"],
            &["7"],
            &[""],
        ] {
            assert!(parsed(args).is_err(), "{args:?}");
        }
    }
}
