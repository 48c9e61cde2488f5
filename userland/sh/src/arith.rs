//! Arithmetic: C's operators on 64-bit integers that wrap.

/// Where names get and put their values.
pub(crate) trait Variables {
    /// The text of a variable; empty when unset.
    fn get(&mut self, name: &str) -> Result<String, String>;
    fn set(&mut self, name: &str, value: i64) -> Result<(), String>;
}

/// The value of `text`.
///
/// # Errors
/// What is wrong, in words.
pub(crate) fn evaluate(text: &str, variables: &mut dyn Variables) -> Result<i64, String> {
    evaluate_at(text, variables, 0)
}

fn evaluate_at(text: &str, variables: &mut dyn Variables, depth: usize) -> Result<i64, String> {
    if depth > 30 {
        return Err("arithmetic is nested too deeply".into());
    }
    let chars: Vec<char> = text.chars().collect();
    let mut parser = Arith {
        chars: &chars,
        at: 0,
        variables,
        depth,
        live: true,
    };
    parser.blanks();
    if parser.at == chars.len() {
        return Ok(0);
    }
    let value = parser.comma()?;
    if parser.at < chars.len() {
        return Err(format!(
            "arithmetic: unexpected {:?}",
            chars[parser.at..].iter().collect::<String>()
        ));
    }
    Ok(value)
}

struct Arith<'a> {
    chars: &'a [char],
    at: usize,
    variables: &'a mut dyn Variables,
    depth: usize,
    /// False in the branch that is not taken, where nothing is assigned.
    live: bool,
}

/// Binary operators, from loose to tight; longer ones first within a level.
const LEVELS: &[&[&str]] = &[
    &["||"],
    &["&&"],
    &["|"],
    &["^"],
    &["&"],
    &["==", "!="],
    &["<=", ">=", "<", ">"],
    &["<<", ">>"],
    &["+", "-"],
    &["*", "/", "%"],
];
const ASSIGNMENTS: &[&str] = &[
    "<<=", ">>=", "*=", "/=", "%=", "+=", "-=", "&=", "^=", "|=", "=",
];

fn apply(operator: &str, a: i64, b: i64) -> Result<i64, String> {
    let shift = (b & 63) as u32;
    Ok(match operator {
        "|" => a | b,
        "^" => a ^ b,
        "&" => a & b,
        "==" => i64::from(a == b),
        "!=" => i64::from(a != b),
        "<=" => i64::from(a <= b),
        ">=" => i64::from(a >= b),
        "<" => i64::from(a < b),
        ">" => i64::from(a > b),
        "<<" => a.wrapping_shl(shift),
        ">>" => a.wrapping_shr(shift),
        "+" => a.wrapping_add(b),
        "-" => a.wrapping_sub(b),
        "*" => a.wrapping_mul(b),
        "/" | "%" if b == 0 => return Err("division by zero".into()),
        "/" => a.wrapping_div(b),
        _ => a.wrapping_rem(b),
    })
}

impl Arith<'_> {
    fn blanks(&mut self) {
        while self.chars.get(self.at).is_some_and(|c| c.is_whitespace()) {
            self.at += 1;
        }
    }

    fn looking_at(&self, text: &str) -> bool {
        text.chars()
            .enumerate()
            .all(|(offset, c)| self.chars.get(self.at + offset) == Some(&c))
    }

    fn eat(&mut self, text: &str) -> bool {
        let found = self.looking_at(text);
        if found {
            self.at += text.len();
            self.blanks();
        }
        found
    }

    fn comma(&mut self) -> Result<i64, String> {
        let mut value = self.assignment()?;
        while self.eat(",") {
            value = self.assignment()?;
        }
        Ok(value)
    }

    fn name(&mut self) -> Option<String> {
        let rest = &self.chars[self.at..];
        let length = rest
            .iter()
            .take_while(|c| c.is_ascii_alphanumeric() || **c == '_')
            .count();
        if length == 0 || rest[0].is_ascii_digit() {
            return None;
        }
        let name = rest[..length].iter().collect();
        self.at += length;
        self.blanks();
        Some(name)
    }

    fn assignment(&mut self) -> Result<i64, String> {
        let start = self.at;
        if let Some(name) = self.name() {
            let operator = ASSIGNMENTS
                .iter()
                .find(|operator| self.looking_at(operator));
            if let Some(operator) =
                operator.filter(|operator| **operator != "=" || !self.looking_at("=="))
            {
                self.eat(operator);
                let right = self.assignment()?;
                let value = match operator.strip_suffix('=').unwrap_or("") {
                    "" => right,
                    operator => {
                        let left = self.value_of(&name)?;
                        if self.live {
                            apply(operator, left, right)?
                        } else {
                            0
                        }
                    }
                };
                return self.store(&name, value);
            }
            self.at = start;
        }
        self.ternary()
    }

    fn store(&mut self, name: &str, value: i64) -> Result<i64, String> {
        if self.live {
            self.variables.set(name, value)?;
        }
        Ok(value)
    }

    fn value_of(&mut self, name: &str) -> Result<i64, String> {
        let text = self.variables.get(name)?;
        let text = text.trim();
        match text.parse() {
            Ok(value) => Ok(value),
            Err(_) => evaluate_at(text, self.variables, self.depth + 1),
        }
    }

    /// Runs `parse` where nothing is assigned unless `live`.
    fn branch(
        &mut self,
        live: bool,
        parse: fn(&mut Self) -> Result<i64, String>,
    ) -> Result<i64, String> {
        let outer = self.live;
        self.live = outer && live;
        let value = parse(self);
        self.live = outer;
        value
    }

    fn ternary(&mut self) -> Result<i64, String> {
        let condition = self.binary(0)?;
        if !self.eat("?") {
            return Ok(condition);
        }
        let yes = self.branch(condition != 0, Self::comma)?;
        if !self.eat(":") {
            return Err("arithmetic: ':' expected".into());
        }
        let no = self.branch(condition == 0, Self::assignment)?;
        Ok(if condition != 0 { yes } else { no })
    }

    fn operator(&self, level: usize) -> Option<&'static str> {
        let operator = LEVELS[level]
            .iter()
            .copied()
            .find(|operator| self.looking_at(operator))?;
        let next = self.chars.get(self.at + operator.len()).copied();
        // Not the start of a longer operator: `&&`, `||`, `<<`, `+=` and the like.
        let doubled = matches!(operator, "|" | "&" | "<" | ">") && next == operator.chars().next();
        let assigns =
            next == Some('=') && !matches!(operator, "==" | "!=" | "<=" | ">=" | "||" | "&&");
        if doubled || assigns {
            None
        } else {
            Some(operator)
        }
    }

    fn binary(&mut self, level: usize) -> Result<i64, String> {
        if level == LEVELS.len() {
            return self.unary();
        }
        let mut left = self.binary(level + 1)?;
        while let Some(operator) = self.operator(level) {
            self.eat(operator);
            left = match operator {
                "||" | "&&" => {
                    let needed = (left != 0) == (operator == "&&");
                    let right = self.branch(
                        needed,
                        if operator == "||" {
                            |arith| arith.binary(1)
                        } else {
                            |arith| arith.binary(2)
                        },
                    )?;
                    i64::from(if needed { right != 0 } else { left != 0 })
                }
                _ => {
                    let right = self.binary(level + 1)?;
                    if self.live {
                        apply(operator, left, right)?
                    } else {
                        0
                    }
                }
            };
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<i64, String> {
        self.depth += 1;
        if self.depth > 60 {
            return Err("arithmetic is nested too deeply".into());
        }
        let value = self.unary_inner();
        self.depth -= 1;
        value
    }

    fn unary_inner(&mut self) -> Result<i64, String> {
        for (operator, step) in [("++", 1), ("--", -1)] {
            let start = self.at;
            if self.eat(operator) {
                if let Some(name) = self.name() {
                    let value = self.value_of(&name)?.wrapping_add(step);
                    return self.store(&name, value);
                }
                // `- -x` and `--5` are two signs.
                self.at = start;
            }
        }
        if self.eat("-") {
            return Ok(self.unary()?.wrapping_neg());
        }
        if self.eat("+") {
            return self.unary();
        }
        if self.eat("!") {
            return Ok(i64::from(self.unary()? == 0));
        }
        if self.eat("~") {
            return Ok(!self.unary()?);
        }
        if self.eat("(") {
            let value = self.comma()?;
            return if self.eat(")") {
                Ok(value)
            } else {
                Err("arithmetic: ')' expected".into())
            };
        }
        if let Some(name) = self.name() {
            for (operator, step) in [("++", 1_i64), ("--", -1)] {
                if self.eat(operator) {
                    let value = self.value_of(&name)?;
                    self.store(&name, value.wrapping_add(step))?;
                    return Ok(value);
                }
            }
            return self.value_of(&name);
        }
        self.number()
    }

    fn number(&mut self) -> Result<i64, String> {
        let rest = &self.chars[self.at..];
        let length = rest
            .iter()
            .take_while(|c| c.is_ascii_alphanumeric() || **c == '#')
            .count();
        let text: String = rest[..length].iter().collect();
        let parsed = if let Some(hex) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"))
        {
            i64::from_str_radix(hex, 16)
        } else if let Some((base, digits)) = text.split_once('#') {
            let base = base
                .parse()
                .ok()
                .filter(|base| (2..=36).contains(base))
                .ok_or("arithmetic: bad base")?;
            i64::from_str_radix(digits, base)
        } else if text.len() > 1 && text.starts_with('0') {
            i64::from_str_radix(&text, 8)
        } else {
            text.parse()
        };
        let value = parsed.map_err(|_| match text.as_str() {
            "" => "arithmetic: operand expected".to_owned(),
            text => format!("arithmetic: {text}: not a number"),
        })?;
        self.at += length;
        self.blanks();
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    impl Variables for HashMap<String, String> {
        fn get(&mut self, name: &str) -> Result<String, String> {
            Ok(HashMap::get(self, name).cloned().unwrap_or_default())
        }
        fn set(&mut self, name: &str, value: i64) -> Result<(), String> {
            self.insert(name.to_owned(), value.to_string());
            Ok(())
        }
    }

    #[test]
    fn operators_bind_as_in_c() {
        let mut vars = HashMap::new();
        for (text, want) in [
            ("1+2*3", 7),
            ("(1+2)*3", 9),
            ("10/3%2", 1),
            ("1<<4|1", 17),
            ("-2 - -3", 1),
            ("!0 + ~0", 0),
            ("5>3 && 2<1 || 1", 1),
            ("x=5, x+=2, x", 7),
            ("x++ + ++x", 16),
            ("x == 9 ? 1 : 2", 1),
            ("0x1f + 010 + 2#101", 44),
            ("0 && (y=1)", 0),
            ("y", 0),
            ("", 0),
            ("1 || 0 && 0", 1),
            ("3 & 6 == 6", 1),
            ("7 > 3 > 1", 0),
        ] {
            assert_eq!(evaluate(text, &mut vars), Ok(want), "{text}");
        }
        assert!(
            evaluate("1/0", &mut vars).is_err()
                && evaluate("1 +", &mut vars).is_err()
                && evaluate("08", &mut vars).is_err()
        );
    }
}
