//! Reads quantities as Kubernetes writes them: `250m`, `1.5Gi`, `2k`, `1e3`.

use alloc::string::String;

/// A text that is not a quantity.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a quantity, expected a number with a suffix such as m, k, Mi")]
pub struct QuantityError {
    /// The beginning of the text, at most 80 characters, control characters escaped.
    pub text: String,
}

/// Reads a quantity as a float.
///
/// # Errors
/// If the text is not a quantity.
///
/// Source: `k8s.io/apimachinery/pkg/api/resource`, `ParseQuantity` and `AsApproximateFloat64`.
pub fn parse_quantity(text: &str) -> Result<f64, QuantityError> {
    let error = || QuantityError { text: text.chars().flat_map(char::escape_debug).take(80).collect() };
    let is_number = |character: char| character.is_ascii_digit() || matches!(character, '.' | '+' | '-');
    let suffix_at = text.find(|character| !is_number(character)).unwrap_or(text.len());
    let (number, suffix) = text.split_at(suffix_at);
    let has_digit = number.contains(|character: char| character.is_ascii_digit());
    let number: f64 = number.parse().ok().filter(|_| has_digit).ok_or_else(error)?;
    let factor = factor_of(suffix).ok_or_else(error)?;
    Ok(number * factor)
}

fn factor_of(suffix: &str) -> Option<f64> {
    Some(match suffix {
        "n" => 1e-9,
        "u" => 1e-6,
        "m" => 1e-3,
        "" => 1.0,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "P" => 1e15,
        "E" => 1e18,
        "Ki" => 1024.0,
        "Mi" => 1_048_576.0,
        "Gi" => 1_073_741_824.0,
        "Ti" => 1_099_511_627_776.0,
        "Pi" => 1_125_899_906_842_624.0,
        "Ei" => 1_152_921_504_606_846_976.0,
        exponent => {
            let digits = exponent.strip_prefix(['e', 'E'])?;
            let exponent: i32 = digits.parse().ok()?;
            libm::pow(10.0, f64::from(exponent))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_of_each_kind_are_read() {
        for (text, expected) in [
            ("2", 2.0),
            ("-1.5", -1.5),
            ("+.5", 0.5),
            ("250m", 0.25),
            ("2k", 2_000.0),
            ("1.5Ki", 1_536.0),
            ("1E", 1e18),
            ("1E3", 1_000.0),
            ("25e-1", 2.5),
        ] {
            let read = parse_quantity(text).unwrap();
            assert!((read - expected).abs() <= expected.abs() * 1e-12, "{text}: {read}");
        }
    }

    #[test]
    fn what_is_not_a_quantity_is_an_error_with_a_bounded_text() {
        for wrong in ["", "m", ".", "1.2.3", "1 k", "0x10", "1kk", "e3", "1e", "NaN", "inf", "1e99999999999"]
        {
            assert!(parse_quantity(wrong).is_err(), "{wrong}");
        }
        let long = "\n".repeat(1_000);
        assert!(parse_quantity(&long).unwrap_err().text.len() <= 80);
    }
}
