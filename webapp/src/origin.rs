//! Where a job comes from: the label `origin` of the metrics, and what separates users from synthetic demand.

/// Who asked for a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A request from outside.
    User,
    /// The replica's own demand, set by the load factor.
    Synthetic,
}

impl Origin {
    pub(crate) const ALL: [Self; 2] = [Self::User, Self::Synthetic];

    /// The value of the label `origin`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Synthetic => "synthetic",
        }
    }
}
