//! A text with `${…}` in it.

use std::borrow::Cow;

use excerpt::excerpt;

use super::expression::{Expression, Symbols};
use super::scope::{NotSet, Scope};
use crate::scenario::error::Mistake;
use crate::scenario::located::Located;

#[derive(Clone, Debug)]
pub(super) enum Part {
    Literal(String),
    Expression(Expression),
}

/// A text with `${…}` in it.
#[derive(Clone, Debug)]
pub(crate) struct Template(pub(super) Vec<Part>);

impl Template {
    /// Reads a text whose names are among `symbols`; `place` names it in errors.
    pub(crate) fn parse(text: &Located<String>, place: &str, symbols: &Symbols) -> Result<Self, Mistake> {
        let refuse = |problem: String, hint: String| {
            Mistake::new(text.line, format!("`{place}` is `{}`: {problem}", excerpt(&text.value)), hint)
        };
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text.value.as_str();
        while let Some(at) = rest.find("${") {
            if let Some(before) = rest[..at].strip_suffix('$') {
                literal.push_str(before);
                literal.push_str("${");
                rest = &rest[at + 2..];
                continue;
            }
            literal.push_str(&rest[..at]);
            let Some(length) = rest[at..].find('}') else {
                return Err(refuse(
                    "`${` is not closed".to_owned(),
                    "close it with `}`, or write `$${` for the two characters themselves".to_owned(),
                ));
            };
            let expression = Expression::parse(&rest[at + 2..at + length], symbols)
                .map_err(|(problem, hint)| refuse(problem, hint))?;
            if !literal.is_empty() {
                parts.push(Part::Literal(std::mem::take(&mut literal)));
            }
            parts.push(Part::Expression(expression));
            rest = &rest[at + length + 1..];
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            parts.push(Part::Literal(literal));
        }
        Ok(Self(parts))
    }

    /// The text, where it is always the same.
    pub(crate) fn fixed(&self) -> Option<&str> {
        match self.0.as_slice() {
            [] => Some(""),
            [Part::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// Whether the text is one `${…}` and nothing else.
    pub(crate) fn is_single_expression(&self) -> bool {
        matches!(self.0.as_slice(), [Part::Expression(_)])
    }

    /// The text, filled in.
    pub(crate) fn fill(&self, scope: &mut Scope<'_>) -> Result<Cow<'_, str>, NotSet> {
        self.fill_with(scope, String::push_str)
    }

    /// The text, filled in; `append` writes each value behind what there is.
    pub(crate) fn fill_with(
        &self,
        scope: &mut Scope<'_>,
        append: impl Fn(&mut String, &str),
    ) -> Result<Cow<'_, str>, NotSet> {
        if let Some(text) = self.fixed() {
            return Ok(Cow::Borrowed(text));
        }
        let mut text = String::new();
        for part in &self.0 {
            match part {
                Part::Literal(literal) => text.push_str(literal),
                Part::Expression(expression) => append(&mut text, &expression.value(scope)?.as_text()),
            }
        }
        Ok(Cow::Owned(text))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::json;
    use workload::Streams;

    use super::{NotSet, Scope, Symbols, Template};
    use crate::scenario::untyped::Untyped;

    pub(crate) fn symbols() -> Symbols {
        let mut symbols = Symbols::default();
        for name in ["name", "item.price", "unset"] {
            symbols.add(name);
        }
        symbols
    }

    pub(crate) fn with_scope<T>(test: impl FnOnce(&mut Scope<'_>) -> T) -> T {
        let values: Vec<Option<Untyped>> = vec![Some(json!("a/b").into()), Some(json!(12.5).into()), None];
        let mut stream = Streams::from_seed(1).stream("user-1");
        test(&mut Scope { values: &values, stream: &mut stream, user_number: 7, iteration: 3 })
    }

    fn fill(text: &str) -> Result<String, NotSet> {
        let template = Template::parse(&text.to_owned().into(), "path", &symbols()).expect(text);
        with_scope(|scope| template.fill(scope).map(std::borrow::Cow::into_owned))
    }

    #[test]
    fn texts_are_filled_in() {
        for (text, filled) in [
            ("", ""),
            ("plain", "plain"),
            ("/items/${name}?p=${item.price}!", "/items/a/b?p=12.5!"),
            ("${userNumber}-${iteration}", "7-3"),
            ("costs $5, $${name} is not filled in", "costs $5, ${name} is not filled in"),
            ("${ oneOf(only) }", "only"),
            ("${randomInt(4, 4)} ${randomDecimal(2, 2, 2)}", "4 2.0"),
        ] {
            assert_eq!(fill(text).as_deref(), Ok(filled), "{text}");
        }
        assert_eq!(fill("${unset}"), Err(NotSet));
    }

    #[test]
    fn what_cannot_be_filled_in_is_refused_with_what_would_do() {
        for (text, part) in [
            ("${nmae}", "`nmae` is not known"),
            ("${nmae}", "item.price, name"),
            ("${name", "not closed"),
            ("${}", "empty"),
            ("${random(1)}", "no function"),
            ("${randomInt(1)}", "two whole numbers"),
            ("${randomInt(5, 1)}", "two whole numbers"),
            ("${randomInt(a, b)}", "two whole numbers"),
            ("${randomDecimal(1, 2, 20)}", "decimals"),
            ("${oneOf()}", "at least one"),
            ("${number(1)}", "is not known"),
            ("${randomInt(1, 2}", "bracket"),
        ] {
            let mistake = Template::parse(&text.to_owned().into(), "path", &symbols()).expect_err(text);
            let all = format!("{} {}", mistake.problem, mistake.hint);
            assert!(all.contains(part), "`{part}` is missing: {all}");
            assert!(mistake.problem.contains(text), "{all}");
        }
    }
}
