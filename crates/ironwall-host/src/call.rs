//! What a host can ask, and doing it on a runtime that its owner holds still.

use std::collections::VecDeque;

use ironwall::{Block, Failure, FaultRecord, Origin, Refusal, Report, Runtime, Stack, Uuid};
use ironwall_explain::Names;
use serde_json::{Value, json};

use crate::error::{Code, Error};
use crate::{explain, render};

/// How many collections a [`Journal`] remembers.
pub const JOURNAL_LEN: usize = 64;
/// The most structures in one answer to `gc.tables`.
pub const MAX_ENTRIES: usize = 256;

/// A runtime that stands still at a host point, with all its other stacks that have frames.
#[derive(Debug)]
pub struct Stopped<'a, 'm> {
    /// The runtime.
    pub runtime: &'a mut Runtime<'m>,
    /// The stacks that it does not use now. Without them, what only their frames lead to would be reclaimed.
    pub stacks: &'a mut [Stack<'m>],
}

impl<'a, 'm> Stopped<'a, 'm> {
    /// A runtime with one stack.
    pub fn new(runtime: &'a mut Runtime<'m>) -> Self {
        Self { runtime, stacks: &mut [] }
    }
}

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// Collect, now and completely.
    Collect {
        /// Kept in the report, uninterpreted.
        reason: u64,
    },
    /// What the last collection found, or the fault that sealed the heap.
    Report {
        /// Whether to tell of earlier collections too.
        with_log: bool,
    },
    /// What something is, and why it is alive.
    Explain(Target),
    /// The attached tables.
    Tables {
        /// How many structures to leave out, for the next part of a long answer.
        from: usize,
    },
}

/// What is to be explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// One block.
    Block {
        /// Which.
        block: Block,
        /// Whether to tell what its payload holds.
        contents: bool,
        /// The first word of the contents to tell.
        from: u64,
    },
    /// All objects of a structure.
    Structure {
        /// Its table.
        table: Uuid,
        /// The structure.
        structure: Uuid,
    },
    /// The whole heap, by units.
    Heap,
}

/// What a call gave.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// A collection's report.
    Collected(Report),
    /// Anything else, as the protocol tells it.
    Told(Value),
}

impl Answer {
    /// The `result` member of a response.
    #[must_use]
    pub fn into_value(self) -> Value {
        match self {
            Self::Collected(report) => render::report(&report),
            Self::Told(value) => value,
        }
    }
}

/// The last collections, whoever asked for them.
#[derive(Clone, Debug, Default)]
pub struct Journal {
    reports: VecDeque<Report>,
}

impl Journal {
    /// Adds a report. Only the last [`JOURNAL_LEN`] are kept.
    pub fn record(&mut self, report: &Report) {
        if self.reports.len() == JOURNAL_LEN {
            self.reports.pop_front();
        }
        self.reports.push_back(*report);
    }

    /// The reports, the oldest first.
    pub fn reports(&self) -> impl DoubleEndedIterator<Item = &Report> {
        self.reports.iter()
    }
}

/// Collects and records it, as `origin`: the one way for the program and for its host.
///
/// # Errors
/// [`Code::Sealed`], [`Code::Fault`] with the record, [`Code::Refused`].
pub fn collect(
    stopped: &mut Stopped<'_, '_>,
    journal: &mut Journal,
    origin: Origin,
    reason: u64,
) -> Result<Report, Error> {
    match stopped.runtime.collect_with(stopped.stacks, origin, reason) {
        Ok(report) => {
            journal.record(&report);
            Ok(report)
        }
        Err(Failure::Refused(Refusal::Sealed)) => Err(sealed(stopped.runtime.fault())),
        Err(Failure::Refused(refusal)) => Err(refused(refusal)),
        Err(Failure::Fault(record)) => {
            let message = format!("the collection found damage and sealed the heap: {:?}", record.code);
            Err(Error::new(Code::Fault, message).with(render::fault(&record)))
        }
    }
}

impl Call {
    /// Does it. A collection has the origin of the host. `names` has the names of fields, for paths.
    ///
    /// # Errors
    /// As [`collect`]; [`Code::Refused`] also where a block or a structure is not there; [`Code::Damaged`].
    pub fn perform(self, stopped: &mut Stopped<'_, '_>, journal: &mut Journal, names: &Names) -> Result<Answer, Error> {
        match self {
            Self::Collect { reason } => collect(stopped, journal, Origin::Host, reason).map(Answer::Collected),
            Self::Report { with_log } => Ok(Answer::Told(report(stopped.runtime, journal, with_log))),
            Self::Explain(target) => explain(stopped, target, names).map(Answer::Told),
            Self::Tables { from } => Ok(Answer::Told(tables(stopped.runtime, from))),
        }
    }
}

fn sealed(record: Option<&FaultRecord>) -> Error {
    let error = Error::new(Code::Sealed, "a fault sealed the heap; gc.report tells which");
    match record {
        Some(record) => error.with(render::fault(record)),
        None => error,
    }
}

fn refused(refusal: Refusal) -> Error {
    Error::new(Code::Refused, format!("the runtime refused: {refusal:?}"))
        .with(json!({ "refusal": format!("{refusal:?}") }))
}

fn report(runtime: &Runtime<'_>, journal: &Journal, with_log: bool) -> Value {
    let census: Vec<Value> = runtime
        .census()
        .filter(|entry| entry.live.objects != 0)
        .map(|entry| render::census(&entry, render::Names::of(runtime, entry.table, entry.structure).as_ref()))
        .collect();
    let mut value = json!({
        "collections": runtime.collections(),
        "report": journal.reports().next_back().map(render::report),
        "fault": runtime.fault().map(render::fault),
        "census": census,
    });
    if with_log {
        value["log"] = journal.reports().map(render::report).collect();
    }
    value
}

fn tables(runtime: &Runtime<'_>, from: usize) -> Value {
    let globals: Vec<(Uuid, Value)> = runtime
        .globals()
        .filter_map(|block| {
            let (table, structure) = runtime.identity(block).ok()?;
            Some((table, json!({ "block": render::address(block.address()), "structure": render::uuid(structure) })))
        })
        .collect();
    let (mut left, mut skipped, mut is_cut) = (MAX_ENTRIES, from, false);
    let mut list = Vec::new();
    for (_, image) in runtime.units() {
        let count = image.entry_count();
        let first = skipped.min(count);
        skipped -= first;
        let last = count.min(first.saturating_add(left));
        left -= last - first;
        is_cut |= last < count;
        let structures: Vec<Value> = (first..last).map(|i| render::structure(&image.entry(i))).collect();
        let own: Vec<&Value> =
            globals.iter().filter(|(table, _)| *table == image.table()).map(|(_, value)| value).collect();
        list.push(json!({
            "table": render::uuid(image.table()),
            "package": render::text(image.package()),
            "unit": render::text(image.unit()),
            "entries": count,
            "structures": structures,
            "globals": own,
        }));
    }
    let mut value = json!({ "tables": list });
    if is_cut {
        value["next"] = from.saturating_add(MAX_ENTRIES).into();
    }
    value
}

fn explain(stopped: &mut Stopped<'_, '_>, target: Target, names: &Names) -> Result<Value, Error> {
    match target {
        Target::Block { block, contents, from } => explain::block(stopped, block, contents, from, names),
        Target::Structure { table, structure } => explain::structure(stopped, table, structure),
        Target::Heap => explain::heap(stopped),
    }
}
