//! Reads and writes Kubernetes' quantities exactly, as thousandths: `500m`, `2`, `1.5Gi`, `3e2`.

/// What is said to whoever writes a quantity wrongly.
pub(crate) const QUANTITY_HINT: &str =
    "suffixes are n, u, m, k, M, G, T, P, E and Ki, Mi, Gi, Ti, Pi, Ei; megabytes are M or Mi, and not MB";

/// More digits than any quantity needs; they would not fit the arithmetic.
const DIGITS_MAX: usize = 30;

/// The largest power of ten that is worked with; beyond it everything is at the end of the range.
const POWER_MAX: u32 = 36;

/// A quantity in thousandths, rounded away from zero as Kubernetes does; at the ends of the range it stays there. None
/// if the text is not a quantity.
///
/// Source: `k8s.io/apimachinery/pkg/api/resource`, `ParseQuantity` and `Quantity.MilliValue`.
pub fn parse_milli(text: &str) -> Option<i64> {
    let (is_negative, unsigned) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let suffix_at = unsigned
        .find(|character: char| !character.is_ascii_digit() && character != '.')
        .unwrap_or(unsigned.len());
    let (number, suffix) = unsigned.split_at(suffix_at);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
        return None;
    }
    let (multiplier, power) = factor_of(suffix)?;
    let digits = format!("{}{}", whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
    if digits.len() > DIGITS_MAX {
        return None;
    }
    let mantissa: i128 = if digits.is_empty() { 0 } else { digits.parse().ok()? };
    let fraction_digits = i64::try_from(fraction.trim_end_matches('0').len()).ok()?;
    let milli = scaled(mantissa.checked_mul(multiplier)?, power - fraction_digits + 3);
    let milli = i64::try_from(milli).unwrap_or(i64::MAX);
    Some(if is_negative { -milli } else { milli })
}

/// `value × 10^power`, rounded up.
fn scaled(value: i128, power: i64) -> i128 {
    let ten_to = |power: i64| {
        u32::try_from(power).ok().filter(|power| *power <= POWER_MAX).map(|power| 10_i128.pow(power))
    };
    if value == 0 {
        0
    } else if power >= 0 {
        ten_to(power).and_then(|factor| value.checked_mul(factor)).unwrap_or(i128::MAX)
    } else {
        // Whatever is left of something tiny is rounded up to one thousandth.
        ten_to(-power).map_or(1, |divisor| (value + divisor - 1) / divisor)
    }
}

/// A suffix as a multiplier and a power of ten.
fn factor_of(suffix: &str) -> Option<(i128, i64)> {
    Some(match suffix {
        "n" => (1, -9),
        "u" => (1, -6),
        "m" => (1, -3),
        "" => (1, 0),
        "k" => (1, 3),
        "M" => (1, 6),
        "G" => (1, 9),
        "T" => (1, 12),
        "P" => (1, 15),
        "E" => (1, 18),
        "Ki" => (1 << 10, 0),
        "Mi" => (1 << 20, 0),
        "Gi" => (1 << 30, 0),
        "Ti" => (1 << 40, 0),
        "Pi" => (1 << 50, 0),
        "Ei" => (1 << 60, 0),
        exponent => {
            let digits = exponent.strip_prefix(['e', 'E'])?;
            let is_number = digits.trim_start_matches(['+', '-']).bytes().all(|byte| byte.is_ascii_digit());
            let power: i64 = digits.parse().ok().filter(|_| is_number)?;
            (1, power.clamp(-1_000, 1_000))
        }
    })
}

/// Thousandths as Kubernetes writes them: whole, or with `m`.
pub fn quantity_of_milli(milli: i64) -> String {
    if milli % 1_000 == 0 { (milli / 1_000).to_string() } else { format!("{milli}m") }
}

/// Thousandths of a byte as people read them: `64Mi`, `1.5Gi`.
pub fn bytes_of_milli(milli: i64) -> String {
    let bytes = milli as f64 / 1_000.0;
    for (unit, name) in [(1_073_741_824.0, "Gi"), (1_048_576.0, "Mi"), (1_024.0, "Ki")] {
        if bytes.abs() >= unit {
            return format!("{}{name}", trimmed(bytes / unit));
        }
    }
    trimmed(bytes)
}

/// A number with at most three decimals, without zeros at its end.
pub fn trimmed(value: f64) -> String {
    let text = format!("{value:.3}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_read_exactly() {
        for (text, milli) in [
            ("2", 2_000),
            ("500m", 500),
            ("0.1", 100),
            ("30500m", 30_500),
            ("2k", 2_000_000),
            ("64Mi", 64 * 1_048_576 * 1_000),
            ("1.5Gi", 1_610_612_736_000),
            ("1e3", 1_000_000),
            ("1E3", 1_000_000),
            ("12e-1", 1_200),
            (".5", 500),
            ("5.", 5_000),
            ("+1", 1_000),
            ("-0.5", -500),
            ("100u", 1),
            ("1n", 1),
            ("0n", 0),
            ("0.0001", 1),
            ("1E", i64::MAX),
            ("1e300", i64::MAX),
            ("1e-300", 1),
            ("0e300", 0),
            ("9223372036854775807", i64::MAX),
        ] {
            assert_eq!(parse_milli(text), Some(milli), "{text}");
        }
        for wrong in [
            "", "-", ".", "128MB", "1 k", " 1", "1.2.3", "m", "e3", "1e", "1e+-3", "1kk", "0x1", "NaN", "5%",
            "½",
        ] {
            assert_eq!(parse_milli(wrong), None, "{wrong}");
        }
        assert_eq!(parse_milli(&"9".repeat(1_000)), None);
    }

    #[test]
    fn what_is_written_is_read_back() {
        for milli in [0, 1, 999, 1_000, 57_600, -500] {
            assert_eq!(parse_milli(&quantity_of_milli(milli)), Some(milli));
        }
        assert_eq!(bytes_of_milli(parse_milli("64Mi").unwrap()), "64Mi");
        assert_eq!(bytes_of_milli(1_500), "1.5");
    }
}
