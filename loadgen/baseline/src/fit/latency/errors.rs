//! What the means of levels may be off by, made fit to weigh them by.

use super::point::LatencyPoint;
use crate::fit::response_time::ResponseTime;

/// A level that happened to be fast also shows little spread, and would pull the fit down by its weight. So errors are
/// smoothed: each is what a power of the model's response time says of it, fitted to all of them together. In heavy
/// traffic the error of a mean grows as about the square of the mean.
///
/// Source of the latter: W. Whitt, "Planning Queueing Simulations", Management Science 35 (1989).
pub(super) fn with_smoothed_errors(points: &[LatencyPoint], first: &ResponseTime) -> Vec<LatencyPoint> {
    // An error shrinks as the root of the answers it rests on, and levels are about equally long.
    let log_error = |point: &LatencyPoint| (point.standard_error_seconds * point.rate_rps.sqrt()).ln();
    let log_time = |point: &LatencyPoint| first.mean_seconds(point.rate_rps).ln();
    let count = points.len() as f64;
    let mean = |of: &dyn Fn(&LatencyPoint) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (mean_error, mean_time) = (mean(&log_error), mean(&log_time));
    let spread = mean(&|point| (log_time(point) - mean_time).powi(2));
    let together = mean(&|point| (log_time(point) - mean_time) * (log_error(point) - mean_error));
    let power = if spread > 0.0 { (together / spread).clamp(0.0, 4.0) } else { 0.0 };
    points
        .iter()
        .map(|point| {
            let smoothed = mean_error + power * (log_time(point) - mean_time);
            LatencyPoint { standard_error_seconds: smoothed.exp() / point.rate_rps.sqrt(), ..*point }
        })
        .collect()
}

/// Where levels are further from the model than their errors explain, the errors were taken too small.
///
/// Source: R. T. Birge, "The Calculation of Errors by the Method of Least Squares", Physical Review 40 (1932).
pub(super) fn with_errors_of_misfit(points: &[LatencyPoint], misfit: f64) -> Vec<LatencyPoint> {
    let freedom = (points.len() as f64 - 3.0).max(1.0);
    let ratio = (misfit / freedom).sqrt().max(1.0);
    points
        .iter()
        .map(|point| LatencyPoint { standard_error_seconds: point.standard_error_seconds * ratio, ..*point })
        .collect()
}
