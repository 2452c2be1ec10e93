//! Says which login the operations need: credentials are nothing that an import could know.

use std::collections::BTreeMap;

use super::super::super::untyped::Untyped;
use super::super::made::quoted;
use super::reference;

/// How many of the imported operations need each scheme.
#[derive(Default)]
pub(super) struct Needed(BTreeMap<String, usize>);

impl Needed {
    /// Counts what an operation needs: its own list counts, or else the description's.
    pub(super) fn add(&mut self, root: &Untyped, operation: &Untyped) {
        let list = operation
            .get("security")
            .or_else(|| root.get("security"))
            .map(Untyped::entries)
            .unwrap_or_default();
        // An empty alternative says that no login is needed.
        if list.iter().any(|alternative| alternative.fields().is_empty()) {
            return;
        }
        for (name, _) in list.first().map(Untyped::fields).unwrap_or_default() {
            *self.0.entry(name.clone()).or_default() += 1;
        }
    }

    /// What has to be added to the scenario; none where nothing is needed.
    pub(super) fn note(&self, root: &Untyped) -> Option<String> {
        let needed: Vec<_> = self
            .0
            .iter()
            .map(|(name, count)| format!("{} for {count} ({})", quoted(name), scheme(root, name)))
            .collect();
        (!needed.is_empty()).then(|| {
            format!("a login is needed and not part of the scenario: {}; add it to the steps, from a variable or feeder", needed.join(", "))
        })
    }
}

fn scheme(root: &Untyped, name: &str) -> String {
    let schemes = root.get("components").and_then(|components| components.get("securitySchemes"));
    let scheme = schemes
        .and_then(|schemes| schemes.get(name))
        .and_then(|scheme| reference::resolved(root, scheme).ok());
    let text = |field: &str| {
        scheme.and_then(|scheme| scheme.get(field)).and_then(Untyped::as_str).unwrap_or_default()
    };
    match text("type") {
        "http" if text("scheme").eq_ignore_ascii_case("basic") => {
            "header `authorization: Basic …`".to_owned()
        }
        "http" | "oauth2" | "openIdConnect" => "header `authorization: Bearer …`".to_owned(),
        "apiKey" => format!("{} {}", text("in"), quoted(text("name"))),
        "mutualTLS" => "a client certificate, which the load generator does not send".to_owned(),
        _ => "not described".to_owned(),
    }
}
