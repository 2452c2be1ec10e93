//! Where the scaler's signals come from, for `lab scaler`, `lab up` and `lab demo`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use scaler::{ReplicaResources, SourceKind};

use super::classic;
use super::resources::ResourceArguments;
use super::values::prometheus_url;
use crate::failure::Failure;

/// Where Prometheus is unless somebody says otherwise.
const PROMETHEUS_URL: &str = "http://127.0.0.1:9090";

/// Where signals come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum SourceName {
    /// Each replica's own /metrics, each second.
    Scrape,
    /// A Prometheus that scrapes the replicas.
    Prometheus,
}

/// Which source, and where it is.
#[derive(Clone, Debug, Args)]
pub(crate) struct SourceArguments {
    /// Where the scaler's signals come from
    #[arg(long, value_enum, value_name = "NAME", default_value_t = SourceName::Scrape)]
    source: SourceName,
    /// Prometheus, for the source `prometheus` and for queries of policies; also `PROMETHEUS_URL`, or in the file of
    /// `PROMETHEUS_URL_FILE` [default: `http://127.0.0.1:9090`]
    #[arg(long, value_name = "URL", value_parser = prometheus_url)]
    prometheus_url: Option<String>,
    /// A file with Prometheus's password, whose user's name is in the URL: `http://lab@127.0.0.1:9090`
    #[arg(long, value_name = "FILE")]
    prometheus_password_file: Option<PathBuf>,
    #[command(flatten)]
    resources: ResourceArguments,
}

impl SourceArguments {
    /// What replicas use of CPU and memory, and ask for.
    pub(crate) fn resources(&self) -> ReplicaResources {
        self.resources.resources()
    }

    /// The source, with the address from the flag, the classic variable or the default.
    pub(crate) fn kind(&self) -> Result<SourceKind, Failure> {
        match self.source {
            SourceName::Scrape => Ok(SourceKind::Scrape),
            SourceName::Prometheus => {
                let url = self.url()?;
                let url = match &self.prometheus_password_file {
                    Some(file) => with_password(&url, &read_password(file)?)?,
                    None => url,
                };
                Ok(SourceKind::Prometheus { url })
            }
        }
    }

    fn url(&self) -> Result<String, Failure> {
        Ok(self.given_url()?.unwrap_or_else(|| PROMETHEUS_URL.to_owned()))
    }

    fn given_url(&self) -> Result<Option<String>, Failure> {
        if let Some(url) = &self.prometheus_url {
            return Ok(Some(url.clone()));
        }
        let url = classic::variable("PROMETHEUS_URL")?.map(|url| {
            prometheus_url(&url)
                .map_err(|error| Failure::bad_input(format!("the variable PROMETHEUS_URL: {error}")))
        });
        url.transpose()
    }

    /// The Prometheus that the queries of a policy are put to; none puts them to the one that the policy names.
    pub(crate) fn queries_url(&self) -> Result<Option<String>, Failure> {
        let url = self.given_url()?;
        let password = self.prometheus_password_file.as_deref().map(read_password).transpose()?;
        match (url, password) {
            (Some(url), Some(password)) => with_password(&url, &password).map(Some),
            (url, _) => Ok(url),
        }
    }

    /// The same source as flags of `lab scaler`.
    pub(crate) fn flags(&self) -> Result<Vec<String>, Failure> {
        let mut flags = vec!["--source".to_owned(), self.kind()?.name().to_owned()];
        let url = match self.source {
            SourceName::Scrape => self.given_url()?,
            SourceName::Prometheus => Some(self.url()?),
        };
        if let Some(url) = url {
            flags.extend(["--prometheus-url".to_owned(), url]);
            // The file, not what is in it: a command line can be read by everybody on the machine.
            let file = self.prometheus_password_file.iter();
            flags.extend(
                file.flat_map(|file| ["--prometheus-password-file".to_owned(), file.display().to_string()]),
            );
        }
        flags.extend(self.resources.flags());
        Ok(flags)
    }
}

fn read_password(file: &std::path::Path) -> Result<String, Failure> {
    let refuse = |problem: &str| {
        Failure::bad_input(format!(
            "--prometheus-password-file {}: {problem}; hint: one line with the password, readable by this user",
            file.display()
        ))
    };
    let text = std::fs::read_to_string(file).map_err(|error| refuse(&error.to_string()))?;
    let password = text.trim_end_matches(['\n', '\r']);
    if password.is_empty() || password.contains('\n') {
        return Err(refuse("it does not hold one line"));
    }
    Ok(password.to_owned())
}

/// The URL with this password behind the user's name in it.
fn with_password(url: &str, password: &str) -> Result<String, Failure> {
    let user = url.split_once("://").and_then(|(scheme, rest)| {
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let (user, _) = authority.rsplit_once('@')?;
        (!user.is_empty() && !user.contains(':')).then(|| format!("{scheme}://{user}"))
    });
    let Some(before) = user else {
        return Err(Failure::bad_input(
            "--prometheus-password-file needs the user's name, without a password, in --prometheus-url; hint: \
             http://lab@127.0.0.1:9090",
        ));
    };
    let encoded: String =
        password
            .bytes()
            .map(|byte| {
                if byte.is_ascii_alphanumeric() {
                    char::from(byte).to_string()
                } else {
                    format!("%{byte:02X}")
                }
            })
            .collect();
    Ok(format!("{before}:{encoded}{}", &url[before.len()..]))
}

#[cfg(test)]
mod tests {
    use super::{read_password, with_password};

    #[test]
    fn a_password_goes_behind_the_users_name() {
        let url = with_password("http://lab@prometheus:9090/path", "a b:c@d").ok();
        assert_eq!(url.as_deref(), Some("http://lab:a%20b%3Ac%40d@prometheus:9090/path"));
        for bad in ["http://prometheus:9090", "http://lab:other@prometheus:9090", "http://@prometheus"] {
            assert!(with_password(bad, "secret").is_err(), "{bad}");
        }
    }

    #[test]
    fn a_password_is_one_line() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("password");
        for (text, password) in [("secret\n", Some("secret")), ("", None), ("\n", None), ("a\nb\n", None)] {
            std::fs::write(&file, text).unwrap();
            assert_eq!(read_password(&file).ok().as_deref(), password, "{text:?}");
        }
        assert!(read_password(&folder.path().join("missing")).is_err());
    }
}
