//! Runs loads against a service in this process and looks at what the service saw, the result, and the reports.

mod ending;
mod measuring;
mod quiet;
mod reports;
mod service;
