//! Divisors of the number of partitions, for consumers with equally many of them.

use alloc::vec::Vec;

/// The divisors of a number of partitions, in ascending order; none of 0.
///
/// Source: `pkg/scalers/kafka_scaler.go`, `FindFactors`.
pub fn divisors(partitions: u32) -> Vec<u32> {
    let small: Vec<u32> =
        (1..=partitions.isqrt()).filter(|candidate| partitions.is_multiple_of(*candidate)).collect();
    let large = small.iter().rev().map(|divisor| partitions / divisor).filter(|large| !small.contains(large));
    small.iter().copied().chain(large).collect()
}

/// The smallest divisor that carries the lag at so much per consumer, or else all partitions.
///
/// Source: `pkg/scalers/kafka_scaler.go`, `getNextFactor`.
pub fn even_factor(lag: i64, partitions: u32, lag_threshold: i64) -> u32 {
    divisors(partitions)
        .into_iter()
        .find(|&divisor| i64::from(divisor).saturating_mul(lag_threshold) >= lag)
        .unwrap_or(partitions)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn divisors_are_complete_and_in_order() {
        for partitions in 0..200_u32 {
            let expected: Vec<u32> = (1..=partitions).filter(|divisor| partitions % divisor == 0).collect();
            assert_eq!(divisors(partitions), expected);
        }
        assert_eq!(divisors(u32::MAX).len(), 32);
    }

    #[test]
    fn a_lag_beyond_all_partitions_takes_them_all() {
        assert_eq!(even_factor(1_000, 6, 10), 6);
        assert_eq!(even_factor(0, 6, 10), 1);
        assert_eq!(even_factor(5, 0, 10), 0);
    }
}
