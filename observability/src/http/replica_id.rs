//! How a replica names itself in its answer to `/ready`, so that a gateway finds out whether an address still is the
//! announced replica's.

use http::HeaderName;

/// The header of `/ready` that holds the replica's id.
pub const X_REPLICA_ID: HeaderName = HeaderName::from_static("x-replica-id");

/// Longest id; bytes.
pub const ID_BYTES_MAX: usize = 128;

/// What an id must be, for error messages.
pub const ID_EXPECTED: &str = "1 to 128 visible ASCII characters without spaces";

/// Whether this can be a replica's id: it has to fit into a header and to look the same in every log.
pub fn is_id(text: &str) -> bool {
    (1..=ID_BYTES_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::{ID_BYTES_MAX, is_id};

    #[test]
    fn an_id_is_short_and_visible() {
        for id in ["webapp-1", "webapp-3f2a9c-17", "a", &"x".repeat(ID_BYTES_MAX)] {
            assert!(is_id(id), "`{id}`");
        }
        let long = "x".repeat(ID_BYTES_MAX + 1);
        for id in ["", " ", "web app", "webäpp", "a\nb", "a\tb", "\u{7f}", long.as_str()] {
            assert!(!is_id(id), "`{}`", id.escape_debug());
        }
    }
}
