//! Proxy that limits the scaler's access to the Docker API to one service of one Compose project.
//!
//! A program that may create containers may take over the machine, unless what is to be created is looked at. So orders
//! are not only told apart by their paths: a container must be one of the service, and a new one must be like one that
//! Compose made, in image, command, user, mounts, networks and rights.

mod container_match;
mod document;
mod orders;
mod server;

pub use server::{Proxy, serve};
