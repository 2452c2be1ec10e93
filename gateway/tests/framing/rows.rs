//! The table, in files by what a row plays with.

mod chunks;
mod codings;
mod heads;
mod hosts;
mod lengths;
mod nominations;
mod paths;
mod targets;

use crate::row::Row;

/// All rows.
pub(crate) fn all() -> Vec<Row> {
    [
        lengths::rows(),
        codings::rows(),
        chunks::rows(),
        targets::rows(),
        paths::rows(),
        hosts::rows(),
        heads::rows(),
        nominations::rows(),
    ]
    .concat()
}
