//! Entry points of commands whose crates do not have the uutils form.

use awk_rs::{Interpreter, Lexer, Parser};
use diffutilslib::params::{Format, parse_params};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Write};

/// The arguments as text, or a complaint and `None`.
pub(crate) fn text_args(args: Vec<OsString>) -> Option<Vec<String>> {
    let mut texts = Vec::with_capacity(args.len());
    for arg in args {
        match arg.into_string() {
            Ok(text) => texts.push(text),
            Err(arg) => {
                complain(
                    texts.first().map_or("?", String::as_str),
                    &format!("{}: argument is not UTF-8", arg.display()),
                );
                return None;
            }
        }
    }
    Some(texts)
}

/// Prints `name: message` to standard error.
pub(crate) fn complain(name: &str, message: &str) {
    let _ = writeln!(io::stderr(), "{name}: {message}");
}

pub(crate) fn find(args: Vec<OsString>) -> i32 {
    uucore::panic::mute_sigpipe_panic();
    let Some(args) = text_args(args) else {
        return 1;
    };
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    findutils::find::find_main(&args, &findutils::find::StandardDependencies::new())
}

pub(crate) fn xargs(args: Vec<OsString>) -> i32 {
    let Some(args) = text_args(args) else {
        return 1;
    };
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    findutils::xargs::xargs_main(&args)
}

pub(crate) fn sed(args: Vec<OsString>) -> i32 {
    uucore::panic::mute_sigpipe_panic();
    sed::sed::uumain(args.into_iter())
}

fn read_input(path: &OsString) -> io::Result<Vec<u8>> {
    if path == "-" {
        let mut bytes = Vec::new();
        io::stdin().read_to_end(&mut bytes)?;
        return Ok(bytes);
    }
    fs::read(path)
}

pub(crate) fn diff(mut args: Vec<OsString>) -> i32 {
    if let Some(recursive) = crate::applets::diff_trees::take_flag(&mut args) {
        return crate::applets::diff_trees::diff_trees(&recursive, &args);
    }
    diff_files(args)
}

/// Compares two files.
pub(crate) fn diff_files(args: Vec<OsString>) -> i32 {
    let params = match parse_params(args.into_iter().peekable()) {
        Ok(params) => params,
        Err(message) => {
            complain("diff", &message);
            return 2;
        }
    };
    let mut inputs = Vec::new();
    for path in [&params.from, &params.to] {
        match read_input(path) {
            Ok(bytes) => inputs.push(bytes),
            Err(error) => {
                complain("diff", &format!("{}: {error}", path.display()));
                return 2;
            }
        }
    }
    let (from, to) = (&inputs[0], &inputs[1]);
    let mut out = io::stdout().lock();
    let result = match params.format {
        Format::Normal => diffutilslib::normal_diff(from, to, &params),
        Format::Unified => diffutilslib::unified_diff(from, to, &params),
        Format::Context => diffutilslib::context_diff(from, to, &params),
        Format::SideBySide => diffutilslib::side_by_side_diff(from, to, &mut out, &params),
        Format::Ed => match diffutilslib::ed_diff(from, to, &params) {
            Ok(script) => script,
            Err(error) => {
                complain("diff", &error.to_string());
                return 2;
            }
        },
    };
    let (from, to) = (params.from.display(), params.to.display());
    let written = if result.is_empty() {
        if params.report_identical_files {
            writeln!(out, "Files {from} and {to} are identical")
        } else {
            Ok(())
        }
    } else if params.brief {
        writeln!(out, "Files {from} and {to} differ")
    } else {
        out.write_all(&result)
    };
    if written.and_then(|()| out.flush()).is_err() {
        2
    } else {
        i32::from(!result.is_empty())
    }
}

pub(crate) fn cmp(args: Vec<OsString>) -> i32 {
    let params = match diffutilslib::cmp::parse_params(args.into_iter().peekable()) {
        Ok(params) => params,
        Err(message) => {
            complain("cmp", &message);
            return 2;
        }
    };
    match diffutilslib::cmp::cmp(&params) {
        Ok(diffutilslib::cmp::Cmp::Equal) => 0,
        Ok(diffutilslib::cmp::Cmp::Different) => 1,
        Err(message) => {
            complain("cmp", &message);
            2
        }
    }
}

/// What the command line of `awk` says.
#[derive(Default)]
struct AwkOptions {
    separator: Option<String>,
    program: Option<String>,
    variables: Vec<(String, String)>,
    operands: Vec<String>,
}

fn awk_options(args: &[String]) -> Result<AwkOptions, String> {
    let mut options = AwkOptions::default();
    let mut rest = args.iter().skip(1);
    while let Some(arg) = rest.next() {
        let (flag, attached) = match arg.split_at_checked(2) {
            Some((flag @ ("-F" | "-v" | "-f"), attached)) => (flag, attached),
            _ if arg == "--" => break,
            _ if arg.starts_with('-') && arg.len() > 1 => {
                return Err(format!("unknown option {arg}"));
            }
            _ => {
                options.operands.push(arg.clone());
                break;
            }
        };
        let value = match attached {
            "" => rest
                .next()
                .cloned()
                .ok_or_else(|| format!("option {flag} needs an argument"))?,
            attached => attached.to_owned(),
        };
        match flag {
            "-F" => options.separator = Some(if value == "t" { "\t".to_owned() } else { value }),
            "-f" => {
                let text = if value == "-" {
                    io::read_to_string(io::stdin())
                } else {
                    fs::read_to_string(&value)
                };
                let text = text.map_err(|error| format!("{value}: {error}"))?;
                let program = options.program.get_or_insert_default();
                program.push_str(&text);
                program.push('\n');
            }
            _ => {
                let (name, value) = value
                    .split_once('=')
                    .ok_or_else(|| format!("{value}: not an assignment"))?;
                options.variables.push((name.to_owned(), unescape(value)));
            }
        }
    }
    options.operands.extend(rest.cloned());
    if options.program.is_none() {
        if options.operands.is_empty() {
            return Err(
                "usage: awk [-F SEPARATOR] [-v NAME=VALUE] PROGRAM|-f FILE [FILE…]".to_owned(),
            );
        }
        options.program = Some(options.operands.remove(0));
    }
    Ok(options)
}

/// Escapes in `-v` assignments, as in string literals.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, c == '\\') {
            (_, true) => match chars.next() {
                Some('n') => out.push('\n'),
                Some('t') => out.push('\t'),
                Some('r') => out.push('\r'),
                Some(other) => out.push(other),
                None => out.push('\\'),
            },
            (c, false) => out.push(c),
        }
    }
    out
}

pub(crate) fn awk(args: Vec<OsString>) -> i32 {
    uucore::panic::mute_sigpipe_panic();
    let Some(args) = text_args(args) else {
        return 2;
    };
    match run_awk(&args) {
        Ok(status) => status,
        Err(message) => {
            complain("awk", &message);
            2
        }
    }
}

fn run_awk(args: &[String]) -> Result<i32, String> {
    let options = awk_options(args)?;
    let text = |error: awk_rs::Error| error.to_string();
    let tokens = Lexer::new(options.program.as_deref().unwrap_or_default())
        .tokenize()
        .map_err(text)?;
    let program = Parser::new(tokens).parse().map_err(text)?;
    let mut interpreter = Interpreter::new(&program);
    interpreter.set_fs(options.separator.as_deref().unwrap_or(" "));
    let mut argv = vec!["awk".to_owned()];
    argv.extend(options.operands.iter().cloned());
    interpreter.set_args(argv);
    for (name, value) in &options.variables {
        interpreter.set_variable(name, value);
    }
    let mut inputs: Vec<Box<dyn BufRead>> = Vec::new();
    for path in &options.operands {
        if path == "-" {
            inputs.push(Box::new(BufReader::new(io::stdin())));
        } else {
            inputs.push(Box::new(BufReader::new(
                File::open(path).map_err(|error| format!("{path}: {error}"))?,
            )));
        }
    }
    let mut names = options.operands;
    if inputs.is_empty() {
        inputs.push(Box::new(BufReader::new(io::stdin())));
        names.push(String::new());
    }
    interpreter.set_filenames(names);
    interpreter
        .run(inputs, &mut io::stdout().lock())
        .map_err(text)
}
