//! The gateway from outside: real sockets on loopback, replicas in this process, ports chosen by the system.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod admin;
mod balancing;
mod change;
mod discovery;
mod guard;
mod identity;
mod kept_connections;
mod limits;
mod passing;
mod retries;
mod stopping;
mod support;
mod upgrade;
mod waiting;
mod wire;
