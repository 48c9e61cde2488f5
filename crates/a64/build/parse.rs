//! Reads table files: classes, rows, bit patterns and constraints.

use std::collections::HashSet;

/// A named run of bits.
#[derive(Clone)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) lsb: u32,
    pub(crate) width: u32,
}

/// One encoding.
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) class: String,
    pub(crate) group: String,
    pub(crate) pattern: String,
    pub(crate) syntax: String,
    pub(crate) constraint: String,
    pub(crate) mask: u32,
    pub(crate) value: u32,
    pub(crate) fields: Vec<Field>,
    /// A Rust expression over `w`, if the row is constrained.
    pub(crate) allowed: Option<String>,
}

/// The rows of one file.
pub(crate) fn table(group: &str, text: &str) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut class: Option<String> = None;
    for (n, line) in text.lines().enumerate() {
        let at = format!("{group}.rs:{}", n + 1);
        let line = line.trim();
        if line.is_empty() || line.starts_with("//") {
        } else if let Some(name) = line.strip_prefix("class ") {
            assert!(class.is_none(), "{at}: the class before is not closed");
            class = Some(
                name.strip_suffix('{').unwrap_or_else(|| panic!("{at}: expected `class NAME {{`")).trim().to_owned(),
            );
        } else if line == "}" {
            assert!(class.take().is_some(), "{at}: no class to close");
        } else {
            let class = class.as_deref().unwrap_or_else(|| panic!("{at}: a row outside a class"));
            rows.push(row(&at, group, class, line));
        }
    }
    assert!(class.is_none(), "{group}.rs: a class is not closed");
    rows
}

/// Names are unique.
pub(crate) fn check_names(rows: &[Row]) {
    let mut seen = HashSet::new();
    for row in rows {
        assert!(seen.insert(&row.name), "{} is there twice", row.name);
    }
}

fn row(at: &str, group: &str, class: &str, line: &str) -> Row {
    let line = line.strip_suffix(';').unwrap_or_else(|| panic!("{at}: a row ends in `;`"));
    let (name, rest) = line.split_once(',').unwrap_or_else(|| panic!("{at}: expected NAME, \"bits\", \"syntax\""));
    let columns: Vec<&str> = rest.split('"').collect();
    assert!(
        (columns.len() == 5 || columns.len() == 7)
            && columns
                .iter()
                .step_by(2)
                .enumerate()
                .all(|(i, s)| { s.trim() == if i == 0 || i == columns.len() / 2 { "" } else { "," } }),
        "{at}: expected NAME, \"bits\", \"syntax\"[, \"constraint\"];"
    );
    assert!(name.ends_with(&format!("_{class}")), "{at}: {name} does not end in its class, {class}");
    let mut row = Row {
        name: name.to_owned(),
        class: class.to_owned(),
        group: group.to_owned(),
        pattern: columns[1].to_owned(),
        syntax: columns[3].to_owned(),
        constraint: columns.get(5).copied().unwrap_or_default().to_owned(),
        mask: 0,
        value: 0,
        fields: Vec::new(),
        allowed: None,
    };
    bits(at, &mut row);
    if !row.constraint.is_empty() {
        let clauses: Vec<String> = row.constraint.split(',').map(|c| clause(at, &row.fields, c)).collect();
        row.allowed = Some(clauses.join(" && "));
    }
    row
}

/// `01` fixed, `x` free, `(01)` should be so but is not looked at, `name:width` a field.
fn bits(at: &str, row: &mut Row) {
    let mut left: u32 = 32;
    let take = |left: &mut u32, n: u32| {
        *left = left.checked_sub(n).unwrap_or_else(|| panic!("{at}: more than 32 bits"));
        *left
    };
    for token in row.pattern.clone().split_whitespace() {
        if let Some((name, width)) = token.split_once(':') {
            let width: u32 = width.parse().unwrap_or_else(|_| panic!("{at}: width of {token}"));
            assert!(width > 0 && row.fields.iter().all(|f| f.name != name), "{at}: {token}");
            let lsb = take(&mut left, width);
            row.fields.push(Field { name: name.to_owned(), lsb, width });
            continue;
        }
        let free = token.starts_with('(');
        for c in token.trim_start_matches('(').trim_end_matches(')').chars() {
            let bit = 1 << take(&mut left, 1);
            match c {
                '0' | '1' if free => {}
                'x' => {}
                '0' => row.mask |= bit,
                '1' => {
                    row.mask |= bit;
                    row.value |= bit;
                }
                _ => panic!("{at}: {token} in the pattern"),
            }
        }
    }
    assert!(left == 0, "{at}: the pattern lacks {left} bits");
}

/// `A & B -> C` or `C`, as Rust.
fn clause(at: &str, fields: &[Field], text: &str) -> String {
    let all = |t: &str| t.split('&').map(|a| atom(at, fields, a.trim())).collect::<Vec<_>>().join(" && ");
    match text.split_once("->") {
        Some((when, then)) => format!("(!({}) || ({}))", all(when), all(then)),
        None => format!("({})", all(text)),
    }
}

/// `field=value|value`, `field!=value`, `field<value`, `field>=value`.
fn atom(at: &str, fields: &[Field], text: &str) -> String {
    let (name, op, values) = ["!=", ">=", "<", "="]
        .iter()
        .find_map(|op| text.split_once(op).map(|(n, v)| (n.trim(), *op, v.trim())))
        .unwrap_or_else(|| panic!("{at}: no condition: {text}"));
    let field = fields.iter().find(|f| f.name == name).unwrap_or_else(|| panic!("{at}: no field {name}"));
    let get = format!("((w >> {}) & {})", field.lsb, (1u64 << field.width) - 1);
    let number = |v: &str| match v.strip_prefix("0b") {
        Some(b) => u32::from_str_radix(b, 2).unwrap_or_else(|_| panic!("{at}: number {v}")),
        None => v.parse().unwrap_or_else(|_| panic!("{at}: number {v}")),
    };
    let equal = |v: &str| match v.strip_prefix("0b") {
        Some(b) if b.contains('x') => {
            assert!(b.len() == field.width as usize, "{at}: {v} is not as wide as {name}");
            let mask = number(&format!("0b{}", b.replace('0', "1").replace('x', "0")));
            format!("{get} & {mask} == {}", number(&format!("0b{}", b.replace('x', "0"))))
        }
        _ => format!("{get} == {}", number(v)),
    };
    match op {
        "=" => format!("({})", values.split('|').map(|v| equal(v.trim())).collect::<Vec<_>>().join(" || ")),
        "!=" => format!("!({})", values.split('|').map(|v| equal(v.trim())).collect::<Vec<_>>().join(" || ")),
        _ => format!("{get} {op} {}", number(values)),
    }
}
