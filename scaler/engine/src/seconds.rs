//! Writes spans in JSON as a number of seconds, for fields whose names end in `_seconds`.

use core::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A span, or none, as a number of seconds.
pub(crate) trait Seconds: Sized {
    /// How it stands in JSON.
    type Number: Serialize + for<'de> Deserialize<'de>;

    /// The number.
    fn to_number(&self) -> Self::Number;

    /// The span; none if the number is negative or too large for one.
    fn from_number(number: Self::Number) -> Option<Self>;
}

impl Seconds for Duration {
    type Number = f64;

    fn to_number(&self) -> f64 {
        self.as_secs_f64()
    }

    fn from_number(number: f64) -> Option<Self> {
        Self::try_from_secs_f64(number).ok()
    }
}

impl Seconds for Option<Duration> {
    type Number = Option<f64>;

    fn to_number(&self) -> Option<f64> {
        self.as_ref().map(Duration::as_secs_f64)
    }

    fn from_number(number: Option<f64>) -> Option<Self> {
        number.map_or(Some(None), |number| Duration::from_number(number).map(Some))
    }
}

pub(crate) fn serialize<T: Seconds, S: Serializer>(span: &T, serializer: S) -> Result<S::Ok, S::Error> {
    span.to_number().serialize(serializer)
}

pub(crate) fn deserialize<'de, T: Seconds, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    let number = T::Number::deserialize(deserializer)?;
    T::from_number(number).ok_or_else(|| D::Error::custom("expected a number of seconds of at least 0"))
}
