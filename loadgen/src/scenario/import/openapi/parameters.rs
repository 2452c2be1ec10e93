//! Writes the values of parameters as OpenAPI's table of styles says ("Style Values" and "Style Examples").

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::super::super::untyped::Untyped;

/// All that RFC 3986 (section 2.3) does not call unreserved.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What stays encoded where reserved characters are allowed: `#` would end the query.
const ALLOWED: &AsciiSet = &RESERVED
    .remove(b':')
    .remove(b'/')
    .remove(b'?')
    .remove(b'[')
    .remove(b']')
    .remove(b'@')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=');

/// Where a parameter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Path,
    Query,
    Header,
    Cookie,
}

impl Place {
    pub(super) fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "path" => Self::Path,
            "query" => Self::Query,
            "header" => Self::Header,
            "cookie" => Self::Cookie,
            _ => return None,
        })
    }
}

/// How a parameter is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style<'a> {
    pub(super) name: &'a str,
    pub(super) explode: bool,
    pub(super) allow_reserved: bool,
}

impl<'a> Style<'a> {
    /// As the parameter says, or else as its place does.
    pub(super) fn of(parameter: &'a Untyped, place: Place) -> Self {
        let by_place = match place {
            Place::Path | Place::Header => "simple",
            Place::Query | Place::Cookie => "form",
        };
        let name = parameter.get("style").and_then(Untyped::as_str).unwrap_or(by_place);
        let explode = parameter.get("explode").map_or(matches!(name, "form" | "cookie"), Untyped::is_true);
        Self { name, explode, allow_reserved: parameter.get("allowReserved").is_some_and(Untyped::is_true) }
    }

    /// Whether a single value is written as it is.
    pub(super) fn is_plain(self) -> bool {
        matches!(self.name, "simple" | "form" | "cookie")
    }

    fn encoded(self, text: &str) -> String {
        utf8_percent_encode(text, if self.allow_reserved { ALLOWED } else { RESERVED }).to_string()
    }
}

/// A segment of a path, in the styles `simple`, `label` and `matrix`.
pub(super) fn segment(name: &str, value: &Untyped, style: Style<'_>) -> String {
    let encoded = |text: &str| style.encoded(text);
    match style.name {
        "label" => {
            let (separator, joined) = if style.explode { (".", "=") } else { (",", ",") };
            format!(".{}", list(value, separator, joined, encoded))
        }
        "matrix" => {
            let named = |value: String| {
                if value.is_empty() { format!(";{name}") } else { format!(";{name}={value}") }
            };
            match value {
                Untyped::List(entries) if style.explode => {
                    entries.iter().map(|entry| named(encoded(&entry.as_text()))).collect()
                }
                Untyped::Map(fields) if style.explode => {
                    let field = |(name, value): &(String, Untyped)| {
                        [";", &encoded(name), "=", &encoded(&value.as_text())].concat()
                    };
                    fields.iter().map(field).collect()
                }
                value => named(list(value, ",", ",", encoded)),
            }
        }
        _ => simple(value, style.explode, encoded),
    }
}

/// A header's value, in the style `simple`; nothing is encoded in a header.
pub(super) fn header(value: &Untyped, style: Style<'_>) -> String {
    simple(value, style.explode, str::to_owned)
}

/// The pairs of a query, in the styles `form`, `spaceDelimited`, `pipeDelimited` and `deepObject`.
pub(super) fn query(name: &str, value: &Untyped, style: Style<'_>) -> Vec<String> {
    let encoded = |text: &str| style.encoded(text);
    let name = encoded(name);
    let separator = match style.name {
        "spaceDelimited" => "%20",
        "pipeDelimited" => "%7C",
        _ => ",",
    };
    match value {
        Untyped::Map(_) if style.name == "deepObject" => {
            let mut pairs = Vec::new();
            deep(&name, value, encoded, &mut pairs);
            pairs
        }
        Untyped::List(entries) if style.explode || style.name == "deepObject" => {
            entries.iter().map(|entry| format!("{name}={}", encoded(&entry.as_text()))).collect()
        }
        Untyped::Map(fields) if style.explode => fields
            .iter()
            .map(|(field, value)| format!("{}={}", encoded(field), encoded(&value.as_text())))
            .collect(),
        value => vec![format!("{name}={}", list(value, separator, separator, encoded))],
    }
}

/// The pairs of a cookie, in the style `form`; where the standard has no form, one pair as JSON's text.
pub(super) fn cookie(name: &str, value: &Untyped, style: Style<'_>) -> Vec<String> {
    query(name, value, style)
}

/// `o[k]=v`, and `o[k][l]=v` for objects within objects, as most servers read it.
fn deep(name: &str, value: &Untyped, encoded: impl Fn(&str) -> String + Copy, pairs: &mut Vec<String>) {
    match value {
        Untyped::Map(fields) => {
            for (field, value) in fields {
                deep(&format!("{name}[{}]", encoded(field)), value, encoded, pairs);
            }
        }
        Untyped::List(entries) => {
            pairs.extend(entries.iter().map(|entry| format!("{name}={}", encoded(&entry.as_text()))));
        }
        value => pairs.push(format!("{name}={}", encoded(&value.as_text()))),
    }
}

fn simple(value: &Untyped, explode: bool, encoded: impl Fn(&str) -> String) -> String {
    list(value, ",", if explode { "=" } else { "," }, encoded)
}

/// A value, a list, or an object as names and values.
fn list(value: &Untyped, separator: &str, joined: &str, encoded: impl Fn(&str) -> String) -> String {
    match value {
        Untyped::List(entries) => {
            let entries: Vec<_> = entries.iter().map(|entry| encoded(&entry.as_text())).collect();
            entries.join(separator)
        }
        Untyped::Map(fields) => {
            let field = |(name, value): &(String, Untyped)| {
                format!("{}{joined}{}", encoded(name), encoded(&value.as_text()))
            };
            let fields: Vec<_> = fields.iter().map(field).collect();
            fields.join(separator)
        }
        value => encoded(&value.as_text()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Place, Style, Untyped, header, query, segment};

    fn style(place: Place, name: &'static str, explode: bool) -> Untyped {
        assert!(matches!(place, Place::Path | Place::Query | Place::Header | Place::Cookie));
        json!({"style": name, "explode": explode}).into()
    }

    /// The standard's own examples.
    fn values() -> [Untyped; 4] {
        let list = json!(["blue", "black", "brown"]);
        [json!("").into(), json!("blue").into(), list.into(), object()]
    }

    fn object() -> Untyped {
        let field = |name: &str, value: i64| (name.to_owned(), Untyped::from(Value::from(value)));
        Untyped::Map(vec![field("R", 100), field("G", 200), field("B", 150)])
    }

    #[test]
    fn each_style_is_written_as_the_standards_table_says() {
        let rows: [(&str, bool, [&str; 4]); 6] = [
            (
                "matrix",
                false,
                [";color", ";color=blue", ";color=blue,black,brown", ";color=R,100,G,200,B,150"],
            ),
            (
                "matrix",
                true,
                [";color", ";color=blue", ";color=blue;color=black;color=brown", ";R=100;G=200;B=150"],
            ),
            ("label", false, [".", ".blue", ".blue,black,brown", ".R,100,G,200,B,150"]),
            ("label", true, [".", ".blue", ".blue.black.brown", ".R=100.G=200.B=150"]),
            ("simple", false, ["", "blue", "blue,black,brown", "R,100,G,200,B,150"]),
            ("simple", true, ["", "blue", "blue,black,brown", "R=100,G=200,B=150"]),
        ];
        for (name, explode, expected) in rows {
            let parameter = style(Place::Path, name, explode);
            let style = Style::of(&parameter, Place::Path);
            let written = values().map(|value| segment("color", &value, style));
            assert_eq!(written, expected, "{name}, explode {explode}");
            if name == "simple" {
                assert_eq!(values().map(|value| header(&value, style)), expected, "in a header");
            }
        }
        let rows: [(&str, bool, [&str; 4]); 7] = [
            ("form", false, ["color=", "color=blue", "color=blue,black,brown", "color=R,100,G,200,B,150"]),
            (
                "form",
                true,
                ["color=", "color=blue", "color=blue&color=black&color=brown", "R=100&G=200&B=150"],
            ),
            (
                "spaceDelimited",
                false,
                ["color=", "color=blue", "color=blue%20black%20brown", "color=R%20100%20G%20200%20B%20150"],
            ),
            (
                "spaceDelimited",
                true,
                ["color=", "color=blue", "color=blue&color=black&color=brown", "R=100&G=200&B=150"],
            ),
            (
                "pipeDelimited",
                false,
                ["color=", "color=blue", "color=blue%7Cblack%7Cbrown", "color=R%7C100%7CG%7C200%7CB%7C150"],
            ),
            (
                "deepObject",
                true,
                [
                    "color=",
                    "color=blue",
                    "color=blue&color=black&color=brown",
                    "color[R]=100&color[G]=200&color[B]=150",
                ],
            ),
            (
                "deepObject",
                false,
                [
                    "color=",
                    "color=blue",
                    "color=blue&color=black&color=brown",
                    "color[R]=100&color[G]=200&color[B]=150",
                ],
            ),
        ];
        for (name, explode, expected) in rows {
            let parameter = style(Place::Query, name, explode);
            let style = Style::of(&parameter, Place::Query);
            assert_eq!(
                values().map(|value| query("color", &value, style).join("&")),
                expected,
                "{name}, explode {explode}"
            );
        }
    }

    #[test]
    fn a_place_has_a_style_of_its_own_and_reserved_characters_are_encoded() {
        let nothing: Untyped = json!({}).into();
        let list: Untyped = json!(["a/b", "c d"]).into();
        assert_eq!(query("q", &list, Style::of(&nothing, Place::Query)), ["q=a%2Fb", "q=c%20d"]);
        assert_eq!(query("q", &list, Style::of(&nothing, Place::Cookie)), ["q=a%2Fb", "q=c%20d"]);
        assert_eq!(segment("q", &list, Style::of(&nothing, Place::Path)), "a%2Fb,c%20d");
        assert_eq!(header(&list, Style::of(&nothing, Place::Header)), "a/b,c d");
        let reserved: Untyped = json!({"allowReserved": true}).into();
        let url: Untyped = json!("http://x/?a=1#b é").into();
        assert_eq!(query("u", &url, Style::of(&reserved, Place::Query)), ["u=http://x/?a=1%23b%20%C3%A9"]);
    }
}
