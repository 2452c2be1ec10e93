//! Reads HTTP/1.1 responses from bytes: their heads, and where their bodies end.
//!
//! For those to whom a general client costs too much: the gateway, which passes responses on, and the load generator's
//! open model, which counts them. What stands in a head is `httparse`'s work, as in hyper; where a body ends follows
//! RFC 9112, section 6. Pure: bytes come in, nothing is kept and nothing allocated.

#![no_std]

#[cfg(test)]
extern crate std;

mod body;
mod head;

pub use body::{BodyEnd, Chunk, Piece};
pub use head::{Head, read_head};

/// Not a response in HTTP/1.1: nothing more can be read from its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

impl core::fmt::Display for Malformed {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.write_str("what came is no response in HTTP/1.1")
    }
}

impl core::error::Error for Malformed {}
