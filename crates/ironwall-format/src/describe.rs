//! Descriptions of units: JSON that authors of C write, laid out as a C compiler would.
//!
//! `docs/ironwall/c-api.md` has the format. Nothing of a description is believed: names become C identifiers only if
//! they are such, sizes are summed in wide numbers and limited, and an error names the place. [`Description::table`]
//! gives the image's table, and `c_source` writes the C.

use crate::{Structure, Table};
use ironwall::Kind;
use ironwall::image::{MAX_NAME, Tail};
use serde::Deserialize;
use std::collections::HashSet;
use std::fmt;

/// The longest description.
pub const MAX_DESCRIPTION: usize = 1 << 20;
/// The most bytes of the fixed part of a structure.
const MAX_FIXED: u64 = 8 << 20;
/// The most references of all structures.
const MAX_SLOTS: usize = 1 << 20;

/// A unit, as it was described.
#[derive(Clone, Debug)]
pub struct Description {
    package: String,
    unit: String,
    pub(crate) prefix: String,
    pub(crate) init: Option<String>,
    pub(crate) structures: Vec<Laid>,
    imports: Vec<(Table, Vec<(Kind, String)>)>,
}

/// A structure with offsets.
#[derive(Clone, Debug)]
pub(crate) struct Laid {
    pub(crate) kind: Kind,
    pub(crate) name: String,
    pub(crate) fields: Vec<LaidField>,
    /// The end of the last field; what is missing to `fixed` is padding.
    pub(crate) used: u64,
    pub(crate) fixed: u64,
    pub(crate) tail: Option<(String, Type)>,
    pub(crate) structure: Structure,
}

/// A field with its offset in the payload.
#[derive(Clone, Debug)]
pub(crate) struct LaidField {
    pub(crate) name: String,
    pub(crate) ty: Type,
    pub(crate) count: Option<u32>,
    pub(crate) offset: u64,
}

/// Why a description is refused, and where in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DescribeError {
    place: String,
    problem: String,
}

impl fmt::Display for DescribeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.place.is_empty() { f.write_str(&self.problem) } else { write!(f, "{}: {}", self.place, self.problem) }
    }
}

impl std::error::Error for DescribeError {}

/// What a field or an element of a tail is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Type {
    /// A reference or zero.
    Ref,
    /// A reference, zero, or an odd word.
    Value,
    I8,
    U8,
    I16,
    U16,
    I32,
    U32,
    I64,
    U64,
    F32,
    F64,
}

impl Type {
    pub(crate) fn size(self) -> u64 {
        match self {
            Self::I8 | Self::U8 => 1,
            Self::I16 | Self::U16 => 2,
            Self::I32 | Self::U32 | Self::F32 => 4,
            Self::Ref | Self::Value | Self::I64 | Self::U64 | Self::F64 => 8,
        }
    }

    fn is_slot(self) -> bool {
        matches!(self, Self::Ref | Self::Value)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    package: String,
    unit: String,
    prefix: Option<String>,
    init: Option<String>,
    #[serde(default)]
    structures: Vec<StructureText>,
    #[serde(default)]
    imports: Vec<Import>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Import {
    package: String,
    unit: String,
    #[serde(default)]
    structures: Vec<StructureText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StructureText {
    kind: KindText,
    name: String,
    #[serde(default)]
    fields: Vec<Field>,
    tail: Option<TailText>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum KindText {
    Heap,
    Frame,
    Global,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Field {
    name: String,
    #[serde(rename = "type")]
    ty: Type,
    count: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TailText {
    name: String,
    #[serde(rename = "type")]
    ty: Type,
}

impl Description {
    /// Reads a description.
    ///
    /// # Errors
    /// What is wrong, with line and column where it is no description, and with the path of the field where it is one
    /// of something that cannot be.
    pub fn parse(text: &[u8]) -> Result<Self, DescribeError> {
        if text.len() > MAX_DESCRIPTION {
            return Err(error("", format!("a description is at most {MAX_DESCRIPTION} bytes, not {}", text.len())));
        }
        let document: Document = serde_json::from_slice(text).map_err(|wrong| error("", wrong.to_string()))?;
        let prefix = document.prefix.unwrap_or_else(|| document.unit.clone());
        check_name("package", &document.package)?;
        check_name("unit", &document.unit)?;
        check_identifier("prefix", &prefix)?;
        if let Some(init) = &document.init {
            check_identifier("init", init)?;
        }
        let mut slots = 0;
        let structures = lay_all("structures", document.structures, &mut slots)?;
        let mut imports = Vec::new();
        let mut seen = HashSet::from([(document.package.clone(), document.unit.clone())]);
        for (i, import) in document.imports.into_iter().enumerate() {
            let place = format!("imports[{i}]");
            check_name(&format!("{place}.package"), &import.package)?;
            check_name(&format!("{place}.unit"), &import.unit)?;
            if !seen.insert((import.package.clone(), import.unit.clone())) {
                return Err(error(&place, "the unit itself, or imported twice"));
            }
            let laid = lay_all(&format!("{place}.structures"), import.structures, &mut slots)?;
            let names = laid.iter().map(|laid| (laid.kind, laid.name.clone())).collect();
            let table = Table::new(&import.package, &import.unit);
            imports.push((laid.into_iter().fold(table, |table, laid| table.with(laid.structure)), names));
        }
        let description =
            Self { package: document.package, unit: document.unit, prefix, init: document.init, structures, imports };
        crate::c_source::check_names(&description)?;
        Ok(description)
    }

    /// The prefix of all C names.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The table.
    #[must_use]
    pub fn table(&self) -> Table {
        let table = Table::new(&self.package, &self.unit);
        let table = self.structures.iter().fold(table, |table, laid| table.with(laid.structure.clone()));
        self.imports.iter().fold(table, |table, (other, names)| {
            names.iter().fold(table.importing(other), |table, (kind, name)| table.using(other, *kind, name))
        })
    }

    /// The image of the table.
    ///
    /// # Errors
    /// When it is too long for the format.
    pub fn image(&self) -> Result<Vec<u8>, DescribeError> {
        let image = self.table().image().map_err(|too_long| error("", too_long.to_string()))?;
        let verified = ironwall::image::Image::verify(&image).map(|_| ());
        verified.map_err(|(rule, at)| error("", format!("the image breaks the rule {rule:?} at byte {at}")))?;
        Ok(image)
    }
}

fn lay_all(place: &str, texts: Vec<StructureText>, slots: &mut usize) -> Result<Vec<Laid>, DescribeError> {
    let mut names = HashSet::new();
    let mut all = Vec::new();
    for (i, text) in texts.into_iter().enumerate() {
        let place = format!("{place}[{i}]");
        if !names.insert(text.name.clone()) {
            return Err(error(&format!("{place}.name"), format!("{:?} is the name of another structure", text.name)));
        }
        all.push(lay(&place, text, slots)?);
    }
    Ok(all)
}

/// Gives fields the offsets that a C compiler gives them.
fn lay(place: &str, text: StructureText, slots: &mut usize) -> Result<Laid, DescribeError> {
    check_identifier(&format!("{place}.name"), &text.name)?;
    let kind = match text.kind {
        KindText::Heap => Kind::Heap,
        KindText::Frame => Kind::Frame,
        KindText::Global => Kind::Global,
    };
    let (mut end, mut offsets, mut fields, mut names) = (0u64, Vec::new(), Vec::new(), HashSet::new());
    let mut has_odd_words = false;
    for (i, field) in text.fields.into_iter().enumerate() {
        let place = format!("{place}.fields[{i}]");
        check_field(&format!("{place}.name"), &field.name, &mut names)?;
        if field.count == Some(0) {
            return Err(error(&format!("{place}.count"), "a field has at least one element"));
        }
        let count = u64::from(field.count.unwrap_or(1));
        let offset = end.next_multiple_of(field.ty.size());
        end = offset + count * field.ty.size();
        if end > MAX_FIXED {
            return Err(error(&place, format!("the fixed part is longer than {MAX_FIXED} bytes")));
        }
        if field.ty.is_slot() {
            *slots += count as usize;
            if *slots > MAX_SLOTS {
                return Err(error(&place, format!("there are more than {MAX_SLOTS} references")));
            }
            // They fit, because the end does.
            offsets.extend((0..count).map(|i| (offset + i * 8) as u32));
            has_odd_words |= field.ty == Type::Value;
        }
        fields.push(LaidField { name: field.name, ty: field.ty, count: field.count, offset });
    }
    let fixed = end.next_multiple_of(8);
    let mut structure = Structure::new(kind, &text.name, fixed as u32, &offsets);
    for field in fields.iter().filter(|field| field.ty.is_slot()) {
        structure = match field.count {
            None => structure.with_field(field.offset as u32, &field.name),
            Some(count) => (0..count).fold(structure, |structure, i| {
                structure.with_field(field.offset as u32 + i * 8, &format!("{}[{i}]", field.name))
            }),
        };
    }
    if let Some(tail) = &text.tail {
        check_field(&format!("{place}.tail.name"), &tail.name, &mut names)?;
        if kind != Kind::Heap {
            return Err(error(&format!("{place}.tail"), "only heap objects have a tail"));
        }
        has_odd_words |= tail.ty == Type::Value;
        let is_plain = !tail.ty.is_slot();
        structure = if is_plain { structure.with_bytes(tail.ty.size() as u32) } else { structure.with_references() };
        debug_assert!(is_plain || structure.tail == Tail::References);
    }
    if has_odd_words {
        structure = structure.with_odd_words();
    }
    let tail = text.tail.map(|tail| (tail.name, tail.ty));
    Ok(Laid { kind, name: text.name, fields, used: end, fixed, tail, structure })
}

fn check_field(place: &str, name: &str, names: &mut HashSet<String>) -> Result<(), DescribeError> {
    check_identifier(place, name)?;
    if name == "iw" || name.starts_with("iw_") {
        return Err(error(place, "names that begin with iw are the runtime's"));
    }
    if !names.insert(name.to_owned()) {
        return Err(error(place, format!("{name:?} is the name of another field")));
    }
    Ok(())
}

/// A name of a table image.
fn check_name(place: &str, name: &str) -> Result<(), DescribeError> {
    let is_name = (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic());
    // What stands in a comment of the C source must not end it.
    if is_name && !name.contains("*/") && !name.contains("/*") {
        return Ok(());
    }
    Err(error(
        place,
        format!("a name is 1 to {MAX_NAME} printable ASCII characters without blanks or ends of comments"),
    ))
}

/// A name that C and C++ accept.
pub(crate) fn check_identifier(place: &str, name: &str) -> Result<(), DescribeError> {
    let starts = |byte: u8| byte.is_ascii_alphabetic();
    let is_identifier = name.bytes().next().is_some_and(starts)
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && name.len() <= MAX_NAME;
    if !is_identifier {
        return Err(error(
            place,
            format!("a C name is a letter, then letters, digits and underscores, at most {MAX_NAME} in all"),
        ));
    }
    if KEYWORDS.split_ascii_whitespace().any(|keyword| keyword == name) {
        return Err(error(place, format!("{name:?} is a keyword of C or C++")));
    }
    Ok(())
}

pub(crate) fn error(place: &str, problem: impl Into<String>) -> DescribeError {
    DescribeError { place: place.to_owned(), problem: problem.into() }
}

/// The keywords of C23 and C++23, without those that begin with an underscore, and names that headers take.
const KEYWORDS: &str = "alignas alignof and and_eq asm auto bitand bitor bool break case catch char char8_t char16_t \
    char32_t class co_await co_return co_yield compl concept const consteval constexpr constinit const_cast continue \
    decltype default delete do double dynamic_cast else enum explicit export extern false float for friend goto if \
    inline int long mutable namespace new noexcept not not_eq nullptr operator or or_eq private protected public \
    register reinterpret_cast requires restrict return short signed sizeof static static_assert static_cast struct \
    switch template this thread_local throw true try typedef typeid typename typeof typeof_unqual union unsigned using \
    virtual void volatile wchar_t while xor xor_eq linux unix NULL main errno assert offsetof";

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        Description::parse(text.as_bytes()).expect_err("refused").to_string()
    }

    fn with_fields(fields: &str) -> String {
        format!(r#"{{"package":"p","unit":"u","structures":[{{"kind":"heap","name":"S","fields":[{fields}]}}]}}"#)
    }

    #[test]
    fn fields_are_where_c_puts_them() {
        let fields = r#"{"name":"a","type":"u8"},{"name":"b","type":"ref"},{"name":"c","type":"i16","count":3},
            {"name":"d","type":"value"},{"name":"e","type":"u8"}"#;
        let description = Description::parse(with_fields(fields).as_bytes()).expect("a description");
        let laid = &description.structures[0];
        let offsets: Vec<u64> = laid.fields.iter().map(|field| field.offset).collect();
        assert_eq!((offsets, laid.used, laid.fixed), (vec![0, 8, 16, 24, 32], 33, 40));
        let image = description.image().expect("an image");
        let image = ironwall::image::Image::verify(&image).expect("an image");
        let entry = image.entry(0);
        assert!(entry.has_odd_words);
        assert_eq!(entry.offsets, [8, 0, 0, 0, 24, 0, 0, 0]);
    }

    #[test]
    fn what_is_no_json_is_refused_with_line_and_column() {
        assert!(refused("{\n  \"package\": \"p\",\n  oops").contains("line 3 column"), "{}", refused("{\n\n oops"));
        assert!(refused(r#"{"package":"p","unit":"u","unti":1}"#).contains("unknown field `unti`"));
        assert!(refused(r#"{"package":"p","package":"q","unit":"u"}"#).contains("duplicate field `package`"));
        assert!(refused(r#"{"package":"p"}"#).contains("missing field `unit`"));
        assert!(refused(&with_fields(r#"{"name":"a","type":"pointer"}"#)).contains("unknown variant `pointer`"));
        assert!(refused(&with_fields(r#"{"name":"a","type":"u8","count":-1}"#)).contains("line 1"));
        assert!(refused(&"[".repeat(100_000)).contains("line 1"));
        assert!(refused(&" ".repeat(MAX_DESCRIPTION + 1)).contains("at most"));
    }

    #[test]
    fn what_cannot_be_is_refused_with_its_path() {
        let check = |fields: &str, expected: &str| {
            let told = refused(&with_fields(fields));
            assert!(told.starts_with(expected), "{told}");
        };
        check(r#"{"name":"int","type":"u8"}"#, "structures[0].fields[0].name: \"int\" is a keyword");
        check(r#"{"name":"a b","type":"u8"}"#, "structures[0].fields[0].name: a C name");
        check(r#"{"name":"iw_x","type":"u8"}"#, "structures[0].fields[0].name: names that begin");
        check(r#"{"name":"a","type":"u8"},{"name":"a","type":"u8"}"#, "structures[0].fields[1].name: \"a\" is");
        check(r#"{"name":"a","type":"u8","count":0}"#, "structures[0].fields[0].count: ");
        check(r#"{"name":"a","type":"u64","count":4000000000}"#, "structures[0].fields[0]: the fixed part");
        check(
            r#"{"name":"a","type":"ref","count":1000000},{"name":"b","type":"ref","count":48577}"#,
            "structures[0].fields[1]: ",
        );
        let told = refused(r#"{"package":"a */ b","unit":"u"}"#);
        assert!(told.starts_with("package: a name is"), "{told}");
        assert!(refused(r#"{"package":"p","unit":"u/v"}"#).starts_with("prefix: a C name"));
        assert!(refused(r#"{"package":"p","unit":"u","init":"f();x"}"#).starts_with("init: a C name"));
        let frame =
            r#"{"package":"p","unit":"u","structures":[{"kind":"frame","name":"S","tail":{"name":"t","type":"u8"}}]}"#;
        assert!(refused(frame).starts_with("structures[0].tail: only heap"));
        let twice = r#"{"package":"p","unit":"u","imports":[{"package":"p","unit":"u"}]}"#;
        assert!(refused(twice).starts_with("imports[0]: "));
        let names =
            r#"{"package":"p","unit":"u","structures":[{"kind":"heap","name":"S"},{"kind":"heap","name":"S_new"}]}"#;
        assert!(refused(names).contains("u_S_new"), "{}", refused(names));
    }
}
