//! Finds the metrics and the label matchers of a PromQL expression.
//!
//! Not a parser: whether an expression is right is promtool's matter. It only has to tell a metric's name from a
//! function, a keyword, a label, a number and a duration.

/// A metric as an expression selects it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Selector {
    pub(crate) metric: String,
    pub(crate) matchers: Vec<Matcher>,
}

/// `label="value"`, with any of the four operators.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Matcher {
    pub(crate) label: String,
    pub(crate) operator: String,
    pub(crate) value: String,
}

const OPERATORS: [&str; 8] = ["and", "or", "unless", "atan2", "bool", "offset", "inf", "nan"];

/// Keywords after which labels follow in brackets, that may also be left out.
const LABEL_LISTS: [&str; 6] = ["by", "without", "on", "ignoring", "group_left", "group_right"];

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Text(String),
    Sign(char),
}

fn tokens(expression: &str) -> Vec<Token> {
    let mut rest = expression.chars().peekable();
    let mut tokens = Vec::new();
    while let Some(first) = rest.next() {
        let mut take_while = |start: String, wanted: fn(char) -> bool| {
            let mut word = start;
            while let Some(next) = rest.next_if(|next| wanted(*next)) {
                word.push(next);
            }
            word
        };
        match first {
            '"' | '\'' | '`' => {
                let mut text = String::new();
                while let Some(next) = rest.next() {
                    match next {
                        '\\' if first != '`' => text.extend(rest.next()),
                        end if end == first => break,
                        other => text.push(other),
                    }
                }
                tokens.push(Token::Text(text));
            }
            '#' => drop(take_while(String::new(), |next| next != '\n')),
            // A number takes its unit along: `5m` is not a metric called `m`.
            digit if digit.is_ascii_digit() => {
                drop(take_while(String::new(), |next| next.is_ascii_alphanumeric() || next == '.'));
            }
            letter if letter.is_ascii_alphabetic() || "_:$".contains(letter) => {
                let word = take_while(letter.to_string(), |next| {
                    next.is_ascii_alphanumeric() || "_:".contains(next)
                });
                tokens.push(Token::Word(word));
            }
            space if space.is_whitespace() => {}
            sign => tokens.push(Token::Sign(sign)),
        }
    }
    tokens
}

/// The index behind the bracket that closes the one at `open`.
fn behind(tokens: &[Token], open: usize, closing: char) -> usize {
    let end = tokens[open..].iter().position(|token| *token == Token::Sign(closing));
    end.map_or(tokens.len(), |length| open + length + 1)
}

fn matchers(tokens: &[Token]) -> Vec<Matcher> {
    let mut found = Vec::new();
    let mut label = String::new();
    let mut operator = String::new();
    for token in tokens {
        match token {
            Token::Word(word) => {
                label.clone_from(word);
                operator.clear();
            }
            Token::Sign(sign) => operator.push(*sign),
            Token::Text(value) => {
                found.push(Matcher {
                    label: label.clone(),
                    operator: operator.clone(),
                    value: value.clone(),
                });
            }
        }
    }
    found
}

/// What an expression selects, in its order.
pub(crate) fn selectors(expression: &str) -> Vec<Selector> {
    let tokens = tokens(expression);
    let sign_at = |index: usize, sign: char| tokens.get(index) == Some(&Token::Sign(sign));
    let mut found = Vec::new();
    let mut index = 0;
    while index < tokens.len() {
        match &tokens[index] {
            Token::Sign('[') => index = behind(&tokens, index, ']'),
            Token::Word(word) if LABEL_LISTS.contains(&word.as_str()) => {
                index += 1;
                if sign_at(index, '(') {
                    index = behind(&tokens, index, ')');
                }
            }
            Token::Word(word) => {
                index += 1;
                let aggregates =
                    matches!(tokens.get(index), Some(Token::Word(next)) if next == "by" || next == "without");
                if OPERATORS.contains(&word.as_str()) || aggregates || sign_at(index, '(') {
                    continue;
                }
                let mut selector = Selector { metric: word.clone(), matchers: Vec::new() };
                if sign_at(index, '{') {
                    let end = behind(&tokens, index, '}');
                    selector.matchers = matchers(&tokens[index + 1..end - 1]);
                    index = end;
                }
                found.push(selector);
            }
            _ => index += 1,
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::selectors;

    fn names(expression: &str) -> Vec<String> {
        selectors(expression).into_iter().map(|selector| selector.metric).collect()
    }

    #[test]
    fn metrics_are_told_from_everything_else() {
        assert_eq!(
            names("sum by (le) (rate(a_bucket{job=\"b\"}[5m])) / clamp_min(sum(c), 1e-9)"),
            ["a_bucket", "c"]
        );
        assert_eq!(names("a * on (job, instance) group_left (replica) b or on () vector(0)"), ["a", "b"]);
        assert_eq!(names("max(a offset 5s) > bool 3 and level:metric:rate5m"), ["a", "level:metric:rate5m"]);
        assert_eq!(names("sum(increase(a[$__range])) # and b\n- c"), ["a", "c"]);
        assert_eq!(names("sum(a) without (job)"), ["a"]);
    }

    #[test]
    fn matchers_belong_to_their_metric() {
        let found = selectors(r#"a{x="1", y=~"p|\"q}"} + b"#);
        assert_eq!(found[0].matchers.len(), 2, "{found:?}");
        assert_eq!(found[0].matchers[1].label, "y");
        assert_eq!(found[0].matchers[1].operator, "=~");
        assert_eq!(found[0].matchers[1].value, "p|\"q}");
        assert!(found[1].matchers.is_empty());
    }
}
