//! Jobs: the processes that the shell has started, the terminal they share, and
//! waiting for them.

use crate::shell::{Run, Shell};
use crate::sys::{self, Status, Termios};
use std::collections::HashMap;
use std::io;

/// A process of a job; no status while it runs.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) pid: i32,
    pub(crate) status: Option<Status>,
}

/// Whether a job runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Running,
    Stopped,
    Done,
}

/// A pipeline that was started.
pub(crate) struct Job {
    pub(crate) id: usize,
    /// Its process group; 0 without job control.
    pub(crate) group: i32,
    pub(crate) processes: Vec<Process>,
    pub(crate) text: String,
    /// Whether the user has not been told of the present state.
    pub(crate) changed: bool,
    pub(crate) foreground: bool,
    /// The terminal's settings when it stopped.
    termios: Option<Termios>,
}

impl Job {
    pub(crate) fn state(&self) -> State {
        let stopped = |process: &Process| matches!(process.status, Some(Status::Stopped(_)));
        if self
            .processes
            .iter()
            .any(|process| process.status.is_none())
        {
            State::Running
        } else if self.processes.iter().any(stopped) {
            State::Stopped
        } else {
            State::Done
        }
    }

    /// The status of the last process, or with `pipefail` of the last that failed.
    pub(crate) fn code(&self, pipefail: bool) -> i32 {
        let code = |process: &Process| process.status.map_or(0, Status::code);
        let last = self.processes.last().map_or(0, code);
        if pipefail {
            self.processes
                .iter()
                .rev()
                .map(code)
                .find(|code| *code != 0)
                .unwrap_or(0)
        } else {
            last
        }
    }

    /// The state as `jobs` shows it.
    pub(crate) fn describe(&self) -> String {
        match (
            self.state(),
            self.processes.last().and_then(|process| process.status),
        ) {
            (State::Running, _) => "Running".to_owned(),
            (State::Stopped, _) => "Stopped".to_owned(),
            (State::Done, Some(Status::Exited(0))) => "Done".to_owned(),
            (State::Done, Some(Status::Exited(code))) => format!("Done({code})"),
            (State::Done, Some(Status::Killed(signal))) => signal_text(signal),
            (State::Done, _) => "Done".to_owned(),
        }
    }
}

/// A signal's description.
pub(crate) fn signal_text(signal: i32) -> String {
    let text = match signal {
        libc::SIGHUP => "Hangup",
        libc::SIGINT => "Interrupt",
        libc::SIGQUIT => "Quit",
        libc::SIGILL => "Illegal instruction",
        libc::SIGTRAP => "Trace/breakpoint trap",
        libc::SIGABRT => "Aborted",
        libc::SIGBUS => "Bus error",
        libc::SIGFPE => "Floating point exception",
        libc::SIGKILL => "Killed",
        libc::SIGSEGV => "Segmentation fault",
        libc::SIGPIPE => "Broken pipe",
        libc::SIGALRM => "Alarm clock",
        libc::SIGTERM => "Terminated",
        other => return format!("Signal {other}"),
    };
    text.to_owned()
}

/// Every job, in the order of their numbers.
#[derive(Default)]
pub(crate) struct Jobs {
    pub(crate) list: Vec<Job>,
    /// `$!`.
    pub(crate) last_background: Option<i32>,
    /// Exit statuses of processes whose jobs are gone, for `wait`.
    finished: HashMap<i32, i32>,
    /// The terminal, if jobs are controlled.
    terminal: Option<i32>,
    /// The terminal's settings for the shell.
    termios: Option<Termios>,
}

impl Jobs {
    /// The jobs of a forked copy: none, but `$!` is known.
    pub(crate) fn for_subshell(&self) -> Self {
        Self {
            last_background: self.last_background,
            ..Self::default()
        }
    }

    /// Notes a change of a process.
    fn record(&mut self, pid: i32, status: Status) {
        for job in &mut self.list {
            let before = job.state();
            if let Some(process) = job.processes.iter_mut().find(|process| process.pid == pid) {
                process.status = if status == Status::Continued {
                    None
                } else {
                    Some(status)
                };
                let after = job.state();
                job.changed |= after != before && after != State::Running;
                return;
            }
        }
    }

    /// Collects every change there is, without waiting.
    pub(crate) fn poll(&mut self) {
        while let Ok(Some((pid, status))) = sys::wait(-1, false, self.terminal.is_some()) {
            self.record(pid, status);
        }
    }

    /// The index of a job by its `%` name: `%1`, `%%`, `%+`, `%-`, `%text`, or a process id.
    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        let Some(spec) = name.strip_prefix('%') else {
            let pid = name.parse().ok()?;
            return self
                .list
                .iter()
                .position(|job| job.processes.iter().any(|process| process.pid == pid));
        };
        match spec {
            "" | "%" | "+" => self.current(),
            "-" => self.list.len().checked_sub(2),
            _ => match spec.parse::<usize>() {
                Ok(id) => self.list.iter().position(|job| job.id == id),
                Err(_) => self
                    .list
                    .iter()
                    .position(|job| match spec.strip_prefix('?') {
                        Some(part) => job.text.contains(part),
                        None => job.text.starts_with(spec),
                    }),
            },
        }
    }

    /// The current job: the last that stopped, else the last.
    pub(crate) fn current(&self) -> Option<usize> {
        self.list
            .iter()
            .rposition(|job| job.state() == State::Stopped)
            .or(self.list.len().checked_sub(1))
    }

    /// Forgets a job, keeping its statuses for `wait`.
    pub(crate) fn remove(&mut self, index: usize) {
        let job = self.list.remove(index);
        for process in job.processes {
            if !job.foreground
                && let Some(status) = process.status
            {
                self.finished.insert(process.pid, status.code());
            }
        }
    }

    /// The remembered status of a process whose job is gone.
    pub(crate) fn take_finished(&mut self, pid: i32) -> Option<i32> {
        self.finished.remove(&pid)
    }

    pub(crate) fn is_controlled(&self) -> bool {
        self.terminal.is_some()
    }
}

impl Shell {
    /// Takes the terminal for job control. Without a terminal there is none.
    pub(crate) fn start_job_control(&mut self) {
        let Some(fd) = [0, 2, 1].into_iter().find(|fd| sys::is_terminal(*fd)) else {
            return;
        };
        // Started in the background, the shell stops until it is in the foreground.
        loop {
            match sys::tcgetpgrp(fd) {
                Ok(group) if group == sys::getpgrp() => break,
                Ok(_) if sys::kill(0, libc::SIGTTIN).is_ok() && !sys::is_ignored(libc::SIGTTIN) => {
                }
                _ => return,
            }
        }
        let Ok(terminal) = sys::dup_high(fd) else {
            return;
        };
        self.options.monitor = true;
        self.apply_interactive_signals();
        let pid = sys::getpid();
        // A session leader cannot change its group and need not.
        let _ = sys::setpgid(pid, pid);
        let _ = sys::tcsetpgrp(terminal, sys::getpgrp());
        self.jobs.terminal = Some(terminal);
        self.jobs.termios = sys::get_termios(terminal).ok();
    }

    /// Forks a process of a job. `group` is 0 for its first process and is then set. `None` in the child.
    pub(crate) fn fork_process(&mut self, group: &mut i32, foreground: bool) -> Run<Option<i32>> {
        let terminal = self.jobs.terminal.filter(|_| self.options.monitor);
        let pid = match sys::fork() {
            Ok(pid) => pid,
            Err(error) => {
                return Err(
                    self.abort(&format!("cannot fork: {}", crate::redirect::reason(&error)))
                );
            }
        };
        if let Some(terminal) = terminal {
            // Both sides do this, so that neither runs before it is done.
            let _ = sys::setpgid(pid.unwrap_or(0), *group);
            if *group == 0 {
                *group = pid.unwrap_or_else(sys::getpid);
            }
            if foreground {
                let _ = sys::tcsetpgrp(terminal, *group);
            }
        }
        if pid.is_none() {
            let controlled = terminal.is_some();
            self.become_subshell();
            if !foreground && !controlled {
                for signal in [libc::SIGINT, libc::SIGQUIT] {
                    sys::set_signal(signal, sys::Disposition::Ignore);
                }
            }
        }
        Ok(pid)
    }

    /// Adds a job and returns its index.
    pub(crate) fn add_job(
        &mut self,
        group: i32,
        pids: Vec<i32>,
        text: &str,
        foreground: bool,
    ) -> usize {
        let id = self.jobs.list.iter().map(|job| job.id).max().unwrap_or(0) + 1;
        let processes = pids
            .into_iter()
            .map(|pid| Process { pid, status: None })
            .collect();
        self.jobs.list.push(Job {
            id,
            group,
            processes,
            text: text.to_owned(),
            changed: false,
            foreground,
            termios: None,
        });
        self.jobs.list.len() - 1
    }

    /// Waits until a job is done or stopped. `interruptible` ends the wait at a signal with a trap.
    pub(crate) fn wait_job(&mut self, index: usize, interruptible: bool) -> Option<State> {
        let id = self.jobs.list.get(index)?.id;
        loop {
            let index = self.jobs.list.iter().position(|job| job.id == id)?;
            let job = self.jobs.list.get_mut(index)?;
            if job.state() != State::Running {
                return Some(job.state());
            }
            match sys::wait(-1, true, self.jobs.terminal.is_some()) {
                Ok(Some((pid, status))) => self.jobs.record(pid, status),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                    if interruptible && (1..).take(sys::SIGNALS - 1).any(sys::is_pending) {
                        return None;
                    }
                }
                // No children: someone else has waited for them.
                _ => {
                    let job = self.jobs.list.get_mut(index)?;
                    for process in &mut job.processes {
                        process.status.get_or_insert(Status::Exited(127));
                    }
                }
            }
        }
    }

    /// Waits for a job in the foreground, takes the terminal back and returns the status.
    pub(crate) fn wait_foreground(&mut self, index: usize) -> i32 {
        let state = self.wait_job(index, false);
        let controlled = self.options.monitor && self.jobs.is_controlled();
        let pipefail = self.options.pipefail;
        let Some(job) = self.jobs.list.get_mut(index) else {
            return 127;
        };
        let code = job.code(pipefail);
        let signals: Vec<Status> = job
            .processes
            .iter()
            .filter_map(|process| process.status)
            .filter(|status| !matches!(status, Status::Exited(_)))
            .collect();
        if let (true, Some(terminal)) = (controlled, self.jobs.terminal) {
            let _ = sys::tcsetpgrp(terminal, sys::getpgrp());
            let settings = sys::get_termios(terminal).ok();
            if state == Some(State::Stopped) {
                job.termios = settings.clone();
            }
            if signals.is_empty() {
                self.jobs.termios = settings;
            } else if let Some(termios) = &self.jobs.termios {
                sys::set_termios(terminal, termios);
            }
        }
        if state == Some(State::Stopped) {
            job.foreground = false;
            job.changed = true;
            let _ = sys::write_all(2, b"\n");
            self.notify();
            return code;
        }
        self.jobs.remove(index);
        self.report_deaths(&signals);
        code
    }

    /// Tells of processes that a signal killed.
    fn report_deaths(&mut self, statuses: &[Status]) {
        for status in statuses {
            match status {
                Status::Killed(libc::SIGINT) if self.interactive => {
                    let _ = sys::write_all(2, b"\n");
                    // A loop around the program ends too.
                    self.interrupted_child = true;
                }
                Status::Killed(libc::SIGINT | libc::SIGPIPE) => {}
                Status::Killed(signal) if !self.is_subshell => {
                    let _ = sys::write_all(2, format!("{}\n", signal_text(*signal)).as_bytes());
                }
                _ => {}
            }
        }
    }

    /// Puts a job in the foreground and waits for it.
    pub(crate) fn continue_foreground(&mut self, index: usize) -> i32 {
        let terminal = self.jobs.terminal;
        let Some(job) = self.jobs.list.get_mut(index) else {
            return 127;
        };
        (job.foreground, job.changed) = (true, false);
        if let (Some(terminal), true) = (terminal, job.group > 0) {
            if let Some(termios) = job.termios.take() {
                sys::set_termios(terminal, &termios);
            }
            let _ = sys::tcsetpgrp(terminal, job.group);
        }
        continue_processes(job);
        self.wait_foreground(index)
    }

    /// Lets a job go on in the background.
    pub(crate) fn continue_background(&mut self, index: usize) {
        if let Some(job) = self.jobs.list.get_mut(index) {
            job.changed = false;
            continue_processes(job);
        }
    }

    /// Tells of jobs in the background that have changed, and forgets those that are done.
    pub(crate) fn notify(&mut self) {
        self.jobs.poll();
        let current = self.jobs.current();
        let mut text = String::new();
        for (index, job) in self.jobs.list.iter_mut().enumerate() {
            if job.changed && self.interactive {
                let mark = if Some(index) == current { '+' } else { ' ' };
                text += &format!("[{}]{mark} {:<12} {}\n", job.id, job.describe(), job.text);
            }
            job.changed = false;
        }
        let _ = sys::write_all(2, &crate::text::encode(&text));
        while let Some(index) = self
            .jobs
            .list
            .iter()
            .position(|job| job.state() == State::Done)
        {
            self.jobs.remove(index);
        }
    }
}

fn continue_processes(job: &mut Job) {
    for process in &mut job.processes {
        if matches!(process.status, Some(Status::Stopped(_))) {
            process.status = None;
        }
    }
    if job.group > 0 {
        let _ = sys::kill(-job.group, libc::SIGCONT);
    } else {
        for process in &job.processes {
            let _ = sys::kill(process.pid, libc::SIGCONT);
        }
    }
}
