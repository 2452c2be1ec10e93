//! The annotations `autoscaling.knative.dev/…` of a revision.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use excerpt::excerpt;

use crate::fields::nearest;
use crate::problem::Problems;

const PREFIX: &str = "autoscaling.knative.dev/";

/// Where they stand.
const PATH: &str = "spec.template.metadata.annotations";

/// Whether this is the name of a scaling annotation.
pub(super) fn is_scaling(name: &str) -> bool {
    name.starts_with(PREFIX)
}

/// The annotations, of which each known one is taken once.
#[derive(Debug, Default)]
pub(super) struct Annotations {
    texts: BTreeMap<String, String>,
    known: Vec<&'static str>,
}

impl Annotations {
    pub(super) fn of(texts: BTreeMap<String, String>) -> Self {
        Self { texts, known: Vec::new() }
    }

    /// The field of an annotation, as it is written: `min-scale` is also known as `minScale`.
    pub(super) fn field(&self, name: &str) -> String {
        format!("{PATH}[{PREFIX}{}]", self.written(name).unwrap_or_else(|| name.to_owned()))
    }

    fn written(&self, name: &str) -> Option<String> {
        [name.to_owned(), camel_case(name)]
            .into_iter()
            .find(|name| self.texts.contains_key(&format!("{PREFIX}{name}")))
    }

    pub(super) fn text(&mut self, name: &'static str) -> Option<String> {
        self.known.push(name);
        let written = self.written(name)?;
        self.texts.get(&format!("{PREFIX}{written}")).cloned()
    }

    pub(super) fn wrong(&self, name: &'static str, expected: &str, problems: &mut Problems) {
        let field = self.field(name);
        let text = self.written(name).and_then(|written| self.texts.get(&format!("{PREFIX}{written}")));
        let value = format!("`{}`", excerpt(text.map_or("", String::as_str)));
        problems.wrong(&field, value, expected, "annotations are texts: write the value in quotes");
    }

    pub(super) fn number(
        &mut self,
        name: &'static str,
        range: RangeInclusive<f64>,
        problems: &mut Problems,
    ) -> Option<f64> {
        let text = self.text(name)?;
        let number = text.parse::<f64>().ok().filter(|number| number.is_finite() && range.contains(number));
        if number.is_none() {
            let expected = if range.end().is_infinite() {
                format!("a number of at least {}", range.start())
            } else {
                format!("a number from {} to {}", range.start(), range.end())
            };
            self.wrong(name, &expected, problems);
        }
        number
    }

    pub(super) fn count(&mut self, name: &'static str, least: u32, problems: &mut Problems) -> Option<u32> {
        let text = self.text(name)?;
        let count =
            text.parse::<u32>().ok().filter(|count| *count >= least && *count <= i32::MAX.unsigned_abs());
        if count.is_none() {
            self.wrong(name, &format!("a whole number of at least {least}"), problems);
        }
        count
    }

    /// A span of whole seconds, as Go writes it: `60s`, `1m30s`.
    pub(super) fn span(
        &mut self,
        name: &'static str,
        seconds: RangeInclusive<u64>,
        problems: &mut Problems,
    ) -> Option<Duration> {
        let text = self.text(name)?;
        let span =
            go_span(&text).filter(|span| span.subsec_nanos() == 0 && seconds.contains(&span.as_secs()));
        if span.is_none() {
            let expected = format!(
                "whole seconds from {}s to {}s, such as 60s or 1m30s",
                seconds.start(),
                seconds.end()
            );
            self.wrong(name, &expected, problems);
        }
        span
    }

    /// Tells of scaling annotations that are not known.
    pub(super) fn finish(self, problems: &mut Problems) {
        let known_camel: Vec<String> = self.known.iter().map(|name| camel_case(name)).collect();
        for name in self.texts.keys().filter_map(|name| name.strip_prefix(PREFIX)) {
            if self.known.contains(&name) || known_camel.iter().any(|known| known == name) {
                continue;
            }
            let field = format!("{PATH}[{PREFIX}{name}]");
            let meant = nearest(name, self.known.iter().copied());
            let meant = meant.map(|meant| format!("; did you mean {PREFIX}{meant}?")).unwrap_or_default();
            problems.notice(&field, format!("`{}` is not known and has no effect{meant}", excerpt(&field)));
        }
    }
}

fn camel_case(name: &str) -> String {
    let mut words = name.split('-');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |mut camel, word| {
        let mut letters = word.chars();
        camel.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        camel.push_str(letters.as_str());
        camel
    })
}

/// A span of time as Go's `time.ParseDuration` reads it, without signs: numbers, each with a unit.
fn go_span(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let mut rest = text;
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let unit_at = rest.find(|character: char| !character.is_ascii_digit() && character != '.')?;
        let number: f64 = rest[..unit_at].parse().ok()?;
        rest = &rest[unit_at..];
        let unit_end =
            rest.find(|character: char| character.is_ascii_digit() || character == '.').unwrap_or(rest.len());
        let factor = match &rest[..unit_end] {
            "h" => 3_600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 1e-3,
            "us" | "µs" => 1e-6,
            "ns" => 1e-9,
            _ => return None,
        };
        seconds += number * factor;
        rest = &rest[unit_end..];
    }
    if text.is_empty() { None } else { Duration::try_from_secs_f64(seconds).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_those_of_go() {
        for (text, seconds) in
            [("60s", 60.0), ("1m30s", 90.0), ("1h", 3_600.0), ("1.5m", 90.0), ("0", 0.0), ("500ms", 0.5)]
        {
            assert_eq!(go_span(text), Some(Duration::from_secs_f64(seconds)), "{text}");
        }
        for text in ["", "60", "s", "1x", "-1s", "1m 30s", "1e400s", "."] {
            assert_eq!(go_span(text), None, "{text}");
        }
    }

    #[test]
    fn annotations_have_an_older_name_in_camel_case() {
        assert_eq!(camel_case("target-utilization-percentage"), "targetUtilizationPercentage");
        assert_eq!(camel_case("window"), "window");
    }
}
