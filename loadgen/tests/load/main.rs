//! Runs loads against a service in this process and looks at what the service saw, the result, and the reports.

mod ending;
mod failures;
mod levels;
mod measuring;
mod quiet;
mod rate;
mod reports;
mod scenarios;
mod service;
