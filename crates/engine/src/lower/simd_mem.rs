//! Advanced SIMD: loads and stores of structures.

use a64::Insn;

use crate::lower::arrange::{by_lane, by_q, bytes};
use crate::lower::{Draft, Lower, sp, src, vreg};
use crate::sem::simd_mem::{LoadLane, LoadMultiple, LoadReplicate, StoreLane, StoreMultiple, post};

/// Rt, Rn, and for the post-indexed forms Rm.
fn operands(i: Insn) -> [u8; 4] {
    [vreg(i.rt()), sp(i.rn()), src(i.rm()), 0]
}

/// The body for each way of writing the base back.
macro_rules! by_post {
    (none $i:expr, $p:ident => $body:expr) => {{
        const $p: u8 = post::NONE;
        $body
    }};
    (post $i:expr, $p:ident => $body:expr) => {
        if $i.rm() == 31 {
            const $p: u8 = post::BYTES;
            $body
        } else {
            const $p: u8 = post::REGISTER;
            $body
        }
    };
}

macro_rules! whole {
    ($($name:ident $form:ident $post:ident $count:literal;)*) => {$(
        pub(super) fn $name(i: Insn, c: &mut Lower<'_>) -> Draft {
            by_lane!(unsigned i.size_10(), T => by_q!(i, Q => by_post!($post i, P =>
                c.op::<$form<T, $count, true, Q, P>>(operands(i), 0))))
        }
    )*};
}

whole! {
    LD2_asisdlse LoadMultiple none 2;
    LD3_asisdlse LoadMultiple none 3;
    LD4_asisdlse LoadMultiple none 4;
    ST2_asisdlse StoreMultiple none 2;
    ST3_asisdlse StoreMultiple none 3;
    ST4_asisdlse StoreMultiple none 4;
    LD2_asisdlsep LoadMultiple post 2;
    LD3_asisdlsep LoadMultiple post 3;
    LD4_asisdlsep LoadMultiple post 4;
    ST2_asisdlsep StoreMultiple post 2;
    ST3_asisdlsep StoreMultiple post 3;
    ST4_asisdlsep StoreMultiple post 4;
}

/// `LD1` and `ST1`, for which elements do not matter.
macro_rules! plain {
    ($($name:ident $form:ident $post:ident;)*) => {$(
        pub(super) fn $name(i: Insn, c: &mut Lower<'_>) -> Draft {
            let r = operands(i);
            by_q!(i, Q => by_post!($post i, P => match i.opcode_12() {
                0b0111 => c.op::<$form<u64, 1, false, Q, P>>(r, 0),
                0b1010 => c.op::<$form<u64, 2, false, Q, P>>(r, 0),
                0b0110 => c.op::<$form<u64, 3, false, Q, P>>(r, 0),
                _ => c.op::<$form<u64, 4, false, Q, P>>(r, 0),
            }))
        }
    )*};
}

plain! {
    LD1_asisdlse LoadMultiple none;
    ST1_asisdlse StoreMultiple none;
    LD1_asisdlsep LoadMultiple post;
    ST1_asisdlsep StoreMultiple post;
}

/// The size of a lane and its index.
fn lane(i: Insn) -> (u32, i32) {
    let bits = i.q() << 3 | i.s() << 2 | i.size_10();
    match i.opcode_14() {
        0 => (0, bits as i32),
        1 => (1, (bits >> 1) as i32),
        _ if i.size_10() == 0 => (2, (bits >> 2) as i32),
        _ => (3, (bits >> 3) as i32),
    }
}

macro_rules! lanes {
    ($($name:ident $form:ident $post:ident $count:literal;)*) => {$(
        pub(super) fn $name(i: Insn, c: &mut Lower<'_>) -> Draft {
            let (size, index) = lane(i);
            by_lane!(unsigned size, T => by_post!($post i, P => c.op::<$form<T, $count, P>>(operands(i), index)))
        }
    )*};
}

lanes! {
    LD1_asisdlso LoadLane none 1;
    LD2_asisdlso LoadLane none 2;
    LD3_asisdlso LoadLane none 3;
    LD4_asisdlso LoadLane none 4;
    ST1_asisdlso StoreLane none 1;
    ST2_asisdlso StoreLane none 2;
    ST3_asisdlso StoreLane none 3;
    ST4_asisdlso StoreLane none 4;
    LD1_asisdlsop LoadLane post 1;
    LD2_asisdlsop LoadLane post 2;
    LD3_asisdlsop LoadLane post 3;
    LD4_asisdlsop LoadLane post 4;
    ST1_asisdlsop StoreLane post 1;
    ST2_asisdlsop StoreLane post 2;
    ST3_asisdlsop StoreLane post 3;
    ST4_asisdlsop StoreLane post 4;
}

macro_rules! replicates {
    ($($name:ident $post:ident $count:literal;)*) => {$(
        pub(super) fn $name(i: Insn, c: &mut Lower<'_>) -> Draft {
            by_lane!(unsigned i.size_10(), T => by_q!(i, Q => by_post!($post i, P =>
                c.op::<LoadReplicate<T, $count, { bytes(Q) }, P>>(operands(i), 0))))
        }
    )*};
}

replicates! {
    LD1R_asisdlso none 1;
    LD2R_asisdlso none 2;
    LD3R_asisdlso none 3;
    LD4R_asisdlso none 4;
    LD1R_asisdlsop post 1;
    LD2R_asisdlsop post 2;
    LD3R_asisdlsop post 3;
    LD4R_asisdlsop post 4;
}
