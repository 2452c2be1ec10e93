//! The story of a spike: its times, what is measured while it plays, how it is drawn, and the verdict.

pub(crate) mod draw;
pub(crate) mod measure;
pub(crate) mod story;
pub(crate) mod verdict;
