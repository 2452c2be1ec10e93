//! Single values of a scenario file that have a notation of their own: times and statuses.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use excerpt::excerpt;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The longest time in a scenario.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// A time with its unit: `250ms`, `3s`, `1m`; at most a day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct WaitTime(pub(crate) Duration);

impl<'de> Deserialize<'de> for WaitTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match humantime::parse_duration(&text) {
            Ok(time) if time <= LONGEST => Ok(Self(time)),
            _ => Err(D::Error::custom(format!(
                "`{}` is no time, expected one with its unit such as 250ms, 3s or 1m, at most 24h",
                excerpt(&text)
            ))),
        }
    }
}

impl Serialize for WaitTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&humantime::format_duration(self.0).to_string().replace(' ', ""))
    }
}

impl JsonSchema for WaitTime {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "WaitTime".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A time with its unit: 250ms, 3s, 1m.",
            "pattern": "^([0-9]+ *(ns|us|ms|s|sec|m|min|h|hr)[a-z]* *)+$"
        })
    }
}

/// Statuses that are right: single ones, and hundreds such as `2xx`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Statuses(Vec<Status>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    One(u16),
    Hundred(u16),
}

impl Statuses {
    /// A single status; none where there is no such one.
    pub(crate) fn one(status: u16) -> Option<Self> {
        (100..=599).contains(&status).then(|| Self(vec![Status::One(status)]))
    }

    /// These, or any that says that all went well.
    pub(crate) fn or_success(mut self) -> Self {
        self.0.push(Status::Hundred(2));
        self
    }

    /// Whether `status` is one of them.
    pub(crate) fn contain(&self, status: u16) -> bool {
        self.0.iter().any(|known| match known {
            Status::One(one) => *one == status,
            Status::Hundred(hundred) => status / 100 == *hundred,
        })
    }
}

impl Status {
    fn from_number<E: Error>(number: u64) -> Result<Self, E> {
        match u16::try_from(number) {
            Ok(status) if (100..=599).contains(&status) => Ok(Self::One(status)),
            _ => Err(E::custom(format!("`{number}` is no status, expected 100 to 599 or one such as 2xx"))),
        }
    }

    fn from_text<E: Error>(text: &str) -> Result<Self, E> {
        let hundred = text.strip_suffix("xx").and_then(|digit| digit.parse().ok());
        match hundred {
            Some(hundred @ 1..=5) => Ok(Self::Hundred(hundred)),
            _ => text.parse().map_or_else(
                |_| {
                    Err(E::custom(format!(
                        "`{}` is no status, expected one such as 200 or 2xx",
                        excerpt(text)
                    )))
                },
                Self::from_number,
            ),
        }
    }
}

impl fmt::Display for Statuses {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, status) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            match status {
                Status::One(status) => write!(formatter, "{separator}{status}")?,
                Status::Hundred(hundred) => write!(formatter, "{separator}{hundred}xx")?,
            }
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for Statuses {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Notation;

        impl<'de> Visitor<'de> for Notation {
            type Value = Statuses;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a status such as 200 or 2xx, or a list of them")
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Statuses, E> {
                Status::from_number(number).map(|status| Statuses(vec![status]))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Statuses, E> {
                self.visit_u64(u64::try_from(number).unwrap_or_default())
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Statuses, E> {
                Status::from_text(text).map(|status| Statuses(vec![status]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Statuses, A::Error> {
                let mut statuses = Vec::new();
                while let Some(Statuses(more)) = list.next_element()? {
                    statuses.extend(more);
                }
                if statuses.is_empty() {
                    return Err(A::Error::custom("the list of statuses is empty, expected at least one"));
                }
                Ok(Statuses(statuses))
            }
        }

        deserializer.deserialize_any(Notation)
    }
}

impl Serialize for Statuses {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.as_slice() {
            [Status::One(status)] => serializer.serialize_u16(*status),
            [status] => serializer.collect_str(&Self(vec![*status])),
            several => serializer.collect_seq(several.iter().map(|status| Self(vec![*status]).to_string())),
        }
    }
}

impl JsonSchema for Statuses {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Statuses".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let one = json_schema!({
            "anyOf": [
                {"type": "integer", "minimum": 100, "maximum": 599},
                {"type": "string", "pattern": "^[1-5](xx|[0-9][0-9])$"}
            ]
        });
        json_schema!({"anyOf": [one, {"type": "array", "minItems": 1, "items": one}]})
    }
}

#[cfg(test)]
mod tests {
    use super::{Statuses, WaitTime};

    #[test]
    fn statuses_are_read_in_every_notation() {
        for (text, right, wrong) in
            [("200", 200, 201), ("2xx", 299, 300), ("\"404\"", 404, 400), ("[200, 4xx]", 404, 201)]
        {
            let statuses: Statuses = serde_saphyr::from_str(text).expect(text);
            assert!(statuses.contain(right) && !statuses.contain(wrong), "{text}: {statuses}");
            let again: Statuses =
                serde_saphyr::from_str(&serde_saphyr::to_string(&statuses).unwrap()).unwrap();
            assert_eq!(again, statuses);
        }
        for text in ["99", "600", "9xx", "ok", "[]", "[200, ok]", "-200", "{}"] {
            assert!(serde_saphyr::from_str::<Statuses>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_time_has_a_unit_and_an_end() {
        for text in ["3", "-1s", "25h", "soon", "[]"] {
            assert!(serde_saphyr::from_str::<WaitTime>(text).is_err(), "{text}");
        }
        let time: WaitTime = serde_saphyr::from_str("1m 30s").unwrap();
        assert_eq!(serde_saphyr::to_string(&time).unwrap().trim(), "1m30s");
    }
}
