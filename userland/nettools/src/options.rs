//! Short options, as `getopt` takes them apart.

/// Takes options apart. `with_values` has the letters whose options have a value,
/// `plain` the others. Returns the options in order, and the operands.
///
/// # Errors
/// A message about an unknown option or a missing value.
pub(crate) fn parse<'a>(
    args: &'a [String],
    plain: &str,
    with_values: &str,
) -> Result<(Vec<(char, &'a str)>, Vec<&'a str>), String> {
    let (mut options, mut operands) = (Vec::new(), Vec::new());
    let mut rest = args.iter().map(String::as_str);
    while let Some(arg) = rest.next() {
        if arg == "--" {
            operands.extend(rest);
            break;
        }
        let Some(letters) = arg.strip_prefix('-').filter(|letters| !letters.is_empty()) else {
            operands.push(arg);
            continue;
        };
        let mut chars = letters.chars();
        while let Some(letter) = chars.next() {
            if plain.contains(letter) {
                options.push((letter, ""));
                continue;
            }
            if !with_values.contains(letter) {
                return Err(format!("unknown option -{letter}"));
            }
            let value = match chars.as_str() {
                "" => rest
                    .next()
                    .ok_or_else(|| format!("option -{letter} needs a value"))?,
                attached => attached,
            };
            options.push((letter, value));
            break;
        }
    }
    Ok((options, operands))
}

/// The number that the value of option `letter` is.
pub(crate) fn number<T: std::str::FromStr>(letter: char, value: &str) -> Result<T, String> {
    value
        .parse()
        .map_err(|_| format!("{value}: no number that -{letter} can have"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(args: &[&str]) -> Result<String, String> {
        let args: Vec<String> = args.iter().map(|&arg| arg.to_owned()).collect();
        parse(&args, "lu", "pw").map(|parts| format!("{parts:?}"))
    }

    #[test]
    fn options_may_be_grouped_and_follow_operands() {
        let want = r#"([('l', ""), ('p', "80"), ('u', ""), ('w', "3")], ["host", "-", "-x"])"#;
        assert_eq!(
            parsed(&["-lp80", "host", "-u", "-w", "3", "-", "--", "-x"]).as_deref(),
            Ok(want)
        );
    }

    #[test]
    fn unknown_letters_and_missing_values_are_errors() {
        assert!(parsed(&["-z"]).is_err());
        assert!(parsed(&["-lp"]).is_err());
    }
}
