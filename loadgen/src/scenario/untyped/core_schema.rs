//! Reads plain scalars by the core schema of YAML 1.2.

/// A plain scalar.
pub(super) enum Plain {
    Null,
    Bool(bool),
    /// As JSON writes it, and as the file did where that differs.
    Number {
        json: String,
        written: Option<String>,
    },
    Text(String),
}

/// What a plain scalar means in the core schema of YAML 1.2 (section 10.3.2).
pub(super) fn core_schema(text: &str) -> Option<Plain> {
    let text = text.trim();
    if text.starts_with(['"', '\'', '|', '>', '&', '!', '*']) {
        return None;
    }
    Some(match text {
        "" | "~" | "null" | "Null" | "NULL" => Plain::Null,
        "true" | "True" | "TRUE" => Plain::Bool(true),
        "false" | "False" | "FALSE" => Plain::Bool(false),
        _ => match number(text) {
            Some(json) => {
                let written = (json != text).then(|| text.to_owned());
                Plain::Number { json, written }
            }
            None => Plain::Text(text.to_owned()),
        },
    })
}

/// A number of the core schema, as JSON writes it; infinities and what is no number have no JSON.
fn number(text: &str) -> Option<String> {
    for (prefix, radix) in [("0o", 8), ("0x", 16)] {
        if let Some(digits) = text.strip_prefix(prefix) {
            let is_digits = !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix));
            return is_digits
                .then(|| u128::from_str_radix(digits, radix).ok())
                .flatten()
                .map(|value| value.to_string());
        }
    }
    let (sign, unsigned) = match text.strip_prefix('-') {
        Some(unsigned) => ("-", unsigned),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let exponent_digits = exponent.map(|exponent| exponent.strip_prefix(['+', '-']).unwrap_or(exponent));
    if !is_digits(whole)
        || !is_digits(fraction)
        || whole.is_empty() && fraction.is_empty()
        || exponent_digits.is_some_and(|digits| digits.is_empty() || !is_digits(digits))
    {
        return None;
    }
    // JSON has no zeros before a number, and a digit on each side of the point.
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        whole => whole,
    };
    let fraction = if fraction.is_empty() { String::new() } else { format!(".{fraction}") };
    let exponent = exponent.map(|exponent| format!("e{exponent}")).unwrap_or_default();
    Some(format!("{sign}{whole}{fraction}{exponent}"))
}
