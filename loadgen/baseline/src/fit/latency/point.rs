//! What a fit of response times is made from.

/// The mean response time at one rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LatencyPoint {
    /// Requests per second.
    pub rate_rps: f64,
    /// Seconds from the intended start.
    pub mean_seconds: f64,
    /// What it may be off by, in seconds.
    pub standard_error_seconds: f64,
    /// Degrees of freedom of that.
    pub degrees_of_freedom: f64,
}
