//! JSON with `${…}` in its texts, written out at once instead of being built as a tree for each request.

use serde_json::Value;

use super::expression::{Expression, Symbols};
use super::scope::{NotSet, Scope};
use super::text::{Part, Template};
use crate::scenario::error::Mistake;
use crate::scenario::located::Located;
use crate::scenario::untyped::Untyped;

#[derive(Clone, Debug)]
enum Piece {
    /// JSON as it is.
    Literal(String),
    /// A value of its own type.
    Typed(Expression),
    /// A text, to be quoted.
    Text(Template),
}

/// JSON with `${…}` in its texts.
#[derive(Clone, Debug)]
pub(crate) struct JsonTemplate(Vec<Piece>);

impl JsonTemplate {
    /// Reads a document whose names are among `symbols`; `place` names it in errors.
    pub(crate) fn parse(json: &Located<Untyped>, place: &str, symbols: &Symbols) -> Result<Self, Mistake> {
        let mut template = Self(Vec::new());
        template.add(&json.value, json.line, place, symbols)?;
        Ok(template)
    }

    /// The document, filled in.
    pub(crate) fn fill(&self, scope: &mut Scope<'_>) -> Result<String, NotSet> {
        let mut text = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Literal(literal) => text.push_str(literal),
                Piece::Typed(expression) => text.push_str(&expression.value(scope)?.to_json()),
                Piece::Text(template) => text.push_str(&quoted(&template.fill(scope)?)),
            }
        }
        Ok(text)
    }

    fn add(
        &mut self,
        value: &Untyped,
        line: Option<u64>,
        place: &str,
        symbols: &Symbols,
    ) -> Result<(), Mistake> {
        match value {
            Untyped::Text(text) => {
                let mut template = Template::parse(&Located { value: text.clone(), line }, place, symbols)?;
                if let Some(fixed) = template.fixed() {
                    self.literal(&quoted(fixed));
                } else if template.is_single_expression() {
                    if let Some(Part::Expression(expression)) = template.0.pop() {
                        self.0.push(Piece::Typed(expression));
                    }
                } else {
                    self.0.push(Piece::Text(template));
                }
            }
            Untyped::List(entries) => {
                self.literal("[");
                for (index, entry) in entries.iter().enumerate() {
                    self.literal(if index == 0 { "" } else { "," });
                    self.add(entry, line, place, symbols)?;
                }
                self.literal("]");
            }
            Untyped::Map(fields) => {
                self.literal("{");
                for (index, (name, field)) in fields.iter().enumerate() {
                    self.literal(if index == 0 { "" } else { "," });
                    self.literal(&quoted(name));
                    self.literal(":");
                    self.add(field, line, place, symbols)?;
                }
                self.literal("}");
            }
            other => self.literal(&other.to_json()),
        }
        Ok(())
    }

    fn literal(&mut self, text: &str) {
        match self.0.last_mut() {
            Some(Piece::Literal(literal)) => literal.push_str(text),
            _ => self.0.push(Piece::Literal(text.to_owned())),
        }
    }
}

/// A text as JSON writes it.
fn quoted(text: &str) -> String {
    Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::text::tests::{symbols, with_scope};
    use super::{JsonTemplate, Untyped};

    #[test]
    fn a_document_is_filled_in_and_stays_json() {
        let document = json!({
            "price": "${item.price}", "text": "for ${item.price} \"€\"", "nested": [1, null, {"user": "${userNumber}"}],
            "as text": "${text(item.price)}", "plain": "x",
        });
        let template = JsonTemplate::parse(&Untyped::from(document).into(), "json", &symbols()).unwrap();
        let filled: Value = serde_json::from_str(&with_scope(|scope| template.fill(scope)).unwrap()).unwrap();
        assert_eq!(
            filled,
            json!({
                "price": 12.5, "text": "for 12.5 \"€\"", "nested": [1, null, {"user": 7}],
                "as text": "12.5", "plain": "x",
            })
        );
    }

    #[test]
    fn an_unknown_name_deep_inside_is_found() {
        let document = json!({"a": [{"b": "${nobody}"}]});
        assert!(JsonTemplate::parse(&Untyped::from(document).into(), "json", &symbols()).is_err());
    }
}
