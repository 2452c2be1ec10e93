//! How large a difference has to be to matter.

/// What counts as a difference.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DiffSettings {
    /// A change of the response time that does not matter: 0.05 for 5 %.
    pub tolerance: f64,
    /// A change of the share that was not served that does not matter: 0.01 for one percentage point.
    pub share_tolerance: f64,
}

impl Default for DiffSettings {
    fn default() -> Self {
        Self { tolerance: 0.05, share_tolerance: 0.01 }
    }
}
