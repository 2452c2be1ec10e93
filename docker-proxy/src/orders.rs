//! Tells which order of the Docker API a request is; whatever is not named here is refused.

use http::Method;

use super::document;

/// What a scaler may ask of an engine, as far as method and path tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// Whether the engine lives, and which versions of the API it speaks.
    Greet,
    /// The containers with these labels.
    List {
        labels: Vec<String>,
    },
    /// What a container is like.
    InspectContainer {
        id: String,
    },
    /// What an image is like.
    InspectImage,
    /// A new container.
    Create,
    /// Start, stop, or connect a container that is there.
    Start {
        id: String,
    },
    Stop {
        id: String,
    },
    Remove {
        id: String,
    },
    /// Put a container, which the body names, into a network.
    Connect {
        network: String,
    },
}

impl Order {
    /// Reads method, path and query; none if it is nothing that a scaler needs.
    pub(super) fn read(method: &Method, path: &str, query: Option<&str>) -> Option<Self> {
        let path = without_version(path)?;
        let query = Query::read(query.unwrap_or_default())?;
        if let Some(image) = path.strip_prefix("images/").and_then(|rest| rest.strip_suffix("/json")) {
            let is_name = is_made_of(image, "/:@%") && !image.contains("..");
            return (method == Method::GET && is_name && query.says_only(&[])).then_some(Self::InspectImage);
        }
        let segments: Vec<&str> = path.split('/').collect();
        let id = segments.get(1).filter(|id| is_made_of(id, "")).map(|id| (*id).to_owned());
        let (order, options): (Self, &[&str]) = match (method.as_str(), segments.as_slice()) {
            ("GET" | "HEAD", ["_ping"]) | ("GET", ["version"]) => (Self::Greet, &[]),
            ("GET", ["containers", "json"]) => (
                Self::List { labels: labels_of(query.value("filters")?)? },
                &["all", "limit", "size", "filters"],
            ),
            ("POST", ["containers", "create"]) => (Self::Create, &["name", "platform"]),
            ("GET", ["containers", _, "json"]) => (Self::InspectContainer { id: id? }, &["size"]),
            ("POST", ["containers", _, "start"]) => (Self::Start { id: id? }, &["detachKeys"]),
            ("POST", ["containers", _, "stop"]) => (Self::Stop { id: id? }, &["signal", "t"]),
            ("DELETE", ["containers", _]) => (Self::Remove { id: id? }, &["force", "link", "v"]),
            ("POST", ["networks", _, "connect"]) => (Self::Connect { network: id? }, &[]),
            _ => return None,
        };
        query.says_only(options).then_some(order)
    }
}

/// The options behind the path, in the form in which nobody can read them otherwise: each name once and literally.
struct Query<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Query<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let mut options: Vec<(&str, &str)> = Vec::new();
        // A semicolon parts options too for some.
        for option in text.split('&').filter(|option| !option.is_empty()) {
            let (name, value) = option.split_once('=').unwrap_or((option, ""));
            let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric()) && !value.contains(';');
            if !is_plain || options.iter().any(|(known, _)| *known == name) {
                return None;
            }
            options.push((name, value));
        }
        Some(Self(options))
    }

    fn value(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }

    fn says_only(&self, names: &[&str]) -> bool {
        self.0.iter().all(|(name, _)| names.contains(name))
    }
}

/// The path after `/` or `/v1.41/`.
fn without_version(path: &str) -> Option<&str> {
    let path = path.strip_prefix('/')?;
    match path.split_once('/') {
        Some((version, rest)) if is_version(version) => Some(rest),
        _ => Some(path),
    }
}

fn is_version(text: &str) -> bool {
    text.strip_prefix('v').is_some_and(|number| {
        !number.is_empty() && number.chars().all(|letter| letter.is_ascii_digit() || letter == '.')
    })
}

/// Whether a name can mean nothing but itself: letters, digits, `_`, `.`, `-`, and what else is given.
fn is_made_of(name: &str, more: &str) -> bool {
    let is_plain =
        |letter: char| letter.is_ascii_alphanumeric() || "_.-".contains(letter) || more.contains(letter);
    name.chars().all(is_plain) && name.starts_with(|letter: char| letter.is_ascii_alphanumeric())
}

/// The labels that a list is narrowed down to; none if that cannot be read.
fn labels_of(filters: &str) -> Option<Vec<String>> {
    let filters = document::read(percent_decoded(filters)?.as_bytes()).ok()?;
    let labels = filters.get("label")?.as_array()?;
    labels.iter().map(|label| label.as_str().map(str::to_owned)).collect()
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            b'+' => b' ',
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(method: &str, uri: &str) -> Option<Order> {
        let (path, query) = uri.split_once('?').map_or((uri, None), |(path, query)| (path, Some(query)));
        Order::read(&method.parse().unwrap(), path, query)
    }

    #[test]
    fn what_a_scaler_needs_is_recognised_with_and_without_a_version() {
        assert_eq!(read("GET", "/version"), Some(Order::Greet));
        assert_eq!(read("HEAD", "/_ping"), Some(Order::Greet));
        let list = "/v1.41/containers/json?all=true&filters=%7B%22label%22%3A%5B%22a%3Db%22%5D%7D";
        assert_eq!(read("GET", list), Some(Order::List { labels: vec!["a=b".to_owned()] }));
        assert_eq!(read("POST", "/v1.41/containers/create?name=x"), Some(Order::Create));
        let id = || "lab-webapp-2".to_owned();
        assert_eq!(read("GET", "/containers/lab-webapp-2/json"), Some(Order::InspectContainer { id: id() }));
        assert_eq!(read("POST", "/v1.41/containers/lab-webapp-2/start"), Some(Order::Start { id: id() }));
        assert_eq!(read("POST", "/v1.41/containers/lab-webapp-2/stop?t=35"), Some(Order::Stop { id: id() }));
        assert_eq!(
            read("DELETE", "/v1.41/containers/lab-webapp-2?force=true"),
            Some(Order::Remove { id: id() })
        );
        assert_eq!(read("GET", "/v1.41/images/autoscale-lab%2Flab:0.1.0/json"), Some(Order::InspectImage));
        assert_eq!(read("GET", "/images/sha256:0123/json"), Some(Order::InspectImage));
        let network = "lab_edge".to_owned();
        assert_eq!(read("POST", "/v1.41/networks/lab_edge/connect"), Some(Order::Connect { network }));
    }

    #[test]
    fn everything_else_is_not() {
        for (method, uri) in [
            ("GET", "/info"),
            ("GET", "/containers/json"),
            ("GET", "/containers/json?filters=nonsense"),
            ("GET", "/containers/json?filters=%7B%22name%22%3A%5B%22a%22%5D%7D"),
            ("GET", "/containers/json?%66ilters=%7B%7D&filters=%7B%22label%22%3A%5B%22a%3Db%22%5D%7D"),
            ("GET", "/containers/json?filters=%7B%7D&filters=%7B%22label%22%3A%5B%22a%3Db%22%5D%7D"),
            ("GET", "/containers/json?filters=%7B%22label%22%3A%5B%22a%3Db%22%5D%7D;filters=%7B%7D"),
            ("GET", "/containers/json?filters=%7B%22label%22%3A%5B%22a%3Db%22%5D%2C%22label%22%3A%5B%5D%7D"),
            ("GET", "/containers/json?filters=%7B%22label%22%3A%5B%22a%3Db%22%5D%7D&before=a"),
            ("POST", "/containers/a/start?checkpoint=a&checkpoint-dir=/"),
            ("POST", "/containers/a/exec"),
            ("POST", "/exec/a/start"),
            ("GET", "/containers/a/archive?path=/"),
            ("PUT", "/containers/a/archive?path=/"),
            ("POST", "/containers/a/attach"),
            ("POST", "/containers/a/update"),
            ("POST", "/containers/a/rename?name=b"),
            ("POST", "/containers/a/kill"),
            ("POST", "/containers/prune"),
            ("GET", "/containers/../info/json"),
            ("GET", "/containers/a%2F..%2Fb/json"),
            ("GET", "/images/../containers/json"),
            ("GET", "/images/a/../../containers/b/json"),
            ("GET", "/images/json"),
            ("POST", "/images/create?fromImage=a"),
            ("POST", "/build"),
            ("POST", "/networks/create"),
            ("DELETE", "/networks/a"),
            ("POST", "/volumes/create"),
            ("POST", "/swarm/init"),
            ("POST", "/session"),
            ("GET", "//version"),
            ("GET", "/v1.41/v1.41/version"),
            ("GET", ""),
        ] {
            assert_eq!(read(method, uri), None, "{method} {uri}");
        }
    }
}
