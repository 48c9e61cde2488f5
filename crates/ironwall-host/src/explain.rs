//! What something is, and why it is alive.
//!
//! Of a block: its identity, and the shortest path from a root to it. The path comes from `ironwall-explain` and is
//! replayed against the runtime by that crate's checker, which does not use what found it; one that does not replay is
//! never told. Of a structure or of the whole heap: sizes, and what would go if they went.
//!
//! All of it only reads. A snapshot takes memory in proportion to the heap's objects, and is gone with the answer.

use std::fmt;

use ironwall::{Block, Kind, Refusal, Uuid};
use ironwall_explain::retained::Share;
use ironwall_explain::{Names, RootPath, Snapshot, check_snapshot, check_with};
use serde_json::{Value, json};

use crate::call::Stopped;
use crate::error::{Code, Error};
use crate::render;

/// The most objects of a path that is told whole. Of a longer one, the ends are told as text.
pub const MAX_STEPS: usize = 1024;
/// The most words of a block's contents in one answer.
pub const MAX_WORDS: u64 = 512;

/// A block, and why it is alive.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// The address of the block.
    pub address: u64,
    /// The bytes of its payload.
    pub extent: u64,
    /// Its three tags.
    pub tags: [u64; 3],
    /// Its table.
    pub table: Uuid,
    /// Its structure.
    pub structure: Uuid,
    /// What these are called.
    pub names: Option<render::Names>,
    /// Whether it lives.
    pub state: State,
}

/// Whether a block lives, and why.
#[derive(Clone, Debug)]
pub enum State {
    /// It is a frame or a global block, which live without being referred to.
    Root,
    /// A root leads to it. The path has been replayed.
    Reachable(RootPath),
    /// No root leads to it: the next collection reclaims it.
    Unreachable,
    /// The heap is damaged, so nobody can tell.
    Unknown(String),
}

impl State {
    /// As the protocol says it.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Reachable(_) => "reachable",
            Self::Unreachable => "unreachable",
            Self::Unknown(_) => "unknown",
        }
    }
}

impl Explanation {
    /// Explains a block: an object, a pushed frame, or a global block. `names` has the names of fields.
    ///
    /// # Errors
    /// [`Refusal::NotABlock`].
    pub fn of(stopped: &mut Stopped<'_, '_>, block: Block, names: &Names) -> Result<Self, Refusal> {
        let runtime = &*stopped.runtime;
        let (table, structure) = runtime.identity(block)?;
        let [tag1, tag2, tag3, _] = runtime.prefix(block)?;
        let (_, extent) = runtime.describe(block)?;
        let called = render::Names::of(runtime, table, structure);
        let is_object = called.as_ref().is_some_and(|called| called.kind == Kind::Heap);
        let state = if is_object { state_of(stopped, block, names) } else { State::Root };
        let tags = [tag1, tag2, tag3];
        Ok(Self { address: block.address(), extent, tags, table, structure, names: called, state })
    }

    /// As the protocol tells it.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let mut value = json!({
            "block": render::address(self.address),
            "extent": self.extent,
            "tags": self.tags.iter().map(|tag| format!("{tag:#018x}")).collect::<Vec<_>>(),
            "state": self.state.word(),
        });
        render::identify(&mut value, self.table, self.structure, self.names.as_ref());
        match &self.state {
            State::Reachable(path) => {
                value["length"] = path.steps.len().into();
                value["text"] = path.to_string().into();
                value["path"] = if path.steps.len() > MAX_STEPS { Value::Null } else { path.to_value() };
            }
            State::Unknown(why) => value["damage"] = why.as_str().into(),
            State::Root | State::Unreachable => {}
        }
        value
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}: ", self.address)?;
        match &self.names {
            Some(names) => {
                let render::Names { package, unit, name, kind } = names;
                write!(f, "{name} of {package}/{unit}, {}", render::kind(*kind))?;
            }
            None => write!(f, "structure {}", render::uuid(self.structure))?,
        }
        writeln!(f, ", {} bytes", self.extent)?;
        match &self.state {
            State::Root => f.write_str("it is a root itself"),
            State::Reachable(path) => write!(f, "{path}"),
            State::Unreachable => f.write_str("no root leads to it; the next collection reclaims it"),
            State::Unknown(why) => write!(f, "the heap is damaged, so nobody can tell why it lives: {why}"),
        }
    }
}

/// Finds a path to an object, and has it replayed.
fn state_of(stopped: &mut Stopped<'_, '_>, block: Block, names: &Names) -> State {
    let snapshot = match Snapshot::take_with(stopped.runtime, stopped.stacks, names) {
        Ok(snapshot) => snapshot,
        Err(damage) => return State::Unknown(damage.to_string()),
    };
    let Some(path) = snapshot.at(block.address()).and_then(|object| snapshot.why(object)) else {
        return State::Unreachable;
    };
    let leads_there = path.steps.last().is_some_and(|step| step.address == Some(block.address()));
    match check_snapshot(&snapshot, &path).and_then(|()| check_with(stopped.runtime, stopped.stacks, &path)) {
        Ok(()) if leads_there => State::Reachable(path),
        Ok(()) => State::Unknown("the path that was found leads elsewhere".to_owned()),
        Err(mismatch) => State::Unknown(format!("the path that was found does not replay: {mismatch}")),
    }
}

/// The answer for a block; with `contents`, also up to [`MAX_WORDS`] words of its payload, beginning with `from`.
///
/// # Errors
/// [`Code::Refused`] if it is no block.
pub fn block(
    stopped: &mut Stopped<'_, '_>,
    block: Block,
    contents: bool,
    from: u64,
    names: &Names,
) -> Result<Value, Error> {
    let named = |refusal: Refusal| {
        let message =
            format!("{} is no block: it was never one, or has been reclaimed", render::address(block.address()));
        Error::new(Code::Refused, message).with(json!({ "refusal": format!("{refusal:?}") }))
    };
    let explanation = Explanation::of(stopped, block, names).map_err(named)?;
    let mut value = explanation.to_value();
    if contents {
        let end = explanation.extent / 8;
        let first = from.min(end);
        let last = end.min(first.saturating_add(MAX_WORDS));
        let words: Result<Vec<Value>, Refusal> = (first..last)
            .map(|i| stopped.runtime.load(block, i * 8).map(|word| render::address(word).into()))
            .collect();
        value["from"] = first.into();
        value["words"] = words.map_err(named)?.into();
        if last < end {
            value["next"] = last.into();
        }
    }
    Ok(value)
}

/// The answer for a structure: what lived of it at the last collection, and what there is `now`.
///
/// # Errors
/// [`Code::Refused`] if there is no such structure; [`Code::Damaged`].
pub fn structure(stopped: &mut Stopped<'_, '_>, table: Uuid, structure: Uuid) -> Result<Value, Error> {
    let runtime = &*stopped.runtime;
    let found = runtime.census().find(|entry| (entry.table, entry.structure) == (table, structure));
    let entry = found.ok_or_else(|| {
        let message = format!("no attached table {} has a structure {}", render::uuid(table), render::uuid(structure));
        Error::new(Code::Refused, message).with(json!({ "refusal": "NoSuchEntry" }))
    })?;
    let mut value = render::census(&entry, render::Names::of(runtime, table, structure).as_ref());
    let snapshot = take(stopped)?;
    let retained = snapshot.retained();
    let shares = snapshot.structures().iter().zip(&retained.structures);
    let now = shares.filter(|(found, _)| found.id == structure).map(|(_, now)| share(now)).next();
    value["now"] = now.unwrap_or_default();
    Ok(value)
}

/// The answer for the whole heap: its sizes, and what each unit keeps alive.
///
/// # Errors
/// [`Code::Damaged`].
pub fn heap(stopped: &mut Stopped<'_, '_>) -> Result<Value, Error> {
    let snapshot = take(stopped)?;
    let retained = snapshot.retained();
    let units = snapshot.units().iter().zip(&retained.units).map(|(unit, now)| {
        let mut value = share(now);
        value["table"] = render::uuid(unit.table).into();
        value["package"] = unit.package.as_str().into();
        value["unit"] = unit.name.as_str().into();
        value
    });
    Ok(json!({
        "live": { "objects": retained.live.objects, "bytes": retained.live.bytes },
        "dead": { "objects": retained.dead.objects, "bytes": retained.dead.bytes },
        "roots": {
            "frames": snapshot.frames().len(),
            "globals": snapshot.globals().len(),
            "handles": snapshot.handles().len(),
        },
        "units": units.collect::<Vec<_>>(),
    }))
}

fn take(stopped: &mut Stopped<'_, '_>) -> Result<Snapshot, Error> {
    Snapshot::take_with(stopped.runtime, stopped.stacks, &Names::default())
        .map_err(|damage| Error::new(Code::Damaged, format!("the heap is damaged: {damage}")))
}

fn share(share: &Share) -> Value {
    let Share { objects, bytes, retained, is_exact } = *share;
    json!({ "objects": objects, "bytes": bytes, "retained": retained, "is_exact": is_exact })
}
