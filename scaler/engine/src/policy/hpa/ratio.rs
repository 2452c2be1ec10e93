//! Ratios of usage to target over a set of samples.

use crate::policy::rounding::saturate_to_i64;

/// The outcome of a utilisation over samples whose requests are known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UtilizationRatio {
    /// Usage as a share of the requests, divided by the target; 1 is on target.
    pub ratio: f64,
    /// Usage in percent of the requests, truncated.
    pub utilization_percent: i32,
    /// Mean usage in thousandths, truncated.
    pub average_usage_milli: i64,
}

/// The outcome of a mean over samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UsageRatio {
    /// The mean divided by the target; 1 is on target.
    pub ratio: f64,
    /// The mean in thousandths, truncated.
    pub usage_milli: i64,
}

/// Sums over samples with their requests, which can be added to without visiting them again.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct UtilizationSums {
    pub(crate) usage: i128,
    pub(crate) requests: i128,
    pub(crate) count: i128,
}

impl UtilizationSums {
    pub(crate) fn add(&mut self, usage_milli: i64, request_milli: i64) {
        self.usage += i128::from(usage_milli);
        self.requests += i128::from(request_milli);
        self.count += 1;
    }

    /// None if nothing is requested. The utilisation is truncated to whole percent before it is divided, so
    /// 55.9 % of 50 % is 1.1.
    pub(crate) fn ratio(&self, target_percent: i32) -> Option<UtilizationRatio> {
        if self.requests == 0 || self.count == 0 {
            return None;
        }
        let percent = self.usage.saturating_mul(100) / self.requests;
        let utilization_percent =
            i32::try_from(percent).unwrap_or(if percent < 0 { i32::MIN } else { i32::MAX });
        Some(UtilizationRatio {
            ratio: f64::from(utilization_percent) / f64::from(target_percent),
            utilization_percent,
            average_usage_milli: saturate_to_i64(self.usage / self.count),
        })
    }
}

/// A sum over samples.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct UsageSums {
    pub(crate) usage: i128,
    pub(crate) count: i128,
}

impl UsageSums {
    pub(crate) fn add(&mut self, value_milli: i64) {
        self.add_times(value_milli, 1);
    }

    pub(crate) fn add_times(&mut self, value_milli: i64, times: usize) {
        let times = i128::try_from(times).unwrap_or(i128::MAX);
        self.usage = self.usage.saturating_add(i128::from(value_milli).saturating_mul(times));
        self.count = self.count.saturating_add(times);
    }

    /// None without samples.
    pub(crate) fn ratio(&self, target_milli: i64) -> Option<UsageRatio> {
        let usage_milli = saturate_to_i64(self.usage.checked_div(self.count)?);
        Some(UsageRatio { ratio: usage_milli as f64 / target_milli as f64, usage_milli })
    }
}

/// The ratio of utilisation to its target over pairs of usage and request; none if nothing is requested.
///
/// Source: `metrics/utilization.go`, `GetResourceUtilizationRatio`.
pub fn utilization_ratio(
    usages_and_requests_milli: impl IntoIterator<Item = (i64, i64)>,
    target_percent: i32,
) -> Option<UtilizationRatio> {
    let mut sums = UtilizationSums::default();
    for (usage, request) in usages_and_requests_milli {
        sums.add(usage, request);
    }
    sums.ratio(target_percent)
}

/// The ratio of a mean to its target; none without samples.
///
/// Source: `metrics/utilization.go`, `GetMetricUsageRatio`.
pub fn usage_ratio(values_milli: impl IntoIterator<Item = i64>, target_milli: i64) -> Option<UsageRatio> {
    let mut sums = UsageSums::default();
    for value in values_milli {
        sums.add(value);
    }
    sums.ratio(target_milli)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utilisation_is_truncated_before_it_is_divided() {
        let ratio = utilization_ratio([(559, 1000)], 50).unwrap();
        assert_eq!(ratio.utilization_percent, 55);
        assert!((ratio.ratio - 1.1).abs() < 1e-12);
    }

    #[test]
    fn nothing_requested_or_nothing_measured_has_no_ratio() {
        assert_eq!(utilization_ratio([(5, 0)], 50), None);
        assert_eq!(utilization_ratio([], 50), None);
        assert_eq!(usage_ratio([], 50), None);
    }

    #[test]
    fn a_mean_is_truncated_to_thousandths() {
        assert_eq!(usage_ratio([1, 2], 1).unwrap().usage_milli, 1);
    }

    #[test]
    fn sums_beyond_the_range_saturate() {
        let hot = utilization_ratio([(i64::MAX, 1), (i64::MAX, 1)], 1).unwrap();
        assert_eq!(hot.utilization_percent, i32::MAX);
        assert_eq!(hot.average_usage_milli, i64::MAX);
        assert_eq!(usage_ratio([i64::MIN, i64::MIN], 1).unwrap().usage_milli, i64::MIN);
        assert!(usage_ratio([1], 0).unwrap().ratio.is_infinite());
    }
}
