//! Request framing: what a client may send, byte by byte, and which requests an endpoint sees of it.
//!
//! `rows` is the table. Each row is played with GET, PUT and POST to the gateway, and to nginx as a reverse proxy with
//! kept connections; behind each stands an endpoint that writes down what it reads. On the same connection a second
//! request follows, and then requests of another client: what one of them gets or causes shows whether bytes of the first
//! were taken for something else.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod comparison;
mod endpoint;
mod exchange;
mod nginx;
mod proxy;
mod row;
mod rows;
