//! The preferred syntax of a word: its row's, or an alias's.

use crate::{Encoding, Insn};

/// The syntax to show `insn` with.
pub(super) fn syntax(encoding: Encoding, _insn: Insn) -> &'static str {
    encoding.row().syntax
}
