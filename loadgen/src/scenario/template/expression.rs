//! What stands inside `${…}`: a variable or a function.

use std::collections::BTreeMap;

use excerpt::excerpt;
use rand::RngExt;
use serde_json::Value;

use super::scope::{NotSet, Scope};
use crate::scenario::untyped::{Number, Untyped};

/// The most decimals of a random decimal.
const MOST_DECIMALS: u32 = 9;

/// The names that a kind of user may come to know, each with its place among the user's values.
#[derive(Clone, Debug, Default)]
pub(crate) struct Symbols(BTreeMap<String, usize>);

impl Symbols {
    /// The place of `name`, which is new or known.
    pub(crate) fn add(&mut self, name: &str) -> usize {
        let next = self.0.len();
        *self.0.entry(name.to_owned()).or_insert(next)
    }

    /// The place of `name`.
    pub(crate) fn get(&self, name: &str) -> Option<usize> {
        self.0.get(name).copied()
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// All names, for a hint.
    fn list(&self) -> String {
        let names: Vec<_> = self.0.keys().map(String::as_str).collect();
        names.join(", ")
    }
}

#[derive(Clone, Debug)]
pub(super) enum Expression {
    Variable(usize),
    Number(usize),
    Text(usize),
    UserNumber,
    Iteration,
    Uuid,
    RandomInt { from: i64, to: i64 },
    RandomDecimal { from: i64, to: i64, per_unit: i64 },
    OneOf(Vec<String>),
}

const FUNCTIONS: &str = "variables, userNumber, iteration, uuid, randomInt(from, to), randomDecimal(from, to, decimals), \
                         oneOf(a, b, …), number(variable), text(variable)";

impl Expression {
    /// Reads the text between the braces; an error is a problem and a hint.
    pub(super) fn parse(text: &str, symbols: &Symbols) -> Result<Self, (String, String)> {
        let text = text.trim();
        let refuse =
            |problem: &str| Err((format!("`{}` {problem}", excerpt(text)), format!("there are {FUNCTIONS}")));
        match text {
            "" => return Err(("`${}` is empty".to_owned(), format!("there are {FUNCTIONS}"))),
            "userNumber" => return Ok(Self::UserNumber),
            "iteration" => return Ok(Self::Iteration),
            "uuid" => return Ok(Self::Uuid),
            _ => {}
        }
        let Some((function, rest)) = text.split_once('(') else {
            return lookup(text, symbols).map(Self::Variable);
        };
        let Some(inside) = rest.strip_suffix(')') else {
            return refuse("lacks its closing bracket");
        };
        let arguments: Vec<&str> =
            inside.split(',').map(str::trim).filter(|argument| !argument.is_empty()).collect();
        match (function.trim(), arguments.as_slice()) {
            ("randomInt", [from, to]) => match (from.parse(), to.parse()) {
                (Ok(from), Ok(to)) if from <= to => Ok(Self::RandomInt { from, to }),
                _ => refuse("takes two whole numbers, the smaller first"),
            },
            ("randomInt", _) => refuse("takes two whole numbers, the smaller first"),
            ("randomDecimal", [from, to, decimals]) => {
                match (from.parse::<i64>(), to.parse::<i64>(), decimals.parse::<u32>()) {
                    (Ok(from), Ok(to), Ok(decimals)) if from <= to && decimals <= MOST_DECIMALS => {
                        let per_unit = 10_i64.pow(decimals);
                        match (from.checked_mul(per_unit), to.checked_mul(per_unit)) {
                            (Some(from), Some(to)) => Ok(Self::RandomDecimal { from, to, per_unit }),
                            _ => refuse("takes smaller numbers for so many decimals"),
                        }
                    }
                    _ => refuse("takes two whole numbers, the smaller first, and 0 to 9 decimals"),
                }
            }
            ("randomDecimal", _) => refuse("takes two whole numbers, the smaller first, and 0 to 9 decimals"),
            ("oneOf", []) => refuse("takes at least one choice"),
            ("oneOf", choices) => Ok(Self::OneOf(choices.iter().map(|&choice| choice.to_owned()).collect())),
            ("number", [name]) => lookup(name, symbols).map(Self::Number),
            ("text", [name]) => lookup(name, symbols).map(Self::Text),
            _ => refuse("is no function"),
        }
    }

    /// Its value for this user, now.
    pub(super) fn value(&self, scope: &mut Scope<'_>) -> Result<Untyped, NotSet> {
        let variable = |index: &usize| scope.values.get(*index).and_then(Option::as_ref).ok_or(NotSet);
        Ok(match self {
            Self::Variable(index) => variable(index)?.clone(),
            Self::Number(index) => match variable(index)? {
                number @ Untyped::Number(_) => number.clone(),
                other => {
                    let text = other.as_text();
                    let is_number = serde_json::from_str::<serde_json::Number>(text.trim()).is_ok();
                    is_number.then(|| Untyped::Number(Number::plain(text.trim().to_owned()))).ok_or(NotSet)?
                }
            },
            Self::Text(index) => Untyped::Text(variable(index)?.as_text().into_owned()),
            Self::UserNumber => Value::from(scope.user_number).into(),
            Self::Iteration => Value::from(scope.iteration).into(),
            Self::Uuid => Untyped::Text(uuid(scope)),
            Self::RandomInt { from, to } => Value::from(scope.stream.random_range(*from..=*to)).into(),
            Self::RandomDecimal { from, to, per_unit } => {
                Value::from(scope.stream.random_range(*from..=*to) as f64 / *per_unit as f64).into()
            }
            Self::OneOf(choices) => {
                Untyped::Text(choices[scope.stream.random_range(0..choices.len())].clone())
            }
        })
    }
}

fn lookup(name: &str, symbols: &Symbols) -> Result<usize, (String, String)> {
    symbols.get(name).ok_or_else(|| {
        let known = symbols.list();
        let hint = if known.is_empty() {
            format!("this user has no variables yet; there are {FUNCTIONS}")
        } else {
            format!(
                "this user knows {known}; a feeder's columns are FEEDER.COLUMN, after a step `feed: FEEDER`"
            )
        };
        (format!("`{}` is not known", excerpt(name)), hint)
    })
}

/// A UUID of version 4 (RFC 9562) from the user's own stream.
fn uuid(scope: &mut Scope<'_>) -> String {
    let bits: u128 = scope.stream.random();
    let bits = (bits & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
    let hex = format!("{bits:032x}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::super::text::tests::{symbols, with_scope};
    use super::{Expression, Untyped};

    #[test]
    fn random_values_stay_within_their_bounds() {
        let evaluate = |text: &str| {
            let expression = Expression::parse(text, &symbols()).expect(text);
            with_scope(|scope| (0..1000).map(|_| expression.value(scope).unwrap()).collect::<Vec<_>>())
        };
        let whole = evaluate("randomInt(1, 3)");
        let number = |value: &Untyped| value.to_json().parse::<f64>().unwrap();
        let found: BTreeSet<_> = whole.iter().map(Untyped::to_json).collect();
        assert_eq!(found.into_iter().collect::<Vec<_>>(), ["1", "2", "3"]);
        for decimal in evaluate("randomDecimal(1, 2, 2)") {
            let cents = number(&decimal) * 100.0;
            assert!((100.0..=200.0).contains(&cents) && (cents - cents.round()).abs() < 1e-9, "{decimal:?}");
        }
        let uuids = evaluate("uuid");
        let first = uuids[0].as_str().unwrap();
        assert!(first.len() == 36 && &first[14..15] == "4" && "89ab".contains(&first[19..20]), "{first}");
        assert_ne!(uuids[0], uuids[1]);
    }

    #[test]
    fn a_variable_changes_its_type_only_when_asked() {
        with_scope(|scope| {
            let mut value = |text: &str| Expression::parse(text, &symbols()).expect(text).value(scope);
            assert_eq!(value("item.price"), Ok(json!(12.5).into()));
            assert_eq!(value("text(item.price)"), Ok("12.5".into()));
            assert_eq!(value("number(item.price)"), Ok(json!(12.5).into()));
            assert!(value("number(name)").is_err(), "`a/b` is no number");
        });
    }
}
