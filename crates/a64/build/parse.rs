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
    /// The features that the class or the row names.
    pub(crate) features: Vec<Need>,
}

/// A feature that words of a row need.
#[derive(Clone)]
pub(crate) struct Need {
    pub(crate) feature: String,
    /// Which words do, as written; empty for all.
    pub(crate) condition: String,
    /// The same as a Rust expression over `w`.
    pub(crate) when: Option<String>,
}

/// The header of a class.
struct Class {
    name: String,
    /// The feature that all its rows need, if there is one.
    feature: Option<String>,
}

/// The rows of one file.
pub(crate) fn table(group: &str, text: &str) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut class: Option<Class> = None;
    for (n, line) in text.lines().enumerate() {
        let at = format!("{group}.rs:{}", n + 1);
        let line = line.trim();
        if line.is_empty() || line.starts_with("//") {
        } else if let Some(name) = line.strip_prefix("class ") {
            assert!(class.is_none(), "{at}: the class before is not closed");
            class = Some(header(&at, name));
        } else if line == "}" {
            assert!(class.take().is_some(), "{at}: no class to close");
        } else {
            let class = class.as_ref().unwrap_or_else(|| panic!("{at}: a row outside a class"));
            rows.push(row(&at, group, class, line));
        }
    }
    assert!(class.is_none(), "{group}.rs: a class is not closed");
    rows
}

/// `NAME {` or `NAME FEAT_X {`.
fn header(at: &str, text: &str) -> Class {
    let text = text.strip_suffix('{').unwrap_or_else(|| panic!("{at}: expected `class NAME [FEATURE] {{`"));
    let mut words = text.split_whitespace();
    let name = words.next().unwrap_or_else(|| panic!("{at}: a class without a name")).to_owned();
    let feature = words.next().map(|f| feature_name(at, f));
    assert!(words.next().is_none(), "{at}: expected `class NAME [FEATURE] {{`");
    Class { name, feature }
}

fn feature_name(at: &str, text: &str) -> String {
    assert!(text.starts_with("FEAT_") && !text.contains(' '), "{at}: {text} is not a feature's name");
    text.to_owned()
}

/// Names are unique.
pub(crate) fn check_names(rows: &[Row]) {
    let mut seen = HashSet::new();
    for row in rows {
        assert!(seen.insert(&row.name), "{} is there twice", row.name);
    }
}

fn row(at: &str, group: &str, class: &Class, line: &str) -> Row {
    let line = line.strip_suffix(';').unwrap_or_else(|| panic!("{at}: a row ends in `;`"));
    let (name, rest) = line.split_once(',').unwrap_or_else(|| panic!("{at}: expected NAME, \"bits\", \"syntax\""));
    let columns: Vec<&str> = rest.split('"').collect();
    let (last, quoted) = columns.split_last().expect("split gives one at least");
    assert!(
        (columns.len() == 5 || columns.len() == 7)
            && quoted.iter().step_by(2).enumerate().all(|(i, s)| s.trim() == if i == 0 { "" } else { "," }),
        "{at}: expected NAME, \"bits\", \"syntax\"[, \"constraint\"][, FEATURE [if condition]]…;"
    );
    let needs = match last.trim().strip_prefix(',') {
        Some(needs) => needs,
        None => {
            assert!(last.trim().is_empty(), "{at}: {last}");
            ""
        }
    };
    let class_name = &class.name;
    assert!(name.ends_with(&format!("_{class_name}")), "{at}: {name} does not end in its class, {class_name}");
    let mut row = Row {
        name: name.to_owned(),
        class: class_name.clone(),
        group: group.to_owned(),
        pattern: columns[1].to_owned(),
        syntax: columns[3].to_owned(),
        constraint: columns.get(5).copied().unwrap_or_default().to_owned(),
        mask: 0,
        value: 0,
        fields: Vec::new(),
        allowed: None,
        features: Vec::new(),
    };
    bits(at, &mut row);
    let of_class = class.feature.iter().map(|f| Need { feature: f.clone(), condition: String::new(), when: None });
    let of_row = needs.split(',').filter(|n| !n.trim().is_empty()).map(|n| need(at, &row.fields, n));
    row.features = of_class.chain(of_row).collect();
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

/// `FEATURE` or `FEATURE if A & B`.
fn need(at: &str, fields: &[Field], text: &str) -> Need {
    let (feature, condition) = text.split_once(" if ").unwrap_or((text, ""));
    let condition = condition.trim();
    let when = (!condition.is_empty()).then(|| all(at, fields, condition));
    Need { feature: feature_name(at, feature.trim()), condition: condition.to_owned(), when }
}

/// `A & B`, as Rust.
fn all(at: &str, fields: &[Field], text: &str) -> String {
    text.split('&').map(|a| atom(at, fields, a.trim())).collect::<Vec<_>>().join(" && ")
}

/// `A & B -> C` or `C`, as Rust.
fn clause(at: &str, fields: &[Field], text: &str) -> String {
    let all = |t: &str| all(at, fields, t);
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
    let value_of = |f: &Field| format!("((w >> {}) & {})", f.lsb, (1u64 << f.width) - 1);
    let get = value_of(field);
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
        _ => match fields.iter().find(|f| f.name == v) {
            Some(other) => format!("{get} == {}", value_of(other)),
            None => format!("{get} == {}", number(v)),
        },
    };
    match op {
        "=" => format!("({})", values.split('|').map(|v| equal(v.trim())).collect::<Vec<_>>().join(" || ")),
        "!=" => format!("!({})", values.split('|').map(|v| equal(v.trim())).collect::<Vec<_>>().join(" || ")),
        _ => format!("{get} {op} {}", number(values)),
    }
}
