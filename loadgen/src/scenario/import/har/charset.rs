//! Says which recorded texts were sent in another charset than UTF-8: a recording holds characters, and not the bytes.

/// Charsets in which not even ASCII has the bytes that it has in UTF-8, by how their names begin.
const NOT_ASCII: [&str; 6] = ["utf-16", "utf-32", "utf-7", "ucs-", "iso-10646-ucs", "unicode"];

/// The charset that a media type names, as it is written; none where it names none.
fn named(media_type: &str) -> Option<&str> {
    media_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let value = value.trim().trim_matches('"').trim();
        (name.trim().eq_ignore_ascii_case("charset") && !value.is_empty()).then_some(value)
    })
}

/// The charset in which a text had other bytes than it has in UTF-8; none where they are the same.
pub(super) fn other_than_utf_8<'a>(text: &str, media_type: &'a str) -> Option<&'a str> {
    let charset = named(media_type)?;
    let name = charset.to_ascii_lowercase();
    let is_utf_8 = matches!(name.as_str(), "utf-8" | "utf8");
    let has_ascii = !NOT_ASCII.iter().any(|beginning| name.starts_with(beginning));
    let has_same_bytes = is_utf_8 || (has_ascii && text.is_ascii());
    (!has_same_bytes).then_some(charset)
}

/// The media type with UTF-8 as its charset, which it names already.
pub(super) fn with_utf_8(media_type: &str) -> String {
    let parameters = media_type.split(';').map(|parameter| match parameter.split_once('=') {
        Some((name, _)) if name.trim().eq_ignore_ascii_case("charset") => format!("{name}=utf-8"),
        _ => parameter.to_owned(),
    });
    parameters.collect::<Vec<_>>().join(";")
}

#[cfg(test)]
mod tests {
    use super::{other_than_utf_8, with_utf_8};

    #[test]
    fn a_charset_matters_where_its_bytes_are_others() {
        for (text, media_type, charset) in [
            ("Käse", "text/plain; charset=iso-8859-1", Some("iso-8859-1")),
            ("Käse", "text/plain;Charset=\"Windows-1252\"; x=y", Some("Windows-1252")),
            ("cheese", "text/plain; charset=UTF-16LE", Some("UTF-16LE")),
            ("cheese", "text/plain; charset=iso-8859-1", None),
            ("Käse", "text/plain; charset=UTF-8", None),
            ("Käse", "text/plain", None),
            ("Käse", "text/plain; charset=", None),
        ] {
            assert_eq!(other_than_utf_8(text, media_type), charset, "{media_type}");
        }
    }

    #[test]
    fn only_the_charset_of_a_media_type_is_replaced() {
        let replaced = with_utf_8("text/plain; Charset=\"latin1\"; x=y");
        assert_eq!(replaced, "text/plain; Charset=utf-8; x=y");
    }
}
