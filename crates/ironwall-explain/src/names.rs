//! The names of fields, which table images do not have: they know offsets only.
//!
//! Names come from the tables that a compiler made ([`Names::of`]) or from a file that it wrote beside its image
//! (`docs/ironwall/explain.md` has the format). They are for people; nothing is checked with them.

use crate::json::{DataError, Text, check_text, parse};
use ironwall::Uuid;
use ironwall_format::Table;
use ironwall_format::describe::Description;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The longest name of a field in bytes.
pub const MAX_FIELD_NAME: usize = 200;

/// The names of the fields of one structure, by offset in the payload.
pub type Fields = BTreeMap<u32, String>;

/// The names of fields, by table and structure.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    structures: BTreeMap<(Uuid, Uuid), Fields>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct NamesText {
    format: String,
    version: u32,
    structures: Vec<StructureText>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StructureText {
    table: Text<Uuid>,
    structure: Text<Uuid>,
    fields: Vec<(u32, String)>,
}

const FORMAT: &str = "ironwall-names";

impl Names {
    /// The names that tables were made with.
    #[must_use]
    pub fn of<'a>(tables: impl IntoIterator<Item = &'a Table>) -> Self {
        let mut names = Self::default();
        for table in tables {
            for (structure, offset, name) in table.fields() {
                names.insert(table.id(), structure, offset, name);
            }
        }
        names
    }

    /// Names a field; nothing happens if the name cannot be one.
    pub fn insert(&mut self, table: Uuid, structure: Uuid, offset: u32, name: &str) {
        if is_field_name(name) {
            self.structures.entry((table, structure)).or_default().insert(offset, name.to_owned());
        }
    }

    /// Adds the names of another file; where both name a field, the other's name is taken.
    pub fn extend(&mut self, other: Self) {
        for (key, fields) in other.structures {
            self.structures.entry(key).or_default().extend(fields);
        }
    }

    /// The names of a structure's fields.
    #[must_use]
    pub fn fields(&self, table: Uuid, structure: Uuid) -> Option<&Fields> {
        self.structures.get(&(table, structure))
    }

    /// Reads either the description of a unit, as `vambrace unit table` takes it, or what [`Self::to_json`] wrote.
    ///
    /// # Errors
    /// When it is neither; the message tells where.
    pub fn read(text: &[u8]) -> Result<Self, DataError> {
        // A description has no format.
        let has_format =
            serde_json::from_slice::<serde_json::Value>(text).is_ok_and(|value| value.get("format").is_some());
        if has_format {
            return Self::from_json(text);
        }
        let unit = Description::parse(text).map_err(|error| DataError::new(error.to_string()))?;
        Ok(Self::of([&unit.table()]))
    }

    /// Reads what [`Self::to_json`] wrote.
    ///
    /// # Errors
    /// When it is not that; the message tells where.
    pub fn from_json(text: &[u8]) -> Result<Self, DataError> {
        let text: NamesText = parse(text, FORMAT)?;
        let mut structures = BTreeMap::new();
        for (i, StructureText { table, structure, fields }) in text.structures.into_iter().enumerate() {
            let fields = read_fields(fields).map_err(|what| what.at(format!("structures[{i}].fields")))?;
            if structures.insert((table.0, structure.0), fields).is_some() {
                return Err(DataError::new("the structure is there twice").at(format!("structures[{i}]")));
            }
        }
        Ok(Self { structures })
    }

    /// The names as JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        let structures = self.structures.iter().map(|(&(table, structure), fields)| StructureText {
            table: Text(table),
            structure: Text(structure),
            fields: write_fields(fields),
        });
        let text = NamesText { format: FORMAT.to_owned(), version: 1, structures: structures.collect() };
        serde_json::to_string(&text).unwrap_or_default()
    }
}

pub(crate) fn write_fields(fields: &Fields) -> Vec<(u32, String)> {
    fields.iter().map(|(&offset, name)| (offset, name.clone())).collect()
}

/// Fields in ascending order of their offsets, with names that can be shown.
pub(crate) fn read_fields(fields: Vec<(u32, String)>) -> Result<Fields, DataError> {
    if !fields.is_sorted_by(|one, two| one.0 < two.0) {
        return Err(DataError::new("the offsets are not ascending"));
    }
    for (_, name) in &fields {
        check_text(name, MAX_FIELD_NAME, is_field_name)?;
    }
    Ok(fields.into_iter().collect())
}

fn is_field_name(name: &str) -> bool {
    (1..=MAX_FIELD_NAME).contains(&name.len()) && !name.contains(char::is_control)
}
