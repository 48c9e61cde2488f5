//! The shell's state: variables, functions, options, traps, and the ways in
//! which running commands can be left.

use crate::arith;
use crate::ast::Command;
use crate::jobs::Jobs;
use crate::sys::{self, Disposition};
use crate::text::decode;
use std::collections::{BTreeMap, HashMap};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::rc::Rc;

/// Why running commands stopped before their end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    Break(usize),
    Continue(usize),
    Return(i32),
    Exit(i32),
    /// An error was reported; an interactive shell goes on with the next line.
    Abort(i32),
    /// The user pressed the interrupt key.
    Interrupt,
}

/// The status of what ran, or why it stopped.
pub(crate) type Run<T = i32> = Result<T, Flow>;

#[derive(Clone, Debug, Default)]
pub(crate) struct Variable {
    pub(crate) value: Option<String>,
    pub(crate) exported: bool,
    pub(crate) readonly: bool,
}

/// What `set` sets.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    pub(crate) allexport: bool,
    pub(crate) errexit: bool,
    pub(crate) noclobber: bool,
    pub(crate) noexec: bool,
    pub(crate) noglob: bool,
    pub(crate) notify: bool,
    pub(crate) nounset: bool,
    pub(crate) monitor: bool,
    pub(crate) pipefail: bool,
    pub(crate) verbose: bool,
    pub(crate) xtrace: bool,
}

impl Options {
    /// Every option: its letter, its name, its place.
    pub(crate) fn all(&mut self) -> [(char, &'static str, &mut bool); 11] {
        [
            ('a', "allexport", &mut self.allexport),
            ('e', "errexit", &mut self.errexit),
            ('m', "monitor", &mut self.monitor),
            ('C', "noclobber", &mut self.noclobber),
            ('n', "noexec", &mut self.noexec),
            ('f', "noglob", &mut self.noglob),
            ('b', "notify", &mut self.notify),
            ('u', "nounset", &mut self.nounset),
            (' ', "pipefail", &mut self.pipefail),
            ('v', "verbose", &mut self.verbose),
            ('x', "xtrace", &mut self.xtrace),
        ]
    }
}

/// A shell.
pub(crate) struct Shell {
    pub(crate) variables: HashMap<String, Variable>,
    /// What `local` has hidden, for each function that runs.
    pub(crate) scopes: Vec<Vec<(String, Option<Variable>)>>,
    pub(crate) functions: HashMap<String, Rc<Command>>,
    pub(crate) aliases: HashMap<String, String>,
    pub(crate) options: Options,
    pub(crate) interactive: bool,
    /// `$0`.
    pub(crate) name: String,
    pub(crate) params: Vec<String>,
    /// `$?`.
    pub(crate) status: i32,
    /// The status of the last command substitution in the current command.
    pub(crate) substitution_status: Option<i32>,
    pub(crate) pid: i32,
    pub(crate) jobs: Jobs,
    /// Commands of `trap`, by signal number; 0 is the exit. Empty is ignored.
    pub(crate) traps: BTreeMap<i32, String>,
    pub(crate) in_trap: bool,
    /// Signals that were ignored when the shell started, which a script may not trap.
    pub(crate) ignored_at_start: Vec<i32>,
    /// How many conditions are being evaluated, where `set -e` has no effect.
    pub(crate) conditions: usize,
    pub(crate) loops: usize,
    /// How many functions and sourced files run: where `return` leads.
    pub(crate) returnable: usize,
    pub(crate) depth: usize,
    pub(crate) line: usize,
    pub(crate) is_subshell: bool,
    /// Whether the interrupt key has ended a program in the foreground.
    pub(crate) interrupted_child: bool,
    /// Where `getopts` is in a group of letters.
    pub(crate) getopts_offset: usize,
    pub(crate) history: Vec<String>,
}

impl Shell {
    /// A shell with the environment's variables.
    pub(crate) fn new(name: String) -> Self {
        let mut shell = Self {
            variables: HashMap::new(),
            scopes: Vec::new(),
            functions: HashMap::new(),
            aliases: HashMap::new(),
            options: Options::default(),
            interactive: false,
            name,
            params: Vec::new(),
            status: 0,
            substitution_status: None,
            pid: sys::getpid(),
            jobs: Jobs::default(),
            traps: BTreeMap::new(),
            in_trap: false,
            ignored_at_start: (1..32).filter(|number| sys::is_ignored(*number)).collect(),
            conditions: 0,
            loops: 0,
            returnable: 0,
            depth: 0,
            line: 0,
            is_subshell: false,
            interrupted_child: false,
            getopts_offset: 0,
            history: Vec::new(),
        };
        for (name, value) in std::env::vars_os() {
            let variable = Variable {
                value: Some(decode(value.as_bytes())),
                exported: true,
                readonly: false,
            };
            shell.variables.insert(decode(name.as_bytes()), variable);
        }
        for (name, value) in [
            ("IFS", " \t\n"),
            ("OPTIND", "1"),
            ("PS2", "> "),
            ("PS4", "+ "),
        ] {
            shell.variables.insert(
                name.into(),
                Variable {
                    value: Some(value.into()),
                    ..Variable::default()
                },
            );
        }
        shell.variables.insert(
            "PPID".into(),
            Variable {
                value: Some(sys::getppid().to_string()),
                ..Variable::default()
            },
        );
        if let Ok(directory) = std::env::current_dir() {
            let directory = decode(directory.as_os_str().as_bytes());
            // A link's name that the parent shell knows is kept if it is still right.
            let same = |pwd: &str| {
                std::fs::canonicalize(pwd)
                    .is_ok_and(|real| decode(real.as_os_str().as_bytes()) == directory)
            };
            if !shell
                .var("PWD")
                .is_some_and(|pwd| pwd.starts_with('/') && same(pwd))
            {
                shell.variables.entry("PWD".into()).or_default().value = Some(directory);
            }
        }
        shell
    }

    pub(crate) fn var(&self, name: &str) -> Option<&str> {
        self.variables.get(name)?.value.as_deref()
    }

    /// Sets a variable.
    ///
    /// # Errors
    /// `Abort` if it is read-only, which is reported.
    pub(crate) fn set_var(&mut self, name: &str, value: &str) -> Run<()> {
        let allexport = self.options.allexport;
        let variable = self.variables.entry(name.to_owned()).or_default();
        if variable.readonly {
            return Err(self.abort(&format!("{name}: is read only")));
        }
        variable.value = Some(value.to_owned());
        variable.exported |= allexport;
        if name == "OPTIND" {
            self.getopts_offset = 0;
        }
        Ok(())
    }

    /// The exported variables as `NAME=VALUE`.
    pub(crate) fn environment(&self) -> Vec<String> {
        let exported = self
            .variables
            .iter()
            .filter(|(_, variable)| variable.exported);
        let mut list: Vec<String> = exported
            .filter_map(|(name, variable)| Some(format!("{name}={}", variable.value.as_ref()?)))
            .collect();
        list.sort();
        list
    }

    /// Prints an error message.
    pub(crate) fn error(&self, message: &str) {
        let place = if self.interactive || self.line == 0 {
            String::new()
        } else {
            format!("{}: ", self.line)
        };
        let _ = sys::write_all(
            2,
            &crate::text::encode(&format!(
                "{}: {place}{message}\n",
                self.name.trim_start_matches('-')
            )),
        );
    }

    /// Reports an error that ends the script or, if interactive, the line.
    pub(crate) fn abort(&mut self, message: &str) -> Flow {
        self.error(message);
        Flow::Abort(2)
    }

    /// Leaves the scope of a function.
    pub(crate) fn pop_scope(&mut self) {
        for (name, variable) in self.scopes.pop().unwrap_or_default().into_iter().rev() {
            match variable {
                Some(variable) => self.variables.insert(name, variable),
                None => self.variables.remove(&name),
            };
        }
    }

    /// Evaluates arithmetic, reporting errors.
    pub(crate) fn arithmetic(&mut self, text: &str) -> Run<i64> {
        arith::evaluate(text, self).map_err(|message| self.abort(&message))
    }

    /// What a signal should do now, by its trap and whether the shell is interactive.
    fn disposition(&self, number: i32) -> Disposition {
        match self.traps.get(&number) {
            Some(command) if command.is_empty() => Disposition::Ignore,
            Some(_) => Disposition::Note,
            None if !self.interactive || self.is_subshell => Disposition::Default,
            None => match number {
                libc::SIGINT => Disposition::Note,
                libc::SIGQUIT | libc::SIGTERM => Disposition::Ignore,
                libc::SIGTSTP | libc::SIGTTIN | libc::SIGTTOU if self.options.monitor => {
                    Disposition::Ignore
                }
                _ => Disposition::Default,
            },
        }
    }

    /// Makes the system agree with [`Shell::disposition`].
    pub(crate) fn apply_signal(&self, number: i32) {
        if number > 0 && number != libc::SIGKILL && number != libc::SIGSTOP {
            sys::set_signal(number, self.disposition(number));
        }
    }

    /// Sets up the signals of an interactive shell.
    pub(crate) fn apply_interactive_signals(&self) {
        for number in [
            libc::SIGINT,
            libc::SIGQUIT,
            libc::SIGTERM,
            libc::SIGTSTP,
            libc::SIGTTIN,
            libc::SIGTTOU,
        ] {
            self.apply_signal(number);
        }
    }

    /// Turns a forked copy into a subshell: no jobs, no traps but the ignored ones.
    pub(crate) fn become_subshell(&mut self) {
        let was_interactive = self.interactive;
        self.is_subshell = true;
        self.interactive = false;
        self.options.monitor = false;
        self.jobs = self.jobs.for_subshell();
        let trapped: Vec<i32> = self
            .traps
            .iter()
            .filter(|(_, command)| !command.is_empty())
            .map(|(number, _)| *number)
            .collect();
        self.traps.retain(|_, command| command.is_empty());
        for number in trapped {
            self.apply_signal(number);
        }
        if was_interactive {
            self.apply_interactive_signals();
        }
        sys::take_pending();
    }

    /// Runs the traps of signals that have arrived.
    pub(crate) fn run_pending_traps(&mut self) -> Run<()> {
        if self.in_trap {
            return Ok(());
        }
        for number in sys::take_pending() {
            match self.traps.get(&number).cloned() {
                Some(command) if !command.is_empty() => self.run_trap(&command)?,
                None if number == libc::SIGINT && self.interactive => return Err(Flow::Interrupt),
                _ => {}
            }
        }
        Ok(())
    }

    /// Runs a trap's command, which leaves `$?` as it was.
    fn run_trap(&mut self, command: &str) -> Run<()> {
        let status = self.status;
        self.in_trap = true;
        let result = self.run_text(command);
        self.in_trap = false;
        self.status = status;
        result.map(|_| ())
    }

    /// Runs the exit trap and returns the status to exit with.
    pub(crate) fn finish(&mut self, status: i32) -> i32 {
        self.status = status;
        match self.traps.remove(&0) {
            Some(command) if !command.is_empty() => match self.run_trap(&command) {
                Err(Flow::Exit(status)) => status,
                _ => status,
            },
            _ => status,
        }
    }

    /// Where `name` is, by `PATH`.
    pub(crate) fn find_command(&self, name: &str) -> io::Result<String> {
        if name.contains('/') {
            return Ok(name.to_owned());
        }
        let mut found = Err(io::Error::from_raw_os_error(libc::ENOENT));
        for directory in self.var("PATH").unwrap_or("/bin:/usr/bin").split(':') {
            let path = if directory.is_empty() {
                name.to_owned()
            } else {
                format!("{directory}/{name}")
            };
            if std::fs::metadata(std::ffi::OsStr::from_bytes(&crate::text::encode(&path)))
                .is_ok_and(|meta| meta.is_file())
            {
                if sys::access(&path, 1) {
                    return Ok(path);
                }
                found = Err(io::Error::from_raw_os_error(libc::EACCES));
            }
        }
        found
    }
}

impl arith::Variables for Shell {
    fn get(&mut self, name: &str) -> Result<String, String> {
        match self.var(name) {
            Some(value) => Ok(value.to_owned()),
            None if self.options.nounset => Err(format!("{name}: parameter not set")),
            None => Ok(String::new()),
        }
    }

    fn set(&mut self, name: &str, value: i64) -> Result<(), String> {
        match self.variables.get(name) {
            Some(variable) if variable.readonly => Err(format!("{name}: is read only")),
            _ => self
                .set_var(name, &value.to_string())
                .map_err(|_| String::new()),
        }
    }
}
