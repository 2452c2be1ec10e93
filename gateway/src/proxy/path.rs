//! Tells by a request's path what the gateway may do with it.

/// What the path means for the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PathRule {
    /// `/faults` and `/peers`: between replicas and whatever tests them, never through the gateway.
    Internal,
    /// `/load`: what it changes is changed twice by a second try.
    NotRepeatable,
    /// A path that no server should make sense of, and that servers read in different ways: above its root, or with an
    /// escape that is not one.
    Invalid,
    /// Everything else.
    Ordinary,
}

impl PathRule {
    /// The rule for a request's path, as it stands in the request.
    pub(crate) fn of(path: &str) -> Self {
        let plain = path.strip_prefix('/').unwrap_or(path);
        let first = plain.split('/').next().unwrap_or_default();
        // A dot segment or an empty one further on can only remove what stands before it if it has two dots.
        if !first.is_empty() && first != "." && !plain.contains(['%', '\\']) && !plain.contains("..") {
            return Self::of_first_segment(first);
        }
        Self::of_lenient_readings(plain)
    }

    /// The rule for a path as lenient servers might read it, with escapes, empty and dot segments resolved: a rule that
    /// `//faults`, `/%66aults` or `/%2566aults` gets around protects nothing.
    fn of_lenient_readings(plain: &str) -> Self {
        let Some(decoded) = percent_decoded(plain) else { return Self::Invalid };
        let first = first_segment(&decoded);
        let rule = first.as_deref().map_or(Self::Invalid, Self::of_first_segment);
        if rule != Self::Ordinary || !decoded.contains('%') {
            return rule;
        }
        // Escapes within escapes are valid once; whether they are the second time is for the endpoint to say.
        let mut again = decoded;
        while let Some(next) = percent_decoded(&again).filter(|next| *next != again) {
            if let Some(first) = first_segment(&next)
                && Self::of_first_segment(&first) == Self::Internal
            {
                return Self::Internal;
            }
            again = next;
        }
        rule
    }

    fn of_first_segment(segment: &str) -> Self {
        // Servers strip a parameter, read on at an escaped `?`, stop at a control character, or tell capitals not apart.
        let ends = |character: char| {
            matches!(character, ';' | '?' | '#') || character.is_whitespace() || character.is_control()
        };
        let name = segment.split(ends).next().unwrap_or_default();
        if name.eq_ignore_ascii_case("faults") || name.eq_ignore_ascii_case("peers") {
            Self::Internal
        } else if name.eq_ignore_ascii_case("load") {
            Self::NotRepeatable
        } else {
            Self::Ordinary
        }
    }
}

/// The first segment behind all empty and dot segments, possibly none; nothing for a path that leads above its root.
fn first_segment(decoded: &str) -> Option<String> {
    let mut segments: Vec<&str> = Vec::new();
    for segment in decoded.split(['/', '\\']) {
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()?),
            _ => segments.push(segment),
        }
    }
    Some(segments.first().map(|&first| first.to_owned()).unwrap_or_default())
}

/// A path with its escapes undone; nothing where one is not two hexadecimal digits, or is a zero byte.
fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        if first != b'%' {
            bytes.push(first);
            continue;
        }
        let (digits, tail) = tail.split_at_checked(2)?;
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let byte = digit(digits[0])? * 16 + digit(digits[1])?;
        if byte == 0 {
            return None;
        }
        bytes.push(byte);
        rest = tail;
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn internal_paths_stay_internal_however_they_are_spelt() {
        for path in [
            "/faults",
            "/faults/",
            "/faults/latency",
            "/peers",
            "/peers/x",
            "//faults",
            "///faults//crash",
            "/%66aults",
            "/%46aults",
            "/FAULTS",
            "/./faults",
            "/x/../faults",
            "/x/y/../../faults",
            "/%2e/faults",
            "/x/%2e%2e/faults",
            "/x%2f..%2ffaults",
            "/\\faults",
            "/x\\..\\faults",
            "/%5cfaults",
            "/faults;x=1/crash",
            "/faults%3bx",
            "/faults%3Fx",
            "/faults%23x",
            "/faults%20",
            "/faults%09/crash",
            "/%2566aults",
            "/%252566aults",
            "/x/%252e%252e/faults",
        ] {
            assert_eq!(PathRule::of(path), PathRule::Internal, "{path}");
        }
        for path in [
            "/",
            "/faultsx",
            "/x/faults",
            "/peer",
            "/api/dashboard",
            "",
            "/a%20b",
            "/100%25",
            "/a/../b",
            "/a..b",
            "/%25zz",
        ] {
            assert_eq!(PathRule::of(path), PathRule::Ordinary, "{path}");
        }
    }

    #[test]
    fn a_path_above_its_root_and_an_escape_that_is_not_one_are_invalid() {
        for path in [
            "/..",
            "/../x",
            "/a/../../b",
            "/%2e%2e/x",
            "/..%2fx",
            "/a/..//../b",
            "/%",
            "/%6",
            "/%zz",
            "/a%00",
            "/faults/%zz",
        ] {
            assert_eq!(PathRule::of(path), PathRule::Invalid, "{path}");
        }
    }

    #[test]
    fn load_is_not_repeatable() {
        for path in ["/load", "/load/spike", "/load/", "//load/spike", "/%6coad", "/load;x"] {
            assert_eq!(PathRule::of(path), PathRule::NotRepeatable, "{path}");
        }
        assert_eq!(PathRule::of("/loads"), PathRule::Ordinary);
    }
}
