//! Makes a request of a step.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use excerpt::excerpt;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::super::document::StepDocument;
use super::super::error::Mistake;
use super::super::located::Located;
use super::super::method::MethodName;
use super::super::request::{Body, Request, without_query};
use super::super::template::{JsonTemplate, Symbols, Template};
use super::answer;
use super::known_requests::KnownRequests;

/// Headers that the connection decides, or that would end it. `Host` may be given: several hosts share an address.
const NOT_OURS: [&str; 4] = ["content-length", "transfer-encoding", "connection", "traceparent"];

/// The request of a step that has a path.
pub(super) fn request(
    step: &Located<StepDocument>,
    path: &Located<String>,
    place: &str,
    symbols: &Symbols,
    known: &mut KnownRequests,
) -> Result<Request, Mistake> {
    let fields = &step.value;
    let method = fields.method.clone().unwrap_or_default().0;
    let template = Template::parse(path, &format!("{place}.path"), symbols)?;
    if !path.value.starts_with('/') && !template.is_single_expression() {
        return Err(Mistake::new(
            path.line,
            format!("`{place}.path` is `{}`, expected a path that begins with `/`", excerpt(&path.value)),
            "the host comes from --host; scenarios have paths only",
        ));
    }
    // A URL takes what follows for a host, and `\` for `/`.
    if path.value.starts_with("//") || path.value.starts_with("/\\") {
        let rest = path.value.trim_start_matches(['/', '\\']);
        return Err(Mistake::new(
            path.line,
            format!("`{place}.path` is `{}`, expected a path that begins with one `/`", excerpt(&path.value)),
            format!(
                "write `/{}`; what follows two slashes is a host, and the host comes from --host",
                excerpt(rest)
            ),
        ));
    }
    let name = match &fields.name {
        Some(name) if name.value.trim().is_empty() => {
            return Err(Mistake::new(
                name.line,
                format!("`{place}.name` is empty"),
                "leave it away, and the request is called by its method and path",
            ));
        }
        Some(name) => name.value.clone(),
        None => format!("{method} {}", without_query(&path.value)),
    };
    let (headers, header_templates) = headers(fields, place, symbols)?;
    let body = body(step, &method, place, symbols)?;
    let query = templates(fields.query.iter(), &format!("{place}.query"), symbols)?;
    let timeout = match &fields.timeout {
        Some(timeout) if timeout.value.0.is_zero() => {
            return Err(Mistake::new(
                timeout.line,
                format!("`{place}.timeout` is 0s, expected more"),
                "leave it away, and --timeout counts",
            ));
        }
        timeout => timeout.as_ref().map(|timeout| timeout.value.0),
    };
    let (index, name_index) = known.add(name.clone(), path.line)?;
    Ok(Request {
        index,
        name_index,
        check: answer::check(fields.check.as_ref(), &name, place, symbols)?,
        extracts: answer::extracts(&fields.extract, &name, place, symbols)?,
        name,
        method,
        path: template,
        path_as_written: without_query(&path.value).into_owned(),
        query,
        headers,
        header_templates,
        body,
        timeout,
        follow_redirects: fields.follow_redirects.unwrap_or(true),
    })
}

/// A pause or a row of a table has none of a request's fields.
pub(super) fn refuse_request_fields(step: &Located<StepDocument>, place: &str) -> Result<(), Mistake> {
    let fields = &step.value;
    let stray = [
        ("method", fields.method.is_some()),
        ("name", fields.name.is_some()),
        ("headers", !fields.headers.is_empty()),
        ("query", !fields.query.is_empty()),
        ("json", fields.json.is_some()),
        ("form", fields.form.is_some()),
        ("body", fields.body.is_some()),
        ("bodyBase64", fields.body_base64.is_some()),
        ("timeout", fields.timeout.is_some()),
        ("followRedirects", fields.follow_redirects.is_some()),
        ("extract", !fields.extract.is_empty()),
        ("check", fields.check.is_some()),
    ];
    match stray.iter().find(|(_, given)| *given) {
        None => Ok(()),
        Some((field, _)) => Err(Mistake::new(
            step.line,
            format!("`{place}.{field}` belongs to a request, but the step has no `path`"),
            "write a request, a pause and a row of a table as steps of their own",
        )),
    }
}

type Headers = (HeaderMap, Vec<(HeaderName, Template)>);

fn headers(fields: &StepDocument, place: &str, symbols: &Symbols) -> Result<Headers, Mistake> {
    let (mut fixed, mut filled) = (HeaderMap::new(), Vec::new());
    for (name, value) in &fields.headers {
        let place = format!("{place}.headers.{}", excerpt(name));
        let refuse =
            |problem: &str, hint: &str| Err(Mistake::new(value.line, format!("`{place}` {problem}"), hint));
        let Ok(header) = name.to_ascii_lowercase().parse::<HeaderName>() else {
            return refuse("is no header", "a header's name has letters, digits and `-`");
        };
        if NOT_OURS.contains(&header.as_str()) {
            return refuse("is set by the load generator itself", "leave it away");
        }
        let template = Template::parse(value, &place, symbols)?;
        match template.fixed().map(HeaderValue::from_str) {
            Some(Ok(value)) => {
                fixed.insert(header, value);
            }
            Some(Err(_)) => {
                return refuse("has a value that no header can have", "a value is one line of text");
            }
            None => filled.push((header, template)),
        }
    }
    Ok((fixed, filled))
}

fn body(
    step: &Located<StepDocument>,
    method: &http::Method,
    place: &str,
    symbols: &Symbols,
) -> Result<Option<Body>, Mistake> {
    let fields = &step.value;
    let given =
        [fields.json.is_some(), fields.form.is_some(), fields.body.is_some(), fields.body_base64.is_some()];
    let count = given.iter().filter(|&&given| given).count();
    if count > 1 {
        return Err(Mistake::new(
            step.line,
            format!(
                "`{place}` has several bodies, expected at most one of `json`, `form`, `body` and `bodyBase64`"
            ),
            "keep the one that is to be sent",
        ));
    }
    if count == 1 && MethodName(method.clone()).is_without_body() {
        return Err(Mistake::new(
            step.line,
            format!("`{place}` has a body, but {method} has none"),
            "add `method: POST`, or write `query`",
        ));
    }
    Ok(if let Some(json) = &fields.json {
        Some(Body::Json(JsonTemplate::parse(json, &format!("{place}.json"), symbols)?))
    } else if let Some(form) = &fields.form {
        Some(Body::Form(templates(form.iter(), &format!("{place}.form"), symbols)?))
    } else if let Some(body) = &fields.body {
        Some(Body::Text(Template::parse(body, &format!("{place}.body"), symbols)?))
    } else if let Some(encoded) = &fields.body_base64 {
        Some(Body::Bytes(BASE64.decode(encoded.value.as_bytes()).map(bytes::Bytes::from).map_err(
            |error| {
                Mistake::new(
                    encoded.line,
                    format!("`{place}.bodyBase64` is `{}`: {error}", excerpt(&encoded.value)),
                    "`base64 -w 0 FILE` prints a file so",
                )
            },
        )?))
    } else {
        None
    })
}

fn templates<'a>(
    fields: impl Iterator<Item = (&'a String, &'a Located<String>)>,
    place: &str,
    symbols: &Symbols,
) -> Result<Vec<(String, Template)>, Mistake> {
    fields
        .map(|(name, value)| {
            Template::parse(value, &format!("{place}.{name}"), symbols)
                .map(|template| (name.clone(), template))
        })
        .collect()
}
