//! Runs `lab policy` on files as a user has them: right ones, wrong ones, surprising ones.

mod check;
mod command;
mod diff_and_export;
mod explain;
mod lint;
