//! The README's example in Rust as a program of this package: `resend.rs` is that block to the letter, which a test
//! compares, so it holds nothing that is of no use to its reader, as the lines of this file would be.

#![allow(clippy::print_stdout, reason = "telling is what the example is for")]

include!("resend.rs");
