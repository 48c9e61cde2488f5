//! `printf`.

use super::{misuse, put};
use crate::escape;
use crate::shell::{Run, Shell};

/// A conversion: flags, width, precision, letter.
#[derive(Default)]
struct Conversion {
    left: bool,
    zero: bool,
    plus: bool,
    space: bool,
    alternate: bool,
    width: usize,
    precision: Option<usize>,
}

/// The arguments, which run out to empty ones.
struct Arguments<'a> {
    rest: &'a [String],
    failed: Option<String>,
}

impl Arguments<'_> {
    fn text(&mut self) -> String {
        match self.rest.split_first() {
            Some((first, rest)) => {
                self.rest = rest;
                first.clone()
            }
            None => String::new(),
        }
    }

    fn number(&mut self) -> i64 {
        let text = self.text();
        let trimmed = text.trim();
        if let Some(quoted) = trimmed.strip_prefix(['\'', '"']) {
            return quoted.chars().next().map_or(0, |c| i64::from(u32::from(c)));
        }
        let (sign, digits) = trimmed.strip_prefix('-').map_or(
            (1, trimmed.strip_prefix('+').unwrap_or(trimmed)),
            |digits| (-1, digits),
        );
        let parsed = match digits {
            "" => Ok(0),
            _ if digits.starts_with("0x") || digits.starts_with("0X") => {
                u64::from_str_radix(&digits[2..], 16)
            }
            _ if digits.starts_with('0') && digits.len() > 1 => u64::from_str_radix(digits, 8),
            _ => digits.parse(),
        };
        match parsed {
            Ok(value) => (value as i64).wrapping_mul(sign),
            Err(_) => {
                self.failed = Some(format!("{text}: not a number"));
                0
            }
        }
    }

    fn float(&mut self) -> f64 {
        let text = self.text();
        if text.is_empty() {
            return 0.0;
        }
        text.trim().parse().unwrap_or_else(|_| {
            self.failed = Some(format!("{text}: not a number"));
            0.0
        })
    }
}

/// `printf FORMAT [ARG…]`; the format is used again while arguments are left.
pub(super) fn run(shell: &mut Shell, args: &[String]) -> Run {
    let args = if args.get(1).is_some_and(|arg| arg == "--") {
        &args[1..]
    } else {
        args
    };
    let Some(format) = args.get(1) else {
        return misuse(shell, args, "format expected");
    };
    let chars: Vec<char> = format.chars().collect();
    let mut arguments = Arguments {
        rest: &args[2..],
        failed: None,
    };
    let mut out = String::new();
    loop {
        let before = arguments.rest.len();
        match once(&chars, &mut arguments, &mut out) {
            Ok(true) => break,
            Ok(false) => {}
            Err(message) => {
                put(shell, &out)?;
                return misuse(shell, &["printf".to_owned()], &message);
            }
        }
        if arguments.rest.is_empty() || arguments.rest.len() == before {
            break;
        }
    }
    let status = put(shell, &out)?;
    match arguments.failed {
        Some(message) => {
            shell.error(&format!("printf: {message}"));
            Ok(1)
        }
        None => Ok(status),
    }
}

/// Goes through the format once. `true` if `\c` ended the output.
fn once(format: &[char], arguments: &mut Arguments<'_>, out: &mut String) -> Result<bool, String> {
    let mut at = 0;
    let mut plain = String::new();
    loop {
        let c = format.get(at).copied();
        if c.is_none() || c == Some('%') {
            let (text, cut) = escape::expand(&std::mem::take(&mut plain));
            out.push_str(&text);
            if cut || c.is_none() {
                return Ok(cut);
            }
        }
        at += 1;
        match c {
            Some('%') if format.get(at) == Some(&'%') => {
                at += 1;
                out.push('%');
            }
            Some('%') => {
                if convert(format, &mut at, arguments, out)? {
                    return Ok(true);
                }
            }
            Some('\\') => {
                plain.push('\\');
                plain.extend(format.get(at));
                at += 1;
            }
            Some(c) => plain.push(c),
            None => return Ok(false),
        }
    }
}

fn count(format: &[char], at: &mut usize, arguments: &mut Arguments<'_>) -> i64 {
    if format.get(*at) == Some(&'*') {
        *at += 1;
        return arguments.number().clamp(-4096, 4096);
    }
    let mut value = 0;
    while let Some(digit) = format.get(*at).and_then(|c| c.to_digit(10)) {
        value = (value * 10 + i64::from(digit)).min(4096);
        *at += 1;
    }
    value
}

/// One conversion, after its `%`.
fn convert(
    format: &[char],
    at: &mut usize,
    arguments: &mut Arguments<'_>,
    out: &mut String,
) -> Result<bool, String> {
    let mut conversion = Conversion::default();
    while let Some(flag) = format.get(*at) {
        match flag {
            '-' => conversion.left = true,
            '0' => conversion.zero = true,
            '+' => conversion.plus = true,
            ' ' => conversion.space = true,
            '#' => conversion.alternate = true,
            _ => break,
        }
        *at += 1;
    }
    let width = count(format, at, arguments);
    conversion.left |= width < 0;
    conversion.width = usize::try_from(width.abs()).unwrap_or(0);
    if format.get(*at) == Some(&'.') {
        *at += 1;
        conversion.precision = usize::try_from(count(format, at, arguments)).ok();
    }
    while matches!(format.get(*at), Some('l' | 'h' | 'q' | 'j' | 'z')) {
        *at += 1;
    }
    let Some(&letter) = format.get(*at) else {
        return Err("the format ends in a conversion".into());
    };
    *at += 1;
    let limit = |text: String, precision: Option<usize>| match precision {
        Some(precision) => text.chars().take(precision).collect(),
        None => text,
    };
    match letter {
        's' => conversion.pad(&limit(arguments.text(), conversion.precision), out),
        'b' => {
            let (text, cut) = escape::expand(&arguments.text());
            conversion.pad(&limit(text, conversion.precision), out);
            return Ok(cut);
        }
        'c' => conversion.pad(&limit(arguments.text(), Some(1)), out),
        'd' | 'i' => {
            let value = arguments.number();
            conversion.number(value < 0, &value.unsigned_abs().to_string(), "", out);
        }
        'u' => conversion.number(false, &(arguments.number() as u64).to_string(), "", out),
        'o' => conversion.number(false, &format!("{:o}", arguments.number()), "0", out),
        'x' => conversion.number(false, &format!("{:x}", arguments.number()), "0x", out),
        'X' => conversion.number(false, &format!("{:X}", arguments.number()), "0X", out),
        'f' | 'F' | 'e' | 'E' | 'g' | 'G' => {
            let value = arguments.float();
            let digits = float_text(value.abs(), letter, conversion.precision.unwrap_or(6));
            conversion.precision = None;
            conversion.number(value.is_sign_negative(), &digits, "", out);
        }
        other => return Err(format!("%{other}: unknown conversion")),
    }
    Ok(false)
}

impl Conversion {
    fn pad(&self, text: &str, out: &mut String) {
        let missing = self.width.saturating_sub(text.chars().count());
        let blanks = " ".repeat(missing);
        out.push_str(if self.left { "" } else { &blanks });
        out.push_str(text);
        out.push_str(if self.left { &blanks } else { "" });
    }

    fn number(&self, negative: bool, digits: &str, prefix: &str, out: &mut String) {
        let sign = match (negative, self.plus, self.space) {
            (true, _, _) => "-",
            (_, true, _) => "+",
            (_, _, true) => " ",
            _ => "",
        };
        let prefix = if self.alternate && digits != "0" {
            prefix
        } else {
            ""
        };
        let mut digits = digits.to_owned();
        let wanted = match self.precision {
            Some(precision) => precision,
            None if self.zero && !self.left => self.width.saturating_sub(sign.len() + prefix.len()),
            None => 0,
        };
        let missing = wanted.saturating_sub(digits.len());
        digits.insert_str(0, &"0".repeat(missing));
        self.pad(&format!("{sign}{prefix}{digits}"), out);
    }
}

/// `%f`, `%e` and `%g` of a value that is not negative.
fn float_text(value: f64, letter: char, precision: usize) -> String {
    let upper = letter.is_ascii_uppercase();
    let text = if !value.is_finite() {
        if value.is_nan() {
            "nan".to_owned()
        } else {
            "inf".to_owned()
        }
    } else {
        match letter.to_ascii_lowercase() {
            'f' => format!("{value:.precision$}"),
            'e' => exponential(value, precision),
            _ => {
                let significant = precision.max(1);
                let scientific = exponential(value, significant - 1);
                let exponent: i64 = scientific
                    .rsplit('e')
                    .next()
                    .and_then(|text| text.parse().ok())
                    .unwrap_or(0);
                let whole = i64::try_from(significant).unwrap_or(i64::MAX);
                if exponent < -4 || exponent >= whole {
                    match scientific.split_once('e') {
                        Some((digits, exponent)) => format!("{}e{exponent}", trim_zeros(digits)),
                        None => scientific,
                    }
                } else {
                    let places = usize::try_from(whole - 1 - exponent).unwrap_or(0);
                    trim_zeros(&format!("{value:.places$}")).to_owned()
                }
            }
        }
    };
    if upper { text.to_uppercase() } else { text }
}

fn exponential(value: f64, precision: usize) -> String {
    let text = format!("{value:.precision$e}");
    match text.split_once('e') {
        Some((digits, exponent)) => {
            let (sign, exponent) = exponent
                .strip_prefix('-')
                .map_or(('+', exponent), |exponent| ('-', exponent));
            format!("{digits}e{sign}{exponent:0>2}")
        }
        None => text,
    }
}

fn trim_zeros(text: &str) -> &str {
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.')
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(format: &str, args: &[&str], want: &str) {
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        let mut out = String::new();
        let chars: Vec<char> = format.chars().collect();
        once(
            &chars,
            &mut Arguments {
                rest: &args,
                failed: None,
            },
            &mut out,
        )
        .unwrap();
        assert_eq!(out, want, "{format}");
    }

    #[test]
    fn conversions_are_those_of_c() {
        check(
            "%5d|%-5d|%05d|%+d|%x|%#X|%o\\n",
            &["42", "42", "-42", "7", "255", "255", "8"],
            "   42|42   |-0042|+7|ff|0XFF|10\n",
        );
        check("%s %.2s %c%%%5s", &["a", "bcd", "xyz", "r"], "a bc x%    r");
        check(
            "%.2f %e %g %g %g",
            &["3.14159", "12345.678", "0.0001", "1e10", "100"],
            "3.14 1.234568e+04 0.0001 1e+10 100",
        );
        check("%b|%s", &["a\\tb", "a\\tb"], "a\tb|a\\tb");
        check("%d %d", &["'A", "0x10"], "65 16");
    }
}
