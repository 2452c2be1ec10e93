//! What may be empty in a run of two minutes, and why.

/// An expression that has no values, known by a part of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Excuse {
    pub(crate) text: &'static str,
    pub(crate) emptiness: Emptiness,
    pub(crate) reason: &'static str,
}

/// Whether values would be a surprise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Emptiness {
    /// They would: the excuse no longer holds, and has to go.
    Always,
    /// They come or not, as the run goes.
    Perhaps,
}

/// An entry that matches nothing is an error too, so the list does not outlive its reasons.
pub(crate) const EXPECTED_EMPTY: [Excuse; 5] = [
    Excuse {
        text: "offset 5m",
        emptiness: Emptiness::Always,
        reason: "the run is shorter than five minutes",
    },
    Excuse {
        text: r#"scaler_threshold{signal=~".*_per_second"}"#,
        emptiness: Emptiness::Always,
        reason: "the default policy looks at a response time",
    },
    Excuse {
        text: r#"scaler_threshold{signal=~"utilization|cpu_cores"}"#,
        emptiness: Emptiness::Always,
        reason: "the default policy looks at a response time",
    },
    Excuse { text: "(ALERTS)", emptiness: Emptiness::Perhaps, reason: "no alert may be about to fire" },
    Excuse {
        text: r#"http_response_status_code=~"5..""#,
        emptiness: Emptiness::Perhaps,
        reason: "no user's request may have been refused",
    },
];
