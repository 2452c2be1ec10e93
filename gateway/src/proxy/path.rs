//! Tells by a request's path what the gateway may do with it.

use std::borrow::Cow;

/// What the path means for the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PathRule {
    /// `/faults` and `/peers`: between replicas and whoever tests them, never through the gateway.
    Internal,
    /// `/load`: what it changes is changed twice by a second try.
    NotRepeatable,
    /// Everything else.
    Ordinary,
}

impl PathRule {
    /// The rule for a request's path, as it stands in the request.
    pub(crate) fn of(path: &str) -> Self {
        match &*first_segment(path) {
            "faults" | "peers" => Self::Internal,
            "load" => Self::NotRepeatable,
            _ => Self::Ordinary,
        }
    }
}

/// The first segment as a lenient server might read it, with escapes, empty and dot segments resolved: a rule that
/// `//faults` or `/%66aults` gets around is none.
fn first_segment(path: &str) -> Cow<'_, str> {
    let plain = path.strip_prefix('/').unwrap_or(path);
    let first_plain_segment = plain.split('/').next().unwrap_or_default();
    // A dot segment or an empty one further on can only remove what stands before it if it has two dots.
    if !first_plain_segment.is_empty()
        && !plain.contains(['%', '\\'])
        && !plain.contains("..")
        && first_plain_segment != "."
    {
        return Cow::Borrowed(first_plain_segment);
    }
    let decoded = percent_decoded(plain);
    let mut segments: Vec<&str> = Vec::new();
    for segment in decoded.split(['/', '\\']) {
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()),
            _ => segments.push(segment),
        }
    }
    Cow::Owned(segments.first().map(|&first| first.to_owned()).unwrap_or_default())
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let escaped = (first == b'%').then(|| tail.get(..2)).flatten().and_then(|digits| {
            let digits = std::str::from_utf8(digits).ok()?;
            u8::from_str_radix(digits, 16).ok()
        });
        if let Some(byte) = escaped {
            bytes.push(byte);
            rest = &tail[2..];
        } else {
            bytes.push(first);
            rest = tail;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
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
            "/%66aults",
            "/./faults",
            "/x/../faults",
            "/%2e/faults",
            "/x%2f..%2ffaults",
            "/\\faults",
            "/faults/%zz",
        ] {
            assert_eq!(PathRule::of(path), PathRule::Internal, "{path}");
        }
        for path in ["/", "/faultsx", "/x/faults", "/peer", "/api/dashboard", "*", "", "/%", "/%6"] {
            assert_eq!(PathRule::of(path), PathRule::Ordinary, "{path}");
        }
    }

    #[test]
    fn load_is_not_repeatable() {
        for path in ["/load", "/load/spike", "/load/", "//load/spike"] {
            assert_eq!(PathRule::of(path), PathRule::NotRepeatable, "{path}");
        }
        assert_eq!(PathRule::of("/loads"), PathRule::Ordinary);
    }
}
