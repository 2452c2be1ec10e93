//! Reads the file of `--services`: which services one scaler watches, and what differs from its flags for each.
//!
//! An entry's fields are the flags of `lab scaler` in camel case, so that there is one list of settings, one set of
//! checks and one place where they are described: `gatewayAdmin: http://…` is `--gateway-admin http://…`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Command;
use excerpt::{excerpt, sentence};
use heck::{ToKebabCase, ToLowerCamelCase};
use scaler::policy_file::{SecondDocument, one_document};
use serde::Deserialize;
use serde_saphyr::Spanned;

use crate::failure::Failure;

const API_VERSION: &str = "autoscale-lab/v1";
const KIND: &str = "Services";

/// Flags of the process, which its services cannot differ in.
const OF_THE_PROCESS: [&str; 10] = [
    "allowed-hosts",
    "listen",
    "log-format",
    "log-level",
    "otlp-endpoint",
    "service-name",
    "services",
    "state",
    "supervised",
    "trace-rate",
];

const HINT: &str = "begin with `apiVersion: autoscale-lab/v1` and `kind: Services`, then a list `services:` whose \
                    entries have a `name:` and flags of lab scaler in camel case, such as `gatewayAdmin: http://…`";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Document {
    api_version: Spanned<String>,
    kind: Spanned<String>,
    services: Vec<BTreeMap<String, Spanned<String>>>,
}

/// One service of the file.
#[derive(Clone, Debug)]
pub(super) struct ServiceEntry {
    pub(super) name: String,
    file: PathBuf,
    fields: BTreeMap<String, Spanned<String>>,
}

/// Reads the file.
pub(super) fn read(file: &Path) -> Result<Vec<ServiceEntry>, Failure> {
    let text = std::fs::read_to_string(file).map_err(|error| {
        refuse(file, None, &format!("cannot be read: {error}"), "give a readable file with --services")
    })?;
    let text = one_document(&text).map_err(|SecondDocument { line }| {
        refuse(file, Some(line), "a second document begins here, expected one list of services", HINT)
    })?;
    let document: Document = serde_saphyr::from_str(&text).map_err(|error| {
        let line = error.location().map(|location| location.line());
        let problem = error.without_snippet().render_with_formatter(&serde_saphyr::UserMessageFormatter);
        refuse(file, line, &sentence(problem.lines().next().unwrap_or_default()), HINT)
    })?;
    for (field, found, expected) in
        [("apiVersion", &document.api_version, API_VERSION), ("kind", &document.kind, KIND)]
    {
        if found.value != expected {
            let problem = format!("`{field}` is `{}`, expected {expected}", excerpt(&found.value));
            return Err(refuse(file, Some(found.referenced.line()), &problem, HINT));
        }
    }
    document
        .services
        .into_iter()
        .enumerate()
        .map(|(index, fields)| ServiceEntry::new(file, index, fields))
        .collect()
}

impl ServiceEntry {
    fn new(
        file: &Path,
        index: usize,
        mut fields: BTreeMap<String, Spanned<String>>,
    ) -> Result<Self, Failure> {
        let Some(name) = fields.remove("name") else {
            return Err(refuse(file, None, &format!("service {} has no `name`", index + 1), HINT));
        };
        Ok(Self { name: name.value, file: file.to_owned(), fields })
    }

    /// The fields as the flags that they stand for; `command` knows all of them.
    pub(super) fn flags(&self, command: &Command) -> Result<Vec<String>, Failure> {
        let mut flags = vec![format!("--service-name={}", self.name)];
        for (field, value) in &self.fields {
            let flag = field.to_kebab_case();
            let is_known = command.get_arguments().any(|argument| argument.get_long() == Some(flag.as_str()));
            if !is_known || flag.to_lower_camel_case() != *field || OF_THE_PROCESS.contains(&flag.as_str()) {
                let problem = format!("{}: `{}` is no setting of a service", self.place(), excerpt(field));
                let hint = format!("known are {}", known_fields(command).join(", "));
                return Err(refuse(&self.file, Some(value.referenced.line()), &problem, &hint));
            }
            flags.push(format!("--{flag}={}", value.value));
        }
        Ok(flags)
    }

    /// What clap says of a value, in one line.
    pub(super) fn refusal(&self, error: &clap::Error) -> Failure {
        let text = error.render().to_string();
        let problem = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
        refuse(&self.file, None, &format!("{}: {}", self.place(), sentence(problem)), "see lab scaler --help")
    }

    /// Which service is meant, for errors.
    pub(super) fn place(&self) -> String {
        format!("service `{}`", excerpt(&self.name))
    }

    /// `state.json` of the process is `state-webapp.json` of the service.
    pub(super) fn state_file(&self, of_process: &Path) -> PathBuf {
        let stem = of_process.file_stem().unwrap_or_default().to_string_lossy();
        let ending = of_process.extension().map(|ending| format!(".{}", ending.to_string_lossy()));
        of_process.with_file_name(format!("{stem}-{}{}", self.name, ending.unwrap_or_default()))
    }
}

fn known_fields(command: &Command) -> Vec<String> {
    let flags = command.get_arguments().filter_map(clap::Arg::get_long);
    let of_services = flags.filter(|flag| !OF_THE_PROCESS.contains(flag)).map(str::to_lower_camel_case);
    std::iter::once("name".to_owned()).chain(of_services).collect()
}

fn refuse(file: &Path, line: Option<u64>, problem: &str, hint: &str) -> Failure {
    let line = line.map(|line| format!(":{line}")).unwrap_or_default();
    Failure::bad_input(format!("{}{line}: {problem}; hint: {hint}", file.display()))
}

#[cfg(test)]
mod tests {
    use clap::{Args, FromArgMatches};
    use scaler::{ActuatorKind, ScalerConfig, SourceKind};
    use scaler_engine::Policy as _;

    use super::super::ScalerArguments;
    use super::*;

    fn configured(entries: &str) -> Result<ScalerConfig, String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("services.yaml");
        std::fs::write(&file, format!("apiVersion: autoscale-lab/v1\nkind: Services\n{entries}")).unwrap();
        let command = ScalerArguments::augment_args(Command::new("scaler").no_binary_name(true));
        let file = file.display().to_string();
        let flags = ["--services", &file, "--state", "/var/lib/state.json", "--max-replicas", "4"];
        let matches = command.try_get_matches_from(flags).unwrap();
        let arguments = ScalerArguments::from_arg_matches(&matches).unwrap();
        arguments.config().map_err(|failure| format!("{failure:?}"))
    }

    #[test]
    fn each_service_is_as_its_entry_says_and_otherwise_as_the_flags_say() {
        let config = configured(
            "services:\n  - name: webapp\n    policy: aggressive\n    gatewayAdmin: http://web:8001\n    \
             actuator: command\n    scaleCommand: ./scale.sh {service} {replicas}\n    \
             countCommand: ./count.sh {service}\n  \
             - name: database\n    source: prometheus\n    prometheusUrl: http://prometheus:9090\n    maxReplicas: 3\n",
        )
        .unwrap();
        let [webapp, database] = config.services.as_slice() else { panic!("two services") };
        assert_eq!((webapp.name.as_str(), webapp.policy.name.as_str()), ("webapp", "aggressive"));
        assert_eq!(webapp.gateway_admin, "http://web:8001");
        assert!(matches!(webapp.actuator, ActuatorKind::Command { .. }), "{:?}", webapp.actuator);
        assert_eq!(webapp.policy.policy.limits().max(), 4, "as the flag says");
        assert_eq!((database.policy.name.as_str(), database.policy.policy.limits().max()), ("moderate", 3));
        assert_eq!(database.gateway_admin, "http://127.0.0.1:8001");
        assert_eq!(database.source, SourceKind::Prometheus { url: "http://prometheus:9090".to_owned() });
        let states: Vec<_> =
            config.services.iter().map(|service| service.state_file.clone().unwrap()).collect();
        assert_eq!(
            states,
            [Path::new("/var/lib/state-webapp.json"), Path::new("/var/lib/state-database.json")]
        );
    }

    #[test]
    fn a_wrong_file_is_told_with_its_line_field_and_value() {
        let cases = [
            ("services: 3\n", ":3: "),
            ("services:\n  - policy: moderate\n", "service 1 has no `name`"),
            ("services:\n  - name: a\n    polcy: x\n", ":5: service `a`: `polcy` is no setting"),
            (
                "services:\n  - name: a\n    listen: 0.0.0.0:1\n",
                "`listen` is no setting of a service; hint: known are name,",
            ),
            ("services:\n  - name: a\n    gateway-admin: http://a\n", "`gateway-admin` is no setting"),
            ("services:\n  - name: a\n    replicaPort: many\n", "service `a`: invalid value 'many'"),
            ("services:\n  - name: a\n    policy: gentle\n", "service `a`: gentle"),
            ("services:\n  - name: a\n    actuator: command\n", "needs --scale-command"),
            ("services: []\nmore: 1\n", "more"),
        ];
        for (text, problem) in cases {
            let error = configured(text).unwrap_err();
            assert!(error.contains("BadInput") && error.contains(problem), "{text}: {error}");
        }
    }
}
