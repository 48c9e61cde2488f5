//! `vambrace boot`: from arguments to a machine.

use std::io::{IsTerminal, Write};

use vambrace::{BootBuilder, BootEnd, BootError, find_kernel};

use crate::args::Boot;

/// Runs a machine until its end: 0 if it turned itself off, else 1 with the
/// reason on standard error.
pub(crate) fn boot(boot: &Boot) -> u8 {
    let reason = match run(boot) {
        Ok(BootEnd::PoweredOff) => return 0,
        Ok(end) => end.to_string(),
        Err(error) => format!("{error:#}"),
    };
    tell(&reason);
    1
}

fn run(boot: &Boot) -> Result<BootEnd, BootError> {
    let builder = configure(boot)?;
    if std::io::stdin().is_terminal() {
        tell("^C goes to the machine, ^A x ends it, ^A h helps");
    }
    builder.run()
}

fn tell(line: &str) {
    // Without standard error there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "vambrace: {line}");
}

fn configure(boot: &Boot) -> Result<BootBuilder, BootError> {
    let kernel = boot.kernel.clone().map_or_else(find_kernel, Ok)?;
    let mut builder = BootBuilder::new(kernel).cpus(boot.cpus).memory(boot.memory.0);
    if let Some(disk) = &boot.disk {
        builder = builder.disk(disk);
    }
    for forward in &boot.forward {
        builder = builder.forward(*forward);
    }
    for words in &boot.append {
        builder = builder.append(words);
    }
    Ok(boot.qemu_args.iter().fold(builder, BootBuilder::qemu_arg))
}
