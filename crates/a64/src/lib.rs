//! The A64 instruction set of the Arm Architecture Reference Manual: encoding table, decoder, disassembler.
#![no_std]
#![forbid(unsafe_code)]
