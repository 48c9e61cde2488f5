//! Archives of units for the Ironwall runtime, read, checked, made and linked in memory.
//!
//! An archive is a `.tgz` of a manifest, table images and relocatable objects, in one canonical form at each layer:
//! [`gzip`], [`tar`], [`manifest`]. `docs/ironwall/archives.md` describes them and lists the rules. What is read is
//! hostile until proven otherwise: nothing is unpacked, every length is bounded by [`Limits`], and everything that is
//! wrong is a [`Problem`] with a rule and a byte.
//!
//! Reading order: [`problem`], [`gzip`], [`tar`], [`json`], [`manifest`], [`archive`] (which puts them together, with
//! `table` and `elf` for what is inside), [`signature`]; [`description`] and [`pack`] for the way back; [`mod@link`] and
//! [`lock`] for what becomes of archives (`docs/ironwall/linking.md`).

#![forbid(unsafe_code)]

pub mod archive;
pub mod description;
pub mod gzip;
pub mod json;
pub mod limits;
pub mod link;
pub mod lock;
pub mod manifest;
pub mod name;
pub mod pack;
pub mod problem;
pub mod signature;
pub mod table;
pub mod tar;
pub mod target;

mod digest;
mod elf;
mod elf_sections;
mod fields;
mod manifest_read;

pub use archive::{Archive, Examined, examine, read};
pub use description::Description;
pub use digest::sha256;
pub use limits::Limits;
pub use lock::Lock;
pub use manifest::Manifest;
pub use problem::{Place, Problem};
pub use target::Target;
