//! Bounds of the histograms, in seconds unless their name says otherwise.

/// OpenTelemetry's advice for `http.server.request.duration` (semantic conventions 1.44, HTTP metrics).
pub const HTTP_DURATION_SECONDS: [f64; 14] =
    [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];

/// OpenTelemetry's bounds and seven more, because a saturated replica with the default physics answers in 1.25
/// to 1.3 s: between the bounds 1 and 2.5 alone, a quantile would be reported as up to 2.4 s.
pub const RESPONSE_TIME_SECONDS: [f64; 21] = [
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.25, 0.35, 0.5, 0.6, 0.75, 1.0, 1.2, 1.3, 1.5, 2.5,
    5.0, 7.5, 10.0,
];

/// Value of an order; dollars.
pub const ORDER_VALUE_DOLLARS: [f64; 9] = [1.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0];

#[cfg(test)]
mod tests {
    use super::{HTTP_DURATION_SECONDS, RESPONSE_TIME_SECONDS};

    #[test]
    fn response_time_bounds_are_sorted_and_contain_opentelemetrys() {
        assert!(RESPONSE_TIME_SECONDS.is_sorted_by(|a, b| a < b), "bounds must rise strictly");
        for bound in HTTP_DURATION_SECONDS {
            assert!(RESPONSE_TIME_SECONDS.contains(&bound), "{bound} s is missing");
        }
    }
}
