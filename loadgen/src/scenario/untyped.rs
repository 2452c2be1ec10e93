//! A value without a type of its own, read by the core schema of YAML 1.2 or from JSON.
//!
//! The YAML library reads `NO`, `on` and `y` as booleans and `01234` as a decimal fraction, as older YAML did. So the
//! value keeps where it stands, and [`Untyped::settle`] reads it again from the text of the file. A number keeps the
//! text as it was written: `1.10` in a path stays `1.10`.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;
use serde_saphyr::Spanned;

mod core_schema;
mod fields;

use core_schema::{Plain, core_schema};
pub(crate) use fields::Fields;

/// How deep JSON may be nested; the YAML library has a limit of its own.
const DEEPEST: usize = 120;

/// A value of any type.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Untyped {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Untyped>),
    /// The fields in their order.
    Map(Vec<(String, Untyped)>),
    /// A value as the YAML library read it, and the bytes of the file where it stands.
    Unsettled {
        value: Value,
        start: usize,
        end: usize,
    },
}

/// A number, as JSON writes it and as the file wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Number {
    json: String,
    /// Where JSON would not write it so.
    written: Option<String>,
}

impl Number {
    /// A number that JSON writes as it stands.
    pub(crate) fn plain(json: String) -> Self {
        Self { json, written: None }
    }
}

impl From<Plain> for Untyped {
    fn from(scalar: Plain) -> Self {
        match scalar {
            Plain::Null => Self::Null,
            Plain::Bool(value) => Self::Bool(value),
            Plain::Number { json, written } => Self::Number(Number { json, written }),
            Plain::Text(text) => Self::Text(text),
        }
    }
}

impl Untyped {
    /// Reads JSON; numbers keep their digits.
    pub(crate) fn from_json(text: &str) -> Result<Self, serde_json::Error> {
        let raw: &RawValue = serde_json::from_str(text)?;
        Self::from_raw(raw, DEEPEST)
    }

    fn from_raw(raw: &RawValue, depth: usize) -> Result<Self, serde_json::Error> {
        let text = raw.get();
        if depth == 0 {
            return Err(serde_json::Error::custom(format!("nested deeper than {DEEPEST}")));
        }
        Ok(match text.as_bytes().first() {
            Some(b'{') => {
                let Fields(fields) = serde_json::from_str(text)?;
                let read = |(name, raw): (String, &RawValue)| Ok((name, Self::from_raw(raw, depth - 1)?));
                Self::Map(fields.into_iter().map(read).collect::<Result<_, serde_json::Error>>()?)
            }
            Some(b'[') => {
                let entries: Vec<&RawValue> = serde_json::from_str(text)?;
                let read = |raw| Self::from_raw(raw, depth - 1);
                Self::List(entries.into_iter().map(read).collect::<Result<_, _>>()?)
            }
            Some(b'"') => Self::Text(serde_json::from_str(text)?),
            Some(b'-' | b'0'..=b'9') => Self::Number(Number::plain(text.to_owned())),
            _ => Self::from(serde_json::from_str::<Value>(text)?),
        })
    }

    /// Reads each value that `source`, the text of the file, holds by the core schema of YAML 1.2.
    pub(crate) fn settle(&mut self, source: &str) {
        match self {
            Self::List(entries) => entries.iter_mut().for_each(|entry| entry.settle(source)),
            Self::Map(fields) => fields.iter_mut().for_each(|(_, field)| field.settle(source)),
            Self::Unsettled { value, start, end } => {
                let value = std::mem::take(value);
                // A text in quotes is one whatever it says, and the library says so itself; but it writes numbers that
                // are too large for it as infinities.
                let is_text = value.as_str().is_some_and(|text| !matches!(text, ".inf" | "-.inf" | ".nan"));
                let plain = source.get(*start..*end).filter(|_| !is_text);
                *self = plain.and_then(core_schema).map_or_else(|| Self::from(value), Self::from);
            }
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) => {}
        }
    }

    /// The field called `name`; none where it is missing or this is no mapping.
    pub(crate) fn get(&self, name: &str) -> Option<&Self> {
        self.fields().iter().find(|(known, _)| known == name).map(|(_, field)| field)
    }

    /// The fields; none where this is no mapping.
    pub(crate) fn fields(&self) -> &[(String, Self)] {
        match self {
            Self::Map(fields) => fields,
            _ => &[],
        }
    }

    /// The entries; none where this is no list.
    pub(crate) fn entries(&self) -> &[Self] {
        match self {
            Self::List(entries) => entries,
            _ => &[],
        }
    }

    /// The text; none where this is none.
    pub(crate) fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Whether this is `true`.
    pub(crate) fn is_true(&self) -> bool {
        matches!(self, Self::Bool(true))
    }

    /// The value as it stands in a text: a text without quotes, a number as it was written, anything else as JSON.
    pub(crate) fn as_text(&self) -> Cow<'_, str> {
        match self {
            Self::Text(text) => Cow::Borrowed(text),
            Self::Number(number) => Cow::Borrowed(number.written.as_ref().unwrap_or(&number.json)),
            other => Cow::Owned(other.to_json()),
        }
    }

    /// The value as JSON without spaces.
    pub(crate) fn to_json(&self) -> String {
        let mut text = String::new();
        self.write_json(&mut text);
        text
    }

    fn write_json(&self, written: &mut String) {
        match self {
            Self::Number(number) => written.push_str(&number.json),
            Self::List(entries) => {
                for (index, entry) in entries.iter().enumerate() {
                    written.push(if index == 0 { '[' } else { ',' });
                    entry.write_json(written);
                }
                written.push_str(if entries.is_empty() { "[]" } else { "]" });
            }
            Self::Map(fields) => {
                for (index, (name, field)) in fields.iter().enumerate() {
                    written.push(if index == 0 { '{' } else { ',' });
                    written.push_str(&Value::from(name.as_str()).to_string());
                    written.push(':');
                    field.write_json(written);
                }
                written.push_str(if fields.is_empty() { "{}" } else { "}" });
            }
            Self::Null => written.push_str("null"),
            Self::Bool(value) => written.push_str(if *value { "true" } else { "false" }),
            Self::Text(text) => written.push_str(&Value::from(text.as_str()).to_string()),
            Self::Unsettled { value, .. } => written.push_str(&value.to_string()),
        }
    }
}

/// A value as the YAML library reads it.
enum Read {
    Scalar(Value),
    List(Vec<Untyped>),
    Map(Vec<(String, Untyped)>),
}

impl<'de> Deserialize<'de> for Read {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;

        impl<'de> Visitor<'de> for Any {
            type Value = Read;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a value")
            }

            fn visit_unit<E: Error>(self) -> Result<Read, E> {
                Ok(Read::Scalar(Value::Null))
            }

            fn visit_bool<E: Error>(self, value: bool) -> Result<Read, E> {
                Ok(Read::Scalar(value.into()))
            }

            fn visit_i64<E: Error>(self, value: i64) -> Result<Read, E> {
                Ok(Read::Scalar(value.into()))
            }

            fn visit_u64<E: Error>(self, value: u64) -> Result<Read, E> {
                Ok(Read::Scalar(value.into()))
            }

            fn visit_f64<E: Error>(self, value: f64) -> Result<Read, E> {
                // What JSON cannot write is kept as a text, and read again from the file.
                Ok(Read::Scalar(serde_json::Number::from_f64(value).map_or(Value::Null, Value::Number)))
            }

            fn visit_str<E: Error>(self, value: &str) -> Result<Read, E> {
                Ok(Read::Scalar(value.into()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Read, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = list.next_element()? {
                    entries.push(entry);
                }
                Ok(Read::List(entries))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Read, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Read::Map(fields))
            }
        }

        deserializer.deserialize_any(Any)
    }
}

impl<'de> Deserialize<'de> for Untyped {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Read>::deserialize(deserializer)?;
        Ok(match spanned.value {
            Read::List(entries) => Self::List(entries),
            Read::Map(fields) => Self::Map(fields),
            Read::Scalar(value) => {
                // Where it is defined: an alias stands for the value that has the anchor.
                let span = spanned.defined.span();
                let place = |at: Option<u64>| at.and_then(|at| usize::try_from(at).ok());
                match (place(span.byte_offset()), place(span.byte_len())) {
                    (Some(start), Some(length)) => Self::Unsettled { value, start, end: start + length },
                    _ => Self::from(value),
                }
            }
        })
    }
}

impl From<Value> for Untyped {
    fn from(value: Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(value),
            Value::Number(number) => Self::Number(Number::plain(number.to_string())),
            Value::String(text) => Self::Text(text),
            Value::Array(entries) => Self::List(entries.into_iter().map(Self::from).collect()),
            Value::Object(fields) => {
                Self::Map(fields.into_iter().map(|(name, field)| (name, Self::from(field))).collect())
            }
        }
    }
}

impl From<&str> for Untyped {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl Serialize for Untyped {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            // Nearest that a serializer takes; who needs the very digits writes them as a text.
            Self::Number(number) => serde_json::from_str::<serde_json::Number>(&number.json)
                .unwrap_or_else(|_| 0.into())
                .serialize(serializer),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(entries) => serializer.collect_seq(entries),
            Self::Map(fields) => serializer.collect_map(fields.iter().map(|(name, field)| (name, field))),
            Self::Unsettled { value, .. } => value.serialize(serializer),
        }
    }
}

impl JsonSchema for Untyped {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        Value::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Value::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::Untyped;

    /// The value as JSON, and as a text.
    fn yaml(scalar: &str) -> (String, String) {
        let source = format!("# ü\nother: 1\nvalue: {scalar}\n");
        let options = serde_saphyr::options! {
            non_finite_float_policy: serde_saphyr::NonFiniteFloatPolicy::AsString,
        };
        let mut read: Untyped = serde_saphyr::from_str_with_options(&source, options)
            .unwrap_or_else(|error| panic!("{scalar}: {error}"));
        read.settle(&source);
        let value = read.get("value").expect(scalar);
        (value.to_json(), value.as_text().into_owned())
    }

    #[test]
    fn scalars_are_read_by_the_core_schema() {
        for text in [
            "NO",
            "no",
            "y",
            "Y",
            "n",
            "on",
            "On",
            "off",
            "yes",
            "YES",
            "1_000",
            "0b101",
            "1__0",
            "2026-01-31",
            "2026-01-31T12:00:00Z",
            "12:30",
            "1:20:30",
            "1.2.3",
            "0x",
            "0o9",
            "0xG",
            "nan",
            ".nan",
            "-.inf",
            ".inf",
            "e3",
            "1e",
            "+",
            ".",
            "NULLs",
            "tRue",
            "0X1F",
            "0O17",
            "1e+",
            "--1",
            "１２",
        ] {
            assert_eq!(yaml(text), (format!("\"{text}\""), text.to_owned()));
        }
        for (text, json) in [
            ("12", "12"),
            ("+12", "12"),
            ("-7", "-7"),
            ("0", "0"),
            ("01234", "1234"),
            ("0123", "123"),
            ("-007", "-7"),
            ("000", "0"),
            ("0o17", "15"),
            ("0x1F", "31"),
            ("1.10", "1.10"),
            ("1e3", "1e3"),
            ("1E-3", "1e-3"),
            (".5", "0.5"),
            ("5.", "5"),
            ("007.50", "7.50"),
            ("12345678901234567890123", "12345678901234567890123"),
            ("1e999", "1e999"),
        ] {
            assert_eq!(yaml(text), (json.to_owned(), text.to_owned()));
            if text != "1e999" {
                assert!(serde_json::from_str::<f64>(json).is_ok(), "{json} is JSON");
            }
        }
        for (text, json) in [
            ("true", "true"),
            ("FALSE", "false"),
            ("null", "null"),
            ("~", "null"),
            ("", "null"),
            ("\"no\"", "\"no\""),
            ("'01234'", "\"01234\""),
            ("!!str 12", "\"12\""),
            ("!!str no", "\"no\""),
            ("\"\\u0041\"", "\"A\""),
            ("|\n  no\n", "\"no\\n\""),
            ("two words", "\"two words\""),
            ("[no, 01, {y: on}]", "[\"no\",1,{\"y\":\"on\"}]"),
            ("{b: 1, a: 2}", "{\"b\":1,\"a\":2}"),
        ] {
            assert_eq!(yaml(text).0, json, "{text}");
        }
    }

    #[test]
    fn an_alias_is_what_its_anchor_says() {
        let source =
            "a: &a NO\nn: &n 0123\nt: &t !!str 5\nb: [*a, *n, *t]\nc: {<<: &m {on: off, z: 1.10}, own: y}\n";
        let mut read: Untyped = serde_saphyr::from_str(source).unwrap();
        read.settle(source);
        assert_eq!(read.get("a").unwrap().to_json(), "\"NO\"");
        assert_eq!(read.get("n").unwrap().to_json(), "123");
        assert_eq!(read.get("b").unwrap().to_json(), "[\"NO\",123,\"5\"]");
        let merged = read.get("c").unwrap();
        assert_eq!(merged.get("on").unwrap().to_json(), "\"off\"");
        assert_eq!(merged.get("z").unwrap().as_text(), "1.10");
        assert_eq!(merged.get("own").unwrap().to_json(), "\"y\"");
    }

    #[test]
    fn json_keeps_its_digits_and_its_order() {
        for text in [
            r#"{"b":1.10,"a":[1e3,-0,12345678901234567890123,null,true],"c":{"":""}}"#,
            "[]",
            "{}",
            r#"["\n\"ü🙂"]"#,
        ] {
            assert_eq!(Untyped::from_json(text).unwrap().to_json(), text);
        }
        assert_eq!(Untyped::from_json(r#"{"a":1,"b":2,"a":3}"#).unwrap().to_json(), r#"{"a":3,"b":2}"#);
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        for text in ["", "{", "[1,]", "nul", "01", "\"\\ud800\"", deep.as_str()] {
            assert!(Untyped::from_json(text).is_err(), "{text:.40}");
        }
    }
}
