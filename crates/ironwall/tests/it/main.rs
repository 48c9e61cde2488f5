//! What the runtime has to do, by the identifiers of the requirements in `docs/ironwall/requirements.md`.

mod attach;
mod collect;
mod damage;
mod support;
