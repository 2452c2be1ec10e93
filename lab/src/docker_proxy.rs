//! Lets a scaler use a Docker engine for one service of one Compose project, and for nothing else.
//!
//! Whoever may create containers may take over the machine, unless somebody looks at what is to be created. So orders
//! are not only told apart by their paths: a container must be one of the service, and a new one must be like one that
//! Compose made, in image, command, user, mounts, networks and rights.

mod document;
mod likeness;
mod orders;
mod server;

pub(crate) use server::{Proxy, serve};
