//! Conversions of computed numbers to replica counts; all of them saturate.

/// The most replicas that Kubernetes can write down: its counts are signed 32-bit numbers.
pub(crate) const REPLICAS_CEILING: u32 = i32::MAX.cast_unsigned();

/// The smallest whole number not below `value`. NaN becomes 0; what is beyond the range becomes its end.
///
/// Upstream converts without a check in most places, where the outcome of an overflow depends on the processor.
#[expect(clippy::cast_possible_truncation, reason = "a cast from float to integer saturates, as documented")]
pub(crate) fn ceil_to_i32(value: f64) -> i32 {
    libm::ceil(value) as i32
}

/// As [`ceil_to_i32`], for reported quantities.
#[expect(clippy::cast_possible_truncation, reason = "a cast from float to integer saturates, as documented")]
pub(crate) fn ceil_to_i64(value: f64) -> i64 {
    libm::ceil(value) as i64
}

/// The whole number toward 0 from `value`. NaN becomes 0; what is beyond the range becomes its end.
#[expect(clippy::cast_possible_truncation, reason = "a cast from float to integer saturates, as documented")]
pub(crate) const fn truncate_to_i32(value: f64) -> i32 {
    value as i32
}

/// As [`truncate_to_i32`], for reported quantities.
#[expect(clippy::cast_possible_truncation, reason = "a cast from float to integer saturates, as documented")]
pub(crate) const fn truncate_to_i64(value: f64) -> i64 {
    value as i64
}

/// A signed count as a count of replicas: below 0 is 0, and the ceiling is that of Kubernetes.
pub(crate) fn to_replicas(count: i64) -> u32 {
    u32::try_from(count.max(0)).map_or(REPLICAS_CEILING, |count| count.min(REPLICAS_CEILING))
}

/// Narrows to 64 bits at the ends of the range.
pub(crate) fn saturate_to_i64(value: i128) -> i64 {
    i64::try_from(value).unwrap_or(if value < 0 { i64::MIN } else { i64::MAX })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conversions_saturate() {
        assert_eq!(ceil_to_i32(1.2), 2);
        assert_eq!(ceil_to_i32(f64::NAN), 0);
        assert_eq!(ceil_to_i32(f64::INFINITY), i32::MAX);
        assert_eq!(ceil_to_i32(f64::NEG_INFINITY), i32::MIN);
        assert_eq!(ceil_to_i64(f64::INFINITY), i64::MAX);
        assert_eq!(truncate_to_i32(-0.9), 0);
        assert_eq!(truncate_to_i32(1e30), i32::MAX);
        assert_eq!(to_replicas(-1), 0);
        assert_eq!(to_replicas(i64::MAX), REPLICAS_CEILING);
        assert_eq!(saturate_to_i64(i128::MIN), i64::MIN);
        assert_eq!(saturate_to_i64(i128::MAX), i64::MAX);
    }
}
