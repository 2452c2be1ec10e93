//! A description of an API, as OpenAPI 3 writes it, as one task for each operation.

use std::time::Duration;

use http::{HeaderName, HeaderValue};

use super::super::compile::names::MOST_REQUESTS;
use super::super::document::{StepDocument, TaskDocument, Wait};
use super::super::error::Mistake;
use super::super::method::MethodName;
use super::super::untyped::Untyped;
use super::super::values::WaitTime;
use super::made::{Made, literal, on_host, quoted, step};
use super::notes::Kind;
use api::{Api, Operation, Variables};
use parameters::{Place, Style};

mod api;
mod body;
mod example;
mod parameters;
mod reference;
mod security;
mod selection;
mod server;
mod xml;

/// Headers that OpenAPI says to ignore as parameters, and those that the load generator sets itself.
const IGNORED_HEADERS: [&str; 8] = [
    "accept",
    "content-type",
    "authorization",
    "host",
    "connection",
    "content-length",
    "transfer-encoding",
    "traceparent",
];

const OPERATIONS: [&str; 2] = ["operation", "operations"];
const PATHS: [&str; 2] = ["path", "paths"];
const PARAMETERS: [&str; 2] = ["parameter", "parameters"];

const PATH_ELSEWHERE: Kind = Kind {
    verb: "left out",
    noun: PATHS,
    which: "whose `$ref` leads out of the file or nowhere (join the files first)",
};
const OPERATION_ELSEWHERE: Kind =
    Kind { verb: "left out", noun: OPERATIONS, which: "whose `$ref` leads out of the file or nowhere" };
const PARAMETER_ELSEWHERE: Kind =
    Kind { verb: "left out", noun: PARAMETERS, which: "whose `$ref` leads out of the file or nowhere" };
const NO_BODY: Kind = Kind { verb: "left out", noun: OPERATIONS, which: "for which no body can be made" };
const BODY_OF_GET: Kind =
    Kind { verb: "left out", noun: ["body", "bodies"], which: "of methods that have none here" };
const UNDECLARED: Kind =
    Kind { verb: "filled", noun: PARAMETERS, which: "of paths that are declared nowhere with `1`" };
const UNKNOWN_METHOD: Kind =
    Kind { verb: "left out", noun: OPERATIONS, which: "whose method cannot be sent" };
const UNSENDABLE_HEADER: Kind =
    Kind { verb: "left out", noun: ["header", "headers"], which: "whose name or value no header can have" };
const TOO_MANY: Kind = Kind {
    verb: "left out",
    noun: OPERATIONS,
    which: "beyond the 500 that a scenario can have (--tags TAG,… imports a part)",
};

/// Makes a task for each operation that has one of `tags`, or for all where there are none.
pub(super) fn scenario(description: &Untyped, tags: &[String]) -> Result<Made, Mistake> {
    check_version(description)?;
    let api = Api::new(description);
    let all = api.operations();
    let chosen = selection::with_tags(&all, tags)?;
    let mut variables = Variables::default();
    let mut tasks = Vec::new();
    let mut security = security::Needed::default();
    let mut hosts = server::Hosts::default();
    for operation in chosen {
        if tasks.len() >= MOST_REQUESTS {
            api.count(TOO_MANY, &operation.title());
            continue;
        }
        if let Some(task) = api.task(&operation, &mut variables) {
            security.add(description, operation.fields);
            hosts.add(&api, &operation);
            tasks.push(task);
        }
    }
    let title = description.get("info").and_then(|info| info.get("title")).and_then(Untyped::as_str);
    let mut notes = api.notes.into_inner();
    if tasks.is_empty() {
        let counted = notes.counted();
        let reason = if counted.is_empty() { String::new() } else { format!(": {counted}") };
        return Err(Mistake::new(
            None,
            format!("`paths` has no operation{reason}"),
            "the description must have paths with methods",
        ));
    }
    notes.say(hosts.note());
    notes.say(format!("made {} of {} operations", tasks.len(), all.len()));
    security.note(description).into_iter().for_each(|line| notes.say(line));
    Ok(Made {
        description: title.unwrap_or("An API").to_owned(),
        wait: Wait::Between([WaitTime(Duration::from_secs(1)), WaitTime(Duration::from_secs(3))]),
        variables: variables.values,
        tasks,
        notes,
        ..Made::default()
    })
}

fn check_version(description: &Untyped) -> Result<(), Mistake> {
    let refuse = |problem: &str, hint: &str| Err(Mistake::new(None, problem, hint));
    if let Some(version) = description.get("swagger") {
        let problem = format!("is Swagger {}, expected OpenAPI 3.0 or later", quoted(&version.as_text()));
        return refuse(&problem, "convert it first, for example with `npx swagger2openapi`");
    }
    if description.get("log").is_some() && description.get("openapi").is_none() {
        return refuse("is a recording (HAR), expected an OpenAPI description", "import it by --from-har");
    }
    match description.get("openapi").map(Untyped::as_text) {
        // Without quotes YAML takes it for a number, whose text it still is.
        Some(version) if version.starts_with("3.") => Ok(()),
        Some(version) => refuse(
            &format!("`openapi` is {}, expected 3.0 or later", quoted(&version)),
            "write the version in quotes, such as `openapi: \"3.0.3\"`",
        ),
        None => refuse(
            "`openapi` is missing, expected 3.0 or later",
            "a description begins with its version, such as `openapi: \"3.0.3\"`",
        ),
    }
}

impl<'a> Api<'a> {
    /// All operations, in their order.
    fn operations(&self) -> Vec<Operation<'a>> {
        let mut operations = Vec::new();
        for (path, item) in self.root.get("paths").map(Untyped::fields).unwrap_or_default() {
            if path.starts_with("x-") {
                continue;
            }
            let item = match self.follow(item) {
                Ok(item) => item,
                Err(reference) => {
                    self.count(PATH_ELSEWHERE, &format!("{path} {}", quoted(reference)));
                    continue;
                }
            };
            let others = item.get("additionalOperations").map(Untyped::fields).unwrap_or_default();
            let own = item.fields().iter().filter(|(name, _)| MethodName::from_name(name).is_some());
            for (method, fields) in own.chain(others) {
                match self.follow(fields) {
                    Ok(fields) => operations.push(Operation { path, method, item, fields }),
                    Err(reference) => {
                        let place = format!("{} {path} {}", method.to_ascii_uppercase(), quoted(reference));
                        self.count(OPERATION_ELSEWHERE, &place);
                    }
                }
            }
        }
        operations
    }

    /// The parameters of an operation, which replace those of its path by name and place.
    fn parameters(&self, operation: &Operation<'a>) -> Vec<Parameter<'a>> {
        let mut parameters: Vec<Parameter<'a>> = Vec::new();
        let lists =
            [operation.item, operation.fields].map(|place| place.get("parameters").map(Untyped::entries));
        for described in lists.into_iter().flatten().flatten() {
            let described = match self.follow(described) {
                Ok(described) => described,
                Err(reference) => {
                    self.count(PARAMETER_ELSEWHERE, &format!("{} {}", operation.title(), quoted(reference)));
                    continue;
                }
            };
            let name = described.get("name").and_then(Untyped::as_str);
            let place = described.get("in").and_then(Untyped::as_str).and_then(Place::from_name);
            let (Some(name), Some(place)) = (name, place) else { continue };
            let parameter = Parameter { name, place, described };
            match parameters.iter_mut().find(|known| (known.name, known.place) == (name, place)) {
                Some(known) => *known = parameter,
                None => parameters.push(parameter),
            }
        }
        parameters
    }

    /// The value of a parameter; one with a content is its text.
    fn value_of_parameter(&self, described: &'a Untyped) -> Untyped {
        let content = described.get("content").map(Untyped::fields).unwrap_or_default();
        let value = match content.first() {
            Some((_, content)) => Untyped::Text(self.example_of(content).as_text().into_owned()),
            None => self.example_of(described),
        };
        match value {
            Untyped::Map(fields) if fields.is_empty() => Untyped::from("text"),
            Untyped::Null => Untyped::from("null"),
            value => value,
        }
    }

    fn task(&self, operation: &Operation<'a>, variables: &mut Variables) -> Option<TaskDocument> {
        let Some(method) = MethodName::from_name(operation.method) else {
            self.count(UNKNOWN_METHOD, &operation.title());
            return None;
        };
        let mut fields = StepDocument { method: Some(method.clone()), ..StepDocument::default() };
        if operation.fields.get("requestBody").is_some() && method.is_without_body() {
            self.count(BODY_OF_GET, &operation.title());
        } else if let Err(reason) = self.add_body(operation.fields, &mut fields) {
            self.count(NO_BODY, &format!("{}: {reason}", operation.title()));
            return None;
        }
        let parameters = self.parameters(operation);
        self.add_query(&parameters, &mut fields);
        self.add_headers(&parameters, &mut fields);
        let path = self.path(operation, &parameters, variables);
        let query = fields.path.take().map(|query| query.value);
        fields.path = Some(match query {
            None => path.into(),
            Some(query) => format!("{path}{}{query}", if path.contains('?') { '&' } else { '?' }).into(),
        });
        fields.name = Some(operation.title().into());
        let text = |field: &str| operation.fields.get(field).and_then(Untyped::as_str).map(str::to_owned);
        Some(TaskDocument {
            name: text("operationId").or_else(|| text("summary")),
            weight: Some(if method.0 == http::Method::GET { 3 } else { 1 }.into()),
            tags: operation.tags().map(str::to_owned).collect(),
            steps: vec![step(fields)].into(),
        })
    }

    /// The path with its parameters: single values as variables, lists and objects as their style says.
    fn path(
        &self,
        operation: &Operation<'a>,
        parameters: &[Parameter<'a>],
        variables: &mut Variables,
    ) -> String {
        let prefix = server::path(self.root, operation);
        // What follows a `#` never reaches a server; some descriptions tell operations apart by it.
        let template = operation.path.split('#').next().unwrap_or_default();
        let slash = if template.starts_with('/') { "" } else { "/" };
        let mut rest = on_host(&format!("{prefix}{slash}{template}"));
        let mut filled = String::new();
        while let Some((before, name, after)) = next_parameter(&rest) {
            let declared = parameters.iter().find(|known| known.place == Place::Path && known.name == name);
            let value =
                declared.map_or(Untyped::from("1"), |parameter| self.value_of_parameter(parameter.described));
            if declared.is_none() {
                self.count(UNDECLARED, &format!("{{{name}}} of {}", operation.path));
            }
            let nothing = Untyped::Null;
            let style = Style::of(declared.map_or(&nothing, |parameter| parameter.described), Place::Path);
            let value = if value.as_text().is_empty() { Untyped::from("1") } else { value };
            let is_single = !matches!(value, Untyped::List(_) | Untyped::Map(_));
            let text = if declared.is_some() && is_single && style.is_plain() && !style.allow_reserved {
                format!("${{{}}}", variables.name(name, &value))
            } else {
                parameters::segment(name, &value, style)
            };
            // A `$` before it would take its meaning away.
            match before.strip_suffix('$').filter(|_| text.starts_with("${")) {
                Some(before) => {
                    filled.push_str(&literal(before));
                    filled.push_str("%24");
                }
                None => filled.push_str(&literal(before)),
            }
            filled.push_str(&text);
            let behind = rest.len() - after.len();
            rest.drain(..behind);
        }
        filled + &literal(&rest)
    }

    /// The query: by its names where each is a single value, else behind the path, which waits in `fields`.
    fn add_query(&self, parameters: &[Parameter<'a>], fields: &mut StepDocument) {
        let values: Vec<_> = self.sent_in(Place::Query, parameters).collect();
        let is_plain = |value: &Untyped, style: &Style<'_>| {
            !matches!(value, Untyped::List(_) | Untyped::Map(_)) && !style.allow_reserved
        };
        if values.iter().all(|(_, value, style)| is_plain(value, style)) {
            let plain = values
                .into_iter()
                .map(|(name, value, _)| (name.to_owned(), literal(&value.as_text()).into()));
            fields.query = plain.collect();
            return;
        }
        let pairs: Vec<_> =
            values.iter().flat_map(|(name, value, style)| parameters::query(name, value, *style)).collect();
        fields.path = (!pairs.is_empty()).then(|| literal(&pairs.join("&")).into());
    }

    fn add_headers(&self, parameters: &[Parameter<'a>], fields: &mut StepDocument) {
        for (name, value, style) in self.sent_in(Place::Header, parameters) {
            let name = name.to_ascii_lowercase();
            let text = parameters::header(&value, style);
            if IGNORED_HEADERS.contains(&name.as_str()) {
                continue;
            }
            if name.parse::<HeaderName>().is_err() || HeaderValue::from_str(&text).is_err() {
                self.count(UNSENDABLE_HEADER, &name);
                continue;
            }
            fields.headers.insert(name, literal(&text).into());
        }
        let cookies = self.sent_in(Place::Cookie, parameters);
        let cookies: Vec<_> =
            cookies.flat_map(|(name, value, style)| parameters::cookie(name, &value, style)).collect();
        if !cookies.is_empty() {
            fields.headers.insert("cookie".to_owned(), literal(&cookies.join("; ")).into());
        }
    }

    /// The required parameters of a place, with their values.
    fn sent_in<'p>(
        &'p self,
        place: Place,
        parameters: &'p [Parameter<'a>],
    ) -> impl Iterator<Item = (&'a str, Untyped, Style<'a>)> + 'p {
        let is_required =
            |parameter: &&Parameter<'a>| parameter.described.get("required").is_some_and(Untyped::is_true);
        parameters.iter().filter(move |parameter| parameter.place == place).filter(is_required).map(
            move |parameter| {
                (
                    parameter.name,
                    self.value_of_parameter(parameter.described),
                    Style::of(parameter.described, place),
                )
            },
        )
    }
}

/// A parameter of an operation.
#[derive(Clone, Copy)]
struct Parameter<'a> {
    name: &'a str,
    place: Place,
    described: &'a Untyped,
}

/// The first `{name}` of a path's template, with what stands before and behind it.
fn next_parameter(template: &str) -> Option<(&str, &str, &str)> {
    let open = template.find('{')?;
    let length = template[open..].find('}')?;
    Some((&template[..open], &template[open + 1..open + length], &template[open + length + 1..]))
}
