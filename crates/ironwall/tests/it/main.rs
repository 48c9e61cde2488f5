//! What the runtime has to do. A name that begins like `r7_2_b` gives the statement of
//! `docs/ironwall/requirements.md` that the test checks.

mod attach;
mod collect;
mod damage;
mod digests;
mod graphs;
mod images;
mod inspect;
mod source;
mod support;
mod tags;
