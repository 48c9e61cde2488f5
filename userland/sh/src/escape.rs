//! Backslash escapes of `echo -e`, `printf` and `$'…'`.

/// Expands the escapes in `text`. The flag tells that `\c` was met, which ends all output.
pub(crate) fn expand(text: &str) -> (String, bool) {
    let mut out = Vec::new();
    let chars: Vec<char> = text.chars().collect();
    let mut at = 0;
    let push =
        |out: &mut Vec<u8>, c: char| out.extend(crate::text::encode(c.encode_utf8(&mut [0; 4])));
    while let Some(&c) = chars.get(at) {
        at += 1;
        if c != '\\' {
            push(&mut out, c);
            continue;
        }
        let Some(&escape) = chars.get(at) else {
            out.push(b'\\');
            break;
        };
        at += 1;
        let simple = match escape {
            'a' => 7,
            'b' => 8,
            'e' | 'E' => 27,
            'f' => 12,
            'n' => 10,
            'r' => 13,
            't' => 9,
            'v' => 11,
            '\\' | '\'' | '"' => u32::from(escape),
            'c' => return (crate::text::decode(&out), true),
            '0'..='7' => digits(
                &chars,
                &mut at,
                8,
                if escape == '0' { 3 } else { 2 },
                escape.to_digit(8),
            ),
            'x' => digits(&chars, &mut at, 16, 2, None),
            'u' => {
                let code = digits(&chars, &mut at, 16, 4, None);
                push(&mut out, char::from_u32(code).unwrap_or('\u{fffd}'));
                continue;
            }
            other => {
                out.push(b'\\');
                push(&mut out, other);
                continue;
            }
        };
        out.push((simple & 0xff) as u8);
    }
    (crate::text::decode(&out), false)
}

/// Up to `most` digits of `base`, after the value so far.
fn digits(chars: &[char], at: &mut usize, base: u32, most: usize, first: Option<u32>) -> u32 {
    let mut value = first.unwrap_or(0);
    for _ in 0..most {
        let Some(digit) = chars.get(*at).and_then(|c| c.to_digit(base)) else {
            break;
        };
        value = value * base + digit;
        *at += 1;
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes() {
        assert_eq!(expand(r"a\tb\n\x41\0101\101\q").0, "a\tb\nAAA\\q");
        assert_eq!(expand(r"\303\251").0, "\u{e9}");
        assert_eq!(expand(r"a\cb"), ("a".to_owned(), true));
    }
}
