//! `vambrace gc`: asks a program of the Ironwall runtime over its socket, or a program of a guest over the socket that
//! `--gc-socket` opened. [`names`] adds what fields are called, and [`show`] prints answers for people.

mod names;
mod show;

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use ironwall_host::client::ClientError;
use ironwall_host::{Client, DEFAULT_DEADLINE};
use serde_json::{Map, Value, json};

/// How long a program may take for what it has begun at its host point.
const WORK_TIME: Duration = Duration::from_secs(600);

/// `vambrace gc`.
#[derive(Args, Clone, Debug)]
pub(crate) struct Gc {
    /// The program's socket, or that of `vambrace run --gc-socket`.
    socket: PathBuf,
    /// List the sockets that the guest's processes listen on.
    #[arg(long)]
    list: bool,
    /// Ask this process of the guest.
    #[arg(long, global = true, value_name = "N")]
    pid: Option<u32>,
    /// Ask whoever listens at this path of the guest.
    #[arg(long, global = true, value_name = "PATH")]
    path: Option<String>,
    /// Print the answer as it came, in JSON.
    #[arg(long, global = true)]
    json: bool,
    /// How long to wait for the program's next host point, in milliseconds.
    #[arg(long, global = true, value_name = "MS", value_parser = clap::value_parser!(u64).range(1..=3_600_000))]
    deadline: Option<u64>,
    #[command(subcommand)]
    command: Option<Ask>,
}

/// What `vambrace gc` asks.
#[derive(Clone, Debug, Subcommand)]
enum Ask {
    /// Have it collect, now and completely.
    Collect {
        /// A number that the report keeps.
        #[arg(long, default_value_t = 0)]
        reason: u64,
    },
    /// Tell what its last collection found, or the fault that sealed its heap.
    Report {
        /// Tell of earlier collections too.
        #[arg(long)]
        log: bool,
    },
    /// Tell what a block is and why it is alive; without one, what each unit keeps alive.
    Explain {
        /// A file with names of fields: a unit's description, or the format ironwall-names. May be repeated.
        #[arg(long, value_name = "FILE", requires = "block")]
        names: Vec<PathBuf>,
        /// The block's address, such as 0x7f0012340000.
        #[arg(conflicts_with_all = ["table", "structure"])]
        block: Option<String>,
        /// Tell what the block's payload holds, too.
        #[arg(long, requires = "block")]
        contents: bool,
        /// The first word of the contents to tell.
        #[arg(long, value_name = "WORD", requires = "contents")]
        from: Option<u64>,
        /// The table of a structure to explain.
        #[arg(long, value_name = "UUID", requires = "structure")]
        table: Option<String>,
        /// The structure.
        #[arg(long, value_name = "UUID", requires = "table")]
        structure: Option<String>,
    },
    /// Tell the attached tables and their structures.
    Tables {
        /// How many structures to leave out, for the next part of a long answer.
        #[arg(long, value_name = "N")]
        from: Option<u64>,
    },
}

impl Ask {
    fn method(&self) -> &'static str {
        match self {
            Self::Collect { .. } => "gc.collect",
            Self::Report { .. } => "gc.report",
            Self::Explain { .. } => "gc.explain",
            Self::Tables { .. } => "gc.tables",
        }
    }

    /// The parameters that were given; those that were not are left out, for the program's defaults.
    fn params(&self) -> Map<String, Value> {
        let value = match self {
            Self::Collect { reason } => json!({ "reason": reason }),
            Self::Report { log } => json!({ "log": log }),
            Self::Explain { block, contents, from, table, structure, names: _ } => json!({
                "block": block,
                "contents": block.as_ref().map(|_| contents),
                "from": from,
                "table": table,
                "structure": structure,
            }),
            Self::Tables { from } => json!({ "from": from }),
        };
        match value {
            Value::Object(params) => params.into_iter().filter(|(_, value)| !value.is_null()).collect(),
            _ => Map::new(),
        }
    }
}

/// `vambrace gc`: the exit status, with whatever is wrong on standard error.
pub(crate) fn gc(args: &Gc) -> u8 {
    match ask(args) {
        Ok((answer, kind)) => {
            let text = if args.json { format!("{answer}\n") } else { show::answer(kind, &answer) };
            if let Err(error) = io::stdout().write_all(text.as_bytes()) {
                tell(&format!("standard output: {error}"));
                return 74;
            }
            // A sealed heap is something that was found.
            u8::from(answer.get("fault").is_some_and(|fault| !fault.is_null()))
        }
        Err(Failure::Usage(message)) => {
            tell(message);
            2
        }
        Err(Failure::Names(failure)) => {
            tell(&failure.message);
            failure.status
        }
        Err(Failure::Client(error)) => {
            tell(&error.to_string());
            if let ClientError::Told { code, message, data } = &error {
                let value = json!({ "error": { "code": code, "message": message, "data": data } });
                let text =
                    if args.json { format!("{value}\n") } else { data.as_ref().map_or_else(String::new, show::value) };
                // What is wrong has been told already.
                let _ = io::stdout().write_all(text.as_bytes());
            }
            status(&error)
        }
    }
}

enum Failure {
    Usage(&'static str),
    Names(names::Failure),
    Client(ClientError),
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        Self::Client(error)
    }
}

fn status(error: &ClientError) -> u8 {
    match error {
        // The parameters are the command line's.
        ClientError::Told { code: -32602, .. } => 2,
        ClientError::Told { .. } => 1,
        ClientError::Bad(_) => 65,
        ClientError::Unreachable { .. } => 69,
        ClientError::Broken(_) | ClientError::Closed | ClientError::Silent(_) => 74,
    }
}

fn tell(message: &str) {
    // Nothing can be done if standard error is closed as well.
    let _ = writeln!(io::stderr(), "vambrace: {}", show::escaped(message));
}

/// Asks, and gives the answer with the method that it answers.
fn ask(args: &Gc) -> Result<(Value, &'static str), Failure> {
    let command = match (&args.command, args.list) {
        (Some(_), true) => return Err(Failure::Usage("--list asks nothing else")),
        (None, true) if args.pid.is_some() || args.path.is_some() => {
            return Err(Failure::Usage("--list lists all sockets, and takes neither --pid nor --path"));
        }
        (None, false) => return Err(Failure::Usage("say what to ask: collect, report, explain, tables, or --list")),
        (command, _) => command.as_ref(),
    };
    // What the command line names is read before anybody is asked.
    let names = match command {
        Some(Ask::Explain { names, .. }) => names::read(names).map_err(Failure::Names)?,
        _ => None,
    };
    let mut client = Client::connect(&args.socket)?;
    let Some(command) = command else {
        return Ok((client.request("guest.list", Map::new(), DEFAULT_DEADLINE)?, "guest.list"));
    };
    if args.pid.is_some() || args.path.is_some() {
        let mut to = Map::new();
        to.extend(args.pid.map(|pid| ("pid".to_owned(), pid.into())));
        to.extend(args.path.clone().map(|path| ("path".to_owned(), path.into())));
        client.request("guest.connect", to, DEFAULT_DEADLINE)?;
    }
    let mut params = command.params();
    params.extend(args.deadline.map(|ms| ("deadline_ms".to_owned(), ms.into())));
    let patience = args.deadline.map_or(DEFAULT_DEADLINE, Duration::from_millis) + WORK_TIME;
    let mut answer = client.request(command.method(), params, patience)?;
    if let Some(names) = names {
        names::apply(&mut answer, &names);
    }
    Ok((answer, command.method()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Cli, Command};
    use clap::Parser;

    fn parse(args: &[&str]) -> Option<Gc> {
        match Cli::try_parse_from([&["vambrace", "gc"], args].concat()).ok()?.command {
            Some(Command::Gc(gc)) => Some(gc),
            _ => None,
        }
    }

    #[test]
    fn only_what_was_given_is_sent() {
        let gc = parse(&["socket", "--pid", "7", "explain", "0x10", "--deadline", "5"]).expect("a command");
        assert_eq!((gc.pid, gc.deadline), (Some(7), Some(5)));
        let params = gc.command.expect("something to ask").params();
        assert_eq!(Value::from(params), json!({ "block": "0x10", "contents": false }));
        let gc = parse(&["socket", "explain"]).expect("a command");
        assert_eq!(Value::from(gc.command.expect("something to ask").params()), json!({}));
    }

    #[test]
    fn what_makes_no_sense_is_a_wrong_command_line() {
        for args in [
            &["s", "explain", "0x10", "--table", "x"][..],
            &["s", "explain", "--contents"],
            &["s", "explain", "--names", "x"],
            &["s", "--deadline", "0"],
            &[],
        ] {
            assert!(parse(args).is_none(), "{args:?}");
        }
        for args in [&["s"][..], &["s", "--list", "collect"], &["s", "--list", "--pid", "1"]] {
            assert_eq!(gc(&parse(args).expect("a command")), 2, "{args:?}");
        }
        assert_eq!(gc(&parse(&["/nowhere", "collect"]).expect("a command")), 69);
    }
}
