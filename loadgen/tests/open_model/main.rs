//! Sends requests at a rate to a service in this process and looks at what the service saw and what was measured.

mod answers;
mod bad_input;
mod failures;
mod freezing;
mod levels;
mod service;
