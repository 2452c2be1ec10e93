//! Servers that misbehave in the ways in which servers do, and what each engine must say of them: one table.

mod credentials;
mod engines;
mod frozen;
mod peers;
mod server;
mod table;
