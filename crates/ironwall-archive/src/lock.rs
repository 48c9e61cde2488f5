//! Lock files: which archives a program is linked of, by the SHA-256 of each, and whose signatures they need.
//!
//! A lock file has one form, which [`Lock::to_text`] writes: JSON with a line for each value. The digest pins every
//! byte of an archive. A key outlives the digest: whoever locks a new version of the archive is told when it is not
//! signed by the same key.

use crate::fields::Taker;
use crate::json::{Node, Style, Value, parse};
use crate::limits::MAX_MANIFEST;
use crate::link::{Input, check_name};
use crate::problem::{Place, Problem, hex};
use crate::signature::PublicKey;

/// What the key `format` says.
const FORMAT: &str = "ironwall-lock";
/// What the key `version` says.
const VERSION: u64 = 1;

/// A lock file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lock {
    /// The archives, ascending by name.
    pub archives: Vec<Locked>,
}

/// An archive in a lock file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Locked {
    /// Where it is in the lock file.
    pub at: usize,
    /// The name of its file, without directories.
    pub name: String,
    /// Its SHA-256.
    pub sha256: [u8; 32],
    /// The key that has to have signed it, if one has.
    pub key: Option<PublicKey>,
}

impl Lock {
    /// Locks these archives, and the keys that signed them.
    ///
    /// # Errors
    /// Two archives have one name.
    pub fn of(inputs: &[Input]) -> Result<Self, Problem> {
        let locked = |input: &Input| Locked {
            at: 0,
            name: input.name().to_owned(),
            sha256: input.archive().digest(),
            key: input.archive().signer().copied(),
        };
        let mut archives: Vec<Locked> = inputs.iter().map(locked).collect();
        archives.sort_by(|one, two| one.name.cmp(&two.name));
        match archives.windows(2).find(|pair| pair[0].name == pair[1].name) {
            Some(pair) => Err(problem(0, "lock.name-twice", format!("two archives are called {}", pair[0].name))),
            None => Ok(Self { archives }),
        }
    }

    /// Reads a lock file.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub fn parse(bytes: &[u8]) -> Result<Self, Vec<Problem>> {
        if bytes.len() > MAX_MANIFEST {
            return Err(vec![problem(MAX_MANIFEST, "lock.limit", format!("longer than {MAX_MANIFEST} bytes"))]);
        }
        let node = parse(bytes, Place::File, Style::Free).map_err(|problem| vec![problem])?;
        let mut taker = Taker::new(Place::File);
        let lock = taker.lock(&node);
        let lock = taker.finish(lock)?;
        let form = lock.to_text();
        let differs = form.bytes().zip(bytes).position(|(one, &two)| one != two);
        match differs.or_else(|| (form.len() != bytes.len()).then(|| form.len().min(bytes.len()))) {
            Some(at) => Err(vec![problem(at, "lock.form", "this is not as vambrace unit lock writes it".to_owned())]),
            None => Ok(lock),
        }
    }

    /// The text of the file.
    #[must_use]
    pub fn to_text(&self) -> String {
        let archive = |locked: &Locked| {
            let (name, sha256) = (Value::Text(locked.name.clone()), Value::Text(hex(&locked.sha256)));
            match locked.key {
                Some(key) => Value::object([("key", Value::Text(key.to_string())), ("name", name), ("sha256", sha256)]),
                None => Value::object([("name", name), ("sha256", sha256)]),
            }
        };
        Value::object([
            ("archives", Value::list(self.archives.iter().map(archive))),
            ("format", Value::Text(FORMAT.to_owned())),
            ("version", Value::Number(VERSION)),
        ])
        .pretty()
    }

    /// What is wrong with archives by name and SHA-256; nothing has to have been read of them but their bytes.
    #[must_use]
    pub fn check_digests(&self, archives: &[(&str, [u8; 32])]) -> Vec<Problem> {
        let mut problems = Vec::new();
        for &(name, digest) in archives {
            match self.find(name) {
                None => problems.push(problem(0, "lock.extra", format!("{name} is not in the lock file"))),
                Some(locked) if locked.sha256 != digest => {
                    let what = format!("{name} has the SHA-256 {}, not {}", hex(&digest), hex(&locked.sha256));
                    problems.push(problem(locked.at, "lock.digest", what));
                }
                Some(_) => {}
            }
        }
        for locked in self.archives.iter().filter(|locked| !archives.iter().any(|(name, _)| *name == locked.name)) {
            problems.push(problem(locked.at, "lock.missing", format!("{} is locked and not given", locked.name)));
        }
        problems.sort();
        problems.dedup();
        problems
    }

    /// Archives that are not signed by the keys that they have in this lock file, whatever their digests are.
    #[must_use]
    pub fn check_keys(&self, inputs: &[Input]) -> Vec<Problem> {
        let mut problems = Vec::new();
        for input in inputs {
            let Some((locked, key)) = self.find(input.name()).and_then(|locked| Some((locked, locked.key?))) else {
                continue;
            };
            let name = input.name();
            match input.archive().signer() {
                Some(signer) if *signer == key => {}
                Some(signer) => {
                    let what = format!("{name} is signed by {signer}, not by {key}");
                    problems.push(problem(locked.at, "lock.key", what));
                }
                None => problems.push(problem(locked.at, "lock.key", format!("{name} is not signed by {key}"))),
            }
        }
        problems.sort();
        problems
    }

    fn find(&self, name: &str) -> Option<&Locked> {
        self.archives.iter().find(|locked| locked.name == name)
    }
}

impl Taker {
    fn lock(&mut self, node: &Node) -> Option<Lock> {
        let fields = self.object(node, &["archives", "format", "version"], &[])?;
        let (format_at, format) = self.text(fields.get("format"))?;
        let (version_at, version) = self.number(fields.get("version"))?;
        if format != FORMAT || version != VERSION {
            let at = if format == FORMAT { version_at } else { format_at };
            self.report(at, "lock.format", format!("this has to be {FORMAT}, version {VERSION}"));
            return None;
        }
        let nodes = self.list(fields.get("archives"))?;
        let archives: Vec<Option<Locked>> = nodes.iter().map(|node| self.locked(node)).collect();
        let archives: Vec<Locked> = archives.into_iter().collect::<Option<_>>()?;
        for pair in archives.windows(2).filter(|pair| pair[0].name >= pair[1].name) {
            let what = format!("{} is not in order, or there twice", pair[1].name);
            self.report(pair[1].at, "lock.order", what);
        }
        Some(Lock { archives })
    }

    fn locked(&mut self, node: &Node) -> Option<Locked> {
        let fields = self.object(node, &["name", "sha256"], &["key"])?;
        let name = self.text(fields.get("name")).and_then(|(at, name)| match check_name(name) {
            Ok(()) => Some(name.to_owned()),
            Err(what) => {
                self.report(at, "lock.name", what);
                None
            }
        });
        let sha256 = self.digits(fields.get("sha256"));
        let key = match fields.get("key") {
            Some(node) => Some(PublicKey(self.digits(Some(node))?)),
            None => None,
        };
        Some(Locked { at: node.at, name: name?, sha256: sha256?, key })
    }
}

fn problem(at: usize, rule: &'static str, what: impl Into<String>) -> Problem {
    Problem::new(Place::File, at, rule, what)
}
