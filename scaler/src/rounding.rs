//! Rounds what is drawn to four significant digits: more are not seen, and they would be two thirds of a stream.

/// The value with four significant digits; from 10,000 on, without a fraction.
pub(crate) fn rounded(value: f64) -> f64 {
    if value.abs() >= 1e4 {
        return value.round();
    }
    // Through text, because a product of the rounded digits and a power of ten has a tail of its own.
    format!("{value:.3e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_digits_are_left() {
        for (value, expected) in [
            (0.0, "0.0"),
            (0.123_456, "0.1235"),
            (0.000_123_456, "0.0001235"),
            (1.0, "1.0"),
            (81.999_99, "82.0"),
            (1_234.5, "1234.0"),
            (-0.123_456, "-0.1235"),
            (12_345_678.9, "12345679.0"),
        ] {
            assert_eq!(serde_json::to_string(&rounded(value)).unwrap(), expected);
        }
        assert!(rounded(f64::NAN).is_nan());
    }
}
