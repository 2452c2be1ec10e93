//! The methods that a scenario can send, in capital or small letters.

use std::borrow::Cow;

use http::Method;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The methods of the IANA registry that a client may send to a service; CONNECT makes a tunnel and is not one.
pub const METHODS: [&str; 39] = [
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "PATCH",
    "DELETE",
    "OPTIONS",
    "TRACE",
    "QUERY",
    "ACL",
    "BASELINE-CONTROL",
    "BIND",
    "CHECKIN",
    "CHECKOUT",
    "COPY",
    "LABEL",
    "LINK",
    "LOCK",
    "MERGE",
    "MKACTIVITY",
    "MKCALENDAR",
    "MKCOL",
    "MKREDIRECTREF",
    "MKWORKSPACE",
    "MOVE",
    "ORDERPATCH",
    "PROPFIND",
    "PROPPATCH",
    "PURGE",
    "REBIND",
    "REPORT",
    "SEARCH",
    "UNBIND",
    "UNCHECKOUT",
    "UNLINK",
    "UNLOCK",
    "UPDATE",
    "UPDATEREDIRECTREF",
    "VERSION-CONTROL",
];

/// A method.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct MethodName(pub(crate) Method);

impl MethodName {
    /// The method that a name stands for; none where it cannot be sent.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        let known = METHODS.iter().find(|known| known.eq_ignore_ascii_case(name))?;
        known.parse().ok().map(Self)
    }

    /// Whether a request with it has no body here: one with a body is not passed on everywhere.
    pub(crate) fn is_without_body(&self) -> bool {
        matches!(self.0, Method::GET | Method::HEAD | Method::TRACE)
    }
}

impl<'de> Deserialize<'de> for MethodName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::from_name(&name).ok_or_else(|| {
            D::Error::custom(format!(
                "`{}` is not a method, expected GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS or another of the IANA registry",
                excerpt::excerpt(&name)
            ))
        })
    }
}

impl Serialize for MethodName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.as_str())
    }
}

impl JsonSchema for MethodName {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "MethodName".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let names: Vec<_> =
            METHODS.iter().flat_map(|name| [(*name).to_owned(), name.to_ascii_lowercase()]).collect();
        json_schema!({"type": "string", "description": "The method, in capital or small letters.", "enum": names})
    }
}
