//! The commands without the toolbox, for tests: the first argument names one.

use std::process::exit;

fn main() {
    let args: Vec<_> = std::env::args_os().skip(1).collect();
    let name = args.first().and_then(|name| name.to_str());
    let command = nettools::COMMANDS
        .iter()
        .find(|(own, _)| Some(*own) == name);
    match command {
        Some((_, main)) => exit(main(args)),
        None => exit(127),
    }
}
