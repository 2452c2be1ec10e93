//! Writes a body into a step so that exactly its bytes are sent.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::super::document::StepDocument;
use super::super::located::Located;
use super::super::untyped::Untyped;
use super::made::{literal, literal_value};

/// Sets a body of these bytes, in the form that reads best: as JSON or a form where these become the same bytes, as a
/// text, or as base64.
pub(super) fn set(fields: &mut StepDocument, media_type: &str, bytes: Vec<u8>) {
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            fields.body_base64 = Some(BASE64.encode(error.as_bytes()).into());
            return;
        }
    };
    if is_json(media_type)
        && let Some(json) = as_json(&text)
    {
        fields.json = Some(json.into());
    } else if essence(media_type) == "application/x-www-form-urlencoded"
        && let Some(form) = by_name(&text).filter(|form| !form.is_empty())
    {
        fields.form = Some(form);
    } else if survives(&text) {
        fields.body = Some(literal(&text).into());
    } else {
        fields.body_base64 = Some(BASE64.encode(&text).into());
    }
}

/// A media type without its parameters, in small letters.
pub(super) fn essence(media_type: &str) -> String {
    media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Whether a media type is JSON, under whatever name.
pub(super) fn is_json(media_type: &str) -> bool {
    let essence = essence(media_type);
    essence.ends_with("/json") || essence.ends_with("+json")
}

/// The pairs of a query or a form by their name; none where writing them again would not give the same text.
pub(super) fn by_name(text: &str) -> Option<BTreeMap<String, Located<String>>> {
    let mut fields = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(text.as_bytes()) {
        fields.insert(name.into_owned(), value.into_owned());
    }
    let again = form_urlencoded::Serializer::new(String::new()).extend_pairs(&fields).finish();
    let located = |(name, value): (String, String)| (name, literal(&value).into());
    (again == text).then(|| fields.into_iter().map(located).collect())
}

/// The value, where the scenario would send it as the same text.
fn as_json(text: &str) -> Option<Untyped> {
    let value = Untyped::from_json(text).ok()?;
    // A field that is null counts as none.
    (value != Untyped::Null && value.to_json() == text && is_read_back(&value, text))
        .then(|| literal_value(&value))
}

fn is_read_back(value: &Untyped, text: &str) -> bool {
    let Ok(yaml) = serde_saphyr::to_string(&[[value]]) else { return false };
    let Ok([[mut again]]) = serde_saphyr::from_str::<[[Untyped; 1]; 1]>(&yaml) else { return false };
    again.settle(&yaml);
    again.to_json() == text
}

/// Whether a text is the same after it was written as YAML and read again.
fn survives(text: &str) -> bool {
    let yaml = serde_saphyr::to_string(&[[BTreeMap::from([("body", text)])]]);
    let Ok(yaml) = yaml else { return false };
    let again: Result<[[BTreeMap<String, String>; 1]; 1], _> = serde_saphyr::from_str(&yaml);
    again.is_ok_and(|[[again]]| again.get("body").is_some_and(|again| again == text))
}

#[cfg(test)]
mod tests {
    use super::{StepDocument, set};

    fn form_of(media_type: &str, bytes: &[u8]) -> &'static str {
        let mut fields = StepDocument::default();
        set(&mut fields, media_type, bytes.to_vec());
        let given = [
            ("json", fields.json.is_some()),
            ("form", fields.form.is_some()),
            ("body", fields.body.is_some()),
            ("bodyBase64", fields.body_base64.is_some()),
        ];
        let mut given = given.into_iter().filter(|(_, is_given)| *is_given);
        let (name, _) = given.next().expect("a body");
        assert!(given.next().is_none(), "one body");
        name
    }

    #[test]
    fn a_form_that_reads_well_is_taken_only_where_it_gives_the_same_bytes() {
        let json = "application/json; charset=utf-8";
        for (text, form) in [
            ("{\"b\":1,\"a\":[true,\"x\"]}", "json"),
            ("{\"b\":1.5}", "json"),
            ("{\"b\": 1}", "body"),
            ("{\"n\":12345678901234567890123}", "body"),
            ("{\"n\":1.10}", "body"),
            ("{\"n\":1.0}", "json"),
            ("{\"n\":1e3}", "body"),
            ("{\"a\":1,\"a\":2}", "body"),
            ("null", "body"),
            ("{\"a\":1}\n", "body"),
            ("{\"u\":\"\\ud83d\\ude00\"}", "body"),
            ("", "body"),
        ] {
            assert_eq!(form_of(json, text.as_bytes()), form, "{text}");
        }
        let urlencoded = "application/x-www-form-urlencoded";
        for (text, form) in [
            ("a=1&b=x+y", "form"),
            ("b=1&a=2", "body"),
            ("a=1&a=2", "body"),
            ("a=x%20y", "body"),
            ("flag", "body"),
            ("q=caf%E9", "body"),
            ("{\"a\":1}", "body"),
            ("raw text & more", "body"),
            ("", "body"),
        ] {
            assert_eq!(form_of(urlencoded, text.as_bytes()), form, "{text}");
        }
        assert_eq!(form_of("image/png", b"\x89PNG\xff"), "bodyBase64");
        assert_eq!(form_of("application/vnd.api+json", b"{\"a\":1}"), "json");
    }
}
