//! Faults under load: the lab recovers by itself, loses no replica for want of data, and does not flap.
//!
//! Each is a story that is also played without its fault, and may take no more actions than that. They take minutes
//! each, so `scripts/long-run.sh` runs them, and a plain `cargo test` does not.

mod data;
mod replicas;
mod story;
