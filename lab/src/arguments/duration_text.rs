//! A duration in a document as people write it in a flag: `1m2s30ms`.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serializer, de};

use super::values::duration;

pub(super) fn serialize<S: Serializer>(value: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&humantime::format_duration(*value).to_string().replace(' ', ""))
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    duration(&String::deserialize(deserializer)?).map_err(de::Error::custom)
}
