//! Superinstructions: handlers that execute two ops.
//!
//! A fused handler takes the place of the first op's handler only; the second
//! op stays as it is, so that branches to it, faults in it and the CPU's
//! leaving before it work as ever. The forms below are those that compiled
//! code is mostly made of; every two of them that stand side by side are fused,
//! so what is fast does not depend on which programs were looked at.

use std::sync::OnceLock;

use crate::bti;
use crate::domain::handler::place::{BACKWARD, FAR, FORWARD};
use crate::domain::handler::{branch, indirect, pair, pair_branch, pair_jump, step};
use crate::domain::size::{B, W, X};
use crate::lower::Draft;
use crate::op::Handler;
use crate::sem::branch::{Always, CompareZero, Cond, Link, Register, TestBit};
use crate::sem::dp_cond::{Select, SetIf, otherwise};
use crate::sem::dp_imm::source::{SIGNED, UNSIGNED};
use crate::sem::dp_imm::{
    AddImm, Adrp, CmpImm, Extend, ExtractBits, LogicImm, MoveImm, MoveKeep, ShiftImm, SubsImm, TstImm, logic, shift,
};
use crate::sem::dp_reg::{AddExt, AddReg, AddScaled, CmpReg, LogicReg, MoveReg, PLAIN, TstReg};
use crate::sem::dp_src::{Madd, Msub, Mul};
use crate::sem::mem::extend::{SIGN64, ZERO};
use crate::sem::mem::mode::{OFFSET, POST, PRE};
use crate::sem::mem::{Load, LoadIndexed, LoadPair, Store, StoreIndexed, StorePair, index};

/// `RET`.
type Return = Register<{ bti::branch::DIRECT }>;
/// `BR` by X16 or X17, as procedure linkage tables end.
type Linkage = Register<{ bti::branch::LINKAGE }>;
/// `BR` by any other register.
type Jump = Register<{ bti::branch::ANY_JUMP }>;

/// The forms of which any two are fused.
macro_rules! common_forms {
    ($use:ident) => {
        $use!([
            MoveReg<true>, MoveReg<false>, MoveImm<SIGNED>, MoveKeep<true, 1>, MoveKeep<false, 1>, Adrp,
            AddImm<true>, AddImm<false>,
            AddReg<true, false, PLAIN>, AddReg<false, false, PLAIN>,
            AddReg<true, true, PLAIN>, AddReg<false, true, PLAIN>,
            AddReg<true, false, { shift::LSL }>, AddScaled<2>, AddScaled<3>, AddExt<true, false, 6>,
            LogicReg<true, { logic::EOR }, PLAIN>, LogicReg<false, { logic::EOR }, PLAIN>,
            LogicReg<true, { logic::ORR }, PLAIN>, LogicReg<false, { logic::ORR }, PLAIN>,
            LogicReg<true, { logic::AND }, PLAIN>, LogicReg<false, { logic::AND }, PLAIN>,
            LogicReg<true, { logic::EOR }, { shift::LSR }>, LogicReg<true, { logic::EOR }, { shift::LSL }>,
            LogicReg<false, { logic::EOR }, { shift::ROR }>, LogicReg<false, { logic::EOR }, { shift::LSR }>,
            LogicReg<false, { logic::ORR }, { shift::LSL }>,
            LogicImm<true, { logic::AND }, UNSIGNED>, LogicImm<false, { logic::AND }, UNSIGNED>,
            ShiftImm<true, { shift::LSL }>, ShiftImm<true, { shift::LSR }>, ShiftImm<true, { shift::ASR }>,
            ShiftImm<false, { shift::LSL }>, ShiftImm<false, { shift::LSR }>, ShiftImm<false, { shift::ROR }>,
            ExtractBits<false>, Extend<true, false, B>, Extend<true, true, W>,
            Mul<true>, Madd<true>, Madd<false>, Msub<true>,
            CmpImm<true>, CmpImm<false>, CmpReg<true, true, PLAIN>, CmpReg<false, true, PLAIN>,
            Load<X, ZERO, OFFSET>, Load<W, ZERO, OFFSET>, Load<B, ZERO, OFFSET>, Load<W, SIGN64, OFFSET>,
            Load<X, ZERO, POST>, Load<W, ZERO, POST>, Load<B, ZERO, POST>,
            LoadIndexed<X, ZERO, { index::X }, 3>, LoadIndexed<W, ZERO, { index::X }, 2>,
            LoadIndexed<B, ZERO, { index::X }, 0>,
            LoadPair<X, ZERO, OFFSET>, LoadPair<X, ZERO, POST>,
            Store<X, OFFSET>, Store<W, OFFSET>, Store<B, OFFSET>, Store<B, POST>,
            StoreIndexed<X, { index::X }, 3>, StoreIndexed<W, { index::X }, 2>, StoreIndexed<B, { index::X }, 0>,
            StorePair<X, OFFSET>, StorePair<X, PRE>,
        ])
    };
}

/// The forms that set flags for a conditional branch.
macro_rules! flag_forms {
    ($use:ident) => {
        $use!([
            CmpImm<true>, CmpImm<false>, CmpReg<true, true, PLAIN>, CmpReg<false, true, PLAIN>,
            SubsImm<true>, SubsImm<false>, TstImm<true, UNSIGNED>, TstImm<false, UNSIGNED>, TstReg<true>, TstReg<false>,
        ])
    };
}

/// The forms that stand before other branches.
macro_rules! forms_before_branches {
    ($use:ident) => {
        $use!([
            MoveReg<true>, MoveReg<false>, MoveImm<SIGNED>, AddImm<true>, AddImm<false>, AddReg<true, false, PLAIN>,
            LogicImm<false, { logic::AND }, UNSIGNED>,
            Load<X, ZERO, OFFSET>, Load<W, ZERO, OFFSET>, Load<B, ZERO, OFFSET>, Load<X, ZERO, POST>,
            Load<B, ZERO, POST>, LoadIndexed<B, ZERO, { index::X }, 0>,
            Store<X, OFFSET>, Store<W, OFFSET>, Store<B, POST>, LoadPair<X, ZERO, OFFSET>,
        ])
    };
}

/// A step's number is its place in this list.
macro_rules! singles {
    ([$($form:ty,)*]) => { &[$(step::<$form> as Handler,)*] };
}

/// For each form, the handlers of it and each form.
macro_rules! square {
    ($all:tt) => { square!(@rows $all $all) };
    (@rows [$($form:ty,)*] $all:tt) => { &[$(square!(@row $form, $all),)*] };
    (@row $first:ty, [$($second:ty,)*]) => { &[$(pair::<$first, $second> as Handler,)*] };
}

static COMMON: &[Handler] = common_forms!(singles);
static PAIRS: &[&[Handler]] = common_forms!(square);

/// A fused handler by those of its parts.
type Entry = (Handler, Handler, Handler);

macro_rules! with_conditions {
    ([$($form:ty,)*]) => { &[$(with_conditions!(@form $form, 0 1 2 3 4 5 6 7 8 9 10 11 12 13)),*] };
    (@form $form:ty, $($cond:literal)*) => {
        &[$(
            (step::<$form>, branch::<Cond<$cond>, FORWARD>, pair_branch::<$form, Cond<$cond>, FORWARD>),
            (step::<$form>, branch::<Cond<$cond>, BACKWARD>, pair_branch::<$form, Cond<$cond>, BACKWARD>),
            (step::<$form>, branch::<Cond<$cond>, FAR>, pair_branch::<$form, Cond<$cond>, FAR>),
        )*]
    };
}

macro_rules! with_branches {
    ([$($form:ty,)*]) => {
        &[$(with_branches!(@form $form,
            Always FORWARD, Always BACKWARD, Link FORWARD, Link BACKWARD, Link FAR,
            (CompareZero<true, false>) FORWARD, (CompareZero<true, false>) BACKWARD,
            (CompareZero<true, true>) FORWARD, (CompareZero<true, true>) BACKWARD,
            (CompareZero<false, false>) FORWARD, (CompareZero<false, false>) BACKWARD,
            (CompareZero<false, true>) FORWARD, (CompareZero<false, true>) BACKWARD,
            (TestBit<false, false>) FORWARD, (TestBit<false, true>) FORWARD,
        )),*]
    };
    (@form $form:ty, $($branch:tt $place:ident,)*) => {
        &[
            (step::<$form>, indirect::<Return>, pair_jump::<$form, Return>),
            (step::<$form>, indirect::<Linkage>, pair_jump::<$form, Linkage>),
            (step::<$form>, indirect::<Jump>, pair_jump::<$form, Jump>),
            $(with_branches!(@one $form, $branch, $place),)*
        ]
    };
    (@one $form:ty, ($branch:ty), $place:ident) => {
        (step::<$form>, branch::<$branch, $place>, pair_branch::<$form, $branch, $place>)
    };
    (@one $form:ty, $branch:ident, $place:ident) => {
        (step::<$form>, branch::<$branch, $place>, pair_branch::<$form, $branch, $place>)
    };
}

/// Selections behind what sets the flags: both know which kind they are.
macro_rules! with_selections {
    ([$($form:ty,)*]) => { &[$(with_selections!(@form $form, 0 1 2 3 4 5 6 7 8 9 10 11 12 13)),*] };
    (@form $form:ty, $($cond:literal)*) => {
        &[$(
            with_selections!(@one $form, Select<true, { otherwise::SAME }, $cond>),
            with_selections!(@one $form, Select<false, { otherwise::SAME }, $cond>),
            with_selections!(@one $form, Select<true, { otherwise::INC }, $cond>),
            with_selections!(@one $form, Select<false, { otherwise::INC }, $cond>),
            with_selections!(@one $form, SetIf<true, false, $cond>),
        )*]
    };
    (@one $form:ty, $second:ty) => { (step::<$form>, step::<$second>, pair::<$form, $second>) };
}

static SELECTIONS: &[&[Entry]] = flag_forms!(with_selections);
static CONDITIONS: &[&[Entry]] = flag_forms!(with_conditions);
static BRANCHES: &[&[Entry]] = forms_before_branches!(with_branches);
static RETURNS: &[Entry] =
    &[(step::<LoadPair<X, ZERO, POST>>, indirect::<Return>, pair_jump::<LoadPair<X, ZERO, POST>, Return>)];

/// Handlers by number, and fused handlers by two handlers; sorted.
struct Index {
    common: Vec<(usize, u8)>,
    branches: Vec<(usize, usize, Handler)>,
}

fn key(handler: Handler) -> usize {
    handler as usize
}

impl Index {
    fn new() -> Self {
        let numbered = COMMON.iter().zip(0_u8..);
        let mut common: Vec<_> = numbered.map(|(handler, number)| (key(*handler), number)).collect();
        common.sort_unstable();
        let entries = CONDITIONS.iter().chain(SELECTIONS).chain(BRANCHES).copied().flatten().chain(RETURNS);
        let mut branches: Vec<_> = entries.map(|(first, second, fused)| (key(*first), key(*second), *fused)).collect();
        branches.sort_unstable_by_key(|entry| (entry.0, entry.1));
        Self { common, branches }
    }

    fn number(&self, handler: usize) -> Option<usize> {
        let at = self.common.binary_search_by_key(&handler, |entry| entry.0).ok()?;
        Some(usize::from(self.common[at].1))
    }

    fn with_branch(&self, first: usize, second: usize) -> Option<Handler> {
        let at = self.branches.binary_search_by_key(&(first, second), |entry| (entry.0, entry.1)).ok()?;
        Some(self.branches[at].2)
    }
}

/// Gives each op that can be fused with the one behind it the fused handler.
pub(crate) fn fuse(drafts: &mut [Option<Draft>]) {
    static INDEX: OnceLock<Index> = OnceLock::new();
    let index = INDEX.get_or_init(Index::new);
    // The handlers of single ops stay known while those before change.
    let mut second: Option<(usize, Option<usize>)> = None;
    for draft in drafts.iter_mut().rev().flatten() {
        let handler = key(draft.handler);
        let number = index.number(handler);
        if let Some((behind, behind_number)) = second {
            let fused = match (number, behind_number) {
                (Some(first), Some(second)) => Some(PAIRS[first][second]),
                _ => index.with_branch(handler, behind),
            };
            if let Some(fused) = fused {
                draft.handler = fused;
            }
        }
        second = Some((handler, number));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handlers_of_parts_are_told_apart() {
        let index = Index::new();
        for (number, handler) in COMMON.iter().enumerate() {
            let found = index.number(key(*handler)).expect("a common form is in the index");
            // Forms that compile to the same code may share a handler.
            assert!(found == number || key(COMMON[found]) == key(*handler));
        }
    }
}
