//! Follows references within a description; what leads out of it is told by its name.

use percent_encoding::percent_decode_str;

use super::super::super::untyped::Untyped;

/// How many references may follow each other.
const CHAIN_MAX: usize = 32;

/// What a value stands for: itself, or what its `$ref` leads to within `root`; else the reference that leads nowhere.
pub(super) fn resolved<'a>(root: &'a Untyped, value: &'a Untyped) -> Result<&'a Untyped, &'a str> {
    let mut value = value;
    let mut reference = "";
    for _ in 0..CHAIN_MAX {
        match value.get("$ref").and_then(Untyped::as_str) {
            None => return Ok(value),
            Some(next) => {
                reference = next;
                value = next.strip_prefix('#').and_then(|fragment| at(root, fragment)).ok_or(next)?;
            }
        }
    }
    Err(reference)
}

/// The value at a JSON pointer (RFC 6901) in the form in which it stands in a URL.
fn at<'a>(root: &'a Untyped, fragment: &str) -> Option<&'a Untyped> {
    let pointer = percent_decode_str(fragment).decode_utf8().ok()?;
    let mut value = root;
    if pointer.is_empty() {
        return Some(value);
    }
    for token in pointer.strip_prefix('/')?.split('/') {
        let name = token.replace("~1", "/").replace("~0", "~");
        value = match value {
            Untyped::List(entries) => entries.get(name.parse::<usize>().ok()?)?,
            other => other.get(&name)?,
        };
    }
    Some(value)
}
