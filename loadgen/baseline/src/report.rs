//! Writes a baseline for people and for other programs: a table, CSV, Markdown, and the sentences that a page shows.
//!
//! The page with the curves is drawn elsewhere, from [`findings`], [`marked_table`] and the other parts.

mod csv;
mod rows;
mod text;

pub use csv::csv;
pub use rows::{context, findings, mean_milliseconds, milliseconds, request_notes};
pub use text::{flaws, level_line, markdown, marked_table, table};

#[cfg(test)]
mod tests;
