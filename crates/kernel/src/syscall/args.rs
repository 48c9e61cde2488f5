//! Typed system-call arguments: conversion from registers and trace text.

use core::fmt::{self, Write};

use machine::GuestAddr;

use crate::error::Result;
use crate::syscall::Cx;

/// Both traits of an argument type.
pub trait Arg: FromArg + TraceArg {}
impl<T: FromArg + TraceArg> Arg for T {}

/// Conversion from a register. As in Linux, a 32-bit argument is the low half
/// of the register; the high half is ignored.
pub trait FromArg: Sized {
    /// The argument in `register`.
    ///
    /// # Errors
    /// `EINVAL` where the bits have no meaning for the type.
    fn from_arg(register: u64) -> Result<Self>;
}

/// How a trace shows an argument.
pub trait TraceArg {
    /// Writes the argument in `register`.
    ///
    /// # Errors
    /// Those of `out`.
    fn trace(register: u64, cx: &Cx<'_>, out: &mut dyn Write) -> fmt::Result;
}

macro_rules! integer_args {
    ($($type:ty: $convert:expr;)*) => {
        $(impl FromArg for $type {
            #[allow(clippy::cast_possible_truncation, reason = "the ABI takes the low half")]
            fn from_arg(register: u64) -> Result<Self> {
                let convert: fn(u64) -> $type = $convert;
                Ok(convert(register))
            }
        }
        impl TraceArg for $type {
            fn trace(register: u64, _: &Cx<'_>, out: &mut dyn Write) -> fmt::Result {
                let convert: fn(u64) -> $type = $convert;
                write!(out, "{}", convert(register))
            }
        })*
    };
}

integer_args! {
    u64: |r| r;
    i64: |r| r.cast_signed();
    usize: |r| usize::try_from(r).unwrap_or(usize::MAX);
    u32: |r| r as u32;
    i32: |r| (r as u32).cast_signed();
}

impl FromArg for GuestAddr {
    fn from_arg(register: u64) -> Result<Self> {
        Ok(Self(register))
    }
}

impl TraceArg for GuestAddr {
    fn trace(register: u64, _: &Cx<'_>, out: &mut dyn Write) -> fmt::Result {
        if register == 0 { out.write_str("NULL") } else { write!(out, "{register:#x}") }
    }
}

/// A pointer to a NUL-terminated path or string; traces show the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PathArg(pub GuestAddr);

impl FromArg for PathArg {
    fn from_arg(register: u64) -> Result<Self> {
        Ok(Self(GuestAddr(register)))
    }
}

impl TraceArg for PathArg {
    fn trace(register: u64, cx: &Cx<'_>, out: &mut dyn Write) -> fmt::Result {
        match cx.task.mm().read_cstr(GuestAddr(register), 256) {
            Ok(text) => write!(out, "\"{}\"", text.escape_ascii()),
            Err(_) => GuestAddr::trace(register, cx, out),
        }
    }
}

/// Implements both argument traits for a `bitflags` type over `u32`, `i32` or
/// `u64`. Unknown bits are `EINVAL`, or dropped with `truncate`.
#[macro_export]
macro_rules! flag_args {
    ($($type:ty: $bits:ty $(, $truncate:ident)?;)*) => {
        $(impl $crate::syscall::FromArg for $type {
            #[allow(clippy::cast_possible_truncation, reason = "the ABI takes the low half")]
            fn from_arg(register: u64) -> $crate::error::Result<Self> {
                $crate::flag_args!(@convert $type, register as $bits $(, $truncate)?)
            }
        }
        impl $crate::syscall::TraceArg for $type {
            #[allow(clippy::cast_possible_truncation, reason = "the ABI takes the low half")]
            fn trace(
                register: u64, _: &$crate::syscall::Cx<'_>, out: &mut dyn core::fmt::Write,
            ) -> core::fmt::Result {
                let flags = <$type>::from_bits_retain(register as $bits);
                if flags.is_empty() { out.write_str("0") } else { bitflags::parser::to_writer(&flags, out) }
            }
        })*
    };
    (@convert $type:ty, $value:expr) => {
        <$type>::from_bits($value).ok_or($crate::error::Error {
            errno: linux_abi::Errno::EINVAL, why: "unknown flag bits", restart: $crate::error::Restart::No,
        })
    };
    (@convert $type:ty, $value:expr, truncate) => { Ok(<$type>::from_bits_truncate($value)) };
}
