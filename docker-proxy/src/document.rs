//! Reads a JSON body that means the same to the proxy and to the engine, or refuses it.
//!
//! The engine is written in Go, whose `encoding/json` takes the name of a member in whatever case and lets a second member
//! of that name add to the first. What is judged here would then not be what is done there.

use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Error, Value};

/// The body's value; an error where it is no JSON, or has an object with two members whose names Go takes for one.
pub(super) fn read(body: &[u8]) -> Result<Value, Error> {
    let Unambiguous = serde_json::from_slice(body)?;
    serde_json::from_slice(body)
}

/// The names of members, other than these, of an object; none if it is no object.
pub(super) fn members_besides<'a>(value: &'a Value, known: &[&str]) -> Option<Vec<&'a str>> {
    let members = value.as_object()?.keys().map(String::as_str);
    Some(members.filter(|name| !known.contains(name)).collect())
}

/// A value in which each name stands once.
struct Unambiguous;

impl<'de> Deserialize<'de> for Unambiguous {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Unambiguous;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Unambiguous, A::Error> {
        let mut seen = HashSet::new();
        while let Some(name) = members.next_key::<String>()? {
            if !seen.insert(folded(&name)) {
                return Err(A::Error::custom(format!("`{name}` stands there twice, in whatever case")));
            }
            let Unambiguous = members.next_value()?;
        }
        Ok(Unambiguous)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Unambiguous, A::Error> {
        while items.next_element::<Unambiguous>()?.is_some() {}
        Ok(Unambiguous)
    }

    fn visit_unit<E>(self) -> Result<Unambiguous, E> {
        Ok(Unambiguous)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Unambiguous, E> {
        Ok(Unambiguous)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Unambiguous, E> {
        Ok(Unambiguous)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Unambiguous, E> {
        Ok(Unambiguous)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Unambiguous, E> {
        Ok(Unambiguous)
    }

    fn visit_str<E>(self, _: &str) -> Result<Unambiguous, E> {
        Ok(Unambiguous)
    }
}

/// Equal for names that Go takes for one: by way of capitals, because `ſ` and `K` (the unit) are an s and a k to it.
fn folded(name: &str) -> String {
    name.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_can_be_read_in_one_way_only_is_read() {
        let body = json!({"a": [1, -2, 3.5, null, true, {"b": "c"}], "d": {"b": {}}});
        assert_eq!(read(body.to_string().as_bytes()).unwrap(), body);
    }

    #[test]
    fn a_name_that_stands_there_twice_is_refused_in_whatever_case() {
        for body in [
            r#"{"HostConfig": {"Privileged": true}, "HostConfig": {}}"#,
            r#"{"HostConfig": {}, "hostconfig": {"Privileged": true}}"#,
            r#"{"HostConfig": {"Memory": 1000, "memory": 0}}"#,
            r#"{"HostConfig": {}, "Hoſtconfig": null}"#,
            "{\"NetworkMode\": \"a\", \"Networ\u{212a}Mode\": \"host\"}",
            r#"[{"a": [{"b": 1, "B": 2}]}]"#,
        ] {
            let refused = read(body.as_bytes()).unwrap_err().to_string();
            assert!(refused.contains("twice"), "{body}: {refused}");
        }
        for no_json in ["", "{", "{} {}", "nothing"] {
            assert!(read(no_json.as_bytes()).is_err(), "`{no_json}`");
        }
    }

    #[test]
    fn foreign_members_are_named() {
        let value = json!({"Container": "a", "container": "b"});
        assert_eq!(members_besides(&value, &["Container"]), Some(vec!["container"]));
        assert_eq!(members_besides(&Value::Null, &[]), None);
    }
}
