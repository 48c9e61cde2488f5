//! The executor: lists, pipelines, compound and simple commands.

use crate::ast::{AndOr, Command, Compound, Join, List, Part, Pipeline, Redirect, Word};
use crate::builtins::{self, Builtin};
use crate::parse::{ParseError, Parser};
use crate::redirect::{keep, reason, restore};
use crate::shell::{Flow, Run, Shell, Variable};
use crate::sys;
use crate::text::{decode, encode};
use std::io;
use std::rc::Rc;

/// Functions and sourced files may be nested this deep.
const MAX_DEPTH: usize = 1000;

impl Shell {
    /// Runs all of a text: `-c`, `eval`, traps, files.
    pub(crate) fn run_text(&mut self, text: &str) -> Run {
        self.nested(|shell| shell.run_text_inner(text))
    }

    /// Runs a text with which the process ends, so that its only command may replace the shell.
    pub(crate) fn run_last_text(&mut self, text: &str) -> Run {
        let aliases = self.aliases.clone();
        let mut parser = Parser::new(text, true, &aliases);
        match (parser.complete_command(), parser.complete_command()) {
            (Ok(Some(list)), Ok(None)) => self.run_list_as(&list, true),
            _ => self.run_text(text),
        }
    }

    /// Runs `body` one level deeper, or refuses.
    fn nested<T>(&mut self, body: impl FnOnce(&mut Self) -> Run<T>) -> Run<T> {
        if self.depth >= MAX_DEPTH {
            return Err(self.abort("nested too deeply"));
        }
        self.depth += 1;
        let result = body(self);
        self.depth -= 1;
        result
    }

    fn run_text_inner(&mut self, text: &str) -> Run {
        let (mut position, mut status) = (0, 0);
        loop {
            // The parser borrows the aliases, and a command may change them.
            let aliases = self.aliases.clone();
            let mut parser = Parser::new(text, true, &aliases);
            parser.pos = position;
            // Without aliases the text stays as it is, and one parser serves for all of it.
            loop {
                let list = match parser.complete_command() {
                    Ok(Some(list)) => list,
                    Ok(None) => return Ok(status),
                    Err(error) => return Err(self.syntax_error(&error)),
                };
                status = self.run_list(&list)?;
                if self.aliases != aliases {
                    break;
                }
            }
            let rest: String = parser
                .chars
                .get(parser.pos..)
                .unwrap_or_default()
                .iter()
                .collect();
            if parser.chars.len() != text.chars().count() {
                return self.run_text(&rest);
            }
            position = parser.pos;
        }
    }

    pub(crate) fn syntax_error(&mut self, error: &ParseError) -> Flow {
        match error {
            ParseError::Incomplete => self.abort("syntax error: unexpected end of file"),
            ParseError::Syntax(message) => self.abort(&format!("syntax error: {message}")),
        }
    }

    /// Runs commands in order.
    pub(crate) fn run_list(&mut self, list: &List) -> Run {
        self.run_list_as(list, false)
    }

    /// Runs commands; with `last` the process ends with them, so the final one may replace it.
    fn run_list_as(&mut self, list: &List, last: bool) -> Run {
        let mut status = 0;
        for (index, item) in list.iter().enumerate() {
            status = self.run_and_or(item, last && index + 1 == list.len())?;
            self.run_pending_traps()?;
        }
        Ok(status)
    }

    fn run_and_or(&mut self, item: &AndOr, last: bool) -> Run {
        if item.background {
            self.start_background(item)?;
            self.status = 0;
            return Ok(0);
        }
        let count = item.pipelines.len();
        for (index, (join, pipeline)) in item.pipelines.iter().enumerate() {
            let wanted = match join {
                Join::Always => true,
                Join::And => self.status == 0,
                Join::Or => self.status != 0,
            };
            if !wanted {
                continue;
            }
            let is_final = index + 1 == count;
            self.conditions += usize::from(!is_final || pipeline.negated);
            let result = self.run_pipeline(
                pipeline,
                &item.text,
                last && count == 1 && !pipeline.negated,
            );
            self.conditions -= usize::from(!is_final || pipeline.negated);
            let status = result?;
            self.status = if pipeline.negated {
                i32::from(status == 0)
            } else {
                status
            };
            if std::mem::take(&mut self.interrupted_child) {
                return Err(Flow::Interrupt);
            }
            if self.options.errexit
                && status != 0
                && is_final
                && !pipeline.negated
                && self.conditions == 0
            {
                return Err(Flow::Exit(status));
            }
        }
        Ok(self.status)
    }

    fn run_pipeline(&mut self, pipeline: &Pipeline, text: &str, last: bool) -> Run {
        if self.options.noexec && !self.interactive {
            return Ok(0);
        }
        if let [command] = pipeline.commands.as_slice() {
            return self.run_command(command, text, last);
        }
        let (group, pids) = self.start_pipeline(&pipeline.commands, text, true)?;
        let index = self.add_job(group, pids, text, true);
        Ok(self.wait_foreground(index))
    }

    /// Starts a process for each command, with pipes between them.
    fn start_pipeline(
        &mut self,
        commands: &[Command],
        text: &str,
        foreground: bool,
    ) -> Run<(i32, Vec<i32>)> {
        let (mut group, mut pids, mut input) = (0, Vec::new(), None);
        for (index, command) in commands.iter().enumerate() {
            let output = if index + 1 < commands.len() {
                match sys::pipe() {
                    Ok(pipe) => Some(pipe),
                    Err(error) => {
                        return Err(self.abort(&format!("cannot make a pipe: {}", reason(&error))));
                    }
                }
            } else {
                None
            };
            match self.fork_process(&mut group, foreground)? {
                None => {
                    if let Some(input) = input {
                        let _ = sys::dup2(input, 0);
                    }
                    if let Some((read, write)) = output {
                        let _ = sys::close(read);
                        let _ = sys::dup2(write, 1);
                    }
                    let result = self.run_command(command, text, true);
                    self.exit_subshell(result);
                }
                Some(pid) => pids.push(pid),
            }
            for fd in input.into_iter().chain(output.map(|(_, write)| write)) {
                let _ = sys::close(fd);
            }
            input = output.map(|(read, _)| read);
        }
        Ok((group, pids))
    }

    fn start_background(&mut self, item: &AndOr) -> Run<()> {
        let mut group = 0;
        let (group, pids) = match item.pipelines.as_slice() {
            [
                (
                    _,
                    Pipeline {
                        negated: false,
                        commands,
                    },
                ),
            ] if commands.len() > 1 => self.start_pipeline(commands, &item.text, false)?,
            _ => match self.fork_process(&mut group, false)? {
                Some(pid) => (group, vec![pid]),
                None => {
                    if group == 0
                        && let Ok(null) = sys::open("/dev/null", libc::O_RDONLY, 0)
                    {
                        let _ = sys::dup2(null, 0);
                        let _ = sys::close(null);
                    }
                    let result = self.run_foreground_copy(item);
                    self.exit_subshell(result);
                }
            },
        };
        self.jobs.last_background = pids.last().copied();
        let index = self.add_job(group, pids, &item.text, false);
        if self.interactive {
            let text = format!(
                "[{}] {}\n",
                self.jobs.list[index].id,
                self.jobs.last_background.unwrap_or(0)
            );
            let _ = sys::write_all(2, text.as_bytes());
        }
        Ok(())
    }

    /// The body of a background process.
    fn run_foreground_copy(&mut self, item: &AndOr) -> Run {
        let mut status = 0;
        for (join, pipeline) in &item.pipelines {
            if *join == Join::Always || (*join == Join::And) == (status == 0) {
                status = self.run_pipeline(
                    pipeline,
                    &item.text,
                    item.pipelines.len() == 1 && !pipeline.negated,
                )?;
                status = if pipeline.negated {
                    i32::from(status == 0)
                } else {
                    status
                };
                self.status = status;
            }
        }
        Ok(status)
    }

    /// Ends a forked process with what its commands came to.
    fn exit_subshell(&mut self, result: Run) -> ! {
        let status = match result {
            Ok(status) | Err(Flow::Exit(status) | Flow::Return(status) | Flow::Abort(status)) => {
                status
            }
            Err(Flow::Interrupt) => 130,
            Err(Flow::Break(_) | Flow::Continue(_)) => self.status,
        };
        let status = self.finish(status);
        sys::exit_now(status)
    }

    /// The output of a command substitution, without newlines at its end.
    pub(crate) fn substitute(&mut self, list: &Rc<List>) -> Run<String> {
        let (read, write) = match sys::pipe() {
            Ok(pipe) => pipe,
            Err(error) => {
                return Err(self.abort(&format!("cannot make a pipe: {}", reason(&error))));
            }
        };
        let pid = match sys::fork() {
            Ok(Some(pid)) => pid,
            Ok(None) => {
                self.become_subshell();
                let _ = sys::close(read);
                let _ = sys::dup2(write, 1);
                let _ = sys::close(write);
                let result = self.run_list_as(list, true);
                self.exit_subshell(result);
            }
            Err(error) => return Err(self.abort(&format!("cannot fork: {}", reason(&error)))),
        };
        let _ = sys::close(write);
        let mut bytes = Vec::new();
        let mut buffer = [0; 4096];
        loop {
            match sys::read(read, &mut buffer) {
                Ok(0) => break,
                Ok(count) => bytes.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        let _ = sys::close(read);
        let status = loop {
            match sys::wait(pid, true, false) {
                Ok(Some((_, status))) => break status.code(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                _ => break 127,
            }
        };
        self.substitution_status = Some(status);
        bytes.retain(|byte| *byte != 0);
        let kept = bytes
            .iter()
            .rposition(|byte| *byte != b'\n')
            .map_or(0, |last| last + 1);
        Ok(decode(bytes.get(..kept).unwrap_or_default()))
    }

    fn run_command(&mut self, command: &Command, text: &str, last: bool) -> Run {
        match command {
            Command::Simple {
                assignments,
                words,
                redirects,
                line,
            } => {
                self.line = *line;
                self.run_simple(assignments, words, redirects, text, last)
            }
            Command::Function(name, body) => {
                self.functions.insert(name.clone(), body.clone());
                Ok(0)
            }
            Command::Compound(compound, redirects) => {
                if let Compound::Subshell(list) = compound {
                    return self.run_subshell(list, redirects, text, last);
                }
                let Some(saved) = self.redirect(redirects)? else {
                    return Ok(1);
                };
                let result = self.nested(|shell| shell.run_compound(compound));
                restore(saved);
                result
            }
        }
    }

    fn run_subshell(&mut self, list: &List, redirects: &[Redirect], text: &str, last: bool) -> Run {
        let body = |shell: &mut Self| match shell.redirect(redirects)? {
            Some(_) => shell.run_list_as(list, true),
            None => Ok(1),
        };
        if last && self.is_subshell && !self.traps.contains_key(&0) {
            return match body(self) {
                Err(Flow::Break(_) | Flow::Continue(_)) => Ok(self.status),
                Err(Flow::Return(status)) => Ok(status),
                other => other,
            };
        }
        let mut group = 0;
        match self.fork_process(&mut group, true)? {
            None => {
                let result = body(self);
                self.exit_subshell(result);
            }
            Some(pid) => {
                let index = self.add_job(group, vec![pid], text, true);
                Ok(self.wait_foreground(index))
            }
        }
    }

    /// Whether a condition holds.
    fn holds(&mut self, condition: &List) -> Run<bool> {
        self.conditions += 1;
        let result = self.run_list(condition);
        self.conditions -= 1;
        Ok(result? == 0)
    }

    fn run_compound(&mut self, compound: &Compound) -> Run {
        match compound {
            Compound::Brace(list) | Compound::Subshell(list) => self.run_list(list),
            Compound::If {
                branches,
                otherwise,
            } => {
                for (condition, body) in branches {
                    if self.holds(condition)? {
                        return self.run_list(body);
                    }
                }
                self.status = 0;
                otherwise.as_ref().map_or(Ok(0), |body| self.run_list(body))
            }
            Compound::For { name, words, body } => {
                let values = match words {
                    Some(words) => self.expand_words(words)?,
                    None => self.params.clone(),
                };
                let mut values = values.into_iter();
                self.run_loop(body, |shell| match values.next() {
                    Some(value) => shell.set_var(name, &value).map(|()| true),
                    None => Ok(false),
                })
            }
            Compound::Loop {
                until,
                condition,
                body,
            } => self.run_loop(body, |shell| Ok(shell.holds(condition)? != *until)),
            Compound::Case { word, arms } => {
                let value: Vec<char> = self.expand_string(word)?.chars().collect();
                for (patterns, body) in arms {
                    for pattern in patterns {
                        if self.expand_pattern(pattern)?.matches(&value) {
                            self.status = 0;
                            return self.run_list(body);
                        }
                    }
                }
                Ok(0)
            }
        }
    }

    fn run_loop(&mut self, body: &List, mut next: impl FnMut(&mut Self) -> Run<bool>) -> Run {
        let mut status = 0;
        self.loops += 1;
        let result = loop {
            match next(self) {
                Ok(true) => {}
                Ok(false) => break Ok(status),
                Err(flow) => break Err(flow),
            }
            match self.run_list(body) {
                Ok(code) => status = code,
                Err(Flow::Break(1)) => break Ok(0),
                Err(Flow::Continue(1)) => status = 0,
                Err(Flow::Break(levels)) => break Err(Flow::Break(levels - 1)),
                Err(Flow::Continue(levels)) => break Err(Flow::Continue(levels - 1)),
                Err(flow) => break Err(flow),
            }
            if let Err(flow) = self.run_pending_traps() {
                break Err(flow);
            }
        };
        self.loops -= 1;
        result
    }

    /// The words of a simple command. The arguments of commands that declare keep their values whole.
    fn expand_command(&mut self, words: &[Word]) -> Run<Vec<String>> {
        let declares = matches!(words.first().map(Vec::as_slice), Some([Part::Literal(name)]) if matches!(name.as_str(), "export" | "readonly" | "local"));
        if !declares {
            return self.expand_words(words);
        }
        let mut fields = Vec::new();
        for word in words {
            let is_assignment = matches!(word.first(), Some(Part::Literal(text)) if text.split_once('=').is_some_and(|(name, _)| builtins::is_name(name)));
            if is_assignment {
                fields.push(self.expand_assignment(word)?);
            } else {
                fields.append(&mut self.expand_words(std::slice::from_ref(word))?);
            }
        }
        Ok(fields)
    }

    fn run_simple(
        &mut self,
        assignments: &[(String, Word)],
        words: &[Word],
        redirects: &[Redirect],
        text: &str,
        last: bool,
    ) -> Run {
        self.substitution_status = None;
        let fields = self.expand_command(words)?;
        let Some(name) = fields.first().cloned() else {
            let mut values = Vec::new();
            for (name, word) in assignments {
                let value = self.expand_assignment(word)?;
                values.push(format!("{name}={value}"));
                self.set_var(name, &value)?;
            }
            self.trace(&values);
            let Some(saved) = self.redirect(redirects)? else {
                return Ok(1);
            };
            restore(saved);
            return Ok(self.substitution_status.unwrap_or(0));
        };
        let mut values = Vec::new();
        for (name, word) in assignments {
            values.push((name.clone(), self.expand_assignment(word)?));
        }
        self.trace(&fields);
        let function = self.functions.get(&name).cloned();
        let builtin = builtins::find(&name);
        match (function, builtin) {
            (_, Some(builtin)) if builtin.is_special => {
                self.run_builtin(builtin, &fields, &values, redirects)
            }
            (Some(body), _) => {
                let Some(saved) = self.redirect(redirects)? else {
                    return Ok(1);
                };
                let hidden = self.assign_temporarily(&values);
                let result = match hidden {
                    Ok(hidden) => {
                        let result = self.call(&body, fields);
                        self.put_back(hidden);
                        result
                    }
                    Err(flow) => Err(flow),
                };
                restore(saved);
                result
            }
            (None, Some(builtin)) => self.run_builtin(builtin, &fields, &values, redirects),
            (None, None) => self.run_program(&fields, &values, redirects, text, last),
        }
    }

    fn trace(&mut self, words: &[String]) {
        if self.options.xtrace && !words.is_empty() {
            let words: Vec<String> = words
                .iter()
                .map(|word| builtins::quote_if_needed(word))
                .collect();
            let text = format!(
                "{}{}\n",
                self.var("PS4").unwrap_or_default(),
                words.join(" ")
            );
            let _ = sys::write_all(2, &encode(&text));
        }
    }

    /// Sets and exports variables for one command; returns what they were.
    fn assign_temporarily(
        &mut self,
        values: &[(String, String)],
    ) -> Run<Vec<(String, Option<Variable>)>> {
        let mut hidden = Vec::new();
        for (name, value) in values {
            let before = self.variables.get(name).cloned();
            self.set_var(name, value)?;
            if let Some(variable) = self.variables.get_mut(name) {
                variable.exported = true;
            }
            hidden.push((name.clone(), before));
        }
        Ok(hidden)
    }

    fn put_back(&mut self, hidden: Vec<(String, Option<Variable>)>) {
        for (name, variable) in hidden.into_iter().rev() {
            match variable {
                Some(variable) => self.variables.insert(name, variable),
                None => self.variables.remove(&name),
            };
        }
    }

    /// Calls a function.
    fn call(&mut self, body: &Rc<Command>, mut args: Vec<String>) -> Run {
        args.remove(0);
        let params = std::mem::replace(&mut self.params, args);
        let loops = std::mem::take(&mut self.loops);
        self.scopes.push(Vec::new());
        self.returnable += 1;
        let result = self.nested(|shell| shell.run_command(body, "", false));
        self.returnable -= 1;
        self.pop_scope();
        self.loops = loops;
        self.params = params;
        match result {
            Err(Flow::Return(status)) => Ok(status),
            other => other,
        }
    }

    fn run_builtin(
        &mut self,
        builtin: &Builtin,
        fields: &[String],
        values: &[(String, String)],
        redirects: &[Redirect],
    ) -> Run {
        let Some(saved) = self.redirect(redirects)? else {
            return if builtin.is_special && !self.interactive {
                Err(Flow::Exit(1))
            } else {
                Ok(1)
            };
        };
        let hidden = self.assign_temporarily(values)?;
        let result = (builtin.run)(self, fields);
        if !builtin.is_special {
            self.put_back(hidden);
        }
        // `exec` without a command leaves its redirections in place.
        if builtin.name == "exec" && result.is_ok() {
            keep(saved);
        } else {
            restore(saved);
        }
        result
    }

    fn run_program(
        &mut self,
        fields: &[String],
        values: &[(String, String)],
        redirects: &[Redirect],
        text: &str,
        last: bool,
    ) -> Run {
        let replace = last
            && (self.is_subshell || self.jobs.list.is_empty())
            && !self.interactive
            && self.traps.is_empty();
        let mut group = 0;
        let pid = if replace {
            None
        } else {
            self.fork_process(&mut group, true)?
        };
        if let Some(pid) = pid {
            let index = self.add_job(group, vec![pid], text, true);
            return Ok(self.wait_foreground(index));
        }
        let result = match self.redirect(redirects) {
            Ok(Some(_)) => match self.assign_temporarily(values) {
                Ok(_) => Ok(self.exec(fields)),
                Err(flow) => Err(flow),
            },
            Ok(None) => Ok(1),
            Err(flow) => Err(flow),
        };
        self.traps.clear();
        self.exit_subshell(result);
    }

    /// Replaces this process by a program; returns the status if that fails, which is reported.
    pub(crate) fn exec(&mut self, fields: &[String]) -> i32 {
        let name = fields.first().cloned().unwrap_or_default();
        let path = match self.find_command(&name) {
            Ok(path) => path,
            Err(error) if error.raw_os_error() == Some(libc::EACCES) => {
                self.error(&format!("{name}: Permission denied"));
                return 126;
            }
            Err(_) => {
                self.error(&format!("{name}: not found"));
                return 127;
            }
        };
        // Rust's runtime ignores SIGPIPE, and programs should not inherit that.
        sys::set_signal(libc::SIGPIPE, sys::Disposition::Default);
        let environment = self.environment();
        let mut error = sys::exec(&path, fields, &environment);
        if error.raw_os_error() == Some(libc::ENOEXEC) {
            // A script without `#!` is run by this shell.
            let script = [
                &["sh".to_owned(), path.clone()],
                fields.get(1..).unwrap_or_default(),
            ]
            .concat();
            error = sys::exec("/proc/self/exe", &script, &environment);
        }
        self.error(&format!("{name}: {}", reason(&error)));
        if error.raw_os_error() == Some(libc::ENOENT) {
            127
        } else {
            126
        }
    }
}
