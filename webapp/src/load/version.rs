//! Which change of the load factor is the newer one.

use serde::{Deserialize, Serialize};

/// Which of two states is the newer one: the higher counter, then the higher replica id.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Version {
    /// One more than the highest that the changing replica had seen.
    pub(crate) counter: u64,
    /// The replica that made the change.
    pub(crate) replica: String,
}
